//! What AWS's own model of a service says of requests: members, types, limits. A request is read against it before anything
//! else, so that no operation meets a member of the wrong type, and every limit is refused in AWS's words.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{Answer, Exception, Failure};

/// How much of a wrong value a message repeats, in characters.
const SHOWN: usize = 200;
/// How many wrong values a message names.
const SHOWN_VIOLATIONS: usize = 5;
/// The end of the year 9999, in seconds since 1970: what databases and clients can write.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A service's operations and the shapes of their requests.
#[derive(Deserialize)]
pub(crate) struct Model {
    /// The shape of each served operation's request.
    inputs: BTreeMap<String, String>,
    /// The operations that aren't served, with the lists that an answer would have where they ask for nothing.
    others: BTreeMap<String, Option<Vec<String>>>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(rename = "enum")]
    allowed: Option<Vec<String>>,
    pattern: Option<String>,
    regex: Option<String>,
    #[serde(default)]
    members: BTreeMap<String, String>,
    #[serde(default)]
    required: Vec<String>,
    member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Double,
    Float,
    Boolean,
    Timestamp,
    Blob,
    /// Any JSON.
    Document,
}

/// What an operation is to us.
pub(super) enum Standing<'a> {
    /// It is performed.
    Served,
    /// AWS has it and we don't; a client that only looks gets these lists, empty.
    Other(Option<&'a [String]>),
    /// AWS doesn't have it either.
    Unknown,
}

impl Model {
    /// The model that a file of the program holds.
    ///
    /// # Panics
    /// Where it holds none, as only a wrong build's does.
    pub(crate) fn of(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|cause| panic!("a service's model: {cause}"))
    }

    /// What the operation called `name` is to us.
    pub(super) fn standing(&self, name: &str) -> Standing<'_> {
        if self.inputs.contains_key(name) {
            return Standing::Served;
        }
        match self.others.get(name) {
            Some(lists) => Standing::Other(lists.as_deref()),
            None => Standing::Unknown,
        }
    }

    /// The request of a served operation as the model has it: members that it doesn't know and those that are null are left
    /// out.
    ///
    /// # Errors
    /// SerializationException for a value of another type, ValidationException for values outside their limits.
    pub(crate) fn read_request(&self, operation: &str, request: Value) -> Answer<Value> {
        let Some(shape) = self.inputs.get(operation) else {
            return Err(super::not_supported(operation));
        };
        let mut reading = Reading {
            model: self,
            violations: Vec::new(),
        };
        let read = reading.value(shape, request, &Path::Root)?;
        match reading.violations.as_slice() {
            [] => Ok(read),
            broken => Err(Failure::new(Exception::VALIDATION, told(broken))),
        }
    }

    /// The operations that are performed.
    #[cfg(test)]
    pub(crate) fn served(&self) -> impl Iterator<Item = &str> {
        self.inputs.keys().map(String::as_str)
    }

    /// The shapes whose pattern is none to us.
    #[cfg(test)]
    pub(crate) fn wrong_patterns(&self) -> Vec<&str> {
        let is_wrong = |shape: &Shape| {
            shape
                .regex
                .as_deref()
                .is_some_and(|regex| Regex::new(regex).is_err())
        };
        let shapes = self.shapes.iter().filter(|(_, shape)| is_wrong(shape));
        shapes.map(|(name, _)| name.as_str()).collect()
    }
}

/// What is wrong with a request's values, in one sentence.
fn told(violations: &[String]) -> String {
    if let [one] = violations {
        return format!("1 validation error detected: {one}");
    }
    let shown = violations[..violations.len().min(SHOWN_VIOLATIONS)].join("; ");
    let rest = if violations.len() > SHOWN_VIOLATIONS {
        "; …"
    } else {
        ""
    };
    format!("{} validation errors detected: {shown}{rest}", violations.len())
}

