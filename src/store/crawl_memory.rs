//! What crawls remember: files that were read, folders that were seen, tables as they were written, and how to undo it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::{Look, Note, Read, on, on_many};
use crate::error::Result;
use crate::model::crawl_memory::{CrawledTable, KnownFile, RememberedFolder, UndoStep};
use crate::model::event::ObjectEvent;

/// How many rows one statement writes.
const ROWS: usize = 500;

/// `($1, $2), ($3, $4)`: places for `rows` rows of `columns` values, numbered from `first`.
fn places(rows: usize, columns: usize, first: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (0..columns)
            .map(|column| format!("${}", first + row * columns + column))
            .collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[derive(sqlx::FromRow)]
struct FileRow {
    object_key: String,
    etag: String,
    size: i64,
    judge: String,
    body: String,
}

/// What is known of the files with these keys.
///
/// # Errors
/// Only the database's own.
pub async fn known_files(tx: &mut Look, bucket: &str, keys: &[String]) -> Result<Vec<KnownFile>> {
    const SQL: &str = "SELECT f.object_key, f.etag, f.size, f.judge, v.body FROM known_files f
        JOIN verdicts v ON v.id = f.verdict_id WHERE f.bucket = $1 AND f.object_key IN ({})";
    let rows: Vec<FileRow> = on_many!(tx, query_as, SQL, [bucket], keys)?;
    let known = |row: FileRow| KnownFile {
        key: row.object_key,
        etag: row.etag,
        size: row.size,
        judge: row.judge,
        verdict: row.body,
    };
    Ok(rows.into_iter().map(known).collect())
}

/// Remembers what files are; each comes with the digest of its verdict.
///
/// # Errors
/// Only the database's own.
pub async fn put_known_files(tx: &mut Note, bucket: &str, files: &[(String, KnownFile)]) -> Result<()> {
    let verdicts: BTreeMap<&str, &str> = files
        .iter()
        .map(|(id, file)| (id.as_str(), file.verdict.as_str()))
        .collect();
    let verdicts: Vec<(&str, &str)> = verdicts.into_iter().collect();
    for some in verdicts.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO verdicts (id, body) VALUES {} ON CONFLICT (id) DO NOTHING",
            places(some.len(), 2, 1)
        );
        on!(tx, |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (id, body) in some {
                query = query.bind(*id).bind(*body);
            }
            query.execute(conn).await.map(drop)
        })?;
    }
    for some in files.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO known_files (bucket, object_key, etag, size, judge, verdict_id) VALUES {}
            ON CONFLICT (bucket, object_key) DO UPDATE SET etag = excluded.etag, size = excluded.size,
                judge = excluded.judge, verdict_id = excluded.verdict_id",
            places(some.len(), 6, 1)
        );
        on!(tx, |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (id, file) in some {
                query = query.bind(bucket).bind(&file.key).bind(&file.etag);
                query = query.bind(file.size).bind(&file.judge).bind(id);
            }
            query.execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// The folders of a bucket that a crawler saw last.
///
/// # Errors
/// Only the database's own.
pub async fn folders(
    tx: &mut Read,
    crawler: &str,
    bucket: &str,
) -> Result<BTreeMap<String, RememberedFolder>> {
    const SQL: &str = "SELECT path, body FROM crawled_folders
        WHERE crawler_name = $1 AND bucket = $2 AND path > $3 ORDER BY path LIMIT 5000";
    const FIRST: &str = "SELECT path, body FROM crawled_folders
        WHERE crawler_name = $1 AND bucket = $2 AND path = $3";
    let mut found = BTreeMap::new();
    let mut after = String::new();
    let mut rows: Vec<(String, Json<RememberedFolder>)> = on!(tx, |conn| sqlx::query_as(FIRST)
        .bind(crawler)
        .bind(bucket)
        .bind("")
        .fetch_all(conn)
        .await)?;
    loop {
        for (path, body) in std::mem::take(&mut rows) {
            found.insert(path, body.0);
        }
        rows = on!(tx, |conn| sqlx::query_as(SQL)
            .bind(crawler)
            .bind(bucket)
            .bind(&after)
            .fetch_all(conn)
            .await)?;
        match rows.last() {
            Some((last, _)) => after.clone_from(last),
            None => return Ok(found),
        }
    }
}

/// Remembers folders of a crawler, each by its path.
///
/// # Errors
/// NotFound where the crawler isn't there.
pub async fn put_folders(
    tx: &mut Note,
    crawler: &str,
    bucket: &str,
    folders: &[(String, RememberedFolder)],
) -> Result<()> {
    for some in folders.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO crawled_folders (crawler_name, bucket, path, body) VALUES {}
            ON CONFLICT (crawler_name, bucket, path) DO UPDATE SET body = excluded.body",
            places(some.len(), 4, 1)
        );
        on!(tx, |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (path, folder) in some {
                query = query.bind(crawler).bind(bucket).bind(path).bind(Json(folder));
            }
            query.execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Forgets folders of a crawler.
///
/// # Errors
/// Only the database's own.
pub async fn forget_some_folders(tx: &mut Note, crawler: &str, bucket: &str, paths: &[String]) -> Result<()> {
    const SQL: &str = "DELETE FROM crawled_folders
        WHERE crawler_name = $1 AND bucket = $2 AND path IN ({}) RETURNING path";
    let _forgotten: Vec<String> = on_many!(tx, query_scalar, SQL, [crawler, bucket], paths)?;
    Ok(())
}

/// Forgets every folder of a crawler.
///
/// # Errors
/// Only the database's own.
pub async fn forget_folders(tx: &mut Note, crawler: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM crawled_folders WHERE crawler_name = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(crawler)
        .execute(conn)
        .await
        .map(drop))
}

/// The id of a crawler's last crawl that succeeded and was no dry run.
///
/// # Errors
/// Only the database's own.
pub async fn last_crawl(tx: &mut Look, crawler: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT id FROM crawls WHERE crawler_name = $1 AND NOT dry_run AND state = 'SUCCEEDED'
        AND undone_at IS NULL ORDER BY id DESC LIMIT 1";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(crawler)
        .fetch_optional(conn)
        .await)
}

