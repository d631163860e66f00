//! What a text says as a value of another type; surrounding blanks don't count.

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::compute::kernels::cast_utils::{Parser, parse_decimal, string_to_datetime};
use datafusion::arrow::datatypes::{Date32Type, Decimal128Type};

/// The longest word for nothing, in bytes.
const LONGEST_NOTHING: usize = 9;

/// Whether a text stands for nothing among numbers, dates and booleans: see [`classifiers::NULL_WORDS`].
pub(super) fn is_nothing(text: &str) -> bool {
    let text = trimmed(text);
    // Most values are numbers and dates, and of the words only `1.#QNAN` and `-1.#IND` begin like one.
    let begins_as_number = match text.as_bytes() {
        [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] => !text.contains('#'),
        _ => false,
    };
    !begins_as_number
        && text.len() <= LONGEST_NOTHING
        && classifiers::NULL_WORDS
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a text stands for nothing anywhere, among texts too.
pub(super) fn is_null_word(text: &str) -> bool {
    matches!(text, "" | "null" | "NULL" | "Null" | "\\N")
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// `true` and `false`, and what else the SQL engine takes for them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = trimmed(text);
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(&["true", "t", "yes", "y", "on", "1"]) {
        Some(true)
    } else if is_one_of(&["false", "f", "no", "n", "off", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// An integer that the type holds; `2.0` and `1e3` are integers too.
pub(super) fn integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    /// Up to here a double holds every integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = trimmed(text);
    if let Ok(integer) = text.parse() {
        return Some(integer);
    }
    if !text.contains(['.', 'e', 'E']) {
        return None;
    }
    let whole: f64 = text.parse().ok()?;
    let is_whole = whole.fract() == 0.0 && whole.abs() <= EXACT;
    is_whole.then(|| format!("{whole:.0}").parse().ok()).flatten()
}

/// A number, infinities included.
pub(super) fn float<T: std::str::FromStr>(text: &str) -> Option<T> {
    trimmed(text).parse().ok()
}

/// A number with so many digits, the last of them rounded.
pub(super) fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let text = trimmed(text);
    if text.is_empty() {
        return None;
    }
    parse_decimal::<Decimal128Type>(text, precision, scale).ok()
}

/// Days since 1970; `2020/01/31` is a date to people, and a time has one.
pub(super) fn date(text: &str) -> Option<i32> {
    const MICROS_A_DAY: i64 = 86_400_000_000;
    let text = trimmed(text);
    let date = match text.contains('/') {
        true => Date32Type::parse(&text.replace('/', "-")),
        false => Date32Type::parse(text),
    };
    date.or_else(|| i32::try_from(timestamp(text)?.div_euclid(MICROS_A_DAY)).ok())
}

/// Microseconds since 1970; a time without an offset is UTC's.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let text = trimmed(text);
    if let Some(micros) = plain_timestamp(text.as_bytes()) {
        return Some(micros);
    }
    let parsed = match text.get(..10).is_some_and(|date| date.contains('/')) {
        true => string_to_datetime(&Utc, &text.replace('/', "-")),
        false => string_to_datetime(&Utc, text),
    };
    parsed.ok().map(|time: DateTime<Utc>| time.timestamp_micros())
}

/// `2022-01-31 23:59:59`, as nearly all times are written: read digit by digit.
fn plain_timestamp(text: &[u8]) -> Option<i64> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b' ' | b'T',
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        s1,
        s2,
    ] = text
    else {
        return None;
    };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u32::from(**digit - b'0'))
        })
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let time = date.and_hms_opt(number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?)?;
    Some(time.and_utc().timestamp_micros())
}
