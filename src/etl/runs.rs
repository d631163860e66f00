//! Runs: starting them, looking at them, stopping them.

use crate::app::App;
use crate::error::{Error, Result};
use crate::etl::jobs;
use crate::model::crawl::WorkState;
use crate::model::job::{Job, OutputMode};
use crate::model::page::{Page, PageRequest};
use crate::model::pattern::Captures;
use crate::model::run::{LogLevel, LogLine, Run, RunBody, RunFilter};
use crate::queue::{self, Task};
use crate::store::{self, Look, Note};

/// Starts a run of the job called `name`.
///
/// # Errors
/// NotFound; Invalid for unfitting parameters.
pub async fn start(app: &App, name: &str, parameters: &Captures, trigger: Option<&str>) -> Result<Run> {
    let mut tx = app.store.note().await?;
    let job = jobs::require(&mut tx, name).await?;
    let parameters = job.definition.parameters_of(parameters)?;
    let start = Start {
        parameters,
        trigger: trigger.map(str::to_owned),
        ..Start::default()
    };
    let id = insert(app, &mut tx, &job, start).await?;
    let run = require(&mut tx, &id).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(run)
}

/// Starts a run in the place of one that failed or was stopped: of the job as it is now, with the same parameters, for the
/// same events.
///
/// # Errors
/// NotFound; Conflict where the run isn't over or has succeeded; Invalid where the job takes its parameters no more.
pub async fn retry(app: &App, id: &str) -> Result<Run> {
    let mut tx = app.store.note().await?;
    let former = require(&mut tx, id).await?;
    if !matches!(former.state, WorkState::Failed | WorkState::Cancelled) {
        return Err(Error::conflict(format!(
            "run {id} is {}, and only what failed or was stopped is retried",
            former.state.as_str()
        ))
        .hint("start another run of its job"));
    }
    let job = jobs::require(&mut tx, &former.job).await?;
    let body = former.body;
    let start = Start {
        parameters: job.definition.parameters_of(&body.parameters)?,
        trigger: body.trigger,
        events: body.events.clone(),
        chain: body.chain,
    };
    let new = insert(app, &mut tx, &job, start).await?;
    store::events::hand_over(&mut tx, &body.events, id, &new).await?;
    let line = format!("in the place of run {id}");
    store::runs::append_log(&mut tx, &new, app.clock.now(), LogLevel::Info, &line).await?;
    let run = require(&mut tx, &new).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(run)
}

/// How a run comes to be.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Its parameters, checked.
    pub parameters: Captures,
    /// The trigger that starts it; a person does where there is none.
    pub trigger: Option<String>,
    /// The events that it acts on.
    pub events: Vec<String>,
    /// The jobs whose runs led to it.
    pub chain: Vec<String>,
}

/// Lets a run act on arrivals that a trigger has begun for the same parameters already, and that no worker has taken yet: it
/// reads what is there when it starts. Adds one where there is none. Gives its id.
///
/// # Errors
/// Only the database's own.
pub async fn join_or_insert(app: &App, tx: &mut Note, job: &Job, start: Start) -> Result<String> {
    for task in store::tasks::waiting(tx, &serial_key(job, &start.parameters)).await? {
        let Some(id) = task["run"].as_str() else {
            continue;
        };
        let Some(mut body) = store::runs::lock_waiting(tx, id).await? else {
            continue;
        };
        let is_by_hand = body.trigger.is_none() || start.trigger.is_none();
        if is_by_hand || body.parameters != start.parameters {
            continue;
        }
        body.events.extend(start.events);
        for job in start.chain {
            if !body.chain.contains(&job) {
                body.chain.push(job);
            }
        }
        store::runs::set_body(tx, id, &body).await?;
        return Ok(id.to_owned());
    }
    insert(app, tx, job, start).await
}

