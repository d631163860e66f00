//! Classifiers that people define.

use ::classifiers::ClassifierDefinition;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, Members, nothing, page, required, seconds, token};
use crate::crawl::classifiers;
use crate::error::{Error, ErrorKind};
use crate::model::classifier::Classifier;
use crate::model::precondition::Precondition;

use super::error::{ALREADY_EXISTS, ENTITY_NOT_FOUND, invalid};

/// The most classifiers of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
const NAME: &str = "Name";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
    max_results: Option<u32>,
}

pub(super) async fn create(app: &App, request: Members) -> Answer {
    let (kind, members) = the_one(request)?;
    let definition = definition(&kind, members)?;
    let message = format!("Classifier {} already exists.", definition.name());
    classifiers::create(app, definition)
        .await
        .map_err(|error| Failure::worded(error, ErrorKind::AlreadyExists, ALREADY_EXISTS, message))?;
    Ok(nothing())
}

pub(super) async fn update(app: &App, request: Members) -> Answer {
    let (kind, members) = the_one(request)?;
    let name = members.get(NAME).and_then(Value::as_str).map(str::to_owned);
    let name = required(name, "name")?;
    let change = |present: ClassifierDefinition| {
        let (its, mut kept) = taken_apart(&present)?;
        if its != kind {
            return Err(
                Error::invalid(format!("classifier {name} is a {its}, not a {kind}"))
                    .hint("make another one of that kind"),
            );
        }
        // What isn't said stays.
        kept.extend(members);
        definition(&kind, kept).map_err(|failure| Error::invalid(failure.message()))
    };
    classifiers::update(app, &name, &Precondition::None, change)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    let classifier = classifiers::get(app, &request.name)
        .await
        .map_err(|error| in_glues_words(error, &request.name))?;
    Ok(json!({ "Classifier": rendered(&classifier)? }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = classifiers::list(app, &page).await?;
    let list: Answer<Vec<Value>> = found.items.iter().map(rendered).collect();
    Ok(json!({ "Classifiers": list?, "NextToken": token(found.next) }))
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    classifiers::delete(app, &request.name)
        .await
        .map_err(|error| in_glues_words(error, &request.name))?;
    Ok(nothing())
}

/// The one kind of classifier that a request tells of, and what it says of it.
fn the_one(request: Members) -> Answer<(String, Members)> {
    let mut kinds = request.into_iter();
    match (kinds.next(), kinds.next()) {
        (Some((kind, Value::Object(members))), None) => Ok((kind, members)),
        _ => Err(invalid(
            "Give exactly one of GrokClassifier, XMLClassifier, JsonClassifier and CsvClassifier.",
        )),
    }
}

fn definition(kind: &str, members: Members) -> Answer<ClassifierDefinition> {
    serde_json::from_value(json!({ kind: members }))
        .map_err(|cause| invalid(format!("The {kind} can't be read: {cause}.")))
}

/// A definition as the API has it: its kind, and its members.
fn taken_apart(definition: &ClassifierDefinition) -> Result<(String, Members), Error> {
    match serde_json::to_value(definition) {
        Ok(Value::Object(kinds)) => kinds
            .into_iter()
            .find_map(|(kind, members)| match members {
                Value::Object(members) => Some((kind, members)),
                _ => None,
            })
            .ok_or_else(|| Error::internal("a classifier is of no kind")),
        Ok(_) => Err(Error::internal("a classifier is no object")),
        Err(cause) => Err(Error::internal("a classifier can't be shown").source(cause)),
    }
}

fn rendered(classifier: &Classifier) -> Answer {
    let (kind, mut members) = taken_apart(&classifier.definition)?;
    members.insert("CreationTime".to_owned(), json!(seconds(classifier.created_at)));
    members.insert("LastUpdated".to_owned(), json!(seconds(classifier.updated_at)));
    members.insert("Version".to_owned(), json!(classifier.version));
    Ok(json!({ kind: members }))
}

fn in_glues_words(error: Error, name: &str) -> Failure {
    let message = format!("Classifier {name} not found.");
    Failure::worded(error, ErrorKind::NotFound, ENTITY_NOT_FOUND, message)
}
