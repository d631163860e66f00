//! CSV: delimiter, quotes, preamble, header and columns of delimited text.

mod dialect;
mod header;
mod impostors;
mod records;
mod scanner;
mod table;

use dialect::Candidate;
use header::HeaderVerdict;
use records::{Marks, Record, Splitter};
pub use scanner::CsvScanner;
use table::{TableSummary, text_of};

use crate::values::{Kind, kind_of};
use crate::{ClassifyError, Column, CsvDialect, DataType};

/// What a text is as CSV.
pub(crate) struct CsvVerdict {
    pub(crate) dialect: CsvDialect,
    pub(crate) certainty: f64,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    pub(crate) row_bytes: u64,
    pub(crate) reasons: Vec<String>,
}

/// Judges a text. `named` says that the name ends as delimited files' names do; `whole` that the text is all there is.
/// `Err` holds why it is not CSV.
///
/// # Errors
///
/// The outer error is TooLarge, for a record beyond a limit.
pub(crate) fn classify(
    text: &str,
    named: bool,
    whole: bool,
) -> Result<Result<CsvVerdict, String>, ClassifyError> {
    if let Some(why) = impostors::of_text(text) {
        return Ok(Err(why.to_owned()));
    }
    if text.trim().is_empty() {
        return Ok(Err("it holds nothing but blanks".to_owned()));
    }
    let terminator = line_terminator(text);
    let by_carriage_return = terminator == "\r";
    let comment = comment_mark(text, terminator);
    let candidate = match dialect::sniff(text, whole, by_carriage_return, comment) {
        Some(candidate) => candidate,
        None if named => match single_column(text, whole, by_carriage_return, comment) {
            Some(candidate) => candidate,
            None => return Ok(Err(NO_DELIMITER.to_owned())),
        },
        None => return Ok(Err(NO_DELIMITER.to_owned())),
    };
    if let Some(why) = not_a_table(&candidate, named) {
        return Ok(Err(why));
    }
    let (marks, records) = uncommented_header(candidate.marks, candidate.records, text);
    let header = header::judge(&records);
    let (table, header_record, odd) = read(text, marks, header.header, whole)?;
    let candidate = Candidate {
        marks,
        records,
        ..candidate
    };
    Ok(Ok(verdict(
        &candidate,
        terminator,
        &header,
        table,
        header_record.as_ref(),
        odd,
    )))
}

const NO_DELIMITER: &str = "no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its \
                            lines into the same number of fields";

/// Bytes that simple questions are answered from.
const START_BYTES: usize = 64 << 10;

fn start_of(text: &str) -> &[u8] {
    text.as_bytes().get(..START_BYTES).unwrap_or(text.as_bytes())
}

fn line_terminator(text: &str) -> &'static str {
    let start = start_of(text);
    let feeds = start.iter().filter(|b| **b == b'\n').count();
    let returns = start.iter().filter(|b| **b == b'\r').count();
    let pairs = start.windows(2).filter(|pair| pair == b"\r\n").count();
    match (feeds, returns) {
        (0, 1..) => "\r",
        _ if pairs * 2 > feeds => "\r\n",
        _ => "\n",
    }
}

/// `#`, when some lines, but not all, start with it and look like comments rather than rows.
fn comment_mark(text: &str, terminator: &str) -> Option<u8> {
    let split = if terminator == "\r" { '\r' } else { '\n' };
    let lines = || {
        text.split(split)
            .take(1_000)
            .filter(|line| !line.trim().is_empty())
    };
    let marked = || lines().filter(|line| line.starts_with('#'));
    let (all, comments) = (lines().count(), marked().count());
    if comments == 0 || comments == all {
        return None;
    }
    // A table may have values that start with `#`: those are followed by a word, and their lines are delimited.
    let spaced = marked().all(|line| line.chars().nth(1).is_none_or(|c| !c.is_alphanumeric()));
    let bare = marked().all(|line| !line.contains([',', ';', '\t', '|']));
    let on_top = lines().next().is_some_and(|line| line.starts_with('#')) && comments * 2 < all;
    (spaced || bare || on_top).then_some(b'#')
}

