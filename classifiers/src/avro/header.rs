//! The header of an Avro file and the frames of its blocks.

use super::{malformed, too_large};
use crate::limits::AVRO_HEADER_BYTES;
use crate::{ClassifyError, ClassifyErrorKind};

const SYNC_BYTES: usize = 16;

/// What the header says, and what comes after it.
pub(super) struct Header<'a> {
    pub(super) schema: &'a str,
    pub(super) codec: &'a str,
    sync: &'a [u8],
    blocks: &'a [u8],
}

/// What the blocks at hand say.
pub(super) struct Blocks {
    /// Rows in the blocks that are all there.
    pub(super) rows: u64,
    /// Whether those are all the rows of the file.
    pub(super) complete: bool,
    pub(super) note: Option<String>,
}

/// Why reading stopped.
enum Stop {
    /// The bytes end here.
    Ended,
    Corrupt(&'static str),
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A zigzag number of up to ten bytes.
    fn long(&mut self) -> Result<i64, Stop> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Stop::Ended)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(Stop::Corrupt("a number has more than ten bytes"))
    }

    fn length(&mut self) -> Result<usize, Stop> {
        let length = self.long()?;
        usize::try_from(length).map_err(|_| Stop::Corrupt("a length is negative"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Stop::Ended)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Reads what follows the magic number. `whole` says that the bytes are the whole file.
///
/// # Errors
///
/// Truncated, TooLarge or Malformed.
pub(super) fn read(bytes: &[u8], whole: bool) -> Result<Header<'_>, ClassifyError> {
    let bounded = bytes.get(..AVRO_HEADER_BYTES).unwrap_or(bytes);
    let mut reader = Reader { rest: bounded };
    let (schema, codec, sync) = metadata(&mut reader).map_err(|stop| match stop {
        Stop::Corrupt(what) => malformed(what),
        Stop::Ended if whole && bounded.len() == bytes.len() => {
            let message = "the Avro file ends inside its header: it was cut off while being written or copied; \
                           upload it again";
            ClassifyError::new(ClassifyErrorKind::Truncated, message)
        }
        Stop::Ended => too_large(&format!(
            "it is longer than {} bytes, or the sample ends before it does",
            bounded.len()
        )),
    })?;
    let text = |bytes, what| std::str::from_utf8(bytes).map_err(|_| malformed(what));
    let schema = schema.ok_or_else(|| malformed("it has no schema (avro.schema)"))?;
    Ok(Header {
        schema: text(schema, "its schema is not UTF-8")?,
        codec: codec.map_or(Ok("null"), |codec| {
            text(codec, "the name of its codec is not UTF-8")
        })?,
        sync,
        blocks: bytes.get(bounded.len() - reader.rest.len()..).unwrap_or(&[]),
    })
}

type Metadata<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a [u8]);

fn metadata<'a>(reader: &mut Reader<'a>) -> Result<Metadata<'a>, Stop> {
    let (mut schema, mut codec) = (None, None);
    loop {
        let mut count = reader.long()?;
        if count == 0 {
            return Ok((schema, codec, reader.take(SYNC_BYTES)?));
        }
        if count < 0 {
            // A negative count is followed by the length of the entries in bytes.
            count = count.checked_neg().ok_or(Stop::Corrupt("a count overflows"))?;
            reader.length()?;
        }
        // Every entry takes two bytes at least, so this ends with the bytes.
        for _ in 0..count {
            let length = reader.length()?;
            let name = reader.take(length)?;
            let length = reader.length()?;
            let value = reader.take(length)?;
            match name {
                b"avro.schema" => schema = Some(value),
                b"avro.codec" => codec = Some(value),
                _ => {}
            }
        }
    }
}

/// Adds up the rows of the blocks. Each is a count, a length, so many bytes, and the file's sync marker.
pub(super) fn rows(header: &Header<'_>, whole: bool) -> Blocks {
    let mut reader = Reader { rest: header.blocks };
    let mut rows = 0_u64;
    let note = loop {
        if reader.rest.is_empty() {
            break None;
        }
        match block(&mut reader, header.sync) {
            Ok(count) => rows = rows.saturating_add(count),
            Err(Stop::Ended) if !whole => break None,
            Err(Stop::Ended) => {
                break Some(format!(
                    "the last block is cut off: the {rows} rows before it can be read, so upload the file again"
                ));
            }
            Err(Stop::Corrupt(what)) => {
                break Some(format!("after {rows} rows {what}, so what follows can't be read"));
            }
        }
    };
    Blocks {
        rows,
        complete: whole && note.is_none(),
        note,
    }
}

fn block(reader: &mut Reader<'_>, sync: &[u8]) -> Result<u64, Stop> {
    let count = reader.long()?;
    let count = u64::try_from(count).map_err(|_| Stop::Corrupt("a block has a negative number of rows"))?;
    let length = reader.length()?;
    reader.take(length)?;
    if reader.take(SYNC_BYTES)? != sync {
        return Err(Stop::Corrupt("a block does not end with the file's sync marker"));
    }
    Ok(count)
}
