//! Types every value of a whole JSON file, piece by piece.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::shape::{NamedShape, ObjectShape, Reading};
use super::split::{Document, Splitter};
use crate::limits::COLUMNS;
use crate::{ClassifyError, ClassifyErrorKind, Column, JsonDocuments, Scanned};

/// The rows of a JSON file, summed up.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    object: ObjectShape,
    reading: Reading,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

impl Rows {
    /// Reads one row.
    ///
    /// # Errors
    ///
    /// Malformed when it isn't a JSON object, TooLarge when there are too many names or levels. What came before the
    /// mistake has been counted.
    pub(crate) fn read(&mut self, document: &Document<'_>) -> Result<(), ClassifyError> {
        let place = || format!("line {}", document.line);
        if document.bytes.first() != Some(&b'{') {
            let message = format!("{} is not a JSON object, so it is no row", place());
            return Err(ClassifyError::new(ClassifyErrorKind::Malformed, message));
        }
        self.reading.row = self.count + 1;
        // A byte that isn't UTF-8 inside a text is no reason to give up on the file.
        let text = String::from_utf8_lossy(document.bytes);
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let row = Row {
            object: &mut self.object,
            reading: &mut self.reading,
        };
        let result = row
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        if self.reading.too_many_fields || self.object.fields.len() > COLUMNS {
            let message = format!(
                "{}: the documents use too many different names to be a table",
                place()
            );
            return Err(ClassifyError::new(ClassifyErrorKind::TooLarge, message));
        }
        if let Err(e) = result {
            let deep = e.to_string().contains("recursion limit");
            let kind = if deep {
                ClassifyErrorKind::TooLarge
            } else {
                ClassifyErrorKind::Malformed
            };
            let message = if deep {
                format!("{} nests values more than 128 deep", place())
            } else {
                mistake(document.line, &e)
            };
            return Err(ClassifyError::new(kind, message));
        }
        self.count += 1;
        self.bytes += document.bytes.len() as u64 + 1;
        Ok(())
    }

    /// The names that more than one spelling in case was seen of, and other things worth saying.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        for field in &self.object.fields {
            if let Some(other) = &field.other_spelling {
                let reason = format!(
                    "{:?} and {other:?} differ only in case, which a catalog can't tell apart: they are one column",
                    field.name
                );
                reasons.push(reason);
            }
        }
        if self.reading.long_names > 0 {
            let reason = format!(
                "{} names longer than 255 bytes are left out",
                self.reading.long_names
            );
            reasons.push(reason);
        }
        reasons
    }

    pub(crate) fn columns(&self) -> Vec<Column> {
        self.object
            .fields
            .iter()
            .map(|field| self.column(field))
            .collect()
    }

    fn column(&self, field: &NamedShape) -> Column {
        let data_type = field.shape.data_type();
        let (values, nulls) = (field.shape.values(), field.shape.nulls());
        let mut reason = field.shape.reason(&data_type);
        if values > 0 && nulls > 0 {
            reason.push_str(&format!(
                "; {nulls} more {} null",
                if nulls == 1 { "is" } else { "are" }
            ));
        }
        let missing = self.count.saturating_sub(values + nulls);
        if missing > 0 {
            reason.push_str(&format!(
                "; {missing} {} it",
                if missing == 1 { "row lacks" } else { "rows lack" }
            ));
        }
        Column {
            name: field.name.clone(),
            data_type,
            nullable: nulls + missing > 0,
            reason,
        }
    }
}

/// What is wrong with a document, and where in the file.
pub(crate) fn mistake(first_line: u64, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    let line = first_line + (error.line() as u64).saturating_sub(1);
    format!("line {line}, column {} is not valid JSON: {what}", error.column())
}

struct Row<'s> {
    object: &'s mut ObjectShape,
    reading: &'s mut Reading,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.object.read(map, self.reading, usize::MAX)
    }
}

