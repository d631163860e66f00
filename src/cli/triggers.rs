//! `mastic triggers`

use clap::Subcommand;
use serde_json::json;

use super::client::{Client, segment};
use super::parameters::{key_value, object};
use super::{Global, Outcome, output};
use crate::error::Error;

/// What starts jobs by itself.
#[derive(Debug, Subcommand)]
pub(super) enum Triggers {
    /// List triggers
    List,
    /// Show a trigger
    Show {
        /// Its name
        name: String,
    },
    /// Start a run, as if the trigger had fired
    Fire {
        /// Its name
        name: String,
        /// A parameter, as key=value; may be given again
        #[arg(long = "param", value_parser = key_value)]
        parameters: Vec<(String, String)>,
    },
}

impl Triggers {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List => {
                let columns = [("name", "name"), ("job", "job"), ("on", "on"), ("match", "match")];
                output::list(global.output, &client.all("/triggers")?, &columns);
            }
            Self::Show { name } => {
                output::item(
                    global.output,
                    &client.get(&format!("/triggers/{}", segment(&name)))?,
                );
            }
            Self::Fire { name, parameters } => {
                let body = json!({ "parameters": object(parameters) });
                let run = client.post(&format!("/triggers/{}/fire", segment(&name)), &body)?;
                output::data(run["id"].as_str().unwrap_or_default());
            }
        }
        Ok(Outcome::Done)
    }
}
