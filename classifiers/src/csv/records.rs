//! Bytes to records: a state machine that is fed any pieces of a file and keeps at most one record.

use crate::limits::{CSV_FIELDS, CSV_RECORD_BYTES};
use crate::{ClassifyError, ClassifyErrorKind, CsvDialect};

/// What stands between two fields: one byte, or a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delimiter {
    bytes: [u8; Delimiter::MAX],
    len: u8,
}

impl Delimiter {
    /// Bytes that a delimiter has at most.
    pub(crate) const MAX: usize = 4;

    pub(crate) const fn one(byte: u8) -> Delimiter {
        Delimiter {
            bytes: [byte, 0, 0, 0],
            len: 1,
        }
    }

    /// `None` for none, too many, or a line end among them.
    pub(crate) fn of(text: &[u8]) -> Option<Delimiter> {
        let mut bytes = [0; Delimiter::MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let usable = !text.is_empty() && !text.contains(&b'\n') && !text.contains(&b'\r');
        usable.then_some(Delimiter {
            bytes,
            len: text.len() as u8,
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// The byte that completes it.
    fn last(self) -> u8 {
        self.as_bytes().last().copied().unwrap_or(0)
    }
}

/// How to split, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) delimiter: Delimiter,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
    pub(crate) skip_lines: u64,
    /// Whether a carriage return on its own ends a record. Otherwise only a line feed does.
    pub(crate) by_carriage_return: bool,
}

impl Marks {
    /// What makes text of the next byte outside of quotes: only where there are none.
    fn escape_of_plain(self) -> Option<u8> {
        self.escape.filter(|_| self.quote.is_none())
    }

    /// The bytes of a dialect.
    ///
    /// # Errors
    ///
    /// Unsupported when a quote, escape or comment mark isn't one ASCII character, or the delimiter is longer than four
    /// bytes.
    pub(crate) fn of_dialect(dialect: &CsvDialect) -> Result<Marks, ClassifyError> {
        let one = |what: &str, text: &str| match text.as_bytes() {
            [byte] if byte.is_ascii() => Ok(*byte),
            _ => {
                let message = format!("the CSV {what} is {text:?}; it must be one ASCII character");
                Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message))
            }
        };
        let maybe =
            |what: &str, text: &Option<String>| text.as_deref().map(|text| one(what, text)).transpose();
        let delimiter = Delimiter::of(dialect.delimiter.as_bytes()).ok_or_else(|| {
            let message = format!(
                "the CSV delimiter is {:?}; it must be one to four bytes and no line end",
                dialect.delimiter
            );
            ClassifyError::new(ClassifyErrorKind::Unsupported, message)
        })?;
        Ok(Marks {
            delimiter,
            quote: maybe("quote", &dialect.quote)?,
            escape: maybe("escape", &dialect.escape)?,
            comment: maybe("comment mark", &dialect.comment)?,
            skip_lines: dialect.skip_lines,
            by_carriage_return: dialect.line_terminator == "\r",
        })
    }
}

/// One record: its fields without their quotes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Bytes that the record takes up in the file.
    pub(crate) raw_bytes: usize,
    /// Fields with text after their closing quote, or with a quote in the middle of unquoted text.
    pub(crate) odd_quotes: u32,
    /// Those of the odd quotes that are apostrophes, or close a field that has one: `'it's'`.
    pub(crate) apostrophes: u32,
    /// Fields that were quoted as they should be.
    pub(crate) quoted: u32,
    /// Their places.
    quoted_places: Vec<usize>,
    /// Physical lines before the one that it starts on.
    pub(crate) first_line: u64,
    /// Whether the file ended inside quotes.
    pub(crate) unterminated: bool,
}

impl Record {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field's bytes; empty beyond the last.
    pub(crate) fn field(&self, at: usize) -> &[u8] {
        let start = if at == 0 { Some(&0) } else { self.ends.get(at - 1) };
        match (start, self.ends.get(at)) {
            (Some(&start), Some(&end)) => self.bytes.get(start..end).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The fields in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.field(at))
    }

    /// Whether a field was quoted as it should be.
    pub(crate) fn is_quoted(&self, at: usize) -> bool {
        self.quoted_places.binary_search(&at).is_ok()
    }

    /// Line breaks inside its fields.
    pub(crate) fn line_breaks(&self) -> u64 {
        self.bytes.iter().filter(|b| **b == b'\n').count() as u64
    }

