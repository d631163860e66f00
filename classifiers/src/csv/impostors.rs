//! Text with commas in it that is no table: logs, markup, prose.

use super::records::Record;
use super::table::text_of;

const LEVELS: &[&str] = &[
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE",
];
const MONTHS: &[&str] = &[
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// How SQL scripts and dumps begin.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE",
    "CREATE DATABASE",
    "CREATE OR REPLACE",
    "DROP TABLE",
    "INSERT INTO",
    "BEGIN;",
    "SET NAMES",
    "USE ",
];

fn starts_with_word(text: &str, words: &str) -> bool {
    text.get(..words.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(words))
}

/// `+----+-----+`, as MySQL's shell frames its answers.
fn is_drawn(line: &str) -> bool {
    let line = line.trim_end();
    line.starts_with("+-") && line.ends_with("-+") && line.bytes().all(|b| matches!(b, b'+' | b'-'))
}

/// What the text is instead of CSV, if its start gives it away.
pub(crate) fn of_text(text: &str) -> Option<&'static str> {
    let start = text.trim_start();
    if start.starts_with('<') {
        return Some("it starts with `<`, so it reads like markup (XML or HTML) and not like rows");
    }
    let is_rule = |line: &str| {
        let drawn =
            line.starts_with("|-") || line.starts_with("| -") || line.contains(" |") || line.contains(":-");
        line.matches("---").count() >= 2
            && (drawn && line.bytes().all(|b| b"|-: \t\r".contains(&b)) || is_drawn(line))
    };
    if text.lines().take(200).any(is_rule) {
        return Some("it holds a table drawn with bars and dashes, so it reads like Markdown or a report");
    }
    if STATEMENTS
        .iter()
        .any(|statement| starts_with_word(start, statement))
    {
        return Some("it starts with a statement of SQL, so it reads like a script");
    }
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(100);
    let logs = lines().filter(|line| is_log_line(line)).count();
    let all = lines().count();
    if all > 0 && logs * 10 >= all * 8 {
        return Some(
            "its lines read like a log (a time, a level or a request, then free text) of no known kind: a custom grok \
             classifier can say what its parts are",
        );
    }
    None
}

/// Apache and nginx, syslog, and what logging libraries print.
fn is_log_line(line: &str) -> bool {
    let line = line.trim_start();
    // `host - - [10/Oct/2000:13:55:36 -0700] "GET …`
    let mut words = line.split(' ');
    let (_, _, _, time) = (words.next(), words.next(), words.next(), words.next());
    if time.is_some_and(|word| word.starts_with('[') && word.contains('/') && word.contains(':')) {
        return true;
    }
    // `Oct 10 13:55:36 host program[1]: …`
    if MONTHS.iter().any(|month| line.starts_with(month)) {
        let mut words = line.split_whitespace().skip(1);
        let day = words.next().is_some_and(|word| word.parse::<u8>().is_ok());
        let time = words
            .next()
            .is_some_and(|word| word.len() == 8 && word.bytes().filter(|b| *b == b':').count() == 2);
        return day && time;
    }
    let stamped = line.trim_start_matches('[');
    let bracket = stamped.len() < line.len();
    let time_end = stamped
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '/' | ':' | 'T' | ' ' | '.' | 'Z' | '+'))
        .unwrap_or(stamped.len());
    if time_end < 16
        || !stamped
            .get(..time_end)
            .is_some_and(|time| time.contains(':') && time.contains(['-', '/']))
    {
        return LEVELS.iter().any(|level| {
            line.trim_start_matches('[')
                .strip_prefix(level)
                .is_some_and(|rest| rest.starts_with([':', ']', ' ']))
        });
    }
    let rest = stamped.get(time_end..).unwrap_or("");
    // Python's milliseconds: `2020-01-01 00:00:00,123 `.
    let rest = match rest.strip_prefix(',') {
        Some(after)
            if after
                .get(..3)
                .is_some_and(|ms| ms.bytes().all(|b| b.is_ascii_digit())) =>
        {
            let after = after.get(3..).unwrap_or("");
            if after.starts_with(' ') {
                return true;
            }
            after
        }
        _ => rest,
    };
    // Between the time and the level a log has blanks and brackets, a table has a delimiter.
    let rest = rest.trim_start_matches([' ', '[', ']', '-']);
    let level = rest
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or("");
    let after = rest.get(level.len()..).unwrap_or("");
    LEVELS.contains(&level.to_ascii_uppercase().as_str()) && (bracket || after.starts_with([' ', ']', ':']))
}

/// Whether rows that all consist of text read like sentences with commas in them. `named` says that the name promises a
/// table, which a few short lines need.
pub(crate) fn is_prose(records: &[Record], width: usize, named: bool) -> bool {
    let (mut cells, mut sentence_like, mut words, mut blanks_first) = (0_usize, 0_usize, 0_usize, 0_usize);
    for record in records {
        for (at, field) in record.fields().enumerate() {
            let cell = text_of(field);
            cells += 1;
            words += cell.split_whitespace().count();
            if at > 0 && cell.starts_with(' ') {
                blanks_first += 1;
            }
        }
        let last = text_of(record.field(record.len().saturating_sub(1)))
            .trim_end()
            .to_owned();
        sentence_like += usize::from(last.ends_with(['.', '!', '?', ':', ';', '"']));
    }
    if cells == 0 || records.is_empty() {
        return false;
    }
    let words_per_cell = words as f64 / cells as f64;
    let blank_share = blanks_first as f64 / (cells - records.len()).max(1) as f64;
    let sentence_share = sentence_like as f64 / records.len() as f64;
    // Writers of prose don't quote what has a comma in it.
    let quoted = records.iter().filter(|record| record.quoted > 0).count();
    if quoted * 3 >= records.len() && named {
        return false;
    }
    if !named && blank_share >= 0.6 && records.len() < 10 && width <= 5 {
        return true;
    }
    let long = words_per_cell >= 3.0 && blank_share >= 0.6;
    long && (width <= 3 || sentence_share >= 0.3)
        || (sentence_share >= 0.6 && words_per_cell >= 2.5 && width <= 3)
        || (sentence_share >= 0.9 && blank_share >= 0.9 && words_per_cell >= 2.0 && width <= 3)
}
