//! How people write dates, times and numbers that no engine reads as such: what a column of text is said to hold.
//!
//! Such columns stay `string`, because the SQL engine reads only `yyyy-MM-dd` and `yyyy/MM/dd` as dates and plain numbers
//! as numbers; to claim more would make queries fail. The reason names the format, so that a person can convert it.

/// A set of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Formats(u16);

/// The formats, each with how a reason calls it. A format's place here is its bit.
const NAMES: [&str; 16] = [
    "dates written dd.MM.yyyy",
    "dates written dd/MM/yyyy",
    "dates written MM/dd/yyyy",
    "dates written dd-MM-yyyy",
    "dates written MM-dd-yyyy",
    "dates written yyyy-M-d",
    "dates with the month's name",
    "times of day",
    "numbers with commas between thousands",
    "numbers with decimal commas",
    "percentages",
    "amounts of money",
    "UUIDs",
    "hexadecimal numbers",
    "times before or after noon (AM, PM)",
    "timestamps without seconds",
];
const DAY_DOT: u16 = 1;
const DAY_SLASH: u16 = 1 << 1;
const MONTH_SLASH: u16 = 1 << 2;
const DAY_DASH: u16 = 1 << 3;
const MONTH_DASH: u16 = 1 << 4;
const SHORT_ISO: u16 = 1 << 5;
const MONTH_NAME: u16 = 1 << 6;
const TIME: u16 = 1 << 7;
const THOUSANDS: u16 = 1 << 8;
const DECIMAL_COMMA: u16 = 1 << 9;
const PERCENT: u16 = 1 << 10;
const MONEY: u16 = 1 << 11;
const UUID: u16 = 1 << 12;
const HEX: u16 = 1 << 13;
const NOON: u16 = 1 << 14;
const NO_SECONDS: u16 = 1 << 15;

impl Default for Formats {
    /// All of them: what no value has ruled out yet.
    fn default() -> Self {
        Formats(u16::MAX)
    }
}

impl Formats {
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that one more value leaves.
    pub(crate) fn narrow(self, value: &str) -> Formats {
        Formats(self.0 & formats_of(value.trim()))
    }

    /// What all values are, in words; two formats where nothing tells them apart.
    pub(crate) fn describe(self) -> Option<String> {
        let names: Vec<&str> = NAMES
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
            .collect();
        let described = match (names.as_slice(), self.0) {
            ([], _) => return None,
            (_, bits) if bits == DAY_SLASH | MONTH_SLASH => {
                "dates written dd/MM/yyyy or MM/dd/yyyy (no number above 12 tells which)"
            }
            (_, bits) if bits == DAY_DASH | MONTH_DASH => {
                "dates written dd-MM-yyyy or MM-dd-yyyy (no number above 12 tells which)"
            }
            ([first, ..], _) => first,
        };
        Some(described.to_owned())
    }
}

/// Whether a value is a date, time or number as people write them.
pub(crate) fn is_formatted(text: &str) -> bool {
    formats_of(text.trim()) != 0
}

/// The formats that a value is written in.
fn formats_of(text: &str) -> u16 {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first().filter(|_| bytes.len() <= 40) else {
        return 0;
    };
    let mut formats = 0;
    if first.is_ascii_digit() || first.is_ascii_alphabetic() {
        formats |= dates(bytes);
    }
    if is_uuid(bytes) {
        formats |= UUID;
    }
    if bytes.len() > 2 && bytes.starts_with(b"0x") && bytes.iter().skip(2).all(u8::is_ascii_hexdigit) {
        formats |= HEX;
    }
    formats | numbers(text)
}

