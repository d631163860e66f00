//! What is watched of a request's bytes on their way in: whether the client was told to send them, and what they are.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use s3s::crypto::{Checksum as _, Sha256};
use s3s::{Body, S3Error, S3Result, s3_error};

use super::checksums::{Announced, Hasher};
use super::xml::well_formed;
use crate::listen::{Arriving, BoxError};

/// What is known of a request's bytes, as far as they came.
#[derive(Clone)]
pub(super) struct Arrival(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// The client waits to be told before it sends its bytes.
    waits: bool,
    /// Bytes came, so it was told.
    came: bool,
    broken: bool,
    /// Of the small bodies that are documents.
    digests: Option<Digests>,
}

/// What a document is, by each measure that a client may give.
struct Digests {
    sha256: Sha256,
    checksums: Hasher,
    announced_sha256: Option<Vec<u8>>,
}

/// Watches the bytes of a request. What was seen is also among the request's extensions.
pub(super) fn watch(request: Request<Arriving>) -> (Request<Body>, Arrival) {
    let (mut head, body) = request.into_parts();
    let is_document = head.method == Method::POST;
    let seen = Seen {
        waits: head.headers.contains_key(EXPECT),
        digests: is_document.then(|| Digests {
            sha256: Sha256::new(),
            checksums: Hasher::of_all(),
            announced_sha256: announced_sha256(&head.headers),
        }),
        ..Seen::default()
    };
    let arrival = Arrival(Arc::new(Mutex::new(seen)));
    head.extensions.insert(arrival.clone());
    let body = Watched {
        body,
        arrival: arrival.clone(),
    };
    (Request::from_parts(head, Body::http_body(body)), arrival)
}

/// The body's digest that the client says it signed, if it is one.
pub(super) fn announced_sha256(headers: &HeaderMap) -> Option<Vec<u8>> {
    let text = headers.get("x-amz-content-sha256")?.to_str().ok()?;
    hex::decode(text).ok().filter(|digest| digest.len() == 32)
}

/// The refusal of bytes that aren't those that were signed.
pub(super) fn other_bytes() -> S3Error {
    let code = s3s::S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
    let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    let mut error = S3Error::with_message(code, text);
    error.set_status_code(StatusCode::BAD_REQUEST);
    error
}

impl Arrival {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Checks a document against what `headers` say of it. All its bytes must have come.
    pub(super) fn check(&self, headers: &HeaderMap) -> S3Result<()> {
        let Some(digests) = self.seen().digests.take() else {
            return Ok(());
        };
        if digests
            .announced_sha256
            .is_some_and(|announced| announced != digests.sha256.finalize())
        {
            return Err(other_bytes());
        }
        Announced::in_headers(headers)?.check(&digests.checksums.finish())
    }

    /// What a failure of the protocol library was, where it was the bytes' fault.
    fn fault(&self) -> Option<S3Error> {
        let mut seen = self.seen();
        if seen.broken {
            return Some(s3_error!(IncompleteBody));
        }
        let digests = seen.digests.take()?;
        let announced = digests.announced_sha256?;
        (announced != digests.sha256.finalize()).then(other_bytes)
    }

    /// Puts the last hand to the answer of a request.
    ///
    /// A client that waited to be told and wasn't can't say on the same connection what comes next: some send the bytes
    /// after all, and some count on an interim answer that never comes, even where there are no bytes. So the
    /// connection ends with the answer.
    pub(super) fn finish(&self, mut response: Response<Body>) -> Response<Body> {
        if response.status() == StatusCode::INTERNAL_SERVER_ERROR
            && let Some(fault) = self.fault()
        {
            response = refusal(fault);
        }
        response = well_formed(response);
        let seen = self.seen();
        if seen.waits && !seen.came {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}

/// An error as S3 writes it.
pub(super) fn refusal(error: S3Error) -> Response<Body> {
    let mut response = error.to_http_response().unwrap_or_else(|error| {
        tracing::error!(?error, "the lake couldn't word a refusal");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    response
        .headers_mut()
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/xml"));
    response
}

/// A body that says what it sees.
struct Watched {
    body: Arriving,
    arrival: Arrival,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let mut seen = self.arrival.seen();
        match &frame {
            Some(Ok(frame)) => {
                seen.came = true;
                if let (Some(digests), Some(bytes)) = (&mut seen.digests, frame.data_ref()) {
                    digests.sha256.update(bytes);
                    digests.checksums.update(bytes);
                }
            }
            Some(Err(_)) => seen.broken = true,
            None => {}
        }
        drop(seen);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
