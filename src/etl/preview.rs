//! What a run would read, write and replace if it began now.

use crate::app::App;
use crate::error::{ErrorKind, Result};
use crate::etl::{inputs, jobs, outputs, places, publish};
use crate::model::job::Job;
use crate::model::pattern::Captures;
use crate::model::run::{RunError, RunInput};
use crate::task::TableToRead;

/// What a run would do.
#[derive(Debug)]
pub struct Preview {
    /// What it would read.
    pub inputs: Vec<RunInput>,
    /// What it would write.
    pub writes: Vec<String>,
    /// What would be removed, or replaced under its name.
    pub replaces: Vec<String>,
    /// What lies in its output folder, isn't the job's, and would stay.
    pub stays: Vec<String>,
    /// Why it would not start, or fail, as far as that can be known.
    pub refused: Option<RunError>,
}

/// Says what a run would read, write and replace if it began now. Nothing is changed.
///
/// # Errors
/// NotFound; Invalid for unfitting parameters; Unavailable where the store can't be asked.
pub async fn preview(app: &App, name: &str, parameters: &Captures) -> Result<Preview> {
    let job = jobs::get(app, name).await?;
    let parameters = job.parameters_of(parameters)?;
    let mut preview = Preview {
        inputs: Vec::new(),
        writes: Vec::new(),
        replaces: Vec::new(),
        stays: Vec::new(),
        refused: None,
    };
    match foresee(app, &job, &parameters, &mut preview).await {
        Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound) => {
            preview.refused = Some(error.into());
        }
        foreseen => foreseen?,
    }
    Ok(preview)
}

async fn foresee(app: &App, job: &Job, parameters: &Captures, preview: &mut Preview) -> Result<()> {
    let tables = inputs::resolve(app, job, parameters).await?;
    preview.inputs = inputs_read(&tables, &[]);
    let Some(output) = &job.definition.output else {
        return Ok(());
    };
    let folder = output.folder(parameters)?;
    let targets = publish::intended(output, &folder, "RUN").keys();
    let path = |key: &String| folder.with_key(key.as_str()).to_string();
    preview.writes = targets.iter().map(path).collect();
    places::check(app, job, output, parameters).await?;
    outputs::refuse_inputs(app, job, &folder, &tables).await?;
    let found = outputs::look(app, job, output, &folder, &targets).await?;
    preview.replaces = found.replaced.iter().map(|object| path(&object.key)).collect();
    preview.replaces.extend(found.overwritten.iter().map(path));
    preview.stays = found.foreign.iter().map(path).collect();
    Ok(())
}

/// The objects that are read, with the rows of each where they are known.
pub(super) fn inputs_read(tables: &[TableToRead], rows_in: &[Vec<Option<u64>>]) -> Vec<RunInput> {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut read = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        for (file_index, file) in table.files.given().iter().enumerate() {
            let rows = rows_in.get(index).and_then(|rows| rows.get(file_index));
            read.push(RunInput {
                name: table.name.clone(),
                path: file.object.path(),
                size: count(file.object.size),
                etag: file.object.etag.clone(),
                rows: rows.copied().flatten().map(count),
            });
        }
    }
    read
}
