//! `mastic jobs`, `mastic runs`

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::parameters::{key_value, object};
use super::{Global, Outcome, output};
use crate::error::Error;
use crate::etl::jobs::JobSource;

/// How often a run is asked how far it is.
const POLL: Duration = Duration::from_millis(200);

/// Jobs.
#[derive(Debug, Subcommand)]
pub(super) enum Jobs {
    /// List jobs
    List,
    /// Show a job
    Show {
        /// Its name
        name: String,
    },
    /// Register a job folder, or bring it up to date
    Register {
        /// The folder with job.toml and the script; may be given again
        #[arg(required = true)]
        folders: Vec<PathBuf>,
    },
    /// Run a job
    Run {
        /// Its name
        name: String,
        /// A parameter, as key=value; may be given again
        #[arg(long = "param", value_parser = key_value)]
        parameters: Vec<(String, String)>,
        /// Wait until the run is over, with its log
        #[arg(long)]
        wait: bool,
        /// Only say what the run would read, write and replace; exits with 2 where that is anything
        #[arg(long, conflicts_with = "wait")]
        dry_run: bool,
    },
    /// Remove a job; its runs stay
    Delete {
        /// Its name
        name: String,
    },
}

/// Runs of jobs.
#[derive(Debug, Subcommand)]
pub(super) enum Runs {
    /// List runs, the newest first
    List {
        /// Of this job only
        #[arg(long)]
        job: Option<String>,
    },
    /// Show a run
    Show {
        /// Its id
        id: String,
    },
    /// Print a run's log
    Logs {
        /// Its id
        id: String,
        /// Go on until the run is over
        #[arg(long)]
        follow: bool,
    },
    /// Ask for a run to be stopped
    Cancel {
        /// Its id
        id: String,
    },
    /// Start a run in the place of one that failed or was stopped
    Retry {
        /// Its id
        id: String,
        /// Wait until the new run is over, with its log
        #[arg(long)]
        wait: bool,
    },
}

impl Jobs {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List => {
                let columns = [
                    ("name", "name"),
                    ("engine", "engine"),
                    ("version", "version"),
                    ("triggers", "triggers"),
                    ("description", "description"),
                ];
                output::list(global.output, &client.all("/jobs")?, &columns);
            }
            Self::Show { name } => {
                output::item(global.output, &client.get(&format!("/jobs/{}", segment(&name)))?);
            }
            Self::Register { folders } => {
                for folder in folders {
                    let source = JobSource::read(&folder)?;
                    let body = json!({ "definition": source.definition, "script": source.script, "requirements": source.requirements });
                    let job = client.put(&format!("/jobs/{}", segment(&source.name)), &body)?;
                    output::say(
                        global.quiet,
                        &format!("registered {}, version {}", source.name, job["version"]),
                    );
                }
            }
            Self::Run {
                name,
                parameters,
                wait,
                dry_run,
            } => {
                let body = json!({ "parameters": object(parameters), "dry_run": dry_run });
                let run = client.post(&format!("/jobs/{}/runs", segment(&name)), &body)?;
                if dry_run {
                    return Ok(previewed(global, &run));
                }
                return started(&client, global, &run, wait);
            }
            Self::Delete { name } => {
                client.delete(&format!("/jobs/{}", segment(&name)))?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// Shows what a run would do.
fn previewed(global: &Global, preview: &Value) -> Outcome {
    output::item(global.output, preview);
    if let Some(refused) = preview["refused"]["message"].as_str() {
        output::say(false, &format!("it would fail: {refused}"));
        if let Some(hint) = preview["refused"]["hint"].as_str() {
            output::say(false, &format!("hint: {hint}"));
        }
        return Outcome::Failed;
    }
    Outcome::WouldChange
}

/// Names a run that was started; with `wait`, shows it to its end.
fn started(client: &Client, global: &Global, run: &Value, wait: bool) -> Result<Outcome, Error> {
    let id = run["id"].as_str().unwrap_or_default();
    if wait {
        output::say(global.quiet, &format!("run {id}"));
        return finish(global, client, id);
    }
    output::data(id);
    Ok(Outcome::Done)
}

/// Shows a run's log on stderr until it is over, then the run.
fn finish(global: &Global, client: &Client, id: &str) -> Result<Outcome, Error> {
    follow(client, id, true, |line| output::say(global.quiet, line))?;
    let run = client.get(&format!("/runs/{id}"))?;
    output::item(global.output, &run);
    if run["state"] == "SUCCEEDED" {
        return Ok(Outcome::Done);
    }
    output::say(false, &format!("the run is {}", output::cell(&run["state"])));
    if let Some(hint) = run["error"]["hint"].as_str() {
        output::say(false, &format!("hint: {hint}"));
    }
    Ok(Outcome::Failed)
}

/// Gives every line of a log to `print`; with `until_over`, waits for more until the run is over.
fn follow(client: &Client, id: &str, until_over: bool, print: impl Fn(&str)) -> Result<(), Error> {
    let mut cursor = String::new();
    loop {
        // The state first: what is logged before the end is then among the lines.
        let run = client.get(&format!("/runs/{id}"))?;
        let is_over = !until_over || !matches!(run["state"].as_str(), Some("QUEUED" | "RUNNING"));
        loop {
            let page = client.get(&format!("/runs/{id}/logs?limit=1000{cursor}"))?;
            for line in page["items"].as_array().into_iter().flatten() {
                let text = |name: &str| output::plain(line[name].as_str().unwrap_or_default());
                print(&format!("{} {:5} {}", text("at"), text("level"), text("message")));
                cursor = format!("&cursor={}", hex::encode(line["seq"].to_string()));
            }
            if page["next"].is_null() {
                break;
            }
        }
        if is_over {
            return Ok(());
        }
        std::thread::sleep(POLL);
    }
}

impl Runs {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Error> {
        let client = Client::new(global);
        match self {
            Self::List { job } => {
                let path = job.map_or("/runs".to_owned(), |job| format!("/runs?job={}", segment(&job)));
                let columns = [
                    ("id", "id"),
                    ("job", "job"),
                    ("state", "state"),
                    ("parameters", "parameters"),
                    ("rows in", "rows_in"),
                    ("rows out", "rows_out"),
                    ("ms", "duration_ms"),
                    ("trigger", "trigger"),
                ];
                output::list(global.output, &client.all(&path)?, &columns);
            }
            Self::Show { id } => {
                output::item(global.output, &client.get(&format!("/runs/{}", segment(&id)))?)
            }
            Self::Logs {
                id,
                follow: until_over,
            } => follow(&client, &segment(&id), until_over, output::data)?,
            Self::Retry { id, wait } => {
                let run = client.post(&format!("/runs/{}/retry", segment(&id)), &json!({}))?;
                return started(&client, global, &run, wait);
            }
            Self::Cancel { id } => {
                client.post(&format!("/runs/{}/cancel", segment(&id)), &json!({}))?;
                output::say(global.quiet, "asked to stop");
            }
        }
        Ok(Outcome::Done)
    }
}
