//! Crawlers and crawls.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::crawl_rows::{CrawlRow, select_crawls};
use super::{Look, Note, Read, behind_every_id, crawl_plans, on, on_many};
use crate::error::Result;
use crate::model::crawl::{
    Crawl, CrawlProgress, CrawlRequest, CrawlSummary, Crawler, CrawlerInput, CrawlerState, Plan, PlanSummary,
    WorkState,
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
    Ok(with_crawls(tx, row.into_iter().collect()).await?.pop())
}

/// Keeps others that edit the crawler out of it until the transaction ends.
///
/// # Errors
/// Only the database's own.
pub async fn hold_crawler(tx: &mut Note, name: &str) -> Result<()> {
    super::hold_row(
        tx,
        "SELECT name FROM crawlers WHERE name = $1 FOR NO KEY UPDATE",
        name,
    )
    .await
}

/// Those of the crawlers with these names that are there.
///
/// # Errors
/// Only the database's own.
pub async fn find_crawlers(tx: &mut Read, names: &[String]) -> Result<Vec<Crawler>> {
    const SQL: &str = select_crawlers!("WHERE name IN ({})");
    let rows: Vec<CrawlerRow> = on_many!(tx, query_as, SQL, [], names)?;
    with_crawls(tx, rows).await
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
    let items = with_crawls(tx, rows).await?;
    Ok(Page::of(items, page, |crawler: &Crawler| {
        crawler.input.name.clone()
    }))
}

/// Crawlers with what their crawls do, in as many statements for many as for one.
async fn with_crawls(tx: &mut Read, rows: Vec<CrawlerRow>) -> Result<Vec<Crawler>> {
    let names: Vec<String> = rows.iter().map(|row| row.body.name.clone()).collect();
    let under_way = stops_requested(tx, &names).await?;
    let mut last = last_crawls(tx, &names, "").await?;
    let mut ended = last_crawls(tx, &names, "AND l.finished_at IS NOT NULL").await?;
    let with_its_own = |row: CrawlerRow| {
        let name = &row.body.name;
        let last_crawl = last.remove(name);
        let is_under_way = last_crawl.as_ref().is_some_and(|crawl| !crawl.state.is_final());
        Crawler {
            state: state_of(under_way.get(name).map_or(&[], Vec::as_slice)),
            ended_before: ended.remove(name).filter(|_| is_under_way),
            last_crawl,
            next_crawl_at: row.next_crawl_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            input: row.body.0,
        }
    };
    Ok(rows.into_iter().map(with_its_own).collect())
}

/// Of each crawler the newest crawl that wasn't a dry run and that fits `which`, by the crawler's name.
async fn last_crawls(tx: &mut Look, names: &[String], which: &str) -> Result<HashMap<String, CrawlSummary>> {
    const CRAWLS: &str = select_crawls!(
        "c.summary",
        "crawlers k JOIN crawls c ON c.id = (SELECT l.id FROM crawls l WHERE l.crawler_name = k.name AND NOT l.dry_run "
    );
    let sql = [CRAWLS, which, " ORDER BY l.id DESC LIMIT 1) WHERE k.name IN ({})"].concat();
    let rows: Vec<CrawlRow<PlanSummary>> = on_many!(tx, query_as, sql, [], names)?;
    let named = |row: CrawlRow<PlanSummary>| {
        let crawl = CrawlSummary::try_from(row)?;
        Ok((crawl.request.crawler.clone().unwrap_or_default(), crawl))
    };
    rows.into_iter().map(named).collect()
}

/// Whether a crawl of this crawler, dry runs left out, is waiting or under way, or was asked to stop.
///
/// # Errors
/// Only the database's own.
pub async fn crawler_state(tx: &mut Look, crawler: &str) -> Result<CrawlerState> {
    let under_way = stops_requested(tx, &[crawler.to_owned()]).await?;
    Ok(state_of(under_way.get(crawler).map_or(&[], Vec::as_slice)))
}

/// Of each crawl of these crawlers, dry runs left out, that waits or is under way: whether it was asked to stop.
async fn stops_requested(tx: &mut Look, crawlers: &[String]) -> Result<HashMap<String, Vec<bool>>> {
    const SQL: &str = "SELECT crawler_name, stop_requested FROM crawls
        WHERE state IN ('QUEUED', 'RUNNING') AND NOT dry_run AND crawler_name IN ({})";
    let rows: Vec<(String, bool)> = on_many!(tx, query_as, SQL, [], crawlers)?;
    let mut requested: HashMap<String, Vec<bool>> = HashMap::new();
    for (crawler, asked) in rows {
        requested.entry(crawler).or_default().push(asked);
    }
    Ok(requested)
}

/// What a crawler does whose crawls under way were asked to stop or not.
fn state_of(asked: &[bool]) -> CrawlerState {
    match asked {
        [] => CrawlerState::Ready,
        asked if asked.iter().all(|asked| *asked) => CrawlerState::Stopping,
        _ => CrawlerState::Running,
    }
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
    const SQL: &str = select_crawls!(
        "p.body",
        "crawls c LEFT JOIN crawl_plans p ON p.crawl_id = c.id WHERE c.id = $1"
    );
    let row: Option<CrawlRow<Plan>> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)?;
    row.map(Crawl::try_from).transpose()
}

/// Crawls, the newest first, one more than the page holds where there are more; of one crawler where it is named, and
/// then without dry runs. Plans aren't read.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Read, crawler: Option<&str>, page: &PageRequest) -> Result<Vec<CrawlSummary>> {
    const ALL: &str = select_crawls!(
        "c.summary",
        "crawls c WHERE c.id < $1 ORDER BY c.id DESC LIMIT $2"
    );
    const OF_ONE: &str = select_crawls!(
        "c.summary",
        "crawls c WHERE c.crawler_name = $3 AND NOT c.dry_run AND c.id < $1 ORDER BY c.id DESC LIMIT $2"
    );
    let before = behind_every_id(page);
    let limit = i64::from(page.limit) + 1;
    let rows: Vec<CrawlRow<PlanSummary>> = match crawler {
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
    rows.into_iter().map(CrawlSummary::try_from).collect()
}

/// When crawls of these crawlers began and ended, each with its crawler: of each those that succeeded, at most `limit`, the
/// newest first.
///
/// # Errors
/// Only the database's own.
pub async fn runtimes(
    tx: &mut Look,
    crawlers: &[String],
    limit: i64,
) -> Result<Vec<(String, DateTime<Utc>, DateTime<Utc>)>> {
    const SQL: &str = "SELECT crawler_name, started_at, finished_at FROM (
            SELECT crawler_name, id, started_at, finished_at,
                ROW_NUMBER() OVER (PARTITION BY crawler_name ORDER BY id DESC) AS place
            FROM crawls WHERE NOT dry_run AND state = 'SUCCEEDED' AND crawler_name IN ({})) ended
        WHERE place <= $1 ORDER BY crawler_name, id DESC";
    on_many!(tx, query_as, SQL, [limit], crawlers)
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
    const SQL: &str = "UPDATE crawls SET applied_at = $2 WHERE id = $1";
    crawl_plans::put(tx, id, plan).await?;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
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
    const SQL: &str = "UPDATE crawls SET state = $2, error = $3, finished_at = $4 WHERE id = $1";
    if plan.is_some() {
        crawl_plans::put(tx, id, plan).await?;
    }
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(state.as_str())
        .bind(error)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}
