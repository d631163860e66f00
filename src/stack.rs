//! What every request goes through on its way to its wire, and every answer on its way back, whichever wire it is: an id,
//! a span for what is logged meanwhile, a line in the access log, and the question whose page sent it.
//!
//! The access log has the target `mastic::access` and the level `debug`, so that it is silent until somebody asks for it:
//! `MASTIC_LOG=info,mastic::access=debug`. Of a request's address it has the path alone: a query may hold a signature.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, Either, Ready, ready};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use tower::layer::layer_fn;
use tower::{Layer, Service};
use tower_http::compression::predicate::{NotForContentType, Predicate};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tracing::{Instrument, Span};

use crate::browser::{self, Pages};
use crate::clock::Clock;

/// Shorter answers aren't worth compressing, in bytes.
const MIN_COMPRESSED: u64 = 1024;

tokio::task_local! {
    /// The id of the request that is being answered.
    static REQUEST_ID: Arc<str>;
}

/// The id of the request that is being answered: the name by which the log knows it. Nothing where none is.
pub(crate) fn request_id() -> String {
    REQUEST_ID.try_with(|id| id.to_string()).unwrap_or_default()
}

/// Who answers a request. It is among the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// AWS's services but the store.
    Aws,
    /// The REST API.
    Rest,
    /// The pages, and what operators ask.
    Web,
    /// The embedded store.
    Lake,
}

impl Wire {
    /// Who answers on the first listener.
    pub(crate) fn on_first(method: &Method, path: &str) -> Self {
        match path {
            "/" if !matches!(*method, Method::GET | Method::HEAD) => Self::Aws,
            path if path.starts_with("/api/") => Self::Rest,
            _ => Self::Web,
        }
    }

    /// Who answers on the second.
    pub(crate) fn on_second(_: &Method, _: &str) -> Self {
        Self::Lake
    }

    fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Rest => "rest",
            Self::Web => "web",
            Self::Lake => "lake",
        }
    }

    /// The header that tells a client the id.
    fn id_header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Aws => "x-amzn-requestid",
            Self::Lake => "x-amz-request-id",
            Self::Rest | Self::Web => "x-request-id",
        })
    }
}

/// Gives each request an id of `clock`'s, and logs what becomes of it. Ids that clients send are theirs.
pub(crate) fn known<S>(
    clock: Arc<dyn Clock>,
    wire: fn(&Method, &str) -> Wire,
) -> impl Layer<S, Service = Known<S>> + Clone {
    layer_fn(move |inner| Known {
        inner,
        clock: Arc::clone(&clock),
        wire,
    })
}

/// See [`known`].
#[derive(Clone)]
pub(crate) struct Known<S> {
    inner: S,
    clock: Arc<dyn Clock>,
    wire: fn(&Method, &str) -> Wire,
}

impl<S, A, B> Service<Request<A>> for Known<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: 'static,
{
    type Response = Response<Answering<B>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let id: Arc<str> = self.clock.new_id().into();
        let path = request.uri().path();
        let wire = (self.wire)(request.method(), path);
        let span = tracing::info_span!("request", %id, wire = wire.name(), method = %request.method(), path);
        request.extensions_mut().insert(wire);
        let (clock, began) = (Arc::clone(&self.clock), self.clock.now());
        let answering = span.in_scope(|| REQUEST_ID.sync_scope(Arc::clone(&id), || self.inner.call(request)));
        let answering = REQUEST_ID
            .scope(Arc::clone(&id), answering)
            .instrument(span.clone());
        Box::pin(async move {
            let mut answer = answering.await?;
            if let Ok(value) = HeaderValue::from_str(&id) {
                answer.headers_mut().insert(wire.id_header(), value);
            }
            let status = answer.status().as_u16();
            Ok(answer.map(|body| Answering {
                body: Box::pin(body),
                id,
                account: Account {
                    span,
                    clock,
                    began,
                    status,
                    bytes: 0,
                },
            }))
        })
    }
}

/// An answer's body, which is made under its request's id.
pub(crate) struct Answering<B> {
    body: Pin<Box<B>>,
    id: Arc<str>,
    account: Account,
}

impl<B: Body<Data = Bytes>> Body for Answering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Self { body, id, account } = &mut *self;
        let polled = account
            .span
            .in_scope(|| REQUEST_ID.sync_scope(Arc::clone(id), || body.as_mut().poll_frame(context)));
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            account.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What the access log says of an answer, when it has gone or was broken off.
struct Account {
    span: Span,
    clock: Arc<dyn Clock>,
    began: DateTime<Utc>,
    status: u16,
    /// Of the body, as far as it went.
    bytes: u64,
}

impl Drop for Account {
    fn drop(&mut self) {
        let (status, bytes) = (self.status, self.bytes);
        let ms = (self.clock.now() - self.began).num_milliseconds();
        tracing::debug!(target: "mastic::access", parent: &self.span, status, bytes, ms, "answered");
    }
}

/// Refuses what pages send that may not, in the words of `refuse`.
pub(crate) fn guarded<S, R: Clone>(
    pages: Pages,
    refuse: R,
) -> impl Layer<S, Service = Guarded<S, R>> + Clone {
    layer_fn(move |inner| Guarded {
        inner,
        pages,
        refuse: refuse.clone(),
    })
}

/// See [`guarded`].
#[derive(Clone)]
pub(crate) struct Guarded<S, R> {
    inner: S,
    pages: Pages,
    refuse: R,
}

impl<S, A, R> Service<Request<A>> for Guarded<S, R>
where
    S: Service<Request<A>>,
    R: Fn(&Request<A>) -> S::Response,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<S::Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        if browser::may_send(self.pages, &request) {
            Either::Right(self.inner.call(request))
        } else {
            Either::Left(ready(Ok((self.refuse)(&request))))
        }
    }
}

/// Compresses answers that are worth it, where the client takes that. What is sent piece by piece keeps its pieces, and
/// pictures and fonts are compressed already.
pub(crate) fn compressed() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(
            KnownLength
                .and(NotForContentType::IMAGES)
                .and(NotForContentType::const_new("font/")),
        )
}

/// Answers whose length is known, and not small.
#[derive(Clone, Copy)]
struct KnownLength;

impl Predicate for KnownLength {
    fn should_compress<B: Body>(&self, answer: &Response<B>) -> bool {
        let length = answer.body().size_hint().exact();
        length.is_some_and(|length| length >= MIN_COMPRESSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_is_told_by_method_and_path() {
        for (method, path, wire) in [
            (Method::POST, "/", Wire::Aws),
            (Method::PUT, "/", Wire::Aws),
            (Method::GET, "/", Wire::Web),
            (Method::GET, "/api/v1/runs", Wire::Rest),
            (Method::GET, "/healthz", Wire::Web),
            (Method::GET, "/databases/raw", Wire::Web),
        ] {
            assert_eq!(Wire::on_first(&method, path), wire, "{method} {path}");
        }
    }
}
