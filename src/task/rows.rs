//! A query's rows as text, for people and programs to read: written under a limit of bytes, and said in pieces.
//!
//! What is written is held back until it is large or all there, so that a result of common size is there as a whole or
//! not at all. Only a larger one may end with an error in the middle.

use std::fmt::Write as _;

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;

use super::arrow_types::TIMESTAMP;
use super::speech::say_rows;
use super::wire::MAX_PIECE;
use super::{QueryWork, RowForm};
use crate::error::{Error, Result};

/// How much is held back at the most, in bytes.
const MAX_HELD: u64 = 64 << 20;

/// A result on its way.
pub(super) struct Rows {
    schema: SchemaRef,
    form: RowForm,
    limit: u64,
    max_bytes: u64,
    /// What wasn't said yet.
    text: Vec<u8>,
    /// How much of that there may be.
    hold: usize,
    said: u64,
    rows: u64,
}

impl Rows {
    /// Begins a result. A part of the memory that the process may use is for what is held back.
    pub(super) fn begin(work: &QueryWork, schema: SchemaRef, memory_bytes: u64) -> Self {
        Self {
            schema,
            form: work.form,
            limit: work.limit as u64,
            max_bytes: work.max_bytes,
            text: Vec::new(),
            hold: usize::try_from(MAX_HELD.min(memory_bytes / 16)).unwrap_or(MAX_PIECE),
            said: 0,
            rows: 0,
        }
    }

    /// Adds rows as far as they were asked for; false where there are more.
    ///
    /// # Errors
    /// Limit where they have too many bytes.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<bool> {
        let options = FormatOptions::default()
            .with_timestamp_format(Some(TIMESTAMP))
            .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));
        let formatters = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| Error::internal("a result can't be shown").source(cause))?;
        for row in 0..batch.num_rows() {
            if self.rows == self.limit {
                return Ok(false);
            }
            self.write_row(batch, &formatters, row)?;
            if self.text.len() > self.hold {
                self.say();
                // From here on there is no way back.
                self.hold = MAX_PIECE;
            }
        }
        Ok(true)
    }

    /// Says what is left, and answers with how many rows there were.
    pub(super) fn finish(mut self) -> u64 {
        self.say();
        self.rows
    }

    fn say(&mut self) {
        for piece in self.text.chunks(MAX_PIECE) {
            say_rows(piece);
        }
        self.said += self.text.len() as u64;
        self.text.clear();
        self.text.shrink_to(2 * MAX_PIECE);
    }

    fn write_row(
        &mut self,
        batch: &RecordBatch,
        formatters: &[ArrayFormatter<'_>],
        row: usize,
    ) -> Result<()> {
        if self.rows > 0 && self.form == RowForm::Listed {
            self.text.push(b',');
        }
        self.text.push(b'[');
        for (index, formatter) in formatters.iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            if batch.column(index).is_null(row) {
                self.text.extend_from_slice(b"null");
            } else {
                self.write_value(index, formatter, row)?;
            }
            if self.room().is_none() {
                return Err(self.too_large(index));
            }
        }
        self.text.push(b']');
        if self.form == RowForm::Lines {
            self.text.push(b'\n');
        }
        if self.room().is_none() {
            return Err(self.too_large(formatters.len().saturating_sub(1)));
        }
        self.rows += 1;
        Ok(())
    }

    fn write_value(&mut self, index: usize, formatter: &ArrayFormatter<'_>, row: usize) -> Result<()> {
        let mut value = Bounded {
            text: String::new(),
            room: self.room().unwrap_or_default(),
        };
        let written = write!(value, "{}", formatter.value(row));
        if written.is_err() {
            return Err(self.too_large(index));
        }
        let json = match self.schema.field(index).data_type() {
            numeric if numeric.is_numeric() || numeric.is_null() => {
                serde_json::from_str(&value.text).unwrap_or(Value::String(value.text))
            }
            DataType::Boolean => Value::Bool(value.text == "true"),
            _ => Value::String(value.text),
        };
        serde_json::to_writer(&mut self.text, &json)
            .map_err(|cause| Error::internal("a result can't be shown").source(cause))
    }

    /// How many bytes may follow; none where there are too many.
    fn room(&self) -> Option<u64> {
        self.max_bytes.checked_sub(self.said + self.text.len() as u64)
    }

    fn too_large(&self, column: usize) -> Error {
        let row = self.rows + 1;
        let name = self.schema.fields().get(column).map_or("", |field| field.name());
        Error::limit(format!(
            "the result is larger than the {} that query.max_bytes allows: column {name} of row {row} goes beyond it, \
             and up to {} rows were asked for",
            size(self.max_bytes),
            self.limit
        ))
        .hint("ask for fewer rows (LIMIT) or fewer columns, or raise query.max_bytes")
    }
}

/// Text that can't grow beyond its room.
struct Bounded {
    text: String,
    room: u64,
}

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        if (self.text.len() + more.len()) as u64 > self.room {
            return Err(std::fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

/// A number of bytes in words: `64 MiB` where it is that, else `1000 bytes`.
fn size(bytes: u64) -> String {
    match bytes {
        whole if whole >= 1 << 20 && whole % (1 << 20) == 0 => format!("{} MiB", whole >> 20),
        other => format!("{other} bytes"),
    }
}
