//! One value as text: what it could be. Everything here looks at a value on its own; what a column makes of its values
//! is in `column.rs`.

use crate::DataType;

/// Words that stand for nothing among numbers, dates and booleans, and for themselves among words; in lower case, to be
/// compared without regard to case. The empty text, `null` and `\n` (for `\N`) stand for nothing anywhere.
///
/// From what spreadsheets (`#N/A`, `#DIV/0!`), statistics programs (`NA`, `.`), data frames (`NaN`, `None`, `<NA>`) and
/// statistical offices (`-`, `..`) write.
pub const NULL_WORDS: [&str; 33] = [
    "", "null", "\\n", "na", "n/a", "n.a.", "nan", "-nan", "none", "nil", "-", "--", "---", ".", "..", "...",
    "?", "(null)", "<null>", "<na>", "[null]", "#n/a", "#na", "#n/a n/a", "#null!", "#value!", "#ref!",
    "#div/0!", "#name?", "#num!", "1.#qnan", "-1.#ind", "missing",
];

/// What one value looks like. Finer than [`DataType`], because a reason wants to say why digits stay text and because
/// some words mean "nothing" only among numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Empty, `NULL`, `null` or `\N`.
    Null,
    /// `NA`, `-` and the others of [`NULL_WORDS`]: nothing among numbers and dates, a word among words.
    NullWord,
    /// `inf`, `-Infinity`: a double among numbers, a word among words.
    InfinityWord,
    Boolean,
    Integer,
    Decimal,
    Date,
    /// `2021-1-2`: a date, but not one that is read beside timestamps.
    ShortDate,
    Timestamp,
    /// Digits with a leading zero: a number would lose it.
    LeadingZero,
    /// Digits with a leading plus, as in phone numbers.
    LeadingPlus,
    /// Digits of a number that 64 bits don't hold.
    LongDigits,
    /// Digits as many as payment cards have, with their check digit: a card number where all values are such.
    CardNumber,
    Text,
}

impl Kind {
    /// All of them; a kind's place here is its index.
    pub(crate) const ALL: [Kind; 14] = [
        Kind::Null,
        Kind::NullWord,
        Kind::InfinityWord,
        Kind::Boolean,
        Kind::Integer,
        Kind::Decimal,
        Kind::Date,
        Kind::ShortDate,
        Kind::Timestamp,
        Kind::LeadingZero,
        Kind::LeadingPlus,
        Kind::LongDigits,
        Kind::CardNumber,
        Kind::Text,
    ];

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The type of a column that holds only such values.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Kind::Null => DataType::Null,
            Kind::Boolean => DataType::Boolean,
            Kind::Integer | Kind::CardNumber => DataType::BigInt,
            Kind::Decimal => DataType::Double,
            Kind::Date | Kind::ShortDate => DataType::Date,
            Kind::Timestamp => DataType::Timestamp,
            Kind::NullWord
            | Kind::InfinityWord
            | Kind::LeadingZero
            | Kind::LeadingPlus
            | Kind::LongDigits
            | Kind::Text => DataType::String,
        }
    }
}

/// The kind of one value; surrounding blanks don't count.
pub(crate) fn kind_of(text: &str) -> Kind {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let Some(&first) = text.as_bytes().first() else {
        return Kind::Null;
    };
    match first {
        b'0'..=b'9' | b'-' | b'.' | b'+' => {
            if let Some(kind) = number(text) {
                return kind;
            }
            if let Some(kind) = date_or_timestamp(text.as_bytes()) {
                return kind;
            }
            if is_infinity(text) {
                Kind::InfinityWord
            } else if is_null_word(text) {
                Kind::NullWord
            } else {
                Kind::Text
            }
        }
        b'\\' if text == "\\N" => Kind::Null,
        b'N' | b'n' if text == "NULL" || text == "null" || text == "Null" => Kind::Null,
        b'N' | b'n' | b'M' | b'm' | b'#' | b'?' | b'(' | b'<' | b'[' if is_null_word(text) => Kind::NullWord,
        b't' | b'T' if text.eq_ignore_ascii_case("true") => Kind::Boolean,
        b'f' | b'F' if text.eq_ignore_ascii_case("false") => Kind::Boolean,
        b'i' | b'I' if is_infinity(text) => Kind::InfinityWord,
        _ => Kind::Text,
    }
}

