//! The order of partitions: by the values of their keys, each compared as the key's type compares.
//!
//! A tuple of values is written as one text, so that comparing two such texts byte by byte compares the tuples. Databases
//! then sort, page and search ranges by an index on that text alone.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::model::table::Column;

/// What Hive writes for a value that is absent.
pub const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The longest key, in bytes: PostgreSQL's indexes take no entry above some 2,700.
const MAX_KEY: usize = 2000;
/// Ends a value. The three that are special inside values are written with [`ESCAPE`].
const END: char = '\u{1}';
/// Goes before the values' own spelling, where one is not the usual one of its type (`007`), and before a digest.
const SPELLED: char = '\u{2}';
const ESCAPE: char = '\u{3}';
/// Begins a value that is absent.
const NULL: char = '~';
/// Begins a value that its type can't have.
const INVALID: char = '}';

/// The types of partition keys, as far as their order differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// `string`, `char`, `varchar`, and whatever else: ordered as text.
    Text,
    /// `tinyint` to `bigint`.
    Integer,
    /// `decimal`, and the floating types.
    Decimal,
    /// `date`.
    Date,
    /// `timestamp`.
    Timestamp,
}

impl KeyType {
    /// The order of a Hive type.
    pub fn of(data_type: &str) -> Self {
        let name = data_type.split('(').next().unwrap_or_default();
        match name.trim().to_ascii_lowercase().as_str() {
            "tinyint" | "smallint" | "int" | "integer" | "bigint" | "long" | "short" | "byte" => {
                Self::Integer
            }
            "decimal" | "numeric" | "double" | "float" => Self::Decimal,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            _ => Self::Text,
        }
    }

    /// Sorts keys of different types apart.
    fn letter(self) -> char {
        match self {
            Self::Date => 'D',
            Self::Integer | Self::Decimal => 'N',
            Self::Text => 'S',
            Self::Timestamp => 'T',
        }
    }

    /// A value so written that the bytes of two of them compare as the values do; absent where it is none of this type.
    pub fn sortable(self, value: &str) -> Option<String> {
        match self {
            Self::Text => Some(escaped(value)),
            Self::Integer => sortable_number(value).filter(|number| !number.contains('.')),
            Self::Decimal => sortable_number(value),
            Self::Date => canonical_date(value),
            Self::Timestamp => canonical_timestamp(value),
        }
    }
}

/// The types of a table's partition keys, which together are an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyOrder(Vec<KeyType>);

impl KeyOrder {
    /// The order of these partition keys.
    pub fn of(keys: &[Column]) -> Self {
        let data_type = |key: &Column| KeyType::of(key.data_type.as_deref().unwrap_or("string"));
        Self(keys.iter().map(data_type).collect())
    }

    /// A text that no other order has.
    pub fn name(&self) -> String {
        self.0.iter().map(|key| key.letter()).collect()
    }

    /// The types, outermost key first.
    pub fn types(&self) -> &[KeyType] {
        &self.0
    }

    /// Whether every value is one of its key's type, or absent.
    pub fn fits(&self, values: &[String]) -> bool {
        let mut pairs = values.iter().zip(&self.0);
        pairs.all(|(value, key_type)| value == HIVE_NULL || key_type.sortable(value).is_some())
    }

    /// The one text that a tuple of values is found and ordered by. No two tuples share theirs.
    pub fn key(&self, values: &[String]) -> String {
        let mut key = String::new();
        let mut is_usual = true;
        for (index, value) in values.iter().enumerate() {
            let key_type = self.0.get(index).copied().unwrap_or(KeyType::Text);
            is_usual &= push_value(&mut key, key_type, value);
        }
        if !is_usual {
            for value in values {
                key.push(SPELLED);
                key.push_str(&escaped(value));
            }
        }
        shortened(key)
    }
}

