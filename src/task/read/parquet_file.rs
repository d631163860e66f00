//! Parquet files: the columns that are wanted, of the row groups and pages that may have rows that are asked for, each
//! brought to its table's type.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder};
use parquet::arrow::{ProjectionMask, parquet_column};
use parquet::basic::{LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::adapt::adapt;
use super::file::{FileRead, Origin, folded, null_of};
use super::prune::Pruning;
use super::ranges::Source;
use super::reading::{Batches, Reading};
use super::remarks::Kind;
use crate::error::{Error, Result};
use crate::task::arrow_types::{loss, to_hive};

/// How many batches wait for whoever takes them.
const BATCHES_AHEAD: usize = 2;
/// What every Parquet file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

/// Begins to read a file.
///
/// # Errors
/// Those of the store; Invalid where it is no Parquet, is cut off, or has a column that can't be its table's.
pub(super) async fn open(reading: Arc<Reading>, file: Arc<FileRead>) -> Result<Batches> {
    let mut source = Source {
        buckets: reading.buckets.clone(),
        object: file.object.clone(),
    };
    if file.object.size < 12 {
        return Ok(left_out(&reading, &file, "it is too short to be Parquet"));
    }
    let mut options = ArrowReaderOptions::new();
    if !reading.tests.is_empty() {
        options = options.with_page_index_policy(PageIndexPolicy::Optional);
    }
    let metadata = match ArrowReaderMetadata::load_async(&mut source, options.clone()).await {
        Ok(metadata) => metadata,
        Err(cause) => return not_read(&reading, &file, &source, cause).await,
    };
    let metadata = as_wanted(metadata, options).map_err(|cause| unreadable(&file, cause))?;
    if reading.wanted.is_empty() {
        let rows = metadata.metadata().file_metadata().num_rows();
        return Ok(reading.counted(u64::try_from(rows).unwrap_or(0)));
    }
    let columns = Columns::of(&reading, &file, &metadata)?;
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let work = Work {
        reading,
        file,
        source,
        metadata,
        columns,
    };
    // Decoding goes on while what was decoded is worked on.
    let decoding = tokio::spawn(async move {
        if let Err(error) = work.through(&sender).await {
            let _nobody_listens = sender.send(Err(error)).await;
        }
    });
    // It ends when nobody wants it any more.
    let task = AbortOnDropHandle::new(decoding);
    let batches = futures::stream::unfold((receiver, task), |(mut receiver, task)| async move {
        receiver.recv().await.map(|batch| (batch, (receiver, task)))
    });
    Ok(batches.boxed())
}

fn left_out(reading: &Reading, file: &FileRead, why: &str) -> Batches {
    let path = file.object.path();
    reading
        .table
        .remarks
        .add(Kind::LeftOut, &path, 1, || format!("{path}: {why}"));
    futures::stream::empty().boxed()
}

/// What it means that a footer can't be read: a file that is no Parquet is left out of a table, a broken one fails.
async fn not_read(
    reading: &Reading,
    file: &FileRead,
    source: &Source,
    cause: ParquetError,
) -> Result<Batches> {
    let error = unreadable(file, cause);
    if error.kind != crate::error::ErrorKind::Invalid || !reading.table.is_declared {
        return Err(error);
    }
    let head = source.range(0..MAGIC.len() as u64).await;
    let head = head.map_err(|cause| unreadable(file, cause))?;
    if head == MAGIC {
        return Err(error);
    }
    Ok(left_out(reading, file, "it is no Parquet"))
}

/// An error of the reader, by the name of its file; what the store said is found in it again.
fn unreadable(file: &FileRead, cause: ParquetError) -> Error {
    let error = match Error::in_causes(&cause) {
        Some(own) => own.again(),
        None => Error::invalid(format!("it can't be read as Parquet: {cause}")),
    };
    file.named(error)
}

/// The same with types that are better read as others: times of 96 bits in microseconds, of which 64 bits hold all years
/// and in nanoseconds don't; and texts as views, as the engine has them.
fn as_wanted(
    metadata: ArrowReaderMetadata,
    options: ArrowReaderOptions,
) -> parquet::errors::Result<ArrowReaderMetadata> {
    let schema = metadata.schema();
    let parquet = metadata.parquet_schema();
    let wanted = |field: &Field| match field.data_type() {
        Arrow::Utf8 | Arrow::LargeUtf8 => Some(Arrow::Utf8View),
        Arrow::Timestamp(TimeUnit::Nanosecond, _) => {
            let (place, _) = parquet_column(parquet, schema, field.name())?;
            let is_of_96 = parquet.column(place).physical_type() == Physical::INT96;
            is_of_96.then_some(Arrow::Timestamp(TimeUnit::Microsecond, None))
        }
        _ => None,
    };
    let fields = schema.fields().iter().map(|field| match wanted(field) {
        Some(wanted) => Arc::new(field.as_ref().clone().with_data_type(wanted)),
        None => Arc::clone(field),
    });
    let fields: Vec<_> = fields.collect();
    if fields
        .iter()
        .zip(schema.fields())
        .all(|(field, own)| Arc::ptr_eq(field, own))
    {
        return Ok(metadata);
    }
    let schema = Arc::new(Schema::new(fields));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options.with_schema(schema))
}

