//! `/api/v1/runs`

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::Stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::State;
use super::error::{ApiResult, Problem, Query};
use super::page::{ListQuery, Page};
use crate::app::App;
use crate::error::{Error, Result};
use crate::etl::runs;
use crate::model::crawl::WorkState;
use crate::model::page::{MAX_LIMIT, PageRequest};
use crate::model::run as nouns;

/// How often a log that is followed is looked at.
const FOLLOW: Duration = Duration::from_millis(250);

/// One execution of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Run {
    id: String,
    job: String,
    /// How many workers have taken it up.
    attempt: i64,
    /// QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
    state: &'static str,
    /// What a queued run waits for, where that isn't a worker: its turn among its job's runs, the time of its retry, or
    /// something that is away or refuses.
    waiting: Option<String>,
    parameters: BTreeMap<String, String>,
    /// The trigger that started it; null where a person did.
    trigger: Option<String>,
    /// The events that it acts on.
    events: Vec<String>,
    /// The jobs whose runs led to it by what they wrote, the first first.
    chain: Vec<String>,
    /// The run that it follows, because that failed or was stopped.
    previous: Option<String>,
    /// How many runs it follows in this way.
    retry: u32,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    rows_in: Option<i64>,
    rows_out: Option<i64>,
    bytes_in: Option<i64>,
    bytes_out: Option<i64>,
    /// What its script used, where that is a program of its own.
    usage: Option<Usage>,
    inputs: Vec<RunInput>,
    outputs: Vec<RunOutput>,
    error: Option<RunError>,
}

/// What a script used, with all that it started.
#[derive(Debug, Serialize, ToSchema)]
struct Usage {
    /// CPU time in milliseconds.
    cpu_ms: u64,
    /// The most memory that was resident at a time, in bytes.
    peak_memory_bytes: u64,
}

/// One object that a run read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunInput {
    /// The table that it is part of in the script.
    name: String,
    path: String,
    size: i64,
    etag: String,
    rows: Option<i64>,
}

/// One object that a run wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunOutput {
    path: String,
    size: i64,
    rows: i64,
    etag: String,
}

/// Why a run failed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunError {
    message: String,
    hint: Option<String>,
    /// Whether its time was over.
    timed_out: bool,
}

/// A line of a run's log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogLine {
    /// Its place in the log, from 1.
    seq: i64,
    at: DateTime<Utc>,
    /// info, warn or error.
    level: &'static str,
    message: String,
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct RunsQuery {
    /// The most items, 1 to 1000; 100 unless told.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Of this job only.
    job: Option<String>,
    /// In this state only.
    state: Option<String>,
}

impl From<nouns::Run> for Run {
    fn from(run: nouns::Run) -> Self {
        let body = run.body;
        let output = |output: nouns::RunOutput| RunOutput {
            path: output.path,
            size: output.size,
            rows: output.rows,
            etag: output.etag,
        };
        let duration = run
            .started_at
            .zip(run.finished_at)
            .map(|(start, end)| (end - start).num_milliseconds());
        Self {
            id: run.id,
            job: run.job,
            attempt: run.attempt,
            state: run.state.as_str(),
            waiting: run.waiting,
            parameters: body.parameters,
            trigger: body.trigger,
            events: body.events,
            chain: body.chain,
            previous: body.previous,
            retry: body.retry,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            duration_ms: duration,
            rows_in: body.rows_in,
            rows_out: body.rows_out,
            bytes_in: body.bytes_in,
            bytes_out: body.bytes_out,
            usage: body.usage.map(|usage| Usage {
                cpu_ms: usage.cpu_milliseconds,
                peak_memory_bytes: usage.peak_memory_bytes,
            }),
            inputs: body.inputs.into_iter().map(RunInput::from).collect(),
            outputs: body.outputs.into_iter().map(output).collect(),
            error: body.error.map(RunError::from),
        }
    }
}

impl From<nouns::RunInput> for RunInput {
    fn from(input: nouns::RunInput) -> Self {
        Self {
            name: input.name,
            path: input.path,
            size: input.size,
            etag: input.etag,
            rows: input.rows,
        }
    }
}

impl From<nouns::RunError> for RunError {
    fn from(error: nouns::RunError) -> Self {
        Self {
            message: error.message,
            hint: error.hint,
            timed_out: error.timed_out,
        }
    }
}

