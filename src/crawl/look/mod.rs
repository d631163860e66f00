//! Looking at targets: listings, and what children say that files are; or what a database says of its tables.

pub mod classifiers;
mod classify;
mod inventory;
mod lakes;
mod list;
pub(crate) mod remember;
pub(crate) mod session;
pub(crate) mod sources;
pub(crate) mod target;
