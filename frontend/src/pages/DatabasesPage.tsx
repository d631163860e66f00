// All databases of the catalog.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { databases } from "../api/queries";
import { DataTable } from "../ui/DataTable";
import { Filter, matches } from "../ui/Filter";
import { Empty, LoadedList } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";
import { CrawlHint, DemoHint, UploadHint } from "./hints";

const route = getRouteApi("/databases");

export function DatabasesPage() {
  const query = useInfiniteQuery(databases);
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title="Databases" path="/api/v1/databases" command="mastic databases list">
      <Panel
        flush
        title="Catalog"
        actions={
          <Filter
            label="Filter databases"
            value={q}
            onChange={(value) => navigate({ search: { q: value || undefined }, replace: true })}
          />
        }
      >
        <LoadedList
          query={query}
          one="database"
          keep={(each) => matches(q, each.name, each.description, each.location)}
          empty={
            <Empty title="The catalog has no database yet. A crawl makes one.">
              <UploadHint />
              <CrawlHint />
              <DemoHint />
            </Empty>
          }
        >
          {(items) => (
            <DataTable
              label="Databases"
              rows={items}
              rowKey={(each) => each.name}
              columns={[
                {
                  header: "Name",
                  cell: (each) => (
                    <Link to="/databases/$database" params={{ database: each.name }}>
                      {each.name}
                    </Link>
                  ),
                },
                { header: "Description", wide: true, cell: (each) => each.description ?? <Nothing /> },
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
    </Page>
  );
}
