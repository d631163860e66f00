//! Events, what triggers made of them, the batches they wait in, and the ledger of object versions.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Look, Note, Read, behind_every_id, on};
use crate::error::Result;
use crate::model::event::{Confirmation, Event, ObjectEvent, Outcome, OutcomeState, Taken};
use crate::model::page::{Page, PageRequest};
use crate::model::pattern::Captures;

/// The version of an object that was last acted on.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownObject {
    /// The key.
    pub object_key: String,
    /// Its entity tag; absent where the object was removed.
    pub etag: Option<String>,
    /// The store's order, where it told one.
    pub sequencer: Option<String>,
    /// The event that was acted on last; absent where the object was there before any trigger.
    pub event_id: Option<String>,
}

/// A batch of arrivals that will be one run.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// The trigger.
    pub trigger: String,
    /// The run's parameters.
    pub parameters: Captures,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: String,
    body: Json<ObjectEvent>,
    received_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct OutcomeRow {
    event_id: String,
    trigger_name: String,
    state: String,
    run_id: Option<String>,
    detail: Option<String>,
}

#[derive(sqlx::FromRow)]
struct BatchRow {
    id: String,
    trigger_name: String,
    parameters: Json<Captures>,
}

impl From<BatchRow> for Batch {
    fn from(row: BatchRow) -> Self {
        Self {
            id: row.id,
            trigger: row.trigger_name,
            parameters: row.parameters.0,
        }
    }
}

const STATES: [(OutcomeState, &str); 7] = [
    (OutcomeState::Batched, "batched"),
    (OutcomeState::Waiting, "waiting"),
    (OutcomeState::Started, "started"),
    (OutcomeState::Duplicate, "duplicate"),
    (OutcomeState::Superseded, "superseded"),
    (OutcomeState::Unmatched, "unmatched"),
    (OutcomeState::Rejected, "rejected"),
];

fn state_text(state: OutcomeState) -> &'static str {
    STATES
        .iter()
        .find(|(known, _)| *known == state)
        .map_or("unmatched", |(_, text)| text)
}

fn state_of(text: &str) -> OutcomeState {
    STATES
        .iter()
        .find(|(_, known)| *known == text)
        .map_or(OutcomeState::Unmatched, |(state, _)| *state)
}

/// Writes an event down, with what goes with it.
///
/// # Errors
/// Only the database's own.
pub async fn insert(
    tx: &mut Note,
    id: &str,
    event: &ObjectEvent,
    taken: &Taken,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO events (id, body, received_at, taken) VALUES ($1, $2, $3, $4)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(Json(event))
        .bind(now)
        .bind(Json(taken))
        .execute(conn)
        .await
        .map(drop))
}

/// Writes down what a trigger made of an event; a batch where it waits in one. No trigger's name is the empty one.
///
/// # Errors
/// Only the database's own.
pub async fn insert_outcome(
    tx: &mut Note,
    event: &str,
    outcome: &Outcome,
    batch: Option<&str>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO event_outcomes (event_id, trigger_name, state, batch_id, run_id, detail)
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(event)
        .bind(outcome.trigger.as_deref().unwrap_or_default())
        .bind(state_text(outcome.state))
        .bind(batch)
        .bind(&outcome.run)
        .bind(&outcome.detail)
        .execute(conn)
        .await
        .map(drop))
}

/// Says what became of every event of a batch.
///
/// # Errors
/// Only the database's own.
pub async fn settle_batch(
    tx: &mut Note,
    batch: &str,
    state: OutcomeState,
    run: Option<&str>,
    detail: Option<&str>,
) -> Result<()> {
    const SQL: &str = "UPDATE event_outcomes SET state = $2, run_id = $3, detail = $4 WHERE batch_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(batch)
        .bind(state_text(state))
        .bind(run)
        .bind(detail)
        .execute(conn)
        .await
        .map(drop))
}

/// Says of every event that waits for other inputs in a batch of one of these groups that a run acts on it.
///
/// # Errors
/// Only the database's own.
pub async fn settle_waiting(tx: &mut Note, group_key: &str, run: &str) -> Result<()> {
    const SQL: &str = "UPDATE event_outcomes SET state = $2, run_id = $3, detail = NULL
        WHERE state = $4 AND batch_id IN (SELECT id FROM batches WHERE group_key = $1)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(group_key)
        .bind(state_text(OutcomeState::Started))
        .bind(run)
        .bind(state_text(OutcomeState::Waiting))
        .execute(conn)
        .await
        .map(drop))
}

