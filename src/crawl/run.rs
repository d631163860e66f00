//! A worker's part of a crawl: the plan is made and applied, and the crawl ends one way or another.

use super::apply::end::end;
use super::apply::slices;
use super::planning;
use crate::app::App;
use crate::error::{Error, ErrorKind};
use crate::model::crawl::{Crawl, WorkState};
use crate::queue::{Halt, Lease, Worked};
use crate::store;

/// Does a crawl.
///
/// # Errors
/// Lost; what may pass when tried again, as Conflict where somebody changed a planned table meanwhile.
pub async fn run(app: &App, lease: &Lease, id: &str) -> Worked {
    let mut tx = app.store.note().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    let crawl = store::crawls::find(&mut tx, id).await?;
    let Some(crawl) = crawl.filter(|crawl| !crawl.state.is_final()) else {
        lease.finish(&mut tx).await?;
        return Ok(tx.commit().await?);
    };
    store::crawls::start(&mut tx, id, app.clock.now()).await?;
    if crawl.started_at.is_some() && crawl.applied_at.is_none() {
        // An earlier attempt may have written a part of its plan down.
        store::crawl_slices::forget(&mut tx, id).await?;
    }
    tx.commit().await?;

    match plan_and_apply(app, lease, &crawl).await {
        Err(Halt::Stopped) => end(app, lease, id, WorkState::Cancelled, None).await,
        // Other people's databases are asked three times: nobody says that one will be back.
        Err(Halt::Failed(error)) if is_away(&error) && asks_others(&crawl) => {
            let counted = Error::internal(format!("{}{}", error.message, error.causes()));
            Err(Halt::Failed(match error.hint {
                Some(hint) => counted.hint(hint),
                None => counted,
            }))
        }
        Err(Halt::Failed(error)) if !is_passing(&error) => {
            end(app, lease, id, WorkState::Failed, Some(&error)).await
        }
        ended => ended,
    }
}

/// Does what is left of a crawl, all of it or the slices that its last worker didn't come to.
async fn plan_and_apply(app: &App, lease: &Lease, crawl: &Crawl) -> Worked {
    if lease.is_exhausted() {
        return Err(lease.exhaustion().into());
    }
    if let Some(at) = crawl.applied_at {
        return slices::go_on(app, lease, crawl, at, crawl.progress.clone()).await;
    }
    let planned = planning::make_plan(app, lease, crawl).await?;
    slices::apply(app, lease, crawl, planned).await
}

fn asks_others(crawl: &Crawl) -> bool {
    let mut targets = crawl.request.targets.iter();
    targets.any(|target| target.connection.is_some())
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
