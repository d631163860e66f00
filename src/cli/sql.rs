//! `mastic sql`

use std::io::BufRead;

use clap::Args;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::output::Format;
use super::{Global, Outcome, output};
use crate::api::Problem;
use crate::error::{Error, Result};

/// Query catalogued tables.
#[derive(Debug, Args)]
pub(super) struct Sql {
    /// One SELECT; tables are written as database.table
    query: String,
    /// The most rows
    #[arg(long, default_value_t = 1000)]
    limit: usize,
}

impl Sql {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        let request = json!({ "query": self.query, "limit": self.limit });
        let client = Client::new(global);
        let mut lines = client.post_for_lines("/sql", &request)?;
        let head = next_line(&mut lines)?;
        let mut printer = Printer::new(global.output, names(&head));
        let end = loop {
            match next_line(&mut lines)? {
                Value::Array(row) => printer.row(row),
                end => break end,
            }
        };
        if let Ok(problem) = serde_json::from_value::<Problem>(end["error"].clone()) {
            return Err(problem.into_error().within("the rows that came are not all"));
        }
        if !end["rows"].is_u64() {
            return Err(broken_off());
        }
        printer.finish();
        let more = if end["truncated"] == true {
            ", and there are more (--limit)"
        } else {
            ""
        };
        output::say(
            global.quiet,
            &format!("{} rows in {} ms{more}", end["rows"], end["elapsed_ms"]),
        );
        for remark in end["remarks"].as_array().into_iter().flatten() {
            output::say(global.quiet, remark.as_str().unwrap_or_default());
        }
        Ok(Outcome::Done)
    }
}

/// The answer's next line. A row may break off: then the reason is on the line that follows, and nothing else.
fn next_line(lines: &mut impl BufRead) -> Result<Value> {
    match read_line(lines)? {
        Some(value) => Ok(value),
        None => read_line(lines)?
            .filter(|value| value["error"].is_object())
            .ok_or_else(broken_off),
    }
}

/// A line; nothing where it isn't whole.
fn read_line(lines: &mut impl BufRead) -> Result<Option<Value>> {
    let mut line = String::new();
    match lines.read_line(&mut line) {
        Ok(1..) => Ok(serde_json::from_str(&line).ok()),
        Ok(0) | Err(_) => Err(broken_off()),
    }
}

fn broken_off() -> Error {
    Error::internal("the answer broke off before its end, so the rows that came are not all")
        .hint("ask again; the server's log may say why")
}

fn names(head: &Value) -> Vec<String> {
    let columns = head["columns"].as_array().into_iter().flatten();
    columns
        .filter_map(|column| column["name"].as_str().map(ToOwned::to_owned))
        .collect()
}

/// Prints rows as they come; a table is printed when all of them are there, because its widths depend on them.
struct Printer {
    format: Format,
    names: Vec<String>,
    printed: usize,
    cells: Vec<Vec<String>>,
}

impl Printer {
    fn new(format: Format, names: Vec<String>) -> Self {
        if format == Format::Csv {
            output::rows_of(format, &titles(&names), &[]);
        }
        Self {
            format,
            names,
            printed: 0,
            cells: Vec::new(),
        }
    }

    fn row(&mut self, row: Vec<Value>) {
        match self.format {
            Format::Table => self.cells.push(row.iter().map(output::cell).collect()),
            Format::Csv => output::csv_line(row.iter().map(output::cell)),
            Format::Jsonl => output::data(&self.object(row).to_string()),
            Format::Json => {
                let before = if self.printed == 0 { "[\n" } else { ",\n" };
                let item = serde_json::to_string_pretty(&self.object(row)).unwrap_or_default();
                output::text(&format!("{before}  {}", item.replace('\n', "\n  ")));
            }
        }
        self.printed += 1;
    }

    fn finish(self) {
        match self.format {
            Format::Table => output::rows_of(self.format, &titles(&self.names), &self.cells),
            Format::Json if self.printed == 0 => output::data("[]"),
            Format::Json => output::data("\n]"),
            Format::Csv | Format::Jsonl => {}
        }
    }

    fn object(&self, row: Vec<Value>) -> Value {
        Value::Object(self.names.iter().cloned().zip(row).collect::<Map<_, _>>())
    }
}

fn titles(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
