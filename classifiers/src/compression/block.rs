//! Blocks that are compressed on their own, as ORC and Hadoop's codecs have them.

use std::io::{ErrorKind, Read, Result};

use super::{corrupt, lz4};

/// How a block is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// Deflate, without zlib's header.
    Deflate,
    Snappy,
    /// LZ4's block format, without a frame.
    Lz4,
    Zstd,
}

/// Unpacks one block that holds at most `limit` bytes.
///
/// # Errors
///
/// InvalidData when the block contradicts itself or holds more.
pub(crate) fn unpack_block(block: Block, bytes: &[u8], limit: usize) -> Result<Vec<u8>> {
    let too_much = || corrupt(format!("a block holds more than {limit} bytes"));
    match block {
        Block::Deflate => read_to(flate2::bufread::DeflateDecoder::new(bytes), limit),
        Block::Zstd => read_to(super::zstd::ZstdReader::new(bytes), limit),
        Block::Snappy => {
            if snap::raw::decompress_len(bytes).map_err(corrupt)? > limit {
                return Err(too_much());
            }
            snap::raw::Decoder::new().decompress_vec(bytes).map_err(corrupt)
        }
        Block::Lz4 => {
            let mut unpacked = Vec::new();
            match lz4::unpack(&mut unpacked, bytes, limit)? {
                lz4::Extent::Complete => Ok(unpacked),
                lz4::Extent::CutOff => Err(corrupt("a block ends inside a sequence")),
            }
        }
    }
}

fn read_to(reader: impl Read, limit: usize) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let read = reader.take(limit as u64 + 1).read_to_end(&mut unpacked);
    read.map_err(|e| {
        if e.kind() == ErrorKind::UnexpectedEof {
            corrupt(e)
        } else {
            e
        }
    })?;
    if unpacked.len() > limit {
        return Err(corrupt(format!("a block holds more than {limit} bytes")));
    }
    Ok(unpacked)
}
