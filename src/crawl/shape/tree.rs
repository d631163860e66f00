//! What a listing came to, held compactly: folders with their files. Pure.
//!
//! - Hidden files and folders (`_` or `.` before the name, `…$folder$`) and folder markers are no data.
//! - A folder with `_delta_log/*.json` or `metadata/*.metadata.json` below it is one table, whatever else is in it.
//!
//! A million files take some hundred bytes each: the names of a folder's files are one text, and its path is kept once.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::model::crawl::SetAside;
use crate::model::data_files::is_hidden_name;
use crate::model::location::Location;

/// How many files that were set aside are named; of more, only how many they are.
pub const MOST_SET_ASIDE: usize = 1000;
/// Where Delta Lake keeps its log (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md>).
const DELTA_LOG: &str = "_delta_log";
/// Where Iceberg keeps its metadata files.
const ICEBERG_METADATA: &str = "metadata";

/// What was found below a target.
#[derive(Debug, Default)]
pub struct Tree {
    /// The target's own folder, as a key: empty, or with `/` at its end.
    pub base: String,
    /// Folders that hold files, in the order of their paths.
    pub folders: Vec<Folder>,
    /// Folders that are tables of a table format.
    pub lakes: Vec<Lake>,
    /// What was left aside.
    pub set_aside: SetAsides,
}

/// A folder with its files; those of the folders below it are not among them.
#[derive(Debug, Default)]
pub struct Folder {
    /// Its key, with `/` at its end; empty for the bucket itself; the file's key where the target is one file.
    pub path: String,
    /// How many files it has.
    pub count: i64,
    /// Their size in bytes, as stored.
    pub bytes: i64,
    text: String,
    entries: Vec<Entry>,
}

/// Where in the folder's text a file's name and entity tag are.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    size: u64,
    modified: i64,
    name: u16,
    etag: u16,
}

/// A file of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name within the folder; empty where the folder is the file.
    pub name: &'a str,
    /// Its entity tag, without quotes.
    pub etag: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, in microseconds since 1970.
    pub modified: i64,
}

/// A folder that is one table of a table format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lake {
    /// Its key, with `/` at its end.
    pub root: String,
    /// Which format.
    pub format: LakeFormat,
    /// How many data files are below it.
    pub count: i64,
    /// Their size in bytes.
    pub bytes: i64,
}

/// A table format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LakeFormat {
    /// Delta Lake.
    Delta,
    /// Apache Iceberg.
    Iceberg(MetadataFile),
}

/// An Iceberg table's newest metadata file. Of several, the greatest is the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataFile {
    version: u64,
    modified: i64,
    /// Its key.
    pub key: String,
    /// Its entity tag.
    pub etag: String,
    /// Size in bytes.
    pub size: u64,
}

impl Folder {
    /// A folder without files.
    pub fn new(path: String) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }

    /// Adds a file.
    pub fn add(&mut self, file: File<'_>) {
        let (Ok(name), Ok(etag)) = (u16::try_from(file.name.len()), u16::try_from(file.etag.len())) else {
            // No store has keys or tags that long.
            return;
        };
        self.entries.push(Entry {
            start: self.text.len(),
            size: file.size,
            modified: file.modified,
            name,
            etag,
        });
        self.text.push_str(file.name);
        self.text.push_str(file.etag);
        self.count += 1;
        self.bytes = self
            .bytes
            .saturating_add(i64::try_from(file.size).unwrap_or(i64::MAX));
    }

    /// The files that are known by name, in the order of their names once the tree is made.
    pub fn files(&self) -> impl ExactSizeIterator<Item = File<'_>> {
        self.entries.iter().map(|entry| self.read(*entry))
    }

    /// The file at this place.
    pub fn file(&self, at: usize) -> Option<File<'_>> {
        self.entries.get(at).map(|entry| self.read(*entry))
    }

    /// The key of a file of this folder.
    pub fn key(&self, file: &File<'_>) -> String {
        format!("{}{}", self.path, file.name)
    }

    /// Whether the target is this one file.
    pub fn is_single_file(&self) -> bool {
        self.entries.len() == 1 && self.entries[0].name == 0
    }

    fn read(&self, entry: Entry) -> File<'_> {
        let name_end = entry.start + usize::from(entry.name);
        File {
            name: &self.text[entry.start..name_end],
            etag: &self.text[name_end..name_end + usize::from(entry.etag)],
            size: entry.size,
            modified: entry.modified,
        }
    }

    fn finish(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        let name = |entry: &Entry| &self.text[entry.start..entry.start + usize::from(entry.name)];
        entries.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        entries.shrink_to_fit();
        self.entries = entries;
        self.text.shrink_to_fit();
    }
}

