//! LZ4: blocks, and frames of them (the "LZ4 Frame Format Description"). Read by hand because a block may hold 4 MiB,
//! more than a sample does: what there is of one must be unpacked too. Checksums are not verified; a schema does not
//! hang on one byte.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use super::corrupt;

const FRAME: u32 = 0x184D_2204;
const WINDOW: usize = 64 << 10;

/// Whether a block was all there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Complete,
    CutOff,
}

/// Unpacks a block behind what `out` holds already, which it may refer to. At most `limit` bytes are added.
///
/// # Errors
///
/// InvalidData when the block refers to what is not there, or holds more.
pub(super) fn unpack(out: &mut Vec<u8>, mut block: &[u8], limit: usize) -> Result<Extent> {
    let end = out.len().saturating_add(limit);
    let too_much = || corrupt(format!("a block holds more than {limit} bytes"));
    loop {
        let Some((&token, rest)) = block.split_first() else {
            return Ok(Extent::CutOff);
        };
        block = rest;
        let Some(literals) = length(&mut block, token >> 4) else {
            return Ok(Extent::CutOff);
        };
        let available = block.get(..literals).unwrap_or(block);
        if out.len() + available.len() > end {
            return Err(too_much());
        }
        out.extend_from_slice(available);
        let Some(rest) = block.get(literals..) else {
            return Ok(Extent::CutOff);
        };
        // The last sequence has literals only.
        if rest.is_empty() {
            return Ok(Extent::Complete);
        }
        let Some((&offset, rest)) = rest.split_first_chunk::<2>() else {
            return Ok(Extent::CutOff);
        };
        block = rest;
        let Some(matched) = length(&mut block, token & 15) else {
            return Ok(Extent::CutOff);
        };
        let matched = matched + 4;
        let offset = usize::from(u16::from_le_bytes(offset));
        let Some(from) = out.len().checked_sub(offset).filter(|_| offset > 0) else {
            return Err(corrupt("a block refers to what is before its start"));
        };
        if out.len() + matched > end {
            return Err(too_much());
        }
        // A match may overlap what it produces: it repeats with a period of the offset.
        let mut left = matched;
        while left > 0 {
            let n = left.min(out.len() - from);
            out.extend_from_within(from..from + n);
            left -= n;
        }
    }
}

/// Fifteen in four bits is continued by bytes that are added up to the first that is not 255.
fn length(block: &mut &[u8], nibble: u8) -> Option<usize> {
    let mut length = usize::from(nibble);
    if nibble == 15 {
        loop {
            let (&byte, rest) = block.split_first()?;
            *block = rest;
            length = length.saturating_add(usize::from(byte));
            if byte != 255 {
                break;
            }
        }
    }
    Some(length)
}

/// The frame being read.
struct Frame {
    block_bytes: usize,
    independent: bool,
    block_checksum: bool,
    content_checksum: bool,
}

/// Reads every frame of a source.
pub(super) struct Lz4Reader<R> {
    source: R,
    frame: Option<Frame>,
    /// What was unpacked last: what blocks may still refer to, and from `at` on what was not handed out yet.
    out: Vec<u8>,
    at: usize,
    cut_off: bool,
}

impl<R: BufRead> Lz4Reader<R> {
    pub(super) fn new(source: R) -> Self {
        Lz4Reader {
            source,
            frame: None,
            out: Vec::new(),
            at: 0,
            cut_off: false,
        }
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn next_frame(&mut self) -> Result<()> {
        match u32::from_le_bytes(self.bytes()?) {
            FRAME => {}
            0x184D_2A50..=0x184D_2A5F => {
                let length = u64::from(u32::from_le_bytes(self.bytes()?));
                let skipped = std::io::copy(&mut (&mut self.source).take(length), &mut std::io::sink())?;
                return if skipped < length {
                    Err(Error::from(ErrorKind::UnexpectedEof))
                } else {
                    Ok(())
                };
            }
            _ => return Err(corrupt("no frame starts where one should")),
        }
        let [flags, sizes] = self.bytes()?;
        if flags >> 6 != 1 {
            return Err(corrupt(format!(
                "version {} of its frames is not known",
                flags >> 6
            )));
        }
        if flags & 1 != 0 {
            return Err(corrupt("it needs a dictionary that is not in the object"));
        }
        if flags & 8 != 0 {
            self.bytes::<8>()?;
        }
        self.bytes::<1>()?;
        self.out.clear();
        self.at = 0;
        self.frame = Some(Frame {
            block_bytes: match sizes >> 4 & 7 {
                4 => 64 << 10,
                5 => 256 << 10,
                6 => 1 << 20,
                7 => 4 << 20,
                other => return Err(corrupt(format!("block size {other} is not known"))),
            },
            independent: flags & 0x20 != 0,
            block_checksum: flags & 0x10 != 0,
            content_checksum: flags & 4 != 0,
        });
        Ok(())
    }

    fn next_block(&mut self) -> Result<()> {
        let header = u32::from_le_bytes(self.bytes()?);
        let Some(frame) = &self.frame else { return Ok(()) };
        if header == 0 {
            if frame.content_checksum {
                self.bytes::<4>()?;
            }
            self.frame = None;
            return Ok(());
        }
        let (length, packed) = ((header & 0x7fff_ffff) as usize, header >> 31 == 0);
        if length > frame.block_bytes {
            return Err(corrupt(format!("a block is said to be {length} bytes long")));
        }
        let mut block = Vec::new();
        (&mut self.source).take(length as u64).read_to_end(&mut block)?;
        self.cut_off = block.len() < length;
        let keep = if frame.independent { 0 } else { WINDOW };
        self.out.drain(..self.out.len().saturating_sub(keep));
        self.at = self.out.len();
        if !packed {
            self.out.extend_from_slice(&block);
        } else if unpack(&mut self.out, &block, frame.block_bytes)? == Extent::CutOff && !self.cut_off {
            return Err(corrupt("a block ends inside a sequence"));
        }
        if frame.block_checksum && !self.cut_off {
            self.bytes::<4>()?;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Lz4Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let mut ready = self.out.get(self.at..).unwrap_or(&[]);
            if !ready.is_empty() || buffer.is_empty() {
                let n = ready.read(buffer)?;
                self.at += n;
                return Ok(n);
            }
            if self.cut_off {
                return Err(Error::from(ErrorKind::UnexpectedEof));
            }
            if self.frame.is_some() {
                self.next_block()?;
            } else if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            } else {
                self.next_frame()?;
            }
        }
    }
}
