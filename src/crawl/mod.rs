//! Crawling: list → group → sample → classify → merge → plan → apply. A crawl is a plan first; a dry run stops there.

mod apply;
pub mod classifiers;
mod classify;
pub mod columns;
pub mod crawlers;
pub mod found;
pub mod globs;
pub mod group;
mod inventory;
mod lakes;
mod list;
pub mod log;
mod look;
pub mod merge;
pub mod names;
pub mod naming;
pub mod others;
pub mod plan;
mod remember;
pub mod sample;
pub mod schedules;
pub mod shape;
mod sources;
pub mod together;
pub mod tree;
mod undo;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::{Crawl, CrawlProgress, CrawlRequest, CrawlTarget, CrawlerState, Plan, WorkState};
use crate::model::crawl_options::{Compatibility, MAX_SAMPLE_SIZE};
use crate::model::location::Location;
use crate::model::name::{TableRef, catalog_name};
use crate::model::page::{Page, PageRequest};
use crate::model::partition::Partition;
use crate::model::table::Table;
use crate::queue::{self, Lease, Task};
use crate::store;
pub use undo::undo;

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

async fn start_in(app: &App, tx: &mut store::Note, mut request: CrawlRequest) -> Result<Crawl> {
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
    queue::enqueue(tx, &*app.clock, &task, now, serial_key).await?;
    require(tx, &id).await
}

/// Refuses a target that can't be crawled.
fn check_target(target: &CrawlTarget) -> Result<()> {
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
    wanted: impl Fn(&Crawl) -> bool,
    page: &PageRequest,
) -> Result<Page<Crawl>> {
    let mut tx = app.store.read().await?;
    let mut look = page.clone();
    let mut found = Vec::new();
    loop {
        let some = store::crawls::list(&mut tx, crawler, &look).await?;
        let is_all = some.len() <= look.limit as usize;
        look.after = some.last().map(|last| last.id.clone());
        found.extend(some.into_iter().filter(&wanted));
        if is_all || found.len() > page.limit as usize {
            return Ok(Page::of(found, page, |crawl: &Crawl| crawl.id.clone()));
        }
    }
}

/// Asks for a crawl to be stopped: it changes nothing then.
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

async fn require(tx: &mut store::Look, id: &str) -> Result<Crawl> {
    store::crawls::find(tx, id)
        .await?
        .ok_or_else(|| Error::not_found(format!("crawl {id} not found")))
}

/// Does a crawl.
///
/// # Errors
/// What may pass when tried again. Conflict where the lease was lost, or somebody changed a planned table meanwhile.
pub async fn run(app: &App, lease: &Lease, id: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    let crawl = store::crawls::find(&mut tx, id).await?;
    let Some(crawl) = crawl.filter(|crawl| !crawl.state.is_final()) else {
        lease.finish(&mut tx).await?;
        return tx.commit().await;
    };
    store::crawls::start(&mut tx, id, app.clock.now()).await?;
    tx.commit().await?;

    let planned = if lease.is_exhausted() {
        Err(lease.exhaustion())
    } else {
        make_plan(app, lease, &crawl).await
    };
    let done = match planned {
        Ok(found) => apply::apply(app, lease, &crawl, found).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(()),
        Err(_) if is_stopped(app, id).await? => end(app, lease, id, WorkState::Cancelled, None).await,
        // Other people's databases are asked three times: nobody says that one will be back.
        Err(error)
            if is_away(&error)
                && crawl
                    .request
                    .targets
                    .iter()
                    .any(|target| target.connection.is_some()) =>
        {
            let counted = Error::internal(format!("{}{}", error.message, error.causes()));
            Err(match error.hint {
                Some(hint) => counted.hint(hint),
                None => counted,
            })
        }
        Err(error) if is_passing(&error) => Err(error),
        Err(error) => end(app, lease, id, WorkState::Failed, Some(&error)).await,
    }
}

/// Says of a crawl that its worker won't try it again.
///
/// # Errors
/// Only the database's own.
pub async fn give_up(app: &App, tx: &mut store::Note, id: &str, error: &Error) -> Result<()> {
    let state = WorkState::Failed;
    store::crawls::finish(tx, id, state, None, Some(&in_words(error)), app.clock.now()).await
}

fn in_words(error: &Error) -> String {
    let hint = error
        .hint
        .as_ref()
        .map_or(String::new(), |hint| format!(" (hint: {hint})"));
    format!("{}{}{hint}", error.message, error.causes())
}

async fn is_stopped(app: &App, id: &str) -> Result<bool> {
    let mut tx = app.store.read().await?;
    store::crawls::stop_requested(&mut tx, id).await
}

/// Ends a crawl that changed nothing.
async fn end(app: &App, lease: &Lease, id: &str, state: WorkState, error: Option<&Error>) -> Result<()> {
    let mut tx = app.store.note().await?;
    let now = app.clock.now();
    lease.hold(&mut tx, now).await?;
    let words = error.map(in_words);
    store::crawls::finish(&mut tx, id, state, None, words.as_deref(), now).await?;
    match error {
        // What failed for good stands in the list of tasks until somebody settles it.
        Some(error) => lease.fail(&mut tx, now, error).await?,
        None => lease.finish(&mut tx).await?,
    }
    tx.commit().await
}

