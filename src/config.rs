//! The settings: flags override the environment, which overrides `mastic.toml`, which overrides the defaults.
//! Each value remembers where it came from.

mod engines;
mod keep;
mod lake;
mod query;
mod tasks;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::model::crawl_options::Compatibility;
use crate::model::document::parse_toml;
use lake::{resolve_credentials, resolve_lake};

pub use engines::EngineConfig;
pub use keep::KeepConfig;
pub use query::QueryConfig;
pub use tasks::TaskConfig;

/// The file that is read where no other is named and it is there.
pub const DEFAULT_FILE: &str = "mastic.toml";
/// A crawl writes so many partitions in a transaction where nothing else is said: some tens of milliseconds of the
/// database's only writer, so that an object that somebody puts meanwhile is hardly kept waiting.
const CRAWL_SLICE: u64 = 2000;

/// Every setting, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the Glue API, the REST API and the UI listen.
    pub listen: SocketAddr,
    /// The catalog's and the queue's database.
    pub database_url: String,
    /// What requests to the Glue API and to the embedded store must be signed with; absent where none have to be.
    pub credentials: Option<Credentials>,
    /// The embedded object store; absent where the AWS environment names another.
    pub lake: Option<LakeConfig>,
    /// The folder whose job folders are registered at start, where it is there.
    pub jobs: Option<PathBuf>,
    /// How the catalog calls itself.
    pub catalog: CatalogConfig,
    /// What child processes may use.
    pub tasks: TaskConfig,
    /// What queries may use.
    pub query: QueryConfig,
    /// What engines run scripts, and with what.
    pub engines: EngineConfig,
    /// Whose rules crawls go by that name none.
    pub crawl_compatibility: Compatibility,
    /// How long what happened is kept.
    pub keep: KeepConfig,
    /// How many partitions a crawl writes in one transaction. On SQLite everybody else who writes waits for that.
    pub crawl_slice: u64,
    /// How often the buckets are listed for objects that no event announced.
    pub reconcile_every: Duration,
    /// Where each value came from.
    pub origins: Vec<Origin>,
}

/// The embedded object store.
#[derive(Clone, Debug)]
pub struct LakeConfig {
    /// The address by which other machines reach it, where that isn't the one it listens at.
    pub url: Option<String>,
    /// The folder that holds a folder for each bucket.
    pub folder: PathBuf,
    /// Where the S3 endpoint listens.
    pub listen: SocketAddr,
    /// Buckets that are made at start.
    pub buckets: Vec<String>,
    /// The only region that signatures may be for, or `*` for any; the catalog's where it is absent.
    pub region: Option<String>,
    /// How long an upload that nobody finishes and nobody writes to is kept.
    pub upload_expiry: Duration,
    /// Whether crawls, queries and SQL jobs read objects from the folder itself, not through the endpoint.
    pub reads_files: bool,
}

