//! Connections to where data comes from.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Write, on};
use crate::error::Result;
use crate::model::connection::{Connection, ConnectionInput};
use crate::model::page::PageRequest;

#[derive(sqlx::FromRow)]
struct Row {
    body: Json<ConnectionInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Connection {
    fn from(row: Row) -> Self {
        Self {
            input: row.body.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds a connection.
///
/// # Errors
/// AlreadyExists.
pub async fn insert(tx: &mut Write, input: &ConnectionInput, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO connections (name, body, created_at, updated_at) VALUES ($1, $2, $3, $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Puts `input` in the place of the connection called `name`, which may be renamed by it; says whether it was there.
///
/// # Errors
/// AlreadyExists where another has the new name.
pub async fn update(tx: &mut Write, name: &str, input: &ConnectionInput, now: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "UPDATE connections SET name = $2, body = $3, updated_at = $4 WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// The connection called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &str) -> Result<Option<Connection>> {
    const SQL: &str = "SELECT body, created_at, updated_at FROM connections WHERE name = $1";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Connection::from))
}

/// Connections by name, one more than the page holds where there are more.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, page: &PageRequest) -> Result<Vec<Connection>> {
    const SQL: &str =
        "SELECT body, created_at, updated_at FROM connections WHERE name > $1 ORDER BY name LIMIT $2";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(page.after.clone().unwrap_or_default())
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(Connection::from).collect())
}

/// Removes a connection; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Write, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM connections WHERE name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
