//! What a script wrote by itself, as the files of an output: as many as were asked for, in the format that was. Where the
//! script's files are that already, their bytes are taken as they are; else they are read and written anew.

use std::sync::Arc;

use bytes::Bytes;
use classifiers::{Compression, CsvDialect, JsonDocuments, Layout, Verdict};
use datafusion::arrow::datatypes::SchemaRef;
use futures::{StreamExt, TryStreamExt};

use super::children::Means;
use super::ranges::read_object;
use super::session::context;
use super::sink::Parts;
use super::{
    FileOfTable, FilesPage, FilesToRead, GatherWork, ObjectToRead, PartToRead, ScriptWork, TableToRead,
    Upload, Written, WrittenFile, judge, read, speech, sql,
};
use crate::buckets::Buckets;
use crate::error::{Error, Result};
use crate::model::output::OutputFormat;
use crate::model::run::LogLevel;

/// The name of what was written, where it is read.
const NAME: &str = "output";
/// How many files are looked at at the same time.
const LOOKS: usize = 4;
/// How much of a CSV file's beginning is read for its header, in bytes.
const HEADER_BYTES: u64 = 64 << 10;

/// Gathers a script's files into the uploads.
///
/// # Errors
/// Invalid where a file is nothing that can be read as a table; those of the store.
pub(super) async fn run(buckets: Buckets, work: GatherWork, means: &Means) -> Result<Written> {
    let mut looks: Vec<Verdict> = futures::stream::iter(work.objects.clone())
        .map(|object| look(&buckets, object))
        .buffered(LOOKS)
        .try_collect()
        .await?;
    let is_kept = match work.format {
        _ if work.objects.is_empty() => false,
        OutputFormat::Csv => is_such_csv(&buckets, &work, &mut looks).await?,
        OutputFormat::Json => looks
            .iter()
            .all(|look| look.compression == Compression::None && is_json_lines(look)),
        OutputFormat::Parquet => {
            work.objects.len() == work.uploads.len()
                && looks.iter().all(|look| look.layout == Some(Layout::Parquet))
        }
    };
    let table = TableToRead {
        columns: work.columns.clone(),
        ..table(&work.objects, looks)
    };
    if !is_kept {
        let count = work.objects.len();
        let format = work.format.as_str();
        speech::log(
            LogLevel::Info,
            format!("what the script wrote ({count} file(s)) is written anew as {format}"),
        );
        let script = ScriptWork {
            sql: format!("SELECT * FROM {NAME}"),
            tables: vec![table],
            format: work.format,
            csv: work.csv,
            uploads: work.uploads,
        };
        return sql::run_script(buckets, script, means).await;
    }
    let ctx = context(means)?;
    let tables = read::register(&ctx, &buckets, vec![table]).await?;
    let rows = tables.rows().concat();
    let frame = ctx
        .table(NAME)
        .await
        .map_err(|cause| super::failure::failure(&cause))?;
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    let mut written = Written {
        columns: sql::columns(&schema),
        rows_in: Vec::new(),
        files: Vec::new(),
    };
    for (number, upload) in work.uploads.iter().enumerate() {
        let own = share(work.objects.len(), work.uploads.len(), number);
        let file = copy(&buckets, &work, upload, own.clone()).await?;
        let rows = rows[own].iter().flatten().sum();
        written.files.push(WrittenFile { rows, ..file });
    }
    Ok(written)
}

async fn look(buckets: &Buckets, object: ObjectToRead) -> Result<Verdict> {
    let judged = judge::one(buckets, &object).await;
    judged.map_err(|error| error.within(object.path()))
}

fn is_json_lines(look: &Verdict) -> bool {
    matches!(&look.layout, Some(Layout::Json(json)) if json.documents == JsonDocuments::Lines)
}

/// Which of `files` go to the upload with this number: as many to each, in their order.
fn share(files: usize, uploads: usize, number: usize) -> std::ops::Range<usize> {
    let uploads = uploads.max(1);
    files * number / uploads..files * (number + 1) / uploads
}

