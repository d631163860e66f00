//! Applying a plan: one transaction, or for a dry run none of it.

use super::{Planned, plan, table_ref};
use crate::app::App;
use crate::catalog::{databases, tables};
use crate::error::Result;
use crate::model::crawl::{Crawl, CrawlRequest, WorkState};
use crate::queue::Lease;
use crate::store::{self, Tx};

/// Makes the plan true and ends the crawl.
///
/// # Errors
/// Conflict where the lease was lost or a table changed since the plan was made: nothing was changed then.
pub(super) async fn apply(app: &App, lease: &Lease, crawl: &Crawl, planned: Planned) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    lease.hold(&mut tx, now).await?;
    if !crawl.request.dry_run {
        change_catalog(app, &mut tx, &crawl.request, &planned).await?;
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

async fn change_catalog(app: &App, tx: &mut Tx, request: &CrawlRequest, planned: &Planned) -> Result<()> {
    let now = app.clock.now();
    if !planned.found.is_empty() {
        databases::ensure(app, tx, &request.database).await?;
    }
    for found in &planned.found {
        let name = table_ref(request, &found.name);
        let existing = store::tables::find(tx, &name).await?;
        let input = plan::table_input(request, found, existing.as_ref().map(|table| &table.input));
        match &existing {
            Some(table) => tables::replace(app, tx, table, input.clone()).await?,
            None => {
                tables::insert(app, tx, &request.database, input.clone()).await?;
            }
        }
        let table = tables::require(tx, &name).await?;
        let known = super::all_partitions(tx, &table).await?;
        let mut adding = store::partitions::Adding::to(&table, now);
        let difference = plan::partition_difference(found, &known);
        for (values, partition) in difference.added.into_iter().chain(difference.moved) {
            let partition = plan::partition_input(&input, values, partition);
            adding.upsert(tx, &partition).await?;
        }
        for partition in difference.gone {
            store::partitions::delete(tx, &table, partition.values()).await?;
        }
    }
    for change in &planned.plan.changes {
        if (change.op, change.kind)
            == (
                crate::model::crawl::ChangeOp::Retire,
                crate::model::crawl::ChangeKind::Table,
            )
        {
            let name = crate::model::name::TableRef::parse(&change.name)?;
            let table = tables::require(tx, &name).await?;
            let mut input = table.input.clone();
            input.parameters.insert(
                plan::DEPRECATED_BY_CRAWLER.to_owned(),
                now.timestamp_millis().to_string(),
            );
            tables::replace(app, tx, &table, input).await?;
        }
    }
    Ok(())
}