/// Where the wanted columns are in a file.
pub(super) struct Columns {
    origins: Vec<Origin>,
    /// The places in the file's schema of those that it has, in the order of the file.
    roots: Vec<usize>,
    /// The name in lower case of each field of the file.
    pub(super) names: Vec<String>,
    /// Which of `roots` are UUIDs, which the engine takes for bytes.
    uuids: Vec<bool>,
}

impl Columns {
    fn of(reading: &Reading, file: &FileRead, metadata: &ArrowReaderMetadata) -> Result<Self> {
        let schema = metadata.schema();
        let fields = schema.fields().iter();
        let own = folded(fields.map(|field| (field.name().clone(), to_hive(field.data_type()))));
        let names: Vec<String> = own.into_iter().map(|column| column.name).collect();
        let mut roots = Vec::new();
        for (name, hive) in reading.columns() {
            if file.key(name, hive)?.is_none() {
                roots.extend(names.iter().position(|own| own == name));
            }
        }
        roots.sort_unstable();
        roots.dedup();
        let mut origins = Vec::new();
        for (name, hive) in reading.columns() {
            let place = || {
                let root = names.iter().position(|own| own == name)?;
                roots.binary_search(&root).ok()
            };
            origins.push(match (file.key(name, hive)?, place()) {
                (Some(value), _) => Origin::Constant(value),
                (None, Some(place)) => Origin::File(place),
                (None, None) => Origin::Constant(null_of(hive)?),
            });
        }
        let parquet = metadata.parquet_schema();
        let is_uuid = |root: &usize| {
            let field = parquet.root_schema().get_fields().get(*root);
            field.is_some_and(|field| field.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid))
        };
        Ok(Self {
            uuids: roots.iter().map(is_uuid).collect(),
            origins,
            roots,
            names,
        })
    }
}

/// UUIDs as people write them.
fn uuids(bytes: &ArrayRef) -> ArrayRef {
    let Some(bytes) = bytes.as_fixed_size_binary_opt() else {
        return Arc::clone(bytes);
    };
    let text = |bytes: &[u8]| uuid::Uuid::from_slice(bytes).ok().map(|uuid| uuid.to_string());
    let texts = bytes.iter().map(|bytes| bytes.and_then(text));
    Arc::new(texts.collect::<StringArray>())
}

/// A file that is being read.
struct Work {
    reading: Arc<Reading>,
    file: Arc<FileRead>,
    source: Source,
    metadata: ArrowReaderMetadata,
    columns: Columns,
}

/// The rows of a row group that aren't decoded yet.
type Rest = ParquetRecordBatchStream<Source>;

/// A row group that was begun.
struct Begun {
    first: Option<RecordBatch>,
    rest: Option<Rest>,
}

type Sender = mpsc::Sender<Result<RecordBatch>>;

impl Work {
    /// Reads one row group after the other, as far as they may have what is asked for. The next one's bytes come while the
    /// rows of the one before are decoded.
    async fn through(self, sender: &Sender) -> Result<()> {
        self.say_losses();
        let work = Arc::new(self);
        let groups = work.metadata.metadata().num_row_groups();
        let begin = |group: usize| AbortOnDropHandle::new(tokio::spawn(Arc::clone(&work).begun(group)));
        let mut next = (groups > 0).then(|| begin(0));
        for group in 0..groups {
            let Some(begun) = next.take() else { break };
            let begun = begun.await;
            let begun =
                begun.map_err(|cause| Error::internal("reading a file ended early").source(cause))??;
            let following = group + 1;
            if work.reading.reads_ahead && following < groups {
                next = Some(begin(following));
            }
            if let Some(Begun { first, rest }) = begun {
                if let Some(first) = first
                    && sender.send(Ok(first)).await.is_err()
                {
                    return Ok(());
                }
                if let Some(mut rest) = rest {
                    while let Some(batch) = work.next(&mut rest).await? {
                        if sender.send(Ok(batch)).await.is_err() {
                            return Ok(());
                        }
                    }
                }
            }
            if !work.reading.reads_ahead && following < groups {
                next = Some(begin(following));
            }
        }
        Ok(())
    }

