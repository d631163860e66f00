//! A read-only view of chosen objects for the SQL engine: exactly those objects, exactly those versions.
//!
//! The engine's own idea of a path can't express every key (`a//b`, `a/`), so each object gets a path of our making.
//! Every read names the ETag that was listed; one that was changed since is an error, never a mix of two versions.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error as StoreError, GetOptions, GetRange, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult,
};

use super::Buckets;
use super::failure::Place;
use super::plain_text::PlainText;
use crate::error::{Error, ErrorKind};

/// The name that the engine's errors show for this store.
const NAME: &str = "Mastic";
/// The longest file extension that is kept; longer ones say nothing to the engine.
const LONGEST_EXTENSION: usize = 16;

/// One version of one object.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PinnedObject {
    /// The bucket that has it.
    pub bucket: String,
    /// Its raw key.
    pub key: String,
    /// The version, without quotes.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
}

/// The chosen objects as a store that knows nothing else.
pub struct PinnedStore {
    buckets: Buckets,
    objects: Vec<PinnedObject>,
    /// The objects that are given as plain text.
    plain: Mutex<HashMap<usize, PlainText>>,
}

impl PinnedStore {
    /// A store of `objects`, in this order.
    pub fn new(buckets: Buckets, objects: Vec<PinnedObject>) -> Self {
        Self {
            buckets,
            objects,
            plain: Mutex::default(),
        }
    }

    /// From now on the object at `index` is given as plain text.
    pub fn read_as(&self, index: usize, plain: PlainText) {
        let mut all = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(index, plain);
    }

    fn plain(&self, index: usize) -> Option<PlainText> {
        let all = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&index).cloned()
    }

    /// The path that the engine is to read the object at `index` by: `pinned/INDEX/object`, with the key's extension.
    pub fn path_of(&self, index: usize) -> Path {
        let extension = self
            .objects
            .get(index)
            .map(|object| extension_of(&object.key))
            .unwrap_or_default();
        Path::from(format!("pinned/{index:08}/object{extension}"))
    }

    /// The stores that they are in.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    fn index_of(&self, path: &Path) -> Option<usize> {
        let index: usize = path
            .as_ref()
            .strip_prefix("pinned/")?
            .split('/')
            .next()?
            .parse()
            .ok()?;
        (index < self.objects.len() && self.path_of(index) == *path).then_some(index)
    }

    fn meta(&self, index: usize) -> ObjectMeta {
        let object = &self.objects[index];
        ObjectMeta {
            location: self.path_of(index),
            last_modified: object.last_modified,
            // Of plain text the size isn't known before it is read; the engine cuts nothing so small into parts.
            size: self.plain(index).map_or(object.size, |_| 1),
            e_tag: Some(format!("\"{}\"", object.etag)),
            version: None,
        }
    }
}

/// `.csv.gz` of `a/b.csv.gz`: every short, plain suffix, because compression hides behind the first.
fn extension_of(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or_default();
    let mut start = name.len();
    for (at, _) in name.rmatch_indices('.') {
        let suffix = &name[at + 1..start];
        let plain = !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if at == 0 || !plain || name.len() - at > LONGEST_EXTENSION {
            break;
        }
        start = at;
    }
    &name[start..]
}

impl fmt::Debug for PinnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedStore")
            .field("objects", &self.objects.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for PinnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pinned objects", self.objects.len())
    }
}

#[async_trait::async_trait]
impl ObjectStore for PinnedStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        let Some(index) = self.index_of(location) else {
            return Err(not_pinned(location));
        };
        let meta = self.meta(index);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            Some(range) => resolve(range, meta.size)?,
            None => 0..meta.size,
        };
        let payload = if options.head || range.is_empty() {
            futures::stream::empty().boxed()
        } else {
            let object = &self.objects[index];
            let plain = self.plain(index);
            let whole = plain.is_some() || range == (0..meta.size);
            let header = (!whole).then(|| format!("bytes={}-{}", range.start, range.end - 1));
            let name = Place::object(&object.bucket, &object.key).to_string();
            let stored = self
                .buckets
                .stream(&object.bucket, &object.key, header, Some(&object.etag))
                .await
                .map_err(|error| to_store_error(error, &name))?;
            let read = match plain {
                Some(plain) => plain.read(stored.boxed()).boxed(),
                None => stored.boxed(),
            };
            read.map_err(move |error| to_store_error(error, &name)).boxed()
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(payload),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let listed: Vec<_> = (0..self.objects.len())
            .map(|index| self.meta(index))
            .filter(|meta| prefix.is_none_or(|prefix| meta.location.prefix_matches(prefix)))
            .map(Ok)
            .collect();
        futures::stream::iter(listed).boxed()
    }

    async fn list_with_delimiter(&self, _prefix: Option<&Path>) -> object_store::Result<ListResult> {
        Err(not_supported("list folders"))
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> object_store::Result<PutResult> {
        Err(not_supported("write"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        Err(not_supported("write"))
    }

    fn delete_stream(
        &self,
        _locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        futures::stream::once(async { Err(not_supported("delete")) }).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        Err(not_supported("copy"))
    }
}

fn resolve(range: &GetRange, size: u64) -> object_store::Result<Range<u64>> {
    range.as_range(size).map_err(|error| StoreError::Generic {
        store: NAME,
        source: Box::new(error),
    })
}

fn not_pinned(location: &Path) -> StoreError {
    StoreError::NotFound {
        path: location.to_string(),
        source: "it is not one of the objects that were chosen for this run".into(),
    }
}

fn not_supported(what: &str) -> StoreError {
    StoreError::NotSupported {
        source: format!("the objects of a run can only be read; to {what} is not supported").into(),
    }
}

/// The engine's error for one of ours, which is found in it again: [`Error::in_causes`].
fn to_store_error(error: Error, name: &str) -> StoreError {
    let (path, error) = (name.to_owned(), error.within(name));
    match error.kind {
        ErrorKind::NotFound => StoreError::NotFound {
            path,
            source: Box::new(error),
        },
        ErrorKind::Conflict => StoreError::Precondition {
            path,
            source: Box::new(error),
        },
        ErrorKind::Denied => StoreError::PermissionDenied {
            path,
            source: Box::new(error),
        },
        _ => StoreError::Generic {
            store: NAME,
            source: Box::new(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::extension_of;

    #[test]
    fn the_extension_is_kept_where_it_says_something() {
        assert_eq!(extension_of("raw/a b/trips.csv.gz"), ".csv.gz");
        assert_eq!(extension_of("raw/part-0.snappy.parquet"), ".snappy.parquet");
        assert_eq!(extension_of("raw/.hidden"), "");
        assert_eq!(extension_of("raw/v1.2 final.csv"), ".csv");
        assert_eq!(extension_of("raw/noext"), "");
        assert_eq!(extension_of("raw/"), "");
    }
}
