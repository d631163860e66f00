//! Runs of jobs.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, Members, page, required, seconds, token, with_kept};
use crate::error::{Error, ErrorKind};
use crate::etl::{jobs, runs};
use crate::model::crawl::WorkState;
use crate::model::glue_job::bare;
use crate::model::run::{Run, RunRequest};

use super::error::{CONCURRENT_RUNS_EXCEEDED, detail, invalid};
use super::job_members;

/// The most runs of a page (`OrchestrationPageSize200`).
const MAX_PAGE: u32 = 200;
/// The most runs that are stopped at once.
const MAX_STOPS: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    job_name: Option<String>,
    job_run_id: Option<String>,
    #[serde(default)]
    arguments: BTreeMap<String, String>,
    job_run_queuing_enabled: Option<bool>,
    #[serde(flatten)]
    members: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    job_name: Option<String>,
    run_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    job_name: Option<String>,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stop {
    job_name: Option<String>,
    job_run_ids: Option<Vec<String>>,
}

pub(super) async fn start(app: &App, request: Start) -> Answer {
    let job = required(request.job_name, "jobName")?;
    let arguments = request.arguments.iter();
    let mut said = request.members;
    if let Some(queues) = request.job_run_queuing_enabled {
        said.insert("JobRunQueuingEnabled".to_owned(), json!(queues));
    }
    let mut wanted = RunRequest {
        parameters: arguments
            .map(|(name, value)| (bare(name), value.clone()))
            .collect(),
        timeout: job_members::timeout(&said),
        queues: request.job_run_queuing_enabled,
        ..RunRequest::default()
    };
    let of_job = jobs::get(app, &job).await?.members_of_run();
    let run = match request.job_run_id {
        None => {
            wanted.glue = Some(job_members::of_run(of_job, said)?);
            runs::start_as(app, &job, wanted).await
        }
        Some(former) => {
            let of_former = runs::get_of(app, &job, &former).await?.body.glue;
            wanted.glue = Some(job_members::of_run(of_former.or(of_job), said)?);
            runs::retry_as(app, &former, wanted).await
        }
    };
    let run = run.map_err(in_glues_words)?;
    Ok(json!({ "JobRunId": run.id }))
}

fn in_glues_words(error: Error) -> Failure {
    match error.kind {
        ErrorKind::Limit => Failure::new(CONCURRENT_RUNS_EXCEEDED, Failure::from(error).message()),
        // The run to be retried isn't over, or was well.
        ErrorKind::Conflict => invalid(Failure::from(error).message()),
        _ => error.into(),
    }
}

pub(super) async fn get(app: &App, request: Get) -> Answer {
    let job = required(request.job_name, "jobName")?;
    let run = runs::get_of(app, &job, &required(request.run_id, "runId")?).await?;
    Ok(json!({ "JobRun": rendered(app, &run) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let job = required(request.job_name, "jobName")?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = runs::list_of(app, &job, &page).await?;
    let list: Vec<Value> = found.items.iter().map(|run| rendered(app, run)).collect();
    Ok(json!({ "JobRuns": list, "NextToken": token(found.next) }))
}

/// Asks for each run to be stopped; one that can't be doesn't keep the others from it.
pub(super) async fn stop(app: &App, request: Stop) -> Answer {
    let job = required(request.job_name, "jobName")?;
    let ids = required(request.job_run_ids, "jobRunIds")?;
    if ids.is_empty() || ids.len() > MAX_STOPS {
        return Err(invalid(format!("JobRunIds must name 1 to {MAX_STOPS} runs.")));
    }
    let (mut stopped, mut refused) = (Vec::new(), Vec::new());
    for id in ids {
        match runs::cancel_of(app, &job, &id).await {
            Ok(_) => stopped.push(json!({ "JobName": job, "JobRunId": id })),
            Err(error) => {
                let failure = match error.kind {
                    ErrorKind::Conflict => invalid(Failure::from(error).message()),
                    _ => error.into(),
                };
                let detail = detail(failure)?;
                refused.push(json!({ "JobName": job, "JobRunId": id, "ErrorDetail": detail }));
            }
        }
    }
    Ok(json!({ "SuccessfulSubmissions": stopped, "Errors": refused }))
}

fn rendered(app: &App, run: &Run) -> Value {
    let arguments: BTreeMap<String, &String> = run
        .body
        .parameters
        .iter()
        .map(|(name, value)| (format!("--{name}"), value))
        .collect();
    let took = run
        .started_at
        .map(|started| run.finished_at.unwrap_or(app.clock.now()) - started);
    let error = run.body.error.as_ref().map(|error| match &error.hint {
        Some(hint) => format!("{} ({hint})", error.message),
        None => error.message.clone(),
    });
    let own = json!({
        "Id": run.id,
        "JobName": run.job,
        "Attempt": run.body.retry,
        "PreviousRunId": run.body.previous,
        "TriggerName": run.body.trigger,
        "JobRunState": state(run),
        "StateDetail": run.waiting.as_ref().filter(|_| run.state == WorkState::Queued),
        // Clients count on it, also of a run that waits.
        "StartedOn": seconds(run.started_at.unwrap_or(run.created_at)),
        "LastModifiedOn": seconds(run.finished_at.or(run.started_at).unwrap_or(run.created_at)),
        "CompletedOn": run.finished_at.map(seconds),
        "ExecutionTime": took.map_or(0, |took| took.num_seconds().max(0)),
        "DPUSeconds": units(run, took.unwrap_or_default()),
        "Arguments": arguments,
        "ErrorMessage": error,
        "PredecessorRuns": [],
        "LogGroupName": "/aws-glue/jobs",
    });
    let kept = run.body.glue.clone().unwrap_or_default();
    let run = with_kept(own, &kept);
    // Jobs that no client of this API made have none.
    with_kept(
        run,
        &Members::from_iter([("GlueVersion".to_owned(), json!("5.0"))]),
    )
}

/// What a run took of the units that it may have: said where it needn't have had them all the time.
fn units(run: &Run, took: TimeDelta) -> Option<f64> {
    let members = run.body.glue.as_ref()?;
    let is_flexible = members.get("ExecutionClass") == Some(&json!("FLEX"));
    let is_over = run.finished_at.is_some();
    let units = members.get("MaxCapacity").and_then(Value::as_f64)?;
    (is_flexible && is_over).then(|| units * took.as_seconds_f64().max(0.0))
}

fn state(run: &Run) -> &'static str {
    let timed_out = run.body.error.as_ref().is_some_and(|error| error.timed_out);
    match run.state {
        WorkState::Queued | WorkState::Running if run.stopping => "STOPPING",
        WorkState::Queued if run.waiting.is_some() => "WAITING",
        WorkState::Queued => "STARTING",
        WorkState::Running => "RUNNING",
        WorkState::Succeeded => "SUCCEEDED",
        WorkState::Failed if timed_out => "TIMEOUT",
        WorkState::Failed => "FAILED",
        WorkState::Cancelled => "STOPPED",
    }
}
