//! CSV: delimiter, quotes, preamble, header and columns of delimited text.

mod candidates;
mod comments;
mod dialect;
mod frame;
mod guess;
mod header;
mod impostors;
mod name_words;
mod pieces;
mod reader;
mod records;
mod rows;
mod scanner;
mod siblings;
mod table;

use dialect::Candidate;
use header::HeaderVerdict;
pub use reader::{CsvReader, CsvRow};
use records::{Delimiter, Marks, Record, Splitter};
use rows::Rows;
pub use scanner::CsvScanner;
pub use siblings::settle_headers;
use table::{TableSummary, text_of};

use crate::limits::CSV_FIELDS;
use crate::values::{Kind, kind_of};
use crate::{ClassifyError, Column, CsvDialect, CsvLayout, DataType};

/// What a text is as CSV.
pub(crate) struct CsvVerdict {
    pub(crate) layout: CsvLayout,
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
    let comment = comments::mark(text, terminator);
    let is_prose = |candidate: &Candidate| reads_like_prose(candidate, named);
    let candidate = match dialect::sniff(text, whole, by_carriage_return, comment, is_prose) {
        Some(candidate) => candidate,
        None if named => {
            let single = single_column(text, whole, by_carriage_return, comment);
            match single.or_else(|| guess::uneven_table(text, whole, by_carriage_return, comment)) {
                Some(candidate) => candidate,
                None => return Ok(Err(no_delimiter(text))),
            }
        }
        None => return Ok(Err(no_delimiter(text))),
    };
    if let Some(why) = not_a_table(&candidate, named) {
        return Ok(Err(why));
    }
    let (marks, records) = comments::uncommented_header(candidate.marks, candidate.records, text);
    let mut candidate = Candidate {
        marks,
        records,
        ..candidate
    };
    let header = header::judge(&candidate.records);
    let below = candidate.records.get(1..).unwrap_or(&[]);
    if header.header && candidate.below_header == 0 && frame::is_second_header(below) {
        candidate.below_header = 1;
    }
    if whole && candidate.footer == 0 {
        candidate.footer = footer_of(text, &candidate);
    }
    let dialect = dialect_of(&candidate, terminator, &header);
    let sample = read(text, marks, &dialect, whole)?;
    Ok(Ok(verdict(&candidate, dialect, &header, &sample)))
}

/// How many of the last records of a text too long to be tried as a whole are no data.
fn footer_of(text: &str, candidate: &Candidate) -> u64 {
    let Some(end) = text.as_bytes().get(text.len().saturating_sub(END_BYTES)..) else {
        return 0;
    };
    // What comes before the first line end may be half a record.
    let line_end = if candidate.marks.by_carriage_return {
        b'\r'
    } else {
        b'\n'
    };
    let end = end.splitn(2, |byte| *byte == line_end).nth(1).unwrap_or(&[]);
    let marks = Marks {
        skip_lines: 0,
        ..candidate.marks
    };
    let records = dialect::records_of(marks, end, true).unwrap_or_default();
    let alike = records
        .iter()
        .filter(|record| record.len() == candidate.width)
        .count();
    match alike * 2 > records.len() {
        true => frame::footer(&records, candidate.width) as u64,
        false => 0,
    }
}

/// Why no delimiter was found.
fn no_delimiter(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let fields = [b',', b';', b'\t', b'|']
        .iter()
        .map(|delimiter| first.bytes().filter(|byte| byte == delimiter).count() + 1)
        .max()
        .unwrap_or_default();
    if fields > CSV_FIELDS {
        return format!(
            "its first line has {fields} fields, and a table has no more than {CSV_FIELDS} columns: turn rows and columns \
             round, or split the file"
        );
    }
    "no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number \
     of fields"
        .to_owned()
}

/// Characters of a cell that [`CsvLayout::first_record`] keeps.
pub(crate) const FIRST_RECORD_CHARS: usize = 64;

/// Bytes at the end of a long text that a footer is looked for in.
const END_BYTES: usize = 8 << 10;

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
        (_, 2..) if pairs == 0 && feeds_are_quoted(start) => "\r",
        // Line feeds inside quotes, between records that end in carriage returns.
        _ if pairs == 0 && returns > feeds * 2 => "\r",
        _ if pairs * 2 > feeds => "\r\n",
        _ => "\n",
    }
}

/// Whether line feeds stand inside of double quotes only, and carriage returns outside of them.
fn feeds_are_quoted(start: &[u8]) -> bool {
    let (mut quoted, mut returns) = (false, 0);
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => return false,
            b'\r' if !quoted => returns += 1,
            _ => {}
        }
    }
    returns > 0
}

