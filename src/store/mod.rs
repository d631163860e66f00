//! The database: the only module that knows SQL.
//!
//! Every statement is written once, in the part of SQL that SQLite and PostgreSQL share, and runs on whichever one the URL
//! names. The shared part, each line a trap:
//!
//! - integers are `i64` and `BIGINT`; ids are text;
//! - time is a bound `DateTime<Utc>` from the [`Clock`](crate::clock::Clock), in whole microseconds, never `now()`;
//! - JSON goes through `Json<T>` (`TEXT` | `JSONB`) and is never looked into;
//! - no arrays, `ANY`, `ILIKE`, `SERIAL`, enum types, modifying CTEs or `LISTEN`; text sorts as bytes (`COLLATE "C"` is set
//!   for the PostgreSQL columns that are sorted by);
//! - `CAST(SUM(x) AS BIGINT)`; `ON CONFLICT … DO UPDATE … RETURNING` is allowed.
//!
//! Three things may differ by database, through [`Look::pick`]: claiming a task, holding a row, and full-text search.

mod changes;
pub mod classifiers;
pub mod commits;
pub mod connections;
pub mod crawl_memory;
pub mod crawl_plans;
mod crawl_rows;
pub mod crawl_slices;
pub mod crawls;
pub mod databases;
pub mod events;
mod failure;
mod file;
pub mod functions;
pub mod jobs;
pub mod outputs;
pub mod partitions;
pub mod retention;
pub mod runs;
pub mod schedules;
pub mod search;
pub mod statistics;
mod table_rows;
pub mod tables;
pub mod tags;
pub mod tasks;
pub mod triggers;
mod tx;
pub mod watches;

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::model::database_url::without_password;
use crate::model::page::PageRequest;
use changes::{Changes, Writing};
use failure::{database_error, migration_error};
use file::{File, lock_file};
use tx::{Database, Held};

pub use tx::{Look, Note, Read, Write};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The first SQLite without the WAL-reset bug, as `sqlite3_libversion_number` counts
/// (<https://sqlite.org/wal.html#walresetbug>).
const MIN_SQLITE: i32 = 3_051_003;

/// The database that the URL names.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    statements: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Pool {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        changes: Arc<Changes>,
        /// The file that was opened, and its lock.
        file: Arc<File>,
    },
    Postgres {
        pool: PgPool,
        /// For [`Store::look`].
        looks: PgPool,
    },
}

/// Runs one sqlx expression, a statement, on whichever database `tx` belongs to.
macro_rules! on {
    ($tx:expr, |$conn:ident| $query:expr) => {
        match $tx.statement() {
            $crate::store::tx::Database::Sqlite(held) => {
                let $conn = &mut **held;
                $query
            }
            $crate::store::tx::Database::Postgres(held) => {
                let $conn = &mut **held;
                $query
            }
        }
        .map_err($crate::store::database_error)
    };
}
use on;

/// How many values one statement names: databases take some 32,000.
const NAMED: usize = 1000;

/// Runs a statement that names values, with so many of them at a time as a database takes, and gathers the rows that it
/// answers with. Where `{}` stands in the statement, the values' places do: behind those of what is `bound` before them.
macro_rules! on_many {
    ($tx:expr, $query:ident, $sql:expr, [$($bound:expr),*], $values:expr) => {
        async {
            let first = 1 + <[&str]>::len(&[$(stringify!($bound)),*]);
            let mut found = Vec::new();
            for some in $values.chunks($crate::store::NAMED) {
                let sql = $sql.replace("{}", &$crate::store::places(some.len(), first));
                let mut rows: Vec<_> = $crate::store::on!($tx, |conn| {
                    let mut query = sqlx::$query(sqlx::AssertSqlSafe(sql))$(.bind($bound))*;
                    for value in some {
                        query = query.bind(value);
                    }
                    query.fetch_all(conn).await
                })?;
                found.append(&mut rows);
            }
            Ok::<_, $crate::error::Error>(found)
        }
        .await
    };
}
use on_many;

