// One database and its tables.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { database, tables } from "../api/queries";
import { count } from "../format/number";
import { Tag } from "../ui/Badge";
import { DataTable } from "../ui/DataTable";
import { Filter, matches } from "../ui/Filter";
import { Empty, Failure, LoadedList } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";
import { CrawlHint } from "./hints";

const route = getRouteApi("/databases/$database");

export function DatabasePage() {
  const { database: name } = route.useParams();
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const about = useQuery(database(name));
  const list = useInfiniteQuery({ ...tables(name), enabled: !about.isError });
  const lead = about.data?.description ?? about.data?.location;
  return (
    <Page
      title={name}
      trail={[
        <Link key="databases" to="/databases">
          Databases
        </Link>,
      ]}
      lead={lead}
      path={`/api/v1/databases/${encodeURIComponent(name)}/tables`}
    >
      {about.isError ? (
        <Failure error={about.error} retry={() => about.refetch()} />
      ) : (
        <Panel
          flush
          title="Tables"
          actions={
            <Filter
              label="Filter tables"
              value={q}
              onChange={(value) => navigate({ search: { q: value || undefined }, replace: true })}
            />
          }
        >
          <LoadedList
            query={list}
            one="table"
            keep={(each) => matches(q, each.name, each.classification, each.location)}
            empty={
              <Empty title="This database has no table yet.">
                <CrawlHint />
              </Empty>
            }
          >
            {(items) => (
              <DataTable
                label="Tables"
                rows={items}
                rowKey={(each) => each.name}
                columns={[
                  {
                    header: "Name",
                    cell: (each) => (
                      <Link
                        to="/databases/$database/tables/$table"
                        params={{ database: name, table: each.name }}
                      >
                        {each.name}
                      </Link>
                    ),
                  },
                  {
                    header: "Format",
                    cell: (each) => (each.classification ? <Tag>{each.classification}</Tag> : <Nothing />),
                  },
                  { header: "Columns", numeric: true, cell: (each) => count(each.columns) },
                  {
                    header: "Partitioned by",
                    cell: (each) =>
                      each.partition_keys.length > 0 ? (
                        <Mono>{each.partition_keys.join(", ")}</Mono>
                      ) : (
                        <Nothing />
                      ),
                  },
                  {
                    header: "Partitions",
                    numeric: true,
                    cell: (each) =>
                      each.partition_keys.length > 0 ? count(each.partitions) : <Nothing text="–" />,
                  },
                  {
                    header: "Location",
                    cell: (each) => (each.location ? <Mono>{each.location}</Mono> : <Nothing />),
                  },
                  { header: "Updated", cell: (each) => <When at={each.updated_at} /> },
                ]}
              />
            )}
          </LoadedList>
        </Panel>
      )}
    </Page>
  );
}
