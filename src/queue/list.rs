//! The tasks as people see them: what failed for good stands here until somebody tries it again or settles it.

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::page::{Page, PageRequest};
use crate::model::task::{TaskRecord, TaskState};
use crate::store::{self, Look, tasks};

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
    Ok(Page {
        items: with_jobs(&mut tx, found.items).await?,
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

/// The run or the batch that a task is about, where it is about one.
fn run_or_batch(task: &TaskRecord) -> Option<&str> {
    task.about("run").or_else(|| task.about("batch"))
}

/// Tasks with the names of their jobs, in as many statements for many as for one.
async fn with_jobs(tx: &mut Look, tasks: Vec<TaskRecord>) -> Result<Vec<Listed>> {
    let about: Vec<String> = tasks.iter().filter_map(run_or_batch).map(str::to_owned).collect();
    let jobs = tasks::jobs(tx, &about).await?;
    let with_its_own = |task: TaskRecord| Listed {
        job: run_or_batch(&task).and_then(|id| jobs.get(id).cloned()),
        task,
    };
    Ok(tasks.into_iter().map(with_its_own).collect())
}

/// A task with the name of its job.
async fn with_job(tx: &mut Look, task: TaskRecord) -> Result<Listed> {
    let job = match run_or_batch(&task) {
        Some(id) => tasks::jobs(tx, &[id.to_owned()]).await?.remove(id),
        None => None,
    };
    Ok(Listed { task, job })
}
