//! ORC: the schema and the number of rows from the footer. No stripe is read. The layout is that of the ORC
//! specification, versions 0 and 1.

mod footer;
mod protobuf;
mod schema;

use footer::{Footer, Postscript};

use crate::limits::ORC_FOOTER_BYTES;
use crate::{ClassifyError, ClassifyErrorKind, Compression, Layout, Outcome, Sample, Verdict, magic};

const MAGIC: &[u8] = b"ORC";
/// Asked for when no tail was given. Most footers fit.
const FIRST_TAIL: u64 = 64 << 10;

/// Whether the object starts as ORC does. Text may start with the same letters.
pub(crate) fn is_orc(head: &[u8]) -> bool {
    head.starts_with(MAGIC) && !magic::is_text(head)
}

/// Judges an object that starts as ORC does.
///
/// # Errors
///
/// Truncated without a footer at the end, Unsupported for a compression that is not read, TooLarge beyond a limit, and
/// Malformed for what contradicts itself.
pub(crate) fn classify(sample: &Sample<'_>) -> Result<Outcome, ClassifyError> {
    let tail = if sample.is_whole() {
        sample.head
    } else {
        sample.tail
    };
    let Some((&length, before)) = tail.split_last() else {
        return Ok(Outcome::NeedTail(FIRST_TAIL.min(sample.size)));
    };
    let length = usize::from(length);
    let Some((_, postscript)) = before.split_at_checked(before.len().wrapping_sub(length)) else {
        return if (tail.len() as u64) < sample.size {
            Ok(Outcome::NeedTail(FIRST_TAIL.min(sample.size)))
        } else {
            Err(cut_off())
        };
    };
    // A file that was cut off ends in anything but a postscript.
    if !postscript.ends_with(MAGIC) {
        return Err(cut_off());
    }
    let postscript = Postscript::read(postscript)?;
    let length = length as u64;
    if postscript.footer_bytes > sample.size.saturating_sub(length + 1 + MAGIC.len() as u64) {
        return Err(malformed(&format!(
            "it is said to be {} bytes long, in a file of {} bytes",
            postscript.footer_bytes, sample.size
        )));
    }
    if postscript.footer_bytes > ORC_FOOTER_BYTES - length - 1 {
        return Err(too_large(&format!(
            "it is {} bytes long; at most {ORC_FOOTER_BYTES} are read: write fewer stripes or columns a file",
            postscript.footer_bytes
        )));
    }
    let needed = postscript.footer_bytes + length + 1;
    let Some(start) = usize::try_from(needed)
        .ok()
        .and_then(|needed| tail.len().checked_sub(needed))
    else {
        return Ok(Outcome::NeedTail(needed));
    };
    let packed = tail.get(start..tail.len() - length as usize - 1).unwrap_or(&[]);
    let footer = Footer::read(&postscript.unpack(packed)?)?;
    verdict(&postscript, &footer).map(|verdict| Outcome::Verdict(Box::new(verdict)))
}

fn verdict(postscript: &Postscript, footer: &Footer) -> Result<Verdict, ClassifyError> {
    let mut verdict = Verdict::unknown(Compression::None, Vec::new());
    verdict.columns = schema::columns(&footer.types)?;
    verdict.classification = "orc".to_owned();
    verdict.classifier = "orc".to_owned();
    verdict.certainty = 1.0;
    verdict.layout = Some(Layout::Orc);
    verdict.row_count = Some(footer.rows);
    verdict.reasons.push(format!(
        "its footer holds the schema: {} columns, {} rows, compressed by {}",
        verdict.columns.len(),
        footer.rows,
        postscript.codec
    ));
    let numbered = |(at, column): (usize, &crate::Column)| column.name == format!("_col{at}");
    if !verdict.columns.is_empty() && verdict.columns.iter().enumerate().all(numbered) {
        let why = "the writer did not know the columns' names and numbered them (_col0, _col1, …), as old versions \
                   of Hive did; name them in the table, in the same order";
        verdict.reasons.push(why.to_owned());
    }
    Ok(verdict)
}

fn cut_off() -> ClassifyError {
    let message =
        "the ORC file ends without its footer: it was cut off while being written or copied; upload it again";
    ClassifyError::new(ClassifyErrorKind::Truncated, message)
}

fn malformed(what: &str) -> ClassifyError {
    let message = format!("the ORC footer is corrupt: {what}; write the file again");
    ClassifyError::new(ClassifyErrorKind::Malformed, message)
}

fn too_large(what: &str) -> ClassifyError {
    ClassifyError::new(
        ClassifyErrorKind::TooLarge,
        format!("the ORC footer goes beyond a limit: {what}"),
    )
}
