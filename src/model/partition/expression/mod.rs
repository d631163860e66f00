//! The filter of Glue's `GetPartitions`: the part of SQL's WHERE that partition keys are asked for with.
//!
//! ```text
//! any      := all ("OR" all)*
//! all      := not ("AND" not)*
//! not      := "NOT" not | "(" any ")" | test
//! test     := key ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") literal
//!           | key ["NOT"] "BETWEEN" literal "AND" literal
//!           | key ["NOT"] "IN" "(" literal ("," literal)* ")"
//!           | key ["NOT"] "LIKE" text
//!           | key "IS" ["NOT"] "NULL"
//! key      := name | "name" | `name` | "(" key ")"
//! literal  := 'text' | number | date [time]
//! ```
//!
//! Literals are compared as the key's type compares, and dates and times may stand without quotes. A value that Hive wrote
//! for an absent one is NULL, and what is said of it is neither true nor false. A stored value that its type can't have is an
//! error where its key is asked for ([`Expression::check_stored`]), as it is with AWS: it must not get lost silently.

mod parse;

use crate::error::{Error, ErrorKind, Result};
use crate::model::partition::key::{Bound, HIVE_NULL, KeyOrder, KeyRange, key_range, merged};
use crate::model::table::Column;
use parse::Refusal;

/// The longest expression, in characters (Glue's `PredicateString`).
const MAX_LENGTH: usize = 2048;
/// How many alternatives are looked up in the index one by one.
const MAX_RANGES: usize = 256;

/// A filter of partitions, checked against the keys of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    order: KeyOrder,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    /// The key at this place, compared with a sortable value.
    Compare(usize, Comparison, String),
    In(usize, Vec<String>),
    Like(usize, Vec<Piece>),
    IsNull(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A piece of a LIKE pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    AnyLetter,
    AnyText,
}

impl Expression {
    /// Reads an expression about these partition keys; a blank one is none.
    ///
    /// # Errors
    /// Invalid, in AWS's words.
    pub fn parse(text: &str, keys: &[Column]) -> Result<Option<Self>> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(Error::invalid(format!(
                "Unsupported expression: it has {length} characters, and {MAX_LENGTH} are allowed"
            )));
        }
        let test = match parse::test(text, keys, true) {
            // Hive's client writes \' for a quote within a text, and everybody else a plain backslash.
            Err(Refusal::Syntax) => parse::test(text, keys, false),
            other => other,
        };
        match test {
            Ok(test) => Ok(Some(Self {
                order: KeyOrder::of(keys),
                test,
            })),
            Err(Refusal::Syntax) => Err(Error::invalid(format!("Unsupported expression '{text}'"))),
            Err(Refusal::Meaning(message)) => Err(Error::invalid(message)),
        }
    }

    /// Makes sure that stored values are such as the types of their keys have, as far as their keys are asked for.
    ///
    /// # Errors
    /// Unfit, in AWS's words.
    pub fn check_stored(&self, values: &[String]) -> Result<()> {
        for (index, (value, key_type)) in values.iter().zip(self.order.types()).enumerate() {
            if value != HIVE_NULL && key_type.sortable(value).is_none() && self.test.asks_for(index) {
                return Err(Error::new(
                    ErrorKind::Unfit,
                    parse::misfit(*key_type, value).trim_end_matches('.'),
                )
                .hint(format!(
                    "the partition {} is kept with it: correct or delete the partition, or make the key a string",
                    values.join("/")
                )));
            }
        }
        Ok(())
    }

    /// Whether a partition with these values is asked for.
    pub fn holds(&self, values: &[String]) -> bool {
        let types = self.order.types();
        let sortable: Vec<Option<String>> = values
            .iter()
            .zip(types)
            .map(|(value, key_type)| (value != HIVE_NULL).then(|| key_type.sortable(value)).flatten())
            .collect();
        self.test.holds(&sortable, values) == Some(true)
    }

    /// Where in the order of keys all partitions lie that it holds for.
    pub fn ranges(&self) -> Vec<KeyRange> {
        let Some(alternatives) = self.test.alternatives() else {
            return vec![KeyRange::all()];
        };
        let ranges = alternatives.iter().map(|all| self.range_of(all)).collect();
        merged(ranges)
    }

    /// The range of the keys for which all of `tests` hold: as far as leading keys are equal to something, and one more.
    fn range_of(&self, tests: &[&Test]) -> KeyRange {
        let mut equal = Vec::new();
        loop {
            let key = equal.len();
            let (mut from, mut to) = (Bound::Open, Bound::Open);
            let mut equals = None;
            for test in tests {
                let Test::Compare(index, comparison, value) = test else {
                    continue;
                };
                if *index != key {
                    continue;
                }
                match comparison {
                    Comparison::Equal => equals = Some(value.clone()),
                    Comparison::Greater => from = Bound::Excluding(value.clone()),
                    Comparison::GreaterOrEqual => from = Bound::Including(value.clone()),
                    Comparison::Less => to = Bound::Excluding(value.clone()),
                    Comparison::LessOrEqual => to = Bound::Including(value.clone()),
                }
            }
            match equals {
                Some(value) => equal.push(value),
                None => return key_range(&self.order, &equal, &from, &to),
            }
        }
    }
}

