// Lists that more than one page shows: runs, crawls, events.
import type { CrawlSummary, Event, Run } from "../api/types";
import { count, counted, size } from "../format/number";
import { StateBadge, Tag } from "../ui/Badge";
import { type ColumnSpec, DataTable } from "../ui/DataTable";
import { Group } from "../ui/kit";
import { Link } from "../ui/link";
import { Mono, Nothing } from "../ui/Page";
import { Took, When } from "../ui/When";

export function Parameters({ of }: { of: Record<string, string> }) {
  const pairs = Object.entries(of);
  if (pairs.length === 0) return <Nothing />;
  return <Mono>{pairs.map(([name, value]) => `${name}=${value}`).join(" ")}</Mono>;
}

function amount(value: number | null | undefined) {
  return value == null ? <Nothing text="–" /> : count(value);
}

export function RunTable({ runs, brief }: { runs: Run[]; brief?: boolean }) {
  const columns: ColumnSpec<Run>[] = [
    { header: "State", cell: (run) => <StateBadge state={run.state} /> },
    {
      header: "Run",
      cell: (run) => (
        <Link to="/runs/$id" params={{ id: run.id }} aria-label={`Run ${run.id} of ${run.job}`}>
          {run.job}
        </Link>
      ),
    },
    { header: "Parameters", cell: (run) => <Parameters of={run.parameters} /> },
    { header: "Queued", cell: (run) => <When at={run.created_at} /> },
    {
      header: "Took",
      numeric: true,
      cell: (run) => <Took ms={run.duration_ms} from={run.started_at} to={run.finished_at} />,
    },
  ];
  if (!brief) {
    columns.push(
      { header: "Rows in", numeric: true, cell: (run) => amount(run.rows_in) },
      { header: "Rows out", numeric: true, cell: (run) => amount(run.rows_out) },
      { header: "Started by", cell: (run) => (run.trigger ? run.trigger : <Nothing text="by hand" />) },
    );
  }
  return <DataTable label="Runs" rows={runs} rowKey={(run) => run.id} columns={columns} />;
}

/** The database a crawl writes to. A dry run makes none, so that the name may lead nowhere. */
export function Into({ crawl }: { crawl: CrawlSummary }) {
  if (crawl.dry_run) return crawl.database;
  return (
    <Link to="/databases/$database" params={{ database: crawl.database }}>
      {crawl.database}
    </Link>
  );
}

export function CrawlTable({ crawls }: { crawls: CrawlSummary[] }) {
  return (
    <DataTable
      label="Crawls"
      rows={crawls}
      rowKey={(crawl) => crawl.id}
      columns={[
        { header: "State", cell: (crawl) => <StateBadge state={crawl.state} /> },
        {
          header: "Crawl",
          cell: (crawl) => (
            <Link to="/crawls/$id" params={{ id: crawl.id }}>
              {crawl.targets.join(", ") || crawl.id}
            </Link>
          ),
        },
        {
          header: "Into",
          cell: (crawl) => <Into crawl={crawl} />,
        },
        {
          header: "Changes",
          cell: (crawl) => (
            <>
              {crawl.changes === 0 ? "none" : count(crawl.changes)}
              {crawl.dry_run ? " (dry run)" : ""}
            </>
          ),
        },
        { header: "Objects", numeric: true, cell: (crawl) => count(crawl.objects) },
        {
          header: "Read",
          cell: (crawl) => `${counted(crawl.files_read, "file")}, ${size(crawl.bytes_read)}`,
        },
        { header: "Started", cell: (crawl) => <When at={crawl.started_at} /> },
        {
          header: "Took",
          numeric: true,
          cell: (crawl) => <Took from={crawl.started_at} to={crawl.finished_at} />,
        },
      ]}
    />
  );
}

/** What became of an event: each trigger that saw it, and the run it led to. */
function Outcomes({ event }: { event: Event }) {
  if (event.outcomes.length === 0) return <Nothing text="nothing yet" />;
  return (
    <div style={{ display: "grid", gap: 4 }}>
      {event.outcomes.map((outcome) => (
        <Group key={`${outcome.trigger ?? ""} ${outcome.state} ${outcome.run ?? ""}`} gap="2 8">
          <StateBadge state={outcome.state} />
          {outcome.run ? (
            <Link to="/runs/$id" params={{ id: outcome.run }}>
              {outcome.trigger ? `run by ${outcome.trigger}` : "run"}
            </Link>
          ) : outcome.state !== "unmatched" ? (
            outcome.trigger
          ) : null}
          {outcome.detail ? <div>{outcome.detail}</div> : null}
        </Group>
      ))}
    </div>
  );
}

export function EventTable({ events, brief }: { events: Event[]; brief?: boolean }) {
  const columns: ColumnSpec<Event>[] = [
    { header: "Arrived", cell: (event) => <When at={event.received_at} /> },
    { header: "What", cell: (event) => <StateBadge state={event.kind} /> },
    {
      header: "Object",
      wide: !brief,
      cell: (event) => <Mono>{`s3://${event.bucket}/${event.key}`}</Mono>,
    },
  ];
  if (!brief) {
    columns.push(
      {
        header: "Size",
        numeric: true,
        cell: (event) => (event.size == null ? <Nothing text="–" /> : size(event.size)),
      },
      { header: "From", cell: (event) => <Tag>{event.source}</Tag> },
    );
  }
  columns.push({ header: "What became of it", cell: (event) => <Outcomes event={event} /> });
  return <DataTable label="Events" rows={events} rowKey={(event) => event.id} columns={columns} />;
}
