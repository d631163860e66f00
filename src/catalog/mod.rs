//! The catalog: databases, tables with their versions, and partitions.

pub mod connections;
pub mod databases;
pub mod ddl;
pub mod files;
pub mod formats;
pub mod functions;
pub mod iceberg;
pub mod listing;
pub mod partition_indexes;
pub mod partitions;
pub mod search;
pub mod statistics;
pub mod tables;
pub mod tags;

use crate::app::App;

/// How often the catalog was changed, where every change passes through this process: what was read of it is true until the
/// next.
pub fn changes(app: &App) -> Option<u64> {
    app.store.changes()
}
