//! CSV as it is written, and the same as the engine shows values.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, NullArray, StringArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, TimeUnit};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::*;
use crate::task::arrow_types::TIMESTAMP;

fn batch() -> RecordBatch {
    let decimals = Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(9, 2);
    RecordBatch::try_from_iter([
        (
            "text",
            Arc::new(StringArray::from(vec![Some(""), None])) as ArrayRef,
        ),
        ("a,b", Arc::new(StringArray::from(vec!["said \"hi\"", "x\ny"]))),
        ("n", Arc::new(Float64Array::from(vec![1e21, 1e-7]))),
        ("d", Arc::new(decimals.unwrap())),
    ])
    .unwrap()
}

/// A batch below its header.
fn written(options: CsvOptions, batch: &RecordBatch) -> Result<Lines, ArrowError> {
    let encoder = CsvEncoder::new(options);
    let header = encoder.header(batch.schema_ref())?;
    let lines = encoder.encode(batch)?;
    Ok(Lines {
        bytes: [header.bytes, lines.bytes].concat(),
        quoted: header.quoted || lines.quoted,
        ..lines
    })
}

fn encoded(options: CsvOptions) -> (String, bool) {
    let lines = written(options, &batch()).unwrap();
    (String::from_utf8(lines.bytes).unwrap(), lines.quoted)
}

#[test]
fn nothing_and_the_empty_text_are_two_things() {
    let (text, quoted) = encoded(CsvOptions::default());
    assert!(quoted);
    assert_eq!(
        text,
        "text,\"a,b\",n,d\n\"\",\"said \"\"hi\"\"\",1000000000000000000000.0,12.50\n,\"x\ny\",0.0000001,\n"
    );
}

#[test]
fn delimiter_header_and_quotes_are_as_wanted() {
    let (text, _) = encoded(CsvOptions {
        delimiter: '\t',
        header: false,
        quote: Quote::Always,
        ..CsvOptions::default()
    });
    assert_eq!(
        text,
        "\"\"\t\"said \"\"hi\"\"\"\t\"1000000000000000000000.0\"\t\"12.50\"\n\t\"x\ny\"\t\"0.0000001\"\t\n"
    );
}

#[test]
fn nothing_and_the_empty_text_are_written_as_told() {
    let options = |quote: Quote| CsvOptions {
        quote,
        null: "NULL".to_owned(),
        empty: Some("-".to_owned()),
        ..CsvOptions::default()
    };
    let texts = |values: Vec<Option<&str>>| {
        RecordBatch::try_from_iter([("t", Arc::new(StringArray::from(values)) as ArrayRef)]).unwrap()
    };
    let batch = texts(vec![None, Some(""), Some("NULL"), Some("-"), Some("x")]);
    let lines = written(options(Quote::Necessary), &batch).unwrap();
    assert_eq!(
        String::from_utf8(lines.bytes).unwrap(),
        "t\nNULL\n-\n\"NULL\"\n\"-\"\nx\n"
    );
    let error = written(options(Quote::Never), &texts(vec![Some("a,b")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Csv error: column t: 'a,b' can't be written without quotes, and output.quote is never"
    );
}

#[test]
fn a_row_whose_only_field_is_nothing_is_still_a_row() {
    let batch = RecordBatch::try_from_iter([(
        "t",
        Arc::new(StringArray::from(vec![Some("x"), None])) as ArrayRef,
    )])
    .unwrap();
    let lines = written(CsvOptions::default(), &batch).unwrap();
    assert_eq!((lines.quoted, lines.lone_nulls), (true, 1));
    assert_eq!(String::from_utf8(lines.bytes).unwrap(), "t\nx\n\"\"\n");
}

/// The same rows as the engine shows their values, one after the other.
fn by_the_engine(options: &CsvOptions, batch: &RecordBatch) -> Result<String, ArrowError> {
    let format = FormatOptions::default()
        .with_timestamp_format(Some(TIMESTAMP))
        .with_datetime_format(Some(TIMESTAMP));
    let value = |column: &ArrayRef, row: usize| -> Result<String, ArrowError> {
        let plain = |number: String| match number.contains(['.', 'N', 'i']) {
            true => number,
            false => number + ".0",
        };
        Ok(match column.data_type() {
            DataType::Float32 => plain(column.as_primitive::<Float32Type>().value(row).to_string()),
            DataType::Float64 => plain(column.as_primitive::<Float64Type>().value(row).to_string()),
            _ => ArrayFormatter::try_new(column, &format)?
                .value(row)
                .try_to_string()?,
        })
    };
    let mut lines = String::new();
    for row in 0..batch.num_rows() {
        for (at, column) in batch.columns().iter().enumerate() {
            if at > 0 {
                lines.push(options.delimiter);
            }
            if column.is_null(row) || column.data_type().is_null() {
                lines.push_str(&options.null);
                continue;
            }
            let value = value(column, row)?;
            let empty = options.empty.as_ref().filter(|_| value.is_empty());
            let is_taken = value == options.null || options.empty.as_ref() == Some(&value);
            let is_odd = value.is_empty() || is_taken || value.contains([options.delimiter, '"', '\n', '\r']);
            match (empty, options.quote) {
                (Some(empty), _) => lines.push_str(empty),
                (None, Quote::Never) if is_odd => return Err(unquoted(&value)),
                (None, Quote::Necessary | Quote::Never) if !is_odd => lines.push_str(&value),
                _ => lines.push_str(&format!("\"{}\"", value.replace('"', "\"\""))),
            }
        }
        lines.push('\n');
    }
    Ok(lines)
}

/// Numbers as they come, always the same: some small, some of any size.
fn numbers(count: usize) -> Vec<i64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.cast_signed()
    };
    (0..count).map(|at| next() >> (at % 64)).collect()
}

