//! Durable tasks: what the queue stands on.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;

use super::{Look, Note, behind_every_id, on, on_many};
use crate::error::{Error, Result};
use crate::model::page::{Page, PageRequest};
use crate::model::task::{TaskCounts, TaskRecord, TaskState};

/// A task to be put on the queue.
#[derive(Clone, Debug)]
pub struct NewTask<'a> {
    /// What is to be done.
    pub kind: &'a str,
    /// With what.
    pub payload: Value,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// How often it may be tried.
    pub max_attempts: i64,
    /// When it has its turn among others.
    pub turn: Turn,
}

/// When a task has its turn among others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Of the tasks with the same key, one is at work at a time.
    pub serial_key: Option<String>,
    /// Of the tasks of the same group, so many.
    pub group: Option<(String, u32)>,
    /// Of those that are due, the higher goes first.
    pub priority: i64,
}

impl Turn {
    /// The turn of a task of which, among those with the same key, one is at work at a time.
    pub fn in_series(serial_key: Option<String>) -> Self {
        Self {
            serial_key,
            ..Self::default()
        }
    }
}

/// A task as a worker holds it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LeasedTask {
    /// Its id.
    pub id: String,
    /// What is to be done.
    pub kind: String,
    /// With what.
    pub payload: Json<Value>,
    /// Which try this is, from 1.
    pub attempt: i64,
    /// How many tries there are.
    pub max_attempts: i64,
    /// How many tries ended by our own mistake.
    pub failures: i64,
    /// How often in a row it was put back because something was away.
    pub waits: i64,
    /// How many workers in a row died with it.
    pub deaths: i64,
    /// Since when what it needs has refused it.
    pub refused_since: Option<DateTime<Utc>>,
    /// The token that every write of this try must show.
    pub lease: String,
}

