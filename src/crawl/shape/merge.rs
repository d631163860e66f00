//! From groups of folders and the files that were looked at to tables, each decision with its reason. Pure.

use std::collections::{BTreeMap, BTreeSet};

use classifiers::{Layout, Verdict};

use super::alike::Shape;
use super::columns::columns_of;
use super::found::{FoundFormat, FoundTable, Place};
use super::group::{Group, Leaf};
use super::looks::{FileAt, Look, Looks};
use super::tree::{File, SetAsides, Tree};
use super::words::counted;
use crate::catalog::formats::FileFormat;
use crate::model::crawl_steps::FoundPartition;
use crate::model::location::Location;

/// The most files of one folder that become a table each.
const MOST_FILE_TABLES: usize = 20;

/// A file that was looked at and that a table can be made of.
#[derive(Clone, Copy)]
struct Looked<'a> {
    at: FileAt,
    file: File<'a>,
    leaf: &'a Leaf,
    verdict: &'a Verdict,
}

/// Files of one folder that are one table.
struct Cluster<'a> {
    shape: Shape,
    files: Vec<Looked<'a>>,
}

/// Makes tables of a group; what is left aside goes to `set_aside`.
pub fn merge(
    target: &Location,
    tree: &Tree,
    group: &Group,
    looks: &Looks,
    set_aside: &mut SetAsides,
) -> Vec<FoundTable> {
    let merger = Merger {
        target,
        tree,
        group,
        looks,
    };
    merger.tables(set_aside)
}

struct Merger<'a> {
    target: &'a Location,
    tree: &'a Tree,
    group: &'a Group,
    looks: &'a Looks,
}

impl<'a> Merger<'a> {
    fn tables(&self, set_aside: &mut SetAsides) -> Vec<FoundTable> {
        let mut odd = BTreeSet::new();
        let mut looked = Vec::new();
        for leaf in &self.group.leaves {
            let folder = &self.tree.folders[leaf.folder];
            for (place, look) in self.looks.of_folder(leaf.folder) {
                let at = (leaf.folder, place);
                let Some(file) = folder.file(place) else { continue };
                match look {
                    Ok(verdict) if FileFormat::of(verdict).is_some() => looked.push(Looked {
                        at,
                        file,
                        leaf,
                        verdict,
                    }),
                    _ => {
                        odd.insert(at);
                        set_aside.add(self.path(at), why_no_table(look));
                    }
                }
            }
        }
        let (misnamed, looked): (Vec<_>, Vec<_>) = looked
            .iter()
            .copied()
            .partition(|look| is_misnamed(look, &looked));
        for look in misnamed {
            let (named, is) = (extension(look.file.name), &look.verdict.classification);
            odd.insert(look.at);
            set_aside.add(
                self.path(look.at),
                format!("it is {is}, though it is named .{named} like others in the folder"),
            );
        }
        let clusters = clusters_of(&looked, !self.group.columns_may_differ);
        let Some(largest) =
            (0..clusters.len()).max_by_key(|index| (clusters[*index].files.len(), usize::MAX - index))
        else {
            return Vec::new();
        };
        if let Some(why) = self.why_each_alone(&clusters, largest, looked.len()) {
            return looked
                .iter()
                .filter_map(|look| self.table(&[*look], &odd, Some(look.at), why.to_owned()))
                .collect();
        }
        for (_, cluster) in clusters.iter().enumerate().filter(|(index, _)| *index != largest) {
            for look in &cluster.files {
                odd.insert(look.at);
                set_aside.add(self.path(look.at), odd_reason(&clusters[largest], cluster));
            }
        }
        let why = self.why_one(&odd);
        self.table(&clusters[largest].files, &odd, None, why)
            .into_iter()
            .collect()
    }

