//! `/api/v1/tasks`: background work, and above all what failed for good.

use axum::extract::Path;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::State;
use super::error::{ApiResult, Problem, Query};
use super::page::{ListQuery, Page};
use crate::app::App;
use crate::error::Error;
use crate::model::task::TaskState;
use crate::queue::list::{self as verbs, Listed};

/// A piece of background work. One that is done is gone; one that failed for good stays until somebody settles it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Task {
    id: String,
    /// run, close_batch, crawl or scheduled_crawl.
    kind: String,
    /// READY, WAITING (put back, to be tried again), RUNNING or FAILED.
    state: &'static str,
    /// The id of the run, batch or crawl that it is about, or the crawler's name.
    about: Option<String>,
    job: Option<String>,
    /// Which try the last one was; tries that only waited for something don't count.
    attempt: i64,
    /// How often in a row it was put back because something that it needs is away or refuses.
    waits: i64,
    /// How many workers in a row died with it.
    deaths: i64,
    error: Option<String>,
    /// What to do about the error.
    hint: Option<String>,
    /// When it is due.
    due_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    /// When it failed first.
    first_failed_at: Option<DateTime<Utc>>,
    /// When it failed for good.
    failed_at: Option<DateTime<Utc>>,
}

impl From<Listed> for Task {
    fn from(listed: Listed) -> Self {
        let task = listed.task;
        let about = ["run", "batch", "crawl", "crawler"]
            .into_iter()
            .find_map(|name| task.about(name))
            .map(str::to_owned);
        Self {
            about,
            job: listed.job,
            id: task.id,
            kind: task.kind,
            state: task.state.as_str(),
            attempt: task.attempt,
            waits: task.waits,
            deaths: task.deaths,
            error: task.error,
            hint: task.hint,
            due_at: task.run_at,
            created_at: task.created_at,
            first_failed_at: task.first_failed_at,
            failed_at: task.failed_at,
        }
    }
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct TasksQuery {
    /// The most items, 1 to 1000; 100 unless told.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// In this state only.
    state: Option<String>,
}

/// List tasks, the newest first
#[utoipa::path(get, path = "/api/v1/tasks", operation_id = "list_tasks", tag = "tasks", params(TasksQuery),
    responses((status = 200, body = Page<Task>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<TasksQuery>,
) -> ApiResult<axum::Json<Page<Task>>> {
    let state = query.state.as_deref().map(|text| {
        TaskState::parse(text).ok_or_else(|| {
            Error::invalid(format!("state is '{text}'")).hint("it may be READY, WAITING, RUNNING or FAILED")
        })
    });
    let page = ListQuery::new(query.limit, query.cursor).request()?;
    let found = verbs::list(&app, state.transpose()?, &page).await?;
    Ok(axum::Json(Page::of(found, Task::from)))
}

/// Show a task
#[utoipa::path(get, path = "/api/v1/tasks/{id}", operation_id = "get_task", tag = "tasks", params(("id" = String, Path)),
    responses((status = 200, body = Task), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(id): Path<String>) -> ApiResult<axum::Json<Task>> {
    Ok(axum::Json(verbs::get(&app, &id).await?.into()))
}

/// Try a task again that failed for good, with the run or the crawl that it is about
#[utoipa::path(post, path = "/api/v1/tasks/{id}/retry", operation_id = "retry_task", tag = "tasks", params(("id" = String, Path)),
    responses((status = 202, body = Task), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn retry(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<(StatusCode, axum::Json<Task>)> {
    let task = verbs::retry(&app, &id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(task.into())))
}

/// Take a task that failed for good off the list
#[utoipa::path(post, path = "/api/v1/tasks/{id}/settle", operation_id = "settle_task", tag = "tasks", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn settle(State(app): State<App>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    verbs::settle(&app, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
