//! Parquet: the schema from the footer. No page is read, and nothing is believed about its size.

mod footer;
mod schema;
mod thrift;

use crate::limits::PARQUET_FOOTER_BYTES;
use crate::{ClassifyError, ClassifyErrorKind, Compression, Layout, Outcome, Sample, Verdict};

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";
/// The footer's length and the magic number behind it.
const TRAILER: u64 = 8;
/// Asked for when no tail was given. Most footers fit.
const FIRST_TAIL: u64 = 64 << 10;

/// Whether the object starts as Parquet does.
pub(crate) fn is_parquet(sample: &Sample) -> bool {
    sample.head.starts_with(MAGIC) || sample.head.starts_with(ENCRYPTED)
}

/// Judges an object that starts as Parquet does.
///
/// # Errors
///
/// Truncated without a footer at the end, Unsupported when encrypted, TooLarge for a footer beyond the limit, and
/// Malformed for one that contradicts itself.
pub(crate) fn classify(sample: &Sample) -> Result<Outcome, ClassifyError> {
    let tail = if sample.is_whole() {
        sample.head
    } else {
        sample.tail
    };
    if sample.size < TRAILER + MAGIC.len() as u64 {
        return Err(cut_off());
    }
    let Some((_, trailer)) = tail.split_at_checked(tail.len().wrapping_sub(TRAILER as usize)) else {
        return Ok(Outcome::NeedTail(FIRST_TAIL.min(sample.size)));
    };
    let (length, magic) = trailer.split_at(4);
    if magic == ENCRYPTED || (magic == MAGIC && sample.head.starts_with(ENCRYPTED)) {
        let message = "the Parquet file is encrypted (its footer is); only unencrypted files can be read";
        return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
    }
    if magic != MAGIC {
        return Err(cut_off());
    }
    let length = length
        .iter()
        .rev()
        .fold(0_u64, |length, &byte| length << 8 | u64::from(byte));
    if length + TRAILER + MAGIC.len() as u64 > sample.size {
        let message = format!(
            "it is said to be {length} bytes long, in a file of {} bytes",
            sample.size
        );
        return Err(thrift::malformed(&message));
    }
    if length > PARQUET_FOOTER_BYTES {
        let message = format!(
            "the Parquet footer is {length} bytes long; at most {PARQUET_FOOTER_BYTES} are read: write fewer row groups \
             or columns a file"
        );
        return Err(ClassifyError::new(ClassifyErrorKind::TooLarge, message));
    }
    let needed = usize::try_from(length + TRAILER).unwrap_or(usize::MAX);
    let Some(start) = tail.len().checked_sub(needed) else {
        return Ok(Outcome::NeedTail(length + TRAILER));
    };
    let footer = tail.get(start..tail.len() - TRAILER as usize).unwrap_or(&[]);
    verdict(&footer::read(footer)?).map(|verdict| Outcome::Verdict(Box::new(verdict)))
}

fn cut_off() -> ClassifyError {
    let message = "the Parquet file ends without its footer: it was cut off while being written or copied; upload it \
                   again";
    ClassifyError::new(ClassifyErrorKind::Truncated, message)
}

fn verdict(footer: &footer::Footer) -> Result<Verdict, ClassifyError> {
    let mut verdict = Verdict::unknown(Compression::None, Vec::new());
    verdict.columns = schema::columns(&footer.elements)?;
    verdict.classification = "parquet".to_owned();
    verdict.classifier = "parquet".to_owned();
    verdict.certainty = 1.0;
    verdict.layout = Some(Layout::Parquet);
    verdict.row_count = Some(footer.rows);
    let columns = verdict.columns.len();
    verdict.reasons.push(format!(
        "its footer holds the schema: {columns} columns, {} rows",
        footer.rows
    ));
    Ok(verdict)
}
