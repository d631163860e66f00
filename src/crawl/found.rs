//! What a crawl finds: tables and their partitions. Pure.

use std::collections::BTreeMap;

use crate::catalog::formats::FileFormat;
use crate::model::crawl::PlannedColumn;
use crate::model::location::Location;

/// A table that a crawl found.
#[derive(Clone, Debug)]
pub struct FoundTable {
    /// Its name; made by [`give_names`](super::naming::give_names).
    pub name: String,
    /// The folder or file that it is named after, as a key.
    pub named_after: String,
    /// Where its data is.
    pub location: Location,
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

/// What a table's files are.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundFormat {
    /// Plain files.
    Files(FileFormat),
    /// An Apache Iceberg table, with the newest metadata file's location.
    Iceberg(String),
    /// A Delta Lake table.
    Delta,
}

impl FoundFormat {
    /// The catalog's `classification`.
    pub fn classification(&self) -> &str {
        match self {
            Self::Files(format) => format.classification(),
            Self::Iceberg(_) => "iceberg",
            Self::Delta => "delta",
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
