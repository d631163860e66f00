//! What a table is made of: the objects that are its data now. One rule for whoever reads it.
//!
//! Data is what [`data_files`] says it is, and of outputs what is whole. An object belongs to the partition in whose folder
//! it lies, to the innermost where folders are nested; one that lies in no registered partition is no part of the table.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt};

use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::error::{Error, Result};
use crate::model::data_files::{self, is_data};
use crate::model::location::Location;
use crate::model::page::{MAX_LIMIT, PageRequest};
use crate::model::table::{StorageDescriptor, Table};
use crate::store;

/// How often a listing is made anew because an output changed meanwhile.
const LISTINGS: usize = 20;
/// How many objects a table's folder may have for each partition before the partitions are listed one by one instead: a
/// page of a listing has as many.
const OBJECTS_PER_LISTING: usize = 1_000;
/// How many folders are listed at the same time.
const FOLDERS_AT_ONCE: usize = 8;

/// A part of a table: a partition, or all of a table that has none.
#[derive(Clone, Debug)]
pub struct Part {
    /// The values of the partition keys.
    pub values: BTreeMap<String, String>,
    /// How it is stored; as the table where it says nothing of its own.
    pub storage: StorageDescriptor,
}

/// An object of a table.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// The bucket that it is in.
    pub bucket: String,
    /// The object.
    pub object: ObjectMeta,
    /// The place of its part among the table's.
    pub part: usize,
}

/// What a table is made of.
#[derive(Clone, Debug, Default)]
pub struct TableFiles {
    /// Its parts, in the order of the catalog.
    pub parts: Vec<Part>,
    /// Their objects, part by part, in the order of their keys.
    pub files: Vec<DataFile>,
}

/// The objects that a table is made of now.
///
/// # Errors
/// Invalid, by name, for a table whose folder isn't the whole truth (Iceberg, Delta Lake, Hudi), one of another database,
/// and one without a location; NotFound where its bucket isn't there; Unavailable where a store can't be asked.
pub async fn of(app: &App, table: &Table) -> Result<TableFiles> {
    check_readable(table)?;
    let parts = parts_of(app, table).await?;
    let folders = parts
        .iter()
        .map(|part| location_of(table, &part.storage))
        .collect::<Result<Vec<_>>>()?;
    let root = table.input.storage.clone().unwrap_or_default().location;
    let root = root.and_then(|root| Some(Location::parse(&root).ok()?.as_folder()));
    let listings = match root {
        Some(root) if folders.len() > 1 && folders.iter().all(|folder| is_within(folder, &root)) => {
            let most = OBJECTS_PER_LISTING * folders.len();
            match visible_up_to(app, &root.bucket, &root.key, most).await? {
                Some(objects) => vec![(root.bucket.clone(), objects)],
                None => list_each(app, &folders).await?,
            }
        }
        _ => list_each(app, &folders).await?,
    };
    let mut files = assigned(&folders, listings);
    files.sort_by(|a, b| (a.part, &a.object.key).cmp(&(b.part, &b.object.key)));
    files.dedup_by(|a, b| (a.part, &a.bucket, &a.object.key) == (b.part, &b.bucket, &b.object.key));
    Ok(TableFiles { parts, files })
}

fn check_readable(table: &Table) -> Result<()> {
    let name = table.name();
    if let Some(connection) = table.input.connection() {
        return Err(Error::invalid(format!(
            "table {name} is in the database that connection {connection} leads to, and only files can be queried"
        ))
        .hint("ask the database itself"));
    }
    match data_files::table_format(&table.input) {
        None => Ok(()),
        Some(format) => Err(Error::invalid(format!(
            "table {name} is a table of {format}, whose files are not all its rows: it can't be read here yet"
        ))
        .hint("read it with an engine that knows the format, such as Spark, Trino, DuckDB or PyIceberg")),
    }
}

async fn parts_of(app: &App, table: &Table) -> Result<Vec<Part>> {
    let storage = table.input.storage.clone().unwrap_or_default();
    if table.input.partition_keys.is_empty() {
        return Ok(vec![Part {
            values: BTreeMap::new(),
            storage,
        }]);
    }
    let mut parts = Vec::new();
    let mut page = PageRequest::first(MAX_LIMIT);
    loop {
        let mut tx = app.store.read().await?;
        let partitions = store::partitions::list(&mut tx, table, &page).await?;
        drop(tx);
        for partition in partitions.items {
            let keys = table.input.partition_keys.iter().map(|key| key.name.clone());
            parts.push(Part {
                values: keys.zip(partition.values().to_vec()).collect(),
                storage: partition.storage().unwrap_or_else(|| storage.clone()),
            });
        }
        match partitions.next {
            Some(next) => page.after = Some(next),
            None => return Ok(parts),
        }
    }
}

