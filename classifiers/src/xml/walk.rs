//! Tags to elements: checks that they nest, and says where a document is wrong.

use std::borrow::Cow;

use super::scanner::{Piece, Scanner, Stop, malformed};
use crate::limits::XML_DEPTH;
use crate::{ClassifyError, ClassifyErrorKind};

/// What happens on the way through a document.
pub(super) trait Visitor {
    /// An element starts at a byte. `Err` names a limit that is exceeded.
    fn open(&mut self, name: &str, attributes: &[(&str, Cow<'_, str>)], at: usize) -> Result<(), String>;
    /// Text inside the element that started last.
    fn text(&mut self, text: &str);
    /// The element that started last has ended before a byte. `empty` says that it is written as `<name/>`.
    fn close(&mut self, at: usize, empty: bool);
}

/// How far a document could be read.
pub(super) enum End {
    /// To its end.
    Complete,
    /// To the end of the sample.
    Cut,
}

/// Goes through a document. `whole` says that the text is all there is.
///
/// # Errors
///
/// Malformed, TooLarge, or Truncated for a whole document that ends too early; each with line and column.
pub(super) fn walk(text: &str, whole: bool, visitor: &mut dyn Visitor) -> Result<End, ClassifyError> {
    let mut scanner = Scanner::new(text);
    let mut open: Vec<(&str, usize)> = Vec::new();
    let stop = match through(&mut scanner, &mut open, visitor) {
        Ok(()) if open.is_empty() => return Ok(End::Complete),
        Ok(()) => Stop::Ended,
        Err(stop) => stop,
    };
    match stop {
        Stop::Ended if !whole => Ok(End::Cut),
        Stop::Ended => {
            let (name, at) = open.last().copied().unwrap_or(("document", 0));
            let message = format!(
                "the XML ends inside the {name} that starts at {}: it was cut off; upload it again",
                place(text, at)
            );
            Err(ClassifyError::new(ClassifyErrorKind::Truncated, message))
        }
        Stop::Malformed { at, what } => {
            let message = format!("the XML is malformed at {}: {what}", place(text, at));
            Err(ClassifyError::new(ClassifyErrorKind::Malformed, message))
        }
        Stop::TooLarge { at, what } => {
            let message = format!("the XML goes beyond a limit at {}: {what}", place(text, at));
            Err(ClassifyError::new(ClassifyErrorKind::TooLarge, message))
        }
    }
}

fn through<'a>(
    scanner: &mut Scanner<'a>,
    open: &mut Vec<(&'a str, usize)>,
    visitor: &mut dyn Visitor,
) -> Result<(), Stop> {
    let mut rooted = false;
    loop {
        let at = scanner.position();
        match scanner.next()? {
            None => return if rooted { Ok(()) } else { Err(Stop::Ended) },
            Some(Piece::Text(text)) => {
                if !open.is_empty() {
                    visitor.text(&text);
                } else if !text.trim().is_empty() {
                    let what = if rooted {
                        "text stands behind the root element"
                    } else {
                        "text stands before the root element"
                    };
                    return malformed(at, what);
                }
            }
            Some(Piece::Start {
                name,
                attributes,
                empty,
            }) => {
                if open.is_empty() && rooted {
                    return malformed(at, format!("`{name}` is a second root element"));
                }
                rooted = true;
                if open.len() >= XML_DEPTH {
                    let what = format!("elements are nested more than {XML_DEPTH} deep");
                    return Err(Stop::TooLarge { at, what });
                }
                let opened = visitor.open(name, &attributes, at);
                opened.map_err(|what| Stop::TooLarge { at, what })?;
                if empty {
                    visitor.close(scanner.position(), true);
                } else {
                    open.push((name, at));
                }
            }
            Some(Piece::End { name }) => match open.pop() {
                Some((expected, _)) if expected == name => visitor.close(scanner.position(), false),
                Some((expected, _)) => {
                    return malformed(at, format!("`</{name}>` stands where `</{expected}>` is due"));
                }
                None => return malformed(at, format!("`</{name}>` ends what never started")),
            },
        }
    }
}

/// A byte's line and column (in characters), both from 1.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("line {line}, column {column}")
}