fn is_uuid(bytes: &[u8]) -> bool {
    let core = bytes
        .strip_prefix(b"{")
        .and_then(|b| b.strip_suffix(b"}"))
        .unwrap_or(bytes);
    core.len() == 36
        && core.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// A date, perhaps with a time behind it, or a time alone.
fn dates(bytes: &[u8]) -> u16 {
    let numbers: Vec<&[u8]> = bytes.splitn(2, |b| matches!(b, b' ' | b'T')).collect();
    let (date, rest) = match numbers.as_slice() {
        [date, rest] => (*date, *rest),
        [date] => (*date, &[][..]),
        _ => return 0,
    };
    if let Some((hours, _)) = clock(bytes) {
        return if hours { TIME } else { TIME | NOON };
    }
    if !rest.is_empty() && clock(rest).is_none() {
        return month_name(bytes);
    }
    let parts: Vec<&[u8]> = date.split(|b| matches!(b, b'.' | b'/' | b'-')).collect();
    let marks: Vec<u8> = date
        .iter()
        .copied()
        .filter(|b| matches!(b, b'.' | b'/' | b'-'))
        .collect();
    let ([a, b, c], [mark, other]) = (parts.as_slice(), marks.as_slice()) else {
        return month_name(bytes);
    };
    if mark != other {
        return 0;
    }
    let (Some(x), Some(y), Some(_)) = (number(a), number(b), number(c)) else {
        return month_name(bytes);
    };
    let (day, month) = (|n: u32| (1..=31).contains(&n), |n: u32| (1..=12).contains(&n));
    if a.len() == 4 {
        let valid = month(y) && number(c).is_some_and(day);
        return match (valid, mark) {
            (true, b'-' | b'/') if b.len() == 2 && c.len() == 2 && !rest.is_empty() => NO_SECONDS,
            (true, b'-') => SHORT_ISO,
            _ => 0,
        };
    }
    if a.len() > 2 || b.len() > 2 || !matches!(c.len(), 2 | 4) {
        return 0;
    }
    let (by_day, by_month) = match mark {
        b'.' => (DAY_DOT, 0),
        b'/' => (DAY_SLASH, MONTH_SLASH),
        _ => (DAY_DASH, MONTH_DASH),
    };
    (if day(x) && month(y) { by_day } else { 0 }) | (if month(x) && day(y) { by_month } else { 0 })
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')))
}

/// `H:mm`, `HH:mm:ss.fff`, `9:15 AM`; whether it counts to 24.
fn clock(bytes: &[u8]) -> Option<(bool, u32)> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let noon = [" AM", " PM", " am", " pm", "AM", "PM"];
    let (core, hours) = match noon.iter().find_map(|suffix| text.strip_suffix(suffix)) {
        Some(core) => (core, false),
        None => (text, true),
    };
    let mut parts = core.split(':');
    let hour = number(parts.next()?.as_bytes())?;
    let minute = parts.next()?;
    let second = parts.next().unwrap_or("00");
    let second = second.split(['.', ',']).next().unwrap_or(second);
    let valid = hour < 100
        && minute.len() == 2
        && number(minute.as_bytes())? < 60
        && number(second.as_bytes())? < 61
        && parts.next().is_none();
    valid.then_some((hours, hour))
}

/// `Jan 31, 2024`, `31-Jan-24`, `31 January 2024`, with a time behind it or not.
fn month_name(bytes: &[u8]) -> u16 {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let Ok(text) = std::str::from_utf8(bytes) else {
        return 0;
    };
    let text = text.to_ascii_lowercase();
    let words = text
        .split([' ', '-', ',', '/', '.'])
        .filter(|word| !word.is_empty());
    let (mut names, mut numbers, mut others) = (0, 0, 0);
    for word in words {
        let is_month = word.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(word));
        if is_month || word == "sept" {
            names += 1;
        } else if number(word.as_bytes()).is_some() {
            numbers += 1;
        } else if clock(word.as_bytes()).is_none() && !matches!(word, "am" | "pm") {
            others += 1;
        }
    }
    if names == 1 && (1..=3).contains(&numbers) && others == 0 {
        MONTH_NAME
    } else {
        0
    }
}

/// Numbers as people write them for people.
fn numbers(text: &str) -> u16 {
    let mut core = text;
    let mut formats = 0;
    let negative = core.strip_prefix('(').and_then(|core| core.strip_suffix(')'));
    core = negative.unwrap_or(core).trim_matches(['-', '+', ' ']);
    if let Some(number) = core.strip_suffix('%') {
        core = number.trim_end();
        formats |= PERCENT;
    }
    let symbols = [
        "$", "€", "£", "¥", "₹", "EUR", "USD", "GBP", "CHF", "SEK", "NOK", "kr", "zł", "R$", "US$",
    ];
    for symbol in symbols {
        let stripped = core.strip_prefix(symbol).or_else(|| core.strip_suffix(symbol));
        if let Some(number) = stripped {
            core = number.trim_matches([' ', '-', '\u{a0}']);
            formats |= MONEY;
            break;
        }
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let grouped = |number: &str, mark: char| {
        let mut groups = number.split(mark);
        groups.next().is_some_and(|first| digits(first) && first.len() <= 3)
            // Two digits a group, as in India.
            && groups.all(|group| digits(group) && matches!(group.len(), 2 | 3))
    };
    let (whole, fraction) = core.rsplit_once('.').unwrap_or((core, "0"));
    let is_plain = (digits(whole) || whole.is_empty()) && digits(fraction);
    let thousands = whole.contains(',') && grouped(whole, ',') && digits(fraction);
    let (whole, fraction) = core.rsplit_once(',').unwrap_or((core, "0"));
    let european = digits(fraction)
        && (digits(whole)
            || whole.contains('.') && grouped(whole, '.')
            || whole.contains(' ') && grouped(whole, ' '))
        && core.contains([',', ' ']);
    if !(is_plain || thousands || european) {
        return 0;
    }
    if formats == 0 && is_plain {
        return 0;
    }
    formats |= if thousands { THOUSANDS } else { 0 };
    formats | if european { DECIMAL_COMMA } else { 0 }
}
