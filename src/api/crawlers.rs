//! `/api/v1/crawlers` and `/api/v1/crawls`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use super::targets::{AdditionalMetadata, Target};
use crate::app::App;
use crate::error::Error;
use crate::model::crawl as nouns;
use crate::model::crawl_options as options;
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
    options: Options,
    /// READY or RUNNING.
    state: &'static str,
    last_crawl: Option<CrawlSummary>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// How a crawler decides, and what it may change.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Options {
    /// Whose rules decide what is one table; the setting `crawl.compatibility` where nothing is said.
    compatibility: Option<Compatibility>,
    /// What happens to a table whose files changed.
    update_behavior: UpdateBehavior,
    /// What happens to a table or a partition whose files are gone.
    delete_behavior: DeleteBehavior,
    /// What is looked at after the first crawl.
    recrawl_behavior: RecrawlBehavior,
    /// Glue's `Configuration`: `{"Version": 1.0, "CrawlerOutput": {…}, "Grouping": {…}, "CreatePartitionIndex": true}`.
    #[schema(value_type = Option<Object>)]
    configuration: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A word of the API and the same word of the program.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $case:literal, $default:ident, $($word:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = $case)]
        pub(super) enum $name {
            $($word),+
            , #[default] $default
        }

        impl From<$name> for options::$name {
            fn from(word: $name) -> Self {
                match word {
                    $name::$default => Self::$default,
                    $($name::$word => Self::$word),+
                }
            }
        }

        impl From<options::$name> for $name {
            fn from(word: options::$name) -> Self {
                match word {
                    options::$name::$default => Self::$default,
                    $(options::$name::$word => Self::$word),+
                }
            }
        }
    };
}

words!(
    /// Whose rules decide what is one table.
    Compatibility, "snake_case", Mastic, Glue
);
words!(
    /// What happens to a table whose files changed.
    UpdateBehavior, "SCREAMING_SNAKE_CASE", UpdateInDatabase, Log
);
words!(
    /// What happens to what is gone.
    DeleteBehavior, "SCREAMING_SNAKE_CASE", DeprecateInDatabase, DeleteFromDatabase, Log
);
words!(
    /// What is looked at after the first crawl.
    #[expect(clippy::enum_variant_names, reason = "they are Glue's words")]
    RecrawlBehavior, "SCREAMING_SNAKE_CASE", CrawlEverything, CrawlNewFoldersOnly, CrawlEventMode
);

impl From<Options> for options::CrawlOptions {
    fn from(given: Options) -> Self {
        Self {
            compatibility: given.compatibility.map(Into::into),
            update: given.update_behavior.into(),
            delete: given.delete_behavior.into(),
            recrawl: given.recrawl_behavior.into(),
            configuration: given
                .configuration
                .map(|configuration| serde_json::Value::Object(configuration).to_string()),
        }
    }
}

impl From<options::CrawlOptions> for Options {
    fn from(kept: options::CrawlOptions) -> Self {
        Self {
            compatibility: kept.compatibility.map(Into::into),
            update_behavior: kept.update.into(),
            delete_behavior: kept.delete.into(),
            recrawl_behavior: kept.recrawl.into(),
            configuration: kept
                .configuration
                .and_then(|configuration| serde_json::from_str(&configuration).ok()),
        }
    }
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
    #[serde(default)]
    options: Options,
}

/// How a crawler is started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StartCrawler {
    /// Plan only; change nothing.
    dry_run: bool,
}

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
    /// The database that tables go to; named after the prefix unless told.
    database: Option<String>,
    /// Put before every table's name.
    table_prefix: Option<String>,
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
            undone_at: crawl.undone_at,
            error: crawl.error.clone(),
            objects: crawl.progress.objects,
            files_read: crawl.progress.files_read,
            bytes_read: crawl.progress.bytes_read,
            files_known: crawl.progress.files_known,
            tables: crawl.progress.tables,
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
        Self {
            name: input.name,
            role: input.role,
            database: input.database,
            description: input.description,
            targets: input.targets.into_iter().map(Target::from).collect(),
            table_prefix: input.table_prefix,
            options: input.options.into(),
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
    let input = nouns::CrawlerInput {
        name: new.name,
        database: new.database,
        description: new.description,
        targets: new.targets.into_iter().map(nouns::CrawlTarget::from).collect(),
        table_prefix: new.table_prefix,
        options: new.options.into(),
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
        }],
        table_prefix: new.table_prefix,
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
pub(super) async fn get_crawl(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<Crawl>> {
    Ok(axum::Json(crawl::get(&app, &id).await?.into()))
}

/// Put back what a crawl changed; refused where somebody changed it since
#[utoipa::path(post, path = "/api/v1/crawls/{id}/undo", operation_id = "undo_crawl", tag = "crawling", params(("id" = String, Path)),
    responses((status = 200, body = Crawl), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn undo_crawl(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<axum::Json<Crawl>> {
    Ok(axum::Json(crawl::undo(&app, &id).await?.into()))
}
