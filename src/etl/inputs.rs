//! A job's inputs: from patterns to the very object versions that a run reads.

use super::reading::Readable;
use crate::app::App;
use crate::catalog::{listing, tables};
use crate::error::{Error, ErrorKind, Result};
use crate::model::data_files;
use crate::model::job::{EmptyObjects, InputDefinition, Job};
use crate::model::name::TableRef;
use crate::model::pattern::{Captures, ObjectPattern};
use crate::task::{FileOfTable, FilesPage, FilesToRead, ObjectToRead, TableToRead};

/// The tables of a run: every input with the objects that are there now, in the order of their keys.
///
/// # Errors
/// NotFound where an input that isn't optional has no object; Unavailable where the store can't be listed.
pub(super) async fn resolve(app: &App, job: &Job, parameters: &Captures) -> Result<Vec<TableToRead>> {
    let mut read = Vec::with_capacity(job.definition.inputs.len());
    for (name, input) in &job.definition.inputs {
        if let Some(table) = input.table() {
            read.push(catalogued(app, name, &table, input, parameters).await?);
            continue;
        }
        let objects = objects_of(app, input, parameters).await?;
        if objects.is_empty() && !input.optional {
            return Err(Error::not_found(absent(name, input, parameters)?)
                .hint("put the object there, or make the input optional"));
        }
        read.push(TableToRead {
            name: name.clone(),
            columns: input
                .columns
                .iter()
                .map(|(name, hive)| (name.clone(), hive.clone()))
                .collect(),
            keys: Vec::new(),
            as_declared: false,
            format: None,
            strict: input.strict,
            rows: None,
            files: FilesToRead::whole(objects),
        });
    }
    Ok(read)
}

/// What a run would wait for: the first input that isn't optional and has no object.
///
/// # Errors
/// Unavailable where the store can't be listed.
pub(super) async fn missing(app: &App, job: &Job, parameters: &Captures) -> Result<Option<String>> {
    for (name, input) in &job.definition.inputs {
        if !input.optional && input.table().is_none() && objects_of(app, input, parameters).await?.is_empty()
        {
            return absent(name, input, parameters).map(Some);
        }
    }
    Ok(None)
}

/// A table of the catalog, with its columns, and its objects pinned as they are now.
async fn catalogued(
    app: &App,
    name: &str,
    table: &TableRef,
    input: &InputDefinition,
    parameters: &Captures,
) -> Result<TableToRead> {
    let within = |error: Error| error.within(format!("input {name}"));
    let table = tables::get(app, table).await.map_err(within)?;
    let readable = Readable::of(app, table).await.map_err(within)?;
    let expression = input.expression(parameters)?;
    let mut pages = readable
        .clone()
        .pages_where(app, expression.as_deref().unwrap_or_default())
        .map_err(within)?;
    let mut all = FilesPage::default();
    while !all.is_last {
        let page = pages.next().await.map_err(within)?;
        let (parts, looks) = (all.parts.len(), all.looks.len());
        all.files.extend(page.files.into_iter().map(|file| FileOfTable {
            part: file.part + parts,
            look: file.look.map(|look| look + looks),
            ..file
        }));
        all.parts.extend(page.parts);
        all.looks.extend(page.looks);
        all.left_out.extend(page.left_out);
        all.is_last = page.is_last;
    }
    Ok(readable.definition(name, FilesToRead::Given(all)))
}

fn absent(name: &str, input: &InputDefinition, parameters: &Captures) -> Result<String> {
    let pattern = ObjectPattern::parse(&input.location)?.with_values(parameters)?;
    Ok(format!("input {name}: there is no object {}", pattern.as_str()))
}

/// The objects of an input that are there now, in the order of their keys: data alone, and of outputs what the catalog shows.
async fn objects_of(app: &App, input: &InputDefinition, parameters: &Captures) -> Result<Vec<ObjectToRead>> {
    let written = ObjectPattern::parse(&input.location)?;
    let mut found = Vec::new();
    let spelled = [
        Some(written.with_values(parameters)?),
        written.with_plain_values(parameters)?,
    ];
    for pattern in spelled.into_iter().flatten() {
        let listed = match listing::visible(app, pattern.bucket(), pattern.literal_prefix()).await {
            Ok(listed) => listed,
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let whole_folder = input.location.ends_with('/');
        found.extend(listed.into_iter().filter(|object| {
            let matches = whole_folder || pattern.matches(pattern.bucket(), &object.key).is_some();
            matches && data_files::why_no_data(&pattern, &object.key).is_none()
        }));
    }
    if input.empty == EmptyObjects::Error
        && let Some(empty) = found.iter().find(|object| object.size == 0)
    {
        return Err(
            Error::invalid(format!("s3://{}/{} is empty", written.bucket(), empty.key)).hint(
                "upload it again, or leave empty = \"error\" out of the input to read past empty objects",
            ),
        );
    }
    found.retain(|object| object.size > 0);
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found.dedup_by(|a, b| a.key == b.key);
    Ok(found
        .into_iter()
        .map(|object| ObjectToRead::of(written.bucket(), object))
        .collect())
}