/// A column of each type, with NULLs.
fn of_each_type() -> Vec<(String, ArrayRef)> {
    let numbers: Vec<Option<i64>> = numbers(2_000)
        .into_iter()
        .chain([0, 1, -1, 10, 99, 100, i64::MIN, i64::MAX])
        .enumerate()
        .map(|(at, number)| (at % 7 != 3).then_some(number))
        .collect();
    let integers: ArrayRef = Arc::new(Int64Array::from(numbers.clone()));
    // Times that calendars know, of years with any number of digits.
    let times = numbers
        .iter()
        .map(|number| number.map(|number| number % 8_000_000_000_000));
    let times: ArrayRef = Arc::new(Int64Array::from(times.collect::<Vec<_>>()));
    let doubles = numbers
        .iter()
        .map(|number| number.map(|number| f64::from_bits(number.cast_unsigned())));
    let doubles: Vec<Option<f64>> = doubles
        .chain(
            [
                0.0,
                -0.0,
                1e15,
                1e16,
                1e17,
                0.1,
                1.5,
                123.456,
                f64::NAN,
                f64::INFINITY,
                -f64::INFINITY,
            ]
            .map(Some),
        )
        .take(numbers.len() + 11)
        .skip(11)
        .collect();
    let pieces = [
        "", "a", "NULL", "0", "-", "é", "ü|x", "a,b", "q\"q", "x\ny", "z\rz", "1.5",
    ];
    let texts = numbers
        .iter()
        .enumerate()
        .map(|(at, number)| number.map(|_| pieces[at % 12]));
    let texts: ArrayRef = Arc::new(StringArray::from(texts.collect::<Vec<_>>()));
    let small = numbers.iter().map(|number| number.map(|number| number % 100));
    let small: ArrayRef = Arc::new(Int64Array::from(small.collect::<Vec<_>>()));
    let positive = numbers
        .iter()
        .map(|number| number.map(|number| (number % 100).abs()));
    let positive: ArrayRef = Arc::new(Int64Array::from(positive.collect::<Vec<_>>()));
    let of_a_day = numbers
        .iter()
        .map(|number| number.map(|number| number.rem_euclid(86_400)));
    let of_a_day: ArrayRef = Arc::new(Int64Array::from(of_a_day.collect::<Vec<_>>()));
    let days = numbers
        .iter()
        .map(|number| number.map(|number| number % 9_000_000));
    let days: ArrayRef = Arc::new(Int64Array::from(days.collect::<Vec<_>>()));
    let days = cast(&days, &DataType::Int32).unwrap();
    let doubles: ArrayRef = Arc::new(Float64Array::from(doubles));
    let seconds = DataType::Timestamp(TimeUnit::Second, None);
    let zone = DataType::Timestamp(TimeUnit::Microsecond, Some("+02:00".into()));
    let made = [
        (&small, DataType::Int8),
        (&small, DataType::Int16),
        (&small, DataType::Int32),
        (&integers, DataType::Int64),
        (&positive, DataType::UInt8),
        (&positive, DataType::UInt16),
        (&positive, DataType::UInt32),
        (&positive, DataType::UInt64),
        (&positive, DataType::Boolean),
        (&doubles, DataType::Float32),
        (&doubles, DataType::Float64),
        (&texts, DataType::Utf8),
        (&texts, DataType::LargeUtf8),
        (&texts, DataType::Utf8View),
        (&texts, DataType::Binary),
        (
            &texts,
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        ),
        (&small, DataType::Decimal128(2, 0)),
        (&small, DataType::Decimal128(9, 7)),
        (&small, DataType::Decimal128(38, 3)),
        (&small, DataType::Decimal128(5, -2)),
        (&small, DataType::Decimal256(40, 4)),
        (&days, DataType::Date32),
        (&times, seconds),
        (&times, DataType::Timestamp(TimeUnit::Millisecond, None)),
        (&integers, DataType::Timestamp(TimeUnit::Nanosecond, None)),
        (&times, DataType::Timestamp(TimeUnit::Microsecond, None)),
        (&times, zone),
        (&times, DataType::Date64),
        (&of_a_day, DataType::Time64(TimeUnit::Microsecond)),
        (&small, DataType::Duration(TimeUnit::Second)),
    ];
    let columns = made
        .into_iter()
        .map(|(values, data_type)| (data_type.to_string(), cast(values, &data_type).unwrap()));
    let nothing: ArrayRef = Arc::new(NullArray::new(numbers.len()));
    // Fractions that come of a cast are few: here each is another.
    let cents: ArrayRef = Arc::new(
        Decimal128Array::from(
            numbers
                .iter()
                .map(|number| number.map(i128::from))
                .collect::<Vec<_>>(),
        )
        .with_precision_and_scale(38, 20)
        .unwrap(),
    );
    columns
        .chain([("nothing".to_owned(), nothing), ("cents".to_owned(), cents)])
        .collect()
}

