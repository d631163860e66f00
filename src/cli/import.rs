//! `mastic import`: a catalog from AWS Glue, or from an export.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::export::{Counts, read};
use super::glue_client::GlueClient;
use super::glue_requests::{Request, text};
use super::serve::block_on;
use super::{Global, Outcome, output};
use crate::error::{Error, ErrorKind, Result};

/// Bring a catalog in: from AWS Glue, or from an export.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// From AWS Glue, or from what speaks like it
    Glue(FromGlue),
    /// From what `mastic export --format glue-json` wrote
    GlueJson(FromFile),
}

/// From AWS Glue, or from what speaks like it. What is here already is brought up to date; nothing is removed.
#[derive(Debug, Args)]
pub(super) struct FromGlue {
    /// Where it is [default: as AWS's variables and files say]
    #[arg(long)]
    endpoint_url: Option<String>,
    /// Its region
    #[arg(long)]
    region: Option<String>,
    /// The profile in AWS's files
    #[arg(long)]
    profile: Option<String>,
    /// Only this database; may be repeated
    #[arg(long)]
    database: Vec<String>,
    /// Where it is noted what came over, so that an interrupted import goes on from there
    #[arg(long, default_value = "mastic-import.state")]
    state: PathBuf,
}

/// From what `mastic export --format glue-json` wrote.
#[derive(Debug, Args)]
pub(super) struct FromFile {
    /// The file; - for stdin
    file: PathBuf,
}

impl Import {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        let into = GlueClient::of_mastic(&global.url);
        match self {
            Self::Glue(from) => block_on(from.run(global, &into)),
            Self::GlueJson(from) => block_on(from.run(global, &into)),
        }
    }
}

impl FromGlue {
    async fn run(self, global: &Global, into: &GlueClient) -> Result<Outcome> {
        if self
            .endpoint_url
            .as_deref()
            .is_some_and(|url| url.trim_end_matches('/') == global.url)
        {
            return Err(Error::invalid("the catalog would be imported into itself")
                .hint("--endpoint-url says where it comes from, --url where it goes"));
        }
        let from = GlueClient::of_aws(
            self.endpoint_url.as_deref(),
            self.region.as_deref(),
            self.profile.as_deref(),
        )
        .await?;
        let source = format!(
            "{} {} {}",
            self.endpoint_url.as_deref().unwrap_or("aws"),
            self.region.as_deref().unwrap_or("-"),
            self.profile.as_deref().unwrap_or("-"),
        );
        let mut journal = Journal::open(&self.state, &format!("{source} -> {}", global.url))?;
        let mut writing = Writing::new(global, into);
        let mut skipped = 0;
        let mut current: Option<String> = None;
        read(&from, &self.database, async |request: Request| {
            // A table is over when the next thing begins.
            let begins = unit_of(&request);
            if begins.is_some() {
                journal.finish(current.take())?;
                current.clone_from(&begins);
            }
            if current.as_ref().is_some_and(|unit| journal.done.contains(unit)) {
                skipped += usize::from(begins.is_some());
                return Ok(());
            }
            writing.write(&request).await
        })
        .await
        .map_err(|error| {
            let again = "run the same command again: it goes on from what came over";
            if error.hint.is_none() {
                error.hint(again)
            } else {
                error
            }
        })?;
        journal.finish(current)?;
        journal.remove();
        writing.progress.finish_and_clear();
        let again = if skipped > 0 {
            format!("; {skipped} had come over before")
        } else {
            String::new()
        };
        output::say(global.quiet, &format!("imported {}{again}", writing.counts));
        Ok(Outcome::Done)
    }
}

