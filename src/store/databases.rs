//! Databases.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Write, on};
use crate::error::Result;
use crate::model::database::{Database, DatabaseInput};
use crate::model::page::{Page, PageRequest};

#[derive(sqlx::FromRow)]
struct Row {
    body: Json<DatabaseInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Database {
    fn from(row: Row) -> Self {
        Self {
            input: row.body.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds a database.
///
/// # Errors
/// AlreadyExists.
pub async fn insert(tx: &mut Write, input: &DatabaseInput, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO databases (name, body, created_at, updated_at) VALUES ($1, $2, $3, $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Adds a database unless it is there; whoever adds it at the same time is waited for.
///
/// # Errors
/// Only the database's own.
pub async fn insert_if_absent(tx: &mut Write, input: &DatabaseInput, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO databases (name, body, created_at, updated_at) VALUES ($1, $2, $3, $3)
        ON CONFLICT (name) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Keeps others that hold the database, too, out of it until the transaction ends.
///
/// # Errors
/// Only the database's own.
pub async fn hold(tx: &mut Write, name: &str) -> Result<()> {
    super::hold_row(
        tx,
        "SELECT name FROM databases WHERE name = $1 FOR NO KEY UPDATE",
        name,
    )
    .await
}

/// The database called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &str) -> Result<Option<Database>> {
    const SQL: &str = "SELECT body, created_at, updated_at FROM databases WHERE name = $1";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Database::from))
}

/// Databases by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, page: &PageRequest) -> Result<Page<Database>> {
    const SQL: &str =
        "SELECT body, created_at, updated_at FROM databases WHERE name > $1 ORDER BY name LIMIT $2";
    let after = page.after.clone().unwrap_or_default();
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(Database::from).collect();
    Ok(Page::of(items, page, |database: &Database| {
        database.input.name.clone()
    }))
}

/// Puts `input` in the place of what was said of the database; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn update(tx: &mut Write, input: &DatabaseInput, now: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "UPDATE databases SET body = $2, updated_at = $3 WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Removes a database with all its tables; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Write, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM databases WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
