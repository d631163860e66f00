//! A user-defined function, as Hive's and Trino's clients keep them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a client says of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionInput {
    /// The name, in lower case.
    pub name: String,
    /// Whatever else was said, kept to be given back.
    #[serde(default)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// A function in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// The database that it is in.
    pub database: String,
    /// What was said of it.
    pub input: FunctionInput,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}
