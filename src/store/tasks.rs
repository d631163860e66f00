//! Durable tasks: what the queue stands on.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;

use super::{Tx, on};
use crate::error::Result;

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
    /// Of the tasks with the same key, one is at work at a time.
    pub serial_key: Option<String>,
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
    /// The token that every write of this try must show.
    pub lease: String,
}

/// Adds a task.
///
/// # Errors
/// Only the database's own.
pub async fn insert(tx: &mut Tx, id: &str, task: &NewTask<'_>, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO tasks
        (id, kind, payload, state, run_at, attempt, max_attempts, serial_key, created_at)
        VALUES ($1, $2, $3, 'READY', $4, 0, $5, $6, $7)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(task.kind)
        .bind(Json(&task.payload))
        .bind(task.run_at)
        .bind(task.max_attempts)
        .bind(&task.serial_key)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Takes the task that is due longest, and holds it until `until` under the token `lease`. A task whose holder let the
/// lease run out is due again.
///
/// # Errors
/// AlreadyExists where another worker took a task with the same serial key at the same moment: try again.
pub async fn claim(
    tx: &mut Tx,
    lease: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<LeasedTask>> {
    // Not shared: PostgreSQL needs SKIP LOCKED so that workers don't wait for one another, and SQLite doesn't know it.
    const SQLITE: &str =
        "UPDATE tasks SET state = 'LEASED', attempt = attempt + 1, lease = $1, lease_until = $3
        WHERE id = (SELECT t.id FROM tasks t
            WHERE ((t.state = 'READY' AND t.run_at <= $2) OR (t.state = 'LEASED' AND t.lease_until < $2))
            AND NOT EXISTS (SELECT 1 FROM tasks o
                WHERE o.serial_key = t.serial_key AND o.state = 'LEASED' AND o.id <> t.id)
            ORDER BY t.run_at, t.id LIMIT 1)
        RETURNING id, kind, payload, attempt, max_attempts, lease";
    const POSTGRES: &str =
        "UPDATE tasks SET state = 'LEASED', attempt = attempt + 1, lease = $1, lease_until = $3
        WHERE id = (SELECT t.id FROM tasks t
            WHERE ((t.state = 'READY' AND t.run_at <= $2) OR (t.state = 'LEASED' AND t.lease_until < $2))
            AND NOT EXISTS (SELECT 1 FROM tasks o
                WHERE o.serial_key = t.serial_key AND o.state = 'LEASED' AND o.id <> t.id)
            ORDER BY t.run_at, t.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, kind, payload, attempt, max_attempts, lease";
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
pub async fn extend(tx: &mut Tx, id: &str, lease: &str, until: DateTime<Utc>) -> Result<bool> {
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
pub async fn finish(tx: &mut Tx, id: &str, lease: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM tasks WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Puts a task back until `run_at`; says whether it was still held under `lease`.
///
/// # Errors
/// Only the database's own.
pub async fn retry(tx: &mut Tx, id: &str, lease: &str, run_at: DateTime<Utc>, error: &str) -> Result<bool> {
    const SQL: &str =
        "UPDATE tasks SET state = 'READY', lease = NULL, lease_until = NULL, run_at = $3, error = $4
        WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .bind(run_at)
        .bind(error)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Keeps a task that won't be tried again, with its error; says whether it was still held under `lease`.
///
/// # Errors
/// Only the database's own.
pub async fn fail(tx: &mut Tx, id: &str, lease: &str, error: &str) -> Result<bool> {
    const SQL: &str = "UPDATE tasks SET state = 'FAILED', lease = NULL, lease_until = NULL, error = $3
        WHERE id = $1 AND lease = $2 AND state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(lease)
        .bind(error)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Makes every held task due again. Only right where it is certain that nobody holds one: at the start of the one
/// process that may use the database.
///
/// # Errors
/// Only the database's own.
pub async fn release_all(tx: &mut Tx) -> Result<u64> {
    const SQL: &str =
        "UPDATE tasks SET state = 'READY', lease = NULL, lease_until = NULL WHERE state = 'LEASED'";
    on!(tx, |conn| sqlx::query(SQL)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))
}

/// When the next task is due or its lease ends; absent where the queue is empty.
///
/// # Errors
/// Only the database's own.
pub async fn next_due(tx: &mut Tx) -> Result<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT MIN(CASE WHEN state = 'READY' THEN run_at ELSE lease_until END)
        FROM tasks WHERE state IN ('READY', 'LEASED')";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_one(conn).await)
}

/// How many tasks wait or are at work.
///
/// # Errors
/// Only the database's own.
pub async fn count_unfinished(tx: &mut Tx) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM tasks WHERE state IN ('READY', 'LEASED')";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_one(conn).await)
}
