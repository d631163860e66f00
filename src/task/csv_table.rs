//! CSV files as a table: the rows that [`CsvReader`] gives, file after file, each brought to the table's columns on its
//! own, so that what is wrong is named by file and line.
//!
//! A row may have more fields than the file has columns, or fewer: what is too much is left out, what is missing is NULL,
//! and the log counts both. A field that is empty is NULL, and one that is `""` an empty text; so it is with the text that
//! a table has for NULL.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use classifiers::{CsvDialect, CsvReader, CsvRow};
use datafusion::arrow::array::{ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::failure::refused;
use super::speech;
use super::{FileOfTable, ObjectToRead};
use crate::buckets::Buckets;
use crate::buckets::plain_text::PlainText;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

/// How much text is split into rows at a time, in bytes.
const PIECE: usize = 64 << 10;

/// How files that are alike are read, and become rows of the table.
pub(super) struct CsvShape {
    /// How they are written.
    pub(super) dialect: CsvDialect,
    /// Their columns, all of them text.
    pub(super) text: SchemaRef,
    /// The text that stands for NULL beside the empty field.
    pub(super) null: Option<String>,
    /// Whether a row with other than so many fields is an error.
    pub(super) strict: bool,
    /// Each column of the table out of the files' columns.
    pub(super) columns: Vec<CsvColumn>,
}

/// A column of the table out of a file's columns.
#[derive(Clone)]
pub(super) struct CsvColumn {
    /// What it is called.
    pub(super) name: String,
    /// Its type, as people know it.
    pub(super) data_type: String,
    /// How it is made.
    pub(super) value: Arc<dyn PhysicalExpr>,
}

/// A file of a CSV table.
pub(super) struct CsvFile {
    object: ObjectToRead,
    /// How it becomes UTF-8, where it isn't that as it is.
    plain: Option<PlainText>,
    shape: Arc<CsvShape>,
    /// Whether the log says already how many rows didn't fit: a script may read a table twice.
    counted: AtomicBool,
}

impl CsvFile {
    pub(super) fn new(file: &FileOfTable, plain: Option<PlainText>, shape: Arc<CsvShape>) -> Arc<Self> {
        Arc::new(Self {
            object: file.object.clone(),
            plain,
            shape,
            counted: AtomicBool::new(false),
        })
    }

    fn named(&self, error: Error) -> Error {
        error.within(self.object.path())
    }

    async fn text(&self, buckets: &Buckets) -> Result<BoxStream<'static, Result<Bytes>>> {
        let object = &self.object;
        let stored = buckets
            .get_stream(&object.bucket, &object.key, Some(&object.etag))
            .await?
            .boxed();
        Ok(match &self.plain {
            Some(plain) => plain.clone().read(stored).boxed(),
            None => stored,
        })
    }
}

/// CSV files as the table that they make up.
pub(super) struct CsvTable {
    pub(super) buckets: Buckets,
    /// The table's columns.
    pub(super) schema: SchemaRef,
    /// Its files in their order.
    pub(super) files: Vec<Arc<CsvFile>>,
}

