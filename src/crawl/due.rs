//! When crawlers are due next: the time stands beside the crawler, and a task on the queue is due then.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::schedule::Schedule;
use crate::queue::{self, Task};
use crate::store;

/// Reads a schedule.
pub(super) fn checked(app: &App, text: Option<&str>) -> Result<Option<Schedule>> {
    let Some(text) = text else { return Ok(None) };
    let schedule = Schedule::parse(text)?;
    if schedule.next_after(app.clock.now()).is_none() {
        return Err(Error::invalid(format!("the schedule {text} is never due again"))
            .hint("give it a year that is still to come, or *"));
    }
    Ok(Some(schedule))
}

/// Sets a crawler's next time, which is never where it has no schedule, and puts it on the queue.
pub(super) async fn put_in_force(
    app: &App,
    tx: &mut store::Note,
    name: &str,
    schedule: Option<&Schedule>,
) -> Result<()> {
    let next = schedule.and_then(|schedule| schedule.next_after(app.clock.now()));
    store::crawls::set_next_crawl(tx, name, next).await?;
    match next {
        Some(due) => enqueue(app, tx, name, due).await,
        None => Ok(()),
    }
}

/// Puts a crawler on the queue that is due at this time.
pub(super) async fn enqueue(app: &App, tx: &mut store::Note, name: &str, due: DateTime<Utc>) -> Result<()> {
    let task = Task::ScheduledCrawl {
        crawler: name.to_owned(),
        due,
    };
    queue::enqueue(tx, &*app.clock, &task, due, None).await
}
