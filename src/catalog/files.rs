//! What a table is made of: the objects that are its data now. One rule for whoever reads it.
//!
//! Data is what [`data_files`] says it is, and of outputs what is whole. An object belongs to the partition in whose folder
//! it lies, to the innermost where folders are nested; one that lies in no registered partition is no part of the table.

use std::collections::{BTreeMap, HashMap, VecDeque};

use futures::{StreamExt, TryStreamExt};
use regex::Regex;

use super::listing::{Range, visible, visible_in};
use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::error::{Error, Result};
use crate::model::data_files::{self, is_data};
use crate::model::globs;
use crate::model::location::Location;
use crate::model::partition::expression::Expression;
use crate::model::partition::key::{KeyRange, KeyType};
use crate::model::table::{StorageDescriptor, Table};
use crate::store;

/// How many objects may lie between partitions for each of them before they are listed one by one instead: a page of a
/// listing has as many.
const OBJECTS_PER_LISTING: usize = 1_000;
/// How many folders are listed at the same time.
const FOLDERS_AT_ONCE: usize = 8;
/// How many partitions are looked up for the first page, and for each later one at the most: the first rows come soon, and
/// all of them with few requests.
const FIRST_PARTITIONS: u32 = 16;
const MOST_PARTITIONS: u32 = 1_000;
/// By how much each page is larger than the one before.
const GROWTH: u32 = 8;
/// The largest manifest of links, in bytes.
const MAX_MANIFEST: u64 = 16 << 20;

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
    /// The place of its part on the page.
    pub part: usize,
}

/// Some of what a table is made of.
#[derive(Clone, Debug, Default)]
pub struct FilesOfTable {
    /// Some of its parts, in the order of the catalog.
    pub parts: Vec<Part>,
    /// Their objects, part by part, in the order of their keys.
    pub files: Vec<DataFile>,
    /// What lies there and is no part of it, and why.
    pub left_out: Vec<String>,
}

/// Which partitions are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What the catalog's order of partitions tells.
    pub expression: Option<Expression>,
    /// What has to be asked of each one's values.
    pub bounds: Vec<Bound>,
}

/// A bound on a partition key that is compared as something else than the catalog orders it by. A value that is nothing of
/// that kind is within.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The key's place.
    pub place: usize,
    /// As what it is compared.
    pub key_type: KeyType,
    /// The least of the values, in the form that sorts; absent where there is none.
    pub from: Option<String>,
    /// The greatest.
    pub to: Option<String>,
}

impl Bound {
    fn holds(&self, values: &[String]) -> bool {
        let value = values
            .get(self.place)
            .and_then(|value| self.key_type.sortable(value));
        value.is_none_or(|value| {
            self.from.as_ref().is_none_or(|from| *from <= value)
                && self.to.as_ref().is_none_or(|to| value <= *to)
        })
    }
}

/// The objects that a table is made of now, some partitions at a time: nothing is listed before it is asked for.
pub struct TablePages {
    app: App,
    table: Table,
    asked: Asked,
    ranges: VecDeque<KeyRange>,
    partitions: u32,
    is_done: bool,
    rules: Rules,
}

impl TablePages {
    /// # Errors
    /// Invalid, by name, for a table whose folder isn't the whole truth (Iceberg, Delta Lake, Hudi), one of another
    /// database, one with projected partitions, and one without a location.
    pub fn of(app: &App, table: &Table, asked: Asked) -> Result<Self> {
        check_readable(table)?;
        let ranges = match &asked.expression {
            Some(expression) => expression.ranges(),
            None => vec![KeyRange::all()],
        };
        Ok(Self {
            app: app.clone(),
            table: table.clone(),
            asked,
            ranges: ranges.into(),
            partitions: FIRST_PARTITIONS,
            is_done: false,
            rules: Rules::of(table)?,
        })
    }

