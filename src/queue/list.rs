//! The tasks as people see them: what failed for good stands here until somebody tries it again or settles it.

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::page::{Page, PageRequest};
use crate::model::task::{TaskRecord, TaskState};
use crate::store::{self, Look, Read, tasks};

/// A task, and the job that it is about where there is one.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The task.
    pub task: TaskRecord,
    /// The name of the job.
    pub job: Option<String>,
}

/// Tasks in one state, or all of them, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, state: Option<TaskState>, page: &PageRequest) -> Result<Page<Listed>> {
    let mut tx = app.store.read().await?;
    let found = tasks::list(&mut tx, state, page).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for task in found.items {
        items.push(with_job(&mut tx, task).await?);
    }
    Ok(Page {
        items,
        next: found.next,
    })
}

/// The task with this id.
///
/// # Errors
/// NotFound; a task that is done is gone.
pub async fn get(app: &App, id: &str) -> Result<Listed> {
    let mut tx = app.store.read().await?;
    let task = require(&mut tx, id).await?;
    with_job(&mut tx, task).await
}

/// Tries a task again that failed for good, and brings back the run or the crawl that it is about.
///
/// # Errors
/// NotFound; Conflict where it hasn't failed.
pub async fn retry(app: &App, id: &str) -> Result<Listed> {
    let mut tx = app.store.note().await?;
    let task = require(&mut tx, id).await?;
    let now = super::time(&mut tx, &*app.clock).await?;
    if !tasks::reopen(&mut tx, id, now).await? {
        return Err(not_failed(&task));
    }
    if let Some(run) = task.about("run")
        && let Some(mut found) = store::runs::find(&mut tx, run).await?
    {
        found.body.error = None;
        store::runs::reopen(&mut tx, run, &found.body).await?;
    }
    if let Some(crawl) = task.about("crawl") {
        store::crawls::reopen(&mut tx, crawl).await?;
    }
    let task = require(&mut tx, id).await?;
    let listed = with_job(&mut tx, task).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(listed)
}

/// Takes a task that failed for good off the list: somebody has seen to it.
///
/// # Errors
/// NotFound; Conflict where it hasn't failed.
pub async fn settle(app: &App, id: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    let task = require(&mut tx, id).await?;
    if !tasks::settle(&mut tx, id).await? {
        return Err(not_failed(&task));
    }
    tx.commit().await
}

async fn require(tx: &mut Look, id: &str) -> Result<TaskRecord> {
    tasks::find(tx, id)
        .await?
        .ok_or_else(|| Error::not_found(format!("task {id} not found")).hint("a task that is done is gone"))
}

fn not_failed(task: &TaskRecord) -> Error {
    Error::conflict(format!(
        "task {} has not failed: it is {}",
        task.id,
        task.state.as_str()
    ))
    .hint("only what failed for good is tried again or settled by hand")
}

async fn with_job(tx: &mut Read, task: TaskRecord) -> Result<Listed> {
    let mut job = None;
    if let Some(run) = task.about("run") {
        job = store::runs::find(tx, run).await?.map(|run| run.job);
    } else if let Some(batch) = task.about("batch")
        && let Some(batch) = store::events::find_batch(tx, batch).await?
    {
        let trigger = store::triggers::find(tx, &batch.trigger).await?;
        job = trigger.map(|trigger| trigger.job);
    }
    Ok(Listed { task, job })
}