/// Makes sure, inside a transaction that writes, that nobody asked for the crawl to be stopped.
///
/// # Errors
/// Conflict.
async fn not_stopped(tx: &mut store::Look, id: &str) -> Result<()> {
    if store::crawls::stop_requested(tx, id).await? {
        return Err(Error::conflict(format!("crawl {id} was stopped")));
    }
    Ok(())
}

fn is_away(error: &Error) -> bool {
    error.kind == ErrorKind::Unavailable
}

fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unavailable | ErrorKind::Killed | ErrorKind::Internal | ErrorKind::Conflict
    )
}

/// What a crawl found, and what it would change.
struct Planned {
    plan: Plan,
    writes: Vec<plan::Write>,
    found: Vec<found::FoundTable>,
    current: plan::Current,
    writing: write::Writing,
    seen: Vec<remember::Seen>,
    progress: CrawlProgress,
}

/// A crawl that is under way.
struct Session<'a> {
    app: &'a App,
    lease: &'a Lease,
    crawl: &'a Crawl,
    /// Who judges files.
    judges: classifiers::Judges,
    progress: CrawlProgress,
}

impl Session<'_> {
    /// Says how far the crawl is.
    async fn report(&self) -> Result<()> {
        let mut tx = self.app.store.note().await?;
        self.report_in(&mut tx).await?;
        tx.commit().await
    }

    async fn report_in(&self, tx: &mut store::Note) -> Result<()> {
        self.lease.hold(tx, self.app.clock.now()).await?;
        not_stopped(tx, &self.crawl.id).await?;
        store::crawls::set_progress(tx, &self.crawl.id, &self.progress).await
    }
}

async fn make_plan(app: &App, lease: &Lease, crawl: &Crawl) -> Result<Planned> {
    let request = &crawl.request;
    let writing = write::Writing {
        compatibility: request
            .options
            .compatibility
            .unwrap_or(app.config.crawl_compatibility),
        configuration: request.options.checked()?,
    };
    let mut session = Session {
        app,
        lease,
        crawl,
        judges: classifiers::judges(app, &request.classifiers).await?,
        progress: CrawlProgress::default(),
    };
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    let mut set_aside = tree::SetAsides::default();
    for target in &request.targets {
        let looked = match &target.connection {
            Some(connection) => sources::target(&session, target, connection).await?,
            None => look::target(&mut session, target, &writing).await?,
        };
        found.extend(
            looked
                .found
                .into_iter()
                .map(found::FoundTable::with_names_that_can_be),
        );
        set_aside.extend(looked.set_aside);
        seen.extend(looked.seen);
        session.progress.tables = i64::try_from(found.len()).unwrap_or(i64::MAX);
        session.report().await?;
    }
    if let Some(most) = writing.configuration.table_threshold
        && found.len() > most
    {
        return Err(Error::limit(format!(
            "The number of tables detected by crawler: {} is greater than the table threshold value provided: {most}. \
             No table was written",
            found.len()
        ))
        .hint("look at the plan of a dry run without TableThreshold, then raise it or narrow the crawl"));
    }
    let prefix = request.table_prefix.as_deref().unwrap_or_default();
    let current = current_state(app, request, &mut found, prefix, writing.compatibility).await?;
    let (plan, writes) = plan::plan(request, &writing, &found, set_aside.into_list(), &current);
    Ok(Planned {
        plan,
        writes,
        found,
        current,
        writing,
        seen,
        progress: session.progress,
    })
}

/// Names what was found, and gives the tables that the plan is about as they are in the catalog now.
async fn current_state(
    app: &App,
    request: &CrawlRequest,
    found: &mut [found::FoundTable],
    prefix: &str,
    compatibility: Compatibility,
) -> Result<plan::Current> {
    let mut tx = app.store.read().await?;
    let mut current = plan::Current {
        database_exists: store::databases::find(&mut tx, &request.database)
            .await?
            .is_some(),
        tables: BTreeMap::new(),
    };
    let places: BTreeSet<String> = found.iter().map(|found| found.location.key()).collect();
    let mut names = naming::Names::default();
    let mut concerned = Vec::new();
    let mut page = PageRequest::first(crate::model::page::MAX_LIMIT);
    loop {
        let tables = store::tables::list(&mut tx, &request.database, &page).await?;
        for table in tables.items {
            let place = naming::place_of(&table.input).map(|place| place.key());
            let same = place.filter(|place| places.contains(place));
            let is_same = same.is_some();
            match same {
                Some(place) => names
                    .kept
                    .entry(place)
                    .or_default()
                    .push(table.input.name.clone()),
                None => {
                    names.taken.insert(table.input.name.clone());
                }
            }
            if is_same || plan::is_ours(request, &table.input) {
                concerned.push(table);
            }
        }
        match tables.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    naming::give_names(found, prefix, compatibility, &names);
    let found: BTreeSet<&str> = found.iter().map(|found| found.name.as_str()).collect();
    for table in concerned {
        let is_found = found.contains(table.input.name.as_str());
        if is_found || plan::is_ours(request, &table.input) {
            let existing = plan::Existing {
                partitions: all_partitions(&mut tx, &table).await?,
                left: store::crawl_memory::table(&mut tx, &table.id).await?,
                table,
            };
            let name = existing.table.input.name.clone();
            current.tables.insert(name, existing);
        }
    }
    Ok(current)
}

async fn all_partitions(tx: &mut store::Read, table: &Table) -> Result<Vec<Partition>> {
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