impl From<nouns::LogLine> for LogLine {
    fn from(line: nouns::LogLine) -> Self {
        Self {
            seq: line.seq,
            at: line.at,
            level: line.level.as_str(),
            message: line.message,
        }
    }
}

/// List runs, the newest first
#[utoipa::path(get, path = "/api/v1/runs", operation_id = "list_runs", tag = "jobs", params(RunsQuery),
    responses((status = 200, body = Page<Run>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<RunsQuery>,
) -> ApiResult<axum::Json<Page<Run>>> {
    let state = query.state.as_deref().map(|text| {
        WorkState::parse(&text.to_uppercase()).ok_or_else(|| {
            Error::invalid(format!("state is '{text}'"))
                .hint("it may be QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED")
        })
    });
    let filter = nouns::RunFilter {
        job: query.job,
        state: state.transpose()?,
    };
    let page = ListQuery::new(query.limit, query.cursor).request()?;
    Ok(axum::Json(Page::of(
        runs::list(&app, &filter, &page).await?,
        Run::from,
    )))
}

/// Show a run
#[utoipa::path(get, path = "/api/v1/runs/{id}", operation_id = "get_run", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Run), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(id): Path<String>) -> ApiResult<axum::Json<Run>> {
    Ok(axum::Json(runs::get(&app, &id).await?.into()))
}

/// Ask for a run to be stopped
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", operation_id = "cancel_run", tag = "jobs", params(("id" = String, Path)),
    responses((status = 202, body = Run), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<(StatusCode, axum::Json<Run>)> {
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(runs::cancel(&app, &id).await?.into()),
    ))
}

/// Start a run in the place of one that failed or was stopped: with its parameters, for its events
#[utoipa::path(post, path = "/api/v1/runs/{id}/retry", operation_id = "retry_run", tag = "jobs", params(("id" = String, Path)),
    responses((status = 202, body = Run), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn retry(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<(StatusCode, axum::Json<Run>)> {
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(runs::retry(&app, &id).await?.into()),
    ))
}

/// Show a run's log: as JSON, as text (`Accept: text/plain`), or as server-sent events until the run ends
/// (`Accept: text/event-stream`)
#[utoipa::path(get, path = "/api/v1/runs/{id}/logs", operation_id = "run_logs", tag = "jobs",
    params(("id" = String, Path), ListQuery),
    responses((status = 200, body = Page<LogLine>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn logs(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accept.starts_with("text/event-stream") {
        runs::get(&app, &id).await?;
        return Ok(Sse::new(follow(app, id))
            .keep_alive(KeepAlive::default())
            .into_response());
    }
    if accept.starts_with("text/plain") {
        return Ok(as_text(&app, &id).await?.into_response());
    }
    let page = runs::logs(&app, &id, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, LogLine::from)).into_response())
}

async fn as_text(app: &App, id: &str) -> Result<String> {
    let mut text = String::new();
    let mut request = PageRequest::first(MAX_LIMIT);
    loop {
        let page = runs::logs(app, id, &request).await?;
        for line in page.items {
            let at = line.at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
            text.push_str(&format!("{at} {:5} {}\n", line.level.as_str(), line.message));
        }
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(text),
        }
    }
}

/// Every line that is there, then every new one, until the run is over.
fn follow(app: App, id: String) -> impl Stream<Item = Result<Event, Infallible>> {
    let start = (
        app,
        id,
        PageRequest::first(MAX_LIMIT),
        Vec::<nouns::LogLine>::new().into_iter(),
        false,
    );
    futures::stream::unfold(start, async |(app, id, mut request, mut lines, mut is_over)| {
        loop {
            if let Some(line) = lines.next() {
                let event = Event::default()
                    .json_data(LogLine::from(line))
                    .unwrap_or_default();
                return Some((Ok(event), (app, id, request, lines, is_over)));
            }
            if is_over {
                return None;
            }
            // The state first: what is logged before the end is then among the lines.
            is_over = runs::get(&app, &id)
                .await
                .map_or(true, |run| run.state.is_final());
            let page = runs::logs(&app, &id, &request).await.ok()?;
            if let Some(last) = page.items.last() {
                request.after = Some(last.seq.to_string());
                is_over = is_over && page.next.is_none();
            } else if !is_over {
                tokio::time::sleep(FOLLOW).await;
            }
            lines = page.items.into_iter();
        }
    })
}
