//! Takes the steps of a plan, inside a transaction, and writes down what undoes them.
//!
//! A table that isn't as the plan knows it is a conflict. A partition that somebody wrote since the plan was made stays as
//! they wrote it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::catalog::{databases, partition_indexes, partitions, tables};
use crate::crawl::plan::write::{self, CRAWL_RUN_ID, DEPRECATED_BY_CRAWLER};
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlProgress};
use crate::model::crawl_memory::{CrawledTable, RememberedFolder, SharedPartition, UndoStep};
use crate::model::crawl_steps::{FoundPartition, KnownPartition, PartitionWork, Step, StepTable};
use crate::model::location::Location;
use crate::model::page::PageRequest;
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::{StorageDescriptor, Table, TableInput};
use crate::store;
use crate::store::partitions::Adding;

/// The index that a crawler makes (`CreatePartitionIndex`).
const INDEX: &str = "crawler_partition_index";
/// How many numbers the undo steps of a slice have for themselves.
const NUMBERS: i64 = 1_000_000;

pub(super) struct Applier<'a> {
    app: &'a App,
    crawl: &'a Crawl,
    tx: &'a mut store::Write,
    /// The time that all changes of the crawl bear.
    at: DateTime<Utc>,
    /// Whether there are other slices.
    is_slice: bool,
    /// The number of the next undo step.
    seq: i64,
    /// The table that the last step was about, as it is now.
    table: Option<Table>,
    pub(super) progress: CrawlProgress,
    /// Whether a step failed because of what somebody else has changed.
    pub(super) is_overtaken: bool,
}

impl<'a> Applier<'a> {
    /// For all steps of a crawl.
    pub(super) fn of(
        app: &'a App,
        crawl: &'a Crawl,
        tx: &'a mut store::Write,
        at: DateTime<Utc>,
        progress: CrawlProgress,
    ) -> Self {
        Self {
            app,
            crawl,
            tx,
            at,
            is_slice: false,
            seq: 0,
            table: None,
            progress,
            is_overtaken: false,
        }
    }

    /// For one of several slices.
    pub(super) fn of_slice(
        app: &'a App,
        crawl: &'a Crawl,
        tx: &'a mut store::Write,
        at: DateTime<Utc>,
        progress: CrawlProgress,
        slice: i64,
    ) -> Self {
        Self {
            is_slice: true,
            seq: slice * NUMBERS,
            ..Self::of(app, crawl, tx, at, progress)
        }
    }

