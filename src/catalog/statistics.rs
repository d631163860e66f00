//! What can be done with statistics of columns.

use crate::app::App;
use crate::catalog::{partitions, tables};
use crate::error::Result;
use crate::model::name::TableRef;
use crate::model::table::Table;
use crate::store::statistics::{Owner, Statistics};
use crate::store::{self, Read};

/// Statistics by column.
///
/// # Errors
/// NotFound where the table or the partition isn't there.
pub async fn list(
    app: &App,
    name: &TableRef,
    values: Option<&[String]>,
) -> Result<Vec<(String, Statistics)>> {
    let mut tx = app.store.read().await?;
    let (_, owner) = owner(&mut tx, name, values).await?;
    store::statistics::list(&mut tx, &owner).await
}

/// Keeps statistics of columns; says for each whether the table has the column.
///
/// # Errors
/// NotFound where the table or the partition isn't there.
pub async fn update(
    app: &App,
    name: &TableRef,
    values: Option<&[String]>,
    statistics: &[(String, Statistics)],
) -> Result<Vec<bool>> {
    let mut tx = app.store.write().await?;
    let (table, owner) = owner(&mut tx, name, values).await?;
    let mut kept = Vec::with_capacity(statistics.len());
    for (column, statistics) in statistics {
        let column = column.to_lowercase();
        let is_known = has_column(&table, &column);
        if is_known {
            store::statistics::upsert(&mut tx, &owner, &column, statistics).await?;
        }
        kept.push(is_known);
    }
    tx.commit().await?;
    Ok(kept)
}

/// Removes the statistics of a column, where there are any.
///
/// # Errors
/// NotFound where the table or the partition isn't there.
pub async fn delete(app: &App, name: &TableRef, values: Option<&[String]>, column: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    let (_, owner) = owner(&mut tx, name, values).await?;
    // AWS succeeds where there are none, and Trino counts on it with every CREATE TABLE.
    store::statistics::delete(&mut tx, &owner, &column.to_lowercase()).await?;
    tx.commit().await
}

fn has_column(table: &Table, column: &str) -> bool {
    let columns = table.input.columns().iter().chain(&table.input.partition_keys);
    columns.into_iter().any(|known| known.name == column)
}

async fn owner(tx: &mut Read, name: &TableRef, values: Option<&[String]>) -> Result<(Table, Owner)> {
    let table = tables::require(tx, name).await?;
    let values_key = match values {
        None => None,
        Some(values) => {
            partitions::require(tx, &table, values).await?;
            Some(partitions::key(&table, values))
        }
    };
    let owner = Owner {
        table_id: table.id.clone(),
        values_key,
    };
    Ok((table, owner))
}
