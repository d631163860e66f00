//! What can be done with partitions.

use crate::app::App;
use crate::catalog::tables;
use crate::error::{Error, Result};
use crate::model::name::TableRef;
use crate::model::page::{Page, PageRequest};
use crate::model::partition::Partition;
use crate::store;

/// The partitions of a table in the order of their values.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn list(app: &App, table: &TableRef, page: &PageRequest) -> Result<Page<Partition>> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, table).await?;
    store::partitions::list(&mut tx, &table.id, page).await
}

/// The partition with these values.
///
/// # Errors
/// NotFound; Invalid where the number of values isn't that of the partition keys.
pub async fn get(app: &App, name: &TableRef, values: &[String]) -> Result<Partition> {
    find(app, name, values)
        .await?
        .ok_or_else(|| Error::not_found(format!("table {name} has no partition {}", values.join("/"))))
}

/// The partition with these values, where there is one.
///
/// # Errors
/// NotFound where the table isn't there; Invalid where the number of values isn't that of the partition keys.
pub async fn find(app: &App, name: &TableRef, values: &[String]) -> Result<Option<Partition>> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, name).await?;
    let keys = table.input.partition_keys.len();
    if keys != values.len() {
        return Err(Error::invalid(format!(
            "table {name} has {keys} partition keys, and {} values were given",
            values.len()
        )));
    }
    store::partitions::find(&mut tx, &table.id, values).await
}

/// How many partitions a table has.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn count(app: &App, table: &TableRef) -> Result<i64> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, table).await?;
    store::partitions::count(&mut tx, &table.id).await
}