/// Whether files are CSV as the output is to be, all with the same columns. Where only their looks could tell whether they
/// have a header, what is said of the output counts.
async fn is_such_csv(buckets: &Buckets, work: &GatherWork, looks: &mut [Verdict]) -> Result<bool> {
    let mut header: Option<Vec<u8>> = None;
    for (object, look) in work.objects.iter().zip(looks) {
        let is_text = look.compression == Compression::None
            && look
                .encoding
                .as_deref()
                .is_none_or(|encoding| encoding == "utf-8")
            && matches!(look.layout, None | Some(Layout::Csv(_)));
        if !is_text {
            return Ok(false);
        }
        let wanted = CsvDialect {
            delimiter: work.csv.delimiter.to_string(),
            header: work.csv.header,
            ..CsvDialect::default()
        };
        let seen = look.csv();
        let is_in_doubt = seen.is_none_or(|csv| csv.first_record.is_some());
        if let Some(dialect) = seen.map(|csv| &csv.dialect) {
            let as_written = CsvDialect {
                header: if is_in_doubt {
                    wanted.header
                } else {
                    dialect.header
                },
                quote: wanted.quote.clone(),
                ..dialect.clone()
            };
            if as_written != wanted {
                return Ok(false);
            }
        }
        *look = Verdict {
            layout: Some(wanted.into()),
            encoding: Some("utf-8".to_owned()),
            ..Verdict::of_table("csv", Vec::new())
        };
        let head = read_object(buckets, object, 0, object.size.min(HEADER_BYTES)).await?;
        if head.contains(&0) || std::str::from_utf8(&head).is_err_and(|cause| cause.error_len().is_some()) {
            return Err(Error::invalid(format!("{} is no text", object.path()))
                .hint("let the script write CSV, JSON or Parquet"));
        }
        if work.csv.header {
            let own = first_line(&head).to_vec();
            let quotes = own.iter().filter(|byte| **byte == b'"').count();
            if quotes % 2 == 1 || header.get_or_insert_with(|| own.clone()) != &own {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn first_line(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = &text[..end];
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn table(objects: &[ObjectToRead], looks: Vec<Verdict>) -> TableToRead {
    let file = |(place, object): (usize, &ObjectToRead)| FileOfTable {
        object: object.clone(),
        part: 0,
        look: Some(place),
    };
    TableToRead {
        name: NAME.to_owned(),
        columns: Vec::new(),
        keys: Vec::new(),
        as_declared: false,
        format: None,
        strict: false,
        rows: None,
        files: FilesToRead::Given(FilesPage {
            parts: vec![PartToRead::default()],
            looks: looks.into_iter().map(Ok).collect(),
            files: objects.iter().enumerate().map(file).collect(),
            left_out: Vec::new(),
            is_last: true,
        }),
    }
}

/// Writes some files behind one another. The header of CSV comes once, also where nothing else does.
async fn copy(
    buckets: &Buckets,
    work: &GatherWork,
    upload: &Upload,
    own: std::ops::Range<usize>,
) -> Result<WrittenFile> {
    let mut parts = Parts::begin(buckets.clone(), upload.clone());
    let has_header = work.format == OutputFormat::Csv && work.csv.header;
    let is_text = work.format != OutputFormat::Parquet;
    let (mut quoted, mut last) = (false, b'\n');
    if has_header && own.is_empty() {
        let first = &work.objects[0];
        let head = read_object(buckets, first, 0, first.size.min(HEADER_BYTES)).await?;
        parts.add(first_line(&head)).await?;
        parts.add(b"\n").await?;
    }
    for (place, object) in work.objects[own].iter().enumerate() {
        let bytes = buckets.get_stream(&object.bucket, &object.key, Some(&object.etag));
        let mut bytes = bytes.await?.boxed();
        let mut in_header = has_header && place > 0;
        if is_text && last != b'\n' {
            parts.add(b"\n").await?;
        }
        while let Some(piece) = bytes.try_next().await? {
            let piece: Bytes = piece;
            let mut rest = &piece[..];
            if in_header {
                let Some(end) = memchr::memchr(b'\n', rest) else {
                    continue;
                };
                rest = &rest[end + 1..];
                in_header = false;
            }
            quoted |= is_text && memchr::memchr(b'"', rest).is_some();
            last = rest.last().copied().unwrap_or(last);
            parts.add(rest).await?;
        }
    }
    let (parts, size) = parts.finish().await?;
    Ok(WrittenFile {
        parts,
        size,
        rows: 0,
        quoted: quoted && work.format == OutputFormat::Csv,
    })
}