/// Lines that are one value each. Only a name that promises CSV makes a table of them.
fn single_column(
    text: &str,
    whole: bool,
    by_carriage_return: bool,
    comment: Option<u8>,
) -> Option<Candidate> {
    let marks = Marks {
        delimiter: Delimiter::one(b','),
        quote: Some(b'"'),
        escape: None,
        comment,
        skip_lines: 0,
        by_carriage_return,
    };
    let records = dialect::records_of(marks, start_of(text), whole && text.len() <= START_BYTES)?;
    let alike = records.iter().filter(|r| r.len() == 1).count();
    let words = |record: &Record| text_of(record.field(0)).split_whitespace().count();
    let is_named = records.len() >= 3 && records.first().is_some_and(names_sentences);
    let tidy = records
        .iter()
        .all(|r| (is_named || words(r) <= 6) && r.odd_quotes == 0);
    let consistency = alike as f64 / records.len().max(1) as f64;
    (!records.is_empty() && consistency == 1.0 && tidy).then_some(Candidate {
        marks,
        score: 0.5,
        width: 1,
        consistency,
        records,
        below_header: 0,
        footer: 0,
    })
}

/// `comment`, `Review text`: one or two words above lines of any length, each of them a value.
fn names_sentences(first: &Record) -> bool {
    let name = text_of(first.field(0));
    name.split_whitespace().count() <= 2
        && header::is_name_like(&name)
        && name.ends_with(char::is_alphanumeric)
}

/// Whether its cells are nothing but text, and its records sentences.
fn reads_like_prose(candidate: &Candidate, named: bool) -> bool {
    let records = &candidate.records;
    // `2013.` ends a sentence.
    let is_text =
        |field: &[u8]| field.ends_with(b".") || matches!(kind_of(&text_of(field)), Kind::Text | Kind::Null);
    let all_text = records.iter().skip(1).all(|record| record.fields().all(is_text));
    all_text && impostors::is_prose(records, candidate.width, named)
}

/// Why rows of equal length are still no table.
fn not_a_table(candidate: &Candidate, named: bool) -> Option<String> {
    let records = &candidate.records;
    if records.len() < 2 && !named {
        return Some(
            "one line alone is too little to tell a table from text, and its name does not say".to_owned(),
        );
    }
    if reads_like_prose(candidate, named) {
        return Some("its lines read like sentences with punctuation, not like rows".to_owned());
    }
    // `f(x);`: a mark at the end of every line, and nothing after it.
    let ends_lines = candidate.width == 2 && records.iter().all(|r| r.field(1).is_empty());
    if ends_lines && !named {
        return Some("its lines only end with a delimiter, which makes no second column".to_owned());
    }
    None
}

/// How quotes are used in a sample.
#[derive(Default)]
struct Quotes {
    /// Records that have them in odd places.
    odd: u64,
    /// Whether some field of a row is in them.
    around_fields: bool,
}

/// What a sample holds.
struct Read {
    header: Option<Record>,
    table: TableSummary,
    quotes: Quotes,
}

/// Reads the whole sample. Also says how quotes are used.
fn read(text: &str, marks: Marks, dialect: &CsvDialect, whole: bool) -> Result<Read, ClassifyError> {
    let mut rows = Rows::new(dialect);
    let mut table = TableSummary::default();
    let mut quotes = Quotes::default();
    let mut is_header = dialect.header;
    let mut splitter = Splitter::new(marks);
    let mut observe = |record: &Record| {
        quotes.odd += u64::from(record.odd_quotes > 0 || record.unterminated);
        quotes.around_fields |= record.quoted > 0 && !is_header;
        is_header = false;
        rows.observe(record, &mut |row| table.observe(row));
        true
    };
    splitter.feed(text.as_bytes(), &mut observe)?;
    // The last record of a sample is cut in half, unless the sample is the whole file.
    if whole {
        splitter.finish(&mut observe)?;
    }
    Ok(Read {
        header: rows.header().cloned(),
        table,
        quotes,
    })
}

