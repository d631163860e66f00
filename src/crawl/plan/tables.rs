//! What a crawl would change: what was found against what is in the catalog. Pure: the same in, the same out.

use std::collections::BTreeSet;

use super::current::{Current, Existing};
use super::told::{Told, log_only};
use super::write::{self, DEPRECATED_BY_CRAWLER, UPDATED_BY_CRAWLER};
use super::{others, partitions, reasons, together};
use crate::catalog::formats::real_type;
use crate::crawl::shape::found::{FoundFormat, FoundTable, Place};
use crate::crawl::shape::naming;
use crate::crawl::shape::words::counted;
use crate::model::crawl::{ChangeKind, ChangeOp, CrawlRequest, Plan, PlannedTable, SetAside};
use crate::model::crawl_options::{DeleteBehavior, UpdateBehavior, Writing};
use crate::model::crawl_steps::{PartitionWork, Step, StepTable};
use crate::model::location::Location;
use crate::model::source::IncludePath;
use crate::model::table::{Column, TableInput};

/// Whether a table was made by the same crawler, below one of its targets.
pub fn is_ours(request: &CrawlRequest, table: &TableInput) -> bool {
    let made_by = table.parameters.get(UPDATED_BY_CRAWLER).map(String::as_str);
    let Some(place) = naming::place_of(table).filter(|_| made_by == Some(write::crawler_name(request)))
    else {
        return false;
    };
    let mut targets = request.targets.iter();
    match place {
        Place::Objects(location) => targets
            .filter(|target| target.connection.is_none())
            .filter_map(|target| Location::parse(&target.path).ok())
            .any(|target| {
                target.contains(&location.bucket, &location.key) || target.as_folder() == location.as_folder()
            }),
        Place::Source(place) => targets.any(|target| {
            let engine = write::engine_of(table);
            let path = engine.and_then(|engine| IncludePath::parse(engine, &target.path).ok());
            target.connection.as_ref() == Some(&place.connection)
                && path.is_some_and(|path| path.takes(&place))
        }),
    }
}

/// Plans a crawl: the plan for people, and the steps that make it true.
pub fn plan(
    request: &CrawlRequest,
    writing: &Writing,
    found: Vec<FoundTable>,
    set_aside: Vec<SetAside>,
    current: &Current,
) -> (Plan, Vec<Step>) {
    let mut planner = Planner {
        request,
        writing,
        told: Told::of(request),
        steps: Vec::new(),
        set_aside: &set_aside,
    };
    if !current.database_exists && !found.is_empty() {
        planner.told.say(
            ChangeOp::Add,
            ChangeKind::Database,
            request.database.clone(),
            "new",
            "the crawl's tables go there",
        );
    }
    if !found.is_empty() {
        planner.steps.push(Step::Database);
    }
    let tables = found.iter().map(|table| summary(request, table)).collect();
    let names: BTreeSet<String> = found.iter().map(|found| found.name.clone()).collect();
    for table in found {
        match current.tables.get(&table.name) {
            None => planner.add(table),
            Some(existing) => planner.change(table, existing),
        }
    }
    for (name, existing) in &current.tables {
        if !names.contains(name.as_str()) && is_ours(request, &existing.table.input) {
            planner.retire(name, existing);
        }
    }
    let (changes, steps) = (planner.told.changes, planner.steps);
    let plan = Plan {
        changes,
        set_aside,
        tables,
    };
    (plan, steps)
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

struct Planner<'a> {
    request: &'a CrawlRequest,
    writing: &'a Writing,
    told: Told<'a>,
    steps: Vec<Step>,
    /// The files that are no table's.
    set_aside: &'a [SetAside],
}

