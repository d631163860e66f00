//! How a crawler decides and what it may change: its policies, and Glue's `Configuration` document.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The largest number of files of a folder that may be asked for (`SampleSize`, Glue API).
pub const MAX_SAMPLE_SIZE: u32 = 249;

/// Everything that can be said of a crawler besides what it crawls and where its tables go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrawlOptions {
    /// Whose rules decide what is one table; the setting `crawl.compatibility` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<Compatibility>,
    /// What happens to a table whose files changed.
    pub update: UpdateBehavior,
    /// What happens to a table or a partition whose files are gone.
    pub delete: DeleteBehavior,
    /// What a crawl looks at after the first.
    pub recrawl: RecrawlBehavior,
    /// Glue's `Configuration`, the JSON text as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

/// Whose rules decide what is one table and what are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compatibility {
    /// Ours: folders that look like partitions are; folders named by words are tables.
    #[default]
    Mastic,
    /// AWS Glue's: folders whose files have alike columns are partitions, whatever they are named.
    Glue,
}

impl Compatibility {
    /// Reads `mastic` or `glue`.
    ///
    /// # Errors
    /// Invalid for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "mastic" => Ok(Self::Mastic),
            "glue" => Ok(Self::Glue),
            _ => Err(Error::invalid(format!("compatibility is '{text}'")).hint("write mastic or glue")),
        }
    }
}

/// Glue's `UpdateBehavior`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UpdateBehavior {
    /// The catalog follows the files.
    #[default]
    UpdateInDatabase,
    /// The change is listed and not made. New tables and new partitions are added all the same.
    Log,
}

/// Glue's `DeleteBehavior`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeleteBehavior {
    /// A table is marked with `DEPRECATED_BY_CRAWLER` and stays; partitions whose folders are empty go.
    #[default]
    DeprecateInDatabase,
    /// It goes.
    DeleteFromDatabase,
    /// The change is listed and not made.
    Log,
}

/// Glue's `RecrawlBehavior`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecrawlBehavior {
    /// Every folder is listed.
    #[default]
    CrawlEverything,
    /// Folders that an earlier crawl saw are taken as they were then.
    CrawlNewFoldersOnly,
    /// Only folders that events named since the last crawl are listed.
    CrawlEventMode,
}

impl CrawlOptions {
    /// Checks what can be wrong in itself, and reads the configuration.
    ///
    /// # Errors
    /// Invalid, in Glue's words where Glue has some.
    pub fn checked(&self) -> Result<Configuration> {
        let is_log = self.update == UpdateBehavior::Log && self.delete == DeleteBehavior::Log;
        if self.recrawl == RecrawlBehavior::CrawlNewFoldersOnly && !is_log {
            // The words of the service, which clients show (LBHackney-IT/Data-Platform, pull request 2418).
            return Err(Error::invalid(
                "The SchemaChangePolicy for \"Crawl new folders only\" Amazon S3 target can have only LOG \
                 DeleteBehavior value and LOG UpdateBehavior value.",
            )
            .hint("set both behaviours to LOG, or crawl everything"));
        }
        match self.configuration.as_deref() {
            None | Some("") => Ok(Configuration::default()),
            Some(text) => Configuration::parse(text),
        }
    }
}

/// By which rules a crawl looks at files and changes tables.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    /// Whose rules.
    pub compatibility: Compatibility,
    /// What the crawler's configuration says.
    pub configuration: Configuration,
}

/// What Glue's `Configuration` says, read (developer guide, "Setting crawler configuration options").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Partitions take formats, `SerDe` and columns from their table, those that are there already too.
    pub inherit_from_table: bool,
    /// Columns are added, and nothing else of a table is changed.
    pub merge_new_columns: bool,
    /// A crawl that finds more tables fails and changes nothing.
    pub table_threshold: Option<usize>,
    /// Folders are one table wherever their files are of one format, however unlike their columns.
    pub combine_compatible_schemas: bool,
    /// The level of a table's folder, of which the bucket is the first.
    pub table_level: Option<usize>,
    /// Whether a partitioned table gets an index over all of its keys.
    pub create_partition_index: bool,
}

