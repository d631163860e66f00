//! The accept loop of the endpoint, with a limit on everything that a silent or slow client could hold.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SecretKey;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Lake;
use super::signed::{self, OneKeyPair};
use super::unsigned;
use super::wire::Endpoint;
use crate::error::Result;

/// How long a client may take over the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections are served at a time; others wait to be accepted.
const CONNECTIONS: usize = 1024;
/// How long open requests may take to finish when the endpoint stops.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait before accepting again when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn serve(
    lake: Lake,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let region: Option<Arc<str>> = lake.credentials.is_some().then(|| lake.region.into());
    let mut builder = S3ServiceBuilder::new(Endpoint::new(lake.folder, lake.announce));
    if let Some((access_key, secret_key)) = lake.credentials {
        builder.set_auth(OneKeyPair {
            access_key,
            secret_key: SecretKey::from(secret_key),
        });
    }
    let service = builder.build();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);

    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // Dropped, and its connections with it, when this future is.
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accepted => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the lake couldn't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers would wait for the client's acknowledgement otherwise.
        let _ = stream.set_nodelay(true);
        let (service, region, gate) = (service.clone(), region.clone(), lake.gate.clone());
        let answer = move |request: Request<Incoming>| {
            let (service, region, mut gate) = (service.clone(), region.clone(), gate.clone());
            async move {
                let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
                if let Some(gate) = gate.as_mut().filter(|_| changes) {
                    // Who would open it is gone only when the endpoint stops, too.
                    let _ = gate.wait_for(|is_open| *is_open).await;
                }
                answer(service, request, region).await
            }
        };
        let connection = http.serve_connection(TokioIo::new(stream), service_fn(answer));
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the lake broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests to the lake were cut off because they took too long to finish");
    }
    connections.shutdown().await;
    Ok(())
}

async fn answer(
    service: S3Service,
    request: Request<Incoming>,
    region: Option<Arc<str>>,
) -> Result<Response<Body>, Infallible> {
    let waits_in_vain = request.headers().contains_key(EXPECT) && request.body().is_end_stream();
    let mut response = answered(service, request.map(Body::from), region.as_deref()).await;
    if waits_in_vain {
        // The client waits for leave to send no bytes, and doesn't get it: an answer ends that. Clients built on botocore
        // take the next answer on this connection for the leave that they wait for, and fail; so there is none.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn answered(service: S3Service, request: Request<Body>, region: Option<&str>) -> Response<Body> {
    let admitted = match region {
        Some(region) => signed::check(&request, region).map(|()| request),
        None => unsigned::admit(request),
    };
    let request = match admitted {
        Ok(request) => request,
        Err(error) => return refusal(&error),
    };
    service.call(request).await.unwrap_or_else(|error| {
        tracing::error!(?error, "the lake couldn't answer");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// A refusal from before the protocol library has seen the request.
fn refusal(error: &S3Error) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message></Error>",
        error.code().as_str(),
        error.message().unwrap_or_default()
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = error.status_code().unwrap_or(StatusCode::BAD_REQUEST);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
