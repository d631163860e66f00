//! How much of anything is read, however hostile the input. Going beyond one is a clear error, never a crash.

/// Longest CSV record, in bytes.
pub const CSV_RECORD_BYTES: usize = 1 << 20;
/// Most fields in a CSV record.
pub const CSV_FIELDS: usize = 10_000;
/// Longest JSON document, in bytes.
pub const JSON_DOCUMENT_BYTES: usize = 8 << 20;
/// Deepest JSON value.
pub const JSON_DEPTH: usize = 128;
/// Most fields, at any depth, that the schema of a JSON file may have.
pub const JSON_FIELDS: usize = 100_000;
/// Most names an object inside a JSON row may use before it counts as a map.
pub const JSON_STRUCT_FIELDS: usize = 1_000;
/// Most columns of a table.
pub const COLUMNS: usize = 10_000;
/// Longest name, in bytes of UTF-8.
pub const NAME_BYTES: usize = 255;
/// Most bytes that a compressed sample is unpacked to.
pub const UNPACKED_BYTES: usize = 8 << 20;
/// Longest Parquet footer, in bytes.
pub const PARQUET_FOOTER_BYTES: u64 = 16 << 20;
/// Most elements in a Parquet schema.
pub const PARQUET_SCHEMA_ELEMENTS: usize = 10_000;
/// Deepest Parquet schema, and deepest Thrift value in a footer.
pub const PARQUET_DEPTH: usize = 64;
/// Most row groups in a Parquet file.
pub const PARQUET_ROW_GROUPS: usize = 1_000_000;
