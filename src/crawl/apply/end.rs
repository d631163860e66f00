//! How a crawl ends that doesn't succeed: stopped, or with what went wrong.

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::crawl::WorkState;
use crate::queue::{Lease, Worked};
use crate::store;

/// Ends a crawl. What was written of its plan stays, and what is left of it is forgotten.
///
/// # Errors
/// Lost; the database's own.
pub(crate) async fn end(
    app: &App,
    lease: &Lease,
    id: &str,
    state: WorkState,
    error: Option<&Error>,
) -> Worked {
    let mut tx = app.store.note().await?;
    let now = app.clock.now();
    lease.hold(&mut tx, now).await?;
    store::crawl_slices::forget(&mut tx, id).await?;
    let words = error.map(in_words);
    store::crawls::finish(&mut tx, id, state, None, words.as_deref(), now).await?;
    match error {
        // What failed for good stands in the list of tasks until somebody settles it.
        Some(error) => lease.fail(&mut tx, now, error).await?,
        None => lease.finish(&mut tx).await?,
    }
    Ok(tx.commit().await?)
}

/// Says of a crawl that its worker won't try it again. Somebody else may: it goes on where it was then.
///
/// # Errors
/// Only the database's own.
pub async fn give_up(app: &App, tx: &mut store::Note, id: &str, error: &Error) -> Result<()> {
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
