//! What is over and old is forgotten, a slice at a time: the statements, and what they must leave.
//!
//! Ids sort by time, so the oldest of a kind stand at the beginning of its table. A slice looks at some of them behind those
//! that the last one looked at, and removes what nothing depends on.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Note, on};
use crate::error::Result;
use crate::model::event::ObjectEvent;

/// How many things a slice looks at.
const SLICE: i64 = 500;
/// How many parts of one thing (lines of a log, steps of an undo) a slice removes.
const PARTS: i64 = 5_000;
/// How many rows of the ledger a slice looks at.
const LEDGER_SLICE: i64 = 2_000;

/// What a slice did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// How many things it removed.
    pub forgotten: u64,
    /// Behind what the next one goes on; nothing where there is no more.
    pub next: Option<String>,
}

/// Up to when things of a kind were forgotten: what is older may be missing.
///
/// # Errors
/// Only the database's own.
pub async fn forgotten_until(tx: &mut Look, noun: &str) -> Result<Option<DateTime<Utc>>> {
    const SQL: &str = "SELECT until FROM forgotten WHERE noun = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(noun)
        .fetch_optional(conn)
        .await)
}

/// Whether events were forgotten that came after a crawl began.
///
/// # Errors
/// Only the database's own.
pub async fn lacks_events_since(tx: &mut Look, crawl: &str) -> Result<bool> {
    const SQL: &str =
        "SELECT COUNT(*) FROM crawls c JOIN forgotten f ON f.noun = 'events' AND f.until > c.created_at
        WHERE c.id = $1";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(crawl)
        .fetch_one(conn)
        .await)?;
    Ok(count > 0)
}

/// Writes down up to when things of a kind are forgotten.
///
/// # Errors
/// Only the database's own.
pub async fn set_forgotten_until(tx: &mut Note, noun: &str, until: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO forgotten (noun, until) VALUES ($1, $2)
        ON CONFLICT (noun) DO UPDATE SET until = excluded.until WHERE forgotten.until < excluded.until";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(noun)
        .bind(until)
        .execute(conn)
        .await
        .map(drop))
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: String,
    body: Json<ObjectEvent>,
    received_at: DateTime<Utc>,
}

/// Removes events that came before `before`. One stays as long as something may still come of it: it waits, its run isn't
/// over, or nothing came of it and the ledger knows no later word of its object.
///
/// # Errors
/// Only the database's own.
pub async fn forget_events(tx: &mut Note, after: &str, before: DateTime<Utc>) -> Result<Slice> {
    const EVENTS: &str = "SELECT id, body, received_at FROM events WHERE id > $1 ORDER BY id LIMIT $2";
    const UNSETTLED: &str =
        "SELECT o.event_id, o.state IN ('batched', 'waiting') OR r.state IN ('QUEUED', 'RUNNING')
        FROM event_outcomes o LEFT JOIN runs r ON r.id = o.run_id
        WHERE o.event_id >= $1 AND o.event_id <= $2 AND (o.state IN ('batched', 'waiting', 'rejected')
            OR o.state = 'started' AND r.state IN ('QUEUED', 'RUNNING', 'FAILED', 'CANCELLED'))";
    const LAST_WORD: &str = "SELECT event_id FROM objects WHERE bucket = $1 AND object_key = $2";
    const DELETE: &str = "DELETE FROM events WHERE id >= $1 AND id <= $2";
    let rows: Vec<EventRow> = on!(tx, |conn| sqlx::query_as(EVENTS)
        .bind(after)
        .bind(SLICE)
        .fetch_all(conn)
        .await)?;
    let old: Vec<&EventRow> = rows
        .iter()
        .take_while(|event| event.received_at < before)
        .collect();
    let (Some(first), Some(last)) = (old.first(), old.last()) else {
        return Ok(Slice::default());
    };
    let unsettled: Vec<(String, Option<bool>)> = on!(tx, |conn| sqlx::query_as(UNSETTLED)
        .bind(&first.id)
        .bind(&last.id)
        .fetch_all(conn)
        .await)?;
    let open: HashSet<&str> = unsettled
        .iter()
        .filter(|(_, is_open)| *is_open == Some(true))
        .map(|(id, _)| id.as_str())
        .collect();
    let without_result: HashSet<&str> = unsettled.iter().map(|(id, _)| id.as_str()).collect();
    let mut kept = HashSet::new();
    for event in &old {
        let id = event.id.as_str();
        let stays = if open.contains(id) {
            true
        } else if without_result.contains(id) {
            let word: Option<Option<String>> = on!(tx, |conn| sqlx::query_scalar(LAST_WORD)
                .bind(&event.body.bucket)
                .bind(&event.body.key)
                .fetch_optional(conn)
                .await)?;
            word.flatten().as_deref() == Some(id)
        } else {
            false
        };
        if stays {
            kept.insert(id);
        }
    }
    let mut forgotten = 0;
    for together in old.split(|event| kept.contains(event.id.as_str())) {
        if let (Some(first), Some(last)) = (together.first(), together.last()) {
            forgotten += on!(tx, |conn| sqlx::query(DELETE)
                .bind(&first.id)
                .bind(&last.id)
                .execute(conn)
                .await
                .map(|done| done.rows_affected()))?;
        }
    }
    Ok(Slice {
        forgotten,
        next: is_full(&old).then(|| last.id.clone()),
    })
}

