//! The likeliest dialect of a text whose lines don't split alike, when its name promises a table: several tables in one
//! file, a reader's notes between rows, fields that should have been quoted.

use super::candidates::{Tier, delimiters};
use super::dialect::{Candidate, TRIED_BYTES, try_marks};
use super::records::{Delimiter, Marks};

/// Records that must be alike at least, of those that are tried.
const LEAST_CONSISTENCY: f64 = 0.4;
/// Quoted fields that tell which character stands between fields.
const LEAST_QUOTED: usize = 3;

/// What stands around quoted fields decides; where there are none, the delimiter by which most records are alike.
pub(crate) fn uneven_table(
    text: &str,
    whole: bool,
    by_carriage_return: bool,
    comment: Option<u8>,
) -> Option<Candidate> {
    let tried = text.as_bytes().get(..TRIED_BYTES).unwrap_or(text.as_bytes());
    let whole = whole && tried.len() == text.len();
    let marks = |delimiter: Delimiter, quote: Option<u8>| Marks {
        delimiter,
        quote,
        escape: None,
        comment,
        skip_lines: 0,
        by_carriage_return,
    };
    if let Some((delimiter, quote)) = around_quoted_fields(tried) {
        return try_marks(marks(Delimiter::one(delimiter), Some(quote)), tried, whole);
    }
    delimiters(tried, Tier::Common)
        .into_iter()
        .filter_map(|delimiter| try_marks(marks(delimiter, Some(b'"')), tried, whole))
        .filter(|candidate| candidate.consistency >= LEAST_CONSISTENCY && candidate.records.len() >= 3)
        .reduce(|best, next| if next.score > best.score { next } else { best })
}

/// The character before the opening and after the closing quote of nearly all quoted fields, and the quote.
fn around_quoted_fields(text: &[u8]) -> Option<(u8, u8)> {
    let lines: Vec<&[u8]> = text
        .split(|b| matches!(b, b'\n' | b'\r'))
        .filter(|line| !line.is_empty())
        .collect();
    [b'"', b'\'']
        .into_iter()
        .flat_map(|quote| b",;\t| ".map(|delimiter| (delimiter, quote)))
        .find(|&(delimiter, quote)| {
            let (mut between, mut all) = (0, 0);
            for line in &lines {
                let (fields, quotes) = quoted_fields(line, delimiter, quote);
                between += fields;
                all += quotes;
            }
            // Two quotes a field.
            between >= LEAST_QUOTED && between * 2 * 10 >= all * 9 && between * 2 >= lines.len()
        })
}

/// How many fields of a line are in quotes between delimiters, and how many quotes the line holds.
fn quoted_fields(line: &[u8], delimiter: u8, quote: u8) -> (usize, usize) {
    let quotes: Vec<usize> = (0..line.len())
        .filter(|at| line.get(*at) == Some(&quote))
        .collect();
    let opens = |at: usize| at == 0 || line.get(at - 1) == Some(&delimiter);
    let closes = |at: usize| at + 1 == line.len() || line.get(at + 1) == Some(&delimiter);
    let (mut fields, mut open) = (0, false);
    for &at in &quotes {
        if open && closes(at) {
            fields += 1;
            open = false;
        } else if !open && opens(at) {
            open = true;
        }
    }
    (fields, quotes.len())
}
