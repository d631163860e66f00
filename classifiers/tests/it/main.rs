//! Files in, verdicts out: what a caller of the crate sees.

mod avro;
mod cases;
mod csv;
mod custom;
mod encodings;
mod formats;
mod hostile;
mod json;
mod json_path;
mod logs;
mod orc;
mod packed;
mod parquet;
mod real_data;
mod recognised;
mod scanners;
mod siblings;
mod support;
mod types;
mod written;
mod xml;
