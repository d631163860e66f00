//! Files in, verdicts out: what a caller of the crate sees.

mod avro;
mod csv;
mod custom;
mod formats;
mod hostile;
mod json;
mod json_path;
mod logs;
mod orc;
mod packed;
mod parquet;
mod real_data;
mod scanners;
mod support;
mod types;
mod xml;
