//! A table: columns over the objects below a location.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The table parameter that names the job whose output a table is.
pub const UPDATED_BY_JOB: &str = "UPDATED_BY_JOB";

use crate::model::name::TableRef;

/// Free key-value pairs, as Hive and Glue keep them.
pub type Parameters = BTreeMap<String, String>;

/// A column, or a partition key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name, in lower case.
    pub name: String,
    /// The type in Hive's spelling, `array<struct<a:int>>`; a view's column may lack it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// What it means, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Free key-value pairs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: Parameters,
}

impl Column {
    /// A column with a name and a type alone.
    pub fn new(name: impl Into<String>, data_type: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            data_type: Some(data_type.into()),
            ..Self::default()
        }
    }
}

/// How rows are read from bytes (Hive's SerDe).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerdeInfo {
    /// A name, seldom used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Java class that engines take it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serialization_library: Option<String>,
    /// The class's own settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: Parameters,
}

/// Where and how a table's or a partition's data is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageDescriptor {
    /// The columns, partition keys left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The folder, or the file, as `s3://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Hadoop's class that reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_format: Option<String>,
    /// Hadoop's class that writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    /// Whether files are compressed as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compressed: Option<bool>,
    /// How many buckets rows are dealt into; -1 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_buckets: Option<i64>,
    /// How rows are read from bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serde_info: Option<SerdeInfo>,
    /// The columns that rows are dealt into buckets by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_columns: Option<Vec<String>>,
    /// Free key-value pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// Whether data lies in folders below the location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_as_sub_directories: Option<bool>,
    /// Whatever else a client sent with it, kept to be given back.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// What a person, a crawler or a job says of a table (Glue's `TableInput`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableInput {
    /// The name, in lower case.
    pub name: String,
    /// What it holds, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `EXTERNAL_TABLE`, `VIRTUAL_VIEW` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_type: Option<String>,
    /// Where and how its data is kept; a view has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageDescriptor>,
    /// The partition keys, outermost first.
    #[serde(default)]
    pub partition_keys: Vec<Column>,
    /// Free key-value pairs; `classification` is among them.
    #[serde(default)]
    pub parameters: Parameters,
    /// Whatever else a client sent with it, kept to be given back.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl TableInput {
    /// What its files are: csv, json, parquet, …
    pub fn classification(&self) -> Option<&str> {
        self.parameters.get("classification").map(String::as_str)
    }

    /// The connection by which it is reached, where it is a table or a view of another database.
    pub fn connection(&self) -> Option<&str> {
        let parameter = |key: &str| self.parameters.get(key).map(String::as_str);
        match parameter("typeOfData") {
            Some("table" | "view") => parameter("connectionName"),
            _ => None,
        }
    }

    /// Where its data is.
    pub fn location(&self) -> Option<&str> {
        self.storage
            .as_ref()
            .and_then(|storage| storage.location.as_deref())
    }

    /// Its columns, partition keys left out.
    pub fn columns(&self) -> &[Column] {
        self.storage.as_ref().map_or(&[], |storage| &storage.columns)
    }
}

/// A table in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its id, which outlives a change of its contents.
    pub id: String,
    /// The database that it is in.
    pub database: String,
    /// Its version: 0 when made, one more with every change.
    pub version: i64,
    /// What was said of it.
    pub input: TableInput,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Table {
    /// Its full name.
    pub fn name(&self) -> TableRef {
        TableRef {
            database: self.database.clone(),
            name: self.input.name.clone(),
        }
    }
}
