//! Listing a target: several parts of it at the same time, straight into a tree.

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, TryStreamExt, future};

use super::session::Session;
use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::crawl::shape::tree::{Builder, File, Folder};
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::CrawlTarget;
use crate::model::crawl_memory::RememberedFolder;
use crate::model::globs;
use crate::model::location::Location;
use crate::queue::Worked;

/// How many parts of a target are listed at the same time.
const PARTS: usize = 8;
/// How many folders are looked at to cut a target into parts, at the least.
const FOLDERS_TO_CUT: usize = 20_000;
/// How deep folders are looked into for one that has several below it.
const DEPTH: usize = 6;
/// After how many objects it is said how far the listing is.
pub(super) const REPORT_EVERY: i64 = 20_000;

type Pages = BoxStream<'static, Result<Vec<ObjectMeta>>>;

/// Every object at or below the target.
///
/// # Errors
/// NotFound where the bucket isn't there; Unavailable where it can't be listed.
pub(super) async fn everything(session: &mut Session<'_>, target: &CrawlTarget) -> Worked<Builder> {
    let location = Location::parse(&target.path)?;
    let mut builder = Builder::new(&location, globs::exclusions(&target.exclusions)?);
    if !location.key.is_empty() && !location.key.ends_with('/') {
        let file = session.app.buckets.head(&location.bucket, &location.key).await?;
        if let Some(file) = file {
            add(&mut builder, &file);
            session.progress.objects += 1;
        }
    }
    let pages = parts(session.app, &location)
        .await
        .map_err(|error| hinted(error, &location))?;
    read(session, &mut builder, &location, pages).await?;
    Ok(builder)
}

/// What is at or below some of the target's folders; everything else as the crawler remembers it.
///
/// # Errors
/// As [`everything`].
pub(super) async fn folders(
    session: &mut Session<'_>,
    target: &CrawlTarget,
    folders: &[String],
    remembered: impl IntoIterator<Item = (String, RememberedFolder)>,
) -> Worked<Builder> {
    let location = Location::parse(&target.path)?;
    let base = location.as_folder().key;
    let mut builder = Builder::new(&location, globs::exclusions(&target.exclusions)?);
    for folder in folders {
        let pages = session.app.buckets.list_pages(&location.bucket, folder).boxed();
        read(session, &mut builder, &location, vec![pages]).await?;
    }
    for (path, folder) in remembered {
        let is_listed = folders.iter().any(|listed| path.starts_with(listed.as_str()));
        if !is_listed && path.starts_with(&base) {
            builder.add_remembered(restored(path, folder));
        }
    }
    Ok(builder)
}

/// A folder out of a crawler's memory.
pub(super) fn restored(path: String, remembered: RememberedFolder) -> Folder {
    let mut folder = Folder::new(path);
    for (name, etag, size, modified) in &remembered.files {
        folder.add(File {
            name,
            etag,
            size: *size,
            modified: *modified,
        });
    }
    (folder.count, folder.bytes) = (remembered.count, remembered.bytes);
    folder
}

async fn read(
    session: &mut Session<'_>,
    builder: &mut Builder,
    location: &Location,
    pages: Vec<Pages>,
) -> Worked {
    let mut pages: SelectAll<Pages> = pages.into_iter().collect();
    let mut reported = session.progress.objects;
    while let Some(page) = pages.try_next().await.map_err(|error| hinted(error, location))? {
        for object in &page {
            add(builder, object);
        }
        session.progress.objects += i64::try_from(page.len()).unwrap_or(0);
        if session.progress.objects - reported >= REPORT_EVERY {
            reported = session.progress.objects;
            session.report().await?;
        }
    }
    Ok(())
}

fn add(builder: &mut Builder, object: &ObjectMeta) {
    let file = File {
        name: "",
        etag: &object.etag,
        size: object.size,
        modified: object.last_modified.timestamp_micros(),
    };
    builder.add(&object.key, file);
}

/// Streams that together list the target's folder, each a range of its folders.
async fn parts(app: &App, location: &Location) -> Result<Vec<Pages>> {
    let (bucket, prefix) = (&location.bucket, location.as_folder().key);
    let mut folder = prefix.clone();
    let mut cuts = Vec::new();
    for _ in 0..DEPTH {
        let (mut folders, has_objects) = app.buckets.list_folders(bucket, &folder, FOLDERS_TO_CUT).await?;
        if folders.len() == 1 && !has_objects {
            folder = folders.remove(0);
            continue;
        }
        let size = folders.len().div_ceil(PARTS).max(1);
        cuts = folders.into_iter().skip(size).step_by(size).collect();
        break;
    }
    let starts = std::iter::once(None).chain(cuts.iter().cloned().map(Some));
    let ends = cuts.iter().cloned().map(Some).chain(std::iter::once(None));
    Ok(starts
        .zip(ends)
        .map(|(start, end)| range(app, bucket, &prefix, start, end))
        .collect())
}

/// The keys behind `start` and before `end`.
fn range(app: &App, bucket: &str, prefix: &str, start: Option<String>, end: Option<String>) -> Pages {
    let pages = app.buckets.list_pages_after(bucket, prefix, start.as_deref());
    let Some(end) = end else {
        return pages.boxed();
    };
    let last = end.clone();
    pages
        .try_take_while(move |page| {
            let is_within = page.first().is_none_or(|object| object.key < last);
            future::ready(Ok(is_within))
        })
        .map_ok(move |mut page| {
            page.retain(|object| object.key < end);
            page
        })
        .boxed()
}

fn hinted(error: Error, location: &Location) -> Error {
    match error.kind {
        ErrorKind::NotFound => error.hint(format!(
            "make the bucket {}, or crawl another path",
            location.bucket
        )),
        _ => error,
    }
}
