//! Durable tasks: claimed under a lease, kept by a heartbeat, finished once, tried again when their worker dies.
//!
//! A task is put on the queue in the transaction that makes it necessary, and taken off it in the transaction that
//! writes its result. Every write of a worker goes through its [`Lease`]: one that lost it changes nothing.

pub mod list;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::schedule::Owner;
use crate::model::task::TaskCounts;
pub use crate::store::tasks::Turn;
use crate::store::tasks::{self, Back, LeasedTask, NewTask};
use crate::store::{Look, Note, Store};

/// How long a worker that says nothing is believed to live.
pub const LEASE: Duration = Duration::from_secs(30);
/// How often a worker says that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(8);
/// How long to wait before the second try; every later wait is twice the one before.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
/// How often a wait is doubled at the most: to some four minutes.
const MOST_DOUBLINGS: i64 = 7;
/// How often a task may fail by our own mistake.
const MAX_FAILURES: i64 = 3;
/// How many workers in a row may die with a task.
pub const MAX_DEATHS: i64 = 10;
/// How long a task goes on asking what refuses it.
pub const REFUSED_FOR: TimeDelta = TimeDelta::hours(1);

/// Why work ended before its end.
#[derive(Debug)]
pub enum Halt {
    /// The task is another worker's now: nothing more of it is ours to write.
    Lost,
    /// Somebody asked for it to be stopped.
    Stopped,
    /// It failed.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What work under a lease comes to.
pub type Worked<T = ()> = std::result::Result<T, Halt>;

/// Every kind of background work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Crawl: list, group, sample, classify, plan, apply.
    Crawl {
        /// The crawl's id.
        crawl: String,
    },
    /// A schedule is due.
    #[serde(rename = "scheduled_crawl")]
    Due {
        /// What is to be done.
        #[serde(flatten)]
        owner: Owner,
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
    /// What kind of work it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Crawl { .. } => "crawl",
            Self::Due { .. } => "scheduled_crawl",
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
    failures: i64,
    waits: i64,
    deaths: i64,
    refused_since: Option<DateTime<Utc>>,
    by_database: bool,
}

impl Lease {
    /// The id of the task.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the workers before this one, too many in a row, died with it.
    pub fn is_exhausted(&self) -> bool {
        self.deaths >= MAX_DEATHS
    }

    /// What to say of a task that [is exhausted](Lease::is_exhausted).
    pub fn exhaustion(&self) -> Error {
        Error::invalid("ten workers in a row died of it")
            .hint("the server's log says what they did last; a limit of memory may be too low")
    }

    /// Whether this failure is final. One that lies in what is away never is; in what refuses, after an hour; in our own
    /// mistakes and in processes that are killed, the third time; and in the work itself, at once.
    fn is_final(&self, error: &Error, now: DateTime<Utc>) -> bool {
        match Cause::of(error) {
            Cause::Away => false,
            Cause::Refused => self.refused_since.is_some_and(|since| now - since >= REFUSED_FOR),
            Cause::Mistake => self.failures + 1 >= self.max_attempts,
            Cause::Work => true,
        }
    }

    /// Makes sure, inside a transaction that writes, that the task is still ours.
    ///
    /// # Errors
    /// Lost where it isn't: stop and write nothing.
    pub async fn hold(&self, tx: &mut Note, now: DateTime<Utc>) -> Worked {
        let now = self.time(tx, now).await?;
        let held = tasks::extend(tx, &self.id, &self.token, now + LEASE).await?;
        or_lost(held)
    }

    /// The time that leases go by.
    async fn time(&self, tx: &mut Look, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        if self.by_database {
            return Ok(tx.time().await?.unwrap_or(now));
        }
        Ok(now)
    }

    /// Takes the task off the queue, in the transaction that writes its result.
    ///
    /// # Errors
    /// Lost where it isn't ours any more.
    pub async fn finish(&self, tx: &mut Note) -> Worked {
        let held = tasks::finish(tx, &self.id, &self.token).await?;
        or_lost(held)
    }

