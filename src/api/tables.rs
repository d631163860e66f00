//! `/api/v1/databases/{database}/tables`

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::State;
use super::error::{ApiResult, Problem, Query};
use super::page::{ListQuery, Page};
use super::result::{QueryResult, Rendering};
use super::version::Versioned;
use crate::app::App;
use crate::etl::query::RowForm;
use crate::model::name::TableRef;
use crate::model::table::UPDATED_BY_JOB;
use crate::{catalog, etl, model};

/// The most rows of a sample.
const MAX_SAMPLE: usize = 1000;

/// A table in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TableSummary {
    database: String,
    name: String,
    /// What its files are: csv, json, parquet.
    classification: Option<String>,
    location: Option<String>,
    /// How many columns it has, partition keys left out.
    columns: usize,
    partition_keys: Vec<String>,
    /// How many partitions it has.
    partitions: i64,
    version: i64,
    updated_at: DateTime<Utc>,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Table {
    database: String,
    name: String,
    /// 0 when made, one more with every change.
    version: i64,
    description: Option<String>,
    table_type: Option<String>,
    classification: Option<String>,
    location: Option<String>,
    columns: Vec<Column>,
    partition_keys: Vec<Column>,
    storage: Storage,
    parameters: BTreeMap<String, String>,
    /// How many partitions it has.
    partitions: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// The crawler or job that keeps it.
    updated_by: Option<String>,
}

/// A column, or a partition key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Column {
    name: String,
    /// In Hive's spelling: `array<struct<a:int>>`.
    #[serde(rename = "type")]
    data_type: String,
    comment: Option<String>,
}

/// How a table's files are read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Storage {
    input_format: Option<String>,
    output_format: Option<String>,
    serde: Option<String>,
    serde_parameters: BTreeMap<String, String>,
    compressed: bool,
}

/// A state that a table is or was in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TableVersion {
    version: i64,
    table: Table,
}

/// A partition.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Partition {
    /// One value for each partition key, in their order.
    values: Vec<String>,
    location: Option<String>,
    parameters: BTreeMap<String, String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A table as a statement.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ddl {
    /// Hive's `CREATE EXTERNAL TABLE`.
    ddl: String,
}

/// How many rows of a sample.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct SampleQuery {
    /// The most rows, 1 to 1000; 20 unless told.
    limit: Option<usize>,
}

impl From<model::table::Column> for Column {
    fn from(column: model::table::Column) -> Self {
        Self {
            name: column.name,
            data_type: column.data_type.unwrap_or_default(),
            comment: column.comment,
        }
    }
}

impl Table {
    fn of(table: model::table::Table, partitions: i64) -> Self {
        let input = table.input;
        let storage = input.storage.clone().unwrap_or_default();
        let serde = storage.serde_info.unwrap_or_default();
        let keeper = |name: &str| input.parameters.get(name).cloned();
        Self {
            database: table.database,
            version: table.version,
            classification: input.classification().map(str::to_owned),
            location: storage.location,
            columns: storage.columns.into_iter().map(Column::from).collect(),
            updated_by: keeper("UPDATED_BY_CRAWLER").or_else(|| keeper(UPDATED_BY_JOB)),
            name: input.name,
            description: input.description,
            table_type: input.table_type,
            partition_keys: input.partition_keys.into_iter().map(Column::from).collect(),
            storage: Storage {
                input_format: storage.input_format,
                output_format: storage.output_format,
                serde: serde.serialization_library,
                serde_parameters: serde.parameters,
                compressed: storage.compressed.unwrap_or(false),
            },
            parameters: input.parameters,
            partitions,
            created_at: table.created_at,
            updated_at: table.updated_at,
        }
    }
}

fn summary((table, partitions): (model::table::Table, i64)) -> TableSummary {
    let input = table.input;
    TableSummary {
        database: table.database,
        classification: input.classification().map(str::to_owned),
        location: input.location().map(str::to_owned),
        columns: input.columns().len(),
        name: input.name,
        partition_keys: input.partition_keys.into_iter().map(|key| key.name).collect(),
        partitions,
        version: table.version,
        updated_at: table.updated_at,
    }
}

