//! Some of a table's partitions, by their values: many in one statement.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use super::super::{Read, Write, on, places};
use super::{Adding, ROWS, Row, shape_of, with_shapes};
use crate::error::Result;
use crate::model::partition::Partition;
use crate::model::partition::key::KeyOrder;
use crate::model::table::{StorageDescriptor, Table};

impl Adding<'_> {
    /// Gives those of some partitions that share `from` the shape `to`; nothing else of them changes. Says which did.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn reshape_some(
        &mut self,
        tx: &mut Write,
        values: &[Vec<String>],
        from: &StorageDescriptor,
        to: &StorageDescriptor,
    ) -> Result<Vec<Vec<String>>> {
        let from = shape_of(from)?;
        let to = self.keep_shape(tx, to).await?;
        let mut reshaped = Vec::new();
        for some in values.chunks(ROWS) {
            let keys: Vec<String> = some.iter().map(|values| self.order.key(values)).collect();
            let sql = format!(
                "UPDATE partitions SET shape_id = $3, updated_at = $4
                WHERE table_id = $1 AND shape_id = $2 AND values_key IN ({}) RETURNING values_key",
                places(some.len(), 5)
            );
            let written: Vec<String> = on!(tx, |conn| {
                let mut query = sqlx::query_scalar(AssertSqlSafe(sql))
                    .bind(self.table_id)
                    .bind(&from)
                    .bind(&to)
                    .bind(self.now);
                for key in &keys {
                    query = query.bind(key);
                }
                query.fetch_all(conn).await
            })?;
            let written: HashSet<String> = written.into_iter().collect();
            let pairs = some.iter().zip(&keys).filter(|(_, key)| written.contains(*key));
            reshaped.extend(pairs.map(|(values, _)| values.clone()));
        }
        Ok(reshaped)
    }
}

/// Those of a table's partitions that have one of these lists of values, in the order of their values.
///
/// # Errors
/// Only the database's own.
pub async fn find_all(tx: &mut Read, table: &Table, values: &[Vec<String>]) -> Result<Vec<Partition>> {
    let order = KeyOrder::of(&table.input.partition_keys);
    let mut found = Vec::with_capacity(values.len());
    for some in values.chunks(ROWS) {
        let sql = format!(
            "SELECT values_key, shape_id, body, created_at, updated_at FROM partitions
            WHERE table_id = $1 AND values_key IN ({}) ORDER BY values_key",
            places(some.len(), 2)
        );
        let rows: Vec<Row> = on!(tx, |conn| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(&table.id);
            for values in some {
                query = query.bind(order.key(values));
            }
            query.fetch_all(conn).await
        })?;
        let partitions = with_shapes(tx, &table.id, rows).await?;
        found.extend(partitions.into_iter().map(|(_, partition)| partition));
    }
    Ok(found)
}
