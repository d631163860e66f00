//! What is left to do of plans that are applied slice by slice, in the order in which it is done.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Look, Note, on};
use crate::error::{Error, Result};

/// Writes a slice down.
///
/// # Errors
/// Internal where it can't be written down.
pub async fn put(tx: &mut Note, crawl: &str, seq: i64, slice: &(impl Serialize + Sync)) -> Result<()> {
    const SQL: &str = "INSERT INTO crawl_slices (crawl_id, seq, body) VALUES ($1, $2, $3)";
    let body = serde_json::to_string(slice)
        .map_err(|cause| Error::internal("a part of a plan can't be written down").source(cause))?;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(crawl)
        .bind(seq)
        .bind(body)
        .execute(conn)
        .await
        .map(drop))
}

/// The slice that is next, with its number.
///
/// # Errors
/// Internal where it can't be read.
pub async fn next<T: DeserializeOwned>(tx: &mut Look, crawl: &str) -> Result<Option<(i64, T)>> {
    const SQL: &str = "SELECT seq, body FROM crawl_slices WHERE crawl_id = $1 ORDER BY seq LIMIT 1";
    let row: Option<(i64, String)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(crawl)
        .fetch_optional(conn)
        .await)?;
    let read = |(seq, body): (i64, String)| {
        serde_json::from_str(&body)
            .map(|slice| (seq, slice))
            .map_err(|cause| Error::internal("a part of a plan can't be read").source(cause))
    };
    row.map(read).transpose()
}

/// Takes a slice off that is done; says whether it was the last one.
///
/// # Errors
/// Only the database's own.
pub async fn done(tx: &mut Note, crawl: &str, seq: i64) -> Result<bool> {
    const DELETE: &str = "DELETE FROM crawl_slices WHERE crawl_id = $1 AND seq = $2";
    const LEFT: &str = "SELECT seq FROM crawl_slices WHERE crawl_id = $1 LIMIT 1";
    on!(tx, |conn| sqlx::query(DELETE)
        .bind(crawl)
        .bind(seq)
        .execute(conn)
        .await
        .map(drop))?;
    let left: Option<i64> = on!(tx, |conn| sqlx::query_scalar(LEFT)
        .bind(crawl)
        .fetch_optional(conn)
        .await)?;
    Ok(left.is_none())
}

/// Forgets what is left of a crawl's slices.
///
/// # Errors
/// Only the database's own.
pub async fn forget(tx: &mut Note, crawl: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM crawl_slices WHERE crawl_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(crawl)
        .execute(conn)
        .await
        .map(drop))
}
