//! Crawling, in four rooms: `look` lists and reads, `shape` makes tables of what was found, `plan` says what would change,
//! and `apply` changes it. A crawl is a plan first; a dry run stops there.

mod apply;
pub mod crawlers;
mod crawls;
mod look;
pub mod plan;
mod planning;
mod run;
pub mod schedules;
pub mod shape;

pub use apply::end::give_up;
pub use apply::log;
pub use crawls::{cancel, get, list, start, undo};
pub use look::classifiers;
pub use run::run;