impl Planner<'_> {
    fn add(&mut self, mut table: FoundTable) {
        let name = self.told.full_name(&table.name);
        let detail = format!(
            "{}, {}, {} at {}",
            table.format.classification(),
            counted(table.columns.len(), "column"),
            contents(&table),
            table.location
        );
        let reason = table.reasons.first().cloned().unwrap_or_default();
        self.told
            .say(ChangeOp::Add, ChangeKind::Table, name.clone(), detail, reason);
        let values: Vec<Vec<String>> = table.partitions.keys().cloned().collect();
        let detail = format!("{} by {}", values.len(), table.partition_keys.join(", "));
        let why = table.reasons.get(1).cloned();
        self.told.partitions(
            ChangeOp::Add,
            &table,
            &values,
            detail,
            &why.unwrap_or_else(|| "folders of the table".to_owned()),
        );
        self.steps.push(Step::Create {
            input: Box::new(write::fresh(self.request, self.writing, &table)),
            set_aside: self.set_aside_below(&table),
        });
        let made = StepTable {
            name: table.name,
            id: None,
            version: None,
        };
        let partitions: Vec<_> = std::mem::take(&mut table.partitions).into_iter().collect();
        if !partitions.is_empty() {
            self.steps.push(Step::Partitions {
                table: made.clone(),
                work: PartitionWork::Add {
                    partitions,
                    is_signed: false,
                },
            });
        }
        self.index(made, table.partition_keys.is_empty());
    }

    /// The files below a table's folder that are no part of it.
    fn set_aside_below(&self, table: &FoundTable) -> Vec<(String, String)> {
        let folder = table.location.to_string();
        let below = self
            .set_aside
            .iter()
            .filter(|aside| aside.path.starts_with(&folder));
        below
            .map(|aside| (aside.path.clone(), aside.reason.clone()))
            .collect()
    }

    /// Has the index made that the configuration asks for.
    fn index(&mut self, table: StepTable, has_no_keys: bool) {
        if self.writing.configuration.create_partition_index && !has_no_keys {
            self.steps.push(Step::Index { table });
        }
    }

    fn change(&mut self, mut found: FoundTable, existing: &Existing) {
        let before = self.told.changes.len();
        let name = self.told.full_name(&found.name);
        let theirs = &existing.table.input;
        let ours = write::fresh(self.request, self.writing, &found);
        let base = existing.left.as_ref().map(|left| &left.described);
        let merged = if others::made(theirs, base) {
            others::with_new_columns(theirs, base, &ours)
        } else {
            together::merged(self.writing, theirs, base, &ours)
        };
        let is_log = self.request.options.update == UpdateBehavior::Log;
        let mut input = merged.input;
        if let Some(why) = merged.broken {
            let marked = theirs.parameters.contains_key(DEPRECATED_BY_CRAWLER);
            let op = if is_log || marked {
                ChangeOp::Unchanged
            } else {
                ChangeOp::Retire
            };
            self.told
                .say(op, ChangeKind::Table, name, "marked as deprecated", why);
            if op == ChangeOp::Retire {
                self.steps.push(Step::Deprecate {
                    table: as_planned(existing),
                    left: existing.left.clone().map(Box::new),
                });
            }
            return;
        }
        self.columns(&name, &found, theirs, &input);
        let is_changed = self.told.changes.len() > before;
        if input != *theirs && (!is_changed || reasons::is_other_format(theirs, &input)) {
            self.told.say(
                ChangeOp::Change,
                ChangeKind::Table,
                name.clone(),
                what_differs(theirs, &input),
                reasons::of_table(&found, theirs, &input),
            );
        }
        if is_log {
            for change in &mut self.told.changes[before..] {
                log_only(change, "UpdateBehavior is LOG");
            }
            input = theirs.clone();
        }
        for kept in merged.kept {
            let column = format!("{name}.{}", kept.column);
            self.told.say(
                ChangeOp::Unchanged,
                ChangeKind::Column,
                column,
                kept.detail,
                kept.reason,
            );
        }
        let partitions = partitions::changes(
            &mut self.told,
            self.writing,
            &found,
            existing,
            &input,
            merged.is_others,
        );
        if merged.is_others || self.told.changes.len() == before {
            let reason = if merged.is_others {
                others::why_it_stays(theirs)
            } else {
                "the same columns, at the same place".to_owned()
            };
            self.told.say(
                ChangeOp::Unchanged,
                ChangeKind::Table,
                name,
                contents(&found),
                reason,
            );
        }
        let written = StepTable {
            version: None,
            ..as_planned(existing)
        };
        let has_no_keys = input.partition_keys.is_empty();
        self.steps.push(Step::Update {
            table: as_planned(existing),
            input: Box::new(input),
            described: (!is_log).then(|| Box::new(merged.described)),
            left: existing.left.clone().map(Box::new),
            is_others: merged.is_others,
            followers: partitions.followed(),
            set_aside: self.set_aside_below(&found),
        });
        self.steps
            .extend(partitions.into_steps(&mut found.partitions, &written, merged.is_others));
        if !merged.is_others {
            self.index(written, has_no_keys);
        }
    }

    fn columns(&mut self, name: &str, found: &FoundTable, old: &TableInput, new: &TableInput) {
        let find =
            |columns: &[Column], name: &str| columns.iter().find(|column| column.name == name).cloned();
        for column in new.columns() {
            let (op, detail, reason) = match find(old.columns(), &column.name) {
                None => (
                    ChangeOp::Add,
                    real_type(column).unwrap_or_default().to_owned(),
                    reasons::of_new_column(found, column),
                ),
                Some(known) if real_type(&known) == real_type(column) => continue,
                Some(known) => (
                    ChangeOp::Change,
                    format!(
                        "{} → {}",
                        real_type(&known).unwrap_or_default(),
                        real_type(column).unwrap_or_default()
                    ),
                    reasons::of_new_type(found, &known, column),
                ),
            };
            self.told.say(
                op,
                ChangeKind::Column,
                format!("{name}.{}", column.name),
                detail,
                reason,
            );
        }
        for column in old.columns() {
            if find(new.columns(), &column.name).is_none() {
                self.told.say(
                    ChangeOp::Retire,
                    ChangeKind::Column,
                    format!("{name}.{}", column.name),
                    "removed",
                    reasons::of_removed_column(found),
                );
            }
        }
        if old.partition_keys.len() != new.partition_keys.len() {
            let keys = |input: &TableInput| {
                let names: Vec<&str> = input.partition_keys.iter().map(|key| key.name.as_str()).collect();
                names.join(", ")
            };
            self.told.say(
                ChangeOp::Change,
                ChangeKind::Table,
                name.to_owned(),
                format!("partitions by {} → {}", keys(old), keys(new)),
                reasons::of_keys(found),
            );
        }
    }

    fn retire(&mut self, name: &str, existing: &Existing) {
        let table = &existing.table.input;
        if table.parameters.contains_key(DEPRECATED_BY_CRAWLER)
            && self.request.options.delete != DeleteBehavior::DeleteFromDatabase
        {
            return;
        }
        let place = table.location().unwrap_or_default();
        let (reason, deleted) = match table.connection() {
            Some(connection) => (
                format!("{connection} leads to no table {place} any more, or may not read it"),
                "deleted from the catalog",
            ),
            None => (
                format!("no table is found at {place} any more"),
                "deleted; the objects stay",
            ),
        };
        let full = self.told.full_name(name);
        let (detail, is_deleted) = match self.request.options.delete {
            DeleteBehavior::DeprecateInDatabase => ("marked as deprecated; nothing is deleted", false),
            DeleteBehavior::DeleteFromDatabase => (deleted, true),
            DeleteBehavior::Log => {
                self.told.say(
                    ChangeOp::Unchanged,
                    ChangeKind::Table,
                    full,
                    "stays: DeleteBehavior is LOG",
                    reason,
                );
                return;
            }
        };
        self.told
            .say(ChangeOp::Retire, ChangeKind::Table, full, detail, reason);
        let table = as_planned(existing);
        let left = existing.left.clone().map(Box::new);
        if !is_deleted {
            self.steps.push(Step::Deprecate { table, left });
            return;
        }
        let partitions: Vec<_> = existing.partitions.iter().map(partitions::known).collect();
        if !partitions.is_empty() {
            self.steps.push(Step::Partitions {
                table: table.clone(),
                work: PartitionWork::Remove { partitions },
            });
        }
        self.steps.push(Step::Delete { table, left });
    }
}

/// A table as the plan knows it: a step that finds another version of it is out of date.
fn as_planned(existing: &Existing) -> StepTable {
    StepTable {
        name: existing.table.input.name.clone(),
        id: Some(existing.table.id.clone()),
        version: Some(existing.table.version),
    }
}

/// What there is of a table, in a few words.
fn contents(found: &FoundTable) -> String {
    match (&found.format, found.rows) {
        (FoundFormat::Database(table), _) if table.is_view => "a view".to_owned(),
        (FoundFormat::Database(_), Some(rows)) => {
            format!("some {}", counted(usize::try_from(rows).unwrap_or(0), "row"))
        }
        (FoundFormat::Database(_), None) => "a table".to_owned(),
        _ => counted(usize::try_from(found.files).unwrap_or(usize::MAX), "file"),
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
    if old.description != new.description {
        names.push("description");
    }
    let is_other = |column: &Column| {
        let mut new = new.columns().iter();
        new.any(|new| {
            new.name == column.name
                && (&new.comment, &new.parameters) != (&column.comment, &column.parameters)
        })
    };
    if old.columns().iter().any(is_other) {
        names.push("what is said of columns");
    }
    if names.is_empty() {
        "storage".to_owned()
    } else {
        names.join(", ")
    }
}
