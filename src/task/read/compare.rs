//! Text compared with numbers and dates: as numbers and dates, as people mean it (`month = 8` where the partition is `08`).
//! The engine alone would compare the number's text. What is no number, or no date, compares as NULL.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, try_cast};
use datafusion::optimizer::AnalyzerRule;

/// The rule.
#[derive(Debug)]
pub(in crate::task) struct CompareAsMeant;

impl AnalyzerRule for CompareAsMeant {
    fn name(&self) -> &'static str {
        "compare_as_meant"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let mut schema = merge_schema(&plan.inputs());
            if let LogicalPlan::TableScan(scan) = &plan {
                schema.merge(&scan.projected_schema);
            }
            let schema = Arc::new(schema);
            plan.map_expressions(|expression| {
                expression.transform_up(|expression| Ok(rewritten(expression, &schema)))
            })
        })?;
        Ok(plan.data)
    }
}

fn rewritten(expression: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() => {
            let (to_left, to_right) = (meant(&left, &right, schema), meant(&right, &left, schema));
            let is_changed = to_left.is_some() || to_right.is_some();
            let (left, right) = (cast(*left, to_left), cast(*right, to_right));
            let compared = Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
            changed(compared, is_changed)
        }
        Expr::Between(Between {
            expr,
            negated,
            low,
            high,
        }) => {
            let to = meant(&expr, &low, schema).or_else(|| meant(&expr, &high, schema));
            let is_changed = to.is_some();
            let expr = Box::new(cast(*expr, to));
            changed(Expr::Between(Between::new(expr, negated, low, high)), is_changed)
        }
        Expr::InList(InList { expr, list, negated }) => {
            let to = list.iter().find_map(|item| meant(&expr, item, schema));
            let is_changed = to.is_some();
            let expr = Box::new(cast(*expr, to));
            changed(Expr::InList(InList::new(expr, list, negated)), is_changed)
        }
        other => Transformed::no(other),
    }
}

fn changed(expression: Expr, is_changed: bool) -> Transformed<Expr> {
    match is_changed {
        true => Transformed::yes(expression),
        false => Transformed::no(expression),
    }
}

fn cast(expression: Expr, to: Option<DataType>) -> Expr {
    match to {
        Some(to) => try_cast(expression, to),
        None => expression,
    }
}

/// The type that a text is meant to have beside something else; none where it is no text, or a literal, which the engine
/// reads as what it stands beside anyway.
fn meant(text: &Expr, other: &Expr, schema: &DFSchema) -> Option<DataType> {
    if matches!(text, Expr::Literal(..)) || !text.get_type(schema).ok()?.is_string() {
        return None;
    }
    match other.get_type(schema).ok()? {
        whole if whole.is_integer() => Some(DataType::Decimal128(38, 10)),
        decimal if decimal.is_decimal() => Some(DataType::Decimal128(38, 10)),
        number if number.is_numeric() => Some(DataType::Float64),
        time if time.is_temporal() => Some(time),
        _ => None,
    }
}
