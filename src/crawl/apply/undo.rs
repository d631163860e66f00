//! Undoing a crawl: what it changed is put back, all of it or nothing, in however many transactions it was changed.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::catalog::{partitions, tables};
use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, WorkState};
use crate::model::crawl_memory::{CrawledTable, SharedPartition, UndoStep};
use crate::model::name::TableRef;
use crate::model::page::PageRequest;
use crate::model::partition::PartitionInput;
use crate::model::table::{StorageDescriptor, Table, TableInput};
use crate::store;

/// Puts back what a crawl changed.
///
/// # Errors
/// Invalid for a crawl that changed nothing; Conflict where it was undone already, or somebody changed since what it had
/// changed.
pub(crate) async fn take_back(app: &App, tx: &mut store::Write, crawl: &Crawl) -> Result<()> {
    let id = &crawl.id;
    // One that ended otherwise may have written a part of its plan.
    let has_written = match crawl.state {
        WorkState::Succeeded => !crawl.request.dry_run,
        WorkState::Failed | WorkState::Cancelled => crawl.progress.has_written(),
        WorkState::Queued | WorkState::Running => false,
    };
    if !has_written {
        return Err(Error::invalid(format!("crawl {id} changed nothing"))
            .hint("only a crawl that is over, wrote something and was no dry run can be undone"));
    }
    if !store::crawl_memory::set_undone(tx, id, app.clock.now()).await? {
        return Err(Error::conflict(format!("crawl {id} was undone already")));
    }
    let mut undoing = Undoing { app, tx, crawl };
    let mut before = i64::MAX;
    while let Some((seq, step)) = store::crawl_memory::undo_before(undoing.tx, id, before).await? {
        undoing.step(step).await?;
        before = seq;
    }
    if crawl.applied_at.is_some() {
        // Where it failed it could be tried again, which is over now.
        store::crawl_slices::forget(undoing.tx, id).await?;
    }
    if let Some(crawler) = &crawl.request.crawler {
        // The next crawl has to see everything anew.
        store::crawl_memory::forget_folders(undoing.tx, crawler).await?;
    }
    Ok(())
}

struct Undoing<'a> {
    app: &'a App,
    tx: &'a mut store::Write,
    crawl: &'a Crawl,
}

