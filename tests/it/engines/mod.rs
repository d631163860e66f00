//! Scripts of engines that run code.

mod glue;
mod killed;
mod pyspark;
mod python;
mod spark;
