//! What becomes of a table's partitions. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::current::Existing;
use super::told::{Told, log_only, spec};
use super::{others, reasons, write};
use crate::crawl::shape::found::FoundTable;
use crate::model::crawl::ChangeOp;
use crate::model::crawl_options::{DeleteBehavior, RecrawlBehavior, UpdateBehavior, Writing};
use crate::model::crawl_steps::{FoundPartition, KnownPartition, PartitionWork, Step, StepTable};
use crate::model::location::Location;
use crate::model::partition::Partition;
use crate::model::table::{StorageDescriptor, TableInput};

/// What becomes of a table's partitions.
#[derive(Debug, Default)]
pub(super) struct PartitionChanges {
    /// The values of new ones.
    added: Vec<Vec<String>>,
    /// Those that lie elsewhere, or hold other files.
    changed: Vec<KnownPartition>,
    /// Those whose folders are empty.
    gone: Vec<KnownPartition>,
    /// What many have in common and which ones those are, to get what the table has.
    followers: Vec<(StorageDescriptor, Vec<Vec<String>>)>,
    /// What the table has.
    shape: StorageDescriptor,
}

impl PartitionChanges {
    /// What partitions have in common that are to follow their table.
    pub(super) fn followed(&self) -> Vec<StorageDescriptor> {
        self.followers.iter().map(|(shape, _)| shape.clone()).collect()
    }

    /// The steps that they take, in which what was found is used up.
    pub(super) fn into_steps(
        self,
        found: &mut BTreeMap<Vec<String>, FoundPartition>,
        table: &StepTable,
        is_others: bool,
    ) -> Vec<Step> {
        let has_followers = !self.followers.is_empty();
        let follow = |(from, values)| PartitionWork::Follow {
            from: Box::new(from),
            to: Box::new(self.shape.clone()),
            values,
        };
        let mut work: Vec<PartitionWork> = self.followers.into_iter().map(follow).collect();
        let followed = work.len();
        work.push(PartitionWork::Remove {
            partitions: self.gone,
        });
        let changed = self.changed.into_iter().filter_map(|known| {
            let found = found.remove(&known.values)?;
            Some((known, found))
        });
        work.push(PartitionWork::Change {
            partitions: changed.collect(),
        });
        let added = self.added.into_iter();
        work.push(PartitionWork::Add {
            partitions: added.filter_map(|values| found.remove_entry(&values)).collect(),
            is_signed: is_others,
        });
        let mut steps: Vec<Step> = work
            .into_iter()
            .filter(|work| work.count() > 0)
            .map(|work| Step::Partitions {
                table: table.clone(),
                work,
            })
            .collect();
        if has_followers {
            let table = table.clone();
            steps.insert(followed, Step::Followed { table });
        }
        steps
    }
}

/// A partition as the plan knows it.
pub(super) fn known(partition: &Partition) -> KnownPartition {
    KnownPartition {
        values: partition.values().to_vec(),
        updated_at: partition.updated_at,
    }
}

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
    let all_known: BTreeMap<&[String], &Partition> = existing
        .partitions
        .iter()
        .map(|partition| (partition.values(), partition))
        .collect();
    let places: BTreeSet<Location> = existing.partitions.iter().filter_map(place_of).collect();
    let mut changed = Vec::new();
    for (values, partition) in &found.partitions {
        match all_known.get(values.as_slice()) {
            // Others may write a folder's value in another way.
            None if is_others && places.contains(&partition.location.as_folder()) => {}
            None => changes.added.push(values.clone()),
            Some(there) if !is_kept_up(there) => {}
            Some(there)
                if !reasons::is_at(there, &partition.location) || has_other_counts(there, partition) =>
            {
                changed.push((spec(found, values), *there, partition));
                changes.changed.push(known(there));
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
    changes.gone = gone.iter().map(|partition| known(partition)).collect();
    let values_of = |list: &[KnownPartition]| -> Vec<Vec<String>> {
        list.iter().map(|partition| partition.values.clone()).collect()
    };
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
        changes.added.len().to_string(),
        &reasons::of_new_partitions(&new),
    );
    let is_log = told.request.options.update == UpdateBehavior::Log;
    let before = told.changes.len();
    told.partitions(
        ChangeOp::Change,
        found,
        &values_of(&changes.changed),
        changes.changed.len().to_string(),
        &reasons::of_changed_partitions(&changed),
    );
    changes.shape = write::partition_shape(input);
    if !is_others {
        changes.followers = followers_of(writing, found, existing, &changes.shape);
    }
    let why = changes.followers.first();
    let why = why.map(|(theirs, _)| reasons::of_followers(theirs, &changes.shape));
    let followers: Vec<Vec<String>> = changes
        .followers
        .iter()
        .flat_map(|(_, values)| values.iter().cloned())
        .collect();
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
        changes.followers.clear();
    }
    let before = told.changes.len();
    told.partitions(
        ChangeOp::Retire,
        found,
        &values_of(&changes.gone),
        changes.gone.len().to_string(),
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

/// Which partitions follow their table, by what they have in common now: those that are as a crawl wrote them, and all of
/// them where the configuration says that partitions inherit.
fn followers_of(
    writing: &Writing,
    found: &FoundTable,
    existing: &Existing,
    new: &StorageDescriptor,
) -> Vec<(StorageDescriptor, Vec<Vec<String>>)> {
    let left = existing.left.as_ref();
    let written = left.map(|left| write::partition_shape(&left.written));
    let awaited = left.map(|left| left.followers.as_slice()).unwrap_or_default();
    let was = write::partition_shape(&existing.table.input);
    let mut followers: Vec<(StorageDescriptor, Vec<Vec<String>>)> = Vec::new();
    for partition in &existing.partitions {
        let Some(shape) = partition.shape.as_deref() else {
            continue;
        };
        let is_follower = writing.configuration.inherit_from_table
            || Some(shape) == written.as_ref()
            || *shape == was
            || awaited.contains(shape);
        if shape == new || !is_follower || !found.partitions.contains_key(partition.values()) {
            continue;
        }
        let values = partition.values().to_vec();
        match followers.iter_mut().find(|(old, _)| old == shape) {
            Some((_, others)) => others.push(values),
            None => followers.push((shape.clone(), vec![values])),
        }
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
