//! What crawls remember.

use serde::{Deserialize, Serialize};

use crate::model::partition::PartitionInput;
use crate::model::table::{StorageDescriptor, TableInput};

/// A version of a file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its key.
    pub key: String,
    /// The entity tag of the version.
    pub etag: String,
    /// Its size in bytes.
    pub size: i64,
    /// The version of the classifiers that judged it.
    pub judge: String,
    /// What it is, as JSON.
    pub verdict: String,
}

/// A folder as a crawl saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedFolder {
    /// How many files it had.
    pub count: i64,
    /// Their size in bytes.
    pub bytes: i64,
    /// Those that were looked at: name, entity tag, size in bytes, and when it was written in microseconds since 1970.
    pub files: Vec<(String, String, u64, i64)>,
    /// It is one table of a table format.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_lake: bool,
}

/// A table as a crawl left it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrawledTable {
    /// What the crawl itself says of it: where the catalog says otherwise, somebody else wrote that.
    pub described: TableInput,
    /// What it wrote, together with what others had written.
    pub written: TableInput,
    /// What partitions that are to follow the table may have in common still: the crawl was not yet through with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followers: Vec<StorageDescriptor>,
    /// Files below its folder that the crawl set aside, and why: they are no part of it. The first thousand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<(String, String)>,
}

/// A step that puts back something that a crawl changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum UndoStep {
    /// The database was made.
    Database {
        /// Its name.
        name: String,
    },
    /// A table was made, changed or deleted.
    Table {
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// What it was; absent where it was made.
        before: Option<Box<TableInput>>,
        /// What a crawl had described it as.
        base: Option<Box<CrawledTable>>,
        /// Its version since; absent where it was deleted.
        version: Option<i64>,
    },
    /// Partitions of a table were added, changed or removed.
    Partitions {
        /// The table's name.
        table: String,
        /// The values of those that were added.
        added: Vec<Vec<String>>,
        /// What those that were changed had been.
        changed: Vec<SharedPartition>,
        /// What those that were removed had been.
        removed: Vec<SharedPartition>,
        /// What they share.
        shapes: Vec<StorageDescriptor>,
    },
    /// Some partitions of a table followed it.
    Followed {
        /// The table's name.
        table: String,
        /// What they had in common.
        from: Box<StorageDescriptor>,
        /// What they have in common since.
        to: Box<StorageDescriptor>,
        /// Which ones.
        values: Vec<Vec<String>>,
    },
    /// All partitions of a table that had something in common followed it: so earlier versions did it.
    Reshaped {
        /// The table's name.
        table: String,
        /// What they had in common.
        from: Box<StorageDescriptor>,
        /// What they have in common since.
        to: Box<StorageDescriptor>,
    },
}

/// A partition without what it shares with others, and the place of that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedPartition {
    /// What is its own.
    pub own: PartitionInput,
    /// The place of what it shares.
    pub shape: Option<usize>,
}
