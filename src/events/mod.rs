//! One object's change, whoever told us of it, accepted once.
//!
//! An event is a hint; the listing is the truth. Each event is on the disk before it is acknowledged, under a ledger of
//! object versions that makes a second arrival harmless; and [`reconcile`] finds what no event announced.

pub mod message;
pub mod reconcile;

use chrono::{DateTime, Utc};

use self::message::Notification;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::etl::triggers::{self, Batched};
use crate::model::event::{
    Confirmation, Event, EventKind, ObjectEvent, Outcome, OutcomeState, Source, Taken, etag_of, is_older,
};
use crate::model::page::{Page, PageRequest};
use crate::store;
use crate::store::events::KnownObject;
use crate::store::{Look, Note, Read};

/// How many subscriptions that wait to be confirmed are kept: anybody who can call may ask.
const MAX_CONFIRMATIONS: i64 = 1_000;

/// Takes an event down, and lets every trigger that matches batch it. When this returns, it is on the disk.
///
/// # Errors
/// Only the database's own: nothing was taken down then, and the sender should try again.
pub async fn accept(app: &App, event: &ObjectEvent) -> Result<()> {
    let event = event.clone().normalized();
    match verified(app, event).await? {
        Told::Of(event, unverified) => take(app, &event, unverified).await.map(drop),
        Told::Nothing(event) => {
            let now = app.clock.now();
            let id = app.clock.new_id();
            let mut tx = app.store.note().await?;
            store::events::insert(&mut tx, &id, &event, &Taken::default(), now).await?;
            let gone = "the object isn't there any more";
            say(&mut tx, &id, OutcomeState::Superseded, Some(gone.to_owned())).await?;
            tx.commit().await
        }
    }
}

/// Takes a notification that somebody passed on: each event as [`accept`] does, and subscriptions that wait to be confirmed, until
/// their topic speaks. What isn't understood refuses the whole.
///
/// # Errors
/// As [`message::parse`], with nothing taken; the database's own.
pub async fn receive(app: &App, from: Source, notification: &str) -> Result<Notification> {
    let mut found = message::parse(notification)?;
    found.events.iter_mut().for_each(|event| event.source = from);
    for event in &found.events {
        accept(app, event).await?;
    }
    if !found.confirmations.is_empty() || found.speaker.is_some() {
        let mut tx = app.store.note().await?;
        if let Some(topic) = &found.speaker {
            store::events::forget_confirmation(&mut tx, topic).await?;
        }
        for confirmation in &found.confirmations {
            store::events::keep_confirmation(&mut tx, confirmation, app.clock.now()).await?;
        }
        store::events::forget_confirmations(&mut tx, MAX_CONFIRMATIONS).await?;
        tx.commit().await?;
    }
    Ok(found)
}

/// The subscriptions that wait for somebody to confirm them, with when each asked.
///
/// # Errors
/// Only the database's own.
pub async fn confirmations(app: &App) -> Result<Vec<(Confirmation, DateTime<Utc>)>> {
    let mut tx = app.store.read().await?;
    store::events::confirmations(&mut tx).await
}

/// Has what an event told of acted on again, in the version that is there now, by every trigger that matches.
///
/// # Errors
/// NotFound where there is no such event, or its object isn't there any more; Invalid where nothing was created.
pub async fn replay(app: &App, id: &str) -> Result<String> {
    let mut tx = app.store.read().await?;
    let former = store::events::find(&mut tx, id).await?;
    drop(tx);
    let event = former.ok_or_else(|| Error::not_found(format!("event {id} not found")))?;
    if event.kind == EventKind::Removed {
        return Err(Error::invalid(format!(
            "event {id} is the removal of an object, and starts nothing"
        )));
    }
    let place = format!("s3://{}/{}", event.bucket, event.key);
    let object = app
        .buckets
        .head(&event.bucket, &event.key)
        .await?
        .ok_or_else(|| Error::not_found(format!("{place} isn't there any more")).hint("upload it again"))?;
    let event = ObjectEvent {
        size: i64::try_from(object.size).ok(),
        etag: etag_of(&object.etag),
        source: Source::Replay,
        ..event
    };
    take(app, &event, false).await
}

