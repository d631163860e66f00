//! Making an Iceberg table: its first metadata file, and the catalog's view of it.
//!
//! The file is Iceberg's table metadata, version 2 (<https://iceberg.apache.org/spec/#table-metadata>).

use serde_json::{Map, Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::location::Location;
use crate::model::table::{Column, Parameters, StorageDescriptor, Table, TableInput};
use crate::task::{Limits, Message, ObjectToRead, Spec, Work};

/// Partition fields are numbered from here.
const FIRST_PARTITION_ID: i64 = 1000;
/// How long a metadata file may be read, in seconds.
const METADATA_SECONDS: u64 = 60;

/// Writes the first metadata file of a table that a client described as Glue's `CreateIcebergTableInput`, and gives back
/// the table without a name. The file is of no use until the table is in the catalog, and no harm.
///
/// # Errors
/// Invalid for a location that is none; and those of writing to the store.
pub async fn new_table(app: &App, described: &Value) -> Result<TableInput> {
    let text = described
        .get("Location")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let location = Location::parse(text)?;
    let root = text.trim_end_matches('/').to_owned();
    let now = app.clock.now();
    let metadata = metadata(described, &root, &app.clock.new_id(), now.timestamp_millis())?;
    let file = format!("metadata/00000-{}.metadata.json", app.clock.new_id());
    let key = format!("{}/{file}", location.key.trim_end_matches('/'));
    app.buckets
        .put(
            &location.bucket,
            key.trim_start_matches('/'),
            metadata.to_string(),
        )
        .await?;
    Ok(TableInput {
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        storage: Some(StorageDescriptor {
            columns: columns(described)?,
            location: Some(root.clone()),
            ..StorageDescriptor::default()
        }),
        parameters: Parameters::from([
            ("table_type".to_owned(), "ICEBERG".to_owned()),
            ("metadata_location".to_owned(), format!("{root}/{file}")),
        ]),
        ..TableInput::default()
    })
}

/// The current metadata file of an Iceberg table; absent of any other.
///
/// # Errors
/// Invalid where the table names a file that isn't there, or is no JSON; those of the store.
pub async fn latest_metadata(app: &App, table: &Table) -> Result<Option<Value>> {
    let parameter = |name: &str| table.input.parameters.get(name);
    if !parameter("table_type").is_some_and(|kind| kind.eq_ignore_ascii_case("ICEBERG")) {
        return Ok(None);
    }
    let Some(place) = parameter("metadata_location") else {
        return Ok(None);
    };
    let location = Location::parse(place)?;
    let Some(object) = app.buckets.head(&location.bucket, &location.key).await? else {
        return Err(Error::invalid(format!(
            "the table's metadata file {place} isn't there"
        )));
    };
    let spec = Spec {
        work: Work::IcebergMetadata {
            file: ObjectToRead::of(&location.bucket, object),
        },
        access: Some(app.access.clone()),
        limits: Limits {
            memory_bytes: app.config.tasks.classify_memory_bytes,
            cpu_seconds: METADATA_SECONDS,
            wall_seconds: METADATA_SECONDS,
        },
    };
    let mut child = app.children.start(&spec).await?;
    loop {
        match child.next().await? {
            Message::IcebergMetadata { metadata } => return Ok(Some(metadata.into())),
            Message::Failed(failure) => {
                return Err(Error::from(failure).within(format_args!("the metadata file {place}")));
            }
            Message::Done => return Err(Error::internal("a child said nothing of the metadata")),
            _ => {}
        }
    }
}

fn metadata(described: &Value, location: &str, id: &str, now: i64) -> Result<Value> {
    let schema = &described["Schema"];
    let schema_id = schema["SchemaId"].as_i64().unwrap_or(0);
    let fields: Result<Vec<Value>> = list(&schema["Fields"]).iter().map(field).collect();
    let fields = fields?;
    let spec = &described["PartitionSpec"];
    let spec_id = spec["SpecId"].as_i64().unwrap_or(0);
    let partition_fields: Vec<Value> = list(&spec["Fields"])
        .iter()
        .zip(FIRST_PARTITION_ID..)
        .map(|(field, id)| {
            json!({
                "source-id": field["SourceId"],
                "field-id": field["FieldId"].as_i64().unwrap_or(id),
                "transform": field["Transform"],
                "name": field["Name"],
            })
        })
        .collect();
    let last_partition_id = partition_fields
        .iter()
        .filter_map(|field| field["field-id"].as_i64())
        .fold(FIRST_PARTITION_ID - 1, i64::max);
    let order = &described["WriteOrder"];
    let order_id = order["OrderId"].as_i64().unwrap_or(0);
    let order_fields: Vec<Value> = list(&order["Fields"])
        .iter()
        .map(|field| {
            json!({
                "source-id": field["SourceId"],
                "transform": field["Transform"],
                "direction": field["Direction"],
                "null-order": field["NullOrder"],
            })
        })
        .collect();
    let mut own = Map::new();
    own.insert("type".to_owned(), "struct".into());
    own.insert("schema-id".to_owned(), schema_id.into());
    own.insert("fields".to_owned(), Value::Array(fields.clone()));
    if let Some(ids) = schema.get("IdentifierFieldIds") {
        own.insert("identifier-field-ids".to_owned(), ids.clone());
    }
    Ok(json!({
        "format-version": 2,
        "table-uuid": id,
        "location": location,
        "last-sequence-number": 0,
        "last-updated-ms": now,
        "last-column-id": largest_id(&Value::Array(fields)),
        "current-schema-id": schema_id,
        "schemas": [own],
        "default-spec-id": spec_id,
        "partition-specs": [{ "spec-id": spec_id, "fields": partition_fields }],
        "last-partition-id": last_partition_id,
        "default-sort-order-id": order_id,
        "sort-orders": [{ "order-id": order_id, "fields": order_fields }],
        "properties": described.get("Properties").cloned().unwrap_or_else(|| json!({})),
        "current-snapshot-id": -1,
        "refs": {},
        "snapshots": [],
        "snapshot-log": [],
        "metadata-log": [],
    }))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn field(described: &Value) -> Result<Value> {
    let mut field = json!({
        "id": described["Id"],
        "name": described["Name"],
        "required": described["Required"],
        "type": described["Type"],
    });
    hive_type(&described["Type"])?;
    for (theirs, ours) in [
        ("Doc", "doc"),
        ("InitialDefault", "initial-default"),
        ("WriteDefault", "write-default"),
    ] {
        if let Some(value) = described.get(theirs) {
            field[ours] = value.clone();
        }
    }
    Ok(field)
}

/// The largest number among the ids of fields, however deep.
fn largest_id(value: &Value) -> i64 {
    match value {
        Value::Array(items) => items.iter().map(largest_id).max().unwrap_or(0),
        Value::Object(members) => {
            let ids = members.iter().map(|(name, value)| match name.as_str() {
                "id" | "element-id" | "key-id" | "value-id" => value.as_i64().unwrap_or(0),
                _ => largest_id(value),
            });
            ids.max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// The columns as Iceberg's own Glue catalog writes them.
fn columns(described: &Value) -> Result<Vec<Column>> {
    let column = |field: &Value| {
        let required = field["Required"].as_bool().unwrap_or(false);
        Ok(Column {
            name: field["Name"].as_str().unwrap_or_default().to_owned(),
            data_type: Some(hive_type(&field["Type"])?),
            comment: field["Doc"].as_str().map(str::to_owned),
            parameters: Parameters::from([
                ("iceberg.field.id".to_owned(), field["Id"].to_string()),
                ("iceberg.field.optional".to_owned(), (!required).to_string()),
                ("iceberg.field.current".to_owned(), "true".to_owned()),
            ]),
        })
    };
    list(&described["Schema"]["Fields"]).iter().map(column).collect()
}

/// An Iceberg type as Hive spells it.
fn hive_type(value: &Value) -> Result<String> {
    if let Value::String(name) = value {
        let hive = match name.as_str() {
            "boolean" | "int" | "float" | "double" | "date" | "string" | "binary" => name,
            "long" => "bigint",
            "time" | "uuid" => "string",
            "timestamp" | "timestamptz" | "timestamp_ns" | "timestamptz_ns" => "timestamp",
            _ if name.starts_with("decimal(") => &name.replace(' ', ""),
            _ if name.starts_with("fixed[") => "binary",
            _ => return Err(unknown(value)),
        };
        return Ok(hive.to_owned());
    }
    match value.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let field = |field: &Value| {
                let name = field["name"].as_str().unwrap_or_default();
                Ok(format!("{name}:{}", hive_type(&field["type"])?))
            };
            let fields: Result<Vec<String>> = list(&value["fields"]).iter().map(field).collect();
            Ok(format!("struct<{}>", fields?.join(",")))
        }
        Some("list") => Ok(format!("array<{}>", hive_type(&value["element"])?)),
        Some("map") => Ok(format!(
            "map<{},{}>",
            hive_type(&value["key"])?,
            hive_type(&value["value"])?
        )),
        _ => Err(unknown(value)),
    }
}

fn unknown(value: &Value) -> Error {
    Error::invalid(format!("{value} is no Iceberg type"))
        .hint("see https://iceberg.apache.org/spec/#schemas-and-data-types")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_as_hive_spells_them() {
        let hive = |value: Value| hive_type(&value).ok();
        assert_eq!(hive(json!("long")).unwrap(), "bigint");
        assert_eq!(hive(json!("decimal(10, 2)")).unwrap(), "decimal(10,2)");
        assert_eq!(
            hive(
                json!({"type": "list", "element-id": 3, "element": {"type": "struct", "fields": [
                {"id": 4, "name": "a", "required": true, "type": "int"}]}})
            )
            .unwrap(),
            "array<struct<a:int>>"
        );
        assert_eq!(hive(json!("varchar")), None);
        let nested = json!([{"id": 1, "type": {"type": "map", "key-id": 7, "value-id": 8}}]);
        assert_eq!(largest_id(&nested), 8);
    }
}
