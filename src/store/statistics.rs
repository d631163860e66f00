//! Statistics of columns, of a whole table's or of one partition's.

use sqlx::types::Json;

use super::{Read, Write, on};
use crate::error::Result;

/// Statistics as a client sent them.
pub type Statistics = serde_json::Map<String, serde_json::Value>;

/// Whose columns are meant: a table's, or those of the partition with this key.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The table.
    pub table_id: String,
    /// The key of the partition; absent for the table itself.
    pub values_key: Option<String>,
}

/// Keeps the statistics of a column in the place of earlier ones.
///
/// # Errors
/// NotFound where the table or the partition isn't there.
pub async fn upsert(tx: &mut Write, owner: &Owner, column: &str, statistics: &Statistics) -> Result<()> {
    const OF_TABLE: &str = "INSERT INTO table_statistics (table_id, column_name, body) VALUES ($1, $2, $3)
        ON CONFLICT (table_id, column_name) DO UPDATE SET body = excluded.body";
    const OF_PARTITION: &str = "INSERT INTO partition_statistics (table_id, column_name, body, values_key)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (table_id, values_key, column_name) DO UPDATE SET body = excluded.body";
    match &owner.values_key {
        None => on!(tx, |conn| sqlx::query(OF_TABLE)
            .bind(&owner.table_id)
            .bind(column)
            .bind(Json(statistics))
            .execute(conn)
            .await
            .map(drop)),
        Some(key) => on!(tx, |conn| sqlx::query(OF_PARTITION)
            .bind(&owner.table_id)
            .bind(column)
            .bind(Json(statistics))
            .bind(key)
            .execute(conn)
            .await
            .map(drop)),
    }
}

/// All statistics of an owner by column.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Read, owner: &Owner) -> Result<Vec<(String, Statistics)>> {
    const OF_TABLE: &str =
        "SELECT column_name, body FROM table_statistics WHERE table_id = $1 ORDER BY column_name";
    const OF_PARTITION: &str = "SELECT column_name, body FROM partition_statistics
        WHERE table_id = $1 AND values_key = $2 ORDER BY column_name";
    let rows: Vec<(String, Json<Statistics>)> = match &owner.values_key {
        None => on!(tx, |conn| sqlx::query_as(OF_TABLE)
            .bind(&owner.table_id)
            .fetch_all(conn)
            .await)?,
        Some(key) => on!(tx, |conn| sqlx::query_as(OF_PARTITION)
            .bind(&owner.table_id)
            .bind(key)
            .fetch_all(conn)
            .await)?,
    };
    Ok(rows.into_iter().map(|(column, body)| (column, body.0)).collect())
}

/// Removes the statistics of a column; says whether there were any.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Write, owner: &Owner, column: &str) -> Result<bool> {
    const OF_TABLE: &str = "DELETE FROM table_statistics WHERE table_id = $1 AND column_name = $2";
    const OF_PARTITION: &str =
        "DELETE FROM partition_statistics WHERE table_id = $1 AND column_name = $2 AND values_key = $3";
    match &owner.values_key {
        None => on!(tx, |conn| sqlx::query(OF_TABLE)
            .bind(&owner.table_id)
            .bind(column)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0)),
        Some(key) => on!(tx, |conn| sqlx::query(OF_PARTITION)
            .bind(&owner.table_id)
            .bind(column)
            .bind(key)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0)),
    }
}
