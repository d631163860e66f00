//! Taking the compression off a sample. The magic number decides, never the name.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use crate::limits::UNPACKED_BYTES;
use crate::{ClassifyError, ClassifyErrorKind, Compression, Sample};

/// A sample without its compression.
pub(crate) struct Unpacked<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) compression: Compression,
    /// Whether `bytes` is all there is.
    pub(crate) whole: bool,
}

/// Unpacks the head of a sample, to at most [`UNPACKED_BYTES`].
///
/// # Errors
///
/// Malformed when the compressed data contradict themselves, Truncated when the whole object was given and it ends too
/// early, Empty when there is nothing inside.
pub(crate) fn unpack<'a>(sample: &Sample<'a>) -> Result<Unpacked<'a>, ClassifyError> {
    if !sample.head.starts_with(&[0x1f, 0x8b]) {
        let bytes = Cow::Borrowed(sample.head);
        return Ok(Unpacked {
            bytes,
            compression: Compression::None,
            whole: sample.is_whole(),
        });
    }
    let mut bytes = Vec::new();
    let mut decoder = MultiGzDecoder::new(sample.head);
    let mut chunk = vec![0; 64 << 10];
    let whole = loop {
        if bytes.len() >= UNPACKED_BYTES {
            bytes.truncate(UNPACKED_BYTES);
            break false;
        }
        match decoder.read(&mut chunk) {
            Ok(0) => break sample.is_whole(),
            Ok(n) => bytes.extend_from_slice(chunk.get(..n).unwrap_or(&[])),
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof && !sample.is_whole() => break false,
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                let message = "the gzip data end too early: the object was cut off while being written or copied; \
                               upload it again";
                return Err(ClassifyError::new(ClassifyErrorKind::Truncated, message));
            }
            // Padding after the last member is common (tapes, block devices) and harmless.
            Err(_) if !bytes.is_empty() && decoder.get_ref().iter().all(|&b| b == 0) => {
                break sample.is_whole();
            }
            Err(e) => {
                let message = format!("the gzip data are corrupt ({e}); upload the object again");
                return Err(ClassifyError::new(ClassifyErrorKind::Malformed, message));
            }
        }
    };
    if bytes.is_empty() && whole {
        let message = "there is nothing inside the gzip compression (0 bytes), so it has no schema";
        return Err(ClassifyError::new(ClassifyErrorKind::Empty, message));
    }
    Ok(Unpacked {
        bytes: Cow::Owned(bytes),
        compression: Compression::Gzip,
        whole,
    })
}
