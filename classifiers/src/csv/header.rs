//! Whether the first record of a table is its header.

use std::collections::{HashMap, HashSet};

use super::name_words::NAME_WORDS;
use super::records::Record;
use super::table::text_of;
use crate::column::quoted;
use crate::values::{Kind, is_grouped_number, kind_of};

/// Rows below the first that are compared with it.
const ROWS_COMPARED: usize = 500;

/// The judgement and its reason.
pub(crate) struct HeaderVerdict {
    pub(crate) header: bool,
    pub(crate) reason: String,
    /// How sure, from 0 to 1.
    pub(crate) sure: f64,
    /// Whether nothing but the looks of text decided, so that other files may know better.
    pub(crate) by_looks: bool,
}

fn verdict(header: bool, sure: f64, reason: String) -> HeaderVerdict {
    HeaderVerdict {
        header,
        reason,
        sure,
        by_looks: false,
    }
}

/// The judgement where only the looks of text decide.
fn by_looks(header: bool, sure: f64, reason: String) -> HeaderVerdict {
    HeaderVerdict {
        by_looks: true,
        ..verdict(header, sure, reason)
    }
}

/// Compares the first record with those below it.
pub(crate) fn judge(records: &[Record]) -> HeaderVerdict {
    let Some((first, below)) = records.split_first() else {
        return verdict(false, 1.0, "header: none, because there are no rows".to_owned());
    };
    let below = below.get(..ROWS_COMPARED.min(below.len())).unwrap_or(below);
    if is_header_split_otherwise(records) {
        let reason =
            "header: the first line has a name for every column, only with another delimiter between them";
        return verdict(true, 0.8, reason.to_owned());
    }
    let mut cells: Vec<String> = first
        .fields()
        .map(|cell| text_of(cell).trim().to_owned())
        .collect();
    // Spreadsheets pad rows with columns that nothing stands in.
    let is_used = |at: usize| below.iter().any(|row| !row.field(at).trim_ascii().is_empty());
    while cells.last().is_some_and(String::is_empty) && !is_used(cells.len() - 1) {
        cells.pop();
    }
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
        if are_unlike_below(&cells, below) {
            return verdict(
                true,
                0.8,
                "header: its numbers stand above no numbers, and its words above none of their like"
                    .to_owned(),
            );
        }
        if are_counting(&cells, below) {
            return verdict(
                true,
                0.8,
                "header: its numbers count the columns, unlike those below".to_owned(),
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
    // Files put together have their header in the middle too.
    let again = |row: &&Record| {
        let shared = row.len().min(first.len());
        shared * 2 > first.len() && shared > 1 && row.fields().zip(first.fields()).all(|(a, b)| a == b)
    };
    if cells.len() > 1 && below.iter().any(|row| again(&row)) {
        let others: Vec<Record> = below.iter().filter(|row| !again(row)).cloned().collect();
        let evidence = Evidence::gather(&cells, &others);
        if evidence.typed > 0 {
            return evidence.judge(&cells, &named);
        }
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
    by_looks(header, 0.6, reason.to_owned())
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
    let years: Vec<u32> = cells.iter().filter_map(|cell| year(cell)).collect();
    let in_order = years.is_sorted_by(|a, b| a < b) || years.is_sorted_by(|a, b| a > b);
    let mut any_name = false;
    for (at, cell) in cells.iter().enumerate() {
        match year(cell) {
            Some(_) => {
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
            None if is_value(kind_of(cell)) || is_grouped_number(cell) => return false,
            None => any_name = true,
        }
    }
    any_name && in_order && !years.is_empty() && !below.is_empty()
}

/// Numbers may be names: `id,10022,10025` above columns that are all booleans or dates.
fn are_unlike_below(cells: &[String], below: &[Record]) -> bool {
    let unlike = cells.iter().enumerate().all(|(at, cell)| {
        let kinds = below.iter().map(|row| kind_of(&text_of(row.field(at))));
        let mut kinds = kinds.filter(|kind| *kind != Kind::Null).peekable();
        match kind_of(cell) {
            Kind::Text => !is_grouped_number(cell),
            Kind::Integer => {
                kinds.peek().is_some()
                    && kinds.all(|kind| {
                        matches!(
                            kind,
                            Kind::Boolean | Kind::Date | Kind::ShortDate | Kind::Timestamp
                        )
                    })
            }
            _ => false,
        }
    });
    let names = cells.iter().filter(|cell| kind_of(cell) == Kind::Text);
    let unique: HashSet<&String> = cells.iter().collect();
    unlike && below.len() >= 2 && unique.len() == cells.len() && names.count() > 0
}

/// Column numbers may be names: `,0,1,label` above values that are no such numbers.
fn are_counting(cells: &[String], below: &[Record]) -> bool {
    let numbers: Vec<(usize, u32)> = cells
        .iter()
        .enumerate()
        .filter_map(|(at, cell)| Some((at, cell.parse().ok()?)))
        .collect();
    let starts_well = numbers.first().is_some_and(|(_, number)| *number <= 1);
    let in_order = numbers.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1);
    let unlike = numbers.iter().all(|(at, _)| {
        let integers = below
            .iter()
            .filter(|row| matches!(kind_of(&text_of(row.field(*at))), Kind::Integer | Kind::Null))
            .count();
        integers * 2 < below.len()
    });
    let others_are_text = cells
        .iter()
        .all(|cell| !is_value(kind_of(cell)) || cell.parse::<u32>().is_ok());
    numbers.len() >= 2 && numbers.len() < cells.len() && starts_well && in_order && unlike && others_are_text
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
    /// Columns of one value throughout, the first cell included.
    constants: usize,
    /// Whether a value below has more than one character.
    longer: bool,
    /// How much the first cells of text columns look unlike the values below them, in nats: the logarithm of how much
    /// likelier they are as names than as values.
    unlike: f64,
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
            evidence.longer |= values.iter().any(|value| value.chars().count() > 1);
            let is_word =
                |v: &&str| matches!(kind_of(v), Kind::Text | Kind::InfinityWord) && !is_grouped_number(v);
            let words = values.iter().copied().filter(is_word).count();
            let nothings = values.iter().filter(|v| kind_of(v) == Kind::NullWord).count();
            let typed = values.len() - words - nothings;
            let comes_back = values.contains(&cell.as_str());
            // A column of one value throughout says nothing of its first cell, where others say something.
            let constant = values.iter().all(|value| value == cell);
            // A stray word among numbers makes a column text, but its name is still no number.
            if typed > 0 && (words == 0 || (words * 2 < typed + words && !comes_back)) {
                evidence.typed += 1;
            } else if comes_back {
                evidence.repeats += usize::from(!constant);
                evidence.constants += usize::from(constant);
                evidence.repeated.get_or_insert_with(|| cell.clone());
            } else {
                evidence.unlike += unlikeness(cell, &values);
            }
        }
        evidence
    }

    fn repeats_enough(&self) -> bool {
        self.repeats > self.typed || self.typed == 0 && self.constants > 0
    }

    fn judge(&self, cells: &[String], named: &[&String]) -> HeaderVerdict {
        if self.filled == 0 {
            return judge_alone(named);
        }
        let (typed, filled) = (self.typed, self.filled);
        if let Some(repeated) = self.repeated.as_ref().filter(|_| self.repeats_enough()) {
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
        let odd = named.iter().filter(|cell| !is_name_like(cell)).count();
        let known = match self.longer && are_letters_in_order(named) {
            true => named.len(),
            false => named.iter().filter(|cell| has_name_word(cell)).count(),
        };
        let share = known as f64 / named.len() as f64;
        let nats = self.unlike + KNOWN_NATS * share - ODD_NATS * odd as f64;
        let header = unique.len() == named.len() && nats >= ENOUGH_NATS;
        let sure = ((nats - ENOUGH_NATS).abs() / 2.0).clamp(0.3, 0.9);
        let reason = match named.iter().find(|cell| !is_name_like(cell)) {
            _ if header => format!(
                "header: all columns are text, but the first row reads like names ({known} of {} are usual ones) and \
                 its cells do not come back below",
                cells.len()
            ),
            Some(odd) => format!(
                "header: none, because {} is not like a name and every column is text",
                quoted(odd)
            ),
            None => {
                "header: none, because all columns are text and the first row is like those below".to_owned()
            }
        };
        by_looks(header, sure, reason)
    }
}

/// What it says for a header that every cell holds a usual word; half of it for half of them.
const KNOWN_NATS: f64 = 3.0;
/// What it says against a header that one cell is not like a name.
const ODD_NATS: f64 = 1.5;
/// From here on a first row of text above text is a header.
const ENOUGH_NATS: f64 = 1.2;

/// How much less likely a first cell is among the values of its column than as a name, in nats. What all values share
/// and the cell has not speaks for a name; what they all share and a name hardly has speaks against it.
fn unlikeness(cell: &str, values: &[&str]) -> f64 {
    let n = values.len() as f64;
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for value in values {
        *seen.entry(value).or_default() += 1;
    }
    // How likely the next value is a new one (Good and Turing): nearly certain among names, unlikely among categories.
    let once = seen.values().filter(|count| **count == 1).count() as f64;
    let new = -((once + 0.5) / (n + 0.5)).min(1.0).ln();
    let has_digit = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    let has_mark = |text: &str| text.contains(['@', ':', '/', '.', '{']);
    let has_blank = |text: &str| text.contains(' ');
    let has_underscore = |text: &str| text.contains('_');
    let is_lower = |text: &str| text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase);
    let is_upper = |text: &str| text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
    let traits: [&dyn Fn(&str) -> bool; 6] = [
        &has_digit,
        &has_mark,
        &has_blank,
        &has_underscore,
        &is_lower,
        &is_upper,
    ];
    let shared = traits
        .iter()
        .filter(|has| values.iter().all(|value| has(value) != has(cell)))
        .count();
    let length = values.first().map_or(0, |value| value.len());
    let fixed_length = values.len() > 2 && values.iter().all(|value| value.len() == length);
    let other_length = fixed_length && length != cell.len();
    // One trait often follows from another, so that together they say less than their sum.
    let differences = (shared + usize::from(other_length)).min(2) as f64;
    let by_trait = (n + 1.0).ln().min(2.5) * 0.6;
    let alike = has_digit(cell) && values.iter().all(|value| has_digit(value))
        || fixed_length && !other_length && n > 3.0;
    let against = if alike { 1.0 } else { 0.0 };
    new.min(2.5) + differences * by_trait - against
}

/// `a,b,c`, `X,Y`: names of someone who had no better ones.
fn are_letters_in_order(named: &[&String]) -> bool {
    let letters: Vec<u8> = named
        .iter()
        .filter_map(|cell| match cell.as_bytes() {
            [letter] if letter.is_ascii_alphabetic() => Some(*letter),
            _ => None,
        })
        .collect();
    letters.len() == named.len()
        && letters.len() >= 2
        && letters.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

/// Short, and without what only values and sentences have.
pub(super) fn is_name_like(cell: &str) -> bool {
    let starts_well = cell
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '#' | '@' | '%' | '$'));
    let words = cell.split_whitespace().count();
    let is_sentence = words > 1 && cell.ends_with(['.', '!', '?', ',', ';']) || cell.contains(". ");
    starts_well && cell.chars().count() <= 64 && words <= 8 && !is_sentence && !cell.contains("://")
}

