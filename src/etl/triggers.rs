//! Triggers: arrivals that match are batched by their parameters, and each batch becomes one run.

use chrono::Utc;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::etl::{inputs, jobs, runs};
use crate::model::event::{EventKind, ObjectEvent, Outcome, OutcomeState};
use crate::model::job::{Job, Trigger};
use crate::model::page::{Page, PageRequest};
use crate::model::pattern::{Captures, ObjectPattern};
use crate::model::run::Run;
use crate::queue::{self, Lease, Task};
use crate::store::{self, Tx};

/// Triggers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Trigger>> {
    let mut tx = app.store.read().await?;
    store::jobs::list_triggers(&mut tx, page).await
}

/// The trigger called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &str) -> Result<Trigger> {
    let mut tx = app.store.read().await?;
    require(&mut tx, name).await
}

/// Starts a run now, as if the trigger had fired with these parameters.
///
/// # Errors
/// NotFound; Invalid for unfitting parameters.
pub async fn fire(app: &App, name: &str, parameters: &Captures) -> Result<Run> {
    let trigger = get(app, name).await?;
    runs::start(app, &trigger.job, parameters, Some(&trigger.name)).await
}

async fn require(tx: &mut Tx, name: &str) -> Result<Trigger> {
    store::jobs::find_trigger(tx, name)
        .await?
        .ok_or_else(|| Error::not_found(format!("trigger {name} not found")))
}

/// Puts an event into the open batch of every trigger that it matches, and says how many did. A new batch closes by
/// itself when its window is over: the window runs from the first arrival.
///
/// # Errors
/// Only the database's own.
pub async fn batch(app: &App, tx: &mut Tx, event_id: &str, event: &ObjectEvent) -> Result<usize> {
    let mut matched = 0;
    for trigger in store::jobs::enabled_triggers(tx).await? {
        let pattern = ObjectPattern::parse(&trigger.definition.pattern)?;
        let Some(captures) = pattern.matches(&event.bucket, &event.key) else {
            continue;
        };
        matched += 1;
        let job = jobs::require(tx, &trigger.job).await?;
        let mut outcome = Outcome {
            trigger: Some(trigger.name.clone()),
            state: OutcomeState::Batched,
            run: None,
            detail: None,
        };
        match parameters_of(&job, captures) {
            Ok(parameters) => {
                let batch = join_batch(app, tx, &trigger, &parameters).await?;
                store::events::insert_outcome(tx, event_id, &outcome, Some(&batch)).await?;
            }
            Err(error) => {
                outcome.state = OutcomeState::Rejected;
                outcome.detail = Some(error.message);
                store::events::insert_outcome(tx, event_id, &outcome, None).await?;
            }
        }
    }
    Ok(matched)
}

/// Of the captures, those that are named like a parameter.
fn parameters_of(job: &Job, mut captures: Captures) -> Result<Captures> {
    captures.retain(|name, _| job.definition.parameters.contains_key(name));
    job.definition.parameters_of(&captures)
}

async fn join_batch(app: &App, tx: &mut Tx, trigger: &Trigger, parameters: &Captures) -> Result<String> {
    let due = app.clock.now() + trigger.definition.batch_window;
    let group_key = format!("{} {}", trigger.name, runs::parameters_key(parameters));
    let id = app.clock.new_id();
    let (batch, is_new) =
        store::events::open_batch(tx, &id, &group_key, &trigger.name, parameters, due).await?;
    if is_new {
        queue::enqueue(
            tx,
            &*app.clock,
            &Task::CloseBatch { batch: batch.clone() },
            due,
            None,
        )
        .await?;
    }
    Ok(batch)
}

/// The batch window is over: makes a run of the arrivals. Where an input that the run needs isn't there yet, none is made:
/// the arrival that completes the inputs makes it.
///
/// # Errors
/// Unavailable where the inputs can't be listed: try again. Conflict where the lease was lost.
pub async fn close_batch(app: &App, lease: &Lease, batch_id: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    // Closed in a transaction of its own, so that arrivals during the listing below open the next batch.
    let batch = store::events::close_batch(&mut tx, batch_id).await?;
    let closed = match batch {
        Some(batch) => Some(batch),
        None => store::events::find_batch(&mut tx, batch_id).await?,
    };
    let job = match &closed {
        Some(batch) => match store::jobs::find_trigger(&mut tx, &batch.trigger).await? {
            Some(trigger) => store::jobs::find(&mut tx, &trigger.job).await?,
            None => None,
        },
        None => None,
    };
    tx.commit().await?;

    let (Some(batch), Some(job)) = (closed, job) else {
        let mut tx = app.store.write().await?;
        let detail = "its job was removed before the batch window was over";
        store::events::settle_batch(&mut tx, batch_id, OutcomeState::Rejected, None, Some(detail)).await?;
        lease.finish(&mut tx).await?;
        return tx.commit().await;
    };
    let missing = inputs::missing(app, &job, &batch.parameters).await;
    let mut tx = app.store.write().await?;
    match missing {
        Ok(None) => {
            let events = store::events::batch_events(&mut tx, batch_id).await?;
            let run =
                runs::insert(app, &mut tx, &job, batch.parameters, Some(&batch.trigger), events).await?;
            store::events::settle_batch(&mut tx, batch_id, OutcomeState::Started, Some(&run), None).await?;
        }
        Ok(Some(what)) => {
            store::events::settle_batch(&mut tx, batch_id, OutcomeState::Waiting, None, Some(&what)).await?;
        }
        // Its parameters no longer fit the job.
        Err(error) if error.kind == ErrorKind::Invalid => {
            store::events::settle_batch(
                &mut tx,
                batch_id,
                OutcomeState::Rejected,
                None,
                Some(&error.message),
            )
            .await?;
        }
        Err(error) => return Err(error),
    }
    lease.finish(&mut tx).await?;
    app.commit_with_work(tx).await
}

/// Takes down as seen what lies under `pattern` already: objects that were there before a trigger are its past, and it
/// acts on what arrives from then on. Objects that `others` wait for are left to them.
///
/// # Errors
/// Unavailable where the store can't be listed.
pub async fn take_as_seen(app: &App, pattern: &ObjectPattern, others: &[ObjectPattern]) -> Result<()> {
    let objects = match app.buckets.list(pattern.bucket(), pattern.literal_prefix()).await {
        Ok(objects) => objects,
        // A bucket that isn't there yet holds nothing.
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let now: chrono::DateTime<Utc> = app.clock.now();
    let mut tx = app.store.write().await?;
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
            etag: Some(object.etag),
            sequencer: None,
            source: "listing".to_owned(),
        };
        store::events::set_known_object(&mut tx, &seen, seen.etag.as_deref(), now).await?;
    }
    tx.commit().await
}
