//! Objects as tables: each file is read as what it is, and brought to the columns that all files of the table share.
//!
//! Files may differ. A column that one lacks is NULL there; one that has different types has the widest of them. Types of
//! text files come from all their values, not from a sample: a row at the end counts as much as the first. Names are in
//! lower case, as in the catalog.

use std::collections::HashMap;
use std::sync::Arc;

use classifiers::{Compression, CsvDialect, CsvScanner, DataType as Hive, JsonLayout, JsonScanner, Scanned};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::functions::expr_fn::{btrim, lower, replace};
use datafusion::logical_expr::{Expr, cast, lit, try_cast, when};
use datafusion::prelude::{DataFrame, SessionContext};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use super::arrow_types::{to_arrow, to_hive};
use super::{FileOfTable, TableToRead, child, classify};
use crate::buckets::Buckets;
use crate::buckets::pinned::{PinnedObject, PinnedStore};
use crate::buckets::plain_text::{Lines, PlainText};
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

/// Where the pinned objects of this process are registered.
const STORE_URL: &str = "pinned://run/";
/// How many files are looked at at the same time.
const LOOKS: usize = 4;

/// How a file is written.
#[derive(Clone, Debug, PartialEq)]
enum Format {
    Csv(CsvDialect, Compression),
    Json(JsonLayout, Compression),
    Parquet,
}

/// A column as one file has it.
#[derive(Clone, Debug)]
struct FileColumn {
    /// As the file spells it.
    raw: String,
    /// As the table spells it.
    name: String,
    hive: Hive,
}

/// A file, looked at.
struct FileRead {
    format: Format,
    /// The schema that the file is read with.
    schema: SchemaRef,
    columns: Vec<FileColumn>,
    rows: Option<u64>,
}

/// Registers every table; answers with the rows of each of their files, where they were counted.
pub(super) async fn register(
    ctx: &SessionContext,
    buckets: &Buckets,
    tables: &[TableToRead],
) -> Result<Vec<Vec<Option<u64>>>> {
    let objects: Vec<PinnedObject> = tables
        .iter()
        .flat_map(|table| &table.files)
        .map(|file| PinnedObject {
            bucket: file.object.bucket.clone(),
            key: file.object.key.clone(),
            etag: file.object.etag.clone(),
            size: file.object.size,
            last_modified: file.object.last_modified,
        })
        .collect();
    let pinned = Arc::new(PinnedStore::new(buckets.clone(), objects));
    let url = datafusion::execution::object_store::ObjectStoreUrl::parse(STORE_URL).map_err(internal)?;
    ctx.register_object_store(
        url.as_ref(),
        Arc::clone(&pinned) as Arc<dyn object_store::ObjectStore>,
    );

    let mut rows = Vec::new();
    let mut first = 0;
    for table in tables {
        let looked: Vec<FileRead> = futures::stream::iter(table.files.iter().cloned().enumerate())
            .map(|(index, file)| look(ctx, buckets, &pinned, first + index, table, file))
            .buffered(LOOKS)
            .try_collect()
            .await?;
        let frame = assemble(ctx, &pinned, first, table, &looked)?;
        register_view(ctx, &table.name, frame)?;
        rows.push(looked.iter().map(|file| file.rows).collect());
        first += table.files.len();
    }
    Ok(rows)
}

fn register_view(ctx: &SessionContext, name: &str, frame: DataFrame) -> Result<()> {
    use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
    let view = frame.into_view();
    let Some((database, table)) = name.split_once('.') else {
        ctx.register_table(datafusion::common::TableReference::bare(name), view)
            .map_err(internal)?;
        return Ok(());
    };
    let catalog = ctx
        .catalog("datafusion")
        .ok_or_else(|| Error::internal("the engine has no catalog"))?;
    let schema = match catalog.schema(database) {
        Some(schema) => schema,
        None => {
            let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
            catalog
                .register_schema(database, Arc::clone(&schema))
                .map_err(internal)?;
            schema
        }
    };
    schema.register_table(table.to_owned(), view).map_err(internal)?;
    Ok(())
}