    /// Whether there are no more.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next of them.
    ///
    /// # Errors
    /// NotFound where a bucket isn't there; Unavailable where a store can't be asked.
    pub async fn next(&mut self) -> Result<FilesOfTable> {
        let parts = match self.table.input.partition_keys.is_empty() {
            true => {
                self.is_done = true;
                let storage = self.table.input.storage.clone().unwrap_or_default();
                vec![Part {
                    values: BTreeMap::new(),
                    storage,
                }]
            }
            false => self.next_parts().await?,
        };
        self.files_of(parts).await
    }

    async fn next_parts(&mut self) -> Result<Vec<Part>> {
        let storage = self.table.input.storage.clone().unwrap_or_default();
        let keys: Vec<String> = self
            .table
            .input
            .partition_keys
            .iter()
            .map(|key| key.name.to_lowercase())
            .collect();
        let mut parts = Vec::new();
        let mut tx = self.app.store.read().await?;
        while let Some(range) = self.ranges.front_mut() {
            let wanted = i64::from(self.partitions);
            let some = store::partitions::list_range(&mut tx, &self.table.id, range, wanted).await?;
            let is_last = (some.len() as i64) < wanted;
            if let Some((key, _)) = some.last() {
                range.from = store::partitions::behind(key);
            }
            if is_last {
                self.ranges.pop_front();
            }
            for (_, partition) in some {
                if self.asked.holds(partition.values()) {
                    parts.push(Part {
                        values: keys.iter().cloned().zip(partition.values().to_vec()).collect(),
                        storage: partition.storage().unwrap_or_else(|| storage.clone()),
                    });
                }
            }
            if parts.len() >= self.partitions as usize {
                break;
            }
            // What is passed over costs little, and is passed over in large steps.
            self.partitions = (self.partitions * GROWTH).min(MOST_PARTITIONS);
        }
        self.partitions = (self.partitions * GROWTH).min(MOST_PARTITIONS);
        self.is_done = self.ranges.is_empty();
        Ok(parts)
    }

    async fn files_of(&mut self, parts: Vec<Part>) -> Result<FilesOfTable> {
        if parts.is_empty() {
            return Ok(FilesOfTable::default());
        }
        let folders = parts
            .iter()
            .map(|part| location_of(&self.table, &part.storage))
            .collect::<Result<Vec<_>>>()?;
        let links = |part: &Part| {
            let reader = part.storage.input_format.as_deref().unwrap_or_default();
            reader.ends_with("SymlinkTextInputFormat")
        };
        let mut found = FilesOfTable::default();
        if parts.iter().any(links) {
            for (part, folder) in folders.iter().enumerate() {
                found.files.extend(linked(&self.app, folder, part).await?);
            }
        } else {
            let listings = match listed_together(&self.app, &folders).await? {
                Some(listing) => vec![listing],
                None => list_each(&self.app, &folders).await?,
            };
            found.files = assigned(&folders, listings);
            self.rules
                .apply(&self.app, &self.table, &folders, &mut found)
                .await?;
        }
        found
            .files
            .sort_by(|a, b| (a.part, &a.object.key).cmp(&(b.part, &b.object.key)));
        found
            .files
            .dedup_by(|a, b| (a.part, &a.bucket, &a.object.key) == (b.part, &b.bucket, &b.object.key));
        found.parts = parts;
        Ok(found)
    }
}

impl Asked {
    fn holds(&self, values: &[String]) -> bool {
        self.expression
            .as_ref()
            .is_none_or(|expression| expression.holds(values))
            && self.bounds.iter().all(|bound| bound.holds(values))
    }
}

/// What of a folder is no part of a table, beside hidden names: what the crawl was told to leave out, what it set aside,
/// and folders that it made tables of their own.
struct Rules {
    /// By a bucket, what the keys of excluded objects are like.
    exclusions: Vec<(String, Regex)>,
    /// What a crawl remembers of the table; read when the first file that it may matter for is there.
    crawled: Option<Option<Crawled>>,
}

