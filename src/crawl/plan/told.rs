//! A plan as it is told: its changes, one by one. Pure.

use crate::crawl::shape::found::FoundTable;
use crate::model::crawl::{Change, ChangeKind, ChangeOp, CrawlRequest};

/// How many partitions of a change are named.
const NAMED_PARTITIONS: usize = 100;

/// The changes that were told so far.
pub(super) struct Told<'a> {
    pub(super) request: &'a CrawlRequest,
    pub(super) changes: Vec<Change>,
}

impl<'a> Told<'a> {
    pub(super) fn of(request: &'a CrawlRequest) -> Self {
        Self {
            request,
            changes: Vec::new(),
        }
    }

    pub(super) fn say(
        &mut self,
        op: ChangeOp,
        kind: ChangeKind,
        name: String,
        detail: impl Into<String>,
        reason: impl Into<String>,
    ) {
        self.changes.push(Change {
            op,
            kind,
            name,
            detail: detail.into(),
            reason: reason.into(),
            items: Vec::new(),
        });
    }

    pub(super) fn full_name(&self, table: &str) -> String {
        format!("{}.{table}", self.request.database)
    }

    pub(super) fn partitions(
        &mut self,
        op: ChangeOp,
        table: &FoundTable,
        values: &[Vec<String>],
        detail: String,
        reason: &str,
    ) {
        if values.is_empty() {
            return;
        }
        self.changes.push(Change {
            op,
            kind: ChangeKind::Partitions,
            name: self.full_name(&table.name),
            detail,
            reason: reason.to_owned(),
            items: values
                .iter()
                .take(NAMED_PARTITIONS)
                .map(|values| spec(table, values))
                .collect(),
        });
    }
}

/// A partition's name: `year=2022/month=1`.
pub(super) fn spec(table: &FoundTable, values: &[String]) -> String {
    let keys = table.partition_keys.iter().zip(values);
    let pairs: Vec<String> = keys.map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join("/")
}

/// Makes a change one that is only told of.
pub(super) fn log_only(change: &mut Change, why: &str) {
    let verb = match change.op {
        ChangeOp::Add => "not added",
        ChangeOp::Change => "not changed",
        ChangeOp::Retire => "not removed",
        ChangeOp::Unchanged => return,
    };
    change.op = ChangeOp::Unchanged;
    change.detail = format!("{verb}, as {why}: {}", change.detail);
}
