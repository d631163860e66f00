//! Where a connection leads, and who asks there.

use std::fmt;

use crate::error::{Error, Result};
use crate::model::connection::ConnectionInput;
use crate::model::location::percent_decoded;
use crate::model::source::Engine;

/// The beginnings of the URLs that we can follow.
const URLS: [(&str, Engine); 4] = [
    ("jdbc:postgresql://", Engine::PostgreSql),
    ("jdbc:postgres://", Engine::PostgreSql),
    ("jdbc:mysql://", Engine::MySql),
    ("jdbc:mariadb://", Engine::MySql),
];

/// Where a database is, and who asks.
#[derive(Clone)]
pub struct Source {
    /// Its kind.
    pub engine: Engine,
    /// The database that the connection names.
    pub database: Option<String>,
    /// Who asks.
    pub user: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) password: String,
    pub(super) tls: Tls,
}

/// Whether the way to a database is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// Never.
    Off,
    /// Where the server offers it.
    IfOffered,
    /// Or else nothing is sent; whose certificate it is, is not asked.
    Required,
    /// And the certificate is the host's.
    Verified,
}

/// The kind of database that a connection leads to, where it is one that can be crawled.
pub fn engine_of(connection: &ConnectionInput) -> Option<Engine> {
    match connection.connection_type.as_str() {
        "POSTGRESQL" => Some(Engine::PostgreSql),
        "MYSQL" => Some(Engine::MySql),
        _ => {
            let url = connection.properties.get("JDBC_CONNECTION_URL")?;
            let (_, engine) = URLS.into_iter().find(|(prefix, _)| url.starts_with(prefix))?;
            Some(engine)
        }
    }
}

impl Source {
    /// What a connection leads to: `JDBC` with a URL, or `POSTGRESQL` and `MYSQL` with `HOST`, `PORT` and `DATABASE`.
    ///
    /// # Errors
    /// Invalid where its properties say too little, or name an engine that can't be read.
    pub fn of(connection: &ConnectionInput) -> Result<Self> {
        read(connection).map_err(|error| error.within(format!("connection {}", connection.name)))
    }
}

fn read(connection: &ConnectionInput) -> Result<Source> {
    let property = |key: &str| {
        let value = connection.properties.get(key).map(String::as_str);
        value.filter(|value| !value.is_empty())
    };
    let url = property("JDBC_CONNECTION_URL");
    let Some(engine) = engine_of(connection) else {
        return Err(unreadable(connection, url));
    };
    let default_port = match engine {
        Engine::PostgreSql => "5432",
        Engine::MySql => "3306",
    };
    let (host, port, database, options) = match url {
        Some(url) => {
            let rest = URLS
                .iter()
                .find_map(|(prefix, _)| url.strip_prefix(prefix))
                .ok_or_else(|| unreadable(connection, Some(url)))?;
            let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
            let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
            // Of several hosts, the first; the others stand in for it.
            let address = hosts.split(',').next().unwrap_or_default();
            let (host, port) = match address.rsplit_once(':') {
                Some((host, port)) if !port.contains(']') => (host, port),
                _ => (address, default_port),
            };
            (host, port, percent_decoded(database), options)
        }
        None => (
            property("HOST").unwrap_or_default(),
            property("PORT").unwrap_or(default_port),
            property("DATABASE").unwrap_or_default().to_owned(),
            "",
        ),
    };
    if host.is_empty() {
        return Err(Error::invalid("it names no host").hint(format!(
            "set JDBC_CONNECTION_URL, as jdbc:{}://host:{default_port}/database, or HOST, PORT and DATABASE",
            engine.classification()
        )));
    }
    let number = port.parse();
    let (user, password) = credentials(connection)?;
    Ok(Source {
        engine,
        host: host.trim_matches(['[', ']']).to_owned(),
        port: number.map_err(|_| Error::invalid(format!("'{port}' is no port")))?,
        database: Some(database).filter(|name| !name.is_empty()),
        user,
        password,
        tls: tls(options, property("JDBC_ENFORCE_SSL")),
    })
}

/// Why nothing can be read there.
fn unreadable(connection: &ConnectionInput, url: Option<&str>) -> Error {
    let what = match url {
        Some(url) => format!(
            "databases of {} can't be read",
            url.split("//").next().unwrap_or(url)
        ),
        None if connection.connection_type == "JDBC" => "it has no JDBC_CONNECTION_URL".to_owned(),
        None => format!(
            "what a connection of type {} leads to is no database that can be read",
            connection.connection_type
        ),
    };
    Error::invalid(what).hint(
        "PostgreSQL, MySQL and MariaDB can be: set JDBC_CONNECTION_URL, as jdbc:postgresql://host:5432/database or \
         jdbc:mysql://host:3306/database",
    )
}

