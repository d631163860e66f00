//! Crawlers and crawls.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Note, Read, on};
use crate::error::{Error, Result};
use crate::model::crawl::{
    Crawl, CrawlProgress, CrawlRequest, Crawler, CrawlerInput, CrawlerState, Plan, WorkState,
};
use crate::model::page::{Page, PageRequest};

#[derive(sqlx::FromRow)]
struct CrawlerRow {
    body: Json<CrawlerInput>,
    version: i64,
    next_crawl_at: Option<DateTime<Utc>>,
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
    applied_at: Option<DateTime<Utc>>,
    undone_at: Option<DateTime<Utc>>,
}

impl TryFrom<CrawlRow> for Crawl {
    type Error = Error;

    fn try_from(row: CrawlRow) -> Result<Self> {
        let state = WorkState::parse(&row.state).ok_or_else(|| {
            Error::internal(format!("crawl {} has the unknown state {}", row.id, row.state))
        })?;
        Ok(Self {
            id: row.id,
            request: row.request.0,
            progress: row.progress.0,
            // While it is applied it is kept for the end: until then it isn't what the crawl did.
            plan: row
                .plan
                .map(|plan| plan.0)
                .filter(|_| state == WorkState::Succeeded),
            state,
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            applied_at: row.applied_at,
            undone_at: row.undone_at,
        })
    }
}

/// A query for crawls: the columns of a [`CrawlRow`], and which rows.
macro_rules! select_crawls {
    ($which:literal) => {
        concat!(
            "SELECT id, state, request, progress, plan, error, created_at, started_at, finished_at, applied_at, \
            undone_at FROM crawls ",
            $which
        )
    };
}

/// A query for crawlers: the columns of a [`CrawlerRow`], and which rows.
macro_rules! select_crawlers {
    ($which:literal) => {
        concat!(
            "SELECT body, version, next_at AS next_crawl_at, created_at, updated_at FROM crawlers
            LEFT JOIN schedules ON owner_kind = 'crawler' AND owner = name ",
            $which
        )
    };
}

