//! Queries over catalogued tables, each in a child of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::App;
use crate::catalog::{formats, tables};
use crate::error::{Error, ErrorKind, Result};
use crate::etl::outputs;
use crate::model::data_files::is_data;
use crate::model::location::Location;
use crate::model::name::TableRef;
use crate::model::page::{MAX_LIMIT, PageRequest};
use crate::model::table::{Column, StorageDescriptor, Table};
use crate::store;
use crate::task::{
    Child, Failure, FileOfTable, Limits, Message, ObjectToRead, Spec, TableToRead, Tables, Work,
};

/// How long a query may take, in seconds.
const QUERY_SECONDS: u64 = 300;

/// A query's answer.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// Its columns with their types in Hive's spelling.
    pub columns: Vec<(String, String)>,
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more.
    pub truncated: bool,
}

/// Runs one SELECT over catalogued tables, and gives back `limit` rows at the most.
///
/// # Errors
/// Invalid where the SQL is wrong; NotFound where it names a table that isn't there; Limit where it needs too much.
pub async fn run(app: &App, sql: &str, limit: usize) -> Result<QueryResult> {
    let spec = Spec {
        work: Work::Query {
            sql: sql.to_owned(),
            limit,
        },
        access: Some(app.access.clone()),
        limits: Limits {
            memory_bytes: app.config.tasks.sql_memory_bytes,
            cpu_seconds: QUERY_SECONDS * 4,
            wall_seconds: QUERY_SECONDS,
        },
    };
    let mut child = Child::start(&app.config.tasks.program, &spec).await?;
    loop {
        match child.next().await? {
            Message::NeedTables { names } => {
                let answer = tables_called(app, &names).await?;
                child.say(&answer).await?;
            }
            Message::Done(done) => {
                return Ok(QueryResult {
                    columns: done.columns,
                    rows: done.rows,
                    truncated: done.truncated,
                });
            }
            Message::Failed(failure) => return Err(failure.into()),
            Message::Log { .. }
            | Message::Looking { .. }
            | Message::Classified { .. }
            | Message::Listed { .. } => {}
        }
    }
}

/// The first rows of a table.
///
/// # Errors
/// As [`run`].
pub async fn sample(app: &App, table: &TableRef, limit: usize) -> Result<QueryResult> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = format!(
        "SELECT * FROM {}.{}",
        quoted(&table.database),
        quoted(&table.name)
    );
    run(app, &sql, limit).await
}

async fn tables_called(app: &App, names: &[String]) -> Result<Tables> {
    let mut answer = Tables {
        tables: Vec::new(),
        missing: None,
    };
    for name in names {
        match table_called(app, name).await {
            Ok(table) => answer.tables.push(table),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                answer.missing = Some(Failure::from(error));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

async fn table_called(app: &App, name: &str) -> Result<TableToRead> {
    let unquoted = name.replace('"', "");
    let table = match TableRef::parse(&unquoted) {
        Ok(reference) => tables::get(app, &reference).await?,
        Err(_) => {
            return Err(Error::invalid(format!("'{unquoted}' names no database"))
                .hint("write tables as database.table"));
        }
    };
    readable(app, &table, &unquoted).await
}

/// A catalogued table with the objects that it consists of now.
async fn readable(app: &App, table: &Table, name: &str) -> Result<TableToRead> {
    if let Some(connection) = table.input.connection() {
        return Err(Error::invalid(format!(
            "table {name} is in the database that connection {connection} leads to, and only files can be queried"
        ))
        .hint("ask the database itself"));
    }
    let storage = table.input.storage.clone().unwrap_or_default();
    let mut files = Vec::new();
    if table.input.partition_keys.is_empty() {
        files.extend(files_at(app, table, &storage, BTreeMap::new()).await?);
    } else {
        let mut page = PageRequest::first(MAX_LIMIT);
        loop {
            let mut tx = app.store.read().await?;
            let partitions = store::partitions::list(&mut tx, table, &page).await?;
            drop(tx);
            for partition in partitions.items {
                let keys = table.input.partition_keys.iter().map(|key| key.name.clone());
                let values = keys.zip(partition.values().to_vec()).collect();
                let own = partition.storage().unwrap_or_else(|| storage.clone());
                files.extend(files_at(app, table, &own, values).await?);
            }
            match partitions.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
    }
    let declared = |column: &Column| {
        (
            column.name.clone(),
            formats::real_type(column).unwrap_or("string").to_owned(),
        )
    };
    Ok(TableToRead {
        name: name.to_owned(),
        files,
        columns: storage.columns.iter().map(declared).collect(),
        as_declared: true,
        csv: formats::csv_dialect(&table.input.parameters, &storage),
    })
}

async fn files_at(
    app: &App,
    table: &Table,
    storage: &StorageDescriptor,
    partition: BTreeMap<String, String>,
) -> Result<Vec<FileOfTable>> {
    let Some(location) = &storage.location else {
        return Err(Error::invalid(format!("table {} has no location", table.name())));
    };
    let location = Location::parse(location)?;
    // A location without a slash at its end may be one file, or a folder.
    let folder = location.as_folder();
    let objects = outputs::visible(app, &location.bucket, &location.key).await?;
    Ok(objects
        .into_iter()
        .filter(|object| object.key == location.key || object.key.starts_with(&folder.key))
        .filter(|object| {
            let relative = object.key.strip_prefix(&folder.key);
            object.size > 0 && relative.is_none_or(is_data)
        })
        .map(|object| FileOfTable {
            object: ObjectToRead::of(&location.bucket, object),
            partition: partition.clone(),
        })
        .collect())
}
