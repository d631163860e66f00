//! Writing, overwriting, copying and deleting: what is read back, and what is announced.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};
use futures::TryStreamExt;
use mastic::error::ErrorKind;
use mastic::lake::{ObjectChange, ObjectChangeKind};

use super::{BUCKET, TestLake};

fn created(key: &str, size: u64, etag: &str, event_name: &'static str) -> ObjectChange {
    ObjectChange {
        bucket: BUCKET.into(),
        key: key.into(),
        kind: ObjectChangeKind::Created,
        size: Some(size),
        etag: Some(etag.into()),
        event_name,
    }
}

fn removed(key: &str) -> ObjectChange {
    ObjectChange {
        bucket: BUCKET.into(),
        key: key.into(),
        kind: ObjectChangeKind::Removed,
        size: None,
        etag: None,
        event_name: "ObjectRemoved:Delete",
    }
}

#[tokio::test]
async fn every_answer_names_the_same_etag() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let etag = buckets.put(BUCKET, "a/b.csv", "hello").await.unwrap();
    // The MD5 of the content, as S3 has it.
    assert_eq!(etag, "5d41402abc4b2a76b9719d911017c592");
    let head = buckets.head(BUCKET, "a/b.csv").await.unwrap().unwrap();
    let listed = buckets.list(BUCKET, "a/").await.unwrap();
    assert_eq!((head.etag.as_str(), head.size), (etag.as_str(), 5));
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].etag.as_str(), listed[0].size), (etag.as_str(), 5));
    let got = lake
        .raw()
        .get_object()
        .bucket(BUCKET)
        .key("a/b.csv")
        .send()
        .await
        .unwrap();
    assert_eq!(got.e_tag(), Some(format!("\"{etag}\"").as_str()));
    assert_eq!(
        listed[0].last_modified.timestamp(),
        head.last_modified.timestamp()
    );
}

#[tokio::test]
async fn an_overwrite_changes_the_etag_and_the_same_bytes_bring_it_back() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let first = buckets.put(BUCKET, "k", "aaaa").await.unwrap();
    let second = buckets.put(BUCKET, "k", "bbbb").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(buckets.head(BUCKET, "k").await.unwrap().unwrap().etag, second);
    assert_eq!(buckets.list(BUCKET, "").await.unwrap()[0].etag, second);
    assert_eq!(buckets.put(BUCKET, "k", "aaaa").await.unwrap(), first);
    assert_eq!(buckets.list(BUCKET, "").await.unwrap().len(), 1);
}

#[tokio::test]
async fn each_completed_change_is_announced_once_and_before_the_answer() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let (buckets, raw) = (lake.buckets().await, lake.raw());

    let etag = buckets.put(BUCKET, "a", "hello").await.unwrap();
    assert_eq!(lake.heard(), [created("a", 5, &etag, "ObjectCreated:Put")]);

    raw.copy_object()
        .bucket(BUCKET)
        .key("b")
        .copy_source(format!("{BUCKET}/a"))
        .send()
        .await
        .unwrap();
    assert_eq!(lake.heard(), [created("b", 5, &etag, "ObjectCreated:Copy")]);
    assert_eq!(buckets.head(BUCKET, "b").await.unwrap().unwrap().etag, etag);

    buckets.delete(BUCKET, "a").await.unwrap();
    assert_eq!(lake.heard(), [removed("a")]);
    buckets.delete(BUCKET, "a").await.unwrap();
    assert_eq!(lake.heard(), []);

    buckets.put(BUCKET, "c/d", "x").await.unwrap();
    lake.heard();
    buckets
        .delete_all(BUCKET, &["b".into(), "none".into(), "c/d".into()])
        .await
        .unwrap();
    assert_eq!(lake.heard(), [removed("b"), removed("c/d")]);
    assert!(buckets.list(BUCKET, "").await.unwrap().is_empty());

    let refused = raw
        .put_object()
        .bucket(BUCKET)
        .key("x")
        .if_match("\"nothing\"")
        .body(ByteStream::from_static(b"x"));
    assert!(refused.send().await.is_err());
    assert_eq!(lake.heard(), []);
}

#[tokio::test]
async fn ranges_are_exact() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let etag = buckets.put(BUCKET, "k", bytes.clone()).await.unwrap();
    for range in [0..1, 0..300_000, 131_071..131_073, 299_999..300_000, 5..5] {
        let got = buckets
            .get_range(BUCKET, "k", range.clone(), Some(&etag))
            .await
            .unwrap();
        assert_eq!(got, bytes[range.start as usize..range.end as usize]);
    }
    let beyond = buckets
        .get_range(BUCKET, "k", 299_999..300_001, None)
        .await
        .unwrap_err();
    assert_eq!(beyond.kind, ErrorKind::Invalid);
    let past = buckets
        .get_range(BUCKET, "k", 300_000..300_001, None)
        .await
        .unwrap_err();
    assert_eq!(past.kind, ErrorKind::Invalid);
    let suffix = lake
        .raw()
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .range("bytes=-3")
        .send()
        .await
        .unwrap();
    assert_eq!(suffix.content_range(), Some("bytes 299997-299999/300000"));
    assert_eq!(
        suffix.body.collect().await.unwrap().into_bytes(),
        bytes[299_997..]
    );
    let whole: Vec<bytes::Bytes> = buckets
        .get_stream(BUCKET, "k", None)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(whole.concat(), bytes);
}

