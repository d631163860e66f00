//! The framing of Hadoop's block codecs (`BlockCompressorStream`): the length of a block when unpacked, then the lengths
//! and bytes of the pieces that make it up, all lengths in four bytes, big end first.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use super::block::{Block, unpack_block};
use super::corrupt;
use crate::Compression;
use crate::limits::{HADOOP_BLOCK_BYTES, HADOOP_PIECE_BYTES};

/// Whether bytes can be what Hadoop's codec wrote: the first lengths make sense, and the first piece, if it is all
/// there, unpacks.
pub(super) fn is_plausible(head: &[u8], compression: Compression) -> bool {
    let block = match compression {
        Compression::HadoopSnappy => Block::Snappy,
        Compression::HadoopLz4 => Block::Lz4,
        _ => return false,
    };
    let Some((lengths, rest)) = head.split_first_chunk::<8>() else {
        return head == [0; 4];
    };
    let [a, b, c, d, e, f, g, h] = *lengths;
    let unpacked = u32::from_be_bytes([a, b, c, d]) as usize;
    let packed = u32::from_be_bytes([e, f, g, h]) as usize;
    if unpacked > HADOOP_BLOCK_BYTES || packed > HADOOP_PIECE_BYTES || (packed == 0 && unpacked > 0) {
        return false;
    }
    match rest.get(..packed) {
        Some(piece) => unpacked == 0 || unpack_block(block, piece, unpacked).is_ok(),
        None => packed <= unpacked + unpacked / 6 + 64,
    }
}

/// Reads such a stream.
pub(super) struct HadoopReader<R> {
    source: R,
    block: Block,
    /// Bytes of the current block that are still to be unpacked.
    left: usize,
    piece: std::io::Cursor<Vec<u8>>,
}

impl<R: BufRead> HadoopReader<R> {
    pub(super) fn new(source: R, block: Block) -> Self {
        HadoopReader {
            source,
            block,
            left: 0,
            piece: std::io::Cursor::default(),
        }
    }

    fn length(&mut self) -> Result<usize> {
        let mut bytes = [0; 4];
        self.source.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes) as usize)
    }

    fn next_piece(&mut self) -> Result<()> {
        let packed = self.length()?;
        if packed > HADOOP_PIECE_BYTES {
            return Err(corrupt(format!("a piece is said to be {packed} bytes long")));
        }
        let mut bytes = Vec::new();
        (&mut self.source).take(packed as u64).read_to_end(&mut bytes)?;
        if bytes.len() < packed {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        let unpacked = unpack_block(self.block, &bytes, self.left)?;
        if unpacked.is_empty() {
            return Err(corrupt("a piece holds nothing"));
        }
        self.left -= unpacked.len().min(self.left);
        self.piece = std::io::Cursor::new(unpacked);
        Ok(())
    }
}

impl<R: BufRead> Read for HadoopReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let n = self.piece.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            if self.left > 0 {
                self.next_piece()?;
                continue;
            }
            if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.left = self.length()?;
            if self.left > HADOOP_BLOCK_BYTES {
                return Err(corrupt(format!("a block is said to hold {} bytes", self.left)));
            }
        }
    }
}