impl Test {
    /// Whether the key at this place is asked for anywhere.
    fn asks_for(&self, key: usize) -> bool {
        match self {
            Self::Any(tests) | Self::All(tests) => tests.iter().any(|test| test.asks_for(key)),
            Self::Not(test) => test.asks_for(key),
            Self::Compare(asked, ..) | Self::In(asked, _) | Self::Like(asked, _) | Self::IsNull(asked) => {
                *asked == key
            }
        }
    }

    /// SQL's three values: absent is "unknown".
    fn holds(&self, sortable: &[Option<String>], values: &[String]) -> Option<bool> {
        match self {
            Self::Any(tests) => {
                let mut known = Some(false);
                for test in tests {
                    match test.holds(sortable, values) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = None,
                    }
                }
                known
            }
            Self::All(tests) => {
                let mut known = Some(true);
                for test in tests {
                    match test.holds(sortable, values) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => known = None,
                    }
                }
                known
            }
            Self::Not(test) => test.holds(sortable, values).map(|holds| !holds),
            Self::Compare(key, comparison, wanted) => {
                let order = sortable.get(*key)?.as_ref()?.cmp(wanted);
                Some(match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Self::In(key, wanted) => {
                let value = sortable.get(*key)?.as_ref()?;
                Some(wanted.contains(value))
            }
            Self::Like(key, pattern) => {
                sortable.get(*key)?.as_ref()?;
                let letters: Vec<char> = values.get(*key)?.chars().collect();
                Some(is_like(&letters, pattern))
            }
            Self::IsNull(key) => Some(sortable.get(*key)?.is_none()),
        }
    }

    /// The same as alternatives, each of tests that must all hold; absent where there are too many. Tests that no range
    /// stands for are left out, so that an alternative may hold for more than the expression does.
    fn alternatives(&self) -> Option<Vec<Vec<&Self>>> {
        match self {
            Self::Any(tests) => {
                let mut all = Vec::new();
                for test in tests {
                    all.extend(test.alternatives()?);
                    if all.len() > MAX_RANGES {
                        return None;
                    }
                }
                Some(all)
            }
            Self::All(tests) => {
                let mut all: Vec<Vec<&Self>> = vec![Vec::new()];
                for test in tests {
                    let next = test.alternatives();
                    // Too many to be looked up: this one is left to the filter.
                    let Some(next) = next.filter(|next| next.len() * all.len() <= MAX_RANGES) else {
                        continue;
                    };
                    all = all
                        .iter()
                        .flat_map(|some| {
                            next.iter()
                                .map(move |more| [some.as_slice(), more.as_slice()].concat())
                        })
                        .collect();
                }
                Some(all)
            }
            Self::Compare(..) => Some(vec![vec![self]]),
            Self::In(..) | Self::Not(_) | Self::Like(..) | Self::IsNull(_) => Some(vec![Vec::new()]),
        }
    }
}

