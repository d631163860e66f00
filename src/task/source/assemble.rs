//! Files that were looked at as one table: each brought to the columns that the table has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use classifiers::{Compression, CsvDialect, DataType as Hive, JsonLayout};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::functions::expr_fn::{btrim, lower, replace};
use datafusion::logical_expr::{Expr, cast, lit, try_cast, when};
use datafusion::prelude::{DataFrame, SessionContext};

use super::look::{FileRead, Format};
use super::{STORE_URL, parse_type};
use crate::buckets::pinned::PinnedStore;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;
use crate::task::arrow_types::{loss, to_arrow};
use crate::task::csv_table::{CsvColumn, CsvFile, CsvShape, CsvTable};
use crate::task::failure::refused;
use crate::task::{FileOfTable, TableToRead, speech};

/// Puts files of a table together, the first of which is the store's number `first`.
pub(super) fn assemble(
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
        let shape = format!(
            "{:?} {:?} {hives:?} {:?}",
            read.format, read.schema, file.partition
        );
        let group = *by_shape.entry(shape).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    let mut frames = Vec::new();
    let mut csv: Vec<(usize, Arc<CsvFile>)> = Vec::new();
    for members in groups {
        let (file, read) = files[members[0]];
        let projection: Vec<Expr> = target
            .iter()
            .map(|(name, hive)| project(read, name, hive, file.partition.get(name), table.as_declared))
            .collect();
        if let Format::Csv(dialect) = &read.format {
            let shape = Arc::new(csv_shape(ctx, table, target, dialect, read, projection)?);
            csv.extend(members.into_iter().map(|index| {
                let (file, read) = files[index];
                (index, CsvFile::new(file, read.plain.clone(), Arc::clone(&shape)))
            }));
        } else {
            let members = members.iter().map(|index| first + index);
            let frame = listing(ctx, pinned, members, read)?.select(projection);
            frames.push(frame.map_err(refused)?);
        }
    }
    if !csv.is_empty() {
        csv.sort_by_key(|(index, _)| *index);
        let provider = CsvTable {
            buckets: pinned.buckets().clone(),
            schema: schema_of(target),
            files: csv.into_iter().map(|(_, file)| file).collect(),
        };
        frames.push(ctx.read_table(Arc::new(provider)).map_err(refused)?);
    }
    match frames
        .into_iter()
        .map(Ok)
        .reduce(|above, frame| above?.union(frame?))
    {
        Some(frame) => frame.map_err(refused),
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
        .map_err(refused)?;
    let options = ListingOptions::new(file_format(&file.format)?).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::clone(&file.schema));
    let listing = ListingTable::try_new(config).map_err(refused)?;
    ctx.read_table(Arc::new(listing)).map_err(refused)
}

fn csv_shape(
    ctx: &SessionContext,
    table: &TableToRead,
    target: &[(String, Hive)],
    dialect: &CsvDialect,
    file: &FileRead,
    projection: Vec<Expr>,
) -> Result<CsvShape> {
    let text = DFSchema::try_from(Arc::clone(&file.schema)).map_err(refused)?;
    let columns = target
        .iter()
        .zip(projection)
        .map(|((name, hive), value)| {
            Ok(CsvColumn {
                name: name.clone(),
                data_type: hive.to_string(),
                value: ctx
                    .create_physical_expr(value.unalias(), &text)
                    .map_err(refused)?,
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
    ctx.read_batch(batch).map_err(refused)
}

/// The columns of the table: the declared ones, then what else the files have, then partition keys.
pub(super) fn target_columns(table: &TableToRead, files: &[FileRead]) -> Result<Vec<(String, Hive)>> {
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
pub(super) fn log_changes(table: &TableToRead, target: &[(String, Hive)], files: &[FileRead]) {
    let mut said = HashSet::new();
    let mut say_once = |line: String| {
        if said.insert(line.clone()) {
            speech::log(LogLevel::Info, line);
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
            let is_text = matches!(file.format, Format::Csv(_));
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
        Format::Csv(_) => return Err(Error::internal("CSV is no format of the engine's here")),
    })
}
