// What must hold on every route: accessible in both schemes, no foreign host, no sideways scrolling.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";

const fixed = [
  "/",
  "/databases",
  "/databases/raw",
  "/databases/curated/tables/yellow_green",
  "/databases/curated/tables/yellow_green?tab=partitions",
  "/databases/curated/tables/yellow_green?tab=details",
  "/databases/raw/tables/yellow?tab=sample",
  "/databases/nothing-of-that-name",
  "/crawls",
  "/connections",
  "/jobs",
  "/jobs/monthly-union",
  "/runs",
  "/events",
  "/no/such/page",
];

/** The routes above, and one page of each kind whose address holds an id. */
async function routes(page: Page): Promise<string[]> {
  const first = async (list: string) => {
    const answer = await page.request.get(`/api/v1/${list}?limit=1`);
    const { items } = (await answer.json()) as { items: { id: string }[] };
    return items[0] ? [`/${list}/${encodeURIComponent(items[0].id)}`] : [];
  };
  return [...fixed, ...(await first("crawls")), ...(await first("runs"))];
}

async function settle(page: Page, route: string) {
  await page.goto(route);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`every route passes axe, ${colorScheme}`, async ({ page }) => {
    test.setTimeout(180_000);
    await page.emulateMedia({ colorScheme });
    for (const route of await routes(page)) {
      await settle(page, route);
      await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
      // What is folded away must pass as well.
      await page.locator("details").evaluateAll((all) => {
        for (const each of all) (each as HTMLDetailsElement).open = true;
      });
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa"]).analyze();
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${route}: ${id}: ${node.html}: ${node.failureSummary}`),
      );
      expect(found).toEqual([]);
    }
  });
}

test("the colour scheme can be chosen, and is kept", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await settle(page, "/runs");
  const html = page.locator("html");
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "light");
  await page.getByRole("button", { name: /Change to: light$/ }).click();
  await page.getByRole("button", { name: /Change to: dark$/ }).click();
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page.reload();
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page.getByRole("button", { name: /Change to: as the system$/ }).click();
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "light");
});

test("open lists pass axe", async ({ page }) => {
  await settle(page, "/runs");
  await page.getByRole("combobox", { name: "State" }).click();
  await expect(page.getByRole("option", { name: "Failed" })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa"]).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.getByRole("option", { name: "Failed" }).click();
  await expect(page).toHaveURL(/state=FAILED/);
});

test("nothing is asked of a foreign host, and nothing breaks in the console", async ({ page, baseURL }) => {
  const own = new URL(baseURL ?? "").host;
  const foreign: string[] = [];
  const broken: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.host !== own) foreign.push(request.url());
  });
  page.on("pageerror", (error) => broken.push(error.message));
  page.on("console", (message) => {
    // A page that asks for what is not there gets a 404, and the browser says so.
    if (message.type() === "error" && !message.text().includes("404")) broken.push(message.text());
  });
  for (const route of await routes(page)) await settle(page, route);
  expect(foreign).toEqual([]);
  expect(broken).toEqual([]);
});

for (const width of [400, 800, 1400]) {
  test(`no page scrolls sideways at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    for (const route of await routes(page)) {
      await settle(page, route);
      await page.locator("details").evaluateAll((all) => {
        for (const each of all) (each as HTMLDetailsElement).open = true;
      });
      const over = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect(over, route).toBeLessThanOrEqual(0);
    }
  });
}

test("the navigation opens on a narrow screen", async ({ page }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  await settle(page, "/");
  await page.getByRole("button", { name: "Open the navigation" }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Jobs" }).click();
  await expect(page).toHaveURL(/\/jobs$/);
  await expect(page.getByRole("button", { name: "Open the navigation" })).toBeVisible();
});
