//! `/api/v1/sql`, `/api/v1/search` and `/api/v1/system`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiResult, Json, Problem, Query};
use super::page::Page;
use crate::app::App;
use crate::error::{Error, Result};
use crate::{catalog, etl};

const DEFAULT_ROWS: usize = 1000;
const MAX_ROWS: usize = 100_000;
const MAX_FOUND: u32 = 100;

/// A query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlRequest {
    /// One SELECT over catalogued tables, written as `database.table`.
    query: String,
    /// The most rows, 1 to 100000; 1000 unless told.
    limit: Option<usize>,
}

/// Rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueryResult {
    columns: Vec<ResultColumn>,
    /// A value for each column: null, true, false, a number or text.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    rows: Vec<Vec<serde_json::Value>>,
    /// Whether there are more rows.
    truncated: bool,
    /// How long it took, in milliseconds.
    elapsed_ms: i64,
}

/// A column of a result.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultColumn {
    name: String,
    /// In Hive's spelling.
    #[serde(rename = "type")]
    data_type: String,
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct SearchQuery {
    /// Part of a name.
    q: String,
}

/// Something whose name contains what was looked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Found {
    /// database, table, job or crawler.
    kind: String,
    database: Option<String>,
    name: String,
    detail: Option<String>,
}

/// The program itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct System {
    version: &'static str,
    account_id: String,
    region: String,
    /// sqlite or postgres.
    database_kind: &'static str,
    /// The embedded object store; null where another is used.
    lake: Option<LakeSystem>,
}

/// The embedded object store.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LakeSystem {
    endpoint: String,
    buckets: Vec<String>,
}

/// Renders a query's answer with the time that it took.
pub(super) async fn answer(
    app: &App,
    query: impl Future<Output = Result<etl::query::QueryResult>>,
) -> ApiResult<axum::Json<QueryResult>> {
    let started = app.clock.now();
    let result = query.await?;
    let column = |(name, data_type)| ResultColumn { name, data_type };
    Ok(axum::Json(QueryResult {
        columns: result.columns.into_iter().map(column).collect(),
        rows: result.rows,
        truncated: result.truncated,
        elapsed_ms: (app.clock.now() - started).num_milliseconds(),
    }))
}

/// Query catalogued tables
#[utoipa::path(post, path = "/api/v1/sql", operation_id = "run_sql", tag = "sql", request_body = SqlRequest,
    responses((status = 200, body = QueryResult), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn query(
    State(app): State<App>,
    Json(request): Json<SqlRequest>,
) -> ApiResult<axum::Json<QueryResult>> {
    let limit = request.limit.unwrap_or(DEFAULT_ROWS);
    if !(1..=MAX_ROWS).contains(&limit) {
        return Err(Error::invalid(format!("limit is {limit}"))
            .hint("it may be 1 to 100000")
            .into());
    }
    answer(&app, async { etl::query::run(&app, &request.query, limit).await }).await
}

/// Find databases, tables, jobs and crawlers by name
#[utoipa::path(get, path = "/api/v1/search", operation_id = "search", tag = "catalog", params(SearchQuery),
    responses((status = 200, body = Page<Found>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn search(
    State(app): State<App>,
    Query(query): Query<SearchQuery>,
) -> ApiResult<axum::Json<Page<Found>>> {
    let found = catalog::search::everything(&app, &query.q, MAX_FOUND).await?;
    let render = |(kind, database, name)| Found {
        kind,
        database,
        name,
        detail: None,
    };
    Ok(axum::Json(Page::whole(found.into_iter().map(render).collect())))
}

/// Describe the running program
#[utoipa::path(get, path = "/api/v1/system", operation_id = "system", tag = "system",
    responses((status = 200, body = System), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn system(State(app): State<App>) -> axum::Json<System> {
    let lake = app.config.lake.as_ref().map(|lake| LakeSystem {
        endpoint: format!("http://{}", lake.listen),
        buckets: lake.buckets.clone(),
    });
    axum::Json(System {
        version: env!("CARGO_PKG_VERSION"),
        account_id: app.config.catalog.account_id.clone(),
        region: app.config.catalog.region.clone(),
        database_kind: if app.store.is_sqlite() {
            "sqlite"
        } else {
            "postgres"
        },
        lake,
    })
}
