//! Partition keys in a query: which partitions it asks for.
//!
//! Keys are texts in the catalog, as they are written (`08`). Compared with a number or a date they are that.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator, TryCast};
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_plan::PhysicalExpr;

use super::file::key_of;
use super::shape::TableShape;
use crate::error::Result;
use crate::task::failure::failure;
use crate::task::{KeyBound, KeyKind, KeyOperator, PartToRead};

/// The tests that a partition's values have to pass.
#[derive(Debug)]
pub(super) struct KeyTest {
    keys: Vec<(String, classifiers::DataType)>,
    schema: SchemaRef,
    tests: Vec<Arc<dyn PhysicalExpr>>,
    /// The partition that was tested last, with what came of it: files come partition by partition.
    last: Mutex<Option<(Arc<PartToRead>, bool)>>,
}

impl KeyTest {
    pub(super) fn new(table: &TableShape, schema: &SchemaRef, tests: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        let own = table.columns.len() - table.keys;
        let fields: Vec<_> = schema.fields()[own..].to_vec();
        Self {
            keys: table.columns[own..].to_vec(),
            schema: Arc::new(Schema::new(fields)),
            tests,
            last: Mutex::default(),
        }
    }

    /// Whether the files of a partition are asked for.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn holds(&self, part: &Arc<PartToRead>) -> Result<bool> {
        if self.tests.is_empty() {
            return Ok(true);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((tested, holds)) = &*last
            && Arc::ptr_eq(tested, part)
        {
            return Ok(*holds);
        }
        let holds = self.test(part)?;
        *last = Some((Arc::clone(part), holds));
        Ok(holds)
    }

    fn test(&self, part: &PartToRead) -> Result<bool> {
        let mut values = Vec::with_capacity(self.keys.len());
        for (name, hive) in &self.keys {
            let value = match key_of(part, name, hive)? {
                Some(value) => value,
                None => super::file::null_of(hive)?,
            };
            values.push(value.to_array().map_err(|cause| failure(&cause))?);
        }
        let one = RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), values, &one)
            .map_err(|cause| failure(&cause.into()))?;
        for test in &self.tests {
            let test =
                reassign_expr_columns(Arc::clone(test), &self.schema).map_err(|cause| failure(&cause))?;
            let answer = test
                .evaluate(&batch)
                .and_then(|answer| answer.into_array(1))
                .map_err(|cause| failure(&cause))?;
            let passes = answer
                .as_boolean_opt()
                .is_some_and(|answer| answer.is_valid(0) && answer.value(0));
            if !passes {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the catalog can tell partitions apart by, of tests that all have to hold. What it can't is tested here.
pub(super) fn expression(tests: &[&Expr]) -> Vec<KeyBound> {
    let mut bounds = Vec::new();
    for test in tests {
        collect(test, &mut bounds);
    }
    bounds
}

fn collect(test: &Expr, bounds: &mut Vec<KeyBound>) {
    match test {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::And,
            right,
        }) => {
            collect(left, bounds);
            collect(right, bounds);
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let mirrored = || bound(right, op.swap()?, &[(**left).clone()]);
            bounds.extend(bound(left, *op, std::slice::from_ref(right)).or_else(mirrored));
        }
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => bounds.extend(bound(expr, Operator::Eq, list)),
        _ => {}
    }
}

/// The bound that a comparison of a key with literals is.
fn bound(left: &Expr, operator: Operator, right: &[Expr]) -> Option<KeyBound> {
    let operator = match operator {
        Operator::Eq => KeyOperator::In,
        Operator::Lt => KeyOperator::Less,
        Operator::LtEq => KeyOperator::LessOrEqual,
        Operator::Gt => KeyOperator::Greater,
        Operator::GtEq => KeyOperator::GreaterOrEqual,
        _ => return None,
    };
    let literals: Vec<(String, KeyKind)> = right.iter().map(literal).collect::<Option<_>>()?;
    let kind = literals.first()?.1;
    let is_one_kind = literals.iter().all(|(_, other)| *other == kind);
    Some(KeyBound {
        key: key(left, kind).filter(|_| is_one_kind)?,
        operator,
        kind,
        values: literals.into_iter().map(|(value, _)| value).collect(),
    })
}

/// The key that an expression is, or is made of by reading it as a value of this kind.
fn key(expression: &Expr, kind: KeyKind) -> Option<String> {
    match expression {
        Expr::Column(column) => Some(column.name.clone()),
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
            (kind_of(field.data_type()) == Some(kind)).then(|| key(expr, kind))?
        }
        _ => None,
    }
}

fn kind_of(data_type: &DataType) -> Option<KeyKind> {
    match data_type {
        text if text.is_string() => Some(KeyKind::Text),
        DataType::Date32 => Some(KeyKind::Date),
        number if number.is_numeric() => Some(KeyKind::Number),
        _ => None,
    }
}

/// A literal as text, and what it is.
fn literal(expression: &Expr) -> Option<(String, KeyKind)> {
    let Expr::Literal(value, _) = expression else {
        return None;
    };
    let kind = kind_of(&value.data_type()).filter(|_| !value.is_null())?;
    let text = match value {
        ScalarValue::Date32(Some(days)) => {
            let date = DateTime::<Utc>::from_timestamp(i64::from(*days) * 86_400, 0)?;
            date.format("%Y-%m-%d").to_string()
        }
        other => other.to_string(),
    };
    Some((text, kind))
}
