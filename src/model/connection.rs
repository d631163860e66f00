//! A connection: where data comes from, and how to get there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::table::Parameters;

/// What a client says of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionInput {
    /// The name.
    pub name: String,
    /// `JDBC`, `NETWORK`, `KAFKA` and the like.
    pub connection_type: String,
    /// The settings, `JDBC_CONNECTION_URL` and the like; passwords among them.
    #[serde(default)]
    pub properties: Parameters,
    /// Whatever else was said, kept to be given back.
    #[serde(default)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// A connection in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// What was said of it.
    pub input: ConnectionInput,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