/// Adds one value, and says whether it is spelled in the one way that its sortable form stands for.
fn push_value(key: &mut String, key_type: KeyType, value: &str) -> bool {
    let mut is_usual = true;
    if value == HIVE_NULL {
        key.push(NULL);
    } else if let Some(sortable) = key_type.sortable(value) {
        is_usual = is_usual_spelling(key_type, value, &sortable);
        key.push(key_type.letter());
        key.push_str(&sortable);
    } else {
        key.push(INVALID);
        key.push_str(&escaped(value));
    }
    key.push(END);
    is_usual
}

fn is_usual_spelling(key_type: KeyType, value: &str, sortable: &str) -> bool {
    match key_type {
        KeyType::Text => true,
        KeyType::Date | KeyType::Timestamp => value == sortable,
        KeyType::Integer | KeyType::Decimal => {
            let digits = value.strip_prefix('-').unwrap_or(value);
            let is_trimmed = !digits.starts_with('0') || digits == "0" || digits.starts_with("0.");
            let is_plain =
                !value.starts_with('+') && value != "-0" && digits.starts_with(|c: char| c.is_ascii_digit());
            is_trimmed && is_plain && !(value.contains('.') && value.ends_with(['0', '.']))
        }
    }
}

/// A key that is too long for an index keeps its beginning, and a digest of the whole.
fn shortened(key: String) -> String {
    if key.len() <= MAX_KEY {
        return key;
    }
    let mut short = key[..key.floor_char_boundary(MAX_KEY - 70)].to_owned();
    short.push(SPELLED);
    let _ = write!(short, "{}", hex::encode(Sha256::digest(key.as_bytes())));
    short
}

fn escaped(value: &str) -> String {
    if !value.contains(|c| c <= ESCAPE) {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len() + 4);
    for letter in value.chars() {
        if letter <= ESCAPE {
            text.push(ESCAPE);
            text.push(char::from(b'0' + letter as u8));
        } else {
            text.push(letter);
        }
    }
    text
}

/// `+` or `-`, the number of digits before the point as a letter, the digits, and behind the point what isn't zero. Of a
/// negative number each digit is its complement, so that the larger one comes first.
fn sortable_number(value: &str) -> Option<String> {
    let (negative, digits) = match value.as_bytes().first()? {
        b'-' => (true, &value[1..]),
        b'+' => (false, &value[1..]),
        _ => (false, value),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let negative = negative && (!whole.is_empty() || !fraction.is_empty());
    // No type of Hive's has more than 38 digits; letters go up to that.
    let length = char::from(b'0' + u8::try_from(whole.len()).ok().filter(|length| *length <= 64)?);
    let mut text = String::with_capacity(value.len() + 3);
    if !negative {
        text.push('p');
        text.push(length);
        text.push_str(whole);
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
        return Some(text);
    }
    let complement = |digit: char| char::from(b'9' - (digit as u8 - b'0'));
    text.push('n');
    text.push(char::from(b'0' + 64 - (length as u8 - b'0')));
    text.extend(whole.chars().map(complement));
    if !fraction.is_empty() {
        text.push('.');
        text.extend(fraction.chars().map(complement));
    }
    // Behind every digit: -1.25 comes before -1.2, and -1.5 before -1.
    text.push('~');
    Some(text)
}

/// `2022-1-31` as `2022-01-31`, as Java's `Date.valueOf` takes it.
fn canonical_date(value: &str) -> Option<String> {
    let mut parts = value.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
        .map(|date| date.format("%Y-%m-%d").to_string())
}

/// `2022-01-31 10:00:00.500` as `2022-01-31 10:00:00.5`.
fn canonical_timestamp(value: &str) -> Option<String> {
    let (date, time) = value.split_once(' ')?;
    let date = canonical_date(date)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction.len() <= 9;
    if !digits
        || time.ends_with('.')
        || chrono::NaiveTime::parse_from_str(clock, "%H:%M:%S").is_err()
        || clock.len() != 8
    {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{date} {clock}{point}{fraction}"))
}

/// A piece of the order: keys from `from` on, up to and without `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key that may be in it.
    pub from: String,
    /// The first key behind it; absent where it has no end.
    pub to: Option<String>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self {
            from: String::new(),
            to: None,
        }
    }
}

