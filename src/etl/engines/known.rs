//! What programs on this machine say of themselves, which each is asked once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;

/// What is known of programs, by how they are called.
pub(super) struct Known<T>(Mutex<Option<HashMap<PathBuf, T>>>);

impl<T: Clone> Known<T> {
    /// Nothing so far.
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What a program says; it is asked where that isn't known.
    ///
    /// # Errors
    /// Those of asking: then it is asked again the next time.
    pub(super) async fn of(&self, program: &Path, ask: impl Future<Output = Result<T>>) -> Result<T> {
        let known = self.all().as_ref().and_then(|all| all.get(program).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let said = ask.await?;
        let mut all = self.all();
        all.get_or_insert_default()
            .insert(program.to_owned(), said.clone());
        Ok(said)
    }

    fn all(&self) -> MutexGuard<'_, Option<HashMap<PathBuf, T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
