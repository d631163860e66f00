//! A crawl that is under way: what each step of looking needs, and how it says how far it is.

use super::classifiers::Judges;
use crate::app::App;
use crate::model::crawl::{Crawl, CrawlProgress};
use crate::queue::{Halt, Lease, Worked};
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
    pub(crate) async fn report(&self) -> Worked {
        let mut tx = self.app.store.note().await?;
        self.report_in(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn report_in(&self, tx: &mut store::Note) -> Worked {
        self.lease.hold(tx, self.app.clock.now()).await?;
        not_stopped(tx, &self.crawl.id).await?;
        Ok(store::crawls::set_progress(tx, &self.crawl.id, &self.progress).await?)
    }
}

/// Makes sure, inside a transaction that writes, that nobody asked for the crawl to be stopped.
///
/// # Errors
/// Stopped.
pub(crate) async fn not_stopped(tx: &mut store::Look, id: &str) -> Worked {
    if store::crawls::stop_requested(tx, id).await? {
        return Err(Halt::Stopped);
    }
    Ok(())
}
