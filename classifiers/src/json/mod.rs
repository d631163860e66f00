//! JSON: which documents are rows, and the columns they make together.

mod maps;
mod scanner;
mod shape;
mod split;

use scanner::Rows;
pub use scanner::{JsonReader, JsonScanner};
use serde::de::IgnoredAny;
use split::{Document, Splitter};

use crate::{ClassifyError, ClassifyErrorKind, Column, DataType, JsonDocuments};

/// What a text is as JSON.
pub(crate) struct JsonVerdict {
    pub(crate) documents: JsonDocuments,
    pub(crate) certainty: f64,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    pub(crate) row_bytes: u64,
    pub(crate) reasons: Vec<String>,
}

/// Judges a text; `whole` says that it is all there is. The inner error holds why it is not JSON.
///
/// # Errors
///
/// The outer error is TooLarge, for JSON beyond a limit, or Truncated, for JSON that was cut off.
pub(crate) fn classify(text: &str, whole: bool) -> Result<Result<JsonVerdict, String>, ClassifyError> {
    let start = text.trim_start();
    let attempt = if start.starts_with('{') {
        match lines(text, whole)? {
            Ok(verdict) => Ok(verdict),
            Err(why_not_lines) => documents(text, JsonDocuments::Concatenated, whole).map_err(|why| {
                // The error of the reading that got further says more.
                if why.kind == ClassifyErrorKind::Malformed {
                    why_not_lines
                } else {
                    why
                }
            }),
        }
    } else if start.starts_with('[') {
        documents(text, JsonDocuments::Array, whole)
    } else {
        return Ok(Err("it starts with neither an object nor an array".to_owned()));
    };
    match attempt {
        Ok(verdict) => Ok(Ok(verdict)),
        Err(error) if error.kind == ClassifyErrorKind::TooLarge => Err(error),
        // Cut off, and beyond doubt JSON until there.
        Err(error) if error.kind == ClassifyErrorKind::Truncated && starts_with_a_name(start) => Err(error),
        Err(error) => Ok(Err(format!("it starts like JSON, but {}", error.message))),
    }
}

/// `{"` or `[{"`, whatever the blanks.
pub(crate) fn starts_with_a_name(text: &str) -> bool {
    let text = text.trim_start();
    let inside = text.strip_prefix('[').map_or(text, str::trim_start);
    inside
        .strip_prefix('{')
        .is_some_and(|fields| fields.trim_start().starts_with('"'))
}

/// An array of scalars, most likely, rather than a log or a settings file.
pub(crate) fn starts_like_an_array(text: &str) -> bool {
    let inside = text.trim_start().strip_prefix('[').map(str::trim_start);
    inside.is_some_and(|inside| inside.starts_with(|c: char| c.is_ascii_digit() || "\"[-{".contains(c)))
}

