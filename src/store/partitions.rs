//! Partitions of tables.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Tx, on};
use crate::error::Result;
use crate::model::page::{Page, PageRequest};
use crate::model::partition::{Partition, PartitionInput, values_key};

#[derive(sqlx::FromRow)]
struct Row {
    body: Json<PartitionInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Partition {
    fn from(row: Row) -> Self {
        Self {
            input: row.body.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds a partition, or puts it in the place of the one with the same values.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn upsert(tx: &mut Tx, table_id: &str, input: &PartitionInput, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO partitions (table_id, values_key, body, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (table_id, values_key) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(values_key(&input.values))
        .bind(Json(input))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The partition with these values.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Tx, table_id: &str, values: &[String]) -> Result<Option<Partition>> {
    const SQL: &str =
        "SELECT body, created_at, updated_at FROM partitions WHERE table_id = $1 AND values_key = $2";
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(table_id)
        .bind(values_key(values))
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Partition::from))
}

/// The partitions of a table in the order of their values.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Tx, table_id: &str, page: &PageRequest) -> Result<Page<Partition>> {
    const SQL: &str = "SELECT body, created_at, updated_at FROM partitions
        WHERE table_id = $1 AND values_key > $2 ORDER BY values_key LIMIT $3";
    let after = page.after.clone().unwrap_or_default();
    let limit = i64::from(page.limit) + 1;
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(table_id)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    let items = rows.into_iter().map(Partition::from).collect();
    Ok(Page::of(items, page, |partition: &Partition| {
        values_key(&partition.input.values)
    }))
}

/// How many partitions a table has.
///
/// # Errors
/// Only the database's own.
pub async fn count(tx: &mut Tx, table_id: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM partitions WHERE table_id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(table_id)
        .fetch_one(conn)
        .await)
}

/// Removes the partition with these values; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Tx, table_id: &str, values: &[String]) -> Result<bool> {
    const SQL: &str = "DELETE FROM partitions WHERE table_id = $1 AND values_key = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(values_key(values))
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
