//! An ORC postscript and footer.

use super::protobuf::{Message, Value};
use super::{malformed, too_large};
use crate::compression::{Block, unpack_block};
use crate::limits::{NAME_BYTES, ORC_FOOTER_BYTES, ORC_TYPES};
use crate::{ClassifyError, ClassifyErrorKind};

/// Largest compression block. The length of a chunk has 23 bits.
const BLOCK_BYTES: u64 = 1 << 23;
const DEFAULT_BLOCK_BYTES: u64 = 256 << 10;

/// The last bytes of a file, never compressed: how to read what is before them.
pub(super) struct Postscript {
    pub(super) footer_bytes: u64,
    /// As people call it.
    pub(super) codec: &'static str,
    block: Option<Block>,
    block_bytes: usize,
}

impl Postscript {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ClassifyError> {
        let (mut footer_bytes, mut kind, mut block_bytes) = (None, 0, DEFAULT_BLOCK_BYTES);
        let mut message = Message::new(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, Value::Number(length)) => footer_bytes = Some(length),
                (2, Value::Number(number)) => kind = number,
                (3, Value::Number(length)) => block_bytes = length,
                _ => {}
            }
        }
        let (codec, block) = match kind {
            0 => ("nothing", None),
            1 => ("zlib", Some(Block::Deflate)),
            2 => ("snappy", Some(Block::Snappy)),
            4 => ("lz4", Some(Block::Lz4)),
            5 => ("zstd", Some(Block::Zstd)),
            other => {
                let name = match other {
                    3 => "lzo".to_owned(),
                    6 => "brotli".to_owned(),
                    other => format!("number {other}"),
                };
                let message = format!(
                    "the ORC file's footer is compressed by {name}, which is not read; write it with zlib, snappy, lz4 \
                     or zstd"
                );
                return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
            }
        };
        Ok(Postscript {
            footer_bytes: footer_bytes.ok_or_else(|| malformed("its length is not given"))?,
            codec,
            block,
            block_bytes: usize::try_from(block_bytes.min(BLOCK_BYTES)).unwrap_or(0),
        })
    }

    /// Unpacks a footer: chunks of up to a block, each behind three bytes of its length and whether it is packed.
    pub(super) fn unpack(&self, mut packed: &[u8]) -> Result<Vec<u8>, ClassifyError> {
        let Some(block) = self.block else {
            return Ok(packed.to_vec());
        };
        let mut unpacked = Vec::new();
        while !packed.is_empty() {
            let Some((&[a, b, c], rest)) = packed.split_first_chunk::<3>() else {
                return Err(malformed("a chunk of it has half a header"));
            };
            let header = u32::from_le_bytes([a, b, c, 0]);
            let length = (header >> 1) as usize;
            let Some((chunk, rest)) = rest.split_at_checked(length) else {
                return Err(malformed(&format!(
                    "a chunk of it is said to have {length} bytes where {} are left",
                    rest.len()
                )));
            };
            packed = rest;
            if header & 1 == 1 {
                unpacked.extend_from_slice(chunk);
            } else {
                let chunk = unpack_block(block, chunk, self.block_bytes)
                    .map_err(|e| malformed(&format!("it can't be unpacked by {} ({e})", self.codec)))?;
                unpacked.extend_from_slice(&chunk);
            }
            if unpacked.len() as u64 > ORC_FOOTER_BYTES {
                return Err(too_large(&format!(
                    "it unpacks to more than {ORC_FOOTER_BYTES} bytes"
                )));
            }
        }
        Ok(unpacked)
    }
}

/// A node of the type tree, which is stored as a list. Children are places in it.
#[derive(Default)]
pub(super) struct Type {
    pub(super) kind: u64,
    pub(super) children: Vec<usize>,
    pub(super) names: Vec<String>,
    pub(super) length: u64,
    pub(super) precision: Option<u64>,
    pub(super) scale: Option<u64>,
}

/// What of a footer matters for a schema.
pub(super) struct Footer {
    pub(super) types: Vec<Type>,
    pub(super) rows: u64,
}

impl Footer {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ClassifyError> {
        let (mut types, mut rows) = (Vec::new(), 0);
        let mut message = Message::new(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (4, Value::Bytes(bytes)) => {
                    if types.len() >= ORC_TYPES {
                        return Err(too_large(&format!("its schema has more than {ORC_TYPES} types")));
                    }
                    types.push(Type::read(bytes)?);
                }
                (6, Value::Number(number)) => rows = number,
                _ => {}
            }
        }
        Ok(Footer { types, rows })
    }
}

impl Type {
    fn read(bytes: &[u8]) -> Result<Self, ClassifyError> {
        let mut read = Type::default();
        let mut message = Message::new(bytes);
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, Value::Number(kind)) => read.kind = kind,
                (2, Value::Number(child)) => read.children.push(place(child)),
                (2, Value::Bytes(bytes)) => {
                    let mut children = Message::new(bytes);
                    while let Some(child) = children.packed()? {
                        read.children.push(place(child));
                    }
                }
                (3, Value::Bytes(name)) => read.names.push(checked_name(name)?),
                (4, Value::Number(length)) => read.length = length,
                (5, Value::Number(precision)) => read.precision = Some(precision),
                (6, Value::Number(scale)) => read.scale = Some(scale),
                _ => {}
            }
        }
        Ok(read)
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn checked_name(name: &[u8]) -> Result<String, ClassifyError> {
    let name = std::str::from_utf8(name).map_err(|_| malformed("a column name is not UTF-8"))?;
    if name.len() > NAME_BYTES {
        return Err(too_large(&format!(
            "a column name has {} bytes; at most {NAME_BYTES} are read",
            name.len()
        )));
    }
    Ok(name.to_owned())
}
