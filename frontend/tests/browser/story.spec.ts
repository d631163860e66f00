// The ways through the pages: by clicking, by address, by keyboard, with the demo's data.
import { expect, test } from "@playwright/test";

test("home shows what the story left behind", async ({ page }) => {
  await page.goto("/");
  const main = page.getByRole("main");
  await expect(main.getByRole("link", { name: "curated", exact: true })).toBeVisible();
  await expect(main.getByText(/^3\s*Tables/)).toBeVisible();
  // Runs of other specs may push the story's own out of these extracts, and look alike.
  const runs = main.getByRole("table", { name: "Runs" });
  await expect(runs.getByRole("row").filter({ hasText: "38,000" }).first()).toContainText("ym=2022-03");
  const events = main.getByRole("table", { name: "Events" });
  await expect(events.getByRole("row").nth(1)).toContainText("s3://lake/");
  await expect(
    main.getByRole("table", { name: "Crawls" }).getByRole("link", { name: "s3://lake/raw/" }).first(),
  ).toBeVisible();
});

test("from databases to a table's schema and partitions, by clicking", async ({ page }) => {
  await page.goto("/");
  const nav = page.getByRole("navigation", { name: "Main" });
  await nav.getByRole("link", { name: "Databases" }).click();
  await page.getByRole("link", { name: "raw", exact: true }).click();
  await expect(page).toHaveURL(/\/databases\/raw$/);
  await page.getByRole("link", { name: "yellow", exact: true }).click();
  await expect(page.getByText("tpep_pickup_datetime")).toBeVisible();

  await page.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link", { name: "raw" }).click();
  await page.getByRole("link", { name: "green", exact: true }).click();
  await expect(page.getByText("lpep_pickup_datetime")).toBeVisible();

  await nav.getByRole("link", { name: "Databases" }).click();
  await page.getByRole("link", { name: "curated", exact: true }).click();
  await page.getByRole("link", { name: "yellow_green", exact: true }).click();
  await page.getByRole("tab", { name: "Partitions" }).click();
  await expect(page).toHaveURL(/tab=partitions/);
  await expect(page.getByRole("cell", { name: "2022-03", exact: true })).toBeVisible();

  await page.goBack();
  await expect(page.getByRole("tab", { name: "Schema" })).toHaveAttribute("aria-selected", "true");
});

test("every tab of a table answers", async ({ page }) => {
  await page.goto("/databases/raw/tables/yellow?tab=sample");
  const grid = page.getByRole("region", { name: "Sample rows" }).getByRole("table");
  await expect(grid.getByRole("columnheader", { name: /tpep_pickup_datetime/ })).toBeVisible();
  await expect(grid.getByRole("row")).toHaveCount(21);
  await expect(grid.getByRole("row").nth(1).getByRole("cell").nth(1)).toHaveText(
    /^2022-0\d-\d\d \d\d:\d\d:\d\d$/,
  );
  await page.getByRole("tab", { name: "Details" }).click();
  await expect(page.getByRole("table", { name: "Versions" })).toContainText("first version");
  await expect(page.getByRole("table", { name: "Parameters", exact: true })).toContainText("parquet");
  await expect(page.getByRole("region", { name: "CREATE TABLE" })).toContainText("yellow");
  await page.getByRole("tab", { name: "Partitions" }).click();
  await expect(page.getByText("This table is not partitioned.")).toBeVisible();
});

test("a filter narrows a list, and lives in the address", async ({ page }) => {
  await page.goto("/databases/raw");
  await page.getByLabel("Filter tables").fill("yel");
  await expect(page.getByRole("link", { name: "green", exact: true })).toHaveCount(0);
  await expect(page).toHaveURL(/q=yel/);
  await page.reload();
  await expect(page.getByLabel("Filter tables")).toHaveValue("yel");
  await expect(page.getByRole("link", { name: "yellow", exact: true })).toBeVisible();
});

