//! Buckets: the folders right below the root.

use std::fs;
use std::io;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use super::disk::{disk_failure, sync_folder};
use super::folder::Folder;

impl Folder {
    /// Every bucket and when it was made, sorted.
    pub(super) fn buckets(&self) -> S3Result<Vec<(String, SystemTime)>> {
        let mut buckets = Vec::new();
        for entry in fs::read_dir(self.root()).map_err(disk_failure)? {
            let entry = entry.map_err(disk_failure)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && s3s::path::check_bucket_name(&name) {
                // Not every file system keeps the time at which something was made.
                let made = metadata
                    .created()
                    .or_else(|_| metadata.modified())
                    .map_err(disk_failure)?;
                buckets.push((name, made));
            }
        }
        buckets.sort();
        Ok(buckets)
    }

    /// Makes a bucket.
    pub(super) fn create_bucket(&self, bucket: &str) -> S3Result<()> {
        match self.make_bucket(bucket).map_err(disk_failure)? {
            true => Ok(()),
            false => Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "there is a bucket `{}` already",
                bucket
            )),
        }
    }

    /// Removes a bucket that holds no object. Empty folders and uploads in progress go with it.
    pub(super) fn delete_bucket(&self, bucket: &str) -> S3Result<()> {
        self.shelf.bucket(bucket)?;
        {
            let _names = self.hold_names();
            let gone = self.shelf.root().remove_empty_folders(&[bucket.to_owned()]);
            if !gone.map_err(disk_failure)? {
                return Err(s3_error!(BucketNotEmpty, "the bucket `{}` holds objects", bucket));
            }
        }
        sync_folder(self.root()).map_err(disk_failure)?;
        for upload in self.pending_uploads(bucket)? {
            self.abort_upload(bucket, &upload.key, &upload.id)?;
        }
        match fs::remove_dir_all(self.shelf.records(bucket)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk_failure(error)),
            _ => Ok(()),
        }
    }
}
