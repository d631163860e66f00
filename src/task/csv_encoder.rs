//! Rows as CSV: NULL is nothing and an empty text is `""` unless told otherwise, and a number has no exponent.

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::csv_values::{SIGNS, Values, show};
use crate::model::output::{CsvOptions, Quote};

/// Writes batches as lines, each by itself.
pub(super) struct CsvEncoder {
    options: CsvOptions,
    delimiter: Vec<u8>,
    /// The bytes that make a field need quotes; of a delimiter beyond ASCII, its first.
    marks: [bool; 256],
    /// Whether no number, date or time needs quotes.
    signs_are_plain: bool,
}

/// Some lines of a file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Whether any field was put in quotes.
    pub(super) quoted: bool,
    /// NULLs of an only column that were written as `""`: readers take an empty line for no row.
    pub(super) lone_nulls: u64,
}

impl CsvEncoder {
    pub(super) fn new(options: CsvOptions) -> Self {
        let delimiter = options.delimiter.to_string().into_bytes();
        let mut marks = [false; 256];
        for mark in [delimiter[0], b'"', b'\n', b'\r'] {
            marks[usize::from(mark)] = true;
        }
        let is_other = |text: &str| text.is_empty() || text.contains(|c| !SIGNS.contains(c));
        let signs_are_plain = options.quote != Quote::Always
            && !SIGNS.contains(options.delimiter)
            && is_other(&options.null)
            && options.empty.as_deref().is_none_or(is_other);
        Self {
            options,
            delimiter,
            marks,
            signs_are_plain,
        }
    }

    /// The header, where one is wanted.
    ///
    /// # Errors
    /// For a name that can't be written without the quotes that nobody wants.
    pub(super) fn header(&self, schema: &Schema) -> Result<Lines, ArrowError> {
        let mut lines = Lines::default();
        if self.options.header {
            for (at, field) in schema.fields().iter().enumerate() {
                self.between(&mut lines, at);
                self.field(&mut lines, field.name())?;
            }
            lines.bytes.push(b'\n');
        }
        Ok(lines)
    }

    /// The lines of a batch.
    ///
    /// # Errors
    /// For a column of a type that a field can't hold: an array, a map, a struct; and for a text that can't be written
    /// without the quotes that nobody wants.
    pub(super) fn encode(&self, batch: &RecordBatch) -> Result<Lines, ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .map(|column| Ok((column.nulls(), Values::of(column)?)))
            .collect::<Result<Vec<_>, ArrowError>>()?;
        let mut lines = Lines::default();
        for row in 0..batch.num_rows() {
            let start = lines.bytes.len();
            for (at, (nulls, values)) in columns.iter().enumerate() {
                self.between(&mut lines, at);
                match nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    true => lines.bytes.extend_from_slice(self.options.null.as_bytes()),
                    false => self
                        .value(&mut lines, values, row)
                        .map_err(|cause| in_column(batch.schema_ref().field(at).name(), cause))?,
                }
            }
            if lines.bytes.len() == start {
                self.lone_null(&mut lines)?;
            }
            lines.bytes.push(b'\n');
        }
        Ok(lines)
    }

    fn between(&self, lines: &mut Lines, at: usize) {
        if at > 0 {
            lines.bytes.extend_from_slice(&self.delimiter);
        }
    }

    fn value(&self, lines: &mut Lines, values: &Values<'_>, row: usize) -> Result<(), ArrowError> {
        match values {
            Values::Nothing => lines.bytes.extend_from_slice(self.options.null.as_bytes()),
            Values::Texts(text) => self.field(lines, text(row))?,
            Values::Signs(write) if self.signs_are_plain => write(row, &mut lines.bytes)?,
            Values::Signs(write) => {
                let mut signs = Vec::new();
                write(row, &mut signs)?;
                self.field(lines, &String::from_utf8_lossy(&signs))?;
            }
            Values::Other(values) => {
                let mut text = String::new();
                show(values, row, &mut text)?;
                self.field(lines, &text)?;
            }
        }
        Ok(())
    }

    fn field(&self, lines: &mut Lines, value: &str) -> Result<(), ArrowError> {
        let options = &self.options;
        if value.is_empty()
            && let Some(empty) = &options.empty
        {
            lines.bytes.extend_from_slice(empty.as_bytes());
            return Ok(());
        }
        let needs_quotes = self.needs_quotes(value);
        match options.quote {
            Quote::Never if needs_quotes => return Err(unquoted(value)),
            Quote::Always => {}
            _ if needs_quotes => {}
            _ => {
                lines.bytes.extend_from_slice(value.as_bytes());
                return Ok(());
            }
        }
        lines.quoted = true;
        lines.bytes.push(b'"');
        for byte in value.bytes() {
            if byte == b'"' {
                lines.bytes.push(b'"');
            }
            lines.bytes.push(byte);
        }
        lines.bytes.push(b'"');
        Ok(())
    }

    fn needs_quotes(&self, value: &str) -> bool {
        let options = &self.options;
        if value.is_empty() || value == options.null || options.empty.as_deref() == Some(value) {
            return true;
        }
        value.bytes().any(|byte| self.marks[usize::from(byte)])
            // What begins like a delimiter of several bytes may be another sign.
            && (self.delimiter.len() == 1 || value.contains([options.delimiter, '"', '\n', '\r']))
    }

    fn lone_null(&self, lines: &mut Lines) -> Result<(), ArrowError> {
        if self.options.quote == Quote::Never {
            return Err(ArrowError::CsvError(
                "a row whose only field is nothing would be an empty line, which readers take for no row: say with \
                 output.null what a NULL is written as"
                    .to_owned(),
            ));
        }
        lines.bytes.extend_from_slice(b"\"\"");
        lines.quoted = true;
        lines.lone_nulls += 1;
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

#[cfg(test)]
mod tests;
