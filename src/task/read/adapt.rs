//! Arrow's arrays as the types of a table: nested fields found by name, numbers and times widened, text out of anything.
//! What doesn't fit becomes NULL.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, LargeListArray, ListArray, MapArray, StringBuilder,
    StructArray, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Fields};

use super::column::{place_in, places};
use super::to_json;
use crate::error::{Error, Result};

/// An array as another type, and how many of its values didn't fit.
///
/// # Errors
/// Invalid where the types have nothing to do with one another.
pub(super) fn adapt(array: &ArrayRef, to: &Arrow) -> Result<(ArrayRef, u64)> {
    if array.data_type() == to {
        return Ok((Arc::clone(array), 0));
    }
    match (array.data_type(), to) {
        (Arrow::Null, _) => Ok((new_null_array(to, array.len()), 0)),
        (_, Arrow::Null) => Ok((new_null_array(to, array.len()), 0)),
        (Arrow::Dictionary(_, value), _) => adapt(&plain(array, value)?, to),
        (Arrow::RunEndEncoded(_, value), _) => adapt(&plain(array, value.data_type())?, to),
        (Arrow::Struct(_), Arrow::Struct(fields)) => struct_of(array.as_struct(), fields),
        (Arrow::List(_), Arrow::List(item)) => list_of(array.as_list::<i32>(), item),
        (Arrow::LargeList(_), Arrow::List(item)) => list_of(&narrow(array.as_list::<i64>())?, item),
        (Arrow::FixedSizeList(_, _), Arrow::List(item)) => {
            list_of(&of_fixed(array.as_fixed_size_list())?, item)
        }
        (Arrow::Map(_, _), Arrow::Map(entries, _)) => map_of(array.as_map(), entries),
        (from, Arrow::Utf8 | Arrow::Utf8View) if needs_json(from) => texts(array, to),
        (from, _) if from.is_nested() || to.is_nested() => {
            Err(Error::invalid(format!("a {from} can't be read as a {to}")))
        }
        _ => simple(array, to),
    }
}

/// Whether a value's text is made here, and not by the engine.
fn needs_json(from: &Arrow) -> bool {
    from.is_nested()
        || matches!(
            from,
            Arrow::Float16
                | Arrow::Float32
                | Arrow::Float64
                | Arrow::Timestamp(..)
                | Arrow::Binary
                | Arrow::LargeBinary
                | Arrow::BinaryView
                | Arrow::FixedSizeBinary(_)
        )
}

fn plain(array: &ArrayRef, value: &Arrow) -> Result<ArrayRef> {
    cast_with_options(array, value, &CastOptions::default()).map_err(unreadable)
}

/// A cast in which what doesn't fit is NULL.
fn simple(array: &ArrayRef, to: &Arrow) -> Result<(ArrayRef, u64)> {
    let cast = cast_with_options(array, to, &CastOptions::default()).map_err(unreadable)?;
    let lost = cast.null_count().saturating_sub(array.null_count());
    Ok((cast, lost as u64))
}

fn unreadable(cause: datafusion::arrow::error::ArrowError) -> Error {
    Error::invalid("it can't be read as its column's type").source(cause)
}

fn not_built(cause: datafusion::arrow::error::ArrowError) -> Error {
    Error::internal("a column can't be built").source(cause)
}

fn texts(array: &ArrayRef, to: &Arrow) -> Result<(ArrayRef, u64)> {
    let writer = to_json::Writer::new(array)?;
    let mut texts = StringBuilder::with_capacity(array.len(), 16 * array.len());
    let mut text = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        match array.data_type().is_nested() {
            true => writer.json(row, &mut text)?,
            false => writer.text(row, &mut text)?,
        }
        texts.append_value(String::from_utf8_lossy(&text));
    }
    let texts: ArrayRef = Arc::new(texts.finish());
    simple(&texts, to)
}

fn struct_of(array: &StructArray, fields: &Fields) -> Result<(ArrayRef, u64)> {
    let own = places(array.fields().iter().map(|field| field.name().as_str()));
    let mut lost = 0;
    let members = fields
        .iter()
        .map(|field| match place_in(&own, field.name()) {
            Some(place) => {
                let (member, misfits) = adapt(array.column(place), field.data_type())?;
                lost += misfits;
                Ok(member)
            }
            None => Ok(new_null_array(field.data_type(), array.len())),
        })
        .collect::<Result<Vec<_>>>()?;
    let adapted =
        StructArray::try_new_with_length(fields.clone(), members, array.nulls().cloned(), array.len())
            .map_err(not_built)?;
    Ok((Arc::new(adapted), lost))
}

fn list_of(array: &ListArray, item: &Arc<Field>) -> Result<(ArrayRef, u64)> {
    let (items, lost) = adapt(array.values(), item.data_type())?;
    let adapted = ListArray::try_new(
        Arc::clone(item),
        array.offsets().clone(),
        items,
        array.nulls().cloned(),
    )
    .map_err(not_built)?;
    Ok((Arc::new(adapted), lost))
}

fn narrow(array: &LargeListArray) -> Result<ListArray> {
    let field = match array.data_type() {
        Arrow::LargeList(item) => Arc::clone(item),
        other => Arc::new(Field::new("item", other.clone(), true)),
    };
    let offsets = array
        .offsets()
        .iter()
        .map(|offset| i32::try_from(*offset))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Error::limit("its lists have too many items to be read"))?;
    ListArray::try_new(
        field,
        OffsetBuffer::new(offsets.into()),
        Arc::clone(array.values()),
        array.nulls().cloned(),
    )
    .map_err(not_built)
}

fn of_fixed(array: &FixedSizeListArray) -> Result<ListArray> {
    let field = match array.data_type() {
        Arrow::FixedSizeList(item, _) => Arc::clone(item),
        other => Arc::new(Field::new("item", other.clone(), true)),
    };
    let length = usize::try_from(array.value_length()).unwrap_or(0);
    let offsets = OffsetBuffer::from_repeated_length(length, array.len());
    ListArray::try_new(field, offsets, Arc::clone(array.values()), array.nulls().cloned()).map_err(not_built)
}

fn map_of(array: &MapArray, entries: &Arc<Field>) -> Result<(ArrayRef, u64)> {
    let Arrow::Struct(fields) = entries.data_type() else {
        return Err(Error::internal("a map has no entries"));
    };
    let (Some(key), Some(value)) = (fields.first(), fields.get(1)) else {
        return Err(Error::internal("a map has no entries"));
    };
    let (keys, lost_keys) = adapt(array.keys(), key.data_type())?;
    let (values, lost) = adapt(array.values(), value.data_type())?;
    let no_nulls: Option<NullBuffer> = None;
    let adapted = StructArray::try_new(fields.clone(), vec![keys, values], no_nulls)
        .and_then(|members| {
            MapArray::try_new(
                Arc::clone(entries),
                array.offsets().clone(),
                members,
                array.nulls().cloned(),
                false,
            )
        })
        .map_err(not_built)?;
    Ok((Arc::new(adapted), lost_keys + lost))
}
