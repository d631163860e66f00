//! The columns of an Iceberg table, out of its metadata file (<https://iceberg.apache.org/spec/#table-metadata>).

use std::io::Read as _;

use classifiers::{Column, DataType, Field, Verdict};
use serde_json::{Map, Value};

use super::ObjectToRead;
use super::ranges::read_object;
use crate::buckets::Buckets;
use crate::error::{Error, Result};

/// The largest metadata file that is read, in bytes; unpacked too.
pub(super) const MAX_METADATA: u64 = 64 << 20;
/// How deep types may be nested.
pub(super) const MAX_DEPTH: usize = 64;

/// The members of a metadata file that grow with each commit: the table's history, and no part of what it is.
const HISTORY: [&str; 6] = [
    "snapshots",
    "snapshot-log",
    "metadata-log",
    "refs",
    "statistics",
    "partition-statistics",
];

/// What a metadata file says of the table as it is now.
///
/// # Errors
/// Invalid for what is no such metadata; Limit for a file that is too long; those of reading.
pub(super) async fn metadata(buckets: &Buckets, file: &ObjectToRead) -> Result<Map<String, Value>> {
    if file.size > MAX_METADATA {
        return Err(Error::limit(format!(
            "it has {} bytes, and {MAX_METADATA} are read",
            file.size
        )));
    }
    let bytes = read_object(buckets, file, 0, file.size).await?;
    let Value::Object(mut metadata) = parsed(&bytes)? else {
        return Err(Error::invalid("it is no JSON object"));
    };
    metadata.retain(|member, _| !HISTORY.contains(&member.as_str()));
    Ok(metadata)
}

/// What the table is, and how many bytes were read.
///
/// # Errors
/// Invalid for what is no such metadata; those of reading.
pub(super) async fn verdict(buckets: &Buckets, metadata: &ObjectToRead) -> Result<(Verdict, u64)> {
    let length = metadata.size.min(MAX_METADATA);
    let bytes = read_object(buckets, metadata, 0, length).await?;
    Ok((of_metadata(&bytes)?, length))
}

/// A metadata file as JSON; Iceberg's writers may compress it.
fn parsed(bytes: &[u8]) -> Result<Value> {
    let mut unpacked = Vec::new();
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(bytes)
            .take(MAX_METADATA)
            .read_to_end(&mut unpacked)
            .map_err(|_| Error::invalid("it is no whole gzip file"))?;
        unpacked.as_slice()
    } else {
        bytes
    };
    serde_json::from_slice(text).map_err(|_| Error::invalid("it is no JSON"))
}

fn of_metadata(bytes: &[u8]) -> Result<Verdict> {
    let metadata = parsed(bytes)?;
    let fields = current_schema(&metadata)
        .and_then(|schema| schema.get("fields"))
        .and_then(Value::as_array)
        .ok_or_else(|| Error::invalid("it names no current schema"))?;
    let column = |field: &Value| Column {
        name: text_of(field, "name"),
        data_type: type_of(field.get("type").unwrap_or(&Value::Null), 0),
        nullable: field.get("required") != Some(&Value::Bool(true)),
        reason: "the table's metadata says so".to_owned(),
    };
    let mut columns: Vec<Column> = fields.iter().map(column).collect();
    columns.retain(|column| !column.name.is_empty());
    Ok(Verdict::of_table("iceberg", columns))
}

/// The schema with the current id; the one `schema` of tables of version 1.
fn current_schema(metadata: &Value) -> Option<&Value> {
    let id = metadata.get("current-schema-id");
    let schemas = metadata.get("schemas").and_then(Value::as_array);
    schemas
        .and_then(|schemas| schemas.iter().find(|schema| schema.get("schema-id") == id))
        .or_else(|| metadata.get("schema"))
}

pub(super) fn text_of(value: &Value, member: &str) -> String {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Iceberg's types in Hive's terms (<https://iceberg.apache.org/docs/latest/hive/>).
fn type_of(value: &Value, depth: usize) -> DataType {
    let inner = |member: &str| Box::new(type_of(value.get(member).unwrap_or(&Value::Null), depth + 1));
    if depth > MAX_DEPTH {
        return DataType::String;
    }
    if let Some(name) = value.as_str() {
        return primitive(name);
    }
    match value.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let fields = value.get("fields").and_then(Value::as_array);
            DataType::Struct(
                fields
                    .into_iter()
                    .flatten()
                    .map(|field| Field {
                        name: text_of(field, "name"),
                        data_type: type_of(field.get("type").unwrap_or(&Value::Null), depth + 1),
                    })
                    .collect(),
            )
        }
        Some("list") => DataType::Array(inner("element")),
        Some("map") => DataType::Map(inner("key"), inner("value")),
        _ => DataType::String,
    }
}

/// A type that has no parts.
pub(super) fn primitive(name: &str) -> DataType {
    if let Some(digits) = name
        .strip_prefix("decimal(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let mut numbers = digits.split(',').map(|number| number.trim().parse::<u8>());
        if let (Some(Ok(precision)), Some(Ok(scale))) = (numbers.next(), numbers.next()) {
            return DataType::Decimal { precision, scale };
        }
    }
    match name {
        "boolean" => DataType::Boolean,
        "int" => DataType::Int,
        "long" => DataType::BigInt,
        "float" => DataType::Float,
        "double" => DataType::Double,
        "date" => DataType::Date,
        "timestamp" | "timestamptz" | "timestamp_ns" | "timestamptz_ns" => DataType::Timestamp,
        "binary" => DataType::Binary,
        name if name.starts_with("fixed") => DataType::Binary,
        _ => DataType::String,
    }
}
