//! Registering jobs: a folder with `job.toml` and a script.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::app::App;
use crate::catalog::tags;
use crate::error::{Error, ErrorKind, Result};
use crate::etl::{past, places};
use crate::model::job::{Arrivals, Job, JobDefinition, Trigger};
use crate::model::location::Location;
use crate::model::name::plain_name;
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::model::precondition::Precondition;
use crate::store::{self, Look, Note};

/// The definition's file name in a job's folder.
pub const DEFINITION_FILE: &str = "job.toml";
/// The name there of the packages that a Python script needs.
const REQUIREMENTS_FILE: &str = "requirements.txt";

/// The largest script or definition that is read from an object.
const MAX_OBJECT_BYTES: u64 = 1 << 20;

/// A job's folder, read but not checked.
#[derive(Clone, Debug)]
pub struct JobSource {
    /// The job's name: that of the folder.
    pub name: String,
    /// The text of `job.toml`.
    pub definition: String,
    /// The script's text.
    pub script: String,
    /// The text of `requirements.txt`, where it is there.
    pub requirements: Option<String>,
}

impl JobSource {
    /// Reads a job's folder.
    ///
    /// # Errors
    /// NotFound where `job.toml` or the script isn't there; Invalid where `job.toml` is wrong.
    pub fn read(folder: &Path) -> Result<Self> {
        let folder_name = folder
            .canonicalize()
            .ok()
            .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let name = folder_name
            .ok_or_else(|| Error::not_found(format!("there is no folder {}", folder.display())))?;
        let definition = read_text(&folder.join(DEFINITION_FILE))?;
        let parsed = JobDefinition::parse(&name, &definition)?;
        if Path::new(&parsed.script).components().count() != 1 {
            return Err(Error::invalid(format!(
                "job {name}: the script '{}' is not beside job.toml",
                parsed.script
            )));
        }
        let script = read_text(&folder.join(&parsed.script))?;
        let requirements = match read_text(&folder.join(REQUIREMENTS_FILE)) {
            Err(error) if error.kind == ErrorKind::NotFound => None,
            text => Some(text?),
        };
        Ok(Self {
            name,
            definition,
            script,
            requirements,
        })
    }

    /// Whether a job of its name is registered with just this.
    fn is_of(&self, job: &Job) -> bool {
        let has_these = || {
            let own = self.parsed(&job.name);
            own.is_ok_and(|own| own.requirements == job.definition.requirements)
        };
        job.definition_text == self.definition && job.script == self.script && has_these()
    }

    /// What `job.toml` says, with the packages of `requirements.txt`.
    fn parsed(&self, name: &str) -> Result<JobDefinition> {
        let mut definition = JobDefinition::parse(name, &self.definition)?;
        for line in self.requirements.iter().flat_map(|text| text.lines()) {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if line.starts_with('-') {
                return Err(Error::invalid(format!(
                    "job {name}: {REQUIREMENTS_FILE} has '{line}', and only packages may stand there"
                ))
                .hint("options are pip's own settings: PIP_INDEX_URL, pip.conf"));
            }
            if !line.is_empty() && !line.starts_with('#') {
                definition.requirements.push(line.to_owned());
            }
        }
        Ok(definition)
    }
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|cause| {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Invalid,
        };
        Error::new(kind, format!("can't read {}: {cause}", path.display()))
    })
}

/// Registers a job, or brings it up to date; nothing happens where it is the same already.
///
/// # Errors
/// Invalid where the definition is wrong; Conflict where somebody else registered it meanwhile.
pub async fn register(app: &App, source: &JobSource) -> Result<Job> {
    register_if(app, source, &Precondition::None).await
}

