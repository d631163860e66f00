//! The objects that are there, as readers by the catalog see them.

use futures::TryStreamExt;

use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::error::{Error, Result};
use crate::store;

/// How often a listing is made anew because an output changed meanwhile.
const LISTINGS: usize = 20;

/// The objects whose keys begin with `prefix`, as readers by the catalog see them: of an output of several files that is
/// being published, all the old or all the new.
///
/// # Errors
/// As a listing; Unavailable where outputs change faster than they can be listed.
pub async fn visible(app: &App, bucket: &str, prefix: &str) -> Result<Vec<ObjectMeta>> {
    let all = Range {
        after: None,
        until: None,
        most: usize::MAX,
    };
    Ok(visible_in(app, bucket, prefix, &all).await?.unwrap_or_default())
}

/// A part of a listing.
pub(super) struct Range<'a> {
    /// Keys behind this one.
    pub(super) after: Option<&'a str>,
    /// No keys behind those that begin with this.
    pub(super) until: Option<&'a str>,
    /// How many there may be.
    pub(super) most: usize,
}

/// The same of a part; `None` where there are more than so many.
///
/// # Errors
/// Those of [`visible`].
pub(super) async fn visible_in(
    app: &App,
    bucket: &str,
    prefix: &str,
    range: &Range<'_>,
) -> Result<Option<Vec<ObjectMeta>>> {
    let mut hidden = hidden(app, bucket, prefix).await?;
    for _ in 0..LISTINGS {
        let Some(mut objects) = list_in(app, bucket, prefix, range).await? else {
            return Ok(None);
        };
        let after = self::hidden(app, bucket, prefix).await?;
        if after == hidden {
            objects.retain(|object| {
                hidden
                    .binary_search_by(|(key, _)| key.as_str().cmp(&object.key))
                    .is_err()
            });
            return Ok(Some(objects));
        }
        hidden = after;
    }
    Err(Error::unavailable(format!(
        "the outputs below s3://{bucket}/{prefix} change faster than they can be listed"
    )))
}

async fn list_in(
    app: &App,
    bucket: &str,
    prefix: &str,
    range: &Range<'_>,
) -> Result<Option<Vec<ObjectMeta>>> {
    let mut pages = Box::pin(app.buckets.list_pages_after(bucket, prefix, range.after));
    let mut objects = Vec::new();
    let is_behind = |key: &str| {
        let until = range.until.filter(|until| key > *until);
        until.is_some_and(|until| !key.starts_with(until))
    };
    while let Some(page) = pages.try_next().await? {
        let is_last = page.last().is_some_and(|object| is_behind(&object.key));
        objects.extend(page.into_iter().filter(|object| !is_behind(&object.key)));
        if objects.len() > range.most {
            return Ok(None);
        }
        if is_last {
            break;
        }
    }
    Ok(Some(objects))
}

async fn hidden(app: &App, bucket: &str, prefix: &str) -> Result<Vec<(String, String)>> {
    let mut tx = app.store.read().await?;
    store::outputs::hidden(&mut tx, bucket, prefix).await
}
