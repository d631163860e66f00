//! What is done by the clock, whatever it is. The next time of each stands in the database, and a task on the queue is due
//! then: whoever takes it does what is due and puts the time after that on the queue, in one transaction. A task whose time
//! isn't the owner's is out of date, and does nothing.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::schedule::{Owner, Schedule};
use crate::queue::{self, Task, Turn};
use crate::store;

/// A schedule that is overdue by more than this lost its task.
const LOST: TimeDelta = TimeDelta::minutes(5);

/// Reads a schedule.
///
/// # Errors
/// Invalid for one that is none, or is never due again.
pub fn checked(app: &App, text: Option<&str>) -> Result<Option<Schedule>> {
    let Some(text) = text else { return Ok(None) };
    let schedule = Schedule::parse(text)?;
    if schedule.next_after(app.clock.now()).is_none() {
        return Err(Error::invalid(format!("the schedule {text} is never due again"))
            .hint("give it a year that is still to come, or *"));
    }
    Ok(Some(schedule))
}

/// Sets the next time of an owner, which is never where it has no schedule, and puts it on the queue.
///
/// # Errors
/// Only the database's own.
pub async fn put_in_force(
    app: &App,
    tx: &mut store::Note,
    owner: &Owner,
    schedule: Option<&Schedule>,
) -> Result<()> {
    let next = schedule.and_then(|schedule| schedule.next_after(app.clock.now()));
    store::schedules::set(tx, owner, next).await?;
    match next {
        Some(due) => enqueue(app, tx, owner, due).await,
        None => Ok(()),
    }
}

/// Takes the schedule of an owner out of force.
///
/// # Errors
/// Only the database's own.
pub async fn take_out_of_force(tx: &mut store::Note, owner: &Owner) -> Result<()> {
    store::schedules::set(tx, owner, None).await
}

async fn enqueue(app: &App, tx: &mut store::Note, owner: &Owner, due: DateTime<Utc>) -> Result<()> {
    let owner = owner.clone();
    queue::enqueue(tx, &*app.clock, &Task::Due { owner, due }, due, Turn::default()).await
}

/// Puts schedules that lost their task on the queue again. Twice does no harm.
///
/// # Errors
/// Only the database's own.
pub async fn catch_up(app: &App) -> Result<()> {
    let mut tx = app.store.read().await?;
    let overdue = store::schedules::overdue(&mut tx, app.clock.now() - LOST).await?;
    drop(tx);
    if overdue.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.note().await?;
    for (owner, due) in &overdue {
        enqueue(app, &mut tx, owner, *due).await?;
    }
    app.commit_with_work(tx.commit()).await
}
