//! Crawls by the clock.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::crawl::CrawlerState;
use crate::model::schedule::Schedule;
use crate::queue::{Lease, Worked};
use crate::schedules::{checked, put_in_force, take_out_of_force};
use crate::store;

use super::crawlers::{self, owner};
use super::crawls::start_in;

/// Puts a crawler's schedule in force.
///
/// # Errors
/// NotFound; Invalid where it has no schedule; Conflict where that is in force.
pub async fn start(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    let crawler = crawlers::require(&mut tx, name).await?;
    let Some(text) = &crawler.input.schedule else {
        return Err(no_schedule(name));
    };
    if crawler.next_crawl_at.is_some() {
        return Err(Error::conflict(format!(
            "the schedule of crawler {name} is in force already"
        )));
    }
    put_in_force(app, &mut tx, &owner(name), Some(&Schedule::parse(text)?)).await?;
    app.commit_with_work(tx.commit()).await
}

/// Gives a crawler another schedule, which is in force at once, or none. It may be running.
///
/// # Errors
/// NotFound; Invalid for a schedule that is none or is never due again.
pub async fn set(app: &App, name: &str, text: Option<String>) -> Result<()> {
    let schedule = checked(app, text.as_deref())?;
    let mut tx = app.store.note().await?;
    let mut input = crawlers::hold(&mut tx, name).await?.input;
    input.schedule = text;
    store::crawls::update_crawler(&mut tx, &input, app.clock.now()).await?;
    put_in_force(app, &mut tx, &owner(name), schedule.as_ref()).await?;
    app.commit_with_work(tx.commit()).await
}

/// Takes a crawler's schedule out of force; it is kept.
///
/// # Errors
/// NotFound; Invalid where it has no schedule; Conflict where that isn't in force.
pub async fn stop(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    let crawler = crawlers::require(&mut tx, name).await?;
    if crawler.input.schedule.is_none() {
        return Err(no_schedule(name));
    }
    if crawler.next_crawl_at.is_none() {
        return Err(Error::conflict(format!(
            "the schedule of crawler {name} is not in force"
        )));
    }
    take_out_of_force(&mut tx, &owner(name)).await?;
    tx.commit().await
}

fn no_schedule(name: &str) -> Error {
    Error::invalid(format!("crawler {name} has no schedule")).hint("give it one: cron(0 18 ? * MON-FRI *)")
}

/// Starts the crawl that was due at this time, unless one is under way, and sets the next time. Times that passed while
/// nobody worked count once.
///
/// # Errors
/// Lost; the database's own.
pub async fn run(app: &App, lease: &Lease, name: &str, due: DateTime<Utc>) -> Worked {
    let mut tx = app.store.note().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    let crawler = store::crawls::find_crawler(&mut tx, name).await?;
    if let Some(crawler) = crawler.filter(|crawler| crawler.next_crawl_at == Some(due)) {
        let schedule = crawler
            .input
            .schedule
            .as_deref()
            .map(Schedule::parse)
            .transpose()?;
        if crawler.state == CrawlerState::Ready {
            start_in(app, &mut tx, crawlers::request(crawler.input, false)).await?;
        } else {
            tracing::warn!(
                crawler = name,
                "a scheduled crawl is left out: the last one is still running"
            );
        }
        put_in_force(app, &mut tx, &owner(name), schedule.as_ref()).await?;
    }
    lease.finish(&mut tx).await?;
    Ok(app.commit_with_work(tx.commit()).await?)
}
