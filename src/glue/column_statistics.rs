//! Statistics of columns, of tables and of partitions.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, Members, nothing};
use crate::catalog::statistics;
use crate::error::{Error, ErrorKind, Subject};
use crate::model::name::TableRef;

use super::error::{ENTITY_NOT_FOUND, detail};
use super::partitions::Place;
use super::wording::in_glues_words;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    #[serde(flatten)]
    place: Place,
    partition_values: Option<Vec<String>>,
    column_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    #[serde(flatten)]
    place: Place,
    partition_values: Option<Vec<String>>,
    column_statistics_list: Vec<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    #[serde(flatten)]
    place: Place,
    partition_values: Option<Vec<String>>,
    column_name: String,
}

pub(super) async fn get(app: &App, request: Get) -> Answer {
    let name = request.place.table(app)?;
    let found = statistics::list(app, &name, request.partition_values.as_deref())
        .await
        .map_err(|error| worded(error, &name))?;
    let (mut list, mut errors) = (Vec::new(), Vec::new());
    for column in request.column_names {
        let folded = column.to_lowercase();
        match found.iter().find(|(known, _)| *known == folded) {
            Some((_, statistics)) => list.push(Value::Object(statistics.clone())),
            None => {
                let message = format!("Column {column} has no statistics.");
                let failure = Failure::new(ENTITY_NOT_FOUND, message);
                errors.push(json!({ "ColumnName": column, "Error": detail(failure)? }));
            }
        }
    }
    Ok(json!({ "ColumnStatisticsList": list, "Errors": errors }))
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    let name = request.place.table(app)?;
    let column = |statistics: &Members| match statistics.get("ColumnName") {
        Some(Value::String(column)) => column.clone(),
        _ => String::new(),
    };
    let given: Vec<(String, Members)> = request
        .column_statistics_list
        .into_iter()
        .map(|statistics| (column(&statistics), statistics))
        .collect();
    let kept = statistics::update(app, &name, request.partition_values.as_deref(), &given)
        .await
        .map_err(|error| worded(error, &name))?;
    let mut errors = Vec::new();
    for ((column, statistics), kept) in given.into_iter().zip(kept) {
        if !kept {
            let message = format!("Column {column} not found.");
            let failure = Failure::new(ENTITY_NOT_FOUND, message);
            errors.push(json!({ "ColumnStatistics": statistics, "Error": detail(failure)? }));
        }
    }
    Ok(json!({ "Errors": errors }))
}

pub(super) async fn delete(app: &App, request: Delete) -> Answer {
    let name = request.place.table(app)?;
    statistics::delete(
        app,
        &name,
        request.partition_values.as_deref(),
        &request.column_name,
    )
    .await
    .map_err(|error| worded(error, &name))?;
    Ok(nothing())
}

fn worded(error: Error, table: &TableRef) -> Failure {
    if (error.kind, error.subject) == (ErrorKind::NotFound, Some(Subject::Partition)) {
        return super::partitions::worded(error);
    }
    in_glues_words(error, table)
}
