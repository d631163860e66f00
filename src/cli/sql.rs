//! `mastic sql`

use clap::Args;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::{Global, Outcome, output};
use crate::error::Error;

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
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let result =
            Client::new(global).post("/sql", &json!({ "query": self.query, "limit": self.limit }))?;
        let names: Vec<&str> = result["columns"]
            .as_array()
            .map(|columns| {
                columns
                    .iter()
                    .filter_map(|column| column["name"].as_str())
                    .collect()
            })
            .unwrap_or_default();
        let rows: Vec<&Vec<Value>> = result["rows"]
            .as_array()
            .map(|rows| rows.iter().filter_map(Value::as_array).collect())
            .unwrap_or_default();
        match global.output {
            output::Format::Table | output::Format::Csv => {
                let cells: Vec<Vec<String>> = rows
                    .iter()
                    .map(|row| row.iter().map(output::cell).collect())
                    .collect();
                output::rows_of(global.output, &names, &cells);
            }
            _ => {
                let object = |row: &&Vec<Value>| {
                    let pairs = names
                        .iter()
                        .map(|name| (*name).to_owned())
                        .zip(row.iter().cloned());
                    Value::Object(pairs.collect::<Map<_, _>>())
                };
                output::list(global.output, &rows.iter().map(object).collect::<Vec<_>>(), &[]);
            }
        }
        let more = if result["truncated"] == true {
            ", and there are more (--limit)"
        } else {
            ""
        };
        output::say(
            global.quiet,
            &format!("{} rows in {} ms{more}", rows.len(), result["elapsed_ms"]),
        );
        Ok(Outcome::Done)
    }
}
