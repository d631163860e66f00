//! Reads the rows of a CSV file whose dialect is known, piece by piece.

use std::borrow::Cow;

use super::pieces::Pieces;
use super::records::Record;
use super::rows::Rows;
use super::table::text_of;
use crate::{ClassifyError, CsvDialect};

/// Reads the rows of a CSV file by its dialect: without what stands above the table, its header, what stands between
/// header and rows, comments, blank lines and footer. Memory depends on the longest record, not on the length of the
/// file. Rows have as many fields as the file gives them.
#[derive(Debug)]
pub struct CsvReader {
    pieces: Pieces,
    rows: Rows,
}

/// A row of a [`CsvReader`].
#[derive(Debug)]
pub struct CsvRow<'a> {
    record: &'a Record,
}

impl CsvReader {
    /// Starts a file. A dialect that can't be used is an error of the first [`feed`](Self::feed).
    pub fn new(dialect: &CsvDialect) -> Self {
        CsvReader {
            pieces: Pieces::new(dialect),
            rows: Rows::new(dialect),
        }
    }

    /// Takes the next bytes, as [`CsvScanner::feed`](crate::CsvScanner::feed) does, and calls `each` with every row that is
    /// known to be one by then.
    ///
    /// # Errors
    ///
    /// Those of [`CsvScanner::feed`](crate::CsvScanner::feed).
    pub fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(CsvRow<'_>)) -> Result<(), ClassifyError> {
        let CsvReader { pieces, rows } = self;
        pieces.feed(bytes, &mut |record| {
            rows.observe(record, &mut |record| each(CsvRow { record }));
        })
    }

    /// Ends the file: its last row may have no line end.
    ///
    /// # Errors
    ///
    /// Those of [`CsvScanner::finish`](crate::CsvScanner::finish).
    pub fn finish(self, each: &mut dyn FnMut(CsvRow<'_>)) -> Result<(), ClassifyError> {
        let CsvReader { pieces, mut rows } = self;
        pieces.finish(&mut |record| {
            rows.observe(record, &mut |record| each(CsvRow { record }));
        })
    }
}

impl CsvRow<'_> {
    /// How many fields it has.
    pub fn width(&self) -> usize {
        self.record.len()
    }

    /// A field as text: UTF-8, and where it isn't that, a character for each byte. `None` beyond the last.
    pub fn field(&self, at: usize) -> Option<Cow<'_, str>> {
        (at < self.record.len()).then(|| text_of(self.record.field(at)))
    }

    /// Whether a field is in quotes: then it is a text, also where it would stand for a null without them.
    pub fn is_quoted(&self, at: usize) -> bool {
        self.record.is_quoted(at)
    }

    /// The line of the file that it begins on, from 1.
    pub fn line(&self) -> u64 {
        self.record.first_line + 1
    }
}
