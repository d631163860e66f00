//! Crawling: list → group → sample → classify → plan → apply. A crawl is a plan first; a dry run stops there.

mod apply;
mod classify;
pub mod crawlers;
pub mod group;
mod list;
pub mod merge;
pub mod plan;

use std::collections::BTreeMap;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::{Crawl, CrawlProgress, CrawlRequest, Plan, WorkState};
use crate::model::location::Location;
use crate::model::name::{TableRef, catalog_name};
use crate::model::page::{Page, PageRequest};
use crate::model::partition::Partition;
use crate::model::table::Table;
use crate::queue::{self, Lease, Task};
use crate::store::{self, Tx};

/// Asks for a crawl; a worker does it.
///
/// # Errors
/// Invalid for a path that is no location or a bad name; Conflict where the crawler is running.
pub async fn start(app: &App, mut request: CrawlRequest) -> Result<Crawl> {
    request.database = catalog_name("database", &request.database)?;
    if request.targets.is_empty() {
        return Err(Error::invalid("there is nothing to crawl").hint("name a path: s3://bucket/prefix/"));
    }
    for target in &request.targets {
        Location::parse(&target.path)?;
        group::exclusions(&target.exclusions)?;
    }
    let id = app.clock.new_id();
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    if let Some(crawler) = &request.crawler
        && !request.dry_run
        && store::crawls::is_crawling(&mut tx, crawler).await?
    {
        return Err(Error::conflict(format!("crawler {crawler} is running already")));
    }
    store::crawls::insert(&mut tx, &id, &request, now).await?;
    // Crawls into one database change the same tables, so one is at work at a time.
    let serial_key = Some(format!("crawl {}", request.database));
    queue::enqueue(
        &mut tx,
        &*app.clock,
        &Task::Crawl { crawl: id.clone() },
        now,
        serial_key,
    )
    .await?;
    let crawl = require(&mut tx, &id).await?;
    app.commit_with_work(tx).await?;
    Ok(crawl)
}

/// The crawl with this id.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, id: &str) -> Result<Crawl> {
    let mut tx = app.store.read().await?;
    require(&mut tx, id).await
}

/// Crawls, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Crawl>> {
    let mut tx = app.store.read().await?;
    store::crawls::list(&mut tx, page).await
}

async fn require(tx: &mut Tx, id: &str) -> Result<Crawl> {
    store::crawls::find(tx, id)
        .await?
        .ok_or_else(|| Error::not_found(format!("crawl {id} not found")))
}

/// Does a crawl.
///
/// # Errors
/// What may pass when tried again. Conflict where the lease was lost, or somebody changed a planned table meanwhile.
pub async fn run(app: &App, lease: &Lease, id: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    let crawl = store::crawls::find(&mut tx, id).await?;
    let Some(crawl) = crawl.filter(|crawl| !crawl.state.is_final()) else {
        lease.finish(&mut tx).await?;
        return tx.commit().await;
    };
    store::crawls::start(&mut tx, id, app.clock.now()).await?;
    tx.commit().await?;

    let planned = if lease.is_exhausted() {
        Err(Error::new(
            ErrorKind::Invalid,
            "every worker that took it up died of it",
        ))
    } else {
        make_plan(app, lease, &crawl).await
    };
    match planned {
        Ok(found) => apply::apply(app, lease, &crawl, found).await,
        Err(error) if is_passing(&error) && !lease.is_last() => Err(error),
        Err(error) if error.kind == ErrorKind::Conflict => Err(error),
        Err(error) => {
            let mut tx = app.store.write().await?;
            lease.hold(&mut tx, app.clock.now()).await?;
            let hint = error
                .hint
                .as_ref()
                .map_or(String::new(), |hint| format!(" (hint: {hint})"));
            let message = format!("{}{}{hint}", error.message, error.causes());
            store::crawls::finish(
                &mut tx,
                id,
                WorkState::Failed,
                None,
                Some(&message),
                app.clock.now(),
            )
            .await?;
            lease.finish(&mut tx).await?;
            tx.commit().await
        }
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Internal)
}

/// What a crawl found, and what it would change.
struct Planned {
    plan: Plan,
    found: Vec<merge::FoundTable>,
    progress: CrawlProgress,
}

async fn make_plan(app: &App, lease: &Lease, crawl: &Crawl) -> Result<Planned> {
    let mut progress = CrawlProgress::default();
    let mut found = Vec::new();
    let mut set_aside = Vec::new();
    for target in &crawl.request.targets {
        let listed = list::list(app, target).await?;
        progress.objects += i64::try_from(listed.len()).unwrap_or(i64::MAX);
        save_progress(app, lease, &crawl.id, &progress).await?;
        let location = Location::parse(&target.path)?;
        let grouped = group::group(&location, listed, &group::exclusions(&target.exclusions)?);
        set_aside.extend(grouped.set_aside);
        let samples = group::samples(&grouped.folders);
        let mut looks = classify::Looks::new();
        for chunk in samples.chunks(classify::CHUNK) {
            let looked_at = classify::classify(app, &location.bucket, chunk, &mut looks).await?;
            progress.files_read += looked_at.files_read;
            progress.bytes_read += looked_at.bytes_read;
            save_progress(app, lease, &crawl.id, &progress).await?;
        }
        let merged = merge::merge(&location, grouped.folders, &looks);
        found.extend(merged.tables);
        set_aside.extend(merged.set_aside);
    }
    merge::give_names(
        &mut found,
        crawl.request.table_prefix.as_deref().unwrap_or_default(),
    );
    let current = current_state(app, &crawl.request, &found).await?;
    let plan = plan::plan(&crawl.request, &found, set_aside, &current);
    Ok(Planned {
        plan,
        found,
        progress,
    })
}

async fn save_progress(app: &App, lease: &Lease, id: &str, progress: &CrawlProgress) -> Result<()> {
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    store::crawls::set_progress(&mut tx, id, progress).await?;
    tx.commit().await
}

/// The tables that the plan is about, with their partitions, as they are in the catalog now.
async fn current_state(
    app: &App,
    request: &CrawlRequest,
    found: &[merge::FoundTable],
) -> Result<plan::Current> {
    let mut tx = app.store.read().await?;
    let mut current = plan::Current {
        database_exists: store::databases::find(&mut tx, &request.database)
            .await?
            .is_some(),
        tables: BTreeMap::new(),
    };
    let mut page = PageRequest::first(crate::model::page::MAX_LIMIT);
    loop {
        let tables = store::tables::list(&mut tx, &request.database, &page).await?;
        for table in tables.items {
            let is_found = found.iter().any(|found| found.name == table.input.name);
            if is_found || plan::is_ours(request, &table.input) {
                let partitions = all_partitions(&mut tx, &table).await?;
                current
                    .tables
                    .insert(table.input.name.clone(), (table, partitions));
            }
        }
        match tables.next {
            Some(next) => page.after = Some(next),
            None => return Ok(current),
        }
    }
}

async fn all_partitions(tx: &mut Tx, table: &Table) -> Result<Vec<Partition>> {
    let mut all = Vec::new();
    let mut page = PageRequest::first(crate::model::page::MAX_LIMIT);
    loop {
        let partitions = store::partitions::list(tx, table, &page).await?;
        all.extend(partitions.items);
        match partitions.next {
            Some(next) => page.after = Some(next),
            None => return Ok(all),
        }
    }
}

/// The full name of a table of the request's database.
fn table_ref(request: &CrawlRequest, name: &str) -> TableRef {
    TableRef {
        database: request.database.clone(),
        name: name.to_owned(),
    }
}
