//! A whole server on random loopback ports, its clock and its background work in the test's hand.

pub(crate) mod mariadb;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod setup;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mastic::access::Authenticator;
use mastic::app::{App, AppParts};
use mastic::buckets::{Access, Buckets};
use mastic::clock::{Clock, ManualClock};
use mastic::config::{Config, Flags};
use mastic::error::{Error, Result};
use mastic::etl::jobs::JobSource;
use mastic::etl::{jobs, query, runs};
use mastic::model::crawl::{Crawl, CrawlRequest, WorkState};
use mastic::model::name::TableRef;
use mastic::model::page::PageRequest;
use mastic::model::run::{Run, RunFilter};
use mastic::model::table::Table;
use mastic::server::{Parts, Server};
use mastic::{catalog, crawl, queue, worker};
use setup::crawl_of;
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// Runs each test on both databases: `both_databases! { a_test, another_test }`.
#[macro_export]
macro_rules! both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::harness::Database::Sqlite).await; })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::harness::Database::Postgres).await; })+
        }
    };
}

/// Says that a test is left out, and why; `make test` lists these at its end.
#[expect(
    clippy::disallowed_methods,
    reason = "where the list is, is a setting of the tests"
)]
pub(crate) fn skipped(why: &str) {
    use std::io::Write as _;
    eprintln!("skipped: {why}");
    if let Some(list) = std::env::var_os("MASTIC_TESTS_SKIPPED") {
        let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
        list.and_then(|mut list| writeln!(list, "{why}")).unwrap();
    }
}

/// The moment at which every test begins.
pub(crate) fn start_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

impl Database {
    /// The URL of an empty database.
    pub(crate) async fn url(self, folder: &TempDir) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", folder.path().join("mastic.db").display()),
            Self::Postgres => postgres::new_database().await,
        }
    }
}

/// A server with an empty lake that holds the bucket `lake`.
pub(crate) struct TestApp {
    server: Option<Server>,
    clock: Arc<ManualClock>,
    url: String,
    folder: TempDir,
    settings: Settings,
    /// Who says who asks, where it isn't the server's own rule.
    authenticator: Option<Arc<dyn Authenticator>>,
}

/// A test's own settings.
type Settings = Box<dyn Fn(&mut Config) + Send + Sync>;

impl TestApp {
    /// Starts a server on SQLite.
    pub(crate) async fn start() -> Self {
        Self::start_on(Database::Sqlite).await
    }

    /// Starts a server on SQLite with settings of the test's own.
    pub(crate) async fn start_with(settings: impl Fn(&mut Config) + Send + Sync + 'static) -> Self {
        Self::start_as(Database::Sqlite, Box::new(settings)).await
    }

    /// Starts a server on SQLite for the callers that this one knows.
    pub(crate) async fn start_for(authenticator: Arc<dyn Authenticator>) -> Self {
        let mut app = Self::start().await;
        app.authenticator = Some(authenticator);
        app.restart().await;
        app
    }

    /// Starts a server on this database.
    pub(crate) async fn start_on(database: Database) -> Self {
        Self::start_as(database, Box::new(|_| {})).await
    }

    /// Starts a server on this database with settings of the test's own.
    pub(crate) async fn start_on_with(
        database: Database,
        settings: impl Fn(&mut Config) + Send + Sync + 'static,
    ) -> Self {
        Self::start_as(database, Box::new(settings)).await
    }

    async fn start_as(database: Database, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database.url(&folder).await;
        Self::start_at(folder, url, settings).await
    }

    /// Starts a server on a database that is there, and on the lake in a folder.
    pub(crate) async fn start_in(folder: TempDir, url: String) -> Self {
        Self::start_at(folder, url, Box::new(|_| {})).await
    }

