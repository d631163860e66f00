//! The catalog as a plan is made against it. Pure.

use std::collections::BTreeMap;

use crate::model::crawl_memory::CrawledTable;
use crate::model::partition::Partition;
use crate::model::table::Table;

/// The catalog as it is now, as far as the crawl is concerned.
#[derive(Debug, Default)]
pub struct Current {
    /// Whether the database is there.
    pub database_exists: bool,
    /// Tables by name.
    pub tables: BTreeMap<String, Existing>,
}

/// A table of the catalog.
#[derive(Debug)]
pub struct Existing {
    /// The table.
    pub table: Table,
    /// How a crawl left it last.
    pub left: Option<CrawledTable>,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}
