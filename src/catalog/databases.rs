//! What can be done with databases.

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::database::{Database, DatabaseInput};
use crate::model::name::catalog_name;
use crate::model::page::{Page, PageRequest};
use crate::store::{self, Look, Write};

/// Adds a database.
///
/// # Errors
/// Invalid for a bad name; AlreadyExists.
pub async fn create(app: &App, input: DatabaseInput) -> Result<Database> {
    let input = DatabaseInput {
        name: catalog_name("database", &input.name)?,
        ..input
    };
    let mut tx = app.store.write().await?;
    store::databases::insert(&mut tx, &input, app.clock.now())
        .await
        .map_err(|error| match error.kind {
            ErrorKind::AlreadyExists => {
                Error::already_exists(format!("database {} exists already", input.name))
            }
            _ => error,
        })?;
    let made = require(&mut tx, &input.name).await?;
    tx.commit().await?;
    Ok(made)
}

/// The database called `name`.
///
/// # Errors
/// NotFound; Invalid for a bad name.
pub async fn get(app: &App, name: &str) -> Result<Database> {
    let mut tx = app.store.read().await?;
    require(&mut tx, &catalog_name("database", name)?).await
}

/// Databases by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Database>> {
    let mut tx = app.store.read().await?;
    store::databases::list(&mut tx, page).await
}

/// Puts `input` in the place of what was said of the database called `name`.
///
/// # Errors
/// NotFound; Invalid where `input` has another name.
pub async fn update(app: &App, name: &str, input: DatabaseInput) -> Result<()> {
    let name = catalog_name("database", name)?;
    let input = DatabaseInput {
        name: catalog_name("database", &input.name)?,
        ..input
    };
    if input.name != name {
        return Err(
            Error::invalid(format!("database {name} can't be renamed to {}", input.name))
                .hint("make another database, and its tables there"),
        );
    }
    let mut tx = app.store.write().await?;
    if !store::databases::update(&mut tx, &input, app.clock.now()).await? {
        return Err(missing(&name));
    }
    tx.commit().await
}

/// Removes a database with all its tables.
///
/// # Errors
/// NotFound.
pub async fn delete(app: &App, name: &str) -> Result<()> {
    let name = catalog_name("database", name)?;
    let mut tx = app.store.write().await?;
    if !store::databases::delete(&mut tx, &name).await? {
        return Err(missing(&name));
    }
    for kind in ["database", "table", "userDefinedFunction"] {
        store::tags::delete_all(&mut tx, &[format!("{kind}/{name}")]).await?;
    }
    tx.commit().await
}

/// The database called `name`, inside a transaction.
///
/// # Errors
/// NotFound.
pub async fn require(tx: &mut Look, name: &str) -> Result<Database> {
    store::databases::find(tx, name)
        .await?
        .ok_or_else(|| missing(name))
}

/// Adds the database `default`, which engines expect, unless it is there.
///
/// # Errors
/// Only the database's own.
pub async fn make_default(app: &App) -> Result<()> {
    let mut tx = app.store.write().await?;
    ensure(app, &mut tx, "default").await?;
    tx.commit().await
}

/// Adds the database called `name` unless it is there.
///
/// # Errors
/// Only the database's own.
pub async fn ensure(app: &App, tx: &mut Write, name: &str) -> Result<()> {
    if store::databases::find(tx, name).await?.is_some() {
        return Ok(());
    }
    let input = DatabaseInput {
        name: name.to_owned(),
        ..DatabaseInput::default()
    };
    store::databases::insert_if_absent(tx, &input, app.clock.now()).await
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("database {name} not found"))
}
