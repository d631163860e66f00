//! The columns of several files: in the order of their first appearance, each as wide as it needs to be. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use classifiers::{DataType, Verdict};

use crate::model::crawl::PlannedColumn;

/// A file that made a column what it is: the first that has it, or one whose values made it wider.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The file, below the table's folder.
    pub file: String,
    /// What the column is in it.
    pub data_type: DataType,
}

/// The files that made each column what it is, in their order.
pub type Steps = BTreeMap<String, Vec<Step>>;

struct Seen {
    name: String,
    data_type: DataType,
    reason: String,
    files: usize,
    widened_by: Option<String>,
    steps: Vec<Step>,
}

/// The columns of files, each given with its place below the table's folder, in the order of their keys; and which of the
/// files made them so.
pub fn columns_of(files: &[(String, &Verdict)]) -> (Vec<PlannedColumn>, Steps) {
    let mut columns: Vec<Seen> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (key, verdict) in files {
        let mut in_this_file = BTreeSet::new();
        for column in &verdict.columns {
            let name = column.name.to_lowercase();
            if !in_this_file.insert(name.clone()) {
                continue;
            }
            let step = || Step {
                file: key.clone(),
                data_type: column.data_type.clone(),
            };
            let Some(seen) = places.get(&name).map(|at| &mut columns[*at]) else {
                places.insert(name.clone(), columns.len());
                columns.push(Seen {
                    name,
                    data_type: column.data_type.clone(),
                    reason: column.reason.clone(),
                    files: 1,
                    widened_by: None,
                    steps: vec![step()],
                });
                continue;
            };
            seen.files += 1;
            if seen.data_type == column.data_type {
                continue;
            }
            let merged = seen.data_type.clone().merge(column.data_type.clone());
            if merged != seen.data_type {
                let file = key.rsplit('/').next().unwrap_or_default();
                seen.widened_by = Some(format!(
                    "{} before {file}, which has {}",
                    seen.data_type, column.data_type
                ));
                seen.data_type = merged;
                seen.steps.push(step());
            }
        }
    }
    let steps = columns
        .iter()
        .map(|seen| (seen.name.clone(), seen.steps.clone()))
        .collect();
    let planned = columns
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
        .collect();
    (planned, steps)
}
