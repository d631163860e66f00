//! Tables of a table format: one of each folder that holds one.

use std::collections::BTreeMap;

use super::Session;
use super::classify;
use super::columns::columns_of;
use super::found::{FoundFormat, FoundTable};
use super::tree::{LakeFormat, SetAsides, Tree};
use crate::error::Result;
use crate::model::location::Location;
use crate::task::{FileToClassify, ObjectToRead};

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
        let mut columns = Vec::new();
        let (format, mut reasons) = match &lake.format {
            LakeFormat::Delta => (
                FoundFormat::Delta,
                vec!["it has Delta Lake's log, _delta_log: its files are that table's alone".to_owned()],
            ),
            LakeFormat::Iceberg(newest) => {
                let object = ObjectToRead {
                    bucket: location.bucket.clone(),
                    key: newest.key.clone(),
                    etag: newest.etag.clone(),
                    size: newest.size,
                    last_modified: chrono::DateTime::UNIX_EPOCH,
                };
                let file = vec![FileToClassify::IcebergMetadata(object)];
                let looked_at = classify::classify(session.app, &[], file).await?;
                session.progress.files_read += 1;
                session.progress.bytes_read += looked_at.bytes_read;
                let metadata = location.with_key(newest.key.as_str()).to_string();
                match looked_at.looks.into_iter().next() {
                    Some((Ok(verdict), _)) => columns = columns_of(&[(newest.key.clone(), &verdict)]),
                    Some((Err(reason), _)) => {
                        set_aside.add(
                            metadata,
                            format!("it is no metadata of an Iceberg table: {reason}"),
                        );
                        continue;
                    }
                    None => continue,
                }
                let file = newest.key.rsplit('/').next().unwrap_or_default();
                (
                    FoundFormat::Iceberg(metadata.clone()),
                    vec![format!(
                        "it is an Iceberg table, and {file} is its newest metadata"
                    )],
                )
            }
        };
        reasons.push(format!("{} files are below it", lake.count));
        found.push(FoundTable {
            name: String::new(),
            named_after: lake.root.clone(),
            location: root,
            format,
            compression: "none".to_owned(),
            partition_keys: Vec::new(),
            partitions: BTreeMap::new(),
            columns,
            files: lake.count,
            bytes: lake.bytes,
            rows: None,
            exclusions: Vec::new(),
            reasons,
        });
    }
    Ok(found)
}
