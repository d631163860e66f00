//! Bytes to text: UTF-8 where it is, and otherwise the encoding that the bytes themselves argue for.
//!
//! The names of encodings are those of the WHATWG's Encoding Standard in lower case, and `iso-8859-1` for windows-1252
//! without the characters that only the latter has.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes that an encoding is guessed from.
const GUESSED_BYTES: usize = 256 << 10;
/// Bytes beyond ASCII that a guess needs; with fewer it is windows-1252, the most common.
const GUESSED_FROM: usize = 4;

/// A sample as text.
pub(crate) struct Text<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Its name in lower case.
    pub(crate) encoding: String,
    /// What a person should know about it.
    pub(crate) reason: Option<String>,
}

/// Turns a whole file in the encoding that a verdict names into UTF-8, piece by piece.
pub struct TextDecoder {
    decoder: encoding_rs::Decoder,
}

impl std::fmt::Debug for TextDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TextDecoder")
            .field(&self.decoder.encoding().name())
            .finish()
    }
}

impl TextDecoder {
    /// A decoder for what [`Verdict::encoding`](crate::Verdict::encoding) says, or `None` for a name that is no encoding.
    pub fn new(encoding: &str) -> Option<TextDecoder> {
        let encoding = Encoding::for_label(encoding.as_bytes())?;
        Some(TextDecoder {
            decoder: encoding.new_decoder_with_bom_removal(),
        })
    }

    /// Appends the next bytes as text; `last` says that no more come. Pieces may end inside a character. What is not
    /// valid reads as U+FFFD.
    pub fn decode(&mut self, bytes: &[u8], last: bool, text: &mut String) {
        decode_with(&mut self.decoder, bytes, last, text);
    }
}

fn decode_with(decoder: &mut encoding_rs::Decoder, bytes: &[u8], last: bool, text: &mut String) {
    let most = decoder.max_utf8_buffer_length(bytes.len());
    text.reserve(most.unwrap_or_else(|| bytes.len().saturating_mul(3)));
    let _enough_room = decoder.decode_to_string(bytes, text, last);
}

/// Decodes a sample. `whole` says whether the bytes are all there is; if not, a character cut in half at the end is left
/// out. `None` means binary.
pub(crate) fn decode<'a>(bytes: &'a [u8], whole: bool) -> Option<Text<'a>> {
    let by_mark = [(UTF_16LE, b"\xff\xfe"), (UTF_16BE, b"\xfe\xff")]
        .into_iter()
        .find_map(|(encoding, mark)| Some((encoding, bytes.strip_prefix(mark)?)));
    if let Some((encoding, rest)) = by_mark {
        let why = format!("its byte order mark says {}", name_of(encoding));
        return text_in(encoding, rest, whole, why);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        let why = format!(
            "every other byte is NUL as in {}, although no byte order mark says so",
            name_of(encoding)
        );
        return text_in(encoding, bytes, whole, why);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if looks_binary(bytes) {
        return None;
    }
    let utf8 = |text| Text {
        text: Cow::Borrowed(text),
        encoding: "utf-8".to_owned(),
        reason: None,
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(utf8(text)),
        Err(e) if e.error_len().is_none() && !whole => {
            Some(utf8(std::str::from_utf8(bytes.get(..e.valid_up_to())?).ok()?))
        }
        Err(e) => not_utf8(bytes, e.valid_up_to(), whole),
    }
}

fn name_of(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

fn text_in(encoding: &'static Encoding, bytes: &[u8], whole: bool, why: String) -> Option<Text<'static>> {
    let mut text = String::new();
    decode_with(
        &mut encoding.new_decoder_without_bom_handling(),
        bytes,
        whole,
        &mut text,
    );
    if looks_binary(text.as_bytes()) {
        return None;
    }
    Some(Text {
        text: Cow::Owned(text),
        encoding: name_of(encoding),
        reason: Some(why),
    })
}

/// UTF-16 by where its NULs stand: the digits, delimiters and line ends of any table have one in the same half of their
/// two bytes, and none in the other.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..4 << 10).unwrap_or(bytes);
    let pairs = start.as_chunks::<2>().0;
    if pairs.len() < 4 {
        return None;
    }
    let nuls = |half: usize| pairs.iter().filter(|pair| pair[half] == 0).count();
    let line_end = |pair: &[u8; 2]| pairs.contains(pair);
    match (nuls(0), nuls(1)) {
        (0, low) if low * 5 >= pairs.len() && line_end(b"\n\0") => Some(UTF_16LE),
        (high, 0) if high * 5 >= pairs.len() && line_end(b"\0\n") => Some(UTF_16BE),
        _ => None,
    }
}

/// NUL never occurs in text; other control characters hardly ever do.
fn looks_binary(bytes: &[u8]) -> bool {
    // Ctrl-A is a delimiter, Ctrl-B and Ctrl-C are Hive's for collections, and ASCII has four separators from 0x1c on.
    let is_control = |b: &&u8| matches!(b, 0x04..=0x08 | 0x0e..=0x1a | 0x7f);
    bytes.contains(&0) || bytes.iter().filter(is_control).count() > bytes.len() / 100
}

fn not_utf8(bytes: &[u8], first: usize, whole: bool) -> Option<Text<'_>> {
    let (mut invalid, mut multibyte) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        multibyte += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    if multibyte >= invalid.saturating_mul(10) {
        let reason = format!(
            "{invalid} places are not valid UTF-8 (the first at byte {first}); they read as \u{fffd}"
        );
        return Some(Text {
            text: String::from_utf8_lossy(bytes),
            encoding: "utf-8".to_owned(),
            reason: Some(reason),
        });
    }
    let encoding = guess(bytes, whole);
    let mut text = text_in(encoding, bytes, whole, String::new())?;
    let in_both = encoding == WINDOWS_1252 && !bytes.iter().any(|b| (0x80..=0x9f).contains(b));
    if in_both {
        text.encoding = "iso-8859-1".to_owned();
    }
    let fits = if encoding == WINDOWS_1252 {
        ""
    } else {
        ", whose letters fit it best"
    };
    text.reason = Some(format!(
        "byte {first} is not valid UTF-8, so the text is read as {}{fits}",
        text.encoding
    ));
    Some(text)
}

/// The encoding whose letters and letter pairs the bytes look most like, where there are enough of them.
fn guess(bytes: &[u8], whole: bool) -> &'static Encoding {
    let start = bytes.get(..GUESSED_BYTES).unwrap_or(bytes);
    let beyond_ascii = start.iter().filter(|b| !b.is_ascii()).take(GUESSED_FROM).count();
    if beyond_ascii < GUESSED_FROM {
        return WINDOWS_1252;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(start, whole && start.len() == bytes.len());
    detector.guess(None, Utf8Detection::Deny)
}

/// One byte of windows-1252, of which ISO 8859-1's printable characters are a part.
pub(crate) fn single_byte(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        other => char::from(other),
    }
}
