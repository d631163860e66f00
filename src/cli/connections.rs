//! `mastic connections`

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::client::{Client, segment};
use super::{Global, Outcome, output};
use crate::error::Error;

/// How to get to data that is elsewhere.
#[derive(Debug, Subcommand)]
pub(super) enum Connections {
    /// List connections
    List,
    /// Show a connection; passwords are left out
    Show {
        /// Its name
        connection: String,
    },
    /// Make a connection
    Create {
        /// Its name
        connection: String,
        /// JDBC, NETWORK, KAFKA and the like
        #[arg(long, default_value = "JDBC")]
        kind: String,
        /// A setting, as JDBC_CONNECTION_URL=jdbc:postgresql://host:5432/shop; may be repeated
        #[arg(long = "property", value_name = "KEY=VALUE")]
        properties: Vec<String>,
    },
    /// Try a connection: sign in to its database
    Test {
        /// Its name
        connection: String,
    },
    /// Remove a connection
    Delete {
        /// Its name
        connection: String,
    },
}

impl Connections {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        let path = |name: &str| format!("/connections/{}", segment(name));
        match self {
            Self::List => {
                let columns = [("name", "name"), ("kind", "kind"), ("created", "created_at")];
                output::list(global.output, &client.all("/connections")?, &columns);
            }
            Self::Show { connection } => output::item(global.output, &client.get(&path(&connection))?),
            Self::Create {
                connection,
                kind,
                properties,
            } => {
                let pairs: Result<Map<String, Value>, Error> = properties
                    .iter()
                    .map(|pair| {
                        let (key, value) = pair.split_once('=').ok_or_else(|| {
                            Error::invalid(format!("--property '{pair}' has no '='")).hint("write KEY=VALUE")
                        })?;
                        Ok((key.to_owned(), value.into()))
                    })
                    .collect();
                let body = json!({ "name": connection, "kind": kind, "properties": pairs? });
                output::item(global.output, &client.post("/connections", &body)?);
            }
            Self::Test { connection } => {
                let tried = client.post(&format!("{}/test", path(&connection)), &json!({}))?;
                let message = tried["message"].as_str().unwrap_or_default();
                output::say(global.quiet, &format!("connection {connection}: {message}"));
            }
            Self::Delete { connection } => {
                client.delete(&path(&connection))?;
            }
        }
        Ok(Outcome::Done)
    }
}