/// Who signs in: `USERNAME` and `PASSWORD`, or the basic credentials of an `AuthenticationConfiguration`.
fn credentials(connection: &ConnectionInput) -> Result<(String, String)> {
    let property = |key: &str| connection.properties.get(key).filter(|value| !value.is_empty());
    let authentication = connection.other.get("AuthenticationConfiguration");
    let basic = authentication.and_then(|given| given.get("BasicAuthenticationCredentials"));
    let of_basic = |key: &str| Some(basic?.get(key)?.as_str()?.to_owned());
    let user = property("USERNAME").cloned().or_else(|| of_basic("Username"));
    if let Some(user) = user {
        let password = property("PASSWORD").cloned().or_else(|| of_basic("Password"));
        return Ok((user, password.unwrap_or_default()));
    }
    let secret = authentication.and_then(|given| given.get("SecretArn")?.as_str());
    match property("SECRET_ID").map(String::as_str).or(secret) {
        Some(secret) => Err(Error::invalid(format!(
            "its credentials are in the secret {secret}, which can't be read from here"
        ))),
        None => Err(Error::invalid("it names no user")),
    }
    .map_err(|error| error.hint("set USERNAME and PASSWORD"))
}

/// What a URL's options and `JDBC_ENFORCE_SSL` ask for, in the words of the three drivers.
fn tls(options: &str, enforce: Option<&str>) -> Tls {
    let mut tls = Tls::IfOffered;
    for option in options.split('&') {
        let option = option.to_ascii_lowercase().replace('_', "-");
        tls = match option.split_once('=') {
            Some(("sslmode", "disable" | "disabled")) | Some(("ssl" | "usessl", "false")) => Tls::Off,
            Some(("sslmode", "require" | "required" | "trust")) => Tls::Required,
            Some(("ssl" | "usessl" | "requiressl", "true")) => Tls::Required,
            Some(("sslmode", "verify-ca" | "verify-full" | "verify-identity")) => Tls::Verified,
            _ => tls,
        };
    }
    match enforce {
        Some(enforce) if enforce.eq_ignore_ascii_case("true") && tls != Tls::Verified => Tls::Required,
        _ => tls,
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.engine, self.host, self.port)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connection(kind: &str, pairs: &[(&str, &str)]) -> ConnectionInput {
        ConnectionInput {
            name: "shop".into(),
            connection_type: kind.into(),
            properties: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            other: serde_json::Map::new(),
        }
    }

    fn source(pairs: &[(&str, &str)]) -> Result<Source> {
        Source::of(&connection("JDBC", pairs))
    }

    #[test]
    fn urls_are_read_as_jdbc_writes_them() {
        let shown = |url: &str| {
            let source = source(&[("JDBC_CONNECTION_URL", url), ("USERNAME", "ada")]).unwrap();
            format!(
                "{source} {} {:?}",
                source.database.as_deref().unwrap_or("-"),
                source.tls
            )
        };
        let urls = [
            (
                "jdbc:postgresql://db.example:5433/shop",
                "PostgreSQL at db.example:5433 shop IfOffered",
            ),
            (
                "jdbc:postgresql://db/my%20shop?ssl=true",
                "PostgreSQL at db:5432 my shop Required",
            ),
            (
                "jdbc:postgresql://a:1,b:2/shop?sslmode=verify-full",
                "PostgreSQL at a:1 shop Verified",
            ),
            (
                "jdbc:mariadb://[::1]/shop?useSSL=true&x=1",
                "MySQL at ::1:3306 shop Required",
            ),
            (
                "jdbc:mysql://10.0.0.1:3307?sslMode=DISABLED",
                "MySQL at 10.0.0.1:3307 - Off",
            ),
            (
                "jdbc:mysql://h/shop?sslMode=VERIFY_IDENTITY",
                "MySQL at h:3306 shop Verified",
            ),
        ];
        for (url, expected) in urls {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn connections_of_the_newer_kinds_are_read() {
        let mut new = connection(
            "POSTGRESQL",
            &[("HOST", "db"), ("PORT", "5433"), ("DATABASE", "shop")],
        );
        let basic = json!({ "BasicAuthenticationCredentials": { "Username": "ada", "Password": "secret" } });
        new.other.insert("AuthenticationConfiguration".to_owned(), basic);
        let source = Source::of(&new).unwrap();
        assert_eq!(
            (source.to_string(), source.user.as_str(), source.password.as_str()),
            ("PostgreSQL at db:5433".to_owned(), "ada", "secret")
        );
        assert!(!format!("{source:?}").contains("secret"));
    }

    #[test]
    fn what_is_missing_is_said() {
        let refusal = |pairs: &[(&str, &str)]| source(pairs).unwrap_err().message;
        assert_eq!(refusal(&[]), "connection shop: it has no JDBC_CONNECTION_URL");
        let url = |url| [("JDBC_CONNECTION_URL", url)];
        assert_eq!(
            refusal(&url("jdbc:sqlserver://x:1433;databaseName=db")),
            "connection shop: databases of jdbc:sqlserver: can't be read"
        );
        assert_eq!(
            refusal(&url("jdbc:mysql:///db")),
            "connection shop: it names no host"
        );
        assert_eq!(
            refusal(&url("jdbc:mysql://host/db")),
            "connection shop: it names no user"
        );
        let user = ("USERNAME", "ada");
        assert_eq!(
            refusal(&[("JDBC_CONNECTION_URL", "jdbc:mysql://host:x/db"), user]),
            "connection shop: 'x' is no port"
        );
        let secret = ("SECRET_ID", "arn:1");
        assert!(refusal(&[("JDBC_CONNECTION_URL", "jdbc:mysql://host/db"), secret]).contains("secret arn:1"));
        let network = Source::of(&connection("NETWORK", &[])).unwrap_err();
        assert!(network.message.contains("type NETWORK"));
    }
}