/// A key pair. Its secret is never printed.
#[derive(Clone)]
pub struct Credentials {
    /// The public half.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// How the catalog calls itself in ARNs and answers.
#[derive(Clone, Debug)]
pub struct CatalogConfig {
    /// Twelve digits.
    pub account_id: String,
    /// Used where a request names none.
    pub region: String,
    /// How many former versions of a table are kept; all where it is absent. A table's own parameter
    /// `mastic.version-retention` goes before it.
    pub version_retention: Option<u32>,
    /// Whether there is always a database called `default`, which Hive's and Spark's clients ask for.
    pub default_database: bool,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The setting's name in `mastic.toml`.
    pub name: &'static str,
    /// Its value, as it may be shown.
    pub value: String,
    /// `flag --listen`, `environment MASTIC_LISTEN`, `mastic.toml` or `default`.
    pub from: String,
}

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--database`
    pub database: Option<String>,
    /// `--lake`
    pub lake: Option<PathBuf>,
    /// `--lake-listen`
    pub lake_listen: Option<String>,
    /// `--jobs`
    pub jobs: Option<PathBuf>,
}

/// `mastic.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<String>,
    database: FileDatabase,
    lake: FileLake,
    jobs: FileJobs,
    catalog: FileCatalog,
    tasks: tasks::FileTasks,
    query: query::FileQuery,
    engines: engines::FileEngines,
    events: FileEvents,
    crawl: FileCrawl,
    keep: keep::FileKeep,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileDatabase {
    url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileLake {
    url: Option<String>,
    embedded: Option<bool>,
    folder: Option<String>,
    listen: Option<String>,
    buckets: Option<Vec<String>>,
    region: Option<String>,
    upload_expiry: Option<String>,
    reads: Option<String>,
    access_key: Option<String>,
    secret_key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileJobs {
    folder: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileCatalog {
    account_id: Option<String>,
    region: Option<String>,
    version_retention: Option<u32>,
    default_database: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileEvents {
    reconcile_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileCrawl {
    compatibility: Option<String>,
    slice: Option<u64>,
}

/// The environment, and where each value that was picked came from.
struct Picker<'a> {
    environment: &'a BTreeMap<String, String>,
    file_name: String,
    origins: Vec<Origin>,
}

impl Picker<'_> {
    fn pick(
        &mut self,
        name: &'static str,
        flag: Option<(&str, Option<String>)>,
        variable: Option<&str>,
        file: Option<String>,
        default: Option<&str>,
    ) -> Option<String> {
        let from_flag = flag.and_then(|(flag, value)| Some((value?, format!("flag {flag}"))));
        let from_environment = || {
            let variable = variable?;
            Some((
                self.environment.get(variable)?.clone(),
                format!("environment {variable}"),
            ))
        };
        let (value, from) = from_flag
            .or_else(from_environment)
            .or_else(|| Some((file?, self.file_name.clone())))
            .or_else(|| Some((default?.to_owned(), "default".to_owned())))?;
        let shown = match name {
            "lake.secret_key" => "(set)".to_owned(),
            "database.url" => crate::model::database_url::without_password(&value),
            // What follows a server's host may be a token.
            "engines.spark_master" => value.split("/;").next().unwrap_or_default().to_owned(),
            _ => value.clone(),
        };
        self.origins.push(Origin {
            name,
            value: shown,
            from,
        });
        Some(value)
    }
}

impl Config {
    /// The address of the API as programs on this machine reach it.
    pub fn api_url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// Resolves the settings from the command line, the process's environment and the file.
    ///
    /// # Errors
    /// Invalid, naming the setting and where its value came from.
    pub fn load(flags: &Flags) -> Result<Self> {
        Self::resolve(flags, &process_environment())
    }

    /// Resolves the settings from the command line, `environment` and the file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn resolve(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<Self> {
        let (file, file_name) = read_file(flags.config.as_deref())?;
        let mut picker = Picker {
            environment,
            file_name,
            origins: Vec::new(),
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());

        let listen = picker
            .pick(
                "listen",
                Some(("--listen", flags.listen.clone())),
                Some("MASTIC_LISTEN"),
                file.listen,
                Some("127.0.0.1:8080"),
            )
            .unwrap_or_default();
        let database_url = picker
            .pick(
                "database.url",
                Some(("--database", flags.database.clone())),
                Some("MASTIC_DATABASE_URL"),
                file.database.url,
                Some("sqlite://mastic-data/mastic.db"),
            )
            .unwrap_or_default();
        let jobs = picker.pick(
            "jobs.folder",
            Some(("--jobs", path(&flags.jobs))),
            Some("MASTIC_JOBS"),
            file.jobs.folder,
            Path::new("jobs").is_dir().then_some("jobs"),
        );
        let account_id = picker
            .pick(
                "catalog.account_id",
                None,
                Some("MASTIC_ACCOUNT_ID"),
                file.catalog.account_id,
                Some("123456789012"),
            )
            .unwrap_or_default();
        if account_id.len() != 12 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(
                Error::invalid(format!("catalog.account_id is '{account_id}'")).hint("write twelve digits")
            );
        }
        let region = picker
            .pick(
                "catalog.region",
                None,
                Some("AWS_REGION"),
                file.catalog.region,
                Some("us-east-1"),
            )
            .unwrap_or_default();
        let version_retention = picker.pick(
            "catalog.version_retention",
            None,
            None,
            file.catalog.version_retention.map(|kept| kept.to_string()),
            None,
        );
        let default_database = picker.pick(
            "catalog.default_database",
            None,
            Some("MASTIC_DEFAULT_DATABASE"),
            file.catalog.default_database.map(|made| made.to_string()),
            Some("false"),
        );
        let catalog = CatalogConfig {
            account_id,
            region,
            version_retention: version_retention.and_then(|kept| kept.parse().ok()),
            default_database: match default_database.as_deref() {
                Some("true") => true,
                Some("false") | None => false,
                Some(other) => {
                    return Err(Error::invalid(format!("catalog.default_database is '{other}'"))
                        .hint("write true or false"));
                }
            },
        };
        let credentials = resolve_credentials(&mut picker, &file.lake)?;
        let lake = resolve_lake(&mut picker, flags, file.lake, credentials.as_ref())?;
        let data_folder = tasks::data_folder(&database_url, lake.as_ref());
        Ok(Self {
            listen: address("listen", &listen)?,
            database_url,
            lake,
            jobs: jobs.map(PathBuf::from),
            credentials,
            catalog,
            tasks: tasks::resolve(&mut picker, file.tasks, &data_folder)?,
            query: query::resolve(&mut picker, &file.query)?,
            engines: engines::resolve(&mut picker, file.engines, &data_folder)?,
            keep: keep::resolve(&mut picker, file.keep)?,
            crawl_compatibility: {
                let named = file.crawl.compatibility;
                let picked = picker.pick("crawl.compatibility", None, None, named, Some("mastic"));
                Compatibility::parse(&picked.unwrap_or_default()).map_err(|error| error.within("crawl"))?
            },
            crawl_slice: number(&mut picker, "crawl.slice", file.crawl.slice, CRAWL_SLICE)?,
            reconcile_every: Duration::from_secs(number(
                &mut picker,
                "events.reconcile_seconds",
                file.events.reconcile_seconds,
                300,
            )?),
            origins: picker.origins,
        })
    }
}

fn number(picker: &mut Picker<'_>, name: &'static str, file: Option<u64>, default: u64) -> Result<u64> {
    let text = picker.pick(
        name,
        None,
        None,
        file.map(|n| n.to_string()),
        Some(&default.to_string()),
    );
    match text.unwrap_or_default().parse() {
        Ok(0) | Err(_) => Err(Error::invalid(format!("{name} must be a whole number above 0"))),
        Ok(number) => Ok(number),
    }
}

/// A span of time above none: `30s`, `90m`, `12h`, `7d`.
fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let seconds = match &text[digits..] {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let span = number.checked_mul(seconds)?;
    (span > 0 && i64::try_from(span).is_ok()).then(|| Duration::from_secs(span))
}

fn address(name: &str, text: &str) -> Result<SocketAddr> {
    text.replace("localhost:", "127.0.0.1:").parse().map_err(|_| {
        Error::invalid(format!("{name} is '{text}', which is not an address"))
            .hint("write it as 127.0.0.1:8080")
    })
}

fn read_file(named: Option<&Path>) -> Result<(File, String)> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((parse_toml(&shown, &text)?, shown)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
            Ok((File::default(), shown))
        }
        Err(cause) => Err(Error::invalid(format!("can't read {shown}: {cause}"))),
    }
}

