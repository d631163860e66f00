//! Partitions of tables.
//!
//! A partition's row holds what is its own; what it has in common with others, its columns above all, is kept once for the
//! table as a shape. Rows lie in the order of their values (`values_key`), and a second time spread over places that are
//! alike full (`place`), of which a segment is a range.

mod shapes;
mod some;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

pub use shapes::columns_in_use;
use shapes::{shape_of, with_shapes};
pub use some::{delete_all, find_all, find_by_key, in_use};

use super::{Look, Read, Write, on, on_many, places};
use crate::error::Result;
use crate::model::page::{Page, PageRequest};
use crate::model::partition::key::{KeyOrder, KeyRange, spread};
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::{StorageDescriptor, Table};

#[derive(sqlx::FromRow)]
struct Row {
    values_key: String,
    shape_id: Option<String>,
    body: Json<PartitionInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// How many partitions one statement adds; each brings five of the values of which databases take some 32,000.
const ROWS: usize = 1000;

/// A partition as it is written.
struct NewRow {
    key: String,
    place: i64,
    misfit: i64,
    shape_id: Option<String>,
    /// What is its own.
    own: PartitionInput,
}

/// Where a page of a segment begins: behind this place and key.
pub type Position = (i64, String);

/// Adds partitions to a table, one or many.
pub struct Adding<'a> {
    table_id: &'a str,
    order: KeyOrder,
    now: DateTime<Utc>,
    shapes: HashSet<String>,
}

impl<'a> Adding<'a> {
    /// Partitions of `table`, made at `now`.
    pub fn to(table: &'a Table, now: DateTime<Utc>) -> Self {
        Self {
            table_id: &table.id,
            order: KeyOrder::of(&table.input.partition_keys),
            now,
            shapes: HashSet::new(),
        }
    }

    /// Adds partitions; says of each whether there was none with the same values. Nothing changes where there was.
    ///
    /// # Errors
    /// NotFound where the table isn't there.
    pub async fn insert(&mut self, tx: &mut Write, inputs: &[&PartitionInput]) -> Result<Vec<bool>> {
        let keys: Vec<String> = inputs.iter().map(|input| self.order.key(&input.values)).collect();
        let mut added = self.write(tx, inputs, "DO NOTHING").await?;
        // Of two with the same values in one request, the first was added.
        Ok(keys.iter().map(|key| added.remove(key)).collect())
    }

    /// Adds partitions, none with the values of another, or puts them in the places of those that have their values.
    ///
    /// # Errors
    /// NotFound where the table isn't there.
    pub async fn put(&mut self, tx: &mut Write, inputs: &[&PartitionInput]) -> Result<()> {
        let update = "DO UPDATE SET shape_id = excluded.shape_id, body = excluded.body, updated_at = excluded.updated_at";
        self.write(tx, inputs, update).await.map(drop)
    }

    /// Writes rows; `conflict` says what becomes of one whose key is there. Answers with the keys that were written.
    async fn write(
        &mut self,
        tx: &mut Write,
        inputs: &[&PartitionInput],
        conflict: &str,
    ) -> Result<HashSet<String>> {
        let rows = self.rows(tx, inputs).await?;
        // All in one statement: a hundred would go to the database a hundred times.
        let mut written = HashSet::new();
        for some in rows.chunks(ROWS) {
            let values: Vec<String> = (0..some.len())
                .map(|row| format!("($1, {}, $2, $2)", places(5, 3 + row * 5)))
                .collect();
            let sql = format!(
                "INSERT INTO partitions (table_id, values_key, place, misfit, shape_id, body, created_at, updated_at)
                VALUES {} ON CONFLICT (table_id, values_key) {conflict} RETURNING values_key",
                values.join(", ")
            );
            let keys: Vec<String> = on!(tx, |conn| {
                let mut query = sqlx::query_scalar(AssertSqlSafe(sql))
                    .bind(self.table_id)
                    .bind(self.now);
                for row in some {
                    query = query.bind(&row.key).bind(row.place).bind(row.misfit);
                    query = query.bind(&row.shape_id).bind(Json(&row.own));
                }
                query.fetch_all(conn).await
            })?;
            written.extend(keys);
        }
        Ok(written)
    }