/// Whether the first record is such a header, above a row that has a value which is no text.
pub(super) fn is_header_split_otherwise(records: &[Record]) -> bool {
    let [header, row, ..] = records else {
        return false;
    };
    names_split_otherwise(header, row.len()).is_some()
        && row.fields().any(|field| is_value(kind_of(&text_of(field))))
}

/// The names of a header that is whole but for its delimiter, which is another than that of its rows: `id;name;price`
/// above `1,ann,3.5`.
pub(super) fn names_split_otherwise(header: &Record, width: usize) -> Option<Vec<String>> {
    if header.len() != 1 || width < 3 {
        return None;
    }
    let line = text_of(header.field(0));
    let is_mark = |c: char| c == '"' || c.is_whitespace();
    // Three words may be a title.
    let blank = (width > 3).then_some(' ');
    [',', ';', '\t', '|']
        .into_iter()
        .chain(blank)
        .find_map(|delimiter| {
            let names = line
                .trim()
                .split(delimiter)
                .map(|name| name.trim_matches(is_mark));
            let names: Vec<String> = names.map(str::to_owned).collect();
            let unique: HashSet<&String> = names.iter().collect();
            let fits =
                names.len() == width && unique.len() == width && names.iter().all(|name| is_name_like(name));
            fits.then_some(names)
        })
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
