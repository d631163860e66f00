//! Which delimiter and which quotes: every candidate splits the start of the text, and the one whose rows are most alike
//! and whose cells look most like values wins.

use std::collections::HashSet;

use super::candidates::{Tier, delimiters, quotings};
use super::frame;
use super::header::is_name_like;
use super::records::{Delimiter, Marks, Record, Splitter};
use super::table::text_of;
use crate::formats::is_formatted;
use crate::values::{Kind, kind_of};

/// Text that the candidates are tried on, in bytes.
pub(super) const TRIED_BYTES: usize = 128 << 10;
/// Records that the candidates are tried on.
const TRIED_RECORDS: usize = 1_000;
/// Cells whose looks are judged for one candidate.
const JUDGED_CELLS: usize = 4_000;
/// A dialect that was tried.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) marks: Marks,
    /// From 0 to 1.
    pub(crate) score: f64,
    /// Fields of most records.
    pub(crate) width: usize,
    /// How many of the records after the preamble have that many fields, from 0 to 1.
    pub(crate) consistency: f64,
    /// Complete records after the preamble, without those below that are not data.
    pub(crate) records: Vec<Record>,
    /// Records below the header that are not data.
    pub(crate) below_header: u64,
    /// Records at the end that are not data.
    pub(crate) footer: u64,
}

/// The start of a text, and what its dialects have in common.
struct Tries<'t> {
    text: &'t [u8],
    whole: bool,
    base: Marks,
}

