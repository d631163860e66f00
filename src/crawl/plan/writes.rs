//! What has to be done to make a plan true. Pure.

use crate::model::table::{StorageDescriptor, TableInput};

/// What has to be done to make a plan true.
#[derive(Debug)]
pub enum Write {
    /// Add a table with all of its partitions.
    Create {
        /// The place of what was found.
        found: usize,
        /// The table.
        input: Box<TableInput>,
    },
    /// Change a table.
    Update {
        /// The place of what was found.
        found: usize,
        /// The table's name.
        name: String,
        /// Its next state.
        input: Box<TableInput>,
        /// What the crawl itself says of it, to be remembered; absent where nothing of it is written.
        described: Option<Box<TableInput>>,
        /// Whether others made it: no crawl signs it.
        is_others: bool,
        /// What becomes of its partitions.
        partitions: PartitionChanges,
    },
    /// Change a table that nothing was found of.
    Retire {
        /// The table's name.
        name: String,
        /// Whether it goes rather than being marked.
        is_deleted: bool,
    },
}

/// What becomes of a table's partitions, by their values.
#[derive(Debug, Default)]
pub struct PartitionChanges {
    /// New ones.
    pub added: Vec<Vec<String>>,
    /// Those that lie elsewhere, or hold other files.
    pub changed: Vec<Vec<String>>,
    /// Those whose folders are empty.
    pub gone: Vec<Vec<String>>,
    /// What many have in common, and what they shall have in common.
    pub reshaped: Vec<(StorageDescriptor, StorageDescriptor)>,
}
