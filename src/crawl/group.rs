//! From keys to folders of tables, and which of their files are looked at. Pure.
//!
//! - Hidden files and folders (`_` or `.` before the name, `…$folder$`) and folder markers are no data.
//! - `key=value` folders are partitions of the folder above the first of them; so are folders that are dates
//!   (`2022/01/31`, `2022-01`), whose keys have no names: `partition_0`, `partition_1`.
//! - Otherwise the files of one folder are one table.

use std::collections::BTreeMap;

use regex::Regex;

use crate::buckets::ObjectMeta;
use crate::error::{Error, Result};
use crate::model::crawl::SetAside;
use crate::model::location::{Location, partition_of_segment};

/// How many files of a folder are looked at.
const SAMPLES: usize = 200;

/// A folder that becomes a table, or several.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its key, with `/` at the end; empty for the bucket itself.
    pub root: String,
    /// The file alone, where the target is one.
    pub single_file: bool,
    /// The names of its partition keys, outermost first.
    pub partition_keys: Vec<String>,
    /// Its files in the order of their keys.
    pub files: Vec<DataFile>,
}

/// A file of a folder.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// The object.
    pub object: ObjectMeta,
    /// The values of the partition keys.
    pub partition: Vec<String>,
    /// The folder of its partition; the root where there are no partitions.
    pub folder: String,
}

/// What a listing came to.
#[derive(Debug, Default)]
pub struct Grouped {
    /// Folders by their keys.
    pub folders: Vec<Folder>,
    /// What was left aside.
    pub set_aside: Vec<SetAside>,
}

/// Reads globs, which are relative to the target's path.
///
/// # Errors
/// Invalid where one is no glob.
pub fn exclusions(globs: &[String]) -> Result<Vec<Regex>> {
    globs.iter().map(|glob| glob_regex(glob)).collect()
}

