//! Python scripts, each in a process of its own, shut in where the kernel can do that.
//!
//! A script is told its parameters as `--name value`. `MASTIC_INPUTS` names a JSON file with the objects that it is to read,
//! `MASTIC_OUTPUT_DIR` a folder and `MASTIC_OUTPUT` an `s3://` location for what it writes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::environment::{Environment, Interpreter, search_path};
use super::stages::{INSTALL_BYTES, Stages};
use super::{Assignment, Engine, Place, Working, library};
use crate::app::App;
use crate::buckets::Access;
use crate::error::{Error, Result};
use crate::model::job::Job;
use crate::model::location::Location;
use crate::model::pattern::Captures;
use crate::task::{Copied, Limits, Program, TableToRead};

/// The script's name in its folder.
const SCRIPT: &str = "script.py";
/// Glue's argument that names packages (`--additional-python-modules`), with commas between them.
const ADDITIONAL_MODULES: &str = "additional-python-modules";
/// Glue's arguments that name files for the script, with commas between them: modules, and others.
const EXTRA_MODULES: &str = "extra-py-files";
const EXTRA_FILES: &str = "extra-files";
/// The longest that a link to an input holds, in seconds: as long as S3 lets one hold.
const LONGEST_LINK: u64 = 7 * 24 * 60 * 60;

pub(super) struct Python;

#[async_trait::async_trait]
impl Engine for Python {
    fn writes_output(&self) -> bool {
        false
    }

    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>> {
        let config = &work.app.config.engines;
        let requirements = requirements(work.job, &work.run.body.parameters);
        if requirements.is_empty() {
            let interpreter = Interpreter::of(config).await?;
            let script = program(&work, &interpreter, &[]).await?;
            return Stages::begin(&work, [(script, config.memory_bytes)], Vec::new()).await;
        }
        let environment = Environment::of(config, &requirements).await?;
        let script = program(&work, &environment.interpreter(), &[]).await?;
        let mut stages = Vec::new();
        if !environment.is_ready() {
            stages.push((environment.program(config.log_bytes)?, INSTALL_BYTES));
        }
        stages.push((script, config.memory_bytes));
        Stages::begin(&work, stages, Vec::new()).await
    }
}

/// The packages that a script needs: those of its job, and those that Glue's argument names.
pub(super) fn requirements(job: &Job, parameters: &Captures) -> Vec<String> {
    let told = parameters
        .get(ADDITIONAL_MODULES)
        .map(String::as_str)
        .unwrap_or_default();
    let told = told.split(',').map(str::trim).filter(|module| !module.is_empty());
    let own = job.definition.requirements.iter().cloned();
    own.chain(told.map(str::to_owned)).collect()
}

/// The objects that a script is given as files.
///
/// # Errors
/// Invalid where one is no object.
fn objects(parameters: &Captures) -> Result<Vec<Copied>> {
    let mut objects = Vec::new();
    for (argument, are_modules) in [(EXTRA_MODULES, true), (EXTRA_FILES, false)] {
        let told = parameters.get(argument).map(String::as_str).unwrap_or_default();
        for place in told.split(',').map(str::trim).filter(|place| !place.is_empty()) {
            let wrong = || Error::invalid(format!("--{argument} names '{place}', which is no object"));
            let location = Location::parse(place).map_err(|_| wrong())?;
            if location.key.is_empty() || location.key.ends_with('/') {
                return Err(wrong().hint("name the files themselves, with commas between them"));
            }
            objects.push(Copied {
                is_module: are_modules,
                bucket: location.bucket,
                key: location.key,
            });
        }
    }
    Ok(objects)
}

/// A script as a program, with other files of ours before it on the command line.
///
/// # Errors
/// Those of the store.
pub(super) async fn program(
    work: &Assignment<'_>,
    interpreter: &Interpreter,
    before: &[(&str, &str)],
) -> Result<Program> {
    let mut files = BTreeMap::from([(SCRIPT.to_owned(), work.script.to_owned())]);
    let mut arguments = Vec::new();
    for (name, text) in before {
        files.insert((*name).to_owned(), (*text).to_owned());
        arguments.push((*name).to_owned());
    }
    if work.job.glue.is_some() || library::is_imported_by(work.script) {
        let own = library::FILES.map(|(name, text)| (name.to_owned(), text.to_owned()));
        files.extend(own);
    }
    arguments.push(SCRIPT.to_owned());
    for (name, value) in &work.run.body.parameters {
        arguments.extend([format!("--{name}"), value.clone()]);
    }
    let inputs = inputs(work.app, work.tables, work.limits).await?;
    files.insert(Program::INPUTS.to_owned(), inputs.to_string());
    let output = match work.place {
        Place::Folder(folder) => Some(folder.clone()),
        _ => None,
    };
    Ok(Program {
        file: interpreter.file.clone(),
        arguments,
        environment: environment(work, interpreter, output.as_ref()),
        files,
        objects: objects(&work.run.body.parameters)?,
        readable: interpreter.folders.clone(),
        writable: Vec::new(),
        output: output.map(|folder| (folder.bucket, folder.key)),
        log_bytes: work.app.config.engines.log_bytes,
    })
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
    let mut environment: BTreeMap<String, String> = [
        ("PATH", search_path(interpreter)),
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
    // The catalog is this server's wherever objects are.
    let glue = work.app.config.api_url();
    environment.insert("AWS_ENDPOINT_URL_GLUE".to_owned(), glue);
    environment
}
