//! Looking at files that no crawl saw.

use std::sync::Arc;

use classifiers::{CsvScanner, Format, JsonScanner, Layout, Scanned, Verdict};
use futures::{StreamExt, TryStreamExt};

use super::file::{FileRead, Found, folded};
use super::files::FileAt;
use super::reading::Reading;
use super::shape::TableShape;
use crate::buckets::Buckets;
use crate::buckets::plain_text::PlainText;
use crate::error::{Error, Result};
use crate::task::{ObjectToRead, judge};

/// What a file is, by its table's definition, by what a crawl saw of it, or by itself.
///
/// # Errors
/// Those of reading it, by its name.
pub(super) async fn of(reading: &Reading, file: FileAt) -> Result<Found> {
    let table = &reading.table;
    let FileAt {
        object, part, look, ..
    } = file;
    if let Some(declared) = part.declared() {
        let look = look.as_deref().and_then(|look| look.as_ref().ok());
        let read = FileRead::as_declared(table, &object, &part, declared, look);
        return Ok(Found::Read(Box::new(read)));
    }
    let verdict = match look.as_deref() {
        Some(Ok(verdict)) => verdict.clone(),
        Some(Err(why)) => return Ok(Found::LeftOut(why.clone())),
        // Its footer says what it is.
        None if table.format == Some(Format::Parquet) => {
            let read = FileRead::as_declared(table, &object, &part, &Layout::Parquet, None);
            return Ok(Found::Read(Box::new(read)));
        }
        None => match judge::one(&reading.buckets, &object).await {
            Ok(verdict) => verdict,
            Err(error) if error.kind == crate::error::ErrorKind::Invalid => {
                return Ok(Found::LeftOut(error.message));
            }
            Err(error) => return Err(error.within(object.path())),
        },
    };
    FileRead::of(table, &object, &part, verdict)
}

/// A file of a job's input, with the types of all its values: a row at the end counts as much as the first.
///
/// # Errors
/// Invalid where it is nothing that can be read as a table; those of reading it, by its name.
pub(super) async fn whole(
    buckets: Buckets,
    table: Arc<TableShape>,
    file: FileAt,
    verdict: Verdict,
) -> Result<FileRead> {
    let is_all = verdict.row_count.is_some();
    let mut read = match FileRead::of(&table, &file.object, &file.part, verdict)? {
        Found::Read(read) => *read,
        Found::LeftOut(why) => return Err(Error::invalid(why).within(file.object.path())),
    };
    let scan = match &read.layout {
        _ if is_all => return Ok(read),
        Layout::Csv(csv) => Scan::Csv(Box::new(CsvScanner::new(&csv.dialect))),
        Layout::Json(json) => Scan::Json(Box::new(JsonScanner::new(json.documents))),
        _ => return Ok(read),
    };
    let scanned = scanned(&buckets, &file.object, read.plain.clone(), scan)
        .await
        .map_err(|error| read.named(error))?;
    let columns = scanned.columns.into_iter();
    read.columns = folded(columns.map(|column| (column.name, column.data_type)));
    read.rows = Some(scanned.rows);
    Ok(read)
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
async fn scanned(
    buckets: &Buckets,
    object: &ObjectToRead,
    plain: Option<PlainText>,
    mut scan: Scan,
) -> Result<Scanned> {
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
