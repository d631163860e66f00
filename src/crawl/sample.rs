//! Which files are looked at, and what they were found to be. Pure.
//!
//! Of a table's few files all are looked at. Of many: those whose keys have the smallest hashes, which is a fair choice
//! that hardly changes when files come and go, and the newest, which may be unlike the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use classifiers::Verdict;

use super::group::Group;
use super::tree::{File, Folder, Tree};

/// How many files of a table are chosen by hash.
const BY_HASH: usize = 150;
/// How many of the newest files of a table are chosen.
const NEWEST: usize = 50;

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

/// The files of groups that should be looked at and weren't yet, in the order of their keys.
pub fn wanted(tree: &Tree, groups: &[Group], sample_size: Option<u32>, looks: &Looks) -> Vec<FileAt> {
    let mut wanted = BTreeSet::new();
    for group in groups {
        match sample_size {
            Some(size) => {
                for leaf in &group.leaves {
                    let folder = &tree.folders[leaf.folder];
                    let mut chosen = Smallest::new(size as usize);
                    for (at, file) in folder.files().enumerate() {
                        chosen.add(hash(folder, &file), (leaf.folder, at));
                    }
                    wanted.extend(chosen.into_files());
                }
            }
            None => wanted.extend(of_table(tree, group)),
        }
    }
    wanted
        .into_iter()
        .filter(|file| looks.get(*file).is_none())
        .collect()
}

fn of_table(tree: &Tree, group: &Group) -> Vec<FileAt> {
    let (mut by_hash, mut newest) = (Smallest::new(BY_HASH), Smallest::new(NEWEST));
    for leaf in &group.leaves {
        let folder = &tree.folders[leaf.folder];
        for (at, file) in folder.files().enumerate() {
            let hash = hash(folder, &file);
            by_hash.add(hash, (leaf.folder, at));
            newest.add((std::cmp::Reverse(file.modified), hash), (leaf.folder, at));
        }
    }
    let mut chosen = by_hash.into_files();
    chosen.extend(newest.into_files());
    chosen
}

/// FNV-1a, 64 bits, over the key (<http://www.isthe.com/chongo/tech/comp/fnv/>), its bits mixed once more at the end.
fn hash(folder: &Folder, file: &File<'_>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let bytes = folder.path.bytes().chain(file.name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The files with the smallest ranks.
struct Smallest<R> {
    most: usize,
    heap: std::collections::BinaryHeap<(R, FileAt)>,
}

impl<R: Ord> Smallest<R> {
    fn new(most: usize) -> Self {
        Self {
            most,
            heap: std::collections::BinaryHeap::with_capacity(most + 1),
        }
    }

    fn add(&mut self, rank: R, file: FileAt) {
        let is_among_them =
            self.heap.len() < self.most || self.heap.peek().is_some_and(|(largest, _)| rank < *largest);
        if is_among_them {
            self.heap.push((rank, file));
            if self.heap.len() > self.most {
                self.heap.pop();
            }
        }
    }

    fn into_files(self) -> Vec<FileAt> {
        self.heap.into_iter().map(|(_, file)| file).collect()
    }
}
