//! `/api/v1/crawlers` and `/api/v1/crawls`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use crate::app::App;
use crate::error::Error;
use crate::model::crawl as nouns;
use crate::model::location::Location;
use crate::model::name::identifier;
use crate::{crawl, crawl::crawlers};

/// A crawl that has a name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Crawler {
    name: String,
    role: Option<String>,
    database: String,
    description: Option<String>,
    targets: Vec<Target>,
    table_prefix: Option<String>,
    /// READY or RUNNING.
    state: &'static str,
    last_crawl: Option<CrawlSummary>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One prefix that is crawled.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// `s3://bucket/prefix/`
    path: String,
    /// Globs of what is left out, relative to the path.
    #[serde(default)]
    exclusions: Vec<String>,
}

/// A crawler to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCrawler {
    name: String,
    database: String,
    targets: Vec<Target>,
    description: Option<String>,
    table_prefix: Option<String>,
}

/// How a crawler is started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StartCrawler {
    /// Plan only; change nothing.
    dry_run: bool,
}

/// A prefix to be crawled once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCrawl {
    /// `s3://bucket/prefix/`
    path: String,
    /// The database that tables go to; named after the prefix unless told.
    database: Option<String>,
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
    error: Option<String>,
    /// Objects listed.
    objects: i64,
    /// Files that were looked at.
    files_read: i64,
    /// Bytes read of them.
    bytes_read: i64,
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
        }
    }
}

impl From<&nouns::Crawl> for CrawlSummary {
    fn from(crawl: &nouns::Crawl) -> Self {
        Self {
            id: crawl.id.clone(),
            crawler: crawl.request.crawler.clone(),
            database: crawl.request.database.clone(),
            targets: crawl
                .request
                .targets
                .iter()
                .map(|target| target.path.clone())
                .collect(),
            dry_run: crawl.request.dry_run,
            state: crawl.state.as_str(),
            started_at: crawl.started_at,
            finished_at: crawl.finished_at,
            error: crawl.error.clone(),
            objects: crawl.progress.objects,
            files_read: crawl.progress.files_read,
            bytes_read: crawl.progress.bytes_read,
            changes: crawl.plan.as_ref().map_or(0, nouns::Plan::change_count),
            warnings: crawl.plan.as_ref().map_or(0, |plan| plan.set_aside.len()),
        }
    }
}

impl From<nouns::Crawl> for Crawl {
    fn from(crawl: nouns::Crawl) -> Self {
        Self {
            summary: CrawlSummary::from(&crawl),
            plan: crawl.plan.map(Plan::from),
        }
    }
}

impl From<nouns::Crawler> for Crawler {
    fn from(crawler: nouns::Crawler) -> Self {
        let input = crawler.input;
        let target = |target: nouns::CrawlTarget| Target {
            path: target.path,
            exclusions: target.exclusions,
        };
        Self {
            name: input.name,
            role: input.role,
            database: input.database,
            description: input.description,
            targets: input.targets.into_iter().map(target).collect(),
            table_prefix: input.table_prefix,
            state: if crawler.running { "RUNNING" } else { "READY" },
            last_crawl: crawler.last_crawl.as_ref().map(CrawlSummary::from),
            created_at: crawler.created_at,
            updated_at: crawler.updated_at,
        }
    }
}

/// List crawlers
#[utoipa::path(get, path = "/api/v1/crawlers", operation_id = "list_crawlers", tag = "crawling", params(ListQuery),
    responses((status = 200, body = Page<Crawler>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Crawler>>> {
    Ok(axum::Json(Page::of(
        crawlers::list(&app, &query.request()?).await?,
        Crawler::from,
    )))
}

/// Make a crawler
#[utoipa::path(post, path = "/api/v1/crawlers", operation_id = "create_crawler", tag = "crawling", request_body = NewCrawler,
    responses((status = 201, body = Crawler), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(app): State<App>,
    Json(new): Json<NewCrawler>,
) -> ApiResult<(StatusCode, axum::Json<Crawler>)> {
    let target = |target: Target| nouns::CrawlTarget {
        path: target.path,
        exclusions: target.exclusions,
    };
    let input = nouns::CrawlerInput {
        name: new.name,
        database: new.database,
        description: new.description,
        targets: new.targets.into_iter().map(target).collect(),
        table_prefix: new.table_prefix,
        ..Default::default()
    };
    Ok((
        StatusCode::CREATED,
        axum::Json(crawlers::create(&app, input).await?.into()),
    ))
}

/// Show a crawler
#[utoipa::path(get, path = "/api/v1/crawlers/{name}", operation_id = "get_crawler", tag = "crawling", params(("name" = String, Path)),
    responses((status = 200, body = Crawler), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(name): Path<String>) -> ApiResult<axum::Json<Crawler>> {
    Ok(axum::Json(crawlers::get(&app, &name).await?.into()))
}

/// Remove a crawler; its tables stay
#[utoipa::path(delete, path = "/api/v1/crawlers/{name}", operation_id = "delete_crawler", tag = "crawling", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(State(app): State<App>, Path(name): Path<String>) -> ApiResult<StatusCode> {
    crawlers::delete(&app, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Start a crawler
#[utoipa::path(post, path = "/api/v1/crawlers/{name}/crawls", operation_id = "start_crawler", tag = "crawling",
    params(("name" = String, Path)), request_body = StartCrawler,
    responses((status = 202, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn start(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(request): Json<StartCrawler>,
) -> ApiResult<(StatusCode, axum::Json<Crawl>)> {
    let crawl = crawlers::start(&app, &name, request.dry_run).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(crawl.into())))
}

/// List crawls, the newest first
#[utoipa::path(get, path = "/api/v1/crawls", operation_id = "list_crawls", tag = "crawling", params(ListQuery),
    responses((status = 200, body = Page<CrawlSummary>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list_crawls(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<CrawlSummary>>> {
    let page = crawl::list(&app, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, |crawl| CrawlSummary::from(&crawl))))
}

/// Crawl a prefix once
#[utoipa::path(post, path = "/api/v1/crawls", operation_id = "start_crawl", tag = "crawling", request_body = NewCrawl,
    responses((status = 202, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn start_crawl(
    State(app): State<App>,
    Json(new): Json<NewCrawl>,
) -> ApiResult<(StatusCode, axum::Json<Crawl>)> {
    let database = match new.database {
        Some(database) => database,
        None => named_after(&new.path)?,
    };
    let request = nouns::CrawlRequest {
        crawler: None,
        database,
        targets: vec![nouns::CrawlTarget {
            path: new.path,
            exclusions: Vec::new(),
        }],
        table_prefix: None,
        dry_run: new.dry_run,
    };
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(crawl::start(&app, request).await?.into()),
    ))
}

/// The database of a crawl that names none: the prefix's last folder, or the bucket.
fn named_after(path: &str) -> Result<String, Error> {
    let location = Location::parse(path)?;
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
pub(super) async fn get_crawl(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<Crawl>> {
    Ok(axum::Json(crawl::get(&app, &id).await?.into()))
}