/// Adds a task.
///
/// # Errors
/// Only the database's own.
pub async fn insert(tx: &mut Note, id: &str, task: &NewTask<'_>, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO tasks
        (id, kind, payload, state, run_at, attempt, max_attempts, serial_key, group_key, group_limit, priority, created_at)
        VALUES ($1, $2, $3, 'READY', $4, 0, $5, $6, $7, $8, $9, $10)";
    let group = task.turn.group.as_ref();
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(task.kind)
        .bind(Json(&task.payload))
        .bind(task.run_at)
        .bind(task.max_attempts)
        .bind(&task.turn.serial_key)
        .bind(group.map(|(key, _)| key))
        .bind(group.map(|(_, limit)| i64::from(*limit)))
        .bind(task.turn.priority)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The statement that takes a task. A task of a group takes the first slot that is free: two that see the same moment want
/// the same one, and the index on slots lets one of them have it.
macro_rules! claim {
    ($index:literal, $lock:literal) => {
        concat!(
            "UPDATE tasks SET state = 'LEASED', attempt = attempt + 1, lease = $1, lease_until = $3,
            deaths = deaths + (CASE WHEN state = 'LEASED' THEN 1 ELSE 0 END),
            slot = CASE WHEN group_key IS NULL THEN NULL
                WHEN NOT EXISTS (SELECT 1 FROM tasks o WHERE o.group_key = tasks.group_key AND o.state = 'LEASED'
                    AND o.id <> tasks.id AND o.slot = 0) THEN 0
                ELSE (SELECT MIN(o.slot) + 1 FROM tasks o WHERE o.group_key = tasks.group_key
                    AND o.state = 'LEASED' AND o.id <> tasks.id
                    AND NOT EXISTS (SELECT 1 FROM tasks p WHERE p.group_key = tasks.group_key
                        AND p.state = 'LEASED' AND p.id <> tasks.id AND p.slot = o.slot + 1)) END
            WHERE id = (SELECT t.id FROM tasks t ",
            $index,
            " WHERE t.state IN ('READY', 'LEASED')
                AND ((t.state = 'READY' AND t.run_at <= $2) OR (t.state = 'LEASED' AND t.lease_until < $2))
                AND NOT EXISTS (SELECT 1 FROM tasks o
                    WHERE o.serial_key = t.serial_key AND o.state = 'LEASED' AND o.id <> t.id)
                AND (t.group_key IS NULL OR t.group_limit > (SELECT COUNT(*) FROM tasks o
                    WHERE o.group_key = t.group_key AND o.state = 'LEASED' AND o.id <> t.id))
                ORDER BY t.priority DESC, t.run_at, t.id LIMIT 1 ",
            $lock,
            ") RETURNING id, kind, payload, attempt, max_attempts, failures, waits, deaths, refused_since, lease"
        )
    };
}

/// Takes the task of the highest priority that is due longest, and holds it until `until` under the token `lease`. A task whose holder let the
/// lease run out is due again.
///
/// # Errors
/// AlreadyExists where another worker took a task with the same serial key at the same moment: try again.
pub async fn claim(
    tx: &mut Note,
    lease: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<LeasedTask>> {
    // Not shared: PostgreSQL needs SKIP LOCKED so that workers don't wait for one another, and SQLite doesn't know it. SQLite
    // would sort all that is due, if it weren't told of the index that is in order.
    const SQLITE: &str = claim!("INDEXED BY tasks_to_claim", "");
    const POSTGRES: &str = claim!("", "FOR UPDATE SKIP LOCKED");
    let sql: &'static str = tx.pick(SQLITE, POSTGRES);
    on!(tx, |conn| sqlx::query_as(sql)
        .bind(lease)
        .bind(now)
        .bind(until)
        .fetch_optional(conn)
        .await)
}

/// Holds a task longer; says whether it was still held under `lease`. Whoever is told no must stop and write nothing.
///
/// # Errors
/// Only the database's own.
pub async fn extend(tx: &mut Note, id: &str, lease: &str, until: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "UPDATE tasks SET lease_until = $3 WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .bind(until)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Takes a finished task off the queue; says whether it was still held under `lease`.
///
/// # Errors
/// Only the database's own.
pub async fn finish(tx: &mut Note, id: &str, lease: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM tasks WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Why a task goes back, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// Whether that used up a try. What only waits for something that is away keeps its tries.
    pub counts: bool,
    /// Since when what it needs has refused it.
    pub refused_since: Option<DateTime<Utc>>,
    /// When it is due again.
    pub run_at: DateTime<Utc>,
}

/// Puts a task back; says whether it was still held under `lease`.
///
/// # Errors
/// Only the database's own.
pub async fn put_back(
    tx: &mut Note,
    (id, lease): (&str, &str),
    back: Back,
    now: DateTime<Utc>,
    error: &Error,
) -> Result<bool> {
    const COUNTS: &str = "UPDATE tasks SET state = 'READY', lease = NULL, lease_until = NULL, run_at = $3,
        failures = failures + 1, waits = 0, deaths = 0, error = $5, hint = $6, refused_since = $7,
        first_failed_at = COALESCE(first_failed_at, $4) WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    const WAITS: &str = "UPDATE tasks SET state = 'READY', lease = NULL, lease_until = NULL, run_at = $3,
        attempt = attempt - 1, waits = waits + 1, deaths = 0, error = $5, hint = $6, refused_since = $7,
        first_failed_at = COALESCE(first_failed_at, $4) WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    let sql: &'static str = if back.counts { COUNTS } else { WAITS };
    on!(tx, |conn| sqlx::query(sql)
        .bind(id)
        .bind(lease)
        .bind(back.run_at)
        .bind(now)
        .bind(&error.message)
        .bind(&error.hint)
        .bind(back.refused_since)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Gives a task back as it was before it was taken, with its try: its worker stops in an orderly way. Says whether it was
/// still held under `lease`.
///
/// # Errors
/// Only the database's own.
pub async fn release(tx: &mut Note, id: &str, lease: &str) -> Result<bool> {
    const SQL: &str =
        "UPDATE tasks SET state = 'READY', lease = NULL, lease_until = NULL, attempt = attempt - 1, deaths = 0
        WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Keeps a task that won't be tried again, with its error; says whether it was still held under `lease`.
///
/// # Errors
/// Only the database's own.
pub async fn fail(tx: &mut Note, id: &str, lease: &str, now: DateTime<Utc>, error: &Error) -> Result<bool> {
    const SQL: &str =
        "UPDATE tasks SET state = 'FAILED', lease = NULL, lease_until = NULL, error = $3, hint = $4,
        failed_at = $5, first_failed_at = COALESCE(first_failed_at, $5)
        WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .bind(&error.message)
        .bind(&error.hint)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Makes every held task due again, and counts a death for each. Only right where it is certain that nobody holds one: at
/// the start of the one process that may use the database.
///
/// # Errors
/// Only the database's own.
pub async fn release_all(tx: &mut Note) -> Result<u64> {
    const SQL: &str =
        "UPDATE tasks SET state = 'READY', lease = NULL, lease_until = NULL, deaths = deaths + 1
        WHERE state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    payload: Json<Value>,
    state: String,
    run_at: DateTime<Utc>,
    attempt: i64,
    failures: i64,
    waits: i64,
    deaths: i64,
    error: Option<String>,
    hint: Option<String>,
    first_failed_at: Option<DateTime<Utc>>,
    failed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Row> for TaskRecord {
    fn from(row: Row) -> Self {
        Self {
            state: match row.state.as_str() {
                "LEASED" => TaskState::Running,
                "FAILED" => TaskState::Failed,
                _ if row.error.is_some() => TaskState::Waiting,
                _ => TaskState::Ready,
            },
            id: row.id,
            kind: row.kind,
            payload: row.payload.0,
            run_at: row.run_at,
            attempt: row.attempt,
            failures: row.failures,
            waits: row.waits,
            deaths: row.deaths,
            error: row.error,
            hint: row.hint,
            first_failed_at: row.first_failed_at,
            failed_at: row.failed_at,
            created_at: row.created_at,
        }
    }
}

/// The task with this id.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, id: &str) -> Result<Option<TaskRecord>> {
    const SQL: &str =
        "SELECT id, kind, payload, state, run_at, attempt, failures, waits, deaths, error, hint,
        first_failed_at, failed_at, created_at FROM tasks WHERE id = $1";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)?;
    Ok(row.map(TaskRecord::from))
}

/// Tasks in one state, or all of them, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, state: Option<TaskState>, page: &PageRequest) -> Result<Page<TaskRecord>> {
    const SQL: &str =
        "SELECT id, kind, payload, state, run_at, attempt, failures, waits, deaths, error, hint,
        first_failed_at, failed_at, created_at FROM tasks
        WHERE id < $1 AND ($2 = '' OR $2 =
            CASE state WHEN 'LEASED' THEN 'RUNNING' WHEN 'FAILED' THEN 'FAILED'
            ELSE CASE WHEN error IS NULL THEN 'READY' ELSE 'WAITING' END END)
        ORDER BY id DESC LIMIT $3";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(behind_every_id(page))
        .bind(state.map_or("", TaskState::as_str))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(TaskRecord::from).collect();
    Ok(Page::of(items, page, |task: &TaskRecord| task.id.clone()))
}

/// The names of the jobs that runs and batches with these ids are of, by id; what is gone is left out.
///
/// # Errors
/// Only the database's own.
pub async fn jobs(tx: &mut Look, about: &[String]) -> Result<HashMap<String, String>> {
    const SQL: &str = "SELECT id, job_name FROM runs WHERE id IN ({})
        UNION ALL SELECT b.id, t.job_name FROM batches b JOIN triggers t ON t.name = b.trigger_name
            WHERE b.id IN ({})";
    let jobs: Vec<(String, String)> = on_many!(tx, query_as, SQL, [], about)?;
    Ok(jobs.into_iter().collect())
}

/// Takes the turn at something that one process at a time looks after, until `until`; says whether it was free.
///
/// # Errors
/// Only the database's own.
pub async fn take_turn(tx: &mut Note, name: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "INSERT INTO turns (name, until) VALUES ($1, $3)
        ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE turns.until <= $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .bind(now)
        .bind(until)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// What tasks with this serial key are about that wait for their turn and were never tried, the first first.
///
/// # Errors
/// Only the database's own.
pub async fn waiting(tx: &mut Look, serial_key: &str) -> Result<Vec<Value>> {
    const SQL: &str = "SELECT payload FROM tasks
        WHERE serial_key = $1 AND state = 'READY' AND attempt = 0 ORDER BY serial_key, id";
    let payloads: Vec<Json<Value>> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(serial_key)
        .fetch_all(conn)
        .await)?;
    Ok(payloads.into_iter().map(|payload| payload.0).collect())
}

/// Puts a task that failed for good back on the queue, as if it had never been tried; says whether there was one.
///
/// # Errors
/// Only the database's own.
pub async fn reopen(tx: &mut Note, id: &str, run_at: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "UPDATE tasks SET state = 'READY', run_at = $2, attempt = 0, failures = 0, waits = 0, deaths = 0,
        error = NULL, hint = NULL, first_failed_at = NULL, failed_at = NULL, refused_since = NULL WHERE id = $1 AND state = 'FAILED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(run_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Says how many tasks of a group may be at work at a time from now on; any number where that is nothing.
///
/// # Errors
/// Only the database's own.
pub async fn set_limit(tx: &mut Note, group: &str, limit: Option<u32>) -> Result<()> {
    const SQL: &str =
        "UPDATE tasks SET group_limit = $2 WHERE group_key = $1 AND state IN ('READY', 'LEASED')";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(group)
        .bind(limit.map_or(i64::MAX, i64::from))
        .execute(conn)
        .await
        .map(drop))
}

/// Removes a task that failed for good; says whether there was one.
///
/// # Errors
/// Only the database's own.
pub async fn settle(tx: &mut Note, id: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM tasks WHERE id = $1 AND state = 'FAILED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// When the next task is due or its lease ends; absent where the queue is empty.
///
/// # Errors
/// Only the database's own.
pub async fn next_due(tx: &mut Look) -> Result<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT MIN(CASE WHEN state = 'READY' THEN run_at ELSE lease_until END)
        FROM tasks WHERE state IN ('READY', 'LEASED')";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_one(conn).await)
}

/// What operators count, at the time `now`.
///
/// # Errors
/// Only the database's own.
pub async fn count(tx: &mut Look, now: DateTime<Utc>) -> Result<TaskCounts> {
    const SQL: &str = "SELECT COUNT(CASE WHEN state IN ('READY', 'LEASED') THEN 1 END),
        COUNT(CASE WHEN state = 'READY' AND error IS NOT NULL THEN 1 END),
        COUNT(CASE WHEN state = 'FAILED' THEN 1 END),
        MIN(CASE WHEN state = 'READY' AND run_at <= $1 THEN run_at END) FROM tasks";
    let (unfinished, waiting, failed, oldest_due) =
        on!(tx, |conn| sqlx::query_as(SQL).bind(now).fetch_one(conn).await)?;
    Ok(TaskCounts {
        unfinished,
        waiting,
        failed,
        oldest_due,
    })
}