fn dialect_of(candidate: &Candidate, terminator: &str, header: &HeaderVerdict) -> CsvDialect {
    let marks = candidate.marks;
    let first_line = candidate.records.first().map(|record| record.first_line);
    CsvDialect {
        delimiter: String::from_utf8_lossy(marks.delimiter.as_bytes()).into_owned(),
        quote: marks.quote.map(|b| char::from(b).to_string()),
        escape: marks.escape.map(|b| char::from(b).to_string()),
        comment: marks.comment.map(|b| char::from(b).to_string()),
        header: header.header,
        skip_lines: first_line.unwrap_or(marks.skip_lines),
        skip_after_header: candidate.below_header,
        skip_footer: candidate.footer,
        line_terminator: terminator.to_owned(),
    }
}

fn verdict(candidate: &Candidate, dialect: CsvDialect, header: &HeaderVerdict, read: &Read) -> CsvVerdict {
    let Read { table, quotes, .. } = read;
    let odd = quotes.odd;
    let header_record = read.header.as_ref();
    let (rows, row_bytes) = (table.rows(), table.raw_bytes());
    let columns = table.columns(header_record);
    let mut reasons = vec![dialect_reason(candidate), header.reason.clone()];
    let width = header_record.map_or(0, Record::len).max(table.width());
    let surplus = width - columns.len().min(width);
    if surplus > 0 {
        reasons.push(format!(
            "the rows have {surplus} {} more than the header, which hold nothing and are left out",
            if surplus == 1 { "field" } else { "fields" }
        ));
    }
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
    if dialect.skip_after_header > 0 {
        reasons.push(
            "the record below the header is not data: it draws a line, or names units or types".to_owned(),
        );
    }
    if dialect.skip_footer > 0 {
        reasons.push(format!(
            "of the records at the end, {} {} not data: a note, or a count of rows",
            dialect.skip_footer,
            if dialect.skip_footer == 1 { "is" } else { "are" }
        ));
    }
    let padded: u64 = (0..columns.len())
        .map(|at| table.column(at))
        .filter(is_padded)
        .map(|c| c.padded())
        .sum();
    if padded > 0 {
        reasons.push(format!(
            "{padded} values have blanks around them; trim them when reading"
        ));
    }
    let certainty = (candidate.consistency.sqrt() * if candidate.width == 1 { 0.6 } else { 1.0 }).min(
        if columns.iter().all(|c| c.data_type == DataType::String) {
            0.7 + 0.3 * header.sure
        } else {
            1.0
        },
    );
    let certainty = (certainty * 100.0).round() / 100.0;
    let in_doubt =
        header.by_looks && columns.len() > 1 && columns.iter().all(|c| c.data_type == DataType::String);
    let cells = |at: usize| {
        let record = candidate.records.get(at).filter(|_| in_doubt)?;
        Some(record.fields().map(cell_of_first_record).collect())
    };
    CsvVerdict {
        layout: CsvLayout {
            quoted: quotes.around_fields,
            dialect,
            first_record: cells(0),
            second_record: cells(1),
            ..CsvLayout::default()
        },
        certainty,
        columns,
        rows,
        row_bytes,
        reasons,
    }
}

/// A cell to compare with that of another file; names are not longer.
fn cell_of_first_record(field: &[u8]) -> String {
    text_of(field).trim().chars().take(FIRST_RECORD_CHARS).collect()
}

fn is_padded(column: &crate::column::ColumnSummary) -> bool {
    column.padded() > 0 && column.data_type() != DataType::String
}

fn dialect_reason(candidate: &Candidate) -> String {
    if candidate.width == 1 {
        return "every line is one value, and the name ends in .csv".to_owned();
    }
    let delimiter = match candidate.marks.delimiter.as_bytes() {
        b"," => "comma".to_owned(),
        b";" => "semicolon".to_owned(),
        b"\t" => "tab".to_owned(),
        b"|" => "bar".to_owned(),
        [byte @ 0x01..=0x1a] => format!("Ctrl-{}", char::from(byte + b'@')),
        [0x1f] => "unit separator".to_owned(),
        b"~" => "tilde".to_owned(),
        b"^" => "caret".to_owned(),
        b":" => "colon".to_owned(),
        b" " => "space".to_owned(),
        other => format!("{:?}", String::from_utf8_lossy(other)),
    };
    let share = candidate
        .records
        .iter()
        .filter(|r| r.len() == candidate.width)
        .count();
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

/// Whether some field of a row is in quotes, by a dialect that is given.
///
/// # Errors
///
/// Those of [`padded_columns`].
pub(crate) fn has_quoted_fields(text: &str, dialect: &CsvDialect) -> Result<bool, ClassifyError> {
    let read = read(text, Marks::of_dialect(dialect)?, dialect, true)?;
    Ok(read.quotes.around_fields)
}