/// List the tables of a database
#[utoipa::path(get, path = "/api/v1/databases/{database}/tables", operation_id = "list_tables", tag = "catalog",
    params(("database" = String, Path), ListQuery),
    responses((status = 200, body = Page<TableSummary>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Path(database): Path<String>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<TableSummary>>> {
    let page = catalog::tables::list(&app, &database, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, summary)))
}

/// Show a table
#[utoipa::path(get, path = "/api/v1/databases/{database}/tables/{table}", operation_id = "get_table", tag = "catalog",
    params(("database" = String, Path), ("table" = String, Path)),
    responses((status = 200, body = Table, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(
    State(app): State<App>,
    Path((database, table)): Path<(String, String)>,
) -> ApiResult<Versioned<Table>> {
    let name = TableRef::new(&database, &table)?;
    let table = catalog::tables::get(&app, &name).await?;
    let partitions = catalog::partitions::count(&app, &name).await?;
    Ok(Versioned::new(table.version, Table::of(table, partitions)))
}

/// Remove a table; objects stay
#[utoipa::path(delete, path = "/api/v1/databases/{database}/tables/{table}", operation_id = "delete_table", tag = "catalog",
    params(("database" = String, Path), ("table" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(
    State(app): State<App>,
    Path((database, table)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    catalog::tables::delete(&app, &TableRef::new(&database, &table)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the versions of a table, the newest first
#[utoipa::path(get, path = "/api/v1/databases/{database}/tables/{table}/versions", operation_id = "list_table_versions", tag = "catalog",
    params(("database" = String, Path), ("table" = String, Path), ListQuery),
    responses((status = 200, body = Page<TableVersion>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn versions(
    State(app): State<App>,
    Path((database, table)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<TableVersion>>> {
    let name = TableRef::new(&database, &table)?;
    let partitions = catalog::partitions::count(&app, &name).await?;
    let page = catalog::tables::versions(&app, &name, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, |table| TableVersion {
        version: table.version,
        table: Table::of(table, partitions),
    })))
}

/// List the partitions of a table, in the order of their values
#[utoipa::path(get, path = "/api/v1/databases/{database}/tables/{table}/partitions", operation_id = "list_partitions", tag = "catalog",
    params(("database" = String, Path), ("table" = String, Path), ListQuery),
    responses((status = 200, body = Page<Partition>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn partitions(
    State(app): State<App>,
    Path((database, table)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Partition>>> {
    let name = TableRef::new(&database, &table)?;
    let page = catalog::partitions::list(&app, &name, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, |partition| Partition {
        location: partition.location().map(str::to_owned),
        values: partition.own.values,
        parameters: partition.own.parameters,
        created_at: partition.created_at,
        updated_at: partition.updated_at,
    })))
}

/// Show the first rows of a table
#[utoipa::path(get, path = "/api/v1/databases/{database}/tables/{table}/sample", operation_id = "sample_table", tag = "catalog",
    params(("database" = String, Path), ("table" = String, Path), SampleQuery),
    responses((status = 200, body = QueryResult), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn sample(
    State(app): State<App>,
    Path((database, table)): Path<(String, String)>,
    Query(query): Query<SampleQuery>,
) -> ApiResult<Response> {
    let started = app.clock.now();
    let name = TableRef::new(&database, &table)?;
    let limit = query.limit.unwrap_or(20).clamp(1, MAX_SAMPLE);
    let answer = etl::query::sample(&app, &name, limit, RowForm::Listed).await?;
    Ok(Rendering::new(&app, started, RowForm::Listed, answer).response())
}

/// Show a table as a `CREATE EXTERNAL TABLE` statement
#[utoipa::path(get, path = "/api/v1/databases/{database}/tables/{table}/ddl", operation_id = "table_ddl", tag = "catalog",
    params(("database" = String, Path), ("table" = String, Path)),
    responses((status = 200, body = Ddl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn ddl(
    State(app): State<App>,
    Path((database, table)): Path<(String, String)>,
) -> ApiResult<axum::Json<Ddl>> {
    let table = catalog::tables::get(&app, &TableRef::new(&database, &table)?).await?;
    Ok(axum::Json(Ddl {
        ddl: catalog::ddl::create_statement(&table),
    }))
}
