//! Files land, the catalog knows them, the month's CSV appears.

mod arrivals;
mod crash;
mod csv;
mod jobs;
mod monthly_union;
mod moving;
mod outputs;
mod parameters;
mod turns;
