//! Folders for what a child can't keep in memory. Each child has one of its own, below one of its server's; both are gone
//! when their owner is.
//!
//! Beside a server's folder (`mastic-PID-N`) is a file (`mastic-PID-N.lock`) that the server holds a lock on for as long as
//! it lives. So a folder whose lock can be had belonged to a server that died, and several servers may share the place.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind as IoKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::processes;
use crate::error::{Error, Result};

const PREFIX: &str = "mastic-";
const LOCK: &str = ".lock";
/// How many names are tried for a server's folder.
const NAMES: u32 = 10_000;
/// How often a folder is tried to be removed: somebody who is dying may put a file into it meanwhile.
const REMOVALS: u32 = 3;

/// Where a child may put what it can't keep in memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Spill {
    /// A folder that is its own.
    pub(super) folder: PathBuf,
    /// How much it may put there, in bytes.
    pub(super) bytes: u64,
}

/// The place for the folders of this server's children.
#[derive(Debug)]
pub(super) struct Spills {
    place: PathBuf,
    bytes: u64,
    own: Mutex<Option<Arc<ServerFolder>>>,
}

impl Spills {
    pub(super) fn new(place: PathBuf, bytes: u64) -> Self {
        Self {
            place,
            bytes,
            own: Mutex::new(None),
        }
    }

    /// Makes a folder for a child.
    ///
    /// # Errors
    /// Unavailable where it can't be made.
    pub(super) fn folder(&self) -> Result<ChildFolder> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = own.as_ref()
            && let Ok(folder) = server.child(self.bytes)
        {
            return Ok(folder);
        }
        // The first, or somebody tidied the place.
        let made = ServerFolder::make(&self.place).map(Arc::new).and_then(|server| {
            let folder = server.child(self.bytes)?;
            *own = Some(server);
            Ok(folder)
        });
        made.map_err(|cause| {
            Error::unavailable(format!(
                "no folder for spilled data can be made in {}: {cause}",
                self.place.display()
            ))
            .hint("tasks.spill_dir says where it is")
        })
    }

    /// Removes what servers left here that died. Answers with how many they were.
    pub(super) fn remove_leftovers(&self) -> usize {
        let Ok(entries) = std::fs::read_dir(&self.place) else {
            return 0;
        };
        entries
            .flatten()
            .filter(|entry| is_lock(&entry.file_name().to_string_lossy()))
            .filter(|entry| remove_if_dead(&entry.path()))
            .count()
    }
}

/// `mastic-PID-N.lock`; nothing else in the place is ours.
fn is_lock(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix(PREFIX)
        .and_then(|name| name.strip_suffix(LOCK))
        .and_then(|numbers| numbers.split_once('-'))
        .is_some_and(|(pid, number)| is_number(pid) && is_number(number))
}

fn remove_if_dead(lock: &Path) -> bool {
    let Ok(held) = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(lock)
    else {
        return false;
    };
    if held.try_lock().is_err() || !is_at(&held, lock) {
        return false;
    }
    let folder = lock.with_extension("");
    // Whoever watched them died with the server.
    processes::end_those_in(&folder);
    match remove(&folder).and_then(|()| std::fs::remove_file(lock)) {
        Ok(()) => true,
        Err(cause) => {
            tracing::warn!(folder = %folder.display(), "spilled data of a server that died stays: {cause}");
            false
        }
    }
}

/// Whether the path still names the open file: somebody may have removed it before it was locked.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)
}

fn remove(folder: &Path) -> std::io::Result<()> {
    let mut removed = Ok(());
    for _ in 0..REMOVALS {
        removed = std::fs::remove_dir_all(folder);
        match &removed {
            Ok(()) => break,
            Err(cause) if cause.kind() == IoKind::NotFound => return Ok(()),
            Err(_) => {}
        }
    }
    removed
}

/// The folder of a server that lives, with its lock. Dropping it removes both.
#[derive(Debug)]
struct ServerFolder {
    folder: PathBuf,
    lock: PathBuf,
    held: File,
    children: AtomicU64,
}

impl ServerFolder {
    fn make(place: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(place)?;
        for number in 0..NAMES {
            let folder = place.join(format!("{PREFIX}{}-{number}", std::process::id()));
            let mut lock = folder.clone().into_os_string();
            lock.push(LOCK);
            let lock = PathBuf::from(lock);
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&lock);
            let held = match made {
                Ok(file) => file,
                Err(cause) if cause.kind() == IoKind::AlreadyExists => continue,
                Err(cause) => return Err(cause),
            };
            // Somebody who tidies may have been faster: then this one is theirs to remove.
            if held.try_lock().is_err() || !is_at(&held, &lock) {
                continue;
            }
            match make_private(&folder) {
                Ok(()) => {
                    return Ok(Self {
                        folder,
                        lock,
                        held,
                        children: AtomicU64::new(0),
                    });
                }
                Err(cause) if cause.kind() == IoKind::AlreadyExists => std::fs::remove_file(&lock)?,
                Err(cause) => {
                    std::fs::remove_file(&lock)?;
                    return Err(cause);
                }
            }
        }
        Err(std::io::Error::other("every name is taken"))
    }

    fn child(self: &Arc<Self>, bytes: u64) -> std::io::Result<ChildFolder> {
        let number = self.children.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(number.to_string());
        make_private(&folder)?;
        Ok(ChildFolder {
            spill: Spill { folder, bytes },
            _server: Arc::clone(self),
        })
    }
}

