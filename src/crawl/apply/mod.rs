//! Making a plan true, taking that back, and telling of it.

pub mod log;
pub(crate) mod slices;
pub(crate) mod undo;
