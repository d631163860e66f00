//! What a file is to its table: how it is read, and where each column of the table comes from.

use std::sync::Arc;

use classifiers::{Compression, CsvLayout, DataType as Hive, Layout, Verdict};
use datafusion::common::ScalarValue;

use super::column::Column;
use super::shape::TableShape;
use super::text;
use crate::buckets::plain_text::PlainText;
use crate::error::{Error, Result};
use crate::model::partition::key::HIVE_NULL;
use crate::task::{ObjectToRead, PartToRead};

/// A column as one file has it.
#[derive(Clone, Debug)]
pub(super) struct FileColumn {
    /// As the table spells it.
    pub(super) name: String,
    /// What its values are, as far as that is known.
    pub(super) hive: Hive,
}

/// A file, and how it is read.
#[derive(Clone, Debug)]
pub(super) struct FileRead {
    pub(super) object: ObjectToRead,
    pub(super) part: Arc<PartToRead>,
    pub(super) layout: Layout,
    /// How its text becomes UTF-8; absent where it is that as it is.
    pub(super) plain: Option<PlainText>,
    /// Its columns: of CSV in the order of its fields. Parquet and JSON say by themselves what they have.
    pub(super) columns: Vec<FileColumn>,
    /// How many rows it has, where that is known for certain.
    pub(super) rows: Option<u64>,
}

/// Where a column of the table comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// The field at this place of a row, or the column that the file calls so.
    File(usize),
    /// The same for the whole file.
    Constant(ScalarValue),
}

/// What was found of a file.
pub(super) enum Found {
    Read(Box<FileRead>),
    /// It is no part of its table, and why.
    LeftOut(String),
}

impl FileRead {
    /// A file as what it was seen to be.
    ///
    /// # Errors
    /// Invalid where it can't be read as a table, and the table is made of whatever its pattern finds.
    pub(super) fn of(
        table: &TableShape,
        object: &ObjectToRead,
        part: &Arc<PartToRead>,
        verdict: Verdict,
    ) -> Result<Found> {
        let is_of_table = |layout: &Layout| table.format.is_none_or(|format| format == layout.format());
        let (layout, columns, rows) = match verdict.layout.clone().filter(is_of_table) {
            Some(Layout::Parquet) => (Layout::Parquet, columns_of(&verdict), verdict.row_count),
            Some(Layout::Csv(mut csv)) => {
                let (header, columns) = match table.is_declared {
                    true => match csv_columns(table, &verdict, &csv) {
                        Ok(settled) => settled,
                        Err(why) => return Ok(Found::LeftOut(why)),
                    },
                    false => (csv.dialect.header, columns_of(&verdict)),
                };
                let rows = verdict.row_count.filter(|_| header == csv.dialect.header);
                csv.dialect.header = header;
                if let Some(Layout::Csv(declared)) = &part.layout {
                    csv.null.clone_from(&declared.null);
                }
                (Layout::Csv(csv), columns, rows)
            }
            Some(Layout::Json(mut json)) => {
                if let Some(Layout::Json(declared)) = &part.layout {
                    json.path = declared.path.clone().or(json.path);
                    json.names.clone_from(&declared.names);
                }
                (Layout::Json(json), columns_of(&verdict), verdict.row_count)
            }
            _ => return not_read(table, object, &verdict),
        };
        Ok(Found::Read(Box::new(Self {
            object: object.clone(),
            part: Arc::clone(part),
            layout,
            plain: plain_text(verdict.compression, verdict.encoding),
            columns,
            rows,
        })))
    }

    /// A file as its table's definition says that it is.
    pub(super) fn as_declared(
        table: &TableShape,
        object: &ObjectToRead,
        part: &Arc<PartToRead>,
        layout: &Layout,
        look: Option<&Verdict>,
    ) -> Self {
        let compression = look.map_or_else(|| compression_of(&object.key), |look| look.compression);
        let encoding = part.encoding.clone().or_else(|| look?.encoding.clone());
        let by_place = || {
            let names = part.names.as_ref();
            let own = names.map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
            let names = own.unwrap_or_else(|| table.own_names());
            let hive = |name: &str| table.type_of(name).cloned().unwrap_or(Hive::String);
            names
                .into_iter()
                .map(|name| FileColumn {
                    name: name.to_lowercase(),
                    hive: hive(&name.to_lowercase()),
                })
                .collect()
        };
        Self {
            object: object.clone(),
            part: Arc::clone(part),
            layout: layout.clone(),
            plain: plain_text(compression, encoding),
            columns: match layout {
                Layout::Parquet => Vec::new(),
                _ => by_place(),
            },
            rows: None,
        }
    }

    /// What is wrong, with the file's name.
    pub(super) fn named(&self, error: Error) -> Error {
        error.within(self.object.path())
    }

    /// The value that a partition key has in this file; absent where the column is none of the keys.
    ///
    /// # Errors
    /// Internal where no array can be made of it.
    pub(super) fn key(&self, name: &str, hive: &Hive) -> Result<Option<ScalarValue>> {
        key_of(&self.part, name, hive)
    }
}

/// The value of a partition key.
///
/// # Errors
/// Internal where no array can be made of it.
pub(super) fn key_of(part: &PartToRead, name: &str, hive: &Hive) -> Result<Option<ScalarValue>> {
    let Some(value) = part.values.get(name) else {
        return Ok(None);
    };
    let mut column = Column::of(hive);
    match value.as_str() {
        HIVE_NULL => column.null(),
        value => drop(column.text(value)),
    }
    scalar(&mut column).map(Some)
}