/// Where a value stands in its request.
enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl std::fmt::Display for Path<'_> {
    /// As AWS writes it: `tableInput.storageDescriptor.columns.1.member.name`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                if !matches!(parent, Self::Root) {
                    write!(f, "{parent}.")?;
                }
                let mut letters = name.chars();
                let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                write!(f, "{}{}", first.unwrap_or_default(), letters.as_str())
            }
            // AWS counts from 1.
            Self::Item(parent, index) => write!(f, "{parent}.{}.member", index + 1),
        }
    }
}

struct Reading<'a> {
    model: &'a Model,
    violations: Vec<String>,
}

impl Reading<'_> {
    fn value(&mut self, shape: &str, value: Value, path: &Path<'_>) -> Answer<Value> {
        let model = self.model;
        let Some(shape) = model.shapes.get(shape) else {
            return Ok(value);
        };
        match (shape.kind, value) {
            (Kind::Document, value) => Ok(value),
            (Kind::Structure, Value::Object(members)) => self.structure(shape, members, path),
            (Kind::List, Value::Array(items)) => self.list(shape, items, path),
            (Kind::Map, Value::Object(entries)) => self.map(shape, entries, path),
            (Kind::String, Value::String(text)) => {
                self.limits(shape.broken_by(&text), &text, path);
                Ok(Value::String(text))
            }
            (Kind::Integer | Kind::Long, Value::Number(number)) => {
                let Some(whole) = whole(&number, shape.kind) else {
                    return Err(mismatch(&Value::Number(number), shape.kind));
                };
                self.limits(shape.outside(whole), &whole.to_string(), path);
                Ok(whole.into())
            }
            (Kind::Double | Kind::Float, value) if is_fraction(&value) => Ok(value),
            (Kind::Boolean, Value::Bool(value)) => Ok(Value::Bool(value)),
            (Kind::Timestamp, Value::Number(number))
                if number
                    .as_f64()
                    .is_some_and(|seconds| seconds.abs() <= LAST_SECOND) =>
            {
                Ok(Value::Number(number))
            }
            (Kind::Blob, Value::String(text)) if is_base64(&text) => Ok(Value::String(text)),
            (kind, other) => Err(mismatch(&other, kind)),
        }
    }

    fn structure(&mut self, shape: &Shape, members: Map<String, Value>, path: &Path<'_>) -> Answer<Value> {
        let mut read = Map::new();
        for (name, value) in members {
            if let (Some(shape), false) = (shape.members.get(&name), value.is_null()) {
                let value = self.value(shape, value, &Path::Member(path, &name))?;
                read.insert(name, value);
            }
        }
        for name in &shape.required {
            if !read.contains_key(name) {
                self.violations.push(format!(
                    "Value null at '{}' failed to satisfy constraint: Member must not be null",
                    Path::Member(path, name)
                ));
            }
        }
        Ok(Value::Object(read))
    }

    fn list(&mut self, shape: &Shape, items: Vec<Value>, path: &Path<'_>) -> Answer<Value> {
        self.limits(shape.length_outside(items.len()), "[…]", path);
        let item_shape = shape.member.as_deref().unwrap_or_default();
        let items = items.into_iter().enumerate();
        let read: Answer<Vec<Value>> = items
            .filter(|(_, item)| !item.is_null())
            .map(|(index, item)| self.value(item_shape, item, &Path::Item(path, index)))
            .collect();
        Ok(Value::Array(read?))
    }

    fn map(&mut self, shape: &Shape, entries: Map<String, Value>, path: &Path<'_>) -> Answer<Value> {
        self.limits(shape.length_outside(entries.len()), "{…}", path);
        let key_shape = shape.key.as_ref().and_then(|key| self.model.shapes.get(key));
        let value_shape = shape.value.as_deref().unwrap_or_default();
        let mut read = Map::new();
        for (key, value) in entries {
            if value.is_null() {
                continue;
            }
            if let Some(constraint) = key_shape.and_then(|shape| shape.broken_by(&key)) {
                let constraint = format!("Map keys must satisfy constraint: [{constraint}]");
                self.limits(Some(constraint), &key, path);
            }
            let before = self.violations.len();
            let value = self.value(value_shape, value, &Path::Member(path, &key))?;
            // AWS names the map, not the entry.
            for violation in &mut self.violations[before..] {
                if let Some((_, constraint)) = violation.split_once("failed to satisfy constraint: ") {
                    *violation = format!(
                        "Value '{{…}}' at '{path}' failed to satisfy constraint: Map value must satisfy constraint: [{constraint}]"
                    );
                }
            }
            read.insert(key, value);
        }
        Ok(Value::Object(read))
    }

    fn limits(&mut self, constraint: Option<String>, value: &str, path: &Path<'_>) {
        if let Some(constraint) = constraint {
            self.violations.push(violation(value, path, &constraint));
        }
    }
}

