//! What is worth saying of the rows that were read: values that didn't fit, rows of other widths, files left out. Each kind
//! is counted, with one example.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// How many kinds are told apart for each table.
const MOST_KINDS: usize = 1000;
/// How many files with remarks are told apart.
const MOST_FILES: usize = 100_000;
/// The longest value that an example shows, in characters.
const EXAMPLE_CHARS: usize = 60;

/// A kind of remark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A value that doesn't fit the type of its column.
    Misfit {
        /// The column's name.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A value that loses something where it is read as its column's type.
    Loss {
        /// The column's name.
        column: String,
        /// What it loses.
        what: &'static str,
    },
    /// A row with more fields than the file has columns; of which file, where each is told by itself.
    Longer(Option<String>),
    /// A row with fewer.
    Shorter(Option<String>),
    /// Text that is no row.
    NoRow,
    /// A line that a table's pattern doesn't match.
    NoMatch,
    /// A file that isn't read.
    LeftOut,
}

/// The remarks on one table.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    kinds: BTreeMap<Kind, (u64, String)>,
    /// By kind and file, so that a table that is read twice says nothing twice.
    files: HashSet<(Kind, String)>,
}

impl Remarks {
    /// Counts something of a file `count` times; `example` says where the first was and what.
    pub(super) fn add(&self, kind: Kind, file: &str, count: u64, example: impl FnOnce() -> String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.files.len() < MOST_FILES && !said.files.insert((kind.clone(), file.to_owned())) {
            return;
        }
        if let Some((counted, _)) = said.kinds.get_mut(&kind) {
            *counted += count;
        } else if said.kinds.len() < MOST_KINDS {
            said.kinds.insert(kind, (count, example()));
        }
    }

    /// Sentences for people; `table` is what it is called.
    pub(super) fn sentences(&self, table: &str) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.kinds
            .iter()
            .map(|(kind, (count, example))| sentence(table, kind, *count, example))
            .collect()
    }
}

fn sentence(table: &str, kind: &Kind, count: u64, example: &str) -> String {
    let counted = |one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    };
    match kind {
        Kind::Misfit { column, data_type } => format!(
            "{table}.{column}: {} no {data_type}, and NULL here: {example}",
            counted("value is", "values are")
        ),
        Kind::Loss { column, what } => format!("{table}.{column}: {what}: {example}"),
        Kind::Longer(file) => format!(
            "{table}: {}{} more fields than there are columns, and what is too much is left out: {example}",
            counted("row", "rows"),
            of_file(file, count)
        ),
        Kind::Shorter(file) => format!(
            "{table}: {}{} fewer fields than there are columns, and what is missing is NULL: {example}",
            counted("row", "rows"),
            of_file(file, count)
        ),
        Kind::NoMatch => format!(
            "{table}: {} NULL, because {example}",
            counted("row is", "rows are")
        ),
        Kind::NoRow => format!(
            "{table}: {} left out, because it can't be read: {example}",
            counted("row is", "rows are")
        ),
        Kind::LeftOut => format!("{table}: {} left out: {example}", counted("file is", "files are")),
    }
}

fn of_file(file: &Option<String>, count: u64) -> String {
    let have = if count == 1 { "has" } else { "have" };
    match file {
        Some(file) => format!(" of {file} {have}"),
        None => format!(" {have}"),
    }
}

/// A value as an example shows it.
pub(super) fn shown(value: &str) -> String {
    let mut letters = value.chars();
    let mut shown: String = letters.by_ref().take(EXAMPLE_CHARS).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}
