//! What a child says to its parent, and asks of it.

use std::io::{BufRead, Write};

use super::{Message, Tables};
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

/// Says one line to the parent. Where nobody listens any more there is nothing left to do.
pub(super) fn say(message: &Message) {
    let mut stdout = std::io::stdout().lock();
    let written = serde_json::to_writer(&mut stdout, message)
        .map_err(std::io::Error::from)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush());
    if written.is_err() {
        std::process::exit(1);
    }
}

/// Says a piece of a query's rows.
pub(super) fn say_rows(text: &[u8]) {
    say(&Message::Rows {
        length: text.len(),
        text: Vec::new(),
    });
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Adds a line to the run's log.
pub(super) fn log(level: LogLevel, message: impl Into<String>) {
    say(&Message::Log {
        level,
        message: message.into(),
    });
}

/// Asks the parent for the tables of a query.
pub(super) fn ask_for_tables(names: Vec<String>) -> Result<Tables> {
    say(&Message::NeedTables { names });
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|cause| Error::internal("the server did not answer").source(cause))?;
    serde_json::from_str(&line)
        .map_err(|cause| Error::internal("the server's answer can't be read").source(cause))
}
