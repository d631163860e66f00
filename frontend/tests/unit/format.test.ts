// Numbers, sizes, times: what a reader sees.
import { describe, expect, it } from "vitest";
import { cell, count, counted, size } from "../../src/format/number";
import { duration, exact, relative } from "../../src/format/time";

describe("numbers", () => {
  it("are grouped", () => {
    expect(count(0)).toBe("0");
    expect(count(3021457)).toBe("3,021,457");
    expect(counted(1, "table")).toBe("1 table");
    expect(counted(1200, "query", "queries")).toBe("1,200 queries");
  });

  it("are sizes in the unit that fits", () => {
    expect(size(0)).toBe("0 B");
    expect(size(1023)).toBe("1,023 B");
    expect(size(1536)).toBe("1.5 KiB");
    // Just below the next unit: never "1024.0 KiB".
    expect(size(1024 * 1024 - 1)).toBe("1.0 MiB");
    expect(size(301_822_114)).toBe("288 MiB");
  });

  it("are told from nothing", () => {
    expect(cell(null)).toBeNull();
    expect(cell("null")).toBe("null");
    expect(cell(0)).toBe("0");
    expect(cell({ a: [1] })).toBe('{"a":[1]}');
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");

  it("are relative", () => {
    expect(relative("2026-11-21T11:59:58Z", now)).toBe("just now");
    expect(relative("2026-11-21T11:58:00Z", now)).toBe("2 minutes ago");
    expect(relative("2026-11-20T11:00:00Z", now)).toBe("yesterday");
    expect(relative("2026-11-21T13:00:00Z", now)).toBe("in 1 hour");
  });

  it("stay what they are when they are none", () => {
    expect(relative("soon", now)).toBe("soon");
    expect(exact("soon")).toBe("soon");
  });

  it("last", () => {
    expect(duration(340)).toBe("340 ms");
    expect(duration(1834)).toBe("1.8 s");
    expect(duration(59_990)).toBe("1 min 00 s");
    expect(duration(7_800_000)).toBe("2 h 10 min");
  });
});
