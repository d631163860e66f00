//! XML: which element is a row, and the columns that its attributes and elements make.

mod rows;
mod scanner;
mod shape;
mod walk;

use rows::Outline;
use shape::Rows;
use walk::End;

use crate::{ClassifyError, ClassifyErrorKind, Column, XmlLayout};

/// What a text is as XML.
pub(crate) struct XmlVerdict {
    pub(crate) layout: XmlLayout,
    pub(crate) certainty: f64,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    pub(crate) row_bytes: u64,
    pub(crate) reasons: Vec<String>,
}

/// Judges a text. `named` says that the name ends as XML files' names do; `whole` that the text is all there is. With a
/// `row_tag`, every element of that name is a row; otherwise the row is found. The inner error holds why it is not XML.
///
/// # Errors
///
/// What is beyond doubt meant as XML may be Malformed, Truncated or TooLarge.
pub(crate) fn classify(
    text: &str,
    row_tag: Option<&str>,
    named: bool,
    whole: bool,
) -> Result<Result<XmlVerdict, String>, ClassifyError> {
    let start = text.trim_start();
    if !starts_like_markup(start) {
        return Ok(Err("it does not start with a tag".to_owned()));
    }
    if is_html(start) {
        return Ok(Err("it is HTML, which holds no table of data".to_owned()));
    }
    let certain = named || start.starts_with("<?xml");
    match read(text, row_tag, whole) {
        Ok(verdict) => Ok(verdict),
        Err(error) if certain || error.kind == ClassifyErrorKind::TooLarge => Err(error),
        Err(error) => Ok(Err(format!("it starts like XML, but {}", error.message))),
    }
}

fn starts_like_markup(start: &str) -> bool {
    start
        .strip_prefix('<')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '?' | '!')))
}

fn is_html(start: &str) -> bool {
    let start = start.get(..200).unwrap_or(start).to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

fn read(text: &str, row_tag: Option<&str>, whole: bool) -> Result<Result<XmlVerdict, String>, ClassifyError> {
    let (path, certainty, mut reasons);
    if row_tag.is_none() {
        let mut outline = Outline::new();
        walk::walk(text, whole, &mut outline)?;
        outline.finish(text.len());
        let Some(row) = outline.row() else {
            return Ok(Err("it holds no element".to_owned()));
        };
        (path, certainty, reasons) = (row.path, row.certainty, vec![row.reason]);
    } else {
        (path, certainty, reasons) = (Vec::new(), 1.0, Vec::new());
    }
    let is_row = |at: &[String]| match row_tag {
        Some(tag) => at.last().is_some_and(|name| name == tag),
        None => at == path,
    };
    let mut rows = Rows::new(&is_row);
    let end = walk::walk(text, whole, &mut rows)?;
    if let End::Cut = end
        && rows.count == 0
        && rows.is_inside()
    {
        reasons
            .push("the first row is longer than the sample; its columns are those of its start".to_owned());
        rows.finish(text.len());
    }
    if let Some(tag) = row_tag {
        if rows.count == 0 {
            return Ok(Err(format!("no element is called {tag:?}")));
        }
        reasons.push(format!("row: {} elements are called {tag:?}", rows.count));
    }
    if rows.empty > 0 {
        reasons.push(format!(
            "{} rows are written as empty elements (`<row …/>`), which Glue's own XML reader passes over",
            rows.empty
        ));
    }
    if let Some(prefix) = &rows.prefix {
        reasons.push(format!("prefixes, such as {prefix:?}, are left out of the names"));
    }
    let row_tag = row_tag.map(str::to_owned).or_else(|| path.last().cloned());
    Ok(Ok(XmlVerdict {
        layout: XmlLayout {
            row_tag: row_tag.unwrap_or_default(),
        },
        certainty,
        columns: rows.columns(),
        rows: rows.count,
        row_bytes: rows.bytes,
        reasons,
    }))
}
