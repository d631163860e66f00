//! From folders to tables and their partitions. Pure: the same tree and the same looks, the same groups.
//!
//! Ours (`Compatibility::Mastic`) goes by names, from the innermost folder outwards:
//!
//! - `key=value` folders and dates are partitions of the folder above; numbers, `part3` and the like are, if their files
//!   are alike; hashes and UUIDs say nothing, so that their files belong to the folder above, if they are alike.
//! - Folders named by words are tables of their own, however alike they are.
//! - Folders below a partition (`2022/orders/`, `2022/customers/`) are tables across the partitions, if they are unlike.
//!
//! Glue's goes by columns alone (developer guide, "How does a crawler determine when to create partitions?", and AWS's
//! knowledge center): folders beside one another are partitions of the folder above where most of them share more than 0.7
//! of their columns, format and compression, and there are no more than five kinds of them.

use std::collections::BTreeMap;

use super::alike::{self, Shape};
use super::looks::Looks;
use super::names::{self, Kind};
use super::tree::{SetAsides, Tree};
use crate::model::crawl_options::Compatibility;
use crate::model::location::{Location, partition_of_segment};

/// The share of columns that folders must have in common to be partitions of one table. Glue's own number.
const GLUE_ALIKE: f64 = 0.7;
/// The most kinds of folders beside one another among which Glue looks for a majority.
const GLUE_KINDS: usize = 5;
/// The most folders below partitions that may be tables across them; of more, each belongs to its partition.
const MOST_SUFFIXES: usize = 5;
/// How many files beside partition folders are named one by one.
const NAMED_FILES: usize = 20;

/// What decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Whose rules.
    pub compatibility: Compatibility,
    /// Folders of one format are one table, however unlike their columns.
    pub combine: bool,
    /// The level of tables' folders, of which the bucket is the first.
    pub table_level: Option<usize>,
}

/// Folders that become a table.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The table's folder, as a key; the file's key where the target is one file.
    pub root: String,
    /// The folder within each partition that the table is made of; mostly empty.
    pub suffix: String,
    /// Its partition keys, outermost first; absent is the name of one that has none.
    pub keys: Vec<Option<String>>,
    /// Its folders.
    pub leaves: Vec<Leaf>,
    /// Why it is one table.
    pub reasons: Vec<String>,
    /// Its files lie beside folders that are tables of their own.
    pub is_loose: bool,
    /// Its files need only be of one format: partitions change over time.
    pub columns_may_differ: bool,
}

/// A folder of a table.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its place in the tree.
    pub folder: usize,
    /// The values of the partition keys.
    pub values: Vec<String>,
    /// The folder of its partition, as a key.
    pub location: String,
}

impl Group {
    /// The names of the partition keys: `partition_0` and so on for those that have none.
    pub fn key_names(&self) -> Vec<String> {
        let mut taken: Vec<String> = Vec::new();
        for (at, key) in self.keys.iter().enumerate() {
            let mut name = key.clone().unwrap_or_else(|| format!("partition_{at}"));
            while taken.contains(&name) {
                name = format!("{name}_{at}");
            }
            taken.push(name);
        }
        taken
    }

    fn of_files(path: &str, folder: usize) -> Self {
        Self {
            root: path.to_owned(),
            leaves: vec![Leaf {
                folder,
                values: Vec::new(),
                location: path.to_owned(),
            }],
            ..Self::default()
        }
    }
}

/// Groups the folders of a tree, as far as the files that were looked at tell.
pub fn group(target: &Location, tree: &Tree, rules: Rules, looks: &Looks) -> (Vec<Group>, SetAsides) {
    let mut grouper = Grouper {
        target,
        tree,
        rules,
        looks,
        set_aside: SetAsides::default(),
    };
    let is_single = |at: &usize| tree.folders[*at].is_single_file();
    let (single, folders): (Vec<usize>, Vec<usize>) = (0..tree.folders.len()).partition(is_single);
    let mut groups: Vec<Group> = single
        .into_iter()
        .map(|at| Group::of_files(&tree.folders[at].path, at))
        .collect();
    if !folders.is_empty() {
        let node = Node::new(tree, "", tree.base.clone(), &folders);
        groups.extend(grouper.collapse(&node, false));
    }
    (groups, grouper.set_aside)
}

