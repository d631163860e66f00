//! A partition: the rows of a table that share the values of its partition keys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::table::{Parameters, StorageDescriptor};

/// What a crawler, a job or a client says of a partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionInput {
    /// One value for each partition key, in their order.
    pub values: Vec<String>,
    /// Where and how its data is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageDescriptor>,
    /// Free key-value pairs.
    #[serde(default)]
    pub parameters: Parameters,
    /// Whatever else a client sent with it, kept to be given back.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl PartitionInput {
    /// Where its data is.
    pub fn location(&self) -> Option<&str> {
        self.storage
            .as_ref()
            .and_then(|storage| storage.location.as_deref())
    }
}

/// A partition in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// What was said of it.
    pub input: PartitionInput,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The values as one text that no other values have: `/` between them, `/` and `%` inside them written `%2F` and `%25`.
pub fn values_key(values: &[String]) -> String {
    let escaped: Vec<String> = values
        .iter()
        .map(|value| value.replace('%', "%25").replace('/', "%2F"))
        .collect();
    escaped.join("/")
}
