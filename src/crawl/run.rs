//! A worker's part of a crawl: the plan is made and applied, and the crawl ends one way or another.

use super::apply::slices;
use super::planning;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::WorkState;
use crate::queue::Lease;
use crate::store::{self, Tx};

/// Does a crawl.
///
/// # Errors
/// What may pass when tried again. Conflict where the lease was lost, or somebody changed a planned table meanwhile.
pub async fn run(app: &App, lease: &Lease, id: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    let crawl = store::crawls::find(&mut tx, id).await?;
    let Some(crawl) = crawl.filter(|crawl| !crawl.state.is_final()) else {
        lease.finish(&mut tx).await?;
        return tx.commit().await;
    };
    store::crawls::start(&mut tx, id, app.clock.now()).await?;
    tx.commit().await?;

    let planned = if lease.is_exhausted() {
        Err(lease.exhaustion())
    } else {
        planning::make_plan(app, lease, &crawl).await
    };
    let done = match planned {
        Ok(found) => slices::apply(app, lease, &crawl, found).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(()),
        Err(_) if is_stopped(app, id).await? => end(app, lease, id, WorkState::Cancelled, None).await,
        // Other people's databases are asked three times: nobody says that one will be back.
        Err(error)
            if is_away(&error)
                && crawl
                    .request
                    .targets
                    .iter()
                    .any(|target| target.connection.is_some()) =>
        {
            let counted = Error::internal(format!("{}{}", error.message, error.causes()));
            Err(match error.hint {
                Some(hint) => counted.hint(hint),
                None => counted,
            })
        }
        Err(error) if is_passing(&error) => Err(error),
        Err(error) => end(app, lease, id, WorkState::Failed, Some(&error)).await,
    }
}

/// Says of a crawl that its worker won't try it again.
///
/// # Errors
/// Only the database's own.
pub async fn give_up(app: &App, tx: &mut Tx, id: &str, error: &Error) -> Result<()> {
    let state = WorkState::Failed;
    store::crawls::finish(tx, id, state, None, Some(&in_words(error)), app.clock.now()).await
}

fn in_words(error: &Error) -> String {
    let hint = error
        .hint
        .as_ref()
        .map_or(String::new(), |hint| format!(" (hint: {hint})"));
    format!("{}{}{hint}", error.message, error.causes())
}

async fn is_stopped(app: &App, id: &str) -> Result<bool> {
    let mut tx = app.store.read().await?;
    store::crawls::stop_requested(&mut tx, id).await
}

/// Ends a crawl that changed nothing.
async fn end(app: &App, lease: &Lease, id: &str, state: WorkState, error: Option<&Error>) -> Result<()> {
    let mut tx = app.store.write().await?;
    let now = app.clock.now();
    lease.hold(&mut tx, now).await?;
    let words = error.map(in_words);
    store::crawls::finish(&mut tx, id, state, None, words.as_deref(), now).await?;
    match error {
        // What failed for good stands in the list of tasks until somebody settles it.
        Some(error) => lease.fail(&mut tx, now, error).await?,
        None => lease.finish(&mut tx).await?,
    }
    tx.commit().await
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
