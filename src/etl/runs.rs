//! Runs: starting them, looking at them, stopping them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::app::App;
use crate::error::{Error, Result};
use crate::etl::jobs;
use crate::model::crawl::WorkState;
use crate::model::job::{Job, OutputMode};
use crate::model::page::{Page, PageRequest};
use crate::model::pattern::Captures;
use crate::model::run::{LogLevel, LogLine, Run, RunBody, RunFilter, RunRequest};
use crate::queue::{self, Task, Turn};
use crate::store::{self, Look, Note};

/// The longest name of a request.
const MAX_KEY: usize = 255;

/// Starts a run of the job called `name`.
///
/// # Errors
/// As [`start_as`].
pub async fn start(app: &App, name: &str, parameters: &Captures, trigger: Option<&str>) -> Result<Run> {
    let request = RunRequest {
        parameters: parameters.clone(),
        trigger: trigger.map(str::to_owned),
        ..RunRequest::default()
    };
    start_as(app, name, request).await
}

/// Starts a run of the job called `name` as it is asked for. Asked for again under the same key, it is the run that was
/// started the first time.
///
/// # Errors
/// NotFound; Invalid for unfitting parameters; Conflict where another request had the key; Limit where the job has no room
/// for another run, and none waits.
pub async fn start_as(app: &App, name: &str, request: RunRequest) -> Result<Run> {
    let mut tx = app.store.note().await?;
    let job = jobs::require(&mut tx, name).await?;
    let parameters = job.parameters_of(&request.parameters)?;
    let asked = parameters_key(&request.parameters);
    if let Some(key) = &request.key {
        check_key(key)?;
        // Who asks at the same moment sees what comes of it.
        store::jobs::hold(&mut tx, name).await?;
        if let Some((before, run)) = store::runs::find_request(&mut tx, name, key).await? {
            return if before == asked {
                require(&mut tx, &run).await
            } else {
                Err(Error::conflict(format!(
                    "the key '{key}' was given to another request, of run {run}"
                ))
                .hint("give each request a key of its own; the same key asks for the same run"))
            };
        }
    }
    let start = Start {
        parameters,
        trigger: request.trigger,
        timeout: request.timeout,
        waiting: room(&mut tx, &job, request.queues).await?,
        glue: request.glue,
        ..Start::default()
    };
    let id = insert(app, &mut tx, &job, start).await?;
    if let Some(key) = &request.key {
        store::runs::keep_request(&mut tx, name, key, &asked, &id).await?;
    }
    let run = require(&mut tx, &id).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(run)
}

fn check_key(key: &str) -> Result<()> {
    if (1..=MAX_KEY).contains(&key.len()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a request's key has 1 to {MAX_KEY} characters"
    )))
}

/// Whether a job that has so many runs at a time has room for one more: if not, what that waits for.
async fn room(tx: &mut Note, job: &Job, queues: Option<bool>) -> Result<Option<String>> {
    let Some(limit) = job.definition.concurrency else {
        return Ok(None);
    };
    store::jobs::hold(tx, &job.name).await?;
    let under_way = store::runs::count_under_way(tx, &job.name).await?;
    if under_way < i64::from(limit) {
        return Ok(None);
    }
    if !queues.unwrap_or(job.queues_runs()) {
        return Err(Error::limit(format!(
            "job {} may have {limit} run(s) at a time, and {under_way} are under way",
            job.name
        ))
        .hint("wait until one is over, raise the job's MaxConcurrentRuns, or set JobRunQueuingEnabled to have runs wait"));
    }
    Ok(Some(format!(
        "the job may have {limit} run(s) at a time, and {under_way} came before"
    )))
}

/// Starts a run in the place of one that failed or was stopped: of the job as it is now, with the same parameters, for the
/// same events.
///
/// # Errors
/// As [`retry_as`].
pub async fn retry(app: &App, id: &str) -> Result<Run> {
    retry_as(app, id, RunRequest::default()).await
}

/// As [`retry`], with what `request` says put in the place of what the former run was told.
///
/// # Errors
/// NotFound; Conflict where the run isn't over or has succeeded; Invalid where the job takes its parameters no more; Limit
/// where the job has no room for another run, and none waits.
pub async fn retry_as(app: &App, id: &str, request: RunRequest) -> Result<Run> {
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
    let mut told = former.body.parameters.clone();
    told.extend(request.parameters);
    let start = Start {
        parameters: job.parameters_of(&told)?,
        timeout: request.timeout.or(former.body.timeout),
        glue: request.glue.or_else(|| former.body.glue.clone()),
        waiting: room(&mut tx, &job, request.queues).await?,
        ..Start::after(&former)
    };
    let new = insert_after(app, &mut tx, &job, &former, start).await?;
    let run = require(&mut tx, &new).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(run)
}

/// Lets another run follow one that failed, after a while, where its job says so. A run that was stopped, or whose time was
/// over, has none. Says whether one follows.
///
/// # Errors
/// Only the database's own.
pub async fn follow(app: &App, tx: &mut Note, failed: &Run) -> Result<bool> {
    let timed_out = failed.body.error.as_ref().is_some_and(|error| error.timed_out);
    let Some(job) = store::jobs::find(tx, &failed.job).await? else {
        return Ok(false);
    };
    if timed_out || failed.stopping || failed.body.retry >= job.definition.retries {
        return Ok(false);
    }
    // Of the job as it is now, which may take them no more.
    let Ok(parameters) = job.parameters_of(&failed.body.parameters) else {
        return Ok(false);
    };
    let due = app.clock.now() + job.definition.backoff(failed.body.retry);
    let start = Start {
        parameters,
        waiting: Some(format!(
            "run {} failed; this is retry {} of {}, and begins at {}",
            failed.id,
            failed.body.retry + 1,
            job.definition.retries,
            due.format("%Y-%m-%dT%H:%M:%SZ")
        )),
        due: Some(due),
        ..Start::after(failed)
    };
    insert_after(app, tx, &job, failed, start).await?;
    Ok(true)
}

