//! Settings of retention: how long what happened is kept.

use std::time::Duration;

use serde::Deserialize;

use super::{Picker, span};
use crate::error::{Error, Result};

/// How long each kind of thing is kept once it is over; without end where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepConfig {
    /// Events, with what triggers made of them.
    pub events: Option<Duration>,
    /// Runs, with their logs.
    pub runs: Option<Duration>,
    /// Crawls, with their plans and what undoes them.
    pub crawls: Option<Duration>,
}

/// `[keep]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileKeep {
    events: Option<String>,
    runs: Option<String>,
    crawls: Option<String>,
}

pub(super) fn resolve(picker: &mut Picker<'_>, file: FileKeep) -> Result<KeepConfig> {
    let mut kept = |name, file, default| {
        let text = picker
            .pick(name, None, None, file, Some(default))
            .unwrap_or_default();
        match (text.as_str(), span(&text)) {
            ("forever", _) => Ok(None),
            (_, Some(span)) => Ok(Some(span)),
            _ => Err(Error::invalid(format!("{name} is '{text}'")).hint("write 12h, 30d or forever")),
        }
    };
    Ok(KeepConfig {
        events: kept("keep.events", file.events, "30d")?,
        runs: kept("keep.runs", file.runs, "90d")?,
        crawls: kept("keep.crawls", file.crawls, "90d")?,
    })
}
