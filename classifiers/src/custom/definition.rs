//! Custom classifiers as people write them: Glue's four kinds, with Glue's names.

use serde::{Deserialize, Serialize};

/// What a custom classifier is told. Serialises as Glue's `Classifier` does: an object with one member, named like the
/// kind. Members that only the catalog knows (`CreationTime`, `LastUpdated`, `Version`) are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassifierDefinition {
    /// Lines that match a pattern.
    #[serde(rename = "GrokClassifier")]
    Grok(GrokClassifier),
    /// Elements of a name.
    #[serde(rename = "XMLClassifier")]
    Xml(XmlClassifier),
    /// Values at a path.
    #[serde(rename = "JsonClassifier")]
    Json(JsonClassifier),
    /// Delimited text whose marks are known.
    #[serde(rename = "CsvClassifier")]
    Csv(CsvClassifier),
}

impl ClassifierDefinition {
    /// The name, which reasons and verdicts use.
    pub fn name(&self) -> &str {
        match self {
            ClassifierDefinition::Grok(grok) => &grok.name,
            ClassifierDefinition::Xml(xml) => &xml.name,
            ClassifierDefinition::Json(json) => &json.name,
            ClassifierDefinition::Csv(csv) => &csv.name,
        }
    }
}

/// Glue's `GrokClassifier`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrokClassifier {
    /// 1 to 255 characters.
    pub name: String,
    /// What matching files are classified as.
    pub classification: String,
    /// 1 to 2048 characters.
    pub grok_pattern: String,
    /// At most 16,000 characters: a name and a regular expression a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_patterns: Option<String>,
}

/// Glue's `XMLClassifier`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XmlClassifier {
    /// 1 to 255 characters.
    pub name: String,
    /// What matching files are classified as.
    pub classification: String,
    /// The element that is a row. Without it the row is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_tag: Option<String>,
}

/// Glue's `JsonClassifier`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct JsonClassifier {
    /// 1 to 255 characters.
    pub name: String,
    /// Where the rows are: `$`, `.name`, `['name']`, `[n]`, `[*]` and `.*` after one another.
    pub json_path: String,
}

/// Glue's `CsvClassifier`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CsvClassifier {
    /// 1 to 255 characters.
    pub name: String,
    /// One character, not a line end. Without it the delimiter is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// One character that is not the delimiter. `"` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_symbol: Option<String>,
    /// Whether the first record holds names. It is found out without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains_header: Option<ContainsHeader>,
    /// Names for the columns, in place of those in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Vec<String>>,
    /// `true` takes values as they are written: ` 1` is text then. Without it, or with `false`, it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_value_trimming: Option<bool>,
    /// Whether a file of one column is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_single_column: Option<bool>,
    /// Whether `custom_datatypes` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_datatype_configured: Option<bool>,
    /// Types for the columns, in their order: `BINARY`, `BOOLEAN`, `DATE`, `DECIMAL`, `DOUBLE`, `FLOAT`, `INT`, `LONG`,
    /// `SHORT`, `STRING` or `TIMESTAMP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_datatypes: Option<Vec<String>>,
    /// The SerDe that a table gets. `classify_with` does not use it; the catalog does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serde: Option<CsvSerde>,
}

/// Whether a CSV file has a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ContainsHeader {
    /// It is to be found out.
    Unknown,
    /// The first record holds names.
    Present,
    /// The first record is a row.
    Absent,
}

/// Glue's names for the SerDes of CSV tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CsvSerde {
    /// `org.apache.hadoop.hive.serde2.OpenCSVSerde`
    OpenCSVSerDe,
    /// `org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe`
    LazySimpleSerDe,
    /// Whichever fits.
    None,
}
