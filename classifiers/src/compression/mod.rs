//! Taking the compression off a sample. The magic number decides; only where a format has none does the name.

mod block;
mod hadoop;
mod lz4;
mod source;
mod zip;
mod zstd;

use std::borrow::Cow;
use std::io::{BufRead, Error, ErrorKind, Read};

pub(crate) use block::{Block, unpack_block};
use hadoop::HadoopReader;
use source::Source;

use crate::limits::UNPACKED_BYTES;
use crate::{ClassifyError, ClassifyErrorKind, Compression, Sample};

/// A sample without its compression.
pub(crate) struct Unpacked<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) compression: Compression,
    /// Whether `bytes` is all there is.
    pub(crate) whole: bool,
    /// What a person should know about how it is packed.
    pub(crate) reason: Option<String>,
}

/// What [`unpack`] made of a sample.
pub(crate) enum Unpacking<'a> {
    Done(Unpacked<'a>),
    /// It is an archive of several files or none, or packed in a way that is not read: what it is, as a sentence.
    NotRead(String),
    /// At least so many of the object's last bytes are needed to tell.
    NeedTail(u64),
}

/// Names that Hadoop's codecs give to their files, which have no magic number.
const HADOOP: [(&str, Compression); 2] = [
    (".snappy", Compression::HadoopSnappy),
    (".lz4", Compression::HadoopLz4),
];

/// How an object is compressed, from its first bytes, or its name and its first bytes.
fn recognise(sample: &Sample<'_>) -> Compression {
    let head = sample.head;
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x31,
            0x41,
            0x59,
            0x26,
            0x53,
            0x59,
            ..,
        ] => Compression::Bzip2,
        // A bzip2 file of nothing.
        [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x17,
            0x72,
            0x45,
            0x38,
            0x50,
            0x90,
            ..,
        ] => Compression::Bzip2,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        // A frame to be skipped, as some writers put first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        [0x04, 0x22, 0x4d, 0x18, ..] => Compression::Lz4,
        [b'P', b'K', 3, 4, ..] => Compression::Zip,
        _ if head.starts_with(b"\xff\x06\x00\x00sNaPpY") => Compression::Snappy,
        _ => {
            let name = sample.name.to_ascii_lowercase();
            let hadoop = HADOOP.iter().find(|(extension, _)| name.ends_with(extension));
            match hadoop {
                Some((_, compression)) if hadoop::is_plausible(head, *compression) => *compression,
                _ => Compression::None,
            }
        }
    }
}

/// Unpacks the head of a sample, to at most [`UNPACKED_BYTES`].
///
/// # Errors
///
/// Malformed when the compressed data contradict themselves, Truncated when the whole object was given and it ends too
/// early, Unsupported when encrypted, Empty when there is nothing inside.
pub(crate) fn unpack<'a>(sample: &Sample<'a>) -> Result<Unpacking<'a>, ClassifyError> {
    let compression = recognise(sample);
    if compression == Compression::None {
        return Ok(Unpacking::Done(Unpacked {
            bytes: Cow::Borrowed(sample.head),
            compression,
            whole: sample.is_whole(),
            reason: None,
        }));
    }
    let mut reason = None;
    if compression == Compression::Zip {
        match zip::look(sample)? {
            zip::Look::Single { name } => {
                reason = Some(format!("it is the only file in the archive, {name:?}"))
            }
            zip::Look::NotRead(what) => return Ok(Unpacking::NotRead(what)),
            zip::Look::NeedTail(wanted) => return Ok(Unpacking::NeedTail(wanted)),
        }
    }
    let (bytes, whole) = read_head(sample, compression)?;
    if bytes.is_empty() && whole {
        let message =
            format!("there is nothing inside the {compression} compression (0 bytes), so it has no schema");
        return Err(ClassifyError::new(ClassifyErrorKind::Empty, message));
    }
    Ok(Unpacking::Done(Unpacked {
        bytes: Cow::Owned(bytes),
        compression,
        whole,
        reason,
    }))
}

/// The unpacked bytes, and whether they are all there are.
fn read_head(sample: &Sample<'_>, compression: Compression) -> Result<(Vec<u8>, bool), ClassifyError> {
    let mut bytes = Vec::new();
    let source = Source::new(sample.head);
    let mut decoder = decompress(compression, &source);
    let mut chunk = vec![0; 64 << 10];
    loop {
        if bytes.len() >= UNPACKED_BYTES {
            bytes.truncate(UNPACKED_BYTES);
            return Ok((bytes, false));
        }
        match decoder.read(&mut chunk) {
            Ok(0) => return Ok((bytes, sample.is_whole())),
            Ok(n) => bytes.extend_from_slice(chunk.get(..n).unwrap_or(&[])),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof || source.is_exhausted() => {
                if !sample.is_whole() {
                    return Ok((bytes, false));
                }
                let message = format!(
                    "the {compression} data end too early: the object was cut off while being written or copied; \
                     upload it again"
                );
                return Err(ClassifyError::new(ClassifyErrorKind::Truncated, message));
            }
            // Padding after the last member is common (tapes, block devices) and harmless.
            Err(_) if !bytes.is_empty() && source.rest_is_zero() => return Ok((bytes, sample.is_whole())),
            Err(e) => {
                let message = format!("the {compression} data are corrupt ({e}); upload the object again");
                return Err(ClassifyError::new(ClassifyErrorKind::Malformed, message));
            }
        }
    }
}

/// Reads a whole object without its compression, in constant memory (128 MiB at most, for zstd's largest window).
///
/// Concatenated gzip, bzip2, zstd and lz4 streams are read one after another. A ZIP archive's first file is read; that
/// there is no other is for [`classify`](crate::classify) to say. Errors are those of `source`,
/// [`ErrorKind::UnexpectedEof`] for data that end too early, and others for data that contradict themselves.
pub fn decompress<'a>(compression: Compression, source: impl BufRead + 'a) -> Box<dyn Read + 'a> {
    match compression {
        Compression::None => Box::new(source),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
        Compression::Zstd => Box::new(zstd::ZstdReader::new(source)),
        Compression::Snappy => Box::new(snap::read::FrameDecoder::new(source)),
        Compression::Lz4 => Box::new(lz4::Lz4Reader::new(source)),
        Compression::HadoopSnappy => Box::new(HadoopReader::new(source, Block::Snappy)),
        Compression::HadoopLz4 => Box::new(HadoopReader::new(source, Block::Lz4)),
        Compression::Zip => Box::new(zip::ZipReader::new(source)),
    }
}

/// The error for data that contradict themselves.
fn corrupt(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
