//! What becomes of a table's partitions. Pure.

use std::collections::BTreeMap;

use super::{Existing, PartitionChanges, Planner, log_only};
use crate::crawl::found::{FoundPartition, FoundTable};
use crate::crawl::write;
use crate::model::crawl::ChangeOp;
use crate::model::crawl_options::{DeleteBehavior, RecrawlBehavior, UpdateBehavior};
use crate::model::partition::Partition;
use crate::model::table::TableInput;

impl Planner<'_> {
    pub(super) fn partition_changes(
        &mut self,
        found: &FoundTable,
        existing: &Existing,
        input: &TableInput,
    ) -> PartitionChanges {
        let mut changes = PartitionChanges::default();
        let root = found.location.to_string();
        let known: BTreeMap<&[String], &Partition> = existing
            .partitions
            .iter()
            .map(|partition| (partition.values(), partition))
            .collect();
        let mut moved = 0;
        for (values, partition) in &found.partitions {
            match known.get(values.as_slice()) {
                None => changes.added.push(values.clone()),
                Some(known) if known.location() != Some(partition.location.to_string().as_str()) => {
                    moved += 1;
                    changes.changed.push(values.clone());
                }
                Some(known) if has_other_counts(known, partition) => changes.changed.push(values.clone()),
                Some(_) => {}
            }
        }
        // Partitions outside the table's folder were put there by somebody else.
        let is_here =
            |partition: &Partition| partition.location().is_some_and(|place| place.starts_with(&root));
        changes.gone = existing
            .partitions
            .iter()
            .filter(|partition| is_here(partition) && !found.partitions.contains_key(partition.values()))
            .map(|partition| partition.values().to_vec())
            .collect();
        let count = |list: &[Vec<String>]| list.len().to_string();
        if self.request.options.recrawl != RecrawlBehavior::CrawlEverything
            && self.request.options.update == UpdateBehavior::Log
            && !share_columns(found, &existing.table.input)
        {
            let reason = "most of their columns are unlike the table's: nothing was added";
            let detail = format!("{} not added", changes.added.len());
            self.partitions(ChangeOp::Unchanged, found, &changes.added, detail, reason);
            changes.added.clear();
        }
        self.partitions(
            ChangeOp::Add,
            found,
            &changes.added,
            count(&changes.added),
            "new folders",
        );
        let is_log = self.request.options.update == UpdateBehavior::Log;
        let reason = if moved > 0 {
            "they lie elsewhere, or hold other files"
        } else {
            "they hold other files"
        };
        let before = self.changes.len();
        self.partitions(
            ChangeOp::Change,
            found,
            &changes.changed,
            count(&changes.changed),
            reason,
        );
        let followers = self.reshape(found, existing, input, &mut changes);
        self.partitions(
            ChangeOp::Change,
            found,
            &followers,
            format!("{} follow the table", followers.len()),
            "the table's columns or formats are other than theirs",
        );
        if is_log {
            for change in &mut self.changes[before..] {
                log_only(change, "UpdateBehavior is LOG");
            }
            changes.changed.clear();
            changes.reshaped.clear();
        }
        let before = self.changes.len();
        self.partitions(
            ChangeOp::Retire,
            found,
            &changes.gone,
            count(&changes.gone),
            "their folders hold no files any more",
        );
        if self.request.options.delete == DeleteBehavior::Log {
            for change in &mut self.changes[before..] {
                log_only(change, "DeleteBehavior is LOG");
            }
            changes.gone.clear();
        }
        changes
    }

    /// Which partitions follow their table: those that are as a crawl wrote them, and all of them where the configuration
    /// says that partitions inherit.
    fn reshape(
        &self,
        found: &FoundTable,
        existing: &Existing,
        input: &TableInput,
        changes: &mut PartitionChanges,
    ) -> Vec<Vec<String>> {
        let new = write::partition_shape(input);
        let written = existing
            .left
            .as_ref()
            .map(|left| write::partition_shape(&left.written));
        let was = write::partition_shape(&existing.table.input);
        let mut followers = Vec::new();
        for partition in &existing.partitions {
            let Some(shape) = partition.shape.as_deref() else {
                continue;
            };
            let is_follower = self.writing.configuration.inherit_from_table
                || Some(shape) == written.as_ref()
                || *shape == was;
            if *shape == new || !is_follower || !found.partitions.contains_key(partition.values()) {
                continue;
            }
            if !changes.reshaped.iter().any(|(old, _)| old == shape) {
                changes.reshaped.push((shape.clone(), new.clone()));
            }
            followers.push(partition.values().to_vec());
        }
        followers
    }
}

/// Whether most of what was found is in the table, as Glue asks of new folders.
fn share_columns(found: &FoundTable, table: &TableInput) -> bool {
    let shared = found
        .columns
        .iter()
        .filter(|column| table.columns().iter().any(|known| known.name == column.name))
        .count();
    shared * 2 > found.columns.len()
}

/// Whether a partition holds other files than the catalog says. How many rows they have is an estimate, which may move
/// with the files of other partitions.
fn has_other_counts(known: &Partition, found: &FoundPartition) -> bool {
    let counts = write::partition_counts(found);
    ["objectCount", "sizeKey"]
        .into_iter()
        .any(|key| known.own.parameters.get(key) != counts.get(key))
}
