//! Object patterns: `s3://lake/raw/{color}/{color}_tripdata_{ym}.*`.
//!
//! `*` matches anything but `/`, and at least one character where it is a whole name; `**` matches anything; `?` matches one
//! character but `/`; `[a-z]` one of a class and `[!a-z]` one of no class. `{name}` matches anything but `/` and captures it;
//! a name that stands twice must match the same text twice. Everything else stands for itself.
//!
//! In a folder `key={name}` a value is spelled as Hive spells it, with `%XX` for what can't stand there: captures are read
//! that way, and values are put in that way.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use regex::Regex;

use crate::error::{Error, Result};
use crate::model::location::{Location, hive_escaped, percent_decoded};

/// What the captures of a pattern matched, by name.
pub type Captures = BTreeMap<String, String>;

/// A pattern over the keys of one bucket.
#[derive(Clone, Debug)]
pub struct ObjectPattern {
    text: String,
    bucket: String,
    tokens: Vec<Token>,
    /// Made when a key is matched for the first time: most patterns are only compared with each other.
    regex: Arc<OnceLock<Option<Regex>>>,
    /// The capture that each group of `regex` stands for, in order, and whether it is spelled as Hive does; a name may come
    /// twice.
    groups: Vec<(String, bool)>,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Literal(String),
    /// A capture, and whether it stands in a folder `key=…`.
    Capture(String, bool),
    /// `*`, and whether it is a whole name.
    AnyInFolder(bool),
    Any,
    One,
    Class(Class),
}

/// A class of characters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(char, char)>,
}

impl Class {
    fn source(&self) -> String {
        let mut source = String::from(if self.negated { "[^/" } else { "[" });
        for (first, last) in &self.ranges {
            for (at, end) in [first, last].into_iter().enumerate() {
                if at == 1 {
                    source.push('-');
                }
                source.push_str(&format!("\\x{{{:x}}}", u32::from(*end)));
            }
        }
        source.push(']');
        source
    }
}

