//! What runs wrote: which objects are whose, and which of them readers by the catalog don't see.

use chrono::{DateTime, Utc};

use super::{Look, Note, on};
use crate::error::Result;

/// An object that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WrittenObject {
    /// The job.
    pub job_name: String,
    /// The run.
    pub run_id: String,
    /// The entity tag; absent while the output is being published.
    pub etag: Option<String>,
}

/// Says that a run is about to make these objects visible; `hidden` where they are to be seen together with others.
///
/// # Errors
/// Only the database's own.
pub async fn claim(
    tx: &mut Note,
    job: &str,
    run: &str,
    bucket: &str,
    keys: &[String],
    hidden: bool,
) -> Result<()> {
    const SQL: &str = "INSERT INTO written_objects (bucket, object_key, job_name, run_id, etag, hidden)
        VALUES ($1, $2, $3, $4, NULL, $5)
        ON CONFLICT (bucket, object_key) DO UPDATE SET job_name = excluded.job_name, run_id = excluded.run_id,
            etag = NULL, hidden = excluded.hidden";
    for key in keys {
        on!(tx, |conn| sqlx::query(SQL)
            .bind(bucket)
            .bind(key)
            .bind(job)
            .bind(run)
            .bind(hidden)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Says that an object of a run is there, with this entity tag, for everybody to see.
///
/// # Errors
/// Only the database's own.
pub async fn settle(tx: &mut Note, run: &str, bucket: &str, key: &str, etag: &str) -> Result<()> {
    const SQL: &str = "UPDATE written_objects SET etag = $4, hidden = $5
        WHERE bucket = $1 AND object_key = $2 AND run_id = $3";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(bucket)
        .bind(key)
        .bind(run)
        .bind(etag)
        .bind(false)
        .execute(conn)
        .await
        .map(drop))
}

/// Hides an object that was replaced and is about to be removed, whoever wrote it.
///
/// # Errors
/// Only the database's own.
pub async fn hide(tx: &mut Note, job: &str, run: &str, bucket: &str, key: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO written_objects (bucket, object_key, job_name, run_id, etag, hidden)
        VALUES ($1, $2, $3, $4, NULL, $5)
        ON CONFLICT (bucket, object_key) DO UPDATE SET hidden = excluded.hidden";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(bucket)
        .bind(key)
        .bind(job)
        .bind(run)
        .bind(true)
        .execute(conn)
        .await
        .map(drop))
}

/// Forgets objects that are no more.
///
/// # Errors
/// Only the database's own.
pub async fn forget(tx: &mut Note, bucket: &str, keys: &[String]) -> Result<()> {
    const SQL: &str = "DELETE FROM written_objects WHERE bucket = $1 AND object_key = $2";
    for key in keys {
        on!(tx, |conn| sqlx::query(SQL)
            .bind(bucket)
            .bind(key)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// What is known of an object that a run may have written.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, bucket: &str, key: &str) -> Result<Option<WrittenObject>> {
    const SQL: &str =
        "SELECT job_name, run_id, etag FROM written_objects WHERE bucket = $1 AND object_key = $2";
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(bucket)
        .bind(key)
        .fetch_optional(conn)
        .await)
}

/// Whether a job has written anything whose key begins with `prefix`.
///
/// # Errors
/// Only the database's own.
pub async fn has_written(tx: &mut Look, job: &str, bucket: &str, prefix: &str) -> Result<bool> {
    const SQL: &str = "SELECT object_key FROM written_objects
        WHERE job_name = $1 AND bucket = $2 AND object_key >= $3 ORDER BY object_key LIMIT 1";
    let first: Option<String> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(job)
        .bind(bucket)
        .bind(prefix)
        .fetch_optional(conn)
        .await)?;
    Ok(first.is_some_and(|key| key.starts_with(prefix)))
}

/// The objects that readers by the catalog don't see, of those whose keys begin with `prefix`: each key with its run.
///
/// # Errors
/// Only the database's own.
pub async fn hidden(tx: &mut Look, bucket: &str, prefix: &str) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT object_key, run_id FROM written_objects
        WHERE hidden AND bucket = $1 AND object_key >= $2 ORDER BY object_key";
    let rows: Vec<(String, String)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(bucket)
        .bind(prefix)
        .fetch_all(conn)
        .await)?;
    Ok(rows
        .into_iter()
        .take_while(|(key, _)| key.starts_with(prefix))
        .collect())
}

/// Runs that are over although their outputs never were decided: what they uploaded is to be thrown away. With the
/// manifest of each.
///
/// # Errors
/// Only the database's own.
pub async fn given_up(tx: &mut Look, limit: i64) -> Result<Vec<(String, serde_json::Value)>> {
    const SQL: &str = "SELECT c.run_id, c.manifest FROM output_commits c JOIN runs r ON r.id = c.run_id
        WHERE c.state IN ('STAGING', 'COMMITTING') AND r.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
        ORDER BY c.run_id LIMIT $1";
    let rows: Vec<(String, sqlx::types::Json<serde_json::Value>)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)?;
    Ok(rows
        .into_iter()
        .map(|(run, manifest)| (run, manifest.0))
        .collect())
}

/// Says that what a run had uploaded is gone.
///
/// # Errors
/// Only the database's own.
pub async fn thrown_away(tx: &mut Note, run: &str, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "UPDATE output_commits SET state = 'THROWN_AWAY', updated_at = $2 WHERE run_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(run)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}
