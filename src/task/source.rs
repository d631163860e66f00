//! Objects as tables: each file is read as what it is, and brought to the columns that all files of the table share.
//!
//! Files may differ. A column that one lacks is NULL there; one that has different types has the widest of them. Types of
//! text files come from all their values, not from a sample: a row at the end counts as much as the first. Names are in
//! lower case, as in the catalog.

use std::collections::HashMap;
use std::sync::Arc;

use classifiers::{
    Compression, CsvDialect, CsvScanner, DataType as Hive, JsonLayout, JsonScanner, Scanned, Verdict,
};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::functions::expr_fn::{btrim, lower, replace};
use datafusion::logical_expr::{Expr, cast, lit, try_cast, when};
use datafusion::prelude::{DataFrame, SessionContext};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use super::arrow_types::{loss, to_arrow, to_hive};
use super::csv_table::{CsvColumn, CsvFile, CsvShape, CsvTable};
use super::sql::failure;
use super::{FileOfTable, TableToRead, child, classify};
use crate::buckets::Buckets;
use crate::buckets::pinned::{PinnedObject, PinnedStore};
use crate::buckets::plain_text::PlainText;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

/// Where the pinned objects of this process are registered.
const STORE_URL: &str = "pinned://run/";
/// How many files are looked at at the same time.
const LOOKS: usize = 4;

/// How a file is written.
#[derive(Clone, Debug, PartialEq)]
enum Format {
    Csv(CsvDialect, Option<PlainText>),
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

/// The tables that a script or a query reads.
pub(super) struct Sources {
    pinned: Arc<PinnedStore>,
    tables: Vec<TableToRead>,
    /// The files of each.
    looked: Vec<Vec<FileRead>>,
}

/// Looks at the files of every table, and registers it.
pub(super) async fn register(
    ctx: &SessionContext,
    buckets: &Buckets,
    tables: Vec<TableToRead>,
) -> Result<Sources> {
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

    let mut all = Vec::new();
    let mut first = 0;
    for table in &tables {
        let files = table.files.iter().cloned();
        let mut verdicts: Vec<Verdict> = futures::stream::iter(files.clone())
            .map(|file| async move {
                let verdict = classify::one(buckets, &file.object).await;
                verdict.map_err(|error| error.within(file.object.path()))
            })
            .buffered(LOOKS)
            .try_collect()
            .await?;
        settle_headers(&mut verdicts);
        let looked: Vec<FileRead> = futures::stream::iter(files.zip(verdicts).enumerate())
            .map(|(index, (file, verdict))| look(ctx, buckets, &pinned, first + index, table, file, verdict))
            .buffered(LOOKS)
            .try_collect()
            .await?;
        let target = target_columns(table, &looked)?;
        log_changes(table, &target, &looked);
        let files: Vec<_> = table.files.iter().zip(&looked).collect();
        let frame = assemble(ctx, &pinned, first, table, &target, &files)?;
        register_view(ctx, &table.name, frame)?;
        all.push(looked);
        first += table.files.len();
    }
    Ok(Sources {
        pinned,
        tables,
        looked: all,
    })
}

impl Sources {
    /// The rows of each file of each table, where they were counted.
    pub(super) fn rows(&self) -> Vec<Vec<Option<u64>>> {
        let of_table = |files: &Vec<FileRead>| files.iter().map(|file| file.rows).collect();
        self.looked.iter().map(of_table).collect()
    }