/// A side of a range of one key's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// No bound on this side.
    Open,
    /// The value is in the range.
    Including(String),
    /// The value is not in the range.
    Excluding(String),
}

/// The keys whose first values equal `equal` and whose next one lies between the bounds, every value
/// [`sortable`](KeyType::sortable). Where keys are too long for the index, the range may hold others too; it never lacks one.
pub fn key_range(order: &KeyOrder, equal: &[String], from: &Bound, to: &Bound) -> KeyRange {
    let mut prefix = String::new();
    for (sortable, key_type) in equal.iter().zip(order.types()) {
        prefix.push(key_type.letter());
        prefix.push_str(sortable);
        prefix.push(END);
    }
    let next = order.types().get(equal.len()).map(|key_type| key_type.letter());
    let (Some(letter), false) = (next, *from == Bound::Open && *to == Bound::Open) else {
        let to = prefix.strip_suffix(END).map(|rest| format!("{rest}{SPELLED}"));
        return clipped(prefix, to);
    };
    let behind = |sortable: &str| format!("{prefix}{letter}{sortable}{SPELLED}");
    let before = |sortable: &str| format!("{prefix}{letter}{sortable}{END}");
    let from = match from {
        Bound::Open => format!("{prefix}{letter}"),
        Bound::Including(value) => before(value),
        Bound::Excluding(value) => behind(value),
    };
    let to = match to {
        // Behind everything that begins with the letter: absent and invalid values are no part of a range.
        Bound::Open => format!("{prefix}{}", char::from(letter as u8 + 1)),
        Bound::Including(value) => behind(value),
        Bound::Excluding(value) => before(value),
    };
    clipped(from, Some(to))
}

/// Bounds as long as keys may be.
fn clipped(from: String, to: Option<String>) -> KeyRange {
    let clip = |text: &str| text[..text.floor_char_boundary(MAX_KEY - 70)].to_owned();
    let is_long = |text: &str| text.len() > MAX_KEY - 70;
    KeyRange {
        from: if is_long(&from) { clip(&from) } else { from },
        to: to.map(|to| {
            if is_long(&to) {
                format!("{}{}", clip(&to), char::MAX)
            } else {
                to
            }
        }),
    }
}

