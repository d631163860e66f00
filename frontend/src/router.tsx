// The addresses of the pages. Parameters and search texts are typed from here to every link.
import { createRootRoute, createRoute, createRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { ConnectionsPage } from "./pages/ConnectionsPage";
import { CrawlPage } from "./pages/CrawlPage";
import { CrawlsPage } from "./pages/CrawlsPage";
import { DatabasePage } from "./pages/DatabasePage";
import { DatabasesPage } from "./pages/DatabasesPage";
import { EventsPage } from "./pages/EventsPage";
import { Frame, NotFoundPage } from "./pages/Frame";
import { HomePage } from "./pages/HomePage";
import { JobPage } from "./pages/JobPage";
import { JobsPage } from "./pages/JobsPage";
import { RunPage } from "./pages/RunPage";
import { RunsPage } from "./pages/RunsPage";
import { TablePage, tableTabs } from "./pages/TablePage";
import { Failure } from "./ui/Loaded";
import { Page } from "./ui/Page";

function text(value: unknown): string | undefined {
  // The router reads numbers and booleans out of search texts; a filter for 2022 is still a text.
  const known = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return known && value !== "" ? String(value) : undefined;
}

const filter = (search: Record<string, unknown>): { q?: string } => ({ q: text(search.q) });

function PageFailure({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page failed">
      <Failure error={error} retry={reset} />
    </Page>
  );
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFoundPage });

const home = createRoute({ getParentRoute: () => root, path: "/", component: HomePage });

const databases = createRoute({
  getParentRoute: () => root,
  path: "/databases",
  component: DatabasesPage,
  validateSearch: filter,
});

const database = createRoute({
  getParentRoute: () => root,
  path: "/databases/$database",
  component: DatabasePage,
  validateSearch: filter,
});

const table = createRoute({
  getParentRoute: () => root,
  path: "/databases/$database/tables/$table",
  component: TablePage,
  validateSearch: (search: Record<string, unknown>): { tab?: (typeof tableTabs)[number]; q?: string } => ({
    tab: tableTabs.find((name) => name === search.tab),
    q: text(search.q),
  }),
});

const crawls = createRoute({ getParentRoute: () => root, path: "/crawls", component: CrawlsPage });

const crawl = createRoute({ getParentRoute: () => root, path: "/crawls/$id", component: CrawlPage });

const connections = createRoute({
  getParentRoute: () => root,
  path: "/connections",
  component: ConnectionsPage,
});

const jobs = createRoute({
  getParentRoute: () => root,
  path: "/jobs",
  component: JobsPage,
  validateSearch: filter,
});

const job = createRoute({ getParentRoute: () => root, path: "/jobs/$name", component: JobPage });

const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  component: RunsPage,
  validateSearch: (search: Record<string, unknown>): { job?: string; state?: string } => ({
    job: text(search.job),
    state: text(search.state),
  }),
});

const run = createRoute({ getParentRoute: () => root, path: "/runs/$id", component: RunPage });

const events = createRoute({
  getParentRoute: () => root,
  path: "/events",
  component: EventsPage,
  validateSearch: filter,
});

const tree = root.addChildren([
  home,
  databases,
  database,
  table,
  crawls,
  crawl,
  connections,
  jobs,
  job,
  runs,
  run,
  events,
]);

export function makeRouter() {
  return createRouter({
    routeTree: tree,
    scrollRestoration: true,
    defaultErrorComponent: PageFailure,
    defaultNotFoundComponent: NotFoundPage,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