/// What a request begins that may be noted as done when it is over: a table, a database, another thing.
fn unit_of(request: &Request) -> Option<String> {
    let members = &request.members;
    match request.operation {
        "CreateDatabase" => Some(format!("database {}", text(&members["DatabaseInput"], "Name"))),
        "CreateTable" => Some(format!(
            "table {}.{}",
            text(members, "DatabaseName"),
            text(&members["TableInput"], "Name")
        )),
        "CreateUserDefinedFunction" => Some(format!(
            "function {}.{}",
            text(members, "DatabaseName"),
            text(&members["FunctionInput"], "FunctionName")
        )),
        "CreateConnection" => Some(format!(
            "connection {}",
            text(&members["ConnectionInput"], "Name")
        )),
        _ => None,
    }
}

impl FromFile {
    async fn run(self, global: &Global, into: &GlueClient) -> Result<Outcome> {
        let shown = self.file.display().to_string();
        let lines: Box<dyn BufRead> = if shown == "-" {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(&self.file)
                .map_err(|cause| Error::invalid(format!("can't read {shown}: {cause}")))?;
            Box::new(BufReader::new(file))
        };
        let mut writing = Writing::new(global, into);
        for (line, number) in lines.lines().zip(1..) {
            let line = line.map_err(|cause| Error::invalid(format!("can't read {shown}: {cause}")))?;
            if line.trim().is_empty() {
                continue;
            }
            let request = request_of(&line).ok_or_else(|| {
                Error::invalid(format!("{shown}, line {number}: this is no Glue request"))
                    .hint("the file must be one that `mastic export --format glue-json` wrote")
            })?;
            writing.write(&request).await.map_err(|error| {
                let message = format!("{shown}, line {number}: {}", error.message);
                Error::new(error.kind, message)
                    .hint("what stands above that line is imported; the whole file may be imported again")
            })?;
        }
        writing.progress.finish_and_clear();
        output::say(global.quiet, &format!("imported {}", writing.counts));
        Ok(Outcome::Done)
    }
}

/// The operations that an export consists of.
const OPERATIONS: [&str; 8] = [
    "CreateDatabase",
    "CreateTable",
    "BatchCreatePartition",
    "CreateUserDefinedFunction",
    "CreateConnection",
    "TagResource",
    "UpdateColumnStatisticsForTable",
    "UpdateColumnStatisticsForPartition",
];

fn request_of(line: &str) -> Option<Request> {
    let parsed: Map<String, Value> = serde_json::from_str(line).ok()?;
    let mut entries = parsed.into_iter();
    let (name, members) = entries.next()?;
    let operation = OPERATIONS.into_iter().find(|known| *known == name)?;
    (entries.next().is_none() && members.is_object()).then_some(Request { operation, members })
}

/// Makes things anew, or brings them up to date where they are.
struct Writing<'a> {
    into: &'a GlueClient,
    account: Option<String>,
    counts: Counts,
    progress: ProgressBar,
}