fn location_of(table: &Table, storage: &StorageDescriptor) -> Result<Location> {
    match &storage.location {
        Some(location) => Location::parse(location),
        None => Err(Error::invalid(format!("table {} has no location", table.name()))),
    }
}

fn is_within(location: &Location, folder: &Location) -> bool {
    location.bucket == folder.bucket && location.as_folder().key.starts_with(&folder.key)
}

/// Lists every place once. A location without a slash at its end may be one object, or a folder.
async fn list_each(app: &App, places: &[Location]) -> Result<Vec<(String, Vec<ObjectMeta>)>> {
    let mut unique: Vec<&Location> = places.iter().collect();
    unique.sort_by(|a, b| (&a.bucket, &a.key).cmp(&(&b.bucket, &b.key)));
    unique.dedup();
    futures::stream::iter(unique.into_iter().cloned().map(|place| async move {
        let objects = visible(app, &place.bucket, &place.key).await?;
        Ok::<_, Error>((place.bucket, objects))
    }))
    .buffered(FOLDERS_AT_ONCE)
    .try_collect()
    .await
}

/// Says of each object which part it is of.
fn assigned(places: &[Location], listings: Vec<(String, Vec<ObjectMeta>)>) -> Vec<DataFile> {
    // Several partitions may have one folder: each of them has its objects.
    let mut parts: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    for (part, place) in places.iter().enumerate() {
        let folder = (place.bucket.as_str(), place.as_folder().key);
        parts.entry(folder).or_default().push(part);
        if !place.key.ends_with('/') && !place.key.is_empty() {
            parts
                .entry((&place.bucket, place.key.clone()))
                .or_default()
                .push(part);
        }
    }
    let mut files = Vec::new();
    for (bucket, objects) in listings {
        for object in objects.into_iter().filter(|object| object.size > 0) {
            let place = std::iter::once(object.key.as_str())
                .chain(folders_above(&object.key))
                .find_map(|place| Some((place, parts.get(&(bucket.as_str(), place.to_owned()))?)));
            let Some((place, members)) = place else { continue };
            let relative = &object.key[place.len()..];
            // The place may be the object itself.
            let is_object = relative.is_empty() && !place.ends_with('/');
            if !is_object && !is_data(relative) {
                continue;
            }
            files.extend(members.iter().map(|part| DataFile {
                bucket: bucket.clone(),
                object: object.clone(),
                part: *part,
            }));
        }
    }
    files
}

/// `a/b/`, `a/` and the bucket itself, for `a/b/c`.
fn folders_above(key: &str) -> impl Iterator<Item = &str> {
    let slashes = key.rmatch_indices('/').map(|(at, _)| &key[..=at]);
    slashes.chain(std::iter::once(""))
}

/// The objects whose keys begin with `prefix`, as readers by the catalog see them: of an output of several files that is
/// being published, all the old or all the new.
///
/// # Errors
/// As a listing; Unavailable where outputs change faster than they can be listed.
pub async fn visible(app: &App, bucket: &str, prefix: &str) -> Result<Vec<ObjectMeta>> {
    let all = visible_up_to(app, bucket, prefix, usize::MAX).await?;
    Ok(all.unwrap_or_default())
}

/// The same; `None` where there are more than so many.
async fn visible_up_to(
    app: &App,
    bucket: &str,
    prefix: &str,
    most: usize,
) -> Result<Option<Vec<ObjectMeta>>> {
    let mut hidden = hidden(app, bucket, prefix).await?;
    for _ in 0..LISTINGS {
        let Some(mut objects) = list_up_to(app, bucket, prefix, most).await? else {
            return Ok(None);
        };
        let after = self::hidden(app, bucket, prefix).await?;
        if after == hidden {
            objects.retain(|object| {
                hidden
                    .binary_search_by(|(key, _)| key.as_str().cmp(&object.key))
                    .is_err()
            });
            return Ok(Some(objects));
        }
        hidden = after;
    }
    Err(Error::unavailable(format!(
        "the outputs below s3://{bucket}/{prefix} change faster than they can be listed"
    )))
}

async fn list_up_to(app: &App, bucket: &str, prefix: &str, most: usize) -> Result<Option<Vec<ObjectMeta>>> {
    let mut pages = Box::pin(app.buckets.list_pages(bucket, prefix));
    let mut objects = Vec::new();
    while let Some(page) = pages.try_next().await? {
        objects.extend(page);
        if objects.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(objects))
}

async fn hidden(app: &App, bucket: &str, prefix: &str) -> Result<Vec<(String, String)>> {
    let mut tx = app.store.read().await?;
    store::outputs::hidden(&mut tx, bucket, prefix).await
}
