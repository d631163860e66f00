//! From files that were looked at to tables: one per folder wherever that can be, each decision with its reason. Pure.

use std::collections::{BTreeMap, BTreeSet};

use classifiers::{DataType, Verdict};

use super::classify::Looks;
use super::group::{DataFile, Folder};
use crate::catalog::formats::FileFormat;
use crate::model::crawl::{PlannedColumn, SetAside};
use crate::model::location::Location;
use crate::model::name::identifier;

/// The share of columns that two files of one table must have in common, of those of the wider one.
const ALIKE: f64 = 0.5;

/// A table that a crawl found.
#[derive(Clone, Debug)]
pub struct FoundTable {
    /// Its name; made by [`give_names`].
    pub name: String,
    /// Where its data is.
    pub location: Location,
    /// What its files are.
    pub format: FileFormat,
    /// How they are compressed: `none` or `gzip`.
    pub compression: String,
    /// The names of its partition keys, outermost first.
    pub partition_keys: Vec<String>,
    /// Its partitions by their values.
    pub partitions: BTreeMap<Vec<String>, FoundPartition>,
    /// Its columns.
    pub columns: Vec<PlannedColumn>,
    /// How many files.
    pub files: i64,
    /// Their size in bytes, as stored.
    pub bytes: i64,
    /// How many rows, estimated from what was looked at.
    pub rows: Option<i64>,
    /// Why it is one table, and why it is what it is.
    pub reasons: Vec<String>,
}

/// A partition that a crawl found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPartition {
    /// Where its data is.
    pub location: Location,
    /// How many files.
    pub files: i64,
    /// Their size in bytes.
    pub bytes: i64,
}

/// What folders came to.
#[derive(Debug, Default)]
pub struct Merged {
    /// Tables, without names.
    pub tables: Vec<FoundTable>,
    /// What was left aside.
    pub set_aside: Vec<SetAside>,
}

/// Files of one folder that are one table.
struct Cluster<'a> {
    files: Vec<(&'a DataFile, &'a Verdict)>,
}

impl Cluster<'_> {
    fn classification(&self) -> &str {
        self.files
            .first()
            .map_or("", |(_, verdict)| &verdict.classification)
    }
}

/// Makes tables of folders.
pub fn merge(target: &Location, folders: Vec<Folder>, looks: &Looks) -> Merged {
    let mut merged = Merged::default();
    for folder in folders {
        merge_folder(target, &folder, looks, &mut merged);
    }
    merged
}

fn merge_folder(target: &Location, folder: &Folder, looks: &Looks, merged: &mut Merged) {
    let aside = |file: &DataFile, reason: String| SetAside {
        path: target.with_key(&file.object.key).to_string(),
        reason,
    };
    let mut looked = Vec::new();
    for file in &folder.files {
        match looks.get(&file.object.key) {
            Some(Ok(verdict)) if FileFormat::of(verdict).is_some() => looked.push((file, verdict)),
            Some(Ok(verdict)) => {
                let what = if verdict.columns.is_empty() && verdict.classification != "UNKNOWN" {
                    format!("it is {}, and has no columns", verdict.classification)
                } else {
                    format!(
                        "no classifier makes a table of it: {}",
                        verdict.reasons.join("; ")
                    )
                };
                merged.set_aside.push(aside(file, what));
            }
            Some(Err(reason)) => merged.set_aside.push(aside(file, reason.clone())),
            None => {}
        }
    }
    let (misnamed, looked): (Vec<_>, Vec<_>) = looked
        .iter()
        .copied()
        .partition(|look| is_misnamed(look, &looked));
    let mut odd = BTreeSet::new();
    for (file, verdict) in misnamed {
        let (named, is) = (extension(&file.object.key), &verdict.classification);
        odd.insert(&file.object.key);
        merged.set_aside.push(aside(
            file,
            format!("it is {is}, though it is named .{named} like others in the folder"),
        ));
    }
    let clusters = clusters_of(&looked, folder.partition_keys.is_empty());
    let Some(largest) =
        (0..clusters.len()).max_by_key(|index| (clusters[*index].files.len(), usize::MAX - index))
    else {
        return;
    };
    let has_majority = clusters[largest].files.len() * 2 > looked.len();
    if clusters.len() > 1 && !has_majority && folder.partition_keys.is_empty() {
        for (file, verdict) in looked {
            let alone = Cluster {
                files: vec![(file, verdict)],
            };
            let reason = "less than half of the folder's files are alike: each is a table of its own";
            merged.tables.extend(table_of(
                target,
                &file.object.key,
                folder,
                &alone,
                &[file],
                reason.to_owned(),
            ));
        }
        return;
    }
    for (index, cluster) in clusters.iter().enumerate().filter(|(index, _)| *index != largest) {
        for (file, _) in &cluster.files {
            odd.insert(&file.object.key);
            merged
                .set_aside
                .push(aside(file, odd_reason(&clusters[largest], &clusters[index])));
        }
    }
    let failed = |file: &DataFile| matches!(looks.get(&file.object.key), Some(look) if !is_table(look));
    let members: Vec<&DataFile> = folder
        .files
        .iter()
        .filter(|file| !odd.contains(&file.object.key) && !failed(file))
        .collect();
    let reason = match (
        folder.single_file,
        folder.partition_keys.is_empty(),
        members.len(),
    ) {
        (true, ..) => "the target is one file".to_owned(),
        (_, true, 1) => "one file in one folder".to_owned(),
        (_, true, count) => format!("{count} files in one folder, alike"),
        (_, false, 1) => format!(
            "one file in a folder that is a partition by {}",
            folder.partition_keys.join(", ")
        ),
        (_, false, count) => {
            format!(
                "{count} files in folders that are partitions by {}",
                folder.partition_keys.join(", ")
            )
        }
    };
    merged.tables.extend(table_of(
        target,
        &folder.root,
        folder,
        &clusters[largest],
        &members,
        reason,
    ));
}

