//! What scripts write by themselves, before it is an output: objects below a folder that is the run's own, hidden from
//! crawls, queries and triggers by its name, and gone when the run is over.

use crate::app::App;
use crate::catalog::listing;
use crate::error::{Error, ErrorKind, Result};
use crate::model::data_files::is_data;
use crate::model::location::Location;
use crate::task::ObjectToRead;

/// The folder of a bucket below which each attempt of a run has one of its own.
const FOLDER: &str = "_mastic";

/// The folder for one attempt of a run, in the bucket of its output.
pub(super) fn folder(output: &Location, run: &str, attempt: i64) -> Location {
    Location {
        bucket: output.bucket.clone(),
        key: format!("{FOLDER}/{run}-{attempt}/"),
    }
}

/// The file of a script's folder that tells the columns of what was written, where that came to no rows and so to no
/// files: name and Hive's type of each, as JSON.
const COLUMNS: &str = "_columns.json";
/// The most that it may have, in bytes.
const MAX_COLUMNS: u64 = 1 << 20;

/// What a script left.
pub(super) struct Left {
    /// The objects, in the order of their keys, numbers in them as numbers: data alone, and none that is empty.
    pub(super) objects: Vec<ObjectToRead>,
    /// The columns of a result without rows; where there are objects, these tell.
    pub(super) columns: Vec<(String, String)>,
}

/// What a script left below a folder.
///
/// # Errors
/// Invalid where it left nothing, or parts of a table in folders that tell their values; Unavailable where the store can't
/// be asked.
pub(super) async fn left(app: &App, folder: &Location) -> Result<Left> {
    let listed = match listing::visible(app, &folder.bucket, &folder.key).await {
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let below = |key: &str| key.strip_prefix(&folder.key).unwrap_or_default().to_owned();
    let mut objects: Vec<ObjectToRead> = listed
        .into_iter()
        .filter(|object| object.size > 0 && is_data(&below(&object.key)))
        .map(|object| ObjectToRead::of(&folder.bucket, object))
        .collect();
    objects.sort_by_cached_key(|object| by_numbers(&object.key));
    if let Some(part) = objects
        .iter()
        .find_map(|object| partition_in(&below(&object.key)))
    {
        return Err(Error::invalid(format!(
            "the script wrote partitions ({part}/), and the job's output is one folder of files"
        ))
        .hint(
            "leave partitionBy out, or leave [output] out of job.toml and let the script write where it likes",
        ));
    }
    let columns = match objects.is_empty() {
        false => Vec::new(),
        true => columns(app, folder).await?,
    };
    match objects.is_empty() && columns.is_empty() {
        false => Ok(Left { objects, columns }),
        true => Err(Error::invalid("the script wrote nothing that its output could be made of").hint(
            "let it write files into the folder that MASTIC_OUTPUT_DIR names, or below the location that MASTIC_OUTPUT names",
        )),
    }
}

/// The folder of a partition on the way to a file.
fn partition_in(key: &str) -> Option<String> {
    let (folders, _) = key.rsplit_once('/')?;
    let partition = folders.split('/').find(|folder| folder.contains('='));
    partition.map(str::to_owned)
}

async fn columns(app: &App, folder: &Location) -> Result<Vec<(String, String)>> {
    let key = format!("{}{COLUMNS}", folder.key);
    let Some(object) = app.buckets.head(&folder.bucket, &key).await? else {
        return Ok(Vec::new());
    };
    let whole = 0..object.size.min(MAX_COLUMNS);
    let text = app
        .buckets
        .get_range(&folder.bucket, &key, whole, Some(&object.etag))
        .await?;
    serde_json::from_slice(&text).map_err(|cause| {
        Error::invalid(format!("{COLUMNS} of the script's output makes no sense")).source(cause)
    })
}

/// A key in pieces that sort as people number their files: `part_9` before `part_10`.
fn by_numbers(key: &str) -> Vec<(String, u64)> {
    let mut pieces = Vec::new();
    let mut rest = key;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        pieces.push((before.to_owned(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    pieces
}

/// Removes everything that a script left; says whether all is gone. A failure leaves hidden objects behind and nothing
/// worse, so it is only logged: a later sweep tries again.
pub(super) async fn remove(app: &App, folder: Option<&str>) -> bool {
    let Some(folder) = folder else {
        return true;
    };
    match remove_all(app, folder).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(folder, error = error.message, "what a script left stays");
            false
        }
    }
}

async fn remove_all(app: &App, folder: &str) -> Result<()> {
    let folder = Location::parse(folder)?;
    let pending = match app.buckets.list_uploads(&folder.bucket, &folder.key).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        pending => pending?,
    };
    for upload in pending {
        app.buckets
            .abort_upload(&folder.bucket, &upload.key, &upload.upload_id)
            .await?;
    }
    let left = app.buckets.list(&folder.bucket, &folder.key).await?;
    let keys: Vec<String> = left.into_iter().map(|object| object.key).collect();
    app.buckets.delete_all(&folder.bucket, &keys).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_taken_by_their_numbers() {
        let mut keys = ["a_10.csv", "a_9.csv", "a_1/b", "a", "a_1"];
        keys.sort_by_cached_key(|key| by_numbers(key));
        assert_eq!(keys, ["a", "a_1", "a_1/b", "a_9.csv", "a_10.csv"]);
    }
}