    /// Why each file of the folder is a table of its own, where it is.
    fn why_each_alone(
        &self,
        clusters: &[Cluster<'_>],
        largest: usize,
        looked: usize,
    ) -> Option<&'static str> {
        let has_majority = clusters[largest].files.len() * 2 > looked;
        if self.group.columns_may_differ || !self.group.keys.is_empty() || looked > MOST_FILE_TABLES {
            None
        } else if !has_majority && clusters.len() > 1 {
            Some("less than half of the folder's files are alike: each is a table of its own")
        } else if self.group.is_loose && (looked == 1 || clusters.len() > 1) {
            Some("it lies beside folders that are tables: it is a table of its own")
        } else {
            None
        }
    }

    fn why_one(&self, odd: &BTreeSet<FileAt>) -> String {
        let files = self.count(odd);
        let keys = self.group.key_names().join(", ");
        let place = if self.group.leaves.len() > 1 {
            "several folders"
        } else {
            "one folder"
        };
        match (
            self.tree.folders[self.group.leaves[0].folder].is_single_file(),
            self.group.keys.is_empty(),
        ) {
            (true, _) => "the target is one file".to_owned(),
            (_, true) if files == 1 => "one file in one folder".to_owned(),
            (_, true) => format!("{files} files in {place}, alike"),
            (_, false) if files == 1 => format!("one file in a folder that is a partition by {keys}"),
            (_, false) => format!("{files} files in folders that are partitions by {keys}"),
        }
    }

    fn count(&self, odd: &BTreeSet<FileAt>) -> i64 {
        let leaves = self.group.leaves.iter();
        leaves.map(|leaf| self.members(leaf.folder, odd).0).sum()
    }

    fn path(&self, (folder, file): FileAt) -> String {
        let folder = &self.tree.folders[folder];
        let key = folder
            .file(file)
            .map_or_else(String::new, |file| folder.key(&file));
        self.target.with_key(key).to_string()
    }

    /// A file's place below the folder of the table.
    fn below_the_table(&self, look: &Looked<'_>) -> String {
        let key = self.tree.folders[look.at.0].key(&look.file);
        let below = key
            .strip_prefix(&self.group.root)
            .filter(|below| !below.is_empty());
        below.unwrap_or(look.file.name).to_owned()
    }

