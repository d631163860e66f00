//! Avro data files: the schema from the header, and the number of rows from the blocks that are at hand. No row is read.
//! The layout is that of "Object Container Files" in the Avro specification.

mod header;
mod schema;

use crate::{AvroLayout, ClassifyError, ClassifyErrorKind, Compression, Layout, Sample, Verdict};

const MAGIC: &[u8] = b"Obj\x01";

/// Whether the object starts as Avro does.
pub(crate) fn is_avro(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Judges an object that starts as Avro does.
///
/// # Errors
///
/// Truncated when the header ends too early, TooLarge when it or the schema goes beyond a limit, Unsupported for a
/// schema that contains itself, and Malformed for what contradicts itself.
pub(crate) fn classify(sample: &Sample<'_>) -> Result<Verdict, ClassifyError> {
    let body = sample.head.get(MAGIC.len()..).unwrap_or(&[]);
    let header = header::read(body, sample.is_whole())?;
    let table = schema::table(header.schema)?;
    let blocks = header::rows(&header, sample.is_whole());
    let mut verdict = Verdict::unknown(Compression::None, Vec::new());
    verdict.classification = "avro".to_owned();
    verdict.classifier = "avro".to_owned();
    verdict.certainty = 1.0;
    verdict.rows_sampled = blocks.rows;
    verdict.row_count = blocks.complete.then_some(blocks.rows);
    verdict.reasons.push(format!(
        "its header holds the schema: {}, {} columns, blocks compressed by {}",
        table.name,
        table.columns.len(),
        header.codec
    ));
    if !matches!(
        header.codec,
        "null" | "deflate" | "snappy" | "zstandard" | "bzip2" | "xz"
    ) {
        verdict.reasons.push(format!(
            "{:?} is not one of Avro's codecs, so other readers may refuse the file",
            header.codec
        ));
    }
    verdict.reasons.extend(blocks.note);
    verdict.columns = table.columns;
    verdict.layout = Some(Layout::Avro(AvroLayout {
        schema: header.schema.to_owned(),
        codec: header.codec.to_owned(),
    }));
    Ok(verdict)
}

fn malformed(what: &str) -> ClassifyError {
    let message = format!("the Avro header is corrupt: {what}; write the file again");
    ClassifyError::new(ClassifyErrorKind::Malformed, message)
}

fn too_large(what: &str) -> ClassifyError {
    ClassifyError::new(
        ClassifyErrorKind::TooLarge,
        format!("the Avro header goes beyond a limit: {what}"),
    )
}
