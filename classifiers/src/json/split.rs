//! Bytes to JSON documents: finds where each row starts and ends without parsing it, and keeps at most one.

use crate::limits::JSON_DOCUMENT_BYTES;
use crate::{ClassifyError, ClassifyErrorKind, JsonLayout};

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
    layout: JsonLayout,
    place: Place,
    document: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    line: u64,
    first_line: u64,
}

impl Splitter {
    pub(crate) fn new(layout: JsonLayout) -> Self {
        let place = if layout == JsonLayout::Array {
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
        for &byte in bytes {
            if self.layout == JsonLayout::Lines {
                self.line_byte(byte, each)?;
            } else if self.depth > 0 {
                self.inside(byte, each)?;
            } else {
                self.between(byte)?;
            }
            self.line += u64::from(byte == b'\n');
        }
        Ok(())
    }

    /// Ends the input.
    ///
    /// # Errors
    ///
    /// Truncated when a document or the array is unfinished.
    pub(crate) fn finish(mut self, each: Each<'_>) -> Result<(), ClassifyError> {
        if self.layout == JsonLayout::Lines {
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

    fn line_byte(&mut self, byte: u8, each: Each<'_>) -> Result<(), ClassifyError> {
        if byte == b'\n' {
            self.end_line(each)
        } else {
            self.push(byte)
        }
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
        if self.document.len() >= JSON_DOCUMENT_BYTES {
            let message = format!(
                "the JSON document that starts on line {} is longer than {} MiB; split it into one object a line",
                if self.layout == JsonLayout::Lines {
                    self.line
                } else {
                    self.first_line
                },
                JSON_DOCUMENT_BYTES >> 20
            );
            return Err(ClassifyError::new(ClassifyErrorKind::TooLarge, message));
        }
        self.document.push(byte);
        Ok(())
    }
}
