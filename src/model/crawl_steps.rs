//! What a crawl does to make its plan true, step by step: in memory, or written down while a large one is applied.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::crawl_memory::{CrawledTable, RememberedFolder};
use crate::model::location::Location;
use crate::model::table::{StorageDescriptor, TableInput};

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Make the database, where it isn't there.
    Database,
    /// Add a table, without partitions.
    Create {
        /// The table.
        input: Box<TableInput>,
        /// Files below its folder that are no part of it, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set_aside: Vec<(String, String)>,
    },
    /// Change a table, if it is as it was when the plan was made.
    Update {
        /// Which one.
        table: StepTable,
        /// Its next state.
        input: Box<TableInput>,
        /// What the crawl itself says of it, to be remembered; absent where nothing of it is written.
        described: Option<Box<TableInput>>,
        /// How a crawl left it last.
        left: Option<Box<CrawledTable>>,
        /// Whether others made it: no crawl signs it.
        is_others: bool,
        /// What its partitions that are to follow it have in common until they do.
        followers: Vec<StorageDescriptor>,
        /// Files below its folder that are no part of it, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set_aside: Vec<(String, String)>,
    },
    /// Write some partitions of a table.
    Partitions {
        /// Which table.
        table: StepTable,
        /// What becomes of them.
        work: PartitionWork,
    },
    /// Remember that no partition of a table is left that is to follow it.
    Followed {
        /// Which table.
        table: StepTable,
    },
    /// Make the index that the configuration asks for, unless the table has one.
    Index {
        /// Which table.
        table: StepTable,
    },
    /// Mark a table as one whose data is gone.
    Deprecate {
        /// Which one.
        table: StepTable,
        /// How a crawl left it last.
        left: Option<Box<CrawledTable>>,
    },
    /// Remove a table that has no partitions any more.
    Delete {
        /// Which one.
        table: StepTable,
        /// How a crawl left it last.
        left: Option<Box<CrawledTable>>,
    },
    /// Remember how a crawler saw folders of a bucket.
    Folders {
        /// The bucket.
        bucket: String,
        /// Those that are new or another, by their paths.
        seen: Vec<(String, RememberedFolder)>,
        /// Those that are gone.
        gone: Vec<String>,
    },
}

/// A table of the crawl's database, as far as a step has to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTable {
    /// Its name.
    pub name: String,
    /// Its id; absent for one that the crawl makes.
    pub id: Option<String>,
    /// The version that it must have; absent where any will do.
    pub version: Option<i64>,
}

/// What becomes of some partitions of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum PartitionWork {
    /// They get other columns and formats: those of their table.
    Follow {
        /// What they have in common.
        from: Box<StorageDescriptor>,
        /// What they shall have in common.
        to: Box<StorageDescriptor>,
        /// Which ones.
        values: Vec<Vec<String>>,
    },
    /// They go, because their folders are empty or their table goes.
    Remove {
        /// Which ones.
        partitions: Vec<KnownPartition>,
    },
    /// They lie elsewhere, or hold other files.
    Change {
        /// Which ones, with what was found.
        partitions: Vec<(KnownPartition, FoundPartition)>,
    },
    /// They are new.
    Add {
        /// Their values, and what was found.
        partitions: Vec<(Vec<String>, FoundPartition)>,
        /// Whether each says who added it, because its table doesn't.
        is_signed: bool,
    },
}

impl PartitionWork {
    /// How many partitions it is about.
    pub fn count(&self) -> usize {
        match self {
            Self::Follow { values, .. } => values.len(),
            Self::Remove { partitions } => partitions.len(),
            Self::Change { partitions } => partitions.len(),
            Self::Add { partitions, .. } => partitions.len(),
        }
    }

    /// Cuts it in two: the work on the first `at` partitions stays, and that on the others is given.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Follow { from, to, values } => Self::Follow {
                from: from.clone(),
                to: to.clone(),
                values: values.split_off(at),
            },
            Self::Remove { partitions } => Self::Remove {
                partitions: partitions.split_off(at),
            },
            Self::Change { partitions } => Self::Change {
                partitions: partitions.split_off(at),
            },
            Self::Add {
                partitions,
                is_signed,
            } => Self::Add {
                partitions: partitions.split_off(at),
                is_signed: *is_signed,
            },
        }
    }
}

/// A partition as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPartition {
    /// Its values.
    pub values: Vec<String>,
    /// When it had last changed.
    pub updated_at: DateTime<Utc>,
}

/// A partition that a crawl found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
