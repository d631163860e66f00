//! Storage descriptors and columns, which tables and partitions share.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::table::{Column, Parameters, SerdeInfo, StorageDescriptor};

use super::error::Answer;
use super::request::{Members, read_kept, required, with_kept};

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

/// The types of what is kept of a [`StorageDescriptorInput`].
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "that it can be read is all that matters")]
struct Kept {
    additional_locations: Option<Vec<String>>,
    sort_columns: Option<Vec<Order>>,
    skewed_info: Option<Members>,
    schema_reference: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "that it can be read is all that matters")]
struct Order {
    column: String,
    sort_order: i64,
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
    name: Option<String>,
    #[serde(rename = "Type")]
    data_type: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    parameters: Parameters,
}

impl StorageDescriptorInput {
    /// As the catalog keeps it. `place` is its path in the request, for complaints.
    pub(super) fn into_model(self, place: &str) -> Answer<StorageDescriptor> {
        read_kept::<Kept>(&self.kept)?;
        Ok(StorageDescriptor {
            columns: columns(self.columns, &format!("{place}.columns"))?,
            location: self.location,
            input_format: self.input_format,
            output_format: self.output_format,
            compressed: self.compressed,
            number_of_buckets: self.number_of_buckets,
            serde_info: self.serde_info.map(|serde| SerdeInfo {
                name: serde.name,
                serialization_library: serde.serialization_library,
                parameters: serde.parameters,
            }),
            bucket_columns: self.bucket_columns,
            parameters: self.parameters,
            stored_as_sub_directories: self.stored_as_sub_directories,
            other: self.kept,
        })
    }
}

/// Columns as the catalog keeps them. `place` is the list's path in the request, for complaints.
pub(super) fn columns(columns: Vec<ColumnInput>, place: &str) -> Answer<Vec<Column>> {
    let numbered = columns.into_iter().enumerate();
    numbered
        .map(|(index, column)| {
            Ok(Column {
                // AWS counts members from 1.
                name: required(column.name, &format!("{place}.{}.member.name", index + 1))?,
                data_type: column.data_type,
                comment: column.comment,
                parameters: column.parameters,
            })
        })
        .collect()
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
