//! Applying a plan: a small one in one transaction, a large one slice by slice.
//!
//! On SQLite there is one writer, and an object that somebody puts is answered when its event is written down. So no
//! transaction of a crawl is larger than a slice (`crawl.slice`). A plan of several is first written down whole, which
//! changes nothing in the catalog. Then each slice is one transaction under the lease: what it changes, the steps that undo
//! it, and that it is done. Whoever takes up the crawl after a worker that died goes on with the slice that is next; the
//! targets aren't looked at again. The last slice ends the crawl. Until then it isn't what it will be, and can't be undone;
//! where it ends otherwise, by a person or by what another has changed, it says what it wrote, and that can be undone.

use chrono::{DateTime, Utc};

use super::applier::Applier;
use super::cut::cut;
use super::end::end;
use crate::app::App;
use crate::crawl::look::remember::{self, Seen};
use crate::crawl::look::session::not_stopped;
use crate::error::{Error, ErrorKind};
use crate::model::crawl::{Crawl, CrawlProgress, Plan, WorkState};
use crate::model::crawl_steps::Step;
use crate::queue::{Lease, Worked};
use crate::store;

/// What a crawl found, and what it would change.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) steps: Vec<Step>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) progress: CrawlProgress,
}

/// Makes the plan true and ends the crawl; of a dry run, only the latter.
///
/// # Errors
/// Lost and Stopped; Conflict where a table changed since the plan was made and nothing was written yet.
pub(crate) async fn apply(app: &App, lease: &Lease, crawl: &Crawl, planned: Planned) -> Worked {
    let mut steps = Vec::new();
    if !crawl.request.dry_run {
        steps = planned.steps;
        if let Some(crawler) = &crawl.request.crawler {
            steps.extend(remember::steps(app, crawler, planned.seen).await?);
        }
    }
    let most = usize::try_from(app.config.crawl_slice).unwrap_or(usize::MAX);
    let slices = cut(steps, most);
    let (plan, progress, at) = (planned.plan, planned.progress, app.clock.now());
    if let [all] = slices.as_slice() {
        let mut tx = begin(app, lease, crawl).await?;
        let mut applier = Applier::of(app, crawl, &mut tx, at, progress);
        applier.steps(all).await?;
        let progress = applier.progress;
        store::crawls::set_progress(&mut tx, &crawl.id, &progress).await?;
        return succeed(tx, lease, crawl, Some(&plan), at).await;
    }
    write_down(app, lease, crawl, &slices).await?;
    drop(slices);
    let mut tx = begin(app, lease, crawl).await?;
    store::crawls::set_progress(&mut tx, &crawl.id, &progress).await?;
    store::crawls::set_applied(&mut tx, &crawl.id, Some(&plan), Some(at)).await?;
    tx.commit().await?;
    go_on(app, lease, crawl, at, progress).await
}

/// Applies the slices that are left, all at the time `at`, and ends the crawl.
///
/// # Errors
/// As [`apply`]. What makes it impossible to go on ends the crawl, and is no error of this.
pub(crate) async fn go_on(
    app: &App,
    lease: &Lease,
    crawl: &Crawl,
    at: DateTime<Utc>,
    mut progress: CrawlProgress,
) -> Worked {
    loop {
        let mut tx = begin(app, lease, crawl).await?;
        let next = store::crawl_slices::next::<Vec<Step>>(&mut tx, &crawl.id).await?;
        let Some((seq, steps)) = next else {
            drop(tx);
            let error = Error::invalid(format!("crawl {} can't go on: it had ended", crawl.id))
                .hint("start another one: it plans what is left");
            return end(app, lease, &crawl.id, WorkState::Failed, Some(&error)).await;
        };
        let has_written = progress.has_written();
        let mut applier = Applier::of_slice(app, crawl, &mut tx, at, progress, seq);
        if let Err(error) = applier.steps(&steps).await {
            let is_overtaken = applier.is_overtaken;
            drop(tx);
            if !is_overtaken {
                return Err(error.into());
            }
            return overtaken(app, lease, crawl, has_written, error).await;
        }
        progress = applier.progress;
        store::crawls::set_progress(&mut tx, &crawl.id, &progress).await?;
        if store::crawl_slices::done(&mut tx, &crawl.id, seq).await? {
            return succeed(tx, lease, crawl, None, app.clock.now()).await;
        }
        tx.commit().await?;
    }
}

/// A transaction that writes, of a worker that holds the crawl, which nobody asked to stop.
async fn begin(app: &App, lease: &Lease, crawl: &Crawl) -> Worked<store::Write> {
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    not_stopped(&mut tx, &crawl.id).await?;
    Ok(tx)
}

/// Writes slices down, each in a transaction, in the place of those of a plan that came to nothing.
async fn write_down(app: &App, lease: &Lease, crawl: &Crawl, slices: &[Vec<Step>]) -> Worked {
    for (seq, slice) in (0..).zip(slices) {
        let mut tx = begin(app, lease, crawl).await?;
        if seq == 0 {
            store::crawl_slices::forget(&mut tx, &crawl.id).await?;
        }
        store::crawl_slices::put(&mut tx, &crawl.id, seq, slice).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn succeed(
    mut tx: store::Write,
    lease: &Lease,
    crawl: &Crawl,
    plan: Option<&Plan>,
    now: DateTime<Utc>,
) -> Worked {
    store::crawls::finish(&mut tx, &crawl.id, WorkState::Succeeded, plan, None, now).await?;
    lease.finish(&mut tx).await?;
    Ok(tx.commit().await?)
}

/// What becomes of a crawl that met what somebody else has changed since its plan was made: where nothing is written yet,
/// it is planned anew; else it ends, and says by name what is in its way.
async fn overtaken(app: &App, lease: &Lease, crawl: &Crawl, has_written: bool, error: Error) -> Worked {
    if has_written {
        let error = Error::new(ErrorKind::Conflict, error.message)
            .hint("what the crawl wrote until then stays: crawl again for the rest, or undo it");
        return end(app, lease, &crawl.id, WorkState::Failed, Some(&error)).await;
    }
    let mut tx = begin(app, lease, crawl).await?;
    store::crawl_slices::forget(&mut tx, &crawl.id).await?;
    store::crawls::set_applied(&mut tx, &crawl.id, None, None).await?;
    tx.commit().await?;
    Err(error.into())
}