/// Says of every event that one run acted on that another does.
///
/// # Errors
/// Only the database's own.
pub async fn hand_over(tx: &mut Note, events: &[String], from: &str, to: &str) -> Result<()> {
    const SQL: &str = "UPDATE event_outcomes SET run_id = $3 WHERE event_id = $1 AND run_id = $2";
    for event in events {
        on!(tx, |conn| sqlx::query(SQL)
            .bind(event)
            .bind(from)
            .bind(to)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// The triggers that an event matched, and that nothing came of so far: it waits, it was rejected, or its run failed or was
/// stopped.
///
/// # Errors
/// Only the database's own.
pub async fn unsettled(tx: &mut Look, event: &str) -> Result<Vec<String>> {
    const SQL: &str = "SELECT o.trigger_name FROM event_outcomes o LEFT JOIN runs r ON r.id = o.run_id
        WHERE o.event_id = $1 AND o.trigger_name <> ''
            AND (o.state IN ('waiting', 'rejected') OR o.state = 'started' AND r.state IN ('FAILED', 'CANCELLED'))
        ORDER BY o.trigger_name";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(event)
        .fetch_all(conn)
        .await)
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    id: String,
    body: Json<ObjectEvent>,
    taken: Option<Json<Taken>>,
}

/// The events of a batch with what goes with each, in the order of their arrival.
///
/// # Errors
/// Only the database's own.
pub async fn batch_events(tx: &mut Look, batch: &str) -> Result<Vec<(String, ObjectEvent, Taken)>> {
    const SQL: &str = "SELECT e.id, e.body, e.taken FROM event_outcomes o JOIN events e ON e.id = o.event_id
        WHERE o.batch_id = $1 ORDER BY e.id";
    let rows: Vec<TakenRow> = on!(tx, |conn| sqlx::query_as(SQL).bind(batch).fetch_all(conn).await)?;
    let taken = |row: TakenRow| {
        (
            row.id,
            row.body.0,
            row.taken.map(|taken| taken.0).unwrap_or_default(),
        )
    };
    Ok(rows.into_iter().map(taken).collect())
}

/// What happened to the object in an event.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Look, id: &str) -> Result<Option<ObjectEvent>> {
    const SQL: &str = "SELECT body FROM events WHERE id = $1";
    let body: Option<Json<ObjectEvent>> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(id)
        .fetch_optional(conn)
        .await)?;
    Ok(body.map(|body| body.0))
}

/// The open batch of `group_key`, locked until the transaction ends, so that it doesn't close before the arrival is in
/// it; made with `id`, due at `due`, where there is none. Says whether it was made.
///
/// # Errors
/// Only the database's own.
pub async fn open_batch(
    tx: &mut Note,
    id: &str,
    group_key: &str,
    trigger: &str,
    parameters: &Captures,
    due: DateTime<Utc>,
) -> Result<(String, bool)> {
    const SQL: &str = "INSERT INTO batches (id, trigger_name, group_key, parameters, is_open, due_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (group_key) WHERE is_open DO UPDATE SET due_at = batches.due_at RETURNING id";
    let open: String = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(id)
        .bind(trigger)
        .bind(group_key)
        .bind(Json(parameters))
        .bind(true)
        .bind(due)
        .fetch_one(conn)
        .await)?;
    let is_new = open == id;
    Ok((open, is_new))
}

/// Closes a batch and gives it back; absent where it was closed already.
///
/// # Errors
/// Only the database's own.
pub async fn close_batch(tx: &mut Note, id: &str) -> Result<Option<Batch>> {
    const SQL: &str = "UPDATE batches SET is_open = $2 WHERE id = $1 AND is_open
        RETURNING id, trigger_name, parameters";
    let row: Option<BatchRow> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(id)
        .bind(false)
        .fetch_optional(conn)
        .await)?;
    Ok(row.map(Batch::from))
}

/// A batch, open or closed.
///
/// # Errors
/// Only the database's own.
pub async fn find_batch(tx: &mut Look, id: &str) -> Result<Option<Batch>> {
    const SQL: &str = "SELECT id, trigger_name, parameters FROM batches WHERE id = $1";
    let row: Option<BatchRow> = on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)?;
    Ok(row.map(Batch::from))
}

/// What is known of an object, its row locked until the transaction ends. One that was never seen has no etag.
///
/// # Errors
/// Only the database's own.
pub async fn lock_object(tx: &mut Note, event: &ObjectEvent, now: DateTime<Utc>) -> Result<KnownObject> {
    // The update that changes nothing is the lock: two arrivals of one object wait for one another.
    const SQL: &str = "INSERT INTO objects (bucket, object_key, updated_at) VALUES ($1, $2, $3)
        ON CONFLICT (bucket, object_key) DO UPDATE SET updated_at = objects.updated_at
        RETURNING object_key, etag, sequencer, event_id";
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(&event.bucket)
        .bind(&event.key)
        .bind(now)
        .fetch_one(conn)
        .await)
}

