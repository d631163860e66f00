// A stand-in for the server while only the pages are worked on: the built files, and canned API answers.
// `node tests/mock-server.mjs [port] [empty|broken]`; the browser specs start it when MASTIC_URL is not set.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import * as fixture from "./fixture.mjs";

const port = Number(process.argv[2] ?? 8099);
const mood = process.argv[3] ?? "full";
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

const page = (items) => ({ items: mood === "empty" ? [] : items, next: null });
const find = (items, test) => (mood === "empty" ? undefined : items.find(test));
const tableOf = (database, name) => find(fixture.tables, (t) => t.database === database && t.name === name);

// Runs started from a page: each writes a line every half second, and is done after five.
const started = new Map();

function startRun(ym) {
  const id = `01JD0LIVE${started.size}`;
  const state = () => (Date.now() - from < 2_500 ? "RUNNING" : "SUCCEEDED");
  const from = Date.now();
  const lines = () =>
    Array.from({ length: Math.min(5, Math.floor((Date.now() - from) / 500)) }, (_, seq) => ({
      seq,
      at: new Date(from + seq * 500).toISOString(),
      level: "info",
      message: `line ${seq + 1} of 5`,
    }));
  started.set(id, {
    lines,
    show: () => fixture.run(id, ym, state(), (Date.now() - from) / 1000, { trigger: null }),
  });
  return started.get(id).show();
}

function stream(response, live) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let sent = 0;
  const timer = setInterval(() => {
    for (const line of live.lines().slice(sent)) {
      response.write(`data: ${JSON.stringify(line)}\n\n`);
      sent += 1;
    }
    if (sent === 5) response.end();
  }, 100);
  response.on("close", () => clearInterval(timer));
}

const routes = [
  [/^\/system$/, () => fixture.system],
  [/^\/databases$/, () => page(fixture.databases)],
  [/^\/databases\/([^/]+)$/, (d) => find(fixture.databases, (x) => x.name === d)],
  [
    /^\/databases\/([^/]+)\/tables$/,
    (d) => page(fixture.tables.filter((t) => t.database === d).map(fixture.summary)),
  ],
  [/^\/databases\/([^/]+)\/tables\/([^/]+)$/, tableOf],
  [/^\/databases\/([^/]+)\/tables\/([^/]+)\/versions$/, (d, t) => page(fixture.versions(tableOf(d, t)))],
  [/^\/databases\/([^/]+)\/tables\/([^/]+)\/partitions$/, () => page(fixture.partitions)],
  [/^\/databases\/([^/]+)\/tables\/([^/]+)\/sample$/, (d, t) => fixture.sample(tableOf(d, t))],
  [
    /^\/databases\/([^/]+)\/tables\/([^/]+)\/ddl$/,
    (d, t) => ({
      ddl: `CREATE EXTERNAL TABLE ${d}.${t} (\n${tableOf(d, t)
        .columns.map((c) => `  \`${c.name}\` ${c.type}`)
        .join(",\n")}\n)\nLOCATION '${tableOf(d, t).location}'`,
    }),
  ],
  [/^\/crawlers$/, () => page(fixture.crawlers)],
  [/^\/crawls$/, () => page(fixture.crawls.map(({ plan: _, ...rest }) => rest))],
  [/^\/crawls\/([^/]+)$/, (id) => find(fixture.crawls, (x) => x.id === id)],
  [/^\/jobs$/, () => page(fixture.jobs)],
  [/^\/jobs\/([^/]+)$/, (name) => find(fixture.jobs, (x) => x.name === name)],
  [/^\/jobs\/([^/]+)\/runs$/, () => startRun("2022-03")],
  [/^\/runs$/, () => page(fixture.runs)],
  [/^\/runs\/([^/]+)$/, (id) => started.get(id)?.show() ?? find(fixture.runs, (x) => x.id === id)],
  [/^\/runs\/([^/]+)\/logs$/, (id) => page(started.get(id)?.lines() ?? fixture.logs)],
  [/^\/triggers$/, () => page(fixture.triggers)],
  [/^\/events$/, () => page(fixture.events)],
];

function send(response, status, type, body, more = {}) {
  response.writeHead(status, { "content-type": type, "content-security-policy": policy, ...more });
  response.end(body);
}

function problem(response, status, title, detail, hint) {
  const body = { type: "about:blank", title, status, detail, hint, request_id: "01JD0REQUEST" };
  send(response, status, "application/problem+json", JSON.stringify(body));
}

createServer(async (request, response) => {
  const path = new URL(request.url ?? "/", "http://mock").pathname;
  if (path.startsWith("/api/v1/")) {
    if (mood === "broken") {
      problem(response, 503, "The database is locked", "SQLite: busy for 5 s", "Is a second mastic running?");
      return;
    }
    const live = started.get(path.split("/")[4]);
    if (live && request.headers.accept === "text/event-stream") {
      stream(response, live);
      return;
    }
    for (const [pattern, answer] of routes) {
      const match = pattern.exec(path.slice("/api/v1".length));
      if (!match) continue;
      const body = answer(...match.slice(1).map(decodeURIComponent));
      if (body === undefined) break;
      send(response, 200, "application/json", JSON.stringify(body));
      return;
    }
    problem(response, 404, "Not found", `There is nothing at ${path}.`, "Look at the list it should be in.");
    return;
  }
  const file = normalize(join(dist, path));
  try {
    if (!file.startsWith(dist) || extname(file) === "") throw new Error("a page");
    send(response, 200, types[extname(file)] ?? "application/octet-stream", await readFile(file));
  } catch {
    send(response, 200, "text/html", await readFile(join(dist, "index.html")));
  }
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port} (${mood})`));