    async fn start_at(folder: TempDir, url: String, settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::at(start_of_time()));
        let mut app = Self {
            server: None,
            clock,
            url,
            folder,
            settings,
            authenticator: None,
        };
        app.restart().await;
        app
    }

    /// Stops the server, where it is up, and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        let flags = Flags {
            listen: Some("127.0.0.1:0".to_owned()),
            lake_listen: Some("127.0.0.1:0".to_owned()),
            lake: Some(self.folder.path().join("lake")),
            database: Some(self.url.clone()),
            ..Flags::default()
        };
        let mut config = Config::resolve(&flags, &Default::default()).unwrap();
        config.tasks.program = env!("CARGO_BIN_EXE_mastic").into();
        config.jobs = None;
        (self.settings)(&mut config);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let server = match &self.authenticator {
            Some(known) => Server::start_for(Arc::clone(known), config, clock, Parts::WithoutWorker).await,
            None => Server::start(config, clock, Parts::WithoutWorker).await,
        };
        self.server = Some(server.unwrap());
    }

    /// The server's parts with another store in the place of its own.
    pub(crate) async fn with_store(&self, url: String) -> App {
        let access = Access::Endpoint {
            url,
            access_key: "some".to_owned(),
            secret_key: "keys".to_owned(),
            region: "us-east-1".to_owned(),
            folder: None,
        };
        App::new(AppParts {
            buckets: Buckets::new(&access).await.unwrap(),
            access,
            ..AppParts::clone(self.app())
        })
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn app(&self) -> &App {
        &self.server().app
    }

    /// How many statements go to the database while this is done, and what comes of it.
    pub(crate) async fn statements<T>(&self, done: impl Future<Output = T>) -> (u64, T) {
        let before = self.app().store.statements();
        let outcome = done.await;
        (self.app().store.statements() - before, outcome)
    }

    /// Where the Glue API is.
    pub(crate) fn glue_url(&self) -> String {
        format!("http://{}", self.server().address)
    }

    /// Where the embedded store listens.
    pub(crate) fn lake_url(&self) -> String {
        format!("http://{}", self.server().lake_address.unwrap())
    }

    /// The folder of the embedded store.
    pub(crate) fn lake_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("lake")
    }

    /// Writes an object through the S3 endpoint.
    pub(crate) async fn put(&self, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        self.app().buckets.put(bucket, key, bytes.into()).await.unwrap();
    }

    /// An object's bytes as text; nothing where it isn't there.
    pub(crate) async fn text(&self, bucket: &str, key: &str) -> Option<String> {
        let object = self.app().buckets.head(bucket, key).await.unwrap()?;
        let bytes = self
            .app()
            .buckets
            .get_range(bucket, key, 0..object.size, None)
            .await
            .unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The keys below a prefix.
    pub(crate) async fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.app()
            .buckets
            .list(bucket, prefix)
            .await
            .unwrap()
            .into_iter()
            .map(|object| object.key)
            .collect()
    }

    /// Registers a job out of its two texts.
    pub(crate) async fn register(
        &self,
        name: &str,
        definition: impl std::fmt::Display,
        script: &str,
    ) -> Result<(), Error> {
        let source = JobSource {
            name: name.to_owned(),
            definition: definition.to_string(),
            script: script.to_owned(),
            requirements: None,
        };
        jobs::register(self.app(), &source).await.map(drop)
    }

    /// Does all background work, moving the clock on to whatever is due next.
    pub(crate) async fn run_tasks(&self) {
        loop {
            worker::run_due(self.app()).await.unwrap();
            match queue::time_to_next(&self.app().store, &*self.app().clock)
                .await
                .unwrap()
            {
                Some(wait) => self.clock.advance(wait.max(TimeDelta::milliseconds(1))),
                None => return,
            }
        }
    }

    /// Moves the clock on to what is due next, and does that alone.
    pub(crate) async fn run_next_task(&self) {
        let wait = queue::time_to_next(&self.app().store, &*self.app().clock)
            .await
            .unwrap()
            .unwrap();
        self.clock.advance(wait.max(TimeDelta::milliseconds(1)));
        assert!(worker::run_next(self.app()).await.unwrap());
    }

    /// Does the background work that is due by the clock as it stands.
    pub(crate) async fn run_due_tasks(&self) {
        worker::run_due(self.app()).await.unwrap();
    }

    /// Asks for a run of a job with these parameters, and says its id.
    pub(crate) async fn start_run(&self, job: &str, parameters: &[(&str, &str)]) -> String {
        let given = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let run = runs::start(self.app(), job, &given.collect(), None).await;
        run.unwrap().id
    }

    /// Runs a job with these parameters, and does all other background work as well.
    pub(crate) async fn run_job(&self, job: &str, parameters: &[(&str, &str)]) -> Run {
        let id = self.start_run(job, parameters).await;
        self.run_tasks().await;
        runs::get(self.app(), &id).await.unwrap()
    }

    /// The same of a job that must succeed.
    pub(crate) async fn succeed(&self, job: &str, parameters: &[(&str, &str)]) -> Run {
        let run = self.run_job(job, parameters).await;
        let log = self.log(&run.id).await;
        let ended = (run.state, &run.body.error);
        assert_eq!(ended, (WorkState::Succeeded, &None), "{log}");
        run
    }

    /// A table of the catalog: `out.pages`.
    pub(crate) async fn table(&self, name: &str) -> Table {
        let name = TableRef::parse(name).unwrap();
        catalog::tables::get(self.app(), &name).await.unwrap()
    }

    /// The rows that a query gives, as JSON.
    pub(crate) async fn rows(&self, sql: &str) -> String {
        let rows = query::run(self.app(), sql, 1000).await.unwrap().rows;
        serde_json::to_string(&rows).unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(TimeDelta::from_std(by).unwrap());
    }

    /// Every run, the oldest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        let page = runs::list(self.app(), &RunFilter::default(), &PageRequest::first(1000))
            .await
            .unwrap();
        page.items.into_iter().rev().collect()
    }

    /// A run's log as text.
    pub(crate) async fn log(&self, run: &str) -> String {
        let page = runs::logs(self.app(), run, &PageRequest::first(1000))
            .await
            .unwrap();
        page.items.into_iter().map(|line| line.message + "\n").collect()
    }

    /// What became of the events, the oldest first: `key: trigger state`.
    pub(crate) async fn outcomes(&self) -> Vec<String> {
        let page = mastic::events::list(self.app(), &PageRequest::first(1000))
            .await
            .unwrap();
        let describe = |event: mastic::model::event::Event| {
            let outcomes: Vec<String> = event
                .outcomes
                .iter()
                .map(|outcome| format!("{:?}", outcome.state).to_lowercase())
                .collect();
            format!("{}: {}", event.object.key, outcomes.join(" "))
        };
        page.items.into_iter().rev().map(describe).collect()
    }

    /// Crawls a prefix to the end.
    pub(crate) async fn crawl(&self, path: &str, database: &str, dry_run: bool) -> Crawl {
        self.crawl_as(CrawlRequest {
            dry_run,
            ..crawl_of(path, database)
        })
        .await
    }

    /// Does a crawl to the end.
    pub(crate) async fn crawl_as(&self, request: CrawlRequest) -> Crawl {
        let id = crawl::start(self.app(), request).await.unwrap().id;
        self.run_tasks().await;
        crawl::get(self.app(), &id).await.unwrap()
    }
}
