//! Listings: keys in the order of their bytes, a page at a time, reading only the folders that the page needs.

use std::io;
use std::time::SystemTime;

use s3s::S3Result;

use super::disk::disk_failure;
use super::folder::Folder;
use super::folder_cache::Entry;
use super::place::{Dir, is_absence, is_link};

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

impl Folder {
    /// Answers one page.
    pub(super) fn list(&self, question: Question) -> S3Result<Page> {
        let root = self.shelf.bucket(&question.bucket)?;
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
        let entries = self.folder.cache.entries(&name, &dir, self.folder.now())?;
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
        let found = self.folder.shelf.with_record(&self.question.bucket, &key, look)?;
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