/// A file that comes in pieces: its byte order mark, its documents, its end.
#[derive(Debug)]
struct Pieces {
    splitter: Splitter,
    /// The first bytes, until there are enough to see a byte order mark.
    start: Option<Vec<u8>>,
}

type Each<'f> = &'f mut dyn FnMut(Document<'_>) -> Result<(), ClassifyError>;

impl Pieces {
    fn new(layout: JsonDocuments) -> Self {
        Pieces {
            splitter: Splitter::new(layout),
            start: Some(Vec::new()),
        }
    }

    fn feed(&mut self, bytes: &[u8], each: Each<'_>) -> Result<(), ClassifyError> {
        match self.start.take() {
            None => self.splitter.feed(bytes, each),
            Some(mut start) => {
                start.extend_from_slice(bytes);
                if start.len() < 3 {
                    self.start = Some(start);
                    return Ok(());
                }
                self.feed_start(&start, each)
            }
        }
    }

    fn finish(mut self, each: Each<'_>) -> Result<(), ClassifyError> {
        if let Some(start) = self.start.take() {
            self.feed_start(&start, each)?;
        }
        self.splitter.finish(each)
    }

    fn feed_start(&mut self, start: &[u8], each: Each<'_>) -> Result<(), ClassifyError> {
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            let message = "the JSON is in UTF-16; decode it to UTF-8 first";
            return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
        }
        self.splitter
            .feed(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start), each)
    }
}

/// Finds the documents of a JSON file whose layout is known, piece by piece, without reading them. Memory depends on the
/// longest document, not on the length of the file.
#[derive(Debug)]
pub struct JsonReader {
    pieces: Pieces,
}

impl JsonReader {
    /// Starts a file.
    pub fn new(layout: JsonDocuments) -> Self {
        JsonReader {
            pieces: Pieces::new(layout),
        }
    }

    /// Takes the next bytes, uncompressed and in UTF-8, and calls `each` with the bytes of every document that ends in them
    /// and the line that it starts on, from 1. Pieces may end anywhere.
    ///
    /// # Errors
    ///
    /// Malformed, with the line, for text between documents; TooLarge for a document beyond a [limit](crate::limits);
    /// Unsupported for UTF-16 (decode it first). After an error the reader is of no more use.
    pub fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8], u64)) -> Result<(), ClassifyError> {
        self.pieces.feed(bytes, &mut |document| {
            each(document.bytes, document.line);
            Ok(())
        })
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed), and Truncated when a document is unfinished.
    pub fn finish(self, each: &mut dyn FnMut(&[u8], u64)) -> Result<(), ClassifyError> {
        self.pieces.finish(&mut |document| {
            each(document.bytes, document.line);
            Ok(())
        })
    }
}

/// Types every value of a JSON file whose layout is known, so that a value in its last row counts too. Memory depends on
/// the number of different names and on the longest document, not on the length of the file.
#[derive(Debug)]
pub struct JsonScanner {
    pieces: Pieces,
    rows: Rows,
}

impl JsonScanner {
    /// Starts a file.
    pub fn new(layout: JsonDocuments) -> Self {
        JsonScanner {
            pieces: Pieces::new(layout),
            rows: Rows::default(),
        }
    }

    /// Takes the next bytes, uncompressed and in UTF-8. Pieces may end anywhere.
    ///
    /// # Errors
    ///
    /// Malformed, with the line, for what isn't JSON or no object; TooLarge for what goes beyond a
    /// [limit](crate::limits); Unsupported for UTF-16 (decode it first). After an error the scanner is of no more use.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ClassifyError> {
        let JsonScanner { pieces, rows } = self;
        pieces.feed(bytes, &mut |document| rows.read(&document))
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed), and Truncated when a document is unfinished.
    pub fn finish(self) -> Result<Scanned, ClassifyError> {
        let JsonScanner { pieces, mut rows } = self;
        pieces.finish(&mut |document| rows.read(&document))?;
        Ok(Scanned {
            columns: rows.columns(),
            rows: rows.count,
        })
    }
}