/// Glue's globs (developer guide, "Include and exclude patterns"): `*`, `**`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\`.
fn glob_regex(glob: &str) -> Result<Regex> {
    let bad = |what: &str| Error::invalid(format!("the exclusion '{glob}' is not a glob: {what}"));
    let mut source = String::from("(?s)^");
    let mut chars = glob.chars().peekable();
    let mut in_braces = false;
    while let Some(next) = chars.next() {
        match next {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                source.push_str(".*");
            }
            '*' => source.push_str("[^/]*"),
            '?' => source.push_str("[^/]"),
            '\\' => {
                let escaped = chars.next().ok_or_else(|| bad("it ends with \\"))?;
                source.push_str(&regex::escape(&escaped.to_string()));
            }
            '{' if in_braces => return Err(bad("{ inside { }")),
            '{' => {
                in_braces = true;
                source.push_str("(?:");
            }
            '}' if in_braces => {
                in_braces = false;
                source.push(')');
            }
            ',' if in_braces => source.push('|'),
            '[' => source.push_str(&bracket(&mut chars).ok_or_else(|| bad("[ without ]"))?),
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    if in_braces {
        return Err(bad("{ without }"));
    }
    source.push('$');
    Regex::new(&source).map_err(|cause| bad(&cause.to_string()))
}

fn bracket(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut set = String::from("[");
    if chars.peek() == Some(&'!') {
        chars.next();
        set.push('^');
    }
    let mut is_first = true;
    loop {
        match chars.next()? {
            ']' if !is_first => break,
            '-' if is_first => set.push_str("\\-"),
            '-' => set.push('-'),
            other => set.push_str(&regex::escape(&other.to_string())),
        }
        is_first = false;
    }
    set.push(']');
    Some(set)
}

/// Groups the objects of a target.
pub fn group(target: &Location, objects: Vec<ObjectMeta>, exclusions: &[Regex]) -> Grouped {
    let base = target.as_folder().key;
    let mut folders: BTreeMap<(String, Vec<String>), Folder> = BTreeMap::new();
    let mut set_aside = Vec::new();
    for object in objects {
        let is_target = object.key == target.key && !target.key.is_empty();
        let relative = if is_target {
            ""
        } else {
            object.key.strip_prefix(&base).unwrap_or(&object.key)
        };
        if is_hidden(relative) || exclusions.iter().any(|glob| glob.is_match(relative)) {
            continue;
        }
        if object.size == 0 {
            // A folder's marker is not a file that somebody expects to see.
            if !object.key.ends_with('/') {
                let path = target.with_key(&object.key).to_string();
                set_aside.push(SetAside {
                    path,
                    reason: "the object is empty: it has 0 bytes".to_owned(),
                });
            }
            continue;
        }
        let place = if is_target {
            Place::of_single_file(&object.key)
        } else {
            Place::of(&base, &object.key)
        };
        let folder = folders
            .entry((place.root.clone(), place.keys.clone()))
            .or_insert_with(|| Folder {
                root: place.root,
                single_file: is_target,
                partition_keys: place.keys,
                files: Vec::new(),
            });
        folder.files.push(DataFile {
            object,
            partition: place.values,
            folder: place.folder,
        });
    }
    Grouped {
        folders: folders.into_values().collect(),
        set_aside,
    }
}

fn is_hidden(relative: &str) -> bool {
    relative.ends_with("$folder$")
        || relative.split('/').any(|segment| {
            // `_year=2022` is a partition whose key begins with `_`.
            segment.starts_with('.') || segment.starts_with('_') && partition_of_segment(segment).is_none()
        })
}

/// Where a file belongs.
struct Place {
    root: String,
    keys: Vec<String>,
    values: Vec<String>,
    folder: String,
}

impl Place {
    fn of_single_file(key: &str) -> Self {
        Self {
            root: key.to_owned(),
            keys: Vec::new(),
            values: Vec::new(),
            folder: key.to_owned(),
        }
    }

    fn of(base: &str, key: &str) -> Self {
        let parent = key.rfind('/').map_or("", |slash| &key[..=slash]);
        let below = parent.strip_prefix(base).unwrap_or("");
        let segments: Vec<&str> = below.split_terminator('/').collect();
        let first = first_partition(&segments);
        let last = segments[first..]
            .iter()
            .position(|segment| partition_of_segment(segment).is_none() && !is_date_part(segment))
            .map_or(segments.len(), |count| first + count);
        let join = |until: usize| {
            segments[..until]
                .iter()
                .fold(base.to_owned(), |key, segment| format!("{key}{segment}/"))
        };
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (depth, segment) in segments[first..last].iter().enumerate() {
            let (name, value) = partition_of_segment(segment)
                .unwrap_or_else(|| (format!("partition_{depth}"), (*segment).to_owned()));
            keys.push(name);
            values.push(value);
        }
        Self {
            root: join(first),
            keys,
            values,
            folder: join(last),
        }
    }
}

/// Where partitions begin: at the first `key=value` folder, or where the rest of the folders are a date.
fn first_partition(segments: &[&str]) -> usize {
    if let Some(first) = segments
        .iter()
        .position(|segment| partition_of_segment(segment).is_some())
    {
        return first;
    }
    let is_year = |segment: &&str| segment.len() >= 4 && is_date_part(segment);
    segments
        .iter()
        .position(is_year)
        .filter(|first| segments[*first..].iter().all(|segment| is_date_part(segment)))
        .unwrap_or(segments.len())
}

/// `2022`, `01`, `2022-01`, `2022-01-31`, `20220131`.
fn is_date_part(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let dashes = segment.bytes().filter(|byte| *byte == b'-').count();
    if digits + dashes != segment.len() {
        return false;
    }
    let year = || {
        segment
            .get(..4)
            .and_then(|year| year.parse::<u32>().ok())
            .is_some_and(|year| (1900..2200).contains(&year))
    };
    match (digits, dashes) {
        (2, 0) => segment.parse::<u32>().is_ok_and(|part| part <= 59),
        (4 | 6 | 8, 0) => year(),
        (6, 1) | (8, 2) => year() && segment.as_bytes()[4] == b'-',
        _ => false,
    }
}

/// Which files of each folder are looked at: all of a few, and of many the first, the last, and those evenly between.
pub fn samples(folders: &[Folder]) -> Vec<ObjectMeta> {
    folders
        .iter()
        .flat_map(|folder| {
            let count = folder.files.len();
            let wanted = count.min(SAMPLES);
            (0..wanted)
                .map(move |n| {
                    if wanted < 2 {
                        n
                    } else {
                        n * (count - 1) / (wanted - 1)
                    }
                })
                .map(|n| &folder.files[n])
        })
        .map(|file| file.object.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(target: &str, keys: &[&str]) -> Vec<String> {
        let objects = keys
            .iter()
            .map(|key| ObjectMeta {
                key: (*key).to_owned(),
                size: 1,
                etag: String::new(),
                last_modified: chrono::DateTime::UNIX_EPOCH,
                content_type: None,
                metadata: Vec::new(),
            })
            .collect();
        let found = group(
            &Location::parse(target).unwrap(),
            objects,
            &exclusions(&["skip/**".to_owned()]).unwrap(),
        );
        found
            .folders
            .iter()
            .map(|folder| {
                let values: Vec<String> = folder.files.iter().map(|file| file.partition.join("/")).collect();
                format!(
                    "{} [{}] {}",
                    folder.root,
                    folder.partition_keys.join(","),
                    values.join(" ")
                )
            })
            .collect()
    }

    #[test]
    fn folders_are_tables_and_key_value_folders_are_partitions() {
        let keys = [
            "raw/yellow/a.parquet",
            "raw/yellow/b.parquet",
            "raw/sales/Year=2017/m=1/x.csv",
            "raw/sales/Year=2018/m=a%2Fb/x.csv",
        ];
        assert_eq!(
            grouped("s3://lake/raw/", &keys),
            ["raw/sales/ [year,m] 2017/1 2018/a/b", "raw/yellow/ []  "]
        );
    }

    #[test]
    fn dates_are_partitions_without_names() {
        assert_eq!(
            grouped(
                "s3://lake/logs",
                &["logs/2022/01/31/a.log", "logs/2022/02/01/a.log"]
            ),
            ["logs/ [partition_0,partition_1,partition_2] 2022/01/31 2022/02/01"]
        );
        assert_eq!(grouped("s3://lake/", &["v2/10/a.csv"]), ["v2/10/ [] "]);
    }

    #[test]
    fn what_is_hidden_or_excluded_is_no_data() {
        let keys = [
            "t/_SUCCESS",
            "t/_temporary/0/x",
            "t/.x.crc",
            "t_$folder$",
            "t/_k=1/a",
            "skip/a/b.csv",
            "t/",
        ];
        assert_eq!(grouped("s3://lake/", &keys), ["t/ [] ", "t/ [_k] 1"]);
    }

    #[test]
    fn globs_are_glues() {
        let matches = |glob: &str, path: &str| glob_regex(glob).unwrap().is_match(path);
        assert!(matches("departments/**", "departments/a/b"));
        assert!(!matches("departments/market*", "departments/market/a"));
        assert!(matches("*.{csv,avro}", "x.avro"));
        assert!(!matches("*.{csv,avro}", "a/x.avro"));
        assert!(matches("2015/01/{[!0],0[8-9]}**", "2015/01/09/x"));
        assert!(!matches("2015/01/{[!0],0[8-9]}**", "2015/01/07/x"));
        assert!(glob_regex("{a").is_err());
    }
}
