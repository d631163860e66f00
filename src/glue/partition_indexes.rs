//! Partition indexes. Every table is indexed by its partition keys; these say what clients asked for.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, nothing};
use crate::catalog::partitions;
use crate::error::{Error, ErrorKind};
use crate::model::name::TableRef;

use super::error::ALREADY_EXISTS;
use super::partitions::Place;
use super::wording::in_glues_words;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    #[serde(flatten)]
    place: Place,
    partition_index: Index,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Index {
    pub(super) index_name: String,
    pub(super) keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    #[serde(flatten)]
    place: Place,
    index_name: String,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    let name = request.place.table(app)?;
    let index = request.partition_index;
    partitions::create_index(app, &name, &index.index_name, &index.keys)
        .await
        .map_err(|error| worded(error, &name))?;
    Ok(nothing())
}

pub(super) async fn list(app: &App, request: Place) -> Answer {
    let name = request.table(app)?;
    let (table, indexes) = partitions::indexes(app, &name)
        .await
        .map_err(|error| worded(error, &name))?;
    let data_type = |key: &String| {
        let known = table.input.partition_keys.iter().find(|known| known.name == *key);
        known.and_then(|known| known.data_type.clone())
    };
    let list: Vec<Value> = indexes
        .iter()
        .map(|(index, keys)| {
            let keys: Vec<Value> = keys
                .iter()
                .map(|key| json!({ "Name": key, "Type": data_type(key).unwrap_or_else(|| "string".to_owned()) }))
                .collect();
            json!({ "IndexName": index, "Keys": keys, "IndexStatus": "ACTIVE", "BackfillErrors": [] })
        })
        .collect();
    Ok(json!({ "PartitionIndexDescriptorList": list }))
}

pub(super) async fn delete(app: &App, request: Delete) -> Answer {
    let name = request.place.table(app)?;
    partitions::delete_index(app, &name, &request.index_name)
        .await
        .map_err(|error| worded(error, &name))?;
    Ok(nothing())
}

fn worded(error: Error, table: &TableRef) -> Failure {
    match error.kind {
        ErrorKind::AlreadyExists => Failure::new(ALREADY_EXISTS, format!("{}.", error.message)),
        _ => in_glues_words(error, table),
    }
}
