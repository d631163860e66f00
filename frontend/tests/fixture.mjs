// Canned answers of the API, in the shapes of openapi.json: what the demo leaves behind, made small.

const now = Date.now();
const ago = (seconds) => new Date(now - seconds * 1000).toISOString();

const times = { created_at: ago(900), updated_at: ago(600) };

export const databases = [
  { name: "curated", description: "What jobs made", location: null, parameters: {}, ...times },
  { name: "raw", description: null, location: "s3://lake/raw/", parameters: {}, ...times },
];

const shared = [
  ["VendorID", "bigint"],
  ["passenger_count", "bigint"],
  ["trip_distance", "double"],
  ["RatecodeID", "bigint"],
  ["store_and_fwd_flag", "string"],
  ["PULocationID", "bigint"],
  ["DOLocationID", "bigint"],
  ["payment_type", "bigint"],
  ["fare_amount", "double"],
  ["tip_amount", "double"],
  ["total_amount", "double"],
];

const columns = (prefix) =>
  [
    ...[`${prefix}_pickup_datetime`, `${prefix}_dropoff_datetime`].map((name) => [name, "timestamp"]),
    ...shared,
  ].map(([name, type]) => ({ name, type, comment: null }));

function table(database, name, version, cols, keys, partitions, classification) {
  return {
    database,
    name,
    version,
    description: null,
    table_type: "EXTERNAL_TABLE",
    classification,
    location: `s3://lake/${database}/${name}/`,
    columns: cols,
    partition_keys: keys,
    storage: {
      input_format: "org.apache.hadoop.mapred.TextInputFormat",
      output_format: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
      serde: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
      serde_parameters: { "field.delim": "\t", "serialization.format": "," },
      compressed: false,
    },
    parameters: { classification, "skip.header.line.count": "1", recordCount: "2964624" },
    partitions,
    ...times,
    updated_by: "crawl",
  };
}

export const tables = [
  table("raw", "yellow", 2, columns("tpep"), [], 0, "csv"),
  table("raw", "green", 1, columns("lpep"), [], 0, "csv"),
  table(
    "curated",
    "yellow_green",
    3,
    columns("pickup").concat({ name: "color", type: "string", comment: "yellow or green <b>cab</b>" }),
    [{ name: "ym", type: "string", comment: null }],
    3,
    "csv",
  ),
];

export const summary = (t) => ({
  database: t.database,
  name: t.name,
  classification: t.classification,
  location: t.location,
  columns: t.columns.length,
  partition_keys: t.partition_keys.map((key) => key.name),
  partitions: t.partitions,
  version: t.version,
  updated_at: t.updated_at,
});

export const versions = (t) =>
  Array.from({ length: t.version }, (_, index) => {
    const version = t.version - index;
    return { version, table: { ...t, version, columns: t.columns.slice(0, t.columns.length - index) } };
  });

export const partitions = ["2022-01", "2022-02", "2022-03"].map((ym) => ({
  values: [ym],
  location: `s3://lake/curated/yellow_green/ym=${ym}/`,
  parameters: {},
  ...times,
}));

export const sample = (t) => ({
  columns: [...t.columns, ...t.partition_keys].map(({ name, type }) => ({ name, type })),
  rows: Array.from({ length: 20 }, (_, row) =>
    [...t.columns, ...t.partition_keys].map(({ type }, column) => {
      if ((row + column) % 11 === 0) return null;
      if (type === "timestamp") return `2022-03-${String(row + 1).padStart(2, "0")}T08:1${row % 10}:00Z`;
      if (type === "double") return (row * 7.31 + column) % 60;
      return type === "bigint" ? row + column : "N";
    }),
  ),
  truncated: true,
  elapsed_ms: 84,
});

const crawlSummary = {
  crawler: null,
  database: "raw",
  targets: ["s3://lake/raw/"],
  dry_run: false,
  state: "SUCCEEDED",
  started_at: ago(800),
  finished_at: ago(797.4),
  error: null,
  objects: 14,
  files_read: 6,
  bytes_read: 18_734_211,
  changes: 4,
  warnings: 1,
};

const change = (op, kind, name, detail, reason) => ({ op, kind, name, detail, reason });

export const crawls = [
  {
    ...crawlSummary,
    id: "01JD0CRAWL2",
    changes: 1,
    dry_run: true,
    started_at: ago(300),
    finished_at: ago(299),
    plan: { changes: [], set_aside: [], tables: [] },
  },
  {
    ...crawlSummary,
    id: "01JD0CRAWL1",
    plan: {
      changes: [
        change("add", "database", "raw", "", "no database of that name"),
        change("add", "table", "raw.yellow", "13 columns, csv", "7 files share one schema under one folder"),
        change("add", "table", "raw.green", "13 columns, csv", "6 files share one schema under one folder"),
        change("change", "column", "raw.yellow.passenger_count", "int → bigint", "2022-03 holds 4294967296"),
        change("unchanged", "table", "raw.zones", "4 columns", "same schema as in version 1"),
      ],
      set_aside: [
        { path: "s3://lake/raw/yellow/_SUCCESS", reason: "empty: a marker, not data" },
        {
          path: "s3://lake/raw/yellow/broken.csv.gz",
          reason: "the gzip stream ends early, after 1,024 bytes",
        },
      ],
      tables: tables.slice(0, 2).map((t) => ({
        database: t.database,
        name: t.name,
        location: t.location,
        classification: "csv",
        partition_keys: [],
        partitions: 0,
        files: 7,
        bytes: 9_123_456,
        columns: t.columns.map(({ name, type }) => ({
          name,
          type,
          reason: `1000 of 1000 values parse as ${type}`,
        })),
        reasons: [
          "header: every name is text, and 11 of 13 columns below are not",
          "one table: the schemas of 7 files are alike (similarity 1.00)",
        ],
      })),
    },
  },
];

