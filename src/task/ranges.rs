//! Ranges of objects, in one version.

use super::ObjectToRead;
use crate::buckets::Buckets;
use crate::error::Result;

/// The first `length` bytes of an object behind `start`.
pub(super) async fn read_object(
    buckets: &Buckets,
    object: &ObjectToRead,
    start: u64,
    length: u64,
) -> Result<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let range = start..start + length;
    let bytes = buckets
        .get_range(&object.bucket, &object.key, range, Some(&object.etag))
        .await?;
    Ok(bytes.to_vec())
}