    /// The table of `looked` and of all files like them: all of the group's that aren't odd, or `only` one.
    fn table(
        &self,
        looked: &[Looked<'a>],
        odd: &BTreeSet<FileAt>,
        only: Option<FileAt>,
        reason: String,
    ) -> Option<FoundTable> {
        let group = self.group;
        let first = looked.first()?;
        let mut format = FileFormat::of(first.verdict)?;
        if let Layout::Csv(csv) = &mut format.layout {
            let is_quoted = |look: &Looked<'_>| look.verdict.csv().is_some_and(|csv| csv.quoted);
            csv.quoted = looked.iter().any(is_quoted);
        }
        let looked_bytes: i64 = looked.iter().map(|look| size_of(&look.file)).sum();
        let rows_per_byte = rows_per_byte_of(looked, looked_bytes);
        let key_names = group.key_names();
        let (mut files, mut bytes) = (0, 0);
        let mut partitions: BTreeMap<Vec<String>, FoundPartition> = BTreeMap::new();
        if only.is_some() {
            (files, bytes) = (1, looked_bytes);
        } else {
            for leaf in &group.leaves {
                let (count, size) = self.members(leaf.folder, odd);
                files += count;
                bytes += size;
                if key_names.is_empty() || count == 0 {
                    continue;
                }
                let partition = partitions
                    .entry(leaf.values.clone())
                    .or_insert_with(|| FoundPartition {
                        location: self.target.with_key(leaf.location.as_str()),
                        files: 0,
                        bytes: 0,
                        rows: None,
                    });
                partition.files += count;
                partition.bytes += size;
            }
        }
        let mut by_partition: BTreeMap<&[String], Vec<Looked<'a>>> = BTreeMap::new();
        for look in looked {
            by_partition.entry(&look.leaf.values).or_default().push(*look);
        }
        for (values, partition) in &mut partitions {
            // Of a partition of which no file was looked at, the table is the best guess.
            let own = by_partition.get(values.as_slice()).and_then(|looked| {
                let bytes = looked.iter().map(|look| size_of(&look.file)).sum();
                rows_per_byte_of(looked, bytes)
            });
            partition.rows = own.or(rows_per_byte).map(|rate| scaled(rate, partition.bytes));
        }
        let mut reasons: Vec<String> = std::iter::once(reason).chain(group.reasons.clone()).collect();
        let seen = i64::try_from(looked.len()).unwrap_or(i64::MAX);
        if seen < files {
            reasons.push(format!("{seen} of {files} files were looked at"));
        }
        if group.is_loose && only.is_none() {
            reasons.push(
                "folders below it are tables of their own: engines that read folders with all below them see \
                 those files too"
                    .to_owned(),
            );
        }
        reasons.extend(first.verdict.reasons.iter().cloned());
        let keyed: Vec<(String, &Verdict)> = looked
            .iter()
            .map(|look| (self.below_the_table(look), look.verdict))
            .collect();
        let (mut columns, steps) = columns_of(&keyed);
        // A column that repeats a partition key can't be in the catalog; the folder's name is what engines go by.
        columns.retain(|column| {
            let is_key = key_names.contains(&column.name);
            if is_key {
                reasons.push(format!(
                    "the column {} is left out: it is a partition key",
                    column.name
                ));
            }
            !is_key
        });
        let root = match only {
            Some(_) => self.tree.folders[first.leaf.folder].key(&first.file),
            None => group.root.clone(),
        };
        Some(FoundTable {
            name: String::new(),
            named_after: format!("{root}{}", group.suffix),
            location: Place::Objects(self.target.with_key(root)),
            format: FoundFormat::Files(format),
            compression: looked
                .iter()
                .map(|look| look.verdict.compression)
                .find(|compression| *compression != classifiers::Compression::None)
                .unwrap_or(classifiers::Compression::None)
                .glue_name()
                .to_owned(),
            partition_keys: key_names,
            partitions,
            columns,
            steps,
            files,
            bytes,
            rows: rows_per_byte.map(|rate| scaled(rate, bytes)),
            exclusions: Vec::new(),
            reasons,
        })
    }

    /// How many of a folder's files belong to the table, and their size.
    fn members(&self, at: usize, odd: &BTreeSet<FileAt>) -> (i64, i64) {
        let folder = &self.tree.folders[at];
        odd.range((at, 0)..(at + 1, 0))
            .filter_map(|(_, file)| folder.file(*file))
            .fold((folder.count, folder.bytes), |(count, bytes), file| {
                (count - 1, bytes - size_of(&file))
            })
    }
}

fn why_no_table(look: &Look) -> String {
    match look {
        Err(reason) => reason.clone(),
        Ok(verdict) if verdict.columns.is_empty() && verdict.layout.is_some() => {
            format!("it is {}, and has no columns", verdict.classification)
        }
        Ok(verdict) => format!(
            "no classifier makes a table of it: {}",
            verdict.reasons.join("; ")
        ),
    }
}

fn odd_reason(table: &Cluster<'_>, odd: &Cluster<'_>) -> String {
    let (ours, theirs) = (&odd.shape.classification, &table.shape.classification);
    let others = counted(table.files.len(), "other file");
    if ours == theirs {
        return format!(
            "its columns are unlike those of the {others} in the folder: move it to a folder of its own"
        );
    }
    format!("it is {ours}, unlike the {others} in the folder ({theirs}): move it to a folder of its own")
}

/// What the name says the file is; a suffix that speaks of compression says nothing of that.
fn extension(name: &str) -> &str {
    let packed = [".gz", ".bz2", ".zst", ".snappy", ".lz4", ".zip"];
    let name = packed
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    name.rsplit('.').next().unwrap_or_default()
}

/// Whether a file's name says that it is like others in the folder, and its content says otherwise.
fn is_misnamed(look: &Looked<'_>, looked: &[Looked<'_>]) -> bool {
    let named = extension(look.file.name);
    named != look.verdict.classification && looked.iter().any(|other| other.verdict.classification == named)
}

