// Home: what there is, and what happened last.
import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { crawls, databases, events, firstTables, isActive, runs } from "../api/queries";
import { count } from "../format/number";
import { SimpleGrid } from "../ui/kit";
import { Empty, Failure, LoadedList } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Figure, Page, Panel } from "../ui/Page";
import { CrawlHint, DemoHint, JobHint, UploadHint } from "./hints";
import { CrawlTable, EventTable, RunTable } from "./lists";

// Counting tables costs a request a database; beyond this many, the page says "at least".
const counting = 8;

function figure(total: number | undefined, more: boolean): string {
  if (total === undefined) return "–";
  return more ? `${count(total)}+` : count(total);
}

export function HomePage() {
  const databaseList = useInfiniteQuery(databases);
  const runList = useInfiniteQuery(runs());
  const eventList = useInfiniteQuery(events);
  const crawlList = useInfiniteQuery(crawls);

  const known = databaseList.data?.pages.flatMap((page) => page.items);
  const tableLists = useQueries({
    queries: (known ?? []).slice(0, counting).map((each) => firstTables(each.name)),
    combine: (results) => ({
      ready: results.every((result) => result.data !== undefined),
      lists: results.map((result) => result.data),
    }),
  });
  const tableTotal = tableLists.lists.reduce((sum, list) => sum + (list?.items.length ?? 0), 0);
  const tablesMore = (known?.length ?? 0) > counting || tableLists.lists.some((list) => list?.next);

  const lastRuns = runList.data?.pages.flatMap((page) => page.items);
  const active = lastRuns?.filter((run) => isActive(run.state)).length ?? 0;
  const failed = lastRuns?.filter((run) => run.state === "FAILED").length ?? 0;
  const lastEvents = eventList.data?.pages.flatMap((page) => page.items);

  return (
    <Page
      title="Home"
      lead="Objects arrive in the lake, crawls turn them into tables, and jobs run on what arrived."
      path="/api/v1/system"
      command="mastic doctor"
    >
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
        <Figure value={figure(known?.length, databaseList.hasNextPage)} label="Databases">
          {known && known.length > 0
            ? known.slice(0, 4).map((each, index) => (
                <span key={each.name}>
                  {index > 0 ? ", " : ""}
                  <Link to="/databases/$database" params={{ database: each.name }}>
                    {each.name}
                  </Link>
                </span>
              ))
            : null}
        </Figure>
        <Figure value={known && tableLists.ready ? figure(tableTotal, tablesMore) : "–"} label="Tables">
          <Link to="/databases">Browse</Link>
        </Figure>
        <Figure value={figure(lastRuns?.length, runList.hasNextPage)} label="Runs">
          {lastRuns === undefined
            ? null
            : active > 0
              ? `${active} active`
              : failed > 0
                ? `${failed} failed`
                : "none active"}
        </Figure>
        <Figure value={figure(lastEvents?.length, eventList.hasNextPage)} label="Events">
          <Link to="/events">See all</Link>
        </Figure>
      </SimpleGrid>

      {/* Where everything fails, the lists below say so already. */}
      {databaseList.isError && !runList.isError ? (
        <Failure error={databaseList.error} retry={() => databaseList.refetch()} />
      ) : null}
      {known?.length === 0 ? (
        <Panel flush title="Start here">
          <Empty title="The catalog is empty.">
            <UploadHint />
            <CrawlHint />
            <DemoHint />
          </Empty>
        </Panel>
      ) : null}

      <Panel flush title="Last runs" actions={<Link to="/runs">All runs</Link>}>
        <LoadedList
          query={runList}
          one="run"
          first={5}
          empty={
            <Empty title="No job has run yet.">
              <JobHint />
            </Empty>
          }
        >
          {(items) => <RunTable runs={items} />}
        </LoadedList>
      </Panel>
      <Panel flush title="Last events" actions={<Link to="/events">All events</Link>}>
        <LoadedList
          query={eventList}
          one="event"
          first={5}
          empty={
            <Empty title="Nothing has arrived yet.">
              <UploadHint />
            </Empty>
          }
        >
          {(items) => <EventTable events={items} brief />}
        </LoadedList>
      </Panel>
      <Panel flush title="Last crawls" actions={<Link to="/crawls">All crawls</Link>}>
        <LoadedList
          query={crawlList}
          one="crawl"
          first={3}
          empty={
            <Empty title="Nothing has been crawled yet.">
              <CrawlHint />
            </Empty>
          }
        >
          {(items) => <CrawlTable crawls={items} />}
        </LoadedList>
      </Panel>
    </Page>
  );
}