impl Drop for ServerFolder {
    fn drop(&mut self) {
        // Where somebody tidied the place, the name may be another's by now. What stays is removed by whoever starts next.
        if is_at(&self.held, &self.lock) && remove(&self.folder).is_ok() {
            let _ = std::fs::remove_file(&self.lock);
        }
    }
}

/// A child's folder. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub(super) struct ChildFolder {
    pub(super) spill: Spill,
    _server: Arc<ServerFolder>,
}

impl Drop for ChildFolder {
    fn drop(&mut self) {
        if let Err(cause) = remove(&self.spill.folder) {
            tracing::warn!(folder = %self.spill.folder.display(), "spilled data stays for now: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(place)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn folders_go_with_their_owners_and_only_ours_are_touched() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (
            Spills::new(place.path().to_owned(), 1),
            Spills::new(place.path().to_owned(), 1),
        );
        let first = one.folder().unwrap();
        let second = other.folder().unwrap();
        std::fs::write(first.spill.folder.join("spilled"), "x").unwrap();
        // Left by somebody who died, or never ours.
        for name in ["mastic-1-7", "mastic-1-7/0", "mastic-notes", "mastic-2-7"] {
            std::fs::create_dir(place.path().join(name)).unwrap();
        }
        std::fs::write(place.path().join("mastic-1-7/0/spilled"), "x").unwrap();
        for name in [
            "mastic-1-7.lock",
            "mastic-notes.lock",
            "mastic-.lock",
            "mastic-3-7.lock",
        ] {
            std::fs::write(place.path().join(name), "").unwrap();
        }
        assert_eq!(Spills::new(place.path().to_owned(), 1).remove_leftovers(), 2);
        assert!(first.spill.folder.join("spilled").exists() && second.spill.folder.exists());
        drop((first, second));
        drop((one, other));
        let foreign = ["mastic-.lock", "mastic-2-7", "mastic-notes", "mastic-notes.lock"];
        assert_eq!(names(place.path()), foreign);
    }

    #[test]
    fn a_place_that_somebody_tidied_is_made_again() {
        let place = tempfile::tempdir().unwrap();
        let spills = Spills::new(place.path().join("a/b"), 1);
        let before = spills.folder().unwrap();
        std::fs::remove_dir_all(place.path().join("a")).unwrap();
        let after = [spills.folder().unwrap(), spills.folder().unwrap()];
        drop(before);
        assert!(after[0].spill.folder.is_dir() || after[1].spill.folder.is_dir());
        drop(after);
        drop(spills);
        assert_eq!(names(&place.path().join("a/b")), [""; 0]);
    }

    #[test]
    fn who_still_works_in_the_folder_of_a_server_that_died_is_ended() {
        let (place, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = place.path().join("mastic-1-7");
        std::fs::create_dir_all(folder.join("0/work")).unwrap();
        std::fs::write(place.path().join("mastic-1-7.lock"), "").unwrap();
        let sleep = |work: &Path, told: &Path| {
            let mut command = std::process::Command::new("sleep");
            command.arg("600").current_dir(work).env("OUTPUT", told);
            command.spawn().unwrap()
        };
        let mut left = [
            sleep(&folder.join("0/work"), elsewhere.path()),
            sleep(elsewhere.path(), &folder.join("0/output")),
        ];
        let mut other = sleep(elsewhere.path(), &place.path().join("mastic-1-77"));
        assert_eq!(Spills::new(place.path().to_owned(), 1).remove_leftovers(), 1);
        assert!(
            left.iter_mut()
                .all(|process| process.try_wait().unwrap().is_some())
        );
        assert!(other.try_wait().unwrap().is_none(), "it is somebody else's");
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_link_in_the_place_of_a_folder_is_not_followed() {
        let (place, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("precious"), "x").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), place.path().join("mastic-1-1")).unwrap();
        std::fs::write(place.path().join("mastic-1-1.lock"), "").unwrap();
        Spills::new(place.path().to_owned(), 1).remove_leftovers();
        assert!(elsewhere.path().join("precious").exists());
    }
}
