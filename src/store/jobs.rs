//! Jobs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::{Look, Note, hold_row, on, on_many, triggers};
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
    glue: Option<Json<Value>>,
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
            glue: row.glue.map(|glue| glue.0),
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
    const SQL: &str =
        "INSERT INTO jobs (name, version, definition, definition_text, script, glue, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (name) DO UPDATE SET version = excluded.version, definition = excluded.definition,
            definition_text = excluded.definition_text, script = excluded.script, glue = excluded.glue,
            updated_at = excluded.updated_at
            WHERE jobs.version = excluded.version - 1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&job.name)
        .bind(job.version)
        .bind(Json(&job.definition))
        .bind(&job.definition_text)
        .bind(&job.script)
        .bind(job.glue.as_ref().map(Json))
        .bind(job.created_at)
        .bind(job.updated_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// A query for jobs: the columns of a [`JobRow`], and which rows.
macro_rules! select_jobs {
    ($which:literal) => {
        concat!(
            "SELECT name, version, definition, definition_text, script, glue, created_at, updated_at FROM jobs ",
            $which
        )
    };
}

/// The job called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &str) -> Result<Option<Job>> {
    const SQL: &str = select_jobs!("WHERE name = $1");
    let row: Option<JobRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Job::from))
}

/// Those of the jobs with these names that there are.
///
/// # Errors
/// Only the database's own.
pub async fn find_many(tx: &mut Look, names: &[String]) -> Result<Vec<Job>> {
    const SQL: &str = select_jobs!("WHERE name IN ({})");
    let rows: Vec<JobRow> = on_many!(tx, query_as, SQL, [], names)?;
    Ok(rows.into_iter().map(Job::from).collect())
}

/// Jobs by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, page: &PageRequest) -> Result<Page<Job>> {
    const SQL: &str = select_jobs!("WHERE name > $1 ORDER BY name LIMIT $2");
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

/// The names of the jobs that have all of these tags.
///
/// # Errors
/// Only the database's own.
pub async fn names(
    tx: &mut Look,
    tags: &BTreeMap<String, String>,
    page: &PageRequest,
) -> Result<Page<String>> {
    let mut sql = String::from("SELECT name FROM jobs WHERE name > $1");
    for at in 0..tags.len() {
        let (key, value) = (at * 2 + 3, at * 2 + 4);
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM tags WHERE resource = 'job/' || name AND tag_key = ${key} AND tag_value = ${value})"
        ));
    }
    sql.push_str(" ORDER BY name LIMIT $2");
    let after = page.after.clone().unwrap_or_default();
    let names: Vec<String> = on!(tx, |conn| {
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(after)
            .bind(i64::from(page.limit) + 1);
        for (key, value) in tags {
            query = query.bind(key).bind(value);
        }
        query.fetch_all(conn).await
    })?;
    Ok(Page::of(names, page, String::clone))
}

/// Keeps others that start runs of a job, or change it, from doing so until the transaction ends.
///
/// # Errors
/// Only the database's own.
pub async fn hold(tx: &mut Note, name: &str) -> Result<()> {
    hold_row(tx, "SELECT name FROM jobs WHERE name = $1 FOR UPDATE", name).await
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