    fn is_blank(&self) -> bool {
        self.ends.len() <= 1 && self.quoted == 0 && self.bytes.iter().all(|b| matches!(b, b' ' | b'\t'))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.raw_bytes = 0;
        self.odd_quotes = 0;
        self.apostrophes = 0;
        self.quoted = 0;
        self.quoted_places.clear();
        self.unterminated = false;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a line of the preamble.
    Skip,
    StartOfRecord,
    Comment,
    StartOfField,
    Plain,
    Quoted,
    /// After an escape character inside quotes.
    Escaped,
    /// After one where there are no quotes.
    PlainEscaped,
    /// After what may be a closing quote.
    QuoteInQuotes,
}

/// Splits bytes into records.
#[derive(Debug)]
pub(crate) struct Splitter {
    marks: Marks,
    state: State,
    record: Record,
    skipped: u64,
    /// Records seen, for error messages.
    records: u64,
    /// Physical lines ended so far.
    lines: u64,
    /// Bytes of a longer delimiter seen after a closing quote.
    matched: usize,
}

impl Splitter {
    pub(crate) fn new(marks: Marks) -> Self {
        let state = if marks.skip_lines > 0 {
            State::Skip
        } else {
            State::StartOfRecord
        };
        Splitter {
            marks,
            state,
            record: Record::default(),
            skipped: 0,
            records: 0,
            lines: 0,
            matched: 0,
        }
    }

    /// Takes the next bytes and calls `each` with every record that ends in them. Blank lines are not records.
    /// `each` stops the splitting by answering `false`.
    ///
    /// # Errors
    ///
    /// TooLarge when a record goes beyond a limit.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&Record) -> bool,
    ) -> Result<bool, ClassifyError> {
        let mut rest = bytes;
        loop {
            rest = self.ordinary_bytes(rest)?;
            let Some((&byte, after)) = rest.split_first() else {
                return Ok(true);
            };
            rest = after;
            let line_end = self.is_line_end(byte);
            let go_on = self.step(byte, line_end, each)?;
            self.lines += u64::from(line_end);
            if !go_on {
                return Ok(false);
            }
        }
    }

