// A few rows of a table, read from its files when the tab is opened.
import { useQuery } from "@tanstack/react-query";
import { sample } from "../api/queries";
import type { Table } from "../api/types";
import { cell, counted } from "../format/number";
import { duration } from "../format/time";
import { DataGrid } from "../ui/DataTable";
import { Button, Stack, Text } from "../ui/kit";
import { Empty, Loaded } from "../ui/Loaded";
import { Panel } from "../ui/Page";

const rows = 20;
const numeric = /^(tinyint|smallint|int|integer|bigint|float|double|decimal\b.*)$/i;

export function Sample({ table }: { table: Table }) {
  const query = useQuery(sample(table.database, table.name, rows));
  return (
    <Panel
      flush={query.data !== undefined}
      title="Sample rows"
      actions={
        <>
          {query.data ? (
            <Text size="sm" c="dimmed">
              {counted(query.data.rows.length, "row")} in {duration(query.data.elapsed_ms)}
            </Text>
          ) : null}
          <Button
            size="xs"
            variant="default"
            loading={query.isFetching && query.data !== undefined}
            onClick={() => query.refetch()}
          >
            Read again
          </Button>
        </>
      }
    >
      <Loaded query={query} lines={8}>
        {(data) => (
          <>
            <Remarks remarks={data.remarks} />
            {data.rows.length === 0 ? (
              <Empty title="No rows were found in this table's files." />
            ) : (
              <DataGrid
                label="Sample rows"
                head={data.columns.map((column) => ({
                  name: column.name,
                  note: column.type,
                  numeric: numeric.test(column.type),
                }))}
                rows={data.rows.map((row) => row.map(cell))}
              />
            )}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

// What didn't fit its column, and what was left out.
function Remarks({ remarks }: { remarks: string[] }) {
  if (remarks.length === 0) return null;
  return (
    <Stack gap={4} px="md" pb="sm" role="note">
      {remarks.map((remark) => (
        <Text key={remark} size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {remark}
        </Text>
      ))}
    </Stack>
  );
}