impl<'a> Writing<'a> {
    fn new(global: &Global, into: &'a GlueClient) -> Self {
        let progress = if global.quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::new_spinner()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            progress.set_style(style);
        }
        Self {
            into,
            account: None,
            counts: Counts::default(),
            progress,
        }
    }

    async fn write(&mut self, request: &Request) -> Result<()> {
        match request.operation {
            "BatchCreatePartition" => self.write_partitions(&request.members).await?,
            "TagResource" => self.write_tags(&request.members).await?,
            operation => match self.into.call(operation, &request.members).await {
                Err(error) if error.kind == ErrorKind::AlreadyExists => {
                    let (operation, members) = update_of(request);
                    self.into.call(operation, &members).await?;
                }
                done => {
                    done?;
                }
            },
        }
        self.counts.add(request);
        self.progress.set_message(self.counts.to_string());
        self.progress.tick();
        Ok(())
    }

    /// Those that are here already are put in the place of what they were.
    async fn write_partitions(&self, members: &Value) -> Result<()> {
        let answer = self.into.call("BatchCreatePartition", members).await?;
        let known: HashSet<String> = answer["Errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| error["PartitionValues"].to_string())
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        let list = members["PartitionInputList"].as_array().into_iter().flatten();
        let entries: Vec<Value> = list
            .filter(|partition| known.contains(&partition["Values"].to_string()))
            .map(
                |partition| json!({ "PartitionValueList": partition["Values"], "PartitionInput": partition }),
            )
            .collect();
        let update = json!({
            "DatabaseName": members["DatabaseName"],
            "TableName": members["TableName"],
            "Entries": entries,
        });
        let answer = self.into.call("BatchUpdatePartition", &update).await?;
        match answer["Errors"].as_array().and_then(|errors| errors.first()) {
            None => Ok(()),
            Some(error) => Err(Error::invalid(format!(
                "partition {} of {}.{} can't be written: {}",
                error["PartitionValueList"],
                text(members, "DatabaseName"),
                text(members, "TableName"),
                text(&error["ErrorDetail"], "ErrorMessage")
            ))),
        }
    }

    /// The same resource of the catalog here, which may have another account.
    async fn write_tags(&mut self, members: &Value) -> Result<()> {
        let account = match &self.account {
            Some(account) => account.clone(),
            None => {
                let answer = self
                    .into
                    .call("GetDatabases", &json!({ "MaxResults": 1 }))
                    .await?;
                let account = text(&answer["DatabaseList"][0], "CatalogId");
                self.account.insert(account).clone()
            }
        };
        let arn = text(members, "ResourceArn");
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let members = json!({
            "ResourceArn": format!("arn:aws:glue:us-east-1:{account}:{resource}"),
            "TagsToAdd": members["TagsToAdd"],
        });
        self.into.call("TagResource", &members).await.map(drop)
    }
}

/// The request that brings up to date what another would have made.
fn update_of(request: &Request) -> (&'static str, Value) {
    let mut members = request.members.clone();
    match request.operation {
        "CreateDatabase" => {
            members["Name"] = members["DatabaseInput"]["Name"].clone();
            ("UpdateDatabase", members)
        }
        "CreateTable" => {
            if let Some(members) = members.as_object_mut() {
                members.remove("PartitionIndexes");
            }
            members["SkipArchive"] = true.into();
            ("UpdateTable", members)
        }
        "CreateUserDefinedFunction" => {
            members["FunctionName"] = members["FunctionInput"]["FunctionName"].clone();
            ("UpdateUserDefinedFunction", members)
        }
        _ => {
            members["Name"] = members["ConnectionInput"]["Name"].clone();
            ("UpdateConnection", members)
        }
    }
}

/// What of an import is done: a file with a line for each thing, the first of which says what is imported.
struct Journal {
    path: PathBuf,
    file: File,
    done: HashSet<String>,
}

impl Journal {
    fn open(path: &Path, what: &str) -> Result<Self> {
        let shown = path.display();
        let cant = |cause: std::io::Error| Error::unavailable(format!("can't write {shown}: {cause}"));
        let known = match std::fs::read_to_string(path) {
            Ok(known) => known,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(cant(cause)),
        };
        // A line without an end was being written when the import was interrupted.
        let whole = &known[..known.rfind('\n').map_or(0, |end| end + 1)];
        let mut lines = whole.lines();
        let first = lines.next();
        if first.is_some_and(|first| first != what) {
            return Err(Error::conflict(format!("{shown} is of another import"))
                .hint("name another file with --state, or remove it to begin anew"));
        }
        let done = lines.map(str::to_owned).collect();
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(cant)?;
        let length = u64::try_from(whole.len()).unwrap_or(0);
        file.set_len(length).map_err(cant)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(cant)?;
        if first.is_none() {
            writeln!(file, "{what}").map_err(cant)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            done,
        })
    }

    fn finish(&mut self, unit: Option<String>) -> Result<()> {
        match unit {
            Some(unit) if self.done.insert(unit.clone()) => writeln!(self.file, "{unit}")
                .map_err(|cause| Error::unavailable(format!("can't write {}: {cause}", self.path.display()))),
            _ => Ok(()),
        }
    }

    fn remove(self) {
        // A journal that stays is one of a finished import: the next one finds everything done.
        let _ = std::fs::remove_file(&self.path);
    }
}
