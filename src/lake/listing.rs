//! Listings: keys in the order of their bytes, a page at a time, reading only the folders that the page needs.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use s3s::S3Result;

use super::folder::{Folder, disk_failure, to_segment};
use super::publish::look;

/// Folders with fewer entries than this are read again for each page.
const WORTH_KEEPING: usize = 2000;
/// How many large folders are remembered.
const KEPT: usize = 16;
/// A folder's time doesn't tell two changes apart that are closer together than this.
const SETTLED: Duration = Duration::from_millis(100);

/// What to list.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    /// Keys and common prefixes up to and including this one were listed before.
    pub(super) after: Option<String>,
    /// How many keys and common prefixes together.
    pub(super) limit: usize,
}

/// One object of a listing.
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) modified: SystemTime,
}

/// A page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Listed>,
    pub(super) prefixes: Vec<String>,
    /// The last key or common prefix, if there is more.
    pub(super) next: Option<String>,
}

/// A name in a folder, as it is in keys; a folder's ends in `/`.
struct Entry {
    segment: String,
    name: String,
}

/// The sorted entries of large folders, so that a listing of many pages reads each of them once.
#[derive(Default)]
pub(super) struct FolderCache(Mutex<HashMap<PathBuf, Kept>>);

/// When the folder was changed, and what was in it then.
type Kept = (SystemTime, Arc<Vec<Entry>>);

impl Folder {
    /// Answers one page.
    pub(super) fn list(&self, question: Question) -> S3Result<Page> {
        let root = self.bucket(&question.bucket)?;
        if question.limit == 0 {
            return Ok(Page::default());
        }
        let mut walk = Walk {
            folder: self,
            question,
            page: Page::default(),
            last: None,
        };
        let full = walk.visit(&root, "").map_err(disk_failure)?;
        let mut page = walk.page;
        page.next = walk.last.filter(|_| full);
        Ok(page)
    }
}

struct Walk<'a> {
    folder: &'a Folder,
    question: Question,
    page: Page,
    last: Option<String>,
}

impl Walk<'_> {
    /// Visits what is below `path`, whose keys begin with `before`. True once the page is full and there is more.
    fn visit(&mut self, path: &Path, before: &str) -> io::Result<bool> {
        let entries = self.folder.cache.entries(path)?;
        let start = self.first_possible(&entries, before);
        for entry in &entries[start..] {
            let key = format!("{before}{}", entry.segment);
            if self.is_beyond(&key) {
                break;
            }
            if self.take(path, entry, key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The entries are sorted, so those before the prefix and before the page needn't be looked at.
    fn first_possible(&self, entries: &[Entry], before: &str) -> usize {
        let Question { prefix, after, .. } = &self.question;
        entries.partition_point(|entry| {
            let key = format!("{before}{}", entry.segment);
            // A folder may hold what comes after a bound that begins with its name.
            let holds = |bound: &str| key.ends_with('/') && bound.starts_with(&key);
            let precedes = |bound: &str| key.as_str() < bound && !holds(bound);
            precedes(prefix) || after.as_deref().is_some_and(precedes)
        })
    }

    fn is_beyond(&self, key: &str) -> bool {
        *key > *self.question.prefix && !key.starts_with(&self.question.prefix)
    }

    fn take(&mut self, path: &Path, entry: &Entry, key: String) -> io::Result<bool> {
        // No segment of a key has a slash of its own.
        let is_folder = entry.segment.ends_with('/');
        let child = path.join(&entry.name);
        if !is_folder && !key.starts_with(&self.question.prefix) {
            return Ok(false);
        }
        if let Some(common) = self.common_prefix(&key) {
            return self.take_prefix(common, &key, is_folder.then_some(&child));
        }
        if is_folder {
            return match self.visit(&child, &key) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                done => done,
            };
        }
        if self.question.after.as_ref().is_some_and(|after| key <= *after) {
            return Ok(false);
        }
        let bucket = &self.question.bucket;
        let found = self
            .folder
            .with_record(bucket, &key, || Ok(look(&child)?.map(|metadata| ((), metadata))))?;
        let Some(((), metadata, record)) = found else {
            return Ok(false);
        };
        if self.is_full() {
            return Ok(true);
        }
        self.last = Some(key.clone());
        self.page.objects.push(Listed {
            key,
            size: metadata.len(),
            etag: record.etag,
            modified: metadata.modified()?,
        });
        Ok(false)
    }

    /// What `key` is listed as, if a delimiter follows the prefix.
    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.question.delimiter.as_deref()?;
        let rest = key.strip_prefix(&self.question.prefix)?;
        let end = self.question.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(key[..end].to_owned())
    }

    /// Takes a common prefix once, if there is an object behind it: a folder may be empty.
    fn take_prefix(&mut self, common: String, key: &str, folder: Option<&PathBuf>) -> io::Result<bool> {
        if self.last.as_ref() == Some(&common) || self.question.after.as_ref() == Some(&common) {
            return Ok(false);
        }
        let after = self.question.after.clone();
        match folder {
            Some(path) => {
                let mut probe = Walk {
                    folder: self.folder,
                    question: Question {
                        bucket: self.question.bucket.clone(),
                        prefix: key.to_owned(),
                        delimiter: None,
                        after,
                        limit: 1,
                    },
                    page: Page::default(),
                    last: None,
                };
                match probe.visit(path, key) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ if probe.page.objects.is_empty() => return Ok(false),
                    _ => {}
                }
            }
            None if after.is_some_and(|after| key <= after.as_str()) => return Ok(false),
            None => {}
        }
        if self.is_full() {
            return Ok(true);
        }
        self.last = Some(common.clone());
        self.page.prefixes.push(common);
        Ok(false)
    }

    fn is_full(&self) -> bool {
        self.page.objects.len() + self.page.prefixes.len() >= self.question.limit
    }
}

impl FolderCache {
    fn entries(&self, path: &Path) -> io::Result<Arc<Vec<Entry>>> {
        let changed = fs::metadata(path)?.modified()?;
        let kept = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .get(path)
            .cloned();
        if let Some((when, entries)) = kept
            && when == changed
        {
            return Ok(entries);
        }
        let settled = changed.elapsed().is_ok_and(|age| age > SETTLED);
        let entries = Arc::new(read_sorted(path)?);
        if settled && entries.len() >= WORTH_KEEPING {
            let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(path.to_owned(), (changed, Arc::clone(&entries)));
        }
        Ok(entries)
    }
}

/// A folder sorts as its name with a `/`, because that is how its keys go on.
fn read_sorted(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // A name that isn't Unicode can't be a key.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let kind = entry.file_type()?;
        let segment = to_segment(&name);
        if kind.is_dir() {
            entries.push(Entry {
                segment: format!("{segment}/"),
                name,
            });
        } else if kind.is_file() {
            entries.push(Entry {
                segment: segment.to_owned(),
                name,
            });
        }
    }
    entries.sort_by(|a, b| a.segment.cmp(&b.segment));
    Ok(entries)
}
