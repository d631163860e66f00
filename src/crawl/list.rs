//! Listing a target.

use futures::TryStreamExt;

use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::error::{Error, ErrorKind, Result};
use crate::model::crawl::CrawlTarget;
use crate::model::location::Location;

/// Every object at or below the target, in the order of the keys.
///
/// # Errors
/// NotFound where the bucket isn't there; Unavailable where it can't be listed.
pub(super) async fn list(app: &App, target: &CrawlTarget) -> Result<Vec<ObjectMeta>> {
    let location = Location::parse(&target.path)?;
    let folder = location.as_folder();
    let mut pages = Box::pin(app.buckets.list_pages(&location.bucket, &location.key));
    let mut objects = Vec::new();
    let hinted = |error: Error| match error.kind {
        ErrorKind::NotFound => error.hint(format!(
            "make the bucket {}, or crawl another path",
            location.bucket
        )),
        _ => error,
    };
    while let Some(page) = pages.try_next().await.map_err(hinted)? {
        objects.extend(
            page.into_iter()
                .filter(|object| object.key == location.key || object.key.starts_with(&folder.key)),
        );
    }
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(objects)
}
