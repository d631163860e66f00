//! The endpoint: what is demanded of a request before the protocol library sees it.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceBuilder;

use super::Lake;
use super::arrival::{refusal, watch};
use super::roles::Callers;
use super::wire::Endpoint;
use super::{signed, unsigned};
use crate::browser::{self, Pages};
use crate::error::Result;
use crate::listen::{self, Arriving};
use crate::stack::{self, Wire};

pub(super) async fn serve(
    lake: Lake,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let sweeper = lake.sweeper();
    let clock = Arc::clone(&lake.folder.clock);
    let rules = Rules {
        verify: lake.authenticator.unsigned().is_none(),
        region: lake.region.map(Arc::from),
    };
    let mut builder = S3ServiceBuilder::new(Endpoint::new(lake.folder, lake.announce));
    let callers = Callers(lake.authenticator);
    // Whoever needs no key is asked for none, and has a role all the same.
    builder.set_auth(callers.clone());
    builder.set_access(callers);
    let service = builder.build();
    // Nobody has to prove anything to a lake without keys, and an object of it may itself be a page.
    let pages = match rules.verify {
        true => Pages::Any,
        false => Pages::None,
    };
    let gate = lake.gate;
    let answer = move |request: Request<Arriving>| {
        let (service, rules, mut gate) = (service.clone(), rules.clone(), gate.clone());
        async move {
            if let Some(gate) = gate.as_mut().filter(|_| browser::changes(&request)) {
                // Who would open it is gone only when the endpoint stops, too.
                let _ = gate.wait_for(|is_open| *is_open).await;
            }
            Ok::<_, Infallible>(answer(service, request, rules).await)
        }
    };
    let stack = ServiceBuilder::new()
        .layer(stack::known(clock, Wire::on_second))
        .layer(stack::guarded(pages, |_: &Request<Arriving>| refused_page()))
        .service_fn(answer);
    // Ends when this future does.
    let mut sweeping = JoinSet::new();
    sweeping.spawn(sweeper.run());
    listen::serve("the store", listener, stack, shutdown).await;
    Ok(())
}

/// The refusal of what a page made a browser send. It may have more to send, which nobody reads: the connection ends.
fn refused_page() -> Response<Body> {
    let mut response = refusal(s3_error!(
        AccessDenied,
        "a lake without credentials answers programs on this machine, not web pages; set an access key"
    ));
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// What is demanded of every request.
#[derive(Clone)]
struct Rules {
    /// That it is signed.
    verify: bool,
    /// That it is signed for this region.
    region: Option<Arc<str>>,
}

async fn answer(service: S3Service, request: Request<Arriving>, rules: Rules) -> Response<Body> {
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
    arrival.finish(response)
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