/// What was left aside, by path; the first thousand, and the number of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetAsides {
    listed: BTreeSet<(String, String)>,
    others: usize,
}

impl SetAsides {
    /// Leaves a file aside.
    pub fn add(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.listed.insert((path.into(), reason.into()));
        if self.listed.len() > MOST_SET_ASIDE {
            self.listed.pop_last();
            self.others += 1;
        }
    }

    /// Takes over what was left aside elsewhere.
    pub fn extend(&mut self, other: Self) {
        for (path, reason) in other.listed {
            self.add(path, reason);
        }
        self.others += other.others;
    }

    /// In the order of the paths; a last line tells of those that are not listed.
    pub fn into_list(self) -> Vec<SetAside> {
        let mut list: Vec<SetAside> = self
            .listed
            .into_iter()
            .map(|(path, reason)| SetAside { path, reason })
            .collect();
        if self.others > 0 {
            list.push(SetAside {
                path: format!("{} more files", self.others),
                reason: "not listed here, for want of room".to_owned(),
            });
        }
        list
    }
}

/// Makes a tree of objects, in whatever order they come.
#[derive(Debug)]
pub struct Builder {
    target: Location,
    base: String,
    exclusions: Vec<Regex>,
    folders: BTreeMap<String, Folder>,
    deltas: BTreeSet<String>,
    icebergs: BTreeMap<String, MetadataFile>,
    set_aside: SetAsides,
}

impl Builder {
    /// For the objects at or below `target`, those left out that a glob matches.
    pub fn new(target: &Location, exclusions: Vec<Regex>) -> Self {
        Self {
            base: target.as_folder().key,
            target: target.clone(),
            exclusions,
            folders: BTreeMap::new(),
            deltas: BTreeSet::new(),
            icebergs: BTreeMap::new(),
            set_aside: SetAsides::default(),
        }
    }

    /// Adds an object.
    pub fn add(&mut self, key: &str, file: File<'_>) {
        if key == self.target.key && !key.is_empty() && !key.ends_with('/') {
            let mut folder = Folder::new(key.to_owned());
            folder.add(File { name: "", ..file });
            if file.size > 0 {
                self.folders.insert(key.to_owned(), folder);
            } else {
                self.note_empty(key);
            }
            return;
        }
        let Some(relative) = key.strip_prefix(&self.base) else {
            return;
        };
        if self.exclusions.iter().any(|glob| glob.is_match(relative)) {
            return;
        }
        if let Some(root) = delta_root(key, relative) {
            self.deltas.insert(root.to_owned());
        }
        if is_hidden(relative) {
            return;
        }
        if file.size == 0 {
            // A folder's marker is not a file that somebody expects to see.
            if !key.ends_with('/') {
                self.note_empty(key);
            }
            return;
        }
        if let Some((root, metadata)) = iceberg_metadata(key, &file) {
            let newest = self
                .icebergs
                .entry(root.to_owned())
                .or_insert_with(|| metadata.clone());
            *newest = metadata.max(newest.clone());
        }
        let (path, name) = key.rfind('/').map_or(("", key), |slash| key.split_at(slash + 1));
        if !self.folders.contains_key(path) {
            self.folders.insert(path.to_owned(), Folder::new(path.to_owned()));
        }
        if let Some(folder) = self.folders.get_mut(path) {
            folder.add(File { name, ..file });
        }
    }

    /// Adds a folder as an earlier crawl knew it, in the place of what is known of it.
    pub fn add_remembered(&mut self, folder: Folder) {
        self.folders.insert(folder.path.clone(), folder);
    }

    /// Whether a folder of this path has files.
    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.contains_key(path)
    }

    /// Says that an object is empty.
    fn note_empty(&mut self, key: &str) {
        self.set_aside.add(
            self.target.with_key(key).to_string(),
            "the object is empty: it has 0 bytes",
        );
    }

    /// The tree of all that was added.
    pub fn finish(mut self) -> Tree {
        let mut lakes = Vec::new();
        let formats = self
            .icebergs
            .into_iter()
            .map(|(root, newest)| (root, LakeFormat::Iceberg(newest)))
            .chain(
                std::mem::take(&mut self.deltas)
                    .into_iter()
                    .map(|root| (root, LakeFormat::Delta)),
            );
        let by_root: BTreeMap<String, LakeFormat> = formats.collect();
        for (root, format) in by_root {
            // What lies within a table is the table's.
            if lakes.iter().any(|lake: &Lake| root.starts_with(&lake.root)) {
                continue;
            }
            let mut lake = Lake {
                root,
                format,
                count: 0,
                bytes: 0,
            };
            let log = format!("{}{ICEBERG_METADATA}/", lake.root);
            self.folders.retain(|path, folder| {
                let is_within = path.starts_with(&lake.root);
                if is_within && !path.starts_with(&log) {
                    lake.count += folder.count;
                    lake.bytes += folder.bytes;
                }
                !is_within
            });
            lakes.push(lake);
        }
        let mut folders: Vec<Folder> = self.folders.into_values().collect();
        folders.iter_mut().for_each(Folder::finish);
        Tree {
            base: self.base,
            folders,
            lakes,
            set_aside: self.set_aside,
        }
    }
}