/// The variables of the process that are text.
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn flags_override_the_environment_and_each_value_knows_its_origin() {
        let flags = Flags {
            listen: Some("127.0.0.1:1".into()),
            ..Flags::default()
        };
        let variables = environment(&[("MASTIC_LISTEN", "127.0.0.1:2"), ("MASTIC_LAKE", "/data")]);
        let config = Config::resolve(&flags, &variables).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.lake.unwrap().folder, PathBuf::from("/data"));
        let from = |name| {
            config
                .origins
                .iter()
                .find(|origin| origin.name == name)
                .unwrap()
                .from
                .clone()
        };
        assert_eq!(from("listen"), "flag --listen");
        assert_eq!(from("lake.folder"), "environment MASTIC_LAKE");
        assert_eq!(from("lake.listen"), "default");
    }

    #[test]
    fn an_open_store_is_refused_and_secrets_are_not_shown() {
        let open = environment(&[("MASTIC_LAKE_LISTEN", "0.0.0.0:9000")]);
        assert!(
            Config::resolve(&Flags::default(), &open)
                .unwrap_err()
                .message
                .contains("open to everybody")
        );
        let keyed = environment(&[("MASTIC_ACCESS_KEY", "ak"), ("MASTIC_SECRET_KEY", "hush-hush")]);
        let config = Config::resolve(&Flags::default(), &keyed).unwrap();
        assert!(!format!("{config:?}").contains("hush-hush"));
        let half = environment(&[("MASTIC_ACCESS_KEY", "ak")]);
        assert!(Config::resolve(&Flags::default(), &half).is_err());
    }
}
