//! What was there before a trigger is its past.

use chrono::Utc;

use crate::app::App;
use crate::error::{ErrorKind, Result};
use crate::model::event::{EventKind, ObjectEvent, Source, etag_of};
use crate::model::pattern::ObjectPattern;
use crate::store;

/// Takes down as seen what lies under `pattern` already: objects that were there before a trigger are its past, and it
/// acts on what arrives from then on. Objects that `others` wait for are left to them.
///
/// # Errors
/// Unavailable where the store can't be listed.
pub(super) async fn take_as_seen(app: &App, pattern: &ObjectPattern, others: &[ObjectPattern]) -> Result<()> {
    let objects = match app.buckets.list(pattern.bucket(), pattern.literal_prefix()).await {
        Ok(objects) => objects,
        // A bucket that isn't there yet holds nothing.
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let now: chrono::DateTime<Utc> = app.clock.now();
    let mut tx = app.store.note().await?;
    for object in objects {
        let is_waited_for = others
            .iter()
            .any(|other| other.matches(pattern.bucket(), &object.key).is_some());
        if pattern.matches(pattern.bucket(), &object.key).is_none() || is_waited_for {
            continue;
        }
        let seen = ObjectEvent {
            bucket: pattern.bucket().to_owned(),
            key: object.key,
            kind: EventKind::Created,
            size: i64::try_from(object.size).ok(),
            etag: etag_of(&object.etag),
            sequencer: None,
            source: Source::Listing,
        };
        store::events::set_known_object(&mut tx, &seen, seen.etag.as_deref(), None, now).await?;
    }
    tx.commit().await
}
