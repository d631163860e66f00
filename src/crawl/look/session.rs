//! A crawl that is under way: what each step of looking needs, and how it says how far it is.

use super::classifiers::Judges;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlProgress};
use crate::queue::Lease;
use crate::store;

/// A crawl that is under way.
pub(crate) struct Session<'a> {
    pub(crate) app: &'a App,
    pub(crate) lease: &'a Lease,
    pub(crate) crawl: &'a Crawl,
    /// Who judges files.
    pub(crate) judges: Judges,
    pub(crate) progress: CrawlProgress,
}

impl Session<'_> {
    /// Says how far the crawl is.
    pub(crate) async fn report(&self) -> Result<()> {
        let mut tx = self.app.store.note().await?;
        self.report_in(&mut tx).await?;
        tx.commit().await
    }

    pub(crate) async fn report_in(&self, tx: &mut store::Note) -> Result<()> {
        self.lease.hold(tx, self.app.clock.now()).await?;
        not_stopped(tx, &self.crawl.id).await?;
        store::crawls::set_progress(tx, &self.crawl.id, &self.progress).await
    }
}

/// Makes sure, inside a transaction that writes, that nobody asked for the crawl to be stopped.
///
/// # Errors
/// Conflict.
pub(crate) async fn not_stopped(tx: &mut store::Look, id: &str) -> Result<()> {
    if store::crawls::stop_requested(tx, id).await? {
        return Err(Error::conflict(format!("crawl {id} was stopped")));
    }
    Ok(())
}
