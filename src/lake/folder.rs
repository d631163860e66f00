//! The lake's folder: where things are in it, temporary files, and who holds what.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use s3s::S3Result;

use super::disk::{disk_failure, leads_through_link, no_room_for_key, sync_folder};
use super::folder_cache::FolderCache;
use super::keys::names_of;
use super::place::Kind;
use super::shelf::{INTERNAL, Shelf, Spot};
use super::writers::Writers;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};

/// How often and how long to wait for a predecessor in this process that is still ending.
const LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The lake's folder, held by this process alone.
pub(super) struct Folder {
    root: PathBuf,
    /// What is in it, to be read.
    pub(super) shelf: Shelf,
    /// Held while a name appears or goes, so that a condition and the change it guards are one step.
    names: Mutex<()>,
    last_stamp: Mutex<SystemTime>,
    temporaries: AtomicU64,
    /// The numbers of the temporary files that somebody has.
    reserved: Arc<Mutex<HashSet<u64>>>,
    pub(super) writers: Writers,
    pub(super) clock: Arc<dyn Clock>,
    uploads_in_use: Mutex<HashSet<String>>,
    upload_freed: Condvar,
    pub(super) cache: FolderCache,
    _held: File,
}

impl Folder {
    pub(super) fn open(root: PathBuf) -> Result<Self> {
        let unusable = |error: io::Error| {
            Error::unavailable(format!("can't use `{}` as a lake: {error}", root.display()))
                .hint("give a folder that this user may write")
                .source(error)
        };
        for part in ["tmp", "meta", "uploads"] {
            fs::create_dir_all(root.join(INTERNAL).join(part)).map_err(unusable)?;
        }
        let root = root.canonicalize().map_err(unusable)?;
        let internal = root.join(INTERNAL);
        let held = hold(&internal.join("lock"), &root)?;
        // Whatever was half-written when the last process ended.
        let temporary = internal.join("tmp");
        fs::remove_dir_all(&temporary).map_err(unusable)?;
        fs::create_dir(&temporary).map_err(unusable)?;
        sync_folder(&internal).map_err(unusable)?;
        Ok(Self {
            shelf: Shelf::open(&root).map_err(unusable)?,
            root,
            names: Mutex::default(),
            last_stamp: Mutex::new(SystemTime::UNIX_EPOCH),
            temporaries: AtomicU64::new(0),
            reserved: Arc::default(),
            writers: Writers::default(),
            clock: Arc::new(SystemClock),
            uploads_in_use: Mutex::default(),
            upload_freed: Condvar::new(),
            cache: FolderCache::default(),
            _held: held,
        })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a bucket's folder; false where there is one already.
    pub(super) fn make_bucket(&self, bucket: &str) -> io::Result<bool> {
        match fs::create_dir(self.root.join(bucket)) {
            Ok(()) => sync_folder(&self.root).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Checks that an object can have this key: no part of it before a `/` is an object, and it isn't such a part of
    /// another's.
    pub(super) fn check_room(&self, bucket: &str, key: &str) -> S3Result<()> {
        let bucket = self.shelf.bucket(bucket)?;
        let (mut names, name) = names_of(key)?;
        let folder = match bucket.below(&names) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folder => folder.map_err(no_room_for_key)?,
        };
        match folder.kind(&name).map_err(disk_failure)? {
            Some(Kind::Link) => Err(leads_through_link()),
            Some(Kind::Folder) => {
                names.push(name);
                match bucket.empty_folders(&names).map_err(disk_failure)? {
                    Some(_) => Ok(()),
                    None => Err(no_room_for_key(io::ErrorKind::IsADirectory.into())),
                }
            }
            _ => Ok(()),
        }
    }

    /// Where uploads in progress are.
    pub(super) fn uploads(&self) -> PathBuf {
        self.shelf.internal().join("uploads")
    }

    pub(super) fn temporaries_folder(&self) -> PathBuf {
        self.shelf.internal().join("tmp")
    }

    /// A name in the temporary folder that nothing has.
    pub(super) fn reserve(&self) -> Reserved {
        let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
        let mut numbers = self
            .reserved
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        numbers.insert(number);
        Reserved {
            path: self.temporaries_folder().join(number.to_string()),
            number,
            numbers: Arc::clone(&self.reserved),
        }
    }

    /// Whether somebody has this name in the temporary folder.
    pub(super) fn is_in_use(&self, name: &str) -> bool {
        let numbers = self
            .reserved
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        name.parse().is_ok_and(|number: u64| numbers.contains(&number))
    }

    /// A new temporary file, which goes away unless it is moved.
    pub(super) fn temporary(&self) -> io::Result<Temporary> {
        let reserved = self.reserve();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&reserved.path)?;
        Ok(Temporary {
            moved: false,
            reserved,
            file,
        })
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now().into()
    }

    /// A time that no other write of this process has: together with the size it tells two versions of a file apart.
    pub(super) fn stamp(&self) -> SystemTime {
        let mut last = self
            .last_stamp
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        // In steps of a microsecond, because some file systems keep no more.
        *last = self.now().max(*last + Duration::from_micros(1));
        *last
    }

    /// While this is held, no name appears or goes.
    pub(super) fn hold_names(&self) -> MutexGuard<'_, ()> {
        self.names.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until nobody else ends this upload, and keeps others from it.
    pub(super) fn hold_upload(&self, upload: &str) -> HeldUpload<'_> {
        let in_use = self
            .uploads_in_use
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut in_use = self
            .upload_freed
            .wait_while(in_use, |in_use| in_use.contains(upload))
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        in_use.insert(upload.to_owned());
        HeldUpload {
            folder: self,
            upload: upload.to_owned(),
        }
    }
}

/// One upload that nobody else may end meanwhile.
pub(super) struct HeldUpload<'a> {
    folder: &'a Folder,
    upload: String,
}

impl Drop for HeldUpload<'_> {
    fn drop(&mut self) {
        let mut in_use = self
            .folder
            .uploads_in_use
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        in_use.remove(&self.upload);
        drop(in_use);
        self.folder.upload_freed.notify_all();
    }
}

/// A name in the temporary folder. What has it is left alone until this goes.
pub(super) struct Reserved {
    pub(super) path: PathBuf,
    number: u64,
    numbers: Arc<Mutex<HashSet<u64>>>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut numbers = self
            .numbers
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        numbers.remove(&self.number);
    }
}

/// A file that nobody sees yet.
pub(super) struct Temporary {
    moved: bool,
    reserved: Reserved,
    pub(super) file: File,
}

impl Temporary {
    /// Gives the file its name, in one step.
    pub(super) fn move_to(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.reserved.path, target)?;
        self.moved = true;
        Ok(())
    }

    /// Gives the file its place, in one step.
    pub(super) fn move_into(mut self, spot: &Spot) -> io::Result<()> {
        spot.folder.take(&self.reserved.path, &spot.name)?;
        self.moved = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.moved {
            // What can't be removed now is swept later.
            let _ = fs::remove_file(&self.reserved.path);
        }
    }
}

fn hold(lock: &Path, root: &Path) -> Result<File> {
    let failed = |error: io::Error| {
        Error::unavailable(format!("can't lock `{}`: {error}", lock.display())).source(error)
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lock)
        .map_err(failed)?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(
        Error::conflict(format!("another process serves the lake in `{}`", root.display()))
            .hint("stop it, or give another folder"),
    )
}
