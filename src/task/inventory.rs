//! What an S3 Inventory lists: read in the child, and said batch by batch.
//!
//! A manifest (`manifest.json`) names the files of one inventory, each CSV without a header, compressed by gzip, or Parquet
//! (S3 user guide, "Amazon S3 Inventory list" and "Inventory manifest").

use chrono::DateTime;
use classifiers::Compression;
use datafusion::arrow::array::{Array, AsArray, StringArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::logical_expr::{cast, col};
use datafusion::prelude::{DataFrame, Expr};
use futures::StreamExt;
use serde::Deserialize;

use super::children::Means;
use super::failure::failure;
use super::session::table_of;
use super::speech::say;
use super::{ListedObject, Message, ObjectToRead};
use crate::buckets::Buckets;
use crate::buckets::plain_text::Arriving;
use crate::error::{Error, Result};
use crate::model::location::percent_decoded;

/// The largest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 16 << 20;
/// How many objects are said at once.
const BATCH: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    source_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
struct ManifestFile {
    key: String,
    size: u64,
}

/// Says every object that an inventory lists of `bucket`, at its newest version.
pub(super) async fn run(
    buckets: &Buckets,
    manifest: &ObjectToRead,
    bucket: &str,
    means: &Means,
) -> Result<()> {
    let place = manifest.path();
    let named = |error: Error| error.within(&place);
    if manifest.size > MAX_MANIFEST {
        return Err(named(Error::limit(format!(
            "a manifest of {} bytes is no manifest",
            manifest.size
        ))));
    }
    let bytes = buckets
        .get_range(
            &manifest.bucket,
            &manifest.key,
            0..manifest.size,
            Some(&manifest.etag),
        )
        .await?;
    let read: Manifest = serde_json::from_slice(&bytes).map_err(|cause| {
        named(Error::invalid(format!(
            "it is no manifest of an S3 Inventory: {cause}"
        )))
    })?;
    if read.source_bucket != bucket {
        return Err(named(Error::invalid(format!(
            "it is the inventory of the bucket {}, not of {bucket}",
            read.source_bucket
        ))));
    }
    let mut files = Vec::with_capacity(read.files.len());
    for file in &read.files {
        let key = percent_decoded(&file.key.replace('+', " "));
        let Some(object) = buckets.head(&manifest.bucket, &key).await? else {
            return Err(named(
                Error::not_found(format!("its file {key} is not there"))
                    .hint("give a newer inventory, or list the bucket"),
            ));
        };
        if object.size != file.size {
            return Err(named(Error::invalid(format!(
                "its file {key} has {} bytes instead of {}",
                object.size, file.size
            ))));
        }
        files.push(ObjectToRead::of(&manifest.bucket, object));
    }
    match read.file_format.to_ascii_uppercase().as_str() {
        "CSV" => {
            let columns = Columns::named(&read.file_schema).map_err(named)?;
            for file in &files {
                csv(buckets, file, &columns).await?;
            }
            Ok(())
        }
        "PARQUET" => parquet(buckets, files, means).await.map_err(named),
        other => Err(named(
            Error::invalid(format!("the format {other} can't be read"))
                .hint("let the inventory be CSV or Parquet"),
        )),
    }
}

/// Where in a record what we want of it stands.
struct Columns {
    key: usize,
    size: usize,
    etag: usize,
    modified: Option<usize>,
    is_latest: Option<usize>,
    is_delete_marker: Option<usize>,
}

impl Columns {
    /// `schema`: `Bucket, Key, Size, LastModifiedDate, ETag`.
    fn named(schema: &str) -> Result<Self> {
        let names: Vec<String> = schema.split(',').map(|name| plain(name.trim())).collect();
        let place = |name: &str| names.iter().position(|known| known == name);
        let required = |name: &'static str, shown: &str| place(name).ok_or_else(|| lacking(shown));
        Ok(Self {
            key: required("key", "Key")?,
            size: required("size", "Size")?,
            etag: required("etag", "ETag")?,
            modified: place("lastmodifieddate"),
            is_latest: place("islatest"),
            is_delete_marker: place("isdeletemarker"),
        })
    }
}

fn lacking(field: &str) -> Error {
    Error::invalid(format!("the inventory has no field {field}")).hint(format!(
        "add {field} to the inventory's configuration: a crawl knows versions of files by it"
    ))
}

/// A field's name without what CSV and Parquet spell differently: `LastModifiedDate`, `last_modified_date`.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "")
}

