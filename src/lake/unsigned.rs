//! A lake without credentials takes every signature, and none. The protocol library knows "verified" and "anonymous"
//! only, so a signed request is made an anonymous one here: the signature goes, and the framing that signing clients
//! put around their bytes (`aws-chunked`) with it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures::Stream;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Uri};
use s3s::dto::StreamingBlob;
use s3s::{Body, S3Result, s3_error};

use super::roles::SignedAs;
use super::signed::parameter;

/// The longest line before a chunk, and the most that may follow the last one, in bytes.
const LONGEST_LINE: usize = 1024;
const LONGEST_TRAILERS: usize = 16 * 1024;

/// The headers that came after the bytes, once they have come.
#[derive(Clone, Default)]
pub(super) struct Trailers(Arc<Mutex<Option<HeaderMap>>>);

impl Trailers {
    pub(super) fn take(&self) -> Option<HeaderMap> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take()
    }

    fn set(&self, headers: HeaderMap) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(headers);
    }
}

/// Among the extensions of a request whose bytes nobody has compared with their digest.
#[derive(Clone, Copy)]
pub(super) struct Unverified;

/// Takes the signature off a request, and the framing off its body.
pub(super) fn admit(request: Request<Body>) -> S3Result<Request<Body>> {
    let (mut head, body) = request.into_parts();
    if let Some(access_key) = access_key(&head) {
        head.extensions.insert(SignedAs(access_key));
    }
    head.headers.remove(AUTHORIZATION);
    head.uri = without_signature(&head.uri);
    head.extensions.insert(Unverified);
    let framed = head
        .headers
        .get("x-amz-content-sha256")
        .is_some_and(|value| value.as_bytes().starts_with(b"STREAMING-"));
    if !framed {
        return Ok(Request::from_parts(head, body));
    }
    let length = head
        .headers
        .get("x-amz-decoded-content-length")
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .ok_or_else(|| s3_error!(MissingContentLength, "x-amz-decoded-content-length is missing"))?;
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let unsigned = HeaderValue::from_static("UNSIGNED-PAYLOAD");
    head.headers
        .insert(HeaderName::from_static("x-amz-content-sha256"), unsigned);
    if head
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value == "aws-chunked")
    {
        head.headers.remove(CONTENT_ENCODING);
    }
    let trailers = Trailers::default();
    head.extensions.insert(trailers.clone());
    let body = Body::from(StreamingBlob::wrap(Unframed::new(body, length, trailers)));
    Ok(Request::from_parts(head, body))
}

/// The access key that a request was signed with, in its header or its query.
fn access_key(head: &Parts) -> Option<String> {
    let header = head
        .headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok());
    let header = header.and_then(|header| header.split_once("Credential=").map(|(_, rest)| rest.to_owned()));
    let credential = header.or_else(|| parameter(head.uri.query()?, "X-Amz-Credential"))?;
    credential.split('/').next().map(str::to_owned)
}

/// The query without the parameters of a presigned URL.
fn without_signature(uri: &Uri) -> Uri {
    const SIGNATURE: [&str; 10] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "AWSAccessKeyId",
        "Signature",
        "Expires",
    ];
    let Some(query) = uri.query() else {
        return uri.clone();
    };
    let name_of = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    if !query
        .split('&')
        .any(|pair| matches!(&*name_of(pair), "X-Amz-Signature" | "Signature"))
    {
        return uri.clone();
    }
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !SIGNATURE.contains(&&*name_of(pair)))
        .collect();
    let text = if kept.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), kept.join("&"))
    };
    text.parse().unwrap_or_else(|_| uri.clone())
}

/// Why a framed body can't be taken.
#[derive(Debug)]
enum Misframed {
    Malformed,
    BrokenOff,
    OtherLength,
    Underlying(s3s::StdError),
}

