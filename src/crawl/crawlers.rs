//! Crawlers: crawls that have a name.

use std::collections::HashMap;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::{Crawl, CrawlRequest, Crawler, CrawlerInput, CrawlerState};
use crate::model::crawl_options::RecrawlBehavior;
use crate::model::name::{catalog_name, plain_name};
use crate::model::page::{Page, PageRequest};
use crate::model::precondition::Precondition;
use crate::model::schedule::{Owner, Schedule};
use crate::{schedules, store};

use super::crawls::{check_target, start_in};
use super::look::{classifiers, sources};

/// Adds a crawler. Its schedule, where it has one, is in force at once.
///
/// # Errors
/// Invalid for a bad name, path, glob or schedule, or a classifier that isn't there; AlreadyExists.
pub async fn create(app: &App, input: CrawlerInput) -> Result<Crawler> {
    let mut tx = app.store.note().await?;
    let (input, schedule) = checked(app, &mut tx, input).await?;
    store::crawls::insert_crawler(&mut tx, &input, app.clock.now())
        .await
        .map_err(|error| match error.kind {
            ErrorKind::AlreadyExists => {
                Error::already_exists(format!("crawler {} exists already", input.name))
            }
            _ => error,
        })?;
    schedules::put_in_force(app, &mut tx, &owner(&input.name), schedule.as_ref()).await?;
    let made = require(&mut tx, &input.name).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(made)
}

/// Writes a crawler anew: `change` makes what is said of it of what was said.
///
/// A schedule that changes is in force afterwards; one that stays is in force if it was.
///
/// # Errors
/// As [`create`]; NotFound; Outdated where the precondition doesn't hold; Conflict while it is running; whatever `change`
/// fails with.
pub async fn update(
    app: &App,
    name: &str,
    precondition: &Precondition,
    change: impl FnOnce(CrawlerInput) -> Result<CrawlerInput>,
) -> Result<Crawler> {
    let mut tx = app.store.note().await?;
    let before = hold(&mut tx, name).await?;
    precondition.check(&format!("crawler {name}"), Some(before.version))?;
    if before.state != CrawlerState::Ready {
        return Err(Error::conflict(format!("crawler {name} is running"))
            .hint("stop the crawl, or wait until it is done"));
    }
    let (input, schedule) = checked(app, &mut tx, change(before.input.clone())?).await?;
    if input.name != name {
        return Err(Error::invalid(format!(
            "crawler {name} can't become {}: names stay",
            input.name
        )));
    }
    let knows_folders = before.input.options.recrawl == RecrawlBehavior::CrawlNewFoldersOnly
        && input.options.recrawl == RecrawlBehavior::CrawlNewFoldersOnly;
    if knows_folders && input.targets != before.input.targets {
        return Err(Error::invalid(
            "the S3 targets of a crawler that crawls new folders only can't be changed",
        )
        .hint("make another crawler, or let this one crawl everything"));
    }
    store::crawls::update_crawler(&mut tx, &input, app.clock.now()).await?;
    if input.schedule != before.input.schedule {
        schedules::put_in_force(app, &mut tx, &owner(name), schedule.as_ref()).await?;
    }
    let updated = require(&mut tx, name).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(updated)
}

/// The owner of a crawler's schedule.
pub(super) fn owner(crawler: &str) -> Owner {
    Owner::Crawler(crawler.to_owned())
}

/// What is said of a crawler, in order, with its schedule.
async fn checked(
    app: &App,
    tx: &mut store::Read,
    mut input: CrawlerInput,
) -> Result<(CrawlerInput, Option<Schedule>)> {
    plain_name("crawler", &input.name)?;
    input.database = catalog_name("database", &input.database)?;
    if input.targets.is_empty() {
        return Err(Error::invalid(format!("crawler {} has no targets", input.name))
            .hint("name a path: s3://bucket/prefix/"));
    }
    input.targets.iter().try_for_each(check_target)?;
    input.options.checked()?;
    sources::check(tx, &input.targets, &input.options).await?;
    classifiers::named(tx, &input.classifiers).await?;
    let schedule = schedules::checked(app, input.schedule.as_deref())?;
    Ok((input, schedule))
}

