//! Lines against a pattern: how many match, and the columns they make.

use super::{Grok, GrokField};
use crate::column::quoted;
use crate::limits::GROK_LINES;
use crate::{Column, DataType};

/// What lines are by a pattern.
pub(crate) struct LinesVerdict {
    /// Lines that match, of those that were tried.
    pub(crate) matching: u64,
    pub(crate) lines: u64,
    /// Bytes of those that match, with their line ends.
    pub(crate) bytes: u64,
    /// Whether every line of the text was tried.
    pub(crate) all: bool,
    pub(crate) columns: Vec<Column>,
    /// The first line that does not match.
    pub(crate) odd: Option<String>,
}

impl LinesVerdict {
    /// The share of lines that match, rounded down to hundredths.
    pub(crate) fn share(&self) -> f64 {
        (self.matching as f64 / self.lines.max(1) as f64 * 100.0).floor() / 100.0
    }

    /// Whether nearly all lines match: nine in ten.
    pub(crate) fn matches(&self) -> bool {
        self.lines > 0 && self.matching * 10 >= self.lines * 9
    }

    /// How many lines match, in words.
    pub(crate) fn reason(&self) -> String {
        if self.lines == 0 {
            return if self.all {
                "there are no lines".to_owned()
            } else {
                "the pattern is too large, or the first line too long, to be tried in reasonable time"
                    .to_owned()
            };
        }
        let mut reason = format!("{} of {} lines match the pattern", self.matching, self.lines);
        if let Some(odd) = &self.odd {
            reason.push_str(&format!("; the first that does not: {odd}"));
        }
        reason
    }
}

#[derive(Default, Clone)]
struct Tally {
    values: u64,
    /// Values that the type can't hold, and the first of them.
    unfit: u64,
    example: Option<String>,
}

/// Tries the lines of a text that are not blank, up to a limit. `whole` says that the last line is complete. `passed_over`
/// tells lines that belong to the format but are no rows.
pub(crate) fn judge(
    grok: &Grok,
    text: &str,
    whole: bool,
    passed_over: impl Fn(&str) -> bool,
) -> LinesVerdict {
    let mut verdict = LinesVerdict {
        matching: 0,
        lines: 0,
        bytes: 0,
        all: true,
        columns: Vec::new(),
        odd: None,
    };
    let mut tallies = vec![Tally::default(); grok.fields.len()];
    let mut left = grok.bytes;
    for raw in text.split_inclusive('\n') {
        if !raw.ends_with('\n') && !whole {
            verdict.all = false;
            break;
        }
        let line = raw.trim_end_matches(['\n', '\r']);
        if line.trim().is_empty() || passed_over(line) {
            continue;
        }
        let Some(rest) = left
            .checked_sub(raw.len())
            .filter(|_| verdict.lines < GROK_LINES as u64)
        else {
            verdict.all = false;
            break;
        };
        left = rest;
        verdict.lines += 1;
        let Some(captures) = grok.regex.captures(line.as_bytes()) else {
            verdict.odd.get_or_insert_with(|| quoted(line));
            // What hardly ever matches is not worth a thousand tries.
            if verdict.lines == 50 && verdict.matching < 25 {
                verdict.all = false;
                break;
            }
            continue;
        };
        verdict.matching += 1;
        verdict.bytes += raw.len() as u64;
        for (field, tally) in grok.fields.iter().zip(&mut tallies) {
            let value = field.groups.iter().find_map(|group| captures.name(group));
            let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()));
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                tally.values += 1;
                if !holds(&field.data_type, &value) {
                    tally.unfit += 1;
                    tally.example.get_or_insert_with(|| quoted(&value));
                }
            }
        }
    }
    let fields = grok.fields.iter().zip(tallies);
    verdict.columns = fields
        .map(|(field, tally)| column(field, &tally, verdict.matching))
        .collect();
    verdict
}

fn column(field: &GrokField, tally: &Tally, rows: u64) -> Column {
    let mut reason = match &field.typed {
        Some(typed) => format!("the pattern says {typed}"),
        None => "the pattern names no type, so it is text".to_owned(),
    };
    if let Some(example) = &tally.example {
        reason.push_str(&format!(
            "; {} of {} values are not {}, such as {example}, and read as null",
            tally.unfit, tally.values, field.data_type
        ));
    }
    let nulls = rows - tally.values.min(rows) + tally.unfit;
    if rows > tally.values {
        reason.push_str(&format!("; {} of {rows} rows have none", rows - tally.values));
    }
    Column {
        name: field.name.clone(),
        data_type: field.data_type.clone(),
        nullable: nulls > 0,
        reason,
    }
}

fn holds(data_type: &DataType, value: &str) -> bool {
    match data_type {
        DataType::TinyInt => value.parse::<i8>().is_ok(),
        DataType::SmallInt => value.parse::<i16>().is_ok(),
        DataType::Int => value.parse::<i32>().is_ok(),
        DataType::BigInt => value.parse::<i64>().is_ok(),
        DataType::Float | DataType::Double => value.parse::<f64>().is_ok(),
        DataType::Boolean => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
        _ => true,
    }
}