impl fmt::Debug for CsvTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvTable")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl TableProvider for CsvTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let wanted: Arc<[usize]> = match projection {
            Some(wanted) => wanted.clone().into(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&wanted)?);
        let parts = parts(&self.files, state.config().target_partitions())
            .into_iter()
            .map(|files| {
                Arc::new(Part {
                    buckets: self.buckets.clone(),
                    schema: Arc::clone(&schema),
                    wanted: Arc::clone(&wanted),
                    files,
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        let exec = StreamingTableExec::try_new(schema, parts, None, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// Files that follow each other, in so many parts at most of about the same size.
fn parts(files: &[Arc<CsvFile>], count: usize) -> Vec<Vec<Arc<CsvFile>>> {
    let total: u64 = files.iter().map(|file| file.object.size).sum();
    let enough = total.div_ceil(count.max(1) as u64);
    let mut parts: Vec<Vec<Arc<CsvFile>>> = Vec::new();
    let mut filled = enough;
    for file in files {
        if filled >= enough {
            parts.push(Vec::new());
            filled = 0;
        }
        filled += file.object.size;
        if let Some(part) = parts.last_mut() {
            part.push(Arc::clone(file));
        }
    }
    parts
}

/// Files that are read one after the other.
struct Part {
    buckets: Buckets,
    /// The wanted columns of the table.
    schema: SchemaRef,
    /// Their places in it.
    wanted: Arc<[usize]>,
    files: Vec<Arc<CsvFile>>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch_rows = ctx.session_config().batch_size();
        let (buckets, schema, wanted) = (
            self.buckets.clone(),
            Arc::clone(&self.schema),
            self.wanted.clone(),
        );
        let batches = futures::stream::iter(self.files.clone())
            .then(move |file| {
                let (buckets, schema, wanted) = (buckets.clone(), Arc::clone(&schema), Arc::clone(&wanted));
                async move { Reading::begin(&buckets, file, schema, &wanted, batch_rows).await }
            })
            .map_ok(|reading| {
                futures::stream::try_unfold(reading, |mut reading| async move {
                    Ok(reading.next().await?.map(|batch| (batch, reading)))
                })
            })
            .try_flatten()
            .map_err(|error: Error| DataFusionError::External(Box::new(error)));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// A file that is being read.
struct Reading {
    file: Arc<CsvFile>,
    text: BoxStream<'static, Result<Bytes>>,
    /// What has arrived and isn't split yet.
    arrived: Bytes,
    /// Absent after the end.
    reader: Option<CsvReader>,
    rows: Rows,
    /// The table's columns that are wanted.
    schema: SchemaRef,
    columns: Vec<CsvColumn>,
    batch_rows: usize,
    ready: VecDeque<RecordBatch>,
}

impl Reading {
    async fn begin(
        buckets: &Buckets,
        file: Arc<CsvFile>,
        schema: SchemaRef,
        wanted: &[usize],
        batch_rows: usize,
    ) -> Result<Self> {
        let shape = &file.shape;
        let columns: Vec<CsvColumn> = wanted.iter().map(|at| shape.columns[*at].clone()).collect();
        let mut used: Vec<usize> = columns
            .iter()
            .flat_map(|column| collect_columns(&column.value))
            .map(|column| column.index())
            .collect();
        used.sort_unstable();
        used.dedup();
        let text_schema = Arc::new(shape.text.project(&used).map_err(refused)?);
        let columns = columns
            .into_iter()
            .map(|column| {
                let value = reassign_expr_columns(column.value, &text_schema).map_err(refused)?;
                Ok(CsvColumn { value, ..column })
            })
            .collect::<Result<Vec<_>>>()?;
        let text = file.text(buckets).await.map_err(|error| file.named(error))?;
        Ok(Self {
            text,
            arrived: Bytes::new(),
            reader: Some(CsvReader::new(&shape.dialect)),
            rows: Rows::new(text_schema, used, shape),
            schema,
            columns,
            batch_rows,
            ready: VecDeque::new(),
            file,
        })
    }

    /// The next rows of the file; none after its end.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if self.reader.is_none() {
                return Ok(None);
            }
            if self.arrived.is_empty() {
                match self
                    .text
                    .try_next()
                    .await
                    .map_err(|error| self.file.named(error))?
                {
                    Some(more) => self.arrived = more,
                    None => {
                        self.finish()?;
                        continue;
                    }
                }
            }
            let piece = self.arrived.split_to(PIECE.min(self.arrived.len()));
            self.feed(&piece)?;
        }
    }

    fn feed(&mut self, piece: &[u8]) -> Result<()> {
        let Self { reader, rows, .. } = self;
        if let Some(reader) = reader {
            let fed = reader.feed(piece, &mut |row| rows.add(&row));
            self.check(fed.map_err(|error| Error::invalid(error.message)))?;
        }
        if self.rows.lines.len() >= self.batch_rows {
            self.convert()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let Self { reader, rows, .. } = self;
        if let Some(reader) = reader.take() {
            let finished = reader.finish(&mut |row| rows.add(&row));
            self.check(finished.map_err(|error| Error::invalid(error.message)))?;
        }
        self.convert()?;
        if !self.file.counted.swap(true, Ordering::Relaxed) {
            for line in self.rows.misfits() {
                speech::log(LogLevel::Warn, format!("{}: {line}", self.file.object.path()));
            }
        }
        Ok(())
    }

    fn check(&mut self, split: Result<()>) -> Result<()> {
        let refused = self.rows.refused.take().map_or(Ok(()), Err);
        refused.and(split).map_err(|error| self.file.named(error))
    }

    /// Turns the text of the rows so far into the table's columns.
    fn convert(&mut self) -> Result<()> {
        let (text, lines) = self.rows.take()?;
        let mut start = 0;
        // A piece of text may have had more rows than a batch is to have.
        while start < text.num_rows() {
            let part = text.slice(start, self.batch_rows.min(text.num_rows() - start));
            let columns = self
                .columns
                .iter()
                .map(|column| {
                    value_of(column, &part)
                        .map_err(|cause| self.misfit(column, &part, &lines[start..], cause))
                })
                .collect::<Result<Vec<_>>>()?;
            let rows = RecordBatchOptions::new().with_row_count(Some(part.num_rows()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows)
                .map_err(refused)?;
            self.ready.push_back(batch);
            start += part.num_rows();
        }
        Ok(())
    }

    /// What is wrong with a column of these rows, by the line and the value where it is.
    fn misfit(&self, column: &CsvColumn, text: &RecordBatch, lines: &[u64], cause: DataFusionError) -> Error {
        let of_row = |row: &usize| value_of(column, &text.slice(*row, 1)).is_err();
        let Some(row) = (0..text.num_rows()).find(of_row) else {
            return self.file.named(refused(cause));
        };
        let fields = collect_columns(&column.value);
        let field = fields.iter().next().map(|field| text.column(field.index()));
        let value = field.map_or(String::new(), |field| {
            format!("'{}' ", field.as_string_view().value(row))
        });
        let line = lines.get(row).copied().unwrap_or_default();
        self.file.named(Error::invalid(format!(
            "line {line}: {value}is no {}, which column {} is",
            column.data_type, column.name
        )))
    }
}

fn value_of(column: &CsvColumn, text: &RecordBatch) -> EngineResult<ArrayRef> {
    column.value.evaluate(text)?.into_array(text.num_rows())
}

/// Rows as text, those columns that are needed.
struct Rows {
    schema: SchemaRef,
    /// Which fields of a row its columns are.
    used: Vec<usize>,
    builders: Vec<StringViewBuilder>,
    /// The line that each row begins on.
    lines: Vec<u64>,
    /// How many fields a row should have.
    width: usize,
    null: Option<String>,
    strict: bool,
    /// The first row that is refused, where rows are held to their width.
    refused: Option<Error>,
    /// Rows with too many fields, and the line of the first.
    longer: (u64, u64),
    /// Those of them with something in the fields that are left out.
    cut: u64,
    /// Rows with too few fields, and the line of the first.
    shorter: (u64, u64),
}

impl Rows {
    fn new(schema: SchemaRef, used: Vec<usize>, shape: &CsvShape) -> Self {
        Self {
            builders: used.iter().map(|_| StringViewBuilder::new()).collect(),
            schema,
            used,
            lines: Vec::new(),
            width: shape.text.fields().len(),
            null: shape.null.clone(),
            strict: shape.strict,
            refused: None,
            longer: (0, 0),
            cut: 0,
            shorter: (0, 0),
        }
    }

    fn add(&mut self, row: &CsvRow<'_>) {
        if row.width() != self.width {
            self.misfit(row);
        }
        self.lines.push(row.line());
        for (builder, at) in self.builders.iter_mut().zip(&self.used) {
            let is_nothing = |text: &str| text.is_empty() || self.null.as_deref() == Some(text);
            match row.field(*at) {
                Some(text) if !is_nothing(&text) || row.is_quoted(*at) => builder.append_value(text),
                _ => builder.append_null(),
            }
        }
    }

    #[cold]
    fn misfit(&mut self, row: &CsvRow<'_>) {
        if self.strict {
            let (line, width, wanted) = (row.line(), row.width(), self.width);
            self.refused.get_or_insert_with(|| {
                Error::invalid(format!("line {line} has {width} fields, and the table has {wanted} columns"))
                    .hint("mend the file, or leave out `strict = true`: then what is too much is left out, and what is missing is NULL")
            });
        }
        let count = match row.width() > self.width {
            true => &mut self.longer,
            false => &mut self.shorter,
        };
        if count.0 == 0 {
            count.1 = row.line();
        }
        count.0 += 1;
        let is_cut = (self.width..row.width()).any(|at| row.field(at).is_some_and(|text| !text.is_empty()));
        self.cut += u64::from(is_cut);
    }

    /// What the log should say of rows that didn't fit.
    fn misfits(&self) -> Vec<String> {
        let rows = |count: u64| {
            if count == 1 {
                "1 row".to_owned()
            } else {
                format!("{count} rows")
            }
        };
        let mut lines = Vec::new();
        let (width, (count, line)) = (self.width, self.longer);
        if count > 0 {
            let what = match self.cut {
                0 => "what is too much is empty".to_owned(),
                cut if cut == count => "what is too much is left out".to_owned(),
                cut => format!("what is too much is left out, and is something in {}", rows(cut)),
            };
            lines.push(format!(
                "{} with more than its {width} fields, the first in line {line}: {what}",
                rows(count)
            ));
        }
        let (count, line) = self.shorter;
        if count > 0 {
            lines.push(format!(
                "{} with fewer than its {width} fields, the first in line {line}: what is missing is NULL",
                rows(count)
            ));
        }
        lines
    }

    /// The rows so far, and the lines that they begin on.
    fn take(&mut self) -> Result<(RecordBatch, Vec<u64>)> {
        let lines = std::mem::take(&mut self.lines);
        let columns = self
            .builders
            .iter_mut()
            .map(|builder| Arc::new(builder.finish()) as ArrayRef)
            .collect();
        let rows = RecordBatchOptions::new().with_row_count(Some(lines.len()));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows).map_err(refused)?;
        Ok((batch, lines))
    }
}
