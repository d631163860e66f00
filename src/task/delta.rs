//! The columns of a Delta Lake table, out of its log (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md>): the
//! newest `metaData` action, from the commits behind the last checkpoint, or else from that checkpoint.

use classifiers::{Column, DataType, Field, Verdict};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType as Arrow;
use datafusion::logical_expr::col;
use serde_json::Value;

use super::children::Means;
use super::iceberg::{self, MAX_DEPTH, MAX_METADATA, text_of};
use super::ranges::read_object;
use super::{DeltaLog, ObjectToRead, session};
use crate::buckets::Buckets;
use crate::error::{Error, Result};

/// What the table is, and how many bytes were read.
///
/// # Errors
/// Invalid for what is no such log; those of reading.
pub(super) async fn verdict(buckets: &Buckets, log: &DeltaLog, means: &Means) -> Result<(Verdict, u64)> {
    let mut bytes_read = 0;
    for commit in &log.commits {
        bytes_read += commit.size;
        if let Some(schema) = schema_of_commit(&read(buckets, commit).await?)? {
            return Ok((of_schema(&schema)?, bytes_read));
        }
    }
    if let Some(schema) = schema_of_checkpoint(buckets, &log.checkpoint, means).await? {
        bytes_read += log.checkpoint.iter().map(|part| part.size).sum::<u64>();
        return Ok((of_schema(&schema)?, bytes_read));
    }
    Err(Error::invalid(
        "neither the commits behind its last checkpoint nor that checkpoint name a schema",
    ))
}

async fn read(buckets: &Buckets, commit: &ObjectToRead) -> Result<Vec<u8>> {
    if commit.size > MAX_METADATA {
        return Err(Error::limit(format!(
            "the commit {} has {} bytes, and {MAX_METADATA} are read",
            commit.key, commit.size
        )));
    }
    read_object(buckets, commit, 0, commit.size).await
}

/// The schema that a commit gives the table, where it does: a commit is a JSON document a line, one for each action.
fn schema_of_commit(bytes: &[u8]) -> Result<Option<String>> {
    let mut found = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let action: Value = serde_json::from_slice(line)
            .map_err(|_| Error::invalid("a line of its newest commit is no JSON"))?;
        let schema = action
            .get("metaData")
            .and_then(|metadata| metadata.get("schemaString"));
        found = schema.and_then(Value::as_str).map(str::to_owned).or(found);
    }
    Ok(found)
}

async fn schema_of_checkpoint(
    buckets: &Buckets,
    parts: &[ObjectToRead],
    means: &Means,
) -> Result<Option<String>> {
    if parts.is_empty() {
        return Ok(None);
    }
    let frame = session::table_of(buckets, parts.to_vec(), means).await?;
    let broken = |cause| Error::invalid("its checkpoint can't be read").source(cause);
    let actions = frame
        .filter(col("metadata").is_not_null())
        .and_then(|frame| frame.select(vec![col("metadata")]))
        .map_err(broken)?
        .collect()
        .await
        .map_err(broken)?;
    for batch in &actions {
        let schemas = batch
            .column(0)
            .as_struct_opt()
            .and_then(|metadata| metadata.column_by_name("schemaString"))
            .and_then(|schemas| cast(schemas, &Arrow::Utf8).ok());
        if let Some(schemas) = schemas
            .as_ref()
            .and_then(|schemas| schemas.as_string_opt::<i32>())
            && let Some(schema) = schemas.iter().flatten().next()
        {
            return Ok(Some(schema.to_owned()));
        }
    }
    Ok(None)
}

fn of_schema(text: &str) -> Result<Verdict> {
    let schema: Value =
        serde_json::from_str(text).map_err(|_| Error::invalid("the schema that its log names is no JSON"))?;
    let fields = schema
        .get("fields")
        .and_then(Value::as_array)
        .ok_or_else(|| Error::invalid("the schema that its log names has no fields"))?;
    let mut columns: Vec<Column> = fields
        .iter()
        .map(|field| Column {
            name: text_of(field, "name"),
            data_type: type_of(field.get("type").unwrap_or(&Value::Null), 0),
            nullable: field.get("nullable") != Some(&Value::Bool(false)),
            reason: "the table's log says so".to_owned(),
        })
        .collect();
    columns.retain(|column| !column.name.is_empty());
    Ok(Verdict::of_table("delta", columns))
}

/// Delta's types, which are Spark's, in Hive's terms.
fn type_of(value: &Value, depth: usize) -> DataType {
    let inner = |member: &str| Box::new(type_of(value.get(member).unwrap_or(&Value::Null), depth + 1));
    if depth > MAX_DEPTH {
        return DataType::String;
    }
    match value.as_str() {
        Some("byte") => return DataType::TinyInt,
        Some("short") => return DataType::SmallInt,
        Some("integer") => return DataType::Int,
        Some("timestamp_ntz") => return DataType::Timestamp,
        Some(name) => return iceberg::primitive(name),
        None => {}
    }
    match value.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let fields = value.get("fields").and_then(Value::as_array);
            let field = |field: &Value| Field {
                name: text_of(field, "name"),
                data_type: type_of(field.get("type").unwrap_or(&Value::Null), depth + 1),
            };
            DataType::Struct(fields.into_iter().flatten().map(field).collect())
        }
        Some("array") => DataType::Array(inner("elementType")),
        Some("map") => DataType::Map(inner("keyType"), inner("valueType")),
        _ => DataType::String,
    }
}
