//! The catalog: databases, tables with their versions, and partitions.

pub mod databases;
pub mod ddl;
pub mod formats;
pub mod partitions;
pub mod tables;
