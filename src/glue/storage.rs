//! Storage descriptors and columns, which tables and partitions share.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::table::{Column, Parameters, SerdeInfo, StorageDescriptor};

use super::request::{Members, with_kept};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StorageDescriptorInput {
    #[serde(default)]
    columns: Vec<ColumnInput>,
    location: Option<String>,
    input_format: Option<String>,
    output_format: Option<String>,
    compressed: Option<bool>,
    number_of_buckets: Option<i64>,
    serde_info: Option<SerdeInfoInput>,
    bucket_columns: Option<Vec<String>>,
    parameters: Option<Parameters>,
    stored_as_sub_directories: Option<bool>,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeInfoInput {
    name: Option<String>,
    serialization_library: Option<String>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ColumnInput {
    name: String,
    #[serde(rename = "Type")]
    data_type: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    parameters: Parameters,
}

impl From<StorageDescriptorInput> for StorageDescriptor {
    fn from(input: StorageDescriptorInput) -> Self {
        Self {
            columns: columns(input.columns),
            location: input.location,
            input_format: input.input_format,
            output_format: input.output_format,
            compressed: input.compressed,
            number_of_buckets: input.number_of_buckets,
            serde_info: input.serde_info.map(|serde| SerdeInfo {
                name: serde.name,
                serialization_library: serde.serialization_library,
                parameters: serde.parameters,
            }),
            bucket_columns: input.bucket_columns,
            parameters: input.parameters,
            stored_as_sub_directories: input.stored_as_sub_directories,
            other: input.kept,
        }
    }
}

/// Columns as the catalog keeps them.
pub(super) fn columns(columns: Vec<ColumnInput>) -> Vec<Column> {
    let column = |column: ColumnInput| Column {
        name: column.name,
        data_type: column.data_type,
        comment: column.comment,
        parameters: column.parameters,
    };
    columns.into_iter().map(column).collect()
}

/// A storage descriptor for a client; without its columns where they aren't wanted.
pub(super) fn rendered(storage: &StorageDescriptor, with_columns: bool) -> Value {
    let own = json!({
        "Columns": if with_columns { rendered_columns(&storage.columns) } else { Vec::new() },
        "Location": storage.location,
        "InputFormat": storage.input_format,
        "OutputFormat": storage.output_format,
        "Compressed": storage.compressed.unwrap_or(false),
        "NumberOfBuckets": storage.number_of_buckets.unwrap_or(0),
        "SerdeInfo": storage.serde_info.as_ref().map(|serde| json!({
            "Name": serde.name,
            "SerializationLibrary": serde.serialization_library,
            "Parameters": serde.parameters,
        })),
        "BucketColumns": storage.bucket_columns,
        "Parameters": storage.parameters,
        "StoredAsSubDirectories": storage.stored_as_sub_directories.unwrap_or(false),
    });
    with_kept(own, &storage.other)
}

/// Columns for a client.
pub(super) fn rendered_columns(columns: &[Column]) -> Vec<Value> {
    columns
        .iter()
        .map(|column| {
            json!({
                "Name": column.name,
                "Type": column.data_type,
                "Comment": column.comment,
                "Parameters": (!column.parameters.is_empty()).then_some(&column.parameters),
            })
        })
        .collect()
}
