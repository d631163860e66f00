//! Scripts of engines that run code.

mod glue;
mod pyspark;
mod python;
mod spark;