#[tokio::test]
async fn a_reader_of_one_version_never_gets_another() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let old = buckets.put(BUCKET, "k", "old").await.unwrap();
    buckets.put(BUCKET, "k", "new").await.unwrap();
    let error = buckets
        .get_range(BUCKET, "k", 0..3, Some(&old))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("s3://lake/k"), "{}", error.message);
    let error = buckets.get_range(BUCKET, "none", 0..3, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let error = buckets.list("no-such-bucket", "").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.hint.is_some());
    assert!(buckets.head(BUCKET, "none").await.unwrap().is_none());
}

#[tokio::test]
async fn only_one_of_many_creates_it() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let raw = lake.raw();
    let writers = (0..16).map(|n| {
        let put = raw.put_object().bucket(BUCKET).key("only").if_none_match("*");
        put.body(ByteStream::from(format!("writer {n}").into_bytes()))
            .send()
    });
    let results = futures::future::join_all(writers).await;
    let mut won = 0;
    for result in results {
        match result {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code(), Some("PreconditionFailed")),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(lake.heard().len(), 1);
    let head = raw.head_object().bucket(BUCKET).key("only").send().await.unwrap();
    let unchanged = raw
        .get_object()
        .bucket(BUCKET)
        .key("only")
        .if_none_match(head.e_tag().unwrap())
        .send()
        .await;
    assert_eq!(
        unchanged.unwrap_err().raw_response().unwrap().status().as_u16(),
        304
    );
}

#[tokio::test]
async fn what_the_client_says_of_an_object_comes_back() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let raw = lake.raw();
    raw.put_object()
        .bucket(BUCKET)
        .key("k")
        .content_type("text/csv")
        .cache_control("no-store")
        .metadata("run", "42")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let head = raw
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(head.content_encoding(), None);
    assert_eq!(head.cache_control(), Some("no-store"));
    assert_eq!(head.metadata().unwrap()["run"], "42");
    assert_eq!(
        head.checksum_sha256(),
        Some("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")
    );
    let ours = lake.buckets().await.head(BUCKET, "k").await.unwrap().unwrap();
    assert_eq!(ours.metadata, [("run".to_owned(), "42".to_owned())]);
    assert_eq!(ours.content_type.as_deref(), Some("text/csv"));
}

#[tokio::test]
async fn bytes_that_arrive_wrong_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let put = |key: &'static str| {
        lake.raw()
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from_static(b"hello"))
    };
    let wrong = put("a")
        .content_md5("1B2M2Y8AsgTpgAmY7PhCfg==")
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("BadDigest"));
    let wrong = put("a").checksum_crc32("AAAAAA==").send().await.unwrap_err();
    assert_eq!(wrong.code(), Some("BadDigest"));
    assert!(lake.buckets().await.list(BUCKET, "").await.unwrap().is_empty());
    assert_eq!(lake.heard(), []);
    put("a")
        .content_md5("XUFAKrxLKna5cZ2REBfFkg==")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn buckets_come_and_go() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let (buckets, raw) = (lake.buckets().await, lake.raw());
    buckets.create_bucket("other").await.unwrap();
    assert_eq!(
        buckets.create_bucket("other").await.unwrap_err().kind,
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        buckets.create_bucket("No").await.unwrap_err().kind,
        ErrorKind::Invalid
    );
    assert_eq!(buckets.list_buckets().await.unwrap(), [BUCKET, "other"]);
    buckets.put("other", "deep/down/k", "x").await.unwrap();
    let full = raw.delete_bucket().bucket("other").send().await.unwrap_err();
    assert_eq!(full.code(), Some("BucketNotEmpty"));
    buckets.delete("other", "deep/down/k").await.unwrap();
    std::fs::create_dir_all(root.path().join("other/left/over")).unwrap();
    assert!(buckets.list("other", "").await.unwrap().is_empty());
    raw.delete_bucket().bucket("other").send().await.unwrap();
    assert_eq!(buckets.list_buckets().await.unwrap(), [BUCKET]);
    assert_eq!(
        buckets.put("other", "k", "x").await.unwrap_err().kind,
        ErrorKind::NotFound
    );
}
