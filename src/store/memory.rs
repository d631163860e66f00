//! What answers were made of, for as long as the catalog isn't changed.
//!
//! On SQLite every write passes through this process, so what was read of the catalog stays true until the next commit that
//! changes it. On PostgreSQL other
//! processes write too, and nothing is remembered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much is remembered, in bytes of text.
const MAX_BYTES: usize = 64 << 20;
/// Longer texts are not remembered: few of them would push out all others.
const MAX_TEXT: usize = 1 << 20;

/// A state of the database, told from later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(u64);

/// Texts by what they answer.
#[derive(Default)]
pub(super) struct Memory {
    commits: AtomicU64,
    /// How many transactions that write are under way.
    writing: AtomicUsize,
    texts: Mutex<Texts>,
}

#[derive(Default)]
struct Texts {
    /// The moment that all of them are of.
    commits: u64,
    bytes: usize,
    by_key: HashMap<String, Arc<str>>,
}

/// A transaction that writes, for as long as it is under way.
pub(super) struct Writing(Arc<Memory>);

impl Writing {
    pub(super) fn begun(memory: &Arc<Memory>) -> Self {
        memory.writing.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(memory))
    }

    /// What is remembered beside it.
    pub(super) fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.0)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Memory {
    /// Whether a transaction that writes is under way.
    pub(super) fn is_being_written(&self) -> bool {
        self.writing.load(Ordering::SeqCst) > 0
    }

    /// The catalog was changed: nothing that was read of it before is known to be true.
    pub(super) fn forget(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    /// The moment that what is read from now on is of.
    pub(super) fn moment(&self) -> Moment {
        Moment(self.commits.load(Ordering::SeqCst))
    }

    /// What is remembered of `key`.
    pub(super) fn recall(&self, key: &str) -> Option<Arc<str>> {
        let texts = self.texts();
        let is_true = texts.commits == self.commits.load(Ordering::SeqCst);
        texts.by_key.get(key).filter(|_| is_true).cloned()
    }

    /// Remembers what was read after `moment`, unless something was written since.
    pub(super) fn remember(&self, moment: Moment, key: String, text: Arc<str>) {
        if text.len() > MAX_TEXT {
            return;
        }
        let mut texts = self.texts();
        if self.commits.load(Ordering::SeqCst) != moment.0 {
            return;
        }
        if texts.commits != moment.0 || texts.bytes + text.len() > MAX_BYTES {
            *texts = Texts {
                commits: moment.0,
                ..Texts::default()
            };
        }
        texts.bytes += text.len() + key.len();
        if let Some(former) = texts.by_key.insert(key, text) {
            texts.bytes -= former.len();
        }
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // No step leaves the texts half changed.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_of_this_moment() {
        let memory = Memory::default();
        let moment = memory.moment();
        memory.remember(moment, "a".into(), "1".into());
        assert_eq!(&*memory.recall("a").unwrap(), "1");
        memory.forget();
        assert_eq!(memory.recall("a"), None);
        let later = memory.moment();
        memory.remember(moment, "a".into(), "1".into());
        assert_eq!(memory.recall("a"), None, "it was read before the write");
        memory.remember(later, "a".into(), "2".into());
        assert_eq!(&*memory.recall("a").unwrap(), "2");
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let memory = Memory::default();
        let text: Arc<str> = "x".repeat(MAX_TEXT).into();
        for number in 0..200 {
            memory.remember(memory.moment(), number.to_string(), text.clone());
        }
        assert!(memory.texts().bytes <= MAX_BYTES + 1000);
        assert!(memory.recall("199").is_some());
        memory.remember(memory.moment(), "long".into(), "x".repeat(MAX_TEXT + 1).into());
        assert_eq!(memory.recall("long"), None);
    }
}
