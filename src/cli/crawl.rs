//! `mastic crawl` and `mastic crawlers`

use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::{Format, Global, Outcome, output};
use crate::error::Error;

/// How often a crawl is asked how far it is.
const POLL: Duration = Duration::from_millis(100);

/// How many partitions of a change are printed.
const NAMED: usize = 5;

/// Crawl a prefix, or tables of another database, once.
#[derive(Debug, Args)]
pub(super) struct CrawlOnce {
    /// s3://BUCKET/PREFIX/; with --connection DATABASE/SCHEMA/TABLE, where % stands for any schema or table
    path: String,
    #[command(flatten)]
    source: SourceOptions,
    /// The database that tables go to [default: named after the prefix]
    #[arg(long)]
    database: Option<String>,
    /// A glob of what is left out, relative to the path; may be given again
    #[arg(long = "exclude")]
    exclusions: Vec<String>,
    /// Put before every table's name
    #[arg(long)]
    prefix: Option<String>,
    /// A classifier that is asked before the built-in ones; may be given again
    #[arg(long = "classifier", value_name = "NAME")]
    classifiers: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Print the plan and change nothing; exits 2 if it would change something
    #[arg(long)]
    dry_run: bool,
}

/// By which connection a database is crawled.
#[derive(Debug, Args)]
pub(super) struct SourceOptions {
    /// The connection that leads to a database; paths are its tables then
    #[arg(long)]
    connection: Option<String>,
    /// What of a database's tables is taken besides their columns: COMMENTS or RAWTYPES; may be given again
    #[arg(long = "metadata", requires = "connection")]
    metadata: Vec<String>,
}

/// How a crawl decides, and what it may change.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Whose rules decide what is one table: mastic or glue
    #[arg(long)]
    compatibility: Option<String>,
    /// What happens to a table whose files changed: UPDATE_IN_DATABASE or LOG
    #[arg(long)]
    update: Option<String>,
    /// What happens to what is gone: DEPRECATE_IN_DATABASE, DELETE_FROM_DATABASE or LOG
    #[arg(long)]
    delete: Option<String>,
    /// Glue's configuration, a JSON object
    #[arg(long)]
    configuration: Option<String>,
    /// How many files of each folder are looked at, 1 to 249 [default: as many as are needed]
    #[arg(long)]
    sample_size: Option<u32>,
    /// Where an S3 Inventory of the bucket is, which is taken instead of a listing: s3://BUCKET/PREFIX/
    #[arg(long)]
    inventory: Option<String>,
}

