//! A job's inputs: from patterns to the very object versions that a run reads.

use std::collections::BTreeMap;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::model::job::{InputDefinition, Job};
use crate::model::pattern::{Captures, ObjectPattern};
use crate::task::{FileOfTable, ObjectToRead, TableToRead};

/// The tables of a run: every input with the objects that are there now, in the order of their keys.
///
/// # Errors
/// NotFound where an input that isn't optional has no object; Unavailable where the store can't be listed.
pub(super) async fn resolve(app: &App, job: &Job, parameters: &Captures) -> Result<Vec<TableToRead>> {
    let mut tables = Vec::with_capacity(job.definition.inputs.len());
    for (name, input) in &job.definition.inputs {
        let objects = objects_of(app, input, parameters).await?;
        if objects.is_empty() && !input.optional {
            return Err(Error::not_found(absent(name, input, parameters)?)
                .hint("put the object there, or make the input optional"));
        }
        tables.push(TableToRead {
            name: name.clone(),
            files: objects
                .into_iter()
                .map(|object| FileOfTable {
                    object,
                    partition: BTreeMap::new(),
                })
                .collect(),
            columns: input
                .columns
                .iter()
                .map(|(name, hive)| (name.clone(), hive.clone()))
                .collect(),
            as_declared: false,
            csv: None,
        });
    }
    Ok(tables)
}

/// What a run would wait for: the first input that isn't optional and has no object.
///
/// # Errors
/// Unavailable where the store can't be listed.
pub(super) async fn missing(app: &App, job: &Job, parameters: &Captures) -> Result<Option<String>> {
    for (name, input) in &job.definition.inputs {
        if !input.optional && objects_of(app, input, parameters).await?.is_empty() {
            return absent(name, input, parameters).map(Some);
        }
    }
    Ok(None)
}

fn absent(name: &str, input: &InputDefinition, parameters: &Captures) -> Result<String> {
    let pattern = ObjectPattern::parse(&input.location)?.with_values(parameters)?;
    Ok(format!("input {name}: there is no object {}", pattern.as_str()))
}

async fn objects_of(app: &App, input: &InputDefinition, parameters: &Captures) -> Result<Vec<ObjectToRead>> {
    let pattern = ObjectPattern::parse(&input.location)?.with_values(parameters)?;
    let listed = match app.buckets.list(pattern.bucket(), pattern.literal_prefix()).await {
        Ok(listed) => listed,
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let whole_folder = input.location.ends_with('/');
    Ok(listed
        .into_iter()
        .filter(|object| {
            whole_folder && is_data(&object.key) || pattern.matches(pattern.bucket(), &object.key).is_some()
        })
        .map(|object| ObjectToRead::of(pattern.bucket(), object))
        .collect())
}

/// Whether a key in a folder is data: not a folder's marker, and not hidden (Hive's rule: `_` or `.` before the name).
pub(super) fn is_data(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    !name.is_empty() && !name.starts_with(['_', '.'])
}
