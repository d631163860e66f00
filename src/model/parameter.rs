//! What a parameter of a job may be.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, Result};

/// What a parameter may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterDefinition {
    /// What kind of value it is.
    #[serde(rename = "type", default, skip_serializing_if = "ParameterType::is_string")]
    pub kind: ParameterType,
    /// The values that it may have; any where there is none.
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// A regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The value where none is given.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// What kind of value a parameter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// Any text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `2024-05-31`.
    Date,
    /// `2024-05-31T12:00:00`, with a zone or without.
    Timestamp,
}

impl ParameterType {
    /// The name in `job.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }

    fn is_string(&self) -> bool {
        *self == Self::String
    }

    /// What a value of it looks like.
    fn example(self) -> &'static str {
        match self {
            Self::String => "any text",
            Self::Integer => "a whole number, as 42",
            Self::Number => "a number, as 4.2",
            Self::Boolean => "true or false",
            Self::Date => "a day, as 2024-05-31",
            Self::Timestamp => "a moment, as 2024-05-31T12:00:00 or 2024-05-31T12:00:00Z",
        }
    }

    fn takes(self, value: &str) -> bool {
        match self {
            Self::String => true,
            Self::Integer => value.parse::<i64>().is_ok(),
            Self::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Date => value.len() == 10 && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok(),
            Self::Timestamp => {
                DateTime::parse_from_rfc3339(value).is_ok()
                    || NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
            }
        }
    }
}

impl ParameterDefinition {
    /// Checks what is said of the parameter called `name`.
    ///
    /// # Errors
    /// Invalid where the pattern is none, or a choice or the default doesn't fit the rest.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        if let Some(pattern) = &self.pattern {
            whole_match(pattern)?;
        }
        for choice in &self.choices {
            self.fits_but_for_choices(name, choice)
                .map_err(|error| error.within(format_args!("parameters.{name}.choices")))?;
        }
        match &self.default {
            Some(default) => self
                .fits(name, default)
                .map_err(|error| error.within(format_args!("parameters.{name}.default"))),
            None => Ok(()),
        }
    }

    /// Checks a value of the parameter called `name`.
    ///
    /// # Errors
    /// Invalid, saying what it may be.
    pub(super) fn fits(&self, name: &str, value: &str) -> Result<()> {
        self.fits_but_for_choices(name, value)?;
        if self.choices.is_empty() || self.choices.iter().any(|choice| choice == value) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the parameter {name} is '{value}', which is none of its choices"
        ))
        .hint(format!("it may be: {}", self.choices.join(", "))))
    }

    fn fits_but_for_choices(&self, name: &str, value: &str) -> Result<()> {
        if !self.kind.takes(value) {
            let kind = self.kind.as_str();
            return Err(Error::invalid(format!(
                "the parameter {name} is '{value}', and its type is {kind}"
            ))
            .hint(format!("write {}", self.kind.example())));
        }
        if let Some(pattern) = &self.pattern
            && !whole_match(pattern)?.is_match(value)
        {
            return Err(Error::invalid(format!(
                "the parameter {name} is '{value}', which does not match {pattern}"
            ))
            .hint("the pattern is a regular expression that the whole value must match"));
        }
        Ok(())
    }
}

fn whole_match(pattern: &str) -> Result<Regex> {
    Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|cause| Error::invalid(format!("'{pattern}' is not a regular expression: {cause}")))
}

/// A value as people write it in `job.toml`, with quotes or without.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

impl From<Written> for String {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => text,
            Written::Integer(number) => number.to_string(),
            Written::Number(number) => number.to_string(),
            Written::Boolean(value) => value.to_string(),
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Written::deserialize(deserializer).map(|written| Some(written.into()))
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let written = Vec::<Written>::deserialize(deserializer)?;
    Ok(written.into_iter().map(String::from).collect())
}
