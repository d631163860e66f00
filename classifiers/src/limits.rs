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
/// Longest header of an Avro file, in bytes: its schema, mostly.
pub const AVRO_HEADER_BYTES: usize = 1 << 20;
/// Most types in an Avro schema once every reference to a named type is replaced by what it names.
pub const AVRO_TYPES: usize = 100_000;
/// Deepest Avro schema.
pub const AVRO_DEPTH: usize = 64;
/// Longest ORC footer, in bytes, both as stored and unpacked.
pub const ORC_FOOTER_BYTES: u64 = 16 << 20;
/// Most types in an ORC file.
pub const ORC_TYPES: usize = 100_000;
/// Deepest ORC type.
pub const ORC_DEPTH: usize = 64;
/// Deepest XML element.
pub const XML_DEPTH: usize = 128;
/// Most attributes of an XML element.
pub const XML_ATTRIBUTES: usize = 1_000;
/// Most different places (paths of elements and attributes) in an XML file.
pub const XML_FIELDS: usize = 20_000;
/// Longest name of an XML element or attribute, in bytes.
pub const XML_NAME_BYTES: usize = 255;
/// Longest grok pattern once every pattern in it is replaced by what it stands for, in bytes.
pub const GROK_EXPANDED_BYTES: usize = 256 << 10;
/// Deepest nesting of grok patterns.
pub const GROK_DEPTH: usize = 32;
/// Most memory that a compiled grok pattern may take, in bytes.
pub const GROK_COMPILED_BYTES: usize = 2 << 20;
/// Most lines that a grok pattern is tried on.
pub const GROK_LINES: usize = 1_000;
/// Most bytes of those lines.
pub const GROK_BYTES: usize = 256 << 10;
/// Most bytes that a block of Hadoop's codecs may hold.
pub const HADOOP_BLOCK_BYTES: usize = 64 << 20;
/// Longest piece of such a block, in bytes as stored.
pub const HADOOP_PIECE_BYTES: usize = 8 << 20;