/// One object a line. A few lines in a hundred may be broken, and one of five.
fn lines(text: &str, whole: bool) -> Result<Result<JsonVerdict, ClassifyError>, ClassifyError> {
    let mut rows = Rows::default();
    let mut broken: Option<ClassifyError> = None;
    let mut broken_lines = 0_u64;
    let mut last_is_broken = false;
    let mut read = |document: Document<'_>| -> Result<(), ClassifyError> {
        // Checked first, because a row that breaks off would leave its first half behind.
        let valid = match serde_json::from_slice::<IgnoredAny>(document.bytes) {
            Ok(IgnoredAny) => rows.read(&document),
            Err(e) => Err(ClassifyError::new(
                ClassifyErrorKind::Malformed,
                scanner::mistake(document.line, &e),
            )),
        };
        last_is_broken = valid.is_err();
        match valid {
            Err(error) if error.kind == ClassifyErrorKind::TooLarge => Err(error),
            Err(error) => {
                broken_lines += 1;
                broken.get_or_insert(error);
                // Pretty-printed documents are broken line by line from the start.
                if rows.count == 0 { Err(not_lines()) } else { Ok(()) }
            }
            Ok(()) => Ok(()),
        }
    };
    let mut splitter = Splitter::new(JsonDocuments::Lines);
    let mut result = splitter.feed(text.as_bytes(), &mut read);
    if result.is_ok() && whole {
        result = splitter.finish(&mut read);
    }
    // A file that was cut off has lost the end of its last line, and nothing else.
    let only_the_last = broken_lines == 1 && last_is_broken && rows.count > 0;
    let only_one = broken_lines == 1 && rows.count >= 4;
    match (result, broken) {
        (Err(error), None) => Err(error),
        (Err(error), Some(_)) if error.kind == ClassifyErrorKind::TooLarge => Err(error),
        (_, Some(error)) if broken_lines * 20 > rows.count && !only_the_last && !only_one => Ok(Err(error)),
        (_, None) if rows.count == 0 => Ok(Err(not_lines())),
        (_, broken) => {
            let share = rows.count as f64 / (rows.count + broken_lines) as f64;
            let mut verdict = verdict(rows, JsonDocuments::Lines, (share * 100.0).floor() / 100.0);
            if let Some(error) = broken {
                let all = verdict.rows + broken_lines;
                verdict.reasons.push(format!(
                    "{broken_lines} of {all} lines are broken, the first: {}",
                    error.message
                ));
            }
            Ok(Ok(verdict))
        }
    }
}

fn not_lines() -> ClassifyError {
    ClassifyError::new(
        ClassifyErrorKind::Malformed,
        "its first line is not one whole object",
    )
}

/// Documents that end where their brackets do.
fn documents(text: &str, layout: JsonDocuments, whole: bool) -> Result<JsonVerdict, ClassifyError> {
    let mut rows = Rows::default();
    let mut splitter = Splitter::new(layout);
    splitter.feed(text.as_bytes(), &mut |document| rows.read(&document))?;
    let mut cut = None;
    if rows.count == 0 && !whole && !splitter.unfinished().is_empty() {
        // One document larger than the sample: what came of it is better than nothing.
        let half = Document {
            bytes: splitter.unfinished(),
            line: 1,
        };
        let _ends_early = rows.read(&half);
        let bytes = half.bytes.len();
        cut = Some(format!(
            "the first document is longer than the sample; its columns are those of the first {bytes} bytes"
        ));
    } else if whole {
        splitter.finish(&mut |document| rows.read(&document))?;
    }
    if rows.count == 0 && cut.is_none() && layout == JsonDocuments::Concatenated {
        return Err(not_lines());
    }
    let mut verdict = verdict(rows, layout, if cut.is_some() { 0.6 } else { 1.0 });
    verdict.reasons.extend(cut);
    Ok(verdict)
}

fn verdict(rows: Rows, layout: JsonDocuments, certainty: f64) -> JsonVerdict {
    let what = match layout {
        JsonDocuments::Lines => "one object a line",
        JsonDocuments::Array => "one array whose elements are the rows",
        JsonDocuments::Concatenated => "objects one after another, not one a line",
    };
    let mut reasons = vec![format!(
        "layout: {what} ({} {})",
        rows.count,
        if rows.count == 1 { "row" } else { "rows" }
    )];
    reasons.extend(rows.reasons());
    let columns = rows.columns();
    reasons.extend(records_inside(&columns, rows.count));
    JsonVerdict {
        documents: layout,
        certainty,
        columns,
        rows: rows.count,
        row_bytes: rows.bytes,
        reasons,
    }
}

/// Says so when the one document is only a wrapper: `{"count": 2, "data": [{…}, {…}]}`. It stays one row, as in Glue.
fn records_inside(columns: &[Column], rows: u64) -> Option<String> {
    let is_records = |column: &&Column| matches!(&column.data_type, DataType::Array(element) if matches!(**element, DataType::Struct(_)));
    let name = &columns.iter().find(is_records).filter(|_| rows == 1)?.name;
    Some(format!(
        "its one document holds an array of objects under {name:?}; a JSON classifier with the path $.{name}[*] makes a \
         row of each"
    ))
}
mod path;

pub(crate) use path::classify_at;
pub use path::{JsonPath, JsonStep};
