//! What files were found to be. Pure.

use std::collections::{BTreeMap, HashMap};

use classifiers::Verdict;

use super::tree::Tree;

/// What a file is, or why that can't be said.
pub type Look = Result<Verdict, String>;

/// A file: its folder's place in the tree, and its place in the folder.
pub type FileAt = (usize, usize);

/// What files were found to be.
#[derive(Debug, Default)]
pub struct Looks {
    /// As each file alone says.
    read: HashMap<usize, BTreeMap<usize, Look>>,
    /// What becomes of some of them beside the others.
    settled: BTreeMap<FileAt, Look>,
}

impl Looks {
    /// Keeps what a file is.
    pub fn insert(&mut self, (folder, file): FileAt, look: Look) {
        self.read.entry(folder).or_default().insert(file, look);
    }

    /// What a file is, where it was looked at.
    pub fn get(&self, (folder, file): FileAt) -> Option<&Look> {
        let read = self.read.get(&folder)?.get(&file)?;
        Some(self.settled.get(&(folder, file)).unwrap_or(read))
    }

    /// The files of a folder that were looked at, in their order.
    pub fn of_folder(&self, folder: usize) -> impl Iterator<Item = (usize, &Look)> {
        self.read
            .get(&folder)
            .into_iter()
            .flatten()
            .map(move |(file, look)| (*file, self.settled.get(&(folder, *file)).unwrap_or(look)))
    }

    /// Asks files of text that may be of one table, because they lie in one folder or in partitions beside one another,
    /// which of them have a header. Always from what each file alone says, so that the order of looking changes nothing.
    pub fn settle_headers(&mut self, tree: &Tree) {
        let mut beside: BTreeMap<_, Vec<(FileAt, &Verdict)>> = BTreeMap::new();
        for (&folder, files) in &self.read {
            let series = series_of(&tree.folders[folder].path);
            for (&file, look) in files {
                if let Ok(verdict) = look {
                    let files = beside.entry(series.clone()).or_default();
                    files.push(((folder, file), verdict));
                }
            }
        }
        let mut settled = BTreeMap::new();
        for files in beside.values() {
            let verdicts: Vec<&Verdict> = files.iter().map(|(_, verdict)| *verdict).collect();
            for ((at, _), verdict) in files.iter().zip(classifiers::settle_headers(&verdicts)) {
                settled.extend(verdict.map(|verdict| (*at, Ok(verdict))));
            }
        }
        self.settled = settled;
    }
}

/// A folder's path with `*` for what partitions differ in: the values of `key=value`, and names of digits.
fn series_of(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.split_once('=') {
        Some((key, _)) => key.to_owned() + "=*",
        None if segment.starts_with(|c: char| c.is_ascii_digit()) => "*".to_owned(),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}
