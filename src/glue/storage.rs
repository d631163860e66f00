//! Storage descriptors and columns, which tables and partitions share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::Members;
use crate::model::table::{Column, Parameters, SerdeInfo, StorageDescriptor};

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

/// A storage descriptor as it is written to a client.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RenderedStorage<'a> {
    columns: Vec<RenderedColumn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_format: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<&'a str>,
    compressed: bool,
    number_of_buckets: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    serde_info: Option<RenderedSerde<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_columns: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Parameters>,
    stored_as_sub_directories: bool,
    #[serde(flatten)]
    kept: &'a Members,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RenderedSerde<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serialization_library: Option<&'a str>,
    parameters: &'a Parameters,
}

/// A column as it is written to a client.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RenderedColumn<'a> {
    name: &'a str,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    data_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: &'a Parameters,
}

/// A storage descriptor for a client; without its columns where they aren't wanted.
pub(super) fn rendered(storage: &StorageDescriptor, with_columns: bool) -> RenderedStorage<'_> {
    RenderedStorage {
        columns: if with_columns {
            rendered_columns(&storage.columns)
        } else {
            Vec::new()
        },
        location: storage.location.as_deref(),
        input_format: storage.input_format.as_deref(),
        output_format: storage.output_format.as_deref(),
        compressed: storage.compressed.unwrap_or(false),
        number_of_buckets: storage.number_of_buckets.unwrap_or(0),
        serde_info: storage.serde_info.as_ref().map(|serde| RenderedSerde {
            name: serde.name.as_deref(),
            serialization_library: serde.serialization_library.as_deref(),
            parameters: &serde.parameters,
        }),
        bucket_columns: storage.bucket_columns.as_deref(),
        parameters: storage.parameters.as_ref(),
        stored_as_sub_directories: storage.stored_as_sub_directories.unwrap_or(false),
        kept: &storage.other,
    }
}

/// Columns for a client.
pub(super) fn rendered_columns(columns: &[Column]) -> Vec<RenderedColumn<'_>> {
    columns
        .iter()
        .map(|column| RenderedColumn {
            name: &column.name,
            data_type: column.data_type.as_deref(),
            comment: column.comment.as_deref(),
            parameters: &column.parameters,
        })
        .collect()
}
