//! How connections are taken, by the API and by the store alike: one loop, with a limit on everything that a silent or slow
//! client could hold.
//!
//! A connection has a seat. Where all are taken, whoever comes next gets the seat that has been quiet for the longest: one
//! on which no request is being answered. Only where every connection is at work does a newcomer wait.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustix::process::{Resource, getrlimit};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{self, AbortHandle, JoinSet};
use tokio::time::{Sleep, sleep};
use tower::{Service, ServiceExt};

/// Why a body broke off.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long a client may be silent over the head of a request, and between two pieces of its body.
const SILENCE: Duration = Duration::from_secs(9);
/// How many connections a listener has at the most.
const SEATS: usize = 1024;
/// How many a listener has at the least, however few files the process may have open.
const FEWEST_SEATS: usize = 16;
/// Files that the process needs for other things: the database, children, our own requests.
const OTHER_FILES: u64 = 256;
/// How many listeners a process has.
const LISTENERS: u64 = 2;
/// How long to wait before accepting again when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long requests that are under way may take when the process stops.
pub(crate) const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// A request's body as it arrives; an error where the client falls silent in the middle of it. (tower-http's body of this
/// kind doesn't pass on how long a body is.)
pub(crate) struct Arriving {
    body: Incoming,
    /// Of a piece that is waited for.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err(
            "the client fell silent in the middle of the request".into()
        )))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers requests by `service` until `shutdown`, and gives those that are under way a while to end. `name` is for the log.
pub(crate) async fn serve<S, B>(
    name: &'static str,
    listener: TcpListener,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
) where
    S: Service<Request<Arriving>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(SILENCE);
    let graceful = GracefulShutdown::new();
    // Dropped, and its connections with it, when this future is.
    let mut seats = Seats::new(most_seats());
    let quiet = Arc::clone(&seats.quiet);
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            () = seats.left(), if !seats.is_empty() => continue,
            () = quiet.notified(), if !seats.has_room() => continue,
            accepted = listener.accept(), if seats.has_room() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "{name}: a connection can't be accepted");
                // What is quiet holds what the system lacks.
                seats.free_quietest();
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // An answer in several parts mustn't wait for the client to confirm the first.
        let _ = stream.set_nodelay(true);
        let seat = seats.seat();
        let connected = service_fn({
            let (service, seat) = (service.clone(), Arc::clone(&seat));
            move |request: Request<Incoming>| {
                let working = seat.work();
                let request = request.map(|body| Arriving { body, silence: None });
                let answering = service.clone().oneshot(request);
                async move {
                    let answer = answering.await?;
                    Ok::<_, Infallible>(answer.map(|body| Answering {
                        body: Box::pin(body),
                        _working: working,
                    }))
                }
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), connected));
        seats.take(seat, async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "{name}: a connection broke off");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_REQUESTS, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("{name}: requests were cut off because they took too long to finish");
    }
}

/// How many connections a listener may have, by how many files the process may have open.
fn most_seats() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let each = files.saturating_sub(OTHER_FILES) / LISTENERS;
    usize::try_from(each).unwrap_or(SEATS).clamp(FEWEST_SEATS, SEATS)
}

/// A connection's place.
struct Seat {
    /// Requests that are being answered on it.
    at_work: AtomicU64,
    /// When it last became quiet, in turns.
    quiet_since: AtomicU64,
    turns: Arc<AtomicU64>,
    quiet: Arc<Notify>,
}

impl Seat {
    fn work(self: &Arc<Self>) -> Working {
        self.at_work.fetch_add(1, Ordering::SeqCst);
        Working(Arc::clone(self))
    }

    fn is_quiet(&self) -> bool {
        self.at_work.load(Ordering::SeqCst) == 0
    }
}

/// A request that is being answered, until it is dropped.
struct Working(Arc<Seat>);

impl Drop for Working {
    fn drop(&mut self) {
        let seat = &self.0;
        let turn = seat.turns.fetch_add(1, Ordering::SeqCst);
        seat.quiet_since.store(turn, Ordering::SeqCst);
        seat.at_work.fetch_sub(1, Ordering::SeqCst);
        seat.quiet.notify_one();
    }
}

/// An answer on its way: the seat is at work until the last of it is sent.
struct Answering<B> {
    body: Pin<Box<B>>,
    _working: Working,
}

impl<B: Body> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// All connections of a listener.
struct Seats {
    most: usize,
    turns: Arc<AtomicU64>,
    /// Told when a connection becomes quiet.
    quiet: Arc<Notify>,
    connections: JoinSet<()>,
    taken: HashMap<task::Id, (Arc<Seat>, AbortHandle)>,
}

impl Seats {
    fn new(most: usize) -> Self {
        Self {
            most,
            turns: Arc::default(),
            quiet: Arc::default(),
            connections: JoinSet::new(),
            taken: HashMap::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    fn has_room(&self) -> bool {
        self.taken.len() < self.most || self.taken.values().any(|(seat, _)| seat.is_quiet())
    }

    fn seat(&self) -> Arc<Seat> {
        Arc::new(Seat {
            at_work: AtomicU64::new(0),
            quiet_since: AtomicU64::new(self.turns.fetch_add(1, Ordering::SeqCst)),
            turns: Arc::clone(&self.turns),
            quiet: Arc::clone(&self.quiet),
        })
    }

    /// Begins a connection, in the place of the quietest where all are taken.
    fn take(&mut self, seat: Arc<Seat>, connection: impl Future<Output = ()> + Send + 'static) {
        if self.taken.len() >= self.most {
            self.free_quietest();
        }
        let handle = self.connections.spawn(connection);
        self.taken.insert(handle.id(), (seat, handle));
    }

    /// Ends the connection that has been quiet for the longest.
    fn free_quietest(&mut self) {
        let quietest = self
            .taken
            .iter()
            .filter(|(_, (seat, _))| seat.is_quiet())
            .min_by_key(|(_, (seat, _))| seat.quiet_since.load(Ordering::SeqCst))
            .map(|(id, _)| *id);
        if let Some((_, connection)) = quietest.and_then(|id| self.taken.remove(&id)) {
            connection.abort();
        }
    }

    /// Waits for a connection to end.
    async fn left(&mut self) {
        let ended = match self.connections.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return,
        };
        self.taken.remove(&ended);
    }
}
