//! What can be done with tables.

use regex::Regex;

use crate::app::App;
use crate::catalog::databases;
use crate::error::{Error, ErrorKind, Result};
use crate::model::name::{TableRef, catalog_name};
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::model::table::{Column, Table, TableInput};
use crate::store::{self, Tx};

/// Adds a table.
///
/// # Errors
/// Invalid for a bad name or a column that stands twice; NotFound where the database isn't there; AlreadyExists.
pub async fn create(app: &App, database: &str, input: TableInput) -> Result<Table> {
    let mut tx = app.store.write().await?;
    let name = insert(app, &mut tx, database, input).await?;
    let made = require(&mut tx, &name).await?;
    tx.commit().await?;
    Ok(made)
}

/// The table called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &TableRef) -> Result<Table> {
    let mut tx = app.store.read().await?;
    require(&mut tx, name).await
}

/// The tables of a database by name, each with the number of its partitions.
///
/// # Errors
/// NotFound where the database isn't there.
pub async fn list(app: &App, database: &str, page: &PageRequest) -> Result<Page<(Table, i64)>> {
    let database = catalog_name("database", database)?;
    let mut tx = app.store.read().await?;
    databases::require(&mut tx, &database).await?;
    let tables = store::tables::list(&mut tx, &database, page).await?;
    let mut items = Vec::with_capacity(tables.items.len());
    for table in tables.items {
        let partitions = store::partitions::count(&mut tx, &table.id).await?;
        items.push((table, partitions));
    }
    Ok(Page {
        items,
        next: tables.next,
    })
}

/// The tables of a database by name, of those whose whole name `pattern` was made to match; all where there is none.
///
/// # Errors
/// NotFound where the database isn't there.
pub async fn list_named(
    app: &App,
    database: &str,
    pattern: Option<&Regex>,
    page: &PageRequest,
) -> Result<Page<Table>> {
    let database = catalog_name("database", database)?;
    let mut tx = app.store.read().await?;
    databases::require(&mut tx, &database).await?;
    let Some(pattern) = pattern else {
        return store::tables::list(&mut tx, &database, page).await;
    };
    let mut matching = Vec::new();
    let mut look = PageRequest::new(MAX_LIMIT, page.after.clone());
    loop {
        let tables = store::tables::list(&mut tx, &database, &look).await?;
        matching.extend(
            tables
                .items
                .into_iter()
                .filter(|table| pattern.is_match(&table.input.name)),
        );
        match tables.next {
            Some(after) if matching.len() <= page.limit as usize => look.after = Some(after),
            _ => return Ok(Page::of(matching, page, |table: &Table| table.input.name.clone())),
        }
    }
}

/// The versions of a table, the newest first, the current one among them.
///
/// # Errors
/// NotFound.
pub async fn versions(app: &App, name: &TableRef, page: &PageRequest) -> Result<Page<Table>> {
    let mut tx = app.store.read().await?;
    let current = require(&mut tx, name).await?;
    let mut versions = store::tables::versions(&mut tx, &current, page).await?;
    if page.after.is_none() {
        versions.items.insert(0, current);
        if versions.items.len() > page.limit as usize {
            versions.items.pop();
            versions.next = versions.items.last().map(|table| table.version.to_string());
        }
    }
    Ok(versions)
}

/// Removes a table with its versions and partitions; the objects stay.
///
/// # Errors
/// NotFound.
pub async fn delete(app: &App, name: &TableRef) -> Result<()> {
    let mut tx = app.store.write().await?;
    if !store::tables::delete(&mut tx, name).await? {
        databases::require(&mut tx, &name.database).await?;
        return Err(missing(name));
    }
    tx.commit().await
}

/// Databases, tables, jobs and crawlers whose names contain `text`: kind, database, name.
///
/// # Errors
/// Only the database's own.
pub async fn search(app: &App, text: &str, limit: u32) -> Result<Vec<(String, Option<String>, String)>> {
    let mut tx = app.store.read().await?;
    store::tables::search_names(&mut tx, &text.to_lowercase(), i64::from(limit)).await
}

/// The table called `name`, inside a transaction.
///
/// # Errors
/// NotFound, of the database where even that isn't there.
pub async fn require(tx: &mut Tx, name: &TableRef) -> Result<Table> {
    match store::tables::find(tx, name).await? {
        Some(table) => Ok(table),
        None => {
            databases::require(tx, &name.database).await?;
            Err(missing(name))
        }
    }
}

/// Adds a table, inside a transaction.
///
/// # Errors
/// As [`create`].
pub async fn insert(app: &App, tx: &mut Tx, database: &str, input: TableInput) -> Result<TableRef> {
    let input = checked(input)?;
    let name = TableRef::new(database, &input.name)?;
    databases::require(tx, &name.database).await?;
    store::tables::insert(tx, &app.clock.new_id(), &name.database, &input, app.clock.now())
        .await
        .map_err(|error| match error.kind {
            ErrorKind::AlreadyExists => Error::already_exists(format!("table {name} exists already")),
            _ => error,
        })?;
    Ok(name)
}

/// Puts `input` in the place of the table's current state, inside a transaction; nothing happens where they are the same.
///
/// # Errors
/// NotFound; Invalid; Conflict where the table changed since it was read.
pub async fn replace(app: &App, tx: &mut Tx, current: &Table, input: TableInput) -> Result<()> {
    let input = checked(input)?;
    if input == current.input {
        return Ok(());
    }
    if store::tables::update(tx, &current.id, current.version, &input, app.clock.now()).await? {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "table {} changed meanwhile",
        current.name()
    )))
}

/// Folds names to lower case and refuses what no engine could read.
fn checked(mut input: TableInput) -> Result<TableInput> {
    input.name = catalog_name("table", &input.name)?;
    let storage_columns = input.storage.iter_mut().flat_map(|storage| &mut storage.columns);
    let columns: Vec<&mut Column> = storage_columns.chain(&mut input.partition_keys).collect();
    let mut seen = std::collections::HashSet::new();
    for column in columns {
        column.name = catalog_name("column", &column.name)?;
        if !seen.insert(column.name.clone()) {
            return Err(Error::invalid(format!(
                "table {} has the column {} twice",
                input.name, column.name
            ))
            .hint("names are compared without regard to case"));
        }
    }
    Ok(input)
}

fn missing(name: &TableRef) -> Error {
    Error::not_found(format!(
        "table {} not found in database {}",
        name.name, name.database
    ))
    .hint("see its tables with `mastic tables list`; `mastic crawl` finds new ones")
}
