//! A Parquet footer: its schema elements and its number of rows. The rest is passed over, but every byte of it is read,
//! so that a footer which would harm another reader is refused here.

use super::thrift::{FieldHeader, Reader, WireType, malformed, too_large};
use crate::ClassifyError;
use crate::limits::{NAME_BYTES, PARQUET_ROW_GROUPS, PARQUET_SCHEMA_ELEMENTS};

/// What of a footer matters for a schema.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) elements: Vec<Element>,
    pub(crate) rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    Boolean,
    Int32,
    Int64,
    Int96,
    Float,
    Double,
    ByteArray,
    FixedLenByteArray,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repetition {
    Required,
    Optional,
    Repeated,
}

/// What a column means, from its logical type or else its older converted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Annotation {
    Text,
    Enum,
    Json,
    Bson,
    Uuid,
    Map,
    List,
    Decimal {
        precision: i32,
        scale: i32,
    },
    Date,
    Time,
    Timestamp {
        /// Whether it counts nanoseconds, rather than milli- or microseconds.
        nanos: bool,
    },
    Integer {
        bits: u8,
        signed: bool,
    },
    /// Logical type UNKNOWN: a column of nulls.
    Null,
    Float16,
    Interval,
    Variant,
    Geo,
    /// Newer than this reader: the physical type says what there is to say.
    Other,
}

/// A node of the schema, in depth-first order.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) physical: Option<Physical>,
    pub(crate) repetition: Repetition,
    pub(crate) children: usize,
    pub(crate) annotation: Option<Annotation>,
}

/// Reads a whole footer.
///
/// # Errors
///
/// Malformed when it contradicts itself, TooLarge when it goes beyond a limit.
pub(crate) fn read(bytes: &[u8]) -> Result<Footer, ClassifyError> {
    let mut reader = Reader::new(bytes);
    let (mut elements, mut rows) = (None, None);
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        match (field.id, field.wire_type) {
            (2, WireType::List) => elements = Some(schema(&mut reader)?),
            (3, WireType::I64) => rows = Some(reader.i64()?),
            (4, WireType::List) => row_groups(&mut reader)?,
            (_, wire_type) => reader.skip(wire_type, 0)?,
        }
    }
    let elements = elements.ok_or_else(|| malformed("it has no schema"))?;
    let rows = rows.ok_or_else(|| malformed("it has no number of rows"))?;
    let rows = u64::try_from(rows).map_err(|_| malformed(&format!("its number of rows is {rows}")))?;
    Ok(Footer { elements, rows })
}

fn row_groups(reader: &mut Reader<'_>) -> Result<(), ClassifyError> {
    let (size, wire_type) = reader.list()?;
    if size > PARQUET_ROW_GROUPS {
        return Err(too_large(&format!(
            "it announces {size} row groups; at most {PARQUET_ROW_GROUPS} are read"
        )));
    }
    (0..size).try_for_each(|_| reader.skip_element(wire_type, 0))
}

fn schema(reader: &mut Reader<'_>) -> Result<Vec<Element>, ClassifyError> {
    let (size, wire_type) = reader.list()?;
    if wire_type != WireType::Struct || size == 0 {
        return Err(malformed("its schema is empty"));
    }
    if size > PARQUET_SCHEMA_ELEMENTS {
        return Err(too_large(&format!(
            "its schema has {size} elements; at most {PARQUET_SCHEMA_ELEMENTS} are read"
        )));
    }
    (0..size).map(|_| element(reader)).collect()
}

#[derive(Default)]
struct RawElement {
    name: Option<String>,
    physical: Option<Physical>,
    repetition: Option<Repetition>,
    children: usize,
    converted: Option<i32>,
    logical: Option<Annotation>,
    precision: i32,
    scale: i32,
}

fn element(reader: &mut Reader<'_>) -> Result<Element, ClassifyError> {
    let mut raw = RawElement::default();
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        element_field(reader, field, &mut raw)?;
    }
    let name = raw
        .name
        .ok_or_else(|| malformed("an element of its schema has no name"))?;
    let annotation = raw.logical.or(converted(raw.converted, raw.precision, raw.scale));
    Ok(Element {
        name,
        physical: raw.physical,
        repetition: raw.repetition.unwrap_or(Repetition::Required),
        children: raw.children,
        annotation,
    })
}