/// Ranges in the order of their keys, none of which overlaps or touches another.
pub fn merged(mut ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    ranges.sort_by(|a, b| a.from.cmp(&b.from));
    let mut merged: Vec<KeyRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        if range.to.as_ref().is_some_and(|to| *to <= range.from) {
            continue;
        }
        match merged.last_mut() {
            Some(last) if last.to.as_ref().is_none_or(|to| *to >= range.from) => {
                if let Some(end) = &last.to
                    && range.to.as_ref().is_none_or(|to| to > end)
                {
                    last.to = range.to;
                }
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// The number of places that [`spread`] deals keys into.
pub const PLACES: i64 = 1 << 31;

/// Where a key falls among [`PLACES`] that are alike full: the same on every machine, forever (FNV-1a, its bits mixed).
pub fn spread(key: &str) -> i64 {
    let mut hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    i64::try_from(hash >> 33).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(types: &[&str]) -> KeyOrder {
        KeyOrder(types.iter().map(|name| KeyType::of(name)).collect())
    }

    fn sorted(types: &[&str], rows: &[&[&str]]) -> Vec<String> {
        let order = order(types);
        let mut keyed: Vec<(String, String)> = rows
            .iter()
            .map(|row| {
                let values: Vec<String> = row.iter().map(|value| (*value).to_owned()).collect();
                (order.key(&values), row.join("/"))
            })
            .collect();
        keyed.sort();
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    #[test]
    fn keys_sort_as_their_types_do() {
        assert_eq!(
            sorted(
                &["int"],
                &[
                    &["10"],
                    &["9"],
                    &["-10"],
                    &["0"],
                    &["-9"],
                    &[HIVE_NULL],
                    &["x"],
                    &["07"]
                ]
            ),
            ["-10", "-9", "0", "07", "9", "10", "x", HIVE_NULL]
        );
        assert_eq!(
            sorted(
                &["decimal(5,2)"],
                &[
                    &["-1.2"],
                    &["-1"],
                    &["-1.25"],
                    &["1.5"],
                    &["1.25"],
                    &["10"],
                    &["1"],
                    &["-1.5"]
                ]
            ),
            ["-1.5", "-1.25", "-1.2", "-1", "1", "1.25", "1.5", "10"]
        );
        assert_eq!(
            sorted(
                &["string", "int"],
                &[&["a b", "1"], &["a", "10"], &["a", "9"], &["a\u{1}", "1"]]
            ),
            ["a/9", "a/10", "a\u{1}/1", "a b/1"]
        );
        assert_eq!(
            sorted(
                &["timestamp"],
                &[
                    &["2022-01-01 00:00:00.5"],
                    &["2022-01-01 00:00:00"],
                    &["2021-12-31 23:59:59.75"]
                ]
            ),
            [
                "2021-12-31 23:59:59.75",
                "2022-01-01 00:00:00",
                "2022-01-01 00:00:00.5"
            ]
        );
    }

    #[test]
    fn no_two_tuples_share_a_key() {
        let order = order(&["int", "string"]);
        let key = |a: &str, b: &str| order.key(&[a.to_owned(), b.to_owned()]);
        let long = "x".repeat(3000);
        let keys = [
            key("1", "a"),
            key("01", "a"),
            key("+1", "a"),
            key("1.0", "a"),
            key("-0", "a"),
            key("0", "a"),
            key("1", ""),
            key("1", "a\u{1}"),
            key("1\u{1}Sa", ""),
            key("1", &long),
            key("1", &format!("{long}y")),
            key("", "1"),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{key:?}");
            assert!(key.len() <= MAX_KEY);
        }
    }

    #[test]
    fn a_range_holds_what_lies_between_its_bounds() {
        let order = order(&["int", "int"]);
        let holds = |range: &KeyRange, year: &str, month: &str| {
            let key = order.key(&[year.to_owned(), month.to_owned()]);
            key >= range.from && range.to.as_ref().is_none_or(|to| key < *to)
        };
        let number = |value: &str| KeyType::Integer.sortable(value).unwrap();
        let year = key_range(&order, &[number("2022")], &Bound::Open, &Bound::Open);
        assert!(holds(&year, "2022", "1") && holds(&year, "02022", "12") && holds(&year, "2022", HIVE_NULL));
        assert!(!holds(&year, "2021", "12") && !holds(&year, "20220", "1"));
        let months = key_range(
            &order,
            &[number("2022")],
            &Bound::Excluding(number("2")),
            &Bound::Including(number("10")),
        );
        assert!(
            holds(&months, "2022", "03") && holds(&months, "2022", "10") && holds(&months, "2022", "010")
        );
        assert!(
            !holds(&months, "2022", "2") && !holds(&months, "2022", "02") && !holds(&months, "2022", "11")
        );
        let later = key_range(&order, &[], &Bound::Including(number("2022")), &Bound::Open);
        assert!(holds(&later, "2022", "1") && holds(&later, "10000", "1"));
        assert!(!holds(&later, HIVE_NULL, "1") && !holds(&later, "-5", "1"));
    }

    #[test]
    fn ranges_that_overlap_become_one() {
        let range = |from: &str, to: &str| KeyRange {
            from: from.into(),
            to: Some(to.into()),
        };
        assert_eq!(
            merged(vec![
                range("e", "f"),
                range("a", "c"),
                range("b", "d"),
                range("z", "a")
            ]),
            [range("a", "d"), range("e", "f")]
        );
    }

    #[test]
    fn keys_are_spread_evenly() {
        let order = order(&["int", "int"]);
        let mut sizes = [0; 10];
        for month in 0..1200 {
            let key = order.key(&[(1950 + month / 12).to_string(), format!("{:02}", month % 12 + 1)]);
            sizes[usize::try_from(spread(&key) * 10 / PLACES).unwrap()] += 1;
        }
        assert!(sizes.iter().all(|size| (85..=155).contains(size)), "{sizes:?}");
    }
}
