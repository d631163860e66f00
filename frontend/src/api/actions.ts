// Everything the pages ask the server to do. Each answers with what it made.
import { api, take } from "./client";

/** A repeated POST (a double click, a retry after a lost answer) must not make a second run. */
function once(): { "Idempotency-Key": string } {
  // randomUUID exists on secure origins only, and the server may be reached by plain http.
  const key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
  return { "Idempotency-Key": key };
}

export async function startRun(job: string, parameters: Record<string, string>) {
  const made = await take(
    api.POST("/api/v1/jobs/{name}/runs", {
      params: { path: { name: job } },
      body: { parameters, dry_run: false },
      headers: once(),
    }),
  );
  if (!("id" in made)) {
    throw new Error("the server says what a run would do, and started none");
  }
  return made;
}

export function cancelRun(id: string) {
  return take(api.POST("/api/v1/runs/{id}/cancel", { params: { path: { id } }, headers: once() }));
}

export function startCrawl(path: string, database: string | null, dryRun: boolean) {
  return take(api.POST("/api/v1/crawls", { body: { path, database, dry_run: dryRun }, headers: once() }));
}

export function startCrawler(name: string, dryRun: boolean) {
  return take(
    api.POST("/api/v1/crawlers/{name}/crawls", {
      params: { path: { name } },
      body: { dry_run: dryRun },
      headers: once(),
    }),
  );
}

export function stopCrawler(name: string) {
  return take(api.POST("/api/v1/crawlers/{name}/stop", { params: { path: { name } }, headers: once() }));
}

export function createConnection(name: string, properties: Record<string, string>) {
  return take(api.POST("/api/v1/connections", { body: { name, properties }, headers: once() }));
}

export function testConnection(name: string) {
  return take(api.POST("/api/v1/connections/{name}/test", { params: { path: { name } }, headers: once() }));
}

/** The whole log as text, for saving. */
export async function logText(id: string): Promise<string> {
  return take(
    api.GET("/api/v1/runs/{id}/logs", {
      params: { path: { id } },
      headers: { Accept: "text/plain" },
      parseAs: "text",
    }) as unknown as Promise<{ data?: string; error?: unknown; response: Response }>,
  );
}
