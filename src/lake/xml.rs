//! Answers are well-formed XML, whatever a key holds. XML has no way to write some characters: a listing then says that
//! its keys are percent-encoded, and elsewhere U+FFFD stands for them.

use hyper::Response;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use s3s::Body;

/// Whether XML can have this character (XML 1.0 §2.2).
fn is_possible(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether XML can hold all of a text.
pub(super) fn can_hold(text: &str) -> bool {
    text.chars().all(is_possible)
}

/// Makes an answer well-formed. What the protocol library writes is, but for what is in the texts.
pub(super) fn well_formed(mut response: Response<Body>) -> Response<Body> {
    let is_xml = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/xml");
    let Some(bytes) = response.body().bytes().filter(|_| is_xml) else {
        return response;
    };
    let text = String::from_utf8_lossy(&bytes);
    if can_hold(&text) && !text.contains('\r') {
        return response;
    }
    let mut mended = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        match c {
            // A reader would take it for the end of a line.
            '\r' => mended.push_str("&#13;"),
            c if is_possible(c) => mended.push(c),
            _ => mended.push(char::REPLACEMENT_CHARACTER),
        }
    }
    response.headers_mut().remove(CONTENT_LENGTH);
    *response.body_mut() = Body::from(mended);
    response
}

#[cfg(test)]
mod tests {
    use super::can_hold;

    #[test]
    fn the_characters_of_xml() {
        for text in ["", "a\t\n\r b", "ü\u{d7ff}\u{e000}\u{fffd}🦀\u{10ffff}", "]]>"] {
            assert!(can_hold(text), "{text:?}");
        }
        for text in ["\0", "\u{1}", "a\u{b}", "\u{1f}", "\u{fffe}", "x\u{ffff}"] {
            assert!(!can_hold(text), "{text:?}");
        }
    }
}
