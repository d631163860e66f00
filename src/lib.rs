//! Mastic: a data catalog, crawler and ETL runner for data lakes, in one binary.
//!
//! In reading order: the nouns, the database, the queue, what is done with them, and how people reach it.

pub mod clock;
pub mod error;

pub mod model;
pub mod store;
pub mod queue;
pub mod buckets;
pub mod task;

pub mod config;
pub mod app;
pub mod catalog;

pub mod crawl;
pub mod etl;
pub mod events;
pub mod lake;
pub mod worker;