fn element_field(
    reader: &mut Reader<'_>,
    field: FieldHeader,
    raw: &mut RawElement,
) -> Result<(), ClassifyError> {
    match (field.id, field.wire_type) {
        (1, WireType::I32) => raw.physical = Some(physical(reader.i32()?)?),
        (3, WireType::I32) => {
            raw.repetition = Some(match reader.i32()? {
                0 => Repetition::Required,
                1 => Repetition::Optional,
                2 => Repetition::Repeated,
                other => return Err(malformed(&format!("repetition {other} does not exist"))),
            });
        }
        (4, WireType::Binary) => {
            let bytes = reader.binary()?;
            let name = std::str::from_utf8(bytes).map_err(|_| malformed("a column name is not UTF-8"))?;
            if name.len() > NAME_BYTES {
                let message = format!(
                    "a column name has {} bytes; at most {NAME_BYTES} are read",
                    name.len()
                );
                return Err(too_large(&message));
            }
            raw.name = Some(name.to_owned());
        }
        (5, WireType::I32) => {
            let children = reader.i32()?;
            raw.children = usize::try_from(children)
                .map_err(|_| malformed(&format!("an element of its schema has {children} children")))?;
        }
        (6, WireType::I32) => raw.converted = Some(reader.i32()?),
        (7, WireType::I32) => raw.scale = reader.i32()?,
        (8, WireType::I32) => raw.precision = reader.i32()?,
        (10, WireType::Struct) => raw.logical = logical(reader)?,
        (_, wire_type) => reader.skip(wire_type, 0)?,
    }
    Ok(())
}

fn physical(code: i32) -> Result<Physical, ClassifyError> {
    Ok(match code {
        0 => Physical::Boolean,
        1 => Physical::Int32,
        2 => Physical::Int64,
        3 => Physical::Int96,
        4 => Physical::Float,
        5 => Physical::Double,
        6 => Physical::ByteArray,
        7 => Physical::FixedLenByteArray,
        other => return Err(malformed(&format!("physical type {other} does not exist"))),
    })
}

fn converted(code: Option<i32>, precision: i32, scale: i32) -> Option<Annotation> {
    let integer = |bits, signed| Annotation::Integer { bits, signed };
    Some(match code? {
        0 => Annotation::Text,
        1 | 2 => Annotation::Map,
        3 => Annotation::List,
        4 => Annotation::Enum,
        5 => Annotation::Decimal { precision, scale },
        6 => Annotation::Date,
        7 | 8 => Annotation::Time,
        9 | 10 => Annotation::Timestamp { nanos: false },
        11 => integer(8, false),
        12 => integer(16, false),
        13 => integer(32, false),
        14 => integer(64, false),
        15 => integer(8, true),
        16 => integer(16, true),
        17 => integer(32, true),
        18 => integer(64, true),
        19 => Annotation::Json,
        20 => Annotation::Bson,
        21 => Annotation::Interval,
        _ => Annotation::Other,
    })
}

/// A union: the one field that is set says which. An empty one says nothing.
fn logical(reader: &mut Reader<'_>) -> Result<Option<Annotation>, ClassifyError> {
    let mut annotation = None;
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        let simple = match field.id {
            1 => Annotation::Text,
            2 => Annotation::Map,
            3 => Annotation::List,
            4 => Annotation::Enum,
            6 => Annotation::Date,
            7 => Annotation::Time,
            8 => Annotation::Timestamp { nanos: false },
            11 => Annotation::Null,
            12 => Annotation::Json,
            13 => Annotation::Bson,
            14 => Annotation::Uuid,
            15 => Annotation::Float16,
            16 => Annotation::Variant,
            17 | 18 => Annotation::Geo,
            _ => Annotation::Other,
        };
        annotation = Some(match (field.id, field.wire_type) {
            (5, WireType::Struct) => decimal(reader)?,
            (8, WireType::Struct) => timestamp(reader)?,
            (10, WireType::Struct) => integer(reader)?,
            (_, wire_type) => {
                reader.skip(wire_type, 0)?;
                simple
            }
        });
    }
    Ok(annotation)
}

fn decimal(reader: &mut Reader<'_>) -> Result<Annotation, ClassifyError> {
    let (mut precision, mut scale) = (0, 0);
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        match (field.id, field.wire_type) {
            (1, WireType::I32) => scale = reader.i32()?,
            (2, WireType::I32) => precision = reader.i32()?,
            (_, wire_type) => reader.skip(wire_type, 0)?,
        }
    }
    Ok(Annotation::Decimal { precision, scale })
}

fn integer(reader: &mut Reader<'_>) -> Result<Annotation, ClassifyError> {
    let (mut bits, mut signed) = (0, false);
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        match (field.id, field.wire_type) {
            (1, WireType::Byte) => bits = reader.raw_byte()?,
            (2, WireType::True) => signed = true,
            (2, WireType::False) => signed = false,
            (_, wire_type) => reader.skip(wire_type, 0)?,
        }
    }
    Ok(Annotation::Integer { bits, signed })
}

/// The second field is a union of units, of which the third is nanoseconds.
fn timestamp(reader: &mut Reader<'_>) -> Result<Annotation, ClassifyError> {
    let mut nanos = false;
    let mut last = 0;
    while let Some(field) = reader.field(&mut last)? {
        if (field.id, field.wire_type) != (2, WireType::Struct) {
            reader.skip(field.wire_type, 0)?;
            continue;
        }
        let mut last = 0;
        while let Some(unit) = reader.field(&mut last)? {
            nanos = unit.id == 3;
            reader.skip(unit.wire_type, 0)?;
        }
    }
    Ok(Annotation::Timestamp { nanos })
}
