//! Columns that are filled value by value, out of text or JSON: what doesn't fit its type becomes NULL, and is told.

use std::collections::HashMap;
use std::sync::Arc;

use classifiers::DataType as Hive;
use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, ListArray, MapArray, NullArray,
    NullBufferBuilder, StringBuilder, StringViewBuilder, StructArray, TimestampMicrosecondBuilder,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Fields};

use super::text;
use crate::error::{Error, Result};
use crate::task::arrow_types::{nested_to_arrow, to_arrow};

/// A column of a table's type.
pub(super) enum Column {
    Nothing(usize),
    Boolean(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal {
        values: Decimal128Builder,
        precision: u8,
        scale: i8,
    },
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    /// Text at the top of a table.
    TextView(StringViewBuilder),
    /// Text inside of something.
    Text(StringBuilder),
    Binary(BinaryBuilder),
    List(Box<List>),
    Map(Box<Map>),
    Struct(Box<Struct>),
}

/// Lists: each ends where `offsets` says.
pub(super) struct List {
    pub(super) item: Column,
    item_type: Arrow,
    offsets: Vec<i32>,
    there: NullBufferBuilder,
}

/// Maps, whose keys are texts or what texts say.
pub(super) struct Map {
    pub(super) key: Column,
    pub(super) value: Column,
    field: Arc<Field>,
    offsets: Vec<i32>,
    there: NullBufferBuilder,
}

/// Structs, whose fields are found by their names in lower case.
pub(super) struct Struct {
    pub(super) members: Vec<Column>,
    places: HashMap<String, usize>,
    fields: Fields,
    there: NullBufferBuilder,
}

impl Column {
    /// An empty column of a table.
    pub(super) fn of(hive: &Hive) -> Self {
        match hive {
            Hive::Null => Self::Nothing(0),
            Hive::String => Self::TextView(StringViewBuilder::new()),
            other => Self::inner(other),
        }
    }

    fn inner(hive: &Hive) -> Self {
        match hive {
            Hive::Null | Hive::String => Self::Text(StringBuilder::new()),
            Hive::Boolean => Self::Boolean(BooleanBuilder::new()),
            Hive::TinyInt => Self::Int8(Int8Builder::new()),
            Hive::SmallInt => Self::Int16(Int16Builder::new()),
            Hive::Int => Self::Int32(Int32Builder::new()),
            Hive::BigInt => Self::Int64(Int64Builder::new()),
            Hive::Float => Self::Float32(Float32Builder::new()),
            Hive::Double => Self::Float64(Float64Builder::new()),
            Hive::Decimal { precision, scale } => Self::Decimal {
                values: Decimal128Builder::new().with_data_type(nested_to_arrow(hive)),
                precision: *precision,
                scale: i8::try_from(*scale).unwrap_or(0),
            },
            Hive::Binary => Self::Binary(BinaryBuilder::new()),
            Hive::Date => Self::Date(Date32Builder::new()),
            Hive::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            Hive::Array(item) => Self::List(Box::new(List {
                item: Self::inner(item),
                item_type: nested_to_arrow(item),
                offsets: vec![0],
                there: NullBufferBuilder::new(0),
            })),
            Hive::Map(key, value) => Self::map(hive, key, value),
            Hive::Struct(fields) => Self::Struct(Box::new(Struct {
                members: fields.iter().map(|field| Self::inner(&field.data_type)).collect(),
                places: places(fields.iter().map(|field| field.name.as_str())),
                fields: match nested_to_arrow(hive) {
                    Arrow::Struct(fields) => fields,
                    _ => Fields::empty(),
                },
                there: NullBufferBuilder::new(0),
            })),
        }
    }

    fn map(hive: &Hive, key: &Hive, value: &Hive) -> Self {
        let field = match to_arrow(hive) {
            Arrow::Map(field, _) => field,
            other => Arc::new(Field::new("entries", other, false)),
        };
        Self::Map(Box::new(Map {
            key: Self::inner(key),
            value: Self::inner(value),
            field,
            offsets: vec![0],
            there: NullBufferBuilder::new(0),
        }))
    }

    /// Adds a NULL.
    pub(super) fn null(&mut self) {
        match self {
            Self::Nothing(count) => *count += 1,
            Self::Boolean(values) => values.append_null(),
            Self::Int8(values) => values.append_null(),
            Self::Int16(values) => values.append_null(),
            Self::Int32(values) => values.append_null(),
            Self::Int64(values) => values.append_null(),
            Self::Float32(values) => values.append_null(),
            Self::Float64(values) => values.append_null(),
            Self::Decimal { values, .. } => values.append_null(),
            Self::Date(values) => values.append_null(),
            Self::Timestamp(values) => values.append_null(),
            Self::TextView(values) => values.append_null(),
            Self::Text(values) => values.append_null(),
            Self::Binary(values) => values.append_null(),
            Self::List(list) => list.end(false),
            Self::Map(map) => map.end(false),
            Self::Struct(fields) => {
                fields.members.iter_mut().for_each(Self::null);
                fields.there.append_null();
            }
        }
    }