fn is_table(look: &Result<Verdict, String>) -> bool {
    matches!(look, Ok(verdict) if FileFormat::of(verdict).is_some())
}

fn odd_reason(table: &Cluster<'_>, odd: &Cluster<'_>) -> String {
    let (ours, theirs) = (odd.classification(), table.classification());
    let others = super::plan::counted(table.files.len(), "other file");
    if ours == theirs {
        return format!(
            "its columns are unlike those of the {others} in the folder: move it to a folder of its own"
        );
    }
    format!("it is {ours}, unlike the {others} in the folder ({theirs}): move it to a folder of its own")
}

/// What the name says the file is; `.gz` at its end says nothing of that.
fn extension(key: &str) -> &str {
    key.strip_suffix(".gz")
        .unwrap_or(key)
        .rsplit('.')
        .next()
        .unwrap_or_default()
}

/// Whether a file's name says that it is like others in the folder, and its content says otherwise.
fn is_misnamed((file, verdict): &(&DataFile, &Verdict), looked: &[(&DataFile, &Verdict)]) -> bool {
    let named = extension(&file.object.key);
    named != verdict.classification && looked.iter().any(|(_, other)| other.classification == named)
}

/// Files of one format whose columns are alike. In partitions a table may change over time, so there the format suffices.
fn clusters_of<'a>(looked: &[(&'a DataFile, &'a Verdict)], compare_columns: bool) -> Vec<Cluster<'a>> {
    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    for (file, verdict) in looked {
        let home = clusters.iter_mut().find(|cluster| {
            cluster.classification() == verdict.classification
                && (!compare_columns
                    || cluster
                        .files
                        .first()
                        .is_some_and(|(_, first)| are_alike(first, verdict)))
        });
        match home {
            Some(cluster) => cluster.files.push((*file, *verdict)),
            None => clusters.push(Cluster {
                files: vec![(*file, *verdict)],
            }),
        }
    }
    clusters
}

fn are_alike(a: &Verdict, b: &Verdict) -> bool {
    let names = |verdict: &Verdict| -> BTreeSet<String> {
        verdict
            .columns
            .iter()
            .map(|column| column.name.to_lowercase())
            .collect()
    };
    let (a, b) = (names(a), names(b));
    let widest = a.len().max(b.len());
    #[expect(
        clippy::cast_precision_loss,
        reason = "a file has at most ten thousand columns"
    )]
    let share = a.intersection(&b).count() as f64 / widest.max(1) as f64;
    widest == 0 || share >= ALIKE
}

fn table_of(
    target: &Location,
    root: &str,
    folder: &Folder,
    cluster: &Cluster<'_>,
    members: &[&DataFile],
    reason: String,
) -> Option<FoundTable> {
    let (_, first) = cluster.files.first()?;
    let mut reasons = vec![reason];
    if cluster.files.len() < members.len() {
        reasons.push(format!(
            "{} of {} files were looked at",
            cluster.files.len(),
            members.len()
        ));
    }
    reasons.extend(first.reasons.iter().cloned());
    let mut partitions: BTreeMap<Vec<String>, FoundPartition> = BTreeMap::new();
    for file in members.iter().filter(|_| !folder.partition_keys.is_empty()) {
        let partition = partitions
            .entry(file.partition.clone())
            .or_insert_with(|| FoundPartition {
                location: target.with_key(&file.folder),
                files: 0,
                bytes: 0,
            });
        partition.files += 1;
        partition.bytes += size_of(file);
    }
    let mut columns = columns_of(&cluster.files);
    // A column that repeats a partition key can't be in the catalog; the folder's name is what engines go by.
    columns.retain(|column| {
        let is_key = folder.partition_keys.contains(&column.name);
        if is_key {
            reasons.push(format!(
                "the column {} is left out: it is a partition key",
                column.name
            ));
        }
        !is_key
    });
    Some(FoundTable {
        name: String::new(),
        location: target.with_key(root),
        format: FileFormat::of(first)?,
        compression: cluster
            .files
            .iter()
            .map(|(_, verdict)| verdict.compression)
            .find(|compression| *compression != classifiers::Compression::None)
            .unwrap_or(classifiers::Compression::None)
            .glue_name()
            .to_owned(),
        partition_keys: folder.partition_keys.clone(),
        partitions,
        columns,
        files: i64::try_from(members.len()).unwrap_or(i64::MAX),
        bytes: members.iter().map(|file| size_of(file)).sum(),
        rows: rows_of(&cluster.files, members),
        reasons,
    })
}

