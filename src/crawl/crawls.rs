//! Crawls: asked for, shown, stopped and undone.

use super::apply::undo::take_back;
use super::look::{classifiers, sources};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlRequest, CrawlSummary, CrawlTarget, CrawlerState};
use crate::model::crawl_options::MAX_SAMPLE_SIZE;
use crate::model::globs;
use crate::model::location::Location;
use crate::model::name::catalog_name;
use crate::model::page::{Page, PageRequest};
use crate::queue::{self, Task, Turn};
use crate::store;

/// Asks for a crawl; a worker does it.
///
/// # Errors
/// Invalid for a path that is no location or a bad name; Conflict where the crawler is running.
pub async fn start(app: &App, request: CrawlRequest) -> Result<Crawl> {
    let mut tx = app.store.note().await?;
    let crawl = start_in(app, &mut tx, request).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(crawl)
}

pub(super) async fn start_in(app: &App, tx: &mut store::Note, mut request: CrawlRequest) -> Result<Crawl> {
    request.database = catalog_name("database", &request.database)?;
    if request.targets.is_empty() {
        return Err(Error::invalid("there is nothing to crawl").hint("name a path: s3://bucket/prefix/"));
    }
    request.targets.iter().try_for_each(check_target)?;
    sources::check(tx, &request.targets, &request.options).await?;
    request.options.checked()?;
    let id = app.clock.new_id();
    let now = app.clock.now();
    match &request.crawler {
        Some(crawler) if !request.dry_run => {
            if store::crawls::crawler_state(tx, crawler).await? != CrawlerState::Ready {
                return Err(Error::conflict(format!("crawler {crawler} is running already")));
            }
        }
        Some(_) => {}
        // What a crawler names was there when it was made; the crawl says so where it is gone.
        None => drop(classifiers::named(tx, &request.classifiers).await?),
    }
    store::crawls::insert(tx, &id, &request, now).await?;
    // Crawls into one database change the same tables, so one is at work at a time.
    let serial_key = Some(format!("crawl {}", request.database));
    let task = Task::Crawl { crawl: id.clone() };
    queue::enqueue(tx, &*app.clock, &task, now, Turn::in_series(serial_key)).await?;
    require(tx, &id).await
}

/// Refuses a target that can't be crawled.
pub(super) fn check_target(target: &CrawlTarget) -> Result<()> {
    if target.connection.is_none() {
        Location::parse(&target.path)?;
    }
    target.inventory.as_deref().map(Location::parse).transpose()?;
    globs::exclusions(&target.exclusions)?;
    match target.sample_size {
        Some(size) if size == 0 || size > MAX_SAMPLE_SIZE => {
            Err(
                Error::invalid(format!("the sample size of {} is {size}", target.path)).hint(format!(
                    "write 1 to {MAX_SAMPLE_SIZE} files of each folder, or nothing"
                )),
            )
        }
        _ => Ok(()),
    }
}

/// The crawl with this id.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, id: &str) -> Result<Crawl> {
    let mut tx = app.store.read().await?;
    require(&mut tx, id).await
}

/// Crawls that `wanted` says yes to, the newest first; of one crawler where it is named, and then without dry runs.
///
/// # Errors
/// Only the database's own.
pub async fn list(
    app: &App,
    crawler: Option<&str>,
    wanted: impl Fn(&CrawlSummary) -> bool,
    page: &PageRequest,
) -> Result<Page<CrawlSummary>> {
    let mut tx = app.store.read().await?;
    let mut look = page.clone();
    let mut found = Vec::new();
    loop {
        let some = store::crawls::list(&mut tx, crawler, &look).await?;
        let is_all = some.len() <= look.limit as usize;
        look.after = some.last().map(|last| last.id.clone());
        found.extend(some.into_iter().filter(&wanted));
        if is_all || found.len() > page.limit as usize {
            return Ok(Page::of(found, page, |crawl: &CrawlSummary| crawl.id.clone()));
        }
    }
}

/// Asks for a crawl to be stopped. It changes nothing from then on; what a large one wrote before stays, and can be undone.
///
/// # Errors
/// NotFound; Conflict where it is over.
pub async fn cancel(app: &App, id: &str) -> Result<Crawl> {
    let mut tx = app.store.note().await?;
    let crawl = require(&mut tx, id).await?;
    if !store::crawls::request_stop(&mut tx, id, app.clock.now()).await? {
        return Err(Error::conflict(format!(
            "crawl {id} is over: it is {}",
            crawl.state.as_str()
        )));
    }
    let stopped = require(&mut tx, id).await?;
    tx.commit().await?;
    Ok(stopped)
}

/// Puts back what a crawl changed.
///
/// # Errors
/// NotFound; Invalid for a crawl that changed nothing; Conflict where it was undone already, or somebody changed since
/// what it had changed: nothing is put back then.
pub async fn undo(app: &App, id: &str) -> Result<Crawl> {
    let mut tx = app.store.write().await?;
    let crawl = require(&mut tx, id).await?;
    take_back(app, &mut tx, &crawl).await?;
    let crawl = require(&mut tx, id).await?;
    tx.commit().await?;
    Ok(crawl)
}

async fn require(tx: &mut store::Look, id: &str) -> Result<Crawl> {
    store::crawls::find(tx, id)
        .await?
        .ok_or_else(|| Error::not_found(format!("crawl {id} not found")))
}