impl std::fmt::Display for Misframed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => f.write_str("the aws-chunked body is malformed"),
            Self::BrokenOff => f.write_str("the aws-chunked body broke off"),
            Self::OtherLength => f.write_str("the aws-chunked body hasn't the length that was announced"),
            Self::Underlying(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Misframed {}

/// What comes next in a framed body.
enum Expect {
    /// `SIZE[;chunk-signature=…]`, the size in hexadecimal.
    Size,
    /// This many bytes of the object.
    Data(u64),
    /// The end of the line after them.
    DataEnd,
    /// Headers, to the end.
    Trailers,
    Nothing,
}

/// The bytes in an `aws-chunked` body.
struct Unframed {
    body: Body,
    buffer: BytesMut,
    expect: Expect,
    /// Bytes of the object that are still to come.
    remaining: u64,
    trailers: Trailers,
}

impl Unframed {
    fn new(body: Body, length: u64, trailers: Trailers) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            expect: Expect::Size,
            remaining: length,
            trailers,
        }
    }

    /// Goes on with what is in the buffer: some bytes of the object, or `None` if more must arrive first.
    fn step(&mut self) -> Result<Option<Bytes>, Misframed> {
        loop {
            match self.expect {
                Expect::Size => {
                    let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") else {
                        let too_long = self.buffer.len() > LONGEST_LINE;
                        return if too_long {
                            Err(Misframed::Malformed)
                        } else {
                            Ok(None)
                        };
                    };
                    let line = self.buffer.split_to(end);
                    self.buffer.advance(2);
                    self.expect = match size_of(&line).ok_or(Misframed::Malformed)? {
                        0 if self.remaining > 0 => return Err(Misframed::OtherLength),
                        0 => Expect::Trailers,
                        size if size > self.remaining => return Err(Misframed::OtherLength),
                        size => Expect::Data(size),
                    };
                }
                Expect::Data(_) if self.buffer.is_empty() => return Ok(None),
                Expect::Data(left) => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    let bytes = self.buffer.split_to(take).freeze();
                    let left = left - take as u64;
                    self.remaining -= take as u64;
                    self.expect = if left == 0 {
                        Expect::DataEnd
                    } else {
                        Expect::Data(left)
                    };
                    return Ok(Some(bytes));
                }
                Expect::DataEnd if self.buffer.len() < 2 => return Ok(None),
                Expect::DataEnd => {
                    if self.buffer.split_to(2) != b"\r\n"[..] {
                        return Err(Misframed::Malformed);
                    }
                    self.expect = Expect::Size;
                }
                Expect::Trailers if self.buffer.len() > LONGEST_TRAILERS => return Err(Misframed::Malformed),
                Expect::Trailers | Expect::Nothing => return Ok(None),
            }
        }
    }

    fn end(&mut self) -> Result<(), Misframed> {
        match std::mem::replace(&mut self.expect, Expect::Nothing) {
            Expect::Trailers => {
                self.trailers.set(parse_trailers(&self.buffer));
                Ok(())
            }
            Expect::Nothing => Ok(()),
            _ => Err(Misframed::BrokenOff),
        }
    }
}

impl Stream for Unframed {
    type Item = Result<Bytes, Misframed>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(bytes) = self.step()? {
                return Poll::Ready(Some(Ok(bytes)));
            }
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(error)) => return Poll::Ready(Some(Err(Misframed::Underlying(error)))),
                None => return Poll::Ready(self.end().err().map(Err)),
            }
        }
    }
}

fn size_of(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), 16).ok()
}

fn parse_trailers(text: &[u8]) -> HeaderMap {
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((
                name.trim().parse::<HeaderName>().ok()?,
                value.trim().parse().ok()?,
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, TryStreamExt};

    use super::*;

    async fn unframed(
        text: &'static str,
        length: u64,
        pieces: usize,
    ) -> Result<(String, Option<HeaderMap>), Misframed> {
        let pieces: Vec<Result<Bytes, std::io::Error>> = text
            .as_bytes()
            .chunks(pieces)
            .map(|piece| Ok(Bytes::from_static(piece)))
            .collect();
        let body = Body::from(StreamingBlob::wrap(futures::stream::iter(pieces)));
        let trailers = Trailers::default();
        let bytes: Vec<Bytes> = Unframed::new(body, length, trailers.clone())
            .boxed()
            .try_collect()
            .await?;
        Ok((
            String::from_utf8_lossy(&bytes.concat()).into_owned(),
            trailers.take(),
        ))
    }

    #[tokio::test]
    async fn the_framing_goes_however_it_arrives() {
        let text = "5;chunk-signature=abc\r\nhello\r\n3\r\n\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        for pieces in 1..text.len() {
            let (bytes, trailers) = unframed(text, 8, pieces).await.unwrap();
            assert_eq!(bytes, "hello\r\n!");
            assert_eq!(trailers.unwrap()["x-amz-checksum-crc32"], "AAAA");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_cut_short_is_an_error() {
        let text = "5\r\nhello\r\n0\r\n\r\n";
        for end in 1..text.len() - 4 {
            assert!(unframed(&text[..end], 5, 64).await.is_err(), "{:?}", &text[..end]);
        }
        assert!(unframed(text, 6, 64).await.is_err());
        assert!(unframed(text, 4, 64).await.is_err());
        assert!(unframed("zz\r\n", 4, 64).await.is_err());
    }

    #[test]
    fn a_presigned_url_loses_its_signature() {
        let uri: Uri = "/b/k?versionId=1&X-Amz-Signature=a&X-Amz-Date=b&x-id=GetObject"
            .parse()
            .unwrap();
        assert_eq!(without_signature(&uri), "/b/k?versionId=1&x-id=GetObject");
        let plain: Uri = "/b?prefix=Expires&list-type=2".parse().unwrap();
        assert_eq!(without_signature(&plain), plain);
    }
}
