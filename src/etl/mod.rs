//! Jobs, the triggers that start them, and their runs.

mod execute;
mod inputs;
pub mod jobs;
mod output_table;
mod publish;
pub mod query;
pub mod runs;
pub mod triggers;

pub use execute::{put_back, run as execute};