/// Finds out how one file is written and which columns it has.
async fn look(
    ctx: &SessionContext,
    buckets: &Buckets,
    pinned: &Arc<PinnedStore>,
    index: usize,
    table: &TableToRead,
    file: FileOfTable,
) -> Result<FileRead> {
    let path = format!("s3://{}/{}", file.object.bucket, file.object.key);
    let named = |error: Error| error.within(&path);
    let verdict = classify::one(buckets, &file.object).await.map_err(named)?;
    match (verdict.classification.as_str(), verdict.csv, verdict.json) {
        ("parquet", ..) => {
            let store: Arc<dyn object_store::ObjectStore> = pinned.clone();
            let meta = store
                .head(&pinned.path_of(index))
                .await
                .map_err(|cause| named(internal(cause.into())))?;
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
                columns: named_columns(columns),
                rows: verdict.row_count,
                schema,
            })
        }
        ("csv", Some(dialect), _) => {
            let dialect = table.csv.clone().unwrap_or(dialect);
            check_readable(&dialect).map_err(named)?;
            let (dialect, plain) = plain_csv(dialect, verdict.compression, verdict.encoding);
            let compression = read_as(pinned, index, verdict.compression, plain.as_ref());
            let declared = table.csv.is_some();
            let scanned = if declared {
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
                let scanned = scan(buckets, &file, verdict.compression, plain, scanner)
                    .await
                    .map_err(named)?;
                columns_of(scanned)
            };
            let text = scanned
                .0
                .iter()
                .map(|column| Field::new(&column.raw, Arrow::Utf8View, true));
            Ok(FileRead {
                schema: Arc::new(Schema::new(text.collect::<Vec<_>>())),
                format: Format::Csv(dialect, compression),
                columns: scanned.0,
                rows: scanned.1,
            })
        }
        ("json", _, Some(layout)) => {
            let scanner = Scan::Json(Box::new(JsonScanner::new(layout)));
            let plain = plain_text(verdict.compression, verdict.encoding, Lines::default());
            let compression = read_as(pinned, index, verdict.compression, plain.as_ref());
            let scanned = scan(buckets, &file, verdict.compression, plain, scanner)
                .await
                .map_err(named)?;
            let (columns, rows) = columns_of(scanned);
            let fields = columns
                .iter()
                .map(|column| Field::new(&column.raw, to_arrow(&column.hive), true));
            Ok(FileRead {
                schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
                format: Format::Json(layout, compression),
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

/// How an object has to be made plain text for the engine; absent where the engine reads it as it is.
fn plain_text(compression: Compression, encoding: Option<String>, lines: Lines) -> Option<PlainText> {
    let is_read = matches!(
        compression,
        Compression::None | Compression::Gzip | Compression::Bzip2 | Compression::Zstd
    );
    let is_utf8 = encoding
        .as_deref()
        .is_none_or(|name| matches!(name, "utf-8" | "ascii"));
    let has_others = lines.above + lines.below_header + lines.footer > 0;
    (!is_read || !is_utf8 || has_others).then_some(PlainText {
        compression,
        encoding,
        lines,
    })
}

/// The dialect that the engine reads a CSV by, once it is plain text where it has to be.
fn plain_csv(
    dialect: CsvDialect,
    compression: Compression,
    encoding: Option<String>,
) -> (CsvDialect, Option<PlainText>) {
    let lines = Lines {
        above: dialect.skip_lines,
        header: dialect.header,
        below_header: dialect.skip_after_header,
        footer: dialect.skip_footer,
        quote: dialect.quote.as_ref().and_then(|quote| quote.bytes().next()),
        by_carriage_return: dialect.line_terminator == "\r",
    };
    let plain = CsvDialect {
        skip_lines: 0,
        skip_after_header: 0,
        skip_footer: 0,
        ..dialect
    };
    (plain, plain_text(compression, encoding, lines))
}

/// Has an object read as plain text where it must be; answers with the compression that the engine then sees.
fn read_as(
    pinned: &PinnedStore,
    index: usize,
    compression: Compression,
    plain: Option<&PlainText>,
) -> Compression {
    let Some(plain) = plain else { return compression };
    pinned.read_as(index, plain.clone());
    Compression::None
}

fn check_readable(dialect: &CsvDialect) -> Result<()> {
    let single = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() == 1);
    if dialect.delimiter.len() == 1
        && single(&dialect.quote)
        && single(&dialect.escape)
        && single(&dialect.comment)
    {
        return Ok(());
    }
    Err(Error::invalid(
        "its delimiter, quote, escape or comment sign is not one ASCII character",
    ))
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
    compression: Compression,
    plain: Option<PlainText>,
    mut scan: Scan,
) -> Result<Scanned> {
    let object = &file.object;
    let stored = buckets
        .get_stream(&object.bucket, &object.key, Some(&object.etag))
        .await?
        .boxed();
    let packed = (compression != Compression::None).then(|| PlainText {
        compression,
        encoding: None,
        lines: Lines::default(),
    });
    let mut text = match plain.or(packed) {
        Some(plain) => plain.read(stored).boxed(),
        None => stored,
    };
    while let Some(piece) = text.try_next().await? {
        scan.feed(&piece)?;
    }
    scan.finish()
}

/// Puts the files of a table together.
fn assemble(
    ctx: &SessionContext,
    pinned: &PinnedStore,
    first: usize,
    table: &TableToRead,
    files: &[FileRead],
) -> Result<DataFrame> {
    let target = target_columns(table, files)?;
    // Files that are read in the same way are one scan.
    let mut groups: Vec<(Vec<usize>, &FileRead)> = Vec::new();
    let mut by_shape = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        let hives: Vec<&Hive> = file.columns.iter().map(|column| &column.hive).collect();
        let shape = format!(
            "{:?} {:?} {:?} {hives:?}",
            file.format, file.schema, table.files[index].partition
        );
        let group = *by_shape.entry(shape).or_insert_with(|| {
            groups.push((Vec::new(), file));
            groups.len() - 1
        });
        groups[group].0.push(index);
    }
    let mut union: Option<DataFrame> = None;
    for (members, file) in groups {
        let urls = members
            .iter()
            .map(|index| ListingTableUrl::parse(format!("{STORE_URL}{}", pinned.path_of(first + index))))
            .collect::<Result<Vec<_>, _>>()
            .map_err(internal)?;
        let options = ListingOptions::new(file_format(&file.format)?).with_file_extension("");
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(options)
            .with_schema(Arc::clone(&file.schema));
        let listing = ListingTable::try_new(config).map_err(internal)?;
        let partition = &table.files[members[0]].partition;
        let projection = target
            .iter()
            .map(|(name, hive)| Ok(project(file, name, hive, partition.get(name), table.as_declared)))
            .collect::<Result<Vec<_>>>()?;
        let frame = ctx
            .read_table(Arc::new(listing))
            .and_then(|frame| frame.select(projection))
            .map_err(internal)?;
        union = Some(match union {
            Some(above) => above.union(frame).map_err(internal)?,
            None => frame,
        });
    }
    match union {
        Some(frame) => Ok(frame),
        None => empty_table(ctx, &target),
    }
}

fn empty_table(ctx: &SessionContext, target: &[(String, Hive)]) -> Result<DataFrame> {
    let fields: Vec<Field> = target
        .iter()
        .map(|(name, hive)| Field::new(name, to_arrow(hive), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = datafusion::arrow::record_batch::RecordBatch::new_empty(schema);
    ctx.read_batch(batch).map_err(internal)
}

/// The columns of the table: the declared ones, then what else the files have, then partition keys.
fn target_columns(table: &TableToRead, files: &[FileRead]) -> Result<Vec<(String, Hive)>> {
    let mut target: Vec<(String, Hive)> = Vec::new();
    for (name, hive) in &table.columns {
        target.push((name.to_lowercase(), parse_type(hive)?));
    }
    let declared = target.len();
    if !table.as_declared {
        for column in files.iter().flat_map(|file| &file.columns) {
            match target.iter().position(|(name, _)| *name == column.name) {
                Some(known) if known < declared => {}
                Some(known) => {
                    let merged = target[known].1.clone().merge(column.hive.clone());
                    if merged != target[known].1 {
                        child::log(
                            LogLevel::Info,
                            format!(
                                "{}.{}: {} and {} are read as {merged}",
                                table.name, column.name, target[known].1, column.hive
                            ),
                        );
                    }
                    target[known].1 = merged;
                }
                None => target.push((column.name.clone(), column.hive.clone())),
            }
        }
    }
    for key in table.files.iter().flat_map(|file| file.partition.keys()) {
        if !target.iter().any(|(name, _)| name == key) {
            target.push((key.clone(), Hive::String));
        }
    }
    Ok(target)
}

/// One column of the table out of one group of files.
fn project(file: &FileRead, name: &str, hive: &Hive, partition: Option<&String>, lenient: bool) -> Expr {
    let arrow = to_arrow(hive);
    let convert = |expr: Expr, to: &Arrow| {
        if lenient {
            try_cast(expr, to.clone())
        } else {
            cast(expr, to.clone())
        }
    };
    let value = match (partition, file.columns.iter().find(|column| column.name == name)) {
        (Some(value), _) => convert(lit(value.as_str()), &arrow),
        (None, None) => cast(lit(ScalarValue::Null), arrow),
        (None, Some(column)) => {
            let raw = Expr::Column(Column::new_unqualified(column.raw.clone()));
            let is_text = matches!(file.format, Format::Csv(..));
            let own = to_arrow(&column.hive);
            if is_text && own != Arrow::Utf8View {
                convert(from_text(raw, &own, lenient), &arrow)
            } else if is_text && arrow != Arrow::Utf8View {
                from_text(raw, &arrow, lenient)
            } else {
                convert(raw, &arrow)
            }
        }
    };
    value.alias(name)
}

/// A CSV field as a value of another type: words for nothing are NULL.
fn from_text(raw: Expr, to: &Arrow, lenient: bool) -> Expr {
    let trimmed = btrim(vec![raw]);
    let mut text = trimmed.clone();
    if matches!(to, Arrow::Date32 | Arrow::Timestamp(..)) {
        // 2020/04/01 is a date to people, and not to the engine.
        text = replace(text, lit("/"), lit("-"));
    }
    let nothing = classifiers::NULL_WORDS.iter().map(|word| lit(*word)).collect();
    let value = if lenient {
        try_cast(text, to.clone())
    } else {
        cast(text, to.clone())
    };
    let null = cast(lit(ScalarValue::Null), to.clone());
    let is_nothing = lower(trimmed).in_list(nothing, false);
    match when(is_nothing, null).otherwise(value.clone()) {
        Ok(expr) => expr,
        Err(_) => value,
    }
}

fn file_format(format: &Format) -> Result<Arc<dyn FileFormat>> {
    let compressed = |compression: &Compression| match compression {
        Compression::None => FileCompressionType::UNCOMPRESSED,
        Compression::Gzip => FileCompressionType::GZIP,
        Compression::Bzip2 => FileCompressionType::BZIP2,
        Compression::Zstd => FileCompressionType::ZSTD,
        // Unpacked before the engine sees them.
        Compression::Snappy
        | Compression::HadoopSnappy
        | Compression::Lz4
        | Compression::HadoopLz4
        | Compression::Zip => FileCompressionType::UNCOMPRESSED,
    };
    let byte = |text: &Option<String>| text.as_ref().and_then(|text| text.bytes().next());
    Ok(match format {
        Format::Parquet => Arc::new(ParquetFormat::default()),
        Format::Json(layout, compression) => Arc::new(
            JsonFormat::default()
                .with_newline_delimited(*layout != JsonLayout::Array)
                .with_file_compression_type(compressed(compression)),
        ),
        Format::Csv(dialect, compression) => {
            let delimiter = dialect.delimiter.bytes().next().unwrap_or(b',');
            let mut csv = CsvFormat::default()
                .with_has_header(dialect.header)
                .with_delimiter(delimiter)
                .with_escape(byte(&dialect.escape))
                .with_comment(byte(&dialect.comment))
                .with_truncated_rows(true)
                .with_newlines_in_values(dialect.quote.is_some())
                .with_file_compression_type(compressed(compression));
            // Without a quote, a byte that no text contains stands for it.
            csv = csv.with_quote(byte(&dialect.quote).unwrap_or(0xff));
            if dialect.line_terminator == "\r" {
                csv = csv.with_terminator(Some(b'\r'));
            }
            Arc::new(csv)
        }
    })
}

fn parse_type(text: &str) -> Result<Hive> {
    text.parse()
        .map_err(|cause| Error::invalid(format!("'{text}' is not a type: {cause}")))
}

fn internal(cause: datafusion::error::DataFusionError) -> Error {
    Error::internal("the engine refused an input").source(cause)
}

fn unreadable(cause: datafusion::error::DataFusionError) -> Error {
    Error::invalid("it can't be read").source(cause)
}