/// Adds a crawler.
///
/// # Errors
/// AlreadyExists.
pub async fn insert_crawler(tx: &mut Note, input: &CrawlerInput, now: DateTime<Utc>) -> Result<()> {
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
pub async fn find_crawler(tx: &mut Read, name: &str) -> Result<Option<Crawler>> {
    const SQL: &str = select_crawlers!("WHERE name = $1");
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
pub async fn list_crawlers(tx: &mut Read, page: &PageRequest) -> Result<Page<Crawler>> {
    const SQL: &str = select_crawlers!("WHERE name > $1 ORDER BY name LIMIT $2");
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

async fn with_crawls(tx: &mut Read, row: CrawlerRow) -> Result<Crawler> {
    const LAST: &str = select_crawls!("WHERE crawler_name = $1 AND NOT dry_run ORDER BY id DESC LIMIT 1");
    const ENDED: &str = select_crawls!(
        "WHERE crawler_name = $1 AND NOT dry_run AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1"
    );
    let name = &row.body.name;
    let state = crawler_state(tx, name).await?;
    let last_crawl = one_of(tx, LAST, name).await?;
    let ended_before = match &last_crawl {
        Some(last) if !last.state.is_final() => one_of(tx, ENDED, name).await?,
        _ => None,
    };
    Ok(Crawler {
        input: row.body.0,
        state,
        last_crawl,
        ended_before,
        next_crawl_at: row.next_crawl_at,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Whether a crawl of this crawler, dry runs left out, is waiting or under way, or was asked to stop.
///
/// # Errors
/// Only the database's own.
pub async fn crawler_state(tx: &mut Look, crawler: &str) -> Result<CrawlerState> {
    const SQL: &str = "SELECT stop_requested FROM crawls
        WHERE crawler_name = $1 AND NOT dry_run AND state IN ('QUEUED', 'RUNNING')";
    let under_way: Vec<bool> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(crawler)
        .fetch_all(conn)
        .await)?;
    Ok(match under_way.as_slice() {
        [] => CrawlerState::Ready,
        asked if asked.iter().all(|asked| *asked) => CrawlerState::Stopping,
        _ => CrawlerState::Running,
    })
}

/// Puts `input` in the place of the crawler with its name; says whether there was one.
///
/// # Errors
/// Only the database's own.
pub async fn update_crawler(tx: &mut Note, input: &CrawlerInput, now: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "UPDATE crawlers SET body = $2, version = version + 1, updated_at = $3 WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Removes a crawler with its crawls; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete_crawler(tx: &mut Note, name: &str) -> Result<bool> {
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
pub async fn insert(tx: &mut Note, id: &str, request: &CrawlRequest, now: DateTime<Utc>) -> Result<()> {
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
pub async fn find(tx: &mut Look, id: &str) -> Result<Option<Crawl>> {
    one_of(tx, select_crawls!("WHERE id = $1"), id).await
}

/// The crawl that a query finds with `key`.
async fn one_of(tx: &mut Look, sql: &'static str, key: &str) -> Result<Option<Crawl>> {
    let row: Option<CrawlRow> = on!(tx, |conn| sqlx::query_as(sql)
        .bind(key)
        .fetch_optional(conn)
        .await)?;
    row.map(Crawl::try_from).transpose()
}

/// Crawls, the newest first, one more than the page holds where there are more; of one crawler where it is named, and
/// then without dry runs.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Read, crawler: Option<&str>, page: &PageRequest) -> Result<Vec<Crawl>> {
    const ALL: &str = select_crawls!("WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2");
    const OF_ONE: &str = select_crawls!(
        "WHERE crawler_name = $3 AND NOT dry_run AND ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2"
    );
    let before = page.after.clone().unwrap_or_default();
    let limit = i64::from(page.limit) + 1;
    let rows: Vec<CrawlRow> = match crawler {
        None => on!(tx, |conn| sqlx::query_as(ALL)
            .bind(before)
            .bind(limit)
            .fetch_all(conn)
            .await)?,
        Some(crawler) => on!(tx, |conn| sqlx::query_as(OF_ONE)
            .bind(before)
            .bind(limit)
            .bind(crawler)
            .fetch_all(conn)
            .await)?,
    };
    rows.into_iter().map(Crawl::try_from).collect()
}

/// When crawls of a crawler began and ended, of those that succeeded, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn runtimes(
    tx: &mut Look,
    crawler: &str,
    limit: i64,
) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
    const SQL: &str = "SELECT started_at, finished_at FROM crawls
        WHERE crawler_name = $1 AND NOT dry_run AND state = 'SUCCEEDED' ORDER BY id DESC LIMIT $2";
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(crawler)
        .bind(limit)
        .fetch_all(conn)
        .await)
}

/// The crawls of a crawler, dry runs left out, that aren't over.
///
/// # Errors
/// Only the database's own.
pub async fn under_way(tx: &mut Look, crawler: &str) -> Result<Vec<String>> {
    const SQL: &str = "SELECT id FROM crawls
        WHERE crawler_name = $1 AND NOT dry_run AND state IN ('QUEUED', 'RUNNING') ORDER BY id";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(crawler)
        .fetch_all(conn)
        .await)
}

/// Asks for a crawl to be stopped. One that waits is over at once; says whether it was not over before.
///
/// # Errors
/// Only the database's own.
pub async fn request_stop(tx: &mut Note, id: &str, now: DateTime<Utc>) -> Result<bool> {
    const WAITING: &str = "UPDATE crawls SET stop_requested = $2, state = 'CANCELLED', finished_at = $3
        WHERE id = $1 AND state = 'QUEUED'";
    const RUNNING: &str = "UPDATE crawls SET stop_requested = $2 WHERE id = $1 AND state = 'RUNNING'";
    let waited = on!(tx, |conn| sqlx::query(WAITING)
        .bind(id)
        .bind(true)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))?;
    if waited {
        return Ok(true);
    }
    on!(tx, |conn| sqlx::query(RUNNING)
        .bind(id)
        .bind(true)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Whether somebody asked for the crawl to be stopped.
///
/// # Errors
/// Only the database's own.
pub async fn stop_requested(tx: &mut Look, id: &str) -> Result<bool> {
    const SQL: &str = "SELECT stop_requested FROM crawls WHERE id = $1";
    let asked: Option<bool> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(id)
        .fetch_optional(conn)
        .await)?;
    Ok(asked.unwrap_or(false))
}

/// Says that a worker took the crawl.
///
/// # Errors
/// Only the database's own.
pub async fn start(tx: &mut Note, id: &str, now: DateTime<Utc>) -> Result<()> {
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
pub async fn set_progress(tx: &mut Note, id: &str, progress: &CrawlProgress) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET progress = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(Json(progress))
        .execute(conn)
        .await
        .map(drop))
}

/// Queues a crawl that failed, or that a worker put back.
///
/// # Errors
/// Only the database's own.
pub async fn reopen(tx: &mut Note, id: &str) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET state = 'QUEUED', error = NULL, finished_at = NULL
        WHERE id = $1 AND state IN ('FAILED', 'RUNNING')";
    on!(tx, |conn| sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
}

/// Keeps the plan that is applied from now on, in several transactions; what it changes bears the time `at`. Without a
/// plan: it is made anew.
///
/// # Errors
/// Only the database's own.
pub async fn set_applied(
    tx: &mut Note,
    id: &str,
    plan: Option<&Plan>,
    at: Option<DateTime<Utc>>,
) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET plan = $2, applied_at = $3 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(plan.map(Json))
        .bind(at)
        .execute(conn)
        .await
        .map(drop))
}

/// Ends the crawl with its plan, where none was kept before, or its error.
///
/// # Errors
/// Only the database's own.
pub async fn finish(
    tx: &mut Note,
    id: &str,
    state: WorkState,
    plan: Option<&Plan>,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str =
        "UPDATE crawls SET state = $2, plan = COALESCE($3, plan), error = $4, finished_at = $5 WHERE id = $1";
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
