//! What can be done with user-defined functions.

use regex::Regex;

use crate::app::App;
use crate::catalog::databases;
use crate::error::{Error, ErrorKind, Result};
use crate::model::function::{Function, FunctionInput};
use crate::model::name::catalog_name;
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::store;

/// Adds a function.
///
/// # Errors
/// Invalid for a bad name; NotFound where the database isn't there; AlreadyExists.
pub async fn create(app: &App, database: &str, input: FunctionInput) -> Result<()> {
    let (database, input) = checked(database, input)?;
    let mut tx = app.store.write().await?;
    databases::require(&mut tx, &database).await?;
    store::functions::insert(&mut tx, &database, &input, app.clock.now())
        .await
        .map_err(|error| taken(error, &input.name))?;
    tx.commit().await
}

/// Puts `input` in the place of the function called `name`.
///
/// # Errors
/// As [`create`]; NotFound where the function isn't there.
pub async fn update(app: &App, database: &str, name: &str, input: FunctionInput) -> Result<()> {
    let (database, input) = checked(database, input)?;
    let name = catalog_name("function", name)?;
    let mut tx = app.store.write().await?;
    databases::require(&mut tx, &database).await?;
    let was_there = store::functions::update(&mut tx, &database, &name, &input)
        .await
        .map_err(|error| taken(error, &input.name))?;
    if !was_there {
        return Err(missing(&name));
    }
    tx.commit().await
}

/// The function called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, database: &str, name: &str) -> Result<Function> {
    let (database, name) = (
        catalog_name("database", database)?,
        catalog_name("function", name)?,
    );
    let mut tx = app.store.read().await?;
    databases::require(&mut tx, &database).await?;
    store::functions::find(&mut tx, &database, &name)
        .await?
        .ok_or_else(|| missing(&name))
}

/// Functions by database and name, of one database or of all, whose whole name matches `pattern`.
///
/// # Errors
/// NotFound where the database isn't there; Invalid for a page key that no list gave.
pub async fn list(
    app: &App,
    database: Option<&str>,
    pattern: Option<&Regex>,
    page: &PageRequest,
) -> Result<Page<Function>> {
    let mut tx = app.store.read().await?;
    let database = database.map(|name| catalog_name("database", name)).transpose()?;
    if let Some(database) = &database {
        databases::require(&mut tx, database).await?;
    }
    let mut after = match &page.after {
        None => (String::new(), String::new()),
        Some(key) => {
            let parts = key.split_once('\u{1}');
            let (database, name) =
                parts.ok_or_else(|| Error::invalid("the page key is not one of this list"))?;
            (database.to_owned(), name.to_owned())
        }
    };
    let look = PageRequest::first(MAX_LIMIT);
    let mut found = Vec::new();
    loop {
        let some = store::functions::list(&mut tx, database.as_deref(), &after, &look).await?;
        let Some(last) = some.last() else { break };
        after = (last.database.clone(), last.input.name.clone());
        found.extend(
            some.into_iter()
                .filter(|function| pattern.is_none_or(|pattern| pattern.is_match(&function.input.name))),
        );
        if found.len() > page.limit as usize {
            break;
        }
    }
    Ok(Page::of(found, page, |function: &Function| {
        format!("{}\u{1}{}", function.database, function.input.name)
    }))
}

/// Removes a function.
///
/// # Errors
/// NotFound.
pub async fn delete(app: &App, database: &str, name: &str) -> Result<()> {
    let (database, name) = (
        catalog_name("database", database)?,
        catalog_name("function", name)?,
    );
    let mut tx = app.store.write().await?;
    databases::require(&mut tx, &database).await?;
    if !store::functions::delete(&mut tx, &database, &name).await? {
        return Err(missing(&name));
    }
    tx.commit().await
}

fn checked(database: &str, mut input: FunctionInput) -> Result<(String, FunctionInput)> {
    input.name = catalog_name("function", &input.name)?;
    Ok((catalog_name("database", database)?, input))
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("function {name} not found"))
}

fn taken(error: Error, name: &str) -> Error {
    match error.kind {
        ErrorKind::AlreadyExists => Error::already_exists(format!("function {name} exists already")),
        _ => error,
    }
}
