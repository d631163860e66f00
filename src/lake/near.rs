//! The lake's files, for processes of this machine that read many of them.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::shelf::Shelf;
use crate::buckets::NearObjects;

struct NearLake(Shelf);

impl NearObjects for NearLake {
    fn open(&self, bucket: &str, key: &str, etag: &str) -> Option<File> {
        let found = self.0.find(bucket, key).ok()?;
        (found.record.etag == etag).then_some(found.file)
    }
}

/// The objects of the lake in `root`, to be read beside the process that serves it; none where its folder can't be
/// opened.
#[must_use]
pub fn near(root: &Path) -> Option<Arc<dyn NearObjects>> {
    let shelf = Shelf::open(root).ok()?;
    Some(Arc::new(NearLake(shelf)))
}
