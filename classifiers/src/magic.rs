//! Formats that are known by their first bytes but not read: named, so that the answer is more than "unknown".

use crate::Compression;

const MAGICS: &[(&[u8], &str)] = &[
    (b"Obj\x01", "an Avro data file"),
    (b"ORC", "an ORC file"),
    (b"BZh", "compressed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (
        b"PK\x03\x04",
        "a ZIP archive (spreadsheets in .xlsx are ZIP archives too)",
    ),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "compressed with Snappy"),
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
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "gzip inside gzip"),
];

/// What the first bytes say the object is, as a sentence, when it is something that is not read.
pub(crate) fn recognise(bytes: &[u8], compression: Compression) -> Option<String> {
    // Some magic numbers are letters, and text may start with those too.
    let is_text = !bytes.iter().take(4096).any(|b| *b < 9 || *b >= 0x80);
    let letters = |magic: &[u8]| magic.iter().all(|b| b.is_ascii_alphanumeric());
    let (_, what) = MAGICS
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic) && !(is_text && letters(magic)))?;
    let place = if compression == Compression::None {
        "it is"
    } else {
        "inside the gzip compression it is"
    };
    Some(format!("{place} {what}, which is recognised but not read yet"))
}