/// Registers a job where the precondition holds of the one of its name.
///
/// # Errors
/// As [`register`]; Outdated where it doesn't hold.
pub async fn register_if(app: &App, source: &JobSource, precondition: &Precondition) -> Result<Job> {
    let name = plain_name("job", &source.name)?;
    let definition = source.parsed(&name)?;
    if source.script.trim().is_empty() {
        return Err(Error::invalid(format!(
            "job {name}: its script {} is empty",
            definition.script
        )));
    }
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let former = store::jobs::find(&mut tx, &name).await?;
    precondition.check(
        &format!("job {name}"),
        former.as_ref().map(|former| former.version),
    )?;
    let job = Job {
        version: former.as_ref().map_or(0, |former| former.version + 1),
        created_at: former.as_ref().map_or(now, |former| former.created_at),
        updated_at: now,
        definition_text: source.definition.clone(),
        script: source.script.clone(),
        glue: None,
        definition,
        name,
    };
    if let Some(former) = &former
        && source.is_of(former)
    {
        return Ok(former.clone());
    }
    let former = former.map(|former| former.definition.concurrency);
    let before = store::triggers::enabled(&mut tx).await?;
    let triggers: Vec<Trigger> = triggers_of(&job);
    drop(tx);
    places::check_registration(app, &job).await?;
    take_past_as_seen(app, &triggers, &before).await?;

    let mut tx = app.store.note().await?;
    if !store::jobs::upsert(&mut tx, &job).await? {
        let present = store::jobs::find(&mut tx, &job.name).await?;
        precondition.check(
            &format!("job {}", job.name),
            present.map(|present| present.version),
        )?;
        return Err(Error::conflict(format!(
            "job {} was registered by somebody else meanwhile",
            job.name
        ))
        .hint("look at it as it is now, and register it again"));
    }
    store::triggers::replace(&mut tx, &job.name, &triggers).await?;
    keep_to_limit(&mut tx, former, &job).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(job)
}

/// Has runs that wait already go by another limit than that of the job's `former` definition, where it has another now.
async fn keep_to_limit(tx: &mut Note, former: Option<Option<u32>>, job: &Job) -> Result<()> {
    let limit = job.definition.concurrency;
    match former {
        Some(former) if former != limit => store::tasks::set_limit(tx, &job.group(), limit).await,
        _ => Ok(()),
    }
}

/// A job as a client of the Glue API makes it. Its script is an object, which is read when a run starts.
#[derive(Clone, Debug)]
pub struct GlueJob {
    /// Its name.
    pub name: String,
    /// What runs it, and what is known of it.
    pub definition: JobDefinition,
    /// The request's members, with AWS's defaults.
    pub members: Value,
}

impl GlueJob {
    /// The job that it is, in the place of a former one.
    fn into_job(self, app: &App, former: Option<&Job>) -> Job {
        let now = app.clock.now();
        Job {
            version: former.map_or(0, |former| former.version + 1),
            created_at: former.map_or(now, |former| former.created_at),
            updated_at: now,
            name: self.name,
            definition: self.definition,
            definition_text: String::new(),
            script: String::new(),
            glue: Some(self.members),
        }
    }
}

/// Makes a job as a client of the Glue API does. Nothing happens where there is just this job.
///
/// # Errors
/// AlreadyExists where there is another of its name; Limit for too many tags.
pub async fn create(app: &App, new: GlueJob, tagged: &BTreeMap<String, String>) -> Result<Job> {
    plain_name("job", &new.name)?;
    let mut tx = app.store.write().await?;
    match store::jobs::find(&mut tx, &new.name).await? {
        Some(job) if job.glue.as_ref() == Some(&new.members) => return Ok(job),
        Some(job) => return Err(another(&job.name)),
        None => {}
    }
    let job = new.into_job(app, None);
    if !store::jobs::upsert(&mut tx, &job).await? {
        return Err(another(&job.name));
    }
    tags::put(&mut tx, &resource(&job.name), tagged).await?;
    tx.commit().await?;
    Ok(job)
}

/// Puts a job that a client of the Glue API made in the place of the one of its name.
///
/// # Errors
/// NotFound; Invalid where that one has a `job.toml`; Conflict where somebody else changed it meanwhile.
pub async fn replace(app: &App, new: GlueJob) -> Result<Job> {
    let mut tx = app.store.note().await?;
    let former = require(&mut tx, &new.name).await?;
    if former.glue.is_none() {
        return Err(Error::invalid(format!(
            "job {} is made of a job.toml, which would be lost",
            former.name
        ))
        .hint("register its folder again, or give '--job-definition' among the DefaultArguments"));
    }
    let job = new.into_job(app, Some(&former));
    if !store::jobs::upsert(&mut tx, &job).await? {
        return Err(Error::conflict(format!(
            "job {} was changed by somebody else meanwhile",
            job.name
        )));
    }
    keep_to_limit(&mut tx, Some(former.definition.concurrency), &job).await?;
    app.commit_with_work(tx.commit()).await?;
    Ok(job)
}

