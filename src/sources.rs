//! The only door to databases that aren't ours: which tables they have, read from their own catalogs.
//!
//! Nothing is written there, and no row of a table is read. A session is read-only and has a time limit; a password is
//! in no message.

mod address;
mod mysql;
mod postgres;
mod refusals;
mod types;

use std::time::Duration;

pub use address::{Source, engine_of};

use crate::error::{Error, Result};
use crate::model::source::{Engine, IncludePath, SourceColumn, SourcePlace, SourceTable};

/// How long a database may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take to list its tables.
const LIST: Duration = Duration::from_secs(300);
/// The most columns that one path may bring.
const MOST_COLUMNS: usize = 2_000_000;

impl Source {
    /// Signs in, and gives back the server's version.
    ///
    /// # Errors
    /// Unavailable where nobody answers, Denied for wrong credentials, NotFound for a database that isn't there, Invalid
    /// where one side wants TLS and the other has none.
    pub async fn sign_in(&self) -> Result<String> {
        match self.engine {
            Engine::PostgreSql => postgres::version(self).await,
            Engine::MySql => mysql::version(self).await,
        }
    }

    /// The tables and views that a path names and that we may read, by schema and name.
    ///
    /// # Errors
    /// As [`Source::sign_in`]; Unavailable where the list takes too long; Limit where it is too long.
    pub async fn tables(&self, path: &IncludePath) -> Result<Vec<SourceTable>> {
        let listing = async {
            match self.engine {
                Engine::PostgreSql => postgres::tables(self, path).await,
                Engine::MySql => mysql::tables(self, path).await,
            }
        };
        let mut tables = tokio::time::timeout(LIST, listing)
            .await
            .map_err(|_| self.took_too_long())??;
        // MySQL's LIKE takes upper and lower case for the same.
        tables.retain(|table| path.takes(&SourcePlace::of("", table)));
        tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        Ok(tables)
    }

    /// The database that a path means.
    fn database_of<'a>(&'a self, path: &'a IncludePath) -> Result<&'a str> {
        path.database
            .as_deref()
            .or(self.database.as_deref())
            .ok_or_else(|| {
                Error::invalid("neither the path nor the connection names a database")
                    .hint("begin the path with one, as in shop/%")
            })
    }

    /// Waits for the driver, not longer than a person would.
    async fn in_time<T>(
        &self,
        database: Option<&str>,
        connecting: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T> {
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(cause)) => Err(self.refusal(database, cause)),
            Err(_) => Err(self.no_answer(&format!("no answer within {} s", CONNECT.as_secs()))),
        }
    }
}

/// Counts columns, and refuses more than would fit.
struct ColumnCount(usize);

impl ColumnCount {
    fn add(&mut self, table: &mut SourceTable, column: SourceColumn) -> Result<()> {
        self.0 += 1;
        table.columns.push(column);
        if self.0 <= MOST_COLUMNS {
            return Ok(());
        }
        Err(
            Error::limit(format!("its tables have more than {MOST_COLUMNS} columns"))
                .hint("crawl one schema after the other: name it in the path"),
        )
    }
}

/// A pattern of Glue's for SQL's LIKE: only `%` is special in it. The escape is `!`, because backslashes are special to MySQL.
fn like(pattern: &str) -> String {
    pattern.replace('!', "!!").replace('_', "!_")
}
