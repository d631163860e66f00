//! `/api/v1/crawls`

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::State;
use super::crawl_options::Options;
use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use super::targets::AdditionalMetadata;
use crate::app::App;
use crate::crawl;
use crate::error::Error;
use crate::model::crawl as nouns;
use crate::model::location::Location;
use crate::model::name::identifier;

/// A prefix, or tables of another database, to be crawled once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCrawl {
    /// `s3://bucket/prefix/`; with a connection, `database/schema/table`.
    path: String,
    /// Globs of what is left out, relative to the path.
    #[serde(default)]
    exclusions: Vec<String>,
    /// How many files of each folder are looked at, 1 to 249; as many as are needed where nothing is said.
    sample_size: Option<u32>,
    /// The connection that leads to a database.
    connection: Option<String>,
    /// What of a database's tables is taken besides their columns.
    #[serde(default)]
    additional_metadata: Vec<AdditionalMetadata>,
    /// Where an S3 Inventory of the bucket is, which is taken instead of a listing: a manifest, or the folder with the dated
    /// folders of a configuration.
    inventory: Option<String>,
    /// The database that tables go to; named after the prefix unless told.
    database: Option<String>,
    /// Put before every table's name.
    table_prefix: Option<String>,
    /// Custom classifiers that are asked before the built-in ones, in this order.
    #[serde(default)]
    classifiers: Vec<String>,
    #[serde(default)]
    options: Options,
    /// Plan only; change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// A crawl in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CrawlSummary {
    id: String,
    crawler: Option<String>,
    database: String,
    targets: Vec<String>,
    dry_run: bool,
    /// QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
    state: &'static str,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    /// When what it changed was put back.
    undone_at: Option<DateTime<Utc>>,
    error: Option<String>,
    /// Objects listed.
    objects: i64,
    /// Files that were looked at.
    files_read: i64,
    /// Bytes read of them.
    bytes_read: i64,
    /// Files that were not read, because an earlier crawl had read the same version of them.
    files_known: i64,
    /// Tables found so far.
    tables: i64,
    /// Changes that the plan makes to the catalog.
    changes: usize,
    /// Files that were set aside.
    warnings: usize,
}

/// A crawl.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Crawl {
    #[serde(flatten)]
    summary: CrawlSummary,
    /// What it changes, or would; null until it is known.
    plan: Option<Plan>,
}

/// What a crawl changes, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Plan {
    changes: Vec<Change>,
    set_aside: Vec<SetAside>,
    tables: Vec<PlannedTable>,
}

/// One line of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Change {
    op: ChangeOp,
    kind: ChangeKind,
    name: String,
    detail: String,
    reason: String,
    /// Partitions by name, `year=2022/month=1`; the first hundred of many.
    items: Vec<String>,
}

/// What happens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChangeOp {
    Add,
    Change,
    Retire,
    Unchanged,
}

/// To what it happens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChangeKind {
    Database,
    Table,
    Column,
    Partitions,
}

/// A file that no table was made of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SetAside {
    path: String,
    reason: String,
}

/// A table that a crawl found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlannedTable {
    database: String,
    name: String,
    location: String,
    classification: String,
    partition_keys: Vec<String>,
    partitions: i64,
    files: i64,
    bytes: i64,
    columns: Vec<PlannedColumn>,
    reasons: Vec<String>,
}

/// A column that a crawl found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlannedColumn {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    reason: String,
}

impl From<nouns::Plan> for Plan {
    fn from(plan: nouns::Plan) -> Self {
        let column = |column: nouns::PlannedColumn| PlannedColumn {
            name: column.name,
            data_type: column.data_type,
            reason: column.reason,
        };
        Self {
            changes: plan.changes.into_iter().map(Change::from).collect(),
            set_aside: plan
                .set_aside
                .into_iter()
                .map(|aside| SetAside {
                    path: aside.path,
                    reason: aside.reason,
                })
                .collect(),
            tables: plan
                .tables
                .into_iter()
                .map(|table| PlannedTable {
                    database: table.database,
                    name: table.name,
                    location: table.location,
                    classification: table.classification,
                    partition_keys: table.partition_keys,
                    partitions: table.partitions,
                    files: table.files,
                    bytes: table.bytes,
                    columns: table.columns.into_iter().map(column).collect(),
                    reasons: table.reasons,
                })
                .collect(),
        }
    }
}

impl From<nouns::Change> for Change {
    fn from(change: nouns::Change) -> Self {
        Self {
            op: match change.op {
                nouns::ChangeOp::Add => ChangeOp::Add,
                nouns::ChangeOp::Change => ChangeOp::Change,
                nouns::ChangeOp::Retire => ChangeOp::Retire,
                nouns::ChangeOp::Unchanged => ChangeOp::Unchanged,
            },
            kind: match change.kind {
                nouns::ChangeKind::Database => ChangeKind::Database,
                nouns::ChangeKind::Table => ChangeKind::Table,
                nouns::ChangeKind::Column => ChangeKind::Column,
                nouns::ChangeKind::Partitions => ChangeKind::Partitions,
            },
            name: change.name,
            detail: change.detail,
            reason: change.reason,
            items: change.items,
        }
    }
}

