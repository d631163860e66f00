//! Settings of queries: how large a result may be, and how many there may be at once.

use std::time::Duration;

use serde::Deserialize;

use super::{Picker, number};
use crate::error::Result;

/// The most rows that one answer may have unless told otherwise.
const MAX_ROWS: u64 = 100_000;
/// The most bytes of them.
const MAX_BYTES: u64 = 64 << 20;
/// How many queries are at work at the same time.
const AT_ONCE: u64 = 4;
/// How many more may wait.
const QUEUE: u64 = 64;
/// How long one of them waits, in seconds.
const WAIT_SECONDS: u64 = 30;

/// What queries may use.
#[derive(Clone, Debug)]
pub struct QueryConfig {
    /// The most rows that may be asked for.
    pub max_rows: usize,
    /// The most bytes that the rows of one result may have as text.
    pub max_bytes: u64,
    /// How many are at work at the same time.
    pub at_once: usize,
    /// How many more may wait for their turn.
    pub queue: usize,
    /// How long one waits for its turn.
    pub wait: Duration,
}

/// `[query]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileQuery {
    max_rows: Option<u64>,
    max_bytes: Option<u64>,
    at_once: Option<u64>,
    queue: Option<u64>,
    wait_seconds: Option<u64>,
}

pub(super) fn resolve(picker: &mut Picker<'_>, file: &FileQuery) -> Result<QueryConfig> {
    let mut count = |name, value, default| -> Result<usize> {
        let number = number(picker, name, value, default)?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    };
    Ok(QueryConfig {
        max_rows: count("query.max_rows", file.max_rows, MAX_ROWS)?,
        at_once: count("query.at_once", file.at_once, AT_ONCE)?,
        queue: count("query.queue", file.queue, QUEUE)?,
        max_bytes: number(picker, "query.max_bytes", file.max_bytes, MAX_BYTES)?,
        wait: Duration::from_secs(number(
            picker,
            "query.wait_seconds",
            file.wait_seconds,
            WAIT_SECONDS,
        )?),
    })
}
