//! Files land, the catalog knows them, the month's CSV appears.

mod crash;
mod jobs;
mod monthly_union;
mod moving;