    /// Puts the task back, to be tried again after a while, or keeps it as failed where the failure is final. Says
    /// whether it is.
    ///
    /// # Errors
    /// Lost where it isn't ours any more.
    pub async fn put_back(&self, tx: &mut Note, now: DateTime<Utc>, error: &Error) -> Worked<bool> {
        let now = self.time(tx, now).await?;
        if self.is_final(error, now) {
            self.fail(tx, now, error).await?;
            return Ok(true);
        }
        let cause = Cause::of(error);
        let counts = cause == Cause::Mistake;
        let before = if counts { self.failures } else { self.waits };
        let doublings = u32::try_from(before.clamp(0, MOST_DOUBLINGS)).unwrap_or(0);
        let back = Back {
            counts,
            refused_since: (cause == Cause::Refused).then(|| self.refused_since.unwrap_or(now)),
            run_at: now + FIRST_BACKOFF * 2_u32.pow(doublings),
        };
        let held = tasks::put_back(tx, (&self.id, &self.token), back, now, error).await?;
        or_lost(held)?;
        Ok(false)
    }

    /// Gives the task back with its try, due at once: the worker stops in an orderly way.
    ///
    /// # Errors
    /// Lost where it isn't ours any more.
    pub async fn release(&self, tx: &mut Note) -> Worked {
        let held = tasks::release(tx, &self.id, &self.token).await?;
        or_lost(held)
    }

    /// Keeps the task as failed: it stands in the list until somebody settles it.
    ///
    /// # Errors
    /// Lost where it isn't ours any more.
    pub async fn fail(&self, tx: &mut Note, now: DateTime<Utc>, error: &Error) -> Worked {
        let held = tasks::fail(tx, &self.id, &self.token, now, error).await?;
        or_lost(held)
    }
}

impl Lease {
    /// Takes a task that [failed for good](Lease::put_back) off the list, where something follows it by itself.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn settle(&self, tx: &mut Note) -> Result<()> {
        tasks::settle(tx, &self.id).await.map(drop)
    }
}

fn or_lost(held: bool) -> Worked {
    if held { Ok(()) } else { Err(Halt::Lost) }
}

/// Where the cause of a failure lies, which decides how often it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Something can't be reached, is busy or full, or changed meanwhile.
    Away,
    /// Something refuses, as long as people don't change that.
    Refused,
    /// Our own mistake, or somebody killed the process at work: it may be this work that calls for that.
    Mistake,
    /// The work itself, which would fail again.
    Work,
}

impl Cause {
    fn of(error: &Error) -> Self {
        match error.kind {
            _ if error.is_refusal() => Self::Refused,
            ErrorKind::Unavailable | ErrorKind::Conflict => Self::Away,
            ErrorKind::Internal | ErrorKind::Killed => Self::Mistake,
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Invalid
            | ErrorKind::TooLarge
            | ErrorKind::Denied
            | ErrorKind::Unfit
            | ErrorKind::Outdated
            | ErrorKind::Limit => Self::Work,
        }
    }
}

/// The time that the queue goes by: the database's, which all workers share; on SQLite, and by a clock that tests hold,
/// the clock's.
async fn time(tx: &mut Look, clock: &dyn Clock) -> Result<DateTime<Utc>> {
    let shared = if clock.is_machine() {
        tx.time().await?
    } else {
        None
    };
    Ok(shared.unwrap_or_else(|| clock.now()))
}

/// Puts a task on the queue, due at `run_at`, when it has its turn.
///
/// # Errors
/// Only the database's own.
pub async fn enqueue(
    tx: &mut Note,
    clock: &dyn Clock,
    task: &Task,
    run_at: DateTime<Utc>,
    turn: Turn,
) -> Result<()> {
    let payload = serde_json::to_value(task)
        .map_err(|cause| Error::internal("a task can't be written down").source(cause))?;
    let new = NewTask {
        kind: task.kind(),
        payload,
        // As far from now by the queue's time as it is by the clock's.
        run_at: run_at + (time(tx, clock).await? - clock.now()),
        max_attempts: MAX_FAILURES,
        turn,
    };
    tasks::insert(tx, &clock.new_id(), &new, clock.now()).await
}

