//! Where in a file the table is: what stands above it, between its header and its rows, and below it.

use super::header::{is_header_split_otherwise, judge};
use super::records::Record;
use super::table::text_of;
use crate::values::{Kind, kind_of};

/// Records of a preamble at most.
const PREAMBLE_RECORDS: usize = 40;
/// Records of a footer at most.
pub(crate) const FOOTER_RECORDS: usize = 10;
/// Rows that tell how full rows are.
const ROWS_COMPARED: usize = 50;

/// Fields with anything in them.
fn filled(record: &Record) -> usize {
    record
        .fields()
        .filter(|field| !field.trim_ascii().is_empty())
        .count()
}

/// How many records stand above the table: titles, notes, who exported it.
pub(crate) fn preamble(records: &[Record], width: usize) -> usize {
    // What Excel reads: `sep=;`.
    let separator = |record: &Record| record.field(0).starts_with(b"sep=") && record.len() <= 2;
    if records.len() > 1 && records.first().is_some_and(separator) {
        return 1;
    }
    let uneven = uneven_preamble(records, width);
    let below = records.get(uneven..).unwrap_or(&[]);
    uneven + sparse_preamble(below, width)
}

/// Records above that have another number of fields.
fn uneven_preamble(records: &[Record], width: usize) -> usize {
    let first = records.iter().position(|r| r.len() == width).unwrap_or(0);
    if first == 0 || first > PREAMBLE_RECORDS || width < 2 {
        return 0;
    }
    // One record that is a field short, or longer, is a header whose rows differ from it.
    let is_narrow = is_narrow_header(records, first, width);
    let is_header = match (records.get(first - 1), records.get(first)) {
        (Some(above), Some(row)) => {
            is_narrow || above.len() >= 2 && above.len() + 1 >= width && adjoin(above, row)
        }
        _ => false,
    };
    // A note with a delimiter in it may look like a header that is a field short; then the rows below don't fit it.
    if is_header && first == 1 {
        return 0;
    }
    if first == 1 && is_header_split_otherwise(records) {
        return 0;
    }
    // Quotes in it are rather those of a header whose names go over several lines.
    let has_quotes = |record: &Record| record.fields().any(|field| field.contains(&b'"'));
    let is_note = is_header && !is_narrow && !records.iter().take(first).any(has_quotes);
    let header = first - usize::from(is_header);
    [Some(header), is_note.then_some(first)]
        .into_iter()
        .flatten()
        .find(|preamble| is_table(records.get(*preamble..).unwrap_or(&[]), width))
        .unwrap_or(0)
}

/// Whether the record above the first of full width names the columns that hold anything: rows that end in delimiters
/// have more fields than names. A row of names among those below would be the header itself.
fn is_narrow_header(records: &[Record], first: usize, width: usize) -> bool {
    let (Some(from_above), Some(below)) = (records.get(first - 1..), records.get(first..)) else {
        return false;
    };
    let names = from_above.first().map_or(0, Record::len);
    let rest_is_empty = |row: &Record| {
        row.fields()
            .skip(names)
            .all(|field| field.trim_ascii().is_empty())
    };
    (2..width).contains(&names)
        && below.iter().take(ROWS_COMPARED).all(rest_is_empty)
        && judge(from_above).header
        && !judge(below).header
}

/// Whether nearly all records have so many fields.
fn is_table(records: &[Record], width: usize) -> bool {
    let records = records
        .get(..records.len() - footer(records, width))
        .unwrap_or(records);
    let rows = records.iter().filter(|record| !is_rule(record));
    let (alike, all) = rows.fold((0, 0), |(alike, all), record| {
        (alike + usize::from(record.len() == width), all + 1)
    });
    // One row alone makes no table below many lines.
    alike * 10 >= all * 8 && all >= 2
}

/// Whether no line stands between two records.
fn adjoin(above: &Record, below: &Record) -> bool {
    below.first_line <= above.first_line + 1 + above.line_breaks()
}