/// Whether a text is like a pattern, in time that grows with their product at the most.
fn is_like(text: &[char], pattern: &[Piece]) -> bool {
    let (mut at, mut piece) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(piece) {
            Some(Piece::AnyText) => {
                star = Some((piece, at));
                piece += 1;
            }
            Some(Piece::AnyLetter) => {
                piece += 1;
                at += 1;
            }
            Some(Piece::Letter(letter)) if *letter == text[at] => {
                piece += 1;
                at += 1;
            }
            _ => match star {
                Some((star_piece, star_at)) => {
                    piece = star_piece + 1;
                    at = star_at + 1;
                    star = Some((star_piece, at));
                }
                None => return false,
            },
        }
    }
    pattern[piece..].iter().all(|piece| *piece == Piece::AnyText)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<Column> {
        vec![
            Column::new("year", "int"),
            Column::new("region", "string"),
            Column::new("day", "date"),
        ]
    }

    const ROWS: [[&str; 3]; 6] = [
        ["2021", "eu", "2021-12-31"],
        ["2022", "eu", "2022-01-01"],
        ["2022", "us", "2022-01-02"],
        ["2022", "o'hare", "2022-01-10"],
        ["2023", HIVE_NULL, "2023-01-01"],
        ["10000", "e_u", "2023-01-02"],
    ];

    /// The rows that an expression holds for, by number; every one must lie in its ranges.
    fn found(text: &str) -> Vec<usize> {
        let expression = Expression::parse(text, &keys()).unwrap().unwrap();
        let ranges = expression.ranges();
        let order = KeyOrder::of(&keys());
        let mut found = Vec::new();
        for (index, row) in ROWS.iter().enumerate() {
            let values: Vec<String> = row.iter().map(|value| (*value).to_owned()).collect();
            let key = order.key(&values);
            if expression.holds(&values) {
                let inside =
                    |range: &KeyRange| key >= range.from && range.to.as_ref().is_none_or(|to| key < *to);
                assert!(ranges.iter().any(inside), "{text}: {row:?} is not in {ranges:?}");
                found.push(index);
            }
        }
        found
    }

    fn refusal(text: &str) -> String {
        Expression::parse(text, &keys()).unwrap_err().message
    }

    #[test]
    fn the_whole_grammar_is_read() {
        assert_eq!(found("year = 2022"), [1, 2, 3]);
        assert_eq!(found("YEAR='2022' and region = 'eu'"), [1]);
        assert_eq!(found("year > 2022"), [4, 5], "as numbers, not as text");
        assert_eq!(found("year <> 2022"), [0, 4, 5]);
        assert_eq!(found("year != 2022 AND year < 2023"), [0]);
        assert_eq!(found("year BETWEEN 2021 AND 2022"), [0, 1, 2, 3]);
        assert_eq!(found("year not between 2021 and 2022"), [4, 5]);
        assert_eq!(found("year in (2021, '2023')"), [0, 4]);
        assert_eq!(
            found("(region) NOT IN ('eu','us')"),
            [3, 5],
            "of an absent value nothing is known"
        );
        assert_eq!(found("region LIKE 'e%'"), [0, 1, 5]);
        assert_eq!(found("region LIKE 'e_'"), [0, 1]);
        assert_eq!(found("region NOT LIKE '%u%'"), [3]);
        assert_eq!(found("region IS NULL"), [4]);
        assert_eq!(found("region is not null"), [0, 1, 2, 3, 5]);
        assert_eq!(found("NOT (year = 2022 OR region = 'eu')"), [5]);
        assert_eq!(
            found("year = 2021 OR year = 2022 AND region = 'us'"),
            [0, 2],
            "AND binds tighter"
        );
        assert_eq!(found("(year = 2021 OR year = 2022) AND region = 'eu'"), [0, 1]);
        assert_eq!(found("((year='2022') and (\"region\"='us'))"), [2]);
        assert_eq!(found("(((year))) = 2023"), [4]);
        assert_eq!(found("day >= '2022-1-2' and day < '2023-01-01'"), [2, 3]);
        assert_eq!(found("region = 'o''hare'"), [3]);
        assert_eq!(found(r"region = 'o\'hare'"), [3]);
        assert_eq!(found(r"region = 'a\'"), [0; 0]);
        assert_eq!(found("year = -2022"), [0; 0]);
        assert!(Expression::parse("  \n", &keys()).unwrap().is_none());
    }

    #[test]
    fn refusals_are_awss() {
        assert_eq!(refusal("year ="), "Unsupported expression 'year ='");
        assert_eq!(
            refusal("year = 2022 year = 1"),
            "Unsupported expression 'year = 2022 year = 1'"
        );
        assert_eq!(refusal("month = 1"), "Invalid partition expression!");
        assert_eq!(refusal("year = 'x'"), "\"x\" is not an integer.");
        assert_eq!(refusal("day = '2022-13-01'"), "2022-13-01 is not a date.");
        assert_eq!(
            refusal("year LIKE '20%'"),
            "Integral data type doesn't support operation 'LIKE'"
        );
        assert_eq!(
            refusal("day LIKE '20%'"),
            "Date data type doesn't support operation 'LIKE'"
        );
        let odd = [Column::new("a", "array<int>")];
        let refused = Expression::parse("a = 1", &odd).unwrap_err();
        assert_eq!(refused.message, "Unknown type : 'array<int>'");
        assert!(Expression::parse(&"(".repeat(2000), &keys()).is_err());
        assert!(Expression::parse(&"NOT ".repeat(500), &keys()).is_err());
    }

    #[test]
    fn leading_keys_are_looked_up() {
        let ranges = |text: &str| Expression::parse(text, &keys()).unwrap().unwrap().ranges();
        assert_eq!(ranges("year in (1, 5, 3)").len(), 3);
        assert_eq!(ranges("year = 1 or year = 2 and region > 'a'").len(), 2);
        assert_ne!(ranges("year > 1"), [KeyRange::all()]);
        assert_eq!(ranges("region = 'eu'"), [KeyRange::all()]);
        assert_eq!(ranges("year = 1 or region = 'eu'"), [KeyRange::all()]);
        let many: Vec<String> = (0..300).map(|year| year.to_string()).collect();
        assert_eq!(
            ranges(&format!("year in ({})", many.join(","))),
            [KeyRange::all()]
        );
    }
}
