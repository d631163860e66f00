//! Object patterns: `s3://lake/raw/{color}/{color}_tripdata_{ym}.*`.
//!
//! `*` matches anything but `/`, `**` matches anything, `{name}` matches anything but `/` and captures it; a name that
//! stands twice must match the same text twice. `?` matches one character but `/`. Everything else stands for itself.

use std::collections::BTreeMap;

use regex::Regex;

use crate::error::{Error, Result};
use crate::model::location::Location;

/// What the captures of a pattern matched, by name.
pub type Captures = BTreeMap<String, String>;

/// A pattern over the keys of one bucket.
#[derive(Clone, Debug)]
pub struct ObjectPattern {
    text: String,
    bucket: String,
    tokens: Vec<Token>,
    regex: Regex,
    /// The capture that each group of `regex` stands for, in order; a name may come twice.
    groups: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(String),
    Capture(String),
    AnyInFolder,
    Any,
    One,
}

impl ObjectPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Invalid where it is no `s3://` location, a brace is not closed, or a capture's name is not an identifier.
    pub fn parse(text: &str) -> Result<Self> {
        let location = Location::parse(text)?;
        if location.bucket.contains(['{', '*', '?']) {
            return Err(
                Error::invalid(format!("'{text}' has a pattern in the bucket's name"))
                    .hint("name the bucket; patterns are for keys"),
            );
        }
        let tokens = tokenize(text, &location.key)?;
        let mut source = String::from("(?s)^");
        let mut groups = Vec::new();
        for token in &tokens {
            match token {
                Token::Literal(literal) => source.push_str(&regex::escape(literal)),
                Token::Capture(name) => {
                    groups.push(name.clone());
                    source.push_str("([^/]+?)");
                }
                Token::AnyInFolder => source.push_str("[^/]*"),
                Token::Any => source.push_str(".*"),
                Token::One => source.push_str("[^/]"),
            }
        }
        source.push('$');
        let regex = Regex::new(&source)
            .map_err(|cause| Error::invalid(format!("the pattern '{text}' is too long")).source(cause))?;
        Ok(Self {
            text: text.to_owned(),
            bucket: location.bucket,
            tokens,
            regex,
            groups,
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bucket that it is about.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The names of its captures, each once.
    pub fn capture_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.groups.iter().map(String::as_str).collect();
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
        if bucket != self.bucket {
            return None;
        }
        let found = self.regex.captures(key)?;
        let mut captures = Captures::new();
        for (group, name) in self.groups.iter().enumerate() {
            let value = found.get(group + 1)?.as_str().to_owned();
            match captures.get(name) {
                Some(earlier) if *earlier != value => return None,
                _ => captures.insert(name.clone(), value),
            };
        }
        Some(captures)
    }

    /// The pattern with the captures that `values` names put in as plain text.
    ///
    /// # Errors
    /// Invalid where the result is no pattern any more: a value contains `{`, `*` or `?`.
    pub fn with_values(&self, values: &Captures) -> Result<Self> {
        if let Some((name, value)) = values
            .iter()
            .find(|(_, value)| value.contains(['{', '}', '*', '?']))
        {
            return Err(Error::invalid(format!(
                "the parameter {name} is '{value}', and {{, }}, * and ? are not allowed in it"
            )));
        }
        let mut text = self.text.clone();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        Self::parse(&text)
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

fn tokenize(text: &str, key: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut literal = String::new();
    let mut rest = key;
    while let Some(next) = rest.chars().next() {
        let (token, used) = match next {
            '*' if rest.starts_with("**") => (Token::Any, 2),
            '*' => (Token::AnyInFolder, 1),
            '?' => (Token::One, 1),
            '{' => {
                let end = rest
                    .find('}')
                    .ok_or_else(|| Error::invalid(format!("'{text}' has a {{ without its }}")))?;
                let name = &rest[1..end];
                if !is_identifier(name) {
                    return Err(
                        Error::invalid(format!("'{{{name}}}' in '{text}' is not a capture")).hint(
                            "a capture's name has letters, digits and _ only, and starts with a letter",
                        ),
                    );
                }
                (Token::Capture(name.to_owned()), end + 1)
            }
            other => {
                literal.push(other);
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        if !literal.is_empty() {
            tokens.push(Token::Literal(std::mem::take(&mut literal)));
        }
        tokens.push(token);
        rest = &rest[used..];
    }
    if !literal.is_empty() {
        tokens.push(Token::Literal(literal));
    }
    Ok(tokens)
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
        assert!(
            pattern
                .with_values(&Captures::from([("ym".into(), "*".into())]))
                .is_err()
        );
        assert!(pattern.as_location().is_none());
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
