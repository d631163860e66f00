//! Output that appears at once: staged as incomplete uploads, journalled, then completed by whoever finds the journal.
//!
//! 1. Staging: each file is a multipart upload to its final key, and the journal knew the key before. Nothing is visible.
//! 2. Committing: the manifest is in the database. From here on it can only go forward.
//! 3. Every upload is completed. A file that keeps its name is replaced in one step: a reader sees the old or the new. Of
//!    several files each is hidden from readers by the catalog, and a `_SUCCESS` of before is gone first.
//! 4. Shown: where there are several files, or some to be removed, one transaction shows the new and hides the old.
//! 5. What earlier runs of the job wrote there, and isn't part of the output, is removed, unless it was changed since.
//! 6. Several files get a `_SUCCESS` beside them, last.
//!
//! A worker that dies before 2 leaves uploads that the next attempt throws away. One that dies later leaves steps that can
//! be done again, each of them harmless when it was done already.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::buckets::{Completed, Condition};
use crate::error::{Error, ErrorKind, Result};
use crate::etl::staged;
use crate::model::job::{Job, OutputDefinition, OutputFormat, OutputMode};
use crate::model::location::{Location, hive_escaped};
use crate::model::run::RunOutput;
use crate::store::{self, Note};
use crate::task::{Upload, WrittenFile};

/// The metadata by which a finished file is known as a run's.
pub(super) const RUN_METADATA: &str = "mastic-run";
/// The metadata by which it is known as a job's.
pub(super) const JOB_METADATA: &str = "mastic-job";
const SUCCESS_FILE: &str = "_SUCCESS";
/// How many runs' leftovers are looked at in one sweep.
const SWEPT: i64 = 1_000;

/// All that is needed to finish, or to throw away, a run's output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The folder, `s3://…/`.
    pub(super) folder: String,
    /// The uploads, in the order of the files. One that may or may not have been begun has an empty id.
    pub(super) uploads: Vec<Upload>,
    /// What was uploaded; empty while staging.
    pub(super) files: Vec<WrittenFile>,
    /// Objects that were there before and are to go.
    pub(super) replaced: Vec<Replaced>,
    /// The output's columns with their types.
    pub(super) columns: Vec<(String, String)>,
    /// The folder, `s3://…/`, where a script leaves its own files, of which the output is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) staging: Option<String>,
}

/// An object that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ReplacedForm")]
pub(super) struct Replaced {
    pub(super) key: String,
    /// The version that is to go; absent in what an earlier version of this program wrote down.
    pub(super) etag: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReplacedForm {
    Key(String),
    Version { key: String, etag: Option<String> },
}

impl From<ReplacedForm> for Replaced {
    fn from(form: ReplacedForm) -> Self {
        match form {
            ReplacedForm::Key(key) => Self { key, etag: None },
            ReplacedForm::Version { key, etag } => Self { key, etag },
        }
    }
}

impl Manifest {
    /// Whether it is an output to this folder.
    pub(super) fn is_in(&self, folder: &Location) -> bool {
        self.folder == folder.to_string()
    }

    /// The keys of the output's files.
    pub(super) fn keys(&self) -> Vec<String> {
        self.uploads.iter().map(|upload| upload.key.clone()).collect()
    }

    /// Whether readers by the catalog have to be kept from what is half there.
    pub(super) fn has_several(&self) -> bool {
        self.uploads.len() > 1
    }

