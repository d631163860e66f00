//! What is in a lake's folder, to be read: buckets, objects, and what is known of each.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use s3s::{S3Result, s3_error};
use sha2::{Digest, Sha256};

use super::disk::disk_failure;
use super::keys::names_of;
use super::place::{Dir, Facts, is_absence, is_link};
use super::record::{Record, version_of};

/// The folder beside the buckets that holds everything that isn't an object. No bucket's name begins with a dot.
pub(super) const INTERNAL: &str = ".mastic";

/// A lake's folder, held open. Whoever has it can read, also beside the process that holds the lake: each object is
/// there as a whole, in the version that its record names.
pub(super) struct Shelf {
    root: Dir,
    internal: PathBuf,
}

/// Where an object is, or would be.
pub(super) struct Spot {
    pub(super) folder: Dir,
    pub(super) name: String,
}

/// An object as it is on the disk.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) record: Record,
}

impl Shelf {
    /// That of the lake in `root`, which must exist.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: Dir::open(root)?,
            internal: root.join(INTERNAL),
        })
    }

    pub(super) fn root(&self) -> &Dir {
        &self.root
    }

    /// The folder of everything that isn't an object.
    pub(super) fn internal(&self) -> &Path {
        &self.internal
    }

    /// The bucket's folder, which must exist.
    pub(super) fn bucket(&self, bucket: &str) -> S3Result<Dir> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(s3_error!(InvalidBucketName));
        }
        match self.root.child(bucket) {
            Err(error) if is_absence(&error) || is_link(&error) => {
                Err(s3_error!(NoSuchBucket, "there is no bucket `{}`", bucket))
            }
            found => found.map_err(disk_failure),
        }
    }

    /// The place of `key`, if the folders on the way are there. The bucket must exist.
    pub(super) fn spot(&self, bucket: &str, key: &str) -> S3Result<Option<Spot>> {
        let bucket = self.bucket(bucket)?;
        let (folders, name) = names_of(key)?;
        match bucket.below(&folders) {
            Err(error) if is_absence(&error) => Ok(None),
            folder => Ok(Some(Spot {
                folder: folder.map_err(disk_failure)?,
                name,
            })),
        }
    }

    /// Where the records of a bucket's objects are.
    pub(super) fn records(&self, bucket: &str) -> PathBuf {
        self.internal.join("meta").join(bucket)
    }

    /// Opens an object to read it.
    pub(super) fn find(&self, bucket: &str, key: &str) -> S3Result<Found> {
        let none = || s3_error!(NoSuchKey, "there is no such object");
        let spot = self.spot(bucket, key)?.ok_or_else(none)?;
        let (file, facts, record) = self
            .with_record(bucket, key, || spot.folder.open_file(&spot.name))
            .map_err(disk_failure)?
            .ok_or_else(none)?;
        Ok(Found {
            file,
            size: facts.size,
            modified: facts.modified,
            record,
        })
    }

    /// Where the record of this version of `key` is.
    pub(super) fn record_path(&self, bucket: &str, key: &str, file: &Facts) -> PathBuf {
        let digest = hex::encode(&Sha256::digest(key.as_bytes())[..16]);
        self.records(bucket)
            .join(&digest[..2])
            .join(format!("{}-{}.json", &digest[2..], version_of(file)))
    }

    /// The record of this version of `key`, or none if there is none (any more).
    pub(super) fn read_record(&self, bucket: &str, key: &str, file: &Facts) -> io::Result<Option<Record>> {
        match fs::read(self.record_path(bucket, key, file)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens what `look` finds and gives it with its record. An object that is overwritten between the two looks is
    /// looked at again: its record went with it.
    pub(super) fn with_record<T>(
        &self,
        bucket: &str,
        key: &str,
        look: impl Fn() -> io::Result<Option<(T, Facts)>>,
    ) -> io::Result<Option<(T, Facts, Record)>> {
        let mut seen: Option<String> = None;
        loop {
            let Some((found, file)) = look()? else {
                return Ok(None);
            };
            if let Some(record) = self.read_record(bucket, key, &file)? {
                return Ok(Some((found, file, record)));
            }
            let version = version_of(&file);
            if seen.as_ref() == Some(&version) {
                let record = Record::of_stranger(&file);
                return Ok(Some((found, file, record)));
            }
            seen = Some(version);
        }
    }
}
