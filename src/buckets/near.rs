//! Objects whose files are on this machine: their bytes needn't go through a socket.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::failure::Place;
use crate::error::{Error, Result};

/// How much of a file is read at a time, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Objects whose files this process can open by itself. What it reads of one is its bytes as they are on the disk: no
/// checksum is asked for, and no access log tells of it.
pub trait NearObjects: Send + Sync {
    /// Opens an object's file, if the object has this ETag. None where it hasn't, or where anything is in the way: the
    /// store tells then what.
    fn open(&self, bucket: &str, key: &str, etag: &str) -> Option<File>;
}

/// One version of an object.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) etag: String,
}

/// All bytes of `range`, or none where the store has to be asked.
pub(super) async fn range(
    near: &Arc<dyn NearObjects>,
    version: Version,
    range: Range<u64>,
) -> Result<Option<Bytes>> {
    let near = Arc::clone(near);
    let length = usize::try_from(range.end - range.start)
        .map_err(|_| Error::invalid("so much can't be held in memory"))?;
    blocking(move || {
        let file = near.open(&version.bucket, &version.key, &version.etag)?;
        if file.metadata().ok()?.len() < range.end {
            return None;
        }
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, range.start).ok()?;
        Some(Bytes::from(bytes))
    })
    .await
}

/// The whole object, piece by piece, or none where the store has to be asked.
pub(super) async fn stream(
    near: &Arc<dyn NearObjects>,
    version: Version,
) -> Result<Option<impl Stream<Item = Result<Bytes>> + Send + 'static>> {
    let near = Arc::clone(near);
    let place = Place::object(&version.bucket, &version.key);
    let opened = blocking(move || {
        let file = near.open(&version.bucket, &version.key, &version.etag)?;
        let size = file.metadata().ok()?.len();
        Some((file, size))
    });
    let Some(begun) = opened.await? else {
        return Ok(None);
    };
    Ok(Some(
        futures::stream::try_unfold((begun, place), |((mut file, left), place)| async move {
            if left == 0 {
                return Ok(None);
            }
            let length = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            let read = blocking(move || {
                let mut piece = vec![0; length];
                let read = file.read_exact(&mut piece);
                (file, read.map(|()| piece))
            });
            let (file, piece) = read.await?;
            let piece = piece.map_err(|cause| {
                Error::unavailable(format!("{place} ended before its last byte"))
                    .hint("try again; was its file changed by hand meanwhile?")
                    .source(cause)
            })?;
            let left = left - piece.len() as u64;
            Ok(Some((Bytes::from(piece), ((file, left), place))))
        })
        .boxed(),
    ))
}

/// Does what may wait for a disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|cause| Error::internal("reading a file failed").source(cause))
}
