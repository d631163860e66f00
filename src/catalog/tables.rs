//! What can be done with tables.

use regex::Regex;

use crate::app::App;
use crate::catalog::{databases, partition_indexes};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::model::name::{TableRef, catalog_name};
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::model::table::{Column, Table, TableInput};
use crate::store::{self, Look, Write};

/// The parameter of a table that says how many of its former versions are kept.
const VERSION_RETENTION: &str = "mastic.version-retention";

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

/// Adds a table with indexes of its partition keys: name and keys of each.
///
/// # Errors
/// As [`create`] and [`partition_indexes::insert`].
pub async fn create_with_indexes(
    app: &App,
    database: &str,
    input: TableInput,
    indexes: &[(String, Vec<String>)],
) -> Result<()> {
    let mut tx = app.store.write().await?;
    let name = insert(app, &mut tx, database, input).await?;
    if !indexes.is_empty() {
        let table = require(&mut tx, &name).await?;
        for (index, keys) in indexes {
            partition_indexes::insert(&mut tx, &table, index, keys).await?;
        }
    }
    tx.commit().await
}

/// The table called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &TableRef) -> Result<Table> {
    let look = async { require(&mut app.store.look().await?, name).await };
    match look.await {
        Err(error) if error.kind == ErrorKind::Unavailable => {
            let mut again = app.store.read().await?;
            require(&mut again, name).await
        }
        found => found,
    }
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
    let ids: Vec<String> = tables.items.iter().map(|table| table.id.clone()).collect();
    let partitions = store::partitions::counts(&mut tx, &ids).await?;
    Ok(tables.map(|table| {
        let count = partitions.get(&table.id).copied().unwrap_or(0);
        (table, count)
    }))
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

/// What an update expects, and what becomes of the state that it replaces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Update {
    /// The version that the table must still have.
    pub version: Option<i64>,
    /// Whether the former state is forgotten rather than kept as a version.
    pub skip_archive: bool,
}

/// Puts `input` in the place of a table's state, as its next version.
///
/// Two things are safer than in Glue. The replay of an update that won, told by its version being the last one and its
/// contents the current ones, is a success that changes nothing. And an Iceberg table's `metadata_location` is only
/// replaced by who knows it: `previous_metadata_location` must be the current one, or the version must be given.
///
/// # Errors
/// NotFound; Invalid; Conflict where the table isn't in the expected state.
pub async fn update(app: &App, name: &TableRef, input: TableInput, update: Update) -> Result<()> {
    let input = checked(input)?;
    if input.name != name.name {
        return Err(
            Error::invalid(format!("table {} can't be renamed to {}", name.name, input.name))
                .hint("make another table from it, and remove this one"),
        );
    }
    let mut tx = app.store.write().await?;
    let current = require(&mut tx, name).await?;
    match update.version {
        Some(version) if version + 1 == current.version && current.input == input => return Ok(()),
        Some(version) if version != current.version => return Err(conflict()),
        _ => {}
    }
    check_metadata_location(&current.input, &input, update.version.is_some())?;
    if !store::tables::update(&mut tx, &current, &input, !update.skip_archive, app.clock.now()).await? {
        return Err(conflict());
    }
    if let Some(kept) = version_retention(app, &input)? {
        store::tables::delete_versions_but(&mut tx, &current.id, kept).await?;
    }
    match tx.commit().await {
        // The connection broke while it committed: only the table itself can say whether it did.
        Err(error) if error.kind == ErrorKind::Unavailable => match get(app, name).await {
            Ok(table) if table.version == current.version + 1 && table.input == input => Ok(()),
            _ => Err(error),
        },
        done => done,
    }
}

/// Refuses to move an Iceberg table to a metadata file that wasn't made from the current one.
fn check_metadata_location(current: &TableInput, new: &TableInput, knows_version: bool) -> Result<()> {
    let location = |input: &TableInput| input.parameters.get("metadata_location").cloned();
    let (now, next) = (location(current), location(new));
    if next.is_none() || next == now {
        return Ok(());
    }
    match (new.parameters.get("previous_metadata_location"), now) {
        (Some(previous), Some(now)) if *previous == now => Ok(()),
        (None, Some(_)) if knows_version => Ok(()),
        // A table of another format becomes an Iceberg table.
        (None, None) => Ok(()),
        _ => Err(conflict()),
    }
}

/// How many former versions of a table are kept; all where nothing is said.
fn version_retention(app: &App, input: &TableInput) -> Result<Option<i64>> {
    match input.parameters.get(VERSION_RETENTION) {
        Some(text) => match text.parse::<u32>() {
            Ok(kept) => Ok(Some(kept.into())),
            Err(_) => Err(
                Error::invalid(format!("the parameter {VERSION_RETENTION} is '{text}'"))
                    .hint("write how many former versions are kept, as a whole number"),
            ),
        },
        None => Ok(app.config.catalog.version_retention.map(i64::from)),
    }
}

