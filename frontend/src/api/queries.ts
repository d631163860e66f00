// Every read the pages make, as TanStack Query options: keys, paging and how often to look again.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import type { CrawlSummary, Event, Page, Run, RunState } from "./types";

const soon = 2_000;
const later = 10_000;

export function isActive(state: RunState): boolean {
  return state === "QUEUED" || state === "RUNNING";
}

type Fetch<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>;

/** A list that is loaded page by page, and looked at again after `every` milliseconds. */
function pages<T>(
  key: readonly unknown[],
  fetch: Fetch<T>,
  every: number | false | ((items: T[]) => number) = false,
) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => fetch(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.next ?? undefined,
    refetchInterval: (query) => {
      if (typeof every !== "function") return every;
      return every(query.state.data?.pages.flatMap((page) => page.items) ?? []);
    },
  });
}

const runsEvery = (runs: Run[]) => (runs.some((run) => isActive(run.state)) ? soon : later);
const crawlsEvery = (crawls: CrawlSummary[]) =>
  crawls.some((crawl) => isActive(crawl.state)) ? soon : later;
const eventsEvery = (events: Event[]) =>
  events.some((event) => event.outcomes.some((o) => o.state === "batched" || o.state === "waiting"))
    ? soon
    : later;

const v1 = "/api/v1" as const;

export const system = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => take(api.GET(`${v1}/system`, { signal })),
  staleTime: 60_000,
});

export const databases = pages(["databases"], (cursor, signal) =>
  take(api.GET(`${v1}/databases`, { params: { query: { limit: 100, cursor } }, signal })),
);

export const connections = pages(["connections"], (cursor, signal) =>
  take(api.GET(`${v1}/connections`, { params: { query: { limit: 100, cursor } }, signal })),
);

export const database = (name: string) =>
  queryOptions({
    queryKey: ["databases", name],
    queryFn: ({ signal }) =>
      take(api.GET(`${v1}/databases/{database}`, { params: { path: { database: name } }, signal })),
  });

const readTables = (name: string, cursor: string | undefined, signal: AbortSignal) =>
  take(
    api.GET(`${v1}/databases/{database}/tables`, {
      params: { path: { database: name }, query: { limit: 100, cursor } },
      signal,
    }),
  );

export const tables = (name: string) =>
  pages(["databases", name, "tables"], (cursor, signal) => readTables(name, cursor, signal));

/** The first page alone, for counting. */
export const firstTables = (name: string) =>
  queryOptions({
    queryKey: ["databases", name, "first tables"],
    queryFn: ({ signal }) => readTables(name, undefined, signal),
    staleTime: 10_000,
  });

const tableKey = (db: string, name: string) => ["databases", db, "tables", name] as const;

export const table = (db: string, name: string) =>
  queryOptions({
    queryKey: tableKey(db, name),
    queryFn: ({ signal }) =>
      take(
        api.GET(`${v1}/databases/{database}/tables/{table}`, {
          params: { path: { database: db, table: name } },
          signal,
        }),
      ),
  });

export const partitions = (db: string, name: string) =>
  pages([...tableKey(db, name), "partitions"], (cursor, signal) =>
    take(
      api.GET(`${v1}/databases/{database}/tables/{table}/partitions`, {
        params: { path: { database: db, table: name }, query: { limit: 100, cursor } },
        signal,
      }),
    ),
  );

export const versions = (db: string, name: string) =>
  pages([...tableKey(db, name), "versions"], (cursor, signal) =>
    take(
      api.GET(`${v1}/databases/{database}/tables/{table}/versions`, {
        params: { path: { database: db, table: name }, query: { limit: 20, cursor } },
        signal,
      }),
    ),
  );

export const sample = (db: string, name: string, limit: number) =>
  queryOptions({
    queryKey: [...tableKey(db, name), "sample", limit],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${v1}/databases/{database}/tables/{table}/sample`, {
          params: { path: { database: db, table: name }, query: { limit } },
          signal,
        }),
      ),
    // Reading rows costs the server a file read; the reader asks again when wanted.
    staleTime: 300_000,
    retry: false,
  });

export const ddl = (db: string, name: string) =>
  queryOptions({
    queryKey: [...tableKey(db, name), "ddl"],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${v1}/databases/{database}/tables/{table}/ddl`, {
          params: { path: { database: db, table: name } },
          signal,
        }),
      ),
  });

export const crawlers = pages(["crawlers"], (cursor, signal) =>
  take(api.GET(`${v1}/crawlers`, { params: { query: { limit: 100, cursor } }, signal })),
);

export const crawls = pages(
  ["crawls"],
  (cursor, signal) => take(api.GET(`${v1}/crawls`, { params: { query: { limit: 50, cursor } }, signal })),
  crawlsEvery,
);

export const crawl = (id: string) =>
  queryOptions({
    queryKey: ["crawls", id],
    queryFn: ({ signal }) => take(api.GET(`${v1}/crawls/{id}`, { params: { path: { id } }, signal })),
    refetchInterval: (query) => (query.state.data && isActive(query.state.data.state) ? soon : false),
  });

export const jobs = pages(["jobs"], (cursor, signal) =>
  take(api.GET(`${v1}/jobs`, { params: { query: { limit: 100, cursor } }, signal })),
);

export const job = (name: string) =>
  queryOptions({
    queryKey: ["jobs", name],
    queryFn: ({ signal }) => take(api.GET(`${v1}/jobs/{name}`, { params: { path: { name } }, signal })),
  });

export interface RunFilter {
  job?: string;
  state?: string;
}

export const runs = (filter: RunFilter = {}) =>
  pages(
    ["runs", { job: filter.job ?? null, state: filter.state ?? null }],
    (cursor, signal) =>
      take(api.GET(`${v1}/runs`, { params: { query: { ...filter, limit: 50, cursor } }, signal })),
    runsEvery,
  );

export const run = (id: string) =>
  queryOptions({
    queryKey: ["runs", id],
    queryFn: ({ signal }) => take(api.GET(`${v1}/runs/{id}`, { params: { path: { id } }, signal })),
    refetchInterval: (query) => (query.state.data && isActive(query.state.data.state) ? soon : false),
  });

/** The log as far as it is written; polled while `poll` says that more may come. */
export const runLog = (id: string, poll: boolean) =>
  pages(
    ["runs", id, "logs"],
    (cursor, signal) =>
      take(
        api.GET(`${v1}/runs/{id}/logs`, {
          params: { path: { id }, query: { limit: 1000, cursor } },
          headers: { Accept: "application/json" },
          signal,
        }),
      ),
    poll ? soon : false,
  );

export const triggers = pages(["triggers"], (cursor, signal) =>
  take(api.GET(`${v1}/triggers`, { params: { query: { limit: 100, cursor } }, signal })),
);

export const events = pages(
  ["events"],
  (cursor, signal) => take(api.GET(`${v1}/events`, { params: { query: { limit: 50, cursor } }, signal })),
  eventsEvery,
);
