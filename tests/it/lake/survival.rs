//! Restarts, keys and signatures, and clients that break off.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use mastic::buckets::Completed;
use mastic::error::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{BUCKET, TestLake, files_below};

#[tokio::test]
async fn a_restart_keeps_everything() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    buckets.put(BUCKET, "a/b", "hello").await.unwrap();
    let id = buckets
        .create_upload(BUCKET, "big", "text/csv", &[("run", "1")])
        .await
        .unwrap();
    let part = buckets.upload_part(BUCKET, "big", &id, 1, "part").await.unwrap();
    let done_id = buckets
        .create_upload(BUCKET, "done", "text/csv", &[])
        .await
        .unwrap();
    let done_part = buckets
        .upload_part(BUCKET, "done", &done_id, 1, "part")
        .await
        .unwrap();
    buckets
        .complete_upload(BUCKET, "done", &done_id, &[done_part])
        .await
        .unwrap();
    let before = buckets.list(BUCKET, "").await.unwrap();
    lake.stop().await;

    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    assert_eq!(buckets.list(BUCKET, "").await.unwrap(), before);
    assert_eq!(
        buckets.head(BUCKET, "a/b").await.unwrap().unwrap().etag,
        before[0].etag
    );
    let done = buckets
        .complete_upload(BUCKET, "big", &id, &[part])
        .await
        .unwrap();
    assert!(matches!(done, Completed::Done { .. }));
    assert_eq!(
        buckets.head(BUCKET, "big").await.unwrap().unwrap().metadata.len(),
        1
    );
}

#[tokio::test]
async fn a_client_that_breaks_off_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let etag = buckets.put(BUCKET, "k", "whole").await.unwrap();
    lake.heard();
    let address = lake.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!("PUT /{BUCKET}/k HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; 70_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer))
        .await
        .unwrap();
    drop(stream);
    assert_eq!(
        buckets.get_range(BUCKET, "k", 0..5, Some(&etag)).await.unwrap(),
        "whole"
    );
    assert_eq!(lake.heard(), []);
    lake.stop().await;
    assert_eq!(files_below(&root.path().join(".mastic/tmp")), [""; 0]);
}

#[tokio::test]
async fn readers_see_one_version_while_writers_replace_it() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let content = |n: u8| vec![b'a' + n % 26; 100_000];
    buckets.put(BUCKET, "k", content(0)).await.unwrap();
    let writer = async {
        for n in 1..40 {
            buckets.put(BUCKET, "k", content(n)).await.unwrap();
        }
    };
    let reader = async {
        let raw = lake.raw();
        for _ in 0..80 {
            // The SDK compares the bytes with the checksum that came with them.
            let got = raw.get_object().bucket(BUCKET).key("k").send().await.unwrap();
            let etag = got.e_tag().unwrap().to_owned();
            assert!(!etag.contains('-'), "the record is there: {etag}");
            let bytes = got.body.collect().await.unwrap().into_bytes();
            assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
        }
    };
    futures::join!(writer, reader);
    assert_eq!(files_below(&root.path().join(".mastic/meta")).len(), 1);
}

#[tokio::test]
async fn with_keys_only_their_owner_is_let_in() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start_with(root.path(), Some(("me", "secret"))).await;
    let me = lake.buckets_as("me", "secret").await;
    me.put(BUCKET, "k", "x").await.unwrap();
    // As the SDK sends it by default: in signed chunks, its checksum behind them.
    let put = lake.raw_as("me", "secret").put_object().bucket(BUCKET).key("k2");
    put.body(ByteStream::from_static(b"hello")).send().await.unwrap();
    for (key, secret) in [("me", "guess"), ("you", "secret")] {
        let error = lake
            .buckets_as(key, secret)
            .await
            .put(BUCKET, "k", "y")
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
    }
    let address = lake.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!("GET /{BUCKET}/k HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn without_keys_every_signature_will_do_but_no_web_page() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let raw = lake.raw_as("whoever", "whatever");
    raw.put_object()
        .bucket(BUCKET)
        .key("k")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let presigned = raw
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(PresigningConfig::expires_in(Duration::from_secs(60)).unwrap())
        .await
        .unwrap();
    let path = presigned.uri().strip_prefix(&lake.url).unwrap().to_owned();
    let address = lake.url.strip_prefix("http://").unwrap().to_owned();
    let ask = async |head: String| {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = ask(format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    ))
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"),
        "{answer}"
    );
    for head in [
        format!(
            "DELETE /{BUCKET}/k HTTP/1.1\r\nHost: {address}\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n"
        ),
        format!("DELETE /{BUCKET}/k HTTP/1.1\r\nHost: evil.example:9000\r\nConnection: close\r\n\r\n"),
        format!(
            "DELETE /{BUCKET}/k HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n"
        ),
        // A page that is itself an object of the lake.
        format!(
            "DELETE /{BUCKET}/k HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\r\n"
        ),
    ] {
        assert!(ask(head).await.starts_with("HTTP/1.1 403"));
    }
    assert!(lake.buckets().await.head(BUCKET, "k").await.unwrap().is_some());
}

#[tokio::test]
async fn a_folder_has_one_owner() {
    let root = tempfile::tempdir().unwrap();
    let _lake = TestLake::start(root.path()).await;
    let path = root.path().to_owned();
    let second = tokio::task::spawn_blocking(move || {
        mastic::lake::Lake::new(
            path,
            std::sync::Arc::new(mastic::access::OneKey::new(None)),
            std::sync::Arc::new(|_| Box::pin(async {})),
        )
    });
    assert_eq!(second.await.unwrap().unwrap_err().kind, ErrorKind::Conflict);
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let access = mastic::buckets::Access::Endpoint {
        url,
        access_key: "a".into(),
        secret_key: "b".into(),
        region: "us-east-1".into(),
        folder: None,
    };
    let buckets = mastic::buckets::Buckets::new(&access).await.unwrap();
    let error = buckets.list("lake", "raw/").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(
        error.message.contains("s3://lake/raw/") && error.message.contains("refused"),
        "{}",
        error.message
    );
}
