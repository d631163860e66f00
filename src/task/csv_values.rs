//! Values as CSV has them, written as bytes: numbers, dates and times by hand, because they are most of what is written;
//! the rest as the engine shows it.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowTimestampType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::arrow_types::TIMESTAMP;

/// What numbers, dates and times are written with.
pub(super) const SIGNS: &str = "0123456789+-.: Nainf";

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// Writes the value of a row.
type WriteRow<'a> = Box<dyn Fn(usize, &mut Vec<u8>) -> Result<(), ArrowError> + 'a>;

/// A column's values.
pub(super) enum Values<'a> {
    /// NULL throughout.
    Nothing,
    /// Texts.
    Texts(Box<dyn Fn(usize) -> &'a str + 'a>),
    /// Numbers, dates and times: nothing but [`SIGNS`].
    Signs(WriteRow<'a>),
    /// Anything else.
    Other(ArrayFormatter<'a>),
}

impl<'a> Values<'a> {
    /// The values of a column.
    ///
    /// # Errors
    /// For a column of a type that a field can't hold: an array, a map, a struct.
    pub(super) fn of(column: &'a ArrayRef) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Null => Self::Nothing,
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                Self::Texts(Box::new(|row| texts.value(row)))
            }
            DataType::LargeUtf8 => {
                let texts = column.as_string::<i64>();
                Self::Texts(Box::new(|row| texts.value(row)))
            }
            DataType::Utf8View => {
                let texts = column.as_string_view();
                Self::Texts(Box::new(|row| texts.value(row)))
            }
            DataType::Int8 => integers(column.as_primitive::<Int8Type>()),
            DataType::Int16 => integers(column.as_primitive::<Int16Type>()),
            DataType::Int32 => integers(column.as_primitive::<Int32Type>()),
            DataType::Int64 => integers(column.as_primitive::<Int64Type>()),
            DataType::UInt8 => integers(column.as_primitive::<UInt8Type>()),
            DataType::UInt16 => integers(column.as_primitive::<UInt16Type>()),
            DataType::UInt32 => integers(column.as_primitive::<UInt32Type>()),
            DataType::UInt64 => integers(column.as_primitive::<UInt64Type>()),
            DataType::Float32 => {
                let numbers = column.as_primitive::<Float32Type>();
                signs(move |row, out| float(out, numbers.value(row)))
            }
            DataType::Float64 => {
                let numbers = column.as_primitive::<Float64Type>();
                signs(move |row, out| float(out, numbers.value(row)))
            }
            DataType::Decimal128(precision, scale) => {
                let (precision, scale) = (usize::from(*precision), usize::try_from(*scale).ok());
                let numbers = column.as_primitive::<Decimal128Type>();
                let written = move |row: usize, out: &mut Vec<u8>| {
                    scale.is_some_and(|scale| decimal(out, numbers.value(row), precision, scale))
                };
                or_as_shown(column, written)?
            }
            DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>();
                or_as_shown(column, move |row, out| date(out, i64::from(days.value(row))))?
            }
            DataType::Timestamp(unit, None) => match unit {
                TimeUnit::Second => timestamps(column, column.as_primitive::<TimestampSecondType>(), 1)?,
                TimeUnit::Millisecond => {
                    timestamps(column, column.as_primitive::<TimestampMillisecondType>(), 1_000)?
                }
                TimeUnit::Microsecond => timestamps(
                    column,
                    column.as_primitive::<TimestampMicrosecondType>(),
                    1_000_000,
                )?,
                TimeUnit::Nanosecond => timestamps(
                    column,
                    column.as_primitive::<TimestampNanosecondType>(),
                    1_000_000_000,
                )?,
            },
            nested if nested.is_nested() => {
                return Err(ArrowError::CsvError(format!(
                    "CSV has no fields of the type {nested}; cast it to text"
                )));
            }
            _ => Self::Other(shown(column)?),
        })
    }
}

/// Values as the engine shows them.
fn shown(column: &ArrayRef) -> Result<ArrayFormatter<'_>, ArrowError> {
    let format = FormatOptions::default()
        .with_timestamp_format(Some(TIMESTAMP))
        .with_datetime_format(Some(TIMESTAMP));
    ArrayFormatter::try_new(column.as_ref(), &format)
}

fn signs<'a>(write: impl Fn(usize, &mut Vec<u8>) + 'a) -> Values<'a> {
    Values::Signs(Box::new(move |row, out| {
        write(row, out);
        Ok(())
    }))
}

