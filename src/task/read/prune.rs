//! Which row groups and pages of a Parquet file may have rows that are asked for: by the least and greatest values that its
//! footer and its page index tell, and by its bloom filters.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType as Arrow, Schema};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::split_conjunction;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::PhysicalExpr;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection, RowSelector};
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::basic::Type as Physical;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::adapt::adapt;
use super::file::FileRead;
use super::ranges::Source;
use super::reading::Reading;
use crate::error::Result;
use crate::task::failure::failure;

/// What tells the parts of one file apart.
pub(super) struct Pruning<'a> {
    reading: &'a Reading,
    metadata: &'a ArrowReaderMetadata,
    /// By a column of the table, its name in the file. Partition keys have no statistics there.
    names: HashMap<&'a str, &'a str>,
}

impl<'a> Pruning<'a> {
    /// `names` are the file's in lower case.
    pub(super) fn of(
        reading: &'a Reading,
        file: &FileRead,
        metadata: &'a ArrowReaderMetadata,
        names: &'a [String],
    ) -> Self {
        let raw = metadata.schema().fields().iter();
        let mut by_name = HashMap::new();
        for (name, field) in names.iter().zip(raw) {
            if !file.part.values.contains_key(name) {
                by_name.insert(name.as_str(), field.name().as_str());
            }
        }
        Self {
            reading,
            metadata,
            names: by_name,
        }
    }

