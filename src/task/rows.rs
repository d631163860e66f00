//! A query's rows as text, for people and programs to read: written under a limit of bytes, and said in pieces.
//!
//! What is written is held back until it is large or all there, so that a result of common size is there as a whole or
//! not at all. Only a larger one may end with an error in the middle.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;

use super::read::to_json::Writer;
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
        let writers = batch.columns().iter().map(Writer::new);
        let writers = writers.collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            if self.rows == self.limit {
                return Ok(false);
            }
            self.write_row(&writers, row)?;
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

    fn write_row(&mut self, writers: &[Writer<'_>], row: usize) -> Result<()> {
        if self.rows > 0 && self.form == RowForm::Listed {
            self.text.push(b',');
        }
        self.text.push(b'[');
        for (index, writer) in writers.iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            writer.json(row, &mut self.text)?;
            if self.room().is_none() {
                return Err(self.too_large(index));
            }
        }
        self.text.push(b']');
        if self.form == RowForm::Lines {
            self.text.push(b'\n');
        }
        if self.room().is_none() {
            return Err(self.too_large(writers.len().saturating_sub(1)));
        }
        self.rows += 1;
        Ok(())
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

/// A number of bytes in words: `64 MiB` where it is that, else `1000 bytes`.
fn size(bytes: u64) -> String {
    match bytes {
        whole if whole >= 1 << 20 && whole % (1 << 20) == 0 => format!("{} MiB", whole >> 20),
        other => format!("{other} bytes"),
    }
}