    /// Takes the bytes up to the next one that means something, all at once: most of a file.
    fn ordinary_bytes<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], ClassifyError> {
        let Marks {
            delimiter,
            quote,
            escape,
            ..
        } = self.marks;
        let last = delimiter.last();
        let escape_of_plain = self.marks.escape_of_plain();
        let line_end = if self.marks.by_carriage_return {
            b'\r'
        } else {
            b'\n'
        };
        let length = match self.state {
            State::Plain => bytes
                .iter()
                .position(|&b| b == last || b == line_end || Some(b) == quote || Some(b) == escape_of_plain),
            State::Quoted => bytes
                .iter()
                .position(|&b| Some(b) == quote || Some(b) == escape || b == line_end),
            _ => return Ok(bytes),
        };
        let length = length.unwrap_or(bytes.len());
        let (ordinary, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        self.record.raw_bytes += ordinary.len();
        self.check_length()?;
        self.record.bytes.extend_from_slice(ordinary);
        Ok(rest)
    }

    fn check_length(&self) -> Result<(), ClassifyError> {
        if self.record.raw_bytes > CSV_RECORD_BYTES {
            return Err(self.too_large(&format!("is longer than {} MiB", CSV_RECORD_BYTES >> 20)));
        }
        Ok(())
    }

    /// Bytes of the record that has begun and not ended.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.record.raw_bytes
    }

    /// Ends the input: a last record without a line end counts.
    pub(crate) fn finish(mut self, each: &mut dyn FnMut(&Record) -> bool) -> Result<(), ClassifyError> {
        match self.state {
            State::Skip | State::StartOfRecord | State::Comment => {}
            state => {
                self.record.unterminated = matches!(state, State::Quoted | State::Escaped);
                self.end_record(each)?;
            }
        }
        Ok(())
    }

    fn is_line_end(&self, byte: u8) -> bool {
        byte == if self.marks.by_carriage_return {
            b'\r'
        } else {
            b'\n'
        }
    }

    fn step(
        &mut self,
        byte: u8,
        line_end: bool,
        each: &mut dyn FnMut(&Record) -> bool,
    ) -> Result<bool, ClassifyError> {
        match self.state {
            State::Skip => {
                if line_end {
                    self.skipped += 1;
                    if self.skipped >= self.marks.skip_lines {
                        self.state = State::StartOfRecord;
                    }
                }
                return Ok(true);
            }
            State::Comment => {
                if line_end {
                    self.state = State::StartOfRecord;
                }
                return Ok(true);
            }
            State::StartOfRecord if Some(byte) == self.marks.comment => {
                self.state = State::Comment;
                return Ok(true);
            }
            _ => {}
        }
        if self.record.raw_bytes == 0 {
            self.record.first_line = self.lines;
        }
        self.record.raw_bytes += 1;
        self.check_length()?;
        if line_end && !matches!(self.state, State::Quoted | State::Escaped) {
            return self.end_record(each);
        }
        self.text(byte)?;
        Ok(true)
    }

    /// A byte that ends neither a line of preamble nor a record.
    fn text(&mut self, byte: u8) -> Result<(), ClassifyError> {
        let is_quote = Some(byte) == self.marks.quote;
        match self.state {
            State::Quoted => {
                if Some(byte) == self.marks.escape {
                    self.state = State::Escaped;
                } else if is_quote {
                    self.state = State::QuoteInQuotes;
                } else {
                    self.record.bytes.push(byte);
                }
            }
            State::Escaped => {
                // Only the quote and the escape itself are escaped; `\N` and `\t` stay as they are.
                if !is_quote && Some(byte) != self.marks.escape {
                    self.record.bytes.extend(self.marks.escape);
                }
                self.record.bytes.push(byte);
                self.state = State::Quoted;
            }
            State::PlainEscaped => {
                if byte != self.marks.delimiter.last() && Some(byte) != self.marks.escape {
                    self.record.bytes.extend(self.marks.escape);
                }
                self.record.bytes.push(byte);
                self.state = State::Plain;
            }
            State::StartOfRecord | State::StartOfField | State::Plain
                if Some(byte) == self.marks.escape_of_plain() =>
            {
                self.state = State::PlainEscaped;
            }
            State::QuoteInQuotes if is_quote => {
                self.record.bytes.push(byte);
                self.state = State::Quoted;
            }
            State::StartOfRecord | State::StartOfField if is_quote => {
                let start = self.record.ends.last().copied().unwrap_or(0);
                self.record.bytes.truncate(start);
                self.state = State::Quoted;
            }
            State::QuoteInQuotes if self.continues_delimiter(byte) => {
                self.matched += 1;
                if self.matched == self.marks.delimiter.as_bytes().len() {
                    return self.end_field();
                }
            }
            State::StartOfRecord | State::StartOfField | State::Plain if self.completes_delimiter(byte) => {
                let first_bytes = self.marks.delimiter.as_bytes().len() - 1;
                self.record.bytes.truncate(self.record.bytes.len() - first_bytes);
                return self.end_field();
            }
            // Half of a line end, most likely; a blank after a closing quote is harmless too.
            State::QuoteInQuotes if matches!(byte, b'\r' | b' ' | b'\t') => {}
            State::QuoteInQuotes => {
                self.record.odd_quotes += 1;
                let is_apostrophe = self.marks.quote == Some(b'\'')
                    && byte.is_ascii_alphabetic()
                    && matches!(self.record.bytes.last(), Some(b' ' | b'a'..=b'z' | b'A'..=b'Z'));
                self.record.apostrophes += u32::from(is_apostrophe);
                let half = self.marks.delimiter;
                self.record
                    .bytes
                    .extend(half.as_bytes().iter().take(self.matched));
                self.record.bytes.push(byte);
                self.matched = 0;
                self.state = State::Plain;
            }
            State::StartOfRecord | State::StartOfField | State::Plain => {
                if is_quote {
                    self.record.odd_quotes += 1;
                    // It closes what the apostrophe seemed to close.
                    self.record.apostrophes += u32::from(self.record.apostrophes > 0);
                }
                self.record.bytes.push(byte);
                // Blanks before an opening quote are dropped when it comes: `1, "a, b"`.
                let only_blanks = byte == b' ' && self.state != State::Plain;
                self.state = if only_blanks {
                    State::StartOfField
                } else {
                    State::Plain
                };
            }
            State::Skip | State::Comment => {}
        }
        Ok(())
    }

    /// Whether a byte after a closing quote is the next of the delimiter.
    fn continues_delimiter(&self, byte: u8) -> bool {
        self.marks.delimiter.as_bytes().get(self.matched) == Some(&byte)
    }

    /// Whether a byte is the last of a delimiter whose first bytes end what the field has so far.
    fn completes_delimiter(&self, byte: u8) -> bool {
        let Some((&last, first)) = self.marks.delimiter.as_bytes().split_last() else {
            return false;
        };
        if byte != last || first.is_empty() {
            return byte == last;
        }
        let start = self.record.ends.last().copied().unwrap_or(0);
        self.record
            .bytes
            .get(start..)
            .is_some_and(|field| field.ends_with(first))
    }

    fn end_field(&mut self) -> Result<(), ClassifyError> {
        // Half a delimiter at the end of a line is text.
        let half = std::mem::take(&mut self.matched);
        if half < self.marks.delimiter.as_bytes().len() {
            let delimiter = self.marks.delimiter;
            self.record.bytes.extend(delimiter.as_bytes().iter().take(half));
        }
        if self.state == State::QuoteInQuotes {
            self.record.quoted += 1;
            self.record.quoted_places.push(self.record.ends.len());
        }
        self.record.ends.push(self.record.bytes.len());
        self.state = State::StartOfField;
        if self.record.ends.len() > CSV_FIELDS {
            return Err(self.too_large(&format!("has more than {CSV_FIELDS} fields")));
        }
        Ok(())
    }

    fn end_record(&mut self, each: &mut dyn FnMut(&Record) -> bool) -> Result<bool, ClassifyError> {
        if self.state == State::Plain && self.record.bytes.last() == Some(&b'\r') {
            self.record.bytes.pop();
        }
        self.end_field()?;
        self.state = State::StartOfRecord;
        let mut go_on = true;
        if !self.record.is_blank() {
            self.records += 1;
            go_on = each(&self.record);
        }
        self.record.clear();
        Ok(go_on)
    }

    fn too_large(&self, what: &str) -> ClassifyError {
        let message = format!(
            "record {} of the CSV {what}; a quote that is never closed is the usual cause, or the delimiter is wrong",
            self.records + 1
        );
        ClassifyError::new(ClassifyErrorKind::TooLarge, message)
    }
}
