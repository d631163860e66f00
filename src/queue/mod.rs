//! Durable tasks: claimed under a lease, kept by a heartbeat, finished once, tried again when their worker dies.
//!
//! A task is put on the queue in the transaction that makes it necessary, and taken off it in the transaction that
//! writes its result. Every write of a worker goes through its [`Lease`]: one that lost it changes nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::store::tasks::{self, LeasedTask, NewTask};
use crate::store::{Store, Tx};

/// How long a worker that says nothing is believed to live.
pub const LEASE: Duration = Duration::from_secs(30);
/// How often a worker says that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(8);
/// How long to wait before the second try; every later wait is twice the one before.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);

/// Every kind of background work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Crawl: list, group, sample, classify, plan, apply.
    Crawl {
        /// The crawl's id.
        crawl: String,
    },
    /// A crawler's schedule is due.
    ScheduledCrawl {
        /// The crawler's name.
        crawler: String,
        /// When it was due: a schedule that changed since has another time.
        due: DateTime<Utc>,
    },
    /// The batch window is over: make a run of the arrivals.
    CloseBatch {
        /// The batch's id.
        batch: String,
    },
    /// Run a job.
    Run {
        /// The run's id.
        run: String,
    },
}

impl Task {
    fn kind(&self) -> &'static str {
        match self {
            Self::Crawl { .. } => "crawl",
            Self::ScheduledCrawl { .. } => "scheduled_crawl",
            Self::CloseBatch { .. } => "close_batch",
            Self::Run { .. } => "run",
        }
    }
}

/// A worker's right to work on a task, and to write what came of it.
#[derive(Clone, Debug)]
pub struct Lease {
    id: String,
    token: String,
    /// Which try this is, from 1.
    pub attempt: i64,
    max_attempts: i64,
}

impl Lease {
    /// Whether there were more tries than allowed: the workers before this one died of it.
    pub fn is_exhausted(&self) -> bool {
        self.attempt > self.max_attempts
    }

    /// Whether a failure of this try is final.
    pub fn is_last(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// Makes sure, inside a transaction that writes, that the task is still ours.
    ///
    /// # Errors
    /// Conflict where it isn't: stop and write nothing.
    pub async fn hold(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
        let held = tasks::extend(tx, &self.id, &self.token, now + LEASE).await?;
        self.or_lost(held)
    }

    /// Takes the task off the queue, in the transaction that writes its result.
    ///
    /// # Errors
    /// Conflict where it isn't ours any more.
    pub async fn finish(&self, tx: &mut Tx) -> Result<()> {
        let held = tasks::finish(tx, &self.id, &self.token).await?;
        self.or_lost(held)
    }

    /// Puts the task back, to be tried again after a while.
    ///
    /// # Errors
    /// Conflict where it isn't ours any more.
    pub async fn retry(&self, tx: &mut Tx, now: DateTime<Utc>, error: &Error) -> Result<()> {
        let doublings = u32::try_from(self.attempt - 1).unwrap_or(0).min(8);
        let run_at = now + FIRST_BACKOFF * 2_u32.pow(doublings);
        let held = tasks::retry(tx, &self.id, &self.token, run_at, &error.message).await?;
        self.or_lost(held)
    }

    /// Keeps the task as failed: it won't be tried again.
    ///
    /// # Errors
    /// Conflict where it isn't ours any more.
    pub async fn fail(&self, tx: &mut Tx, error: &Error) -> Result<()> {
        let held = tasks::fail(tx, &self.id, &self.token, &error.message).await?;
        self.or_lost(held)
    }

    fn or_lost(&self, held: bool) -> Result<()> {
        if held {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "the lease of task {} was lost: another worker has taken it up",
            self.id
        )))
    }
}

/// Puts a task on the queue, due at `run_at`. Of the tasks with the same `serial_key`, one is at work at a time.
///
/// # Errors
/// Only the database's own.
pub async fn enqueue(
    tx: &mut Tx,
    clock: &dyn Clock,
    task: &Task,
    run_at: DateTime<Utc>,
    serial_key: Option<String>,
) -> Result<()> {
    let payload = serde_json::to_value(task)
        .map_err(|cause| Error::internal("a task can't be written down").source(cause))?;
    let new = NewTask {
        kind: task.kind(),
        payload,
        run_at,
        max_attempts: 3,
        serial_key,
    };
    tasks::insert(tx, &clock.new_id(), &new, clock.now()).await
}

/// Takes the task that is due longest.
///
/// # Errors
/// Only the database's own.
pub async fn claim(store: &Store, clock: &dyn Clock) -> Result<Option<(Lease, Task)>> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let claimed = match tasks::claim(&mut tx, &clock.new_id(), now, now + LEASE).await {
        Ok(claimed) => claimed,
        // Another worker took a task of the same series, or the same rows, in this very moment.
        Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    tx.commit().await?;
    claimed.map(lease_of).transpose()
}

fn lease_of(task: LeasedTask) -> Result<(Lease, Task)> {
    let kind = task.kind;
    let work = serde_json::from_value(task.payload.0)
        .map_err(|cause| Error::internal(format!("task {} ({kind}) can't be read", task.id)).source(cause))?;
    let lease = Lease {
        id: task.id,
        token: task.lease,
        attempt: task.attempt,
        max_attempts: task.max_attempts,
    };
    Ok((lease, work))
}

/// Holds the task for another while; says whether it is still ours.
///
/// # Errors
/// Only the database's own.
pub async fn heartbeat(store: &Store, clock: &dyn Clock, lease: &Lease) -> Result<bool> {
    let mut tx = store.write().await?;
    let held = tasks::extend(&mut tx, &lease.id, &lease.token, clock.now() + LEASE).await?;
    tx.commit().await?;
    Ok(held)
}

/// How long until a task is due: nothing where the queue is empty, zero where one is overdue.
///
/// # Errors
/// Only the database's own.
pub async fn time_to_next(store: &Store, clock: &dyn Clock) -> Result<Option<TimeDelta>> {
    let mut tx = store.read().await?;
    let due = tasks::next_due(&mut tx).await?;
    Ok(due.map(|due| (due - clock.now()).max(TimeDelta::zero())))
}
