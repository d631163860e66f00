//! `/api/v1/crawlers` and `/api/v1/crawls`

use axum::extract::Path;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::State;
use super::crawl_options::Options;
use super::crawls::{Crawl, CrawlSummary};
use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use super::targets::Target;
use super::version::{If, IfHeaders, Versioned};
use crate::app::App;
use crate::crawl::{crawlers, schedules};
use crate::model::crawl as nouns;

/// A crawl that has a name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Crawler {
    name: String,
    role: Option<String>,
    database: String,
    description: Option<String>,
    targets: Vec<Target>,
    table_prefix: Option<String>,
    /// Custom classifiers that are asked before the built-in ones, in this order.
    classifiers: Vec<String>,
    schedule: Option<Schedule>,
    options: Options,
    /// READY, RUNNING or STOPPING.
    state: &'static str,
    last_crawl: Option<CrawlSummary>,
    /// How many times it was written.
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// When a crawler runs by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schedule {
    /// `cron(minutes hours day-of-month month day-of-week year)`, in UTC.
    expression: String,
    /// When it is due next; null while it is paused.
    next_at: Option<DateTime<Utc>>,
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
    /// Custom classifiers that are asked before the built-in ones, in this order.
    #[serde(default)]
    classifiers: Vec<String>,
    /// When it runs by itself: `cron(minutes hours day-of-month month day-of-week year)`, in UTC.
    schedule: Option<String>,
    #[serde(default)]
    options: Options,
}

/// What a crawler is from now on: what isn't said is as in a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CrawlerSettings {
    database: String,
    targets: Vec<Target>,
    description: Option<String>,
    table_prefix: Option<String>,
    #[serde(default)]
    classifiers: Vec<String>,
    schedule: Option<String>,
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
            classifiers: input.classifiers,
            schedule: input.schedule.map(|expression| Schedule {
                expression,
                next_at: crawler.next_crawl_at,
            }),
            state: crawler.state.as_str(),
            last_crawl: crawler.last_crawl.map(CrawlSummary::from),
            version: crawler.version,
            created_at: crawler.created_at,
            updated_at: crawler.updated_at,
        }
    }
}

fn versioned(crawler: nouns::Crawler) -> Versioned<Crawler> {
    Versioned::new(crawler.version, crawler.into())
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
    responses((status = 201, body = Crawler, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(app): State<App>,
    Json(new): Json<NewCrawler>,
) -> ApiResult<(StatusCode, Versioned<Crawler>)> {
    let input = nouns::CrawlerInput {
        name: new.name,
        database: new.database,
        description: new.description,
        targets: new.targets.into_iter().map(nouns::CrawlTarget::from).collect(),
        table_prefix: new.table_prefix,
        classifiers: new.classifiers,
        schedule: new.schedule,
        options: new.options.into(),
        ..Default::default()
    };
    Ok((
        StatusCode::CREATED,
        versioned(crawlers::create(&app, input).await?),
    ))
}

/// Show a crawler
#[utoipa::path(get, path = "/api/v1/crawlers/{name}", operation_id = "get_crawler", tag = "crawling", params(("name" = String, Path)),
    responses((status = 200, body = Crawler, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(name): Path<String>) -> ApiResult<Versioned<Crawler>> {
    Ok(versioned(crawlers::get(&app, &name).await?))
}

/// Say anew what a crawler is; refused while it is running
#[utoipa::path(put, path = "/api/v1/crawlers/{name}", operation_id = "put_crawler", tag = "crawling", params(("name" = String, Path), IfHeaders),
    request_body = CrawlerSettings,
    responses((status = 200, body = Crawler, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn put(
    State(app): State<App>,
    Path(name): Path<String>,
    If(precondition): If,
    Json(settings): Json<CrawlerSettings>,
) -> ApiResult<Versioned<Crawler>> {
    let change = |before: nouns::CrawlerInput| {
        Ok(nouns::CrawlerInput {
            database: settings.database,
            description: settings.description,
            targets: settings
                .targets
                .into_iter()
                .map(nouns::CrawlTarget::from)
                .collect(),
            table_prefix: settings.table_prefix,
            classifiers: settings.classifiers,
            schedule: settings.schedule,
            options: settings.options.into(),
            ..before
        })
    };
    let updated = crawlers::update(&app, &name, &precondition, change).await?;
    Ok(versioned(updated))
}

/// Stop a crawler's crawl; what a large one wrote until then stays, and can be undone
#[utoipa::path(post, path = "/api/v1/crawlers/{name}/stop", operation_id = "stop_crawler", tag = "crawling", params(("name" = String, Path)),
    responses((status = 202, body = Crawler), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn stop(
    State(app): State<App>,
    Path(name): Path<String>,
) -> ApiResult<(StatusCode, axum::Json<Crawler>)> {
    crawlers::stop(&app, &name).await?;
    let crawler = crawlers::get(&app, &name).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(crawler.into())))
}

/// Take a crawler's schedule out of force; it is kept
#[utoipa::path(post, path = "/api/v1/crawlers/{name}/pause", operation_id = "pause_crawler", tag = "crawling", params(("name" = String, Path)),
    responses((status = 200, body = Crawler), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn pause(
    State(app): State<App>,
    Path(name): Path<String>,
) -> ApiResult<axum::Json<Crawler>> {
    schedules::stop(&app, &name).await?;
    Ok(axum::Json(crawlers::get(&app, &name).await?.into()))
}

/// Put a crawler's schedule in force again
#[utoipa::path(post, path = "/api/v1/crawlers/{name}/resume", operation_id = "resume_crawler", tag = "crawling", params(("name" = String, Path)),
    responses((status = 200, body = Crawler), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn resume(
    State(app): State<App>,
    Path(name): Path<String>,
) -> ApiResult<axum::Json<Crawler>> {
    schedules::start(&app, &name).await?;
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