    /// Adds the value that a text says; false where it says none, and NULL was added. Of a column of text it is the text.
    pub(super) fn text(&mut self, text: &str) -> bool {
        macro_rules! add {
            ($values:expr, $parsed:expr) => {{
                let parsed = $parsed;
                $values.append_option(parsed);
                parsed.is_some()
            }};
        }
        match self {
            Self::Nothing(count) => {
                *count += 1;
                false
            }
            Self::TextView(values) => {
                values.append_value(text);
                true
            }
            Self::Text(values) => {
                values.append_value(text);
                true
            }
            Self::Binary(values) => {
                values.append_value(text.as_bytes());
                true
            }
            Self::Boolean(values) => add!(values, text::boolean(text)),
            Self::Int8(values) => add!(values, text::integer(text)),
            Self::Int16(values) => add!(values, text::integer(text)),
            Self::Int32(values) => add!(values, text::integer(text)),
            Self::Int64(values) => add!(values, text::integer(text)),
            Self::Float32(values) => add!(values, text::float(text)),
            Self::Float64(values) => add!(values, text::float(text)),
            Self::Decimal {
                values,
                precision,
                scale,
            } => add!(values, text::decimal(text, *precision, *scale)),
            Self::Date(values) => add!(values, text::date(text)),
            Self::Timestamp(values) => add!(values, text::timestamp(text)),
            Self::List(_) | Self::Map(_) | Self::Struct(_) => {
                self.null();
                false
            }
        }
    }

    /// Whether its values are texts.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::TextView(_) | Self::Text(_))
    }

    /// How many values it has.
    pub(super) fn len(&self) -> usize {
        use datafusion::arrow::array::ArrayBuilder;
        match self {
            Self::Nothing(count) => *count,
            Self::Boolean(values) => values.len(),
            Self::Int8(values) => values.len(),
            Self::Int16(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Float32(values) => values.len(),
            Self::Float64(values) => values.len(),
            Self::Decimal { values, .. } => values.len(),
            Self::Date(values) => values.len(),
            Self::Timestamp(values) => values.len(),
            Self::TextView(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Binary(values) => values.len(),
            Self::List(list) => list.offsets.len() - 1,
            Self::Map(map) => map.offsets.len() - 1,
            Self::Struct(fields) => fields.there.len(),
        }
    }

    /// The values so far, as an array; the column is empty then.
    ///
    /// # Errors
    /// Limit where lists have more items than an array holds.
    pub(super) fn take(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Nothing(count) => Arc::new(NullArray::new(std::mem::take(count))),
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Int8(values) => Arc::new(values.finish()),
            Self::Int16(values) => Arc::new(values.finish()),
            Self::Int32(values) => Arc::new(values.finish()),
            Self::Int64(values) => Arc::new(values.finish()),
            Self::Float32(values) => Arc::new(values.finish()),
            Self::Float64(values) => Arc::new(values.finish()),
            Self::Decimal { values, .. } => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Timestamp(values) => Arc::new(values.finish()),
            Self::TextView(values) => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
            Self::Binary(values) => Arc::new(values.finish()),
            Self::List(list) => Arc::new(list.take()?),
            Self::Map(map) => Arc::new(map.take()?),
            Self::Struct(fields) => Arc::new(fields.take()?),
        })
    }
}

/// Where each name is, in lower case; the first of those that are the same.
pub(super) fn places<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    let mut places = HashMap::new();
    for (at, name) in names.enumerate() {
        places.entry(name.to_lowercase()).or_insert(at);
    }
    places
}

/// Where what has so many items ends. More than an offset holds are cut by whoever asks: [`checked`].
fn end_of(column: &Column) -> i32 {
    i32::try_from(column.len()).unwrap_or(-1)
}

fn checked(offsets: &mut Vec<i32>) -> Result<OffsetBuffer<i32>> {
    let offsets = std::mem::replace(offsets, vec![0]);
    match offsets.iter().any(|offset| *offset < 0) {
        true => Err(Error::limit("some rows' lists have too many items to be read")),
        false => Ok(OffsetBuffer::new(offsets.into())),
    }
}

fn not_built(cause: datafusion::arrow::error::ArrowError) -> Error {
    Error::internal("a column can't be built").source(cause)
}

impl List {
    /// Ends a list, or adds none at all.
    pub(super) fn end(&mut self, is_there: bool) {
        self.offsets.push(end_of(&self.item));
        self.there.append(is_there);
    }

    fn take(&mut self) -> Result<ListArray> {
        let field = Arc::new(Field::new("item", self.item_type.clone(), true));
        let (offsets, there) = (checked(&mut self.offsets)?, self.there.finish());
        ListArray::try_new(field, offsets, self.item.take()?, there).map_err(not_built)
    }
}

impl Map {
    /// Ends a map, or adds none at all.
    pub(super) fn end(&mut self, is_there: bool) {
        self.offsets.push(end_of(&self.value));
        self.there.append(is_there);
    }

    fn take(&mut self) -> Result<MapArray> {
        let Arrow::Struct(fields) = self.field.data_type() else {
            return Err(Error::internal("a map has no entries"));
        };
        let entries = vec![self.key.take()?, self.value.take()?];
        let entries = StructArray::try_new(fields.clone(), entries, None).map_err(not_built)?;
        let (offsets, there) = (checked(&mut self.offsets)?, self.there.finish());
        MapArray::try_new(Arc::clone(&self.field), offsets, entries, there, false).map_err(not_built)
    }
}

impl Struct {
    /// Where the field of a name is.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        place_in(&self.places, name)
    }

    /// Ends a struct of so many before it: fields that had no value are NULL.
    pub(super) fn end(&mut self) {
        self.there.append_non_null();
        let length = self.there.len();
        for member in &mut self.members {
            if member.len() < length {
                member.null();
            }
        }
    }

    fn take(&mut self) -> Result<StructArray> {
        let (length, there) = (self.there.len(), self.there.finish());
        let members = self
            .members
            .iter_mut()
            .map(Column::take)
            .collect::<Result<Vec<_>>>()?;
        StructArray::try_new_with_length(self.fields.clone(), members, there, length).map_err(not_built)
    }
}

/// Where a name is among names in lower case.
pub(super) fn place_in(places: &HashMap<String, usize>, name: &str) -> Option<usize> {
    let is_folded = name.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    match is_folded {
        true => places.get(name).copied(),
        false => places.get(&name.to_lowercase()).copied(),
    }
}