impl ObjectPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Invalid where it is no `s3://` location, a brace or a bracket is not closed, or a capture's name is not an identifier.
    pub fn parse(text: &str) -> Result<Self> {
        let location = Location::parse(text)?;
        if location.bucket.contains(['{', '*', '?', '[']) {
            return Err(
                Error::invalid(format!("'{text}' has a pattern in the bucket's name"))
                    .hint("name the bucket; patterns are for keys"),
            );
        }
        let tokens = tokenize(text, &location.key)?;
        Ok(Self::of(text.to_owned(), location.bucket, tokens))
    }

    fn of(text: String, bucket: String, tokens: Vec<Token>) -> Self {
        let group = |token: &Token| match token {
            Token::Capture(name, is_escaped) => Some((name.clone(), *is_escaped)),
            _ => None,
        };
        Self {
            groups: tokens.iter().filter_map(group).collect(),
            text,
            bucket,
            tokens,
            regex: Arc::default(),
        }
    }

    /// Checks that keys can be matched with it.
    ///
    /// # Errors
    /// Invalid where it is too long, or a class in it can't match.
    pub fn check(&self) -> Result<()> {
        Regex::new(&self.source()).map(drop).map_err(|cause| {
            Error::invalid(format!(
                "the pattern '{}' is too long, or has a class that nothing is in",
                self.text
            ))
            .source(cause)
        })
    }

    /// The pattern as a regular expression of a key.
    fn source(&self) -> String {
        let mut source = String::from("(?s)^");
        for (at, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Literal(literal) => source.push_str(&regex::escape(literal)),
                Token::Capture(..) => source.push_str("([^/]+?)"),
                Token::AnyInFolder(true) => source.push_str("[^/]+"),
                Token::AnyInFolder(false) => source.push_str("[^/]*"),
                Token::Any if at + 1 == self.tokens.len() => source.push_str(".+"),
                Token::Any => source.push_str(".*"),
                Token::One => source.push_str("[^/]"),
                Token::Class(class) => source.push_str(&class.source()),
            }
        }
        source.push('$');
        source
    }

    /// The pattern that one location alone matches, or, of a folder, what lies in it.
    pub fn literal(location: &Location) -> Self {
        let tokens = match location.key.as_str() {
            "" => Vec::new(),
            key => vec![Token::Literal(key.to_owned())],
        };
        Self::of(location.to_string(), location.bucket.clone(), tokens)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bucket that it is about.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The names of its captures, each once.
    pub fn capture_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.groups.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The part of the key before the first capture or wildcard: what a listing can be narrowed to.
    pub fn literal_prefix(&self) -> &str {
        match self.tokens.first() {
            Some(Token::Literal(literal)) => literal,
            _ => "",
        }
    }

    /// Whether an object matches, and what the captures matched.
    pub fn matches(&self, bucket: &str, key: &str) -> Option<Captures> {
        if bucket != self.bucket || !key.starts_with(self.literal_prefix()) {
            return None;
        }
        let regex = self.regex.get_or_init(|| Regex::new(&self.source()).ok());
        let found = regex.as_ref()?.captures(key)?;
        let mut captures = Captures::new();
        for (group, (name, is_escaped)) in self.groups.iter().enumerate() {
            let text = found.get(group + 1)?.as_str();
            let value = if *is_escaped {
                percent_decoded(text)
            } else {
                text.to_owned()
            };
            match captures.get(name) {
                Some(earlier) if *earlier != value => return None,
                _ => captures.insert(name.clone(), value),
            };
        }
        Some(captures)
    }

    /// The pattern with the captures that `values` names put in as plain text, in a folder `key=…` as Hive spells it.
    ///
    /// # Errors
    /// Invalid where a value can't stand in its place: it is empty, or has a `/` outside of a folder `key=…`.
    pub fn with_values(&self, values: &Captures) -> Result<Self> {
        self.filled(values, hive_escaped)
    }

    /// As [`ObjectPattern::with_values`], with the values of folders `key=…` as they are: how programs write them that don't
    /// know Hive's spelling. Absent where that would be the same, or would read as another value.
    ///
    /// # Errors
    /// As [`ObjectPattern::with_values`].
    pub fn with_plain_values(&self, values: &Captures) -> Result<Option<Self>> {
        let differs = |(name, is_escaped): &(String, bool)| {
            let value = values.get(name).filter(|_| *is_escaped);
            value.is_some_and(|value| hive_escaped(value) != *value)
        };
        let reads_alike = |(name, is_escaped): &(String, bool)| {
            let value = values.get(name).filter(|_| *is_escaped);
            value.is_none_or(|value| percent_decoded(value) == *value && !value.contains('/'))
        };
        if !self.groups.iter().any(differs) || !self.groups.iter().all(reads_alike) {
            return Ok(None);
        }
        self.filled(values, str::to_owned).map(Some)
    }

    fn filled(&self, values: &Captures, spell: impl Fn(&str) -> String) -> Result<Self> {
        let (mut tokens, mut text) = (Vec::new(), format!("s3://{}/", self.bucket));
        for token in &self.tokens {
            let literal = match token {
                Token::Literal(literal) => literal.clone(),
                Token::Capture(name, is_escaped) if values.contains_key(name) => {
                    let value = &values[name];
                    if value.is_empty() || (value.contains('/') && !is_escaped) {
                        return Err(Error::invalid(format!(
                            "the parameter {name} is '{value}', which can't stand in '{}'",
                            self.text
                        ))
                        .hint("a value in a key isn't empty, and has a / only in a folder key={…}"));
                    }
                    if *is_escaped { spell(value) } else { value.clone() }
                }
                other => {
                    text.push_str(&other.text());
                    tokens.push(other.clone());
                    continue;
                }
            };
            text.push_str(&literal);
            match tokens.last_mut() {
                Some(Token::Literal(before)) => before.push_str(&literal),
                _ => tokens.push(Token::Literal(literal)),
            }
        }
        Ok(Self::of(text, self.bucket.clone(), tokens))
    }

    /// The location that the pattern names, where nothing in it is left open.
    pub fn as_location(&self) -> Option<Location> {
        match self.tokens.as_slice() {
            [] => Some(Location {
                bucket: self.bucket.clone(),
                key: String::new(),
            }),
            [Token::Literal(key)] => Some(Location {
                bucket: self.bucket.clone(),
                key: key.clone(),
            }),
            _ => None,
        }
    }
}

