//! One object's change, whoever told us of it, accepted once.
//!
//! An event is a hint; the listing is the truth. Each event is on the disk before it is acknowledged, under a ledger of
//! object versions that makes a second arrival harmless; and [`reconcile`] finds what no event announced.

pub mod message;
pub mod reconcile;

use crate::app::App;
use crate::error::Result;
use crate::etl::triggers;
use crate::model::event::{Event, EventKind, ObjectEvent, Outcome, OutcomeState, is_older};
use crate::model::page::{Page, PageRequest};
use crate::store;
use crate::store::events::KnownObject;

/// Takes an event down, and lets every trigger that matches batch it. When this returns, it is on the disk.
///
/// # Errors
/// Only the database's own: nothing was taken down then, and the sender should try again.
pub async fn accept(app: &App, event: &ObjectEvent) -> Result<()> {
    let now = app.clock.now();
    let id = app.clock.new_id();
    let mut tx = app.store.write().await?;
    let known = store::events::lock_object(&mut tx, event, now).await?;
    store::events::insert(&mut tx, &id, event, now).await?;
    if let Some((state, detail)) = nothing_new(event, &known) {
        let outcome = Outcome {
            trigger: None,
            state,
            run: None,
            detail: Some(detail),
        };
        store::events::insert_outcome(&mut tx, &id, &outcome, None).await?;
        return tx.commit().await;
    }
    let etag = match event.kind {
        EventKind::Created => event.etag.as_deref(),
        EventKind::Removed => None,
    };
    store::events::set_known_object(&mut tx, event, etag, now).await?;
    let matched = match event.kind {
        EventKind::Created => triggers::batch(app, &mut tx, &id, event).await?,
        EventKind::Removed => 0,
    };
    if matched == 0 {
        let outcome = Outcome {
            trigger: None,
            state: OutcomeState::Unmatched,
            run: None,
            detail: None,
        };
        store::events::insert_outcome(&mut tx, &id, &outcome, None).await?;
    }
    app.commit_with_work(tx).await
}

/// Events with what became of them, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Event>> {
    let mut tx = app.store.read().await?;
    store::events::list(&mut tx, page).await
}

/// Why an event changes nothing, where it doesn't.
fn nothing_new(event: &ObjectEvent, known: &KnownObject) -> Option<(OutcomeState, String)> {
    if let (Some(new), Some(seen)) = (&event.sequencer, &known.sequencer)
        && is_older(new, seen)
    {
        return Some((
            OutcomeState::Superseded,
            "a later change of this object was seen before".to_owned(),
        ));
    }
    let same = event.kind == EventKind::Created && event.etag.is_some() && event.etag == known.etag;
    same.then(|| {
        (
            OutcomeState::Duplicate,
            "this very version of the object was seen before".to_owned(),
        )
    })
}