    /// Gives the partitions that share `from` the shape `to`; nothing else of them changes.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn reshape(
        &mut self,
        tx: &mut Write,
        from: &StorageDescriptor,
        to: &StorageDescriptor,
    ) -> Result<()> {
        const SQL: &str =
            "UPDATE partitions SET shape_id = $3, updated_at = $4 WHERE table_id = $1 AND shape_id = $2";
        let from = shape_of(from)?;
        let to = self.keep_shape(tx, to).await?;
        on!(tx, |conn| sqlx::query(SQL)
            .bind(self.table_id)
            .bind(&from)
            .bind(&to)
            .bind(self.now)
            .execute(conn)
            .await
            .map(drop))
    }

    /// Adds a partition, or puts it in the place of the one with the same values.
    ///
    /// # Errors
    /// NotFound where the table isn't there.
    pub async fn upsert(&mut self, tx: &mut Write, input: &PartitionInput) -> Result<()> {
        self.put(tx, &[input]).await
    }

    /// As a number, which databases index alike.
    fn misfit(&self, values: &[String]) -> i64 {
        i64::from(!self.order.fits(values))
    }

    /// Partitions as rows; the shapes that they share are kept from now on.
    async fn rows(&mut self, tx: &mut Write, inputs: &[&PartitionInput]) -> Result<Vec<NewRow>> {
        let mut rows = Vec::with_capacity(inputs.len());
        let mut shapes = BTreeMap::new();
        for input in inputs {
            let mut own = PartitionInput::clone(input);
            let mut shape_id = None;
            if let Some(mut shape) = own.storage.take() {
                own.storage = Some(StorageDescriptor {
                    location: shape.location.take(),
                    parameters: shape.parameters.take(),
                    ..StorageDescriptor::default()
                });
                let id = shape_of(&shape)?;
                if !self.shapes.contains(&id) {
                    shapes.insert(id.clone(), shape);
                }
                shape_id = Some(id);
            }
            let key = self.order.key(&input.values);
            rows.push(NewRow {
                place: spread(&key),
                key,
                misfit: self.misfit(&input.values),
                shape_id,
                own,
            });
        }
        self.keep_shapes(tx, shapes).await?;
        Ok(rows)
    }

    async fn keep_shape(&mut self, tx: &mut Write, shape: &StorageDescriptor) -> Result<String> {
        let id = shape_of(shape)?;
        if !self.shapes.contains(&id) {
            let shapes = BTreeMap::from([(id.clone(), shape.clone())]);
            self.keep_shapes(tx, shapes).await?;
        }
        Ok(id)
    }

    async fn keep_shapes(
        &mut self,
        tx: &mut Write,
        shapes: BTreeMap<String, StorageDescriptor>,
    ) -> Result<()> {
        let shapes: Vec<(String, StorageDescriptor)> = shapes.into_iter().collect();
        shapes::keep(tx, self.table_id, &shapes).await?;
        self.shapes.extend(shapes.into_iter().map(|(id, _)| id));
        Ok(())
    }
}

/// The partition with these values.
///
/// # Errors
/// Only the database's own.
pub async fn find(tx: &mut Read, table: &Table, values: &[String]) -> Result<Option<Partition>> {
    const SQL: &str = "SELECT values_key, shape_id, body, created_at, updated_at FROM partitions
        WHERE table_id = $1 AND values_key = $2";
    let key = KeyOrder::of(&table.input.partition_keys).key(values);
    let row: Option<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(&table.id)
        .bind(key)
        .fetch_optional(conn)
        .await)?;
    Ok(with_shapes(tx, &table.id, row.into_iter().collect())
        .await?
        .pop()
        .map(|(_, partition)| partition))
}

/// The partitions of a table in the order of their values.
///
/// # Errors
/// Only the database's own.
pub async fn list(tx: &mut Read, table: &Table, page: &PageRequest) -> Result<Page<Partition>> {
    let range = KeyRange {
        from: page.after.as_deref().map(behind).unwrap_or_default(),
        to: None,
    };
    let found = list_range(tx, &table.id, &range, i64::from(page.limit) + 1).await?;
    let page = Page::of(found, page, |(key, _)| key.clone());
    Ok(page.map(|(_, partition)| partition))
}

/// The first key that may lie behind `key`.
pub fn behind(key: &str) -> String {
    format!("{key}\u{1}")
}

/// The first partitions whose keys lie in a range, with their keys.
///
/// # Errors
/// Only the database's own.
pub async fn list_range(
    tx: &mut Read,
    table_id: &str,
    range: &KeyRange,
    limit: i64,
) -> Result<Vec<(String, Partition)>> {
    const SQL: &str = "SELECT values_key, shape_id, body, created_at, updated_at FROM partitions
        WHERE table_id = $1 AND values_key >= $2 AND values_key < $3 ORDER BY values_key LIMIT $4";
    let end = char::MAX.to_string();
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(table_id)
        .bind(&range.from)
        .bind(range.to.as_ref().unwrap_or(&end))
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    with_shapes(tx, table_id, rows).await
}

/// The first partitions behind `after` whose places lie before `end`, with their keys.
///
/// # Errors
/// Only the database's own.
pub async fn list_places(
    tx: &mut Read,
    table_id: &str,
    after: &Position,
    end: i64,
    limit: i64,
) -> Result<Vec<(String, Partition)>> {
    const SQL: &str = "SELECT values_key, shape_id, body, created_at, updated_at FROM partitions
        WHERE table_id = $1 AND place >= $2 AND place < $4 AND (place > $2 OR values_key > $3)
        ORDER BY place, values_key LIMIT $5";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(table_id)
        .bind(after.0)
        .bind(&after.1)
        .bind(end)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    with_shapes(tx, table_id, rows).await
}

