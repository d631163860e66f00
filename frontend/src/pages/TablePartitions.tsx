// The partitions of a table, page by page.
import { useInfiniteQuery } from "@tanstack/react-query";
import { partitions } from "../api/queries";
import type { Table } from "../api/types";
import { DataTable } from "../ui/DataTable";
import { Filter, matches } from "../ui/Filter";
import { Empty, LoadedList } from "../ui/Loaded";
import { Mono, Nothing, Panel } from "../ui/Page";
import { When } from "../ui/When";

interface PartitionsProps {
  table: Table;
  filter: string;
  setFilter: (value: string) => void;
}

export function Partitions({ table, filter, setFilter }: PartitionsProps) {
  const partitioned = table.partition_keys.length > 0;
  const query = useInfiniteQuery({ ...partitions(table.database, table.name), enabled: partitioned });
  if (!partitioned) {
    return (
      <Panel>
        <Empty title="This table is not partitioned.">
          A table gets partitions when its objects lie under folders like ym=2022-03/.
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel
      flush
      title="Partitions"
      actions={<Filter label="Filter partitions" value={filter} onChange={setFilter} />}
    >
      <LoadedList
        query={query}
        one="partition"
        keep={(each) => matches(filter, ...each.values, each.location)}
        empty={<Empty title="This table has no partition yet." />}
      >
        {(items) => (
          <DataTable
            label="Partitions"
            rows={items}
            rowKey={(each) => each.values.join("/")}
            columns={[
              ...table.partition_keys.map((key, index) => ({
                header: key.name,
                cell: (each: (typeof items)[number]) => <Mono>{each.values[index] ?? ""}</Mono>,
              })),
              {
                header: "Location",
                wide: true,
                cell: (each) => (each.location ? <Mono>{each.location}</Mono> : <Nothing />),
              },
              { header: "Created", cell: (each) => <When at={each.created_at} /> },
              { header: "Updated", cell: (each) => <When at={each.updated_at} /> },
            ]}
          />
        )}
      </LoadedList>
    </Panel>
  );
}