/// Adds a run and the task that executes it, inside a transaction. Of runs of one job that write to the same place, one is at
/// work at a time; of those that append or write nothing, one with the same parameters.
///
/// # Errors
/// Only the database's own.
pub async fn insert(app: &App, tx: &mut Note, job: &Job, start: Start) -> Result<String> {
    let id = app.clock.new_id();
    let serial_key = serial_key(job, &start.parameters);
    let body = RunBody {
        parameters: start.parameters,
        trigger: start.trigger,
        events: start.events,
        chain: start.chain,
        ..RunBody::default()
    };
    let now = app.clock.now();
    store::runs::insert(tx, &id, &job.name, &body, now).await?;
    queue::enqueue(
        tx,
        &*app.clock,
        &Task::Run { run: id.clone() },
        now,
        Some(serial_key),
    )
    .await?;
    Ok(id)
}

/// The key of runs of which one is at work at a time.
fn serial_key(job: &Job, parameters: &Captures) -> String {
    let replaced = job
        .definition
        .output
        .as_ref()
        .filter(|output| output.mode != OutputMode::Append);
    let place = match replaced.and_then(|output| output.folder(parameters).ok()) {
        Some(folder) => folder.to_string(),
        None => parameters_key(parameters),
    };
    format!("run {} {place}", job.name)
}

/// Parameters as one text that no others have.
pub fn parameters_key(parameters: &Captures) -> String {
    serde_json::to_string(parameters).unwrap_or_default()
}

/// The run with this id.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, id: &str) -> Result<Run> {
    let mut tx = app.store.read().await?;
    require(&mut tx, id).await
}

/// The run with this id, if it is one of the job called `job`.
///
/// # Errors
/// NotFound, also where it is another job's.
pub async fn get_of(app: &App, job: &str, id: &str) -> Result<Run> {
    let run = get(app, id).await?;
    if run.job == job {
        return Ok(run);
    }
    Err(Error::not_found(format!("job {job} has no run {id}")))
}

/// The runs of the job called `job`, the newest first.
///
/// # Errors
/// NotFound where there is no such job.
pub async fn list_of(app: &App, job: &str, page: &PageRequest) -> Result<Page<Run>> {
    let mut tx = app.store.read().await?;
    jobs::require(&mut tx, job).await?;
    store::runs::list(
        &mut tx,
        &RunFilter {
            job: Some(job.to_owned()),
            state: None,
        },
        page,
    )
    .await
}

/// Runs, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, filter: &RunFilter, page: &PageRequest) -> Result<Page<Run>> {
    let mut tx = app.store.read().await?;
    store::runs::list(&mut tx, filter, page).await
}

/// Lines of a run's log.
///
/// # Errors
/// NotFound.
pub async fn logs(app: &App, id: &str, page: &PageRequest) -> Result<Page<LogLine>> {
    let mut tx = app.store.read().await?;
    require(&mut tx, id).await?;
    store::runs::logs(&mut tx, id, page).await
}

/// Asks for a run to be stopped. One that is over stays as it is.
///
/// # Errors
/// NotFound; Conflict where the run is over.
pub async fn cancel(app: &App, id: &str) -> Result<Run> {
    let mut tx = app.store.note().await?;
    let run = require(&mut tx, id).await?;
    if !store::runs::request_cancel(&mut tx, id).await? {
        return Err(Error::conflict(format!(
            "run {id} is over: it is {}",
            run.state.as_str()
        )));
    }
    store::runs::append_log(&mut tx, id, app.clock.now(), LogLevel::Warn, "asked to stop").await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(run)
}

/// As [`cancel`], of a run of the job called `job`.
///
/// # Errors
/// As [`cancel`]; NotFound also where the run is another job's.
pub async fn cancel_of(app: &App, job: &str, id: &str) -> Result<Run> {
    get_of(app, job, id).await?;
    cancel(app, id).await
}

/// The run with this id, inside a transaction.
///
/// # Errors
/// NotFound.
pub async fn require(tx: &mut Look, id: &str) -> Result<Run> {
    store::runs::find(tx, id)
        .await?
        .ok_or_else(|| Error::not_found(format!("run {id} not found")))
}