struct Crawled {
    set_aside: BTreeMap<String, String>,
    /// Folders of tables that lie inside; read when the first file of a subfolder is there.
    inner: Option<Vec<Location>>,
}

impl Rules {
    fn of(table: &Table) -> Result<Self> {
        let written = table.input.parameters.get("exclusions");
        let written: Vec<String> = written
            .and_then(|list| serde_json::from_str(list).ok())
            .unwrap_or_default();
        let mut exclusions = Vec::new();
        for glob in &written {
            // As the crawl writes them: the target's path with the glob behind it.
            let Ok(place) = Location::parse(glob) else {
                continue;
            };
            let Ok(regexes) = globs::exclusions(std::slice::from_ref(&place.key)) else {
                continue;
            };
            exclusions.extend(regexes.into_iter().map(|regex| (place.bucket.clone(), regex)));
        }
        Ok(Self {
            exclusions,
            crawled: None,
        })
    }

    async fn apply(
        &mut self,
        app: &App,
        table: &Table,
        folders: &[Location],
        found: &mut FilesOfTable,
    ) -> Result<()> {
        found.files.retain(|file| {
            let is_excluded = |(bucket, regex): &(String, Regex)| {
                *bucket == file.bucket && regex.is_match(&file.object.key)
            };
            !self.exclusions.iter().any(is_excluded)
        });
        if self.crawled.is_none() {
            let mut tx = app.store.read().await?;
            let crawled = store::crawl_memory::table(&mut tx, &table.id).await?;
            self.crawled = Some(crawled.map(|crawled| Crawled {
                set_aside: crawled.set_aside.into_iter().collect(),
                inner: None,
            }));
        }
        let Some(Some(crawled)) = &mut self.crawled else {
            return Ok(());
        };
        let is_deep = |file: &DataFile| {
            let folder = folders[file.part].as_folder().key;
            file.object
                .key
                .strip_prefix(&folder)
                .is_some_and(|below| below.contains('/'))
        };
        if crawled.inner.is_none() && found.files.iter().any(is_deep) {
            crawled.inner = Some(inner_tables(app, table).await?);
        }
        let left_out = &mut found.left_out;
        found.files.retain(|file| {
            let place = format!("s3://{}/{}", file.bucket, file.object.key);
            if let Some(why) = crawled.set_aside.get(&place) {
                left_out.push(format!("{place}: {why}"));
                return false;
            }
            let is_in =
                |folder: &Location| folder.bucket == file.bucket && file.object.key.starts_with(&folder.key);
            !crawled.inner.iter().flatten().any(is_in)
        });
        Ok(())
    }
}

/// The folders inside of a crawled table's that crawls made tables of.
async fn inner_tables(app: &App, table: &Table) -> Result<Vec<Location>> {
    let Some(root) = root_of(table) else {
        return Ok(Vec::new());
    };
    let mut tx = app.store.read().await?;
    let near = store::tables::near(&mut tx, &root.bucket, &root.key).await?;
    let mut inner = Vec::new();
    for other in near {
        let Some(folder) = root_of(&other) else { continue };
        let is_inside =
            folder.bucket == root.bucket && folder.key.starts_with(&root.key) && folder.key != root.key;
        if is_inside && store::crawl_memory::table(&mut tx, &other.id).await?.is_some() {
            inner.push(folder);
        }
    }
    Ok(inner)
}

fn root_of(table: &Table) -> Option<Location> {
    let location = table.input.storage.as_ref()?.location.as_ref()?;
    Some(Location::parse(location).ok()?.as_folder())
}