/// A header written as a comment (`#id,name`) is a header, when it has as many fields as the rows below it.
fn uncommented_header(marks: Marks, records: Vec<Record>, text: &str) -> (Marks, Vec<Record>) {
    let Some(comment) = marks.comment else {
        return (marks, records);
    };
    let first_line = records.first().map_or(0, |r| r.first_line);
    let width = records.first().map_or(0, Record::len);
    let same = (marks, records);
    if first_line == 0 || width < 2 {
        return same;
    }
    let plain = Marks {
        comment: None,
        skip_lines: first_line - 1,
        ..marks
    };
    let Some(with_it) = dialect::records_of(plain, start_of(text), text.len() <= START_BYTES) else {
        return same;
    };
    let is_comment = |record: &Record| record.field(0).first() == Some(&comment);
    let later = with_it.get(1..).unwrap_or(&[]).iter().any(is_comment);
    let fits = with_it.first().is_some_and(|r| r.len() == width && is_comment(r));
    if fits && !later && !header::judge(&same.1).header && header::judge(&with_it).header {
        return (plain, with_it);
    }
    same
}

/// Lines that are one value each. Only a name that promises CSV makes a table of them.
fn single_column(
    text: &str,
    whole: bool,
    by_carriage_return: bool,
    comment: Option<u8>,
) -> Option<Candidate> {
    let marks = Marks {
        delimiter: b',',
        quote: Some(b'"'),
        escape: None,
        comment,
        skip_lines: 0,
        by_carriage_return,
    };
    let records = dialect::records_of(marks, start_of(text), whole && text.len() <= START_BYTES)?;
    let alike = records.iter().filter(|r| r.len() == 1).count();
    let tidy = records
        .iter()
        .all(|r| text_of(r.field(0)).split_whitespace().count() <= 6 && r.odd_quotes == 0);
    let consistency = alike as f64 / records.len().max(1) as f64;
    (records.len() >= 2 && consistency == 1.0 && tidy).then_some(Candidate {
        marks,
        score: 0.5,
        width: 1,
        consistency,
        records,
    })
}

/// Why rows of equal length are still no table.
fn not_a_table(candidate: &Candidate, named: bool) -> Option<String> {
    let records = &candidate.records;
    if records.len() < 2 && !named {
        return Some(
            "one line alone is too little to tell a table from text, and its name does not say".to_owned(),
        );
    }
    let all_text = records.iter().skip(1).all(|record| {
        record
            .fields()
            .all(|field| matches!(kind_of(&text_of(field)), Kind::Text | Kind::Null))
    });
    if all_text && impostors::is_prose(records, candidate.width, named) {
        return Some("its lines read like sentences with punctuation, not like rows".to_owned());
    }
    // `f(x);`: a mark at the end of every line, and nothing after it.
    let ends_lines = candidate.width == 2 && records.iter().all(|r| r.field(1).is_empty());
    if ends_lines && !named {
        return Some("its lines only end with a delimiter, which makes no second column".to_owned());
    }
    None
}

/// Reads the whole sample. Also says how many records have quotes in odd places.
fn read(
    text: &str,
    marks: Marks,
    header: bool,
    whole: bool,
) -> Result<(TableSummary, Option<Record>, u64), ClassifyError> {
    let mut table = TableSummary::default();
    let mut header_record = None;
    let mut odd = 0;
    let mut splitter = Splitter::new(marks);
    let mut observe = |record: &Record| {
        odd += u64::from(record.odd_quotes > 0 || record.unterminated);
        if header && header_record.is_none() {
            header_record = Some(record.clone());
        } else {
            table.observe(record);
        }
        true
    };
    splitter.feed(text.as_bytes(), &mut observe)?;
    // The last record of a sample is cut in half, unless the sample is the whole file.
    if whole {
        splitter.finish(&mut observe)?;
    }
    Ok((table, header_record, odd))
}

