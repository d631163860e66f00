//! Files in, verdicts out: what a caller of the crate sees.

mod cases;
mod csv;
mod encodings;
mod hostile;
mod json;
mod parquet;
mod real_data;
mod scanners;
mod support;
mod types;
