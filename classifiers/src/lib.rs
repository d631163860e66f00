//! Bytes to schema: what a file is, how it is laid out, and which columns it has, each with its reason.
//!
//! Pure: no I/O, no clock, no threads. Safe on hostile input: every allocation, loop and recursion is bounded by a limit
//! in [`limits`] or by the length of the input.
//!
//! In reading order: [`classify`] asks each format in turn; `compression` and `encoding` turn bytes into text; `values`
//! and `column` turn text into types; `types` says how types merge; `csv`, `json` and `parquet` each know one format.

mod column;
mod compression;
mod csv;
mod encoding;
mod json;
pub mod limits;
mod magic;
mod parquet;
mod type_text;
mod types;
mod values;
mod verdict;

pub use csv::CsvScanner;
pub use json::JsonScanner;
pub use type_text::TypeTextError;
pub use types::{DataType, Field};
pub use verdict::{
    ClassifyError, ClassifyErrorKind, Column, Compression, CsvDialect, JsonLayout, Outcome, Sample, Scanned, Verdict,
};

/// Judges an object from a sample of it.
///
/// The content decides; the name is a hint that breaks ties and is reported when it is wrong. Text that no classifier
/// recognises is a verdict too: `UNKNOWN`, with reasons.
///
/// # Errors
///
/// [`ClassifyErrorKind::Empty`] for an object of no bytes, and the other kinds for an object that is recognised but
/// can't be used: cut off, contradicting itself, encrypted or beyond a [limit](limits).
pub fn classify(sample: &Sample) -> Result<Outcome, ClassifyError> {
    if sample.size == 0 {
        let message = "the object is empty (0 bytes), so it has no schema; upload it again, or exclude it";
        return Err(ClassifyError::new(ClassifyErrorKind::Empty, message));
    }
    if sample.head.is_empty() {
        let message = format!("none of the object's {} bytes could be read; try again", sample.size);
        return Err(ClassifyError::new(ClassifyErrorKind::Truncated, message));
    }
    if parquet::is_parquet(sample) {
        return parquet::classify(sample);
    }
    let unpacked = compression::unpack(sample)?;
    let mut verdict = match magic::recognise(&unpacked.bytes, unpacked.compression) {
        Some(what) => Ok(Verdict::unknown(unpacked.compression, vec![what])),
        None => classify_text(sample, &unpacked),
    }?;
    note_misleading_name(sample.name, &mut verdict);
    Ok(Outcome::Verdict(Box::new(verdict)))
}

fn classify_text(sample: &Sample, unpacked: &compression::Unpacked<'_>) -> Result<Verdict, ClassifyError> {
    let Some(text) = encoding::decode(&unpacked.bytes, unpacked.whole) else {
        let reason = "it holds NUL or control characters, so it is binary, and no known format starts like it";
        return Ok(Verdict::unknown(unpacked.compression, vec![reason.to_owned()]));
    };
    let _ = (sample, text.text, text.encoding, text.reason);
    Ok(Verdict::unknown(unpacked.compression, Vec::new()))
}

fn note_misleading_name(_name: &str, _verdict: &mut Verdict) {}