/// What is known of the objects whose keys start with `prefix`, in the order of their keys, behind `after`.
///
/// # Errors
/// Only the database's own.
pub async fn known_objects(
    tx: &mut Look,
    bucket: &str,
    prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<KnownObject>> {
    const SQL: &str = "SELECT object_key, etag, sequencer, event_id FROM objects
        WHERE bucket = $1 AND object_key > $2 AND object_key >= $3 ORDER BY object_key LIMIT $4";
    let mut known: Vec<KnownObject> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(bucket)
        .bind(after)
        .bind(prefix)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    // The keys of a prefix lie together.
    let end = known
        .iter()
        .position(|object| !object.object_key.starts_with(prefix))
        .unwrap_or(known.len());
    known.truncate(end);
    Ok(known)
}

/// Writes down the version of an object that is acted on now, and the event that told of it; none where nothing is acted
/// on.
///
/// # Errors
/// Only the database's own.
pub async fn set_known_object(
    tx: &mut Note,
    event: &ObjectEvent,
    etag: Option<&str>,
    event_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO objects (bucket, object_key, etag, sequencer, updated_at, event_id)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (bucket, object_key) DO UPDATE SET etag = excluded.etag,
            sequencer = COALESCE(excluded.sequencer, objects.sequencer), updated_at = excluded.updated_at,
            event_id = excluded.event_id";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&event.bucket)
        .bind(&event.key)
        .bind(etag)
        .bind(&event.sequencer)
        .bind(now)
        .bind(event_id)
        .execute(conn)
        .await
        .map(drop))
}

/// Writes down the true entity tag of a version that `event` told of without one, if nothing was acted on since.
///
/// # Errors
/// Only the database's own.
pub async fn set_known_etag(tx: &mut Note, event: &ObjectEvent, event_id: &str, etag: &str) -> Result<()> {
    const SQL: &str = "UPDATE objects SET etag = $4 WHERE bucket = $1 AND object_key = $2 AND event_id = $3";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&event.bucket)
        .bind(&event.key)
        .bind(event_id)
        .bind(etag)
        .execute(conn)
        .await
        .map(drop))
}

/// Events with what became of them, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Read, page: &PageRequest) -> Result<Page<Event>> {
    const EVENTS: &str = "SELECT id, body, received_at FROM events
        WHERE id < $1 ORDER BY id DESC LIMIT $2";
    const OUTCOMES: &str = "SELECT event_id, trigger_name, state, run_id, detail FROM event_outcomes
        WHERE event_id >= $1 AND event_id <= $2 ORDER BY event_id, trigger_name";
    let rows: Vec<EventRow> = on!(tx, |conn| sqlx::query_as(EVENTS)
        .bind(behind_every_id(page))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(conn)
        .await)?;
    let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else {
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    };
    let (newest, oldest) = (newest.id.clone(), oldest.id.clone());
    let outcomes: Vec<OutcomeRow> = on!(tx, |conn| sqlx::query_as(OUTCOMES)
        .bind(oldest)
        .bind(newest)
        .fetch_all(conn)
        .await)?;
    let mut by_event = std::collections::HashMap::<String, Vec<Outcome>>::new();
    for row in outcomes {
        by_event.entry(row.event_id).or_default().push(Outcome {
            trigger: (!row.trigger_name.is_empty()).then_some(row.trigger_name),
            state: state_of(&row.state),
            run: row.run_id,
            detail: row.detail,
        });
    }
    let items = rows
        .into_iter()
        .map(|row| Event {
            outcomes: by_event.remove(&row.id).unwrap_or_default(),
            id: row.id,
            object: row.body.0,
            received_at: row.received_at,
        })
        .collect();
    Ok(Page::of(items, page, |event: &Event| event.id.clone()))
}

#[derive(sqlx::FromRow)]
struct ConfirmationRow {
    topic: String,
    url: String,
    received_at: DateTime<Utc>,
}

/// Writes down that a subscription waits to be confirmed; a later notice of the same topic takes the place of the earlier.
///
/// # Errors
/// Only the database's own.
pub async fn keep_confirmation(tx: &mut Note, confirmation: &Confirmation, now: DateTime<Utc>) -> Result<()> {
    const SQL: &str = "INSERT INTO confirmations (topic, url, received_at) VALUES ($1, $2, $3)
        ON CONFLICT (topic) DO UPDATE SET url = excluded.url, received_at = excluded.received_at";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&confirmation.topic)
        .bind(&confirmation.url)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// Forgets the subscription of a topic, where it waits to be confirmed.
///
/// # Errors
/// Only the database's own.
pub async fn forget_confirmation(tx: &mut Note, topic: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM confirmations WHERE topic = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(topic)
        .execute(conn)
        .await
        .map(drop))
}

/// Forgets the subscriptions that wait to be confirmed but the newest, so many of them.
///
/// # Errors
/// Only the database's own.
pub async fn forget_confirmations(tx: &mut Note, but: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM confirmations WHERE topic NOT IN
        (SELECT topic FROM confirmations ORDER BY received_at DESC, topic LIMIT $1)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(but)
        .execute(conn)
        .await
        .map(drop))
}

/// The subscriptions that wait to be confirmed, with when each asked.
///
/// # Errors
/// Only the database's own.
pub async fn confirmations(tx: &mut Look) -> Result<Vec<(Confirmation, DateTime<Utc>)>> {
    const SQL: &str = "SELECT topic, url, received_at FROM confirmations ORDER BY topic LIMIT 1000";
    let rows: Vec<ConfirmationRow> = on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)?;
    let confirmation = |row: ConfirmationRow| {
        let waiting = Confirmation {
            topic: row.topic,
            url: row.url,
        };
        (waiting, row.received_at)
    };
    Ok(rows.into_iter().map(confirmation).collect())
}
