// One crawl: what it would change or has changed, why, and which files it set aside.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { crawl, isActive } from "../api/queries";
import type { Change, Crawl, Plan, PlanTable } from "../api/types";
import { count, counted, size } from "../format/number";
import { StateBadge, Tag } from "../ui/Badge";
import { DataTable } from "../ui/DataTable";
import { Disclosure } from "../ui/Disclosure";
import { Checkbox, Stack, Text } from "../ui/kit";
import { Empty, Loaded } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Notice } from "../ui/Notice";
import { Facts, Mono, Nothing, Page, Panel } from "../ui/Page";
import { Took, When } from "../ui/When";
import { Into } from "./lists";

const route = getRouteApi("/crawls/$id");

export function CrawlPage() {
  const { id } = route.useParams();
  const query = useQuery(crawl(id));
  const target = query.data?.targets.join(", ");
  return (
    <Page
      title={target ? `Crawl of ${target}` : "Crawl"}
      trail={[
        <Link key="crawls" to="/crawls">
          Crawls
        </Link>,
      ]}
      badge={
        query.data ? (
          <>
            <StateBadge state={query.data.state} />
            {query.data.dry_run ? <Tag>dry run</Tag> : null}
          </>
        ) : null
      }
      path={`/api/v1/crawls/${encodeURIComponent(id)}`}
      command={query.data ? command(query.data) : undefined}
    >
      <Loaded query={query} lines={8}>
        {(data) => (
          <>
            {data.error ? <Notice title="The crawl failed" message={data.error} /> : null}
            <Panel>
              <Figures of={data} />
            </Panel>
            {data.plan ? (
              <PlanView plan={data.plan} dryRun={data.dry_run} />
            ) : (
              <Panel>
                <Empty
                  title={isActive(data.state) ? "The plan is being worked out…" : "This crawl made no plan."}
                />
              </Panel>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** What to type for the same crawl, where the shell has a word for it. */
function command(of: Crawl): string | undefined {
  if (of.crawler || of.targets.length !== 1 || !of.targets[0]?.startsWith("s3")) return undefined;
  return `mastic crawl ${of.targets[0]} --database ${of.database}${of.dry_run ? " --dry-run" : ""}`;
}

function Figures({ of }: { of: Crawl }) {
  return (
    <Facts
      items={[
        ["Into", <Into key="into" crawl={of} />],
        ["Crawler", of.crawler ?? <Nothing key="crawler" text="none, crawled once" />],
        ["Started", <When key="started" at={of.started_at} />],
        ["Took", <Took key="took" from={of.started_at} to={of.finished_at} />],
        ["Objects listed", count(of.objects)],
        ["Read", `${counted(of.files_read, "file")}, ${size(of.bytes_read)}`],
        ["Changes", count(of.changes)],
        ["Warnings", count(of.warnings)],
      ]}
    />
  );
}

function PlanView({ plan, dryRun }: { plan: Plan; dryRun: boolean }) {
  const [all, setAll] = useState(false);
  const unchanged = plan.changes.filter((change) => change.op === "unchanged").length;
  const shown = all ? plan.changes : plan.changes.filter((change) => change.op !== "unchanged");
  return (
    <>
      <Panel
        flush
        title={dryRun ? "What it would change" : "What it changed"}
        actions={
          unchanged > 0 ? (
            <Checkbox
              size="sm"
              label={`Show ${count(unchanged)} unchanged`}
              checked={all}
              onChange={(event) => setAll(event.currentTarget.checked)}
            />
          ) : null
        }
      >
        {shown.length === 0 ? (
          <Empty title="Nothing: the catalog already says what lies there." />
        ) : (
          <Changes items={shown} />
        )}
      </Panel>
      <Panel flush title="Tables and why">
        {plan.tables.length === 0 ? (
          <Empty title="No table was found." />
        ) : (
          plan.tables.map((table) => (
            <TableReasons key={`${table.database}.${table.name}.${table.location}`} table={table} />
          ))
        )}
      </Panel>
      <Panel flush title="Files set aside">
        {plan.set_aside.length === 0 ? (
          <Empty title="None: every file found its place." />
        ) : (
          <DataTable
            label="Files set aside"
            rows={plan.set_aside}
            rowKey={(file) => file.path}
            columns={[
              { header: "File", wide: true, cell: (file) => <Mono>{file.path}</Mono> },
              { header: "Why", cell: (file) => file.reason },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

function Changes({ items }: { items: Change[] }) {
  return (
    <DataTable
      label="Changes"
      rows={items}
      rowKey={(change, index) => `${index} ${change.op} ${change.kind} ${change.name}`}
      columns={[
        { header: "Change", cell: (change) => <StateBadge state={change.op} /> },
        { header: "Of", cell: (change) => change.kind },
        { header: "Name", cell: (change) => <Mono>{change.name}</Mono> },
        { header: "What", cell: (change) => change.detail || <Nothing text="–" /> },
        { header: "Why", cell: (change) => change.reason || <Nothing text="–" /> },
      ]}
    />
  );
}

function TableReasons({ table }: { table: PlanTable }) {
  const summary = [
    table.classification,
    counted(table.columns.length, "column"),
    table.partition_keys.length > 0 ? counted(table.partitions, "partition") : null,
    counted(table.files, "file"),
    size(table.bytes),
  ].filter(Boolean);
  return (
    <Disclosure
      title={
        <>
          <strong>{`${table.database}.${table.name}`}</strong>{" "}
          <Text span size="sm" c="dimmed">
            {summary.join(" · ")}
          </Text>
        </>
      }
    >
      <Stack gap="sm">
        <Text size="sm">
          <Mono>{table.location}</Mono>
        </Text>
        {table.reasons.length > 0 ? (
          <ul style={{ margin: 0, paddingLeft: 20 }}>
            {table.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        ) : null}
        <DataTable
          label={`Columns of ${table.name}`}
          rows={table.columns}
          rowKey={(column) => column.name}
          columns={[
            {
              header: "Column",
              cell: (column) => (
                <>
                  <Mono>{column.name}</Mono>{" "}
                  {table.partition_keys.includes(column.name) ? <Tag>partition key</Tag> : null}
                </>
              ),
            },
            { header: "Type", cell: (column) => <Mono>{column.type}</Mono> },
            { header: "Why", wide: true, cell: (column) => column.reason },
          ]}
        />
      </Stack>
    </Disclosure>
  );
}
