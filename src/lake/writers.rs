//! Which uploads get bytes at present.

use std::collections::HashMap;
use std::sync::Mutex;

/// How many writers each upload has.
#[derive(Default)]
pub(super) struct Writers(Mutex<HashMap<String, usize>>);

impl Writers {
    pub(super) fn change(&self, upload: &str, change: impl Fn(usize) -> usize) {
        let mut counts = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let count = change(counts.get(upload).copied().unwrap_or_default());
        match count {
            0 => counts.remove(upload),
            count => counts.insert(upload.to_owned(), count),
        };
    }

    /// Whether anybody writes to an upload.
    pub(super) fn are_at(&self, upload: &str) -> bool {
        let counts = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        counts.contains_key(upload)
    }
}
