//! Classification in the child: samples are fetched several at a time and judged one after the other, in order.

use std::io::{Read, Seek, SeekFrom};

use classifiers::{CustomClassifier, Outcome, Sample, Verdict};
use futures::StreamExt;

use super::child::say;
use super::{Failure, FileToClassify, Message, ObjectToRead, delta, iceberg};
use crate::buckets::Buckets;
use crate::error::{Error, ErrorKind, Result};

/// How much of a file's beginning is looked at, in bytes.
const HEAD_BYTES: u64 = 1 << 20;
/// How much of its end, at first.
const TAIL_BYTES: u64 = 64 << 10;
/// How many samples are fetched at the same time.
const FETCHES: usize = 16;
/// What a file begins with whose schema stands at its end (Parquet).
const SCHEMA_AT_THE_END: &[u8] = b"PAR1";

/// Says of each file what it is.
pub(super) async fn run(buckets: Option<Buckets>, files: Vec<FileToClassify>, custom: &[CustomClassifier]) {
    let mut samples = futures::stream::iter(files.into_iter().enumerate())
        .map(|(index, file)| {
            let buckets = buckets.clone();
            async move {
                let fetched = Fetched::begin(buckets, file).await;
                (index, fetched)
            }
        })
        .buffered(FETCHES);
    while let Some((file, fetched)) = samples.next().await {
        say(&Message::Looking { file });
        let (verdict, bytes_read) = match fetched {
            Ok(mut fetched) => (fetched.judge(custom).await, fetched.bytes_read()),
            Err(error) => (Err(error), 0),
        };
        say(&Message::Classified {
            file,
            bytes_read,
            verdict: verdict.map(Box::new).map_err(Failure::from),
        });
    }
}

/// Says what one object is.
pub(super) async fn one(buckets: &Buckets, object: &ObjectToRead) -> Result<Verdict> {
    Fetched::begin(Some(buckets.clone()), FileToClassify::Object(object.clone()))
        .await?
        .judge(&[])
        .await
}

/// A file, and what has been read of it.
struct Fetched {
    buckets: Option<Buckets>,
    file: FileToClassify,
    name: String,
    size: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Bytes that were read of a table's log.
    log_bytes: u64,
}

impl Fetched {
    async fn begin(buckets: Option<Buckets>, file: FileToClassify) -> Result<Self> {
        let (name, size) = match &file {
            FileToClassify::Object(object) | FileToClassify::IcebergMetadata(object) => {
                (object.key.clone(), object.size)
            }
            FileToClassify::DeltaLog(_) => (String::new(), 0),
            FileToClassify::Local { path } => (path.clone(), local_size(path)?),
        };
        let mut fetched = Self {
            buckets,
            file,
            name,
            size,
            head: Vec::new(),
            tail: Vec::new(),
            log_bytes: 0,
        };
        if matches!(fetched.file, FileToClassify::DeltaLog(_)) {
            return Ok(fetched);
        }
        if matches!(fetched.file, FileToClassify::IcebergMetadata(_)) {
            fetched.head = fetched.read(0, size.min(iceberg::MAX_METADATA)).await?;
            return Ok(fetched);
        }
        fetched.head = fetched.read(0, size.min(HEAD_BYTES)).await?;
        if size > HEAD_BYTES && fetched.head.starts_with(SCHEMA_AT_THE_END) {
            fetched.tail = fetched
                .read(size - TAIL_BYTES.min(size), TAIL_BYTES.min(size))
                .await?;
        }
        Ok(fetched)
    }

    async fn judge(&mut self, custom: &[CustomClassifier]) -> Result<Verdict> {
        if matches!(self.file, FileToClassify::IcebergMetadata(_)) {
            return iceberg::verdict(&self.head);
        }
        if let (FileToClassify::DeltaLog(log), Some(buckets)) = (&self.file, &self.buckets) {
            let (verdict, bytes) = delta::verdict(buckets, log).await?;
            self.log_bytes = bytes;
            return Ok(verdict);
        }
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

    fn bytes_read(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64 + self.log_bytes
    }

    async fn read(&self, start: u64, length: u64) -> Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        match (&self.file, &self.buckets) {
            (FileToClassify::Local { path }, _) => read_local(path, start, length),
            (FileToClassify::Object(object) | FileToClassify::IcebergMetadata(object), Some(buckets)) => {
                let range = start..start + length;
                let bytes = buckets
                    .get_range(&object.bucket, &object.key, range, Some(&object.etag))
                    .await?;
                Ok(bytes.to_vec())
            }
            (FileToClassify::DeltaLog(_), _) => Err(Error::internal("a log is not one file")),
            (FileToClassify::Object(_) | FileToClassify::IcebergMetadata(_), None) => {
                Err(Error::internal("a task has no object store"))
            }
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