/// Events that arrived behind the one with the id `after`, or any id of that time, with their ids; the first `limit`.
///
/// # Errors
/// Only the database's own.
pub async fn events_after(tx: &mut Look, after: &str, limit: i64) -> Result<Vec<(String, ObjectEvent)>> {
    const SQL: &str = "SELECT id, body FROM events WHERE id > $1 ORDER BY id LIMIT $2";
    let rows: Vec<(String, Json<ObjectEvent>)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(id, body)| (id, body.0)).collect())
}

/// A table as a crawl left it last.
///
/// # Errors
/// Only the database's own.
pub async fn table(tx: &mut Look, table_id: &str) -> Result<Option<CrawledTable>> {
    const SQL: &str = "SELECT body FROM crawled_tables WHERE table_id = $1";
    let body: Option<Json<CrawledTable>> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(table_id)
        .fetch_optional(conn)
        .await)?;
    Ok(body.map(|body| body.0))
}

/// Remembers how a crawl leaves a table.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn put_table(tx: &mut Note, table_id: &str, table: &CrawledTable) -> Result<()> {
    const SQL: &str = "INSERT INTO crawled_tables (table_id, body) VALUES ($1, $2)
        ON CONFLICT (table_id) DO UPDATE SET body = excluded.body";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(Json(table))
        .execute(conn)
        .await
        .map(drop))
}

/// Forgets how a crawl left a table.
///
/// # Errors
/// Only the database's own.
pub async fn forget_table(tx: &mut Note, table_id: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM crawled_tables WHERE table_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .execute(conn)
        .await
        .map(drop))
}

/// Adds a step to what undoes a crawl.
///
/// # Errors
/// Only the database's own.
pub async fn add_undo(tx: &mut Note, crawl: &str, seq: i64, step: &UndoStep) -> Result<()> {
    const SQL: &str = "INSERT INTO crawl_undo (crawl_id, seq, body) VALUES ($1, $2, $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(crawl)
        .bind(seq)
        .bind(Json(step))
        .execute(conn)
        .await
        .map(drop))
}

/// The step that lies before `seq`, with its number: steps are undone from the last to the first.
///
/// # Errors
/// Only the database's own.
pub async fn undo_before(tx: &mut Look, crawl: &str, seq: i64) -> Result<Option<(i64, UndoStep)>> {
    const SQL: &str =
        "SELECT seq, body FROM crawl_undo WHERE crawl_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1";
    let row: Option<(i64, Json<UndoStep>)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(crawl)
        .bind(seq)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(|(seq, body)| (seq, body.0)))
}

/// Notes that a crawl was undone; says whether it wasn't yet.
///
/// # Errors
/// Only the database's own.
pub async fn set_undone(tx: &mut Note, crawl: &str, now: DateTime<Utc>) -> Result<bool> {
    const SQL: &str = "UPDATE crawls SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(crawl)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
