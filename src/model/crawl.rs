//! Crawlers, crawls, and the plan that a crawl makes before it changes anything.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::crawl_options::CrawlOptions;
use crate::model::name::TableRef;

/// What a person says of a crawler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrawlerInput {
    /// The name.
    pub name: String,
    /// The role that Glue's clients send; kept, not used.
    #[serde(default)]
    pub role: Option<String>,
    /// The database that tables go to.
    pub database: String,
    /// What it is for, in words.
    #[serde(default)]
    pub description: Option<String>,
    /// What it crawls.
    pub targets: Vec<CrawlTarget>,
    /// Put before every table's name.
    #[serde(default)]
    pub table_prefix: Option<String>,
    /// Custom classifiers that are asked before the built-in ones, by name, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classifiers: Vec<String>,
    /// When it runs by itself: a [`Schedule`](super::schedule::Schedule)'s text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// How it decides, and what it may change.
    #[serde(default)]
    pub options: CrawlOptions,
    /// Whatever else a client sent with it, kept to be given back.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// One place that a crawler crawls: a prefix of an object store, or tables of another database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlTarget {
    /// The folder or file, `s3://…`; with a connection, `database/schema/table`.
    pub path: String,
    /// Globs of what is left out, relative to the path.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// How many files of each folder are looked at, 1 to 249; as many as are needed where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_size: Option<u32>,
    /// Where an S3 Inventory of the bucket is, a manifest or the folder of a configuration's inventories: what it lists is
    /// taken instead of a listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<String>,
    /// The connection that leads to a database; absent for an object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// What of a database's tables is taken besides their columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_metadata: Vec<AdditionalMetadata>,
}

/// What of a database's tables is taken besides their columns (Glue's `JdbcMetadataEntry`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AdditionalMetadata {
    /// What their owners say of tables and columns.
    Comments,
    /// Columns' types as the database spells them.
    RawTypes,
}

/// A crawler in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Crawler {
    /// What was said of it.
    pub input: CrawlerInput,
    /// Whether a crawl of it is under way.
    pub state: CrawlerState,
    /// Its newest crawl that wasn't a dry run.
    pub last_crawl: Option<CrawlSummary>,
    /// The one that ended last before it, where it isn't over.
    pub ended_before: Option<CrawlSummary>,
    /// When its schedule is due next; absent where it has none, or one that isn't in force.
    pub next_crawl_at: Option<DateTime<Utc>>,
    /// How many times it was written, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Crawler {
    /// The newest crawl that is over, dry runs left out.
    pub fn last_ended(&self) -> Option<&CrawlSummary> {
        let is_over = |crawl: &&CrawlSummary| crawl.state.is_final();
        self.last_crawl
            .as_ref()
            .filter(is_over)
            .or(self.ended_before.as_ref())
    }
}

/// What a crawler is doing, in Glue's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrawlerState {
    /// Nothing.
    Ready,
    /// A crawl of it waits or is under way.
    Running,
    /// The crawl that is under way was asked to stop.
    Stopping,
}

impl CrawlerState {
    /// The name that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
        }
    }
}

/// What a crawl is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrawlRequest {
    /// The crawler that it is of; a crawl of a bare prefix has none.
    pub crawler: Option<String>,
    /// The database that tables go to.
    pub database: String,
    /// What is crawled.
    pub targets: Vec<CrawlTarget>,
    /// Put before every table's name.
    pub table_prefix: Option<String>,
    /// Custom classifiers that are asked before the built-in ones, by name, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classifiers: Vec<String>,
    /// How it decides, and what it may change.
    #[serde(default)]
    pub options: CrawlOptions,
    /// Plan only; change nothing.
    pub dry_run: bool,
}

impl CrawlRequest {
    /// The full name of a table of its database.
    pub fn table(&self, name: &str) -> TableRef {
        TableRef {
            database: self.database.clone(),
            name: name.to_owned(),
        }
    }
}

/// The life of a crawl or a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkState {
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It is done.
    Succeeded,
    /// It went wrong, and won't be tried again.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl WorkState {
    /// Whether nothing more will happen to it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The name that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Reads [`WorkState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::Running,
            Self::Succeeded,
            Self::Failed,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// One crawl, with its plan, or with what lists show of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crawl<P = Plan> {
    /// Its id.
    pub id: String,
    /// What it was asked to do.
    pub request: CrawlRequest,
    /// How far it is.
    pub state: WorkState,
    /// What it did so far.
    pub progress: CrawlProgress,
    /// What it would change, or did. Of one that ended otherwise, what it wrote is in its progress.
    pub plan: Option<P>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The time that all of its changes bear, where they are made in several transactions.
    pub applied_at: Option<DateTime<Utc>>,
    /// When what it changed was put back.
    pub undone_at: Option<DateTime<Utc>>,
}

/// A crawl in a list.
pub type CrawlSummary = Crawl<PlanSummary>;

impl Crawl {
    /// The crawl as lists show it, and its plan.
    pub fn summed_up(self) -> (CrawlSummary, Option<Plan>) {
        let summary = Crawl {
            id: self.id,
            request: self.request,
            state: self.state,
            progress: self.progress,
            plan: self.plan.as_ref().map(PlanSummary::of),
            error: self.error,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            applied_at: self.applied_at,
            undone_at: self.undone_at,
        };
        (summary, self.plan)
    }
}

