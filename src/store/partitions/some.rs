//! Some of a table's partitions, by their values: many in one statement.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::super::{Look, Read, Write, on, on_many, places};
use super::shapes::{shape_of, with_shapes};
use super::{Adding, ROWS, Row};
use crate::error::Result;
use crate::model::partition::key::KeyOrder;
use crate::model::partition::{Partition, PartitionInput};
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
        const SQL: &str = "UPDATE partitions SET shape_id = $3, updated_at = $4
            WHERE table_id = $1 AND shape_id = $2 AND values_key IN ({}) RETURNING values_key";
        let from = shape_of(from)?;
        let to = self.keep_shape(tx, to).await?;
        let keys: Vec<String> = values.iter().map(|values| self.order.key(values)).collect();
        let written: Vec<String> =
            on_many!(tx, query_scalar, SQL, [self.table_id, &from, &to, self.now], keys)?;
        let written: HashSet<String> = written.into_iter().collect();
        let pairs = values.iter().zip(&keys).filter(|(_, key)| written.contains(*key));
        Ok(pairs.map(|(values, _)| values.clone()).collect())
    }

    /// Puts partitions, whose values may be others, in the places of those with the given keys. No key may be there twice, of
    /// the old and the new ones together, but where a partition keeps its own. Gives the new keys of those that were there.
    ///
    /// # Errors
    /// AlreadyExists where another partition has new values.
    pub async fn update(
        &mut self,
        tx: &mut Write,
        changes: &[(String, &PartitionInput)],
    ) -> Result<HashSet<String>> {
        let inputs: Vec<&PartitionInput> = changes.iter().map(|(_, input)| *input).collect();
        let rows = self.rows(tx, &inputs).await?;
        let with_old_keys: Vec<_> = changes.iter().map(|(old, _)| old).zip(&rows).collect();
        let mut updated = HashSet::new();
        for some in with_old_keys.chunks(ROWS) {
            let values: Vec<String> = (0..some.len())
                .map(|row| format!("({})", places(6, 3 + row * 6)))
                .collect();
            let sql = format!(
                "UPDATE partitions SET values_key = n.column2, place = n.column3, misfit = n.column4,
                    shape_id = n.column5, body = n.column6, updated_at = $2
                FROM (VALUES {}) AS n WHERE table_id = $1 AND values_key = n.column1 RETURNING values_key",
                values.join(", ")
            );
            let keys: Vec<String> = on!(tx, |conn| {
                let mut query = sqlx::query_scalar(AssertSqlSafe(sql))
                    .bind(self.table_id)
                    .bind(self.now);
                for (old, row) in some {
                    query = query.bind(*old).bind(&row.key).bind(row.place);
                    query = query.bind(row.misfit).bind(&row.shape_id).bind(Json(&row.own));
                }
                query.fetch_all(conn).await
            })?;
            updated.extend(keys);
        }
        Ok(updated)
    }
}

/// Those of a table's partitions that have one of these lists of values, in the order of their values.
///
/// # Errors
/// Only the database's own.
pub async fn find_all(tx: &mut Read, table: &Table, values: &[Vec<String>]) -> Result<Vec<Partition>> {
    let order = KeyOrder::of(&table.input.partition_keys);
    let keys: Vec<String> = values.iter().map(|values| order.key(values)).collect();
    let found = find_by_key(tx, &table.id, &keys).await?;
    Ok(found.into_iter().map(|(_, partition)| partition).collect())
}

/// Those of a table's partitions that have one of these keys, with their keys, in their order.
///
/// # Errors
/// Only the database's own.
pub async fn find_by_key(tx: &mut Read, table_id: &str, keys: &[String]) -> Result<Vec<(String, Partition)>> {
    const SQL: &str = "SELECT values_key, shape_id, body, created_at, updated_at FROM partitions
        WHERE table_id = $1 AND values_key IN ({}) ORDER BY values_key";
    let rows: Vec<Row> = on_many!(tx, query_as, SQL, [table_id], keys)?;
    with_shapes(tx, table_id, rows).await
}

/// Which of these keys a table has partitions under.
///
/// # Errors
/// Only the database's own.
pub async fn in_use(tx: &mut Look, table_id: &str, keys: &[String]) -> Result<HashSet<String>> {
    const SQL: &str = "SELECT values_key FROM partitions WHERE table_id = $1 AND values_key IN ({})";
    let found: Vec<String> = on_many!(tx, query_scalar, SQL, [table_id], keys)?;
    Ok(found.into_iter().collect())
}

/// Removes the partitions with these keys; gives the keys of those that were there.
///
/// # Errors
/// Only the database's own.
pub async fn delete_all(tx: &mut Write, table_id: &str, keys: &[String]) -> Result<HashSet<String>> {
    const SQL: &str =
        "DELETE FROM partitions WHERE table_id = $1 AND values_key IN ({}) RETURNING values_key";
    let deleted: Vec<String> = on_many!(tx, query_scalar, SQL, [table_id], keys)?;
    Ok(deleted.into_iter().collect())
}