/// The name of a job among what has tags.
fn resource(name: &str) -> String {
    format!("job/{name}")
}

fn another(name: &str) -> Error {
    Error::already_exists(format!(
        "job {name} exists already, with another definition or script"
    ))
}

/// Registers a job whose script is an object. `definition` is the text of `job.toml`, or names an object that holds it.
/// Nothing happens where the job is registered with just these.
///
/// # Errors
/// AlreadyExists where there is another job of this name; NotFound where there is no such object; as [`register`].
pub async fn register_from_objects(
    app: &App,
    name: &str,
    definition: &str,
    script: &Location,
) -> Result<Job> {
    let source = source_of_objects(app, name, definition, script).await?;
    let mut tx = app.store.read().await?;
    let former = store::jobs::find(&mut tx, name).await?;
    drop(tx);
    match former {
        Some(job) if source.is_of(&job) => Ok(job),
        Some(job) => Err(another(&job.name)),
        None => register(app, &source).await,
    }
}

/// As [`register_from_objects`], in the place of the job that there is.
///
/// # Errors
/// NotFound where there is no such object; as [`register`].
pub async fn register_again_from_objects(
    app: &App,
    name: &str,
    definition: &str,
    script: &Location,
) -> Result<Job> {
    let source = source_of_objects(app, name, definition, script).await?;
    register(app, &source).await
}

async fn source_of_objects(app: &App, name: &str, definition: &str, script: &Location) -> Result<JobSource> {
    let definition = match Location::parse(definition) {
        Ok(location) => text_of_object(app, &location).await?,
        Err(_) => definition.to_owned(),
    };
    Ok(JobSource {
        name: plain_name("job", name)?,
        definition,
        script: text_of_object(app, script).await?,
        requirements: None,
    })
}

/// A job's script: its own, or that of the object that it names, as it is now.
///
/// # Errors
/// NotFound where there is no such object; Invalid where it is no text, or is too large.
pub(super) async fn script_of(app: &App, job: &Job) -> Result<String> {
    match Location::parse(&job.definition.script) {
        Ok(location) if job.script.is_empty() => text_of_object(app, &location)
            .await
            .map_err(|error| error.within("the job's script")),
        _ => Ok(job.script.clone()),
    }
}

async fn text_of_object(app: &App, location: &Location) -> Result<String> {
    let Some(object) = app.buckets.head(&location.bucket, &location.key).await? else {
        return Err(Error::not_found(format!("there is no object {location}")));
    };
    if object.size > MAX_OBJECT_BYTES {
        return Err(
            Error::invalid(format!("{location} has {} bytes", object.size)).hint(format!(
                "a job's script and its definition have at most {MAX_OBJECT_BYTES} bytes each"
            )),
        );
    }
    let whole = 0..object.size;
    let bytes = app
        .buckets
        .get_range(&location.bucket, &location.key, whole, Some(&object.etag))
        .await?;
    String::from_utf8(bytes.into()).map_err(|_| Error::invalid(format!("{location} is not text in UTF-8")))
}

/// Registers every job folder in `folder`. One that is wrong doesn't keep the others from it; answers with both.
///
/// # Errors
/// Unavailable where the folder can't be read.
pub async fn register_all(app: &App, folder: &Path) -> Result<(Vec<Job>, Vec<Error>)> {
    let folder = folder.to_owned();
    // A disk may be slow, and whoever asks meanwhile whether the server lives is to hear of it.
    let sources = tokio::task::spawn_blocking(move || read_all(&folder))
        .await
        .map_err(|cause| Error::internal("the jobs folder can't be read").source(cause))??;
    let mut known = known_jobs(app).await?;
    let (mut registered, mut wrong) = (Vec::new(), Vec::new());
    for source in sources {
        let outcome = match source {
            Ok(source) => match known.remove(&source.name) {
                Some(job) if source.is_of(&job) => Ok(job),
                _ => register(app, &source).await,
            },
            Err(error) => Err(error),
        };
        match outcome {
            Ok(job) => registered.push(job),
            Err(error) => wrong.push(error),
        }
    }
    Ok((registered, wrong))
}

