//! Applying a plan: one transaction, or for a dry run none of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::catalog::{databases, partitions, tables};
use crate::crawl::look::remember::{self, Seen};
use crate::crawl::look::session::not_stopped;
use crate::crawl::plan::current::Current;
use crate::crawl::plan::write::{self, CRAWL_RUN_ID, DEPRECATED_BY_CRAWLER};
use crate::crawl::plan::writes::{PartitionChanges, Write};
use crate::crawl::shape::found::{FoundPartition, FoundTable};
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlProgress, Plan, WorkState};
use crate::model::crawl_memory::{CrawledTable, SharedPartition, UndoStep};
use crate::model::crawl_options::Writing;
use crate::model::location::Location;
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::{StorageDescriptor, Table, TableInput};
use crate::queue::Lease;
use crate::store::{self, Tx};

/// How many partitions are written at once.
const BATCH: usize = 1000;
/// The index that a crawler makes (`CreatePartitionIndex`).
const INDEX: &str = "crawler_partition_index";

/// What a crawl found, and what it would change.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) writes: Vec<Write>,
    pub(crate) found: Vec<FoundTable>,
    pub(crate) current: Current,
    pub(crate) writing: Writing,
    pub(crate) seen: Vec<Seen>,
    pub(crate) progress: CrawlProgress,
}

/// Makes the plan true and ends the crawl.
///
/// # Errors
/// Conflict where the lease was lost or a table changed since the plan was made: nothing was changed then.
pub(crate) async fn apply(app: &App, lease: &Lease, crawl: &Crawl, planned: Planned) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, now).await?;
    not_stopped(&mut tx, &crawl.id).await?;
    if !crawl.request.dry_run {
        let mut applier = Applier {
            app,
            tx: &mut tx,
            crawl,
            planned: &planned,
            now,
            steps: 0,
        };
        applier.change_catalog().await?;
        if let Some(crawler) = &crawl.request.crawler {
            remember::keep(&mut tx, crawler, &planned.seen).await?;
        }
    }
    store::crawls::set_progress(&mut tx, &crawl.id, &planned.progress).await?;
    store::crawls::finish(
        &mut tx,
        &crawl.id,
        WorkState::Succeeded,
        Some(&planned.plan),
        None,
        now,
    )
    .await?;
    lease.finish(&mut tx).await?;
    tx.commit().await
}

struct Applier<'a> {
    app: &'a App,
    tx: &'a mut Tx,
    crawl: &'a Crawl,
    planned: &'a Planned,
    now: DateTime<Utc>,
    steps: i64,
}

