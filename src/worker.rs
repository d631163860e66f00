//! Every kind of background task on one page, and the loop that works on them.

mod upkeep;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::app::App;
use crate::clock::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::model::schedule::Owner;
use crate::queue::{self, HEARTBEAT, Halt, LEASE, Lease, Task, Worked};
use crate::{crawl, etl};

/// How long a worker sleeps at the most before it looks at the queue: other processes may put tasks on it unheard.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How long a worker waits after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Every kind of background task.
async fn work_on(app: &App, lease: &Lease, task: &Task) -> Worked {
    match task {
        // Crawls and runs say so in their own logs.
        Task::CloseBatch { .. } | Task::Due { .. } if lease.is_exhausted() => Err(lease.exhaustion().into()),
        // Boxed, because its future is the deepest of all, and the compiler only looks so far into one.
        Task::Crawl { crawl } => Box::pin(crawl::run(app, lease, crawl)).await,
        Task::Due { owner, due } => match owner {
            Owner::Crawler(name) => crawl::schedules::run(app, lease, name, *due).await,
        },
        Task::CloseBatch { batch } => etl::triggers::close_batch(app, lease, batch).await,
        Task::Run { run } => etl::execute(app, lease, run).await,
    }
}

/// Everything that goes on in the background until `shutdown`: tasks, and what is looked after now and then.
pub async fn background(app: App, shutdown: CancellationToken) {
    tokio::join!(
        run(app.clone(), shutdown.cancelled()),
        upkeep::run(app, shutdown.cancelled())
    );
}

/// Works until `shutdown`; then stops taking tasks and puts back those that aren't done.
pub async fn run(app: App, shutdown: impl Future<Output = ()> + Send) {
    if app.store.is_sqlite() {
        release_abandoned(&app).await;
    }
    let mut working = JoinSet::new();
    let in_hand = InHand::default();
    tokio::pin!(shutdown);
    loop {
        while working.len() < app.config.tasks.workers {
            match claim(&app).await {
                Ok(Some((lease, task))) => {
                    let (app, in_hand) = (app.clone(), Arc::clone(&in_hand));
                    let place = lock(&in_hand).insert(&lease, &task);
                    working.spawn(async move {
                        attempt(&app, &lease, &task).await;
                        lock(&in_hand).remove(place);
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!("the queue can't be read: {}{}", error.message, error.causes());
                    tokio::time::sleep(AFTER_FAILURE).await;
                    break;
                }
            }
        }
        tokio::select! {
            () = &mut shutdown => break,
            () = app.work_arrived.notified() => {}
            Some(_) = working.join_next(), if !working.is_empty() => {}
            () = tokio::time::sleep(until_next(&app).await) => {}
        }
    }
    // What is under way is dropped, and given back as if it had not been taken.
    working.shutdown().await;
    let left = std::mem::take(&mut lock(&in_hand).tasks);
    for (lease, task) in left.into_values() {
        if let Err(error) = release(&app, &lease, &task).await {
            tracing::warn!(
                ?task,
                "it can't be given back: {}{}",
                error.message,
                error.causes()
            );
        }
    }
}

/// Takes a task. A connection that broke unnoticed gives no answer for a quarter of an hour; nobody waits that long.
async fn claim(app: &App) -> Result<Option<(Lease, Task)>> {
    tokio::time::timeout(LEASE, queue::claim(&app.store, &*app.clock))
        .await
        .unwrap_or_else(|_| Err(Error::unavailable("the database gave no answer")))
}

/// The tasks that this process holds.
#[derive(Default)]
struct Held {
    next: u64,
    tasks: BTreeMap<u64, (Lease, Task)>,
}

type InHand = Arc<Mutex<Held>>;

impl Held {
    fn insert(&mut self, lease: &Lease, task: &Task) -> u64 {
        self.next += 1;
        self.tasks.insert(self.next, (lease.clone(), task.clone()));
        self.next
    }

    fn remove(&mut self, place: u64) {
        self.tasks.remove(&place);
    }
}

fn lock(in_hand: &InHand) -> MutexGuard<'_, Held> {
    in_hand.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a task back with its try.
async fn release(app: &App, lease: &Lease, task: &Task) -> Result<()> {
    let mut tx = app.store.note().await?;
    match lease.release(&mut tx).await {
        Ok(()) => {}
        // It was finished in the last moment.
        Err(Halt::Lost | Halt::Stopped) => return Ok(()),
        Err(Halt::Failed(error)) => return Err(error),
    }
    if let Task::Run { run } = task {
        etl::give_back(&mut tx, run).await?;
    }
    tx.commit().await
}

/// Works on every task that is due, one after the other, and then stops. For tests.
///
/// # Errors
/// Only the database's own.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut count = 0;
    while run_next(app).await? {
        count += 1;
    }
    Ok(count)
}

/// Works on the task that is due longest; says whether there was one. For tests.
///
/// # Errors
/// Only the database's own.
pub async fn run_next(app: &App) -> Result<bool> {
    let Some((lease, task)) = queue::claim(&app.store, &*app.clock).await? else {
        return Ok(false);
    };
    attempt(app, &lease, &task).await;
    Ok(true)
}

/// On SQLite no other process can hold a task, so whatever is held at the start belongs to one that died.
async fn release_abandoned(app: &App) {
    match queue::release_all(&app.store).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "tasks of a process that died are taken up again"),
        Err(error) => tracing::error!(
            "abandoned tasks can't be taken up: {}{}",
            error.message,
            error.causes()
        ),
    }
}

