// Where a table lies, how it is read, its parameters, its statement and its earlier versions.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ddl, versions } from "../api/queries";
import type { Table, TableVersion } from "../api/types";
import { counted } from "../format/number";
import { Source } from "../ui/Command";
import { DataTable } from "../ui/DataTable";
import { Stack } from "../ui/kit";
import { Empty, Loaded, LoadedList } from "../ui/Loaded";
import { Facts, Mono, Nothing, Panel } from "../ui/Page";
import { When } from "../ui/When";

export function Details({ table }: { table: Table }) {
  const statement = useQuery(ddl(table.database, table.name));
  const history = useInfiniteQuery(versions(table.database, table.name));
  const { storage } = table;
  const mono = (value: string | null | undefined) => (value ? <Mono>{value}</Mono> : null);
  return (
    <Stack gap="md">
      <Panel title="Storage">
        <Facts
          items={[
            ["Location", mono(table.location)],
            ["Format", table.classification ?? null],
            ["Table type", table.table_type ?? null],
            ["Compressed", storage.compressed ? "yes" : "no"],
            ["Serde", mono(storage.serde)],
            ["Input format", mono(storage.input_format)],
            ["Output format", mono(storage.output_format)],
            ["Created", <When key="created" at={table.created_at} />],
            ["Updated", <When key="updated" at={table.updated_at} />],
            ["Updated by", table.updated_by ?? null],
          ]}
        />
      </Panel>
      <Pairs title="Serde parameters" of={storage.serde_parameters} />
      <Pairs title="Parameters" of={table.parameters} />
      <Panel title="Statement">
        <Loaded query={statement}>{(data) => <Source text={data.ddl} label="CREATE TABLE" />}</Loaded>
      </Panel>
      <Panel flush title="Versions">
        <LoadedList query={history} one="version" empty={<Empty title="No version is kept." />}>
          {(items) => <Versions items={items} />}
        </LoadedList>
      </Panel>
    </Stack>
  );
}

function Pairs({ title, of }: { title: string; of: Record<string, string> }) {
  const rows = Object.entries(of).sort(([a], [b]) => a.localeCompare(b));
  if (rows.length === 0) return null;
  return (
    <Panel flush title={title}>
      <DataTable
        label={title}
        rows={rows}
        rowKey={([name]) => name}
        columns={[
          { header: "Name", cell: ([name]) => <Mono>{name}</Mono> },
          { header: "Value", wide: true, cell: ([, value]) => <Mono>{showBlank(value)}</Mono> },
        ]}
      />
    </Panel>
  );
}

/** A delimiter that is a tab or a blank would be invisible. */
function showBlank(value: string): string {
  if (value === "") return "(empty)";
  return value.trim() === "" || /[\t\n\r]/.test(value) ? JSON.stringify(value) : value;
}

function Versions({ items }: { items: TableVersion[] }) {
  const known = new Map(items.map((item) => [item.version, item.table]));
  return (
    <DataTable
      label="Versions"
      rows={items}
      rowKey={(item) => `${item.version}`}
      columns={[
        { header: "Version", cell: (item) => item.version },
        { header: "Columns", numeric: true, cell: (item) => item.table.columns.length },
        {
          header: "Against the one before",
          wide: true,
          cell: (item) => {
            const before = known.get(item.version - 1);
            if (before) return <Difference lines={difference(before, item.table)} />;
            return <Nothing text={item.version === 0 ? "first version" : "not loaded"} />;
          },
        },
        { header: "Written", cell: (item) => <When at={item.table.updated_at} /> },
        { header: "By", cell: (item) => item.table.updated_by ?? <Nothing text="–" /> },
      ]}
    />
  );
}

function Difference({ lines }: { lines: string[] }) {
  if (lines.length === 0) return <Nothing text="no column differs" />;
  const shown = lines.slice(0, 12);
  return (
    <>
      {shown.map((line) => (
        <div key={line} className="mono">
          {line}
        </div>
      ))}
      {lines.length > shown.length ? `and ${counted(lines.length - shown.length, "more", "more")}` : null}
    </>
  );
}

/** "+ name type", "- name", "~ name: old → new". */
export function difference(before: Table, after: Table): string[] {
  const columnsOf = (table: Table) =>
    new Map([...table.columns, ...table.partition_keys].map((column) => [column.name, column.type]));
  const old = columnsOf(before);
  const now = columnsOf(after);
  const lines: string[] = [];
  for (const [name, type] of now) {
    const was = old.get(name);
    if (was === undefined) lines.push(`+ ${name} ${type}`);
    else if (was !== type) lines.push(`~ ${name}: ${was} → ${type}`);
  }
  for (const name of old.keys()) if (!now.has(name)) lines.push(`- ${name}`);
  return lines;
}