/// The crawler called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &str) -> Result<Crawler> {
    let mut tx = app.store.read().await?;
    require(&mut tx, name).await
}

/// Those of the crawlers with these names that are there, by name.
///
/// # Errors
/// Only the database's own.
pub async fn get_many(app: &App, names: &[String]) -> Result<HashMap<String, Crawler>> {
    let mut tx = app.store.read().await?;
    let found = store::crawls::find_crawlers(&mut tx, names).await?;
    let named = |crawler: Crawler| (crawler.input.name.clone(), crawler);
    Ok(found.into_iter().map(named).collect())
}

/// Crawlers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Crawler>> {
    let mut tx = app.store.read().await?;
    store::crawls::list_crawlers(&mut tx, page).await
}

/// Removes a crawler with the record of its crawls; its tables stay.
///
/// # Errors
/// NotFound; Conflict while it is running.
pub async fn delete(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    if store::crawls::crawler_state(&mut tx, name).await? != CrawlerState::Ready {
        return Err(Error::conflict(format!("crawler {name} is running")).hint("wait until it is done"));
    }
    if !store::crawls::delete_crawler(&mut tx, name).await? {
        return Err(missing(name));
    }
    schedules::take_out_of_force(&mut tx, &owner(name)).await?;
    tx.commit().await
}

/// Starts a crawl of a crawler.
///
/// # Errors
/// NotFound; Conflict where it is running already.
pub async fn start(app: &App, name: &str, dry_run: bool) -> Result<Crawl> {
    let mut tx = app.store.note().await?;
    let crawler = require(&mut tx, name).await?;
    let crawl = start_in(app, &mut tx, request(crawler.input, dry_run)).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(crawl)
}

/// What a crawl of this crawler is asked to do.
pub(super) fn request(input: CrawlerInput, dry_run: bool) -> CrawlRequest {
    CrawlRequest {
        crawler: Some(input.name),
        database: input.database,
        targets: input.targets,
        table_prefix: input.table_prefix,
        classifiers: input.classifiers,
        options: input.options,
        dry_run,
    }
}

/// Asks for the crawl of a crawler to be stopped, as [`cancel`](super::cancel) does.
///
/// # Errors
/// NotFound; Conflict where it isn't running, or was asked already.
pub async fn stop(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    match require(&mut tx, name).await?.state {
        CrawlerState::Running => {}
        CrawlerState::Ready => return Err(Error::conflict(format!("crawler {name} is not running"))),
        CrawlerState::Stopping => return Err(Error::conflict(format!("crawler {name} is stopping already"))),
    }
    for crawl in store::crawls::under_way(&mut tx, name).await? {
        store::crawls::request_stop(&mut tx, &crawl, app.clock.now()).await?;
    }
    tx.commit().await
}

/// How long crawls of some crawlers took, in milliseconds, by the crawlers' names: of each those that succeeded, at most
/// the last hundred, the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn runtimes(app: &App, names: &[String]) -> Result<HashMap<String, Vec<i64>>> {
    const LAST: i64 = 100;
    let mut tx = app.store.read().await?;
    let mut took: HashMap<String, Vec<i64>> = HashMap::new();
    for (name, began, ended) in store::crawls::runtimes(&mut tx, names, LAST).await? {
        took.entry(name)
            .or_default()
            .push((ended - began).num_milliseconds());
    }
    Ok(took)
}

/// The crawler called `name`, kept from others that edit it until the transaction ends.
pub(super) async fn hold(tx: &mut store::Note, name: &str) -> Result<Crawler> {
    store::crawls::hold_crawler(tx, name).await?;
    require(tx, name).await
}

pub(super) async fn require(tx: &mut store::Read, name: &str) -> Result<Crawler> {
    store::crawls::find_crawler(tx, name)
        .await?
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("crawler {name} not found"))
}
