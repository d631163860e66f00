//! The one integration binary. Its tree is shaped like the program; every test goes through the front door.

mod access;
mod api;
mod architecture;
mod circles;
mod crawl;
mod engines;
mod glue;
mod harness;
mod lake;
mod openapi;
mod queries;
mod queue;
mod real_data;
mod retention;
mod sources;
mod store;
mod story;
mod upgrade;