/// Whether a table can be read by its files.
///
/// # Errors
/// Invalid, by name, where it can't.
pub fn check_readable(table: &Table) -> Result<()> {
    let name = table.name();
    if let Some(connection) = table.input.connection() {
        return Err(Error::invalid(format!(
            "table {name} is in the database that connection {connection} leads to, and only files can be queried"
        ))
        .hint("ask the database itself"));
    }
    let is_projected = table.input.parameters.get("projection.enabled");
    if is_projected.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(Error::invalid(format!(
            "table {name} has no partitions in the catalog, because Athena projects them (projection.enabled): it can't \
             be read here yet"
        ))
        .hint("register its partitions, as a crawl does, and set projection.enabled to false"));
    }
    match data_files::table_format(&table.input) {
        None => Ok(()),
        Some(format) => Err(Error::invalid(format!(
            "table {name} is a table of {format}, whose files are not all its rows: it can't be read here yet"
        ))
        .hint("read it with an engine that knows the format, such as Spark, Trino, DuckDB or PyIceberg")),
    }
}

fn location_of(table: &Table, storage: &StorageDescriptor) -> Result<Location> {
    match &storage.location {
        Some(location) => Location::parse(location),
        None => Err(Error::invalid(format!("table {} has no location", table.name()))),
    }
}

/// The objects of folders that lie near one another, by one listing; `None` where too much lies between them.
async fn listed_together(app: &App, folders: &[Location]) -> Result<Option<(String, Vec<ObjectMeta>)>> {
    let [first, rest @ ..] = folders else {
        return Ok(None);
    };
    if rest.is_empty() || rest.iter().any(|folder| folder.bucket != first.bucket) {
        return Ok(None);
    }
    let keys = || folders.iter().map(|folder| folder.key.as_str());
    let (least, greatest) = (keys().min().unwrap_or_default(), keys().max().unwrap_or_default());
    let common = least
        .char_indices()
        .zip(greatest.chars())
        .find(|((_, a), b)| a != b)
        .map_or(least.len().min(greatest.len()), |((at, _), _)| at);
    let prefix = &least[..least[..common].rfind('/').map_or(0, |slash| slash + 1)];
    // Behind it, the least folder's objects begin.
    let after = least.trim_end_matches('/');
    let range = Range {
        after: (after.len() > prefix.len()).then_some(after),
        until: Some(greatest),
        most: OBJECTS_PER_LISTING * folders.len(),
    };
    let listed = visible_in(app, &first.bucket, prefix, &range).await?;
    Ok(listed.map(|objects| (first.bucket.clone(), objects)))
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

/// The objects that the manifests of a folder name: a table of Hive's `SymlinkTextInputFormat` lists its files in text files,
/// a location a line.
async fn linked(app: &App, folder: &Location, part: usize) -> Result<Vec<DataFile>> {
    let mut files = Vec::new();
    for manifest in visible(app, &folder.bucket, &folder.as_folder().key).await? {
        let relative = &manifest.key[folder.as_folder().key.len()..];
        if manifest.size == 0 || !is_data(relative) {
            continue;
        }
        let name = format!("s3://{}/{}", folder.bucket, manifest.key);
        if manifest.size > MAX_MANIFEST {
            return Err(Error::limit(format!(
                "the manifest {name} is larger than {} MiB",
                MAX_MANIFEST >> 20
            )));
        }
        let text = app
            .buckets
            .get_range(
                &folder.bucket,
                &manifest.key,
                0..manifest.size,
                Some(&manifest.etag),
            )
            .await?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let places = lines.map(Location::parse).collect::<Result<Vec<_>>>();
        let places = places.map_err(|error| error.within(&name))?;
        let found: Vec<DataFile> = futures::stream::iter(places)
            .map(|place| async move {
                let object = app.buckets.head(&place.bucket, &place.key).await?;
                let object = object.ok_or_else(|| {
                    Error::not_found(format!("{place}, which a manifest of links names, isn't there"))
                })?;
                Ok::<_, Error>(DataFile {
                    bucket: place.bucket,
                    object,
                    part,
                })
            })
            .buffered(FOLDERS_AT_ONCE)
            .try_collect()
            .await?;
        files.extend(found);
    }
    files.retain(|file| file.object.size > 0);
    Ok(files)
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
