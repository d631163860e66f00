//! Links in the lake's folder lead nowhere, whoever put them there and whenever.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;

use super::{BUCKET, TestLake, files_below};

/// A lake with links to a folder and a file outside.
async fn linked(root: &Path, outside: &Path) -> TestLake {
    let lake = TestLake::start(root).await;
    std::fs::create_dir(outside.join("sub")).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    let bucket = root.join(BUCKET);
    std::fs::create_dir(bucket.join("real")).unwrap();
    symlink(outside, bucket.join("folder")).unwrap();
    symlink(outside, bucket.join("real/deeper")).unwrap();
    symlink(outside.join("secret"), bucket.join("file")).unwrap();
    symlink("..", bucket.join("up")).unwrap();
    symlink("/nowhere/at/all", bucket.join("broken")).unwrap();
    symlink(outside, root.join("linked-bucket")).unwrap();
    lake
}

#[tokio::test]
async fn no_operation_follows_a_link() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lake = linked(root.path(), outside.path()).await;
    let raw = lake.raw();
    lake.buckets().await.put(BUCKET, "real/k", "mine").await.unwrap();
    lake.heard();
    let denied = Some("AccessDenied");
    for key in [
        "folder/secret",
        "folder/sub/x",
        "folder/new",
        "folder/",
        "real/deeper/secret",
        "file",
        "up/.mastic/lock",
        "up/lake/real/k",
        "broken",
        "broken/x",
    ] {
        let get = raw.get_object().bucket(BUCKET).key(key).send().await;
        assert_eq!(get.unwrap_err().code(), denied, "GET {key}");
        assert!(
            raw.head_object().bucket(BUCKET).key(key).send().await.is_err(),
            "HEAD {key}"
        );
        let put = raw
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from_static(b"x"));
        assert_eq!(put.send().await.unwrap_err().code(), denied, "PUT {key}");
        let delete = raw.delete_object().bucket(BUCKET).key(key).send().await;
        assert_eq!(delete.unwrap_err().code(), denied, "DELETE {key}");
        let source = format!("{BUCKET}/{key}");
        let copy = raw.copy_object().bucket(BUCKET).key("copy").copy_source(source);
        assert_eq!(copy.send().await.unwrap_err().code(), denied, "copy from {key}");
        let copy = raw
            .copy_object()
            .bucket(BUCKET)
            .key(key)
            .copy_source("lake/real/k");
        assert_eq!(copy.send().await.unwrap_err().code(), denied, "copy to {key}");
        let upload = raw.create_multipart_upload().bucket(BUCKET).key(key).send().await;
        assert_eq!(upload.unwrap_err().code(), denied, "upload to {key}");
        let listed = lake.buckets().await.list(BUCKET, key).await.unwrap();
        assert!(listed.is_empty(), "{key}");
    }
    let listed = lake.buckets().await.list(BUCKET, "").await.unwrap();
    assert_eq!(listed.len(), 1);
    let page = raw
        .list_objects_v2()
        .bucket(BUCKET)
        .delimiter("/")
        .send()
        .await
        .unwrap();
    assert_eq!(page.common_prefixes().len(), 1);
    let bucket = raw.list_objects_v2().bucket("linked-bucket").send().await;
    assert_eq!(bucket.unwrap_err().code(), Some("NoSuchBucket"));
    assert_eq!(lake.heard(), []);
    assert_eq!(files_below(outside.path()).len(), 1);
    assert_eq!(std::fs::read(outside.path().join("secret")).unwrap(), b"secret");
    assert!(outside.path().join("sub").is_dir());
    assert!(root.path().join(BUCKET).join("file").is_symlink());
}

#[tokio::test]
async fn an_upload_that_was_begun_before_the_link_ends_in_a_refusal() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let id = buckets
        .create_upload(BUCKET, "a/b/k", "text/csv", &[])
        .await
        .unwrap();
    let part = buckets.upload_part(BUCKET, "a/b/k", &id, 1, "x").await.unwrap();
    std::fs::create_dir(root.path().join(BUCKET).join("a")).unwrap();
    symlink(outside.path(), root.path().join(BUCKET).join("a/b")).unwrap();
    assert!(buckets.upload_part(BUCKET, "a/b/k", &id, 2, "y").await.is_err());
    assert!(
        buckets
            .complete_upload(BUCKET, "a/b/k", &id, &[part])
            .await
            .is_err()
    );
    assert_eq!(files_below(outside.path()), [""; 0]);
    assert_eq!(lake.heard(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_becomes_a_link_and_back_leads_nowhere() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lake = TestLake::start(root.path()).await;
    let bucket = root.path().join(BUCKET);
    std::fs::create_dir(outside.path().join("sub")).unwrap();
    std::fs::write(outside.path().join("sub/secret"), "secret").unwrap();
    std::fs::create_dir_all(bucket.join("a/sub")).unwrap();
    symlink(outside.path(), bucket.join("link")).unwrap();
    let stop = AtomicBool::new(false);
    let swap = || {
        while !stop.load(Ordering::Relaxed) {
            for (from, to) in [("a", "b"), ("link", "a"), ("a", "link"), ("b", "a")] {
                let _ = std::fs::rename(bucket.join(from), bucket.join(to));
            }
        }
    };
    let buckets = lake.buckets().await;
    std::thread::scope(|scope| {
        scope.spawn(swap);
        let work = async {
            for n in 0..150 {
                let _ = buckets.put(BUCKET, &format!("a/sub/k{n}"), "x").await;
                let secret = buckets.get_range(BUCKET, "a/sub/secret", 0..6, None).await;
                assert!(secret.is_err(), "{secret:?}");
                let _ = buckets.delete(BUCKET, "a/sub/secret").await;
                let listed = buckets.list(BUCKET, "a/").await.unwrap_or_default();
                assert!(!listed.iter().any(|object| object.key.contains("secret")));
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work));
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(files_below(outside.path()).len(), 1);
}
