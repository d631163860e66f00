//! Lines that are comments.

use super::header;
use super::records::{Marks, Record};

/// Lines that are looked at.
const LINES: usize = 1_000;

/// The character that comments start with: `#` or `%`, or the first of `//` and `-- `, when some lines, but not all, start
/// with it and look like comments rather than rows.
pub(crate) fn mark(text: &str, terminator: &str) -> Option<u8> {
    let split = if terminator == "\r" { '\r' } else { '\n' };
    let lines: Vec<&str> = text
        .split(split)
        .take(LINES)
        .filter(|line| !line.trim().is_empty())
        .collect();
    ["#", "%", "//", "-- "]
        .into_iter()
        .find(|mark| are_comments(&lines, mark))
        .and_then(|mark| mark.bytes().next())
}

fn are_comments(lines: &[&str], mark: &str) -> bool {
    let marked = || lines.iter().filter(|line| line.starts_with(mark));
    let comments = marked().count();
    if comments == 0 || comments == lines.len() {
        return false;
    }
    let on_top = lines.first().is_some_and(|line| line.starts_with(mark)) && comments * 2 < lines.len();
    if mark != "#" {
        // A reader knows one character only, so no row may start with it. Below the top these are rather values.
        let rows = || lines.iter().filter(|line| !line.starts_with(mark));
        let is_at_top = on_top || comments * 2 <= lines.len() && lines.iter().take(comments).eq(marked());
        return is_at_top && rows().all(|line| !line.starts_with(mark.get(..1).unwrap_or(mark)));
    }
    // A table may have values that start with `#`: those are followed by a word, and their lines are delimited.
    let spaced = marked().all(|line| line.chars().nth(1).is_none_or(|c| !c.is_alphanumeric()));
    let bare = marked().all(|line| !line.contains([',', ';', '\t', '|']));
    spaced || bare || on_top
}

/// A header written as a comment (`#id,name`) is a header, when it has as many fields as the rows below it.
pub(crate) fn uncommented_header(marks: Marks, records: Vec<Record>, text: &str) -> (Marks, Vec<Record>) {
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
    let Some(with_it) =
        super::dialect::records_of(plain, super::start_of(text), text.len() <= super::START_BYTES)
    else {
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
