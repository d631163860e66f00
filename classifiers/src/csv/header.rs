//! Whether the first record of a table is its header.

use std::collections::HashSet;

use super::records::Record;
use super::table::text_of;
use crate::column::quoted;
use crate::values::{Kind, is_grouped_number, kind_of};

/// Rows below the first that are compared with it.
const ROWS_COMPARED: usize = 500;

/// Words that column names are made of.
const NAME_WORDS: &[&str] = &[
    "account",
    "address",
    "age",
    "amount",
    "author",
    "category",
    "city",
    "class",
    "code",
    "color",
    "column",
    "comment",
    "comments",
    "company",
    "contact",
    "count",
    "country",
    "county",
    "created",
    "currency",
    "customer",
    "date",
    "day",
    "department",
    "description",
    "district",
    "dob",
    "email",
    "employee",
    "end",
    "event",
    "field",
    "file",
    "first",
    "flag",
    "gender",
    "group",
    "height",
    "host",
    "hour",
    "id",
    "ip",
    "index",
    "item",
    "job",
    "key",
    "kind",
    "label",
    "language",
    "last",
    "lat",
    "latitude",
    "level",
    "lng",
    "location",
    "lon",
    "longitude",
    "message",
    "method",
    "model",
    "modified",
    "month",
    "name",
    "notes",
    "number",
    "order",
    "owner",
    "parent",
    "path",
    "payment",
    "person",
    "phone",
    "postcode",
    "price",
    "product",
    "quantity",
    "rate",
    "reason",
    "region",
    "role",
    "score",
    "sex",
    "size",
    "source",
    "start",
    "state",
    "status",
    "street",
    "surname",
    "tag",
    "tags",
    "text",
    "time",
    "timestamp",
    "title",
    "total",
    "type",
    "unit",
    "updated",
    "url",
    "user",
    "username",
    "uuid",
    "val",
    "value",
    "version",
    "weight",
    "year",
    "zip",
    "zone",
    "borough",
    "brand",
    "capital",
    "continent",
    "species",
    "team",
    "vendor",
];

/// The judgement and its reason.
pub(crate) struct HeaderVerdict {
    pub(crate) header: bool,
    pub(crate) reason: String,
    /// How sure, from 0 to 1.
    pub(crate) sure: f64,
}

fn verdict(header: bool, sure: f64, reason: String) -> HeaderVerdict {
    HeaderVerdict { header, reason, sure }
}

/// Compares the first record with those below it.
pub(crate) fn judge(records: &[Record]) -> HeaderVerdict {
    let Some((first, below)) = records.split_first() else {
        return verdict(false, 1.0, "header: none, because there are no rows".to_owned());
    };
    let cells: Vec<String> = first
        .fields()
        .map(|cell| text_of(cell).trim().to_owned())
        .collect();
    let below = below.get(..ROWS_COMPARED.min(below.len())).unwrap_or(below);
    if let Some(value) = cells
        .iter()
        .find(|cell| is_value(kind_of(cell)) || is_grouped_number(cell))
    {
        if are_years(&cells, below) {
            return verdict(
                true,
                0.9,
                "header: its numbers are years in order, unlike those below".to_owned(),
            );
        }
        let reason = format!(
            "header: none, because the first row holds {}, which is a value",
            quoted(value)
        );
        return verdict(false, 0.95, reason);
    }
    let named: Vec<&String> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    if named.len() * 2 < cells.len() || named.is_empty() {
        return verdict(
            false,
            0.9,
            "header: none, because most cells of the first row are empty".to_owned(),
        );
    }
    if below.is_empty() {
        return judge_alone(&named);
    }
    let evidence = Evidence::gather(&cells, below);
    evidence.judge(&cells, &named)
}

/// A file of one record: names without rows, or one row without names.
fn judge_alone(named: &[&String]) -> HeaderVerdict {
    let header = named.iter().all(|cell| is_name_like(cell));
    let reason = if header {
        "header: the only row reads like names"
    } else {
        "header: none, because the only row does not read like names"
    };
    verdict(header, 0.6, reason.to_owned())
}

fn is_value(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Null | Kind::NullWord | Kind::InfinityWord | Kind::Text
    )
}

/// Years may be names: `country,2019,2020` above values that are not years.
fn are_years(cells: &[String], below: &[Record]) -> bool {
    let year = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|year| (1800..=2200).contains(year) && text.len() == 4)
    };
    let mut last = 0;
    let mut any_name = false;
    for (at, cell) in cells.iter().enumerate() {
        match year(cell) {
            Some(year) if year > last => {
                last = year;
                let years = below.iter().filter(|r| {
                    text_of(r.field(at))
                        .trim()
                        .parse()
                        .is_ok_and(|n: u32| (1800..=2200).contains(&n))
                });
                if years.count() * 2 > below.len() {
                    return false;
                }
            }
            Some(_) => return false,
            None if is_value(kind_of(cell)) || is_grouped_number(cell) => return false,
            None => any_name = true,
        }
    }
    any_name && last > 0 && !below.is_empty()
}

