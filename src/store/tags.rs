//! Tags of resources. A resource is the part of its ARN behind the account: `table/shop/sales`.

use std::collections::BTreeMap;

use super::{Look, Write, on};
use crate::error::Result;

/// Adds a tag, or puts it in the place of the one with the same key.
///
/// # Errors
/// Only the database's own.
pub async fn upsert(tx: &mut Write, resource: &str, key: &str, value: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO tags (resource, tag_key, tag_value) VALUES ($1, $2, $3)
        ON CONFLICT (resource, tag_key) DO UPDATE SET tag_value = excluded.tag_value";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(resource)
        .bind(key)
        .bind(value)
        .execute(conn)
        .await
        .map(drop))
}

/// The tags of a resource.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Look, resource: &str) -> Result<BTreeMap<String, String>> {
    const SQL: &str = "SELECT tag_key, tag_value FROM tags WHERE resource = $1";
    let rows: Vec<(String, String)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(resource)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().collect())
}

/// Removes a tag where there is one.
///
/// # Errors
/// Only the database's own.
pub async fn delete(tx: &mut Write, resource: &str, key: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM tags WHERE resource = $1 AND tag_key = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(resource)
        .bind(key)
        .execute(conn)
        .await
        .map(drop))
}

/// Removes all tags of a resource and of what lies in it, because it is gone itself.
///
/// # Errors
/// Only the database's own.
pub async fn delete_all(tx: &mut Write, resource: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM tags WHERE resource = $1 OR (resource > $2 AND resource < $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(resource)
        .bind(format!("{resource}/"))
        .bind(format!("{resource}0"))
        .execute(conn)
        .await
        .map(drop))
}
