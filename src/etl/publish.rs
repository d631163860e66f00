//! Output that appears at once: staged as incomplete uploads, journalled, then completed by whoever finds the journal.
//!
//! 1. Staging: each file is a multipart upload to its final key. Nothing is visible.
//! 2. Committing: the manifest is in the database. From here on it can only go forward.
//! 3. Every upload is completed. A file that keeps its name is replaced in one step: a reader sees the old or the new.
//! 4. What was there before, and isn't part of the output, is removed.
//! 5. Several files get a `_SUCCESS` beside them, last.
//!
//! A worker that dies before 2 leaves uploads that the next attempt throws away. One that dies later leaves steps that can
//! be done again, each of them harmless when it was done already.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::buckets::Completed;
use crate::error::{Error, Result};
use crate::etl::inputs::is_data;
use crate::model::job::{OutputDefinition, OutputMode};
use crate::model::location::Location;
use crate::model::pattern::{Captures, ObjectPattern};
use crate::model::run::RunOutput;
use crate::task::{Upload, WrittenFile};

/// The metadata by which a finished file is known as a run's.
const RUN_METADATA: &str = "mastic-run";
const SUCCESS_FILE: &str = "_SUCCESS";

/// All that is needed to finish, or to throw away, a run's output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The folder, `s3://…/`.
    pub(super) folder: String,
    /// The uploads, in the order of the files.
    pub(super) uploads: Vec<Upload>,
    /// What was uploaded; empty while staging.
    pub(super) files: Vec<WrittenFile>,
    /// Keys that were there before and are to go.
    pub(super) replaced: Vec<String>,
    /// The output's columns with their types.
    pub(super) columns: Vec<(String, String)>,
}

/// The folder that a run writes to.
pub(super) fn folder_of(output: &OutputDefinition, parameters: &Captures) -> Result<Location> {
    ObjectPattern::parse(&output.location)?
        .with_values(parameters)?
        .as_location()
        .ok_or_else(|| Error::invalid(format!("output.location '{}' is not one folder", output.location)))
}

/// Begins an upload for each file.
///
/// A single file that replaces what was there keeps one name, so that it is replaced in one step. Others are named after
/// their run, so that the files of two runs never mix.
pub(super) async fn begin(
    app: &App,
    output: &OutputDefinition,
    folder: &Location,
    run: &str,
) -> Result<Manifest> {
    let keeps_its_name = output.files == 1 && output.mode == OutputMode::Overwrite;
    let token = (!keeps_its_name).then_some(run);
    let content_type = match output.format {
        crate::model::job::OutputFormat::Csv => "text/csv",
        crate::model::job::OutputFormat::Json => "application/x-ndjson",
        crate::model::job::OutputFormat::Parquet => "application/vnd.apache.parquet",
    };
    let mut manifest = Manifest {
        folder: folder.to_string(),
        ..Manifest::default()
    };
    for index in 0..output.files {
        let key = format!("{}{}", folder.key, output.file_name(index, token));
        let upload_id = app
            .buckets
            .create_upload(&folder.bucket, &key, content_type, &[(RUN_METADATA, run)])
            .await
            .map_err(|error| error.within("the output can't be written"))?;
        manifest.uploads.push(Upload {
            bucket: folder.bucket.clone(),
            key,
            upload_id,
        });
    }
    Ok(manifest)
}

/// Throws staged uploads away. A failure leaves an invisible upload behind and nothing worse, so it is only logged.
pub(super) async fn throw_away(app: &App, manifest: &Manifest) {
    for upload in &manifest.uploads {
        if let Err(error) = app
            .buckets
            .abort_upload(&upload.bucket, &upload.key, &upload.upload_id)
            .await
        {
            tracing::warn!(
                key = upload.key,
                error = error.message,
                "an upload could not be thrown away"
            );
        }
    }
}

/// The keys in the folder that an overwriting output replaces.
pub(super) async fn replaced_by(
    app: &App,
    output: &OutputDefinition,
    manifest: &Manifest,
) -> Result<Vec<String>> {
    if output.mode == OutputMode::Append {
        return Ok(Vec::new());
    }
    let folder = Location::parse(&manifest.folder)?;
    let there = app.buckets.list(&folder.bucket, &folder.key).await?;
    let written = |key: &String| manifest.uploads.iter().any(|upload| upload.key == *key);
    Ok(there
        .into_iter()
        .map(|object| object.key)
        .filter(|key| is_data(key) && !written(key))
        .collect())
}

/// Steps 3 to 5. May be done again, by anybody, at any time until the output is committed.
pub(super) async fn finish(app: &App, manifest: &Manifest, run: &str) -> Result<Vec<RunOutput>> {
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
    let folder = Location::parse(&manifest.folder)?;
    for key in &manifest.replaced {
        app.buckets.delete(&folder.bucket, key).await?;
    }
    if manifest.uploads.len() > 1 {
        let summary = serde_json::json!({ "run": run, "files": outputs });
        let key = format!("{}{SUCCESS_FILE}", folder.key);
        app.buckets
            .put(&folder.bucket, &key, bytes::Bytes::from(summary.to_string()))
            .await?;
    }
    Ok(outputs)
}

/// The upload is gone: somebody completed it, which the object itself must show.
async fn etag_of_finished(app: &App, upload: &Upload, run: &str) -> Result<String> {
    match app.buckets.head(&upload.bucket, &upload.key).await? {
        Some(object)
            if object
                .metadata
                .iter()
                .any(|(name, value)| name == RUN_METADATA && value == run) =>
        {
            Ok(object.etag)
        }
        _ => Err(Error::internal(format!(
            "the upload of s3://{}/{} is gone, and the object isn't there",
            upload.bucket, upload.key
        ))
        .hint("something else removes uploads or objects below the output; run the job again")),
    }
}