    /// Takes steps, one after the other.
    ///
    /// # Errors
    /// Conflict where somebody changed since the plan was made what it is about; the database's own.
    pub(super) async fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Database => self.database().await,
            Step::Create { input, set_aside } => self.create(input, set_aside).await,
            Step::Update {
                table,
                input,
                described,
                left,
                is_others,
                followers,
                set_aside,
            } => {
                let table = self.table(table).await?;
                let next = self.update(&table, input, left.as_deref(), *is_others).await?;
                if let Some(described) = described {
                    let followers = followers.as_slice();
                    self.keep(
                        &next,
                        described,
                        left.as_deref(),
                        *is_others,
                        followers,
                        set_aside,
                    )
                    .await?;
                }
                self.table = Some(next);
                Ok(())
            }
            Step::Partitions { table, work } => {
                let is_new = table.id.is_none();
                let table = self.table(table).await?;
                self.partitions(&table, is_new, work).await
            }
            Step::Followed { table } => self.followed(table).await,
            Step::Index { table } => {
                let table = self.table(table).await?;
                self.index(&table).await
            }
            Step::Deprecate { table, left } => {
                let table = self.table(table).await?;
                self.deprecate(&table, left.clone()).await
            }
            Step::Delete { table, left } => {
                let table = self.table(table).await?;
                self.delete(&table, left.clone()).await
            }
            Step::Folders { bucket, seen, gone } => self.folders(bucket, seen, gone).await,
        }
    }

    fn overtaken(&mut self, what: String) -> Error {
        self.is_overtaken = true;
        Error::conflict(what)
    }

    /// The table as it is now, if the plan's step still fits it.
    async fn table(&mut self, planned: &StepTable) -> Result<Table> {
        if let Some(table) = self.table.take_if(|table| table.input.name == planned.name) {
            self.table = Some(table.clone());
            return Ok(table);
        }
        let name = self.crawl.request.table(&planned.name);
        let Some(table) = store::tables::find(self.tx, &name).await? else {
            return Err(self.overtaken(format!("somebody removed table {name} meanwhile")));
        };
        let is_same = match &planned.id {
            Some(id) => *id == table.id,
            None => self.is_made_by_us(&table).await?,
        };
        if !is_same {
            return Err(self.overtaken(format!(
                "somebody put another table in the place of {name} meanwhile"
            )));
        }
        if planned.version.is_some_and(|version| version != table.version) {
            return Err(self.overtaken(format!("table {name} changed meanwhile")));
        }
        self.table = Some(table.clone());
        Ok(table)
    }

    /// Whether an earlier slice of this crawl made the table.
    async fn is_made_by_us(&mut self, table: &Table) -> Result<bool> {
        let left = store::crawl_memory::table(self.tx, &table.id).await?;
        let run = left.and_then(|mut left| left.described.parameters.remove(CRAWL_RUN_ID));
        Ok(run.as_ref() == Some(&self.crawl.id))
    }

    async fn database(&mut self) -> Result<()> {
        let name = &self.crawl.request.database;
        if store::databases::find(self.tx, name).await?.is_some() {
            return Ok(());
        }
        databases::ensure(self.app, self.tx, name).await?;
        self.remember(UndoStep::Database { name: name.clone() }).await
    }

    async fn create(&mut self, input: &TableInput, set_aside: &[(String, String)]) -> Result<()> {
        let name = self.crawl.request.table(&input.name);
        if store::tables::find(self.tx, &name).await?.is_some() {
            return Err(self.overtaken(format!("somebody made table {name} meanwhile")));
        }
        let mut input = input.clone();
        write::set_run(&mut input, &self.crawl.id);
        tables::insert(self.app, self.tx, &self.crawl.request.database, input.clone()).await?;
        let table = tables::require(self.tx, &name).await?;
        let left = CrawledTable {
            described: input,
            written: table.input.clone(),
            followers: Vec::new(),
            set_aside: set_aside.to_vec(),
        };
        store::crawl_memory::put_table(self.tx, &table.id, &left).await?;
        self.progress.tables_written += 1;
        self.remember(UndoStep::Table {
            name: table.input.name.clone(),
            id: table.id.clone(),
            before: None,
            base: None,
            version: Some(table.version),
        })
        .await?;
        self.table = Some(table);
        Ok(())
    }

    /// Writes a table's next state, and gives it as it is then.
    async fn update(
        &mut self,
        table: &Table,
        input: &TableInput,
        left: Option<&CrawledTable>,
        is_others: bool,
    ) -> Result<Table> {
        if *input == table.input {
            return Ok(table.clone());
        }
        let mut input = input.clone();
        if !is_others {
            write::set_run(&mut input, &self.crawl.id);
        }
        tables::replace(self.app, self.tx, table, input).await?;
        self.progress.tables_written += 1;
        self.remember(UndoStep::Table {
            name: table.input.name.clone(),
            id: table.id.clone(),
            before: Some(Box::new(table.input.clone())),
            base: left.cloned().map(Box::new),
            version: Some(table.version + 1),
        })
        .await?;
        // The keys of partitions are ordered by the table as it is now.
        tables::require(self.tx, &table.name()).await
    }

    /// Remembers how the crawl leaves a table.
    async fn keep(
        &mut self,
        table: &Table,
        described: &TableInput,
        left: Option<&CrawledTable>,
        is_others: bool,
        followers: &[StorageDescriptor],
        set_aside: &[(String, String)],
    ) -> Result<()> {
        let mut described = described.clone();
        if let Some(run) = table.input.parameters.get(CRAWL_RUN_ID).filter(|_| !is_others) {
            write::set_run(&mut described, run);
        }
        let next = CrawledTable {
            described,
            written: table.input.clone(),
            followers: followers.iter().filter(|_| self.is_slice).cloned().collect(),
            set_aside: set_aside.to_vec(),
        };
        if left == Some(&next) {
            return Ok(());
        }
        store::crawl_memory::put_table(self.tx, &table.id, &next).await
    }

    /// Notes that no partition is left that is to follow its table. In one transaction that was never said.
    async fn followed(&mut self, table: &StepTable) -> Result<()> {
        if !self.is_slice {
            return Ok(());
        }
        let table = self.table(table).await?;
        if let Some(mut left) = store::crawl_memory::table(self.tx, &table.id).await? {
            left.followers.clear();
            store::crawl_memory::put_table(self.tx, &table.id, &left).await?;
        }
        Ok(())
    }

    async fn partitions(&mut self, table: &Table, is_new: bool, work: &PartitionWork) -> Result<()> {
        let mut adding = Adding::to(table, self.at);
        match work {
            PartitionWork::Follow { from, to, values } => {
                let followed = adding.reshape_some(self.tx, values, from, to).await?;
                self.wrote(followed.len());
                if followed.is_empty() {
                    return Ok(());
                }
                self.remember(UndoStep::Followed {
                    table: table.input.name.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    values: followed,
                })
                .await
            }
            PartitionWork::Remove { partitions } => {
                let removed = self
                    .untouched(table, &partitions.iter().collect::<Vec<_>>())
                    .await?;
                let values: Vec<Vec<String>> = values_of(&removed);
                let keys = partitions::keys(table, &values);
                store::partitions::delete_all(self.tx, &table.id, &keys).await?;
                self.wrote(values.len());
                self.remember_partitions(table, Vec::new(), &[], &removed).await
            }
            PartitionWork::Change { partitions } => self.change(table, &mut adding, partitions).await,
            PartitionWork::Add {
                partitions,
                is_signed,
            } => {
                let mut inputs: Vec<PartitionInput> = partitions
                    .iter()
                    .map(|(values, found)| write::partition_input(&table.input, values, found))
                    .collect();
                if *is_signed {
                    let crawler = write::crawler_name(&self.crawl.request);
                    inputs.iter_mut().for_each(|input| write::sign(input, crawler));
                }
                let added = adding.insert(self.tx, &inputs.iter().collect::<Vec<_>>()).await?;
                let added = partitions.iter().zip(added).filter(|(_, is_added)| *is_added);
                let values: Vec<Vec<String>> = added.map(|((values, _), _)| values.clone()).collect();
                self.wrote(values.len());
                // They go with a table that the crawl made.
                let to_undo = if is_new { Vec::new() } else { values };
                self.remember_partitions(table, to_undo, &[], &[]).await
            }
        }
    }

    async fn change(
        &mut self,
        table: &Table,
        adding: &mut Adding<'_>,
        partitions: &[(KnownPartition, FoundPartition)],
    ) -> Result<()> {
        let planned: Vec<&KnownPartition> = partitions.iter().map(|(known, _)| known).collect();
        let before = self.untouched(table, &planned).await?;
        let found: BTreeMap<&[String], &FoundPartition> = partitions
            .iter()
            .map(|(known, found)| (known.values.as_slice(), found))
            .collect();
        let inputs: Vec<PartitionInput> = before
            .iter()
            .filter_map(|was| Some(changed_partition(was, found.get(was.values())?)))
            .collect();
        adding.put(self.tx, &inputs.iter().collect::<Vec<_>>()).await?;
        self.wrote(inputs.len());
        self.remember_partitions(table, Vec::new(), &before, &[]).await
    }

    /// Partitions as they are now, without those that somebody else wrote since the plan was made.
    async fn untouched(&mut self, table: &Table, planned: &[&KnownPartition]) -> Result<Vec<Partition>> {
        let values: Vec<Vec<String>> = planned.iter().map(|known| known.values.clone()).collect();
        let times: BTreeMap<&[String], DateTime<Utc>> = planned
            .iter()
            .map(|known| (known.values.as_slice(), known.updated_at))
            .collect();
        let mut partitions = store::partitions::find_all(self.tx, table, &values).await?;
        partitions.retain(|partition| {
            let known = times.get(partition.values());
            // The crawl itself may have had it follow its table.
            partition.updated_at == self.at || known == Some(&partition.updated_at)
        });
        Ok(partitions)
    }

    async fn deprecate(&mut self, table: &Table, left: Option<Box<CrawledTable>>) -> Result<()> {
        let mut input = table.input.clone();
        let at = self.at.timestamp_millis().to_string();
        input.parameters.insert(DEPRECATED_BY_CRAWLER.to_owned(), at);
        tables::replace(self.app, self.tx, table, input).await?;
        self.retired(table, left, Some(table.version + 1)).await
    }

    async fn delete(&mut self, table: &Table, left: Option<Box<CrawledTable>>) -> Result<()> {
        let name = table.name();
        if !table.input.partition_keys.is_empty() {
            let others = store::partitions::list(self.tx, table, &PageRequest::first(1)).await?;
            if !others.items.is_empty() {
                return Err(self.overtaken(format!("somebody wrote partitions of table {name} meanwhile")));
            }
        }
        self.retired(table, left, None).await?;
        store::tables::delete(self.tx, &name).await?;
        let resource = format!("table/{}/{}", name.database, name.name);
        store::tags::delete_all(self.tx, &[resource]).await
    }

    /// Notes how a table was that is retired. `version`: its version since; absent where it is deleted.
    async fn retired(
        &mut self,
        table: &Table,
        left: Option<Box<CrawledTable>>,
        version: Option<i64>,
    ) -> Result<()> {
        self.table = None;
        self.progress.tables_written += 1;
        self.remember(UndoStep::Table {
            name: table.input.name.clone(),
            id: table.id.clone(),
            before: Some(Box::new(table.input.clone())),
            base: left,
            version,
        })
        .await
    }

    async fn index(&mut self, table: &Table) -> Result<()> {
        if !store::partitions::indexes(self.tx, &table.id).await?.is_empty() {
            return Ok(());
        }
        let keys = table.input.partition_keys.iter();
        let keys: Vec<String> = keys.map(|key| key.name.clone()).collect();
        partition_indexes::insert(self.tx, table, INDEX, &keys).await
    }

    async fn folders(
        &mut self,
        bucket: &str,
        seen: &[(String, RememberedFolder)],
        gone: &[String],
    ) -> Result<()> {
        let Some(crawler) = &self.crawl.request.crawler else {
            return Ok(());
        };
        store::crawl_memory::put_folders(self.tx, crawler, bucket, seen).await?;
        store::crawl_memory::forget_some_folders(self.tx, crawler, bucket, gone).await
    }

    fn wrote(&mut self, partitions: usize) {
        self.progress.partitions_written += i64::try_from(partitions).unwrap_or(0);
    }

    async fn remember_partitions(
        &mut self,
        table: &Table,
        added: Vec<Vec<String>>,
        changed: &[Partition],
        removed: &[Partition],
    ) -> Result<()> {
        if added.is_empty() && changed.is_empty() && removed.is_empty() {
            return Ok(());
        }
        let mut shapes: Vec<StorageDescriptor> = Vec::new();
        let mut shared = |partition: &Partition| {
            let shape = partition.shape.as_deref().map(|shape| {
                shapes.iter().position(|known| known == shape).unwrap_or_else(|| {
                    shapes.push(shape.clone());
                    shapes.len() - 1
                })
            });
            SharedPartition {
                own: partition.own.clone(),
                shape,
            }
        };
        let changed: Vec<SharedPartition> = changed.iter().map(&mut shared).collect();
        let removed: Vec<SharedPartition> = removed.iter().map(&mut shared).collect();
        self.remember(UndoStep::Partitions {
            table: table.input.name.clone(),
            added,
            changed,
            removed,
            shapes,
        })
        .await
    }

    async fn remember(&mut self, step: UndoStep) -> Result<()> {
        store::crawl_memory::add_undo(self.tx, &self.crawl.id, self.seq, &step).await?;
        self.seq += 1;
        Ok(())
    }
}

fn values_of(partitions: &[Partition]) -> Vec<Vec<String>> {
    partitions
        .iter()
        .map(|partition| partition.values().to_vec())
        .collect()
}

/// A partition that lies elsewhere, or holds other files; what else is said of it stays.
fn changed_partition(was: &Partition, now: &FoundPartition) -> PartitionInput {
    let mut storage = was.storage().unwrap_or_default();
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
