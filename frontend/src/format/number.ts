// Numbers grouped, sizes in the unit that fits, and values of unknown type as text.

const grouping = new Intl.NumberFormat("en-US");

/** 1234567 → "1,234,567". */
export function count(value: number): string {
  return grouping.format(value);
}

/** "1 table", "1,234 tables"; the plural is given where an s is not enough. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const sizes = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 1536 → "1.5 KiB". */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < sizes.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${count(bytes)} B` : `${value.toFixed(value < 100 ? 1 : 0)} ${sizes[unit]}`;
}

/** A cell of a query's answer. Nested values are shown as JSON; null is told apart from "null". */
export function cell(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}
