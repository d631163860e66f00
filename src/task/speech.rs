//! What a child says to its parent, and asks of it.

use std::io::{BufRead, Write};

use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::Message;
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

/// Asks the parent something, and reads its answer, one line. One question is asked at a time.
///
/// # Errors
/// Internal where there is none.
pub(super) async fn ask<T: DeserializeOwned + Send + 'static>(question: &Message) -> Result<T> {
    static ASKING: Mutex<()> = Mutex::const_new(());
    let asking = ASKING.lock().await;
    say(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map(|_| line)
    });
    let line = answer
        .await
        .map_err(|cause| Error::internal("the server's answer was lost").source(cause))?
        .map_err(|cause| Error::internal("the server did not answer").source(cause))?;
    drop(asking);
    serde_json::from_str(&line)
        .map_err(|cause| Error::internal("the server's answer can't be read").source(cause))
}
