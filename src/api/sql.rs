//! `/api/v1/sql`, `/api/v1/search` and `/api/v1/system`

use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::State;
use super::error::{ApiResult, Json, Problem, Query};
use super::page::Page;
use super::result::{QueryResult, Rendering, form_for};
use crate::app::App;
use crate::{catalog, etl};

const DEFAULT_ROWS: usize = 1000;
const MAX_FOUND: u32 = 100;

/// A query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlRequest {
    /// One SELECT over catalogued tables, written as `database.table`.
    query: String,
    /// The most rows, 1 to what the setting query.max_rows says (100000 unless it is set); 1000 unless told.
    limit: Option<usize>,
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

/// Query catalogued tables
///
/// Rows are sent as they come. Asked for `application/x-ndjson`, the answer has a line with the columns, a line for each
/// row, and a last line, which is `{"rows": …, "truncated": …, "elapsed_ms": …}`. What goes wrong after a large result
/// began is its last member, or its last line: `error`; and the connection is broken off.
#[utoipa::path(post, path = "/api/v1/sql", operation_id = "run_sql", tag = "sql", request_body = SqlRequest,
    responses(
        (status = 200, content((QueryResult = "application/json"), (String = "application/x-ndjson"))),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn query(
    State(app): State<App>,
    headers: HeaderMap,
    Json(request): Json<SqlRequest>,
) -> ApiResult<Response> {
    let started = app.clock.now();
    let form = form_for(&headers);
    let limit = request
        .limit
        .unwrap_or(DEFAULT_ROWS.min(app.config.query.max_rows));
    let answer = etl::query::begin(&app, &request.query, limit, form).await?;
    Ok(Rendering::new(&app, started, form, answer).response())
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
        database_kind: if app.config.database_url.starts_with("sqlite:") {
            "sqlite"
        } else {
            "postgres"
        },
        lake,
    })
}
