//! Classification in the child: samples are fetched several at a time and judged one after the other, in order.

use classifiers::{CustomClassifier, Verdict};
use futures::StreamExt;

use super::children::Means;
use super::judge::{Fetched, Source};
use super::speech::say;
use super::{DeltaLog, Failure, FileToClassify, Message, ObjectToRead, delta, iceberg};
use crate::buckets::Buckets;
use crate::error::{Error, Result};

/// How many samples are fetched at the same time.
const FETCHES: usize = 16;
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
