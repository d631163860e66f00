//! Where a job writes, beside what others read, write and catalogue there.

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::job::{Job, JobDefinition, OutputDefinition, OutputMode, TriggerDefinition};
use crate::model::location::Location;
use crate::model::name::TableRef;
use crate::model::overlap::Keys;
use crate::model::pattern::{Captures, ObjectPattern};
use crate::model::table::{Table, UPDATED_BY_JOB};
use crate::store::{self, Look};

/// Refuses a job whose output lies where another's does, or around what another reads; or the other way round; or where
/// somebody else's table is.
///
/// # Errors
/// Invalid, naming both.
pub(super) async fn check_registration(app: &App, job: &Job) -> Result<()> {
    let mut tx = app.store.read().await?;
    let tx = &mut tx;
    let others = store::jobs::definitions(tx).await?;
    for (name, other) in others.iter().filter(|(name, _)| *name != job.name) {
        check_outputs(&job.name, &job.definition, name, other)?;
        check_readers(&job.name, &job.definition, name, other)?;
        check_readers(name, other, &job.name, &job.definition)?;
    }
    match &job.definition.output {
        Some(output) => {
            let root = ObjectPattern::parse(&output.table_root())?;
            check_own_table(tx, job, output, &root).await?;
            check_tables(tx, job, output, &root).await
        }
        None => Ok(()),
    }
}

/// Before a run writes: what can't be known before its parameters are.
///
/// # Errors
/// Invalid, naming what is in the way.
pub(super) async fn check(
    app: &App,
    job: &Job,
    output: &OutputDefinition,
    parameters: &Captures,
) -> Result<()> {
    let root = ObjectPattern::parse(&output.table_root())?.with_values(parameters)?;
    let mut tx = app.store.read().await?;
    check_own_table(&mut tx, job, output, &root).await?;
    // Where the job has written before, tables were looked at before: who catalogues an output doesn't stop it.
    if store::outputs::has_written(&mut tx, &job.name, root.bucket(), root.literal_prefix()).await? {
        return Ok(());
    }
    check_tables(&mut tx, job, output, &root).await
}

/// Two jobs may write into one folder where both only add to it.
fn check_outputs(name: &str, job: &JobDefinition, other_name: &str, other: &JobDefinition) -> Result<()> {
    let (Some(mine), Some(theirs)) = (&job.output, &other.output) else {
        return Ok(());
    };
    let both_append = mine.mode == OutputMode::Append && theirs.mode == OutputMode::Append;
    if both_append && mine.location == theirs.location {
        return Ok(());
    }
    let keys = |output: &OutputDefinition| {
        ObjectPattern::parse(&output.location).map(|folder| Keys::of_some_value(&folder))
    };
    if keys(mine)?.meet(&keys(theirs)?) {
        return Err(Error::invalid(format!(
            "job {name}: its output '{}' overlaps that of job {other_name}, '{}'",
            mine.location, theirs.location
        ))
        .hint("give each a folder of its own; jobs with mode = \"append\" may share one"));
    }
    match (&mine.table, &theirs.table) {
        (Some(table), Some(other_table)) if TableRef::parse(table)? == TableRef::parse(other_table)? => {
            Err(Error::invalid(format!(
                "job {name}: its table {table} is that of job {other_name}, which writes to '{}'",
                theirs.location
            ))
            .hint("give each a table of its own"))
        }
        _ => Ok(()),
    }
}

/// What one job writes may be what another reads or waits for: that is a chain. It may not lie around it.
fn check_readers(writer: &str, job: &JobDefinition, reader: &str, other: &JobDefinition) -> Result<()> {
    let Some(output) = &job.output else {
        return Ok(());
    };
    let folder = ObjectPattern::parse(&output.location)?;
    let (written, below) = (Keys::children_of(&folder), Keys::of_some_value(&folder));
    let inputs = other
        .inputs
        .iter()
        .filter(|(_, input)| input.table().is_none())
        .map(|(name, input)| (format!("input {name}"), input.location.as_str()));
    let triggers = other
        .triggers
        .iter()
        .filter_map(TriggerDefinition::arrivals)
        .map(|arrivals| ("trigger".to_owned(), arrivals.pattern.as_str()));
    for (what, location) in inputs.chain(triggers) {
        let read = Keys::of_some_value(&ObjectPattern::parse(location)?);
        if read.meet(&below) && !read.meet(&written) {
            return Err(Error::invalid(format!(
                "the output of job {writer}, '{}', lies around the {what} of job {reader}, '{location}'",
                output.location
            ))
            .hint("give the output a folder of its own"));
        }
    }
    Ok(())
}

/// Refuses an output in, at or around the location of a table that isn't the job's.
async fn check_tables(
    tx: &mut Look,
    job: &Job,
    output: &OutputDefinition,
    root: &ObjectPattern,
) -> Result<()> {
    let written = Keys::of_some_value(root);
    let own = output.table.as_deref().map(TableRef::parse).transpose()?;
    for table in store::tables::near(tx, root.bucket(), root.literal_prefix()).await? {
        let is_own = own.as_ref() == Some(&table.name());
        let Some(location) = table.input.location().filter(|_| !is_own && !is_of_jobs(&table)) else {
            continue;
        };
        let Ok(location) = Location::parse(location) else {
            continue;
        };
        let folder = ObjectPattern::literal(&location.as_folder());
        if Keys::of(&folder).meet(&written) {
            return Err(Error::invalid(format!(
                "job {}: its output '{}' overlaps the table {}, which is at {location}",
                job.name,
                output.location,
                table.name()
            ))
            .hint("give the output a folder of its own, or delete the table if it is of no use"));
        }
    }
    Ok(())
}

/// Tables of other jobs are looked at as these jobs' outputs.
fn is_of_jobs(table: &Table) -> bool {
    table.input.parameters.contains_key(UPDATED_BY_JOB)
}

/// Refuses an output whose table is there, is somebody else's and lies elsewhere. One that somebody made at the very place
/// is taken over, with the columns that it declares.
async fn check_own_table(
    tx: &mut Look,
    job: &Job,
    output: &OutputDefinition,
    root: &ObjectPattern,
) -> Result<()> {
    let Some(table) = &output.table else {
        return Ok(());
    };
    let Some(found) = store::tables::find(tx, &TableRef::parse(table)?).await? else {
        return Ok(());
    };
    let is_own = found
        .input
        .parameters
        .get(UPDATED_BY_JOB)
        .is_some_and(|by| *by == job.name);
    let location = found.input.location().unwrap_or_default();
    let is_there = Location::parse(location).is_ok_and(|location| {
        root.matches(&location.bucket, &location.as_folder().key)
            .is_some()
    });
    if is_own || is_there {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "job {}: its table {table} is there already, and is at '{location}'",
        job.name
    ))
    .hint("give the output another table, or delete that one"))
}
