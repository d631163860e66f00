//! `mastic databases`, `mastic tables`, `mastic partitions`

use clap::Subcommand;
use serde_json::json;

use super::client::{Client, segment};
use super::{Global, Outcome, output};
use crate::error::Error;
use crate::model::name::TableRef;

/// Databases of the catalog.
#[derive(Debug, Subcommand)]
pub(super) enum Databases {
    /// List databases
    List,
    /// Show a database
    Show {
        /// Its name
        database: String,
    },
    /// Make a database
    Create {
        /// Its name
        database: String,
        /// What it holds
        #[arg(long)]
        description: Option<String>,
    },
    /// Remove a database with its tables; objects stay
    Delete {
        /// Its name
        database: String,
    },
}

/// Tables of the catalog.
#[derive(Debug, Subcommand)]
pub(super) enum Tables {
    /// List the tables of a database, or of all
    List {
        /// The database
        database: Option<String>,
    },
    /// Show a table
    Show {
        /// database.table
        table: String,
    },
    /// Show a table as a CREATE EXTERNAL TABLE statement
    Ddl {
        /// database.table
        table: String,
    },
    /// List the versions of a table
    Versions {
        /// database.table
        table: String,
    },
    /// Remove a table; objects stay
    Delete {
        /// database.table
        table: String,
    },
}

/// Partitions of a table.
#[derive(Debug, Subcommand)]
pub(super) enum Partitions {
    /// List the partitions of a table
    List {
        /// database.table
        table: String,
    },
}

impl Databases {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List => {
                let columns = [
                    ("name", "name"),
                    ("description", "description"),
                    ("created", "created_at"),
                ];
                output::list(global.output, &client.all("/databases")?, &columns);
            }
            Self::Show { database } => {
                output::item(
                    global.output,
                    &client.get(&format!("/databases/{}", segment(&database)))?,
                );
            }
            Self::Create {
                database,
                description,
            } => {
                let body = json!({ "name": database, "description": description });
                output::item(global.output, &client.post("/databases", &body)?);
            }
            Self::Delete { database } => {
                client.delete(&format!("/databases/{}", segment(&database)))?;
            }
        }
        Ok(Outcome::Done)
    }
}

fn table_path(table: &str) -> Result<String, Error> {
    let name = TableRef::parse(table)?;
    Ok(format!(
        "/databases/{}/tables/{}",
        segment(&name.database),
        segment(&name.name)
    ))
}

impl Tables {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List { database } => list_tables(global, &client, database)?,
            Self::Show { table } => {
                let found = client.get(&table_path(&table)?)?;
                if global.output == output::Format::Table {
                    show_table(global, &found);
                } else {
                    output::item(global.output, &found);
                }
            }
            Self::Ddl { table } => {
                let ddl = client.get(&format!("{}/ddl", table_path(&table)?))?;
                output::data(ddl["ddl"].as_str().unwrap_or_default());
            }
            Self::Versions { table } => {
                let columns = [
                    ("version", "version"),
                    ("updated", "table/updated_at"),
                    ("location", "table/location"),
                ];
                output::list(
                    global.output,
                    &client.all(&format!("{}/versions", table_path(&table)?))?,
                    &columns,
                );
            }
            Self::Delete { table } => {
                client.delete(&table_path(&table)?)?;
            }
        }
        Ok(Outcome::Done)
    }
}

fn list_tables(global: &Global, client: &Client, database: Option<String>) -> Result<(), Error> {
    let databases = match database {
        Some(database) => vec![database],
        None => client
            .all("/databases")?
            .iter()
            .filter_map(|database| database["name"].as_str().map(str::to_owned))
            .collect(),
    };
    let mut tables = Vec::new();
    for database in databases {
        tables.extend(client.all(&format!("/databases/{}/tables", segment(&database)))?);
    }
    let columns = [
        ("database", "database"),
        ("name", "name"),
        ("classification", "classification"),
        ("columns", "columns"),
        ("partitions", "partitions"),
        ("location", "location"),
    ];
    output::list(global.output, &tables, &columns);
    Ok(())
}

fn show_table(global: &Global, table: &serde_json::Value) {
    let mut facts = table.clone();
    if let Some(map) = facts.as_object_mut() {
        map.retain(|name, _| {
            !["columns", "partition_keys", "storage", "parameters"].contains(&name.as_str())
        });
    }
    output::item(global.output, &facts);
    let columns: Vec<serde_json::Value> = ["columns", "partition_keys"]
        .iter()
        .filter_map(|name| table[name].as_array())
        .flatten()
        .cloned()
        .collect();
    output::data("");
    output::list(
        global.output,
        &columns,
        &[("column", "name"), ("type", "type"), ("comment", "comment")],
    );
}

impl Partitions {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let Self::List { table } = self;
        let partitions = Client::new(global).all(&format!("{}/partitions", table_path(&table)?))?;
        let columns = [
            ("values", "values"),
            ("location", "location"),
            ("updated", "updated_at"),
        ];
        output::list(global.output, &partitions, &columns);
        Ok(Outcome::Done)
    }
}
