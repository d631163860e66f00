//! Tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{
    Answer, Body, Failure, Members, check_catalog, nothing, page, required, seconds, token, without_nulls,
    wrong_token,
};
use crate::catalog::{iceberg, search, tables};
use crate::error::ErrorKind;
use crate::model::name::TableRef;
use crate::model::table::{Parameters, Table, TableInput};

use super::error::{ALREADY_EXISTS, detail, invalid};
use super::iceberg_metadata;
use super::storage::{
    self, ColumnInput, RenderedColumn, RenderedStorage, StorageDescriptorInput, rendered_columns,
};
use super::table_names;
use super::wording::in_glues_words;

/// The most tables of a page (`CatalogGetterPageSize`).
const MAX_PAGE: u32 = 100;
/// The most tables of a page of a search (`PageSize`).
const MAX_FOUND: u32 = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    catalog_id: Option<String>,
    database_name: String,
    name: Option<String>,
    table_input: Option<Input>,
    open_table_format_input: Option<OpenTableFormat>,
    #[serde(default)]
    partition_indexes: Vec<super::partition_indexes::Index>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OpenTableFormat {
    iceberg_input: Option<Iceberg>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Iceberg {
    create_iceberg_table_input: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    catalog_id: Option<String>,
    database_name: String,
    table_input: Option<Input>,
    #[serde(default)]
    skip_archive: bool,
    version_id: Option<String>,
    update_open_table_format_input: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: String,
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    catalog_id: Option<String>,
    database_name: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    #[serde(flatten)]
    named: Named,
    #[serde(default)]
    attributes_to_get: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedMany {
    catalog_id: Option<String>,
    database_name: String,
    tables_to_delete: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    database_name: String,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<u32>,
    #[serde(default)]
    attributes_to_get: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Search {
    catalog_id: Option<String>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Predicate>,
    #[serde(default)]
    search_text: String,
    #[serde(default)]
    sort_criteria: Vec<Criterion>,
    max_results: Option<u32>,
    resource_share_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Predicate {
    key: Option<String>,
    value: Option<String>,
    comparator: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Criterion {
    field_name: Option<String>,
    sort: Option<String>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let indexes: Vec<(String, Vec<String>)> = request
        .partition_indexes
        .into_iter()
        .map(|index| (index.index_name, index.keys))
        .collect();
    let input = match request
        .open_table_format_input
        .and_then(|format| format.iceberg_input)
    {
        Some(iceberg) => {
            let table = required(
                iceberg.create_iceberg_table_input,
                "openTableFormatInput.icebergInput.createIcebergTableInput",
            )?;
            let mut input = iceberg::new_table(app, &table).await?;
            let given = request.table_input.map(TableInput::from);
            input.name = required(
                request
                    .name
                    .or_else(|| given.as_ref().map(|given| given.name.clone())),
                "name",
            )?;
            if let Some(given) = given {
                input.description = given.description;
                input.owner = given.owner;
            }
            input
        }
        None => TableInput::from(required(request.table_input, "tableInput")?),
    };
    tables::create_with_indexes(app, &request.database_name, input, &indexes)
        .await
        .map_err(|error| {
            Failure::worded(
                error,
                ErrorKind::AlreadyExists,
                ALREADY_EXISTS,
                "Table already exists.",
            )
        })?;
    Ok(nothing())
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    if request.update_open_table_format_input.is_some() {
        return Err(invalid(
            "UpdateOpenTableFormatInput is not supported: commit to an Iceberg table by a new metadata file, and name it in \
             TableInput.",
        ));
    }
    let input = TableInput::from(required(request.table_input, "tableInput")?);
    let name = TableRef::new(&request.database_name, &input.name)?;
    let update = tables::Update {
        version: request.version_id.as_deref().map(version).transpose()?,
        skip_archive: request.skip_archive,
    };
    tables::update(app, &name, input, update)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

/// A version's number.
pub(super) fn version(id: &str) -> Answer<i64> {
    id.parse()
        .map_err(|_| invalid(format!("VersionId '{id}' is no version of a table.")))
}

pub(super) async fn get(app: &App, request: Get) -> Answer<Body> {
    let name = table_named(app, request.named)?;
    let attributes = &request.attributes_to_get;
    let table = tables::get(app, &name)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    if attributes
        .iter()
        .any(|wanted| wanted == "LATEST_ICEBERG_METADATA")
    {
        let mut shown = if is_reduced(attributes) {
            reduced(app, &table, attributes)
        } else {
            json!(rendered(app, &table))
        };
        shown["IcebergTableMetadata"] = json!(iceberg_metadata::latest(app, &table).await?);
        return Ok(json!({ "Table": shown }).into());
    }
    if is_reduced(attributes) {
        return Ok(json!({ "Table": reduced(app, &table, attributes) }).into());
    }
    Body::of(&BTreeMap::from([("Table", rendered(app, &table))]))
}

/// Whether a request is for a table with everything, of which the answer hangs on the catalog alone.
pub(super) fn is_whole(request: &Value) -> bool {
    const NAMED: [&str; 3] = ["CatalogId", "DatabaseName", "Name"];
    let members = request.as_object();
    members.is_some_and(|members| members.keys().all(|member| NAMED.contains(&member.as_str())))
}

pub(super) async fn list(app: &App, request: List) -> Answer<Body> {
    check_catalog(app, request.catalog_id.as_deref())?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let pattern = table_names::pattern(request.expression.as_deref().unwrap_or_default())?;
    let found = tables::list_named(app, &request.database_name, pattern.as_ref(), &page).await?;
    let token = token(found.next);
    let next_token = token.as_deref();
    let attributes = &request.attributes_to_get;
    if is_reduced(attributes) {
        let tables = found.items.iter().map(|table| reduced(app, table, attributes));
        let table_list = tables.collect();
        return Body::of(&TableList {
            table_list,
            next_token,
        });
    }
    let table_list = found.items.iter().map(|table| rendered(app, table)).collect();
    Body::of(&TableList {
        table_list,
        next_token,
    })
}

pub(super) async fn search(app: &App, request: Search) -> Answer<Body> {
    check_catalog(app, request.catalog_id.as_deref())?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_FOUND)?;
    if super::databases::is_elsewhere(request.resource_share_type.as_deref()) {
        return Ok(json!({ "TableList": [] }).into());
    }
    let filters: Answer<Vec<search::Filter>> = request.filters.into_iter().map(filter).collect();
    let sort = request.sort_criteria.iter().filter_map(|criterion| {
        let field = field(criterion.field_name.as_deref()?);
        Some((field, criterion.sort.as_deref() == Some("DESC")))
    });
    let search = search::Search {
        text: request.search_text,
        filters: filters?,
        sort: sort.collect(),
    };
    let found = search::tables(app, &search, &page)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::Invalid => wrong_token(),
            _ => error.into(),
        })?;
    let table_list = found.items.iter().map(|table| rendered(app, table)).collect();
    let token = token(found.next);
    Body::of(&TableList {
        table_list,
        next_token: token.as_deref(),
    })
}

fn filter(predicate: Predicate) -> Answer<search::Filter> {
    let key = required(predicate.key, "filters.1.member.key")?;
    let value = predicate.value.unwrap_or_default();
    let field = field(&key);
    if !matches!(field, search::Field::CreatedAt | search::Field::UpdatedAt) {
        return Ok(search::Filter::Is(field, value));
    }
    let time = value.parse::<f64>().ok().or_else(|| {
        let time = chrono::DateTime::parse_from_rfc3339(&value).ok()?;
        Some(seconds(time.to_utc()))
    });
    let time = time.ok_or_else(|| {
        invalid(format!(
            "The value '{value}' of the filter {key} is no time: write seconds since 1970, or 2022-01-31T00:00:00Z."
        ))
    })?;
    let test = match predicate.comparator.as_deref() {
        Some("GREATER_THAN") => search::TimeTest::Greater,
        Some("LESS_THAN") => search::TimeTest::Less,
        Some("GREATER_THAN_EQUALS") => search::TimeTest::GreaterOrEqual,
        Some("LESS_THAN_EQUALS") => search::TimeTest::LessOrEqual,
        _ => search::TimeTest::Equals,
    };
    Ok(search::Filter::Time(field, test, time))
}

/// The part of a table that a search names; what isn't one of its own is a parameter.
fn field(name: &str) -> search::Field {
    match name.to_ascii_lowercase().as_str() {
        "name" => search::Field::Name,
        "databasename" => search::Field::Database,
        "description" => search::Field::Description,
        "owner" => search::Field::Owner,
        "tabletype" => search::Field::TableType,
        "location" => search::Field::Location,
        "createtime" => search::Field::CreatedAt,
        "updatetime" => search::Field::UpdatedAt,
        _ => search::Field::Parameter(name.to_owned()),
    }
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    let name = table_named(app, request)?;
    tables::delete(app, &name)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

pub(super) async fn delete_many(app: &App, request: NamedMany) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let database = crate::catalog::databases::get(app, &request.database_name).await?;
    let named = |table: &String| TableRef::new(&request.database_name, table);
    let names: Vec<_> = request.tables_to_delete.iter().map(named).collect();
    let good: Vec<TableRef> = names
        .iter()
        .filter_map(|name| name.as_ref().ok().cloned())
        .collect();
    let mut deleted = tables::delete_all(app, &database.input.name, &good)
        .await?
        .into_iter();
    let mut errors = Vec::new();
    for (table, name) in request.tables_to_delete.iter().zip(names) {
        let outcome: Answer<()> = name.map_err(Failure::from).and_then(|name| {
            let outcome = deleted.next().unwrap_or(Ok(()));
            outcome.map_err(|error| in_glues_words(error, &name))
        });
        if let Err(failure) = outcome {
            errors.push(json!({ "TableName": table, "ErrorDetail": detail(failure)? }));
        }
    }
    Ok(json!({ "Errors": errors }))
}

impl From<Input> for TableInput {
    fn from(input: Input) -> Self {
        Self {
            name: input.name,
            description: input.description,
            owner: input.owner,
            table_type: input.table_type,
            storage: input.storage_descriptor.map(Into::into),
            partition_keys: storage::columns(input.partition_keys),
            parameters: input.parameters,
            other: input.kept,
        }
    }
}

fn table_named(app: &App, request: Named) -> Answer<TableRef> {
    check_catalog(app, request.catalog_id.as_deref())?;
    Ok(TableRef::new(&request.database_name, &request.name)?)
}

/// A table, or a version of one, as it is written to a client.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rendered<'a> {
    name: &'a str,
    database_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    create_time: f64,
    update_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_descriptor: Option<RenderedStorage<'a>>,
    partition_keys: Vec<RenderedColumn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_type: Option<&'a str>,
    parameters: &'a Parameters,
    created_by: String,
    is_registered_with_lake_formation: bool,
    catalog_id: &'a str,
    version_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_multi_dialect_view: Option<bool>,
    #[serde(flatten)]
    kept: &'a Members,
}

/// A table, or a version of one, for a client.
pub(super) fn rendered<'a>(app: &'a App, table: &'a Table) -> Rendered<'a> {
    let account = &app.config.catalog.account_id;
    let input = &table.input;
    let dialects = |view: &Value| view["Representations"].as_array().map_or(0, Vec::len);
    Rendered {
        name: &input.name,
        database_name: &table.database,
        description: input.description.as_deref(),
        owner: input.owner.as_deref(),
        create_time: seconds(table.created_at),
        update_time: seconds(table.updated_at),
        retention: (!input.other.contains_key("Retention")).then_some(0),
        storage_descriptor: input
            .storage
            .as_ref()
            .map(|storage| storage::rendered(storage, true)),
        partition_keys: rendered_columns(&input.partition_keys),
        table_type: input.table_type.as_deref(),
        parameters: &input.parameters,
        created_by: format!("arn:aws:iam::{account}:root"),
        is_registered_with_lake_formation: false,
        catalog_id: account,
        version_id: table.version.to_string(),
        is_multi_dialect_view: input.other.get("ViewDefinition").map(|view| dialects(view) > 1),
        kept: &input.other,
    }
}

/// A page of tables as it is written.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TableList<'a, T> {
    table_list: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

/// What is written of a table where only some attributes were asked for.
fn reduced(app: &App, table: &Table, attributes: &[String]) -> Value {
    let wants_type = attributes.iter().any(|wanted| wanted == "TABLE_TYPE");
    without_nulls(json!({
        "Name": table.input.name,
        "DatabaseName": table.database,
        "CatalogId": app.config.catalog.account_id,
        "TableType": table.input.table_type.as_ref().filter(|_| wants_type),
    }))
}

/// Whether only some attributes are asked for.
fn is_reduced(attributes: &[String]) -> bool {
    !attributes.is_empty() && !attributes.iter().any(|wanted| wanted == "DEFAULT")
}
