//! XML text to tags and text. Nothing outside of the text is ever fetched, and no entity but the five predefined ones
//! and numbered characters is replaced, so a document can't grow or reach out while it is read.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::limits::{XML_ATTRIBUTES, XML_NAME_BYTES};

/// A piece of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Start {
        name: &'a str,
        attributes: Vec<(&'a str, Cow<'a, str>)>,
        /// `<name/>`: no end tag follows.
        empty: bool,
    },
    End {
        name: &'a str,
    },
    Text(Cow<'a, str>),
}

/// Why scanning stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text ends inside a piece.
    Ended,
    /// Something stands where it may not, at this byte.
    Malformed { at: usize, what: String },
    /// A limit is exceeded, at this byte.
    TooLarge { at: usize, what: String },
}

pub(super) fn malformed<T>(at: usize, what: impl Into<String>) -> Result<T, Stop> {
    let what = what.into();
    Err(Stop::Malformed { at, what })
}

/// Reads forward through a document. Comments, processing instructions and the document type are passed over.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    /// The byte where the next piece starts.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The next piece; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'a>>, Stop> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Ok(None);
            }
            if !rest.starts_with('<') {
                return self.text().map(Some);
            }
            if rest.starts_with("<!--") {
                self.pass("<!--", "-->")?;
            } else if rest.starts_with("<![CDATA[") {
                let start = self.at + "<![CDATA[".len();
                self.pass("<![CDATA[", "]]>")?;
                let end = self.at - "]]>".len();
                return Ok(Some(Piece::Text(Cow::Borrowed(
                    self.text.get(start..end).unwrap_or(""),
                ))));
            } else if rest.starts_with("<?") {
                self.pass("<?", "?>")?;
            } else if rest.starts_with("<!") {
                self.document_type()?;
            } else if rest.starts_with("</") {
                return self.end_tag().map(Some);
            } else {
                return self.start_tag().map(Some);
            }
        }
    }

    fn pass(&mut self, open: &str, close: &str) -> Result<(), Stop> {
        let inside = self.rest().get(open.len()..).unwrap_or("");
        let length = inside.find(close).ok_or(Stop::Ended)?;
        self.at += open.len() + length + close.len();
        Ok(())
    }

    /// `<!DOCTYPE … [ … ]>`, whatever it declares.
    fn document_type(&mut self) -> Result<(), Stop> {
        let rest = self.rest();
        let word = rest.as_bytes().get(..9).ok_or(Stop::Ended)?;
        if !word.eq_ignore_ascii_case(b"<!doctype") {
            return malformed(
                self.at,
                "`<!` starts neither a comment, a CDATA section nor a document type",
            );
        }
        let (mut depth, mut quote) = (0_usize, None);
        for (at, byte) in rest.bytes().enumerate() {
            match (quote, byte) {
                (Some(open), byte) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'<' | b'[') => depth += 1,
                (None, b'>' | b']') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        self.at += at + 1;
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(Stop::Ended)
    }

    fn text(&mut self) -> Result<Piece<'a>, Stop> {
        let (rest, at) = (self.rest(), self.at);
        let length = rest.find('<').unwrap_or(rest.len());
        self.at += length;
        Ok(Piece::Text(plain(rest.get(..length).unwrap_or(""), at)?))
    }

    fn end_tag(&mut self) -> Result<Piece<'a>, Stop> {
        self.at += 2;
        let name = self.name()?;
        self.blanks();
        match self.rest().chars().next() {
            Some('>') => self.at += 1,
            Some(_) => return malformed(self.at, format!("the end tag of `{name}` holds more than a name")),
            None => return Err(Stop::Ended),
        }
        Ok(Piece::End { name })
    }

    fn start_tag(&mut self) -> Result<Piece<'a>, Stop> {
        self.at += 1;
        let name = self.name()?;
        let (mut attributes, mut seen) = (Vec::new(), HashSet::new());
        loop {
            let before = self.at;
            self.blanks();
            let rest = self.rest();
            if rest.starts_with('>') {
                self.at += 1;
                let empty = false;
                return Ok(Piece::Start {
                    name,
                    attributes,
                    empty,
                });
            }
            if rest.starts_with("/>") {
                self.at += 2;
                let empty = true;
                return Ok(Piece::Start {
                    name,
                    attributes,
                    empty,
                });
            }
            if rest.is_empty() || rest == "/" {
                return Err(Stop::Ended);
            }
            if before == self.at {
                return malformed(self.at, format!("a blank is missing in the tag of `{name}`"));
            }
            let (at, attribute) = (self.at, self.attribute()?);
            if !seen.insert(attribute.0) {
                return malformed(at, format!("`{name}` has the attribute `{}` twice", attribute.0));
            }
            attributes.push(attribute);
            if attributes.len() > XML_ATTRIBUTES {
                let what = format!("`{name}` has more than {XML_ATTRIBUTES} attributes");
                return Err(Stop::TooLarge { at, what });
            }
        }
    }

    fn attribute(&mut self) -> Result<(&'a str, Cow<'a, str>), Stop> {
        let name = self.name()?;
        self.blanks();
        match self.rest().chars().next() {
            Some('=') => self.at += 1,
            Some(_) => return malformed(self.at, format!("the attribute `{name}` has no value")),
            None => return Err(Stop::Ended),
        }
        self.blanks();
        let quote = match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            Some(_) => {
                return malformed(
                    self.at,
                    format!("the value of the attribute `{name}` is not quoted"),
                );
            }
            None => return Err(Stop::Ended),
        };
        self.at += 1;
        let (at, rest) = (self.at, self.rest());
        let length = rest.find([quote, '<']).ok_or(Stop::Ended)?;
        let value = rest.get(..length).unwrap_or("");
        self.at += length;
        if self.rest().starts_with('<') {
            return malformed(self.at, format!("the value of the attribute `{name}` holds `<`"));
        }
        self.at += 1;
        Ok((name, plain(value, at)?))
    }

    fn name(&mut self) -> Result<&'a str, Stop> {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.' | '\u{b7}');
        let length = rest.find(|c| !is_part(c)).ok_or(Stop::Ended)?;
        let name = rest.get(..length).unwrap_or("");
        if !name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':')) {
            let found: String = rest.chars().take(1).collect();
            return malformed(self.at, format!("{found:?} stands where a name should start"));
        }
        if length > XML_NAME_BYTES {
            let what = format!("a name has {length} bytes; at most {XML_NAME_BYTES} are read");
            return Err(Stop::TooLarge { at: self.at, what });
        }
        self.at += length;
        Ok(name)
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }
}

/// Text with the predefined entities and numbered characters replaced. Other entities stay as they are written.
fn plain(text: &str, at: usize) -> Result<Cow<'_, str>, Stop> {
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        let position = at + text.len() - after.len();
        // A name of an entity is short; an `&` without one may be far from the next semicolon.
        let end = after.bytes().take(XML_NAME_BYTES).position(|b| b == b';');
        let entity = end.and_then(|end| after.get(1..end));
        let Some(entity) = entity.filter(|entity| is_entity(entity)) else {
            return malformed(position, "`&` starts no entity; write `&amp;`");
        };
        match replaced(entity) {
            Some(c) => out.push(c),
            None => {
                out.push('&');
                out.push_str(entity);
                out.push(';');
            }
        }
        rest = after.get(entity.len() + 2..).unwrap_or("");
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

fn is_entity(entity: &str) -> bool {
    match entity.strip_prefix('#') {
        Some(_) => replaced(entity).is_some(),
        None => {
            !entity.is_empty()
                && entity
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        }
    }
}

fn replaced(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    }
}
