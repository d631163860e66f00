//! Tables.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::catalog::{iceberg, search, tables};
use crate::error::{Error, ErrorKind};
use crate::model::name::TableRef;
use crate::model::table::{Parameters, Table, TableInput};

use super::error::{Answer, Exception, Failure, detail};
use super::request::{Members, check_catalog, page, required, seconds, token, with_kept, wrong_token};
use super::storage::{self, ColumnInput, StorageDescriptorInput, rendered_columns};
use super::{nothing, table_names};

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
                Exception::AlreadyExists,
                "Table already exists.",
            )
        })?;
    Ok(nothing())
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    if request.update_open_table_format_input.is_some() {
        return Err(Failure::invalid(
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
        .map_err(|_| Failure::invalid(format!("VersionId '{id}' is no version of a table.")))
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
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let pattern = table_names::pattern(request.expression.as_deref().unwrap_or_default())?;
    let found = tables::list_named(app, &request.database_name, pattern.as_ref(), &page).await?;
    let list: Vec<Value> = found
        .items
        .iter()
        .map(|table| reduced(rendered(app, table), &request.attributes_to_get))
        .collect();
    Ok(json!({ "TableList": list, "NextToken": token(found.next) }))
}

pub(super) async fn search(app: &App, request: Search) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_FOUND)?;
    if super::databases::is_elsewhere(request.resource_share_type.as_deref()) {
        return Ok(json!({ "TableList": [] }));
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
    let list: Vec<Value> = found.items.iter().map(|table| rendered(app, table)).collect();
    Ok(json!({ "TableList": list, "NextToken": token(found.next) }))
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
        Failure::invalid(format!(
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
    crate::catalog::databases::get(app, &request.database_name).await?;
    let mut errors = Vec::new();
    for table in request.tables_to_delete {
        let deleted = async {
            let name = TableRef::new(&request.database_name, &table)?;
            tables::delete(app, &name)
                .await
                .map_err(|error| in_glues_words(error, &name))
        };
        if let Err(failure) = deleted.await {
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

/// A table, or a version of one, for a client.
pub(super) fn rendered(app: &App, table: &Table) -> Value {
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
    if let Some(view) = input.other.get("ViewDefinition") {
        let dialects = view
            .get("Representations")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        whole["IsMultiDialectView"] = (dialects > 1).into();
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
