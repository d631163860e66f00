//! Runs of jobs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, page, required, seconds, token};
use crate::error::ErrorKind;
use crate::etl::runs;
use crate::model::crawl::WorkState;
use crate::model::run::Run;

use super::error::{detail, invalid};

/// The most runs of a page (`OrchestrationPageSize200`).
const MAX_PAGE: u32 = 200;
/// The most runs that are stopped at once.
const MAX_STOPS: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    job_name: Option<String>,
    job_run_id: Option<String>,
    timeout: Option<i64>,
    #[serde(default)]
    arguments: BTreeMap<String, String>,
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
    if request.job_run_id.is_some() {
        return Err(invalid(
            "A run can't be continued: leave JobRunId out, and a new one is started.",
        ));
    }
    if request.timeout.is_some() {
        return Err(invalid(
            "A single run has no Timeout of its own: set it in the job's definition.",
        ));
    }
    let bare = |(name, value): (String, String)| (name.trim_start_matches('-').to_owned(), value);
    let parameters = request.arguments.into_iter().map(bare).collect();
    let run = runs::start(app, &job, &parameters, None).await?;
    Ok(json!({ "JobRunId": run.id }))
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
    json!({
        "Id": run.id,
        "JobName": run.job,
        // Ours counts the workers that took it up.
        "Attempt": (run.attempt - 1).max(0),
        "TriggerName": run.body.trigger,
        "JobRunState": state(run.state),
        // Clients count on it, also of a run that waits.
        "StartedOn": seconds(run.started_at.unwrap_or(run.created_at)),
        "LastModifiedOn": seconds(run.finished_at.or(run.started_at).unwrap_or(run.created_at)),
        "CompletedOn": run.finished_at.map(seconds),
        "ExecutionTime": took.map_or(0, |took| took.num_seconds().max(0)),
        "Arguments": arguments,
        "ErrorMessage": error,
        "PredecessorRuns": [],
        "LogGroupName": "/aws-glue/jobs",
        "GlueVersion": "5.0",
    })
}

fn state(state: WorkState) -> &'static str {
    match state {
        WorkState::Queued => "WAITING",
        WorkState::Running => "RUNNING",
        WorkState::Succeeded => "SUCCEEDED",
        WorkState::Failed => "FAILED",
        WorkState::Cancelled => "STOPPED",
    }
}
