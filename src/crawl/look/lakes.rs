//! Tables of a table format: one of each folder that holds one.

use std::collections::BTreeMap;

use futures::TryStreamExt;

use super::classify;
use super::session::Session;
use crate::crawl::shape::columns::columns_of;
use crate::crawl::shape::found::{FoundFormat, FoundTable, Place};
use crate::crawl::shape::tree::{LakeFormat, SetAsides, Tree};
use crate::error::Result;
use crate::model::location::Location;
use crate::task::{DeltaLog, FileToClassify, ObjectToRead};

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
    for lake in &tree.lakes {
        let root = location.with_key(lake.root.as_str());
        let (format, metadata, to_read, reason) = match &lake.format {
            LakeFormat::Delta => {
                let log = location.with_key(format!("{}{DELTA_LOG}/", lake.root));
                let reason =
                    "it has Delta Lake's log, _delta_log: its files are that table's alone".to_owned();
                let to_read = FileToClassify::DeltaLog(delta_log(session, &log).await?);
                (FoundFormat::Delta, log, to_read, reason)
            }
            LakeFormat::Iceberg(newest) => {
                let object = ObjectToRead {
                    bucket: location.bucket.clone(),
                    key: newest.key.clone(),
                    etag: newest.etag.clone(),
                    size: newest.size,
                    last_modified: chrono::DateTime::UNIX_EPOCH,
                };
                let metadata = location.with_key(newest.key.as_str());
                let file = newest.key.rsplit('/').next().unwrap_or_default();
                let reason = format!("it is an Iceberg table, and {file} is its newest metadata");
                let format = FoundFormat::Iceberg(metadata.to_string());
                (format, metadata, FileToClassify::IcebergMetadata(object), reason)
            }
        };
        let looked_at = classify::classify(session.app, &[], vec![to_read]).await?;
        session.progress.files_read += 1;
        session.progress.bytes_read += looked_at.bytes_read;
        let (columns, steps) = match looked_at.looks.into_iter().next() {
            Some((Ok(verdict), _)) => {
                let below = metadata.key.strip_prefix(&lake.root).unwrap_or(&metadata.key);
                columns_of(&[(below.to_owned(), &verdict)])
            }
            Some((Err(why), _)) => {
                let what = match format {
                    FoundFormat::Delta => "it is no log of a Delta Lake table",
                    _ => "it is no metadata of an Iceberg table",
                };
                set_aside.add(metadata.to_string(), format!("{what}: {why}"));
                continue;
            }
            None => continue,
        };
        let mut reasons = vec![reason];
        reasons.push(format!("{} files are below it", lake.count));
        found.push(FoundTable {
            name: String::new(),
            named_after: lake.root.clone(),
            location: Place::Objects(root),
            format,
            compression: "none".to_owned(),
            partition_keys: Vec::new(),
            partitions: BTreeMap::new(),
            columns,
            steps,
            files: lake.count,
            bytes: lake.bytes,
            rows: None,
            exclusions: Vec::new(),
            reasons,
        });
    }
    Ok(found)
}

/// What of a table's log tells of its columns: the commits behind its last checkpoint, and that.
async fn delta_log(session: &Session<'_>, log: &Location) -> Result<DeltaLog> {
    let mut commits = BTreeMap::new();
    let mut checkpoints: BTreeMap<String, Vec<ObjectToRead>> = BTreeMap::new();
    let mut pages = Box::pin(session.app.buckets.list_pages(&log.bucket, &log.key));
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
