//! Printing: data as a table, JSON, JSON lines or CSV on stdout; everything else on stderr.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde_json::Value;

use crate::error::Error;

const BOLD_RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One JSON document a line
    Jsonl,
    /// Comma-separated, with a header
    Csv,
}

/// A column of a printed list: its title, and where its value is in an item, `a/b` for nested ones.
pub(super) type ListColumn = (&'static str, &'static str);

/// Prints an error, and after `hint:` what to do.
pub(super) fn print_error(error: &Error) {
    anstream::eprintln!("{BOLD_RED}error:{BOLD_RED:#} {}{}", error.message, error.causes());
    if let Some(hint) = &error.hint {
        anstream::eprintln!("{CYAN}hint:{CYAN:#} {hint}");
    }
}

/// Prints one line of data.
pub(super) fn data(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A reader that left, as `head` does, is no failure.
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n'));
}

/// Prints text as it is.
pub(super) fn text(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints cells as a line of CSV.
pub(super) fn csv_line(cells: impl Iterator<Item = String>) {
    data(&cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(","));
}

/// Prints a message for people.
pub(super) fn say(quiet: bool, text: &str) {
    if !quiet {
        anstream::eprintln!("{text}");
    }
}

/// Prints one item.
pub(super) fn item(format: Format, value: &Value) {
    match format {
        Format::Jsonl => data(&value.to_string()),
        Format::Json => data(&serde_json::to_string_pretty(value).unwrap_or_default()),
        Format::Table | Format::Csv => {
            let rows: Vec<Vec<String>> = match value {
                Value::Object(map) => map
                    .iter()
                    .map(|(key, value)| vec![key.clone(), cell(value)])
                    .collect(),
                other => vec![vec!["value".to_owned(), cell(other)]],
            };
            rows_of(format, &["field", "value"], &rows);
        }
    }
}

/// Prints a list.
pub(super) fn list(format: Format, items: &[Value], columns: &[ListColumn]) {
    match format {
        Format::Json => data(&serde_json::to_string_pretty(items).unwrap_or_default()),
        Format::Jsonl => items.iter().for_each(|item| data(&item.to_string())),
        Format::Table | Format::Csv => {
            let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
            let rows: Vec<Vec<String>> = items
                .iter()
                .map(|item| {
                    columns
                        .iter()
                        .map(|(_, path)| cell(item.pointer(&format!("/{path}")).unwrap_or(&Value::Null)))
                        .collect()
                })
                .collect();
            rows_of(format, &titles, &rows);
        }
    }
}

/// Prints rows under titles.
pub(super) fn rows_of(format: Format, titles: &[&str], rows: &[Vec<String>]) {
    if format == Format::Csv {
        csv_line(titles.iter().map(|title| (*title).to_owned()));
        for row in rows {
            csv_line(row.iter().cloned());
        }
        return;
    }
    let mut table = comfy_table::Table::new();
    table
        .load_preset(comfy_table::presets::NOTHING)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_header(titles.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
    }
    data(&table.trim_fmt());
}

/// A value in a table's cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("{key}={}", cell(value)))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

/// Text that somebody else wrote may hold codes that a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
