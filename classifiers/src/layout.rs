//! How a file's bytes are rows: for each format, what its reader has to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::custom::CsvSerde;

/// How a file's bytes are rows: as a classifier found them, or as a table's definition says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Delimited text.
    Csv(Box<CsvLayout>),
    /// JSON documents.
    Json(JsonLayout),
    /// Apache Parquet, whose footer says the rest.
    Parquet,
    /// Apache Avro.
    Avro(AvroLayout),
    /// Apache ORC, whose footer says the rest.
    Orc,
    /// XML elements.
    Xml(XmlLayout),
    /// Lines that a grok pattern matches: logs.
    Grok(GrokLayout),
    /// Lines that a regular expression takes apart. Only a table's definition says so (Hive's `RegexSerDe`).
    Regex(RegexLayout),
}

impl Layout {
    /// The format without its particulars.
    pub fn format(&self) -> Format {
        match self {
            Layout::Csv(_) => Format::Csv,
            Layout::Json(_) => Format::Json,
            Layout::Parquet => Format::Parquet,
            Layout::Avro(_) => Format::Avro,
            Layout::Orc => Format::Orc,
            Layout::Xml(_) => Format::Xml,
            Layout::Grok(_) => Format::Grok,
            Layout::Regex(_) => Format::Regex,
        }
    }
}

impl From<CsvDialect> for Layout {
    /// CSV of which no more is known than how to read it.
    fn from(dialect: CsvDialect) -> Self {
        Layout::Csv(Box::new(CsvLayout {
            dialect,
            ..CsvLayout::default()
        }))
    }
}

/// The formats that a [`Layout`] may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text.
    Csv,
    /// JSON documents.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Apache Avro.
    Avro,
    /// Apache ORC.
    Orc,
    /// XML elements.
    Xml,
    /// Lines that a grok pattern matches.
    Grok,
    /// Lines that a regular expression takes apart.
    Regex,
}

impl Format {
    /// Its name, which is the catalog's `classification` too where no classifier gives another.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Parquet => "parquet",
            Format::Avro => "avro",
            Format::Orc => "orc",
            Format::Xml => "xml",
            Format::Grok => "grok",
            Format::Regex => "regex",
        }
    }
}

/// A CSV file: how to read it, and what else is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvLayout {
    /// How to read it.
    pub dialect: CsvDialect,
    /// The text that stands for NULL beside the empty field, where a table's definition says so.
    pub null: Option<String>,
    /// Whether some field of a row, its header aside, is in quotes.
    pub quoted: bool,
    /// The SerDe that a custom classifier asks for.
    pub serde: Option<CsvSerde>,
    /// The cells of the first record of a CSV of text alone, where only their looks say whether they are names. When
    /// several files of a table begin with the same cells, they are.
    pub first_record: Option<Vec<String>>,
    /// The cells of the record after it: where that is the same in several files too, they are snapshots of one table.
    pub second_record: Option<Vec<String>>,
}

/// How to read a CSV file.
///
/// A reader skips `skip_lines` physical lines, then every line that starts with `comment`, then (when `header`) one
/// record of names, then `skip_after_header` records; it leaves out the last `skip_footer` records. Blank lines are not
/// records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvDialect {
    /// One character, or a few: `||`.
    pub delimiter: String,
    /// One character; `null` when quotes are ordinary text in this file.
    pub quote: Option<String>,
    /// One character; `null` when a quote inside quotes is doubled. Where there are no quotes, it takes delimiters and itself
    /// for text (Hive's `escape.delim`).
    pub escape: Option<String>,
    /// Lines that start with this character are not data.
    pub comment: Option<String>,
    /// Whether the first record holds the column names.
    pub header: bool,
    /// Physical lines before the header or first record, comment lines included.
    pub skip_lines: u64,
    /// Records below the header that are not data: dashes that SQL shells draw, units, types.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip_after_header: u64,
    /// Records at the end that are not data: `(3 rows)`, sources and notes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip_footer: u64,
    /// `\n`, `\r\n` or `\r`.
    pub line_terminator: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Default for CsvDialect {
    /// RFC 4180 with a header, and `\n`.
    fn default() -> Self {
        CsvDialect {
            delimiter: ",".to_owned(),
            quote: Some("\"".to_owned()),
            escape: None,
            comment: None,
            header: true,
            skip_lines: 0,
            skip_after_header: 0,
            skip_footer: 0,
            line_terminator: "\n".to_owned(),
        }
    }
}

/// A JSON file: where its documents are, and where in them the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonLayout {
    /// How its documents stand in it.
    pub documents: JsonDocuments,
    /// Where in its documents the rows are, where that isn't the documents themselves: a custom JSON classifier says so.
    pub path: Option<String>,
    /// By a column in lower case, its name in the documents where that is another: a table's definition says so (OpenX's
    /// `mapping.*`).
    pub names: BTreeMap<String, String>,
}

impl From<JsonDocuments> for JsonLayout {
    /// Documents that are the rows themselves.
    fn from(documents: JsonDocuments) -> Self {
        JsonLayout {
            documents,
            path: None,
            names: BTreeMap::new(),
        }
    }
}

/// How the documents of a JSON file stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonDocuments {
    /// One object a line.
    Lines,
    /// One array; each element is a row.
    Array,
    /// Objects one after another, some of them over several lines or sharing one.
    Concatenated,
}

/// What a reader of an Avro file wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvroLayout {
    /// The schema as JSON, as the file holds it: Hive's and Glue's `avro.schema.literal`.
    pub schema: String,
    /// How the blocks are compressed: `null`, `deflate`, `snappy`, `zstandard`, `bzip2`, `xz`, or a name of the
    /// writer's own.
    pub codec: String,
}

/// How XML elements make rows. Attributes become fields whose names start with `_`, and the text of an element that has
/// attributes or children becomes its field `_VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct XmlLayout {
    /// The name of the element that is a row, with its prefix if it has one: Glue's `rowTag`.
    pub row_tag: String,
}

/// How lines make rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrokLayout {
    /// Glue's `grokPattern`, and `input.format` of its SerDe.
    pub pattern: String,
    /// Patterns that `pattern` uses beside the built-in ones, a name and a regular expression a line: Glue's
    /// `input.grokCustomPatterns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_patterns: Option<String>,
}

/// How lines make rows by a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegexLayout {
    /// It matches whole lines, and its groups are the columns in their order.
    pub pattern: String,
}
