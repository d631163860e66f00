// Pages against a server of canned answers: what is there, what is empty, what went wrong.
import { render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../../src/App";

type Answers = Record<string, unknown>;

function problem(status: number, title: string, detail: string, hint: string) {
  return new Response(
    JSON.stringify({ type: "about:blank", title, status, detail, hint, request_id: "r-1" }),
    { status, headers: { "content-type": "application/problem+json" } },
  );
}

function serve(answers: Answers) {
  vi.stubGlobal("fetch", async (request: Request) => {
    const answer = answers[new URL(request.url).pathname];
    if (answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer.clone();
    if (answer === undefined) return problem(404, "Not found", "No such thing", "Look elsewhere");
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
  });
}

function open(path: string) {
  window.history.replaceState(null, "", path);
  render(<App />);
}

const none = { items: [], next: null };
const system = {
  version: "0.1.0",
  account_id: "123456789012",
  region: "us-east-1",
  database_kind: "sqlite",
  lake: { endpoint: "http://127.0.0.1:9123", buckets: ["lake"] },
};
const time = "2026-11-21T11:00:00Z";

beforeEach(() => {
  window.localStorage.clear();
});

describe("the databases page", () => {
  it("lists what the server answers, as text", async () => {
    const item = { parameters: {}, created_at: time, updated_at: time, location: null };
    serve({
      "/api/v1/system": system,
      "/api/v1/databases": { items: [{ ...item, name: "raw", description: "<img src=x>" }], next: null },
    });
    open("/databases");
    const link = await screen.findByRole("link", { name: "raw" });
    expect(link.getAttribute("href")).toBe("/databases/raw");
    expect(screen.getByText("<img src=x>")).toBeTruthy();
    expect(screen.getByText("1 database")).toBeTruthy();
  });

  it("says what to type when there is nothing, with this server's endpoint", async () => {
    serve({ "/api/v1/system": system, "/api/v1/databases": none });
    open("/databases");
    await screen.findByText("mastic crawl s3://lake/raw/ --database raw");
    await screen.findByText("aws --endpoint-url http://127.0.0.1:9123 s3 cp trips.csv s3://lake/raw/trips/");
  });

  it("shows a problem's detail and hint", async () => {
    serve({
      "/api/v1/system": system,
      "/api/v1/databases": problem(503, "The database is locked", "SQLite: busy", "Is a second one running?"),
    });
    open("/databases");
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The database is locked");
    expect(alert.textContent).toContain("SQLite: busy");
    expect(alert.textContent).toContain("Is a second one running?");
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("says so when no server answers", async () => {
    serve({ "/api/v1/databases": new TypeError("Failed to fetch") });
    open("/databases");
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("can't be reached"), {
      timeout: 3000,
    });
  });
});

describe("a run's page", () => {
  it("shows why it failed, and its log", async () => {
    const run = {
      id: "r1",
      job: "monthly-union",
      attempt: 1,
      state: "FAILED",
      parameters: { ym: "2022-03" },
      events: [],
      created_at: time,
      inputs: [],
      outputs: [],
      error: { message: "no such column", hint: "Name another" },
    };
    serve({
      "/api/v1/system": system,
      "/api/v1/runs/r1": run,
      "/api/v1/runs/r1/logs": { items: [{ seq: 1, at: time, level: "warn", message: "odd" }], next: null },
    });
    open("/runs/r1");
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("no such column");
    expect(alert.textContent).toContain("Name another");
    await screen.findByText("odd");
  });
});

it("an address that leads nowhere has a page", async () => {
  serve({ "/api/v1/system": system });
  open("/nowhere");
  await screen.findByRole("heading", { name: "No such page" });
});