async fn csv(buckets: &Buckets, file: &ObjectToRead, columns: &Columns) -> Result<()> {
    let stream = buckets
        .get_stream(&file.bucket, &file.key, Some(&file.etag))
        .await?;
    let compression = if file.key.ends_with(".gz") {
        Compression::Gzip
    } else {
        Compression::None
    };
    let place = file.path();
    let packed = Arriving::new(Box::pin(stream));
    let wanted = [
        Some(columns.key),
        Some(columns.size),
        Some(columns.etag),
        columns.modified,
        columns.is_latest,
        columns.is_delete_marker,
    ];
    // Reading waits for its input, so it gets a thread to wait in.
    let reading = tokio::task::spawn_blocking(move || {
        let text: Box<dyn std::io::Read> = match compression {
            Compression::None => Box::new(packed),
            packing => Box::new(classifiers::decompress(packing, std::io::BufReader::new(packed))),
        };
        let mut records = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let mut record = csv::StringRecord::new();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            match records.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(cause) => return Err(Error::invalid(format!("{place} can't be read: {cause}"))),
            }
            let [key, size, etag, modified, is_latest, is_delete_marker] =
                wanted.map(|column| column.and_then(|column| record.get(column)));
            let is_now = is_latest.is_none_or(|text| text == "true") && is_delete_marker != Some("true");
            if !is_now {
                continue;
            }
            let (Some(key), Some(etag)) = (key, etag) else {
                return Err(Error::invalid(format!(
                    "{place}: a line has fewer fields than its manifest says"
                )));
            };
            batch.push(ListedObject {
                key: percent_decoded(&key.replace('+', " ")),
                etag: etag.trim_matches('"').to_owned(),
                size: size.and_then(|size| size.parse().ok()).unwrap_or(0),
                modified: modified
                    .and_then(|time| DateTime::parse_from_rfc3339(time).ok())
                    .map_or(0, |time| time.timestamp_micros()),
            });
            if batch.len() == BATCH {
                say(&Message::Listed {
                    objects: std::mem::take(&mut batch),
                });
            }
        }
        say(&Message::Listed { objects: batch });
        Ok(())
    });
    reading
        .await
        .map_err(|cause| Error::internal("reading an inventory ended early").source(cause))?
}

async fn parquet(buckets: &Buckets, files: Vec<ObjectToRead>, means: &Means) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let frame = table_of(buckets, files, means).await?;
    let mut batches = wanted(frame)?
        .execute_stream()
        .await
        .map_err(|cause| failure(&cause))?;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|cause| failure(&cause))?;
        for at in (0..batch.num_rows()).step_by(BATCH) {
            let some = batch.slice(at, BATCH.min(batch.num_rows() - at));
            say(&Message::Listed {
                objects: objects_of(&some)?,
            });
        }
    }
    Ok(())
}

/// The rows of newest versions, with key, size, entity tag and time.
fn wanted(frame: DataFrame) -> Result<DataFrame> {
    use datafusion::arrow::datatypes::{DataType, TimeUnit};
    let names: Vec<String> = frame
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let find = |wanted: &str| {
        names
            .iter()
            .find(|name| plain(name) == wanted)
            .map(|name| exactly(name))
    };
    let required = |wanted: &str, shown: &str| find(wanted).ok_or_else(|| lacking(shown));
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let modified = find("lastmodifieddate").unwrap_or_else(|| datafusion::logical_expr::lit(0_i64));
    let columns = vec![
        cast(required("key", "Key")?, DataType::Utf8).alias("key"),
        cast(required("size", "Size")?, DataType::Int64).alias("size"),
        cast(required("etag", "ETag")?, DataType::Utf8).alias("etag"),
        cast(modified, micros).alias("modified"),
    ];
    let mut frame = frame;
    if let Some(is_latest) = find("islatest") {
        frame = frame
            .filter(is_latest.is_not_false())
            .map_err(|cause| failure(&cause))?;
    }
    if let Some(is_delete_marker) = find("isdeletemarker") {
        frame = frame
            .filter(is_delete_marker.is_not_true())
            .map_err(|cause| failure(&cause))?;
    }
    frame.select(columns).map_err(|cause| failure(&cause))
}

/// A column by its name as it is, whatever letters it has.
fn exactly(name: &str) -> Expr {
    col(datafusion::common::Column::from_name(name))
}

fn objects_of(batch: &RecordBatch) -> Result<Vec<ListedObject>> {
    let broken = || Error::internal("an inventory's columns have other types than were asked for");
    let text =
        |column: usize| -> Result<&StringArray> { batch.column(column).as_string_opt().ok_or_else(broken) };
    let (keys, etags) = (text(0)?, text(2)?);
    let sizes = batch
        .column(1)
        .as_primitive_opt::<Int64Type>()
        .ok_or_else(broken)?;
    let times = batch
        .column(3)
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(broken)?;
    Ok((0..batch.num_rows())
        .map(|row| ListedObject {
            key: keys.value(row).to_owned(),
            etag: etags.value(row).trim_matches('"').to_owned(),
            size: if sizes.is_null(row) {
                0
            } else {
                u64::try_from(sizes.value(row)).unwrap_or(0)
            },
            modified: if times.is_null(row) { 0 } else { times.value(row) },
        })
        .collect())
}
