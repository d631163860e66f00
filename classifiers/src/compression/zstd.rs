//! zstd: frames one after another, and frames that are to be skipped.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::corrupt;

/// Reads every frame of a source. Windows larger than 128 MiB are refused.
pub(super) struct ZstdReader<R> {
    source: R,
    decoder: Option<FrameDecoder>,
}

impl<R: BufRead> ZstdReader<R> {
    pub(super) fn new(source: R) -> Self {
        ZstdReader {
            source,
            decoder: None,
        }
    }

    /// Starts the next frame. `None` at the end.
    fn frame(&mut self) -> Result<Option<FrameDecoder>> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(None);
            }
            let mut decoder = FrameDecoder::new();
            match decoder.reset(&mut self.source) {
                Ok(()) => return Ok(Some(decoder)),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = std::io::copy(&mut (&mut self.source).take(length), &mut std::io::sink())?;
                    if skipped < length {
                        return Err(Error::from(ErrorKind::UnexpectedEof));
                    }
                }
                Err(e) => return Err(corrupt(e)),
            }
        }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let mut decoder = match self.decoder.take() {
                Some(decoder) => decoder,
                None => match self.frame()? {
                    Some(decoder) => decoder,
                    None => return Ok(0),
                },
            };
            while decoder.can_collect() == 0 && !decoder.is_finished() {
                let step = BlockDecodingStrategy::UptoBlocks(1);
                decoder.decode_blocks(&mut self.source, step).map_err(corrupt)?;
            }
            let n = decoder.read(buffer)?;
            let ended = decoder.is_finished() && decoder.can_collect() == 0;
            if !ended {
                self.decoder = Some(decoder);
            }
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
        }
    }
}
