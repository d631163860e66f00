//! `mastic infer`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::classifiers::CustomClassifier;
use clap::Args;
use serde_json::{Value, json};

use super::output::{self, Format};
use super::serve::block_on;
use super::{Global, Outcome, classifiers};
use crate::buckets::{Access, Buckets};
use crate::error::{Error, Result};
use crate::model::data_files::is_hidden_name;
use crate::model::location::Location;
use crate::task::{Children, Failure, FileToClassify, Limits, Message, ObjectToRead, Spec, Work};

const LIMITS: Limits = Limits {
    memory_bytes: 1 << 30,
    cpu_seconds: 300,
    wall_seconds: 600,
};

/// How many files are worth a process of their own.
const FILES_OF_A_PROCESS: usize = 64;
/// The most processes that look at files at a time.
const MOST_PROCESSES: usize = 4;

/// Say what files are: schema, dialect, and why.
#[derive(Debug, Args)]
pub(super) struct Infer {
    /// Files, folders or s3://… locations
    #[arg(required = true)]
    paths: Vec<String>,
    /// A JSON file with a classifier that is asked before the built-in ones, or several; may be given again
    #[arg(long = "classifier", value_name = "FILE")]
    classifiers: Vec<PathBuf>,
}

/// A file, by the name that it is shown under.
struct File {
    shown: String,
    file: Result<FileToClassify, Failure>,
}

impl Infer {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        let mut custom = Vec::new();
        for file in &self.classifiers {
            for definition in classifiers::read(file)? {
                let ready = CustomClassifier::new(definition)
                    .map_err(|wrong| Error::invalid(format!("{}: {wrong}", file.display())))?;
                custom.push(ready);
            }
        }
        block_on(async {
            let mut files = Vec::new();
            let mut access = None;
            for path in &self.paths {
                if path.starts_with("s3://") {
                    access = Some(Access::Environment);
                    files.extend(objects_at(path).await);
                } else {
                    files.extend(files_at(Path::new(path)));
                }
            }
            let verdicts = judge(&files, &custom, access).await?;
            let mut is_well = true;
            for (index, file) in files.iter().enumerate() {
                let line = verdicts.get(&index).cloned().unwrap_or_else(|| {
                    let failure = match &file.file {
                        Err(failure) => failure.clone(),
                        Ok(_) => Failure::from(Error::internal("it was not looked at")),
                    };
                    json!({ "error": { "kind": failure.kind, "message": failure.message } })
                });
                is_well &= line.get("error").is_none();
                print(global.output, &file.shown, line);
            }
            Ok(if is_well { Outcome::Done } else { Outcome::Failed })
        })
    }
}

/// The files at a path: itself, or those in the folder, hidden ones left out.
fn files_at(path: &Path) -> Vec<File> {
    if !path.is_dir() {
        return vec![local(path.to_owned())];
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            found.push(local(folder));
            continue;
        };
        for entry in entries.flatten() {
            let is_hidden = is_hidden_name(&entry.file_name().to_string_lossy());
            match entry.file_type() {
                _ if is_hidden => {}
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => found.push(local(entry.path())),
            }
        }
    }
    found.sort_by(|a, b| a.shown.cmp(&b.shown));
    found
}

fn local(path: PathBuf) -> File {
    let shown = path.display().to_string();
    // The child works in another folder.
    let absolute = std::path::absolute(&path).unwrap_or(path);
    File {
        file: Ok(FileToClassify::Local {
            path: absolute.display().to_string(),
        }),
        shown,
    }
}

async fn objects_at(path: &str) -> Vec<File> {
    let listed = async {
        let location = Location::parse(path)?;
        let buckets = Buckets::new(&Access::Environment).await?;
        let objects = buckets.list(&location.bucket, &location.key).await?;
        if objects.is_empty() {
            return Err(Error::not_found(format!("there is no object {path}")));
        }
        Ok((location.bucket, objects))
    };
    match listed.await {
        Ok((bucket, objects)) => objects
            .into_iter()
            .filter(|object| !object.key.ends_with('/'))
            .map(|object| File {
                shown: format!("s3://{bucket}/{}", object.key),
                file: Ok(FileToClassify::Object(ObjectToRead::of(&bucket, object))),
            })
            .collect(),
        Err(error) => vec![File {
            shown: path.to_owned(),
            file: Err(Failure::from(error)),
        }],
    }
}

