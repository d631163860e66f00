//! `mastic events`

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::{Global, Outcome, output};
use crate::error::Error;

/// What arrived, and what became of it.
#[derive(Debug, Subcommand)]
pub(super) enum Events {
    /// List events, the newest first
    List {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// List subscriptions of SNS that wait for somebody to confirm them, by visiting the address
    Confirmations,
    /// Have what events told of acted on again, in the versions of the objects that are there now
    Replay {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

impl Events {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let limit = match self {
            Self::List { limit } => limit,
            Self::Replay { ids } => return replay(global, &ids),
            Self::Confirmations => {
                let waiting = Client::new(global).get("/events/confirmations")?;
                let columns = [
                    ("topic", "topic"),
                    ("received", "received_at"),
                    ("address", "url"),
                ];
                let waiting = waiting["items"].as_array().cloned().unwrap_or_default();
                output::list(global.output, &waiting, &columns);
                return Ok(Outcome::Done);
            }
        };
        let page = Client::new(global).get(&format!("/events?limit={limit}"))?;
        let events: Vec<Value> = page["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|event| {
                let mut event = event.clone();
                let what = |outcome: &Value| {
                    let parts = ["trigger", "state", "run", "detail"];
                    parts
                        .iter()
                        .filter_map(|part| outcome[part].as_str())
                        .collect::<Vec<_>>()
                        .join(" ")
                };
                let became: Vec<String> = event["outcomes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(what)
                    .collect();
                event["became"] = Value::String(became.join("; "));
                event
            })
            .collect();
        let columns = [
            ("received", "received_at"),
            ("kind", "kind"),
            ("bucket", "bucket"),
            ("key", "key"),
            ("became", "became"),
        ];
        output::list(global.output, &events, &columns);
        Ok(Outcome::Done)
    }
}

fn replay(global: &Global, ids: &[String]) -> Result<Outcome, Error> {
    let client = Client::new(global);
    for id in ids {
        let event = client.post(&format!("/events/{}/replay", segment(id)), &json!({}))?;
        output::data(event["id"].as_str().unwrap_or_default());
    }
    Ok(Outcome::Done)
}
