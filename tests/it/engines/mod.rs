//! Scripts of engines that run code.

mod pyspark;
mod python;
