//! Tables and their former versions.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::table_rows::Row;
use super::{Look, Write, on, on_many};
use crate::error::Result;
use crate::model::name::TableRef;
use crate::model::page::{Page, PageRequest};
use crate::model::partition::key::KeyOrder;
use crate::model::table::{Table, TableInput};

/// Tables that may lie at, in or around a prefix of a bucket: each location that begins with the prefix, or that is one of
/// the folders above it, is among theirs.
///
/// # Errors
/// Only the database's own.
pub async fn near(tx: &mut Look, bucket: &str, prefix: &str) -> Result<Vec<Table>> {
    let plain = |text: &str| text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let mut patterns = vec![format!("%://{}/{}%", plain(bucket), plain(prefix))];
    let above = prefix.match_indices('/').map(|(at, _)| &prefix[..at]);
    for folder in std::iter::once("").chain(above) {
        let folder = format!("%://{}/{}", plain(bucket), plain(folder));
        let folder = folder.trim_end_matches('/');
        patterns.push(format!("{folder}\"%"));
        patterns.push(format!("{folder}/\"%"));
    }
    let like: Vec<String> = (1..=patterns.len())
        .map(|at| format!("CAST(body AS TEXT) LIKE ${at} ESCAPE '\\'"))
        .collect();
    let sql = format!(
        "SELECT id, database_name, version, body, created_at, updated_at FROM tables WHERE {}
        ORDER BY database_name, name",
        like.join(" OR ")
    );
    let rows: Vec<Row> = on!(tx, |conn| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
        for pattern in &patterns {
            query = query.bind(pattern);
        }
        query.fetch_all(conn).await
    })?;
    Ok(rows.into_iter().map(Table::from).collect())
}

/// Adds a table at version 0.
///
/// # Errors
/// AlreadyExists; NotFound where its database isn't there.
pub async fn insert(
    tx: &mut Write,
    id: &str,
    database: &str,
    input: &TableInput,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str =
        "INSERT INTO tables (id, database_name, name, version, body, created_at, updated_at, partition_order)
        VALUES ($1, $2, $3, 0, $4, $5, $5, $6)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(database)
        .bind(&input.name)
        .bind(Json(input))
        .bind(now)
        .bind(KeyOrder::of(&input.partition_keys).name())
        .execute(conn)
        .await
        .map(drop))?;
    super::search::put_new(tx, id, input).await
}

/// The table called `name`.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, name: &TableRef) -> Result<Option<Table>> {
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
pub async fn list(tx: &mut Look, database: &str, page: &PageRequest) -> Result<Page<Table>> {
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

/// Puts `input` in the place of the table's state `current`, which is kept as a former version where `archive` says so. Says
/// whether that was still the table's state; nothing changes where it wasn't. The keys of its partitions stay in order.
///
/// # Errors
/// Only the database's own.
pub async fn update(
    tx: &mut Write,
    current: &Table,
    input: &TableInput,
    archive: bool,
    now: DateTime<Utc>,
) -> Result<bool> {
    const UPDATE: &str =
        "UPDATE tables SET body = $3, version = version + 1, updated_at = $4, partition_order = $5
        WHERE id = $1 AND version = $2";
    const ARCHIVE: &str =
        "INSERT INTO table_versions (table_id, version, body, updated_at) VALUES ($1, $2, $3, $4)";
    let order = KeyOrder::of(&input.partition_keys);
    let updated: u64 = on!(tx, |conn| sqlx::query(UPDATE)
        .bind(&current.id)
        .bind(current.version)
        .bind(Json(input))
        .bind(now)
        .bind(order.name())
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    if updated == 0 {
        return Ok(false);
    }
    if archive {
        on!(tx, |conn| sqlx::query(ARCHIVE)
            .bind(&current.id)
            .bind(current.version)
            .bind(Json(&current.input))
            .bind(current.updated_at)
            .execute(conn)
            .await
            .map(drop))?;
    }
    if order.name() != KeyOrder::of(&current.input.partition_keys).name() {
        super::partitions::put_in_order(tx, &current.id, &order).await?;
    }
    if super::search::words_of(input) != super::search::words_of(&current.input) {
        super::search::put(tx, &current.id, input).await?;
    }
    Ok(true)
}

/// A former version of a table.
///
/// # Errors
/// Only the database's own.
pub async fn find_version(tx: &mut Look, table: &Table, version: i64) -> Result<Option<Table>> {
    const SQL: &str = "SELECT $1 AS id, $2 AS database_name, version, body, $3 AS created_at, updated_at
        FROM table_versions WHERE table_id = $1 AND version = $4";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(&table.id)
        .bind(&table.database)
        .bind(table.created_at)
        .bind(version)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Table::from))
}

/// Removes former versions; gives those that were there.
///
/// # Errors
/// Only the database's own.
pub async fn delete_versions(tx: &mut Write, table_id: &str, versions: &[i64]) -> Result<HashSet<i64>> {
    const SQL: &str = "DELETE FROM table_versions WHERE table_id = $1 AND version IN ({}) RETURNING version";
    let deleted: Vec<i64> = on_many!(tx, query_scalar, SQL, [table_id], versions)?;
    Ok(deleted.into_iter().collect())
}

/// Removes former versions but the newest `keep`.
///
/// # Errors
/// Only the database's own.
pub async fn delete_versions_but(tx: &mut Write, table_id: &str, keep: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM table_versions WHERE table_id = $1 AND version <= (
        SELECT version FROM table_versions WHERE table_id = $1 ORDER BY version DESC LIMIT 1 OFFSET $2)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(keep)
        .execute(conn)
        .await
        .map(drop))
}

/// Former versions of a table, the newest first; the page's key is the version.
///
/// # Errors
/// Only the database's own.
pub async fn versions(tx: &mut Look, table: &Table, page: &PageRequest) -> Result<Page<Table>> {
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

/// Removes tables of a database with their versions and partitions; gives the names of those that were there.
///
/// # Errors
/// Only the database's own.
pub async fn delete_all(tx: &mut Write, database: &str, names: &[String]) -> Result<HashSet<String>> {
    const SQL: &str = "DELETE FROM tables WHERE database_name = $1 AND name IN ({}) RETURNING name";
    let deleted: Vec<String> = on_many!(tx, query_scalar, SQL, [database], names)?;
    Ok(deleted.into_iter().collect())
}

/// Removes a table with its versions and partitions; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Write, name: &TableRef) -> Result<bool> {
    const SQL: &str = "DELETE FROM tables WHERE database_name = $1 AND name = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&name.database)
        .bind(&name.name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
