//! Which files are looked at. Pure.
//!
//! Of a table's few files all are looked at. Of many: those whose keys have the smallest hashes, which is a fair choice
//! that hardly changes when files come and go, and the newest, which may be unlike the others.

use std::collections::BTreeSet;

use super::group::Group;
use super::looks::{FileAt, Looks};
use super::tree::{File, Folder, Tree};

/// How many files of a table are chosen by hash.
const BY_HASH: usize = 150;
/// How many of the newest files of a table are chosen.
const NEWEST: usize = 50;

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
