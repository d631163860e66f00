//! Keys of every kind: those that the folder holds come back as they were, the others are refused in words.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use mastic::error::ErrorKind;

use super::raw::{Line, address};
use super::{BUCKET, TestLake, files_below};

#[tokio::test]
async fn unusual_keys_come_back_as_they_were() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let deep = format!("{}/leaf", vec!["d"; 200].join("/"));
    let long = "n".repeat(255);
    let keys = [
        "plain",
        "with space/and more",
        "plus+and%25percent%/%zz",
        "ym=2024-01/x=1&y=2?q#f",
        "ünï/日本語/🦀",
        ".hidden/.file",
        "folder/",
        "two//slashes",
        "three///slashes/",
        ".mastic-/x",
        "quote\"'<&>\\",
        "tab\there\u{1}",
        "..dots../...",
        deep.as_str(),
        long.as_str(),
    ];
    for key in keys {
        let etag = buckets.put(BUCKET, key, key.to_owned()).await.unwrap();
        let head = buckets
            .head(BUCKET, key)
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("{key} is lost"));
        assert_eq!(head.etag, etag);
        let got = buckets
            .get_range(BUCKET, key, 0..key.len() as u64, Some(&etag))
            .await
            .unwrap();
        assert_eq!(got, key.as_bytes());
    }
    let mut expected: Vec<&str> = keys.to_vec();
    expected.sort_unstable();
    let listed: Vec<String> = buckets
        .list(BUCKET, "")
        .await
        .unwrap()
        .into_iter()
        .map(|object| object.key)
        .collect();
    assert_eq!(listed, expected);
    let copied = lake
        .raw()
        .copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source(format!("{BUCKET}/with%20space/and%20more"));
    copied.send().await.unwrap();
    for key in keys.into_iter().chain(["copy"]) {
        buckets.delete(BUCKET, key).await.unwrap();
    }
    assert_eq!(files_below(&root.path().join(BUCKET)), [""; 0]);
    assert_eq!(std::fs::read_dir(root.path().join(BUCKET)).unwrap().count(), 0);
    assert_eq!(files_below(&root.path().join(".mastic/meta")), [""; 0]);
}

#[tokio::test]
async fn keys_that_lead_astray_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let raw = lake.raw();
    let too_long = "x".repeat(256);
    for key in [
        "/etc/passwd",
        "a/../../b",
        "..",
        "../lake2/x",
        "a/./b",
        ".",
        "nul\0key",
        too_long.as_str(),
    ] {
        let put = raw
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from_static(b"x"))
            .send()
            .await;
        let error = put.expect_err(key);
        let status = error.raw_response().unwrap().status().as_u16();
        assert_eq!(status, 400, "{key}: {error:?}");
    }
    let stolen = raw
        .copy_object()
        .bucket(BUCKET)
        .key("k")
        .copy_source("lake/../.mastic/lock")
        .send()
        .await;
    assert!(stolen.is_err());
    let stolen = raw
        .copy_object()
        .bucket(BUCKET)
        .key("k")
        .copy_source(".mastic/lock")
        .send()
        .await;
    assert!(stolen.is_err());
    assert!(raw.list_objects_v2().bucket(".mastic").send().await.is_err());
    assert_eq!(files_below(&root.path().join(BUCKET)), [""; 0]);
    assert_eq!(lake.heard(), []);
}

