//! A CSV file that comes in pieces: its byte order mark, its records, its end.

use super::records::{Marks, Record, Splitter};
use crate::{ClassifyError, ClassifyErrorKind, CsvDialect};

/// Splits a file into records, piece by piece.
#[derive(Debug)]
pub(crate) struct Pieces {
    splitter: Result<Splitter, ClassifyError>,
    /// The first bytes, until there are enough to see a byte order mark.
    start: Option<Vec<u8>>,
}

impl Pieces {
    /// Starts a file. A dialect that can't be used is an error of the first [`feed`](Self::feed).
    pub(crate) fn new(dialect: &CsvDialect) -> Pieces {
        Pieces {
            splitter: Marks::of_dialect(dialect).map(Splitter::new),
            start: Some(Vec::new()),
        }
    }

    /// Takes the next bytes, and calls `each` with every record that ends in them.
    ///
    /// # Errors
    ///
    /// TooLarge for a record beyond a limit, Unsupported for UTF-16 and for a dialect that can't be used.
    pub(crate) fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Record)) -> Result<(), ClassifyError> {
        let Some(mut start) = self.start.take() else {
            return self.split(bytes, each);
        };
        start.extend_from_slice(bytes);
        if start.len() < 3 {
            self.start = Some(start);
            return Ok(());
        }
        self.split_start(&start, each)
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed), and Malformed when the file ends inside quotes.
    pub(crate) fn finish(mut self, each: &mut dyn FnMut(&Record)) -> Result<(), ClassifyError> {
        if let Some(start) = self.start.take() {
            self.split_start(&start, each)?;
        }
        let mut cut_off = None;
        self.splitter?.finish(&mut |record| {
            cut_off = record.unterminated.then_some(record.first_line + 1);
            each(record);
            true
        })?;
        match cut_off {
            None => Ok(()),
            Some(line) => Err(ClassifyError::new(
                ClassifyErrorKind::Malformed,
                format!(
                    "the CSV ends inside quotes (its last record starts in line {line}): it was cut off, or a quote is never \
                     closed"
                ),
            )),
        }
    }

    fn split_start(&mut self, start: &[u8], each: &mut dyn FnMut(&Record)) -> Result<(), ClassifyError> {
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            let message = "the CSV is in UTF-16; decode it to UTF-8 first";
            return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
        }
        self.split(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start), each)
    }

    fn split(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Record)) -> Result<(), ClassifyError> {
        let splitter = self.splitter.as_mut().map_err(|error| error.clone())?;
        splitter.feed(bytes, &mut |record| {
            each(record);
            true
        })?;
        Ok(())
    }
}
