//! The accept loop of the endpoint, with a limit on everything that a silent or slow client could hold.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Lake;
use super::arrival::{refusal, watch};
use super::signed::OneKey;
use super::wire::Endpoint;
use super::{signed, unsigned};
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
    let sweeper = lake.sweeper();
    let rules = Rules {
        verify: lake.credentials.is_some(),
        region: lake.region.map(Arc::from),
    };
    let mut builder = S3ServiceBuilder::new(Endpoint::new(lake.folder, lake.announce));
    if let Some((access_key, secret_key)) = lake.credentials {
        builder.set_auth(OneKey {
            access_key,
            secret_key: secret_key.into(),
        });
    }
    let service = builder.build();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);

    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // Dropped, and its connections with it, when this future is.
    let mut connections = JoinSet::new();
    let mut sweeping = JoinSet::new();
    sweeping.spawn(sweeper.run());
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
        let (service, rules, gate) = (service.clone(), rules.clone(), lake.gate.clone());
        let answer = move |request: Request<Incoming>| {
            let (service, rules, mut gate) = (service.clone(), rules.clone(), gate.clone());
            async move {
                let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
                if let Some(gate) = gate.as_mut().filter(|_| changes) {
                    // Who would open it is gone only when the endpoint stops, too.
                    let _ = gate.wait_for(|is_open| *is_open).await;
                }
                answer(service, request, rules).await
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

/// What is demanded of every request.
#[derive(Clone)]
struct Rules {
    /// That it is signed.
    verify: bool,
    /// That it is signed for this region.
    region: Option<Arc<str>>,
}

async fn answer(
    service: S3Service,
    request: Request<Incoming>,
    rules: Rules,
) -> Result<Response<Body>, Infallible> {
    let (request, arrival) = watch(request);
    let response = match admit(request, &rules) {
        Err(error) => refusal(error),
        Ok(request) => service.call(request).await.unwrap_or_else(|error| {
            tracing::error!(?error, "the lake couldn't answer");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }),
    };
    Ok(arrival.finish(response))
}

/// What is looked at before the protocol library sees the request.
fn admit(request: Request<Body>, rules: &Rules) -> S3Result<Request<Body>> {
    let (head, body) = request.into_parts();
    if is_form(&head) {
        // A form in any web page can send these.
        return Err(s3_error!(
            NotImplemented,
            "uploads from HTML forms are not supported"
        ));
    }
    if rules.verify {
        signed::admit(&head, rules.region.as_deref())?;
        return Ok(Request::from_parts(head, body));
    }
    signed::check_digest(&head)?;
    unsigned::admit(Request::from_parts(head, body))
}

fn is_form(head: &Parts) -> bool {
    const FORM: &[u8] = b"multipart/form-data";
    let kind = head
        .headers
        .get(CONTENT_TYPE)
        .map(|kind| kind.as_bytes().trim_ascii_start());
    head.method == Method::POST
        && kind
            .and_then(|kind| kind.get(..FORM.len()))
            .is_some_and(|kind| kind.eq_ignore_ascii_case(FORM))
}
