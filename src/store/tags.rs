//! Tags of resources. A resource is the part of its ARN behind the account: `table/shop/sales`.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::{Look, Write, on};
use crate::error::Result;

/// Of how many resources one statement removes the tags.
const RESOURCES: usize = 100;

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

/// Removes all tags of a resource that nothing lies in.
///
/// # Errors
/// Only the database's own.
pub async fn delete_of(tx: &mut Write, resource: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM tags WHERE resource = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(resource)
        .execute(conn)
        .await
        .map(drop))
}

/// Removes all tags of resources and of what lies in them, because they are gone themselves.
///
/// # Errors
/// Only the database's own.
pub async fn delete_all(tx: &mut Write, resources: &[String]) -> Result<()> {
    for some in resources.chunks(RESOURCES) {
        let with_what_lies_in_it = |at: usize| {
            let (it, from, to) = (at * 3 + 1, at * 3 + 2, at * 3 + 3);
            format!("resource = ${it} OR (resource > ${from} AND resource < ${to})")
        };
        let each: Vec<String> = (0..some.len()).map(with_what_lies_in_it).collect();
        let sql = format!("DELETE FROM tags WHERE {}", each.join(" OR "));
        on!(tx, |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for resource in some {
                query = query.bind(resource);
                query = query.bind(format!("{resource}/")).bind(format!("{resource}0"));
            }
            query.execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}
