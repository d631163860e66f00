//! Rows that are somewhere inside of JSON documents: the part of JsonPath that Glue's classifiers know, `$`, `.name`,
//! `['name']`, `[n]`, `[*]` and `.*`.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::scanner::Rows;
use super::split::Document;
use super::{JsonVerdict, classify};
use crate::limits::{JSON_DEPTH, NAME_BYTES};
use crate::{ClassifyError, JsonDocuments};

/// A step from a value to values inside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonStep {
    /// The field of this name of an object.
    Name(String),
    /// The element at this place of an array, from 0.
    Index(usize),
    /// Every field of an object, every element of an array.
    All,
}

use JsonStep as Step;

/// Where in a document the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a sentence.
    pub fn new(path: &str) -> Result<Self, String> {
        let Some(mut rest) = path.trim().strip_prefix('$') else {
            return Err(format!("the path {path:?} does not start with `$`"));
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).map_err(|what| format!("the path {path:?} {what}"))?;
            rest = after;
            steps.push(step);
            if steps.len() > JSON_DEPTH {
                return Err(format!("the path has more than {JSON_DEPTH} steps"));
            }
        }
        Ok(JsonPath { steps })
    }

    /// Its steps, from the document to its rows.
    pub fn steps(&self) -> &[JsonStep] {
        &self.steps
    }

    /// What the one column of a row that is not an object is called.
    pub fn column_name(&self) -> &str {
        let names = self.steps.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            _ => None,
        });
        names.unwrap_or("value")
    }

    /// Whether the rows are where they are looked for anyway.
    fn is_usual(&self, text: &str) -> bool {
        match self.steps.as_slice() {
            [] => text.starts_with('{'),
            [Step::All] => text.starts_with('['),
            _ => false,
        }
    }
}

fn step(rest: &str) -> Result<(Step, &str), String> {
    if rest.starts_with("..") {
        return Err("looks at every depth (`..`), which is not supported; name each step".to_owned());
    }
    if let Some(name) = rest.strip_prefix('.') {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        return match name {
            "" => Err("has a dot without a name behind it".to_owned()),
            "*" => Ok((Step::All, after)),
            name => Ok((Step::Name(checked(name)?), after)),
        };
    }
    let Some(inside) = rest.strip_prefix('[') else {
        return Err(format!("has {rest:?} where a dot or a bracket is due"));
    };
    for quote in ['\'', '"'] {
        if let Some(name) = inside.strip_prefix(quote) {
            let end = name.split_once(&format!("{quote}]"));
            let (name, after) = end.ok_or_else(|| "has a quoted name without an end".to_owned())?;
            return Ok((Step::Name(checked(name)?), after));
        }
    }
    let (content, after) = inside
        .split_once(']')
        .ok_or_else(|| "has a bracket without an end".to_owned())?;
    match content.trim() {
        "*" => Ok((Step::All, after)),
        number => match number.parse() {
            Ok(index) => Ok((Step::Index(index), after)),
            Err(_) => Err(format!(
                "has [{content}], which is not supported: use [*], a number from 0 or a quoted name"
            )),
        },
    }
}

fn checked(name: &str) -> Result<String, String> {
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(format!(
            "has a name that is empty or longer than {NAME_BYTES} bytes"
        ));
    }
    Ok(name.to_owned())
}

/// Judges a text by the values at a path. An object there is a row; any other value is a row of one column. The inner
/// error holds why there are none.
///
/// # Errors
///
/// The outer error is that of [`classify`].
pub(crate) fn classify_at(
    text: &str,
    path: &JsonPath,
    whole: bool,
) -> Result<Result<JsonVerdict, String>, ClassifyError> {
    let start = text.trim_start();
    if !start.starts_with(['{', '[']) {
        return Ok(Err("it starts with neither an object nor an array".to_owned()));
    }
    if path.is_usual(start) {
        return classify(text, whole);
    }
    let mut rows = Rows::default();
    let mut error: Option<ClassifyError> = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut take = |value: Value| {
        let object = match value {
            Value::Null => return true,
            Value::Object(object) => object,
            other => Map::from_iter([(path.column_name().to_owned(), other)]),
        };
        let bytes = Value::Object(object).to_string();
        let read = rows.read(&Document {
            bytes: bytes.as_bytes(),
            line: 1,
        });
        error = read.err();
        error.is_none()
    };
    // One document after another, until the text ends.
    let stopped = loop {
        if deserializer.end().is_ok() {
            break None;
        }
        let walk = Walk {
            steps: &path.steps,
            take: &mut take,
        };
        if let Err(error) = walk.deserialize(&mut deserializer) {
            break Some(error);
        }
    };
    if let Some(error) = error {
        return Ok(Err(error.message));
    }
    match stopped {
        Some(error) if whole || !error.is_eof() => {
            return Ok(Err(format!("it is not valid JSON ({error})")));
        }
        _ if rows.count == 0 => return Ok(Err("nothing is at the path in it".to_owned())),
        _ => {}
    }
    let documents = if start.starts_with('[') {
        JsonDocuments::Array
    } else {
        JsonDocuments::Concatenated
    };
    let mut reasons = vec![format!(
        "layout: {} values at the path {}",
        rows.count,
        if rows.count == 1 {
            "is the row"
        } else {
            "are the rows"
        }
    )];
    reasons.extend(rows.reasons());
    Ok(Ok(JsonVerdict {
        documents,
        certainty: 1.0,
        columns: rows.columns(),
        rows: rows.count,
        row_bytes: rows.bytes,
        reasons,
    }))
}

/// Goes along a path, and hands over what is at its end. Reading ends when that is not taken.
struct Walk<'w> {
    steps: &'w [Step],
    take: &'w mut dyn FnMut(Value) -> bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.steps.is_empty() {
            let value = serde::Deserialize::deserialize(deserializer)?;
            return if (self.take)(value) {
                Ok(())
            } else {
                Err(serde::de::Error::custom("the row was refused"))
            };
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else {
            return Ok(());
        };
        while let Some(name) = map.next_key::<String>()? {
            let wanted = match step {
                Step::Name(wanted) => *wanted == name,
                Step::All => true,
                Step::Index(_) => false,
            };
            if wanted {
                map.next_value_seed(Walk {
                    steps,
                    take: &mut *self.take,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else {
            return Ok(());
        };
        let mut at = 0;
        loop {
            let wanted = match step {
                Step::Index(wanted) => *wanted == at,
                Step::All => true,
                Step::Name(_) => false,
            };
            let more = if wanted {
                let take = &mut *self.take;
                array.next_element_seed(Walk { steps, take })?.is_some()
            } else {
                array.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