/// Files of one format whose columns are alike. In partitions a table may change over time, so there the format suffices.
fn clusters_of<'a>(looked: &[Looked<'a>], compare_columns: bool) -> Vec<Cluster<'a>> {
    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    for look in looked {
        let Some(shape) = Shape::of(look.verdict) else {
            continue;
        };
        let home = clusters.iter_mut().find(|cluster| {
            cluster.shape.has_format_of(&shape) && (!compare_columns || cluster.shape.is_alike(&shape))
        });
        match home {
            Some(cluster) => cluster.files.push(*look),
            None => clusters.push(Cluster {
                shape,
                files: vec![*look],
            }),
        }
    }
    clusters
}

fn size_of(file: &File<'_>) -> i64 {
    i64::try_from(file.size).unwrap_or(i64::MAX)
}

/// Rows for each stored byte of the files that were looked at.
#[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
fn rows_per_byte_of(looked: &[Looked<'_>], bytes: i64) -> Option<f64> {
    let mut rows = 0.0;
    for look in looked {
        rows += match (look.verdict.row_count, look.verdict.average_row_bytes) {
            (Some(count), _) => count as f64,
            (None, Some(row)) if row > 0.0 && look.verdict.compression == classifiers::Compression::None => {
                size_of(&look.file) as f64 / row
            }
            _ => return None,
        };
    }
    Some(rows / bytes.max(1) as f64)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "it is an estimate"
)]
fn scaled(rate: f64, bytes: i64) -> i64 {
    (rate * bytes as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::shape::group::{Rules, group};
    use crate::crawl::shape::sample::wanted;
    use crate::crawl::shape::tree::tests::tree;

    #[test]
    fn the_order_of_a_listing_changes_nothing() {
        let mut keys: Vec<String> = (0..400)
            .map(|at| format!("raw/t{}/d=2022-01-{:02}/{at}.csv", at % 3, at % 28 + 1))
            .collect();
        keys.extend((0..40).map(|at| format!("raw/x/{at}/{at}.json")));
        let target = Location::parse("s3://lake/raw/").unwrap();
        let outcome = |keys: &[String]| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let tree = tree("s3://lake/raw/", &keys);
            let mut looks = Looks::default();
            let (groups, mut aside) = loop {
                let (groups, aside) = group(&target, &tree, Rules::default(), &looks);
                let wanted = wanted(&tree, &groups, None, &looks);
                if wanted.is_empty() {
                    break (groups, aside);
                }
                for at in wanted {
                    let folder = &tree.folders[at.0];
                    let key = folder.key(&folder.file(at.1).unwrap());
                    let column = if key.len().is_multiple_of(2) {
                        "bigint"
                    } else {
                        "double"
                    };
                    let verdict = serde_json::from_value(serde_json::json!({
                        "classification": "parquet", "certainty": 1.0, "classifier": "parquet",
                        "compression": "none", "rows_sampled": 0, "row_count": key.len(), "reasons": [],
                        "columns": [{"name": "a", "type": column, "nullable": false, "reason": ""}],
                    }));
                    looks.insert(at, Ok(verdict.unwrap()));
                }
            };
            let tables: Vec<FoundTable> = groups
                .iter()
                .flat_map(|group| merge(&target, &tree, group, &looks, &mut aside))
                .collect();
            format!("{tables:#?} {aside:#?}")
        };
        let expected = outcome(&keys);
        for step in [7, 13, 17, 439] {
            let shuffled: Vec<String> = (0..keys.len())
                .map(|at| keys[at * step % keys.len()].clone())
                .collect();
            assert_eq!(shuffled.iter().collect::<BTreeSet<_>>().len(), keys.len());
            assert!(outcome(&shuffled) == expected, "in steps of {step}");
        }
    }
}
