//! Runs and their logs.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Note, behind_every_id, on};
use crate::error::{Error, Result};
use crate::model::crawl::WorkState;
use crate::model::page::{Page, PageRequest};
use crate::model::run::{LogLevel, LogLine, Run, RunBody, RunFilter};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    job_name: String,
    state: String,
    attempt: i64,
    body: Json<RunBody>,
    cancel_requested: bool,
    waiting: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Run {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            state: WorkState::parse(&row.state).ok_or_else(|| {
                Error::internal(format!("run {} has the unknown state {}", row.id, row.state))
            })?,
            id: row.id,
            job: row.job_name,
            attempt: row.attempt,
            body: row.body.0,
            stopping: row.cancel_requested,
            waiting: row.waiting,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}

/// A query for runs: the columns of a [`Row`], and which rows.
macro_rules! select_runs {
    ($which:literal) => {
        concat!(
            "SELECT id, job_name, state, attempt, body, cancel_requested, waiting, created_at, started_at, finished_at
            FROM runs ",
            $which
        )
    };
}

/// Adds a run that waits for a worker, and for what `waiting` says before that.
///
/// # Errors
/// Only the database's own.
pub async fn insert(
    tx: &mut Note,
    id: &str,
    job: &str,
    body: &RunBody,
    waiting: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str =
        "INSERT INTO runs (id, job_name, state, attempt, cancel_requested, body, waiting, created_at)
        VALUES ($1, $2, 'QUEUED', 0, $3, $4, $5, $6)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(job)
        .bind(false)
        .bind(Json(body))
        .bind(waiting)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The run with this id.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, id: &str) -> Result<Option<Run>> {
    const SQL: &str = select_runs!("WHERE id = $1");
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)?;
    row.map(Run::try_from).transpose()
}

/// Runs, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, filter: &RunFilter, page: &PageRequest) -> Result<Page<Run>> {
    // Each by its index: a condition that may be none would be looked through row by row.
    const ALL: &str = select_runs!("WHERE id < $1 AND $2 = '' AND $3 = '' ORDER BY id DESC LIMIT $4");
    const OF_JOB: &str = select_runs!(
        "WHERE id < $1 AND job_name = $2 AND ($3 = '' OR state = $3) ORDER BY job_name DESC, id DESC LIMIT $4"
    );
    const IN_STATE: &str =
        select_runs!("WHERE id < $1 AND $2 = '' AND state = $3 ORDER BY state DESC, id DESC LIMIT $4");
    let sql = match (&filter.job, filter.state) {
        (None, None) => ALL,
        (Some(_), _) => OF_JOB,
        (None, Some(_)) => IN_STATE,
    };
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(sql)
        .bind(behind_every_id(page))
        .bind(filter.job.clone().unwrap_or_default())
        .bind(filter.state.map_or("", WorkState::as_str))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(Run::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(items, page, |run: &Run| run.id.clone()))
}

/// How many runs of a job aren't over.
///
/// # Errors
/// Only the database's own.
pub async fn count_under_way(tx: &mut Look, job: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM runs WHERE job_name = $1 AND state IN ('QUEUED', 'RUNNING')";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(job).fetch_one(conn).await)
}

/// What was asked for of a job under this key, and the run that came of it.
///
/// # Errors
/// Only the database's own.
pub async fn find_request(tx: &mut Look, job: &str, key: &str) -> Result<Option<(String, String)>> {
    const SQL: &str = "SELECT request, run_id FROM run_requests WHERE job_name = $1 AND request_key = $2";
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(job)
        .bind(key)
        .fetch_optional(conn)
        .await)
}

/// Keeps what was asked for of a job under this key, as long as the run is kept.
///
/// # Errors
/// Only the database's own.
pub async fn keep_request(tx: &mut Note, job: &str, key: &str, request: &str, run: &str) -> Result<()> {
    const SQL: &str =
        "INSERT INTO run_requests (job_name, request_key, request, run_id) VALUES ($1, $2, $3, $4)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(job)
        .bind(key)
        .bind(request)
        .bind(run)
        .execute(conn)
        .await
        .map(drop))
}

/// Says that a worker took the run, for the `attempt`th time, and gives what is known of it then.
///
/// # Errors
/// Only the database's own.
pub async fn start(tx: &mut Note, id: &str, attempt: i64, now: DateTime<Utc>) -> Result<RunBody> {
    const SQL: &str = "UPDATE runs SET state = 'RUNNING', attempt = $2, waiting = NULL,
        started_at = COALESCE(started_at, $3) WHERE id = $1 RETURNING body";
    let body: Json<RunBody> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(id)
        .bind(attempt)
        .bind(now)
        .fetch_one(conn)
        .await)?;
    Ok(body.0)
}