/// Adds a run in the place of a former one, whose events it takes over.
async fn insert_after(app: &App, tx: &mut Note, job: &Job, former: &Run, start: Start) -> Result<String> {
    let new = insert(app, tx, job, start).await?;
    store::events::hand_over(tx, &former.body.events, &former.id, &new).await?;
    let line = format!("in the place of run {}", former.id);
    store::runs::append_log(tx, &new, app.clock.now(), LogLevel::Info, &line).await?;
    Ok(new)
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
    /// The run that it follows, because that failed or was stopped.
    pub previous: Option<String>,
    /// How many runs it follows in this way.
    pub retry: u32,
    /// How long it may take, where that is another time than its job's.
    pub timeout: Option<Duration>,
    /// What the Glue API says of it; what it says of the job where that is nothing.
    pub glue: Option<Map<String, Value>>,
    /// What it waits for before a worker may take it.
    pub waiting: Option<String>,
    /// When a worker may take it; now where that isn't said.
    pub due: Option<DateTime<Utc>>,
}

impl Start {
    /// A run that does once more what a former one was to do.
    fn after(former: &Run) -> Self {
        let body = former.body.clone();
        Self {
            parameters: body.parameters,
            trigger: body.trigger,
            events: body.events,
            chain: body.chain,
            previous: Some(former.id.clone()),
            retry: body.retry.saturating_add(1),
            timeout: body.timeout,
            glue: body.glue,
            ..Self::default()
        }
    }
}

/// Lets a run act on arrivals that a trigger has begun for the same parameters already, and that no worker has taken yet: it
/// reads what is there when it starts. Adds one where there is none. Gives its id.
///
/// # Errors
/// Only the database's own.
pub async fn join_or_insert(app: &App, tx: &mut Note, job: &Job, start: Start) -> Result<String> {
    let waiting = match serial_key(job, &start.parameters) {
        Some(key) => store::tasks::waiting(tx, &key).await?,
        None => Vec::new(),
    };
    for task in waiting {
        let Some(id) = task["run"].as_str() else {
            continue;
        };
        let Some((mut body, waiting)) = store::runs::lock_waiting(tx, id).await? else {
            continue;
        };
        let is_by_hand = body.trigger.is_none() || start.trigger.is_none();
        // What follows a failure may wait for long.
        let is_put_off = body.previous.is_some() && waiting.is_some();
        if is_by_hand || is_put_off || body.parameters != start.parameters {
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
    let turn = Turn {
        serial_key: serial_key(job, &start.parameters),
        group: job.definition.concurrency.map(|limit| (job.group(), limit)),
        priority: job.definition.priority,
    };
    let body = RunBody {
        parameters: start.parameters,
        trigger: start.trigger,
        events: start.events,
        chain: start.chain,
        previous: start.previous,
        retry: start.retry,
        timeout: start.timeout,
        glue: start.glue.or_else(|| job.members_of_run()),
        ..RunBody::default()
    };
    let now = app.clock.now();
    store::runs::insert(tx, &id, &job.name, &body, start.waiting.as_deref(), now).await?;
    let task = Task::Run { run: id.clone() };
    queue::enqueue(tx, &*app.clock, &task, start.due.unwrap_or(now), turn).await?;
    Ok(id)
}

/// The key of runs of which one is at work at a time. What a job of the Glue API writes is known to its script alone.
fn serial_key(job: &Job, parameters: &Captures) -> Option<String> {
    if job.glue.is_some() {
        return None;
    }
    let replaced = job
        .definition
        .output
        .as_ref()
        .filter(|output| output.mode != OutputMode::Append);
    let place = match replaced.and_then(|output| output.folder(parameters).ok()) {
        Some(folder) => folder.to_string(),
        None => parameters_key(parameters),
    };
    Some(format!("run {} {place}", job.name))
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

/// Asks for a run to be stopped. One that is over stays as it is; one that still waits for something is over at once.
///
/// # Errors
/// NotFound; Conflict where the run is over.
pub async fn cancel(app: &App, id: &str) -> Result<Run> {
    let mut tx = app.store.note().await?;
    let run = require(&mut tx, id).await?;
    let waits = match run.waiting {
        Some(_) => store::runs::lock_waiting(&mut tx, id).await?,
        None => None,
    };
    if !store::runs::request_cancel(&mut tx, id).await? {
        return Err(Error::conflict(format!(
            "run {id} is over: it is {}",
            run.state.as_str()
        )));
    }
    let now = app.clock.now();
    store::runs::append_log(&mut tx, id, now, LogLevel::Warn, "asked to stop").await?;
    if let Some((body, _)) = waits {
        store::runs::append_log(&mut tx, id, now, LogLevel::Warn, "stopped").await?;
        store::runs::finish(&mut tx, id, WorkState::Cancelled, &body, now).await?;
    }
    let run = require(&mut tx, id).await?;
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