    /// Whether a row group may have rows that are asked for, by its statistics.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn may_have(&self, group: usize) -> Result<bool> {
        let groups = Groups {
            pruning: self,
            group: self.metadata.metadata().row_group(group),
            blooms: HashMap::new(),
        };
        for test in &self.reading.tests {
            if let Some(predicate) = self.predicate(test)?
                && predicate.prune(&groups).map_err(|cause| failure(&cause))? == [false]
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The least and the greatest value of each of these columns in a row group; none where the footer doesn't tell exactly.
    pub(super) fn extremes(&self, group: usize, names: &[&str]) -> Option<Vec<ArrayRef>> {
        let group = self.metadata.metadata().row_group(group);
        let both = |name: &&str| {
            let converter = self.converter(name)?;
            let to = self.type_of(name)?;
            // Texts may be cut there, and what is no number isn't counted.
            if to.is_string() || to.is_floating() || group.num_rows() == 0 {
                return None;
            }
            let nulls = converter.row_group_null_counts([group]).ok()?;
            let (least, _) = adapt(&converter.row_group_mins([group]).ok()?, &to).ok()?;
            let (greatest, _) = adapt(&converter.row_group_maxes([group]).ok()?, &to).ok()?;
            let is_told = least.is_valid(0) && greatest.is_valid(0);
            let is_empty = nulls.is_valid(0) && i64::try_from(nulls.value(0)) == Ok(group.num_rows());
            if !is_told && !is_empty {
                return None;
            }
            concat(&[&least, &greatest]).ok()
        };
        names.iter().map(both).collect()
    }

    /// A test as it is now, of what statistics can tell.
    fn predicate(&self, test: &Arc<dyn PhysicalExpr>) -> Result<Option<Arc<PruningPredicate>>> {
        let test = snapshot_physical_expr(Arc::clone(test)).map_err(|cause| failure(&cause))?;
        let predicate = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.reading.table_schema))
            .build(test);
        // What the engine can't tell anything by tells nothing.
        Ok(predicate.filter(|predicate| !predicate.always_true()))
    }

    /// The same by the bloom filters of the columns that are compared with values.
    ///
    /// # Errors
    /// Those of reading them.
    pub(super) async fn may_have_by_bloom(
        &self,
        group: usize,
        builder: &mut ParquetRecordBatchStreamBuilder<Source>,
    ) -> parquet::errors::Result<bool> {
        let mut predicates = Vec::new();
        let mut wanted = HashSet::new();
        for test in &self.reading.tests {
            if let Ok(Some(predicate)) = self.predicate(test) {
                wanted.extend(predicate.literal_columns());
                predicates.push(predicate);
            }
        }
        let mut blooms = HashMap::new();
        for name in wanted {
            let Some(converter) = self.converter(&name) else {
                continue;
            };
            let Some(place) = converter.parquet_column_index() else {
                continue;
            };
            let column = self.metadata.metadata().row_group(group).column(place);
            if column.bloom_filter_offset().is_none() {
                continue;
            }
            if let Some(bloom) = builder.get_row_group_column_bloom_filter(group, place).await? {
                blooms.insert(name, (bloom, column.column_type()));
            }
        }
        if blooms.is_empty() {
            return Ok(true);
        }
        let groups = Groups {
            pruning: self,
            group: self.metadata.metadata().row_group(group),
            blooms,
        };
        let is_out =
            |predicate: &Arc<PruningPredicate>| matches!(predicate.prune(&groups).as_deref(), Ok([false]));
        Ok(!predicates.iter().any(is_out))
    }

    /// The rows of the pages of a row group that may have what is asked for; absent where pages tell nothing.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn pages(&self, group: usize) -> Result<Option<RowSelection>> {
        let metadata = self.metadata.metadata();
        if metadata.column_index().is_none() || metadata.offset_index().is_none() {
            return Ok(None);
        }
        let mut selection: Option<RowSelection> = None;
        for test in &self.reading.tests {
            let test = snapshot_physical_expr(Arc::clone(test)).map_err(|cause| failure(&cause))?;
            for part in split_conjunction(&test) {
                if let Some(more) = self.pages_of(group, part)? {
                    selection = Some(match selection {
                        Some(selection) => selection.intersection(&more),
                        None => more,
                    });
                }
            }
        }
        Ok(selection)
    }

    /// The same by a test of one column.
    fn pages_of(&self, group: usize, test: &Arc<dyn PhysicalExpr>) -> Result<Option<RowSelection>> {
        let columns = collect_columns(test);
        let mut columns = columns.iter();
        let (Some(column), None) = (columns.next(), columns.next()) else {
            return Ok(None);
        };
        let (Some(predicate), Some(converter)) = (self.predicate(test)?, self.converter(column.name()))
        else {
            return Ok(None);
        };
        let Some(pages) = self.page_statistics(group, column.name(), &converter) else {
            return Ok(None);
        };
        let kept = predicate.prune(&pages).map_err(|cause| failure(&cause))?;
        let selectors = kept.iter().zip(pages.rows.values());
        let selectors = selectors.map(|(is_kept, rows)| {
            let rows = usize::try_from(*rows).unwrap_or(usize::MAX);
            match is_kept {
                true => RowSelector::select(rows),
                false => RowSelector::skip(rows),
            }
        });
        Ok(Some(selectors.collect::<Vec<_>>().into()))
    }

    fn page_statistics(
        &self,
        group: usize,
        name: &str,
        converter: &StatisticsConverter<'_>,
    ) -> Option<Pages> {
        let metadata: &ParquetMetaData = self.metadata.metadata();
        let (columns, offsets) = (metadata.column_index()?, metadata.offset_index()?);
        let place = converter.parquet_column_index()?;
        // A page index that lists no pages of a column tells nothing.
        if offsets.get(group)?.get(place)?.page_locations().is_empty() {
            return None;
        }
        let to = self.type_of(name)?;
        let groups = [group];
        let as_table =
            |array: parquet::errors::Result<ArrayRef>| adapt(&array.ok()?, &to).ok().map(|it| it.0);
        let rows = converter
            .data_page_row_counts(offsets, metadata.row_groups(), &groups)
            .ok()??;
        Some(Pages {
            least: as_table(converter.data_page_mins(columns, offsets, &groups))?,
            greatest: as_table(converter.data_page_maxes(columns, offsets, &groups))?,
            nulls: converter.data_page_null_counts(columns, offsets, &groups).ok()?,
            rows,
        })
    }

    fn type_of(&self, name: &str) -> Option<Arrow> {
        let field = self.reading.table_schema.field_with_name(name).ok()?;
        Some(field.data_type().clone())
    }

    /// What reads the statistics of a column, where they are in the order of the table's type.
    fn converter(&self, name: &str) -> Option<StatisticsConverter<'_>> {
        let raw = self.names.get(name)?;
        let schema: &Schema = self.metadata.schema();
        let from = schema.field_with_name(raw).ok()?.data_type();
        if !keeps_order(from, &self.type_of(name)?) {
            return None;
        }
        StatisticsConverter::try_new(raw, schema, self.metadata.parquet_schema()).ok()
    }
}