/// What is known of a run that no worker has taken yet, and what it waits for, its row locked until the transaction ends, so that none does
/// meanwhile; nothing where one has.
///
/// # Errors
/// Only the database's own.
pub async fn lock_waiting(tx: &mut Note, id: &str) -> Result<Option<(RunBody, Option<String>)>> {
    // The update that changes nothing is the lock.
    const SQL: &str = "UPDATE runs SET attempt = attempt
        WHERE id = $1 AND state = 'QUEUED' AND attempt = 0 AND NOT cancel_requested
        RETURNING body, waiting";
    let found: Option<(Json<RunBody>, Option<String>)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)?;
    Ok(found.map(|(body, waiting)| (body.0, waiting)))
}

/// Says that the run, which a worker had taken, is queued again, and what it waits for where that isn't just its turn.
///
/// # Errors
/// Only the database's own.
pub async fn put_back(tx: &mut Note, id: &str, waiting: Option<&str>) -> Result<()> {
    const SQL: &str = "UPDATE runs SET state = 'QUEUED', waiting = $2 WHERE id = $1 AND state = 'RUNNING'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(waiting)
        .execute(conn)
        .await
        .map(drop))
}

/// Queues a run that failed; says whether it had.
///
/// # Errors
/// Only the database's own.
pub async fn reopen(tx: &mut Note, id: &str, body: &RunBody) -> Result<bool> {
    const SQL: &str =
        "UPDATE runs SET state = 'QUEUED', finished_at = NULL, body = $2 WHERE id = $1 AND state = 'FAILED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(Json(body))
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Keeps what is known of the run so far.
///
/// # Errors
/// Only the database's own.
pub async fn set_body(tx: &mut Note, id: &str, body: &RunBody) -> Result<()> {
    const SQL: &str = "UPDATE runs SET body = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(Json(body))
        .execute(conn)
        .await
        .map(drop))
}

/// Ends the run.
///
/// # Errors
/// Only the database's own.
pub async fn finish(
    tx: &mut Note,
    id: &str,
    state: WorkState,
    body: &RunBody,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str = "UPDATE runs SET state = $2, body = $3, finished_at = $4, waiting = NULL WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(state.as_str())
        .bind(Json(body))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Asks the worker at the run to stop; says whether the run was unfinished.
///
/// # Errors
/// Only the database's own.
pub async fn request_cancel(tx: &mut Note, id: &str) -> Result<bool> {
    const SQL: &str =
        "UPDATE runs SET cancel_requested = $2 WHERE id = $1 AND state IN ('QUEUED', 'RUNNING')";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(true)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Whether somebody asked for the run to be stopped.
///
/// # Errors
/// Only the database's own.
pub async fn cancel_requested(tx: &mut Look, id: &str) -> Result<bool> {
    const SQL: &str = "SELECT cancel_requested FROM runs WHERE id = $1";
    let asked: Option<bool> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(id)
        .fetch_optional(conn)
        .await)?;
    Ok(asked.unwrap_or(false))
}

#[derive(sqlx::FromRow)]
struct LogRow {
    seq: i64,
    at: DateTime<Utc>,
    level: String,
    message: String,
}

/// Adds a line to a run's log.
///
/// # Errors
/// NotFound where the run isn't there.
pub async fn append_log(
    tx: &mut Note,
    run: &str,
    at: DateTime<Utc>,
    level: LogLevel,
    message: &str,
) -> Result<()> {
    const SQL: &str = "INSERT INTO run_logs (run_id, seq, at, level, message)
        SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4 FROM run_logs WHERE run_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(run)
        .bind(at)
        .bind(level.as_str())
        .bind(message)
        .execute(conn)
        .await
        .map(drop))
}

/// Lines of a run's log in their order; the page's key is the line's place.
///
/// # Errors
/// Only the database's own.
pub async fn logs(tx: &mut Look, run: &str, page: &PageRequest) -> Result<Page<LogLine>> {
    const SQL: &str = "SELECT seq, at, level, message FROM run_logs
        WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let after: i64 = page
        .after
        .as_deref()
        .and_then(|after| after.parse().ok())
        .unwrap_or(0);
    let limit = i64::from(page.limit) + 1;
    let rows: Vec<LogRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(run)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    let items = rows
        .into_iter()
        .map(|row| LogLine {
            seq: row.seq,
            at: row.at,
            level: match row.level.as_str() {
                "error" => LogLevel::Error,
                "warn" => LogLevel::Warn,
                _ => LogLevel::Info,
            },
            message: row.message,
        })
        .collect();
    Ok(Page::of(items, page, |line: &LogLine| line.seq.to_string()))
}
