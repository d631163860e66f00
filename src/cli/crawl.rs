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

/// Crawl a prefix once.
#[derive(Debug, Args)]
pub(super) struct CrawlOnce {
    /// s3://BUCKET/PREFIX/
    path: String,
    /// The database that tables go to [default: named after the prefix]
    #[arg(long)]
    database: Option<String>,
    /// Print the plan and change nothing; exits 2 if it would change something
    #[arg(long)]
    dry_run: bool,
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
        /// What it crawls, s3://BUCKET/PREFIX/; may be given again
        #[arg(long = "path", required = true)]
        paths: Vec<String>,
        /// A glob of what is left out, relative to the path; may be given again
        #[arg(long = "exclude")]
        exclusions: Vec<String>,
    },
    /// Run a crawler and print its plan
    Run {
        /// Its name
        name: String,
        /// Print the plan and change nothing; exits 2 if it would change something
        #[arg(long)]
        dry_run: bool,
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
        let body = json!({ "path": self.path, "database": self.database, "dry_run": self.dry_run });
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
                exclusions,
            } => {
                let targets: Vec<Value> = paths
                    .iter()
                    .map(|path| json!({ "path": path, "exclusions": exclusions }))
                    .collect();
                let body = json!({ "name": name, "database": database, "targets": targets });
                output::item(global.output, &client.post("/crawlers", &body)?);
            }
            Self::Run { name, dry_run } => {
                let path = format!("/crawlers/{}/crawls", segment(&name));
                let crawl = client.post(&path, &json!({ "dry_run": dry_run }))?;
                return follow(global, &client, &crawl, dry_run);
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
            "{} objects, {} files read, {} bytes",
            crawl["objects"], crawl["files_read"], crawl["bytes_read"]
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
    let verb = if dry_run { "would change" } else { "changed" };
    output::say(
        global.quiet,
        &format!(
            "{} objects, {} files read; {changes} {verb}, {} set aside",
            done["objects"], done["files_read"], done["warnings"]
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