impl Configuration {
    /// Reads the JSON text.
    ///
    /// # Errors
    /// Invalid for what is no JSON object, an unknown key or an unknown value.
    pub fn parse(text: &str) -> Result<Self> {
        let root: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| Error::invalid("Configuration is not a JSON object."))?;
        let mut read = Self::default();
        known(
            &root,
            "Configuration",
            &["Version", "CrawlerOutput", "Grouping", "CreatePartitionIndex"],
        )?;
        match root.get("Version") {
            None => {}
            Some(version) if version.as_f64() == Some(1.0) => {}
            Some(version) => return Err(unsupported("Version", version, "1.0")),
        }
        let output = section(&root, "CrawlerOutput", "CrawlerOutput", &["Partitions", "Tables"])?;
        let partitions = section(
            &output,
            "Partitions",
            "CrawlerOutput.Partitions",
            &["AddOrUpdateBehavior"],
        )?;
        read.inherit_from_table = word(
            &partitions,
            "CrawlerOutput.Partitions",
            "AddOrUpdateBehavior",
            "InheritFromTable",
        )?;
        let tables = section(
            &output,
            "Tables",
            "CrawlerOutput.Tables",
            &["AddOrUpdateBehavior", "TableThreshold"],
        )?;
        read.merge_new_columns = word(
            &tables,
            "CrawlerOutput.Tables",
            "AddOrUpdateBehavior",
            "MergeNewColumns",
        )?;
        read.table_threshold = positive(&tables, "CrawlerOutput.Tables", "TableThreshold")?;
        let grouping = section(
            &root,
            "Grouping",
            "Grouping",
            &["TableGroupingPolicy", "TableLevelConfiguration"],
        )?;
        read.combine_compatible_schemas = word(
            &grouping,
            "Grouping",
            "TableGroupingPolicy",
            "CombineCompatibleSchemas",
        )?;
        read.table_level = positive(&grouping, "Grouping", "TableLevelConfiguration")?;
        read.create_partition_index = match root.get("CreatePartitionIndex") {
            None => false,
            Some(Value::Bool(is_wanted)) => *is_wanted,
            Some(other) => return Err(unsupported("CreatePartitionIndex", other, "true or false")),
        };
        Ok(read)
    }
}

/// A part of the document that is an object; an empty one where it is absent.
fn section(
    parent: &Map<String, Value>,
    key: &str,
    path: &str,
    allowed: &[&str],
) -> Result<Map<String, Value>> {
    match parent.get(key) {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => known(map, path, allowed).map(|()| map.clone()),
        Some(other) => Err(unsupported(path, other, "a JSON object")),
    }
}

fn known(map: &Map<String, Value>, path: &str, allowed: &[&str]) -> Result<()> {
    let unknown: Vec<&str> = map
        .keys()
        .map(String::as_str)
        .filter(|key| !allowed.contains(key))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{path} contains unsupported keys: {}.",
        unknown.join(", ")
    ))
    .hint(format!("it may hold {}", allowed.join(", "))))
}

/// Whether the one word that a member may have is there.
fn word(map: &Map<String, Value>, path: &str, key: &str, allowed: &str) -> Result<bool> {
    match map.get(key) {
        None => Ok(false),
        Some(Value::String(value)) if value == allowed => Ok(true),
        Some(other) => Err(unsupported(&format!("{path}.{key}"), other, allowed)),
    }
}

fn positive(map: &Map<String, Value>, path: &str, key: &str) -> Result<Option<usize>> {
    let Some(value) = map.get(key) else {
        return Ok(None);
    };
    let number = value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .filter(|number| *number > 0);
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(unsupported(
            &format!("{path}.{key}"),
            value,
            "a whole number above 0",
        )),
    }
}

fn unsupported(path: &str, value: &Value, allowed: &str) -> Error {
    Error::invalid(format!("{path} has the unsupported value {value}.")).hint(format!("write {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_document_is_read() {
        let text = r#"{"Version":1.0,
            "CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"},
                             "Tables":{"AddOrUpdateBehavior":"MergeNewColumns","TableThreshold":50}},
            "Grouping":{"TableGroupingPolicy":"CombineCompatibleSchemas","TableLevelConfiguration":3},
            "CreatePartitionIndex":true}"#;
        let all = Configuration {
            inherit_from_table: true,
            merge_new_columns: true,
            table_threshold: Some(50),
            combine_compatible_schemas: true,
            table_level: Some(3),
            create_partition_index: true,
        };
        assert_eq!(Configuration::parse(text).unwrap(), all);
        assert_eq!(
            Configuration::parse(r#"{"Version":1.0}"#).unwrap(),
            Configuration::default()
        );
    }

    #[test]
    fn what_is_unknown_is_refused_in_glues_words() {
        let refusal = |text: &str| Configuration::parse(text).unwrap_err().message;
        assert_eq!(
            refusal(r#"{"Version":1.0,"CrawlerOutput":{"Partitions":{"UpdateBehavior":"LOG"}}}"#),
            "CrawlerOutput.Partitions contains unsupported keys: UpdateBehavior."
        );
        assert_eq!(
            refusal(r#"{"Versions":1}"#),
            "Configuration contains unsupported keys: Versions."
        );
        assert_eq!(
            refusal(r#"{"CrawlerOutput":{"Tables":{"TableThreshold":0}}}"#),
            "CrawlerOutput.Tables.TableThreshold has the unsupported value 0."
        );
        assert_eq!(refusal("[]"), "Configuration is not a JSON object.");
        let options = CrawlOptions {
            recrawl: RecrawlBehavior::CrawlNewFoldersOnly,
            ..CrawlOptions::default()
        };
        let refusal = options.checked().unwrap_err().message;
        assert!(refusal.contains("can have only LOG DeleteBehavior value and LOG UpdateBehavior value."));
    }
}
