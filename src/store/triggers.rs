//! Triggers, by name and by job.

use sqlx::types::Json;

use super::{Look, Note, on};
use crate::error::Result;
use crate::model::job::{Trigger, TriggerDefinition};
use crate::model::page::{Page, PageRequest};

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    job_name: String,
    definition: Json<TriggerDefinition>,
    enabled: bool,
}

impl From<Row> for Trigger {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            job: row.job_name,
            definition: row.definition.0,
            enabled: row.enabled,
        }
    }
}

/// Puts `triggers` in the place of the job's former ones.
///
/// # Errors
/// NotFound where the job isn't there.
pub async fn replace(tx: &mut Note, job: &str, triggers: &[Trigger]) -> Result<()> {
    const DELETE: &str = "DELETE FROM triggers WHERE job_name = $1";
    const INSERT: &str = "INSERT INTO triggers (name, job_name, definition, enabled) VALUES ($1, $2, $3, $4)";
    count_change(tx).await?;
    on!(tx, |conn| sqlx::query(DELETE)
        .bind(job)
        .execute(conn)
        .await
        .map(drop))?;
    for trigger in triggers {
        on!(tx, |conn| sqlx::query(INSERT)
            .bind(&trigger.name)
            .bind(&trigger.job)
            .bind(Json(&trigger.definition))
            .bind(trigger.enabled)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Triggers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, page: &PageRequest) -> Result<Page<Trigger>> {
    const SQL: &str =
        "SELECT name, job_name, definition, enabled FROM triggers WHERE name > $1 ORDER BY name LIMIT $2";
    let after = page.after.clone().unwrap_or_default();
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    Ok(Page::of(
        rows.into_iter().map(Trigger::from).collect(),
        page,
        |trigger: &Trigger| trigger.name.clone(),
    ))
}

/// How often triggers were changed.
///
/// # Errors
/// Only the database's own.
pub async fn changes(tx: &mut Look) -> Result<i64> {
    const SQL: &str = "SELECT changes FROM trigger_changes WHERE id = 1";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_one(conn).await)
}

/// Counts a change of triggers: what was parsed of them is forgotten.
///
/// # Errors
/// Only the database's own.
pub(super) async fn count_change(tx: &mut Note) -> Result<()> {
    const SQL: &str = "UPDATE trigger_changes SET changes = changes + 1 WHERE id = 1";
    on!(tx, |conn| sqlx::query(SQL).execute(conn).await.map(drop))
}

/// Every trigger that is on.
///
/// # Errors
/// Only the database's own.
pub async fn enabled(tx: &mut Look) -> Result<Vec<Trigger>> {
    const SQL: &str = "SELECT name, job_name, definition, enabled FROM triggers WHERE enabled ORDER BY name";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(Trigger::from).collect())
}

/// The trigger called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &str) -> Result<Option<Trigger>> {
    const SQL: &str = "SELECT name, job_name, definition, enabled FROM triggers WHERE name = $1";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Trigger::from))
}