fn is_null_word(text: &str) -> bool {
    text.len() <= 8 && NULL_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_infinity(text: &str) -> bool {
    let word = text.strip_prefix(['-', '+']).unwrap_or(text);
    word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity")
}

/// A number or digits that must stay text. `None` when it is neither.
fn number(text: &str) -> Option<Kind> {
    let bytes = text.as_bytes();
    let (plus, unsigned) = match bytes.split_first()? {
        (b'+', rest) => (true, rest),
        (b'-', rest) => (false, rest),
        _ => (false, bytes),
    };
    let whole = unsigned.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = unsigned.get(whole..)?;
    let mut fraction = 0;
    let mut is_integer = true;
    let mut has_exponent = false;
    if let Some(after) = rest.strip_prefix(b".") {
        is_integer = false;
        fraction = after.iter().take_while(|b| b.is_ascii_digit()).count();
        rest = after.get(fraction..)?;
    }
    if whole + fraction == 0 {
        return None;
    }
    if let Some((b'e' | b'E', exponent)) = rest.split_first() {
        is_integer = false;
        has_exponent = true;
        let digits = exponent
            .strip_prefix(b"-")
            .or_else(|| exponent.strip_prefix(b"+"))
            .unwrap_or(exponent);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    if plus && is_integer {
        return Some(Kind::LeadingPlus);
    }
    if whole > 1 && unsigned.first() == Some(&b'0') && !has_exponent {
        return Some(Kind::LeadingZero);
    }
    if is_integer {
        return Some(if whole > 18 && text.parse::<i64>().is_err() {
            Kind::LongDigits
        } else if is_card_number(text.as_bytes()) {
            Kind::CardNumber
        } else {
            Kind::Integer
        });
    }
    if !has_exponent && whole <= 300 {
        return Some(Kind::Decimal);
    }
    // Beyond a double's range is not a number that anyone could read back.
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        Some(Kind::Decimal)
    } else {
        Some(Kind::LongDigits)
    }
}

/// 15 or 16 digits that begin as payment cards do and end in the check digit of ISO/IEC 7812 (Luhn's).
fn is_card_number(digits: &[u8]) -> bool {
    if !matches!(digits.len(), 15 | 16) || !matches!(digits.first(), Some(b'3'..=b'6')) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            match at % 2 {
                0 => digit,
                _ => digit * 2 / 10 + digit * 2 % 10,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// `yyyy-MM-dd` or `yyyy/MM/dd`, alone or followed by a time; alone with one digit for a month or day too.
fn date_or_timestamp(text: &[u8]) -> Option<Kind> {
    let separator = *text.get(4)?;
    if separator != b'-' && separator != b'/' {
        return None;
    }
    let year = two_digits(text, 0)? * 100 + two_digits(text, 2)?;
    if text.len() < 10 {
        return is_short_date(text.get(5..)?, separator, year).then_some(Kind::ShortDate);
    }
    if text.get(7) != Some(&separator) {
        return None;
    }
    let month = two_digits(text, 5)?;
    let day = two_digits(text, 8)?;
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    match text.get(10) {
        None => Some(Kind::Date),
        Some(b' ' | b'T') => is_time(text.get(11..)?).then_some(Kind::Timestamp),
        Some(_) => None,
    }
}

/// `M-d`, where one of them at least has only one digit.
fn is_short_date(month_and_day: &[u8], separator: u8, year: u32) -> bool {
    let number = |digits: &[u8]| match digits {
        [digit @ b'1'..=b'9'] => Some(u32::from(digit - b'0')),
        [_, _] => two_digits(digits, 0),
        _ => None,
    };
    let mut parts = month_and_day.split(|byte| *byte == separator);
    match (
        parts.next().and_then(number),
        parts.next().and_then(number),
        parts.next(),
    ) {
        (Some(month), Some(day), None) => {
            year > 0 && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day)
        }
        _ => false,
    }
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    match text.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u32::from(a - b'0') * 10 + u32::from(b - b'0')),
        _ => None,
    }
}

/// `HH:mm:ss[.fff…][[ ]Z|±hh[[:]mm]| UTC| GMT]`: what the SQL engine reads as a time. Without seconds it refuses.
fn is_time(text: &[u8]) -> bool {
    let valid = |at: usize, below: u32| two_digits(text, at).is_some_and(|n| n < below);
    let colons = text.get(2) == Some(&b':') && text.get(5) == Some(&b':');
    // A leap second is a second.
    if !colons || !valid(0, 24) || !valid(3, 60) || !valid(6, 61) {
        return false;
    }
    let mut at = 8;
    if text.get(at) == Some(&b'.') {
        let fraction = text.get(at + 1..).unwrap_or(&[]);
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return false;
        }
        at += 1 + digits;
    }
    is_offset(text.get(at..).unwrap_or(&[]))
}

fn is_offset(text: &[u8]) -> bool {
    match text {
        [] | b"Z" | b"z" | b" UTC" | b" GMT" => true,
        [b' ', rest @ ..] if rest.starts_with(b"+") || rest.starts_with(b"-") => is_offset(rest),
        [b'+' | b'-', rest @ ..] => match rest.len() {
            2 => two_digits(rest, 0).is_some_and(|h| h < 24),
            4 => two_digits(rest, 0).is_some_and(|h| h < 24) && two_digits(rest, 2).is_some_and(|m| m < 60),
            5 => {
                rest.get(2) == Some(&b':')
                    && two_digits(rest, 0).is_some_and(|h| h < 24)
                    && two_digits(rest, 3).is_some_and(|m| m < 60)
            }
            _ => false,
        },
        _ => false,
    }
}

/// `1,5`, `1.234,56`, `1,234,567`, `12 %`, `$5.00`: a number for people, whom a reader of numbers
/// does not follow.
pub(crate) fn is_grouped_number(cell: &str) -> bool {
    let core = cell.trim_matches(['$', '€', '£', '%', ' ', '-', '+', '(', ')']);
    core.starts_with(|c: char| c.is_ascii_digit())
        && core.ends_with(|c: char| c.is_ascii_digit())
        && core
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'))
        && core.bytes().filter(|b| !b.is_ascii_digit()).count() <= 4
}