impl Undoing<'_> {
    async fn step(&mut self, step: UndoStep) -> Result<()> {
        match step {
            UndoStep::Database { name } => {
                let rest = store::tables::list(self.tx, &name, &PageRequest::first(1)).await?;
                if rest.items.is_empty() {
                    store::databases::delete(self.tx, &name).await?;
                }
                Ok(())
            }
            UndoStep::Table {
                name,
                id,
                before,
                base,
                version,
            } => match (before, version) {
                (None, _) => self.unmake(&name, &id, version).await,
                (Some(before), Some(version)) => self.put_back(&name, &id, *before, base, version).await,
                (Some(before), None) => self.make_again(*before, base).await,
            },
            UndoStep::Partitions {
                table,
                added,
                changed,
                removed,
                shapes,
            } => {
                let table = self.table(&table).await?;
                self.check_untouched(&table, &added).await?;
                let keys = partitions::keys(&table, &added);
                store::partitions::delete_all(self.tx, &table.id, &keys).await?;
                let values: Vec<Vec<String>> = changed
                    .iter()
                    .map(|partition| partition.own.values.clone())
                    .collect();
                self.check_untouched(&table, &values).await?;
                let inputs: Vec<PartitionInput> = changed
                    .iter()
                    .chain(&removed)
                    .map(|partition| whole(partition, &shapes))
                    .collect();
                let mut adding = store::partitions::Adding::to(&table, self.app.clock.now());
                adding.put(self.tx, &inputs.iter().collect::<Vec<_>>()).await
            }
            UndoStep::Followed {
                table,
                from,
                to,
                values,
            } => {
                let table = self.table(&table).await?;
                let mut adding = store::partitions::Adding::to(&table, self.app.clock.now());
                adding.reshape_some(self.tx, &values, &to, &from).await.map(drop)
            }
            UndoStep::Reshaped { table, from, to } => {
                let table = self.table(&table).await?;
                let mut adding = store::partitions::Adding::to(&table, self.app.clock.now());
                adding.reshape(self.tx, &to, &from).await
            }
        }
    }

    async fn unmake(&mut self, name: &str, id: &str, version: Option<i64>) -> Result<()> {
        let table = self.as_left(name, id, version).await?;
        let mut page = PageRequest::first(crate::model::page::MAX_LIMIT);
        loop {
            let partitions = store::partitions::list(self.tx, &table, &page).await?;
            for partition in &partitions.items {
                if Some(partition.updated_at) != self.written_at() {
                    return Err(changed(&partition_name(&table, partition.values())));
                }
            }
            match partitions.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        store::tables::delete(self.tx, &table.name()).await?;
        let resource = format!("table/{}/{name}", self.crawl.request.database);
        store::tags::delete_all(self.tx, &[resource]).await
    }

    async fn put_back(
        &mut self,
        name: &str,
        id: &str,
        before: TableInput,
        base: Option<Box<CrawledTable>>,
        version: i64,
    ) -> Result<()> {
        let table = self.as_left(name, id, Some(version)).await?;
        tables::replace(self.app, self.tx, &table, before).await?;
        match base {
            Some(base) => store::crawl_memory::put_table(self.tx, id, &base).await,
            None => store::crawl_memory::forget_table(self.tx, id).await,
        }
    }

    async fn make_again(&mut self, before: TableInput, base: Option<Box<CrawledTable>>) -> Result<()> {
        let name = self.name(&before.name);
        if store::tables::find(self.tx, &name).await?.is_some() {
            return Err(changed(&name.to_string()));
        }
        tables::insert(self.app, self.tx, &name.database, before).await?;
        let table = tables::require(self.tx, &name).await?;
        match base {
            Some(base) => store::crawl_memory::put_table(self.tx, &table.id, &base).await,
            None => Ok(()),
        }
    }

    /// The time that the crawl's changes bear.
    fn written_at(&self) -> Option<DateTime<Utc>> {
        self.crawl.applied_at.or(self.crawl.finished_at)
    }

    fn name(&self, table: &str) -> TableRef {
        self.crawl.request.table(table)
    }

    async fn table(&mut self, name: &str) -> Result<Table> {
        let name = self.name(name);
        store::tables::find(self.tx, &name)
            .await?
            .ok_or_else(|| changed(&name.to_string()))
    }

    /// The table, if it is still as the crawl left it.
    async fn as_left(&mut self, name: &str, id: &str, version: Option<i64>) -> Result<Table> {
        let table = self.table(name).await?;
        if table.id != id || Some(table.version) != version {
            return Err(changed(&table.name().to_string()));
        }
        Ok(table)
    }

    /// Refuses where somebody changed one of these partitions since, or removed it.
    async fn check_untouched(&mut self, table: &Table, values: &[Vec<String>]) -> Result<()> {
        let keys = partitions::keys(table, values);
        let found = store::partitions::find_by_key(self.tx, &table.id, &keys).await?;
        let written_at = self.written_at();
        let untouched: HashSet<String> = found
            .into_iter()
            .filter(|(_, partition)| Some(partition.updated_at) == written_at)
            .map(|(key, _)| key)
            .collect();
        match values
            .iter()
            .zip(&keys)
            .find(|(_, key)| !untouched.contains(*key))
        {
            Some((values, _)) => Err(changed(&partition_name(table, values))),
            None => Ok(()),
        }
    }
}

fn whole(partition: &SharedPartition, shapes: &[StorageDescriptor]) -> PartitionInput {
    let mut input = partition.own.clone();
    if let Some(shape) = partition.shape.and_then(|place| shapes.get(place)) {
        let own = input.storage.take().unwrap_or_default();
        input.storage = Some(StorageDescriptor {
            location: own.location,
            parameters: own.parameters,
            ..shape.clone()
        });
    }
    input
}

fn partition_name(table: &Table, values: &[String]) -> String {
    format!("partition {} of {}", values.join("/"), table.name())
}

fn changed(what: &str) -> Error {
    Error::conflict(format!(
        "{what} was changed since the crawl, so nothing was undone"
    ))
    .hint("change it back, or undo what came after the crawl first")
}
