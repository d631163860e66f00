//! A result as files: batches are dealt out to the files, encoded, and uploaded in parts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use tokio::task::{JoinHandle, JoinSet};

use super::csv_encoder::{CsvEncoder, Lines};
use super::{Upload, WrittenFile, speech};
use crate::buckets::{Buckets, UploadedPart};
use crate::error::{Error, Result};
use crate::model::output::{CsvOptions, OutputFormat};
use crate::model::run::LogLevel;

/// Size of a part in bytes; S3 wants at least 5 MiB of all but the last.
const PART_BYTES: usize = 8 << 20;
/// How many parts of a file are on their way at the same time.
const PARTS_AT_ONCE: usize = 2;

/// One file on its way.
pub(super) struct FileSink {
    parts: Parts,
    encoder: Encoder,
    rows: u64,
}

/// The parts of an upload that is filled from its beginning to its end.
pub(super) struct Parts {
    buckets: Buckets,
    upload: Arc<Upload>,
    pending: Vec<u8>,
    /// How many parts were begun.
    count: i32,
    /// Those on their way; they are given up with this.
    uploading: JoinSet<Result<UploadedPart>>,
    uploaded: Vec<UploadedPart>,
    size: u64,
}

impl Parts {
    /// None so far.
    pub(super) fn begin(buckets: Buckets, upload: Upload) -> Self {
        Self {
            buckets,
            upload: Arc::new(upload),
            pending: Vec::new(),
            count: 0,
            uploading: JoinSet::new(),
            uploaded: Vec::new(),
            size: 0,
        }
    }

    /// Adds bytes.
    pub(super) async fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        while self.pending.len() >= PART_BYTES {
            let rest = self.pending.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.pending, rest);
            self.upload(part).await?;
        }
        Ok(())
    }

    /// Uploads what is left; the parts, and how many bytes there were. The upload stays incomplete.
    pub(super) async fn finish(mut self) -> Result<(Vec<UploadedPart>, u64)> {
        let rest = std::mem::take(&mut self.pending);
        if !rest.is_empty() || self.count == 0 {
            self.upload(rest).await?;
        }
        while !self.uploading.is_empty() {
            self.wait_for_one().await?;
        }
        self.uploaded.sort_unstable_by_key(|part| part.number);
        Ok((self.uploaded, self.size))
    }

    /// Begins to upload a part, once there are few enough on their way.
    async fn upload(&mut self, bytes: Vec<u8>) -> Result<()> {
        while self.uploading.len() >= PARTS_AT_ONCE {
            self.wait_for_one().await?;
        }
        self.count += 1;
        self.size += bytes.len() as u64;
        let (buckets, upload, number) = (self.buckets.clone(), Arc::clone(&self.upload), self.count);
        self.uploading.spawn(async move {
            let bytes = Bytes::from(bytes);
            let begun = buckets.upload_part(&upload.bucket, &upload.key, &upload.upload_id, number, bytes);
            begun.await
        });
        Ok(())
    }

    async fn wait_for_one(&mut self) -> Result<()> {
        if let Some(ended) = self.uploading.join_next().await {
            let part = ended.map_err(|cause| Error::internal("an upload was broken off").source(cause))??;
            self.uploaded.push(part);
        }
        Ok(())
    }
}

enum Encoder {
    Csv(CsvFile),
    Engine(Writer, Buffer),
}

/// The engine's own ways to write.
enum Writer {
    Json(Box<LineDelimitedWriter<Buffer>>),
    /// With the places of the columns that are written.
    Parquet(Box<ArrowWriter<Buffer>>, Vec<usize>),
}

/// Lines of CSV on their way: several batches are written at the same time, and taken in their order.
struct CsvFile {
    encoder: Arc<CsvEncoder>,
    at_work: VecDeque<JoinHandle<Result<Lines, ArrowError>>>,
    most_at_work: usize,
    quoted: bool,
    lone_nulls: u64,
}

impl CsvFile {
    fn new(options: &CsvOptions) -> Self {
        Self {
            encoder: Arc::new(CsvEncoder::new(options.clone())),
            at_work: VecDeque::new(),
            most_at_work: std::thread::available_parallelism().map_or(1, usize::from),
            quoted: false,
            lone_nulls: 0,
        }
    }

    /// What stands before all rows.
    fn begin(&mut self, schema: &SchemaRef) -> Result<Vec<u8>> {
        let header = self.encoder.header(schema).map_err(unwritable)?;
        let nothing = RecordBatch::new_empty(Arc::clone(schema));
        self.encoder.encode(&nothing).map_err(unwritable)?;
        Ok(self.took(header))
    }