/// One try, under a span that names the task in each line of the log.
async fn attempt(app: &App, lease: &Lease, task: &Task) {
    let span = tracing::info_span!(
        "task",
        id = lease.id(),
        kind = task.kind(),
        attempt = lease.attempt
    );
    attempt_in_span(app, lease, task).instrument(span).await;
}

/// One try, with a heartbeat beside it. Whoever loses the lease stops at once: dropping the work kills its child.
async fn attempt_in_span(app: &App, lease: &Lease, task: &Task) {
    let outcome = tokio::select! {
        outcome = work_on(app, lease, task) => outcome,
        () = until_lost(app, lease) => {
            tracing::warn!(?task, "the lease was lost: another worker has taken it up");
            return;
        }
    };
    let error = match outcome {
        Ok(()) => return,
        Err(Halt::Failed(error)) => error,
        // Nothing of it is ours to write: another has it, or what stopped it has said so.
        Err(Halt::Lost | Halt::Stopped) => {
            tracing::warn!(?task, "it was left to others in the middle");
            return;
        }
    };
    tracing::warn!(
        ?task,
        attempt = lease.attempt,
        "{}{}",
        error.message,
        error.causes()
    );
    // Where the database is away as well: as long as the lease holds, and after that it counts as a worker that died.
    let deadline = Deadline::after(LEASE);
    while let Err(Halt::Failed(failure)) = put_back(app, lease, task, &error).await {
        tracing::warn!(
            ?task,
            "it can't be put back: {}{}",
            failure.message,
            failure.causes()
        );
        if failure.kind != ErrorKind::Unavailable || deadline.is_over() {
            return;
        }
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}

/// Puts a task back that can't be done now, or says of it that it failed for good, and what follows from that.
async fn put_back(app: &App, lease: &Lease, task: &Task, error: &Error) -> Worked {
    let mut tx = app.store.note().await?;
    let is_final = lease.put_back(&mut tx, app.clock.now(), error).await?;
    match task {
        Task::Run { run } => {
            let is_followed = etl::put_back(app, &mut tx, run, error, is_final).await?;
            if is_followed {
                lease.settle(&mut tx).await?;
            }
        }
        Task::Crawl { crawl } if is_final => crawl::give_up(app, &mut tx, crawl, error).await?,
        _ => {}
    }
    Ok(tx.commit().await?)
}

async fn until_lost(app: &App, lease: &Lease) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match queue::heartbeat(&app.store, &*app.clock, lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!("no heartbeat: {}{}", error.message, error.causes()),
        }
    }
}

async fn until_next(app: &App) -> Duration {
    match queue::time_to_next(&app.store, &*app.clock).await {
        Ok(Some(due)) => due
            .max(TimeDelta::milliseconds(20))
            .to_std()
            .unwrap_or(LONGEST_SLEEP)
            .min(LONGEST_SLEEP),
        _ => LONGEST_SLEEP,
    }
}