impl Store {
    /// Opens the database that `url` names, `sqlite://FILE` or `postgres://…`, and brings it up to date.
    ///
    /// # Errors
    /// Invalid for another kind of URL, Conflict where another process holds the SQLite file, Unavailable where it can't
    /// be reached, Denied where the credentials are refused.
    pub async fn open(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(Path::new(path.trim_start_matches("//"))).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url).await
        } else {
            Err(
                Error::invalid(format!("'{}' is not a database's URL", without_password(url)))
                    .hint("write sqlite:///path/to/mastic.db or postgres://user:password@host/database"),
            )
        }
    }

    fn of(pool: Pool) -> Self {
        Self {
            pool,
            statements: Arc::default(),
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self> {
        let version = libsqlite3_version();
        if version < MIN_SQLITE {
            return Err(Error::internal(format!(
                "this binary was built with SQLite {version}, which may lose committed data (the WAL-reset bug)"
            ))
            .hint("build it with SQLite 3.51.3 or later"));
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|cause| {
                Error::unavailable(format!("can't make the folder {}: {cause}", folder.display()))
            })?;
        }
        let lock = lock_file(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let open = |cause: sqlx::Error| {
            Error::unavailable(format!("can't open the database {}", path.display())).source(cause)
        };
        // Made once, here: a connection that is opened later must not make another file where this one was removed.
        let first = options.clone().create_if_missing(true).connect().await;
        first.map_err(open)?.close().await.map_err(open)?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(async move { Ok(is_outside_transactions(connection)) }))
            // Partitions are indexed at places all over a large index: it should fit, in KiB.
            .connect_with(options.clone().pragma("cache_size", "-65536"))
            .await
            .map_err(open)?;
        SQLITE_MIGRATIONS.run(&writer).await.map_err(migration_error)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(async move { Ok(is_outside_transactions(connection)) }))
            .connect_with(options.pragma("query_only", "ON").pragma("cache_size", "-8192"))
            .await
            .map_err(open)?;
        let store = Self::of(Pool::Sqlite {
            writer,
            readers,
            changes: Arc::default(),
            file: Arc::new(File::opened(path, lock)?),
        });
        store.bring_up_to_date().await?;
        Ok(store)
    }

    async fn open_postgres(url: &str) -> Result<Self> {
        let shown = without_password(url);
        let options = PgConnectOptions::from_str(url)
            .map_err(|cause| Error::invalid(format!("'{shown}' is not a database's URL")).source(cause))?
            .application_name("mastic")
            .options([
                ("lock_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "60s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.clone())
            .await
            .map_err(|cause| {
                Error::unavailable(format!("can't reach the database {shown}: {cause}"))
                    .hint("is PostgreSQL running there, and may this user connect?")
            })?;
        POSTGRES_MIGRATIONS.run(&pool).await.map_err(migration_error)?;
        let looks = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(5))
            // One round trip instead of two: who looks tries again where the connection was broken.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let store = Self::of(Pool::Postgres { pool, looks });
        store.bring_up_to_date().await?;
        Ok(store)
    }

    /// What SQL alone can't migrate.
    async fn bring_up_to_date(&self) -> Result<()> {
        let mut tx = self.write().await?;
        partitions::put_earlier_in_order(&mut tx).await?;
        search::put_missing(&mut tx).await?;
        crawl_plans::sum_up_earlier(&mut tx).await?;
        tx.commit().await
    }

    /// Whether this is SQLite: then no other process works on the same database.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.pool, Pool::Sqlite { .. })
    }

    /// A consistent view, for reads of several statements.
    ///
    /// # Errors
    /// Unavailable where the database can't be reached.
    pub async fn read(&self) -> Result<Read> {
        let database = match &self.pool {
            Pool::Sqlite { readers, .. } => readers
                .begin()
                .await
                .map(|tx| Database::Sqlite(Held::Transaction(tx))),
            Pool::Postgres { pool, .. } => pool
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(|tx| Database::Postgres(Held::Transaction(tx))),
        };
        Ok(Read::new(self.look_at(database.map_err(database_error)?)))
    }

    /// For reads of a single statement, which needs no transaction around it to be consistent: cheaper than
    /// [`Store::read`], as it goes to the database once instead of four times. Its connection may have broken unnoticed, so
    /// that who finds the database unavailable reads again.
    ///
    /// # Errors
    /// Unavailable where the database can't be reached.
    pub async fn look(&self) -> Result<Look> {
        let database = match &self.pool {
            Pool::Sqlite { readers, .. } => readers
                .acquire()
                .await
                .map(|held| Database::Sqlite(Held::Look(held))),
            Pool::Postgres { looks, .. } => looks
                .acquire()
                .await
                .map(|held| Database::Postgres(Held::Look(held))),
        };
        Ok(self.look_at(database.map_err(database_error)?))
    }

    /// A change of what isn't in the catalog: tasks, events, runs, crawls, logs. Nothing happens unless it is committed.
    ///
    /// # Errors
    /// Unavailable where the database can't be reached.
    pub async fn note(&self) -> Result<Note> {
        let (database, writing) = match &self.pool {
            Pool::Sqlite {
                writer,
                changes,
                file,
                ..
            } => {
                file.check()?;
                let tx = writer.begin_with("BEGIN IMMEDIATE").await;
                let database = tx.map(|tx| Database::Sqlite(Held::Transaction(tx)));
                (database, Some(changes))
            }
            Pool::Postgres { pool, .. } => {
                let tx = pool.begin().await;
                (tx.map(|tx| Database::Postgres(Held::Transaction(tx))), None)
            }
        };
        let read = Read::new(self.look_at(database.map_err(database_error)?));
        Ok(Note::new(read, writing.map(Writing::begun)))
    }

    /// A change of the catalog, and of anything else with it. Nothing happens unless it is committed.
    ///
    /// # Errors
    /// Unavailable where the database can't be reached.
    pub async fn write(&self) -> Result<Write> {
        self.note().await.map(Write::new)
    }

    fn look_at(&self, database: Database) -> Look {
        Look::new(database, Arc::clone(&self.statements))
    }

    /// How many statements were sent to the database since it was opened.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Writes something that nobody needs, to see whether the database can be written. Where a write of ours is under way
    /// there is nothing to be tried.
    ///
    /// # Errors
    /// As any write.
    pub async fn try_write(&self, clock: &dyn Clock) -> Result<()> {
        const SQL: &str =
            "INSERT INTO readiness (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        if let Pool::Sqlite { changes, file, .. } = &self.pool {
            file.check()?;
            if changes.is_being_written() {
                return Ok(());
            }
        }
        let mut tx = self.note().await?;
        on!(&mut tx, |conn| sqlx::query(SQL)
            .bind(clock.now())
            .execute(conn)
            .await
            .map(drop))?;
        tx.commit().await
    }

    /// How many commits changed the catalog, where every change passes through this process: on SQLite.
    pub fn changes(&self) -> Option<u64> {
        match &self.pool {
            Pool::Sqlite { changes, .. } => Some(changes.counted()),
            Pool::Postgres { .. } => None,
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres { pool, looks } => {
                looks.close().await;
                pool.close().await;
            }
        }
    }
}

/// Whether a connection is in the state that a new transaction needs. After a full disk SQLite has undone a transaction by
/// itself, and the driver believes to be inside it for ever: such a connection is closed instead of used again.
fn is_outside_transactions(connection: &SqliteConnection) -> bool {
    !sqlx::Connection::is_in_transaction(connection)
}

fn libsqlite3_version() -> i32 {
    libsqlite3_sys::SQLITE_VERSION_NUMBER
}

/// `$2, $3`: places for so many values, numbered from `first`.
fn places(count: usize, first: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|at| format!("${at}")).collect();
    places.join(", ")
}

/// Keeps others that write a row, or hold it, out of it until the transaction ends. SQLite has one writer anyhow: it is
/// asked nothing.
async fn hold_row(tx: &mut Note, sql: &'static str, name: &str) -> Result<()> {
    if tx.pick(true, false) {
        return Ok(());
    }
    on!(tx, |conn| sqlx::query(sql)
        .bind(name)
        .fetch_optional(conn)
        .await
        .map(drop))
}

/// The id that a page of the newest goes on before: ids are hexadecimal, so this text is behind them all.
fn behind_every_id(page: &PageRequest) -> String {
    page.after.clone().unwrap_or_else(|| "~".to_owned())
}