    /// Begins to write a batch.
    fn add(&mut self, batch: RecordBatch) {
        let encoder = Arc::clone(&self.encoder);
        let begun = tokio::spawn(async move { encoder.encode(&batch) });
        self.at_work.push_back(begun);
    }

    /// Takes the lines of the first batches, until no more than so many are at work.
    async fn take(&mut self, parts: &mut Parts, left_at_work: usize) -> Result<()> {
        while self.at_work.len() > left_at_work
            && let Some(first) = self.at_work.pop_front()
        {
            let lines = first
                .await
                .map_err(|cause| Error::internal("rows can't be written").source(cause))?
                .map_err(unwritable)?;
            parts.add(&self.took(lines)).await?;
        }
        Ok(())
    }

    fn took(&mut self, lines: Lines) -> Vec<u8> {
        self.quoted |= lines.quoted;
        self.lone_nulls += lines.lone_nulls;
        lines.bytes
    }

    fn warn(&self) {
        if self.lone_nulls > 0 {
            speech::log(
                LogLevel::Warn,
                format!(
                    "{} NULLs of the only column are written as \"\", because an empty line is no row to readers; \
                     say with output.null what else to write",
                    self.lone_nulls
                ),
            );
        }
    }
}

/// Bytes that the encoder has written and the upload hasn't taken. Both hold it.
#[derive(Clone, Debug, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn take_all(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl FileSink {
    /// Begins a file. A CSV file has its header even where no row follows.
    pub(super) fn begin(
        buckets: Buckets,
        upload: Upload,
        format: OutputFormat,
        csv: &CsvOptions,
        schema: &SchemaRef,
    ) -> Result<Self> {
        let mut parts = Parts::begin(buckets, upload);
        let encoder = match format {
            OutputFormat::Csv => {
                let mut file = CsvFile::new(csv);
                parts.pending = file.begin(schema)?;
                Encoder::Csv(file)
            }
            OutputFormat::Json => {
                let buffer = Buffer::default();
                let writer = Writer::Json(Box::new(LineDelimitedWriter::new(buffer.clone())));
                Encoder::Engine(writer, buffer)
            }
            OutputFormat::Parquet => {
                let buffer = Buffer::default();
                Encoder::Engine(Writer::parquet(buffer.clone(), schema)?, buffer)
            }
        };
        Ok(Self {
            parts,
            encoder,
            rows: 0,
        })
    }

    /// Adds rows.
    pub(super) async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        match &mut self.encoder {
            Encoder::Csv(file) => {
                file.add(batch);
                file.take(&mut self.parts, file.most_at_work).await
            }
            Encoder::Engine(writer, buffer) => {
                writer.write(&batch)?;
                self.parts.add(&buffer.take_all()).await
            }
        }
    }

    /// Ends the file; it stays incomplete in the store.
    pub(super) async fn finish(mut self) -> Result<WrittenFile> {
        let mut quoted = false;
        match self.encoder {
            Encoder::Csv(mut file) => {
                file.take(&mut self.parts, 0).await?;
                file.warn();
                quoted = file.quoted;
            }
            Encoder::Engine(writer, buffer) => {
                writer.finish()?;
                self.parts.add(&buffer.take_all()).await?;
            }
        }
        let (parts, size) = self.parts.finish().await?;
        Ok(WrittenFile {
            parts,
            size,
            rows: self.rows,
            quoted,
        })
    }
}

impl Writer {
    fn parquet(buffer: Buffer, schema: &SchemaRef) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let written = typed_columns(schema);
        let schema = Arc::new(schema.project(&written).map_err(unwritable)?);
        let writer = ArrowWriter::try_new(buffer, schema, Some(properties)).map_err(unwritable)?;
        Ok(Self::Parquet(Box::new(writer), written))
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Json(writer) => writer.write(batch).map_err(unwritable),
            Self::Parquet(writer, written) => {
                let batch = batch.project(written).map_err(unwritable)?;
                writer.write(&batch).map_err(unwritable)
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Json(mut writer) => writer.finish().map_err(unwritable),
            Self::Parquet(writer, _) => writer.close().map(drop).map_err(unwritable),
        }
    }
}

/// The places of the columns that a Parquet file gets: those that have a type. One that is null throughout has none, and
/// any type that a file gave it would be another than that of the table's other files, which engines refuse to read; one
/// that a file lacks they read as NULL. A file has one column at the least.
fn typed_columns(schema: &Schema) -> Vec<usize> {
    let is_typed = |at: &usize| !schema.field(*at).data_type().is_null();
    let typed: Vec<usize> = (0..schema.fields().len()).filter(is_typed).collect();
    match typed.is_empty() {
        true => (0..schema.fields().len()).collect(),
        false => typed,
    }
}

fn unwritable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::invalid(format!("the result can't be written: {cause}"))
}