fn violation(value: &str, path: &Path<'_>, constraint: &str) -> String {
    let shown: String = value.chars().take(SHOWN).collect();
    let more = if shown.len() < value.len() { "…" } else { "" };
    format!("Value '{shown}{more}' at '{path}' failed to satisfy constraint: {constraint}")
}

impl Shape {
    /// The constraint that a text breaks.
    fn broken_by(&self, text: &str) -> Option<String> {
        // AWS's own limit on every text: PostgreSQL has no place for it either.
        if text.contains('\0') {
            return Some("Member must satisfy regular expression pattern: [^\\u0000]*".to_owned());
        }
        if let Some(allowed) = &self.allowed
            && !allowed.iter().any(|value| value == text)
        {
            return Some(format!(
                "Member must satisfy enum value set: [{}]",
                allowed.join(", ")
            ));
        }
        if let Some(constraint) = self.length_outside(text.chars().count()) {
            return Some(constraint);
        }
        let regex = self
            .compiled
            .get_or_init(|| self.regex.as_deref().and_then(|regex| Regex::new(regex).ok()));
        let pattern = self.pattern.as_deref().unwrap_or_default();
        match regex {
            Some(regex) if !regex.is_match(text) => Some(format!(
                "Member must satisfy regular expression pattern: {pattern}"
            )),
            _ => None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "no text, list or map has more than 2^53 parts"
    )]
    fn length_outside(&self, length: usize) -> Option<String> {
        self.outside_of(length as f64, "length")
    }

    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
    fn outside(&self, value: i64) -> Option<String> {
        self.outside_of(value as f64, "value")
    }

    fn outside_of(&self, value: f64, what: &str) -> Option<String> {
        if let Some(min) = self.min.filter(|min| value < *min) {
            return Some(format!("Member must have {what} greater than or equal to {min}"));
        }
        let max = self.max.filter(|max| value > *max)?;
        Some(format!("Member must have {what} less than or equal to {max}"))
    }
}

/// A number without a fraction that fits its type.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value has no fraction and is below 2^53"
)]
fn whole(number: &serde_json::Number, kind: Kind) -> Option<i64> {
    let whole = number.as_i64().or_else(|| {
        let value = number.as_f64()?;
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    })?;
    match kind {
        Kind::Integer => i32::try_from(whole).is_ok().then_some(whole),
        _ => Some(whole),
    }
}

/// JSON has no word for these three, so the protocol writes them as text.
fn is_fraction(value: &Value) -> bool {
    value.is_number() || matches!(value.as_str(), Some("NaN" | "Infinity" | "-Infinity"))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && text.len() - body.len() <= 2 && body.bytes().all(letters)
}

fn mismatch(value: &Value, kind: Kind) -> Failure {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    let wanted = match kind {
        Kind::Structure => "a structure",
        Kind::List => "a list",
        Kind::Map => "a map",
        Kind::String => "a String",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Double => "a Double",
        Kind::Float => "a Float",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "a timestamp in seconds",
        Kind::Blob => "a Blob",
        Kind::Document => "a document",
    };
    Failure::new(
        Exception::SERIALIZATION,
        format!("{found} can not be converted to {wanted}"),
    )
}
