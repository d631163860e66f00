//! The SQL engine's view of chosen objects: those objects, those versions, nothing else.

use futures::TryStreamExt;
use mastic::buckets::pinned::{PinnedObject, PinnedStore};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use super::{BUCKET, TestLake};

async fn pin(lake: &TestLake, keys: &[&str]) -> PinnedStore {
    let buckets = lake.buckets().await;
    let mut objects = Vec::new();
    for key in keys {
        buckets
            .put(BUCKET, key, format!("0123456789 {key}"))
            .await
            .unwrap();
        let head = buckets.head(BUCKET, key).await.unwrap().unwrap();
        objects.push(PinnedObject {
            bucket: BUCKET.into(),
            key: head.key,
            etag: head.etag,
            size: head.size,
            last_modified: head.last_modified,
        });
    }
    PinnedStore::new(buckets, objects)
}

#[tokio::test]
async fn any_key_can_be_read_by_its_path() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let keys = ["raw//a b.csv.gz", "raw/ü+%.parquet", "raw/no extension/"];
    let store = pin(&lake, &keys).await;
    assert_eq!(store.path_of(0), Path::from("pinned/00000000/object.csv.gz"));
    assert_eq!(store.path_of(1), Path::from("pinned/00000001/object.parquet"));
    for (index, key) in keys.iter().enumerate() {
        let path = store.path_of(index);
        let whole = store.get(&path).await.unwrap();
        assert_eq!(whole.meta.size, 11 + key.len() as u64);
        assert_eq!(whole.bytes().await.unwrap(), format!("0123456789 {key}"));
        assert_eq!(store.get_range(&path, 2..5).await.unwrap(), "234");
        let ranges = store.get_ranges(&path, &[0..1, 9..10, 4..6]).await.unwrap();
        assert_eq!(ranges, ["0", "9", "45"]);
        let suffix = GetOptions::default();
        let suffix = store
            .get_opts(
                &path,
                GetOptions {
                    range: Some(GetRange::Suffix(3)),
                    ..suffix
                },
            )
            .await
            .unwrap();
        assert_eq!(suffix.range, whole_end(key));
        assert_eq!(suffix.bytes().await.unwrap(), key.as_bytes()[key.len() - 3..]);
        assert_eq!(store.head(&path).await.unwrap().size, 11 + key.len() as u64);
    }
    let listed: Vec<_> = store
        .list(Some(&Path::from("pinned")))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(listed.len(), 3);
    let one: Vec<_> = store
        .list(Some(&Path::from("pinned/00000001")))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(one.len(), 1);
}

fn whole_end(key: &str) -> std::ops::Range<u64> {
    let size = 11 + key.len() as u64;
    size - 3..size
}

#[tokio::test]
async fn another_version_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let store = pin(&lake, &["k.csv"]).await;
    let path = store.path_of(0);
    lake.buckets()
        .await
        .put(BUCKET, "k.csv", "another version")
        .await
        .unwrap();
    assert!(matches!(
        store.get_range(&path, 0..3).await,
        Err(Error::Precondition { .. })
    ));
    assert!(matches!(store.get(&path).await, Err(Error::Precondition { .. })));
    lake.buckets().await.delete(BUCKET, "k.csv").await.unwrap();
    assert!(matches!(store.get(&path).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn nothing_else_can_be_read_and_nothing_written() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let store = pin(&lake, &["k.csv"]).await;
    lake.buckets().await.put(BUCKET, "other.csv", "x").await.unwrap();
    for path in [
        "other.csv",
        "pinned/00000001/object.csv",
        "pinned/00000000/object",
        "pinned/0/object.csv",
    ] {
        assert!(
            matches!(store.get(&Path::from(path)).await, Err(Error::NotFound { .. })),
            "{path}"
        );
    }
    let path = store.path_of(0);
    assert!(matches!(
        store.put(&path, "x".into()).await,
        Err(Error::NotSupported { .. })
    ));
    assert!(matches!(
        store.delete(&path).await,
        Err(Error::NotSupported { .. })
    ));
    assert!(matches!(
        store.list_with_delimiter(None).await,
        Err(Error::NotSupported { .. })
    ));
}
