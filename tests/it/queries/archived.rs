//! What its store keeps in an archive is left out of an answer, and named.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mastic::etl::query;

use crate::harness::TestApp;

/// A front before the lake that gives no object whose key has `old` in it, once it is told to: as S3 does with what was
/// moved to an archive class.
fn archiving(lake: &str) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lake = lake.trim_start_matches("http://").to_owned();
    let archived = Arc::new(AtomicBool::new(false));
    let is_archived = Arc::clone(&archived);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (lake, archived) = (lake.clone(), is_archived.load(Ordering::SeqCst));
            std::thread::spawn(move || pass(stream, &lake, archived));
        }
    });
    (url, archived)
}

/// One request, and its answer.
fn pass(mut client: TcpStream, lake: &str, archived: bool) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    if archived && line.starts_with("GET /lake/") && line.contains("old") {
        let body = "<Error><Code>InvalidObjectState</Code><Message>The operation is not valid for the object's storage \
            class</Message></Error>";
        let head = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\nconnection: close";
        write!(client, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        return;
    }
    let mut server = TcpStream::connect(lake).unwrap();
    write!(server, "{line}connection: close\r\n").unwrap();
    let mut back = server.try_clone().unwrap();
    let answering = std::thread::spawn(move || {
        let mut answer = Vec::new();
        back.read_to_end(&mut answer).unwrap();
        client.write_all(&answer).unwrap();
        client.shutdown(std::net::Shutdown::Both).unwrap();
    });
    // It ends when the client has its answer.
    let _ended = std::io::copy(&mut reader, &mut server);
    answering.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_an_archive_is_left_out_and_named() {
    let test = TestApp::start().await;
    for (key, text) in [
        ("t/old.csv", "id,n\n1,10\n"),
        ("t/new.csv", "id,n\n2,20\n3,30\n"),
        ("j/old.json", "{\"id\": 1}\n"),
        ("j/new.json", "{\"id\": 2}\n"),
    ] {
        test.put("lake", key, text.as_bytes()).await;
    }
    test.crawl("s3://lake/", "d", false).await;
    let (url, archived) = archiving(&test.lake_url());
    let app = test.with_store(url).await;
    let sum = async |table: &str| query::run(&app, &format!("SELECT sum(id) AS n FROM d.{table}"), 10).await;
    let before = sum("t").await.unwrap();
    assert!(before.remarks.is_empty(), "{:?}", before.remarks);
    assert_eq!(serde_json::to_string(&before.rows).unwrap(), "[[6]]");

    archived.store(true, Ordering::SeqCst);
    for (table, rows, key) in [("t", "[[5]]", "t/old.csv"), ("j", "[[2]]", "j/old.json")] {
        let answer = sum(table).await.unwrap();
        assert_eq!(serde_json::to_string(&answer.rows).unwrap(), rows);
        let wanted = format!(
            "d.{table}: 1 file is left out: s3://lake/{key}: it is in an archive class of its store, which gives nobody its \
             bytes"
        );
        assert_eq!(answer.remarks, [wanted]);
    }
}