#[tokio::test]
async fn a_key_below_an_object_is_refused_in_words() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    buckets.put(BUCKET, "a", "x").await.unwrap();
    let error = buckets.put(BUCKET, "a/b", "x").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("is an object itself"), "{}", error.message);
    buckets.put(BUCKET, "c/d", "x").await.unwrap();
    let error = buckets.put(BUCKET, "c", "x").await.unwrap_err();
    assert!(error.message.contains("begin with it"), "{}", error.message);
    assert!(buckets.head(BUCKET, "c").await.unwrap().is_none());
    assert!(buckets.head(BUCKET, "a/b").await.unwrap().is_none());
    // What was in the way may go.
    buckets.delete(BUCKET, "c/d").await.unwrap();
    buckets.put(BUCKET, "c", "x").await.unwrap();
    let outside = lake
        .raw()
        .get_object()
        .bucket(BUCKET)
        .key("c/")
        .send()
        .await
        .unwrap_err();
    assert_eq!(outside.code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn a_key_that_has_no_room_is_refused_before_its_bytes() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let (buckets, raw) = (lake.buckets().await, lake.raw());
    for key in ["a", "c/d", "e/", "source"] {
        buckets.put(BUCKET, key, "x").await.unwrap();
    }
    let early = buckets
        .create_upload(BUCKET, "late/k", "text/csv", &[])
        .await
        .unwrap();
    let part = buckets
        .upload_part(BUCKET, "late/k", &early, 1, "x")
        .await
        .unwrap();
    buckets.put(BUCKET, "late", "x").await.unwrap();
    lake.heard();
    for key in ["a/b", "a/b/c", "a/", "a//", "c", "e", "late/k"] {
        let mut line = Line::to(&lake).await;
        let head = format!(
            "PUT /{BUCKET}/{key} HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
            address(&lake)
        );
        line.send(head.as_bytes()).await;
        let answer = line.answer().await;
        assert_eq!(answer.said(), (400, "InvalidArgument"), "{key}");
        assert!(
            answer.body.contains("this store can&apos;t hold the key"),
            "{}",
            answer.body
        );
        let copy = raw
            .copy_object()
            .bucket(BUCKET)
            .key(key)
            .copy_source("lake/source");
        assert_eq!(
            copy.send().await.unwrap_err().code(),
            Some("InvalidArgument"),
            "{key}"
        );
        let upload = raw.create_multipart_upload().bucket(BUCKET).key(key).send().await;
        assert_eq!(upload.unwrap_err().code(), Some("InvalidArgument"), "{key}");
    }
    assert!(
        buckets
            .upload_part(BUCKET, "late/k", &early, 2, "y")
            .await
            .is_err()
    );
    let parts = [part];
    assert!(
        buckets
            .complete_upload(BUCKET, "late/k", &early, &parts)
            .await
            .is_err()
    );
    assert_eq!(lake.heard(), []);
    // The upload is still there for when there is room.
    buckets.delete(BUCKET, "late").await.unwrap();
    buckets
        .complete_upload(BUCKET, "late/k", &early, &parts)
        .await
        .unwrap();
    // Folders that hold nothing take no room.
    std::fs::create_dir_all(root.path().join(BUCKET).join("empty/er/est")).unwrap();
    buckets.put(BUCKET, "empty", "x").await.unwrap();
}

/// The status of a refusal; nothing where the request was taken.
fn refused<T, E>(answer: Result<T, SdkError<E>>) -> Option<u16> {
    let error = answer.err()?;
    error.raw_response().map(|answer| answer.status().as_u16())
}

#[tokio::test]
async fn a_key_that_cannot_be_is_refused_by_every_operation() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let (buckets, raw) = (lake.buckets().await, lake.raw());
    buckets.put(BUCKET, "source", "x").await.unwrap();
    let long = "ü".repeat(128);
    let deep = "a/".repeat(513);
    for key in [
        "a/../b", ".", "..", "./a", "a/.", "/a", "//", "nul\0", &long, &deep,
    ] {
        let get = raw.get_object().bucket(BUCKET).key(key);
        assert_eq!(refused(get.send().await), Some(400), "GET {key}");
        let head = raw.head_object().bucket(BUCKET).key(key);
        assert_eq!(refused(head.send().await), Some(400), "HEAD {key}");
        let delete = raw.delete_object().bucket(BUCKET).key(key);
        assert_eq!(refused(delete.send().await), Some(400), "DELETE {key}");
        let copy = raw
            .copy_object()
            .bucket(BUCKET)
            .key(key)
            .copy_source("lake/source");
        assert_eq!(refused(copy.send().await), Some(400), "copy {key}");
        let upload = raw.create_multipart_upload().bucket(BUCKET).key(key);
        assert_eq!(refused(upload.send().await), Some(400), "upload {key}");
    }
    // As deep as a key can be.
    let deepest = format!("{}z", "a/".repeat(511));
    buckets.put(BUCKET, &deepest, "x").await.unwrap();
    assert_eq!(buckets.list(BUCKET, "a/").await.unwrap()[0].key, deepest);
    assert!(buckets.put(BUCKET, "a/a/a", "x").await.is_err());
    buckets.delete(BUCKET, &deepest).await.unwrap();
    buckets.put(BUCKET, "a", "x").await.unwrap();
}

#[tokio::test]
async fn a_file_that_somebody_put_there_is_an_object() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let path = root.path().join(BUCKET).join("by-hand.csv");
    std::fs::write(&path, "a,b\n").unwrap();
    let listed = buckets.list(BUCKET, "").await.unwrap();
    let head = buckets.head(BUCKET, "by-hand.csv").await.unwrap().unwrap();
    assert_eq!(listed[0].etag, head.etag);
    assert_eq!(
        buckets
            .get_range(BUCKET, "by-hand.csv", 0..4, Some(&head.etag))
            .await
            .unwrap(),
        "a,b\n"
    );
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    assert_ne!(
        buckets.head(BUCKET, "by-hand.csv").await.unwrap().unwrap().etag,
        head.etag
    );
}
