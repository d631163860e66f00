//! The scan of a table: parts that take one file after the other, each file read as what it is.

use std::fmt;
use std::sync::Arc;

use classifiers::Layout;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, TryStreamExt};

use super::file::Found;
use super::files::{FileAt, Share};
use super::reading::{Batches, Reading};
use super::remarks::Kind;
use super::{look, outward, parquet_file, text_file};
use crate::error::{Result, Subject};

/// How many files of a part are opened before their turn, so that the next one's first bytes are there.
const OPEN_AHEAD: usize = 4;

/// The scan of a table.
#[derive(Debug)]
pub(super) struct Scan {
    reading: Arc<Reading>,
    share: Arc<Share>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl Scan {
    pub(super) fn new(reading: Arc<Reading>, share: Share, limit: Option<usize>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&reading.schema)),
            Partitioning::UnknownPartitioning(share.parts),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            reading,
            share: Arc::new(share),
            limit,
            properties: Arc::new(properties),
        }
    }

    /// The same where the extremes of some rows may stand for them; none where tests or a limit ask for rows.
    pub(super) fn with_extremes(&self) -> Option<Arc<dyn ExecutionPlan>> {
        if self.limit.is_some() || !self.reading.tests.is_empty() || self.reading.extremes {
            return None;
        }
        let reading = Reading {
            extremes: true,
            ..Reading::clone(&self.reading)
        };
        Some(self.with(Arc::new(reading), None))
    }

    fn with(&self, reading: Arc<Reading>, limit: Option<usize>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self {
            reading,
            share: Arc::clone(&self.share),
            limit,
            properties: Arc::clone(&self.properties),
        })
    }
}

impl DisplayAs for Scan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scan: {}", self.reading.table.name)
    }
}

impl ExecutionPlan for Scan {
    fn name(&self) -> &'static str {
        "Scan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for test in &self.reading.tests {
            recursion = recursion.visit_sibling(|| f(test))?;
        }
        Ok(recursion)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn reset_state(self: Arc<Self>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let share = self.share.again();
        Ok(Arc::new(Self::new(Arc::clone(&self.reading), share, self.limit)))
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> EngineResult<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.reading.schema);
        if let Some(rows) = self.reading.table.rows {
            let parts = args.partition().map_or(1, |_| self.share.parts as u64);
            let rows = usize::try_from(rows / parts).unwrap_or(usize::MAX);
            statistics.num_rows = Precision::Inexact(rows);
        }
        Ok(Arc::new(statistics))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let reading = Reading {
            reads_ahead: limit.is_none(),
            ..Reading::clone(&self.reading)
        };
        Some(self.with(Arc::new(reading), limit))
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    /// What the engine learns while it runs, such as the least of the best so far, tells files and row groups apart too.
    fn handle_child_pushdown_result(
        &self,
        _: FilterPushdownPhase,
        result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> EngineResult<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let filters: Vec<_> = result
            .parent_filters
            .iter()
            .map(|parent| Arc::clone(&parent.filter))
            .collect();
        let none = vec![PushedDown::No; filters.len()];
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(none);
        let mut tests = self.reading.tests.clone();
        for filter in filters {
            // By the table's columns, as all tests are.
            if let Ok(test) =
                datafusion::physical_expr::utils::reassign_expr_columns(filter, &self.reading.table_schema)
            {
                tests.push(test);
            }
        }
        let reading = Reading {
            tests,
            ..Reading::clone(&self.reading)
        };
        Ok(propagation.with_updated_node(self.with(Arc::new(reading), self.limit)))
    }

    fn execute(&self, part: usize, _: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let reading = Arc::clone(&self.reading);
        // Where few rows are wanted, the next file may not be needed.
        let ahead = match self.limit {
            Some(_) => 1,
            None => OPEN_AHEAD,
        };
        let share = Arc::clone(&self.share);
        let files = futures::stream::try_unfold(
            (share, Arc::clone(&reading)),
            move |(share, reading)| async move {
                let next = share.next(part, &reading.table.remarks).await?;
                Ok(next.map(|file| (file, (share, reading))))
            },
        );
        let opened = files
            .map_ok({
                let reading = Arc::clone(&reading);
                move |file| open(Arc::clone(&reading), file)
            })
            .try_buffered(ahead);
        let batches = opened.try_flatten().map_err(outward);
        let batches = match self.limit {
            Some(limit) => first(batches, limit).boxed(),
            None => batches.boxed(),
        };
        let schema = Arc::clone(&self.reading.schema);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

/// The first rows of a stream; no more is asked for than is needed.
fn first(
    batches: impl futures::Stream<Item = EngineResult<RecordBatch>> + Send + 'static,
    limit: usize,
) -> impl futures::Stream<Item = EngineResult<RecordBatch>> + Send + 'static {
    futures::stream::try_unfold((Box::pin(batches), limit), |(mut batches, left)| async move {
        if left == 0 {
            return Ok::<_, DataFusionError>(None);
        }
        let Some(batch) = batches.try_next().await? else {
            return Ok(None);
        };
        let batch = match batch.num_rows() > left {
            true => batch.slice(0, left),
            false => batch,
        };
        let left = left - batch.num_rows();
        Ok(Some((batch, (batches, left))))
    })
}

/// Begins to read a file. What its store keeps in an archive is left out of a table, and named.
async fn open(reading: Arc<Reading>, file: FileAt) -> Result<Batches> {
    let path = file.object.path();
    match open_stored(Arc::clone(&reading), file).await {
        Err(error) if error.subject == Some(Subject::Archived) && reading.table.is_declared => {
            let remarks = &reading.table.remarks;
            remarks.add(Kind::LeftOut, &path, 1, || {
                format!("{path}: it is in an archive class of its store, which gives nobody its bytes")
            });
            Ok(futures::stream::empty().boxed())
        }
        opened => opened,
    }
}

/// Begins to read a file: nothing of it where it isn't the table's.
async fn open_stored(reading: Arc<Reading>, file: FileAt) -> Result<Batches> {
    let path = file.object.path();
    let file = match (file.read.clone(), file) {
        (Some(read), _) => read,
        (None, file) => match look::of(&reading, file).await? {
            Found::Read(file) => Arc::from(file),
            Found::LeftOut(why) => {
                let remarks = &reading.table.remarks;
                remarks.add(Kind::LeftOut, &path, 1, || format!("{path}: {why}"));
                return Ok(futures::stream::empty().boxed());
            }
        },
    };
    if let Some(rows) = file.rows.filter(|_| reading.wanted.is_empty()) {
        return Ok(reading.counted(rows));
    }
    match file.layout {
        Layout::Parquet => parquet_file::open(reading, file).await,
        _ => text_file::open(reading, file).await,
    }
}
