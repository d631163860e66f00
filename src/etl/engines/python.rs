//! Python scripts, each in a process of its own, shut in where the kernel can do that.
//!
//! A script is told its parameters as `--name value`. `MASTIC_INPUTS` names a JSON file with the objects that it is to read,
//! `MASTIC_OUTPUT_DIR` a folder and `MASTIC_OUTPUT` an `s3://` location for what it writes.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{Assignment, Engine, Place, Working};
use crate::app::App;
use crate::buckets::Access;
use crate::error::{Error, Result};
use crate::model::location::Location;
use crate::task::{Limits, Program, Spec, TableToRead, Work};

/// The script's name in its folder.
const SCRIPT: &str = "script.py";
/// What asks an interpreter where it is and where its modules are.
const WHERE: &str = "import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix]))";
/// The longest that a link to an input holds, in seconds: as long as S3 lets one hold.
const LONGEST_LINK: u64 = 7 * 24 * 60 * 60;

pub(super) struct Python;

#[async_trait::async_trait]
impl Engine for Python {
    fn writes_output(&self) -> bool {
        false
    }

    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>> {
        let app = work.app;
        let interpreter = interpreter(&app.config.engines.python).await?;
        let mut arguments = vec![SCRIPT.to_owned()];
        for (name, value) in &work.run.body.parameters {
            arguments.extend([format!("--{name}"), value.clone()]);
        }
        let inputs = inputs(app, work.tables, work.limits).await?;
        let output = match work.place {
            Place::Folder(folder) => Some(folder.clone()),
            _ => None,
        };
        let program = Program {
            file: interpreter.file.clone(),
            arguments,
            environment: environment(&work, &interpreter, output.as_ref()),
            files: BTreeMap::from([
                (SCRIPT.to_owned(), work.script.to_owned()),
                (Program::INPUTS.to_owned(), inputs.to_string()),
            ]),
            readable: interpreter.folders,
            output: output.map(|folder| (folder.bucket, folder.key)),
            log_bytes: app.config.engines.log_bytes,
        };
        let spec = Spec {
            work: Work::Run(program),
            access: Some(app.access.clone()),
            limits: Limits {
                memory_bytes: app.config.engines.memory_bytes,
                ..work.limits
            },
        };
        Ok(Box::new(app.children.start(&spec).await?))
    }
}

/// An interpreter, and the folders that it needs.
#[derive(Clone)]
struct Interpreter {
    file: PathBuf,
    folders: Vec<PathBuf>,
}

/// Finds out where an interpreter is. Asked once for each name.
async fn interpreter(name: &str) -> Result<Interpreter> {
    static KNOWN: OnceLock<Mutex<HashMap<String, Interpreter>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    let found = known
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(name)
        .cloned();
    if let Some(found) = found {
        return Ok(found);
    }
    let missing = |why: String| {
        Error::unavailable(format!("the Python interpreter '{name}' can't be used: {why}"))
            .hint("install Python 3, or name an interpreter with engines.python")
    };
    let answer = Command::new(name)
        .args(["-I", "-c", WHERE])
        .kill_on_drop(true)
        .output();
    let answer = answer.await.map_err(|cause| missing(cause.to_string()))?;
    let paths: Vec<PathBuf> = serde_json::from_slice(&answer.stdout)
        .map_err(|_| missing(String::from_utf8_lossy(&answer.stderr).trim().to_owned()))?;
    let [file, prefix, base] = &paths[..] else {
        return Err(missing("it does not say where it is".to_owned()));
    };
    let found = Interpreter {
        file: file.clone(),
        folders: [prefix, base].into_iter().cloned().collect(),
    };
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(name.to_owned(), found.clone());
    Ok(found)
}

/// The objects of each input, with the version that counts and a link that any program can read it by.
async fn inputs(app: &App, tables: &[TableToRead], limits: Limits) -> Result<Value> {
    let valid = Duration::from_secs(limits.wall_seconds.clamp(1, LONGEST_LINK));
    let mut inputs = serde_json::Map::new();
    for table in tables {
        let mut files = Vec::new();
        for file in table.files.given() {
            let object = &file.object;
            let url = app.buckets.link(&object.bucket, &object.key, valid).await?;
            files.push(json!({
                "path": object.path(),
                "size": object.size,
                "etag": object.etag,
                "last_modified": object.last_modified,
                "url": url,
            }));
        }
        inputs.insert(table.name.clone(), json!({ "files": files }));
    }
    Ok(Value::Object(inputs))
}

/// All that a script sees of the outside: nothing of the server's own environment.
fn environment(
    work: &Assignment<'_>,
    interpreter: &Interpreter,
    output: Option<&Location>,
) -> BTreeMap<String, String> {
    let own = interpreter
        .file
        .parent()
        .map(|folder| folder.display().to_string());
    let path = [own.as_deref(), Some("/usr/local/bin:/usr/bin:/bin")];
    let path: Vec<&str> = path.into_iter().flatten().collect();
    let mut environment: BTreeMap<String, String> = [
        ("PATH", path.join(":")),
        ("LANG", "C.UTF-8".to_owned()),
        ("PYTHONUNBUFFERED", "1".to_owned()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ("MASTIC_JOB", work.job.name.clone()),
        ("MASTIC_RUN", work.run.id.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Some(output) = output {
        environment.insert("MASTIC_OUTPUT".to_owned(), output.to_string());
    }
    match &work.app.access {
        Access::Endpoint {
            url,
            access_key,
            secret_key,
            region,
            ..
        } => {
            for (name, value) in [
                ("AWS_ENDPOINT_URL_S3", url),
                ("AWS_ACCESS_KEY_ID", access_key),
                ("AWS_SECRET_ACCESS_KEY", secret_key),
                ("AWS_REGION", region),
                ("AWS_DEFAULT_REGION", region),
            ] {
                environment.insert(name.to_owned(), value.clone());
            }
        }
        Access::Environment => {
            let own = crate::config::process_environment().into_iter();
            environment.extend(own.filter(|(name, _)| name.starts_with("AWS_")));
        }
    }
    environment
}
