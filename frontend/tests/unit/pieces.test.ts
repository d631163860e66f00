// The rules behind the pages: filters, differences of versions, logs from two sources.
import { describe, expect, it } from "vitest";
import type { LogLine, Table } from "../../src/api/types";
import { merge } from "../../src/pages/RunLog";
import { difference } from "../../src/pages/TableDetails";
import { matches } from "../../src/ui/Filter";

describe("a filter", () => {
  it("wants every word, anywhere, in any case", () => {
    expect(matches("", "yellow")).toBe(true);
    expect(matches("YEL csv", "yellow", "csv", null)).toBe(true);
    expect(matches("yel json", "yellow", "csv")).toBe(false);
  });
});

describe("two versions", () => {
  const table = (...columns: [string, string][]) =>
    ({ columns: columns.map(([name, type]) => ({ name, type })), partition_keys: [] }) as unknown as Table;

  it("differ by name and type", () => {
    const before = table(["id", "int"], ["gone", "string"], ["same", "date"]);
    const after = table(["id", "bigint"], ["same", "date"], ["fresh", "double"]);
    expect(difference(before, after)).toEqual(["~ id: int → bigint", "+ fresh double", "- gone"]);
    expect(difference(after, after)).toEqual([]);
  });
});

describe("a log", () => {
  const line = (seq: number): LogLine => ({
    seq,
    at: "2026-11-21T12:00:00Z",
    level: "info",
    message: `${seq}`,
  });

  it("holds each line once, in order, wherever it came from", () => {
    const lines = merge([line(1), line(2)], [line(3), line(2), line(4)]);
    expect(lines.map((each) => each.seq)).toEqual([1, 2, 3, 4]);
  });
});