impl From<nouns::CrawlSummary> for CrawlSummary {
    fn from(crawl: nouns::CrawlSummary) -> Self {
        let plan = crawl.plan.unwrap_or_default();
        Self {
            id: crawl.id,
            crawler: crawl.request.crawler,
            database: crawl.request.database,
            targets: crawl
                .request
                .targets
                .into_iter()
                .map(|target| target.path)
                .collect(),
            dry_run: crawl.request.dry_run,
            state: crawl.state.as_str(),
            started_at: crawl.started_at,
            finished_at: crawl.finished_at,
            undone_at: crawl.undone_at,
            error: crawl.error,
            objects: crawl.progress.objects,
            files_read: crawl.progress.files_read,
            bytes_read: crawl.progress.bytes_read,
            files_known: crawl.progress.files_known,
            tables: crawl.progress.tables,
            changes: plan.changes,
            warnings: plan.set_aside,
        }
    }
}

impl From<nouns::Crawl> for Crawl {
    fn from(crawl: nouns::Crawl) -> Self {
        let (summary, plan) = crawl.summed_up();
        Self {
            summary: summary.into(),
            plan: plan.map(Plan::from),
        }
    }
}

/// Which crawls are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CrawlsQuery {
    /// Of this crawler alone, and without its dry runs.
    crawler: Option<String>,
    /// The most items, 1 to 1000; 100 unless told.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// List crawls, the newest first
#[utoipa::path(get, path = "/api/v1/crawls", operation_id = "list_crawls", tag = "crawling", params(CrawlsQuery),
    responses((status = 200, body = Page<CrawlSummary>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<CrawlsQuery>,
) -> ApiResult<axum::Json<Page<CrawlSummary>>> {
    let asked = ListQuery::new(query.limit, query.cursor).request()?;
    let page = crawl::list(&app, query.crawler.as_deref(), |_| true, &asked).await?;
    Ok(axum::Json(Page::of(page, CrawlSummary::from)))
}

/// Crawl a prefix once
#[utoipa::path(post, path = "/api/v1/crawls", operation_id = "start_crawl", tag = "crawling", request_body = NewCrawl,
    responses((status = 202, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn start(
    State(app): State<App>,
    Json(new): Json<NewCrawl>,
) -> ApiResult<(StatusCode, axum::Json<Crawl>)> {
    let database = match new.database {
        Some(database) => database,
        None => named_after(&new)?,
    };
    let request = nouns::CrawlRequest {
        database,
        targets: vec![nouns::CrawlTarget {
            path: new.path,
            exclusions: new.exclusions,
            sample_size: new.sample_size,
            connection: new.connection,
            additional_metadata: new.additional_metadata.into_iter().map(Into::into).collect(),
            inventory: new.inventory,
        }],
        table_prefix: new.table_prefix,
        classifiers: new.classifiers,
        options: new.options.into(),
        dry_run: new.dry_run,
        crawler: None,
    };
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(crawl::start(&app, request).await?.into()),
    ))
}

/// The database of a crawl that names none: the prefix's last folder, or the bucket; of a connection, what the path begins
/// with.
fn named_after(new: &NewCrawl) -> Result<String, Error> {
    if let Some(connection) = &new.connection {
        let mut parts = new.path.split('/').filter(|part| !part.is_empty());
        return Ok(identifier(parts.next().unwrap_or(connection)));
    }
    let location = Location::parse(&new.path)?;
    let folder = location
        .key
        .rsplit('/')
        .find(|segment| !segment.is_empty())
        .unwrap_or(&location.bucket);
    Ok(identifier(folder))
}

/// Show a crawl with its plan
#[utoipa::path(get, path = "/api/v1/crawls/{id}", operation_id = "get_crawl", tag = "crawling", params(("id" = String, Path)),
    responses((status = 200, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(id): Path<String>) -> ApiResult<axum::Json<Crawl>> {
    Ok(axum::Json(crawl::get(&app, &id).await?.into()))
}

/// A crawl's log, as text
#[utoipa::path(get, path = "/api/v1/crawls/{id}/logs", operation_id = "crawl_log", tag = "crawling", params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn log(State(app): State<App>, Path(id): Path<String>) -> ApiResult<impl IntoResponse> {
    let crawl = crawl::get(&app, &id).await?;
    let lines: String = crawl::log::lines(&crawl)
        .into_iter()
        .map(|line| line + "\n")
        .collect();
    Ok(lines)
}

/// Stop a crawl; what a large one wrote until then stays, and can be undone
#[utoipa::path(post, path = "/api/v1/crawls/{id}/cancel", operation_id = "cancel_crawl", tag = "crawling", params(("id" = String, Path)),
    responses((status = 202, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<(StatusCode, axum::Json<Crawl>)> {
    let crawl = crawl::cancel(&app, &id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(crawl.into())))
}

/// Put back what a crawl changed; refused where somebody changed it since
#[utoipa::path(post, path = "/api/v1/crawls/{id}/undo", operation_id = "undo_crawl", tag = "crawling", params(("id" = String, Path)),
    responses((status = 200, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn undo(State(app): State<App>, Path(id): Path<String>) -> ApiResult<axum::Json<Crawl>> {
    Ok(axum::Json(crawl::undo(&app, &id).await?.into()))
}
