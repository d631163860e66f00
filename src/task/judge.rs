//! What one file is, by its beginning and, where its schema stands there, its end.

use std::io::{Read, Seek, SeekFrom};

use classifiers::{CustomClassifier, Outcome, Sample, Verdict};

use super::ObjectToRead;
use super::ranges::read_object;
use crate::buckets::Buckets;
use crate::error::{Error, ErrorKind, Result};

/// How much of a file's beginning is looked at, in bytes.
const HEAD_BYTES: u64 = 1 << 20;
/// How much of its end, at first.
const TAIL_BYTES: u64 = 64 << 10;
/// What a file begins with whose schema stands at its end (Parquet).
const SCHEMA_AT_THE_END: &[u8] = b"PAR1";

/// Says what one object is.
pub(super) async fn one(buckets: &Buckets, object: &ObjectToRead) -> Result<Verdict> {
    Fetched::of(Source::Object(buckets.clone(), object.clone()))
        .await?
        .judge(&[])
        .await
}

/// Where a file is.
pub(super) enum Source {
    Object(Buckets, ObjectToRead),
    Local(String),
}

/// A file, and what has been read of it.
pub(super) struct Fetched {
    source: Source,
    name: String,
    size: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Fetched {
    /// Reads as much of a file as most need.
    pub(super) async fn of(source: Source) -> Result<Self> {
        let (name, size) = match &source {
            Source::Object(_, object) => (object.key.clone(), object.size),
            Source::Local(path) => (path.clone(), local_size(path)?),
        };
        let mut fetched = Self {
            source,
            name,
            size,
            head: Vec::new(),
            tail: Vec::new(),
        };
        fetched.head = fetched.read(0, size.min(HEAD_BYTES)).await?;
        if size > HEAD_BYTES && fetched.head.starts_with(SCHEMA_AT_THE_END) {
            fetched.tail = fetched
                .read(size - TAIL_BYTES.min(size), TAIL_BYTES.min(size))
                .await?;
        }
        Ok(fetched)
    }

    /// What it is, by what was read and what has to be read besides.
    pub(super) async fn judge(&mut self, custom: &[CustomClassifier]) -> Result<Verdict> {
        loop {
            let whole = self.head.len() as u64 == self.size;
            let tail = if whole { &self.head } else { &self.tail };
            let sample = Sample {
                name: &self.name,
                size: self.size,
                head: &self.head,
                tail,
            };
            match classifiers::classify_with(&sample, custom) {
                Ok(Outcome::Verdict(verdict)) => return Ok(*verdict),
                Ok(Outcome::NeedTail(wanted)) if wanted > self.tail.len() as u64 && wanted <= self.size => {
                    self.tail = self.read(self.size - wanted, wanted).await?;
                }
                Ok(Outcome::NeedTail(_)) => return Err(Error::invalid("the end of the file makes no sense")),
                Err(error) => return Err(Error::new(ErrorKind::Invalid, error.message)),
            }
        }
    }

    /// How many bytes were read of it.
    pub(super) fn bytes_read(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64
    }

    async fn read(&self, start: u64, length: u64) -> Result<Vec<u8>> {
        match &self.source {
            Source::Object(buckets, object) => read_object(buckets, object, start, length).await,
            Source::Local(_) if length == 0 => Ok(Vec::new()),
            Source::Local(path) => read_local(path, start, length),
        }
    }
}

fn local_size(path: &str) -> Result<u64> {
    let metadata = std::fs::metadata(path).map_err(|cause| unreadable(path, &cause))?;
    Ok(metadata.len())
}

fn read_local(path: &str, start: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).map_err(|cause| unreadable(path, &cause))?;
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(length).read_to_end(&mut bytes))
        .map_err(|cause| unreadable(path, &cause))?;
    Ok(bytes)
}

fn unreadable(path: &str, cause: &std::io::Error) -> Error {
    let kind = match cause.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("can't read {path}: {cause}"))
}