    /// Begins a row group, with its first rows; none where it can't have what is asked for.
    async fn begun(self: Arc<Self>, group: usize) -> Result<Option<Begun>> {
        let pruning = Pruning::of(&self.reading, &self.file, &self.metadata, &self.columns.names);
        // What the engine has learned meanwhile counts.
        if !pruning.may_have(group)? {
            return Ok(None);
        }
        if let Some(extremes) = self.extremes(&pruning, group)? {
            let first = Some(extremes);
            return Ok(Some(Begun { first, rest: None }));
        }
        let mut builder =
            ParquetRecordBatchStreamBuilder::new_with_metadata(self.source.clone(), self.metadata.clone());
        if !pruning
            .may_have_by_bloom(group, &mut builder)
            .await
            .map_err(|cause| unreadable(&self.file, cause))?
        {
            return Ok(None);
        }
        if let Some(pages) = pruning.pages(group)? {
            if !pages.selects_any() {
                return Ok(None);
            }
            builder = builder.with_row_selection(pages);
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), self.columns.roots.iter().copied());
        let mut rest = builder
            .with_projection(mask)
            .with_row_groups(vec![group])
            .with_batch_size(self.reading.batch_rows)
            .build()
            .map_err(|cause| unreadable(&self.file, cause))?;
        let first = self.next(&mut rest).await?;
        let rest = Some(rest);
        Ok(Some(Begun { first, rest }))
    }

    async fn next(&self, rest: &mut Rest) -> Result<Option<RecordBatch>> {
        let batch = rest
            .try_next()
            .await
            .map_err(|cause| unreadable(&self.file, cause))?;
        batch.map(|batch| self.adapted(&batch)).transpose()
    }

    /// The extremes of a row group, where they may stand for its rows and its footer tells them.
    fn extremes(&self, pruning: &Pruning<'_>, group: usize) -> Result<Option<RecordBatch>> {
        if !self.reading.extremes {
            return Ok(None);
        }
        let roots = self.columns.roots.iter();
        let names: Vec<&str> = roots.map(|root| self.columns.names[*root].as_str()).collect();
        let columns = pruning.extremes(group, &names);
        let batch = |columns: Vec<ArrayRef>| self.reading.batch(&self.columns.origins, &columns, 2);
        columns.map(batch).transpose()
    }

    fn adapted(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = batch.columns().to_vec();
        let schema = Arc::clone(&self.reading.schema);
        for (origin, field) in self.columns.origins.iter().zip(schema.fields()) {
            let Origin::File(place) = origin else { continue };
            if self.columns.uuids[*place] && field.data_type().is_string() {
                columns[*place] = uuids(&columns[*place]);
            }
            let (adapted, misfits) = adapt(&columns[*place], field.data_type())
                .map_err(|error| self.file.named(error.within(format!("column {}", field.name()))))?;
            if misfits > 0 {
                self.misfit(field, misfits, &columns[*place], &adapted)?;
            }
            columns[*place] = adapted;
        }
        self.reading
            .batch(&self.columns.origins, &columns, batch.num_rows())
    }

    #[cold]
    fn misfit(&self, field: &Field, count: u64, was: &ArrayRef, is: &ArrayRef) -> Result<()> {
        let path = self.file.object.path();
        let hive = to_hive(field.data_type());
        let first = (0..was.len()).find(|row| was.is_valid(*row) && is.is_null(*row));
        let mut example = Vec::new();
        if let Some(row) = first {
            super::to_json::Writer::new(was)?.text(row, &mut example)?;
        }
        let example = String::from_utf8_lossy(&example).into_owned();
        if !self.reading.table.is_declared {
            let error = Error::invalid(format!(
                "'{example}' is no {hive}, which column {} is",
                field.name()
            ));
            return Err(self.file.named(error));
        }
        let kind = Kind::Misfit {
            column: field.name().clone(),
            data_type: hive.to_string(),
        };
        self.reading.table.remarks.add(kind, &path, count, || {
            format!("'{}' in {path}", super::remarks::shown(&example))
        });
        Ok(())
    }

    /// Says which columns lose something.
    fn say_losses(&self) {
        let fields = self.metadata.schema().fields();
        for root in &self.columns.roots {
            let (Some(field), Some(name)) = (fields.get(*root), self.columns.names.get(*root)) else {
                continue;
            };
            if let Some(what) = loss(field.data_type()) {
                let column = name.clone();
                let path = self.file.object.path();
                let remarks = &self.reading.table.remarks;
                remarks.add(Kind::Loss { column, what }, &path, 1, || path.clone());
            }
        }
    }
}
