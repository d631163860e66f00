//! Why each thing of a plan changes: what was there, what is found, and which file or folder shows it. Pure.

use classifiers::DataType;

use super::together::serde_library;
use super::write::{self, UPDATED_BY_CRAWLER};
use crate::catalog::formats::real_type;
use crate::crawl::shape::columns::Step;
use crate::crawl::shape::found::{FoundFormat, FoundTable};
use crate::crawl::shape::words::counted;
use crate::model::crawl_steps::FoundPartition;
use crate::model::location::Location;
use crate::model::partition::Partition;
use crate::model::table::{Column, Parameters, StorageDescriptor, TableInput};

/// Parameters that are told of in other words than "was this, and is that".
const TOLD_APART: [&str; 6] = [
    "classification",
    "objectCount",
    "sizeKey",
    "recordCount",
    "averageRecordSize",
    UPDATED_BY_CRAWLER,
];

/// Why a column is new.
pub(super) fn of_new_column(found: &FoundTable, column: &Column) -> String {
    let decided = write::reason_of(&found.columns, &column.name);
    match found.steps.get(&column.name).and_then(|steps| steps.first()) {
        Some(first) => format!("first found in {}; {decided}", first.file),
        None => decided,
    }
}

/// Why a column has another type: the file whose values the former one doesn't take.
pub(super) fn of_new_type(found: &FoundTable, old: &Column, new: &Column) -> String {
    let known = real_type(old).and_then(|text| text.parse::<DataType>().ok());
    let (Some(known), Some(steps)) = (known, found.steps.get(&new.name)) else {
        return write::reason_of(&found.columns, &new.name);
    };
    let mut wide = known;
    let mut cause: Option<&Step> = None;
    for step in steps {
        let wider = wide.clone().merge(step.data_type.clone());
        if wider != wide {
            (wide, cause) = (wider, Some(step));
        }
    }
    match cause {
        Some(step) => format!("{} has {}", step.file, step.data_type),
        None => format!("no file has more than {} now", real_type(new).unwrap_or_default()),
    }
}

/// Why a column goes.
pub(super) fn of_removed_column(found: &FoundTable) -> String {
    let why = match found.format {
        FoundFormat::Database(_) => "the database has it no more",
        _ => "no file has it now, or by another name",
    };
    why.to_owned()
}

/// Why a table has other partition keys.
pub(super) fn of_keys(found: &FoundTable) -> String {
    match found.partitions.values().next() {
        Some(partition) => format!("its files lie in folders like {}", partition.location),
        None => "no folders divide its files any more".to_owned(),
    }
}

/// Whether the files are read otherwise than they were.
pub(super) fn is_other_format(old: &TableInput, new: &TableInput) -> bool {
    old.classification() != new.classification() || serde_library(old) != serde_library(new)
}

/// Why a table itself changes.
pub(super) fn of_table(found: &FoundTable, old: &TableInput, new: &TableInput) -> String {
    if let FoundFormat::Database(_) = found.format {
        return "the database says so".to_owned();
    }
    let value = |table: &TableInput, key: &str| table.parameters.get(key).cloned();
    let mut causes = Vec::new();
    if old.location() != new.location() {
        causes.push(was(
            "its place",
            old.location().map(str::to_owned),
            new.location().map(str::to_owned),
        ));
    }
    if old.classification() != new.classification() {
        let class = |table: &TableInput| table.classification().unwrap_or("of no known kind").to_owned();
        causes.push(format!("its files are {}, and were {}", class(new), class(old)));
    }
    if serde_library(old) != serde_library(new) {
        let short =
            |table| serde_library(table).and_then(|class| class.rsplit('.').next().map(str::to_owned));
        causes.push(was("what reads them", short(old), short(new)));
    }
    if let (Some(before), Some(now)) = (size(&old.parameters), size(&new.parameters)) {
        if before != now {
            causes.push(format!("it has {now}, and had {before}"));
        }
    } else if let Some(now) = size(&new.parameters) {
        causes.push(format!("it has {now}, and nobody had counted them"));
    }
    let (before, now) = (value(old, "recordCount"), value(new, "recordCount"));
    if causes.is_empty() && before != now {
        causes.push(was("the estimate of its rows", before, now));
    }
    let (before, now) = (value(old, UPDATED_BY_CRAWLER), value(new, UPDATED_BY_CRAWLER));
    if before != now {
        causes.push(was("its crawler", before, now));
    }
    let keys = new.parameters.keys().chain(
        old.parameters
            .keys()
            .filter(|key| !new.parameters.contains_key(*key)),
    );
    for key in keys.filter(|key| !TOLD_APART.contains(&key.as_str())) {
        let (before, now) = (value(old, key), value(new, key));
        if before != now {
            causes.push(was(key, before, now));
        }
    }
    if causes.is_empty() {
        return "what is said of its storage is other than a crawl says of such files".to_owned();
    }
    causes.join("; ")
}

