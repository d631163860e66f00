// Browser specs: against the server at MASTIC_URL, or against canned answers where none is named.
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const named = process.env.MASTIC_URL;
const chromium =
  process.env.CHROMIUM_PATH ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

export default defineConfig({
  testDir: "tests/browser",
  workers: process.env.CI ? 1 : 2,
  fullyParallel: true,
  forbidOnly: true,
  reporter: [["list"]],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    baseURL: named ?? "http://127.0.0.1:8099",
    viewport: { width: 1400, height: 900 },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: named
    ? undefined
    : {
        command: "node tests/mock-server.mjs 8099",
        url: "http://127.0.0.1:8099/",
        reuseExistingServer: true,
      },
});