/// What each file is, by its place. Many files are looked at by several processes at a time.
async fn judge(
    files: &[File],
    custom: &[CustomClassifier],
    access: Option<Access>,
) -> Result<BTreeMap<usize, Value>> {
    let files: Vec<(usize, FileToClassify)> = files
        .iter()
        .enumerate()
        .filter_map(|(index, file)| Some((index, file.file.as_ref().ok()?.clone())))
        .collect();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let processes = processors
        .min(MOST_PROCESSES)
        .min(files.len().div_ceil(FILES_OF_A_PROCESS));
    let share = files.len().div_ceil(processes.max(1)).max(1);
    let program = std::env::current_exe()
        .map_err(|cause| Error::internal("this program's own file can't be found").source(cause))?;
    let children = Children::of_a_command(program, processes.max(1));
    let shares = files
        .chunks(share)
        .map(|files| judge_share(&children, files.to_vec(), custom, access.clone()));
    let verdicts = futures::future::try_join_all(shares).await?;
    Ok(verdicts.into_iter().flatten().collect())
}

/// What each file of a share is. A file that kills the process that looks at it is said to, and the rest goes on.
async fn judge_share(
    children: &Children,
    mut rest: Vec<(usize, FileToClassify)>,
    custom: &[CustomClassifier],
    access: Option<Access>,
) -> Result<BTreeMap<usize, Value>> {
    let mut verdicts = BTreeMap::new();
    while !rest.is_empty() {
        let spec = Spec {
            work: Work::Classify {
                files: rest.iter().map(|(_, file)| file.clone()).collect(),
                custom: custom.to_vec(),
            },
            access: access.clone(),
            limits: LIMITS,
        };
        let mut child = children.start(&spec).await?;
        let mut judged = 0;
        let died = loop {
            match child.next().await {
                Ok(Message::Classified { verdict, .. }) => {
                    let line = match verdict {
                        Ok(verdict) => serde_json::to_value(verdict.concrete())
                            .map_err(|cause| Error::internal("a verdict can't be shown").source(cause))?,
                        Err(failure) => {
                            json!({ "error": { "kind": failure.kind, "message": failure.message } })
                        }
                    };
                    verdicts.insert(rest[judged].0, line);
                    judged += 1;
                }
                Ok(Message::Done) => break None,
                Ok(Message::Failed(failure)) => return Err(failure.into()),
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        };
        rest.drain(..judged);
        if let Some(error) = died {
            if rest.is_empty() {
                return Err(error);
            }
            let (index, _) = rest.remove(0);
            verdicts.insert(
                index,
                json!({ "error": { "kind": error.kind, "message": error.message } }),
            );
        }
    }
    Ok(verdicts)
}

fn print(format: Format, shown: &str, mut line: Value) {
    if format != Format::Table {
        let mut whole = json!({ "path": shown });
        if let (Some(whole), Some(line)) = (whole.as_object_mut(), line.as_object_mut()) {
            whole.append(line);
        }
        output::data(&whole.to_string());
        return;
    }
    output::data(&format!("{shown}: {}", headline(&line)));
    for reason in line["reasons"].as_array().into_iter().flatten() {
        output::data(&format!("  {}", output::cell(reason)));
    }
    let columns = line["columns"].as_array().cloned().unwrap_or_default();
    if !columns.is_empty() {
        output::list(
            format,
            &columns,
            &[
                ("column", "name"),
                ("type", "type"),
                ("nullable", "nullable"),
                ("reason", "reason"),
            ],
        );
    }
}

fn headline(line: &Value) -> String {
    if let Some(message) = line["error"]["message"].as_str() {
        return format!("error: {message}");
    }
    let compression = match line["compression"].as_str() {
        None | Some("none") => String::new(),
        Some(compression) => format!(", {compression}"),
    };
    format!(
        "{}{compression}, {} rows looked at",
        output::cell(&line["classification"]),
        line["rows_sampled"]
    )
}
