//! The only way to the database: four types, each of which may do what the one before may, and more.
//!
//! | type | what it may do |
//! | --- | --- |
//! | [`Look`] | one statement, which sees the database as it is then |
//! | [`Read`] | several, which see the same moment |
//! | [`Note`] | change what isn't in the catalog: tasks, events, runs, crawls, logs |
//! | [`Write`] | change the catalog, too |
//!
//! A function takes the least that it needs, and whoever has more may call it. [`Note`] and [`Write`] alone can be
//! committed; dropping one undoes it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite, Transaction};

use crate::error::Result;

use super::changes::Writing;
use super::failure::database_error;
use super::on;

/// A connection, inside a transaction or for a look.
pub(super) enum Held<DB: sqlx::Database> {
    Transaction(Transaction<'static, DB>),
    Look(PoolConnection<DB>),
}

impl<DB: sqlx::Database> Deref for Held<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Transaction(tx) => tx,
            Self::Look(connection) => connection,
        }
    }
}

impl<DB: sqlx::Database> DerefMut for Held<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Transaction(tx) => tx,
            Self::Look(connection) => connection,
        }
    }
}

impl<DB: sqlx::Database> Held<DB> {
    async fn commit(self) -> std::result::Result<(), sqlx::Error> {
        match self {
            Self::Transaction(tx) => tx.commit().await,
            Self::Look(_) => Ok(()),
        }
    }
}

/// Which database it is.
pub(super) enum Database {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

/// A way to the database for a statement that reads.
pub struct Look {
    database: Database,
    /// How many statements this process has sent.
    statements: Arc<AtomicU64>,
}

/// A consistent view.
pub struct Read(Look);

/// A change of what isn't in the catalog.
pub struct Note {
    read: Read,
    /// Says that a change is under way, where that is asked for.
    writing: Option<Writing>,
}

/// A change of the catalog.
pub struct Write(Note);

impl Look {
    pub(super) fn new(database: Database, statements: Arc<AtomicU64>) -> Self {
        Self { database, statements }
    }

    /// The database, for one statement.
    pub(super) fn statement(&mut self) -> &mut Database {
        self.statements.fetch_add(1, Ordering::Relaxed);
        &mut self.database
    }

    /// The database's own time, which everybody who uses it shares; absent on SQLite, which one process uses.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn time(&mut self) -> Result<Option<DateTime<Utc>>> {
        match self.statement() {
            Database::Sqlite(_) => Ok(None),
            Database::Postgres(held) => sqlx::query_scalar("SELECT clock_timestamp()")
                .fetch_one(&mut **held)
                .await
                .map(Some)
                .map_err(database_error),
        }
    }

    /// What fits the database, for the few statements that can't be shared.
    pub(super) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self.database {
            Database::Sqlite(_) => sqlite,
            Database::Postgres(_) => postgres,
        }
    }

    /// The tables and their columns, `table.column`, sorted: what the two databases must agree on.
    ///
    /// # Errors
    /// As any query.
    pub async fn schema(&mut self) -> Result<Vec<String>> {
        const SQLITE: &str =
            "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'
             AND m.name NOT LIKE 'table!_words%' ESCAPE '!' ORDER BY 1";
        const POSTGRES: &str = "SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'
             ORDER BY (table_name || '.' || column_name) COLLATE \"C\"";
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<(String,)> = on!(self, |conn| sqlx::query_as(sql).fetch_all(conn).await)?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }
}

impl Read {
    pub(super) fn new(look: Look) -> Self {
        Self(look)
    }
}

impl Note {
    pub(super) fn new(read: Read, writing: Option<Writing>) -> Self {
        Self { read, writing }
    }

    /// Makes the change durable and visible, all of it at once.
    ///
    /// # Errors
    /// Conflict or Unavailable; nothing happened then.
    pub async fn commit(self) -> Result<()> {
        let _writing = self.writing;
        match self.read.0.database {
            Database::Sqlite(held) => held.commit().await,
            Database::Postgres(held) => held.commit().await,
        }
        .map_err(database_error)
    }
}

impl Write {
    pub(super) fn new(note: Note) -> Self {
        Self(note)
    }

    /// Makes the change durable and visible, all of it at once.
    ///
    /// # Errors
    /// Conflict or Unavailable; nothing happened then.
    pub async fn commit(self) -> Result<()> {
        let Some(changes) = self.0.writing.as_ref().map(Writing::changes) else {
            return self.0.commit().await;
        };
        // In a task of its own: who goes away in the middle must not leave answers behind that the commit made wrong.
        let committing = tokio::spawn(async move {
            let done = self.0.commit().await;
            changes.count();
            done
        });
        committing
            .await
            .unwrap_or_else(|_| Err(database_error(sqlx::Error::WorkerCrashed)))
    }
}

impl Deref for Read {
    type Target = Look;

    fn deref(&self) -> &Look {
        &self.0
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Look {
        &mut self.0
    }
}

impl Deref for Note {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.read
    }
}

impl DerefMut for Note {
    fn deref_mut(&mut self) -> &mut Read {
        &mut self.read
    }
}

impl Deref for Write {
    type Target = Note;

    fn deref(&self) -> &Note {
        &self.0
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Note {
        &mut self.0
    }
}
