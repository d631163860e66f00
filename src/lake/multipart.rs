//! Multipart uploads: `uploads/ID/` holds the parts until they become an object or are given up.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assembly::{ChecksumWish, Completion, StoredPart, assemble, choose, copy};
use super::checksums::Hasher;
use super::disk::{disk_failure, sync_folder};
use super::folder::Folder;
use super::publish::Published;
use super::receive::Received;
use super::record::{Attributes, Record};

/// The file that says what an upload is for.
const ABOUT: &str = "upload.json";
/// How many parts an upload may have.
pub(super) const MOST_PARTS: i32 = 10_000;

/// What an upload is for.
#[derive(Serialize, Deserialize)]
struct About {
    bucket: String,
    key: String,
    /// Since 1970.
    initiated_ms: u64,
    attributes: Attributes,
    /// The checksum that the object is to have.
    #[serde(default)]
    checksum: Option<ChecksumWish>,
}

/// An upload in progress.
pub(super) struct PendingUpload {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) initiated: SystemTime,
}

/// The object that an upload became.
pub(super) struct CompletedUpload {
    pub(super) published: Published,
    pub(super) record: Record,
}

impl Folder {
    /// Begins an upload and gives its id.
    pub(super) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        attributes: Attributes,
        checksum: Option<ChecksumWish>,
    ) -> S3Result<String> {
        // A key that the folder can't hold is refused now, not after the bytes.
        self.check_room(bucket, key)?;
        let now = self.stamp().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = self.clock.new_id();
        let about = About {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            initiated_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            attributes,
            checksum,
        };
        self.store_upload(&id, &about).map_err(disk_failure)?;
        Ok(id)
    }

    fn store_upload(&self, id: &str, about: &About) -> io::Result<()> {
        let reserved = self.reserve();
        let staged = &reserved.path;
        fs::create_dir(staged)?;
        let mut file = File::create_new(staged.join(ABOUT))?;
        file.write_all(&serde_json::to_vec(about)?)?;
        file.sync_all()?;
        sync_folder(staged)?;
        fs::rename(staged, self.uploads().join(id))?;
        sync_folder(&self.uploads())
    }

    /// The folder of an upload, and what it is for.
    fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<(PathBuf, About)> {
        self.shelf.bucket(bucket)?;
        let none = || {
            s3_error!(
                NoSuchUpload,
                "there is no such upload: it was completed or given up"
            )
        };
        // In one spelling only, because others are kept from the upload by its name.
        let known = Uuid::parse_str(id).ok().map(|known| known.to_string());
        let name = known.filter(|known| known == id).ok_or_else(none)?;
        let path = self.uploads().join(name);
        let about = read_about(&path).map_err(disk_failure)?.ok_or_else(none)?;
        if about.bucket != bucket || about.key != key {
            return Err(none());
        }
        Ok((path, about))
    }

    /// Checks that there is such an upload, before its bytes are taken.
    pub(super) fn check_upload(&self, bucket: &str, key: &str, id: &str, number: i32) -> S3Result<()> {
        if !(1..=MOST_PARTS).contains(&number) {
            return Err(s3_error!(
                InvalidArgument,
                "a part's number is from 1 to {}",
                MOST_PARTS
            ));
        }
        self.upload(bucket, key, id)?;
        self.check_room(bucket, key)
    }

    /// Keeps a part, durably. It replaces an earlier one of the same number.
    pub(super) fn store_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        number: i32,
        part: Received,
    ) -> S3Result<(String, SystemTime)> {
        let (folder, _) = self.upload(bucket, key, id)?;
        let etag = hex::encode(part.found.md5);
        let stamp = self.stamp();
        part.temporary.file.set_modified(stamp).map_err(disk_failure)?;
        part.temporary.file.sync_all().map_err(disk_failure)?;
        let path = folder.join(format!("{number:05}-{etag}"));
        let moved = part.temporary.move_to(&path).and_then(|()| {
            for older in parts_in(&folder)?
                .into_iter()
                .filter(|older| older.number == number && older.etag != etag)
            {
                fs::remove_file(older.path)?;
            }
            sync_folder(&folder)
        });
        match moved {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(s3_error!(
                NoSuchUpload,
                "the upload was completed or given up meanwhile"
            )),
            done => done.map_err(disk_failure).map(|()| (etag, stamp)),
        }
    }

    /// Copies bytes of another object into a temporary file, to be kept as a part.
    pub(super) fn read_part_source(&self, source: impl Read) -> S3Result<Received> {
        let mut temporary = self.temporary().map_err(disk_failure)?;
        let mut hasher = Hasher::of(std::iter::empty());
        copy(source, &mut temporary.file, &mut [&mut hasher]).map_err(disk_failure)?;
        Ok(Received {
            temporary,
            found: hasher.finish(),
        })
    }

    /// The parts that were received, by number.
    pub(super) fn parts(&self, bucket: &str, key: &str, id: &str) -> S3Result<Vec<StoredPart>> {
        let (folder, _) = self.upload(bucket, key, id)?;
        let mut newest: BTreeMap<i32, StoredPart> = BTreeMap::new();
        for part in parts_in(&folder).map_err(disk_failure)? {
            match newest.get(&part.number) {
                Some(other) if other.modified >= part.modified => {}
                _ => {
                    newest.insert(part.number, part);
                }
            }
        }
        Ok(newest.into_values().collect())
    }

    /// The uploads to `bucket` in progress, by key and then by age.
    pub(super) fn pending_uploads(&self, bucket: &str) -> S3Result<Vec<PendingUpload>> {
        let mut pending = Vec::new();
        for entry in fs::read_dir(self.uploads()).map_err(disk_failure)? {
            let entry = entry.map_err(disk_failure)?;
            let Ok(id) = entry.file_name().into_string() else {
                continue;
            };
            let Some(about) = read_about(&entry.path()).map_err(disk_failure)? else {
                continue;
            };
            if about.bucket == bucket {
                pending.push(PendingUpload {
                    key: about.key,
                    id,
                    initiated: UNIX_EPOCH + Duration::from_millis(about.initiated_ms),
                });
            }
        }
        pending.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        Ok(pending)
    }

    /// Makes the parts an object. Until the last step the upload stays as it is, and can be completed again.
    pub(super) fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        completion: &Completion,
    ) -> S3Result<CompletedUpload> {
        let _held = self.hold_upload(id);
        let (folder, about) = self.upload(bucket, key, id)?;
        if let Some(done) = self.completed_before(bucket, key, id) {
            self.discard_upload(&folder).map_err(disk_failure)?;
            return Ok(done);
        }
        self.check_room(bucket, key)?;
        let parts = choose(&completion.parts, &parts_in(&folder).map_err(disk_failure)?)?;
        let mut temporary = self.temporary().map_err(disk_failure)?;
        let (checksums, composite) = assemble(&parts, &mut temporary.file, about.checksum, completion)?;
        let mut digest = Md5::new();
        for part in &parts {
            digest.update(&hex::decode(&part.etag).unwrap_or_default());
        }
        let record = Record {
            etag: format!("{}-{}", hex::encode(digest.finalize()), parts.len()),
            attributes: about.attributes,
            checksums,
            composite,
            parts: parts.iter().map(|part| part.size).collect(),
            upload: Some(id.to_owned()),
        };
        let published = self.publish(bucket, key, temporary, &record, &completion.conditions)?;
        if let Err(error) = self.discard_upload(&folder) {
            tracing::warn!(%error, upload = id, "the parts of a completed upload stay behind");
        }
        Ok(CompletedUpload { published, record })
    }

    /// The process may have ended between the object's appearance and the upload's end.
    fn completed_before(&self, bucket: &str, key: &str, id: &str) -> Option<CompletedUpload> {
        let found = self.shelf.find(bucket, key).ok()?;
        (found.record.upload.as_deref() == Some(id)).then_some(CompletedUpload {
            published: Published {
                size: found.size,
                modified: found.modified,
            },
            record: found.record,
        })
    }

    /// Gives an upload up.
    pub(super) fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<()> {
        let _held = self.hold_upload(id);
        // The bucket may be gone already when its uploads are cleared away.
        let path = match self.upload(bucket, key, id) {
            Err(error) if *error.code() == s3s::S3ErrorCode::NoSuchBucket => {
                let id = Uuid::parse_str(id).map_err(|_| s3_error!(NoSuchUpload))?;
                self.uploads().join(id.to_string())
            }
            found => found?.0,
        };
        self.discard_upload(&path).map_err(disk_failure)
    }

    pub(super) fn discard_upload(&self, folder: &Path) -> io::Result<()> {
        let discarded = self.reserve();
        fs::rename(folder, &discarded.path)?;
        sync_folder(&self.uploads())?;
        fs::remove_dir_all(&discarded.path)
    }
}

/// When an upload was last written to: begun, or given a part.
pub(super) fn last_written(folder: &Path) -> io::Result<SystemTime> {
    let begun = match read_about(folder)? {
        Some(about) => UNIX_EPOCH + Duration::from_millis(about.initiated_ms),
        // Nobody can finish this one.
        None => return fs::metadata(folder)?.modified(),
    };
    let parts = parts_in(folder)?;
    Ok(parts
        .iter()
        .map(|part| part.modified)
        .fold(begun, SystemTime::max))
}

fn read_about(folder: &Path) -> io::Result<Option<About>> {
    match fs::read(folder.join(ABOUT)) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn parts_in(folder: &Path) -> io::Result<Vec<StoredPart>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let Some((number, etag)) = name.split_once('-') else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found?,
        };
        parts.push(StoredPart {
            path: entry.path(),
            number,
            etag: etag.to_owned(),
            size: metadata.len(),
            modified: metadata.modified()?,
        });
    }
    Ok(parts)
}