/// One version of a table; the current one where none is named.
///
/// # Errors
/// NotFound.
pub async fn version(app: &App, name: &TableRef, version: Option<i64>) -> Result<Table> {
    let mut tx = app.store.read().await?;
    let current = require(&mut tx, name).await?;
    match version {
        Some(version) if version != current.version => {
            store::tables::find_version(&mut tx, &current, version)
                .await?
                .ok_or_else(|| missing_version(name, version))
        }
        _ => Ok(current),
    }
}

/// Removes a former version of a table.
///
/// # Errors
/// NotFound; Invalid for the current version.
pub async fn delete_version(app: &App, name: &TableRef, version: i64) -> Result<()> {
    let mut done = delete_versions(app, name, &[version]).await?;
    done.pop().unwrap_or(Ok(()))
}

/// Removes former versions of a table; says of each what became of it. None hinders the others.
///
/// # Errors
/// NotFound where the table isn't there. In the list: NotFound; Invalid for the current version.
pub async fn delete_versions(app: &App, name: &TableRef, versions: &[i64]) -> Result<Vec<Result<()>>> {
    let mut tx = app.store.write().await?;
    let current = require(&mut tx, name).await?;
    let mut deleted = store::tables::delete_versions(&mut tx, &current.id, versions).await?;
    tx.commit().await?;
    let outcome = |version: &i64| match version {
        version if *version == current.version => Err(Error::invalid(format!(
            "version {version} is the current one of table {}",
            name.name
        ))),
        // Of two that are the same in one request, the first was removed.
        version if deleted.remove(version) => Ok(()),
        version => Err(missing_version(name, *version)),
    };
    Ok(versions.iter().map(outcome).collect())
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
    store::tags::delete_all(&mut tx, &[resource(name)]).await?;
    tx.commit().await
}

/// Removes tables of a database with their versions and partitions; says of each what became of it. None hinders the
/// others. The objects stay.
///
/// # Errors
/// In the list: NotFound.
pub async fn delete_all(app: &App, database: &str, names: &[TableRef]) -> Result<Vec<Result<()>>> {
    let mut tx = app.store.write().await?;
    let wanted: Vec<String> = names.iter().map(|name| name.name.clone()).collect();
    let mut deleted = store::tables::delete_all(&mut tx, database, &wanted).await?;
    let gone = names.iter().filter(|name| deleted.contains(&name.name));
    let resources: Vec<String> = gone.map(resource).collect();
    store::tags::delete_all(&mut tx, &resources).await?;
    tx.commit().await?;
    // Of two that are the same in one request, the first was removed.
    let outcome = |name: &TableRef| {
        if deleted.remove(&name.name) {
            Ok(())
        } else {
            Err(missing(name))
        }
    };
    Ok(names.iter().map(outcome).collect())
}

/// The name by which a table has tags.
fn resource(name: &TableRef) -> String {
    format!("table/{}/{}", name.database, name.name)
}

/// The table called `name`, inside a transaction.
///
/// # Errors
/// NotFound, of the database where even that isn't there.
pub async fn require(tx: &mut Look, name: &TableRef) -> Result<Table> {
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
pub async fn insert(app: &App, tx: &mut Write, database: &str, input: TableInput) -> Result<TableRef> {
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

/// The table called `name`, inside a transaction; where it isn't there it is made, of what `input` gives. Whoever makes it
/// so at the same time is waited for.
///
/// # Errors
/// As [`create`].
pub async fn ensure(
    app: &App,
    tx: &mut Write,
    name: &TableRef,
    input: impl FnOnce() -> TableInput,
) -> Result<Table> {
    if let Some(table) = store::tables::find(tx, name).await? {
        return Ok(table);
    }
    store::databases::hold(tx, &name.database).await?;
    if let Some(table) = store::tables::find(tx, name).await? {
        return Ok(table);
    }
    insert(app, tx, &name.database, input()).await?;
    require(tx, name).await
}

/// Puts `input` in the place of the table's current state, inside a transaction; nothing happens where they are the same.
///
/// # Errors
/// NotFound; Invalid; Conflict where the table changed since it was read.
pub async fn replace(app: &App, tx: &mut Write, current: &Table, input: TableInput) -> Result<()> {
    let input = checked(input)?;
    if input == current.input {
        return Ok(());
    }
    if store::tables::update(tx, current, &input, true, app.clock.now()).await? {
        if let Some(kept) = version_retention(app, &input)? {
            store::tables::delete_versions_but(tx, &current.id, kept).await?;
        }
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

fn conflict() -> Error {
    Error::conflict("Update table failed due to concurrent modifications.")
}

fn missing_version(name: &TableRef, version: i64) -> Error {
    Error::not_found(format!("table {} has no version {version}", name.name))
}

fn missing(name: &TableRef) -> Error {
    Error::not_found(format!(
        "table {} not found in database {}",
        name.name, name.database
    ))
    .about(Subject::Table)
    .hint("see its tables with `mastic tables list`; `mastic crawl` finds new ones")
}
