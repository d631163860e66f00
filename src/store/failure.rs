//! What a database's failures mean in our words.

use crate::error::{Error, ErrorKind};

/// What a failed migration means to whoever starts the program.
pub(super) fn migration_error(cause: sqlx::migrate::MigrateError) -> Error {
    let error = match &cause {
        sqlx::migrate::MigrateError::VersionMissing(version) => Error::conflict(format!(
            "the database is newer than this binary: it has migration {version}"
        ))
        .hint("use the binary that made it, or a later one"),
        _ => Error::unavailable(format!("the database can't be brought up to date: {cause}")),
    };
    error.source(cause)
}

/// What a failure of the database means to its caller.
pub(super) fn database_error(cause: sqlx::Error) -> Error {
    let error = match &cause {
        sqlx::Error::Database(error) if error.is_unique_violation() => {
            Error::already_exists("it exists already")
        }
        sqlx::Error::Database(error) if error.is_foreign_key_violation() => {
            Error::not_found("what it refers to doesn't exist")
        }
        sqlx::Error::Database(error) => of_code(error.code().as_deref().unwrap_or_default(), is_sqlite(&**error)),
        sqlx::Error::PoolTimedOut
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        // A connection whose transaction is in an unknown state; it is closed, and the next one is new.
        | sqlx::Error::BeginFailed
        | sqlx::Error::InvalidSavePointStatement => unreachable_database(),
        _ => Error::internal("the database failed"),
    };
    error.source(cause)
}

fn is_sqlite(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
}

fn unreachable_database() -> Error {
    Error::unavailable("the database can't be reached")
}

/// A failure by the code of SQLite (of which the lower eight bits matter), or PostgreSQL's SQLSTATE.
fn of_code(code: &str, is_sqlite: bool) -> Error {
    let primary = code.parse::<u32>().map_or(0, |code| code & 0xff);
    match (is_sqlite, primary, code) {
        (true, 5 | 6, _) => Error::unavailable("the database is locked by another process")
            .hint("end what else has the file open, such as a backup or a shell"),
        (true, 8, _) => Error::unavailable("the database can't be written: it is read-only")
            .hint("check the file's permissions, and whether its file system is mounted read-only"),
        (true, 10, _) => {
            Error::unavailable("the database can't be read or written: its disk fails or is full")
                .hint("make room, and check the disk; nothing was changed")
        }
        (true, 13, _) | (false, _, "53100") => {
            Error::unavailable("there is no room for the database: its disk is full")
                .hint("make room; nothing was changed, and the next write works by itself")
        }
        (true, 14, _) => Error::unavailable("the database's file can't be opened")
            .hint("check that it is there, and may be read and written"),
        // Serialisation failures and deadlocks: nothing happened, and trying again helps.
        (false, _, "40001" | "40P01" | "55P03") => {
            Error::new(ErrorKind::Conflict, "the database was changing the same thing")
        }
        (false, _, "25006") => Error::unavailable("the database can't be written: it is read-only just now"),
        (false, _, "57P01" | "57P02" | "57P03" | "57P05" | "25P03") => unreachable_database(),
        // A text with a NUL in it, or one that is no UTF-8; an index entry or a row that is too long.
        (false, _, "22021" | "22P05") => {
            Error::invalid("a text has a character that the database can't hold")
                .hint("leave out NUL characters and what is no UTF-8")
        }
        (false, _, "54000") => Error::limit("a text is too long for the database to find it again")
            .hint("shorten the name, the key or the value"),
        // Connection exceptions, resources that ran out, and failures of the system under it.
        (false, _, code) if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => {
            unreachable_database()
        }
        _ => Error::internal("the database failed"),
    }
}
