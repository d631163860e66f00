//! How an object appears and how it goes: each in one step, durably, and only if its conditions hold.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use s3s::S3Result;

use super::conditions::WriteConditions;
use super::disk::{disk_failure, make_folders, no_room_for_key, sync_folder};
use super::folder::{Folder, Temporary};
use super::keys::names_of;
use super::place::{Dir, Facts, Kind};
use super::record::Record;
use super::shelf::Spot;

/// What was written.
pub(super) struct Published {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Folder {
    /// Writes the record of a version that is about to appear, durably.
    pub(super) fn write_record(
        &self,
        bucket: &str,
        key: &str,
        file: &Facts,
        record: &Record,
    ) -> io::Result<PathBuf> {
        let path = self.shelf.record_path(bucket, key, file);
        let folder = path.parent().unwrap_or(&path);
        make_folders(folder)?;
        let mut temporary = self.temporary()?;
        temporary.file.write_all(&serde_json::to_vec(record)?)?;
        temporary.file.sync_all()?;
        temporary.move_to(&path)?;
        sync_folder(folder)?;
        Ok(path)
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
        // What is checked again below is checked here to spare the disk the work.
        self.check_room(bucket, key)?;
        let current = self.current(bucket, key, self.shelf.spot(bucket, key)?.as_ref())?;
        conditions.check(current.map(|(_, record)| record.etag).as_deref())?;
        let facts = self
            .stamp_file(bucket, key, &temporary.file)
            .map_err(disk_failure)?;
        temporary.file.sync_all().map_err(disk_failure)?;
        let written = self
            .write_record(bucket, key, &facts, record)
            .map_err(disk_failure)?;
        match self.appear(bucket, key, temporary, conditions) {
            Ok((folder, replaced)) => {
                folder.sync().map_err(disk_failure)?;
                if let Some(replaced) = replaced.filter(|replaced| *replaced != written) {
                    remove_quietly(&replaced);
                }
                Ok(Published {
                    size: facts.size,
                    modified: facts.modified,
                })
            }
            Err(error) => {
                remove_quietly(&written);
                Err(error)
            }
        }
    }

    /// Gives a file a time that no other version of the key has that is known, even if the clock was put back.
    fn stamp_file(&self, bucket: &str, key: &str, file: &File) -> io::Result<Facts> {
        loop {
            file.set_modified(self.stamp())?;
            let facts = Facts::of(&file.metadata()?)?;
            if !self.shelf.record_path(bucket, key, &facts).try_exists()? {
                return Ok(facts);
            }
        }
    }

    /// The one step. Gives the object's folder, and the record of the version that was replaced.
    fn appear(
        &self,
        bucket: &str,
        key: &str,
        temporary: Temporary,
        conditions: &WriteConditions,
    ) -> S3Result<(Dir, Option<PathBuf>)> {
        let (mut names, name) = names_of(key)?;
        let _names = self.hold_names();
        // It may have been deleted while the bytes arrived.
        let root = self.shelf.bucket(bucket)?;
        let folder = root.make_below(&names).map_err(no_room_for_key)?;
        let spot = Spot { folder, name };
        let current = self.current(bucket, key, Some(&spot))?;
        conditions.check(current.as_ref().map(|(_, record)| record.etag.as_str()))?;
        if spot.folder.kind(&spot.name).map_err(disk_failure)? == Some(Kind::Folder) {
            // An empty folder is a leftover, not an object.
            names.push(spot.name.clone());
            let emptied = root.remove_empty_folders(&names).map_err(no_room_for_key)?;
            if !emptied {
                return Err(no_room_for_key(io::ErrorKind::DirectoryNotEmpty.into()));
            }
        }
        temporary.move_into(&spot).map_err(no_room_for_key)?;
        let replaced = current.map(|(facts, _)| self.shelf.record_path(bucket, key, &facts));
        Ok((spot.folder, replaced))
    }

    /// Removes objects; false for those that weren't there. When this returns, they are gone from the disk.
    pub(super) fn remove(
        &self,
        bucket: &str,
        doomed: &[(String, WriteConditions)],
    ) -> S3Result<Vec<S3Result<bool>>> {
        self.shelf.bucket(bucket)?;
        let mut unsynced: Option<(Vec<String>, Dir)> = None;
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(doomed.len());
        for (key, conditions) in doomed {
            let removed = match self.disappear(bucket, key, conditions) {
                Ok(removed) => removed,
                Err(error) => {
                    results.push(Err(error));
                    continue;
                }
            };
            results.push(Ok(removed.is_some()));
            let Some((names, folder, record)) = removed else {
                continue;
            };
            records.push(record);
            // Keys of one folder come one after the other, as a rule.
            if let Some((before, folder)) = unsynced.take()
                && before != names
            {
                folder.sync().map_err(disk_failure)?;
            }
            unsynced = Some((names, folder));
        }
        if let Some((_, folder)) = unsynced {
            folder.sync().map_err(disk_failure)?;
        }
        for record in records {
            remove_quietly(&record);
        }
        Ok(results)
    }

    /// The one step. Gives the folder that must be synced, and the record that has no object any more.
    fn disappear(
        &self,
        bucket: &str,
        key: &str,
        conditions: &WriteConditions,
    ) -> S3Result<Option<(Vec<String>, Dir, PathBuf)>> {
        let (names, _) = names_of(key)?;
        let _names = self.hold_names();
        let spot = self.shelf.spot(bucket, key)?;
        let current = self.current(bucket, key, spot.as_ref())?;
        conditions.check(current.as_ref().map(|(_, record)| record.etag.as_str()))?;
        let (Some(spot), Some((facts, _))) = (spot, current) else {
            return Ok(None);
        };
        spot.folder.remove_file(&spot.name).map_err(disk_failure)?;
        let (names, folder) = prune(&self.shelf.bucket(bucket)?, names, spot.folder);
        Ok(Some((names, folder, self.shelf.record_path(bucket, key, &facts))))
    }

    fn current(&self, bucket: &str, key: &str, spot: Option<&Spot>) -> S3Result<Option<(Facts, Record)>> {
        let Some(Spot { folder, name }) = spot else {
            return Ok(None);
        };
        let look = || Ok(folder.look(name)?.map(|facts| ((), facts)));
        let found = self.shelf.with_record(bucket, key, look).map_err(disk_failure)?;
        Ok(found.map(|((), facts, record)| (facts, record)))
    }
}

/// Removes the folders that the last object left empty, and gives the nearest one that stays. `folder` is that at the end
/// of `names`.
fn prune(root: &Dir, mut names: Vec<String>, mut folder: Dir) -> (Vec<String>, Dir) {
    while let Some((name, above)) = names.split_last() {
        let Ok(parent) = root.below(above) else { break };
        if parent.remove_folder(name).is_err() {
            break;
        }
        folder = parent;
        names.pop();
    }
    (names, folder)
}

/// A record that stays behind describes a version that never comes back: it costs a few bytes and does no harm.
fn remove_quietly(record: &Path) {
    if let Err(error) = fs::remove_file(record) {
        tracing::debug!(%error, record = %record.display(), "a record stayed behind");
    }
}
