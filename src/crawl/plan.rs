//! What a crawl would change: what was found against what is in the catalog. Pure: the same in, the same out.

use std::collections::BTreeMap;

use super::merge::{FoundPartition, FoundTable};
use crate::model::crawl::{
    Change, ChangeKind, ChangeOp, CrawlRequest, Plan, PlannedColumn, PlannedTable, SetAside,
};
use crate::model::location::Location;
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::{Column, Parameters, Table, TableInput};

/// The parameter that says which crawler made a table.
pub const UPDATED_BY_CRAWLER: &str = "UPDATED_BY_CRAWLER";
/// The parameter that says that a table's data is gone.
pub const DEPRECATED_BY_CRAWLER: &str = "DEPRECATED_BY_CRAWLER";
/// Who made a table, where a bare prefix was crawled.
const NO_CRAWLER: &str = "mastic crawl";

/// The catalog as it is now, as far as the crawl is concerned.
#[derive(Debug, Default)]
pub struct Current {
    /// Whether the database is there.
    pub database_exists: bool,
    /// Tables by name, with their partitions.
    pub tables: BTreeMap<String, (Table, Vec<Partition>)>,
}

/// Whether a table was made by the same crawler, below one of its targets.
pub fn is_ours(request: &CrawlRequest, table: &TableInput) -> bool {
    let made_by = table.parameters.get(UPDATED_BY_CRAWLER).map(String::as_str);
    let below = |location: &str| {
        let location = Location::parse(location).ok()?;
        let is_below = |target: &Location| {
            target.contains(&location.bucket, &location.key)
                || (target.key == location.key && target.bucket == location.bucket)
        };
        Some(
            request
                .targets
                .iter()
                .filter_map(|target| Location::parse(&target.path).ok())
                .any(|target| is_below(&target)),
        )
    };
    made_by == Some(crawler_name(request)) && table.location().and_then(below).unwrap_or(false)
}

fn crawler_name(request: &CrawlRequest) -> &str {
    request.crawler.as_deref().unwrap_or(NO_CRAWLER)
}

/// Plans a crawl.
pub fn plan(
    request: &CrawlRequest,
    found: &[FoundTable],
    mut set_aside: Vec<SetAside>,
    current: &Current,
) -> Plan {
    set_aside.sort_by(|a, b| a.path.cmp(&b.path));
    let mut changes = Vec::new();
    if !current.database_exists && !found.is_empty() {
        changes.push(Change {
            op: ChangeOp::Add,
            kind: ChangeKind::Database,
            name: request.database.clone(),
            detail: "new".to_owned(),
            reason: "the crawl's tables go there".to_owned(),
        });
    }
    for table in found {
        match current.tables.get(&table.name) {
            None => add_table(request, table, &mut changes),
            Some((existing, partitions)) => change_table(request, table, existing, partitions, &mut changes),
        }
    }
    for (name, (table, _)) in &current.tables {
        let is_gone = !found.iter().any(|found| found.name == *name) && is_ours(request, &table.input);
        if is_gone && !table.input.parameters.contains_key(DEPRECATED_BY_CRAWLER) {
            changes.push(Change {
                op: ChangeOp::Retire,
                kind: ChangeKind::Table,
                name: format!("{}.{name}", request.database),
                detail: "marked as deprecated; nothing is deleted".to_owned(),
                reason: format!(
                    "no table is found at {} any more",
                    table.input.location().unwrap_or_default()
                ),
            });
        }
    }
    Plan {
        changes,
        set_aside,
        tables: found.iter().map(|table| summary(request, table)).collect(),
    }
}

fn summary(request: &CrawlRequest, table: &FoundTable) -> PlannedTable {
    PlannedTable {
        database: request.database.clone(),
        name: table.name.clone(),
        location: table.location.to_string(),
        classification: table.format.classification().to_owned(),
        partition_keys: table.partition_keys.clone(),
        partitions: i64::try_from(table.partitions.len()).unwrap_or(i64::MAX),
        files: table.files,
        bytes: table.bytes,
        columns: table.columns.clone(),
        reasons: table.reasons.clone(),
    }
}

