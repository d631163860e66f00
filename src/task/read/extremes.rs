//! `min` and `max` out of footers: where nothing else is asked of a table, its scan may give the least and the greatest
//! value of each row group in place of its rows.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use super::scan::Scan;

/// The rule.
#[derive(Debug)]
pub(in crate::task) struct ExtremesFromFooters;

impl PhysicalOptimizerRule for ExtremesFromFooters {
    fn name(&self) -> &'static str {
        "extremes_from_footers"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|plan| {
            let Some(scan) = scan_below(&plan) else {
                return Ok(Transformed::no(plan));
            };
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
            plan.replace_children(vec![scan], options).map(Transformed::yes)
        })?;
        Ok(plan.data)
    }
}

/// The scan that may give the extremes alone: the one below an aggregate of all its rows that asks for nothing else.
fn scan_below(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let aggregate = plan.downcast_ref::<AggregateExec>()?;
    let is_column = |argument: &Arc<dyn PhysicalExpr>| argument.downcast_ref::<Column>().is_some();
    let is_extreme = |function: &Arc<datafusion::physical_expr::aggregate::AggregateFunctionExpr>| {
        matches!(function.fun().name(), "min" | "max") && function.expressions().iter().all(is_column)
    };
    let is_plain = aggregate.group_expr().is_true_no_grouping()
        && aggregate.filter_expr().iter().all(Option::is_none)
        && !aggregate.aggr_expr().is_empty()
        && aggregate.aggr_expr().iter().all(is_extreme);
    let scan = aggregate.input().downcast_ref::<Scan>().filter(|_| is_plain)?;
    scan.with_extremes()
}