    /// What is wrong by the name of its file, where the engine failed at a value and didn't say whose it is: the files are
    /// read by themselves, one after the other, up to the one that fails too.
    pub(super) async fn blame(&self, ctx: &SessionContext, cause: DataFusionError) -> Error {
        let error = failure(&cause);
        if !matches!(
            cause.find_root(),
            DataFusionError::ArrowError(..) | DataFusionError::ParquetError(_)
        ) {
            return error;
        }
        let mut first = 0;
        for (table, looked) in self.tables.iter().zip(&self.looked) {
            let Ok(target) = target_columns(table, looked) else {
                return error;
            };
            for (index, file) in table.files.iter().zip(looked).enumerate() {
                if matches!(file.1.format, Format::Csv(..)) {
                    continue;
                }
                let frame = assemble(ctx, &self.pinned, first + index, table, &target, &[file]);
                if let Err(cause) = read_through(frame).await {
                    return cause.within(file.0.object.path());
                }
            }
            first += table.files.len();
        }
        error
    }
}

async fn read_through(frame: Result<DataFrame>) -> Result<()> {
    let mut stream = frame?.execute_stream().await.map_err(|cause| failure(&cause))?;
    while stream
        .try_next()
        .await
        .map_err(|cause| failure(&cause))?
        .is_some()
    {}
    Ok(())
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

/// Lets files of text tell of one another's headers, as a crawl does: those that are alike but for that.
fn settle_headers(verdicts: &mut [Verdict]) {
    let mut alike: HashMap<(String, usize), Vec<usize>> = HashMap::new();
    for (index, verdict) in verdicts.iter().enumerate() {
        if let Some(csv) = &verdict.csv {
            let shape = (csv.delimiter.clone(), verdict.columns.len());
            alike.entry(shape).or_default().push(index);
        }
    }
    for members in alike.into_values() {
        let of_table: Vec<&Verdict> = members.iter().map(|index| &verdicts[*index]).collect();
        let settled = classifiers::settle_headers(&of_table);
        for (index, settled) in members.into_iter().zip(settled) {
            if let Some(settled) = settled {
                verdicts[index] = settled;
            }
        }
    }
}

/// Finds out which columns one file has, and how it is read.
async fn look(
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
            // The reader of rows takes UTF-8 as it is.
            let plain = (verdict.compression != Compression::None || !is_utf8(verdict.encoding.as_deref()))
                .then_some(PlainText {
                    compression: verdict.compression,
                    encoding: verdict.encoding,
                });
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
                format: Format::Csv(dialect, plain),
                columns,
                rows,
            })
        }
        ("json", _, Some(layout)) => {
            let scanner = Scan::Json(Box::new(JsonScanner::new(layout)));
            let plain = PlainText {
                compression: verdict.compression,
                encoding: verdict.encoding,
            };
            let compression = read_as(pinned, index, &plain);
            let scanned = scan(buckets, &file, Some(plain), scanner).await.map_err(named)?;
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

/// Has an object read as plain text where the engine doesn't read it as it is; answers with the compression that the
/// engine then sees.
fn read_as(pinned: &PinnedStore, index: usize, plain: &PlainText) -> Compression {
    let is_read = matches!(
        plain.compression,
        Compression::None | Compression::Gzip | Compression::Bzip2 | Compression::Zstd
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

/// Puts files of a table together, the first of which is the store's number `first`.
fn assemble(
    ctx: &SessionContext,
    pinned: &PinnedStore,
    first: usize,
    table: &TableToRead,
    target: &[(String, Hive)],
    files: &[(&FileOfTable, &FileRead)],
) -> Result<DataFrame> {
    // Files that are read in the same way are one scan; of CSV all are.
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut by_shape = HashMap::new();
    for (index, (file, read)) in files.iter().enumerate() {
        let hives: Vec<&Hive> = read.columns.iter().map(|column| &column.hive).collect();
        let shape = match &read.format {
            Format::Csv(dialect, _) => {
                format!("{dialect:?} {:?} {hives:?} {:?}", read.schema, file.partition)
            }
            other => format!("{other:?} {:?} {hives:?} {:?}", read.schema, file.partition),
        };
        let group = *by_shape.entry(shape).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    let mut csv: Vec<(usize, Arc<CsvFile>)> = Vec::new();
    let mut union: Option<DataFrame> = None;
    for members in groups {
        let (file, read) = files[members[0]];
        let projection = target
            .iter()
            .map(|(name, hive)| {
                Ok(project(
                    read,
                    name,
                    hive,
                    file.partition.get(name),
                    table.as_declared,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        let Format::Csv(dialect, _) = &read.format else {
            let members = members.iter().map(|index| first + index);
            let frame = listing(ctx, pinned, members, read)?
                .select(projection)
                .map_err(internal)?;
            union = Some(match union {
                Some(above) => above.union(frame).map_err(internal)?,
                None => frame,
            });
            continue;
        };
        let shape = Arc::new(csv_shape(ctx, table, target, dialect, read, projection)?);
        csv.extend(members.iter().map(|index| {
            let (file, read) = files[*index];
            let plain = match &read.format {
                Format::Csv(_, plain) => plain.clone(),
                _ => None,
            };
            (*index, CsvFile::new(file, plain, Arc::clone(&shape)))
        }));
    }
    if !csv.is_empty() {
        csv.sort_by_key(|(index, _)| *index);
        let provider = CsvTable {
            buckets: pinned.buckets().clone(),
            schema: schema_of(target),
            files: csv.into_iter().map(|(_, file)| file).collect(),
        };
        let frame = ctx.read_table(Arc::new(provider)).map_err(internal)?;
        union = Some(match union {
            Some(above) => above.union(frame).map_err(internal)?,
            None => frame,
        });
    }
    match union {
        Some(frame) => Ok(frame),
        None => empty_table(ctx, target),
    }
}

/// Files that the engine reads by itself, as they are.
fn listing(
    ctx: &SessionContext,
    pinned: &PinnedStore,
    members: impl Iterator<Item = usize>,
    file: &FileRead,
) -> Result<DataFrame> {
    let urls = members
        .map(|index| ListingTableUrl::parse(format!("{STORE_URL}{}", pinned.path_of(index))))
        .collect::<Result<Vec<_>, _>>()
        .map_err(internal)?;
    let options = ListingOptions::new(file_format(&file.format)?).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::clone(&file.schema));
    let listing = ListingTable::try_new(config).map_err(internal)?;
    ctx.read_table(Arc::new(listing)).map_err(internal)
}

fn csv_shape(
    ctx: &SessionContext,
    table: &TableToRead,
    target: &[(String, Hive)],
    dialect: &CsvDialect,
    file: &FileRead,
    projection: Vec<Expr>,
) -> Result<CsvShape> {
    let text = DFSchema::try_from(Arc::clone(&file.schema)).map_err(internal)?;
    let columns = target
        .iter()
        .zip(projection)
        .map(|((name, hive), value)| {
            Ok(CsvColumn {
                name: name.clone(),
                data_type: hive.to_string(),
                value: ctx
                    .create_physical_expr(value.unalias(), &text)
                    .map_err(internal)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(CsvShape {
        dialect: dialect.clone(),
        text: Arc::clone(&file.schema),
        null: table.null.clone(),
        strict: table.strict,
        columns,
    })
}

fn schema_of(target: &[(String, Hive)]) -> SchemaRef {
    let fields = target
        .iter()
        .map(|(name, hive)| Field::new(name, column_type(hive), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn empty_table(ctx: &SessionContext, target: &[(String, Hive)]) -> Result<DataFrame> {
    let batch = datafusion::arrow::record_batch::RecordBatch::new_empty(schema_of(target));
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
                    target[known].1 = target[known].1.clone().merge(column.hive.clone());
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

/// Says in the log which columns differ between files, and which can't be read with all that they have.
fn log_changes(table: &TableToRead, target: &[(String, Hive)], files: &[FileRead]) {
    let mut said = std::collections::HashSet::new();
    let mut say_once = |line: String| {
        if said.insert(line.clone()) {
            child::log(LogLevel::Info, line);
        }
    };
    for file in files {
        for (place, column) in file.columns.iter().enumerate() {
            let Some((_, hive)) = target.iter().find(|(name, _)| *name == column.name) else {
                continue;
            };
            let name = format!("{}.{}", table.name, column.name);
            if *hive != column.hive && column.hive != Hive::Null && !table.as_declared {
                say_once(format!("{name}: {} is read as {hive}", column.hive));
            }
            if let Some(loss) = file.schema.fields().get(place).and_then(|f| loss(f.data_type())) {
                say_once(format!("{name}: {loss}"));
            }
        }
    }
}

/// What a column of the table is to the engine. One that is null in every file has no type, and goes with any.
fn column_type(hive: &Hive) -> Arrow {
    match hive {
        Hive::Null => Arrow::Null,
        other => to_arrow(other),
    }
}

/// One column of the table out of one group of files.
fn project(file: &FileRead, name: &str, hive: &Hive, partition: Option<&String>, lenient: bool) -> Expr {
    if *hive == Hive::Null {
        return lit(ScalarValue::Null).alias(name);
    }
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
    Ok(match format {
        Format::Parquet => Arc::new(ParquetFormat::default()),
        Format::Json(layout, compression) => Arc::new(
            JsonFormat::default()
                .with_newline_delimited(*layout != JsonLayout::Array)
                .with_file_compression_type(compressed(compression)),
        ),
        // Rows of CSV are read by our own reader.
        Format::Csv(..) => return Err(Error::internal("CSV is no format of the engine's here")),
    })
}

fn parse_type(text: &str) -> Result<Hive> {
    text.parse()
        .map_err(|cause| Error::invalid(format!("'{text}' is not a type: {cause}")))
}

fn internal(cause: DataFusionError) -> Error {
    Error::internal("the engine refused an input").source(cause)
}

fn unreadable(cause: DataFusionError) -> Error {
    Error::invalid("it can't be read").source(cause)
}
