//! Making a plan true, taking that back, and telling of it.

mod applier;
mod cut;
pub(crate) mod end;
pub mod log;
pub(crate) mod slices;
pub(crate) mod undo;