/// The values of the partitions that have one that its key's type can't have; the first `limit`.
///
/// # Errors
/// Only the database's own.
pub async fn misfits(tx: &mut Look, table_id: &str, limit: i64) -> Result<Vec<Vec<String>>> {
    const SQL: &str =
        "SELECT body FROM partitions WHERE table_id = $1 AND misfit = 1 ORDER BY values_key LIMIT $2";
    let rows: Vec<Json<PartitionInput>> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(table_id)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|row| row.0.values).collect())
}

/// How many partitions a table has.
///
/// # Errors
/// Only the database's own.
pub async fn count(tx: &mut Look, table_id: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM partitions WHERE table_id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(table_id)
        .fetch_one(conn)
        .await)
}

/// How many partitions each of a page of tables has, by the tables' ids; one that has none is left out.
///
/// # Errors
/// Only the database's own.
pub async fn counts(tx: &mut Look, tables: &[String]) -> Result<HashMap<String, i64>> {
    const SQL: &str = "SELECT table_id, COUNT(*) FROM partitions WHERE table_id IN ({}) GROUP BY table_id";
    let counts: Vec<(String, i64)> = on_many!(tx, query_as, SQL, [], tables)?;
    Ok(counts.into_iter().collect())
}

/// Makes the keys of a table's partitions anew, in `order`.
///
/// # Errors
/// Only the database's own.
pub(super) async fn put_in_order(tx: &mut Write, table_id: &str, order: &KeyOrder) -> Result<()> {
    const READ: &str = "SELECT values_key, body FROM partitions WHERE table_id = $1 AND values_key > $2
        ORDER BY values_key LIMIT 10000";
    const WRITE: &str = "UPDATE partitions SET values_key = $3, place = $4, misfit = $5 WHERE table_id = $1 AND values_key = $2";
    // All are read before any is written: a key that was written must not be met again.
    let mut changes = Vec::new();
    let mut after = String::new();
    loop {
        let rows: Vec<(String, Json<PartitionInput>)> = on!(tx, |conn| sqlx::query_as(READ)
            .bind(table_id)
            .bind(&after)
            .fetch_all(conn)
            .await)?;
        let Some((last, _)) = rows.last() else {
            break;
        };
        after.clone_from(last);
        let change = |(key, body): (String, Json<PartitionInput>)| {
            (key, order.key(&body.values), i64::from(!order.fits(&body.values)))
        };
        changes.extend(rows.into_iter().map(change));
    }
    for (old, new, misfit) in changes {
        on!(tx, |conn| sqlx::query(WRITE)
            .bind(table_id)
            .bind(&old)
            .bind(&new)
            .bind(spread(&new))
            .bind(misfit)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Puts the partitions of an earlier version's tables in order.
///
/// # Errors
/// Only the database's own.
pub(super) async fn put_earlier_in_order(tx: &mut Write) -> Result<()> {
    const READ: &str = "SELECT id, body FROM tables WHERE partition_order IS NULL";
    const WRITE: &str = "UPDATE tables SET partition_order = $2 WHERE id = $1";
    let tables: Vec<(String, Json<crate::model::table::TableInput>)> =
        on!(tx, |conn| sqlx::query_as(READ).fetch_all(conn).await)?;
    for (id, input) in tables {
        let order = KeyOrder::of(&input.partition_keys);
        put_in_order(tx, &id, &order).await?;
        on!(tx, |conn| sqlx::query(WRITE)
            .bind(&id)
            .bind(order.name())
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// An index that a client asked for: its keys. Every table is indexed by all its keys anyhow.
///
/// # Errors
/// AlreadyExists.
pub async fn insert_index(tx: &mut Write, table_id: &str, name: &str, keys: &[String]) -> Result<()> {
    const SQL: &str = "INSERT INTO partition_indexes (table_id, name, body) VALUES ($1, $2, $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(name)
        .bind(Json(keys))
        .execute(conn)
        .await
        .map(drop))
}

/// The indexes of a table by name.
///
/// # Errors
/// Only the database's own.
pub async fn indexes(tx: &mut Look, table_id: &str) -> Result<Vec<(String, Vec<String>)>> {
    const SQL: &str = "SELECT name, body FROM partition_indexes WHERE table_id = $1 ORDER BY name";
    let rows: Vec<(String, Json<Vec<String>>)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(table_id)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(name, keys)| (name, keys.0)).collect())
}

/// Removes an index; says whether it was there.
///
/// # Errors
/// Only the database's own.
pub async fn delete_index(tx: &mut Write, table_id: &str, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM partition_indexes WHERE table_id = $1 AND name = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
}
