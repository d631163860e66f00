//! Types every value of a whole CSV file, piece by piece.

use super::records::{Marks, Splitter};
use super::rows::Rows;
use crate::{ClassifyError, ClassifyErrorKind, CsvDialect, Scanned};

/// Types every value of a CSV file whose dialect is known, so that a value in its last row counts too. Memory depends on
/// the width of the table and on the longest record, not on the length of the file.
#[derive(Debug)]
pub struct CsvScanner {
    splitter: Result<Splitter, ClassifyError>,
    rows: Rows,
    /// The first bytes, until there are enough to see a byte order mark.
    start: Option<Vec<u8>>,
}

impl CsvScanner {
    /// Starts a file. A dialect that can't be used is an error of the first [`feed`](Self::feed).
    pub fn new(dialect: &CsvDialect) -> Self {
        CsvScanner {
            splitter: Marks::of_dialect(dialect).map(Splitter::new),
            rows: Rows::new(dialect),
            start: Some(Vec::new()),
        }
    }

    /// Takes the next bytes: uncompressed, in UTF-8 or an encoding of one byte a character. Pieces may end anywhere.
    ///
    /// # Errors
    ///
    /// TooLarge for a record beyond a [limit](crate::limits), Unsupported for UTF-16 (decode it first) and for a dialect
    /// that can't be used. After an error the scanner is of no more use.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ClassifyError> {
        match self.start.take() {
            None => self.split(bytes),
            Some(mut start) => {
                start.extend_from_slice(bytes);
                if start.len() < 3 {
                    self.start = Some(start);
                    return Ok(());
                }
                self.split_start(&start)
            }
        }
    }

    /// Ends the file. A table of only a header has columns that are [`Null`](crate::DataType::Null).
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed), and Malformed when the file ends inside quotes.
    pub fn finish(mut self) -> Result<Scanned, ClassifyError> {
        if let Some(start) = self.start.take() {
            self.split_start(&start)?;
        }
        let mut unterminated = false;
        let CsvScanner { splitter, rows, .. } = &mut self;
        let splitter = std::mem::replace(splitter, Err(finished())).map_err(|e| e.clone())?;
        splitter.finish(&mut |record| {
            unterminated |= record.unterminated;
            rows.observe(record);
            true
        })?;
        if unterminated {
            let message = format!(
                "the CSV ends inside quotes (the last record starts after {} rows): it was cut off, or a quote is \
                 never closed",
                self.rows.table().rows().saturating_sub(1)
            );
            return Err(ClassifyError::new(ClassifyErrorKind::Malformed, message));
        }
        let rows = self.rows.table().rows();
        Ok(Scanned {
            columns: self.rows.table().columns(self.rows.header()),
            rows,
        })
    }

    fn split_start(&mut self, start: &[u8]) -> Result<(), ClassifyError> {
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            let message = "the CSV is in UTF-16; decode it to UTF-8 first";
            return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
        }
        self.split(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start))
    }

    fn split(&mut self, bytes: &[u8]) -> Result<(), ClassifyError> {
        let CsvScanner { splitter, rows, .. } = self;
        let splitter = splitter.as_mut().map_err(|e| e.clone())?;
        splitter.feed(bytes, &mut |record| {
            rows.observe(record);
            true
        })?;
        Ok(())
    }
}

fn finished() -> ClassifyError {
    ClassifyError::new(ClassifyErrorKind::Malformed, "the scanner has already finished")
}