/// How much a crawl has looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlProgress {
    /// Objects listed.
    pub objects: i64,
    /// Objects that were opened.
    pub files_read: i64,
    /// Bytes read from them.
    pub bytes_read: i64,
    /// Objects that were not opened, because an earlier crawl had read the same version of them.
    #[serde(default)]
    pub files_known: i64,
    /// Tables found so far.
    #[serde(default)]
    pub tables: i64,
    /// Tables added, changed or retired so far.
    #[serde(default)]
    pub tables_written: i64,
    /// Partitions added, changed or removed so far.
    #[serde(default)]
    pub partitions_written: i64,
}

impl CrawlProgress {
    /// Whether it changed anything of the catalog.
    pub fn has_written(&self) -> bool {
        self.tables_written + self.partitions_written > 0
    }
}

/// What a crawl would change, and why. The same objects and the same catalog give the same plan, to the byte.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The changes, by name.
    pub changes: Vec<Change>,
    /// Objects that were left aside.
    pub set_aside: Vec<SetAside>,
    /// Every table that was found, changed or not.
    pub tables: Vec<PlannedTable>,
}

impl Plan {
    /// The names of the tables that are added, changed in themselves or in their columns, or retired.
    pub fn tables_that(&self, op: ChangeOp) -> BTreeSet<String> {
        let of_kind = |kind, wanted| {
            self.changes
                .iter()
                .filter(move |change| change.kind == kind && change.op == wanted)
                .map(|change| change.table())
        };
        let mut tables: BTreeSet<String> = of_kind(ChangeKind::Table, op).collect();
        if op == ChangeOp::Change {
            for change in [ChangeOp::Add, ChangeOp::Change, ChangeOp::Retire] {
                tables.extend(of_kind(ChangeKind::Column, change));
            }
            for whole in [ChangeOp::Add, ChangeOp::Retire] {
                for table in of_kind(ChangeKind::Table, whole) {
                    tables.remove(&table);
                }
            }
        }
        tables
    }

    /// How many partitions are added, changed or retired.
    pub fn partitions_that(&self, op: ChangeOp) -> u64 {
        self.changes
            .iter()
            .filter(|change| change.kind == ChangeKind::Partitions && change.op == op)
            .filter_map(|change| change.detail.split(' ').next()?.parse::<u64>().ok())
            .sum()
    }
}

/// What lists show of a plan: it is kept beside it, as plans are long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// How many changes it would make to the catalog.
    pub changes: usize,
    /// How many objects were left aside.
    pub set_aside: usize,
    /// What is new.
    pub added: Touched,
    /// What becomes another.
    pub changed: Touched,
    /// What is no longer there.
    pub retired: Touched,
}

/// What a plan does one thing to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// How many tables.
    pub tables: usize,
    /// Their full names; the first hundred of many.
    pub names: Vec<String>,
    /// How many partitions.
    pub partitions: u64,
}

impl PlanSummary {
    /// How many names it gives of a kind.
    const NAMED: usize = 100;

    /// Sums a plan up.
    pub fn of(plan: &Plan) -> Self {
        let touched = |op| {
            let tables = plan.tables_that(op);
            Touched {
                tables: tables.len(),
                names: tables.into_iter().take(Self::NAMED).collect(),
                partitions: plan.partitions_that(op),
            }
        };
        let is_change = |change: &&Change| change.op != ChangeOp::Unchanged;
        Self {
            changes: plan.changes.iter().filter(is_change).count(),
            set_aside: plan.set_aside.len(),
            added: touched(ChangeOp::Add),
            changed: touched(ChangeOp::Change),
            retired: touched(ChangeOp::Retire),
        }
    }
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happens.
    pub op: ChangeOp,
    /// To what.
    pub kind: ChangeKind,
    /// Its full name: `database`, `database.table` or `database.table.column`.
    pub name: String,
    /// What it is or becomes, in a few words.
    pub detail: String,
    /// Why, in words.
    pub reason: String,
    /// The partitions by name, `year=2022/month=1`; the first hundred of many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
}

impl Change {
    /// The full name of the table that it is about.
    fn table(&self) -> String {
        self.name.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
    }
}

/// What happens to a thing in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOp {
    /// It is new.
    Add,
    /// It becomes another.
    Change,
    /// It is no longer there.
    Retire,
    /// It stays as it is.
    Unchanged,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A database.
    Database,
    /// A table.
    Table,
    /// A column of a table.
    Column,
    /// Partitions of a table.
    Partitions,
}

/// An object that no table was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Where it is.
    pub path: String,
    /// Why it was left aside, and what to do.
    pub reason: String,
}

/// A table that a crawl found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedTable {
    /// The database that it goes to.
    pub database: String,
    /// Its name.
    pub name: String,
    /// Where its data is.
    pub location: String,
    /// What its files are.
    pub classification: String,
    /// Its partition keys, outermost first.
    pub partition_keys: Vec<String>,
    /// How many partitions were found.
    pub partitions: i64,
    /// How many files.
    pub files: i64,
    /// Their size in bytes, as stored.
    pub bytes: i64,
    /// Its columns.
    pub columns: Vec<PlannedColumn>,
    /// Why it is one table, and why it is what it is.
    pub reasons: Vec<String>,
}

/// A column that a crawl found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// Its type in Hive's spelling.
    #[serde(rename = "type")]
    pub data_type: String,
    /// What decided it.
    pub reason: String,
}