/// Takes down an event of which the version is known, or is to be learned later.
async fn take(app: &App, event: &ObjectEvent, unverified: bool) -> Result<String> {
    let now = app.clock.now();
    let id = app.clock.new_id();
    let is_replay = event.source == Source::Replay;
    let mut tx = app.store.note().await?;
    let known = store::events::lock_object(&mut tx, event, now).await?;
    let chain = if is_replay {
        Vec::new()
    } else {
        chain_to(&mut tx, event).await?
    };
    let taken = Taken { chain, unverified };
    store::events::insert(&mut tx, &id, event, &taken, now).await?;
    let news = if is_replay {
        News::Version
    } else {
        news(&mut tx, event, &known).await?
    };
    let only = match news {
        News::Version => None,
        News::Again(triggers) => Some(triggers),
        News::Nothing(state, detail) => {
            say(&mut tx, &id, state, Some(detail.to_owned())).await?;
            tx.commit().await?;
            return Ok(id);
        }
    };
    if event.kind == EventKind::Removed {
        store::events::set_known_object(&mut tx, event, None, None, now).await?;
        say(&mut tx, &id, OutcomeState::Unmatched, None).await?;
        tx.commit().await?;
        return Ok(id);
    }
    let etag = event.etag.as_deref();
    store::events::set_known_object(&mut tx, event, etag, Some(&id), now).await?;
    let batched = triggers::batch(app, &mut tx, &id, event, &taken.chain, only.as_deref()).await?;
    if let Batched::Nowhere(detail) = batched {
        say(&mut tx, &id, OutcomeState::Unmatched, detail.map(str::to_owned)).await?;
    }
    app.commit_with_work(tx.commit()).await?;
    Ok(id)
}

/// What an event is about, once the store was asked.
enum Told {
    /// A version; whether it is still to be learned which.
    Of(ObjectEvent, bool),
    /// An object that isn't there any more.
    Nothing(ObjectEvent),
}

/// Asks the store which version is there, where somebody else says so and a trigger listens: senders leave entity tags out,
/// or spell them as no listing does. Where the store can't be asked now, the batch asks before it becomes a run.
async fn verified(app: &App, event: ObjectEvent) -> Result<Told> {
    let is_certain = event.source.knows_the_version() || event.kind == EventKind::Removed;
    if is_certain || !triggers::listen_to(app, &event).await? {
        return Ok(Told::Of(event, false));
    }
    match app.buckets.head(&event.bucket, &event.key).await {
        Ok(Some(object)) => Ok(Told::Of(
            ObjectEvent {
                size: i64::try_from(object.size).ok(),
                etag: etag_of(&object.etag),
                ..event
            },
            false,
        )),
        Ok(None) => Ok(Told::Nothing(event)),
        Err(error) if error.kind == ErrorKind::Unavailable => Ok(Told::Of(event, true)),
        Err(_) => {
            let unknown = event.etag.is_none();
            Ok(Told::Of(event, unknown))
        }
    }
}

/// The jobs whose runs led to what an event tells of, where a run wrote the object.
async fn chain_to(tx: &mut Read, event: &ObjectEvent) -> Result<Vec<String>> {
    let Some(written) = store::outputs::find(tx, &event.bucket, &event.key).await? else {
        return Ok(Vec::new());
    };
    // Without a tag it is about to be written; with another one, somebody else wrote it since.
    let is_ours = written
        .etag
        .as_deref()
        .is_none_or(|etag| etag_of(etag) == event.etag);
    let run = match is_ours {
        true => store::runs::find(tx, &written.run_id).await?,
        false => None,
    };
    Ok(run.map_or_else(Vec::new, |run| {
        let mut chain = run.body.chain;
        chain.push(run.job);
        chain
    }))
}

async fn say(tx: &mut Note, event: &str, state: OutcomeState, detail: Option<String>) -> Result<()> {
    let outcome = Outcome {
        trigger: None,
        state,
        run: None,
        detail,
    };
    store::events::insert_outcome(tx, event, &outcome, None).await
}

/// Events with what became of them, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Event>> {
    let mut tx = app.store.read().await?;
    store::events::list(&mut tx, page).await
}

/// What an event says beside what is known.
enum News {
    /// Another version of the object.
    Version,
    /// The version that is known, of which nothing came for these triggers so far.
    Again(Vec<String>),
    /// Nothing, and why.
    Nothing(OutcomeState, &'static str),
}

async fn news(tx: &mut Look, event: &ObjectEvent, known: &KnownObject) -> Result<News> {
    const DUPLICATE: News = News::Nothing(
        OutcomeState::Duplicate,
        "this very version of the object was seen before",
    );
    let mut is_same_notice = false;
    if let (Some(new), Some(seen)) = (&event.sequencer, &known.sequencer) {
        if is_older(new, seen) {
            let later = "a later change of this object was seen before";
            return Ok(News::Nothing(OutcomeState::Superseded, later));
        }
        is_same_notice = !is_older(seen, new);
    }
    if event.kind == EventKind::Removed {
        return Ok(News::Version);
    }
    let seen = known.etag.as_deref().and_then(etag_of);
    let is_same_version = match &event.etag {
        Some(etag) => seen.as_ref() == Some(etag),
        // Which version it is can't be said: it is the known one if this is the notice that told of that.
        None => is_same_notice,
    };
    if !is_same_version {
        return Ok(News::Version);
    }
    if is_same_notice {
        return Ok(DUPLICATE);
    }
    let again = match &known.event_id {
        Some(before) => store::events::unsettled(tx, before).await?,
        None => Vec::new(),
    };
    Ok(if again.is_empty() {
        DUPLICATE
    } else {
        News::Again(again)
    })
}
