//! What becomes of a table's partitions. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::current::Existing;
use super::told::{Told, log_only, spec};
use super::writes::PartitionChanges;
use super::{others, reasons, write};
use crate::crawl::shape::found::{FoundPartition, FoundTable};
use crate::model::crawl::ChangeOp;
use crate::model::crawl_options::{DeleteBehavior, RecrawlBehavior, UpdateBehavior, Writing};
use crate::model::location::Location;
use crate::model::partition::Partition;
use crate::model::table::TableInput;

/// Tells what becomes of a table's partitions, and gives it.
pub(super) fn changes(
    told: &mut Told<'_>,
    writing: &Writing,
    found: &FoundTable,
    existing: &Existing,
    input: &TableInput,
    is_others: bool,
) -> PartitionChanges {
    let mut changes = PartitionChanges::default();
    let why_none = others::why_no_partitions(&existing.table.input, found).filter(|_| is_others);
    if let Some(reason) = why_none {
        let all: Vec<Vec<String>> = found.partitions.keys().cloned().collect();
        let detail = format!("{} not added", all.len());
        told.partitions(ChangeOp::Unchanged, found, &all, detail, &reason);
        return changes;
    }
    // In a table of others, a crawl keeps up what it added itself.
    let crawler = write::crawler_name(told.request);
    let is_kept_up = |partition: &Partition| !is_others || write::is_signed(&partition.own, crawler);
    let root = Location::parse(&found.location.to_string()).ok();
    let known: BTreeMap<&[String], &Partition> = existing
        .partitions
        .iter()
        .map(|partition| (partition.values(), partition))
        .collect();
    let places: BTreeSet<Location> = existing.partitions.iter().filter_map(place_of).collect();
    let mut changed = Vec::new();
    for (values, partition) in &found.partitions {
        match known.get(values.as_slice()) {
            // Others may write a folder's value in another way.
            None if is_others && places.contains(&partition.location.as_folder()) => {}
            None => changes.added.push(values.clone()),
            Some(known) if !is_kept_up(known) => {}
            Some(known)
                if !reasons::is_at(known, &partition.location) || has_other_counts(known, partition) =>
            {
                changed.push((spec(found, values), *known, partition));
                changes.changed.push(values.clone());
            }
            Some(_) => {}
        }
    }
    // Partitions outside the table's folder were put there by somebody else.
    let is_here = |partition: &Partition| {
        let (root, place) = (root.as_ref(), place_of(partition));
        root.zip(place)
            .is_some_and(|(root, place)| root.contains(&place.bucket, &place.key))
    };
    let gone: Vec<&Partition> = existing
        .partitions
        .iter()
        .filter(|partition| is_here(partition) && is_kept_up(partition))
        .filter(|partition| !found.partitions.contains_key(partition.values()))
        .collect();
    changes.gone = gone.iter().map(|partition| partition.values().to_vec()).collect();
    let count = |list: &[Vec<String>]| list.len().to_string();
    if told.request.options.recrawl != RecrawlBehavior::CrawlEverything
        && told.request.options.update == UpdateBehavior::Log
        && !share_columns(found, &existing.table.input)
    {
        let reason = "most of their columns are unlike the table's: nothing was added";
        let detail = format!("{} not added", changes.added.len());
        told.partitions(ChangeOp::Unchanged, found, &changes.added, detail, reason);
        changes.added.clear();
    }
    let new: Vec<&Location> = changes
        .added
        .iter()
        .map(|values| &found.partitions[values].location)
        .collect();
    told.partitions(
        ChangeOp::Add,
        found,
        &changes.added,
        count(&changes.added),
        &reasons::of_new_partitions(&new),
    );
    let is_log = told.request.options.update == UpdateBehavior::Log;
    let before = told.changes.len();
    told.partitions(
        ChangeOp::Change,
        found,
        &changes.changed,
        count(&changes.changed),
        &reasons::of_changed_partitions(&changed),
    );
    let followers = if is_others {
        Vec::new()
    } else {
        followers_of(writing, found, existing, input, &mut changes)
    };
    let why = changes
        .reshaped
        .first()
        .map(|(theirs, table)| reasons::of_followers(theirs, table));
    told.partitions(
        ChangeOp::Change,
        found,
        &followers,
        format!("{} follow the table", followers.len()),
        &why.unwrap_or_default(),
    );
    if is_log {
        for change in &mut told.changes[before..] {
            log_only(change, "UpdateBehavior is LOG");
        }
        changes.changed.clear();
        changes.reshaped.clear();
    }
    let before = told.changes.len();
    told.partitions(
        ChangeOp::Retire,
        found,
        &changes.gone,
        count(&changes.gone),
        &reasons::of_gone_partitions(&gone),
    );
    if told.request.options.delete == DeleteBehavior::Log {
        for change in &mut told.changes[before..] {
            log_only(change, "DeleteBehavior is LOG");
        }
        changes.gone.clear();
    }
    changes
}

/// Which partitions follow their table: those that are as a crawl wrote them, and all of them where the configuration
/// says that partitions inherit.
fn followers_of(
    writing: &Writing,
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
        let is_follower =
            writing.configuration.inherit_from_table || Some(shape) == written.as_ref() || *shape == was;
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

/// The folder of a partition, in one spelling.
fn place_of(partition: &Partition) -> Option<Location> {
    let location = Location::parse(partition.location()?).ok()?;
    Some(location.as_folder())
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