/// Titles in the first cell of rows that a spreadsheet padded with delimiters, and its empty rows.
fn sparse_preamble(records: &[Record], width: usize) -> usize {
    if width < 3 {
        return 0;
    }
    let is_sparse = |record: &Record| record.len() == width && filled(record) <= 1;
    let titles = records
        .iter()
        .take(PREAMBLE_RECORDS)
        .take_while(|record| is_sparse(record))
        .count();
    let rest = records.get(titles..).unwrap_or(&[]);
    let rows = rest.iter().take(ROWS_COMPARED).filter(|r| filled(r) > 0);
    let (full, all) = rows.fold((0, 0), |(full, all), record| {
        (full + usize::from(filled(record) >= 2), all + 1)
    });
    if titles > 0 && all >= 2 && full * 10 >= all * 9 {
        titles
    } else {
        0
    }
}

/// A line that SQL shells draw below the names: `--,----` or `----+----`.
pub(crate) fn is_rule(record: &Record) -> bool {
    let dashes = record
        .fields()
        .flatten()
        .filter(|b| matches!(b, b'-' | b'='))
        .count();
    dashes >= 2
        && record.fields().all(|field| {
            !field.is_empty() && field.iter().all(|b| matches!(b, b'-' | b'=' | b'+' | b' '))
        })
        // One or two dashes may be nulls.
        && record.fields().any(|field| field.trim_ascii().len() >= 3)
}

/// How many of the last records are no rows: `(3 rows)`, where the numbers are from, notes.
pub(crate) fn footer(records: &[Record], width: usize) -> usize {
    let notes = records
        .iter()
        .rev()
        .take(FOOTER_RECORDS)
        .take_while(|record| is_note(record, width))
        .count();
    // A table has rows.
    if notes + 1 < records.len() { notes } else { 0 }
}

fn is_note(record: &Record, width: usize) -> bool {
    if filled(record) != 1 || width < 2 || record.len() == width && width < 3 {
        return false;
    }
    let text = text_of(record.field(0));
    let text = text.trim();
    if is_row_count(text) {
        return true;
    }
    let words = text.split_whitespace().count();
    // The last person of a list may have nothing but a long name, padded to the full width.
    let is_line = record.len() == 1 && words >= 3;
    let speaks = text.contains([':', '©', '*']) || text.ends_with('.') || is_line;
    kind_of(text) == Kind::Text && words >= 2 && speaks
}

/// What SQL shells say at the end: `(3 rows)`, `3 rows selected.`, `(1 row affected)`.
fn is_row_count(text: &str) -> bool {
    let inside = text.trim_matches(['(', ')', '.', ' ']);
    let mut words = inside.split_whitespace();
    let number = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
    number
        && words
            .next()
            .is_some_and(|word| matches!(word, "row" | "rows" | "row(s)"))
        && words
            .next()
            .is_none_or(|word| matches!(word, "selected" | "affected" | "in" | "returned"))
}

/// Whether the first row below a header is no data either: units or types, a second line of names. Every column of
/// numbers or dates begins with a word there, and two columns at least begin unlike the rest.
pub(crate) fn is_second_header(rows: &[Record]) -> bool {
    let Some((second, rest)) = rows.split_first() else {
        return false;
    };
    let rest = rest.get(..ROWS_COMPARED.min(rest.len())).unwrap_or(rest);
    if rest.len() < 2 {
        return false;
    }
    let (mut unlike, mut typed_columns) = (0, 0);
    for (at, cell) in second.fields().enumerate() {
        let cell = text_of(cell);
        let cell = cell.trim();
        if !matches!(kind_of(cell), Kind::Text | Kind::Null | Kind::NullWord) {
            return false;
        }
        let values: Vec<_> = rest.iter().map(|row| text_of(row.field(at))).collect();
        let values: Vec<&str> = values
            .iter()
            .map(|value| value.trim())
            .filter(|value| !matches!(kind_of(value), Kind::Null | Kind::NullWord))
            .collect();
        if values.len() < 2 {
            continue;
        }
        let typed = values.iter().all(|value| kind_of(value) != Kind::Text);
        if kind_of(cell) != Kind::Text {
            if typed {
                return false;
            }
            continue;
        }
        let has_digit = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
        let length = values.first().map_or(0, |value| value.len());
        let other_length = values.iter().all(|value| value.len() == length) && cell.len() != length;
        let other_marks = !has_digit(cell) && values.iter().all(|value| has_digit(value));
        unlike += usize::from(typed || other_length && other_marks);
        typed_columns += usize::from(typed);
    }
    typed_columns >= 1 && unlike >= 2
}
