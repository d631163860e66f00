//! Jobs, the triggers that start them, and their runs.

mod engines;
mod execute;
mod inputs;
pub mod jobs;
mod output_table;
mod outputs;
mod past;
mod places;
mod publish;
pub mod query;
mod reading;
pub mod runs;
pub mod triggers;

pub use execute::{Preview, give_back, preview, put_back, run as execute};
pub use publish::sweep;
