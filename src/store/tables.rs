//! Tables and their former versions.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Tx, on};
use crate::error::Result;
use crate::model::name::TableRef;
use crate::model::page::{Page, PageRequest};
use crate::model::table::{Table, TableInput};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    database_name: String,
    version: i64,
    body: Json<TableInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Table {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            database: row.database_name,
            version: row.version,
            input: row.body.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds a table at version 0.
///
/// # Errors
/// AlreadyExists; NotFound where its database isn't there.
pub async fn insert(
    tx: &mut Tx,
    id: &str,
    database: &str,
    input: &TableInput,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO tables (id, database_name, name, version, body, created_at, updated_at)
        VALUES ($1, $2, $3, 0, $4, $5, $5)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(database)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The table called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Tx, name: &TableRef) -> Result<Option<Table>> {
    const SQL: &str = "SELECT id, database_name, version, body, created_at, updated_at FROM tables
        WHERE database_name = $1 AND name = $2";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(&name.database)
        .bind(&name.name)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Table::from))
}

/// The tables of a database by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Tx, database: &str, page: &PageRequest) -> Result<Page<Table>> {
    const SQL: &str = "SELECT id, database_name, version, body, created_at, updated_at FROM tables
        WHERE database_name = $1 AND name > $2 ORDER BY name LIMIT $3";
    let after = page.after.clone().unwrap_or_default();
    let limit = i64::from(page.limit) + 1;
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(database)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(Table::from).collect();
    Ok(Page::of(items, page, |table: &Table| table.input.name.clone()))
}

/// Puts `input` in the place of version `version`, which is kept as a former one. Says whether that version was still
/// the current one; nothing changes where it wasn't.
///
/// # Errors
/// Only the database's own.
pub async fn update(
    tx: &mut Tx,
    id: &str,
    version: i64,
    input: &TableInput,
    now: DateTime<Utc>,
) -> Result<bool> {
    const ARCHIVE: &str = "INSERT INTO table_versions (table_id, version, body, updated_at)
        SELECT id, version, body, updated_at FROM tables WHERE id = $1 AND version = $2";
    const UPDATE: &str = "UPDATE tables SET body = $3, version = version + 1, updated_at = $4
        WHERE id = $1 AND version = $2";
    on!(tx, |conn| sqlx::query(ARCHIVE)
        .bind(id)
        .bind(version)
        .execute(conn)
        .await
        .map(drop))?;
    on!(tx, |conn| sqlx::query(UPDATE)
        .bind(id)
        .bind(version)
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Former versions of a table, the newest first; the page's key is the version.
///
/// # Errors
/// Only the database's own.
pub async fn versions(tx: &mut Tx, table: &Table, page: &PageRequest) -> Result<Page<Table>> {
    const SQL: &str = "SELECT $1 AS id, $2 AS database_name, version, body, $3 AS created_at, updated_at
        FROM table_versions WHERE table_id = $1 AND version < $4 ORDER BY version DESC LIMIT $5";
    let before: i64 = page
        .after
        .as_deref()
        .and_then(|after| after.parse().ok())
        .unwrap_or(i64::MAX);
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(&table.id)
        .bind(&table.database)
        .bind(table.created_at)
        .bind(before)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(Table::from).collect();
    Ok(Page::of(items, page, |table: &Table| table.version.to_string()))
}

/// Removes a table with its versions and partitions; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Tx, name: &TableRef) -> Result<bool> {
    const SQL: &str = "DELETE FROM tables WHERE database_name = $1 AND name = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&name.database)
        .bind(&name.name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}

/// Names of databases, tables and jobs that contain `text`, which is in lower case: kind, database, name.
///
/// # Errors
/// Only the database's own.
pub async fn search_names(
    tx: &mut Tx,
    text: &str,
    limit: i64,
) -> Result<Vec<(String, Option<String>, String)>> {
    const SQL: &str = "SELECT 'database' AS kind, NULL AS database_name, name FROM databases
            WHERE name LIKE $1 ESCAPE '\\'
        UNION ALL SELECT 'table', database_name, name FROM tables WHERE name LIKE $1 ESCAPE '\\'
        UNION ALL SELECT 'job', NULL, name FROM jobs WHERE LOWER(name) LIKE $1 ESCAPE '\\'
        UNION ALL SELECT 'crawler', NULL, name FROM crawlers WHERE LOWER(name) LIKE $1 ESCAPE '\\'
        ORDER BY 3, 1, 2 LIMIT $2";
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(format!("%{escaped}%"))
        .bind(limit)
        .fetch_all(conn)
        .await)
}
