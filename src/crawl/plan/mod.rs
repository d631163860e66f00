//! What a crawl would change: what was found against what is in the catalog. Pure: the same in, the same out.

pub mod current;
pub mod others;
mod partitions;
mod reasons;
pub mod tables;
pub mod together;
mod told;
pub mod write;
