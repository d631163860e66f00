//! What an S3 Inventory lists, in place of a listing: for buckets so large that listing them takes long or costs much.

use super::list::REPORT_EVERY;
use super::session::Session;
use crate::app::App;
use crate::crawl::shape::tree::{Builder, File};
use crate::error::{Error, Result};
use crate::model::crawl::CrawlTarget;
use crate::model::globs;
use crate::model::location::Location;
use crate::queue::Worked;
use crate::task::{Limits, Message, ObjectToRead, Spec, Work};

const MANIFEST: &str = "manifest.json";
/// The most inventories of one configuration that are looked at.
const INVENTORIES: usize = 10_000;
const CPU_SECONDS: u64 = 3600;
const WALL_SECONDS: u64 = 3600;

/// Every object at or below the target that the newest inventory at this place lists, and where its manifest is.
///
/// # Errors
/// NotFound where there is none; Invalid where it can't be read, or is another bucket's.
pub(super) async fn everything(
    session: &mut Session<'_>,
    target: &CrawlTarget,
    inventory: &str,
) -> Worked<(Builder, String)> {
    let location = Location::parse(&target.path)?;
    let mut builder = Builder::new(&location, globs::exclusions(&target.exclusions)?);
    let manifest = manifest(session.app, &Location::parse(inventory)?).await?;
    let place = manifest.path();
    let config = &session.app.config.tasks;
    let spec = Spec {
        work: Work::Inventory {
            manifest,
            bucket: location.bucket.clone(),
        },
        access: Some(session.app.access.clone()),
        limits: Limits {
            memory_bytes: config.classify_memory_bytes,
            cpu_seconds: CPU_SECONDS,
            wall_seconds: WALL_SECONDS,
        },
    };
    let folder = location.as_folder().key;
    let mut child = session.app.children.start(&spec).await?;
    let mut reported = session.progress.objects;
    loop {
        match child.next().await? {
            Message::Listed { objects } => {
                for object in objects {
                    if object.key != location.key && !object.key.starts_with(&folder) {
                        continue;
                    }
                    let file = File {
                        name: "",
                        etag: &object.etag,
                        size: object.size,
                        modified: object.modified,
                    };
                    builder.add(&object.key, file);
                    session.progress.objects += 1;
                }
                if session.progress.objects - reported >= REPORT_EVERY {
                    reported = session.progress.objects;
                    session.report().await?;
                }
            }
            Message::Done => return Ok((builder, place)),
            Message::Failed(failure) => return Err(Error::from(failure).into()),
            _ => {}
        }
    }
}

/// The manifest at a place: itself, or that of the newest of the dated folders there (`2031-01-31T01-00Z/`).
async fn manifest(app: &App, place: &Location) -> Result<ObjectToRead> {
    let head = async |key: String| -> Result<Option<ObjectToRead>> {
        let object = app.buckets.head(&place.bucket, &key).await?;
        Ok(object.map(|object| ObjectToRead::of(&place.bucket, object)))
    };
    let missing = || {
        Error::not_found(format!("there is no inventory at {place}")).hint(
            "name the folder that holds its dated folders, s3://bucket/prefix/source-bucket/configuration/",
        )
    };
    if place.key.ends_with(MANIFEST) {
        return head(place.key.clone()).await?.ok_or_else(missing);
    }
    let folder = place.as_folder().key;
    if let Some(found) = head(format!("{folder}{MANIFEST}")).await? {
        return Ok(found);
    }
    let (folders, _) = app
        .buckets
        .list_folders(&place.bucket, &folder, INVENTORIES)
        .await?;
    let is_dated = |key: &&String| {
        let name = key[folder.len()..].trim_end_matches('/');
        name.starts_with(|letter: char| letter.is_ascii_digit()) && name.ends_with('Z')
    };
    for dated in folders.iter().filter(is_dated).rev() {
        // The newest may be under way: its manifest is written last.
        if let Some(found) = head(format!("{dated}{MANIFEST}")).await? {
            return Ok(found);
        }
    }
    Err(missing())
}
