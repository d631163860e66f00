//! When the catalog was changed last, by the commits that pass through this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The commits of this process.
#[derive(Default)]
pub(super) struct Changes {
    /// How many changed the catalog.
    commits: AtomicU64,
    /// How many transactions that write are under way.
    writing: AtomicUsize,
}

/// A transaction that writes, for as long as it is under way.
pub(super) struct Writing(Arc<Changes>);

impl Writing {
    pub(super) fn begun(changes: &Arc<Changes>) -> Self {
        changes.writing.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(changes))
    }

    /// Where its commit is counted.
    pub(super) fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.0)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Changes {
    /// Whether a transaction that writes is under way.
    pub(super) fn is_being_written(&self) -> bool {
        self.writing.load(Ordering::SeqCst) > 0
    }

    /// Counts a commit that changed the catalog.
    pub(super) fn count(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    /// How many commits changed the catalog.
    pub(super) fn counted(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }
}
