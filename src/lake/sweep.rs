//! Uploads that nobody finishes and files that nobody misses: given up and removed, at start and from time to time.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::folder::Folder;
use super::multipart::last_written;
use crate::error::{Error, Result};

/// How often is looked for what is left over.
const PERIOD: Duration = Duration::from_secs(60 * 60);

/// Gives up what nobody finishes.
#[derive(Clone)]
pub struct Sweeper {
    pub(super) folder: Arc<Folder>,
    pub(super) expiry: Duration,
}

impl std::fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweeper")
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}

impl Sweeper {
    /// Gives up each upload that was begun, and last written to, longer ago than the expiry. Gives how many that were.
    ///
    /// # Errors
    /// `Unavailable` when the folder can't be read.
    pub async fn sweep(&self) -> Result<usize> {
        let Self { folder, expiry } = self.clone();
        let swept = tokio::task::spawn_blocking(move || {
            folder.sweep_temporaries()?;
            folder.sweep_uploads(expiry)
        });
        let swept: io::Result<usize> = swept.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        swept.map_err(|error| {
            Error::unavailable(format!("unfinished uploads can't be looked through: {error}")).source(error)
        })
    }

    /// Sweeps now and then, for ever.
    pub(super) async fn run(self) {
        let period = PERIOD.min(self.expiry);
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(uploads) => tracing::info!(uploads, "gave up uploads that nobody finished"),
                Err(error) => tracing::warn!("{}", error.message),
            }
            tokio::time::sleep(period).await;
        }
    }
}

/// While this is there, its upload isn't given up.
pub(super) struct Writing {
    folder: Arc<Folder>,
    upload: String,
}

impl Writing {
    pub(super) fn to(folder: &Arc<Folder>, upload: &str) -> Self {
        folder.writers.change(upload, |count| count + 1);
        Self {
            folder: Arc::clone(folder),
            upload: upload.to_owned(),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.folder
            .writers
            .change(&self.upload, |count| count.saturating_sub(1));
    }
}

impl Folder {
    fn sweep_uploads(&self, expiry: Duration) -> io::Result<usize> {
        let mut swept = 0;
        for entry in fs::read_dir(self.uploads())? {
            let entry = entry?;
            let Ok(id) = entry.file_name().into_string() else {
                continue;
            };
            if !self.is_expired(&id, &entry.path(), expiry)? {
                continue;
            }
            let _held = self.hold_upload(&id);
            // It may have been completed or written to meanwhile.
            if self.is_expired(&id, &entry.path(), expiry)? {
                self.discard_upload(&entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn is_expired(&self, id: &str, path: &Path, expiry: Duration) -> io::Result<bool> {
        let now: SystemTime = self.now();
        let last = match last_written(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            last => last?,
        };
        let is_old = now.duration_since(last).is_ok_and(|age| age >= expiry);
        Ok(is_old && !self.writers.are_at(id))
    }

    /// What is in the temporary folder and in nobody's hands.
    fn sweep_temporaries(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.temporaries_folder())? {
            let entry = entry?;
            let is_in_use = entry
                .file_name()
                .to_str()
                .is_some_and(|name| self.is_in_use(name));
            if is_in_use {
                continue;
            }
            let removed = match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
