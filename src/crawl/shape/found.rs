//! What a crawl finds: tables and their partitions. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use classifiers::Format;

use super::columns::Steps;
use crate::catalog::formats::FileFormat;
use crate::model::crawl::PlannedColumn;
use crate::model::crawl_steps::FoundPartition;
use crate::model::location::Location;
use crate::model::name::plain_name;
use crate::model::source::{Engine, SourcePlace};
use crate::model::table::Column;

/// A table that a crawl found.
#[derive(Clone, Debug)]
pub struct FoundTable {
    /// Its name; made by [`give_names`](super::naming::give_names).
    pub name: String,
    /// The folder or file that it is named after, as a key.
    pub named_after: String,
    /// Where its data is.
    pub location: Place,
    /// What its files are.
    pub format: FoundFormat,
    /// How they are compressed: `none` or `gzip`.
    pub compression: String,
    /// The names of its partition keys, outermost first.
    pub partition_keys: Vec<String>,
    /// Its partitions by their values.
    pub partitions: BTreeMap<Vec<String>, FoundPartition>,
    /// Its columns.
    pub columns: Vec<PlannedColumn>,
    /// Which files made its columns what they are.
    pub steps: Steps,
    /// How many files.
    pub files: i64,
    /// Their size in bytes, as stored.
    pub bytes: i64,
    /// How many rows, estimated from what was looked at.
    pub rows: Option<i64>,
    /// Globs of what was left out, each with the target before it.
    pub exclusions: Vec<String>,
    /// Why it is one table, and why it is what it is.
    pub reasons: Vec<String>,
}

impl FoundTable {
    /// The table without what no catalog can name: a column whose name has control characters, is empty or too long gets
    /// another name where columns are told apart by their places, and is left out where they are by their names. The
    /// reasons say so.
    pub fn with_names_that_can_be(mut self) -> Self {
        let by_place = match &self.format {
            FoundFormat::Files(files) => files.layout.format() == Format::Csv,
            _ => false,
        };
        let is_fine = |column: &PlannedColumn| {
            plain_name("column", &column.name).is_ok() && !column.data_type.contains(char::is_control)
        };
        if self.columns.iter().all(is_fine) {
            return self;
        }
        let mut columns: Vec<PlannedColumn> = Vec::with_capacity(self.columns.len());
        let mut taken: BTreeSet<String> = self
            .columns
            .iter()
            .map(|column| column.name.to_lowercase())
            .collect();
        for (place, mut column) in std::mem::take(&mut self.columns).into_iter().enumerate() {
            if is_fine(&column) {
                columns.push(column);
                continue;
            }
            let shown: String = column
                .name
                .chars()
                .take(SHOWN)
                .flat_map(char::escape_default)
                .collect();
            if !by_place {
                self.reasons.push(format!(
                    "the column '{shown}' is left out: a name has 1 to 255 characters, and no control characters"
                ));
                continue;
            }
            let mut name = format!("col{place}");
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            self.reasons.push(format!(
                "the column '{shown}' is called {name}: a name has 1 to 255 characters, and no control characters"
            ));
            column.name = name;
            columns.push(column);
        }
        self.columns = columns;
        self
    }
}

/// How much of a name that can't be is shown, in characters.
const SHOWN: usize = 60;

/// Where a table's data is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A folder or a file of an object store.
    Objects(Location),
    /// A table of another database.
    Source(SourcePlace),
}

impl Place {
    /// The place as one text that no other has. A table's location alone doesn't say by which connection it is reached.
    pub fn key(&self) -> String {
        match self {
            Self::Objects(location) => location.as_folder().to_string(),
            Self::Source(place) => format!("{}:{place}", place.connection),
        }
    }
}

/// The table's location.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects(location) => location.fmt(f),
            Self::Source(place) => place.fmt(f),
        }
    }
}

/// What a table's files are.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundFormat {
    /// Plain files.
    Files(FileFormat),
    /// An Apache Iceberg table, with the newest metadata file's location.
    Iceberg(String),
    /// A Delta Lake table.
    Delta,
    /// No files: a table of another database.
    Database(DatabaseTable),
}

/// What is particular to a table of another database.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseTable {
    /// The database's kind.
    pub engine: Engine,
    /// The connection that leads there.
    pub connection: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// What its owner says of it, where that was asked for.
    pub description: Option<String>,
    /// Its columns as the catalog keeps them.
    pub columns: Vec<Column>,
    /// The columns of its primary key.
    pub primary_key: Vec<String>,
}

impl FoundFormat {
    /// The catalog's `classification`.
    pub fn classification(&self) -> &str {
        match self {
            Self::Files(format) => &format.classification,
            Self::Iceberg(_) => "iceberg",
            Self::Delta => "delta",
            Self::Database(table) => table.engine.classification(),
        }
    }
}
