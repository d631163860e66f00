// A table of facts that becomes a stack of small cards on a narrow screen, with the same roles in both.
import type { ReactNode } from "react";
import classes from "./DataTable.module.css";

export interface ColumnSpec<T> {
  header: string;
  cell: (row: T) => ReactNode;
  /** Numbers are set to the right where there are columns. */
  numeric?: boolean;
  /** The column that takes what room is left. */
  wide?: boolean;
  /** Left out where rows are stacked. */
  minor?: boolean;
}

interface DataTableProps<T> {
  label: string;
  columns: ColumnSpec<T>[];
  rows: T[];
  rowKey: (row: T, index: number) => string;
}

// The roles look redundant, and are not: the narrow layout's display:block takes them away otherwise.
export function DataTable<T>({ label, columns, rows, rowKey }: DataTableProps<T>) {
  return (
    <div className={classes.frame}>
      <table
        className={classes.table}
        role="table"
        aria-label={label}
        data-many={columns.length > 5 || undefined}
      >
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                key={column.header}
                role="columnheader"
                scope="col"
                data-numeric={column.numeric || undefined}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row, index) => (
            <tr key={rowKey(row, index)} role="row">
              {columns.map((column) => (
                <td
                  key={column.header}
                  role="cell"
                  data-label={column.header}
                  data-numeric={column.numeric || undefined}
                  data-wide={column.wide || undefined}
                  data-minor={column.minor || undefined}
                >
                  <div className={classes.content}>{column.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface GridProps {
  label: string;
  head: { name: string; note: string; numeric?: boolean }[];
  rows: (string | null)[][];
}

/** Rows of data as they are: as wide as they come, scrolling inside their own box. */
export function DataGrid({ label, head, rows }: GridProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
    <section className={classes.scroll} tabIndex={0} aria-label={label}>
      <table className={classes.grid}>
        <thead>
          <tr>
            {head.map((column) => (
              <th key={column.name} scope="col" data-numeric={column.numeric || undefined}>
                {column.name}
                <span>{column.note}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: sample rows have no identity but their place
            <tr key={index}>
              {row.map((value, place) => (
                <td
                  key={head[place]?.name ?? place}
                  data-numeric={head[place]?.numeric || undefined}
                  title={value !== null && value.length > 60 ? value : undefined}
                >
                  {value === null ? <em>null</em> : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
