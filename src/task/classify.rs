//! Classification in the child: samples are fetched several at a time and judged one after the other, in order.

use std::io::{Read, Seek, SeekFrom};

use classifiers::{CustomClassifier, Outcome, Sample, Verdict};
use futures::StreamExt;

use super::child::say;
use super::children::Means;
use super::{DeltaLog, Failure, FileToClassify, Message, ObjectToRead, delta, iceberg};
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
pub(super) async fn run(
    buckets: Option<Buckets>,
    files: Vec<FileToClassify>,
    custom: &[CustomClassifier],
    means: &Means,
) {
    let mut samples = futures::stream::iter(files.into_iter().enumerate())
        .map(|(index, file)| {
            let buckets = buckets.clone();
            async move { (index, Begun::with(buckets, file).await) }
        })
        .buffered(FETCHES);
    while let Some((file, begun)) = samples.next().await {
        say(&Message::Looking { file });
        let (verdict, bytes_read) = match begun {
            Ok(begun) => begun.judge(custom, means).await,
            Err(error) => (Err(error), 0),
        };
        say(&Message::Classified {
            file,
            bytes_read,
            verdict: verdict.map(without_nul).map(Box::new).map_err(Failure::from),
        });
    }
}

/// The verdict with another control character for every NUL: no database holds that, and a name with either is left out.
fn without_nul(verdict: Verdict) -> Verdict {
    const NUL: &str = "\\u0000";
    let Ok(text) = serde_json::to_string(&verdict) else {
        return verdict;
    };
    if !text.contains(NUL) {
        return verdict;
    }
    serde_json::from_str(&text.replace(NUL, "\\u0001")).unwrap_or(verdict)
}

/// Says what one object is.
pub(super) async fn one(buckets: &Buckets, object: &ObjectToRead) -> Result<Verdict> {
    Fetched::of(Source::Object(buckets.clone(), object.clone()))
        .await?
        .judge(&[])
        .await
}

/// The first `length` bytes of an object behind `start`.
pub(super) async fn read_object(
    buckets: &Buckets,
    object: &ObjectToRead,
    start: u64,
    length: u64,
) -> Result<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let range = start..start + length;
    let bytes = buckets
        .get_range(&object.bucket, &object.key, range, Some(&object.etag))
        .await?;
    Ok(bytes.to_vec())
}

/// What is to be judged, and what was fetched of it beforehand.
enum Begun {
    File(Fetched),
    IcebergMetadata(Buckets, ObjectToRead),
    DeltaLog(Buckets, DeltaLog),
}

impl Begun {
    async fn with(buckets: Option<Buckets>, file: FileToClassify) -> Result<Self> {
        let buckets = || buckets.ok_or_else(|| Error::internal("a task has no object store"));
        Ok(match file {
            FileToClassify::Local { path } => Self::File(Fetched::of(Source::Local(path)).await?),
            FileToClassify::Object(object) => {
                Self::File(Fetched::of(Source::Object(buckets()?, object)).await?)
            }
            FileToClassify::IcebergMetadata(metadata) => Self::IcebergMetadata(buckets()?, metadata),
            FileToClassify::DeltaLog(log) => Self::DeltaLog(buckets()?, log),
        })
    }

    /// What it is, and how many bytes were read of it.
    async fn judge(self, custom: &[CustomClassifier], means: &Means) -> (Result<Verdict>, u64) {
        let judged = match self {
            Self::File(mut fetched) => return (fetched.judge(custom).await, fetched.bytes_read()),
            Self::IcebergMetadata(buckets, metadata) => iceberg::verdict(&buckets, &metadata).await,
            Self::DeltaLog(buckets, log) => delta::verdict(&buckets, &log, means).await,
        };
        match judged {
            Ok((verdict, bytes_read)) => (Ok(verdict), bytes_read),
            Err(error) => (Err(error), 0),
        }
    }
}

/// Where a file is.
enum Source {
    Object(Buckets, ObjectToRead),
    Local(String),
}

/// A file, and what has been read of it.
struct Fetched {
    source: Source,
    name: String,
    size: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Fetched {
    async fn of(source: Source) -> Result<Self> {
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

    async fn judge(&mut self, custom: &[CustomClassifier]) -> Result<Verdict> {
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
