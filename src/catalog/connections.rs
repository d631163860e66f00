//! What can be done with connections.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::connection::{Connection, ConnectionInput};
use crate::model::name::plain_name;
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::sources::{self, Source};
use crate::store;

/// How long a host may take to answer when a connection is tried.
const PATIENCE: Duration = Duration::from_secs(10);

/// Adds a connection.
///
/// # Errors
/// Invalid for a bad name; AlreadyExists.
pub async fn create(app: &App, input: ConnectionInput) -> Result<()> {
    plain_name("connection", &input.name)?;
    let mut tx = app.store.write().await?;
    store::connections::insert(&mut tx, &input, app.clock.now())
        .await
        .map_err(|error| taken(error, &input.name))?;
    tx.commit().await
}

/// Puts `input` in the place of the connection called `name`.
///
/// # Errors
/// As [`create`]; NotFound.
pub async fn update(app: &App, name: &str, input: ConnectionInput) -> Result<()> {
    plain_name("connection", &input.name)?;
    let mut tx = app.store.write().await?;
    let was_there = store::connections::update(&mut tx, name, &input, app.clock.now())
        .await
        .map_err(|error| taken(error, &input.name))?;
    if !was_there {
        return Err(missing(name));
    }
    tx.commit().await
}

/// The connection called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &str) -> Result<Connection> {
    let mut tx = app.store.read().await?;
    store::connections::find(&mut tx, name)
        .await?
        .ok_or_else(|| missing(name))
}

/// Connections by name, of those that `wanted` says yes to.
///
/// # Errors
/// Only the database's own.
pub async fn list(
    app: &App,
    wanted: impl Fn(&Connection) -> bool,
    page: &PageRequest,
) -> Result<Page<Connection>> {
    let mut tx = app.store.read().await?;
    let mut look = PageRequest::new(MAX_LIMIT, page.after.clone());
    let mut found: Vec<Connection> = Vec::new();
    loop {
        let some = store::connections::list(&mut tx, &look).await?;
        let Some(last) = some.last() else { break };
        look.after = Some(last.input.name.clone());
        found.extend(some.into_iter().filter(&wanted));
        if found.len() > page.limit as usize {
            break;
        }
    }
    Ok(Page::of(found, page, |connection: &Connection| {
        connection.input.name.clone()
    }))
}

/// Removes a connection.
///
/// # Errors
/// NotFound.
pub async fn delete(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    if !store::connections::delete(&mut tx, name).await? {
        return Err(missing(name));
    }
    store::tags::delete_all(&mut tx, &[format!("connection/{name}")]).await?;
    tx.commit().await
}

/// Tries a connection, and says how far that went: signs in where it leads to a database that can be crawled; otherwise
/// only sees whether its host takes a TCP connection, and sends nothing to it.
///
/// # Errors
/// Invalid where the settings name no host and port, or where one side wants TLS and the other has none; Unavailable where
/// nobody answers; Denied for wrong credentials; NotFound for a database that isn't there.
pub async fn try_out(input: &ConnectionInput) -> Result<String> {
    if sources::engine_of(input).is_some() {
        let source = Source::of(input)?;
        let version = source.sign_in().await?;
        let database = source.database.as_ref();
        let into = database.map_or(String::new(), |database| format!(" into {database}"));
        return Ok(format!("{source} ({version}) let {}{into}", source.user));
    }
    let (host, port) = address(input).ok_or_else(|| {
        Error::invalid(format!(
            "a connection of type {} can't be tried: it names no host and port",
            input.connection_type
        ))
        .hint("those that do have HOST and PORT, JDBC_CONNECTION_URL, CONNECTION_URL or KAFKA_BOOTSTRAP_SERVERS")
    })?;
    match tokio::time::timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Ok(format!(
            "{host}:{port} can be reached; nobody signed in, because that can't be done with what is there"
        )),
        Ok(Err(cause)) => Err(Error::unavailable(format!(
            "{host}:{port} can't be reached: {cause}"
        ))),
        Err(_) => Err(Error::unavailable(format!(
            "{host}:{port} didn't answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// The host and port that a connection's properties name.
fn address(input: &ConnectionInput) -> Option<(String, u16)> {
    let property = |name: &str| input.properties.get(name).map(String::as_str);
    if let (Some(host), Some(port)) = (property("HOST"), property("PORT")) {
        return Some((host.to_owned(), port.parse().ok()?));
    }
    let url = property("JDBC_CONNECTION_URL")
        .or_else(|| property("CONNECTION_URL"))
        .or_else(|| property("KAFKA_BOOTSTRAP_SERVERS"))?;
    // jdbc:postgresql://host:5432/db, mongodb://user:password@host:27017/db, host:9092,host:9092
    let behind = url.split_once("//").map_or(url, |(_, rest)| rest);
    let first = behind.split(['/', ',', ';', '?']).next()?;
    let place = first.rsplit_once('@').map_or(first, |(_, place)| place);
    let (host, port) = place.rsplit_once(':')?;
    Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("connection {name} not found"))
}

fn taken(error: Error, name: &str) -> Error {
    match error.kind {
        ErrorKind::AlreadyExists => Error::already_exists(format!("connection {name} exists already")),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::Parameters;

    #[test]
    fn hosts_are_found_in_every_kind_of_url() {
        let address = |name: &str, value: &str| {
            address(&ConnectionInput {
                name: "c".into(),
                connection_type: "JDBC".into(),
                properties: Parameters::from([(name.into(), value.into())]),
                other: serde_json::Map::new(),
            })
        };
        let found = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(
            address(
                "JDBC_CONNECTION_URL",
                "jdbc:postgresql://db.example:5432/shop?x=1"
            ),
            found("db.example", 5432)
        );
        assert_eq!(
            address(
                "JDBC_CONNECTION_URL",
                "jdbc:sqlserver://10.0.0.1:1433;databaseName=x"
            ),
            found("10.0.0.1", 1433)
        );
        assert_eq!(
            address("CONNECTION_URL", "mongodb://me:pass@[::1]:27017/x"),
            found("::1", 27017)
        );
        assert_eq!(
            address("KAFKA_BOOTSTRAP_SERVERS", "a:9092,b:9092"),
            found("a", 9092)
        );
        assert_eq!(address("JDBC_CONNECTION_URL", "jdbc:oracle"), None);
    }
}
