//! Formats that are known by their first bytes but not read: named, so that the answer is more than "unknown".

use crate::Compression;

/// What is read when it is a whole object, but not inside of another compression.
const INSIDE: &[(&[u8], &str)] = &[
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro data file"),
    (b"ORC", "an ORC file"),
    (b"BZh", "compressed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "compressed with Snappy"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"PK\x03\x04", "a ZIP archive"),
];

const MAGICS: &[(&[u8], &str)] = &[
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"ARROW1\x00\x00", "an Arrow IPC file"),
    (b"FEA1", "a Feather file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Microsoft Office document",
    ),
    (b"%PDF-", "a PDF document"),
    (
        b"\xe0\x01\x00\xea",
        "binary Amazon Ion (write it anew as JSON to have it read)",
    ),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
];

/// Whether the start of an object is text: some magic numbers are letters, and text may start with those too.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(4096).any(|b| *b < 9 || *b >= 0x80)
}

/// What the first bytes say the object is, as a sentence, when it is something that is not read.
pub(crate) fn recognise(bytes: &[u8], compression: Compression) -> Option<String> {
    let is_text = is_text(bytes);
    let letters = |magic: &[u8]| magic.iter().all(|b| b.is_ascii_alphanumeric());
    let find = |magics: &[(&[u8], &'static str)]| {
        let found = magics
            .iter()
            .find(|(magic, _)| bytes.starts_with(magic) && !(is_text && letters(magic)));
        found.map(|(_, what)| *what)
    };
    let what = |magics| find(magics).or_else(|| by_structure(bytes));
    if compression == Compression::None {
        return what(MAGICS).map(|what| format!("it is {what}, which is recognised but not read"));
    }
    if let Some(what) = find(INSIDE) {
        return Some(format!(
            "inside the {compression} compression it is {what}, which is read only when nothing is around it; unpack \
             the object"
        ));
    }
    what(MAGICS).map(|what| {
        format!("inside the {compression} compression it is {what}, which is recognised but not read")
    })
}

/// What no fixed bytes tell, but how they are put together.
fn by_structure(bytes: &[u8]) -> Option<&'static str> {
    if bytes.trim_ascii_start().starts_with(b"$ion_1_") {
        return Some("Amazon Ion (write it anew as JSON to have it read)");
    }
    is_bson(bytes)
        .then_some("BSON, as MongoDB dumps it (write it anew as JSON, as with bsondump, to have it read)")
}

/// Longest document of MongoDB, in bytes.
const BSON_DOCUMENT_BYTES: usize = 16 << 20;

/// Whether the bytes begin with a BSON document: its length, then typed and named values, then a NUL where the length
/// says. Of a document that goes on behind the sample, what is there must fit.
fn is_bson(bytes: &[u8]) -> bool {
    let Some(length) = length_at(bytes, 0).filter(|length| (5..=BSON_DOCUMENT_BYTES).contains(length)) else {
        return false;
    };
    let (mut at, mut values) = (4, 0);
    while let Some(&kind) = bytes.get(at) {
        if kind == 0 {
            return at + 1 == length && values > 0;
        }
        let name = bytes.get(at + 1..).unwrap_or(&[]);
        let Some(name_length) = name.iter().position(|byte| *byte == 0) else {
            break;
        };
        let is_name = std::str::from_utf8(name.get(..name_length).unwrap_or(&[]))
            .is_ok_and(|name| !name.is_empty() && !name.contains(char::is_control));
        let start = at + 2 + name_length;
        let Some(size) = bson_size(kind, bytes, start).filter(|_| is_name) else {
            return false;
        };
        values += 1;
        at = start.saturating_add(size);
        if at >= length {
            return false;
        }
    }
    length > bytes.len() && values > 0
}

fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

/// How many bytes a value of BSON takes; `None` for a type that there isn't. Rare and old types count as none.
fn bson_size(kind: u8, bytes: &[u8], at: usize) -> Option<usize> {
    // Where the sample ends inside of a length, that of the value doesn't matter any more.
    let length = || length_at(bytes, at).unwrap_or(bytes.len());
    Some(match kind {
        0x01 | 0x09 | 0x11 | 0x12 => 8,
        0x02 | 0x0d | 0x0e => length().saturating_add(4),
        0x03 | 0x04 => length(),
        0x05 => length().saturating_add(5),
        0x07 => 12,
        0x08 => 1,
        0x0a | 0x7f | 0xff => 0,
        0x10 => 4,
        0x13 => 16,
        _ => return None,
    })
}