fn size_of(file: &DataFile) -> i64 {
    i64::try_from(file.object.size).unwrap_or(i64::MAX)
}

/// Rows of the files that were looked at, stretched to those that weren't by their size.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "it is an estimate"
)]
fn rows_of(looked: &[(&DataFile, &Verdict)], members: &[&DataFile]) -> Option<i64> {
    let mut rows = 0.0;
    let mut looked_bytes = 0;
    for (file, verdict) in looked {
        rows += match (verdict.row_count, verdict.average_row_bytes) {
            (Some(count), _) => count as f64,
            (None, Some(bytes)) if bytes > 0.0 && verdict.compression == classifiers::Compression::None => {
                size_of(file) as f64 / bytes
            }
            _ => return None,
        };
        looked_bytes += size_of(file);
    }
    let all_bytes: i64 = members.iter().map(|file| size_of(file)).sum();
    Some((rows * all_bytes as f64 / looked_bytes.max(1) as f64).round() as i64)
}

/// The columns of several files: in the order of their first appearance, each as wide as it needs to be.
fn columns_of(files: &[(&DataFile, &Verdict)]) -> Vec<PlannedColumn> {
    struct Seen {
        name: String,
        data_type: DataType,
        reason: String,
        files: usize,
        widened_by: Option<String>,
    }
    let mut columns: Vec<Seen> = Vec::new();
    for (file, verdict) in files {
        let mut in_this_file = BTreeSet::new();
        for column in &verdict.columns {
            let name = column.name.to_lowercase();
            if !in_this_file.insert(name.clone()) {
                continue;
            }
            let Some(seen) = columns.iter_mut().find(|seen| seen.name == name) else {
                columns.push(Seen {
                    name,
                    data_type: column.data_type.clone(),
                    reason: column.reason.clone(),
                    files: 1,
                    widened_by: None,
                });
                continue;
            };
            seen.files += 1;
            let merged = seen.data_type.clone().merge(column.data_type.clone());
            if merged != seen.data_type {
                let file_name = file.object.key.rsplit('/').next().unwrap_or_default();
                seen.widened_by = Some(format!(
                    "{} before {file_name}, which has {}",
                    seen.data_type, column.data_type
                ));
                seen.data_type = merged;
            }
        }
    }
    columns
        .into_iter()
        .map(|seen| PlannedColumn {
            data_type: seen.data_type.to_string(),
            reason: match (seen.widened_by, files.len()) {
                (Some(widened), _) => widened,
                (None, 1) => seen.reason,
                (None, all) if seen.files == all => format!("the same in all {all} files; {}", seen.reason),
                (None, all) => format!("in {} of {all} files; {}", seen.files, seen.reason),
            },
            name: seen.name,
        })
        .collect()
}

/// Names tables after their folders; where two would have the same name, the folders above are put before it.
pub fn give_names(tables: &mut [FoundTable], prefix: &str) {
    tables.sort_by(|a, b| a.location.cmp(&b.location));
    let most = tables
        .iter()
        .map(|table| segments(&table.location).len())
        .max()
        .unwrap_or(0);
    let mut depth = vec![1; tables.len()];
    for _ in 0..most {
        let names: Vec<String> = tables
            .iter()
            .zip(&depth)
            .map(|(table, depth)| name_of(table, *depth))
            .collect();
        for (index, name) in names.iter().enumerate() {
            if names.iter().filter(|other| *other == name).count() > 1 {
                depth[index] += 1;
            }
        }
    }
    let mut taken = BTreeSet::new();
    for (table, depth) in tables.iter_mut().zip(depth) {
        let base = identifier(&format!("{prefix}{}", name_of(table, depth)));
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        table.name = name;
    }
}

fn segments(location: &Location) -> Vec<&str> {
    std::iter::once(location.bucket.as_str())
        .chain(location.key.split('/').filter(|segment| !segment.is_empty()))
        .collect()
}

fn name_of(table: &FoundTable, depth: usize) -> String {
    let segments = segments(&table.location);
    let last = &segments[segments.len().saturating_sub(depth)..];
    identifier(&last.join("_"))
}