export const crawlers = [
  {
    name: "nightly",
    role: null,
    database: "raw",
    description: null,
    targets: [{ path: "s3://lake/raw/", exclusions: [] }],
    table_prefix: null,
    state: "READY",
    last_crawl: crawlSummary.state ? { ...crawlSummary, id: "01JD0CRAWL1", crawler: "nightly" } : null,
    ...times,
  },
];

export const jobs = [
  {
    name: "monthly-union",
    description: "One CSV a month: the month's yellow and green trips together",
    engine: "sql",
    version: 1,
    script_name: "union.sql",
    script:
      "SELECT 'yellow' AS color, tpep_pickup_datetime AS pickup, total_amount FROM yellow\nUNION ALL\nSELECT 'green', lpep_pickup_datetime, total_amount FROM green\nORDER BY pickup\n",
    parameters: { ym: { pattern: "\\d{4}-\\d{2}", default: null } },
    inputs: {
      yellow: { location: "s3://lake/raw/yellow/yellow_tripdata_{ym}.*", columns: {}, optional: false },
      green: { location: "s3://lake/raw/green/green_tripdata_{ym}.*", columns: {}, optional: true },
    },
    output: {
      location: "s3://lake/curated/yellow_green/ym={ym}/",
      format: "csv",
      files: 1,
      mode: "overwrite",
      table: "curated.yellow_green",
    },
    triggers: ["monthly-union-1"],
    source: "jobs/monthly-union",
    ...times,
  },
];

export const triggers = [
  {
    name: "monthly-union-1",
    job: "monthly-union",
    on: "object_created",
    match: "s3://lake/raw/{color}/{color}_tripdata_{ym}.*",
    batch_window_ms: 5000,
    enabled: true,
  },
];

export function run(id, ym, state, seconds, more) {
  return {
    id,
    job: "monthly-union",
    attempt: 1,
    state,
    parameters: { ym },
    trigger: "monthly-union-1",
    events: ["01JD0EVENT1", "01JD0EVENT2"],
    created_at: ago(seconds + 2),
    started_at: ago(seconds),
    finished_at: state === "RUNNING" ? null : ago(seconds - 1.8),
    duration_ms: state === "RUNNING" ? null : 1834,
    rows_in: 3_021_457,
    rows_out: state === "SUCCEEDED" ? 3_021_457 : null,
    bytes_in: 48_211_903,
    bytes_out: state === "SUCCEEDED" ? 301_822_114 : null,
    inputs: ["yellow", "green"].map((name) => ({
      name,
      path: `s3://lake/raw/${name}/${name}_tripdata_${ym}.parquet`,
      size: 24_105_951,
      etag: '"9e107d9d372bb6826bd81d3542a419d6"',
      rows: name === "yellow" ? 2_943_210 : 78_247,
    })),
    outputs:
      state === "SUCCEEDED"
        ? [
            {
              path: `s3://lake/curated/yellow_green/ym=${ym}/part-00000.csv`,
              size: 301_822_114,
              rows: 3_021_457,
              etag: '"e4d909c290d0fb1ca068ffaddf22cbd0"',
            },
          ]
        : [],
    error: null,
    ...more,
  };
}

export const runs = [
  run("01JD0RUN3", "2022-03", "SUCCEEDED", 120),
  run("01JD0RUN2", "2022-02", "FAILED", 400, {
    error: {
      message:
        'column "lpep_pickup_datetime" is not in green (s3://lake/raw/green/green_tripdata_2022-02.parquet)',
      hint: "The file's columns are VendorID, pickup, dropoff. Name the one you mean in union.sql.",
    },
  }),
  run("01JD0RUN1", "2022-01", "CANCELLED", 700, { trigger: null, events: [] }),
];

export const logs = [
  ["info", "run 01JD0RUN3 of monthly-union, ym=2022-03"],
  ["info", "yellow: s3://lake/raw/yellow/yellow_tripdata_2022-03.parquet, 2943210 rows"],
  ["info", "green: s3://lake/raw/green/green_tripdata_2022-03.parquet, 78247 rows"],
  ["warn", "green: column ehail_fee is null in every row"],
  ["info", "wrote 3021457 rows to s3://lake/curated/yellow_green/ym=2022-03/part-00000.csv"],
  ["info", "curated.yellow_green: partition ym=2022-03 added"],
].map(([level, message], index) => ({ seq: index + 1, at: ago(120 - index * 0.3), level, message }));

export const events = [
  ["yellow", "2022-03", "started", "01JD0RUN3"],
  ["green", "2022-03", "started", "01JD0RUN3"],
  ["zones", null, "unmatched", null],
].map(([name, ym, state, made], index) => ({
  id: `01JD0EVENT${index + 1}`,
  bucket: "lake",
  key: ym ? `raw/${name}/${name}_tripdata_${ym}.parquet` : "raw/zones/taxi+zones.csv",
  kind: "created",
  size: 24_105_951 - index * 7_000_000,
  etag: '"9e107d9d"',
  source: "lake",
  received_at: ago(127 - index),
  outcomes: [{ trigger: made ? "monthly-union-1" : null, state, run: made, detail: null }],
}));

export const system = {
  version: "0.1.0",
  account_id: "123456789012",
  region: "us-east-1",
  database_kind: "sqlite",
  lake: { endpoint: "http://127.0.0.1:9000", buckets: ["lake"] },
};
