//! Listings: keys in the order of their bytes, a page at a time, reading only the folders that the page needs.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use s3s::S3Result;

use super::folder::{Folder, disk_failure, to_segment};
use super::place::{Dir, Facts, Kind, is_absence, is_link};

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
pub(super) struct FolderCache(Mutex<HashMap<String, Kept>>);

/// Which folder it was and when it was changed, and what was in it then.
type Kept = (Facts, Arc<Vec<Entry>>);

impl Folder {
    /// Answers one page.
    pub(super) fn list(&self, question: Question) -> S3Result<Page> {
        let root = self.bucket(&question.bucket)?;
        if question.limit == 0 {
            return Ok(Page::default());
        }
        let mut walk = Walk {
            folder: self,
            root: &root,
            path: Vec::new(),
            question,
            page: Page::default(),
            last: None,
        };
        let full = walk.visit("").map_err(disk_failure)?;
        let mut page = walk.page;
        page.next = walk.last.filter(|_| full);
        Ok(page)
    }
}

struct Walk<'a> {
    folder: &'a Folder,
    root: &'a Dir,
    /// The names of the folders down to the one that is visited. They aren't held open: there may be hundreds.
    path: Vec<String>,
    question: Question,
    page: Page,
    last: Option<String>,
}

impl Walk<'_> {
    /// Visits what is below the path, whose keys begin with `before`. True once the page is full and there is more.
    fn visit(&mut self, before: &str) -> io::Result<bool> {
        let Some(dir) = self.open()? else {
            return Ok(false);
        };
        let name = format!("{}/{before}", self.question.bucket);
        let entries = self.folder.cache.entries(&name, &dir)?;
        let mut dir = Some(dir);
        let start = self.first_possible(&entries, before);
        for entry in &entries[start..] {
            let key = format!("{before}{}", entry.segment);
            if self.is_beyond(&key) {
                break;
            }
            // No segment of a key has a slash of its own.
            let full = if entry.segment.ends_with('/') {
                dir = None;
                self.path.push(entry.name.clone());
                let full = self.take_folder(&key);
                self.path.pop();
                full?
            } else {
                if dir.is_none() {
                    dir = self.open()?;
                }
                let Some(dir) = &dir else { break };
                self.take_file(dir, &entry.name, key)?
            };
            if full {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The folder at the path, if it is still there and still a folder.
    fn open(&self) -> io::Result<Option<Dir>> {
        match self.root.below(&self.path) {
            Err(error) if is_absence(&error) || is_link(&error) => Ok(None),
            folder => folder.map(Some),
        }
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

    fn take_folder(&mut self, key: &str) -> io::Result<bool> {
        match self.common_prefix(key) {
            Some(common) => self.take_prefix(common, key, true),
            None => self.visit(key),
        }
    }

    fn take_file(&mut self, dir: &Dir, name: &str, key: String) -> io::Result<bool> {
        if !key.starts_with(&self.question.prefix) {
            return Ok(false);
        }
        if let Some(common) = self.common_prefix(&key) {
            return self.take_prefix(common, &key, false);
        }
        if self.question.after.as_ref().is_some_and(|after| key <= *after) {
            return Ok(false);
        }
        let look = || match dir.look(name) {
            Err(error) if is_link(&error) => Ok(None),
            found => Ok(found?.map(|facts| ((), facts))),
        };
        let found = self.folder.with_record(&self.question.bucket, &key, look)?;
        let Some(((), facts, record)) = found else {
            return Ok(false);
        };
        if self.is_full() {
            return Ok(true);
        }
        self.last = Some(key.clone());
        self.page.objects.push(Listed {
            key,
            size: facts.size,
            etag: record.etag,
            modified: facts.modified,
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
    fn take_prefix(&mut self, common: String, key: &str, is_folder: bool) -> io::Result<bool> {
        if self.last.as_ref() == Some(&common) || self.question.after.as_ref() == Some(&common) {
            return Ok(false);
        }
        let after = self.question.after.clone();
        if is_folder {
            let mut probe = Walk {
                folder: self.folder,
                root: self.root,
                path: self.path.clone(),
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
            probe.visit(key)?;
            if probe.page.objects.is_empty() {
                return Ok(false);
            }
        } else if after.is_some_and(|after| key <= after.as_str()) {
            return Ok(false);
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
    /// The entries of `dir`, which is known as `name`.
    fn entries(&self, name: &str, dir: &Dir) -> io::Result<Arc<Vec<Entry>>> {
        let now = dir.facts()?;
        let kept = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .get(name)
            .cloned();
        if let Some((then, entries)) = kept
            && then == now
        {
            return Ok(entries);
        }
        let settled = now.modified.elapsed().is_ok_and(|age| age > SETTLED);
        let entries = Arc::new(read_sorted(dir)?);
        if settled && entries.len() >= WORTH_KEEPING {
            let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(name.to_owned(), (now, Arc::clone(&entries)));
        }
        Ok(entries)
    }
}

/// A folder sorts as its name with a `/`, because that is how its keys go on.
fn read_sorted(dir: &Dir) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (name, kind) in dir.entries()? {
        let segment = to_segment(&name);
        let segment = match kind {
            Kind::Folder => format!("{segment}/"),
            Kind::File => segment.to_owned(),
            Kind::Link | Kind::Other => continue,
        };
        entries.push(Entry { segment, name });
    }
    entries.sort_by(|a, b| a.segment.cmp(&b.segment));
    Ok(entries)
}
