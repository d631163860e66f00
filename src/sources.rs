//! The only door to databases that aren't ours: which tables they have, read from their own catalogs.
//!
//! Nothing is written there, and no row of a table is read.

mod mysql;
mod postgres;
mod types;

use std::time::Duration;

use regex::Regex;

use crate::error::{Error, ErrorKind, Result};
use crate::model::connection::ConnectionInput;

/// How long a database may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take to list its tables.
const LIST: Duration = Duration::from_secs(300);

/// The kinds of database that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Engine {
    /// What its tables are classified as (Glue's words).
    pub fn classification(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::MySql => "mysql",
        }
    }
}

/// Where a database is, and who asks.
#[derive(Clone)]
pub struct Source {
    /// Its kind.
    pub engine: Engine,
    host: String,
    port: u16,
    database: String,
    user: String,
    password: String,
    tls: bool,
}

/// A table or a view of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTable {
    /// The database that it is in.
    pub database: String,
    /// Its schema; absent where the engine has none beside the database.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// What its owner says of it.
    pub comment: Option<String>,
    /// How many rows the engine believes it has.
    pub rows: Option<u64>,
    /// Its columns in their order.
    pub columns: Vec<SourceColumn>,
}

/// A column of a source's table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type as Hive spells it.
    pub data_type: String,
    /// Its type as the source spells it.
    pub raw_type: String,
    /// What its owner says of it.
    pub comment: Option<String>,
}

/// Which tables of a source are meant: Glue's include path, `database/schema/table` or, for MySQL, `database/table`, in which
/// `%` stands for any text, though not in the database's name; and its exclusions, globs relative to the path's fixed part.
#[derive(Clone, Debug)]
pub struct Wanted {
    database: Option<String>,
    schema: String,
    table: String,
    exclusions: Vec<Regex>,
}

impl Wanted {
    /// Reads an include path for an engine.
    ///
    /// # Errors
    /// Invalid for a path of too many parts, or with `%` in its database.
    pub fn parse(engine: Engine, path: &str, exclusions: Vec<Regex>) -> Result<Self> {
        let bad = |what: &str| {
            let form = match engine {
                Engine::Postgres => "database/schema/table",
                Engine::MySql => "database/table",
            };
            Error::invalid(format!("the path '{path}' {what}"))
                .hint(format!("write {form}; % stands for any schema or table, as in shop/%"))
        };
        let mut parts: Vec<&str> = path.trim_matches('/').split('/').filter(|part| !part.is_empty()).collect();
        let most = if engine == Engine::Postgres { 3 } else { 2 };
        // With MySQL the schema is the database: db/db/table and db/%/table are written, too.
        if engine == Engine::MySql && parts.len() == 3 && (parts[1] == "%" || parts[1] == parts[0]) {
            parts.remove(1);
        }
        if parts.len() > most {
            return Err(bad("has too many parts"));
        }
        let mut parts = parts.into_iter();
        let database = parts.next().filter(|name| *name != "%").map(str::to_owned);
        if database.as_deref().is_some_and(|name| name.contains('%')) {
            return Err(bad("has % in its database"));
        }
        let schema = if engine == Engine::Postgres { parts.next().unwrap_or("%") } else { "%" };
        Ok(Self {
            database,
            schema: schema.to_owned(),
            table: parts.next().unwrap_or("%").to_owned(),
            exclusions,
        })
    }

    /// Whether no exclusion names a table: by its name, or with its schema, or with its database before that.
    fn takes(&self, table: &SourceTable) -> bool {
        let schema = table.schema.as_deref().unwrap_or(&table.database);
        let names = [
            table.name.clone(),
            format!("{schema}/{}", table.name),
            format!("{}/{schema}/{}", table.database, table.name),
        ];
        !self
            .exclusions
            .iter()
            .any(|glob| names.iter().any(|name| glob.is_match(name)))
    }
}

