//! Records to columns: what every value of a table was, and the names its columns get.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::header::names_split_otherwise;
use super::records::Record;
use crate::column::ColumnSummary;
use crate::encoding::single_byte;
use crate::limits::NAME_BYTES;
use crate::{Column, DataType};

/// What the values of a table were. Its size depends on the width of the table, not on its length.
#[derive(Debug, Default)]
pub(crate) struct TableSummary {
    columns: Vec<ColumnSummary>,
    rows: u64,
    /// How many rows had how many fields; the place is the number of fields.
    widths: Vec<u64>,
    raw_bytes: u64,
}

impl TableSummary {
    pub(crate) fn observe(&mut self, record: &Record) {
        self.rows += 1;
        self.raw_bytes += record.raw_bytes as u64;
        if self.widths.len() <= record.len() {
            self.widths.resize(record.len() + 1, 0);
        }
        self.widths[record.len()] += 1;
        while self.columns.len() < record.len() {
            self.columns.push(ColumnSummary::default());
        }
        for (summary, field) in self.columns.iter_mut().zip(record.fields()) {
            summary.observe(&text_of(field), self.rows);
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn raw_bytes(&self) -> u64 {
        self.raw_bytes
    }

    /// The most common number of fields; the greater of two equally common ones.
    pub(crate) fn width(&self) -> usize {
        self.widths
            .iter()
            .enumerate()
            .max_by_key(|(width, rows)| (**rows, *width))
            .map_or(0, |(width, _)| width)
    }

    /// Rows with fewer and with more fields than `width`.
    pub(crate) fn ragged(&self, width: usize) -> (u64, u64) {
        let short: u64 = self.widths.iter().take(width).sum();
        let long: u64 = self.widths.iter().skip(width + 1).sum();
        (short, long)
    }

    /// A column's summary, with the rows too short for it counted as nulls.
    pub(crate) fn column(&self, at: usize) -> ColumnSummary {
        let mut summary = self.columns.get(at).cloned().unwrap_or_default();
        summary.observe_missing(self.widths.iter().take(at + 1).sum());
        summary
    }

    /// The columns, named by the header where there is one.
    pub(crate) fn columns(&self, header: Option<&Record>) -> Vec<Column> {
        // A header counts as much as the rows: a name without values is a column, and values without a name are one
        // where most rows have them.
        let width = header.map_or(0, Record::len).max(self.width());
        let names = match header {
            Some(header) => header_names(header, width, self),
            None => vec![String::new(); width],
        };
        let names = unique_names(names);
        let mut columns: Vec<Column> = names
            .into_iter()
            .enumerate()
            .map(|(at, name)| self.column(at).column(name))
            .collect();
        // What follows the named columns and holds nothing comes of delimiters at the ends of rows.
        let named = header.map_or(width, Record::len).max(1);
        while columns.len() > named
            && columns
                .last()
                .is_some_and(|column| column.data_type == DataType::Null)
        {
            columns.pop();
        }
        columns
    }

    /// Whether the first column holds nothing twice, nor a null.
    fn first_column_names_rows(&self) -> bool {
        let first = self.column(0);
        first.count(crate::values::Kind::Null) == 0 && first.values() > 0
    }
}

fn header_names(header: &Record, width: usize, table: &TableSummary) -> Vec<String> {
    if let Some(names) = names_split_otherwise(header, width) {
        return names.iter().map(|name| clean_name(name)).collect();
    }
    let mut names: Vec<String> = header.fields().map(|cell| clean_name(&text_of(cell))).collect();
    // R leaves out the name of the row names, which come first. A trailing delimiter looks alike, but then the last
    // column is empty.
    let one_short = header.len() > 1 && header.len() + 1 == width;
    if one_short && table.column(width - 1).data_type() != DataType::Null && table.first_column_names_rows() {
        names.insert(0, String::new());
    }
    names.resize(width, String::new());
    names
}

/// The names that the cells of a header give to so many columns.
pub(crate) fn names_of(cells: &[String], width: usize) -> Vec<String> {
    let mut names: Vec<String> = cells.iter().map(|cell| clean_name(cell)).collect();
    names.resize(width, String::new());
    unique_names(names)
}

/// A field as text: UTF-8, and otherwise one character a byte.
pub(crate) fn text_of(field: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(field) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(field.iter().map(|&byte| single_byte(byte)).collect()),
    }
}

/// A header cell as a name: on one line, without surrounding blanks or control characters, and not too long.
fn clean_name(cell: &str) -> String {
    let mut name = String::new();
    for word in cell
        .split(|c: char| c.is_control() || c == '\u{feff}')
        .flat_map(|part| part.split(' '))
    {
        if !name.is_empty() && !word.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
    }
    cut(&mut name, NAME_BYTES);
    name
}

fn cut(name: &mut String, bytes: usize) {
    while name.len() > bytes {
        name.pop();
    }
}

/// Names for the nameless (`col0`), and other names for those that came before (`name_1`), without regard to case,
/// because catalogs have none.
fn unique_names(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let mut given = HashSet::new();
    // Where the count for a name goes on, so that ten thousand equal names take no longer than different ones.
    let mut next: HashMap<String, u64> = HashMap::new();
    names
        .into_iter()
        .enumerate()
        .map(|(at, name)| {
            let name = if name.is_empty() { format!("col{at}") } else { name };
            let fresh = given.insert(name.to_lowercase());
            if fresh {
                taken.insert(name.to_lowercase());
                return name;
            }
            let number = next.entry(name.to_lowercase()).or_insert(1);
            loop {
                let suffix = format!("_{number}");
                let mut other = name.clone();
                cut(&mut other, NAME_BYTES - suffix.len());
                other.push_str(&suffix);
                if taken.insert(other.to_lowercase()) {
                    given.insert(other.to_lowercase());
                    return other;
                }
                *number += 1;
            }
        })
        .collect()
}
