// The ways through the pages: by clicking, by address, by keyboard, with the demo's data.
import { expect, test } from "@playwright/test";

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
  await expect(grid.getByRole("row").nth(1)).toBeVisible();
  await page.getByRole("tab", { name: "Details" }).click();
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
  await expect(log.getByRole("listitem").first()).toBeVisible();
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

test("crawls and events tell what happened", async ({ page }) => {
  await page.goto("/crawls");
  await page.getByRole("table", { name: "Crawls" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: /^What it/ })).toBeVisible();
  await page.goto("/events");
  await expect(page.getByRole("table", { name: "Events" }).getByRole("row").nth(1)).toContainText("s3://");
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
