//! What a file is: how it is read, and which columns it has.

use std::sync::Arc;

use classifiers::{
    Compression, CsvDialect, CsvScanner, DataType as Hive, JsonLayout, JsonScanner, Scanned, Verdict,
};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use super::parse_type;
use crate::buckets::Buckets;
use crate::buckets::pinned::PinnedStore;
use crate::buckets::plain_text::PlainText;
use crate::error::{Error, Result};
use crate::task::arrow_types::{to_arrow, to_hive};
use crate::task::failure::refused;
use crate::task::{FileOfTable, TableToRead};

/// How a file is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Format {
    Csv(CsvDialect),
    Json(JsonLayout, Compression),
    Parquet,
}

/// A column as one file has it.
#[derive(Clone, Debug)]
pub(super) struct FileColumn {
    /// As the file spells it.
    pub(super) raw: String,
    /// As the table spells it.
    pub(super) name: String,
    pub(super) hive: Hive,
}

/// A file, looked at.
pub(super) struct FileRead {
    pub(super) format: Format,
    /// How its rows of CSV become UTF-8, where they aren't that as they are.
    pub(super) plain: Option<PlainText>,
    /// The schema that the file is read with.
    pub(super) schema: SchemaRef,
    pub(super) columns: Vec<FileColumn>,
    pub(super) rows: Option<u64>,
}

/// Finds out which columns one file has, and how it is read.
pub(super) async fn look(
    ctx: &SessionContext,
    buckets: &Buckets,
    pinned: &Arc<PinnedStore>,
    index: usize,
    table: &TableToRead,
    file: FileOfTable,
    verdict: Verdict,
) -> Result<FileRead> {
    let path = file.object.path();
    let named = |error: Error| error.within(&path);
    match (verdict.classification.as_str(), verdict.csv, verdict.json) {
        ("parquet", ..) => {
            let store: Arc<dyn object_store::ObjectStore> = pinned.clone();
            let meta = store
                .head(&pinned.path_of(index))
                .await
                .map_err(|cause| named(refused(cause)))?;
            let schema = ParquetFormat::default()
                .infer_schema(&ctx.state(), &store, &[meta])
                .await
                .map_err(|cause| named(unreadable(cause)))?;
            let columns = schema
                .fields()
                .iter()
                .map(|field| (field.name().clone(), to_hive(field.data_type())));
            Ok(FileRead {
                format: Format::Parquet,
                plain: None,
                columns: named_columns(columns),
                rows: verdict.row_count,
                schema,
            })
        }
        ("csv", Some(dialect), _) => {
            let dialect = table.csv.clone().unwrap_or(dialect);
            let plain = plain_text(verdict.compression, verdict.encoding);
            let (columns, rows) = if table.csv.is_some() {
                let columns = table
                    .columns
                    .iter()
                    .map(|(name, hive)| Ok((name.clone(), parse_type(hive)?)));
                (
                    named_columns(columns.collect::<Result<Vec<_>>>()?.into_iter()),
                    None,
                )
            } else {
                let scanner = Scan::Csv(Box::new(CsvScanner::new(&dialect)));
                let scanned = scan(buckets, &file, plain.clone(), scanner)
                    .await
                    .map_err(named)?;
                columns_of(scanned)
            };
            let text = columns
                .iter()
                .map(|column| Field::new(&column.raw, Arrow::Utf8View, true));
            Ok(FileRead {
                schema: Arc::new(Schema::new(text.collect::<Vec<_>>())),
                format: Format::Csv(dialect),
                plain,
                columns,
                rows,
            })
        }
        ("json", _, Some(layout)) => {
            let scanner = Scan::Json(Box::new(JsonScanner::new(layout)));
            let plain = plain_text(verdict.compression, verdict.encoding);
            let compression = read_as(pinned, index, plain.as_ref());
            let scanned = scan(buckets, &file, plain, scanner).await.map_err(named)?;
            let (columns, rows) = columns_of(scanned);
            let fields = columns
                .iter()
                .map(|column| Field::new(&column.raw, to_arrow(&column.hive), true));
            Ok(FileRead {
                schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
                format: Format::Json(layout, compression),
                plain: None,
                columns,
                rows,
            })
        }
        (other, ..) => {
            let reasons = verdict.reasons.join("; ");
            Err(Error::invalid(format!(
                "{path} can't be read as a table: it is {other} ({reasons})"
            ))
            .hint("CSV, JSON and Parquet can be read"))
        }
    }
}

/// How a text becomes UTF-8; absent where it is that as it is.
fn plain_text(compression: Compression, encoding: Option<String>) -> Option<PlainText> {
    let is_plain = compression == Compression::None && is_utf8(encoding.as_deref());
    (!is_plain).then_some(PlainText {
        compression,
        encoding,
    })
}

/// Has an object read as plain text where the engine doesn't read it as it is; answers with the compression that the
/// engine then sees.
fn read_as(pinned: &PinnedStore, index: usize, plain: Option<&PlainText>) -> Compression {
    let Some(plain) = plain else {
        return Compression::None;
    };
    let is_read = matches!(
        plain.compression,
        Compression::Gzip | Compression::Bzip2 | Compression::Zstd
    );
    if is_read && is_utf8(plain.encoding.as_deref()) {
        return plain.compression;
    }
    pinned.read_as(index, plain.clone());
    Compression::None
}

fn is_utf8(encoding: Option<&str>) -> bool {
    encoding.is_none_or(|name| matches!(name, "utf-8" | "ascii"))
}

fn columns_of(scanned: Scanned) -> (Vec<FileColumn>, Option<u64>) {
    let columns = scanned
        .columns
        .into_iter()
        .map(|column| (column.name, column.data_type));
    (named_columns(columns), Some(scanned.rows))
}

/// Folds names to lower case; one that is taken then gets a number.
fn named_columns(columns: impl Iterator<Item = (String, Hive)>) -> Vec<FileColumn> {
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
            FileColumn { raw, name, hive }
        })
        .collect()
}

enum Scan {
    Csv(Box<CsvScanner>),
    Json(Box<JsonScanner>),
}

impl Scan {
    fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Csv(scanner) => scanner.feed(bytes),
            Self::Json(scanner) => scanner.feed(bytes),
        }
        .map_err(|error| Error::invalid(error.message))
    }

    fn finish(self) -> Result<Scanned> {
        match self {
            Self::Csv(scanner) => scanner.finish(),
            Self::Json(scanner) => scanner.finish(),
        }
        .map_err(|error| Error::invalid(error.message))
    }
}

/// Reads a whole text file to learn the types of its columns.
async fn scan(
    buckets: &Buckets,
    file: &FileOfTable,
    plain: Option<PlainText>,
    mut scan: Scan,
) -> Result<Scanned> {
    let object = &file.object;
    let stored = buckets
        .get_stream(&object.bucket, &object.key, Some(&object.etag))
        .await?
        .boxed();
    let mut text = match plain {
        Some(plain) => plain.read(stored).boxed(),
        None => stored,
    };
    while let Some(piece) = text.try_next().await? {
        scan.feed(&piece)?;
    }
    scan.finish()
}

fn unreadable(cause: DataFusionError) -> Error {
    Error::invalid("it can't be read").source(cause)
}
