//! Types every value of a whole CSV file, piece by piece.

use super::pieces::Pieces;
use super::records::Record;
use super::rows::Rows;
use super::table::TableSummary;
use crate::{ClassifyError, CsvDialect, Scanned};

/// Types every value of a CSV file whose dialect is known, so that a value in its last row counts too. Memory depends on
/// the width of the table and on the longest record, not on the length of the file.
#[derive(Debug)]
pub struct CsvScanner {
    pieces: Pieces,
    rows: Rows,
    table: TableSummary,
}

impl CsvScanner {
    /// Starts a file. A dialect that can't be used is an error of the first [`feed`](Self::feed).
    pub fn new(dialect: &CsvDialect) -> Self {
        CsvScanner {
            pieces: Pieces::new(dialect),
            rows: Rows::new(dialect),
            table: TableSummary::default(),
        }
    }

    /// Takes the next bytes: uncompressed, in UTF-8 or an encoding of one byte a character. Pieces may end anywhere.
    ///
    /// # Errors
    ///
    /// TooLarge for a record beyond a [limit](crate::limits), Unsupported for UTF-16 (decode it first) and for a dialect
    /// that can't be used. After an error the scanner is of no more use.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ClassifyError> {
        let CsvScanner { pieces, rows, table } = self;
        pieces.feed(bytes, &mut |record: &Record| {
            rows.observe(record, &mut |row| table.observe(row));
        })
    }

    /// Ends the file. A table of only a header has columns that are [`Null`](crate::DataType::Null).
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed), and Malformed when the file ends inside quotes.
    pub fn finish(self) -> Result<Scanned, ClassifyError> {
        let CsvScanner {
            pieces,
            mut rows,
            mut table,
        } = self;
        pieces.finish(&mut |record: &Record| {
            rows.observe(record, &mut |row| table.observe(row));
        })?;
        Ok(Scanned {
            rows: table.rows(),
            columns: table.columns(rows.header()),
        })
    }
}