/// A pattern of Glue's for SQL's LIKE: only `%` is special in it. The escape is `!`, because backslashes are special to MySQL.
fn like(pattern: &str) -> String {
    pattern.replace('!', "!!").replace('_', "!_")
}

impl Source {
    /// What a connection of type JDBC leads to.
    ///
    /// # Errors
    /// Invalid where its properties say too little, or name an engine that can't be read.
    pub fn of(connection: &ConnectionInput) -> Result<Self> {
        let name = &connection.name;
        let property = |key: &str| connection.properties.get(key).filter(|value| !value.is_empty());
        let url = property("JDBC_CONNECTION_URL").ok_or_else(|| {
            Error::invalid(format!("connection {name} has no JDBC_CONNECTION_URL"))
                .hint("as jdbc:postgresql://host:5432/database or jdbc:mysql://host:3306/database")
        })?;
        let (engine, default_port, rest) = [
            ("jdbc:postgresql://", Engine::Postgres, 5432),
            ("jdbc:mysql://", Engine::MySql, 3306),
            ("jdbc:mariadb://", Engine::MySql, 3306),
        ]
        .into_iter()
        .find_map(|(prefix, engine, port)| Some((engine, port, url.strip_prefix(prefix)?)))
        .ok_or_else(|| {
            let kind = url.split("://").next().unwrap_or_default();
            Error::invalid(format!("connection {name}: databases of {kind} can't be read"))
                .hint("PostgreSQL, MySQL and MariaDB can")
        })?;
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (address, database) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (
                host,
                port.parse()
                    .map_err(|_| Error::invalid(format!("connection {name}: '{port}' is no port")))?,
            ),
            _ => (address, default_port),
        };
        if host.is_empty() || database.is_empty() {
            return Err(Error::invalid(format!(
                "connection {name}: its URL names no host and database"
            ))
            .hint(format!("as {}host:{default_port}/database", &url[..url.len() - rest.len()])));
        }
        if let (None, Some(secret)) = (property("USERNAME"), property("SECRET_ID")) {
            return Err(Error::invalid(format!(
                "connection {name} keeps its credentials in the secret {secret}, which can't be read from here"
            ))
            .hint("set USERNAME and PASSWORD"));
        }
        let asks_for_tls = ["sslmode=require", "sslmode=verify-full", "ssl=true", "useSSL=true", "sslMode=REQUIRED"]
            .iter()
            .any(|option| options.split('&').any(|given| given.eq_ignore_ascii_case(option)));
        Ok(Self {
            engine,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            database: database.to_owned(),
            user: property("USERNAME").cloned().unwrap_or_default(),
            password: property("PASSWORD").cloned().unwrap_or_default(),
            tls: asks_for_tls || property("JDBC_ENFORCE_SSL").is_some_and(|value| value == "true"),
        })
    }

    /// Tries whether the database lets us in.
    ///
    /// # Errors
    /// Denied for wrong credentials; Unavailable where nobody answers.
    pub async fn try_out(&self) -> Result<()> {
        match self.engine {
            Engine::Postgres => postgres::connect(self, None).await.map(drop),
            Engine::MySql => mysql::connect(self).await.map(drop),
        }
    }

    /// Its tables and views that are meant, by schema and name.
    ///
    /// # Errors
    /// As [`Source::try_out`]; Unavailable where the list takes too long.
    pub async fn tables(&self, wanted: &Wanted) -> Result<Vec<SourceTable>> {
        let listing = async {
            match self.engine {
                Engine::Postgres => postgres::tables(self, wanted).await,
                Engine::MySql => mysql::tables(self, wanted).await,
            }
        };
        let mut tables = tokio::time::timeout(LIST, listing).await.map_err(|_| {
            Error::unavailable(format!("{self} didn't list its tables within {} s", LIST.as_secs()))
        })??;
        tables.retain(|table| wanted.takes(table));
        tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        Ok(tables)
    }

    /// An error of the driver's: who may not come in is told apart from what isn't there.
    fn failed(&self, cause: sqlx::Error) -> Error {
        let kind = match &cause {
            sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
                // PostgreSQL's class 28 and 42501; MySQL's access denied.
                Some(code) if code.starts_with("28") || code == "42501" => ErrorKind::Denied,
                Some("3D000" | "42000") => ErrorKind::NotFound,
                _ => ErrorKind::Unavailable,
            },
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, format!("{self}: {cause}"))
    }

    /// Waits for the driver, not longer than a person would.
    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T> {
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(cause)) => Err(self.failed(cause)),
            Err(_) => Err(Error::unavailable(format!(
                "{self} didn't answer within {} s",
                CONNECT.as_secs()
            ))),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let engine = self.engine.classification();
        write!(f, "{engine}://{}:{}/{}", self.host, self.port, self.database)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the password.
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::Parameters;

    fn source(pairs: &[(&str, &str)]) -> Result<Source> {
        Source::of(&ConnectionInput {
            name: "shop".into(),
            connection_type: "JDBC".into(),
            properties: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<Parameters>(),
            other: serde_json::Map::new(),
        })
    }

    #[test]
    fn urls_are_read_as_jdbc_writes_them() {
        let shown = |url: &str| {
            let source = source(&[("JDBC_CONNECTION_URL", url), ("USERNAME", "ada")]).unwrap();
            format!("{source} {}", if source.tls { "tls" } else { "plain" })
        };
        assert_eq!(shown("jdbc:postgresql://db.example:5433/shop"), "postgresql://db.example:5433/shop plain");
        assert_eq!(shown("jdbc:postgresql://db/shop?ssl=true"), "postgresql://db:5432/shop tls");
        assert_eq!(shown("jdbc:mariadb://[::1]/shop?useSSL=true&x=1"), "mysql://::1:3306/shop tls");
        assert_eq!(shown("jdbc:mysql://10.0.0.1:3307/shop"), "mysql://10.0.0.1:3307/shop plain");
    }

    #[test]
    fn what_is_missing_is_said() {
        let refusal = |pairs: &[(&str, &str)]| source(pairs).unwrap_err().message;
        assert_eq!(refusal(&[]), "connection shop has no JDBC_CONNECTION_URL");
        let url = |url| [("JDBC_CONNECTION_URL", url)];
        assert!(refusal(&url("jdbc:oracle:thin:@x:1521:db")).contains("jdbc:oracle"));
        assert!(refusal(&url("jdbc:mysql://host")).contains("names no host and database"));
        assert!(refusal(&url("jdbc:mysql://host:x/db")).contains("'x' is no port"));
        assert!(
            refusal(&[("JDBC_CONNECTION_URL", "jdbc:mysql://host/db"), ("SECRET_ID", "arn:1")]).contains("arn:1")
        );
    }

    #[test]
    fn include_paths_are_glues() {
        let read = |engine, path: &str| {
            let wanted = Wanted::parse(engine, path, Vec::new()).unwrap();
            format!("{} {} {}", wanted.database.as_deref().unwrap_or("-"), wanted.schema, wanted.table)
        };
        assert_eq!(read(Engine::Postgres, "shop/public/orders"), "shop public orders");
        assert_eq!(read(Engine::Postgres, "shop/%"), "shop % %");
        assert_eq!(read(Engine::Postgres, "shop/%/o%"), "shop % o%");
        assert_eq!(read(Engine::Postgres, ""), "- % %");
        assert_eq!(read(Engine::MySql, "shop/orders"), "shop % orders");
        assert_eq!(read(Engine::MySql, "shop/%/orders"), "shop % orders");
        let refusal = |engine, path: &str| Wanted::parse(engine, path, Vec::new()).unwrap_err().message;
        assert!(refusal(Engine::MySql, "a/b/c").contains("too many parts"));
        assert!(refusal(Engine::Postgres, "sh%/public/x").contains("% in its database"));
        assert_eq!(like("a_b%!"), "a!_b%!!");
    }
}
