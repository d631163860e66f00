//! Tables.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::catalog::tables;
use crate::error::{Error, ErrorKind};
use crate::model::name::TableRef;
use crate::model::table::{Parameters, Table, TableInput};

use super::error::{Answer, Exception, Failure};
use super::request::{Members, check_catalog, page, read_kept, required, seconds, token, with_kept};
use super::storage::{self, ColumnInput, StorageDescriptorInput, rendered_columns};
use super::{nothing, table_names};

/// The most tables of a page (`CatalogGetterPageSize`).
const MAX_PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    catalog_id: Option<String>,
    database_name: Option<String>,
    table_input: Option<Input>,
    open_table_format_input: Option<Members>,
    #[serde(default)]
    partition_indexes: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: Option<String>,
    description: Option<String>,
    owner: Option<String>,
    table_type: Option<String>,
    storage_descriptor: Option<StorageDescriptorInput>,
    #[serde(default)]
    partition_keys: Vec<ColumnInput>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(flatten)]
    kept: Members,
}

/// The types of what is kept of an [`Input`].
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "that it can be read is all that matters")]
struct Kept {
    retention: Option<i64>,
    last_access_time: Option<f64>,
    last_analyzed_time: Option<f64>,
    view_original_text: Option<String>,
    view_expanded_text: Option<String>,
    target_table: Option<Members>,
    view_definition: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    catalog_id: Option<String>,
    database_name: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    database_name: Option<String>,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    #[serde(default)]
    attributes_to_get: Vec<String>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let database = required(request.database_name, "databaseName")?;
    if request.open_table_format_input.is_some() {
        return Err(Failure::invalid(
            "OpenTableFormatInput is not supported yet: write the table's first metadata file, and name it in TableInput.",
        ));
    }
    if !request.partition_indexes.is_empty() {
        return Err(Failure::invalid(
            "PartitionIndexes are not supported yet: leave them out.",
        ));
    }
    let input = required(request.table_input, "tableInput")?.into_model()?;
    tables::create(app, &database, input).await.map_err(|error| {
        Failure::worded(
            error,
            ErrorKind::AlreadyExists,
            Exception::AlreadyExists,
            "Table already exists.",
        )
    })?;
    Ok(nothing())
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    let name = table_named(app, request)?;
    let table = tables::get(app, &name)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(json!({ "Table": rendered(app, &table) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let database = required(request.database_name, "databaseName")?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let pattern = table_names::pattern(request.expression.as_deref().unwrap_or_default())?;
    let found = tables::list_named(app, &database, pattern.as_ref(), &page).await?;
    let list: Vec<Value> = found
        .items
        .iter()
        .map(|table| reduced(rendered(app, table), &request.attributes_to_get))
        .collect();
    Ok(json!({ "TableList": list, "NextToken": token(found.next) }))
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    let name = table_named(app, request)?;
    tables::delete(app, &name)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

impl Input {
    fn into_model(self) -> Answer<TableInput> {
        read_kept::<Kept>(&self.kept)?;
        let storage = self
            .storage_descriptor
            .map(|storage| storage.into_model("tableInput.storageDescriptor"));
        Ok(TableInput {
            name: required(self.name, "tableInput.name")?,
            description: self.description,
            owner: self.owner,
            table_type: self.table_type,
            storage: storage.transpose()?,
            partition_keys: storage::columns(self.partition_keys, "tableInput.partitionKeys")?,
            parameters: self.parameters,
            other: self.kept,
        })
    }
}

fn table_named(app: &App, request: Named) -> Answer<TableRef> {
    check_catalog(app, request.catalog_id.as_deref())?;
    let database = required(request.database_name, "databaseName")?;
    Ok(TableRef::new(&database, &required(request.name, "name")?)?)
}

/// Glue says which table isn't there and not where, and clients compare the sentence.
pub(super) fn in_glues_words(mut error: Error, table: &TableRef) -> Failure {
    let place = format!(" in database {}", table.database);
    if error.kind == ErrorKind::NotFound
        && let Some(shorter) = error.message.strip_suffix(&place)
    {
        error.message = shorter.to_owned();
    }
    error.into()
}

fn rendered(app: &App, table: &Table) -> Value {
    let account = &app.config.catalog.account_id;
    let input = &table.input;
    let own = json!({
        "Name": input.name,
        "DatabaseName": table.database,
        "Description": input.description,
        "Owner": input.owner,
        "CreateTime": seconds(table.created_at),
        "UpdateTime": seconds(table.updated_at),
        "StorageDescriptor": input.storage.as_ref().map(|storage| storage::rendered(storage, true)),
        "PartitionKeys": rendered_columns(&input.partition_keys),
        "TableType": input.table_type,
        "Parameters": input.parameters,
        "CreatedBy": format!("arn:aws:iam::{account}:root"),
        "IsRegisteredWithLakeFormation": false,
        "CatalogId": account,
        "VersionId": table.version.to_string(),
    });
    let mut whole = with_kept(own, &input.other);
    if whole.get("Retention").is_none() {
        whole["Retention"] = 0.into();
    }
    whole
}

/// The attributes that were asked for: the name always, everything where nothing less was.
fn reduced(mut table: Value, attributes: &[String]) -> Value {
    let wanted = |attribute: &str| attributes.iter().any(|wanted| wanted == attribute);
    if !attributes.is_empty()
        && !wanted("DEFAULT")
        && let Value::Object(members) = &mut table
    {
        members.retain(|name, _| match name.as_str() {
            "Name" | "DatabaseName" | "CatalogId" => true,
            "TableType" => wanted("TABLE_TYPE"),
            _ => false,
        });
    }
    table
}
