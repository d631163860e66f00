//! Arrow's values as JSON: numbers by their digits, texts with what must be escaped, structs, arrays and maps as such.

use std::io::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type, Int64Type, UInt64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Result};
use crate::task::arrow_types::TIMESTAMP;

/// Integers up to here are exact wherever JSON is read (RFC 8259, section 6).
const EXACT: u64 = 1 << 53;

/// Writes the values of one array.
pub(crate) struct Writer<'a> {
    array: &'a ArrayRef,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Boolean,
    /// Integers of 32 bits at the most: their digits.
    Digits(ArrayFormatter<'a>),
    Int64,
    UInt64,
    Float16,
    Float32,
    Float64,
    /// A number or a time as a text.
    Shown(ArrayFormatter<'a>),
    Text,
    Struct(Vec<(String, Writer<'a>)>),
    List(Box<Writer<'a>>),
    LargeList(Box<Writer<'a>>),
    FixedList(Box<Writer<'a>>, usize),
    Map(Box<Writer<'a>>, Box<Writer<'a>>),
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_timestamp_format(Some(TIMESTAMP))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));

impl<'a> Writer<'a> {
    /// # Errors
    /// Internal where the engine has no text for such values.
    pub(crate) fn new(array: &'a ArrayRef) -> Result<Self> {
        let shown = || {
            ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
                .map_err(|cause| Error::internal("a result can't be shown").source(cause))
        };
        let kind = match array.data_type() {
            DataType::Boolean => Kind::Boolean,
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Kind::Digits(shown()?),
            DataType::Int64 => Kind::Int64,
            DataType::UInt64 => Kind::UInt64,
            DataType::Float16 => Kind::Float16,
            DataType::Float32 => Kind::Float32,
            DataType::Float64 => Kind::Float64,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Struct(fields) => {
                let members = array.as_struct();
                let members = fields.iter().zip(members.columns());
                let members = members.map(|(field, column)| Ok((field.name().clone(), Writer::new(column)?)));
                Kind::Struct(members.collect::<Result<_>>()?)
            }
            DataType::List(_) => Kind::List(Box::new(Writer::new(array.as_list::<i32>().values())?)),
            DataType::LargeList(_) => {
                Kind::LargeList(Box::new(Writer::new(array.as_list::<i64>().values())?))
            }
            DataType::FixedSizeList(_, length) => Kind::FixedList(
                Box::new(Writer::new(array.as_fixed_size_list().values())?),
                usize::try_from(*length).unwrap_or(0),
            ),
            DataType::Map(_, _) => {
                let map = array.as_map();
                Kind::Map(
                    Box::new(Writer::new(map.keys())?),
                    Box::new(Writer::new(map.values())?),
                )
            }
            _ => Kind::Shown(shown()?),
        };
        Ok(Self { array, kind })
    }

    /// Writes a value as JSON. Integers that a double doesn't hold, and decimals, are texts.
    ///
    /// # Errors
    /// Internal where the engine can't write a value.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        if self.array.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.kind {
            Kind::Boolean => out.extend_from_slice(match self.array.as_boolean().value(row) {
                true => b"true",
                false => b"false",
            }),
            Kind::Digits(digits) => write!(out, "{}", digits.value(row)).map_err(unwritable)?,
            Kind::Int64 => {
                let value = self.array.as_primitive::<Int64Type>().value(row);
                integer(value, value.unsigned_abs() <= EXACT, out)?;
            }
            Kind::UInt64 => {
                let value = self.array.as_primitive::<UInt64Type>().value(row);
                integer(value, value <= EXACT, out)?;
            }
            Kind::Float16 | Kind::Float32 | Kind::Float64 => self.float(row, true, out)?,
            Kind::Shown(shown) => quoted(&shown.value(row).to_string(), out)?,
            Kind::Text => quoted(self.str(row), out)?,
            Kind::Struct(members) => {
                out.push(b'{');
                for (at, (name, member)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    quoted(name, out)?;
                    out.push(b':');
                    member.json(row, out)?;
                }
                out.push(b'}');
            }
            Kind::List(items) => {
                let offsets = self.array.as_list::<i32>().value_offsets();
                let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
                items.listed(start..end, out)?;
            }
            Kind::LargeList(items) => {
                let offsets = self.array.as_list::<i64>().value_offsets();
                let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
                items.listed(start..end, out)?;
            }
            Kind::FixedList(items, length) => {
                let start = self.array.as_fixed_size_list().value_offset(row) as usize;
                items.listed(start..start + length, out)?;
            }
            Kind::Map(keys, values) => {
                let offsets = self.array.as_map().value_offsets();
                let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
                out.push(b'{');
                for entry in start..end {
                    if entry > start {
                        out.push(b',');
                    }
                    let mut key = Vec::new();
                    keys.text(entry, &mut key)?;
                    quoted(&String::from_utf8_lossy(&key), out)?;
                    out.push(b':');
                    values.json(entry, out)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// Writes a value as a text of its own: a text as it is, everything else as in JSON, but without quotes around it.
    ///
    /// # Errors
    /// Internal where the engine can't write a value.
    pub(crate) fn text(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        match &self.kind {
            Kind::Text => out.extend_from_slice(self.str(row).as_bytes()),
            Kind::Shown(shown) => write!(out, "{}", shown.value(row)).map_err(unwritable)?,
            Kind::Int64 => {
                write!(out, "{}", self.array.as_primitive::<Int64Type>().value(row)).map_err(unwritable)?
            }
            Kind::UInt64 => {
                write!(out, "{}", self.array.as_primitive::<UInt64Type>().value(row)).map_err(unwritable)?
            }
            Kind::Float16 | Kind::Float32 | Kind::Float64 => self.float(row, false, out)?,
            _ => self.json(row, out)?,
        }
        Ok(())
    }

    fn listed(&self, items: std::ops::Range<usize>, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'[');
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.json(item, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn str(&self, row: usize) -> &str {
        match self.array.data_type() {
            DataType::Utf8View => self.array.as_string_view().value(row),
            DataType::LargeUtf8 => self.array.as_string::<i64>().value(row),
            _ => self.array.as_string::<i32>().value(row),
        }
    }

    /// The shortest digits that give the value back; JSON has no word for what is no number.
    fn float(&self, row: usize, is_json: bool, out: &mut Vec<u8>) -> Result<()> {
        let (text, is_finite) = match self.kind {
            Kind::Float16 => {
                let value = self.array.as_primitive::<Float16Type>().value(row).to_f32();
                (shortest(&value, value.abs() as f64), value.is_finite())
            }
            Kind::Float32 => {
                let value = self.array.as_primitive::<Float32Type>().value(row);
                (shortest(&value, f64::from(value.abs())), value.is_finite())
            }
            _ => {
                let value = self.array.as_primitive::<Float64Type>().value(row);
                (shortest(&value, value.abs()), value.is_finite())
            }
        };
        match is_finite || !is_json {
            true => out.extend_from_slice(text.as_bytes()),
            false => quoted(&text, out)?,
        }
        Ok(())
    }
}

/// A number's digits: with an exponent where it is very large or small.
fn shortest<F: std::fmt::Debug + std::fmt::LowerExp>(value: &F, size: f64) -> String {
    match size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
        true => format!("{value:?}"),
        false => format!("{value:e}"),
    }
}

fn integer(value: impl std::fmt::Display, is_exact: bool, out: &mut Vec<u8>) -> Result<()> {
    match is_exact {
        true => write!(out, "{value}"),
        false => write!(out, "\"{value}\""),
    }
    .map_err(unwritable)
}

fn quoted(text: &str, out: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(out, text).map_err(|cause| Error::internal("a result can't be shown").source(cause))
}

fn unwritable(cause: std::io::Error) -> Error {
    Error::internal("a result can't be shown").source(cause)
}
