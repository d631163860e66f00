//! Crawlers: crawls that have a name.

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::{Crawl, CrawlRequest, Crawler, CrawlerInput};
use crate::model::name::{catalog_name, plain_name};
use crate::model::page::{Page, PageRequest};
use crate::store;

/// Adds a crawler.
///
/// # Errors
/// Invalid for a bad name, path or glob; AlreadyExists.
pub async fn create(app: &App, mut input: CrawlerInput) -> Result<Crawler> {
    plain_name("crawler", &input.name)?;
    input.database = catalog_name("database", &input.database)?;
    if input.targets.is_empty() {
        return Err(Error::invalid(format!("crawler {} has no targets", input.name))
            .hint("name a path: s3://bucket/prefix/"));
    }
    input.targets.iter().try_for_each(super::check_target)?;
    super::sources::check(app, &input.targets, &input.options).await?;
    input.options.checked()?;
    let mut tx = app.store.write().await?;
    store::crawls::insert_crawler(&mut tx, &input, app.clock.now())
        .await
        .map_err(|error| match error.kind {
            ErrorKind::AlreadyExists => {
                Error::already_exists(format!("crawler {} exists already", input.name))
            }
            _ => error,
        })?;
    tx.commit().await?;
    get(app, &input.name).await
}

/// The crawler called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &str) -> Result<Crawler> {
    let mut tx = app.store.read().await?;
    store::crawls::find_crawler(&mut tx, name)
        .await?
        .ok_or_else(|| missing(name))
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
    let mut tx = app.store.write().await?;
    if store::crawls::is_crawling(&mut tx, name).await? {
        return Err(Error::conflict(format!("crawler {name} is running")).hint("wait until it is done"));
    }
    if !store::crawls::delete_crawler(&mut tx, name).await? {
        return Err(missing(name));
    }
    tx.commit().await
}

/// Starts a crawl of a crawler.
///
/// # Errors
/// NotFound; Conflict where it is running already.
pub async fn start(app: &App, name: &str, dry_run: bool) -> Result<Crawl> {
    let crawler = get(app, name).await?;
    let request = CrawlRequest {
        crawler: Some(crawler.input.name),
        database: crawler.input.database,
        targets: crawler.input.targets,
        table_prefix: crawler.input.table_prefix,
        options: crawler.input.options,
        dry_run,
    };
    super::start(app, request).await
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("crawler {name} not found"))
}
