//! Ranges of one version of a file, as the reader of Parquet asks for them.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::buckets::Buckets;
use crate::task::ObjectToRead;

/// How much of a file's end is read at first, in bytes: most footers are there as a whole.
const TAIL_BYTES: u64 = 64 << 10;
/// What is nearer to one another than this is read at once, in bytes: a request costs as much.
const GAP_BYTES: u64 = 1 << 20;

/// One version of a file, range by range.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) buckets: Buckets,
    pub(super) object: ObjectToRead,
}

impl Source {
    pub(super) async fn range(&self, range: Range<u64>) -> parquet::errors::Result<Bytes> {
        let object = &self.object;
        self.buckets
            .get_range(&object.bucket, &object.key, range, Some(&object.etag))
            .await
            .map_err(|error| ParquetError::External(Box::new(error)))
    }
}

impl AsyncFileReader for Source {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.range(range).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move {
            let together = together(&ranges);
            let read = together.iter().map(|range| self.range(range.clone()));
            let read = futures::future::try_join_all(read).await?;
            let part = |wanted: &Range<u64>| {
                let place = together
                    .iter()
                    .position(|range| range.start <= wanted.start && wanted.end <= range.end);
                let place = place.ok_or_else(|| ParquetError::General("a range was not read".to_owned()))?;
                let start = (wanted.start - together[place].start) as usize;
                let length = (wanted.end - wanted.start) as usize;
                Ok(read[place].slice(start..start + length))
            };
            ranges.iter().map(part).collect()
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let metadata = options.map(|options| options.metadata_options().clone());
            let mut reader = ParquetMetaDataReader::new()
                .with_metadata_options(metadata)
                .with_prefetch_hint(Some(TAIL_BYTES.min(self.object.size) as usize));
            if let Some(options) = options {
                reader = reader
                    .with_column_index_policy(options.column_index_policy())
                    .with_offset_index_policy(options.offset_index_policy());
            }
            let size = self.object.size;
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}

/// Ranges as they are read: those near one another at once.
fn together(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    let mut together: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match together.last_mut() {
            Some(last) if range.start <= last.end + GAP_BYTES => last.end = last.end.max(range.end),
            _ => together.push(range),
        }
    }
    together
}
