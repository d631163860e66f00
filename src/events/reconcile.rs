//! The listing is the truth: what no event announced is found by looking.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;

use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::error::{ErrorKind, Result};
use crate::events::accept;
use crate::model::event::{EventKind, ObjectEvent, Source, etag_of};
use crate::model::job::Trigger;
use crate::store;

/// Lists whatever triggers watch, and accepts an event for each difference from what was seen. Answers with their number.
///
/// # Errors
/// Unavailable where a store can't be listed; what was found before is kept.
pub async fn run(app: &App) -> Result<u64> {
    let mut tx = app.store.read().await?;
    let triggers = store::triggers::enabled(&mut tx).await?;
    drop(tx);
    let mut found = 0;
    for (bucket, prefix) in watched(&triggers)? {
        let known = known_etags(app, &bucket, &prefix).await?;
        let mut gone = known.keys().cloned().collect::<BTreeSet<String>>();
        let mut pages = Box::pin(app.buckets.list_pages(&bucket, &prefix));
        loop {
            let page = match pages.try_next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                // A bucket that isn't there yet holds nothing.
                Err(error) if error.kind == ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            for object in page {
                gone.remove(&object.key);
                if known.get(&object.key) != etag_of(&object.etag).as_ref() {
                    accept(
                        app,
                        &event(&bucket, &object.key, EventKind::Created, Some(&object)),
                    )
                    .await?;
                    found += 1;
                }
            }
        }
        for key in gone {
            accept(app, &event(&bucket, &key, EventKind::Removed, None)).await?;
            found += 1;
        }
    }
    Ok(found)
}

/// The prefixes that triggers watch, none inside another.
fn watched(triggers: &[Trigger]) -> Result<Vec<(String, String)>> {
    let mut all = BTreeSet::new();
    for trigger in triggers {
        let Some(arrivals) = trigger.definition.arrivals() else {
            continue;
        };
        let pattern = arrivals.parsed()?;
        all.insert((pattern.bucket().to_owned(), pattern.literal_prefix().to_owned()));
    }
    let mut outermost: Vec<(String, String)> = Vec::new();
    for (bucket, prefix) in all {
        // Sorted, so an enclosing prefix comes first.
        if !outermost
            .iter()
            .any(|(outer, start)| *outer == bucket && prefix.starts_with(start.as_str()))
        {
            outermost.push((bucket, prefix));
        }
    }
    Ok(outermost)
}

async fn known_etags(app: &App, bucket: &str, prefix: &str) -> Result<BTreeMap<String, String>> {
    const PAGE: i64 = 10_000;
    let mut known = BTreeMap::new();
    let mut after = String::new();
    let mut tx = app.store.read().await?;
    loop {
        let page = store::events::known_objects(&mut tx, bucket, prefix, &after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(known);
        };
        after = last.object_key.clone();
        known.extend(
            page.into_iter()
                .filter_map(|object| Some((object.object_key, etag_of(&object.etag?)?))),
        );
    }
}

fn event(bucket: &str, key: &str, kind: EventKind, object: Option<&ObjectMeta>) -> ObjectEvent {
    ObjectEvent {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        kind,
        size: object.and_then(|object| i64::try_from(object.size).ok()),
        etag: object.map(|object| object.etag.clone()),
        sequencer: None,
        source: Source::Listing,
    }
}