/// A folder with those below it.
struct Node<'a> {
    name: &'a str,
    path: String,
    folder: Option<usize>,
    children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// `folders` are the places of those at or below `path`, in the order of their paths.
    fn new(tree: &'a Tree, name: &'a str, path: String, folders: &[usize]) -> Self {
        let mut node = Self {
            name,
            folder: None,
            children: Vec::new(),
            path,
        };
        let mut rest = folders;
        while let Some((first, others)) = rest.split_first() {
            let below = &tree.folders[*first].path[node.path.len()..];
            let Some((name, _)) = below.split_once('/') else {
                node.folder = Some(*first);
                rest = others;
                continue;
            };
            let child = format!("{}{name}/", node.path);
            let end = rest.partition_point(|at| tree.folders[*at].path.starts_with(&child));
            node.children.push(Self::new(tree, name, child, &rest[..end]));
            rest = &rest[end..];
        }
        node
    }
}

/// A folder that may be a partition, with what is in it.
struct Child {
    path: String,
    /// The value that it would be.
    value: String,
    /// The key's name, where it has one.
    key: Option<String>,
    kind: Kind,
    groups: Vec<Group>,
}

struct Grouper<'a> {
    target: &'a Location,
    tree: &'a Tree,
    rules: Rules,
    looks: &'a Looks,
    set_aside: SetAsides,
}