test("a run with its log", async ({ page }) => {
  await page.goto("/runs?state=SUCCEEDED");
  const row = page.getByRole("row").filter({ hasText: "ym=2022-03" }).first();
  await expect(row).toContainText("Succeeded");
  await row.getByRole("link").first().click();
  await expect(page).toHaveURL(/\/runs\/[^?]+$/);
  await expect(page.getByRole("heading", { name: "Run of monthly-union" })).toBeVisible();
  const log = page.getByRole("region", { name: "Log of the run" });
  await expect(log.getByRole("listitem").filter({ hasText: "38000 rows written" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Inputs" }).getByRole("row")).toHaveCount(3);
  await expect(page.getByRole("table", { name: "Outputs" })).toContainText("/ym=2022-03/part-00000.csv");
  await page.getByRole("link", { name: "curated.yellow_green" }).click();
  await expect(page.getByRole("heading", { name: "yellow_green" })).toBeVisible();
});

test("a job shows its script and its triggers", async ({ page }) => {
  await page.goto("/jobs");
  await page.getByRole("link", { name: "monthly-union" }).first().click();
  await expect(page.getByLabel("ym")).toBeVisible();
  await expect(page.getByRole("table", { name: "Triggers" })).toContainText("tripdata_{ym}");
  await expect(page.getByText("UNION ALL").first()).toBeVisible();
});

test("a job is run from its page, and its log comes while it runs", async ({ page }) => {
  await page.goto("/jobs/monthly-union");
  const field = page.getByLabel("ym");
  await field.fill("not a month");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  // The browser holds back what the parameter's pattern does not allow.
  await expect(page).toHaveURL(/\/jobs\/monthly-union$/);
  await field.fill("2022-03");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page).toHaveURL(/\/runs\/[^/]+$/);
  await expect(
    page.getByRole("region", { name: "Log of the run" }).getByRole("listitem").first(),
  ).toBeVisible();
  await expect(page.locator("[data-state=SUCCEEDED]")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("End of the log")).toBeVisible();
});

test("a run that fails says why, and what to do", async ({ page }) => {
  await page.goto("/jobs/monthly-union");
  await page.getByLabel("ym").fill("1999-01");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const alert = page.getByRole("alert");
  await expect(alert).toContainText(/there is no object s3:.*1999-01/, { timeout: 30_000 });
  await expect(alert).toContainText("put the object there");
  await expect(page.locator("[data-state=FAILED]")).toBeVisible();
  await expect(page.locator("li[data-level=error]")).toContainText("1999-01");
});

test("two arrivals lead to one run, and the run leads back to them", async ({ page }) => {
  await page.goto("/events");
  await page.getByLabel("Filter events").fill("tripdata_2022-03");
  const events = page.getByRole("table", { name: "Events" });
  await expect(events.getByRole("row")).toHaveCount(3);
  const links = events.getByRole("link", { name: "run by monthly-union-1" });
  await expect(links).toHaveCount(2);
  const [first, second] = await links.evaluateAll((all) => all.map((each) => each.getAttribute("href")));
  expect(first).toBe(second);
  await links.first().click();
  await expect(page.getByRole("heading", { name: "Run of monthly-union" })).toBeVisible();
  await page.getByRole("link", { name: "2 events" }).click();
  await expect(page).toHaveURL(/\/events\?q=/);
  await expect(events.getByRole("row")).toHaveCount(3);
  await expect(events).toContainText("green_tripdata_2022-03");
});

test("a crawl tells what it changed, and why", async ({ page }) => {
  await page.goto("/crawls");
  const made = page
    .getByRole("table", { name: "Crawls" })
    .getByRole("row")
    .filter({ has: page.getByRole("link", { name: "raw", exact: true }) });
  await made.getByRole("link", { name: "s3://lake/raw/" }).click();
  await expect(page.getByRole("heading", { name: "What it changed" })).toBeVisible();
  const changes = page.getByRole("table", { name: "Changes" });
  await expect(changes.getByRole("row").filter({ hasText: "raw.yellow" })).toContainText("19 columns");
  await page.getByText("raw.green").last().click();
  const columns = page.getByRole("table", { name: "Columns of green" });
  await expect(columns.getByRole("row").filter({ hasText: "lpep_pickup_datetime" })).toContainText(
    "TIMESTAMP",
  );
});

test("a dry run shows a plan and changes nothing", async ({ page }) => {
  await page.goto("/crawls");
  await page.getByLabel("Prefix", { exact: true }).fill("s3://lake/raw/");
  await page.getByLabel("Database", { exact: true }).fill("planned");
  await page.getByRole("button", { name: "Show the plan" }).click();
  await expect(page.getByRole("heading", { name: "What it would change" })).toBeVisible({ timeout: 30_000 });
  const changes = page.getByRole("table", { name: "Changes" });
  await expect(changes.getByRole("row").filter({ hasText: "planned.yellow" })).toContainText("add");
  expect((await page.request.get("/api/v1/databases/planned")).status()).toBe(404);
});

test("a connection is added, and tried", async ({ page }) => {
  await page.goto("/connections");
  await page.getByLabel("Name", { exact: true }).fill("crm");
  await page.getByLabel("URL", { exact: true }).fill("jdbc:postgresql://127.0.0.1:1/crm");
  await page.getByLabel("User", { exact: true }).fill("reader");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Test crm" }).click();
  await expect(page.getByRole("alert")).toContainText("127.0.0.1:1 can't be reached");
  await expect(page.getByRole("alert")).toContainText("Hint");
});

test("an address is enough, and survives a reload", async ({ page }) => {
  await page.goto("/databases/curated/tables/yellow_green?tab=partitions");
  await expect(page.getByRole("cell", { name: "2022-03", exact: true })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("cell", { name: "2022-03", exact: true })).toBeVisible();
});

test("what is not there is said to be not there", async ({ page }) => {
  await page.goto("/databases/raw/tables/nothing-of-that-name");
  await expect(page.getByRole("alert")).toBeVisible();
  await page.goto("/no/such/page");
  await expect(page.getByRole("heading", { name: "No such page" })).toBeVisible();
});

test("the keyboard reaches the content and the tabs", async ({ page }) => {
  await page.goto("/databases/curated/tables/yellow_green");
  await expect(page.getByRole("tab", { name: "Schema" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.getByRole("tab", { name: "Schema" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page).toHaveURL(/tab=partitions/);
});
