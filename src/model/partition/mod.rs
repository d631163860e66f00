//! A partition: the rows of a table that share the values of its partition keys.

pub mod expression;
pub mod key;

use std::sync::Arc;

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

/// A partition in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// What was said of it, without what it shares with others.
    pub own: PartitionInput,
    /// The storage descriptor that it shares with others: without a location and without parameters.
    pub shape: Option<Arc<StorageDescriptor>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Partition {
    /// The values of the partition keys.
    pub fn values(&self) -> &[String] {
        &self.own.values
    }

    /// Where its data is.
    pub fn location(&self) -> Option<&str> {
        self.own.storage.as_ref()?.location.as_deref()
    }

    /// Where and how its data is kept, all of it.
    pub fn storage(&self) -> Option<StorageDescriptor> {
        let own = self.own.storage.clone()?;
        Some(match &self.shape {
            Some(shape) => StorageDescriptor {
                location: own.location,
                parameters: own.parameters,
                ..StorageDescriptor::clone(shape)
            },
            None => own,
        })
    }
}
