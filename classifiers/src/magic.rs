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
    if compression == Compression::None {
        return find(MAGICS).map(|what| format!("it is {what}, which is recognised but not read yet"));
    }
    if let Some(what) = find(INSIDE) {
        return Some(format!(
            "inside the {compression} compression it is {what}, which is read only when nothing is around it; unpack \
             the object"
        ));
    }
    find(MAGICS).map(|what| {
        format!("inside the {compression} compression it is {what}, which is recognised but not read yet")
    })
}
