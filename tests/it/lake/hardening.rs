//! What the store refuses, and what it must not trip over.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BUCKET, TestLake};

/// Sends one request over a connection of its own, and reads all of the answer.
async fn raw(url: &str, request: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_leave_to_send_nothing_gets_an_answer_and_a_new_connection() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let put =
        "PUT /lake/empty HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n";
    // Read to its end: the server closes the connection.
    let answer = raw(&lake.url, put).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(std::fs::read(root.path().join("lake/empty")).unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_are_well_formed_whatever_the_keys() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    for key in ["a\u{1}", "b\u{1b}/x", "c\u{fffe}", "plain"] {
        lake.buckets().await.put(BUCKET, key, "x").await.unwrap();
    }
    for query in [
        "?list-type=2",
        "?",
        "?list-type=2&delimiter=/",
        "?list-type=2&prefix=a%01",
    ] {
        let get = format!("GET /lake{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let answer = raw(&lake.url, &get).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            answer.contains("<EncodingType>url</EncodingType>") && answer.contains("a%01"),
            "{answer}"
        );
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert!(!body.contains(['\u{1}', '\u{1b}', '\u{fffe}']), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_folder_leads_nowhere() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let lake = TestLake::start(root.path()).await;
    std::os::unix::fs::symlink(outside.path(), root.path().join("lake/link")).unwrap();
    let buckets = lake.buckets().await;
    assert!(
        buckets
            .get_range(BUCKET, "link/secret", 0..6, None)
            .await
            .is_err()
    );
    assert!(buckets.put(BUCKET, "link/new", "x").await.is_err());
    assert!(buckets.put(BUCKET, "link/sub/new", "x").await.is_err());
    let _ = buckets.delete(BUCKET, "link/secret").await;
    assert_eq!(std::fs::read(outside.path().join("secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}
