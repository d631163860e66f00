//! `mastic classifiers`, and the files that hold classifiers

use std::path::{Path, PathBuf};

use ::classifiers::ClassifierDefinition;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::client::{Client, segment};
use super::{Global, Outcome, output};
use crate::error::{Error, Result};

/// Classifiers that people define: crawlers that name them ask them before the built-in ones.
#[derive(Debug, Subcommand)]
pub(super) enum Classifiers {
    /// List classifiers
    List,
    /// Show a classifier
    Show {
        /// Its name
        name: String,
    },
    /// Make the classifiers of a file, as `aws glue get-classifier` prints them
    Create {
        /// A JSON file: {"CsvClassifier": {"Name": "semicolons", "Delimiter": ";"}}
        file: PathBuf,
    },
    /// Write the classifiers of a file anew; the next crawls that ask them judge their files again
    Update {
        /// A JSON file, as for create
        file: PathBuf,
    },
    /// Remove a classifier
    Delete {
        /// Its name
        name: String,
    },
}

impl Classifiers {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        let client = Client::new(global);
        let path = |name: &str| format!("/classifiers/{}", segment(name));
        match self {
            Self::List => {
                let columns = [
                    ("name", "name"),
                    ("kind", "kind"),
                    ("classification", "classification"),
                    ("version", "version"),
                    ("updated", "updated_at"),
                ];
                output::list(global.output, &client.all("/classifiers")?, &columns);
            }
            Self::Show { name } => output::item(global.output, &client.get(&path(&name))?),
            Self::Create { file } => {
                for definition in read(&file)? {
                    let mut body = body(&definition)?;
                    body.insert("name".to_owned(), json!(definition.name()));
                    output::item(global.output, &client.post("/classifiers", &Value::Object(body))?);
                }
            }
            Self::Update { file } => {
                for definition in read(&file)? {
                    let body = Value::Object(body(&definition)?);
                    output::item(global.output, &client.put(&path(definition.name()), &body)?);
                }
            }
            Self::Delete { name } => {
                client.delete(&path(&name))?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// Reads the classifiers of a file in Glue's form: one, a list of them, or what the Glue API answers with.
///
/// # Errors
/// Invalid where the file can't be read or holds something else.
pub(super) fn read(file: &Path) -> Result<Vec<ClassifierDefinition>> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|cause| Error::invalid(format!("{shown} can't be read: {cause}")))?;
    let wrong = |cause: serde_json::Error| {
        Error::invalid(format!("{shown} holds no classifier: {cause}")).hint(
            "write {\"CsvClassifier\": {\"Name\": \"semicolons\", \"Delimiter\": \";\"}}, or a list of such",
        )
    };
    let mut value: Value = serde_json::from_str(&text).map_err(wrong)?;
    for wrapping in ["Classifier", "Classifiers"] {
        if let Some(inside) = value.get_mut(wrapping) {
            value = inside.take();
        }
    }
    let list = match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    list.into_iter()
        .map(|one| {
            let definition = serde_json::from_value(one.clone()).map_err(wrong)?;
            match unknown_member(&definition, &one) {
                Some(member) => Err(Error::invalid(format!("{shown}: a classifier has no {member}"))
                    .hint("the names are those of Glue's CreateClassifier")),
                None => Ok(definition),
            }
        })
        .collect()
}

/// A member that was given and is no part of the definition; what only a catalog knows is passed over.
fn unknown_member(definition: &ClassifierDefinition, given: &Value) -> Option<String> {
    const OF_THE_CATALOG: [&str; 3] = ["CreationTime", "LastUpdated", "Version"];
    let known = serde_json::to_value(definition).ok()?;
    let (kind, members) = known.as_object()?.iter().next()?;
    given[kind]
        .as_object()?
        .iter()
        .find(|(name, value)| {
            !value.is_null()
                && members.get(name.as_str()).is_none()
                && !OF_THE_CATALOG.contains(&name.as_str())
        })
        .map(|(name, _)| name.clone())
}

/// A definition as the REST API has it, without its name.
fn body(definition: &ClassifierDefinition) -> Result<Map<String, Value>> {
    let kind = match definition {
        ClassifierDefinition::Grok(_) => "grok",
        ClassifierDefinition::Xml(_) => "xml",
        ClassifierDefinition::Json(_) => "json",
        ClassifierDefinition::Csv(_) => "csv",
    };
    let value = serde_json::to_value(definition)
        .map_err(|cause| Error::internal("a classifier can't be written").source(cause))?;
    let mut body = Map::from_iter([("kind".to_owned(), json!(kind))]);
    for members in value.as_object().into_iter().flat_map(Map::values) {
        for (name, member) in members.as_object().into_iter().flatten() {
            if name != "Name" {
                body.insert(snake_case(name), member.clone());
            }
        }
    }
    Ok(body)
}

/// `GrokPattern` as `grok_pattern`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<ClassifierDefinition>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.json");
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn files_hold_what_glue_prints_and_nothing_else() {
        let one = r#"{"CsvClassifier": {"Name": "a", "Delimiter": ";", "Version": 3, "QuoteSymbol": null}}"#;
        let names = |text: &str| {
            let read = read_text(text).unwrap();
            read.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(one), ["a"]);
        assert_eq!(names(&format!(r#"{{"Classifier": {one}}}"#)), ["a"]);
        assert_eq!(
            names(&format!(r#"{{"Classifiers": [{one}, {one}]}}"#)),
            ["a", "a"]
        );
        let refusal = |text: &str| read_text(text).unwrap_err().message;
        let typo = r#"{"CsvClassifier": {"Name": "a", "Delimeter": ";"}}"#;
        assert!(refusal(typo).ends_with("a classifier has no Delimeter"));
        assert!(refusal("{}").contains("holds no classifier"));
        assert!(refusal("{").contains("holds no classifier"));
    }

    #[test]
    fn members_are_spelled_as_the_rest_api_does() {
        assert_eq!(
            snake_case("CustomDatatypeConfigured"),
            "custom_datatype_configured"
        );
    }
}