fn is_hidden(relative: &str) -> bool {
    relative.split('/').any(is_hidden_name)
}

/// The folder that is a Delta table, where the key is one of its log's.
fn delta_root<'a>(key: &'a str, relative: &str) -> Option<&'a str> {
    let (folder, name) = key.rsplit_once('/')?;
    let root = folder.strip_suffix(DELTA_LOG)?;
    let above = relative.strip_suffix(name)?.strip_suffix('/')?;
    let is_root = root.is_empty() || root.ends_with('/');
    let is_seen = !is_hidden(above.strip_suffix(DELTA_LOG).unwrap_or(above));
    (is_root && is_seen && name.ends_with(".json")).then_some(root)
}

/// The folder that is an Iceberg table, where the key is a metadata file of it: `metadata/00003-….metadata.json` or
/// `metadata/v3.metadata.json`.
fn iceberg_metadata<'a>(key: &'a str, file: &File<'_>) -> Option<(&'a str, MetadataFile)> {
    let (folder, name) = key.rsplit_once('/')?;
    let root = folder.strip_suffix(ICEBERG_METADATA)?;
    let is_metadata = name.ends_with(".metadata.json") || name.ends_with(".metadata.json.gz");
    if !is_metadata || !(root.is_empty() || root.ends_with('/')) {
        return None;
    }
    let digits: String = name
        .trim_start_matches('v')
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let metadata = MetadataFile {
        version: digits.parse().unwrap_or(0),
        modified: file.modified,
        key: key.to_owned(),
        etag: file.etag.to_owned(),
        size: file.size,
    };
    Some((root, metadata))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn tree(target: &str, keys: &[&str]) -> Tree {
        let mut builder = Builder::new(&Location::parse(target).unwrap(), Vec::new());
        for key in keys {
            let file = File {
                name: "",
                etag: "e",
                size: 10,
                modified: 0,
            };
            builder.add(key, file);
        }
        builder.finish()
    }

    #[test]
    fn what_is_hidden_is_no_data_and_folders_come_in_order() {
        let keys = [
            "t/b.csv",
            "t/_SUCCESS",
            "t/a.csv",
            "t/_temporary/0/x",
            "t/.x.crc",
            "t_$folder$",
            "t/_k=1/a",
            "s/x",
        ];
        let tree = tree("s3://lake/", &keys);
        let shown: Vec<String> = tree
            .folders
            .iter()
            .map(|folder| {
                let names: Vec<&str> = folder.files().map(|file| file.name).collect();
                format!("{} {}", folder.path, names.join(","))
            })
            .collect();
        assert_eq!(shown, ["s/ x", "t/ a.csv,b.csv", "t/_k=1/ a"]);
        assert_eq!(tree.folders[1].file(1).unwrap().etag, "e");
    }

    #[test]
    fn a_lake_table_is_one_thing() {
        let keys = [
            "w/ice/data/00000-0.parquet",
            "w/ice/metadata/00000-aa.metadata.json",
            "w/ice/metadata/00002-bb.metadata.json",
            "w/ice/metadata/snap-1.avro",
            "w/delta/_delta_log/00000000000000000000.json",
            "w/delta/part-0.parquet",
            "w/delta/d=1/part-0.parquet",
            "w/plain/metadata/x.json",
        ];
        let tree = tree("s3://lake/w/", &keys);
        let paths: Vec<&str> = tree.folders.iter().map(|folder| folder.path.as_str()).collect();
        assert_eq!(paths, ["w/plain/metadata/"]);
        assert_eq!(
            (tree.lakes[0].root.as_str(), tree.lakes[0].count),
            ("w/delta/", 2)
        );
        match &tree.lakes[1].format {
            LakeFormat::Iceberg(newest) => assert!(newest.key.ends_with("00002-bb.metadata.json")),
            LakeFormat::Delta => panic!("it is Iceberg"),
        }
        assert_eq!(tree.lakes[1].count, 1);
    }
}
