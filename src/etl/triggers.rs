//! Triggers: arrivals that match are batched by their parameters, and each batch becomes one run.

use std::sync::Arc;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::etl::{inputs, jobs, runs};
use crate::model::data_files;
use crate::model::event::{ObjectEvent, Outcome, OutcomeState, Taken, etag_of};
use crate::model::job::{Job, Trigger};
use crate::model::page::{Page, PageRequest};
use crate::model::pattern::{Captures, ObjectPattern};
use crate::model::run::Run;
use crate::queue::{self, Lease, Task, Turn, Worked};
use crate::store::watches::Watch;
use crate::store::{self, Look, Note, Read};

/// The longest chain of runs, each caused by what the one before wrote: the number of rounds after which AWS stops its own
/// loops.
const LONGEST_CHAIN: usize = 16;

/// Triggers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Trigger>> {
    let mut tx = app.store.read().await?;
    store::triggers::list(&mut tx, page).await
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

async fn require(tx: &mut Look, name: &str) -> Result<Trigger> {
    store::triggers::find(tx, name)
        .await?
        .ok_or_else(|| Error::not_found(format!("trigger {name} not found")))
}

/// The triggers in force, parsed; read again where any changed.
async fn in_force(app: &App, tx: &mut Read) -> Result<Arc<Vec<Watch>>> {
    let change = store::triggers::changes(tx).await?;
    if let Some(watches) = app.watches.as_of(change) {
        return Ok(watches);
    }
    let triggers = store::triggers::enabled(tx).await?;
    let watches = triggers
        .iter()
        .filter_map(|trigger| Watch::of(trigger).transpose());
    let watches = Arc::new(watches.collect::<Result<Vec<_>>>()?);
    app.watches.keep(change, &watches);
    Ok(watches)
}

/// Whether any trigger's pattern matches an event's object.
///
/// # Errors
/// Only the database's own.
pub async fn listen_to(app: &App, event: &ObjectEvent) -> Result<bool> {
    let mut tx = app.store.read().await?;
    let watches = in_force(app, &mut tx).await?;
    Ok(watches
        .iter()
        .any(|watch| watch.pattern.matches(&event.bucket, &event.key).is_some()))
}

/// What became of an event at the triggers.
pub enum Batched {
    /// Some trigger has an outcome for it.
    Somewhere,
    /// None is interested; why, where its pattern matches.
    Nowhere(Option<&'static str>),
}

/// Puts an event into the open batch of every trigger that it matches; of those in `only`, where that is told. A new batch
/// closes by itself when its window is over: the window runs from the first arrival. A trigger of a job that is in `chain`,
/// whose runs led to the event, doesn't start it.
///
/// # Errors
/// Only the database's own.
pub async fn batch(
    app: &App,
    tx: &mut Note,
    event_id: &str,
    event: &ObjectEvent,
    chain: &[String],
    only: Option<&[String]>,
) -> Result<Batched> {
    let mut batched = Batched::Nowhere(None);
    for watch in in_force(app, tx).await?.iter() {
        let Some(captures) = watch.pattern.matches(&event.bucket, &event.key) else {
            continue;
        };
        if only.is_some_and(|only| !only.contains(&watch.trigger)) {
            continue;
        }
        if let Some(why) = why_no_arrival(&watch.pattern, event) {
            if matches!(batched, Batched::Nowhere(_)) {
                batched = Batched::Nowhere(Some(why));
            }
            continue;
        }
        batched = Batched::Somewhere;
        let job = jobs::require(tx, &watch.job).await?;
        let parameters = match why_a_loop(chain, &job.name) {
            Some(why) => Err(Error::invalid(why)),
            None => parameters_of(&job, captures),
        };
        let mut outcome = Outcome {
            trigger: Some(watch.trigger.clone()),
            state: OutcomeState::Batched,
            run: None,
            detail: None,
        };
        match parameters {
            Ok(parameters) => {
                let batch = join_batch(app, tx, watch, &parameters).await?;
                store::events::insert_outcome(tx, event_id, &outcome, Some(&batch)).await?;
            }
            Err(error) => {
                outcome.state = OutcomeState::Rejected;
                outcome.detail = Some(error.message);
                store::events::insert_outcome(tx, event_id, &outcome, None).await?;
            }
        }
    }
    Ok(batched)
}

/// Why an object that a trigger's pattern matches starts nothing, where it doesn't: it is no data, and the pattern doesn't
/// spell its name, as it does of flags like `_SUCCESS`.
fn why_no_arrival(pattern: &ObjectPattern, event: &ObjectEvent) -> Option<&'static str> {
    data_files::why_no_data(pattern, &event.key).or_else(|| {
        let is_empty = event.size == Some(0) && !data_files::spells_the_name(pattern);
        is_empty.then_some("an empty object is no data")
    })
}

/// Why a job may not follow upon the runs of `chain`, where it may not.
fn why_a_loop(chain: &[String], job: &str) -> Option<String> {
    let rounds = chain.join(" → ");
    if chain.iter().any(|earlier| earlier == job) {
        return Some(format!(
            "a run of {job} led to this object by way of {rounds} → {job}: the loop ends here"
        ));
    }
    (chain.len() >= LONGEST_CHAIN).then(|| {
        format!("{LONGEST_CHAIN} runs in a row led to this object, each by what it wrote ({rounds}): the chain ends here")
    })
}

