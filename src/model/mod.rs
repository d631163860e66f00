//! The nouns: plain types and validated names. Nothing here does I/O or knows a wire.
//!
//! The types are serialisable because the store keeps their bodies as JSON; wires have structs of their own.

pub mod classifier;
pub mod connection;
pub mod crawl;
pub mod crawl_memory;
pub mod crawl_options;
pub mod crawl_steps;
pub mod data_files;
pub mod database;
pub mod database_url;
pub mod document;
mod duration;
pub mod event;
pub mod function;
pub mod globs;
pub mod glue_job;
pub mod input;
pub mod job;
pub mod location;
pub mod name;
pub mod output;
pub mod overlap;
pub mod page;
pub mod parameter;
pub mod partition;
pub mod pattern;
pub mod precondition;
pub mod run;
pub mod runtime;
pub mod schedule;
pub mod source;
pub mod table;
pub mod task;
