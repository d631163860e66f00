//! Bytes to JSON documents: finds where each row starts and ends without parsing it, and keeps at most one.

use crate::limits::JSON_DOCUMENT_BYTES;
use crate::{ClassifyError, ClassifyErrorKind, JsonDocuments};

/// A row's text, and where it was.
pub(crate) struct Document<'a> {
    pub(crate) bytes: &'a [u8],
    /// The line it starts on, from 1.
    pub(crate) line: u64,
}

type Each<'f> = &'f mut dyn FnMut(Document<'_>) -> Result<(), ClassifyError>;

/// Where an array's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeArray,
    /// After `[` or `,`: an element may come.
    BeforeElement,
    AfterElement,
    AfterArray,
    /// Layouts that aren't an array.
    Anywhere,
}

/// Splits bytes into documents.
#[derive(Debug)]
pub(crate) struct Splitter {
    layout: JsonDocuments,
    place: Place,
    document: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    line: u64,
    first_line: u64,
}

impl Splitter {
    pub(crate) fn new(layout: JsonDocuments) -> Self {
        let place = if layout == JsonDocuments::Array {
            Place::BeforeArray
        } else {
            Place::Anywhere
        };
        let (depth, in_string, escaped) = (0, false, false);
        Splitter {
            layout,
            place,
            document: Vec::new(),
            depth,
            in_string,
            escaped,
            line: 1,
            first_line: 1,
        }
    }

    /// Takes the next bytes and calls `each` with every document that ends in them.
    ///
    /// # Errors
    ///
    /// Those of `each`; TooLarge for a document beyond the limit; Malformed for text between documents.
    pub(crate) fn feed(&mut self, bytes: &[u8], each: Each<'_>) -> Result<(), ClassifyError> {
        if self.layout == JsonDocuments::Lines {
            return self.lines(bytes, each);
        }
        let mut rest = bytes;
        loop {
            rest = self.ordinary_bytes(rest)?;
            let Some((&byte, after)) = rest.split_first() else {
                return Ok(());
            };
            rest = after;
            if self.depth > 0 {
                self.inside(byte, each)?;
            } else {
                self.between(byte)?;
            }
            self.line += u64::from(byte == b'\n');
        }
    }

    /// Takes the bytes of a document up to the next one that means something, all at once: most of a file.
    fn ordinary_bytes<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], ClassifyError> {
        if self.depth == 0 || self.escaped {
            return Ok(bytes);
        }
        let length = match self.in_string {
            true => bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')),
            false => bytes
                .iter()
                .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b'\n')),
        };
        let (ordinary, rest) = bytes
            .split_at_checked(length.unwrap_or(bytes.len()))
            .unwrap_or((bytes, &[]));
        self.append(ordinary)?;
        Ok(rest)
    }

    /// One document a line. A line that is here as a whole is not copied.
    fn lines(&mut self, bytes: &[u8], each: Each<'_>) -> Result<(), ClassifyError> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or(&[]);
            if self.document.is_empty() {
                self.check_length(line.len())?;
                let line = line.trim_ascii();
                if !line.is_empty() {
                    each(Document {
                        bytes: line,
                        line: self.line,
                    })?;
                }
            } else {
                self.append(line)?;
                self.end_line(each)?;
            }
            self.line += 1;
        }
        self.append(rest)
    }

    /// Ends the input.
    ///
    /// # Errors
    ///
    /// Truncated when a document or the array is unfinished.
    pub(crate) fn finish(mut self, each: Each<'_>) -> Result<(), ClassifyError> {
        if self.layout == JsonDocuments::Lines {
            return self.end_line(each);
        }
        if self.depth > 0 || !matches!(self.place, Place::AfterArray | Place::Anywhere) {
            let message = format!(
                "the JSON ends inside the {} that starts on line {}: it was cut off; upload it again",
                if self.depth > 0 { "object" } else { "array" },
                if self.depth > 0 { self.first_line } else { 1 }
            );
            return Err(ClassifyError::new(ClassifyErrorKind::Truncated, message));
        }
        Ok(())
    }

    /// The document that has begun and not ended.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.document
    }

    fn end_line(&mut self, each: Each<'_>) -> Result<(), ClassifyError> {
        let line = self.document.trim_ascii();
        let result = match line.is_empty() {
            true => Ok(()),
            false => each(Document {
                bytes: line,
                line: self.line,
            }),
        };
        self.document.clear();
        result
    }

    fn inside(&mut self, byte: u8, each: Each<'_>) -> Result<(), ClassifyError> {
        self.push(byte)?;
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.depth == 0 {
            let result = each(Document {
                bytes: &self.document,
                line: self.first_line,
            });
            self.document.clear();
            if self.place != Place::Anywhere {
                self.place = Place::AfterElement;
            }
            return result;
        }
        Ok(())
    }

    fn between(&mut self, byte: u8) -> Result<(), ClassifyError> {
        match (self.place, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n') => Ok(()),
            (Place::Anywhere | Place::BeforeElement, b'{') => {
                self.depth = 1;
                self.first_line = self.line;
                self.push(byte)
            }
            (Place::BeforeArray, b'[') => {
                self.place = Place::BeforeElement;
                Ok(())
            }
            (Place::BeforeElement | Place::AfterElement, b']') => {
                self.place = Place::AfterArray;
                Ok(())
            }
            (Place::AfterElement, b',') => {
                self.place = Place::BeforeElement;
                Ok(())
            }
            _ => {
                let message = format!(
                    "line {}: {:?} stands where an object should start or end",
                    self.line,
                    char::from(byte)
                );
                Err(ClassifyError::new(ClassifyErrorKind::Malformed, message))
            }
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), ClassifyError> {
        self.append(&[byte])
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), ClassifyError> {
        self.check_length(self.document.len() + bytes.len())?;
        self.document.extend_from_slice(bytes);
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<(), ClassifyError> {
        if length <= JSON_DOCUMENT_BYTES {
            return Ok(());
        }
        let message = format!(
            "the JSON document that starts on line {} is longer than {} MiB; split it into one object a line",
            if self.layout == JsonDocuments::Lines {
                self.line
            } else {
                self.first_line
            },
            JSON_DOCUMENT_BYTES >> 20
        );
        Err(ClassifyError::new(ClassifyErrorKind::TooLarge, message))
    }
}
