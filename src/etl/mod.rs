//! Jobs, the triggers that start them, and their runs.

mod engines;
mod execute;
mod inputs;
pub mod jobs;
mod output_table;
mod outputs;
mod past;
mod places;
mod preview;
mod publish;
pub mod query;
mod reading;
pub mod runs;
mod staged;
pub mod triggers;

pub use engines::{EngineState, Installable, installing, states};
pub use execute::{give_back, put_back, run as execute};
pub use preview::{Preview, preview};
pub use publish::sweep;