impl Token {
    /// The token as it is written.
    fn text(&self) -> String {
        match self {
            Self::Literal(literal) => literal.clone(),
            Self::Capture(name, _) => format!("{{{name}}}"),
            Self::AnyInFolder(_) => "*".to_owned(),
            Self::Any => "**".to_owned(),
            Self::One => "?".to_owned(),
            Self::Class(class) => {
                let ranges = class.ranges.iter().map(|(first, last)| match first == last {
                    true => first.to_string(),
                    false => format!("{first}-{last}"),
                });
                format!(
                    "[{}{}]",
                    if class.negated { "!" } else { "" },
                    ranges.collect::<String>()
                )
            }
        }
    }
}

fn tokenize(text: &str, key: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(next) = key[at..].chars().next() {
        let rest = &key[at..];
        let (token, used) = match next {
            '*' if rest.starts_with("**") => (Token::Any, 2),
            '*' => {
                let begins = at == 0 || key[..at].ends_with('/');
                let ends = rest.len() == 1 || rest[1..].starts_with('/');
                (Token::AnyInFolder(begins && ends), 1)
            }
            '?' => (Token::One, 1),
            '[' => class(text, rest)?,
            '{' => {
                let segment = key[..at].rsplit('/').next().unwrap_or_default();
                let is_partition = segment.find('=').is_some_and(|equals| equals > 0);
                capture(text, rest, is_partition)?
            }
            other => {
                literal.push(other);
                at += other.len_utf8();
                continue;
            }
        };
        if !literal.is_empty() {
            tokens.push(Token::Literal(std::mem::take(&mut literal)));
        }
        tokens.push(token);
        at += used;
    }
    if !literal.is_empty() {
        tokens.push(Token::Literal(literal));
    }
    Ok(tokens)
}

/// The capture that `rest` begins with, and its length.
fn capture(text: &str, rest: &str, is_partition: bool) -> Result<(Token, usize)> {
    let end = rest
        .find('}')
        .ok_or_else(|| Error::invalid(format!("'{text}' has a {{ without its }}")))?;
    let name = &rest[1..end];
    if !is_identifier(name) {
        return Err(
            Error::invalid(format!("'{{{name}}}' in '{text}' is not a capture"))
                .hint("a capture's name has letters, digits and _ only, and starts with a letter"),
        );
    }
    Ok((Token::Capture(name.to_owned(), is_partition), end + 1))
}

/// The class of characters that `rest` begins with, and its length. As in shells, a `]` that comes first stands for itself.
fn class(text: &str, rest: &str) -> Result<(Token, usize)> {
    let inner = &rest[1..];
    let negated = inner.starts_with(['!', '^']);
    let from = usize::from(negated);
    let first = inner[from..].chars().next().map_or(0, char::len_utf8);
    let end = inner[from + first..].find(']').ok_or_else(|| {
        Error::invalid(format!("'{text}' has a [ without its ]")).hint("write [[] for the character itself")
    })?;
    let end = from + first + end;
    let (mut ranges, mut chars) = (Vec::new(), inner[from..end].chars().peekable());
    while let Some(first) = chars.next() {
        let mut last = first;
        let mut ahead = chars.clone();
        if ahead.next() == Some('-')
            && let Some(end) = ahead.next()
        {
            last = end;
            chars = ahead;
        }
        if last < first || first == '/' {
            return Err(
                Error::invalid(format!("'[{}]' in '{text}' is not a class", &inner[..end]))
                    .hint("a range goes from the lower character to the higher, and / is in no class"),
            );
        }
        ranges.push((first, last));
    }
    Ok((Token::Class(Class { negated, ranges }), end + 2))
}

