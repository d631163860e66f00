//! `mastic tasks`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::{Global, Outcome, output};
use crate::error::Error;

/// Background work.
#[derive(Debug, Subcommand)]
pub(super) enum Tasks {
    /// List tasks, the newest first
    List {
        /// Only what failed for good
        #[arg(long)]
        failed: bool,
    },
    /// Show a task
    Show {
        /// Its id
        id: String,
    },
    /// Try again what failed for good
    Retry(Retry),
    /// Take a task that failed for good off the list: it has been seen to
    Settle {
        /// Its id
        id: String,
    },
}

/// Which tasks are tried again.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Retry {
    /// Its id
    id: Option<String>,
    /// Every task that failed for good
    #[arg(long)]
    all_failed: bool,
}

impl Tasks {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List { failed } => {
                let path = if failed { "/tasks?state=failed" } else { "/tasks" };
                let columns = [
                    ("id", "id"),
                    ("kind", "kind"),
                    ("state", "state"),
                    ("job", "job"),
                    ("about", "about"),
                    ("attempt", "attempt"),
                    ("due", "due_at"),
                    ("error", "error"),
                ];
                output::list(global.output, &client.all(path)?, &columns);
            }
            Self::Show { id } => {
                output::item(global.output, &client.get(&format!("/tasks/{}", segment(&id)))?);
            }
            Self::Retry(Retry { id: Some(id), .. }) => {
                retry(&client, &id)?;
                output::say(global.quiet, "it will be tried again");
            }
            Self::Retry(Retry { id: None, .. }) => {
                let failed = client.all("/tasks?state=failed")?;
                for task in &failed {
                    retry(&client, task["id"].as_str().unwrap_or_default())?;
                }
                output::say(global.quiet, &format!("{} will be tried again", failed.len()));
            }
            Self::Settle { id } => {
                client.post(&format!("/tasks/{}/settle", segment(&id)), &json!({}))?;
                output::say(global.quiet, "settled");
            }
        }
        Ok(Outcome::Done)
    }
}

fn retry(client: &Client, id: &str) -> Result<Value, Error> {
    client.post(&format!("/tasks/{}/retry", segment(id)), &json!({}))
}