fn add_table(request: &CrawlRequest, table: &FoundTable, changes: &mut Vec<Change>) {
    let name = format!("{}.{}", request.database, table.name);
    changes.push(Change {
        op: ChangeOp::Add,
        kind: ChangeKind::Table,
        name: name.clone(),
        detail: format!(
            "{}, {}, {} at {}",
            table.format.classification(),
            counted(table.columns.len(), "column"),
            counted(usize::try_from(table.files).unwrap_or(usize::MAX), "file"),
            table.location
        ),
        reason: table.reasons.first().cloned().unwrap_or_default(),
    });
    if !table.partitions.is_empty() {
        changes.push(Change {
            op: ChangeOp::Add,
            kind: ChangeKind::Partitions,
            name,
            detail: format!(
                "{} by {}",
                table.partitions.len(),
                table.partition_keys.join(", ")
            ),
            reason: "folders are named key=value, or are dates".to_owned(),
        });
    }
}

fn change_table(
    request: &CrawlRequest,
    found: &FoundTable,
    existing: &Table,
    partitions: &[Partition],
    changes: &mut Vec<Change>,
) {
    let name = format!("{}.{}", request.database, found.name);
    let before = changes.len();
    for column in &found.columns {
        column_change(&name, column, existing.input.columns(), changes);
    }
    for column in existing.input.columns() {
        if !found.columns.iter().any(|found| found.name == column.name) {
            changes.push(Change {
                op: ChangeOp::Unchanged,
                kind: ChangeKind::Column,
                name: format!("{name}.{}", column.name),
                detail: "stays".to_owned(),
                reason: "no file has it now; it is kept for those who query it".to_owned(),
            });
        }
    }
    let difference = partition_difference(found, partitions);
    let mut partition_change = |op, count: usize, reason: &str| {
        if count > 0 {
            changes.push(Change {
                op,
                kind: ChangeKind::Partitions,
                name: name.clone(),
                detail: count.to_string(),
                reason: reason.to_owned(),
            });
        }
    };
    partition_change(ChangeOp::Add, difference.added.len(), "new folders");
    partition_change(ChangeOp::Change, difference.moved.len(), "they lie elsewhere now");
    partition_change(
        ChangeOp::Retire,
        difference.gone.len(),
        "their folders hold no files any more",
    );
    let is_changed = changes[before..]
        .iter()
        .any(|change| change.op != ChangeOp::Unchanged);
    let input = table_input(request, found, Some(&existing.input));
    if input != existing.input && !is_changed {
        changes.push(Change {
            op: ChangeOp::Change,
            kind: ChangeKind::Table,
            name,
            detail: what_differs(&existing.input, &input),
            reason: "the files are other than they were".to_owned(),
        });
    } else if !is_changed {
        changes.push(Change {
            op: ChangeOp::Unchanged,
            kind: ChangeKind::Table,
            name,
            detail: counted(usize::try_from(found.files).unwrap_or(usize::MAX), "file"),
            reason: "the same columns, at the same place".to_owned(),
        });
    }
}

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn what_differs(old: &TableInput, new: &TableInput) -> String {
    let mut names: Vec<&str> = new
        .parameters
        .iter()
        .filter(|(key, value)| old.parameters.get(*key) != Some(value))
        .map(|(key, _)| key.as_str())
        .collect();
    if old.location() != new.location() {
        names.insert(0, "location");
    }
    if names.is_empty() {
        "storage".to_owned()
    } else {
        names.join(", ")
    }
}

fn column_change(table: &str, found: &PlannedColumn, existing: &[Column], changes: &mut Vec<Change>) {
    let name = format!("{table}.{}", found.name);
    let (op, detail) = match existing.iter().find(|column| column.name == found.name) {
        None => (ChangeOp::Add, found.data_type.clone()),
        Some(column) => {
            let (old, new) = (
                column.data_type.clone().unwrap_or_default(),
                merged_type(column, found),
            );
            if old == new {
                return;
            }
            (ChangeOp::Change, format!("{old} → {new}"))
        }
    };
    changes.push(Change {
        op,
        kind: ChangeKind::Column,
        name,
        detail,
        reason: found.reason.clone(),
    });
}

/// What is to become of partitions.
pub(super) struct PartitionDifference<'a> {
    pub(super) added: Vec<(&'a Vec<String>, &'a FoundPartition)>,
    pub(super) moved: Vec<(&'a Vec<String>, &'a FoundPartition)>,
    pub(super) gone: Vec<&'a Partition>,
}

