//! Indexes of partitions that clients ask for, as they are kept beside a table.

use crate::error::{Error, ErrorKind, Result};
use crate::model::table::Table;
use crate::store::{self, Write};

/// The most indexes of a table (Glue's limit).
const MAX_INDEXES: usize = 3;

/// Notes an index inside a transaction.
///
/// # Errors
/// Invalid where a key isn't one of the table's partition keys; AlreadyExists; Limit.
pub async fn insert(tx: &mut Write, table: &Table, index: &str, keys: &[String]) -> Result<()> {
    let known = store::partitions::indexes(tx, &table.id).await?;
    if known.len() >= MAX_INDEXES {
        return Err(Error::new(
            ErrorKind::Limit,
            format!(
                "table {} has {MAX_INDEXES} partition indexes already",
                table.input.name
            ),
        ));
    }
    let folded: Vec<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    for (at, key) in folded.iter().enumerate() {
        if folded[..at].contains(key) {
            return Err(Error::invalid(format!(
                "the index {index} has the key {key} twice"
            )));
        }
        if !table.input.partition_keys.iter().any(|known| known.name == *key) {
            return Err(Error::invalid(format!(
                "{key} is no partition key of table {}",
                table.input.name
            )));
        }
    }
    if known.iter().any(|(_, keys)| *keys == folded) {
        return Err(Error::already_exists(format!(
            "table {} has an index of these keys already",
            table.input.name
        )));
    }
    store::partitions::insert_index(tx, &table.id, index, &folded)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::AlreadyExists => {
                Error::already_exists(format!("table {} has an index {index} already", table.input.name))
            }
            _ => error,
        })
}