impl Options {
    fn body(&self) -> Result<Value, Error> {
        let configuration: Option<Value> = match &self.configuration {
            Some(text) => Some(
                serde_json::from_str(text)
                    .map_err(|cause| Error::invalid(format!("--configuration is no JSON: {cause}")))?,
            ),
            None => None,
        };
        let given = [
            ("compatibility", json!(self.compatibility)),
            ("update_behavior", json!(self.update)),
            ("delete_behavior", json!(self.delete)),
            ("configuration", json!(configuration)),
        ];
        let given = given.into_iter().filter(|(_, value)| !value.is_null());
        Ok(given.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// Crawls that have a name.
#[derive(Debug, Subcommand)]
pub(super) enum Crawlers {
    /// List crawlers
    List,
    /// Show a crawler
    Show {
        /// Its name
        name: String,
    },
    /// Make a crawler
    Create {
        /// Its name
        name: String,
        /// The database that tables go to
        #[arg(long)]
        database: String,
        /// What it crawls, s3://BUCKET/PREFIX/, or with --connection DATABASE/SCHEMA/TABLE; may be given again
        #[arg(long = "path", required = true)]
        paths: Vec<String>,
        #[command(flatten)]
        source: SourceOptions,
        /// A glob of what is left out, relative to the path; may be given again
        #[arg(long = "exclude")]
        exclusions: Vec<String>,
        /// Put before every table's name
        #[arg(long)]
        prefix: Option<String>,
        /// What is looked at after the first crawl: CRAWL_EVERYTHING, CRAWL_NEW_FOLDERS_ONLY or CRAWL_EVENT_MODE
        #[arg(long)]
        recrawl: Option<String>,
        /// A classifier that is asked before the built-in ones; may be given again
        #[arg(long = "classifier", value_name = "NAME")]
        classifiers: Vec<String>,
        /// When it runs by itself, in UTC: cron(0 18 ? * MON-FRI *)
        #[arg(long)]
        schedule: Option<String>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Change a crawler: what isn't said stays
    Update {
        /// Its name
        name: String,
        /// The database that tables go to
        #[arg(long)]
        database: Option<String>,
        /// What it crawls, in place of what it crawled; may be given again
        #[arg(long = "path")]
        paths: Vec<String>,
        /// A glob of what is left out of these paths; may be given again
        #[arg(long = "exclude", requires = "paths")]
        exclusions: Vec<String>,
        /// Put before every table's name
        #[arg(long)]
        prefix: Option<String>,
        /// What is looked at after the first crawl: CRAWL_EVERYTHING, CRAWL_NEW_FOLDERS_ONLY or CRAWL_EVENT_MODE
        #[arg(long)]
        recrawl: Option<String>,
        /// A classifier that is asked before the built-in ones, in place of those it had; may be given again
        #[arg(long = "classifier", value_name = "NAME")]
        classifiers: Vec<String>,
        /// When it runs by itself, in UTC: cron(0 18 ? * MON-FRI *); never: ''
        #[arg(long)]
        schedule: Option<String>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Run a crawler and print its plan
    Run {
        /// Its name
        name: String,
        /// Print the plan and change nothing; exits 2 if it would change something
        #[arg(long)]
        dry_run: bool,
    },
    /// Stop a crawler's crawl; what a large one wrote until then stays, and can be undone
    Stop {
        /// Its name
        name: String,
    },
    /// Take a crawler's schedule out of force; it is kept
    Pause {
        /// Its name
        name: String,
    },
    /// Put a crawler's schedule in force again
    Resume {
        /// Its name
        name: String,
    },
    /// List a crawler's crawls, the newest first
    History {
        /// Its name
        name: String,
    },
    /// Print a crawl's log
    Logs {
        /// The crawl's id
        crawl: String,
    },
    /// Put back what a crawl changed
    Undo {
        /// The crawl's id
        crawl: String,
    },
    /// Remove a crawler; its tables stay
    Delete {
        /// Its name
        name: String,
    },
}

impl CrawlOnce {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        let body = json!({
            "path": self.path,
            "database": self.database,
            "exclusions": self.exclusions,
            "sample_size": self.options.sample_size,
            "inventory": self.options.inventory,
            "connection": self.source.connection,
            "additional_metadata": self.source.metadata,
            "table_prefix": self.prefix,
            "classifiers": self.classifiers,
            "options": self.options.body()?,
            "dry_run": self.dry_run,
        });
        let crawl = client.post("/crawls", &body)?;
        follow(global, &client, &crawl, self.dry_run)
    }
}

impl Crawlers {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List => {
                let columns = [
                    ("name", "name"),
                    ("database", "database"),
                    ("state", "state"),
                    ("last crawl", "last_crawl/state"),
                ];
                output::list(global.output, &client.all("/crawlers")?, &columns);
            }
            Self::Show { name } => {
                output::item(
                    global.output,
                    &client.get(&format!("/crawlers/{}", segment(&name)))?,
                );
            }
            Self::Create {
                name,
                database,
                paths,
                source,
                exclusions,
                prefix,
                recrawl,
                classifiers,
                schedule,
                options,
            } => {
                let target = |path: &String| {
                    json!({
                        "path": path,
                        "exclusions": exclusions,
                        "sample_size": options.sample_size,
                        "inventory": options.inventory,
                        "connection": source.connection,
                        "additional_metadata": source.metadata,
                    })
                };
                let targets: Vec<Value> = paths.iter().map(target).collect();
                let mut chosen = options.body()?;
                if let Some(recrawl) = recrawl {
                    chosen["recrawl_behavior"] = json!(recrawl);
                }
                let body = json!({
                    "name": name,
                    "database": database,
                    "targets": targets,
                    "table_prefix": prefix,
                    "classifiers": classifiers,
                    "schedule": schedule,
                    "options": chosen,
                });
                output::item(global.output, &client.post("/crawlers", &body)?);
            }
            Self::Update {
                name,
                database,
                paths,
                exclusions,
                prefix,
                recrawl,
                classifiers,
                schedule,
                options,
            } => {
                let path = format!("/crawlers/{}", segment(&name));
                let present = client.get(&path)?;
                let target = |path: &String| json!({ "path": path, "exclusions": exclusions, "sample_size": options.sample_size, "inventory": options.inventory });
                let mut chosen = present["options"].clone();
                let recrawl = recrawl.map(|recrawl| ("recrawl_behavior".to_owned(), json!(recrawl)));
                let said = options.body()?;
                let said = said.as_object().cloned().unwrap_or_default();
                for (option, value) in said.into_iter().chain(recrawl) {
                    chosen[option] = value;
                }
                let schedule = match schedule {
                    None => present["schedule"]["expression"].clone(),
                    Some(schedule) if schedule.is_empty() => Value::Null,
                    Some(schedule) => json!(schedule),
                };
                let or_present = |said: Value, name: &str| {
                    if said.is_null() {
                        present[name].clone()
                    } else {
                        said
                    }
                };
                let list = |said: Vec<Value>, name: &str| {
                    if said.is_empty() {
                        present[name].clone()
                    } else {
                        json!(said)
                    }
                };
                let body = json!({
                    "database": or_present(json!(database), "database"),
                    "description": present["description"],
                    "targets": list(paths.iter().map(target).collect(), "targets"),
                    "table_prefix": or_present(json!(prefix), "table_prefix"),
                    "classifiers": list(classifiers.into_iter().map(Value::from).collect(), "classifiers"),
                    "schedule": schedule,
                    "options": chosen,
                });
                let updated = client.replace(&path, &present["version"], &body)?;
                output::item(global.output, &updated);
            }
            Self::Stop { name } => {
                client.post(&format!("/crawlers/{}/stop", segment(&name)), &json!({}))?;
                output::say(global.quiet, &format!("crawler {name} is asked to stop"));
            }
            Self::Pause { name } => {
                client.post(&format!("/crawlers/{}/pause", segment(&name)), &json!({}))?;
                output::say(
                    global.quiet,
                    &format!("the schedule of crawler {name} is not in force"),
                );
            }
            Self::Resume { name } => {
                let crawler = client.post(&format!("/crawlers/{}/resume", segment(&name)), &json!({}))?;
                let next = crawler["schedule"]["next_at"].as_str().unwrap_or("never");
                output::say(global.quiet, &format!("crawler {name} runs next at {next}"));
            }
            Self::History { name } => {
                let columns = [
                    ("id", "id"),
                    ("state", "state"),
                    ("started", "started_at"),
                    ("finished", "finished_at"),
                    ("changes", "changes"),
                    ("set aside", "warnings"),
                    ("error", "error"),
                ];
                client.get(&format!("/crawlers/{}", segment(&name)))?;
                let crawls = client.all(&format!("/crawls?crawler={}", segment(&name)))?;
                output::list(global.output, &crawls, &columns);
            }
            Self::Logs { crawl } => {
                let log = client.text(&format!("/crawls/{}/logs", segment(&crawl)))?;
                output::data(log.trim_end());
            }
            Self::Run { name, dry_run } => {
                let path = format!("/crawlers/{}/crawls", segment(&name));
                let crawl = client.post(&path, &json!({ "dry_run": dry_run }))?;
                return follow(global, &client, &crawl, dry_run);
            }
            Self::Undo { crawl } => {
                let path = format!("/crawls/{}/undo", segment(&crawl));
                let undone = client.post(&path, &json!({}))?;
                output::say(
                    global.quiet,
                    &format!(
                        "crawl {crawl} is undone: {} changes were put back",
                        undone["changes"]
                    ),
                );
            }
            Self::Delete { name } => {
                client.delete(&format!("/crawlers/{}", segment(&name)))?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// Shows how far a crawl is, and prints its plan when it is done.
fn follow(global: &Global, client: &Client, crawl: &Value, dry_run: bool) -> Result<Outcome, Error> {
    let path = format!("/crawls/{}", crawl["id"].as_str().unwrap_or_default());
    let bar = progress_bar(global.quiet);
    let done = loop {
        let crawl = client.get(&path)?;
        bar.set_message(format!(
            "{} objects listed, {} files read and {} known, {} bytes, {} tables",
            crawl["objects"], crawl["files_read"], crawl["files_known"], crawl["bytes_read"], crawl["tables"]
        ));
        if !matches!(crawl["state"].as_str(), Some("QUEUED" | "RUNNING")) {
            break crawl;
        }
        std::thread::sleep(POLL);
    };
    bar.finish_and_clear();
    if done["state"] != "SUCCEEDED" {
        let message = done["error"]
            .as_str()
            .unwrap_or("the crawl did not succeed")
            .to_owned();
        return Err(Error::invalid(message));
    }
    match global.output {
        Format::Table | Format::Csv => print_plan(&done["plan"]),
        format => output::item(format, &done["plan"]),
    }
    let changes = done["changes"].as_u64().unwrap_or(0);
    // A database has tables and no objects.
    let looked_at = match done["objects"].as_u64() {
        Some(0) => format!("{} tables", done["tables"]),
        _ => format!(
            "{} objects, {} files read, {} known",
            done["objects"], done["files_read"], done["files_known"]
        ),
    };
    let verb = if dry_run { "would change" } else { "changed" };
    output::say(
        global.quiet,
        &format!(
            "{looked_at}; {changes} {verb}, {} set aside (crawl {})",
            done["warnings"],
            done["id"].as_str().unwrap_or_default()
        ),
    );
    Ok(if dry_run && changes > 0 {
        Outcome::WouldChange
    } else {
        Outcome::Done
    })
}

/// A line that says how far long work is; nothing unless stderr is a terminal.
pub(super) fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.enable_steady_tick(POLL);
    bar
}

/// A plan as a tree: `+` new, `~` changed, `-` retired, `=` as it was, `!` set aside.
pub(super) fn print_plan(plan: &Value) {
    let none = Vec::new();
    let list = |name: &str| plan[name].as_array().unwrap_or(&none).clone();
    let tables = list("tables");
    for change in list("changes") {
        let sign = match change["op"].as_str() {
            Some("add") => '+',
            Some("change") => '~',
            Some("retire") => '-',
            _ => '=',
        };
        let kind = change["kind"].as_str().unwrap_or_default();
        let text = |name: &str| output::plain(change[name].as_str().unwrap_or_default());
        let indent = if kind == "column" || kind == "partitions" {
            "    "
        } else {
            ""
        };
        output::data(&format!(
            "{indent}{sign} {kind} {}: {}",
            text("name"),
            text("detail")
        ));
        let items: Vec<&str> = change["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !items.is_empty() {
            let more = if items.len() > NAMED { ", …" } else { "" };
            let named = items[..items.len().min(NAMED)].join(", ");
            output::data(&format!("{indent}    {}{more}", output::plain(&named)));
        }
        output::data(&format!("{indent}    because {}", text("reason")));
        if kind == "table" && sign == '+' {
            let name = text("name");
            let is_it = |table: &&Value| {
                format!(
                    "{}.{}",
                    table["database"].as_str().unwrap_or_default(),
                    table["name"].as_str().unwrap_or_default()
                ) == name
            };
            for column in tables
                .iter()
                .find(is_it)
                .and_then(|table| table["columns"].as_array())
                .unwrap_or(&none)
            {
                let text = |name: &str| output::plain(column[name].as_str().unwrap_or_default());
                output::data(&format!(
                    "    + {} {}  ({})",
                    text("name"),
                    text("type"),
                    text("reason")
                ));
            }
        }
    }
    for aside in list("set_aside") {
        let text = |name: &str| output::plain(aside[name].as_str().unwrap_or_default());
        output::data(&format!("! {} set aside: {}", text("path"), text("reason")));
    }
}
