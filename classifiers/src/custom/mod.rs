//! Classifiers that people define, and the order in which all of them are asked.

mod csv;
mod definition;

use std::fmt;

pub use definition::{
    ClassifierDefinition, ContainsHeader, CsvClassifier, CsvSerde, GrokClassifier, JsonClassifier,
    XmlClassifier,
};
use serde::{Deserialize, Serialize};

use crate::grok::{self, Grok};
use crate::json::{self, JsonPath};
use crate::{ClassifyError, GrokLayout, Verdict, xml};

/// A custom classifier that can be used: its definition was checked, and its pattern or path compiled.
///
/// Serialises as its [definition](ClassifierDefinition).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "ClassifierDefinition", into = "ClassifierDefinition")]
pub struct CustomClassifier {
    definition: ClassifierDefinition,
    ready: Ready,
}

/// What is worked out of a definition once.
#[derive(Debug, Clone)]
enum Ready {
    Grok(Box<Grok>),
    Json(JsonPath),
    Other,
}

/// Why a custom classifier can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    /// The member at fault, by Glue's name: `GrokPattern`, `Delimiter`, ….
    pub member: &'static str,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.member, self.message)
    }
}

impl std::error::Error for DefinitionError {}

fn wrong(member: &'static str, message: impl Into<String>) -> DefinitionError {
    DefinitionError {
        member,
        message: message.into(),
    }
}

/// Checks a text's length in characters.
fn check_length(
    member: &'static str,
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
) -> Result<(), DefinitionError> {
    let length = text.chars().count();
    if lengths.contains(&length) {
        return Ok(());
    }
    let (least, most) = (lengths.start(), lengths.end());
    Err(wrong(
        member,
        format!("it has {length} characters; {least} to {most} are allowed"),
    ))
}

impl CustomClassifier {
    /// Checks a definition.
    ///
    /// # Errors
    ///
    /// The first member that Glue's rules or the pattern's own don't allow.
    pub fn new(definition: ClassifierDefinition) -> Result<Self, DefinitionError> {
        check_length("Name", definition.name(), 1..=255)?;
        let ready = match &definition {
            ClassifierDefinition::Grok(grok) => {
                check_length("Classification", &grok.classification, 1..=255)?;
                check_length("GrokPattern", &grok.grok_pattern, 1..=2048)?;
                let custom = grok.custom_patterns.as_deref().unwrap_or("");
                check_length("CustomPatterns", custom, 0..=16_000)?;
                let grok =
                    Grok::new(&grok.grok_pattern, custom).map_err(|what| wrong("GrokPattern", what))?;
                Ready::Grok(Box::new(grok))
            }
            ClassifierDefinition::Xml(xml) => {
                check_length("Classification", &xml.classification, 1..=255)?;
                if let Some(tag) = &xml.row_tag {
                    check_row_tag(tag)?;
                }
                Ready::Other
            }
            ClassifierDefinition::Json(json) => {
                let path = JsonPath::new(&json.json_path).map_err(|what| wrong("JsonPath", what))?;
                Ready::Json(path)
            }
            ClassifierDefinition::Csv(definition) => {
                csv::check(definition)?;
                Ready::Other
            }
        };
        Ok(CustomClassifier { definition, ready })
    }

    /// What it was made of.
    pub fn definition(&self) -> &ClassifierDefinition {
        &self.definition
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// Judges a text, and completes a verdict that knows its compression and encoding. `Err` holds why it does not
    /// match.
    pub(crate) fn judge(&self, text: &str, whole: bool, mut verdict: Verdict) -> Result<Verdict, String> {
        let name = self.name();
        let refused = |error: ClassifyError| error.message;
        match (&self.definition, &self.ready) {
            (ClassifierDefinition::Grok(definition), Ready::Grok(grok)) => {
                let lines = grok::judge(grok, text, whole, |_| false);
                if !lines.matches() {
                    return Err(lines.reason());
                }
                let layout = GrokLayout {
                    pattern: definition.grok_pattern.clone(),
                    custom_patterns: definition.custom_patterns.clone(),
                };
                verdict.accept_lines(lines, layout, &definition.classification, name, whole);
            }
            (ClassifierDefinition::Xml(definition), _) => {
                let xml =
                    xml::classify(text, definition.row_tag.as_deref(), false, whole).map_err(refused)??;
                verdict.accept_xml(xml, &definition.classification, name, whole);
            }
            (ClassifierDefinition::Json(definition), Ready::Json(path)) => {
                let json = json::classify_at(text, path, whole).map_err(refused)??;
                verdict.accept_json(json, Some(&definition.json_path), name, whole);
            }
            (ClassifierDefinition::Csv(definition), _) => {
                csv::judge(definition, text, whole, &mut verdict)?;
            }
            _ => return Err("its definition was not compiled".to_owned()),
        }
        verdict
            .reasons
            .push(format!("the custom classifier {name:?} says so"));
        Ok(verdict)
    }
}

impl TryFrom<ClassifierDefinition> for CustomClassifier {
    type Error = DefinitionError;

    fn try_from(definition: ClassifierDefinition) -> Result<Self, DefinitionError> {
        CustomClassifier::new(definition)
    }
}

impl From<CustomClassifier> for ClassifierDefinition {
    fn from(classifier: CustomClassifier) -> Self {
        classifier.definition
    }
}

fn check_row_tag(tag: &str) -> Result<(), DefinitionError> {
    check_length("RowTag", tag, 1..=255)?;
    if tag.contains(|c: char| c.is_whitespace() || "<>/&'\"=".contains(c)) {
        let message = format!("{tag:?} is no element's name; write it without brackets, such as `row`");
        return Err(wrong("RowTag", message));
    }
    Ok(())
}
