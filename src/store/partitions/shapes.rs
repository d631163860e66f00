//! What partitions of a table have in common, their columns above all: kept once, under the digest of what it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::super::{Look, Read, Write, on, on_many, places};
use super::{ROWS, Row};
use crate::error::{Error, Result};
use crate::model::partition::Partition;
use crate::model::table::{Column, StorageDescriptor};

/// Shapes that were read. A shape's name is the digest of its text, so that none ever changes.
static SHAPES: LazyLock<Mutex<HashMap<String, Arc<StorageDescriptor>>>> = LazyLock::new(Mutex::default);
/// How many of them are kept at hand.
const MAX_SHAPES: usize = 1000;

fn known_shapes() -> MutexGuard<'static, HashMap<String, Arc<StorageDescriptor>>> {
    SHAPES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a shape: a digest of what it is.
pub(super) fn shape_of(shape: &StorageDescriptor) -> Result<String> {
    let text = serde_json::to_string(shape)
        .map_err(|cause| Error::internal("a storage descriptor can't be written").source(cause))?;
    let mut id = hex::encode(Sha256::digest(text.as_bytes()));
    id.truncate(32);
    Ok(id)
}

/// Keeps shapes under their names.
pub(super) async fn keep(
    tx: &mut Write,
    table_id: &str,
    shapes: &[(String, StorageDescriptor)],
) -> Result<()> {
    for some in shapes.chunks(ROWS) {
        let values: Vec<String> = (0..some.len())
            .map(|row| format!("($1, {})", places(2, 2 + row * 2)))
            .collect();
        let sql = format!(
            "INSERT INTO partition_shapes (table_id, id, body) VALUES {} ON CONFLICT (table_id, id) DO NOTHING",
            values.join(", ")
        );
        on!(tx, |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(table_id);
            for (id, shape) in some {
                query = query.bind(id).bind(Json(shape));
            }
            query.execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// The columns of a table's partitions: each set of columns that any has, once.
///
/// # Errors
/// Only the database's own.
pub async fn columns_in_use(tx: &mut Look, table_id: &str) -> Result<Vec<Vec<Column>>> {
    const SQL: &str = "SELECT body FROM partition_shapes WHERE table_id = $1
        AND id IN (SELECT DISTINCT shape_id FROM partitions WHERE table_id = $1 AND shape_id IS NOT NULL)
        ORDER BY id";
    let shapes: Vec<Json<StorageDescriptor>> = on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(table_id)
        .fetch_all(conn)
        .await)?;
    let mut columns: Vec<Vec<Column>> = Vec::new();
    for shape in shapes {
        if !columns.contains(&shape.0.columns) {
            columns.push(shape.0.columns);
        }
    }
    Ok(columns)
}

/// Gives each row its shape.
pub(super) async fn with_shapes(
    tx: &mut Read,
    table_id: &str,
    rows: Vec<Row>,
) -> Result<Vec<(String, Partition)>> {
    let shapes = shapes(tx, table_id, &rows).await?;
    let with_its_own = |row: Row| {
        let partition = Partition {
            shape: row.shape_id.and_then(|id| shapes.get(&id).cloned()),
            own: row.body.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        (row.values_key, partition)
    };
    Ok(rows.into_iter().map(with_its_own).collect())
}

/// The shapes of rows by their names: those at hand, and the others from the database.
async fn shapes(
    tx: &mut Look,
    table_id: &str,
    rows: &[Row],
) -> Result<HashMap<String, Arc<StorageDescriptor>>> {
    const SQL: &str = "SELECT id, body FROM partition_shapes WHERE table_id = $1 AND id IN ({})";
    let mut found = HashMap::new();
    let mut missing = BTreeSet::new();
    {
        let known = known_shapes();
        for id in rows.iter().filter_map(|row| row.shape_id.as_ref()) {
            match known.get(id) {
                Some(shape) => drop(found.insert(id.clone(), Arc::clone(shape))),
                None => drop(missing.insert(id)),
            }
        }
    }
    let missing: Vec<&String> = missing.into_iter().collect();
    let read: Vec<(String, Json<StorageDescriptor>)> = on_many!(tx, query_as, SQL, [table_id], missing)?;
    let mut known = known_shapes();
    for (id, body) in read {
        let shape = Arc::new(body.0);
        if known.len() >= MAX_SHAPES {
            known.clear();
        }
        known.insert(id.clone(), Arc::clone(&shape));
        found.insert(id, shape);
    }
    Ok(found)
}
