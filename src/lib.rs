//! Mastic: a data catalog, crawler and ETL runner for data lakes, in one binary.
//!
//! In reading order: what every storey uses, the nouns, what data is kept in, what is done with it, how people reach it.

pub mod access;
pub mod app;
mod browser;
pub mod clock;
pub mod config;
pub mod error;

pub mod model;

pub mod buckets;
pub mod queue;
pub mod sources;
pub mod store;
pub mod task;

pub mod catalog;
pub mod crawl;
pub mod etl;
pub mod events;
pub mod retention;
pub mod schedules;

pub mod api;
mod aws;
mod glue;
pub mod lake;
mod listen;
mod stack;
pub mod web;

pub mod server;
pub mod worker;

pub mod cli;
