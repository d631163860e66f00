//! User-defined functions.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Write, on};
use crate::error::Result;
use crate::model::function::{Function, FunctionInput};
use crate::model::page::PageRequest;

#[derive(sqlx::FromRow)]
struct Row {
    database_name: String,
    body: Json<FunctionInput>,
    created_at: DateTime<Utc>,
}

impl From<Row> for Function {
    fn from(row: Row) -> Self {
        Self {
            database: row.database_name,
            input: row.body.0,
            created_at: row.created_at,
        }
    }
}

/// Adds a function.
///
/// # Errors
/// AlreadyExists; NotFound where its database isn't there.
pub async fn insert(tx: &mut Write, database: &str, input: &FunctionInput, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO functions (database_name, name, body, created_at) VALUES ($1, $2, $3, $4)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(database)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Puts `input` in the place of the function called `name`, which may be renamed by it; says whether it was there.
///
/// # Errors
/// AlreadyExists where another has the new name.
pub async fn update(tx: &mut Write, database: &str, name: &str, input: &FunctionInput) -> Result<bool> {
    const SQL: &str = "UPDATE functions SET name = $3, body = $4 WHERE database_name = $1 AND name = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(database)
        .bind(name)
        .bind(&input.name)
        .bind(Json(input))
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// The function called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, database: &str, name: &str) -> Result<Option<Function>> {
    const SQL: &str =
        "SELECT database_name, body, created_at FROM functions WHERE database_name = $1 AND name = $2";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(database)
        .bind(name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Function::from))
}

/// Functions by database and name behind `after`, of one database or of all.
///
/// # Errors
/// Only the database's own.
pub async fn list(
    tx: &mut Look,
    database: Option<&str>,
    after: &(String, String),
    page: &PageRequest,
) -> Result<Vec<Function>> {
    const SQL: &str = "SELECT database_name, body, created_at FROM functions
        WHERE (database_name, name) > ($2, $3) AND ($1 = '' OR database_name = $1)
        ORDER BY database_name, name LIMIT $4";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(database.unwrap_or_default())
        .bind(&after.0)
        .bind(&after.1)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(Function::from).collect())
}

/// Removes a function; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Write, database: &str, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM functions WHERE database_name = $1 AND name = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(database)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
