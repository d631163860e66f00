//! Which delimiters and quotes are worth trying on a text.

use super::records::Delimiter;

/// Lines that a longer delimiter is looked for in.
const LINES: usize = 20;

/// Delimiters that are common enough to need no more than ordinary evidence: the usual five, and control characters, which
/// text holds for nothing else.
const COMMON: [u8; 11] = [b',', b';', b'\t', b'|', 0x01, 0x02, 0x03, 0x1c, 0x1d, 0x1e, 0x1f];
/// Delimiters that text often holds without being a table.
const RARE: [u8; 4] = [b'~', b'^', b':', b' '];
/// Delimiters that hardly anyone uses. Those that dates, numbers, names and paths hold (`-./_\`) are left out.
const ODD: [u8; 10] = *b"#$@&!*+%=?";
/// Characters beyond ASCII that some programs choose because no text holds them.
const BEYOND_ASCII: [&str; 3] = ["¦", "§", "¬"];

/// How much evidence a delimiter needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Common,
    Rare,
    Odd,
}

/// The delimiters of a tier that the text holds, the most common first.
pub(crate) fn delimiters(text: &[u8], tier: Tier) -> Vec<Delimiter> {
    let singles: &[u8] = match tier {
        Tier::Common => &COMMON,
        Tier::Rare => &RARE,
        Tier::Odd => &ODD,
    };
    let mut found: Vec<Delimiter> = singles
        .iter()
        .filter(|delimiter| text.contains(delimiter))
        .map(|&byte| Delimiter::one(byte))
        .collect();
    if tier == Tier::Common {
        let beyond = BEYOND_ASCII.iter().map(|mark| mark.as_bytes());
        let present = beyond.filter(|mark| text.windows(mark.len()).any(|window| window == *mark));
        found.extend(present.filter_map(Delimiter::of));
        found.extend(longer(text));
    }
    found
}

/// Delimiters of several characters (`||`, `|~|`, `::`): what most lines hold between words, and of which one character
/// never stands anywhere else. Where no part of it is a common delimiter itself, it need only stand in all lines alike.
fn longer(text: &[u8]) -> Vec<Delimiter> {
    let lines: Vec<&[u8]> = text
        .split(|b| matches!(b, b'\n' | b'\r'))
        .filter(|line| !line.trim_ascii().is_empty())
        .take(LINES)
        .collect();
    let mut runs: Vec<&[u8]> = Vec::new();
    for line in &lines {
        let marks = line.split(|b| !b"|~^:;@#$%&*!+=<>".contains(b));
        let tabs = line.split(|b| *b != b'\t');
        for run in marks.chain(tabs) {
            if (2..=Delimiter::MAX).contains(&run.len()) && !runs.contains(&run) && runs.len() < LINES {
                runs.push(run);
            }
        }
    }
    runs.retain(|run| is_delimiter(run, &lines, text));
    // `||||` is `||` twice around an empty field.
    runs.sort_by_key(|run| run.len());
    runs.into_iter().take(4).filter_map(Delimiter::of).collect()
}

/// Whether a run of marks is one delimiter, and no chance meeting of marks.
fn is_delimiter(run: &[u8], lines: &[&[u8]], text: &[u8]) -> bool {
    // `~a~^~b~` is quotes around a delimiter.
    let (opens, closes) = (run.first().copied(), run.last().copied());
    let framed = |line: &&&[u8]| {
        let line = line.trim_ascii();
        line.first().copied() == closes && line.last().copied() == opens
    };
    if lines.iter().filter(framed).count() * 2 > lines.len() {
        return false;
    }
    // `;$` before every price: what is a delimiter outside of the run too is one by itself.
    let splits_alone = |mark: &u8| {
        let inside = run.iter().filter(|b| *b == mark).count();
        let all: usize = lines
            .iter()
            .map(|line| line.iter().filter(|b| *b == mark).count())
            .sum();
        let runs: usize = lines.iter().map(|line| occurrences(line, run)).sum();
        COMMON.contains(mark) && all > 2 * runs * inside
    };
    if run.iter().any(splits_alone) {
        return false;
    }
    // `0||x` in one line, and one `\t\t` a line, are rather fields around a null.
    let is_common = run.iter().all(|mark| COMMON.contains(mark));
    let at_most_one = || lines.iter().all(|line| occurrences(line, run) <= 1);
    if is_common && (lines.len() == 1 || run.contains(&b'\t') && at_most_one()) {
        return false;
    }
    let in_lines = lines.iter().filter(|line| occurrences(line, run) > 0).count();
    let exclusive = |mark: &u8| {
        let inside = run.iter().filter(|b| *b == mark).count();
        let all = text.iter().filter(|b| *b == mark).count();
        occurrences(text, run) * inside == all
    };
    let each = lines.first().map_or(0, |line| occurrences(line, run));
    let steady = lines.len() >= 3
        && !run.iter().any(|mark| COMMON.contains(mark))
        && each > 0
        && lines.iter().all(|line| occurrences(line, run) == each);
    in_lines * 10 >= lines.len() * 6 && (steady || run.iter().any(exclusive))
}

/// How often a run stands in a text, without overlaps.
fn occurrences(text: &[u8], run: &[u8]) -> usize {
    let (mut count, mut at) = (0, 0);
    while let Some(window) = text.get(at..at + run.len()) {
        let here = window == run;
        count += usize::from(here);
        at += if here { run.len() } else { 1 };
    }
    count
}

/// A quote character and the character that escapes it.
pub(crate) type Quoting = (Option<u8>, Option<u8>);

/// The quotings worth trying: those whose quote stands where a field starts, and none at all.
pub(crate) fn quotings(text: &[u8], delimiter: Delimiter) -> Vec<Quoting> {
    let mut quotings = Vec::new();
    for quote in [b'"', b'\'', b'~', b'`'] {
        if delimiter.as_bytes().contains(&quote) {
            continue;
        }
        let is_usual = matches!(quote, b'"' | b'\'');
        if is_usual && opens_a_field(text, delimiter, quote)
            || !is_usual && wraps_fields(text, delimiter, quote)
        {
            quotings.push((Some(quote), None));
            if text.windows(2).any(|pair| pair == [b'\\', quote]) {
                quotings.push((Some(quote), Some(b'\\')));
            }
        }
    }
    let unquoted = if quotings.is_empty() && !text.contains(&b'"') {
        Some(b'"')
    } else {
        None
    };
    quotings.push((unquoted, None));
    quotings
}

fn opens_a_field(text: &[u8], delimiter: Delimiter, quote: u8) -> bool {
    let after = delimiter.as_bytes().last().copied().unwrap_or(b',');
    let mut before = b'\n';
    text.iter().any(|&byte| {
        let opens = byte == quote && (before == after || matches!(before, b'\n' | b'\r' | b' '));
        before = byte;
        opens
    })
}

/// Whether every occurrence of a rare quote opens or closes a field.
fn wraps_fields(text: &[u8], delimiter: Delimiter, quote: u8) -> bool {
    let (Some(first), Some(last)) = (delimiter.as_bytes().first(), delimiter.as_bytes().last()) else {
        return false;
    };
    let mut places = (0..text.len())
        .filter(|at| text.get(*at) == Some(&quote))
        .peekable();
    places.peek().is_some()
        && places.all(|at| {
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            let after = text.get(at + 1);
            let opens = before.is_none_or(|b| b == last || matches!(b, b'\n' | b'\r'));
            let closes = after.is_none_or(|b| b == first || matches!(b, b'\n' | b'\r'));
            opens || closes
        })
}
