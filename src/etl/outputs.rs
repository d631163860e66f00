//! What lies in an output folder, and whose it is: a run replaces what earlier runs of its job wrote there, and touches
//! nothing else.

use futures::TryStreamExt;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::etl::publish::{JOB_METADATA, Manifest, RUN_METADATA, Replaced, job_metadata};
use crate::model::event::etag_of;
use crate::model::job::{Job, OutputDefinition, OutputMode};
use crate::model::location::Location;
use crate::store;
use crate::store::commits;
use crate::task::TableToRead;

/// What a run's output does to what lies in its folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    /// What is replaced.
    pub(super) replaced: Vec<Replaced>,
    /// Keys of the job's own that are written anew, each in one step.
    pub(super) overwritten: Vec<String>,
    /// Keys that stay although they are in the folder: data of others.
    pub(super) foreign: Vec<String>,
}

/// Looks at the folder before a run writes there.
///
/// # Errors
/// Invalid where the output would replace an object that isn't the job's; Unavailable where the store can't be asked.
pub(super) async fn look(
    app: &App,
    job: &Job,
    output: &OutputDefinition,
    folder: &Location,
    targets: &[String],
) -> Result<Folder> {
    let mut found = Folder::default();
    if output.mode == OutputMode::Append {
        return Ok(found);
    }
    let mut pages = Box::pin(app.buckets.list_pages(&folder.bucket, &folder.key));
    loop {
        let page = match pages.try_next().await {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(found),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(error),
        };
        for object in page {
            let name = object.key.strip_prefix(&folder.key).unwrap_or_default();
            if name.is_empty() {
                continue;
            }
            let is_target = targets.contains(&object.key);
            let is_replaced = output.mode == OutputMode::ReplaceFolder
                || is_part(name) && is_own(app, job, &folder.bucket, &object.key, &object.etag).await?;
            match (is_replaced, is_target) {
                (true, true) => found.overwritten.push(object.key),
                (true, false) => found.replaced.push(Replaced {
                    key: object.key,
                    etag: Some(object.etag),
                }),
                (false, true) => return Err(not_own(job, &folder.with_key(object.key))),
                (false, false) => found.foreign.push(object.key),
            }
        }
    }
}

/// The refusal of what would replace somebody else's object.
fn not_own(job: &Job, object: &Location) -> Error {
    Error::invalid(format!(
        "{object} is there, and job {} did not write it, or it was changed since",
        job.name
    ))
    .hint("move it away, give the output another folder, or set mode = \"replace_folder\" to replace whatever is there")
}

/// A run may read in its output folder what its own job wrote, and nothing else.
///
/// # Errors
/// Invalid, naming the object; Unavailable where the store can't be asked.
pub(super) async fn refuse_inputs(
    app: &App,
    job: &Job,
    folder: &Location,
    tables: &[TableToRead],
) -> Result<()> {
    for table in tables {
        for file in table.files.given() {
            let object = &file.object;
            if !folder.contains(&object.bucket, &object.key) {
                continue;
            }
            if !is_own(app, job, &object.bucket, &object.key, &object.etag).await? {
                return Err(Error::invalid(format!(
                    "input {} reads {}, which lies in the output folder {folder} and is not the job's own output",
                    table.name,
                    object.path()
                ))
                .hint("give the output a folder of its own"));
            }
        }
    }
    Ok(())
}

/// Whether a name is one that outputs have: `part-00000.csv`, `part-00000-RUN.csv`.
fn is_part(name: &str) -> bool {
    let digits = name.strip_prefix("part-").and_then(|rest| rest.get(..5));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) && !name.contains('/')
}

/// Whether a run of this job wrote the object, just as it is: the journal says so, and the object itself.
async fn is_own(app: &App, job: &Job, bucket: &str, key: &str, etag: &str) -> Result<bool> {
    let mut tx = app.store.read().await?;
    let written = store::outputs::find(&mut tx, bucket, key).await?;
    drop(tx);
    if let Some(written) = written
        && let Some(known) = &written.etag
        && etag_of(known) == etag_of(etag)
    {
        return Ok(written.job_name == job.name);
    }
    let Some(head) = app.buckets.head(bucket, key).await? else {
        return Ok(false);
    };
    let metadata = |wanted: &str| {
        let found = head.metadata.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let Some(run) = metadata(RUN_METADATA) else {
        return Ok(false);
    };
    let mut tx = app.store.read().await?;
    let known = store::runs::find(&mut tx, run).await?;
    let journal = commits::find::<Manifest>(&mut tx, run).await?;
    Ok(match (known, journal) {
        (Some(known), Some((_, manifest))) => {
            let is_in_it = |upload: &crate::task::Upload| upload.bucket == bucket && upload.key == key;
            known.job == job.name && manifest.uploads.iter().any(is_in_it)
        }
        (Some(_), None) => false,
        // Written before this database was made.
        (None, _) => metadata(JOB_METADATA) == Some(job_metadata(&job.name).as_str()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_outputs() {
        assert!(is_part("part-00000.csv") && is_part("part-00012-0190.parquet"));
        for other in [
            "part-0.csv",
            "part-x0000.csv",
            "a/part-00000.csv",
            "parts.csv",
            "part-",
        ] {
            assert!(!is_part(other), "{other}");
        }
    }
}