/// Of the captures, those that are named like a parameter.
fn parameters_of(job: &Job, mut captures: Captures) -> Result<Captures> {
    captures.retain(|name, _| job.definition.parameters.contains_key(name));
    job.parameters_of(&captures)
}

/// What the batches of a trigger with the same parameters have in common.
fn group_key(trigger: &str, parameters: &Captures) -> String {
    format!("{trigger} {}", runs::parameters_key(parameters))
}

async fn join_batch(app: &App, tx: &mut Note, watch: &Watch, parameters: &Captures) -> Result<String> {
    let due = app.clock.now() + watch.arrivals.batch_window;
    let group_key = group_key(&watch.trigger, parameters);
    let id = app.clock.new_id();
    let (batch, is_new) =
        store::events::open_batch(tx, &id, &group_key, &watch.trigger, parameters, due).await?;
    if is_new {
        queue::enqueue(
            tx,
            &*app.clock,
            &Task::CloseBatch { batch: batch.clone() },
            due,
            Turn::default(),
        )
        .await?;
    }
    Ok(batch)
}

/// The batch window is over: makes a run of the arrivals. Where an input that the run needs isn't there yet, none is made:
/// the arrival that completes the inputs makes it.
///
/// # Errors
/// Lost; Unavailable where the inputs can't be listed: try again.
pub async fn close_batch(app: &App, lease: &Lease, batch_id: &str) -> Worked {
    let mut tx = app.store.note().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    // Closed in a transaction of its own, so that arrivals during the listing below open the next batch.
    let batch = store::events::close_batch(&mut tx, batch_id).await?;
    let closed = match batch {
        Some(batch) => Some(batch),
        None => store::events::find_batch(&mut tx, batch_id).await?,
    };
    let job = match &closed {
        Some(batch) => match store::triggers::find(&mut tx, &batch.trigger).await? {
            Some(trigger) => store::jobs::find(&mut tx, &trigger.job).await?,
            None => None,
        },
        None => None,
    };
    tx.commit().await?;

    let (Some(batch), Some(job)) = (closed, job) else {
        let mut tx = app.store.note().await?;
        let detail = "its job was removed before the batch window was over";
        store::events::settle_batch(&mut tx, batch_id, OutcomeState::Rejected, None, Some(detail)).await?;
        lease.finish(&mut tx).await?;
        return Ok(tx.commit().await?);
    };
    let mut tx = app.store.read().await?;
    let arrivals = store::events::batch_events(&mut tx, batch_id).await?;
    drop(tx);
    let learned = learn_versions(app, &arrivals).await?;
    let missing = inputs::missing(app, &job, &batch.parameters).await;
    let mut tx = app.store.note().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    for (event_id, event, etag) in learned {
        store::events::set_known_etag(&mut tx, event, event_id, &etag).await?;
    }
    match missing {
        Ok(None) => {
            let start = runs::Start {
                parameters: batch.parameters.clone(),
                trigger: Some(batch.trigger.clone()),
                chain: chain_of(&arrivals),
                events: arrivals.into_iter().map(|(id, _, _)| id).collect(),
                ..runs::Start::default()
            };
            let run = runs::join_or_insert(app, &mut tx, &job, start).await?;
            store::events::settle_batch(&mut tx, batch_id, OutcomeState::Started, Some(&run), None).await?;
            // The run reads whatever its inputs are: arrivals that waited for one another are in it, too.
            for trigger in jobs::triggers_of(&job) {
                let group = group_key(&trigger.name, &batch.parameters);
                store::events::settle_waiting(&mut tx, &group, &run).await?;
            }
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
        Err(error) => return Err(error.into()),
    }
    lease.finish(&mut tx).await?;
    Ok(app.commit_with_work(tx.commit()).await?)
}

/// The entity tags of arrivals that came without a certain one, each with its event.
async fn learn_versions<'a>(
    app: &App,
    arrivals: &'a [(String, ObjectEvent, Taken)],
) -> Result<Vec<(&'a str, &'a ObjectEvent, String)>> {
    let mut learned = Vec::new();
    for (id, event, _) in arrivals.iter().filter(|(_, _, taken)| taken.unverified) {
        match app.buckets.head(&event.bucket, &event.key).await {
            Ok(Some(object)) => learned.extend(etag_of(&object.etag).map(|etag| (id.as_str(), event, etag))),
            Ok(None) => {}
            Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
            Err(_) => {}
        }
    }
    Ok(learned)
}

/// The jobs whose runs led to any of these arrivals, each once, in the order of the first.
fn chain_of(arrivals: &[(String, ObjectEvent, Taken)]) -> Vec<String> {
    let mut chain = Vec::<String>::new();
    for job in arrivals.iter().flat_map(|(_, _, taken)| &taken.chain) {
        if !chain.contains(job) {
            chain.push(job.clone());
        }
    }
    chain
}
