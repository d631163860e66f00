//! A result as files: batches are dealt out to the files, encoded, and uploaded in parts.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use super::csv_encoder::CsvEncoder;
use super::{Upload, WrittenFile, speech};
use crate::buckets::{Buckets, UploadedPart};
use crate::error::{Error, Result};
use crate::model::output::{CsvOptions, OutputFormat};
use crate::model::run::LogLevel;

/// Size of a part in bytes; S3 wants at least 5 MiB of all but the last.
const PART_BYTES: usize = 8 << 20;

/// One file on its way.
pub(super) struct FileSink {
    parts: Parts,
    buffer: Buffer,
    encoder: Option<Encoder>,
    rows: u64,
}

/// The parts of an upload that is filled from its beginning to its end.
pub(super) struct Parts {
    buckets: Buckets,
    upload: Upload,
    pending: Vec<u8>,
    uploaded: Vec<UploadedPart>,
    size: u64,
}

impl Parts {
    /// None so far.
    pub(super) fn begin(buckets: Buckets, upload: Upload) -> Self {
        Self {
            buckets,
            upload,
            pending: Vec::new(),
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
        if !rest.is_empty() || self.uploaded.is_empty() {
            self.upload(rest).await?;
        }
        Ok((self.uploaded, self.size))
    }

    async fn upload(&mut self, bytes: Vec<u8>) -> Result<()> {
        let number =
            i32::try_from(self.uploaded.len() + 1).map_err(|_| Error::limit("a file has too many parts"))?;
        self.size += bytes.len() as u64;
        let Upload {
            bucket,
            key,
            upload_id,
        } = &self.upload;
        let part = self
            .buckets
            .upload_part(bucket, key, upload_id, number, Bytes::from(bytes))
            .await?;
        self.uploaded.push(part);
        Ok(())
    }
}

enum Encoder {
    Csv(CsvEncoder, Buffer),
    Json(Box<LineDelimitedWriter<Buffer>>),
    /// With the places of the columns that are written.
    Parquet(Box<ArrowWriter<Buffer>>, Vec<usize>),
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
        let buffer = Buffer::default();
        let mut sink = Self {
            encoder: Some(Encoder::new(format, csv, buffer.clone(), schema)?),
            parts: Parts::begin(buckets, upload),
            buffer,
            rows: 0,
        };
        sink.encode(&RecordBatch::new_empty(Arc::clone(schema)))?;
        Ok(sink)
    }

    /// Adds rows.
    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.encode(batch)?;
        self.rows += batch.num_rows() as u64;
        self.parts.add(&self.buffer.take_all()).await
    }

    /// Ends the file; it stays incomplete in the store.
    pub(super) async fn finish(mut self) -> Result<WrittenFile> {
        let mut quoted = false;
        if let Some(encoder) = self.encoder.take() {
            if let Encoder::Csv(csv, _) = &encoder {
                quoted = csv.quoted;
                if csv.lone_nulls > 0 {
                    speech::log(
                        LogLevel::Warn,
                        format!(
                            "{} NULLs of the only column are written as \"\", because an empty line is no row to readers; \
                             say with output.null what else to write",
                            csv.lone_nulls
                        ),
                    );
                }
            }
            encoder.finish()?;
        }
        self.parts.add(&self.buffer.take_all()).await?;
        let (parts, size) = self.parts.finish().await?;
        Ok(WrittenFile {
            parts,
            size,
            rows: self.rows,
            quoted,
        })
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.encoder {
            Some(encoder) => encoder.write(batch),
            None => Err(Error::internal("a file was written to after its end")),
        }
    }
}

impl Encoder {
    fn new(format: OutputFormat, csv: &CsvOptions, buffer: Buffer, schema: &SchemaRef) -> Result<Self> {
        Ok(match format {
            OutputFormat::Csv => Self::Csv(CsvEncoder::new(csv.clone()), buffer),
            OutputFormat::Json => Self::Json(Box::new(LineDelimitedWriter::new(buffer))),
            OutputFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .build();
                let written = typed_columns(schema);
                let schema = Arc::new(schema.project(&written).map_err(unwritable)?);
                let writer = ArrowWriter::try_new(buffer, schema, Some(properties)).map_err(unwritable)?;
                Self::Parquet(Box::new(writer), written)
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Csv(encoder, buffer) => {
                let lines = encoder.encode(batch).map_err(unwritable)?;
                buffer.write_all(&lines).map_err(unwritable)
            }
            Self::Json(writer) => writer.write(batch).map_err(unwritable),
            Self::Parquet(writer, written) => {
                let batch = batch.project(written).map_err(unwritable)?;
                writer.write(&batch).map_err(unwritable)
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Csv(..) => Ok(()),
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
