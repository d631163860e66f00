//! Crawlers and crawls.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Tx, on};
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlProgress, CrawlRequest, Crawler, CrawlerInput, Plan, WorkState};
use crate::model::page::{Page, PageRequest};

#[derive(sqlx::FromRow)]
struct CrawlerRow {
    body: Json<CrawlerInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct CrawlRow {
    id: String,
    state: String,
    request: Json<CrawlRequest>,
    progress: Json<CrawlProgress>,
    plan: Option<Json<Plan>>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    undone_at: Option<DateTime<Utc>>,
}

impl TryFrom<CrawlRow> for Crawl {
    type Error = Error;

    fn try_from(row: CrawlRow) -> Result<Self> {
        Ok(Self {
            state: WorkState::parse(&row.state).ok_or_else(|| {
                Error::internal(format!("crawl {} has the unknown state {}", row.id, row.state))
            })?,
            id: row.id,
            request: row.request.0,
            progress: row.progress.0,
            plan: row.plan.map(|plan| plan.0),
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            undone_at: row.undone_at,
        })
    }
}

/// Adds a crawler.
///
/// # Errors
/// AlreadyExists.
pub async fn insert_crawler(tx: &mut Tx, input: &CrawlerInput, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO crawlers (name, body, created_at, updated_at) VALUES ($1, $2, $3, $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The crawler called `name`, with its last crawl.
///
/// # Errors
/// Only the database's own.
pub async fn find_crawler(tx: &mut Tx, name: &str) -> Result<Option<Crawler>> {
    const SQL: &str = "SELECT body, created_at, updated_at FROM crawlers WHERE name = $1";
    let row: Option<CrawlerRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    match row {
        Some(row) => Ok(Some(with_crawls(tx, row).await?)),
        None => Ok(None),
    }
}

/// Crawlers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list_crawlers(tx: &mut Tx, page: &PageRequest) -> Result<Page<Crawler>> {
    const SQL: &str =
        "SELECT body, created_at, updated_at FROM crawlers WHERE name > $1 ORDER BY name LIMIT $2";
    let after = page.after.clone().unwrap_or_default();
    let rows: Vec<CrawlerRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(with_crawls(tx, row).await?);
    }
    Ok(Page::of(items, page, |crawler: &Crawler| {
        crawler.input.name.clone()
    }))
}

async fn with_crawls(tx: &mut Tx, row: CrawlerRow) -> Result<Crawler> {
    const LAST: &str =
        "SELECT id, state, request, progress, plan, error, created_at, started_at, finished_at,
            undone_at
        FROM crawls WHERE crawler_name = $1 AND NOT dry_run ORDER BY id DESC LIMIT 1";
    let name = &row.body.name;
    let running = is_crawling(tx, name).await?;
    let last: Option<CrawlRow> = on!(tx, |conn| sqlx::query_as(LAST)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(Crawler {
        input: row.body.0,
        running,
        last_crawl: last.map(Crawl::try_from).transpose()?,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Whether a crawl of this crawler, dry runs left out, is waiting or under way.
///
/// # Errors
/// Only the database's own.
pub async fn is_crawling(tx: &mut Tx, crawler: &str) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM crawls
        WHERE crawler_name = $1 AND NOT dry_run AND state IN ('QUEUED', 'RUNNING')";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(crawler)
        .fetch_one(conn)
        .await)?;
    Ok(count > 0)
}

/// Removes a crawler with its crawls; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete_crawler(tx: &mut Tx, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM crawlers WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Adds a crawl that waits for a worker.
///
/// # Errors
/// NotFound where its crawler isn't there.
pub async fn insert(tx: &mut Tx, id: &str, request: &CrawlRequest, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO crawls (id, crawler_name, dry_run, state, request, progress, created_at)
        VALUES ($1, $2, $3, 'QUEUED', $4, $5, $6)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(&request.crawler)
        .bind(request.dry_run)
        .bind(Json(request))
        .bind(Json(CrawlProgress::default()))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The crawl with this id.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Tx, id: &str) -> Result<Option<Crawl>> {
    const SQL: &str = "SELECT id, state, request, progress, plan, error, created_at, started_at, finished_at,
            undone_at
        FROM crawls WHERE id = $1";
    let row: Option<CrawlRow> = on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)?;
    row.map(Crawl::try_from).transpose()
}

/// Crawls, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Tx, page: &PageRequest) -> Result<Page<Crawl>> {
    const SQL: &str = "SELECT id, state, request, progress, plan, error, created_at, started_at, finished_at,
            undone_at
        FROM crawls WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";
    let before = page.after.clone().unwrap_or_default();
    let rows: Vec<CrawlRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(before)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let items = rows
        .into_iter()
        .map(Crawl::try_from)
        .collect::<Result<Vec<_>>>()?;
    Ok(Page::of(items, page, |crawl: &Crawl| crawl.id.clone()))
}

/// Says that a worker took the crawl.
///
/// # Errors
/// Only the database's own.
pub async fn start(tx: &mut Tx, id: &str, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET state = 'RUNNING', started_at = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Keeps how far the crawl is.
///
/// # Errors
/// Only the database's own.
pub async fn set_progress(tx: &mut Tx, id: &str, progress: &CrawlProgress) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET progress = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(Json(progress))
        .execute(conn)
        .await
        .map(drop))
}

/// Ends the crawl with its plan or its error.
///
/// # Errors
/// Only the database's own.
pub async fn finish(
    tx: &mut Tx,
    id: &str,
    state: WorkState,
    plan: Option<&Plan>,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET state = $2, plan = $3, error = $4, finished_at = $5 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(state.as_str())
        .bind(plan.map(Json))
        .bind(error)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}
