//! What is over is kept for a while, and then forgotten: a slice at a time, in the background.
//!
//! What it taught stays: the ledger's last word on every object that is there, whose an output is, what a crawl learned of a
//! file. So nothing that is forgotten makes an arrival new, an output foreign, or an unchanged file unread.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::Result;
use crate::store::retention::{self, Slice};
use crate::store::{Note, Store};

/// The kinds of things that are forgotten, by the names of their settings.
pub const NOUNS: [&str; 3] = ["events", "runs", "crawls"];

/// What a sweep goes through, one after the other.
#[derive(Clone, Copy)]
enum Kind {
    Events,
    Batches,
    RemovedObjects,
    Runs,
    Crawls,
}

/// Forgets what is older than the settings say; says how many things those were.
///
/// # Errors
/// Only the database's own. What was forgotten until then is.
pub async fn sweep(app: &App) -> Result<u64> {
    let keep = &app.config.keep;
    let kinds = [
        (Kind::Events, keep.events),
        (Kind::Batches, keep.events),
        (Kind::RemovedObjects, keep.events),
        (Kind::Runs, keep.runs),
        (Kind::Crawls, keep.crawls),
    ];
    let mut forgotten = 0;
    for (kind, kept) in kinds {
        if let Some(before) = kept.and_then(|kept| moment(app, kept)) {
            forgotten += sweep_kind(app, kind, before).await?;
        }
    }
    Ok(forgotten)
}

/// The moment that lies so far back; nothing where time doesn't reach that far.
fn moment(app: &App, kept: Duration) -> Option<DateTime<Utc>> {
    app.clock
        .now()
        .checked_sub_signed(TimeDelta::from_std(kept).ok()?)
}

async fn sweep_kind(app: &App, kind: Kind, before: DateTime<Utc>) -> Result<u64> {
    let needed = match kind {
        Kind::Runs | Kind::Crawls => retention::needed_by_tasks(&mut app.store.look().await?).await?,
        _ => BTreeSet::new(),
    };
    let mut forgotten = 0;
    let mut place = String::new();
    loop {
        // Whoever else writes has a turn between two slices.
        let mut tx = app.store.note().await?;
        let slice = forget(&mut tx, kind, &place, before, &needed).await?;
        tx.commit().await?;
        forgotten += slice.forgotten;
        match slice.next {
            Some(next) => place = next,
            None => return Ok(forgotten),
        }
    }
}

async fn forget(
    tx: &mut Note,
    kind: Kind,
    place: &str,
    before: DateTime<Utc>,
    needed: &BTreeSet<String>,
) -> Result<Slice> {
    let (noun, slice) = match kind {
        Kind::Events => ("events", retention::forget_events(tx, place, before).await?),
        Kind::Runs => ("runs", retention::forget_runs(tx, place, before, needed).await?),
        Kind::Crawls => (
            "crawls",
            retention::forget_crawls(tx, place, before, needed).await?,
        ),
        Kind::Batches => return retention::forget_batches(tx, place, before).await,
        Kind::RemovedObjects => return retention::forget_removed_objects(tx, place, before).await,
    };
    if slice.forgotten > 0 {
        retention::set_forgotten_until(tx, noun, before).await?;
    }
    Ok(slice)
}

/// From when the oldest thing of a kind is that is still known, and up to when such things were forgotten.
///
/// # Errors
/// Only the database's own.
pub async fn reach(store: &Store, noun: &str) -> Result<(Option<DateTime<Utc>>, Option<DateTime<Utc>>)> {
    let mut tx = store.read().await?;
    Ok((
        retention::oldest(&mut tx, noun).await?,
        retention::forgotten_until(&mut tx, noun).await?,
    ))
}
