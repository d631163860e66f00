//! Nothing is lost when something is away: stores, databases, workers, room on the disk.

mod disk;
mod outages;
mod workers;
