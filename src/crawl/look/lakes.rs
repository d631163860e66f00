//! Tables of a table format: one of each folder that holds one.

use std::collections::BTreeMap;

use classifiers::Verdict;
use futures::{StreamExt, TryStreamExt};

use super::classify;
use super::session::Session;
use crate::app::App;
use crate::crawl::shape::columns::columns_of;
use crate::crawl::shape::found::{FoundFormat, FoundTable, Place};
use crate::crawl::shape::tree::{Lake, LakeFormat, SetAsides, Tree};
use crate::error::Result;
use crate::model::location::Location;
use crate::task::{DeltaLog, FileToClassify, ObjectToRead};

/// How many tables one child looks at: they share its time.
const CHUNK: usize = 20;
/// How many logs are listed at the same time.
const LISTINGS: usize = 8;
const DELTA_LOG: &str = "_delta_log";
/// Digits of a commit's number in its file's name.
const VERSION_DIGITS: usize = 20;

/// The tables that a tree holds; a folder whose metadata can't be read is left aside.
///
/// # Errors
/// Those of reading.
pub(super) async fn tables(
    session: &mut Session<'_>,
    location: &Location,
    tree: &Tree,
    set_aside: &mut SetAsides,
) -> Result<Vec<FoundTable>> {
    let mut found = Vec::new();
    for lakes in tree.lakes.chunks(CHUNK) {
        let asking: Vec<_> = lakes
            .iter()
            .map(|lake| asked(session.app, location, lake))
            .collect();
        let asked: Vec<Asked> = futures::stream::iter(asking)
            .buffered(LISTINGS)
            .try_collect()
            .await?;
        let looks = look(session, &asked).await?;
        for ((lake, asked), look) in lakes.iter().zip(asked).zip(looks) {
            match look {
                Ok(verdict) => found.push(table(location, lake, asked, &verdict)),
                Err(why) => {
                    let what = match asked.format {
                        FoundFormat::Delta => "it is no log of a Delta Lake table",
                        _ => "it is no metadata of an Iceberg table",
                    };
                    set_aside.add(asked.metadata.to_string(), format!("{what}: {why}"));
                }
            }
        }
    }
    Ok(found)
}

/// What a child is asked of a table.
struct Asked {
    format: FoundFormat,
    /// Where its metadata is.
    metadata: Location,
    to_read: FileToClassify,
    /// Why it is a table of its format.
    reason: String,
}

async fn asked(app: &App, location: &Location, lake: &Lake) -> Result<Asked> {
    match &lake.format {
        LakeFormat::Delta => {
            let log = location.with_key(format!("{}{DELTA_LOG}/", lake.root));
            Ok(Asked {
                format: FoundFormat::Delta,
                to_read: FileToClassify::DeltaLog(delta_log(app, &log).await?),
                metadata: log,
                reason: "it has Delta Lake's log, _delta_log: its files are that table's alone".to_owned(),
            })
        }
        LakeFormat::Iceberg(newest) => {
            let metadata = location.with_key(newest.key.as_str());
            let file = newest.key.rsplit('/').next().unwrap_or_default();
            Ok(Asked {
                format: FoundFormat::Iceberg(metadata.to_string()),
                to_read: FileToClassify::IcebergMetadata(ObjectToRead {
                    bucket: location.bucket.clone(),
                    key: newest.key.clone(),
                    etag: newest.etag.clone(),
                    size: newest.size,
                    last_modified: chrono::DateTime::UNIX_EPOCH,
                }),
                metadata,
                reason: format!("it is an Iceberg table, and {file} is its newest metadata"),
            })
        }
    }
}

/// Lets one child look at tables. One that the child died of may have had too little left of what they share, and is looked
/// at once more by itself.
async fn look(session: &mut Session<'_>, asked: &[Asked]) -> Result<Vec<Result<Verdict, String>>> {
    let to_read = asked.iter().map(|asked| asked.to_read.clone()).collect();
    let mut looked_at = classify::classify(session.app, &[], to_read).await?;
    if asked.len() > 1 {
        for (look, asked) in looked_at.looks.iter_mut().zip(asked) {
            if let (Err(_), false) = look {
                let alone = vec![asked.to_read.clone()];
                let mut again = classify::classify(session.app, &[], alone).await?;
                looked_at.bytes_read += again.bytes_read;
                *look = again.looks.remove(0);
            }
        }
    }
    session.progress.files_read += i64::try_from(asked.len()).unwrap_or(i64::MAX);
    session.progress.bytes_read += looked_at.bytes_read;
    Ok(looked_at.looks.into_iter().map(|(look, _)| look).collect())
}

fn table(location: &Location, lake: &Lake, asked: Asked, verdict: &Verdict) -> FoundTable {
    let metadata = &asked.metadata.key;
    let below = metadata.strip_prefix(&lake.root).unwrap_or(metadata);
    let (columns, steps) = columns_of(&[(below.to_owned(), verdict)]);
    FoundTable {
        name: String::new(),
        named_after: lake.root.clone(),
        location: Place::Objects(location.with_key(lake.root.as_str())),
        format: asked.format,
        compression: "none".to_owned(),
        partition_keys: Vec::new(),
        partitions: BTreeMap::new(),
        columns,
        steps,
        files: lake.count,
        bytes: lake.bytes,
        rows: None,
        exclusions: Vec::new(),
        reasons: vec![asked.reason, format!("{} files are below it", lake.count)],
    }
}

/// What of a table's log tells of its columns: the commits behind its last checkpoint, and that.
async fn delta_log(app: &App, log: &Location) -> Result<DeltaLog> {
    let mut commits = BTreeMap::new();
    let mut checkpoints: BTreeMap<String, Vec<ObjectToRead>> = BTreeMap::new();
    let mut pages = Box::pin(app.buckets.list_pages(&log.bucket, &log.key));
    while let Some(page) = pages.try_next().await? {
        for object in page {
            let name = object.key[log.key.len()..].to_owned();
            let Some((version, kind)) = name.split_once('.') else {
                continue;
            };
            let is_version =
                version.len() == VERSION_DIGITS && version.bytes().all(|byte| byte.is_ascii_digit());
            if !is_version || name.contains('/') {
                continue;
            }
            let object = ObjectToRead::of(&log.bucket, object.clone());
            if kind == "json" {
                commits.insert(version.to_owned(), object);
            } else if kind.starts_with("checkpoint.") && kind.ends_with("parquet") {
                checkpoints.entry(version.to_owned()).or_default().push(object);
            }
        }
    }
    let last = checkpoints.pop_last();
    if let Some((version, _)) = &last {
        commits.retain(|commit, _| commit > version);
    }
    Ok(DeltaLog {
        commits: commits.into_values().rev().collect(),
        checkpoint: last.map_or(Vec::new(), |(_, parts)| parts),
    })
}