/// The registered jobs by their names, a page at a time: most folders hold what they held at the last start.
async fn known_jobs(app: &App) -> Result<HashMap<String, Job>> {
    let mut known = HashMap::new();
    let mut page = PageRequest::first(MAX_LIMIT);
    let mut tx = app.store.read().await?;
    loop {
        let jobs = store::jobs::list(&mut tx, &page).await?;
        known.extend(jobs.items.into_iter().map(|job| (job.name.clone(), job)));
        match jobs.next {
            Some(next) => page.after = Some(next),
            None => return Ok(known),
        }
    }
}

fn read_all(folder: &Path) -> Result<Vec<Result<JobSource>>> {
    let entries = std::fs::read_dir(folder).map_err(|cause| {
        Error::unavailable(format!("can't read the folder {}: {cause}", folder.display()))
    })?;
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.join(DEFINITION_FILE).is_file());
    folders.sort();
    Ok(folders.iter().map(|path| JobSource::read(path)).collect())
}

/// The job called `name`.
///
/// # Errors
/// NotFound.
pub async fn get(app: &App, name: &str) -> Result<Job> {
    let mut tx = app.store.read().await?;
    require(&mut tx, name).await
}

/// Jobs by name.
///
/// # Errors
/// Only the database's own.
pub async fn list(app: &App, page: &PageRequest) -> Result<Page<Job>> {
    let mut tx = app.store.read().await?;
    store::jobs::list(&mut tx, page).await
}

/// Those of the jobs with these names that there are, by name.
///
/// # Errors
/// Only the database's own.
pub async fn get_many(app: &App, names: &[String]) -> Result<HashMap<String, Job>> {
    let mut tx = app.store.read().await?;
    let jobs = store::jobs::find_many(&mut tx, names).await?;
    Ok(jobs.into_iter().map(|job| (job.name.clone(), job)).collect())
}

/// The names of the jobs that have all of these tags.
///
/// # Errors
/// Only the database's own.
pub async fn names(app: &App, tags: &BTreeMap<String, String>, page: &PageRequest) -> Result<Page<String>> {
    let mut tx = app.store.read().await?;
    store::jobs::names(&mut tx, tags, page).await
}

/// Removes a job with its triggers and tags; its runs stay.
///
/// # Errors
/// NotFound.
pub async fn delete(app: &App, name: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    if !store::jobs::delete(&mut tx, name).await? {
        return Err(missing(name));
    }
    store::tags::delete_of(&mut tx, &resource(name)).await?;
    tx.commit().await
}

/// The job called `name`, inside a transaction.
///
/// # Errors
/// NotFound.
pub async fn require(tx: &mut Look, name: &str) -> Result<Job> {
    store::jobs::find(tx, name).await?.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("job {name} not found"))
}

/// The triggers of a job, named after it.
pub fn triggers_of(job: &Job) -> Vec<Trigger> {
    let named = |(index, definition): (usize, _)| Trigger {
        name: format!("{}-{}", job.name, index + 1),
        job: job.name.clone(),
        definition,
        enabled: true,
    };
    job.definition
        .triggers
        .iter()
        .cloned()
        .enumerate()
        .map(named)
        .collect()
}

/// Objects that were there before a trigger, or before its pattern changed, are its past.
async fn take_past_as_seen(app: &App, triggers: &[Trigger], before: &[Trigger]) -> Result<()> {
    let arrivals = |trigger: &Trigger| trigger.definition.arrivals().cloned();
    let before: Vec<Arrivals> = before.iter().filter_map(arrivals).collect();
    let others = before.iter().map(Arrivals::parsed).collect::<Result<Vec<_>>>()?;
    for new in triggers.iter().filter_map(arrivals) {
        if before.iter().all(|old| old.pattern != new.pattern) {
            past::take_as_seen(app, &new.parsed()?, &others).await?;
        }
    }
    Ok(())
}