impl<'t> Tries<'t> {
    fn new(text: &'t str, whole: bool, by_carriage_return: bool, comment: Option<u8>) -> Tries<'t> {
        let (text, whole) = match text.as_bytes().get(..TRIED_BYTES) {
            Some(start) => (start, whole && text.len() == TRIED_BYTES),
            None => (text.as_bytes(), whole),
        };
        let base = Marks {
            delimiter: Delimiter::one(b','),
            quote: Some(b'"'),
            escape: None,
            comment,
            skip_lines: 0,
            by_carriage_return,
        };
        Tries { text, whole, base }
    }

    /// The best candidate of a tier that is good enough for it.
    fn best(&self, tier: Tier) -> Option<Candidate> {
        let candidates = delimiters(self.text, tier).into_iter().flat_map(|delimiter| {
            quotings(self.text, delimiter)
                .into_iter()
                .map(move |(quote, escape)| Marks {
                    delimiter,
                    quote,
                    escape,
                    ..self.base
                })
        });
        candidates
            .filter_map(|marks| try_marks(marks, self.text, self.whole))
            .filter(|candidate| is_enough(candidate, tier))
            .reduce(|best, next| {
                // The first of equals stays: candidates come in the order of how common they are.
                if next.score > best.score + 1e-9 {
                    next
                } else {
                    best
                }
            })
    }

    /// The best by a delimiter that is not common.
    fn best_uncommon(&self) -> Option<Candidate> {
        let (rare, odd) = (self.best(Tier::Rare), self.best(Tier::Odd));
        // What stands between fields that are all in order with their quotes is no chance.
        match (rare, odd) {
            (Some(rare), Some(odd)) if rare.marks.quote.is_none() && is_quoted_throughout(&odd) => Some(odd),
            (rare, odd) => rare.or(odd),
        }
    }
}

/// Tries every dialect on the start of the text. The best comes back, if any is good enough to be a table with two
/// columns or more. Where `is_prose` holds for it, an uncommon delimiter that makes a table is preferred.
pub(crate) fn sniff(
    text: &str,
    whole: bool,
    by_carriage_return: bool,
    comment: Option<u8>,
    is_prose: impl Fn(&Candidate) -> bool,
) -> Option<Candidate> {
    let tries = Tries::new(text, whole, by_carriage_return, comment);
    let Some(common) = tries.best(Tier::Common) else {
        return tries.best_uncommon();
    };
    if is_prose(&common) {
        return tries.best_uncommon().or(Some(common));
    }
    // What stands between fields that are all in order with their quotes is no chance.
    if common.marks.quote.is_none()
        && let Some(odd) = tries.best(Tier::Odd).filter(is_quoted_throughout)
    {
        return Some(odd);
    }
    // Decimal commas split lines evenly too, but into halves of numbers.
    let by_comma = common.marks.delimiter == Delimiter::one(b',');
    let rare = if by_comma && commas_are_decimal(tries.text) {
        tries.best(Tier::Rare)
    } else {
        None
    };
    rare.filter(|rare| rare.score > 0.9 * common.score)
        .or(Some(common))
}

/// Whether every record has a field in quotes, and none has quotes in odd places.
fn is_quoted_throughout(candidate: &Candidate) -> bool {
    candidate
        .records
        .iter()
        .all(|record| record.quoted > 0 && record.odd_quotes == 0 && !record.unterminated)
}

/// Whether every comma stands between two digits.
fn commas_are_decimal(text: &[u8]) -> bool {
    text.windows(3)
        .filter(|three| three[1] == b',')
        .all(|three| three[0].is_ascii_digit() && three[2].is_ascii_digit())
}

/// Whether the evidence is enough for a delimiter of that tier.
fn is_enough(candidate: &Candidate, tier: Tier) -> bool {
    match tier {
        Tier::Common => candidate.consistency >= 0.7 && candidate.score >= 0.3,
        Tier::Rare => is_strong(candidate),
        Tier::Odd => {
            candidate.consistency >= 1.0
                && candidate.records.len() >= 3
                && candidate.width >= 3
                && candidate.score >= 0.5
        }
    }
}

/// Complete records of the text, as many as are looked at.
pub(crate) fn records_of(marks: Marks, text: &[u8], whole: bool) -> Option<Vec<Record>> {
    split(marks, text, whole).map(|(records, _)| records)
}

/// The same, with the number of bytes after the last complete record.
fn split(marks: Marks, text: &[u8], whole: bool) -> Option<(Vec<Record>, usize)> {
    let mut records: Vec<Record> = Vec::new();
    let mut splitter = Splitter::new(marks);
    let mut collect = |record: &Record| {
        records.push(record.clone());
        records.len() < TRIED_RECORDS
    };
    let enough = !splitter.feed(text, &mut collect).ok()?;
    let left = if enough { 0 } else { splitter.pending_bytes() };
    // What is left of a sample is a record cut in half.
    if !enough && whole {
        splitter.finish(&mut collect).ok()?;
    }
    Some((records, left))
}

pub(super) fn try_marks(mut marks: Marks, text: &[u8], whole: bool) -> Option<Candidate> {
    let (mut records, mut left) = split(marks, text, whole)?;
    let width = common_width(&records)?;
    let preamble = frame::preamble(&records, width);
    if preamble > 0 {
        marks.skip_lines = records.get(preamble)?.first_line;
        // Quotes in a preamble may have swallowed lines, so the rest is read afresh.
        (records, left) = split(marks, text, whole)?;
    }
    let width = common_width(&records)?;
    if width < 2 || records.is_empty() {
        return None;
    }
    // Where the end is not seen, a footer can't be.
    let seen_whole = whole && left == 0 && records.len() < TRIED_RECORDS;
    let footer = if seen_whole {
        frame::footer(&records, width)
    } else {
        0
    };
    records.truncate(records.len() - footer);
    let has_rule = records.len() > 2 && records.get(1).is_some_and(frame::is_rule);
    if has_rule {
        records.remove(1);
    }
    let consistency = consistency(&records, width);
    let odd = records
        .iter()
        .filter(|r| r.odd_quotes > r.apostrophes || r.unterminated)
        .count() as f64
        / records.len() as f64;
    let looks = looks_of_cells(&records, marks.delimiter, marks.quote);
    let columns = 1.0 - 0.4 / width as f64;
    // Quotes that are used as quotes speak for the dialect that understands them.
    let quoted = if marks.quote.is_some() && records.iter().any(|r| r.quoted > 0) {
        1.02
    } else {
        1.0
    };
    let swallowed = match records.last() {
        Some(last) if last.unterminated => 0.2,
        // Much of the text after the last record: a quote that never closes.
        _ if !whole && left * 4 > text.len() => 0.3,
        _ => 1.0,
    };
    // A longer delimiter was only tried because one of its characters stands nowhere else.
    let longer = if marks.delimiter.as_bytes().len() > 1 {
        1.5
    } else {
        1.0
    };
    let score = consistency * consistency * looks * columns * (1.0 - 0.8 * odd) * quoted * swallowed * longer;
    Some(Candidate {
        marks,
        score,
        width,
        consistency,
        records,
        below_header: u64::from(has_rule),
        footer: footer as u64,
    })
}

/// How many records have as many fields as most, from 0 to 1. Those that are shorter than a full header are half right:
/// programs drop empty fields at the end.
fn consistency(records: &[Record], width: usize) -> f64 {
    let alike = records.iter().filter(|r| r.len() == width).count();
    let full_header = records.first().is_some_and(|r| r.len() == width);
    let none_longer = records.iter().all(|r| (2..=width).contains(&r.len()));
    let short = match full_header && none_longer {
        true => records.len() - alike,
        false => 0,
    };
    (alike as f64 + 0.5 * short as f64) / records.len() as f64
}

/// The most common number of fields; of two equally common ones the greater.
fn common_width(records: &[Record]) -> Option<usize> {
    let mut counts: Vec<usize> = Vec::new();
    for record in records {
        if counts.len() <= record.len() {
            counts.resize(record.len() + 1, 0);
        }
        counts[record.len()] += 1;
    }
    // A narrow preamble must not outvote a short table.
    counts
        .iter()
        .enumerate()
        .max_by_key(|(width, count)| (**count * (*width).min(2), *width))
        .map(|(width, _)| width)
}

/// How much the cells look like values, from 0 to 1.
fn looks_of_cells(records: &[Record], delimiter: Delimiter, quote: Option<u8>) -> f64 {
    let (mut cells, mut looks) = (0_usize, 0.0);
    for record in records {
        for field in record.fields() {
            if cells >= JUDGED_CELLS {
                return looks / cells as f64;
            }
            cells += 1;
            looks += looks_of(&text_of(field), delimiter, quote, record.quoted > 0);
        }
    }
    if cells == 0 { 0.0 } else { looks / cells as f64 }
}

fn looks_of(cell: &str, delimiter: Delimiter, quote: Option<u8>, in_quotes: bool) -> f64 {
    let cell = cell.trim();
    match kind_of(cell) {
        Kind::Null => return 0.9,
        Kind::Text => {}
        _ => return 1.0,
    }
    if is_formatted(cell) {
        return 1.0;
    }
    let bytes = cell.as_bytes();
    let splits = |mark: u8| delimiter.as_bytes().contains(&mark);
    let (first, last) = (bytes.first().copied(), bytes.last().copied());
    if !in_quotes {
        let stray = |mark: u8| quote != Some(mark) && (first == Some(mark) || last == Some(mark));
        if stray(b'"') && !splits(b'"') {
            return 0.2;
        }
        let half = |open: u8, close: u8| (first == Some(open)) != (last == Some(close));
        if half(b'[', b']') && !cell.contains('(') || first == Some(b'{') || last == Some(b'}') {
            return 0.2;
        }
        if bytes.iter().any(|b| matches!(b, b'\t' | 0x01) && !splits(*b)) {
            return 0.2;
        }
        if bytes.iter().any(|b| matches!(b, b';' | b'|') && !splits(*b)) {
            return 0.5;
        }
        if cell.contains(',') && !splits(b',') && !cell.contains(", ") {
            return 0.6;
        }
    }
    if cell
        .chars()
        .all(|c| c.is_alphanumeric() || " _-./@:#&'()+%$€£,*".contains(c))
    {
        0.9
    } else {
        0.75
    }
}

/// Whether a rare delimiter's table is beyond doubt: three rows or more, every one alike, and mostly columns of numbers,
/// dates and the like; for `~` and `^`, which text hardly holds, only that the rows are alike.
fn is_strong(candidate: &Candidate) -> bool {
    let alike = candidate.consistency >= 1.0 || has_unnamed_row_names(candidate);
    if !alike || candidate.records.len() < 3 {
        return false;
    }
    let delimiter = candidate.marks.delimiter.as_bytes();
    if matches!(delimiter, b"~" | b"^") {
        return candidate.score >= 0.4;
    }
    let rows = candidate.records.get(1..).unwrap_or(&[]);
    let is_text = |cell: &str| kind_of(cell) == Kind::Text && !is_formatted(cell);
    let typed = (0..candidate.width).filter(|&at| {
        let texts = rows.iter().filter(|r| is_text(&text_of(r.field(at)))).count();
        let nulls = rows.iter().filter(|r| r.field(at).is_empty()).count();
        texts == 0 && nulls * 2 < rows.len()
    });
    let typed = typed.count();
    if candidate.score < 0.4 {
        return false;
    }
    let quoted = candidate
        .records
        .iter()
        .filter(|record| record.quoted > 0)
        .count();
    let uses_quotes = quoted * 3 >= candidate.records.len();
    let is_dense = candidate.records.iter().all(|record| {
        record
            .fields()
            .all(|field| !field.is_empty() && !field.contains(&b' '))
    });
    match delimiter {
        // Text of chance has no quotes that fit, and not so many columns alike.
        _ if uses_quotes && typed >= 1 && candidate.width >= 3 => true,
        // Times of day are two or three numbers with colons; keys and values have a blank between them.
        b":" => {
            candidate.width >= 3
                && (typed >= 1 || is_dense && rows.len() >= 5)
                && (!rows.iter().all(has_time) || is_dense && begins_with_names(candidate))
        }
        _ => candidate.width >= 2 && typed * 3 >= candidate.width * 2,
    }
}

/// R leaves out the name of the row names, so that its header alone is one short.
fn has_unnamed_row_names(candidate: &Candidate) -> bool {
    let Some((header, rows)) = candidate.records.split_first() else {
        return false;
    };
    header.len() + 1 == candidate.width && rows.iter().all(|row| row.len() == candidate.width)
}

/// Whether the first record has a name for every column, each another one.
fn begins_with_names(candidate: &Candidate) -> bool {
    let Some(header) = candidate.records.first() else {
        return false;
    };
    let names: HashSet<&[u8]> = header.fields().collect();
    names.len() == candidate.width && header.fields().all(|name| is_name_like(&text_of(name)))
}

/// Whether two neighbouring fields are rather the hour and minute of a time.
fn has_time(record: &Record) -> bool {
    let below = |digits: &[u8], most: u8| match digits {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => (a - b'0') * 10 + (b - b'0') < most,
        _ => false,
    };
    let fields: Vec<&[u8]> = record.fields().collect();
    fields.windows(2).any(|pair| {
        let hour = pair[0].get(pair[0].len().saturating_sub(2)..).unwrap_or(&[]);
        let minute = pair[1].get(..2).unwrap_or(&[]);
        below(hour, 24) && below(minute, 60)
    })
}