pub(super) fn partition_difference<'a>(
    found: &'a FoundTable,
    existing: &'a [Partition],
) -> PartitionDifference<'a> {
    let mut difference = PartitionDifference {
        added: Vec::new(),
        moved: Vec::new(),
        gone: Vec::new(),
    };
    let known: BTreeMap<&Vec<String>, &Partition> = existing
        .iter()
        .map(|partition| (&partition.own.values, partition))
        .collect();
    for (values, partition) in &found.partitions {
        match known.get(values) {
            None => difference.added.push((values, partition)),
            Some(known) if known.location() != Some(partition.location.to_string().as_str()) => {
                difference.moved.push((values, partition));
            }
            Some(_) => {}
        }
    }
    // Partitions outside the table's folder were put there by somebody else.
    let root = found.location.to_string();
    let is_here = |partition: &Partition| partition.location().is_some_and(|at| at.starts_with(&root));
    difference.gone = existing
        .iter()
        .filter(|partition| is_here(partition) && !found.partitions.contains_key(&partition.own.values))
        .collect();
    difference
}

fn merged_type(existing: &Column, found: &PlannedColumn) -> String {
    let old = existing
        .data_type
        .as_deref()
        .map(str::parse::<classifiers::DataType>);
    match (old, found.data_type.parse::<classifiers::DataType>()) {
        (Some(Ok(old)), Ok(new)) => old.merge(new).to_string(),
        _ => found.data_type.clone(),
    }
}

/// The table as the crawl would write it: what people wrote stays, columns are widened and never lost.
pub(super) fn table_input(
    request: &CrawlRequest,
    found: &FoundTable,
    existing: Option<&TableInput>,
) -> TableInput {
    let old_columns = existing.map_or(&[][..], TableInput::columns);
    let mut columns: Vec<Column> = old_columns.to_vec();
    for column in &found.columns {
        match columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => known.data_type = Some(merged_type(known, column)),
            None => columns.push(Column::new(column.name.clone(), column.data_type.clone())),
        }
    }
    let parameters = parameters_of(request, found);
    let mut storage = found.format.storage(found.location.to_string(), columns);
    storage.compressed = Some(found.compression != "none");
    storage.parameters = Some(parameters.clone());
    let mut input = existing.cloned().unwrap_or_default();
    input.name.clone_from(&found.name);
    input.owner.get_or_insert_with(|| "owner".to_owned());
    input.table_type = Some("EXTERNAL_TABLE".to_owned());
    let old_keys = std::mem::take(&mut input.partition_keys);
    input.partition_keys = found
        .partition_keys
        .iter()
        .map(|key| {
            old_keys
                .iter()
                .find(|old| old.name == *key)
                .cloned()
                .unwrap_or_else(|| Column::new(key, "string"))
        })
        .collect();
    input.storage = Some(storage);
    input.parameters.extend(parameters);
    input.parameters.remove(DEPRECATED_BY_CRAWLER);
    input
}

fn parameters_of(request: &CrawlRequest, found: &FoundTable) -> Parameters {
    let mut parameters = found.format.parameters();
    let mut set = |key: &str, value: String| parameters.insert(key.to_owned(), value);
    set(UPDATED_BY_CRAWLER, crawler_name(request).to_owned());
    set("CrawlerSchemaSerializerVersion", "1.0".to_owned());
    set("CrawlerSchemaDeserializerVersion", "1.0".to_owned());
    set("compressionType", found.compression.clone());
    set("objectCount", found.files.to_string());
    set("sizeKey", found.bytes.to_string());
    if let Some(rows) = found.rows {
        set("recordCount", rows.to_string());
        set("averageRecordSize", (found.bytes / rows.max(1)).to_string());
    }
    parameters
}

/// A partition as the crawl would write it: with the table's columns, so that the two never disagree.
pub(super) fn partition_input(
    table: &TableInput,
    values: &[String],
    found: &FoundPartition,
) -> PartitionInput {
    let mut storage = table.storage.clone().unwrap_or_default();
    storage.location = Some(found.location.to_string());
    storage.parameters = None;
    let mut parameters = table.parameters.clone();
    parameters.retain(|key, _| key == "classification" || key == "compressionType" || key == "typeOfData");
    parameters.insert("objectCount".to_owned(), found.files.to_string());
    parameters.insert("sizeKey".to_owned(), found.bytes.to_string());
    PartitionInput {
        values: values.to_vec(),
        storage: Some(storage),
        parameters,
        other: serde_json::Map::new(),
    }
}