/// Whether values that are read as another type all are there, in the same order.
fn keeps_order(from: &Arrow, to: &Arrow) -> bool {
    use Arrow::{
        Boolean, Date32, Decimal32, Decimal64, Decimal128, Dictionary, Float32, Float64, Int8, Int16, Int32,
        Int64, Timestamp, UInt8, UInt16, UInt32,
    };
    match (from, to) {
        (Dictionary(_, value), to) => keeps_order(value, to),
        (Int8, Int8 | Int16 | Int32 | Int64 | Float64 | Decimal128(..))
        | (Int16 | UInt8, Int16 | Int32 | Int64 | Float64)
        | (Int32 | UInt16, Int32 | Int64 | Float64)
        | (Int64 | UInt32, Int64)
        | (Float32, Float32 | Float64)
        | (Float64, Float64)
        | (Boolean, Boolean)
        | (Date32, Date32 | Timestamp(..))
        | (Timestamp(..), Timestamp(..)) => true,
        (Int64, Decimal128(precision, scale)) => i16::from(*precision) - i16::from(*scale) >= 19,
        (
            Decimal32(own, own_scale) | Decimal64(own, own_scale) | Decimal128(own, own_scale),
            Decimal128(precision, scale),
        ) => {
            scale >= own_scale
                && i16::from(*precision) - i16::from(*scale) >= i16::from(*own) - i16::from(*own_scale)
        }
        (text, to) => text.is_string() && to.is_string(),
    }
}

/// The statistics of one row group.
struct Groups<'a> {
    pruning: &'a Pruning<'a>,
    group: &'a RowGroupMetaData,
    blooms: HashMap<String, (Sbbf, Physical)>,
}

impl Groups<'_> {
    fn values(
        &self,
        column: &Column,
        of: impl Fn(&StatisticsConverter<'_>) -> parquet::errors::Result<ArrayRef>,
    ) -> Option<ArrayRef> {
        let to = self.pruning.type_of(&column.name)?;
        let converter = self.pruning.converter(&column.name)?;
        let (values, _) = adapt(&of(&converter).ok()?, &to).ok()?;
        Some(values)
    }
}

impl PruningStatistics for Groups<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |converter| converter.row_group_mins([self.group]))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |converter| converter.row_group_maxes([self.group]))
    }

    fn num_containers(&self) -> usize {
        1
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let converter = self.pruning.converter(&column.name)?;
        let counts = converter.with_missing_null_counts_as_zero(false);
        Some(Arc::new(counts.row_group_null_counts([self.group]).ok()?))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = u64::try_from(self.group.num_rows()).ok()?;
        Some(Arc::new(UInt64Array::from(vec![rows])))
    }

    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let (bloom, physical) = self.blooms.get(&column.name)?;
        let may_be = values.iter().any(|value| may_be_in(bloom, *physical, value));
        // That it may be there is no certainty.
        (!may_be).then(|| BooleanArray::from(vec![Some(false)]))
    }
}

/// Whether a bloom filter may have a value; what it can't be asked for it may have.
fn may_be_in(bloom: &Sbbf, physical: Physical, value: &ScalarValue) -> bool {
    let integer = match value {
        ScalarValue::Int8(Some(value)) => Some(i64::from(*value)),
        ScalarValue::Int16(Some(value)) => Some(i64::from(*value)),
        ScalarValue::Int32(Some(value)) => Some(i64::from(*value)),
        ScalarValue::Int64(Some(value)) => Some(*value),
        _ => None,
    };
    match (physical, value, integer) {
        (
            Physical::BYTE_ARRAY,
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => bloom.check(&text.as_str()),
        (Physical::INT64, _, Some(value)) => bloom.check(&value),
        (Physical::INT32, _, Some(value)) => i32::try_from(value).is_ok_and(|value| bloom.check(&value)),
        (Physical::DOUBLE, ScalarValue::Float64(Some(value)), _) => bloom.check(value),
        (Physical::FLOAT, ScalarValue::Float32(Some(value)), _) => bloom.check(value),
        _ => true,
    }
}

/// The statistics of the pages of one column.
struct Pages {
    least: ArrayRef,
    greatest: ArrayRef,
    nulls: UInt64Array,
    rows: UInt64Array,
}

impl PruningStatistics for Pages {
    fn min_values(&self, _: &Column) -> Option<ArrayRef> {
        Some(Arc::clone(&self.least))
    }

    fn max_values(&self, _: &Column) -> Option<ArrayRef> {
        Some(Arc::clone(&self.greatest))
    }

    fn num_containers(&self) -> usize {
        self.rows.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        Some(Arc::new(self.nulls.clone()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.rows.clone()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