    /// Whether there is more to do than to complete the one upload.
    pub(super) fn is_shown_first(&self) -> bool {
        self.has_several() || !self.replaced.is_empty()
    }
}

/// A job's name as metadata holds it: ASCII.
pub(super) fn job_metadata(job: &str) -> String {
    let mut text = String::new();
    for byte in hive_escaped(job).bytes() {
        match byte.is_ascii_graphic() {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The files that a run is going to write.
///
/// A single file that replaces what was there keeps one name, so that it is replaced in one step. Others are named after
/// their run, so that the files of two runs never mix.
pub(super) fn intended(output: &OutputDefinition, folder: &Location, run: &str) -> Manifest {
    let keeps_its_name = output.files == 1 && output.mode != OutputMode::Append;
    let token = (!keeps_its_name).then_some(run);
    let upload = |index| Upload {
        bucket: folder.bucket.clone(),
        key: format!("{}{}", folder.key, output.file_name(index, token)),
        upload_id: String::new(),
    };
    Manifest {
        folder: folder.to_string(),
        uploads: (0..output.files).map(upload).collect(),
        ..Manifest::default()
    }
}

/// Begins an upload for each file.
pub(super) async fn begin(
    app: &App,
    job: &Job,
    format: OutputFormat,
    run: &str,
    manifest: &mut Manifest,
) -> Result<()> {
    let content_type = match format {
        OutputFormat::Csv => "text/csv",
        OutputFormat::Json => "application/x-ndjson",
        OutputFormat::Parquet => "application/vnd.apache.parquet",
    };
    let job = job_metadata(&job.name);
    let metadata = [(RUN_METADATA, run), (JOB_METADATA, job.as_str())];
    for upload in &mut manifest.uploads {
        upload.upload_id = app
            .buckets
            .create_upload(&upload.bucket, &upload.key, content_type, &metadata)
            .await
            .map_err(|error| error.within("the output can't be written"))?;
    }
    Ok(())
}

/// Throws staged uploads away; says whether all are gone. A failure leaves an invisible upload behind and nothing worse, so
/// it is only logged: a later sweep tries again.
pub(super) async fn throw_away(app: &App, manifest: &Manifest) -> bool {
    let mut all_gone = staged::remove(app, manifest.staging.as_deref()).await;
    for upload in &manifest.uploads {
        if let Err(error) = throw_one_away(app, upload).await {
            all_gone = false;
            tracing::warn!(
                key = upload.key,
                error = error.message,
                "an upload could not be thrown away"
            );
        }
    }
    all_gone
}

async fn throw_one_away(app: &App, upload: &Upload) -> Result<()> {
    let (bucket, key) = (&upload.bucket, &upload.key);
    if !upload.upload_id.is_empty() {
        return app.buckets.abort_upload(bucket, key, &upload.upload_id).await;
    }
    // It may have been begun by somebody who died before writing down its id. No other run writes to this key now.
    let pending = match app.buckets.list_uploads(bucket, key).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        pending => pending?,
    };
    for other in pending.iter().filter(|other| other.key == *key) {
        app.buckets.abort_upload(bucket, key, &other.upload_id).await?;
    }
    Ok(())
}

/// Throws away what runs left that are over without an output.
///
/// # Errors
/// Only the database's own.
pub async fn sweep(app: &App) -> Result<()> {
    let mut tx = app.store.read().await?;
    let left = store::outputs::given_up(&mut tx, SWEPT).await?;
    drop(tx);
    for (run, manifest) in left {
        let Ok(manifest) = serde_json::from_value::<Manifest>(manifest) else {
            continue;
        };
        // A key without a run's id in it may be another run's by now, and so may an upload to it whose id isn't known.
        let mut own = manifest.clone();
        own.uploads
            .retain(|upload| !upload.upload_id.is_empty() || upload.key.contains(&run));
        if throw_away(app, &own).await && undo_half(app, &manifest, &run).await.is_ok() {
            let mut tx = app.store.note().await?;
            store::outputs::thrown_away(&mut tx, &run, app.clock.now()).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Removes the files that were completed of an output of several that never became whole: no reader by the catalog has seen
/// them.
async fn undo_half(app: &App, manifest: &Manifest, run: &str) -> Result<()> {
    if !manifest.has_several() {
        return Ok(());
    }
    for upload in &manifest.uploads {
        if let Some(object) = app.buckets.head(&upload.bucket, &upload.key).await?
            && is_of(&object.metadata, run)
        {
            app.buckets.delete(&upload.bucket, &upload.key).await?;
        }
    }
    let bucket = Location::parse(&manifest.folder)?.bucket;
    let mut tx = app.store.note().await?;
    store::outputs::forget(&mut tx, &bucket, &manifest.keys()).await?;
    tx.commit().await
}

/// Writes down whose the output's objects are, in the transaction that decides it.
pub(super) async fn claim(tx: &mut Note, job: &Job, run: &str, manifest: &Manifest) -> Result<()> {
    let bucket = Location::parse(&manifest.folder)?.bucket;
    let hidden = manifest.has_several();
    store::outputs::claim(tx, &job.name, run, &bucket, &manifest.keys(), hidden).await
}

/// Step 3. May be done again, by anybody, at any time until the output is committed.
pub(super) async fn complete(app: &App, manifest: &Manifest, run: &str) -> Result<Vec<RunOutput>> {
    if manifest.has_several() {
        remove_success(app, manifest, run).await?;
    }
    let mut outputs = Vec::new();
    for (upload, file) in manifest.uploads.iter().zip(&manifest.files) {
        let completed = app
            .buckets
            .complete_upload(&upload.bucket, &upload.key, &upload.upload_id, &file.parts)
            .await?;
        let etag = match completed {
            Completed::Done { etag } => etag,
            Completed::NoSuchUpload => etag_of_finished(app, upload, run).await?,
        };
        outputs.push(RunOutput {
            path: format!("s3://{}/{}", upload.bucket, upload.key),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            rows: i64::try_from(file.rows).unwrap_or(i64::MAX),
            etag,
        });
    }
    Ok(outputs)
}

/// Step 4, inside a transaction.
pub(super) async fn show(
    tx: &mut Note,
    job: &Job,
    run: &str,
    manifest: &Manifest,
    outputs: &[RunOutput],
) -> Result<()> {
    let bucket = Location::parse(&manifest.folder)?.bucket;
    for (upload, output) in manifest.uploads.iter().zip(outputs) {
        store::outputs::settle(tx, run, &bucket, &upload.key, &output.etag).await?;
    }
    for object in &manifest.replaced {
        store::outputs::hide(tx, &job.name, run, &bucket, &object.key).await?;
    }
    Ok(())
}

/// Steps 5 and 6. Answers with the objects that were removed.
pub(super) async fn clear(
    app: &App,
    manifest: &Manifest,
    run: &str,
    outputs: &[RunOutput],
) -> Result<Vec<String>> {
    let folder = Location::parse(&manifest.folder)?;
    let mut removed = Vec::new();
    for object in &manifest.replaced {
        let is_still_there = match &object.etag {
            None => true,
            Some(etag) => {
                let now = app.buckets.head(&folder.bucket, &object.key).await?;
                now.is_some_and(|now| now.etag == *etag)
            }
        };
        if is_still_there {
            app.buckets.delete(&folder.bucket, &object.key).await?;
            removed.push(folder.with_key(&object.key).to_string());
        }
    }
    if !manifest.replaced.is_empty() {
        let gone: Vec<String> = manifest
            .replaced
            .iter()
            .map(|object| object.key.clone())
            .collect();
        let mut tx = app.store.note().await?;
        store::outputs::forget(&mut tx, &folder.bucket, &gone).await?;
        tx.commit().await?;
    }
    if manifest.has_several() {
        put_success(app, &folder, run, outputs).await?;
    }
    Ok(removed)
}

/// Writes `_SUCCESS`, unless a newer run's stands there: who was stopped in the middle and comes back must not name files
/// that are gone. Runs' ids sort by their age.
async fn put_success(app: &App, folder: &Location, run: &str, outputs: &[RunOutput]) -> Result<()> {
    let summary = serde_json::json!({ "run": run, "files": outputs }).to_string();
    let key = format!("{}{SUCCESS_FILE}", folder.key);
    loop {
        let there = app.buckets.head(&folder.bucket, &key).await?;
        let condition = match &there {
            Some(object) if is_newer(&object.metadata, run) => return Ok(()),
            Some(object) => Condition::IsStill(object.etag.clone()),
            None => Condition::IsAbsent,
        };
        let metadata = [(RUN_METADATA, run)];
        let put = app
            .buckets
            .put_if(&folder.bucket, &key, summary.clone(), &metadata, &condition)
            .await;
        match put {
            Ok(_) => return Ok(()),
            // Somebody was faster: look again.
            Err(error) if error.kind == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
}

/// While files come and go, nothing says that they are complete.
async fn remove_success(app: &App, manifest: &Manifest, run: &str) -> Result<()> {
    let folder = Location::parse(&manifest.folder)?;
    let key = format!("{}{SUCCESS_FILE}", folder.key);
    match app.buckets.head(&folder.bucket, &key).await? {
        Some(object) if !is_newer(&object.metadata, run) => app.buckets.delete(&folder.bucket, &key).await,
        _ => Ok(()),
    }
}

fn is_newer(metadata: &[(String, String)], run: &str) -> bool {
    metadata
        .iter()
        .any(|(name, value)| name == RUN_METADATA && value.as_str() > run)
}

fn is_of(metadata: &[(String, String)], run: &str) -> bool {
    metadata
        .iter()
        .any(|(name, value)| name == RUN_METADATA && value == run)
}

/// The upload is gone: somebody completed it, which the object itself must show.
async fn etag_of_finished(app: &App, upload: &Upload, run: &str) -> Result<String> {
    match app.buckets.head(&upload.bucket, &upload.key).await? {
        Some(object) if is_of(&object.metadata, run) => Ok(object.etag),
        _ => Err(Error::internal(format!(
            "the upload of s3://{}/{} is gone, and the object isn't there",
            upload.bucket, upload.key
        ))
        .hint("something else removes uploads or objects below the output; run the job again")),
    }
}
