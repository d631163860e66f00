//! Classifiers that people define.

use ::classifiers::ClassifierDefinition;
use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Note, on};
use crate::error::Result;
use crate::model::classifier::Classifier;
use crate::model::page::{Page, PageRequest};

#[derive(sqlx::FromRow)]
struct Row {
    body: Json<ClassifierDefinition>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Classifier {
    fn from(row: Row) -> Self {
        Self {
            definition: row.body.0,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds a classifier.
///
/// # Errors
/// AlreadyExists.
pub async fn insert(tx: &mut Note, definition: &ClassifierDefinition, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str =
        "INSERT INTO classifiers (name, body, version, created_at, updated_at) VALUES ($1, $2, 1, $3, $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(definition.name())
        .bind(Json(definition))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Puts a definition in the place of the one with its name; says whether there was one.
///
/// # Errors
/// Only the database's own.
pub async fn update(tx: &mut Note, definition: &ClassifierDefinition, now: DateTime<Utc>) -> Result<bool> {
    const SQL: &str =
        "UPDATE classifiers SET body = $2, version = version + 1, updated_at = $3 WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(definition.name())
        .bind(Json(definition))
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Keeps others that edit the classifier out of it until the transaction ends.
///
/// # Errors
/// Only the database's own.
pub async fn hold(tx: &mut Note, name: &str) -> Result<()> {
    super::hold_row(
        tx,
        "SELECT name FROM classifiers WHERE name = $1 FOR NO KEY UPDATE",
        name,
    )
    .await
}

/// The classifier called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &str) -> Result<Option<Classifier>> {
    const SQL: &str = "SELECT body, version, created_at, updated_at FROM classifiers WHERE name = $1";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Classifier::from))
}

/// Classifiers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, page: &PageRequest) -> Result<Page<Classifier>> {
    const SQL: &str = "SELECT body, version, created_at, updated_at FROM classifiers
        WHERE name > $1 ORDER BY name LIMIT $2";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(page.after.clone().unwrap_or_default())
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(Classifier::from).collect();
    Ok(Page::of(items, page, |classifier: &Classifier| {
        classifier.definition.name().to_owned()
    }))
}

/// Removes a classifier; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Note, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM classifiers WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
