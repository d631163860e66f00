//! A database: a named group of tables.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a person or a crawler says of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseInput {
    /// The name, in lower case.
    pub name: String,
    /// What it holds, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where new tables' data goes unless they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Free key-value pairs.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Whatever else a client sent with it, kept to be given back.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// A database in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// What was said of it.
    pub input: DatabaseInput,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
