//! Looking at a target: its listing becomes groups, groups ask for files, and what those are may change the groups, until
//! nothing more has to be looked at.

use super::classify::{self, CHUNK};
use super::session::Session;
use super::{inventory, lakes, list, remember};
use crate::crawl::shape::found::FoundTable;
use crate::crawl::shape::group::{self, Rules};
use crate::crawl::shape::looks::{FileAt, Looks};
use crate::crawl::shape::tree::{Builder, SetAsides, Tree};
use crate::crawl::shape::{merge, sample};
use crate::model::crawl::CrawlTarget;
use crate::model::crawl_options::{RecrawlBehavior, Writing};
use crate::model::location::Location;
use crate::queue::Worked;
use crate::store;
use crate::task::{FileToClassify, ObjectToRead};

/// What a target came to.
pub(crate) struct LookedAt {
    pub(crate) found: Vec<FoundTable>,
    pub(crate) set_aside: SetAsides,
    /// What the next crawl is to remember; nothing of a database.
    pub(crate) seen: Option<remember::Seen>,
}

/// Looks at a target.
///
/// # Errors
/// Those of listing and reading.
pub(crate) async fn target(
    session: &mut Session<'_>,
    target: &CrawlTarget,
    writing: &Writing,
) -> Worked<LookedAt> {
    let location = Location::parse(&target.path)?;
    let (mut tree, inventory) = listed(session, target, &location).await?;
    session.report().await?;
    let rules = Rules {
        compatibility: writing.compatibility,
        combine: writing.configuration.combine_compatible_schemas,
        table_level: writing.configuration.table_level,
    };
    let mut looks = Looks::default();
    let (groups, left_aside) = loop {
        let (groups, left_aside) = group::group(&location, &tree, rules, &looks);
        let wanted = sample::wanted(&tree, &groups, target.sample_size, &looks);
        if wanted.is_empty() {
            break (groups, left_aside);
        }
        look(session, &location, &tree, &wanted, &mut looks).await?;
        looks.settle_headers(&tree);
    };
    let mut set_aside = std::mem::take(&mut tree.set_aside);
    set_aside.extend(left_aside);
    let mut found = Vec::new();
    for group in &groups {
        found.extend(merge::merge(&location, &tree, group, &looks, &mut set_aside));
        session.progress.tables = i64::try_from(found.len()).unwrap_or(i64::MAX);
    }
    found.extend(lakes::tables(session, &location, &tree, &mut set_aside).await?);
    let base = location.as_folder();
    for table in &mut found {
        if let Some(manifest) = &inventory {
            table
                .reasons
                .push(format!("its files are those that {manifest} lists"));
        }
        table.exclusions = target
            .exclusions
            .iter()
            .map(|glob| format!("{base}{glob}"))
            .collect();
    }
    Ok(LookedAt {
        found,
        set_aside,
        seen: Some(remember::seen(&location, &tree, &looks)),
    })
}

/// The tree of a target, as much of it listed as the crawler's policy wants, and the inventory that it is taken from.
async fn listed(
    session: &mut Session<'_>,
    target: &CrawlTarget,
    location: &Location,
) -> Worked<(Tree, Option<String>)> {
    let policy = session.crawl.request.options.recrawl;
    if policy != RecrawlBehavior::CrawlEverything
        && let Some(known) = remember::folders(session, location).await?
    {
        if policy == RecrawlBehavior::CrawlNewFoldersOnly {
            let (mut builder, inventory) = everything(session, target).await?;
            for (path, folder) in known.into_iter().filter(|(_, folder)| !folder.is_lake) {
                builder.add_remembered(list::restored(path, folder));
            }
            return Ok((builder.finish(), inventory));
        }
        if let Some(named) = remember::folders_of_events(session, location).await? {
            let lakes = known.iter().filter(|(_, folder)| folder.is_lake);
            let folders: Vec<String> = named
                .into_iter()
                .chain(lakes.map(|(path, _)| path.clone()))
                .collect();
            let builder = list::folders(session, target, &folders, known).await?;
            return Ok((builder.finish(), None));
        }
    }
    let (builder, inventory) = everything(session, target).await?;
    Ok((builder.finish(), inventory))
}

/// Everything at a target, by its inventory where it has one.
async fn everything(session: &mut Session<'_>, target: &CrawlTarget) -> Worked<(Builder, Option<String>)> {
    match &target.inventory {
        Some(place) => {
            let (builder, manifest) = inventory::everything(session, target, place).await?;
            Ok((builder, Some(manifest)))
        }
        None => Ok((list::everything(session, target).await?, None)),
    }
}

/// Looks at files, those left out of which an earlier crawl knew the same version.
async fn look(
    session: &mut Session<'_>,
    location: &Location,
    tree: &Tree,
    wanted: &[FileAt],
    looks: &mut Looks,
) -> Worked {
    let unknown = remember::recall(session, &location.bucket, tree, wanted, looks).await?;
    for chunk in unknown.chunks(CHUNK) {
        let objects: Vec<(FileAt, ObjectToRead)> = chunk
            .iter()
            .filter_map(|at| Some((*at, object(location, tree, *at)?)))
            .collect();
        let files = objects
            .iter()
            .map(|(_, object)| FileToClassify::Object(object.clone()))
            .collect();
        let looked_at = classify::classify(session.app, &session.judges.custom, files).await?;
        session.progress.files_read += i64::try_from(looked_at.looks.len()).unwrap_or(0);
        session.progress.bytes_read += looked_at.bytes_read;
        let mut known = Vec::new();
        for ((at, object), (look, is_lasting)) in objects.into_iter().zip(looked_at.looks) {
            if is_lasting {
                known.push(remember::known(
                    session.judges.of(&look),
                    object.key,
                    &object.etag,
                    object.size,
                    &look,
                )?);
            }
            looks.insert(at, look);
        }
        let mut tx = session.app.store.note().await?;
        session.report_in(&mut tx).await?;
        store::crawl_memory::put_known_files(&mut tx, &location.bucket, &known).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn object(location: &Location, tree: &Tree, (folder, file): FileAt) -> Option<ObjectToRead> {
    let folder = &tree.folders[folder];
    let file = folder.file(file)?;
    Some(ObjectToRead {
        bucket: location.bucket.clone(),
        key: folder.key(&file),
        etag: file.etag.to_owned(),
        size: file.size,
        last_modified: chrono::DateTime::from_timestamp_micros(file.modified).unwrap_or_default(),
    })
}
