//! Classifiers that people define, and which of them judge for a crawl.

use ::classifiers::{ClassifierDefinition, CustomClassifier, Layout};
use sha2::{Digest, Sha256};

use super::classify::JUDGE;
use crate::app::App;
use crate::crawl::shape::looks::Look;
use crate::error::{Error, ErrorKind, Result};
use crate::model::classifier::Classifier;
use crate::model::name::plain_name;
use crate::model::page::{Page, PageRequest};
use crate::model::precondition::Precondition;
use crate::store;

/// Adds a classifier.
///
/// # Errors
/// Invalid where its definition can't be used; AlreadyExists.
pub async fn create(app: &App, definition: ClassifierDefinition) -> Result<Classifier> {
    let definition = checked(definition)?;
    let mut tx = app.store.note().await?;
    store::classifiers::insert(&mut tx, &definition, app.clock.now())
        .await
        .map_err(|error| match error.kind {
            ErrorKind::AlreadyExists => {
                Error::already_exists(format!("classifier {} exists already", definition.name()))
            }
            _ => error,
        })?;
    let made = require(&mut tx, definition.name()).await?;
    tx.commit().await?;
    Ok(made)
}

/// Writes a classifier anew: `change` makes its next definition of its present one. Files that it judged are judged
/// again by the next crawl that asks it.
///
/// # Errors
/// NotFound; Outdated where the precondition doesn't hold; Invalid where the new definition can't be used; whatever
/// `change` fails with.
pub async fn update(
    app: &App,
    name: &str,
    precondition: &Precondition,
    change: impl FnOnce(ClassifierDefinition) -> Result<ClassifierDefinition>,
) -> Result<Classifier> {
    let mut tx = app.store.note().await?;
    store::classifiers::hold(&mut tx, name).await?;
    let present = require(&mut tx, name).await?;
    precondition.check(&format!("classifier {name}"), Some(present.version))?;
    let definition = checked(change(present.definition)?)?;
    if definition.name() != name {
        return Err(Error::invalid(format!(
            "classifier {name} can't become {}: names stay",
            definition.name()
        ))
        .hint("make another one and remove this"));
    }
    store::classifiers::update(&mut tx, &definition, app.clock.now()).await?;
    let updated = require(&mut tx, name).await?;
    tx.commit().await?;
    Ok(updated)
}

/// The classifier called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &str) -> Result<Classifier> {
    let mut tx = app.store.read().await?;
    require(&mut tx, name).await
}

/// Classifiers by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Classifier>> {
    let mut tx = app.store.read().await?;
    store::classifiers::list(&mut tx, page).await
}

/// Removes a classifier. Crawlers that name it fail until it is there again, or they name it no longer.
///
/// # Errors
/// NotFound.
pub async fn delete(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.note().await?;
    if !store::classifiers::delete(&mut tx, name).await? {
        return Err(missing(name));
    }
    tx.commit().await
}

/// The classifiers that somebody names, in their order.
///
/// # Errors
/// Invalid where one isn't there, or is named twice.
pub(crate) async fn named(tx: &mut store::Look, names: &[String]) -> Result<Vec<ClassifierDefinition>> {
    let mut found = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(Error::invalid(format!("classifier {name} is named twice")));
        }
        let classifier = store::classifiers::find(tx, name).await?.ok_or_else(|| {
            Error::invalid(format!("there is no classifier {name}"))
                .hint("make it first, or leave it out: the built-in classifiers are always asked")
        })?;
        found.push(classifier.definition);
    }
    Ok(found)
}

/// Who judges the files of a crawl.
#[derive(Debug)]
pub(crate) struct Judges {
    /// The custom classifiers, in the order in which they are asked.
    pub(crate) custom: Vec<CustomClassifier>,
    /// Who they are, the built-in ones included: what others said of a file is not taken.
    pub(crate) id: String,
}

impl Judges {
    /// Who said what a file is. Custom classifiers are shown text only: where the built-in ones know a file by its bytes,
    /// it is the same whoever else is asked.
    pub(crate) fn of(&self, look: &Look) -> &str {
        match look {
            Ok(verdict) => match verdict.layout {
                Some(Layout::Avro(_) | Layout::Orc | Layout::Parquet) => JUDGE,
                _ => &self.id,
            },
            Err(_) => &self.id,
        }
    }
}

/// The judges of a crawl that names these classifiers.
///
/// # Errors
/// Invalid where one isn't there, or can't be used any more.
pub(crate) async fn judges(app: &App, names: &[String]) -> Result<Judges> {
    if names.is_empty() {
        return Ok(Judges {
            custom: Vec::new(),
            id: JUDGE.to_owned(),
        });
    }
    let mut tx = app.store.read().await?;
    let definitions = named(&mut tx, names).await?;
    let mut custom = Vec::with_capacity(names.len());
    let mut digest = Sha256::new();
    for definition in definitions {
        let text = serde_json::to_vec(&definition)
            .map_err(|cause| Error::internal("a classifier can't be written down").source(cause))?;
        digest.update(&text);
        digest.update(b"\n");
        custom.push(usable(definition)?);
    }
    let id = format!("{JUDGE} {}", hex::encode(digest.finalize()));
    Ok(Judges { custom, id })
}

/// A definition that can be used.
fn checked(definition: ClassifierDefinition) -> Result<ClassifierDefinition> {
    plain_name("classifier", definition.name())?;
    Ok(usable(definition)?.into())
}

fn usable(definition: ClassifierDefinition) -> Result<CustomClassifier> {
    let name = definition.name().to_owned();
    CustomClassifier::new(definition)
        .map_err(|wrong| Error::invalid(format!("classifier {name}: {}: {}", wrong.member, wrong.message)))
}

async fn require(tx: &mut store::Look, name: &str) -> Result<Classifier> {
    store::classifiers::find(tx, name)
        .await?
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("classifier {name} not found"))
}