impl Applier<'_> {
    async fn change_catalog(&mut self) -> Result<()> {
        let planned = self.planned;
        let database = &self.crawl.request.database;
        if !planned.found.is_empty() && store::databases::find(self.tx, database).await?.is_none() {
            databases::ensure(self.app, self.tx, database).await?;
            self.remember(UndoStep::Database {
                name: database.clone(),
            })
            .await?;
        }
        for write in &planned.writes {
            match write {
                Write::Create { found, input } => self.create(&planned.found[*found], input).await?,
                Write::Update {
                    found,
                    name,
                    input,
                    described,
                    is_others,
                    partitions,
                } => {
                    let table = self.as_planned(name).await?;
                    let found = &planned.found[*found];
                    let table = self
                        .update(&table, found, input, described.as_deref(), *is_others)
                        .await?;
                    self.change_partitions(&table, found, *is_others, partitions)
                        .await?;
                    if !is_others {
                        self.index(&table).await?;
                    }
                }
                Write::Retire { name, is_deleted } => self.retire(name, *is_deleted).await?,
            }
        }
        Ok(())
    }

    /// The table as it was when the plan was made.
    async fn as_planned(&mut self, name: &str) -> Result<Table> {
        let table = tables::require(self.tx, &self.crawl.request.table(name)).await?;
        let is_same =
            self.planned.current.tables.get(name).is_some_and(|planned| {
                (&planned.table.id, planned.table.version) == (&table.id, table.version)
            });
        if is_same {
            return Ok(table);
        }
        Err(Error::conflict(format!(
            "table {} changed meanwhile",
            table.name()
        )))
    }

    async fn create(&mut self, found: &FoundTable, input: &TableInput) -> Result<()> {
        let name = self.crawl.request.table(&found.name);
        if store::tables::find(self.tx, &name).await?.is_some() {
            return Err(Error::conflict(format!("somebody made table {name} meanwhile")));
        }
        let mut input = input.clone();
        write::set_run(&mut input, &self.crawl.id);
        tables::insert(self.app, self.tx, &self.crawl.request.database, input.clone()).await?;
        let table = tables::require(self.tx, &name).await?;
        let left = CrawledTable {
            described: input.clone(),
            written: table.input.clone(),
        };
        store::crawl_memory::put_table(self.tx, &table.id, &left).await?;
        let all: Vec<&Vec<String>> = found.partitions.keys().collect();
        let mut adding = store::partitions::Adding::to(&table, self.now);
        for some in all.chunks(BATCH) {
            let inputs = new_partitions(&input, found, some);
            adding.put(self.tx, &inputs.iter().collect::<Vec<_>>()).await?;
        }
        self.index(&table).await?;
        self.remember(UndoStep::Table {
            name: found.name.clone(),
            id: table.id.clone(),
            before: None,
            base: None,
            version: Some(table.version),
        })
        .await
    }

    /// Writes a table's next state, and gives it as it is then.
    async fn update(
        &mut self,
        table: &Table,
        found: &FoundTable,
        input: &TableInput,
        described: Option<&TableInput>,
        is_others: bool,
    ) -> Result<Table> {
        let mut input = input.clone();
        let is_changed = input != table.input;
        let left = store::crawl_memory::table(self.tx, &table.id).await?;
        if is_changed {
            if !is_others {
                write::set_run(&mut input, &self.crawl.id);
            }
            tables::replace(self.app, self.tx, table, input.clone()).await?;
            self.remember(UndoStep::Table {
                name: found.name.clone(),
                id: table.id.clone(),
                before: Some(Box::new(table.input.clone())),
                base: left.clone().map(Box::new),
                version: Some(table.version + 1),
            })
            .await?;
        }
        if let Some(described) = described {
            let mut described = described.clone();
            if let Some(run) = input.parameters.get(CRAWL_RUN_ID).filter(|_| !is_others) {
                write::set_run(&mut described, run);
            }
            let next = CrawledTable {
                described,
                written: input.clone(),
            };
            if left.as_ref() != Some(&next) {
                store::crawl_memory::put_table(self.tx, &table.id, &next).await?;
            }
        }
        // The keys of partitions are ordered by the table as it is now.
        tables::require(self.tx, &table.name()).await
    }

    async fn change_partitions(
        &mut self,
        table: &Table,
        found: &FoundTable,
        is_others: bool,
        changes: &PartitionChanges,
    ) -> Result<()> {
        let name = &table.input.name;
        let planned = self.planned;
        let existing = planned.current.tables.get(name);
        let known: BTreeMap<&[String], &Partition> = existing
            .map(|existing| existing.partitions.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|partition| (partition.values(), partition))
            .collect();
        let mut adding = store::partitions::Adding::to(table, self.now);
        for (from, to) in &changes.reshaped {
            adding.reshape(self.tx, from, to).await?;
            self.remember(UndoStep::Reshaped {
                table: name.clone(),
                from: Box::new(from.clone()),
                to: Box::new(to.clone()),
            })
            .await?;
        }
        for some in changes.gone.chunks(BATCH) {
            store::partitions::delete_all(self.tx, table, some).await?;
            self.remember_partitions(name, Vec::new(), &[], some, &known)
                .await?;
        }
        for some in changes.changed.chunks(BATCH) {
            let inputs: Vec<PartitionInput> = some
                .iter()
                .filter_map(|values| {
                    let now = found.partitions.get(values)?;
                    let was = known.get(values.as_slice())?;
                    Some(changed_partition(was, now, changes))
                })
                .collect();
            adding.put(self.tx, &inputs.iter().collect::<Vec<_>>()).await?;
            self.remember_partitions(name, Vec::new(), some, &[], &known)
                .await?;
        }
        for some in changes.added.chunks(BATCH) {
            let mut inputs = new_partitions(&table.input, found, &some.iter().collect::<Vec<_>>());
            if is_others {
                let crawler = write::crawler_name(&self.crawl.request);
                inputs.iter_mut().for_each(|input| write::sign(input, crawler));
            }
            let added = adding.insert(self.tx, &inputs.iter().collect::<Vec<_>>()).await?;
            let added = some.iter().zip(added).filter(|(_, is_new)| *is_new);
            let values = added.map(|(values, _)| values.clone()).collect();
            self.remember_partitions(name, values, &[], &[], &known).await?;
        }
        Ok(())
    }

    async fn retire(&mut self, name: &str, is_deleted: bool) -> Result<()> {
        let table = self.as_planned(name).await?;
        let base = store::crawl_memory::table(self.tx, &table.id).await?;
        let mut step = UndoStep::Table {
            name: name.to_owned(),
            id: table.id.clone(),
            before: Some(Box::new(table.input.clone())),
            base: base.map(Box::new),
            version: Some(table.version + 1),
        };
        if !is_deleted {
            let mut input = table.input.clone();
            let at = self.now.timestamp_millis().to_string();
            input.parameters.insert(DEPRECATED_BY_CRAWLER.to_owned(), at);
            tables::replace(self.app, self.tx, &table, input).await?;
            return self.remember(step).await;
        }
        let planned = self.planned;
        if let Some(existing) = planned.current.tables.get(name) {
            let known: BTreeMap<&[String], &Partition> = existing
                .partitions
                .iter()
                .map(|partition| (partition.values(), partition))
                .collect();
            let all: Vec<Vec<String>> = known.keys().map(|values| values.to_vec()).collect();
            for some in all.chunks(BATCH) {
                self.remember_partitions(name, Vec::new(), &[], some, &known)
                    .await?;
            }
        }
        if let UndoStep::Table { version, .. } = &mut step {
            *version = None;
        }
        self.remember(step).await?;
        store::tables::delete(self.tx, &table.name()).await?;
        let resource = format!("table/{}/{name}", self.crawl.request.database);
        store::tags::delete_all(self.tx, &resource).await
    }

    /// Makes the index that the configuration asks for, unless the table has one.
    async fn index(&mut self, table: &Table) -> Result<()> {
        let is_wanted = self.planned.writing.configuration.create_partition_index;
        if !is_wanted || table.input.partition_keys.is_empty() {
            return Ok(());
        }
        if !store::partitions::indexes(self.tx, &table.id).await?.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = table
            .input
            .partition_keys
            .iter()
            .map(|key| key.name.clone())
            .collect();
        partitions::insert_index(self.tx, table, INDEX, &keys).await
    }

    async fn remember_partitions(
        &mut self,
        table: &str,
        added: Vec<Vec<String>>,
        changed: &[Vec<String>],
        removed: &[Vec<String>],
        known: &BTreeMap<&[String], &Partition>,
    ) -> Result<()> {
        let mut shapes: Vec<StorageDescriptor> = Vec::new();
        let mut shared = |values: &Vec<String>| {
            let partition = known.get(values.as_slice())?;
            let shape = partition.shape.as_deref().map(|shape| {
                shapes.iter().position(|known| known == shape).unwrap_or_else(|| {
                    shapes.push(shape.clone());
                    shapes.len() - 1
                })
            });
            Some(SharedPartition {
                own: partition.own.clone(),
                shape,
            })
        };
        let changed: Vec<SharedPartition> = changed.iter().filter_map(&mut shared).collect();
        let removed: Vec<SharedPartition> = removed.iter().filter_map(&mut shared).collect();
        if added.is_empty() && changed.is_empty() && removed.is_empty() {
            return Ok(());
        }
        self.remember(UndoStep::Partitions {
            table: table.to_owned(),
            added,
            changed,
            removed,
            shapes,
        })
        .await
    }

    async fn remember(&mut self, step: UndoStep) -> Result<()> {
        store::crawl_memory::add_undo(self.tx, &self.crawl.id, self.steps, &step).await?;
        self.steps += 1;
        Ok(())
    }
}

fn new_partitions(table: &TableInput, found: &FoundTable, values: &[&Vec<String>]) -> Vec<PartitionInput> {
    values
        .iter()
        .filter_map(|values| {
            let partition = found.partitions.get(*values)?;
            Some(write::partition_input(table, values, partition))
        })
        .collect()
}

/// A partition that lies elsewhere, or holds other files; what else is said of it stays.
fn changed_partition(was: &Partition, now: &FoundPartition, changes: &PartitionChanges) -> PartitionInput {
    let mut storage = was.storage().unwrap_or_default();
    let follows = was
        .shape
        .as_deref()
        .and_then(|shape| changes.reshaped.iter().find(|(from, _)| from == shape));
    if let Some((_, to)) = follows {
        storage = StorageDescriptor {
            parameters: storage.parameters,
            ..to.clone()
        };
    }
    let place = now.location.to_string();
    if !storage
        .location
        .as_deref()
        .is_some_and(|known| Location::is_same_folder(known, &place))
    {
        storage.location = Some(place);
    }
    let mut input = PartitionInput {
        storage: Some(storage),
        ..was.own.clone()
    };
    input.parameters.extend(write::partition_counts(now));
    input
}