fn was(what: &str, before: Option<String>, now: Option<String>) -> String {
    let shown =
        |value: Option<String>| value.map_or_else(|| "nothing".to_owned(), |value| format!("'{value}'"));
    format!("{what} is {}, and was {}", shown(now), shown(before))
}

/// How much there is, by the parameters that count.
fn size(parameters: &Parameters) -> Option<String> {
    let (files, bytes) = (parameters.get("objectCount")?, parameters.get("sizeKey")?);
    let files = files.parse().ok()?;
    Some(format!("{} of {bytes} bytes", counted(files, "file")))
}

/// Why partitions are new; the places are those of the new ones.
pub(super) fn of_new_partitions(places: &[&Location]) -> String {
    match places {
        [] => String::new(),
        [one] => format!("{one} has files, and had no partition"),
        [first, rest @ ..] => format!(
            "{first} and {} have files, and had no partitions",
            counted(rest.len(), "other folder")
        ),
    }
}

/// Why partitions go; they are those that do.
pub(super) fn of_gone_partitions(gone: &[&Partition]) -> String {
    let place = |partition: &Partition| partition.location().unwrap_or_default().to_owned();
    match gone {
        [] => String::new(),
        [one] => format!("{} holds no files any more", place(one)),
        [first, rest @ ..] => format!(
            "{} and {} hold no files any more",
            place(first),
            counted(rest.len(), "other folder")
        ),
    }
}

/// Why partitions change, each with what was there and what is found: the first that moved, and the first that has other
/// files.
pub(super) fn of_changed_partitions(changed: &[(String, &Partition, &FoundPartition)]) -> String {
    let is_moved = |known: &Partition, now: &FoundPartition| !is_at(known, &now.location);
    let (moved, counted_anew): (Vec<_>, Vec<_>) =
        changed.iter().partition(|(_, known, now)| is_moved(known, now));
    let and_more = |list: &[&(String, &Partition, &FoundPartition)]| match list.len() {
        0 | 1 => String::new(),
        many => format!(", and {} more alike", many - 1),
    };
    let mut causes = Vec::new();
    if let Some((name, known, now)) = moved.first() {
        let before = known.location().unwrap_or("no place");
        causes.push(format!(
            "{name} lies at {}, and lay at {before}{}",
            now.location,
            and_more(&moved)
        ));
    }
    if let Some((name, known, now)) = counted_anew.first() {
        let before = size(&known.own.parameters).unwrap_or_else(|| "no counts".to_owned());
        let now = size(&write::partition_counts(now)).unwrap_or_default();
        causes.push(format!(
            "{name} has {now}, and had {before}{}",
            and_more(&counted_anew)
        ));
    }
    causes.join("; ")
}

/// Whether a partition lies in this folder, however that is spelt.
pub(super) fn is_at(partition: &Partition, place: &Location) -> bool {
    partition
        .location()
        .is_some_and(|known| Location::is_same_folder(known, &place.to_string()))
}

/// Why partitions follow their table: in what its shape differs from theirs.
pub(super) fn of_followers(theirs: &StorageDescriptor, table: &StorageDescriptor) -> String {
    let find = |list: &StorageDescriptor, name: &str| {
        list.columns.iter().find(|column| column.name == name).cloned()
    };
    let mut causes = Vec::new();
    for column in &table.columns {
        let kind = real_type(column).unwrap_or_default();
        match find(theirs, &column.name) {
            None => causes.push(format!("the table has {} {kind}", column.name)),
            Some(known) if real_type(&known) != real_type(column) => causes.push(format!(
                "{} is {kind} in the table, and {} in them",
                column.name,
                real_type(&known).unwrap_or_default()
            )),
            Some(_) => {}
        }
    }
    let removed = theirs
        .columns
        .iter()
        .filter(|column| find(table, &column.name).is_none());
    causes.extend(removed.map(|column| format!("the table has no {}", column.name)));
    if causes.is_empty() {
        return "what the table says of its storage is other than what they say".to_owned();
    }
    causes.join("; ")
}