/// A run, or a crawl.
#[derive(sqlx::FromRow)]
struct Work {
    id: String,
    /// The job, or the crawler where there is one.
    owner: Option<String>,
    state: String,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl Work {
    fn was_over(&self, before: DateTime<Utc>) -> bool {
        self.finished_at.is_some_and(|finished| finished < before)
            && matches!(self.state.as_str(), "SUCCEEDED" | "FAILED" | "CANCELLED")
    }
}

/// What a slice looks at of the runs or crawls that `sql` selects: those behind `after` that began before `before`.
async fn old_work(tx: &mut Look, sql: &'static str, after: &str, before: DateTime<Utc>) -> Result<Vec<Work>> {
    let mut rows: Vec<Work> = on!(tx, |conn| sqlx::query_as(sql)
        .bind(after)
        .bind(SLICE)
        .fetch_all(conn)
        .await)?;
    let old = rows.iter().take_while(|work| work.created_at < before).count();
    rows.truncate(old);
    Ok(rows)
}

/// Removes those of `old` that were over before `before` and aren't `kept`, each after its parts, of which `parts` removes so
/// many at once.
async fn forget_work(
    tx: &mut Note,
    old: &[Work],
    after: &str,
    before: DateTime<Utc>,
    kept: &BTreeSet<String>,
    (parts, work): (&'static str, &'static str),
) -> Result<Slice> {
    let mut slice = Slice::default();
    let mut room = PARTS;
    let mut behind = after;
    for Work { id, .. } in old
        .iter()
        .filter(|work| work.was_over(before) && !kept.contains(&work.id))
    {
        room -= on!(tx, |conn| sqlx::query(parts)
            .bind(id)
            .bind(room)
            .execute(conn)
            .await
            .map(|done| i64::try_from(done.rows_affected()).unwrap_or(PARTS)))?;
        if room <= 0 {
            slice.next = Some(behind.to_owned());
            return Ok(slice);
        }
        slice.forgotten += on!(tx, |conn| sqlx::query(work)
            .bind(id)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        behind = id;
    }
    slice.next = old.last().filter(|_| is_full(old)).map(|work| work.id.clone());
    Ok(slice)
}

/// Whether there may be more behind what a slice looked at.
fn is_full<T>(looked_at: &[T]) -> bool {
    i64::try_from(looked_at.len()) == Ok(SLICE)
}

/// Removes runs that were over before `before`, with their logs. One stays whose output isn't, whose arrivals nothing came
/// of, or that is one of `needed`.
///
/// # Errors
/// Only the database's own.
pub async fn forget_runs(
    tx: &mut Note,
    after: &str,
    before: DateTime<Utc>,
    needed: &BTreeSet<String>,
) -> Result<Slice> {
    const RUNS: &str = "SELECT id, job_name AS owner, state, created_at, finished_at FROM runs
        WHERE id > $1 ORDER BY id LIMIT $2";
    const UNDECIDED: &str = "SELECT run_id FROM output_commits
        WHERE run_id >= $1 AND run_id <= $2 AND state IN ('STAGING', 'COMMITTING', 'SHOWN')";
    const AWAITED: &str = "SELECT DISTINCT o.run_id FROM event_outcomes o JOIN runs r ON r.id = o.run_id
        WHERE o.run_id >= $1 AND o.run_id <= $2 AND r.state IN ('FAILED', 'CANCELLED')";
    const LINES: &str = "DELETE FROM run_logs WHERE run_id = $1
        AND seq IN (SELECT seq FROM run_logs WHERE run_id = $1 ORDER BY seq LIMIT $2)";
    const DELETE: &str = "DELETE FROM runs WHERE id = $1";
    let old = old_work(tx, RUNS, after, before).await?;
    let (Some(first), Some(last)) = (old.first(), old.last()) else {
        return Ok(Slice::default());
    };
    let mut kept = needed.clone();
    for sql in [UNDECIDED, AWAITED] {
        let runs: Vec<String> = on!(tx, |conn| sqlx::query_scalar(sql)
            .bind(&first.id)
            .bind(&last.id)
            .fetch_all(conn)
            .await)?;
        kept.extend(runs);
    }
    forget_work(tx, &old, after, before, &kept, (LINES, DELETE)).await
}

/// Removes crawls that were over before `before`, with what undoes them. The last of each crawler stays, as do the last that
/// ended and the last that it builds on, and those of `needed`.
///
/// # Errors
/// Only the database's own.
pub async fn forget_crawls(
    tx: &mut Note,
    after: &str,
    before: DateTime<Utc>,
    needed: &BTreeSet<String>,
) -> Result<Slice> {
    const CRAWLS: &str = "SELECT id, crawler_name AS owner, state, created_at, finished_at FROM crawls
        WHERE id > $1 ORDER BY id LIMIT $2";
    const LAST: &str = "SELECT MAX(id) FROM crawls WHERE crawler_name = $1 AND NOT dry_run
        UNION ALL SELECT MAX(id) FROM crawls WHERE crawler_name = $1 AND NOT dry_run AND finished_at IS NOT NULL
        UNION ALL SELECT MAX(id) FROM crawls WHERE crawler_name = $1 AND NOT dry_run AND state = 'SUCCEEDED'
            AND undone_at IS NULL";
    const STEPS: &str = "DELETE FROM crawl_undo WHERE crawl_id = $1
        AND seq IN (SELECT seq FROM crawl_undo WHERE crawl_id = $1 ORDER BY seq LIMIT $2)";
    const DELETE: &str = "DELETE FROM crawls WHERE id = $1";
    let old = old_work(tx, CRAWLS, after, before).await?;
    let mut kept = needed.clone();
    let crawlers: BTreeSet<&String> = old.iter().filter_map(|crawl| crawl.owner.as_ref()).collect();
    for crawler in crawlers {
        let last: Vec<Option<String>> = on!(tx, |conn| sqlx::query_scalar(LAST)
            .bind(crawler)
            .fetch_all(conn)
            .await)?;
        kept.extend(last.into_iter().flatten());
    }
    forget_work(tx, &old, after, before, &kept, (STEPS, DELETE)).await
}

/// Removes batches that were closed before `before`, and that no event is in any more.
///
/// # Errors
/// Only the database's own.
pub async fn forget_batches(tx: &mut Note, after: &str, before: DateTime<Utc>) -> Result<Slice> {
    const BATCHES: &str = "SELECT id, due_at FROM batches WHERE id > $1 ORDER BY id LIMIT $2";
    const DELETE: &str = "DELETE FROM batches WHERE id >= $1 AND id <= $2 AND NOT is_open AND due_at < $3
        AND NOT EXISTS (SELECT 1 FROM event_outcomes o WHERE o.batch_id = batches.id)";
    let rows: Vec<(String, DateTime<Utc>)> = on!(tx, |conn| sqlx::query_as(BATCHES)
        .bind(after)
        .bind(SLICE)
        .fetch_all(conn)
        .await)?;
    let (Some((first, _)), Some((last, due))) = (rows.first(), rows.last()) else {
        return Ok(Slice::default());
    };
    let forgotten = on!(tx, |conn| sqlx::query(DELETE)
        .bind(first)
        .bind(last)
        .bind(before)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(Slice {
        forgotten,
        next: (is_full(&rows) && *due < before).then(|| last.clone()),
    })
}

/// Removes what the ledger knows of objects that were removed before `before`. The place is `bucket/key`.
///
/// # Errors
/// Only the database's own.
pub async fn forget_removed_objects(tx: &mut Note, after: &str, before: DateTime<Utc>) -> Result<Slice> {
    const OBJECTS: &str = "SELECT bucket, object_key, etag IS NULL AND event_id IS NULL AND updated_at < $3
        FROM objects WHERE (bucket, object_key) > ($1, $2) ORDER BY bucket, object_key LIMIT $4";
    const DELETE: &str = "DELETE FROM objects WHERE bucket = $1 AND object_key = $2";
    let (bucket, key) = after.split_once('/').unwrap_or((after, ""));
    let rows: Vec<(String, String, bool)> = on!(tx, |conn| sqlx::query_as(OBJECTS)
        .bind(bucket)
        .bind(key)
        .bind(before)
        .bind(LEDGER_SLICE)
        .fetch_all(conn)
        .await)?;
    let mut slice = Slice::default();
    for (bucket, key, _) in rows.iter().filter(|(_, _, is_gone)| *is_gone) {
        slice.forgotten += on!(tx, |conn| sqlx::query(DELETE)
            .bind(bucket)
            .bind(key)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
    }
    let is_full = rows.len() == usize::try_from(LEDGER_SLICE).unwrap_or(usize::MAX);
    let last = rows.last().filter(|_| is_full);
    slice.next = last.map(|(bucket, key, _)| format!("{bucket}/{key}"));
    Ok(slice)
}

/// The runs and the crawls that tasks are about which failed for good: somebody may try them again.
///
/// # Errors
/// Only the database's own.
pub async fn needed_by_tasks(tx: &mut Look) -> Result<BTreeSet<String>> {
    const SQL: &str = "SELECT payload FROM tasks WHERE state = 'FAILED' ORDER BY id";
    let payloads: Vec<Json<serde_json::Value>> =
        on!(tx, |conn| sqlx::query_scalar(SQL).fetch_all(conn).await)?;
    let ids = payloads.iter().flat_map(|payload| {
        let members = ["run", "crawl"].into_iter();
        members.filter_map(|name| payload.get(name)?.as_str().map(str::to_owned))
    });
    Ok(ids.collect())
}

/// When the oldest event, run and crawl began that are still known.
///
/// # Errors
/// Only the database's own.
pub async fn oldest(tx: &mut Look, noun: &str) -> Result<Option<DateTime<Utc>>> {
    let sql = match noun {
        "events" => "SELECT received_at FROM events ORDER BY id LIMIT 1",
        "runs" => "SELECT created_at FROM runs ORDER BY id LIMIT 1",
        _ => "SELECT created_at FROM crawls ORDER BY id LIMIT 1",
    };
    on!(tx, |conn| sqlx::query_scalar(sql).fetch_optional(conn).await)
}
