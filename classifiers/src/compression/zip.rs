//! ZIP archives that hold one file, which is all that a table can be made of. The layout is that of PKWARE's APPNOTE.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use super::corrupt;
use crate::{ClassifyError, ClassifyErrorKind, Sample};

const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_HEADER: &[u8] = b"PK\x01\x02";
const END_OF_DIRECTORY: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
/// Asked for when the directory is not in the head: its end may be followed by a comment, which is hardly ever there.
const TAIL: u64 = 64 << 10;

/// What an archive holds.
pub(super) enum Look {
    Single { name: String },
    NotRead(String),
    NeedTail(u64),
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Looks at the directory at the end of an archive.
///
/// # Errors
///
/// Truncated without a directory, Unsupported when the only file is encrypted or packed in a rare way.
pub(super) fn look(sample: &Sample<'_>) -> std::result::Result<Look, ClassifyError> {
    let tail = if sample.is_whole() {
        sample.head
    } else {
        sample.tail
    };
    if tail.len() < END_BYTES && !sample.is_whole() {
        return Ok(Look::NeedTail(TAIL.min(sample.size)));
    }
    let Some(end) = tail
        .windows(END_OF_DIRECTORY.len())
        .rposition(|w| w == END_OF_DIRECTORY)
    else {
        let message = "the ZIP archive ends without its directory: it was cut off while being written or copied; \
                       upload it again";
        return Err(ClassifyError::new(ClassifyErrorKind::Truncated, message));
    };
    let files = files(tail, end, sample);
    let [only] = files.as_slice() else {
        let what = match files.first() {
            None => "it is a ZIP archive whose only entry can't be told, which is not read".to_owned(),
            Some(_) if files.iter().any(|file| file.name == "[Content_Types].xml") => {
                "it is an Office document (a ZIP archive of XML), which is not read; save it as CSV"
                    .to_owned()
            }
            Some(_) => {
                "it is a ZIP archive of several files, and only an archive of one file makes a table; \
                        unpack it"
                    .to_owned()
            }
        };
        return Ok(Look::NotRead(what));
    };
    if only.encrypted {
        let message = "the file in the ZIP archive is encrypted; only unencrypted files can be read";
        return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
    }
    if !matches!(only.method, 0 | 8) {
        let message = format!(
            "the file in the ZIP archive is packed by method {}; only stored and deflated files can be read",
            only.method
        );
        return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
    }
    Ok(Look::Single {
        name: only.name.clone(),
    })
}

struct File {
    name: String,
    method: u16,
    encrypted: bool,
}

/// The files (not folders) of the part of the directory that is at hand: two are as good as more. An archive whose
/// directory announces more entries than are at hand gets a nameless second one.
fn files(tail: &[u8], end: usize, sample: &Sample<'_>) -> Vec<File> {
    let tail_starts = sample.size - (tail.len() as u64).min(sample.size);
    let announced = u16_at(tail, end + 10).unwrap_or(0);
    let offset = u32_at(tail, end + 16).map_or(0, u64::from);
    let mut at = if offset == u64::from(u32::MAX) {
        // ZIP64 keeps the place elsewhere. The directory of one file is the only one of its kind near the end.
        let found = tail
            .windows(CENTRAL_HEADER.len())
            .position(|w| w == CENTRAL_HEADER);
        found.unwrap_or(tail.len())
    } else {
        usize::try_from(offset.saturating_sub(tail_starts)).unwrap_or(usize::MAX)
    };
    let (mut files, mut entries) = (Vec::new(), 0);
    while entries < announced && files.len() < 2 {
        let Some(entry) = tail.get(at..).filter(|rest| rest.starts_with(CENTRAL_HEADER)) else {
            break;
        };
        let (Some(flags), Some(method)) = (u16_at(entry, 8), u16_at(entry, 10)) else {
            break;
        };
        let length = |at| u16_at(entry, at).map_or(0, usize::from);
        let name = entry.get(46..46 + length(28)).unwrap_or(&[]);
        let name = String::from_utf8_lossy(name).into_owned();
        at += 46 + length(28) + length(30) + length(32);
        entries += 1;
        if !name.ends_with('/') {
            files.push(File {
                name,
                method,
                encrypted: flags & 1 != 0,
            });
        }
    }
    if files.len() < 2 && entries < announced {
        let name = String::new();
        files.extend([0, 0].map(|method| File {
            name: name.clone(),
            method,
            encrypted: false,
        }));
    }
    files
}

/// Reads the first file of an archive.
pub(super) enum ZipReader<R: BufRead> {
    Start(Option<R>),
    Stored(std::io::Take<R>),
    Deflated(flate2::bufread::DeflateDecoder<R>),
}

impl<R: BufRead> ZipReader<R> {
    pub(super) fn new(source: R) -> Self {
        ZipReader::Start(Some(source))
    }

    /// Passes over folders and the first file's header.
    fn open(mut source: R) -> Result<Self> {
        loop {
            let mut header = [0; 30];
            source.read_exact(&mut header)?;
            if !header.starts_with(&LOCAL_HEADER) {
                return Err(corrupt("no file starts where one should"));
            }
            let field = |at| u16_at(&header, at).unwrap_or(0);
            let (flags, method) = (field(6), field(8));
            let packed = u32_at(&header, 18).map_or(0, u64::from);
            let mut name = vec![0; usize::from(field(26))];
            source.read_exact(&mut name)?;
            let mut extra = vec![0; usize::from(field(28))];
            source.read_exact(&mut extra)?;
            if name.ends_with(b"/") {
                let skipped = std::io::copy(&mut (&mut source).take(packed), &mut std::io::sink())?;
                if skipped < packed {
                    return Err(Error::from(ErrorKind::UnexpectedEof));
                }
                continue;
            }
            return match method {
                8 => Ok(ZipReader::Deflated(flate2::bufread::DeflateDecoder::new(source))),
                0 if flags & 8 == 0 && packed < u64::from(u32::MAX) => {
                    Ok(ZipReader::Stored(source.take(packed)))
                }
                0 => Err(corrupt("it holds a stored file that doesn't say how long it is")),
                other => Err(corrupt(format!("it holds a file packed by method {other}"))),
            };
        }
    }
}

impl<R: BufRead> Read for ZipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let ZipReader::Start(source) = self {
            let Some(source) = source.take() else { return Ok(0) };
            *self = ZipReader::open(source)?;
        }
        match self {
            ZipReader::Start(_) => Ok(0),
            ZipReader::Deflated(decoder) => decoder.read(buffer),
            ZipReader::Stored(rest) => match rest.read(buffer)? {
                0 if rest.limit() > 0 && !buffer.is_empty() => Err(Error::from(ErrorKind::UnexpectedEof)),
                n => Ok(n),
            },
        }
    }
}
