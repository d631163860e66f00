//! What a scan wants of each file, and the rows that it makes of it.

use std::sync::Arc;

use classifiers::DataType as Hive;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::physical_plan::PhysicalExpr;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::file::Origin;
use super::shape::TableShape;
use crate::buckets::Buckets;
use crate::error::{Error, Result};

/// The most rows of no columns that are given at once.
const MOST_COUNTED: u64 = 1 << 20;

/// The rows of a file, batch by batch.
pub(super) type Batches = BoxStream<'static, Result<RecordBatch>>;

/// What a scan wants of each file.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) buckets: Buckets,
    pub(super) table: Arc<TableShape>,
    /// The wanted columns, by their places in the table.
    pub(super) wanted: Vec<usize>,
    /// Their schema.
    pub(super) schema: SchemaRef,
    /// The table's whole schema, by which the tests are.
    pub(super) table_schema: SchemaRef,
    /// What rows have to be like: those that aren't may be left out.
    pub(super) tests: Vec<Arc<dyn PhysicalExpr>>,
    /// Whether the least and the greatest values of some rows may stand for them.
    pub(super) extremes: bool,
    pub(super) batch_rows: usize,
    /// Whether what comes next in a file is read before its turn.
    pub(super) reads_ahead: bool,
}

impl Reading {
    /// The wanted columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &(String, Hive)> {
        self.wanted.iter().map(|at| &self.table.columns[*at])
    }

    /// So many rows, out of what a file has and what is the same in all of it.
    ///
    /// # Errors
    /// Internal where the columns are none of the table's.
    pub(super) fn batch(&self, origins: &[Origin], columns: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
        let not_built = |cause| Error::internal("rows can't be put together").source(cause);
        let arrays = origins
            .iter()
            .map(|origin| match origin {
                Origin::File(place) => Ok(Arc::clone(&columns[*place])),
                Origin::Constant(value) => value.to_array_of_size(rows).map_err(not_built),
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|cause| Error::internal("rows can't be put together").source(cause))
    }

    /// So many rows of no columns: what `count(*)` asks for.
    pub(super) fn counted(self: &Arc<Self>, rows: u64) -> Batches {
        let reading = Arc::clone(self);
        let batches = futures::stream::try_unfold(rows, move |left| {
            let reading = Arc::clone(&reading);
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let some = left.min(MOST_COUNTED);
                let batch = reading.batch(&[], &[], usize::try_from(some).unwrap_or_default())?;
                Ok(Some((batch, left - some)))
            }
        });
        batches.boxed()
    }
}
