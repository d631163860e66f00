//! Clients that hold a connection and say nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::harness::process::ServeProcess;
use crate::harness::skipped;

/// More than a server of 1,024 files can hold.
const SILENT: usize = 1_100;
/// How long a silent client keeps its connection at the most.
const GONE_AFTER: Duration = Duration::from_secs(12);

/// Lets this process have as many connections as it needs; false where it may not.
fn may_open(files: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let wanted = Rlimit {
        current: Some(files.max(limit.current.unwrap_or(u64::MAX))),
        maximum: limit.maximum,
    };
    hard >= files && setrlimit(Resource::Nofile, wanted).is_ok()
}

/// Opens a connection and says half of something.
fn silent(address: &str, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let said: &[u8] = match number % 5 {
        0 => b"",
        1 => b"PRI * HTTP/2.0\r\n\r\nSM",
        2 => b"PRI * HTTP/2",
        3 => b"GET /healthz HTTP/1.1\r\nhost: local",
        _ => b"PUT /lake/half.csv HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\nn\n1\n",
    };
    // A full server may have closed it already.
    let _ = stream.write_all(said);
    stream
}

fn is_closed(stream: &mut TcpStream, deadline: Instant) -> bool {
    let mut bytes = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        stream
            .set_read_timeout(Some(left.max(Duration::from_millis(1))))
            .unwrap();
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            // What it says before it hangs up.
            Ok(_) => {}
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

#[test]
fn more_silent_connections_than_a_server_has_files_keep_nobody_out_and_are_closed() {
    if !may_open(4_096) {
        return skipped("this process may not open 4,096 files");
    }
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/mastic.db", folder.path().display());
    let server = ServeProcess::start_with_files(folder.path(), &database, 1_024);
    let api = server.url.trim_start_matches("http://").to_owned();
    let lake = server.lake.trim_start_matches("http://").to_owned();
    let mut held: Vec<TcpStream> = (0..SILENT)
        .map(|number| silent([&api, &lake][number % 2], number / 2))
        .collect();
    let opened = Instant::now();
    let health = server.get_text("/healthz");
    assert_eq!(health, "ok");
    let put = ureq::put(format!("{}/lake/a.csv", server.lake))
        .send("n\n1\n")
        .unwrap();
    assert_eq!(put.status(), 200);
    let answer = ureq::post(format!("{}/api/v1/sql", server.url))
        .header("content-type", "application/json")
        .send(json!({ "query": "SELECT 1 AS one" }).to_string())
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(answer.contains("[[1]]"), "{answer}");
    assert!(
        opened.elapsed() < GONE_AFTER,
        "they waited for the silent ones to go"
    );
    let deadline = opened + GONE_AFTER;
    let still_there = held
        .iter_mut()
        .filter_map(|stream| (!is_closed(stream, deadline)).then_some(()))
        .count();
    assert_eq!(still_there, 0, "of {SILENT} silent connections");
    // And half an upload is no object.
    let half = ureq::get(format!("{}/lake/half.csv", server.lake)).call();
    assert!(matches!(half, Err(ureq::Error::StatusCode(404))));
    server.stop();
}
