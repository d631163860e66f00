//! A connection: where data comes from, and how to get there. Some of it is secret: no log tells it, and no wire but to
//! those who may see it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::database_url::without_password;
use crate::model::table::Parameters;

/// What stands in the name of a setting that is a secret.
const SECRET: [&str; 3] = ["PASSWORD", "SECRET_KEY", "TOKEN"];

/// What a client says of a connection.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionInput {
    /// The name.
    pub name: String,
    /// `JDBC`, `NETWORK`, `KAFKA` and the like.
    pub connection_type: String,
    /// The settings, `JDBC_CONNECTION_URL` and the like; passwords among them.
    #[serde(default)]
    pub properties: Parameters,
    /// Whatever else was said, kept to be given back.
    #[serde(default)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl ConnectionInput {
    /// Each setting as those see it who may see no secrets: nothing of one that is a secret, and addresses without the
    /// password in them.
    pub fn without_secrets(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        self.properties.iter().map(|(name, value)| {
            let is_secret = SECRET.iter().any(|word| name.contains(word));
            (name.as_str(), (!is_secret).then(|| without_password(value)))
        })
    }
}

impl fmt::Debug for ConnectionInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let properties: Vec<_> = self.without_secrets().collect();
        f.debug_struct("ConnectionInput")
            .field("name", &self.name)
            .field("connection_type", &self.connection_type)
            .field("properties", &properties)
            .finish_non_exhaustive()
    }
}

/// A connection in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// What was said of it.
    pub input: ConnectionInput,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown_or_written_to_a_log() {
        let settings = [
            ("PASSWORD", "5ecret"),
            ("ENCRYPTED_PASSWORD", "5ecret"),
            ("KAFKA_CLIENT_KEYSTORE_PASSWORD", "5ecret"),
            (
                "JDBC_CONNECTION_URL",
                "jdbc:postgresql://ada:5ecret@db:5432/shop?user=ada&password=5ecret&ssl=true",
            ),
            ("OTHER_URL", "jdbc:sqlserver://db;Password=5ecret;encrypt=true"),
            ("USERNAME", "ada"),
        ];
        let input = ConnectionInput {
            name: "shop".to_owned(),
            connection_type: "JDBC".to_owned(),
            properties: settings
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            other: serde_json::from_str(r#"{"AuthenticationConfiguration": {"Key": "5ecret"}}"#).unwrap(),
        };
        let written = format!("{input:?}");
        assert!(
            !written.contains("5ecret") && written.contains("ada"),
            "{written}"
        );
        let shown: Vec<_> = input.without_secrets().collect();
        let shown = |name: &str| shown.iter().find(|(other, _)| *other == name).unwrap().1.clone();
        assert_eq!(shown("PASSWORD"), None);
        assert_eq!(shown("USERNAME").as_deref(), Some("ada"));
        assert_eq!(
            shown("JDBC_CONNECTION_URL").as_deref(),
            Some("jdbc:postgresql://ada@db:5432/shop?user=ada&password=***&ssl=true")
        );
        assert_eq!(
            shown("OTHER_URL").as_deref(),
            Some("jdbc:sqlserver://db;Password=***;encrypt=true")
        );
    }
}
