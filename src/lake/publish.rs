//! How an object appears and how it goes: each in one step, durably, and only if its conditions hold.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use s3s::{S3Error, S3Result, s3_error};

use super::conditions::WriteConditions;
use super::folder::{Folder, Temporary, disk_failure, make_folders, sync_folder};
use super::record::Record;

/// An object as it is on the disk.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) record: Record,
}

/// What was written.
pub(super) struct Published {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Folder {
    /// Opens an object to read it.
    pub(super) fn find(&self, bucket: &str, key: &str) -> S3Result<Found> {
        let path = self.object(bucket, key)?;
        let (file, metadata, record) = self
            .with_record(bucket, key, || open(&path))
            .map_err(disk_failure)?
            .ok_or_else(|| s3_error!(NoSuchKey, "there is no such object"))?;
        Ok(Found {
            file,
            size: metadata.len(),
            modified: metadata.modified().map_err(disk_failure)?,
            record,
        })
    }

    /// Gives the bytes in `temporary` the name `key`. When this returns, they are on the disk.
    pub(super) fn publish(
        &self,
        bucket: &str,
        key: &str,
        temporary: Temporary,
        record: &Record,
        conditions: &WriteConditions,
    ) -> S3Result<Published> {
        let target = self.object(bucket, key)?;
        // The conditions are checked again below; here they spare the disk the work.
        conditions.check(
            self.current(bucket, key, &target)?
                .map(|(_, record)| record.etag)
                .as_deref(),
        )?;
        temporary.file.set_modified(self.stamp()).map_err(disk_failure)?;
        temporary.file.sync_all().map_err(disk_failure)?;
        let metadata = temporary.file.metadata().map_err(disk_failure)?;
        let written = self
            .write_record(bucket, key, &metadata, record)
            .map_err(disk_failure)?;
        match self.appear(bucket, key, temporary, &target, conditions) {
            Ok(replaced) => {
                match sync_folder(target.parent().unwrap_or(&target)) {
                    // Somebody deleted the object meanwhile, and its folder with it.
                    Err(error) if is_absence(&error) => {}
                    done => done.map_err(disk_failure)?,
                }
                if let Some(replaced) = replaced.filter(|replaced| *replaced != written) {
                    remove_quietly(&replaced);
                }
                Ok(Published {
                    size: metadata.len(),
                    modified: metadata.modified().map_err(disk_failure)?,
                })
            }
            Err(error) => {
                remove_quietly(&written);
                Err(error)
            }
        }
    }

    /// The one step. Gives the record of the version that was replaced.
    fn appear(
        &self,
        bucket: &str,
        key: &str,
        temporary: Temporary,
        target: &Path,
        conditions: &WriteConditions,
    ) -> S3Result<Option<PathBuf>> {
        let _names = self.hold_names();
        // It may have been deleted while the bytes arrived.
        self.bucket(bucket)?;
        let current = self.current(bucket, key, target)?;
        conditions.check(current.as_ref().map(|(_, record)| record.etag.as_str()))?;
        if let Some(folder) = target.parent() {
            make_folders(folder).map_err(no_room_for_key)?;
        }
        if target.is_dir() {
            // An empty folder is a leftover, not an object.
            remove_empty_folders(target);
        }
        temporary.move_to(target).map_err(no_room_for_key)?;
        Ok(current.map(|(metadata, _)| self.record_path(bucket, key, &metadata)))
    }

    /// Removes objects; false for those that weren't there. When this returns, they are gone from the disk.
    pub(super) fn remove(
        &self,
        bucket: &str,
        doomed: &[(String, WriteConditions)],
    ) -> S3Result<Vec<S3Result<bool>>> {
        let root = self.bucket(bucket)?;
        let mut folders = BTreeSet::new();
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(doomed.len());
        for (key, conditions) in doomed {
            results.push(self.disappear(bucket, key, &root, conditions).map(|removed| {
                removed
                    .map(|(folder, record)| {
                        folders.insert(folder);
                        records.push(record);
                    })
                    .is_some()
            }));
        }
        for folder in &folders {
            match sync_folder(folder) {
                // A later deletion took the folder, too; then one above it is among these.
                Err(error) if is_absence(&error) => {}
                done => done.map_err(disk_failure)?,
            }
        }
        for record in records {
            remove_quietly(&record);
        }
        Ok(results)
    }

    /// The one step. Gives the folder that must be synced and the record that has no object any more.
    fn disappear(
        &self,
        bucket: &str,
        key: &str,
        root: &Path,
        conditions: &WriteConditions,
    ) -> S3Result<Option<(PathBuf, PathBuf)>> {
        let target = self.object(bucket, key)?;
        let _names = self.hold_names();
        let current = self.current(bucket, key, &target)?;
        conditions.check(current.as_ref().map(|(_, record)| record.etag.as_str()))?;
        let Some((metadata, _)) = current else {
            return Ok(None);
        };
        fs::remove_file(&target).map_err(disk_failure)?;
        Ok(Some((
            prune(&target, root),
            self.record_path(bucket, key, &metadata),
        )))
    }

    fn current(&self, bucket: &str, key: &str, target: &Path) -> S3Result<Option<(Metadata, Record)>> {
        let found = self.with_record(bucket, key, || Ok(look(target)?.map(|metadata| ((), metadata))));
        Ok(found
            .map_err(disk_failure)?
            .map(|((), metadata, record)| (metadata, record)))
    }
}

/// The object's file, if it is one. Links, pipes and folders aren't objects.
pub(super) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
        Ok(_) => Ok(None),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    if look(path)?.is_none() {
        return Ok(None);
    }
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            Ok(Some((file, metadata)))
        }
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Removes the folders that the last object left empty, and gives the nearest one that stays.
fn prune(removed: &Path, root: &Path) -> PathBuf {
    let mut folder = removed.parent().unwrap_or(root);
    while folder != root && fs::remove_dir(folder).is_ok() {
        folder = folder.parent().unwrap_or(root);
    }
    folder.to_owned()
}

/// Removes `folder` and those below it as far as there are no files in them; true if nothing is left.
pub(super) fn remove_empty_folders(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !remove_empty_folders(&entry.path()) {
            return false;
        }
    }
    fs::remove_dir(folder).is_ok()
}

/// A record that stays behind describes a version that never comes back: it costs a few bytes and does no harm.
fn remove_quietly(record: &Path) {
    if let Err(error) = fs::remove_file(record) {
        tracing::debug!(%error, record = %record.display(), "a record stayed behind");
    }
}

fn no_room_for_key(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => s3_error!(
            InvalidArgument,
            "this store can't hold the key: a part of it before a `/` is an object itself"
        ),
        io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty => s3_error!(
            InvalidArgument,
            "this store can't hold the key: there are objects whose keys begin with it and a `/`"
        ),
        _ => disk_failure(error),
    }
}