#[test]
fn values_are_written_as_the_engine_shows_them() {
    let dialect = |delimiter, quote, null: &str, empty: Option<&str>| CsvOptions {
        delimiter,
        header: false,
        quote,
        null: null.to_owned(),
        empty: empty.map(str::to_owned),
    };
    let dialects = [
        CsvOptions {
            header: false,
            ..CsvOptions::default()
        },
        dialect('|', Quote::Always, "NULL", None),
        dialect('.', Quote::Necessary, "0", Some("-")),
        dialect('é', Quote::Necessary, "-1", Some("NULL")),
        dialect('\t', Quote::Never, "nothing", Some("0")),
        dialect(':', Quote::Never, "", None),
    ];
    let key: ArrayRef = Arc::new(StringArray::from(vec!["k"; 2_008]));
    for options in dialects {
        for (name, column) in of_each_type() {
            let batch = RecordBatch::try_from_iter([("k", Arc::clone(&key)), ("v", column)]).unwrap();
            // Of what can't be written without quotes, row by row tells more.
            let step = if options.quote == Quote::Never {
                1
            } else {
                batch.num_rows()
            };
            for from in (0..batch.num_rows()).step_by(step) {
                let rows = batch.slice(from, step);
                let ours =
                    written(options.clone(), &rows).map(|lines| String::from_utf8(lines.bytes).unwrap());
                let ours = ours.map_err(|cause| cause.to_string().replace("column v: ", ""));
                let theirs = by_the_engine(&options, &rows).map_err(|cause| cause.to_string());
                assert_eq!(ours, theirs, "{name} by {options:?}");
            }
        }
    }
}