/// What the columns say, summed up.
#[derive(Default)]
struct Evidence {
    /// Columns with any value below the first row.
    filled: usize,
    /// Columns whose values are all, or nearly all, numbers, dates, … under a name that is not.
    typed: usize,
    /// The first cell that comes back below.
    repeated: Option<String>,
    repeats: usize,
    /// Text columns whose values look different from their first cell.
    different: f64,
}

impl Evidence {
    fn gather(cells: &[String], below: &[Record]) -> Evidence {
        let mut evidence = Evidence::default();
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let values: Vec<String> = below
                .iter()
                .map(|record| text_of(record.field(at)).trim().to_owned())
                .collect();
            let values: Vec<&str> = values
                .iter()
                .map(String::as_str)
                .filter(|v| kind_of(v) != Kind::Null)
                .collect();
            if values.is_empty() {
                continue;
            }
            evidence.filled += 1;
            let is_word =
                |v: &&str| matches!(kind_of(v), Kind::Text | Kind::InfinityWord) && !is_grouped_number(v);
            let words = values.iter().copied().filter(is_word).count();
            let nothings = values.iter().filter(|v| kind_of(v) == Kind::NullWord).count();
            let typed = values.len() - words - nothings;
            let comes_back = values.contains(&cell.as_str());
            // A stray word among numbers makes a column text, but its name is still no number.
            if typed > 0 && (words == 0 || (words * 2 < typed + words && !comes_back)) {
                evidence.typed += 1;
            } else if comes_back {
                evidence.repeats += 1;
                evidence.repeated.get_or_insert_with(|| cell.clone());
            } else {
                evidence.different += difference(cell, &values);
            }
        }
        evidence
    }

    fn judge(&self, cells: &[String], named: &[&String]) -> HeaderVerdict {
        let (typed, filled) = (self.typed, self.filled);
        if let Some(repeated) = self.repeated.as_ref().filter(|_| self.repeats > self.typed) {
            let reason = format!(
                "header: none, because {} of the first row comes back below",
                quoted(repeated)
            );
            return verdict(false, 0.9, reason);
        }
        if typed > 0 {
            let reason = format!("header: every name is text, and {typed} of {filled} columns below are not");
            return verdict(true, 1.0, reason);
        }
        let unique: HashSet<String> = named.iter().map(|cell| cell.to_lowercase()).collect();
        if let Some(odd) = named.iter().find(|cell| !is_name_like(cell)) {
            let reason = format!(
                "header: none, because {} is not like a name and every column is text",
                quoted(odd)
            );
            return verdict(false, 0.7, reason);
        }
        let known = named.iter().filter(|cell| has_name_word(cell)).count();
        let share = (known as f64 + self.different) / named.len() as f64;
        let header = unique.len() == named.len() && share >= 0.5;
        let reason = if header {
            format!(
                "header: all columns are text, but the first row reads like names ({known} of {} are usual ones) and \
                 its cells do not come back below",
                cells.len()
            )
        } else {
            "header: none, because all columns are text and the first row is like those below".to_owned()
        };
        verdict(header, 0.8, reason)
    }
}

/// How different a first cell is from the text below it, from 0 to 1.
fn difference(cell: &str, values: &[&str]) -> f64 {
    let share = |test: &dyn Fn(&str) -> bool| {
        values.iter().filter(|value| test(value)).count() as f64 / values.len() as f64
    };
    let has_digit = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    let mut score: f64 = 0.0;
    if !has_digit(cell) && share(&has_digit) > 0.9 {
        score += 0.5;
    }
    let length = values.first().map_or(0, |value| value.len());
    if values.len() > 2 && length != cell.len() && share(&|value| value.len() == length) == 1.0 {
        score += 0.5;
    }
    let marks = |text: &str| text.contains(['@', ':', '/', '.', '{']);
    if !marks(cell) && share(&marks) > 0.9 {
        score += 0.3;
    }
    let lower = |text: &str| !text.chars().any(char::is_uppercase);
    if lower(cell) && share(&lower) < 0.1 {
        score += 0.4;
    }
    if cell.contains('_') && share(&|value| value.contains('_')) == 0.0 {
        score += 0.4;
    }
    let distinct: HashSet<&&str> = values.iter().collect();
    if values.len() >= 4 && distinct.len() * 2 <= values.len() {
        score += 0.5;
    }
    score.min(1.0)
}

/// Short, and without what only values and sentences have.
fn is_name_like(cell: &str) -> bool {
    let starts_well = cell
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '#' | '@' | '%' | '$'));
    let words = cell.split_whitespace().count();
    let is_sentence = words > 1 && cell.ends_with(['.', '!', '?', ',', ';']) || cell.contains(". ");
    starts_well && cell.chars().count() <= 64 && words <= 8 && !is_sentence && !cell.contains("://")
}

/// Whether a word of the cell is one that column names are made of: `pickup_datetime`, `firstName`, `Zip Code`.
fn has_name_word(cell: &str) -> bool {
    let mut word = String::new();
    let mut last_lower = false;
    for c in cell.chars().chain([' ']) {
        let new_hump = c.is_uppercase() && last_lower;
        if !c.is_alphabetic() || new_hump {
            if NAME_WORDS.contains(&word.as_str()) {
                return true;
            }
            word.clear();
        }
        if c.is_alphabetic() {
            word.extend(c.to_lowercase());
        }
        last_lower = c.is_lowercase();
    }
    false
}