/// Values that are written by hand; those that aren't, which it says, as the engine shows them.
fn or_as_shown<'a>(
    column: &'a ArrayRef,
    write: impl Fn(usize, &mut Vec<u8>) -> bool + 'a,
) -> Result<Values<'a>, ArrowError> {
    let shown = shown(column)?;
    Ok(Values::Signs(Box::new(move |row, out| {
        if !write(row, out) {
            let mut text = String::new();
            show(&shown, row, &mut text)?;
            out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    })))
}

/// Writes a value as the engine shows it.
///
/// # Errors
/// Where it can't be shown: a time beyond all calendars.
pub(super) fn show(values: &ArrayFormatter<'_>, row: usize, text: &mut String) -> Result<(), ArrowError> {
    write!(text, "{}", values.value(row))
        .map_err(|_| ArrowError::CsvError("a value can't be written".to_owned()))
}

fn integers<T>(numbers: &PrimitiveArray<T>) -> Values<'_>
where
    T: datafusion::arrow::datatypes::ArrowPrimitiveType,
    T::Native: itoa::Integer,
{
    signs(|row, out| out.extend_from_slice(itoa::Buffer::new().format(numbers.value(row)).as_bytes()))
}

/// The digits of a number and never an exponent: the fewest that read back as the same number, with a fraction.
fn float<F: ryu::Float + std::fmt::Display>(out: &mut Vec<u8>, number: F) {
    let mut buffer = ryu::Buffer::new();
    let short = buffer.format(number);
    if !short.contains(['e', 'N', 'i']) {
        out.extend_from_slice(short.as_bytes());
        return;
    }
    let long = number.to_string();
    out.extend_from_slice(long.as_bytes());
    if !long.contains(['.', 'N', 'i']) {
        out.extend_from_slice(b".0");
    }
}

/// Writes a decimal. Nothing, and `false`, where it has more digits than its type allows.
fn decimal(out: &mut Vec<u8>, number: i128, precision: usize, scale: usize) -> bool {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number.unsigned_abs()).as_bytes();
    if digits.len() > precision {
        return false;
    }
    if number < 0 {
        out.push(b'-');
    }
    match digits.split_at_checked(digits.len().wrapping_sub(scale)) {
        _ if scale == 0 => out.extend_from_slice(digits),
        Some((whole, fraction)) if !whole.is_empty() => {
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        _ => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }
    true
}

fn timestamps<'a, T: ArrowTimestampType>(
    column: &'a ArrayRef,
    times: &'a PrimitiveArray<T>,
    of_a_second: i64,
) -> Result<Values<'a>, ArrowError> {
    or_as_shown(column, move |row, out| {
        let time = times.value(row);
        let nanos = time.rem_euclid(of_a_second) * (1_000_000_000 / of_a_second);
        timestamp(out, time.div_euclid(of_a_second), nanos)
    })
}

/// Writes a time as [`TIMESTAMP`] says. Nothing, and `false`, where its year hasn't four digits.
fn timestamp(out: &mut Vec<u8>, seconds: i64, nanos: i64) -> bool {
    if !date(out, seconds.div_euclid(SECONDS_OF_A_DAY)) {
        return false;
    }
    let second = seconds.rem_euclid(SECONDS_OF_A_DAY);
    out.push(b' ');
    digits::<2>(out, second / 3600);
    out.push(b':');
    digits::<2>(out, second / 60 % 60);
    out.push(b':');
    digits::<2>(out, second % 60);
    if nanos == 0 {
        return true;
    }
    out.push(b'.');
    match nanos {
        nanos if nanos % 1_000_000 == 0 => digits::<3>(out, nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => digits::<6>(out, nanos / 1_000),
        nanos => digits::<9>(out, nanos),
    }
    true
}

/// Writes the date so many days after 1 January 1970. Nothing, and `false`, where its year hasn't four digits.
fn date(out: &mut Vec<u8>, days: i64) -> bool {
    // Years that begin in March have their leap day at the end, and 400 of them always the same number of days.
    const DAYS_OF_400_YEARS: i64 = 146_097;
    const FROM_YEAR_0: i64 = 719_468;
    let from_year_0 = days + FROM_YEAR_0;
    let day = from_year_0.rem_euclid(DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next = month >= 10;
    let month = if is_next { month - 9 } else { month + 3 };
    let year = year + from_year_0.div_euclid(DAYS_OF_400_YEARS) * 400 + i64::from(is_next);
    if !(0..=9999).contains(&year) {
        return false;
    }
    digits::<4>(out, year);
    out.push(b'-');
    digits::<2>(out, month);
    out.push(b'-');
    digits::<2>(out, day);
    true
}

/// Writes a number that is not below zero in so many digits.
fn digits<const COUNT: usize>(out: &mut Vec<u8>, mut number: i64) {
    let mut written = [b'0'; COUNT];
    for digit in written.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    out.extend_from_slice(&written);
}
