// One table: its schema, partitions, details and a look at its rows, each under its own address.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { table } from "../api/queries";
import type { Column, Table } from "../api/types";
import { counted } from "../format/number";
import { Tag } from "../ui/Badge";
import { type ColumnSpec, DataTable } from "../ui/DataTable";
import { Filter, matches } from "../ui/Filter";
import { Tabs } from "../ui/kit";
import { Empty, Loaded } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";
import { Details } from "./TableDetails";
import { Partitions } from "./TablePartitions";
import { Sample } from "./TableSample";

export const tableTabs = ["schema", "partitions", "details", "sample"] as const;

const subpath = { schema: "", partitions: "/partitions", details: "/versions", sample: "/sample" };

const route = getRouteApi("/databases/$database/tables/$table");

export function TablePage() {
  const { database, table: name } = route.useParams();
  const { tab = "schema", q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(table(database, name));
  const setFilter = (value: string) =>
    navigate({ search: { tab: tab === "schema" ? undefined : tab, q: value || undefined }, replace: true });
  return (
    <Page
      title={name}
      trail={[
        <Link key="databases" to="/databases">
          Databases
        </Link>,
        <Link key="database" to="/databases/$database" params={{ database }}>
          {database}
        </Link>,
      ]}
      badge={query.data?.classification ? <Tag>{query.data.classification}</Tag> : null}
      lead={query.data ? <Lead table={query.data} /> : null}
      path={`/api/v1/databases/${encodeURIComponent(database)}/tables/${encodeURIComponent(name)}${subpath[tab]}`}
      command={`mastic sql "SELECT * FROM ${database}.${name} LIMIT 10"`}
    >
      <Loaded query={query} lines={8}>
        {(data) => (
          <Tabs
            color="var(--mantine-color-anchor)"
            value={tab}
            keepMounted={false}
            onChange={(next) => {
              const known = tableTabs.find((each) => each === next);
              navigate({ search: { tab: known === "schema" ? undefined : known } });
            }}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="schema">Schema</Tabs.Tab>
              <Tabs.Tab value="partitions">Partitions</Tabs.Tab>
              <Tabs.Tab value="details">Details</Tabs.Tab>
              <Tabs.Tab value="sample">Sample</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="schema">
              <Schema table={data} filter={q} setFilter={setFilter} />
            </Tabs.Panel>
            <Tabs.Panel value="partitions">
              <Partitions table={data} filter={q} setFilter={setFilter} />
            </Tabs.Panel>
            <Tabs.Panel value="details">
              <Details table={data} />
            </Tabs.Panel>
            <Tabs.Panel value="sample">
              <Sample table={data} />
            </Tabs.Panel>
          </Tabs>
        )}
      </Loaded>
    </Page>
  );
}

function Lead({ table: of }: { table: Table }) {
  return (
    <>
      {of.description ? <div>{of.description}</div> : null}
      {counted(of.columns.length + of.partition_keys.length, "column")}
      {of.partition_keys.length > 0 ? `, ${counted(of.partitions, "partition")}` : ""}, version {of.version},
      updated <When at={of.updated_at} />
      {of.updated_by ? ` by ${of.updated_by}` : ""}
    </>
  );
}

interface SchemaProps {
  table: Table;
  filter: string;
  setFilter: (value: string) => void;
}

function Schema({ table: of, filter, setFilter }: SchemaProps) {
  type Row = Column & { place: number; key: boolean };
  const rows: Row[] = [
    ...of.columns.map((column, index) => ({ ...column, place: index + 1, key: false })),
    ...of.partition_keys.map((column, index) => ({
      ...column,
      place: of.columns.length + index + 1,
      key: true,
    })),
  ];
  // A column of dashes says nothing.
  const commented = rows.some((row) => row.comment);
  const comment: ColumnSpec<Row> = {
    header: "Comment",
    wide: true,
    cell: (row) => row.comment || <Nothing text="–" />,
  };
  const kept = rows.filter((row) => matches(filter, row.name, row.type, row.comment));
  return (
    <Panel
      flush
      title="Columns"
      actions={<Filter label="Filter columns" value={filter} onChange={setFilter} />}
    >
      {kept.length === 0 ? (
        <Empty title={rows.length === 0 ? "This table has no columns." : "No column matches the filter."} />
      ) : (
        <DataTable
          label="Columns"
          rows={kept}
          rowKey={(row) => `${row.place}`}
          columns={[
            { header: "#", minor: true, cell: (row) => row.place },
            {
              header: "Name",
              cell: (row) => (
                <>
                  <Mono>{row.name}</Mono> {row.key ? <Tag>partition key</Tag> : null}
                </>
              ),
            },
            { header: "Type", wide: !commented, cell: (row) => <Mono>{row.type}</Mono> },
            ...(commented ? [comment] : []),
          ]}
        />
      )}
    </Panel>
  );
}
