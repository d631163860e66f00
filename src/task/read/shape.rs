//! What a table is.

use std::sync::Arc;

use classifiers::{DataType as Hive, Format};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};

use super::remarks::Remarks;
use crate::task::arrow_types::to_arrow;

/// What a table is.
#[derive(Clone, Debug)]
pub(super) struct TableShape {
    /// How the SQL names it.
    pub(super) name: String,
    /// Its columns, partition keys last.
    pub(super) columns: Vec<(String, Hive)>,
    /// How many of them are partition keys.
    pub(super) keys: usize,
    /// What its files are, where its definition says so.
    pub(super) format: Option<Format>,
    /// Its columns are those of a catalog: what doesn't fit them is NULL.
    pub(super) is_declared: bool,
    /// Whether a row of CSV with other than the file's number of fields is an error.
    pub(super) is_strict: bool,
    /// About how many rows it has.
    pub(super) rows: Option<u64>,
    /// What is worth saying of its rows.
    pub(super) remarks: Arc<Remarks>,
}

impl TableShape {
    /// The type of a column, by its name in lower case.
    pub(super) fn type_of(&self, name: &str) -> Option<&Hive> {
        let column = self.columns.iter().find(|(own, _)| own == name);
        column.map(|(_, hive)| hive)
    }

    /// Its columns without its partition keys.
    pub(super) fn own_names(&self) -> Vec<&str> {
        let own = self.columns.len() - self.keys;
        self.columns[..own]
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The same as the engine sees it.
    pub(super) fn schema(&self) -> SchemaRef {
        let fields = self
            .columns
            .iter()
            .map(|(name, hive)| Field::new(name, column_type(hive), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// What a column is to the engine. One that is null in every file has no type, and goes with any.
fn column_type(hive: &Hive) -> Arrow {
    match hive {
        Hive::Null => Arrow::Null,
        other => to_arrow(other),
    }
}
