//! A table to the engine: its columns, and the scan of its files.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::files::Files;
use super::keys::{self, KeyTest};
use super::reading::Reading;
use super::scan::Scan;
use super::shape::TableShape;
use crate::buckets::Buckets;

/// A table as the engine asks for it.
pub(super) struct LakeTable {
    pub(super) shape: Arc<TableShape>,
    pub(super) schema: SchemaRef,
    pub(super) buckets: Buckets,
    pub(super) files: Files,
}

impl fmt::Debug for LakeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeTable")
            .field("name", &self.shape.name)
            .finish_non_exhaustive()
    }
}

impl LakeTable {
    /// Whether a test is of partition keys alone.
    fn is_of_keys(&self, test: &Expr) -> bool {
        let own = self.shape.columns.len() - self.shape.keys;
        let columns = test.column_refs();
        !columns.is_empty()
            && !test.is_volatile()
            && columns.iter().all(|column| {
                let mut keys = self.shape.columns[own..].iter();
                keys.any(|(name, _)| name == &column.name)
            })
    }
}

#[async_trait::async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        let how = |filter: &&Expr| match self.is_of_keys(filter) {
            // A file's partition has one value of each.
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(how).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = match projection {
            Some(wanted) => wanted.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&wanted)?);
        let whole = DFSchema::try_from(Arc::clone(&self.schema))?;
        let (of_keys, others): (Vec<&Expr>, Vec<&Expr>) =
            filters.iter().partition(|filter| self.is_of_keys(filter));
        let physical = |filters: &[&Expr]| {
            filters
                .iter()
                .map(|filter| state.create_physical_expr((*filter).clone(), &whole))
                .collect::<EngineResult<Vec<_>>>()
        };
        let key_test = KeyTest::new(&self.shape, &self.schema, physical(&of_keys)?);
        let reading = Arc::new(Reading {
            buckets: self.buckets.clone(),
            table: Arc::clone(&self.shape),
            wanted,
            schema,
            table_schema: Arc::clone(&self.schema),
            tests: physical(&others)?,
            extremes: false,
            batch_rows: state.config().batch_size(),
            reads_ahead: limit.is_none(),
        });
        let asked = keys::expression(&of_keys);
        let partitions = state.config().target_partitions();
        let share = self
            .files
            .share(partitions, asked, key_test)
            .map_err(super::outward)?;
        Ok(Arc::new(Scan::new(reading, share, limit)))
    }
}