impl Grouper<'_> {
    fn collapse(&mut self, node: &Node<'_>, below_date: bool) -> Vec<Group> {
        let level = 1 + node.path.matches('/').count();
        let mut own = node.folder.map(|folder| Group::of_files(&node.path, folder));
        if let (Some(wanted), Some(files)) = (self.rules.table_level, &own)
            && level < wanted
        {
            let reason = format!("it lies at level {level}, above the tables' level {wanted}");
            self.leave_aside(files, &reason);
            own = None;
        }
        if node.children.is_empty() {
            return own.into_iter().collect();
        }
        let names: Vec<&str> = node.children.iter().map(|child| child.name).collect();
        let kinds = names::kinds(&names, below_date);
        let mut children = Vec::with_capacity(node.children.len());
        for (child, kind) in node.children.iter().zip(kinds) {
            let (key, value) = match partition_of_segment(child.name) {
                Some((key, value)) => (Some(key), value),
                None => (None, child.name.to_owned()),
            };
            children.push(Child {
                path: child.path.clone(),
                value,
                key,
                kind,
                groups: self.collapse(child, kind == Kind::Date),
            });
        }
        match self.rules.table_level {
            Some(wanted) if level < wanted => children.into_iter().flat_map(|child| child.groups).collect(),
            Some(_) => self.by_columns(node, own, children, true),
            None if self.rules.combine || self.rules.compatibility == Compatibility::Glue => {
                self.by_columns(node, own, children, self.rules.combine)
            }
            None => self.by_names(node, own, children),
        }
    }

    /// Glue's rule. `any_columns`: alike is what has one format and one compression.
    fn by_columns(
        &mut self,
        node: &Node<'_>,
        own: Option<Group>,
        children: Vec<Child>,
        any_columns: bool,
    ) -> Vec<Group> {
        let shapes: Vec<Option<Shape>> = children
            .iter()
            .map(|child| match child.groups.as_slice() {
                [group] if group.root == child.path && group.suffix.is_empty() => self.shape(group),
                _ => None,
            })
            .collect();
        let depth = |at: usize| children[at].groups.first().map_or(0, |group| group.keys.len());
        let mut kinds: Vec<Vec<usize>> = Vec::new();
        for (at, shape) in shapes.iter().enumerate() {
            let Some(shape) = shape else { continue };
            let home = kinds.iter_mut().find(|kind| {
                let first = kind[0];
                depth(first) == depth(at)
                    && shapes[first].as_ref().is_some_and(|other| {
                        shape.has_format_of(other)
                            && shape.compression == other.compression
                            && (any_columns || shape.similarity(other) > GLUE_ALIKE)
                    })
            });
            match home {
                Some(kind) => kind.push(at),
                None => kinds.push(vec![at]),
            }
        }
        let count = kinds.len();
        let most = (0..count)
            .max_by_key(|at| (kinds[*at].len(), count - at))
            .map(|at| kinds[at].clone())
            .unwrap_or_default();
        // A folder alone is alike to itself: Glue's tables begin as far up as they can.
        let is_joined = !most.is_empty() && most.len() * 2 > children.len() && count <= GLUE_KINDS;
        if !is_joined {
            let mut apart: Vec<Group> = children.into_iter().flat_map(|child| child.groups).collect();
            apart.extend(own.map(|own| Group {
                is_loose: true,
                ..own
            }));
            return apart;
        }
        let of = children.len();
        let (mut joined, mut others) = (Vec::new(), Vec::new());
        for (at, child) in children.into_iter().enumerate() {
            if most.contains(&at) {
                joined.push(child);
            } else {
                others.extend(child.groups);
            }
        }
        let why = if of == 1 {
            "there is one folder: a partition".to_owned()
        } else if any_columns {
            format!(
                "{} of {of} folders hold files of one format: they are partitions",
                most.len()
            )
        } else {
            format!(
                "{} of {of} folders share more than {GLUE_ALIKE} of their columns: they are partitions",
                most.len()
            )
        };
        let mut groups = self.level(node, joined, &why);
        groups.extend(others);
        groups.extend(own.map(|own| Group {
            is_loose: true,
            ..own
        }));
        groups
    }

    /// Our rule.
    fn by_names(&mut self, node: &Node<'_>, own: Option<Group>, children: Vec<Child>) -> Vec<Group> {
        let mut words = Vec::new();
        let mut levels: BTreeMap<(Kind, Option<String>), Vec<Child>> = BTreeMap::new();
        for child in children {
            match child.kind {
                Kind::Word => words.extend(child.groups),
                kind => levels.entry((kind, child.key.clone())).or_default().push(child),
            }
        }
        let mut groups = Vec::new();
        let mut own = own;
        for ((kind, key), children) in levels {
            match kind {
                Kind::KeyValue => {
                    let why = format!("folders are named {}=…: partitions", key.unwrap_or_default());
                    groups.extend(self.level(node, children, &why));
                }
                Kind::Date => groups.extend(self.level(node, children, "folders are dates: partitions")),
                Kind::Opaque => groups.extend(self.without_level(node, children, &mut own)),
                _ => {
                    let (alike, unlike) = self.alike(children);
                    words.extend(unlike);
                    let why = "folders are numbered and their files alike: partitions";
                    groups.extend(self.level(node, alike, why));
                }
            }
        }
        match own {
            Some(files) if groups.iter().any(|group| !group.keys.is_empty()) => {
                self.leave_aside(
                    &files,
                    "it lies beside folders that are partitions: move it into one of them, or exclude it",
                );
            }
            Some(files) => {
                let is_loose = !words.is_empty() || !groups.is_empty();
                groups.push(Group { is_loose, ..files });
            }
            None => {}
        }
        groups.extend(words);
        groups
    }

    /// Children whose files are alike, and the groups of the others; all are others where there is no majority.
    fn alike(&self, children: Vec<Child>) -> (Vec<Child>, Vec<Group>) {
        let shapes: Vec<Option<Shape>> = children
            .iter()
            .map(|child| child.groups.first().and_then(|group| self.shape(group)))
            .collect();
        let known: Vec<&Shape> = shapes.iter().flatten().collect();
        let Some(usual) = alike::most_usual(&known) else {
            // Nothing was looked at yet.
            return (children, Vec::new());
        };
        let (mut alike, mut unlike) = (Vec::new(), Vec::new());
        for (child, shape) in children.into_iter().zip(&shapes) {
            if shape.as_ref().is_none_or(|shape| shape.is_alike(&usual)) {
                alike.push(child);
            } else {
                unlike.extend(child.groups);
            }
        }
        if alike.len() <= unlike.len() {
            unlike.extend(alike.into_iter().flat_map(|child| child.groups));
            return (Vec::new(), unlike);
        }
        (alike, unlike)
    }

    /// One table of folders whose names say nothing, and of the files beside them.
    fn without_level(
        &mut self,
        node: &Node<'_>,
        children: Vec<Child>,
        own: &mut Option<Group>,
    ) -> Vec<Group> {
        let (alike, mut groups) = self.alike(children);
        let mut merged: BTreeMap<Vec<Option<String>>, Group> = BTreeMap::new();
        if let Some(own) = own.take() {
            merged.insert(Vec::new(), own);
        }
        let count = alike.len();
        for group in alike.into_iter().flat_map(|child| child.groups) {
            let home = merged.entry(group.keys.clone()).or_insert_with(|| Group {
                root: node.path.clone(),
                keys: group.keys.clone(),
                ..Group::default()
            });
            home.columns_may_differ = true;
            for mut leaf in group.leaves {
                if leaf.values.is_empty() {
                    leaf.location.clone_from(&node.path);
                }
                home.leaves.push(leaf);
            }
        }
        for group in merged.values_mut() {
            if count > 0 {
                group.reasons.push(
                    "folders are named by hashes or UUIDs, which say nothing: their files belong to the folder above"
                        .to_owned(),
                );
            }
        }
        groups.extend(merged.into_values());
        groups
    }

    /// Makes children partitions of their folder. Several tables come out where partitions hold several folders that are
    /// unlike.
    fn level(&mut self, node: &Node<'_>, children: Vec<Child>, why: &str) -> Vec<Group> {
        let Some(key) = children.first().map(|child| child.key.clone()) else {
            return Vec::new();
        };
        // Folders of several keys, which only Glue's rule brings together, have no name in common.
        let key = key.filter(|_| children.iter().all(|child| child.key == children[0].key));
        let mut joined: BTreeMap<(String, Vec<Option<String>>), Group> = BTreeMap::new();
        for child in children {
            for group in child.groups {
                let suffix = format!("{}{}", &group.root[child.path.len()..], group.suffix);
                let mut keys = vec![key.clone()];
                keys.extend(group.keys);
                let home = joined
                    .entry((suffix.clone(), keys.clone()))
                    .or_insert_with(|| Group {
                        root: node.path.clone(),
                        suffix,
                        keys,
                        reasons: std::iter::once(why.to_owned()).chain(group.reasons).collect(),
                        columns_may_differ: true,
                        ..Group::default()
                    });
                for mut leaf in group.leaves {
                    leaf.values.insert(0, child.value.clone());
                    home.leaves.push(leaf);
                }
            }
        }
        let joined = self.without_suffixes(joined.into_values().collect());
        self.of_one_depth(joined)
    }

    /// Folders within partitions that aren't tables of their own belong to their partitions.
    fn without_suffixes(&self, groups: Vec<Group>) -> Vec<Group> {
        let (within, mut kept): (Vec<Group>, Vec<Group>) =
            groups.into_iter().partition(|group| group.keys.len() == 1);
        let shapes: Vec<Option<Shape>> = within.iter().map(|group| self.shape(group)).collect();
        let all_alike = || {
            let known: Vec<&Shape> = shapes.iter().flatten().collect();
            known.len() == within.len() && known.iter().all(|shape| shape.is_alike(known[0]))
        };
        if within.len() <= 1 || within.len() > MOST_SUFFIXES || all_alike() {
            let mut whole: Option<Group> = None;
            for mut group in within {
                for leaf in &mut group.leaves {
                    if let Some(partition) = leaf.location.strip_suffix(&group.suffix) {
                        leaf.location = partition.to_owned();
                    }
                }
                match &mut whole {
                    Some(whole) => whole.leaves.append(&mut group.leaves),
                    None => {
                        whole = Some(Group {
                            suffix: String::new(),
                            ..group
                        });
                    }
                }
            }
            kept.extend(whole);
        } else {
            kept.extend(within);
        }
        kept
    }

    /// Of partitions with other keys than most, the files are left aside: a table has one list of keys.
    fn of_one_depth(&mut self, groups: Vec<Group>) -> Vec<Group> {
        let mut by_suffix: BTreeMap<String, Vec<Group>> = BTreeMap::new();
        for group in groups {
            by_suffix.entry(group.suffix.clone()).or_default().push(group);
        }
        let mut kept = Vec::new();
        for mut groups in by_suffix.into_values() {
            groups.sort_by_key(|group| std::cmp::Reverse((group.leaves.len(), group.keys.len())));
            let mut groups = groups.into_iter();
            let Some(table) = groups.next() else { continue };
            for other in groups {
                let reason = format!(
                    "it lies in a partition by {}, and most others of the folder are partitions by {}",
                    other.key_names().join(", "),
                    table.key_names().join(", ")
                );
                self.leave_aside(&other, &reason);
            }
            kept.push(table);
        }
        kept
    }

    fn shape(&self, group: &Group) -> Option<Shape> {
        group
            .leaves
            .iter()
            .flat_map(|leaf| self.looks.of_folder(leaf.folder))
            .find_map(|(_, look)| Shape::of(look.as_ref().ok()?))
    }

    fn leave_aside(&mut self, group: &Group, reason: &str) {
        for leaf in &group.leaves {
            let folder = &self.tree.folders[leaf.folder];
            for file in folder.files().take(NAMED_FILES) {
                let path = self.target.with_key(folder.key(&file)).to_string();
                self.set_aside.add(path, reason);
            }
            let others = folder.count - i64::try_from(NAMED_FILES).unwrap_or(0);
            if others > 0 {
                let path = format!(
                    "{} ({others} more files)",
                    self.target.with_key(folder.path.as_str())
                );
                self.set_aside.add(path, reason);
            }
        }
    }
}

#[cfg(test)]
mod tests;