fn verdict(
    candidate: &Candidate,
    terminator: &str,
    header: &HeaderVerdict,
    table: TableSummary,
    header_record: Option<&Record>,
    odd: u64,
) -> CsvVerdict {
    let marks = candidate.marks;
    let dialect = CsvDialect {
        delimiter: char::from(marks.delimiter).to_string(),
        quote: marks.quote.map(|b| char::from(b).to_string()),
        escape: marks.escape.map(|b| char::from(b).to_string()),
        comment: marks.comment.map(|b| char::from(b).to_string()),
        header: header.header,
        skip_lines: candidate
            .records
            .first()
            .map_or(marks.skip_lines, |r| r.first_line),
        line_terminator: terminator.to_owned(),
    };
    let (rows, row_bytes) = (table.rows(), table.raw_bytes());
    let mut reasons = vec![dialect_reason(candidate), header.reason.clone()];
    let width = header_record.map_or(0, Record::len).max(table.width());
    let (short, long) = table.ragged(width);
    if short + long > 0 {
        reasons.push(format!(
            "{} of {rows} rows do not have {width} fields ({short} have fewer, {long} more); what is missing is null, \
             what is too much is left out",
            short + long
        ));
    }
    if odd > 0 {
        reasons.push(format!(
            "{odd} records have quotes in the middle of a field, which are kept as text"
        ));
    }
    if dialect.skip_lines > 0 {
        reasons.push(format!(
            "the first {} lines are not part of the table",
            dialect.skip_lines
        ));
    }
    let padded: u64 = (0..width)
        .map(|at| table.column(at))
        .filter(is_padded)
        .map(|c| c.padded())
        .sum();
    if padded > 0 {
        reasons.push(format!(
            "{padded} values have blanks around them; trim them when reading"
        ));
    }
    let columns = table.into_columns(header_record);
    let certainty = (candidate.consistency.sqrt() * if candidate.width == 1 { 0.6 } else { 1.0 }).min(
        if columns.iter().all(|c| c.data_type == DataType::String) {
            0.7 + 0.3 * header.sure
        } else {
            1.0
        },
    );
    let certainty = (certainty * 100.0).round() / 100.0;
    CsvVerdict {
        dialect,
        certainty,
        columns,
        rows,
        row_bytes,
        reasons,
    }
}

fn is_padded(column: &crate::column::ColumnSummary) -> bool {
    column.padded() > 0 && column.data_type() != DataType::String
}

fn dialect_reason(candidate: &Candidate) -> String {
    let delimiter = match candidate.marks.delimiter {
        _ if candidate.width == 1 => return "every line is one value, and the name ends in .csv".to_owned(),
        b',' => "comma",
        b';' => "semicolon",
        b'\t' => "tab",
        b'|' => "bar",
        0x01 => "Ctrl-A",
        b'~' => "tilde",
        b'^' => "caret",
        b':' => "colon",
        _ => "space",
    };
    let share = (candidate.consistency * candidate.records.len() as f64).round();
    format!(
        "delimiter: {share} of the first {} records have {} fields when split at the {delimiter}",
        candidate.records.len(),
        candidate.width
    )
}

/// Whether the first record of a text is a header, by a dialect that is given, and why.
///
/// # Errors
///
/// Unsupported when a mark of the dialect isn't one ASCII character.
pub(crate) fn has_header(
    text: &str,
    dialect: &CsvDialect,
    whole: bool,
) -> Result<(bool, String), ClassifyError> {
    let marks = Marks::of_dialect(dialect)?;
    let complete = whole && text.len() <= START_BYTES;
    let records = dialect::records_of(marks, start_of(text), complete).unwrap_or_default();
    let header = header::judge(&records);
    Ok((header.header, header.reason))
}

/// The line ends of a text: `\n`, `\r\n` or `\r`.
pub(crate) fn line_ends(text: &str) -> &'static str {
    line_terminator(text)
}

/// Which columns of a text have values with blanks around them, by a dialect that is given.
///
/// # Errors
///
/// Unsupported for a dialect that can't be used, TooLarge for a record beyond a limit.
pub(crate) fn padded_columns(text: &str, dialect: &CsvDialect) -> Result<Vec<bool>, ClassifyError> {
    let mut padded: Vec<bool> = Vec::new();
    let mut header = dialect.header;
    let mut splitter = Splitter::new(Marks::of_dialect(dialect)?);
    splitter.feed(text.as_bytes(), &mut |record| {
        if std::mem::take(&mut header) {
            return true;
        }
        padded.resize(padded.len().max(record.len()), false);
        for (padded, field) in padded.iter_mut().zip(record.fields()) {
            *padded |= field.trim_ascii().len() < field.len();
        }
        true
    })?;
    Ok(padded)
}
