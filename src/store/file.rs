//! The file of a SQLite database: that one process uses it, and that it is still the one that was opened.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

/// The file that was opened.
pub(super) struct File {
    path: PathBuf,
    identity: (u64, u64),
    /// Held as long as the store lives: no two servers on one file.
    _lock: std::fs::File,
}

impl File {
    /// The file at `path`, which has just been opened under `lock`.
    ///
    /// # Errors
    /// Unavailable where it isn't there.
    pub(super) fn opened(path: &Path, lock: std::fs::File) -> Result<Self> {
        let identity = identity(path)
            .map_err(|cause| Error::unavailable(format!("can't look at {}: {cause}", path.display())))?;
        Ok(Self {
            path: path.to_owned(),
            identity,
            _lock: lock,
        })
    }

    /// Makes sure that the path still leads to the file that is open: what is written to another one's place is lost.
    ///
    /// # Errors
    /// Unavailable where it doesn't.
    pub(super) fn check(&self) -> Result<()> {
        let what = match identity(&self.path) {
            Ok(now) if now == self.identity => return Ok(()),
            Ok(_) => "was replaced by another",
            Err(_) => "was removed",
        };
        Err(
            Error::unavailable(format!("the database's file {} {what}", self.path.display())).hint(
                "stop the server, put the file back, and start it again; nothing is written until then",
            ),
        )
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// How often and how long to wait for whoever has the lock: a process that this one is just starting has a copy of every
/// open file until it becomes its program, also of a lock that was given back meanwhile.
const LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Takes the lock that keeps a second server from the same file.
pub(super) fn lock_file(database: &Path) -> Result<std::fs::File> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|cause| Error::unavailable(format!("can't write {}: {cause}", path.display())))?;
    let mut outcome = file.try_lock();
    for _ in 0..LOCK_ATTEMPTS {
        if !matches!(outcome, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        outcome = file.try_lock();
    }
    match outcome {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::conflict(format!(
            "another mastic is using the database {}",
            database.display()
        ))
        .hint("stop it, or choose another with --database; only PostgreSQL can be shared")),
        Err(std::fs::TryLockError::Error(cause)) => Err(Error::unavailable(format!(
            "can't lock {}: {cause}",
            path.display()
        ))),
    }
}
