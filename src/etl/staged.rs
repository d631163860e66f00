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

/// The objects that a script left there, in the order of their keys, numbers in them as numbers: data alone, and none that is empty.
///
/// # Errors
/// Invalid where there are none; Unavailable where the store can't be asked.
pub(super) async fn objects(app: &App, folder: &Location) -> Result<Vec<ObjectToRead>> {
    let listed = match listing::visible(app, &folder.bucket, &folder.key).await {
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let mut found: Vec<ObjectToRead> = listed
        .into_iter()
        .filter(|object| object.size > 0 && object.key.strip_prefix(&folder.key).is_some_and(is_data))
        .map(|object| ObjectToRead::of(&folder.bucket, object))
        .collect();
    found.sort_by_cached_key(|object| by_numbers(&object.key));
    match found.is_empty() {
        false => Ok(found),
        true => Err(Error::invalid("the script wrote nothing that its output could be made of").hint(
            "let it write files into the folder that MASTIC_OUTPUT_DIR names, or below the location that MASTIC_OUTPUT names",
        )),
    }
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
        assert_eq!(keys, ["a_1", "a_1/b", "a_9.csv", "a_10.csv", "a"]);
    }
}