/// NULL of a type.
///
/// # Errors
/// Internal where no array can be made of it.
pub(super) fn null_of(hive: &Hive) -> Result<ScalarValue> {
    let mut column = Column::of(hive);
    column.null();
    scalar(&mut column)
}

fn scalar(column: &mut Column) -> Result<ScalarValue> {
    let array = column.take()?;
    ScalarValue::try_from_array(&array, 0)
        .map_err(|cause| Error::internal("a value can't be kept").source(cause))
}

/// A file that is nothing that can be read here.
fn not_read(table: &TableShape, object: &ObjectToRead, verdict: &Verdict) -> Result<Found> {
    let why = format!(
        "it is {} ({})",
        verdict.classification,
        verdict.reasons.join("; ")
    );
    match table.is_declared {
        true => Ok(Found::LeftOut(why.replace(" ()", ""))),
        false => Err(
            Error::invalid(format!("{} can't be read as a table: {why}", object.path()))
                .hint("CSV, JSON and Parquet can be read"),
        ),
    }
}

fn columns_of(verdict: &Verdict) -> Vec<FileColumn> {
    let columns = verdict.columns.iter();
    folded(columns.map(|column| (column.name.clone(), column.data_type.clone())))
}

/// Folds names to lower case; one that is taken then gets a number.
pub(super) fn folded(columns: impl Iterator<Item = (String, Hive)>) -> Vec<FileColumn> {
    let mut taken = std::collections::HashSet::new();
    columns
        .map(|(raw, hive)| {
            let folded = raw.to_lowercase();
            let mut name = folded.clone();
            let mut number = 1;
            while !taken.insert(name.clone()) {
                name = format!("{folded}_{number}");
                number += 1;
            }
            FileColumn { name, hive }
        })
        .collect()
}

/// Whether the first record of a CSV file names columns, and the columns of the catalogued table that its fields are. Where
/// the file alone leaves in doubt whether it has a header, the names of the table's columns tell.
fn csv_columns(
    table: &TableShape,
    verdict: &Verdict,
    csv: &CsvLayout,
) -> Result<(bool, Vec<FileColumn>), String> {
    let header = csv.dialect.header;
    let own = columns_of(verdict);
    let known = |columns: &[FileColumn]| {
        columns
            .iter()
            .filter(|column| table.type_of(&column.name).is_some())
            .count()
    };
    let by_place = || {
        let names = table.own_names().into_iter().map(str::to_lowercase);
        let columns = own.iter().zip(names);
        columns
            .map(|(column, name)| FileColumn {
                name,
                hive: column.hive.clone(),
            })
            .collect::<Vec<_>>()
    };
    let unlike = || format!("none of its columns ({}) is one of the table's", names_of(&own));
    // Rows of a file without names are the table's where at least one column's values fit.
    let rows = || {
        let columns = by_place();
        match columns.iter().any(|column| fits(table, column)) {
            true => Ok((false, columns)),
            false => Err(unlike()),
        }
    };
    let Some(first) = &csv.first_record else {
        return match header {
            true if known(&own) == 0 => Err(unlike()),
            true => Ok((true, own)),
            false => rows(),
        };
    };
    let cells = folded(first.iter().map(|cell| (cell.clone(), Hive::Null)));
    let are_names = !cells.is_empty() && known(&cells) == cells.len();
    match (header, are_names) {
        (true, _) if known(&own) > 0 => Ok((true, own)),
        (false, true) => {
            let named = cells.into_iter().zip(&own);
            let named = named.map(|(cell, column)| FileColumn {
                name: cell.name,
                hive: column.hive.clone(),
            });
            Ok((true, named.collect()))
        }
        // Its first record looked like names, and is a row like the others.
        _ => rows(),
    }
}

/// Whether a column's values are such as the table's column of its name has.
fn fits(table: &TableShape, column: &FileColumn) -> bool {
    table
        .type_of(&column.name)
        .is_some_and(|hive| hive.clone().merge(column.hive.clone()) == *hive)
}

fn names_of(columns: &[FileColumn]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

/// How a text becomes UTF-8; absent where it is that as it is.
pub(super) fn plain_text(compression: Compression, encoding: Option<String>) -> Option<PlainText> {
    let is_utf8 = encoding
        .as_deref()
        .is_none_or(|name| matches!(name, "utf-8" | "ascii"));
    let is_plain = compression == Compression::None && is_utf8;
    (!is_plain).then_some(PlainText {
        compression,
        encoding,
    })
}

/// How Hadoop takes a text file to be packed: by its name's end.
fn compression_of(key: &str) -> Compression {
    let extension = key.rsplit('.').next().unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "gz" | "gzip" => Compression::Gzip,
        "bz2" => Compression::Bzip2,
        "zst" | "zstd" => Compression::Zstd,
        "snappy" => Compression::HadoopSnappy,
        "lz4" => Compression::HadoopLz4,
        _ => Compression::None,
    }
}

/// Whether a field of CSV without quotes stands for nothing. `own` is what the file's column is.
pub(super) fn stands_for_nothing(field: &str, null: Option<&str>, words: bool, own: &Hive) -> bool {
    if field.is_empty() || null == Some(field) {
        return true;
    }
    match own {
        Hive::String | Hive::Null => words && text::is_null_word(field),
        _ => text::is_nothing(field),
    }
}
