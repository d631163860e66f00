//! Other databases as sources: connections that lead there, and crawls of what they hold.

mod changes;
mod connections;
mod mysql;
mod postgres;

use mastic::crawl;
use mastic::model::crawl::{Crawl, CrawlRequest, CrawlTarget};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};

use crate::api::send;
use crate::harness::{self, TestApp};

/// Somebody's database on a server of theirs.
struct Theirs {
    url: String,
    /// `127.0.0.1:5432`
    address: String,
    /// The database's name.
    name: String,
}

impl Theirs {
    async fn postgres() -> Self {
        Self::at(harness::postgres::new_database().await)
    }

    async fn mariadb() -> Self {
        Self::at(harness::mariadb::new_database().await)
    }

    fn at(url: String) -> Self {
        let (_, behind) = url.split_once('@').unwrap();
        let (address, name) = behind.split_once('/').unwrap();
        Self {
            address: address.to_owned(),
            name: name.to_owned(),
            url,
        }
    }

    /// Does something in it.
    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("mysql") {
            let mut connection = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// Its URL as JDBC writes it.
    fn jdbc(&self) -> String {
        let kind = if self.url.starts_with("mysql") {
            "mariadb"
        } else {
            "postgresql"
        };
        format!("jdbc:{kind}://{}/{}", self.address, self.name)
    }

    /// Makes the connection `shop`, which leads to it as its owner.
    async fn connect(&self, app: &TestApp) {
        make_connection(app, "shop", &self.jdbc(), &[("USERNAME", "mastic")]).await;
    }

    /// The name that a table of it has in the catalog.
    fn table(&self, rest: &str) -> String {
        format!("lab.{}_{rest}", self.name)
    }
}

/// Makes a connection as a program does.
async fn make_connection(app: &TestApp, name: &str, url: &str, others: &[(&str, &str)]) {
    let mut properties = json!({ "JDBC_CONNECTION_URL": url });
    for (key, value) in others {
        properties[key] = json!(value);
    }
    let body = json!({ "name": name, "properties": properties });
    let (status, _, answer) = send(app, "POST", "/api/v1/connections", Some(body)).await;
    assert_eq!(status, 201, "{answer}");
}

/// Crawls what a path of the connection `shop` names, into the database `lab`.
async fn crawl_path(app: &TestApp, path: &str, exclusions: &[&str]) -> Crawl {
    app.crawl_as(request(path, exclusions)).await
}

fn request(path: &str, exclusions: &[&str]) -> CrawlRequest {
    CrawlRequest {
        database: "lab".to_owned(),
        targets: vec![CrawlTarget {
            path: path.to_owned(),
            exclusions: exclusions.iter().map(|glob| (*glob).to_owned()).collect(),
            connection: Some("shop".to_owned()),
            ..CrawlTarget::default()
        }],
        ..CrawlRequest::default()
    }
}

/// Why a crawl of a path can't even be asked for.
async fn refused(app: &TestApp, path: &str) -> String {
    let error = crawl::start(app.app(), request(path, &[])).await.unwrap_err();
    error.message
}

/// What a crawl found: the location of each table.
fn found(crawl: &Crawl) -> Vec<&str> {
    let plan = crawl.plan.as_ref().unwrap_or_else(|| panic!("{:?}", crawl.error));
    plan.tables.iter().map(|table| table.location.as_str()).collect()
}

/// A POST that answers with this status.
async fn post(app: &TestApp, path: &str, body: Value, status: u16) -> Value {
    let (answered, _, answer) = send(app, "POST", path, Some(body)).await;
    assert_eq!(answered, status, "{path}: {answer}");
    answer
}
