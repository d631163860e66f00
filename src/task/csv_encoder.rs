//! Rows as CSV: NULL is nothing and an empty text is `""` unless told otherwise, and a number has no exponent.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::arrow_types::TIMESTAMP;
use crate::model::output::{CsvOptions, Quote};

/// Writes batches as lines.
pub(super) struct CsvEncoder {
    options: CsvOptions,
    begun: bool,
    /// Whether any field was put in quotes.
    pub(super) quoted: bool,
    /// NULLs of an only column that were written as `""`: readers take an empty line for no row.
    pub(super) lone_nulls: u64,
}

impl CsvEncoder {
    pub(super) fn new(options: CsvOptions) -> Self {
        Self {
            options,
            begun: false,
            quoted: false,
            lone_nulls: 0,
        }
    }

    /// The lines of a batch; before the first, the header where one is wanted.
    ///
    /// # Errors
    /// For a column of a type that a field can't hold: an array, a map, a struct; and for a text that can't be written
    /// without the quotes that nobody wants.
    pub(super) fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let mut lines = Vec::new();
        if !std::mem::replace(&mut self.begun, true) && self.options.header {
            let schema = batch.schema();
            let mut line = String::new();
            for (at, field) in schema.fields().iter().enumerate() {
                self.field(&mut line, at, Some(field.name()))?;
            }
            end(&mut lines, &line);
        }
        let format = FormatOptions::default()
            .with_timestamp_format(Some(TIMESTAMP))
            .with_datetime_format(Some(TIMESTAMP));
        let columns = batch
            .columns()
            .iter()
            .map(|column| Column::of(column, &format))
            .collect::<Result<Vec<_>, _>>()?;
        let (mut line, mut value) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            for (at, column) in columns.iter().enumerate() {
                value.clear();
                let is_there = column.write(row, &mut value)?;
                self.field(&mut line, at, is_there.then_some(value.as_str()))
                    .map_err(|cause| in_column(batch.schema().field(at).name(), cause))?;
            }
            if line.is_empty() {
                self.lone_null(&mut line)?;
            }
            end(&mut lines, &line);
        }
        Ok(lines)
    }

    fn field(&mut self, line: &mut String, at: usize, value: Option<&str>) -> Result<(), ArrowError> {
        let options = &self.options;
        if at > 0 {
            line.push(options.delimiter);
        }
        let value = match (value, &options.empty) {
            (None, _) => {
                line.push_str(&options.null);
                return Ok(());
            }
            (Some(""), Some(empty)) => {
                line.push_str(empty);
                return Ok(());
            }
            (Some(value), _) => value,
        };
        let stands_for_other = value == options.null || options.empty.as_deref() == Some(value);
        let needs_quotes =
            value.is_empty() || stands_for_other || value.contains([options.delimiter, '"', '\n', '\r']);
        match options.quote {
            Quote::Never if needs_quotes => return Err(unquoted(value)),
            Quote::Always => {}
            _ if needs_quotes => {}
            _ => {
                line.push_str(value);
                return Ok(());
            }
        }
        self.quoted = true;
        line.push('"');
        for c in value.chars() {
            if c == '"' {
                line.push('"');
            }
            line.push(c);
        }
        line.push('"');
        Ok(())
    }

    fn lone_null(&mut self, line: &mut String) -> Result<(), ArrowError> {
        if self.options.quote == Quote::Never {
            return Err(ArrowError::CsvError(
                "a row whose only field is nothing would be an empty line, which readers take for no row: say with \
                 output.null what a NULL is written as"
                    .to_owned(),
            ));
        }
        line.push_str("\"\"");
        self.quoted = true;
        self.lone_nulls += 1;
        Ok(())
    }
}

fn in_column(name: &str, cause: ArrowError) -> ArrowError {
    match cause {
        ArrowError::CsvError(what) => ArrowError::CsvError(format!("column {name}: {what}")),
        other => other,
    }
}

fn unquoted(value: &str) -> ArrowError {
    const SHOWN: usize = 60;
    let start: String = value.chars().take(SHOWN).collect();
    ArrowError::CsvError(format!(
        "'{}' can't be written without quotes, and output.quote is never",
        start.escape_debug()
    ))
}

fn end(lines: &mut Vec<u8>, line: &str) {
    lines.extend_from_slice(line.as_bytes());
    lines.push(b'\n');
}

/// A column's values as text.
enum Column<'a> {
    Float(&'a ArrayRef),
    Double(&'a ArrayRef),
    Other(&'a ArrayRef, ArrayFormatter<'a>),
}

impl<'a> Column<'a> {
    fn of(column: &'a ArrayRef, format: &FormatOptions<'a>) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Float32 => Self::Float(column),
            DataType::Float64 => Self::Double(column),
            nested if nested.is_nested() => {
                return Err(ArrowError::CsvError(format!(
                    "CSV has no fields of the type {nested}; cast it to text"
                )));
            }
            _ => Self::Other(column, ArrayFormatter::try_new(column.as_ref(), format)?),
        })
    }

    /// Writes the value of a row; says whether there is one.
    fn write(&self, row: usize, text: &mut String) -> Result<bool, ArrowError> {
        let (Self::Float(column) | Self::Double(column) | Self::Other(column, _)) = self;
        if column.is_null(row) || column.data_type() == &DataType::Null {
            return Ok(false);
        }
        match self {
            Self::Float(column) => plain(text, &column.as_primitive::<Float32Type>().value(row)),
            Self::Double(column) => plain(text, &column.as_primitive::<Float64Type>().value(row)),
            Self::Other(_, formatter) => write!(text, "{}", formatter.value(row))
                .map_err(|_| ArrowError::CsvError("a value can't be written".to_owned()))?,
        }
        Ok(true)
    }
}

/// The digits of a number and never an exponent: the fewest that read back as the same number, with a fraction.
fn plain(text: &mut String, number: &impl std::fmt::Display) {
    // Writing to a string doesn't fail.
    let _ = write!(text, "{number}");
    if !text.contains(['.', 'N', 'i']) {
        text.push_str(".0");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Decimal128Array, Float64Array, StringArray};

    use super::*;

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

    fn encoded(options: CsvOptions) -> (String, bool) {
        let mut encoder = CsvEncoder::new(options);
        let text = String::from_utf8(encoder.encode(&batch()).unwrap()).unwrap();
        (text, encoder.quoted)
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
        let mut encoder = CsvEncoder::new(options(Quote::Necessary));
        let batch = texts(vec![None, Some(""), Some("NULL"), Some("-"), Some("x")]);
        let lines = encoder.encode(&batch).unwrap();
        assert_eq!(
            String::from_utf8(lines).unwrap(),
            "t\nNULL\n-\n\"NULL\"\n\"-\"\nx\n"
        );
        let mut encoder = CsvEncoder::new(options(Quote::Never));
        let error = encoder.encode(&texts(vec![Some("a,b")])).unwrap_err();
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
        let mut encoder = CsvEncoder::new(CsvOptions::default());
        let lines = encoder.encode(&batch).unwrap();
        assert_eq!(String::from_utf8(lines).unwrap(), "t\nx\n\"\"\n");
        assert_eq!((encoder.quoted, encoder.lone_nulls), (true, 1));
    }
}
