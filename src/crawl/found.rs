//! What a crawl finds: tables and their partitions. Pure.

use std::collections::BTreeMap;
use std::fmt;

use crate::catalog::formats::FileFormat;
use crate::model::crawl::PlannedColumn;
use crate::model::location::Location;
use crate::model::source::{Engine, SourcePlace};
use crate::model::table::Column;

/// A table that a crawl found.
#[derive(Clone, Debug)]
pub struct FoundTable {
    /// Its name; made by [`give_names`](super::naming::give_names).
    pub name: String,
    /// The folder or file that it is named after, as a key.
    pub named_after: String,
    /// Where its data is.
    pub location: Place,
    /// What its files are.
    pub format: FoundFormat,
    /// How they are compressed: `none` or `gzip`.
    pub compression: String,
    /// The names of its partition keys, outermost first.
    pub partition_keys: Vec<String>,
    /// Its partitions by their values.
    pub partitions: BTreeMap<Vec<String>, FoundPartition>,
    /// Its columns.
    pub columns: Vec<PlannedColumn>,
    /// How many files.
    pub files: i64,
    /// Their size in bytes, as stored.
    pub bytes: i64,
    /// How many rows, estimated from what was looked at.
    pub rows: Option<i64>,
    /// Globs of what was left out, each with the target before it.
    pub exclusions: Vec<String>,
    /// Why it is one table, and why it is what it is.
    pub reasons: Vec<String>,
}

/// Where a table's data is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A folder or a file of an object store.
    Objects(Location),
    /// A table of another database.
    Source(SourcePlace),
}

impl Place {
    /// The place as one text that no other has. A table's location alone doesn't say by which connection it is reached.
    pub fn key(&self) -> String {
        match self {
            Self::Objects(location) => location.as_folder().to_string(),
            Self::Source(place) => format!("{}:{place}", place.connection),
        }
    }
}

/// The table's location.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects(location) => location.fmt(f),
            Self::Source(place) => place.fmt(f),
        }
    }
}

/// What a table's files are.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundFormat {
    /// Plain files.
    Files(FileFormat),
    /// An Apache Iceberg table, with the newest metadata file's location.
    Iceberg(String),
    /// A Delta Lake table.
    Delta,
    /// No files: a table of another database.
    Database(DatabaseTable),
}

/// What is particular to a table of another database.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseTable {
    /// The database's kind.
    pub engine: Engine,
    /// The connection that leads there.
    pub connection: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// What its owner says of it, where that was asked for.
    pub description: Option<String>,
    /// Its columns as the catalog keeps them.
    pub columns: Vec<Column>,
    /// The columns of its primary key.
    pub primary_key: Vec<String>,
}

impl FoundFormat {
    /// The catalog's `classification`.
    pub fn classification(&self) -> &str {
        match self {
            Self::Files(format) => format.classification(),
            Self::Iceberg(_) => "iceberg",
            Self::Delta => "delta",
            Self::Database(table) => table.engine.classification(),
        }
    }
}

/// A partition that a crawl found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPartition {
    /// Where its data is.
    pub location: Location,
    /// How many files.
    pub files: i64,
    /// Their size in bytes.
    pub bytes: i64,
    /// How many rows, estimated as the table's are.
    pub rows: Option<i64>,
}