/// Whether `name` can name a parameter, an input or a capture.
pub fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captures(pattern: &str, key: &str) -> Option<Vec<(String, String)>> {
        let found = ObjectPattern::parse(pattern).unwrap().matches("lake", key)?;
        Some(found.into_iter().collect())
    }

    #[test]
    fn the_trip_files_of_a_month() {
        let pattern = "s3://lake/raw/{color}/{color}_tripdata_{ym}.*";
        assert_eq!(
            captures(pattern, "raw/green/green_tripdata_2022-01.parquet"),
            Some(vec![
                ("color".into(), "green".into()),
                ("ym".into(), "2022-01".into())
            ])
        );
        assert_eq!(
            captures(pattern, "raw/green/green_tripdata_2022-01.csv.gz"),
            Some(vec![
                ("color".into(), "green".into()),
                ("ym".into(), "2022-01".into())
            ])
        );
        assert_eq!(
            captures(pattern, "raw/green/yellow_tripdata_2022-01.parquet"),
            None
        );
        assert_eq!(
            captures(pattern, "raw/green/deep/green_tripdata_2022-01.parquet"),
            None
        );
        assert_eq!(
            ObjectPattern::parse(pattern)
                .unwrap()
                .matches("pond", "raw/a/a_tripdata_1.x"),
            None
        );
    }

    #[test]
    fn wildcards_keep_to_their_folders() {
        assert!(captures("s3://lake/a/*.csv", "a/x.csv").is_some());
        assert!(captures("s3://lake/a/*.csv", "a/b/x.csv").is_none());
        assert!(captures("s3://lake/a/**.csv", "a/b/x.csv").is_some());
        assert!(captures("s3://lake/a/?.csv", "a/xy.csv").is_none());
        assert!(captures("s3://lake/a.b", "aXb").is_none());
    }

    #[test]
    fn values_are_put_in_and_must_be_plain() {
        let pattern = ObjectPattern::parse("s3://lake/out/ym={ym}/").unwrap();
        let filled = pattern
            .with_values(&Captures::from([("ym".into(), "2022-01".into())]))
            .unwrap();
        assert_eq!(
            filled.as_location().unwrap().to_string(),
            "s3://lake/out/ym=2022-01/"
        );
        let odd = pattern
            .with_values(&Captures::from([("ym".into(), "50%: a/*".into())]))
            .unwrap();
        assert_eq!(odd.as_location().unwrap().key, "out/ym=50%25%3A a%2F%2A/");
        let plain = ObjectPattern::parse("s3://lake/out/{ym}/").unwrap();
        for refused in ["", "a/b"] {
            assert!(
                plain
                    .with_values(&Captures::from([("ym".into(), refused.into())]))
                    .is_err()
            );
        }
        assert!(pattern.as_location().is_none());
    }

    #[test]
    fn a_star_is_no_empty_name() {
        assert!(captures("s3://lake/a/*", "a/").is_none());
        assert!(captures("s3://lake/a/**", "a/").is_none());
        assert!(captures("s3://lake/a/x*", "a/x").is_some());
        assert!(captures("s3://lake/*/x", "/x").is_none());
    }

    #[test]
    fn classes_of_characters() {
        assert!(captures("s3://lake/t_[0-9][0-9].csv", "t_07.csv").is_some());
        assert!(captures("s3://lake/t_[0-9].csv", "t_x.csv").is_none());
        assert!(captures("s3://lake/[!_.]*.csv", "a.csv").is_some());
        assert!(captures("s3://lake/[!_.]*.csv", "_a.csv").is_none());
        assert!(captures("s3://lake/a[!x]b", "a/b").is_none());
        assert!(captures("s3://lake/[[]x]", "[x]").is_some());
        assert!(captures("s3://lake/[]a-c]", "]").is_some());
        assert!(captures("s3://lake/[a-]", "-").is_some());
        assert!(ObjectPattern::parse("s3://lake/[a").is_err());
        assert!(ObjectPattern::parse("s3://lake/[z-a]").is_err());
    }

    #[test]
    fn values_of_partition_folders_are_spelled_as_hive_does() {
        assert_eq!(
            captures("s3://lake/d={d}/{name}.csv", "d=a%3Ab/x%3Ay.csv"),
            Some(vec![("d".into(), "a:b".into()), ("name".into(), "x%3Ay".into())])
        );
        let pattern = ObjectPattern::parse("s3://lake/d={d}/*.csv").unwrap();
        let of = |value: &str| Captures::from([("d".to_owned(), value.to_owned())]);
        let plain = |value: &str| {
            let plain = pattern.with_plain_values(&of(value)).unwrap()?;
            Some(plain.as_str().to_owned())
        };
        assert_eq!(plain("a:b").as_deref(), Some("s3://lake/d=a:b/*.csv"));
        assert_eq!((plain("a%3Ab"), plain("ab")), (None, None));
    }

    #[test]
    fn bad_patterns_say_why() {
        assert!(
            ObjectPattern::parse("s3://{b}/x")
                .unwrap_err()
                .message
                .contains("bucket")
        );
        assert!(
            ObjectPattern::parse("s3://b/{x")
                .unwrap_err()
                .message
                .contains("without its }")
        );
        assert!(ObjectPattern::parse("s3://b/{a b}").is_err());
    }
}
