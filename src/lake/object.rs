//! Objects: reading, writing, copying and deleting one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use s3s::dto::{self, CopySource, Timestamp};
use s3s::{S3Result, s3_error};
use tokio::io::{AsyncRead, ReadBuf};

use super::assembly::copy;
use super::checksums::{Algorithm, Hasher};
use super::conditions::{ReadConditions, WriteConditions};
use super::disk::disk_failure;
use super::folder::Folder;
use super::publish::Published;
use super::receive::Received;
use super::record::{Attributes, Record};
use super::shelf::Found;

/// How much of a file is read at a time, bytes.
const READ_SIZE: usize = 128 * 1024;

/// Which bytes of an object a reader wants.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) range: Option<dto::Range>,
    /// The bytes that were uploaded as this part, from 1.
    pub(super) part: Option<i32>,
    /// Whether its checksums are asked for.
    pub(super) checksums: bool,
}

/// An object, opened, and the bytes of it that are wanted.
pub(super) struct Opened {
    pub(super) found: Found,
    /// None if the whole object is wanted.
    pub(super) range: Option<Range<u64>>,
    /// Whether it was asked for by the number of a part.
    pub(super) by_part: bool,
    /// Whether its checksums were asked for.
    pub(super) with_checksums: bool,
}

impl Opened {
    /// How many bytes are wanted.
    pub(super) fn length(&self) -> u64 {
        self.range
            .as_ref()
            .map_or(self.found.size, |range| range.end - range.start)
    }

    /// `bytes FIRST-LAST/SIZE`, if not the whole is wanted.
    pub(super) fn content_range(&self) -> Option<String> {
        let range = self.range.as_ref()?;
        Some(format!(
            "bytes {}-{}/{}",
            range.start,
            range.end.saturating_sub(1),
            self.found.size
        ))
    }

    /// The checksums, if they are asked for. They cover the whole object only.
    pub(super) fn checksums(&self) -> dto::Checksum {
        let mut answer = dto::Checksum::default();
        if self.range.is_none() && self.with_checksums {
            let checksums = self.found.record.checksums.clone();
            answer.checksum_crc32 = checksums.crc32;
            answer.checksum_crc32c = checksums.crc32c;
            answer.checksum_crc64nvme = checksums.crc64nvme;
            answer.checksum_sha1 = checksums.sha1;
            answer.checksum_sha256 = checksums.sha256;
            answer.checksum_type = self.found.record.checksum_type();
        }
        answer
    }

    /// When it was written.
    pub(super) fn modified(&self) -> Timestamp {
        Timestamp::from(self.found.modified)
    }

    /// The wanted bytes, for copying.
    pub(super) fn into_reader(mut self) -> S3Result<io::Take<File>> {
        if let Some(range) = &self.range {
            self.found
                .file
                .seek(SeekFrom::Start(range.start))
                .map_err(disk_failure)?;
        }
        let length = self.length();
        Ok(self.found.file.take(length))
    }

    /// The wanted bytes as they are read.
    pub(super) fn into_body(self) -> S3Result<FileBody> {
        let length = self.length();
        let mut file = tokio::fs::File::from_std(self.into_reader()?.into_inner());
        file.set_max_buf_size(READ_SIZE);
        Ok(FileBody {
            file,
            buffer: BytesMut::new(),
            left: length,
        })
    }
}

impl Folder {
    /// Opens an object if the conditions hold.
    pub(super) fn read(
        &self,
        bucket: &str,
        key: &str,
        wanted: Wanted,
        conditions: &ReadConditions,
    ) -> S3Result<Opened> {
        let found = self.shelf.find(bucket, key)?;
        conditions.check(&found.record.etag, found.modified)?;
        let range = match (wanted.range, wanted.part) {
            (Some(range), _) => Some(range.check(found.size)?),
            (None, Some(part)) => Some(part_range(&found, part)?),
            (None, None) => None,
        };
        Ok(Opened {
            found,
            range,
            by_part: wanted.part.is_some(),
            with_checksums: wanted.checksums,
        })
    }

    /// Gives received bytes their name.
    pub(super) fn write(
        &self,
        bucket: &str,
        key: &str,
        received: Received,
        attributes: Attributes,
        conditions: &WriteConditions,
    ) -> S3Result<(Published, Record)> {
        let record = Record {
            etag: hex::encode(received.found.md5),
            attributes,
            checksums: received.found.checksums,
            ..Record::default()
        };
        let published = self.publish(bucket, key, received.temporary, &record, conditions)?;
        Ok((published, record))
    }

    /// Copies an object under another name. `attributes` replace the source's, if given.
    pub(super) fn copy(
        &self,
        source: (&str, &str),
        target: (&str, &str),
        source_conditions: &ReadConditions,
        attributes: Option<Attributes>,
        algorithm: Option<Algorithm>,
    ) -> S3Result<(Published, Record)> {
        if source == target && attributes.is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "a copy of an object to itself must replace its metadata"
            ));
        }
        self.check_room(target.0, target.1)?;
        let mut found = self.shelf.find(source.0, source.1)?;
        source_conditions
            .check(&found.record.etag, found.modified)
            .map_err(|_| {
                // A copy has no "not modified".
                s3_error!(PreconditionFailed, "the source isn't as the request demands")
            })?;
        let mut temporary = self.temporary().map_err(disk_failure)?;
        let mut record = found.record;
        match algorithm {
            None => {
                io::copy(&mut found.file, &mut temporary.file).map_err(disk_failure)?;
            }
            Some(algorithm) => {
                let mut hasher = Hasher::of_only(&[algorithm]);
                copy(&found.file, &mut temporary.file, &mut [&mut hasher]).map_err(disk_failure)?;
                record.checksums = hasher.finish().checksums;
                record.composite = false;
            }
        }
        record.upload = None;
        if let Some(attributes) = attributes {
            record.attributes = attributes;
        }
        let published = self.publish(
            target.0,
            target.1,
            temporary,
            &record,
            &WriteConditions::default(),
        )?;
        Ok((published, record))
    }
}

/// The bucket and key that a copy is from.
pub(super) fn source_of(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket.to_string(), key.to_string())),
        _ => Err(s3_error!(NotImplemented, "copy from a bucket and key")),
    }
}

fn part_range(found: &Found, part: i32) -> S3Result<Range<u64>> {
    let whole = [found.size];
    let parts: &[u64] = if found.record.parts.is_empty() {
        &whole
    } else {
        &found.record.parts
    };
    let index = usize::try_from(part).ok().and_then(|part| part.checked_sub(1));
    let size = index.and_then(|index| parts.get(index)).copied();
    let (Some(index), Some(size)) = (index, size) else {
        return Err(s3_error!(InvalidPart, "the object has no such part"));
    };
    let start = parts[..index].iter().sum::<u64>();
    Ok(start..start + size)
}

/// The bytes of a file, as a stream that ends after as many as were promised.
pub(super) struct FileBody {
    file: tokio::fs::File,
    buffer: BytesMut,
    left: u64,
}

impl Stream for FileBody {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let size = READ_SIZE.min(usize::try_from(this.left).unwrap_or(READ_SIZE));
        this.buffer.resize(size, 0);
        let mut room = ReadBuf::new(&mut this.buffer);
        let done = ready!(Pin::new(&mut this.file).poll_read(context, &mut room));
        let read = room.filled().len();
        Poll::Ready(Some(done.and_then(|()| {
            if read == 0 {
                // Somebody cut the file short: better a broken answer than a wrong one.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            this.left -= read as u64;
            Ok(this.buffer.split_to(read).freeze())
        })))
    }
}
