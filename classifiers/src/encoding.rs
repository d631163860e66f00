//! Bytes to text: UTF-8 where it is, and otherwise the encoding that the bytes themselves argue for.

use std::borrow::Cow;

/// A sample as text.
pub(crate) struct Text<'a> {
    pub(crate) text: Cow<'a, str>,
    /// `utf-8`, `utf-16le`, `utf-16be`, `iso-8859-1` or `windows-1252`.
    pub(crate) encoding: &'static str,
    /// What a person should know about it.
    pub(crate) reason: Option<String>,
}

/// Decodes a sample. `whole` says whether the bytes are all there is; if not, a character cut in half at the end is left
/// out. `None` means binary.
pub(crate) fn decode<'a>(bytes: &'a [u8], whole: bool) -> Option<Text<'a>> {
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes, "utf-16le");
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes, "utf-16be");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if looks_binary(bytes) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Text {
            text: Cow::Borrowed(text),
            encoding: "utf-8",
            reason: None,
        }),
        Err(e) if e.error_len().is_none() && !whole => {
            let text = std::str::from_utf8(bytes.get(..e.valid_up_to())?).ok()?;
            Some(Text {
                text: Cow::Borrowed(text),
                encoding: "utf-8",
                reason: None,
            })
        }
        Err(e) => Some(not_utf8(bytes, e.valid_up_to())),
    }
}

/// NUL never occurs in text; other control characters hardly ever do.
fn looks_binary(bytes: &[u8]) -> bool {
    // Ctrl-A is a delimiter, Ctrl-B and Ctrl-C are Hive's for collections, and ASCII has four separators from 0x1c on.
    let is_control = |b: &&u8| matches!(b, 0x04..=0x08 | 0x0e..=0x1a | 0x7f);
    bytes.contains(&0) || bytes.iter().filter(is_control).count() > bytes.len() / 100
}

fn not_utf8(bytes: &[u8], first: usize) -> Text<'_> {
    let (mut invalid, mut multibyte) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        multibyte += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    if multibyte >= invalid.saturating_mul(10) {
        let reason = format!(
            "{invalid} places are not valid UTF-8 (the first at byte {first}); they read as \u{fffd}"
        );
        return Text {
            text: String::from_utf8_lossy(bytes),
            encoding: "utf-8",
            reason: Some(reason),
        };
    }
    let windows = bytes.iter().any(|b| (0x80..=0x9f).contains(b));
    let encoding = if windows { "windows-1252" } else { "iso-8859-1" };
    let text: String = bytes.iter().map(|&b| single_byte(b)).collect();
    let reason = format!("byte {first} is not valid UTF-8, so the text is read as {encoding}");
    Text {
        text: Cow::Owned(text),
        encoding,
        reason: Some(reason),
    }
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

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, encoding: &'static str) -> Option<Text<'static>> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or('\u{fffd}'))
        .collect();
    if looks_binary(text.as_bytes()) {
        return None;
    }
    Some(Text {
        text: Cow::Owned(text),
        encoding,
        reason: Some(format!("its byte order mark says {encoding}")),
    })
}
