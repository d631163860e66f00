//! Requests written by hand, signed or not: what no client library would send.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::TestLake;

/// The digest of no bytes.
pub(super) const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    /// The code of an error.
    pub(super) fn code(&self) -> &str {
        let after = self.body.split_once("<Code>").map_or("", |(_, after)| after);
        after.split_once("</Code>").map_or("", |(code, _)| code)
    }

    /// Status and code.
    pub(super) fn said(&self) -> (u16, &str) {
        (self.status, self.code())
    }

    /// Whether the connection ends with it.
    pub(super) fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("\r\nconnection: close")
    }
}

/// A connection.
pub(super) struct Line(TcpStream);

impl Line {
    pub(super) async fn to(lake: &TestLake) -> Self {
        Self(TcpStream::connect(address(lake)).await.unwrap())
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// One answer; an interim one counts.
    pub(super) async fn answer(&mut self) -> Answer {
        tokio::time::timeout(Duration::from_secs(10), self.read())
            .await
            .expect("no answer came")
    }

    async fn read(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("the connection ended"));
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let length = header("content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            body: String::from_utf8(body).unwrap(),
            head,
        }
    }

    /// Whether the other side ends the connection.
    pub(super) async fn ends(&mut self) -> bool {
        let end = tokio::time::timeout(Duration::from_secs(10), self.0.read_u8());
        end.await.is_ok_and(|read| read.is_err())
    }
}

pub(super) fn address(lake: &TestLake) -> &str {
    lake.url.strip_prefix("http://").unwrap()
}

/// Sends one request on a connection of its own.
pub(super) async fn ask(
    lake: &TestLake,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut line = Line::to(lake).await;
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", address(lake));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
    {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    line.send(&[head.as_bytes(), body].concat()).await;
    line.answer().await
}

/// How a request is signed.
pub(super) struct Signer {
    pub(super) access_key: &'static str,
    pub(super) secret_key: &'static str,
    pub(super) region: &'static str,
    pub(super) service: &'static str,
}

/// The owner of the lake that tests start with `("me", "secret")`.
pub(super) const OWNER: Signer = Signer {
    access_key: "me",
    secret_key: "secret",
    region: "us-east-1",
    service: "s3",
};

impl Signer {
    /// The headers of a signed request: those given, and those of the signature. `path` has nothing to be encoded.
    pub(super) fn headers(
        &self,
        lake: &TestLake,
        (method, path): (&str, &str),
        given: &[(&str, &str)],
        digest: &str,
    ) -> Vec<(String, String)> {
        let now = now();
        let mut headers: Vec<(String, String)> = given
            .iter()
            .map(|(name, value)| (name.to_lowercase(), (*value).to_owned()))
            .collect();
        headers.push(("host".into(), address(lake).into()));
        headers.push(("x-amz-date".into(), now.format("%Y%m%dT%H%M%SZ").to_string()));
        headers.push(("x-amz-content-sha256".into(), digest.into()));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let canonical: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = format!("{method}\n{path}\n{query}\n{canonical}\n{names}\n{digest}");
        let date = now.format("%Y%m%d").to_string();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            now.format("%Y%m%dT%H%M%SZ"),
            hex::encode(Sha256::digest(request))
        );
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for step in [&date, self.region, self.service, "aws4_request", &text] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(step.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        headers.retain(|(name, _)| name != "host");
        headers.push((
            "authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
                self.access_key,
                hex::encode(key)
            ),
        ));
        headers
    }
}

/// The protocol library compares signatures with the machine's clock.
fn now() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now())
}

/// The digest of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Headers as [`ask`] takes them.
pub(super) fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
