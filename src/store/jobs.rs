//! Jobs.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Note, on, triggers};
use crate::error::Result;
use crate::model::job::{Job, JobDefinition};
use crate::model::page::{Page, PageRequest};

#[derive(sqlx::FromRow)]
struct JobRow {
    name: String,
    version: i64,
    definition: Json<JobDefinition>,
    definition_text: String,
    script: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        Self {
            name: row.name,
            version: row.version,
            definition: row.definition.0,
            definition_text: row.definition_text,
            script: row.script,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds the job, or puts it in the place of the version before its own; says whether that was the last one.
///
/// # Errors
/// Only the database's own.
pub async fn upsert(tx: &mut Note, job: &Job) -> Result<bool> {
    const SQL: &str = "INSERT INTO jobs (name, version, definition, definition_text, script, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name) DO UPDATE SET version = excluded.version, definition = excluded.definition,
            definition_text = excluded.definition_text, script = excluded.script, updated_at = excluded.updated_at
            WHERE jobs.version = excluded.version - 1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&job.name)
        .bind(job.version)
        .bind(Json(&job.definition))
        .bind(&job.definition_text)
        .bind(&job.script)
        .bind(job.created_at)
        .bind(job.updated_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// The job called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &str) -> Result<Option<Job>> {
    const SQL: &str = "SELECT name, version, definition, definition_text, script, created_at, updated_at
        FROM jobs WHERE name = $1";
    let row: Option<JobRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Job::from))
}

/// Jobs by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, page: &PageRequest) -> Result<Page<Job>> {
    const SQL: &str = "SELECT name, version, definition, definition_text, script, created_at, updated_at
        FROM jobs WHERE name > $1 ORDER BY name LIMIT $2";
    let after = page.after.clone().unwrap_or_default();
    let rows: Vec<JobRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    Ok(Page::of(
        rows.into_iter().map(Job::from).collect(),
        page,
        |job: &Job| job.name.clone(),
    ))
}

/// Removes a job with its triggers; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Note, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM jobs WHERE name = $1";
    triggers::count_change(tx).await?;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Every job, by name, without its scripts' text.
///
/// # Errors
/// Only the database's own.
pub async fn definitions(tx: &mut Look) -> Result<Vec<(String, JobDefinition)>> {
    const SQL: &str = "SELECT name, definition FROM jobs ORDER BY name";
    let rows: Vec<(String, Json<JobDefinition>)> = on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)?;
    Ok(rows
        .into_iter()
        .map(|(name, definition)| (name, definition.0))
        .collect())
}