/// Takes the task of the highest priority that is due longest.
///
/// # Errors
/// Only the database's own.
pub async fn claim(store: &Store, clock: &dyn Clock) -> Result<Option<(Lease, Task)>> {
    let mut tx = store.note().await?;
    let now = time(&mut tx, clock).await?;
    let claimed = match tasks::claim(&mut tx, &clock.new_id(), now, now + LEASE).await {
        Ok(claimed) => claimed,
        // Another worker took a task of the same series, or the same rows, in this very moment.
        Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    tx.commit().await?;
    claimed.map(|task| lease_of(task, clock.is_machine())).transpose()
}

fn lease_of(task: LeasedTask, by_database: bool) -> Result<(Lease, Task)> {
    let kind = task.kind;
    let work = serde_json::from_value(task.payload.0)
        .map_err(|cause| Error::internal(format!("task {} ({kind}) can't be read", task.id)).source(cause))?;
    let lease = Lease {
        id: task.id,
        token: task.lease,
        attempt: task.attempt,
        max_attempts: task.max_attempts,
        failures: task.failures,
        waits: task.waits,
        deaths: task.deaths,
        refused_since: task.refused_since,
        by_database,
    };
    Ok((lease, work))
}

/// Holds the task for another while; says whether it is still ours.
///
/// # Errors
/// Only the database's own.
pub async fn heartbeat(store: &Store, clock: &dyn Clock, lease: &Lease) -> Result<bool> {
    let mut tx = store.note().await?;
    let until = time(&mut tx, clock).await? + LEASE;
    let held = tasks::extend(&mut tx, &lease.id, &lease.token, until).await?;
    tx.commit().await?;
    Ok(held)
}

/// Makes every held task due again, and counts a death for each: right at the start of the one process that may use the
/// database.
///
/// # Errors
/// Only the database's own.
pub async fn release_all(store: &Store) -> Result<u64> {
    let mut tx = store.note().await?;
    let released = tasks::release_all(&mut tx).await?;
    tx.commit().await?;
    Ok(released)
}

/// Takes the turn, for a while, at something that one process at a time looks after; says whether it was free. On SQLite
/// there is one process, whose turn it always is.
///
/// # Errors
/// Only the database's own.
pub async fn take_turn(store: &Store, clock: &dyn Clock, name: &str, length: TimeDelta) -> Result<bool> {
    if store.is_sqlite() {
        return Ok(true);
    }
    let mut tx = store.note().await?;
    let now = time(&mut tx, clock).await?;
    let is_ours = tasks::take_turn(&mut tx, name, now, now + length).await?;
    tx.commit().await?;
    Ok(is_ours)
}

/// How long until a task is due: nothing where the queue is empty, zero where one is overdue.
///
/// # Errors
/// Only the database's own.
pub async fn time_to_next(store: &Store, clock: &dyn Clock) -> Result<Option<TimeDelta>> {
    let mut tx = store.read().await?;
    let due = tasks::next_due(&mut tx).await?;
    let now = time(&mut tx, clock).await?;
    Ok(due.map(|due| (due - now).max(TimeDelta::zero())))
}

/// What operators count, and how long the task that is due longest has waited for a worker.
///
/// # Errors
/// Only the database's own.
pub async fn count(store: &Store, clock: &dyn Clock) -> Result<(TaskCounts, TimeDelta)> {
    let mut tx = store.read().await?;
    let now = time(&mut tx, clock).await?;
    let counts = tasks::count(&mut tx, now).await?;
    let age = counts.oldest_due.map_or(TimeDelta::zero(), |due| now - due);
    Ok((counts, age.max(TimeDelta::zero())))
}
