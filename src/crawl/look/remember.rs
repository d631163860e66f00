//! What crawls remember, so that nothing is read twice: which version of a file was what, and which folders were seen.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::session::Session;
use crate::app::App;
use crate::crawl::shape::looks::{FileAt, Look, Looks};
use crate::crawl::shape::tree::Tree;
use crate::error::{Error, Result};
use crate::model::crawl_memory::{KnownFile, RememberedFolder};
use crate::model::crawl_steps::Step;
use crate::model::location::Location;
use crate::store;

/// The most events that one crawl takes in; with more, everything is listed.
const MOST_EVENTS: i64 = 100_000;

/// Takes what is known of files into `looks`, and gives back the others.
///
/// # Errors
/// Only the database's own.
pub(super) async fn recall(
    session: &mut Session<'_>,
    bucket: &str,
    tree: &Tree,
    wanted: &[FileAt],
    looks: &mut Looks,
) -> Result<Vec<FileAt>> {
    let mut by_key = BTreeMap::new();
    for at in wanted {
        let folder = &tree.folders[at.0];
        if let Some(file) = folder.file(at.1) {
            by_key.insert(folder.key(&file), (*at, file));
        }
    }
    let keys: Vec<String> = by_key.keys().cloned().collect();
    let mut tx = session.app.store.read().await?;
    let known = store::crawl_memory::known_files(&mut tx, bucket, &keys).await?;
    for file in known {
        let Some((at, now)) = by_key.get(&file.key) else {
            continue;
        };
        let is_same = now.etag == file.etag && i64::try_from(now.size) == Ok(file.size);
        // A verdict that can't be read was written by another version: the file is read again.
        if is_same
            && let Ok(look) = serde_json::from_str::<Look>(&file.verdict)
            && session.judges.of(&look) == file.judge
        {
            looks.insert(*at, look);
            by_key.remove(&file.key);
            session.progress.files_known += 1;
        }
    }
    Ok(by_key.into_values().map(|(at, _)| at).collect())
}

/// A file with what it is, as it is remembered.
///
/// # Errors
/// Internal where it can't be written down.
pub(super) fn known(
    judge: &str,
    key: String,
    etag: &str,
    size: u64,
    look: &Look,
) -> Result<(String, KnownFile)> {
    let verdict = serde_json::to_string(look)
        .map_err(|cause| Error::internal("a verdict can't be written down").source(cause))?;
    let id = hex::encode(Sha256::digest(verdict.as_bytes()));
    let file = KnownFile {
        key,
        etag: etag.to_owned(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        judge: judge.to_owned(),
        verdict,
    };
    Ok((id, file))
}

/// The folders of a target as the crawler saw them last; absent where it never did.
///
/// # Errors
/// Only the database's own.
pub(super) async fn folders(
    session: &Session<'_>,
    location: &Location,
) -> Result<Option<BTreeMap<String, RememberedFolder>>> {
    let Some(crawler) = &session.crawl.request.crawler else {
        return Ok(None);
    };
    let mut tx = session.app.store.read().await?;
    if store::crawl_memory::last_crawl(&mut tx, crawler).await?.is_none() {
        return Ok(None);
    }
    let mut folders = store::crawl_memory::folders(&mut tx, crawler, &location.bucket).await?;
    let base = location.as_folder().key;
    folders.retain(|path, _| path.starts_with(&base) || *path == location.key);
    Ok((!folders.is_empty()).then_some(folders))
}

/// The folders of a target that events named since the crawler's last crawl; absent where everything has to be listed.
///
/// # Errors
/// Only the database's own.
pub(super) async fn folders_of_events(
    session: &Session<'_>,
    location: &Location,
) -> Result<Option<BTreeSet<String>>> {
    let Some(crawler) = &session.crawl.request.crawler else {
        return Ok(None);
    };
    let mut tx = session.app.store.read().await?;
    let Some(mut after) = store::crawl_memory::last_crawl(&mut tx, crawler).await? else {
        return Ok(None);
    };
    if store::retention::lacks_events_since(&mut tx, &after).await? {
        return Ok(None);
    }
    let base = location.as_folder().key;
    let (mut folders, mut count) = (BTreeSet::new(), 0);
    loop {
        let events = store::crawl_memory::events_after(&mut tx, &after, 5000).await?;
        let Some((last, _)) = events.last() else {
            return Ok(Some(folders));
        };
        after.clone_from(last);
        count += i64::try_from(events.len()).unwrap_or(0);
        if count > MOST_EVENTS {
            return Ok(None);
        }
        for (_, event) in events {
            if event.bucket == location.bucket && event.key.starts_with(&base) {
                let folder = event.key.rfind('/').map_or("", |slash| &event.key[..=slash]);
                folders.insert(folder.to_owned());
            }
        }
    }
}

/// What a crawl saw of a target.
#[derive(Debug)]
pub(crate) struct Seen {
    bucket: String,
    base: String,
    folders: BTreeMap<String, RememberedFolder>,
}

/// What is remembered of a tree: its folders with the files that were looked at.
pub(super) fn seen(location: &Location, tree: &Tree, looks: &Looks) -> Seen {
    let folders = tree.folders.iter().enumerate().map(|(at, folder)| {
        let files = looks
            .of_folder(at)
            .filter_map(|(file, _)| folder.file(file))
            .map(|file| {
                (
                    file.name.to_owned(),
                    file.etag.to_owned(),
                    file.size,
                    file.modified,
                )
            });
        let remembered = RememberedFolder {
            count: folder.count,
            bytes: folder.bytes,
            files: files.collect(),
            is_lake: false,
        };
        (folder.path.clone(), remembered)
    });
    let lakes = tree.lakes.iter().map(|lake| {
        let remembered = RememberedFolder {
            count: lake.count,
            bytes: lake.bytes,
            is_lake: true,
            ..RememberedFolder::default()
        };
        (lake.root.clone(), remembered)
    });
    Seen {
        bucket: location.bucket.clone(),
        base: location.as_folder().key,
        folders: folders.chain(lakes).collect(),
    }
}

/// The steps that remember what a crawler saw, where that is not what it knew.
///
/// # Errors
/// Only the database's own.
pub(crate) async fn steps(app: &App, crawler: &str, seen: Vec<Seen>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut tx = app.store.read().await?;
    for seen in seen {
        let known = store::crawl_memory::folders(&mut tx, crawler, &seen.bucket).await?;
        let is_gone = |path: &&String| path.starts_with(&seen.base) && !seen.folders.contains_key(*path);
        let gone = known.keys().filter(is_gone).cloned().collect();
        let is_new = |(path, folder): &(String, RememberedFolder)| known.get(path) != Some(folder);
        steps.push(Step::Folders {
            bucket: seen.bucket,
            seen: seen.folders.into_iter().filter(is_new).collect(),
            gone,
        });
    }
    Ok(steps)
}
