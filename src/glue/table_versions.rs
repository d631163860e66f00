//! Versions of tables.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, check_catalog, nothing, page, token};
use crate::catalog::tables;
use crate::model::name::TableRef;
use crate::model::table::Table;

use super::error::detail;
use super::tables::{rendered, version};
use super::wording::in_glues_words;

/// The most versions of a page (`CatalogGetterPageSize`).
const MAX_PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    version_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMany {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    version_ids: Vec<String>,
}

pub(super) async fn get(app: &App, request: Get) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let name = TableRef::new(&request.database_name, &request.table_name)?;
    let version = request.version_id.as_deref().map(version).transpose()?;
    let table = tables::version(app, &name, version)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(json!({ "TableVersion": rendered_version(app, &table) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let name = TableRef::new(&request.database_name, &request.table_name)?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = tables::versions(app, &name, &page)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    let list: Vec<Value> = found
        .items
        .iter()
        .map(|table| rendered_version(app, table))
        .collect();
    Ok(json!({ "TableVersions": list, "NextToken": token(found.next) }))
}

pub(super) async fn delete(app: &App, request: Delete) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let name = TableRef::new(&request.database_name, &request.table_name)?;
    tables::delete_version(app, &name, version(&request.version_id)?)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

pub(super) async fn delete_many(app: &App, request: DeleteMany) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let name = TableRef::new(&request.database_name, &request.table_name)?;
    let versions: Vec<Answer<i64>> = request.version_ids.iter().map(|id| version(id)).collect();
    let known: Vec<i64> = versions
        .iter()
        .filter_map(|read| read.as_ref().ok().copied())
        .collect();
    let deleted = tables::delete_versions(app, &name, &known)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    let mut deleted = deleted.into_iter();
    let mut errors = Vec::new();
    for (id, read) in request.version_ids.iter().zip(versions) {
        let outcome = read.and_then(|_| {
            let outcome = deleted.next().unwrap_or(Ok(()));
            outcome.map_err(|error| in_glues_words(error, &name))
        });
        if let Err(failure) = outcome {
            errors.push(json!({ "TableName": name.name, "VersionId": id, "ErrorDetail": detail(failure)? }));
        }
    }
    Ok(json!({ "Errors": errors }))
}

fn rendered_version(app: &App, table: &Table) -> Value {
    json!({ "Table": rendered(app, table), "VersionId": table.version.to_string() })
}
