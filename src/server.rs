//! Every route on one page; what is put together to a server, and its graceful end.

mod ready;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;

use crate::access::{Authenticator, OneKey};
use crate::app::{App, AppParts};
use crate::browser::{self, Pages};
use crate::buckets::{Access, Buckets};
use crate::catalog::databases;
use crate::clock::Clock;
use crate::config::{Config, LakeConfig};
use crate::error::{Error, Result};
use crate::etl::jobs;
use crate::lake::{Announce, Lake, ObjectChange, ObjectChangeKind};
use crate::listen;
use crate::model::event::{EventKind, ObjectEvent, Source};
use crate::stack::{self, Wire};
use crate::store::Store;
use crate::task::Children;
use crate::{api, aws, events, glue, web, worker};
use ready::Readiness;

/// How long a request that changes something waits for the jobs to be registered; after that its sender tries again.
const REGISTRATION: Duration = Duration::from_secs(30);
/// The largest request, in bytes.
const MAX_BODY: usize = 10 << 20;
/// AWS's services that are served.
fn services() -> Arc<aws::Services> {
    Arc::new([Box::new(glue::Glue::default())])
}
/// What signs our own requests to the embedded store where no credentials are set; it takes any signature then.
const NO_CREDENTIALS: &str = "mastic";

/// A server that is up.
pub struct Server {
    /// Its parts.
    pub app: App,
    /// Where the API and the UI are.
    pub address: SocketAddr,
    /// Where the embedded object store is.
    pub lake_address: Option<SocketAddr>,
    /// Jobs in the jobs folder that could not be registered.
    pub job_errors: Vec<Error>,
    stop: CancellationToken,
    tasks: tokio::task::JoinSet<()>,
}

/// Which parts of the program run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// API, UI, embedded store and background work.
    All,
    /// As [`Parts::All`], but background work is done when it is asked for. For tests.
    WithoutWorker,
}

impl Server {
    /// Opens the database, listens, registers the jobs folder, and begins background work.
    ///
    /// # Errors
    /// Conflict where a port or the database is in use; Denied where the API would be open to everybody; and those of
    /// [`Store::open`] and [`Lake::new`].
    pub async fn start(config: Config, clock: Arc<dyn Clock>, parts: Parts) -> Result<Self> {
        let authenticator = Arc::new(OneKey::new(config.credentials.clone()));
        Self::start_for(authenticator, config, clock, parts).await
    }

    /// The same, for the callers that `authenticator` knows.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_for(
        authenticator: Arc<dyn Authenticator>,
        mut config: Config,
        clock: Arc<dyn Clock>,
        parts: Parts,
    ) -> Result<Self> {
        if !config.listen.ip().is_loopback() {
            return Err(Error::denied(format!("the API would be open to everybody at {}", config.listen)).hint(
                "this version can't check who calls: listen on 127.0.0.1, and put a proxy that signs people in before it",
            ));
        }
        let listener = bound(config.listen, "--listen").await?;
        let lake_listener = match &mut config.lake {
            Some(lake) => {
                let listener = bound(lake.listen, "--lake-listen").await?;
                lake.listen = local_address(&listener)?;
                Some(listener)
            }
            None => None,
        };
        config.listen = local_address(&listener)?;
        let app = put_together_for(authenticator, config, clock).await?;
        let mut server = Self {
            address: app.config.listen,
            lake_address: app.config.lake.as_ref().map(|lake| lake.listen),
            job_errors: Vec::new(),
            stop: CancellationToken::new(),
            tasks: tokio::task::JoinSet::new(),
            app,
        };
        // What arrives before the jobs are registered would be their past: until then changes wait, in the store and in the
        // API.
        let (registered, gate) = watch::channel(false);
        if let Some(listener) = lake_listener {
            server.serve_lake(listener, gate.clone())?;
        }
        let job_errors = Arc::new(OnceLock::new());
        let router = router(server.app.clone(), Arc::clone(&job_errors), gate);
        let stop = server.stop.clone();
        let stack = ServiceBuilder::new()
            .layer(stack::known(Arc::clone(&server.app.clock), Wire::on_first))
            .layer(stack::compressed())
            .layer(stack::guarded(Pages::Own, refused_page))
            .service(router);
        server.spawn(async move {
            listen::serve("the API", listener, stack, stop.cancelled_owned()).await;
        });
        if server.app.config.catalog.default_database {
            databases::make_default(&server.app).await?;
        }
        if let Some(folder) = server.app.config.jobs.clone() {
            let (registered, wrong) = jobs::register_all(&server.app, &folder).await?;
            tracing::info!(jobs = registered.len(), folder = %folder.display(), "jobs are registered");
            server.job_errors = wrong;
        }
        let messages = server.job_errors.iter().map(|error| error.message.clone());
        let _ = job_errors.set(messages.collect());
        registered.send_replace(true);
        if parts == Parts::All {
            let background = worker::background(server.app.clone(), server.stop.clone());
            server.spawn(background);
        }
        Ok(server)
    }

    fn serve_lake(&mut self, listener: TcpListener, gate: watch::Receiver<bool>) -> Result<()> {
        let Some(config) = self.app.config.lake.clone() else {
            return Ok(());
        };
        let authenticator = Arc::clone(&self.app.authenticator);
        let lake = Lake::new(config.folder, authenticator, announce_to(self.app.clone()))?
            .by_clock(Arc::clone(&self.app.clock))
            .in_region(self.app.config.lake_region().map(str::to_owned))
            .expire_uploads(config.upload_expiry)
            .open_for_changes_after(gate);
        for bucket in &config.buckets {
            lake.create_bucket_if_absent(bucket)?;
        }
        let stop = self.stop.clone();
        self.spawn(async move {
            if let Err(error) = lake.serve(listener, stop.cancelled_owned()).await {
                tracing::error!("the object store stopped: {}{}", error.message, error.causes());
            }
        });
        Ok(())
    }

    fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    /// Stops taking requests and tasks, waits for those under way, and closes the database.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(listen::LAST_REQUESTS + Duration::from_secs(5), finished)
            .await
            .is_err()
        {
            tracing::warn!("something did not stop in time");
        }
        self.app.store.close().await;
    }
}

/// The parts that background work needs, without anything that listens.
///
/// # Errors
/// Those of [`Store::open`] and [`Buckets::new`].
pub async fn put_together(config: Config, clock: Arc<dyn Clock>) -> Result<App> {
    let authenticator = Arc::new(OneKey::new(config.credentials.clone()));
    put_together_for(authenticator, config, clock).await
}

async fn put_together_for(
    authenticator: Arc<dyn Authenticator>,
    config: Config,
    clock: Arc<dyn Clock>,
) -> Result<App> {
    let access = config
        .lake
        .as_ref()
        .map_or(Access::Environment, |lake| lake_access(lake, &config));
    let store = Store::open(&config.database_url).await?;
    let children = Arc::new(Children::new(&config));
    children.remove_leftovers().await;
    Ok(App::new(AppParts {
        store,
        buckets: Buckets::new(&access).await?,
        access,
        children,
        clock,
        authenticator,
        config: Arc::new(config),
        watches: Arc::default(),
        work_arrived: Arc::new(Notify::new()),
    }))
}

/// Every route. What is wrong with the jobs folder is known later.
fn router(app: App, job_errors: Arc<OnceLock<Vec<String>>>, gate: watch::Receiver<bool>) -> Router {
    let readiness = Readiness::default();
    let services = services();
    let aws = any(async move |State(app): State<App>, request: Request| {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, aws::MAX_REQUEST).await.ok();
        aws::handle(&services, &app, &parts, body).await
    });
    Router::new()
        .route("/", aws.get(web::serve))
        .merge(api::router(&app))
        .route("/healthz", get(|| async { "ok" }))
        .route(
            "/readyz",
            get(move |State(app): State<App>| async move {
                ready::ready(&app, &readiness, job_errors.get().map(Vec::as_slice)).await
            }),
        )
        .route(
            "/metrics",
            get(|State(app): State<App>| async move { ready::metrics(&app).await }),
        )
        .fallback(web::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::new(gate), admitted))
        .with_state(app)
}

/// Refuses what can't be asked for at all, and lets what changes something wait until the jobs are registered. One step,
/// because each costs every request something.
async fn admitted(State(gate): State<Arc<watch::Receiver<bool>>>, request: Request, next: Next) -> Response {
    // No name has a NUL, and no database can hold one.
    if request.uri().path().contains("%00") {
        let error = Error::invalid("the path has a NUL character (%00), which no name has");
        return refusal(&request, error.hint("leave it out"));
    }
    let is_registered = *gate.borrow();
    if !is_registered && browser::changes(&request) {
        let mut gate = watch::Receiver::clone(&gate);
        let registered = gate.wait_for(|is_done| *is_done);
        if !matches!(tokio::time::timeout(REGISTRATION, registered).await, Ok(Ok(_))) {
            let error = Error::unavailable("the jobs folder is not registered yet");
            return refusal(&request, error.hint("try again in some seconds"));
        }
    }
    next.run(request).await
}

/// Nobody signs in on loopback, so a page of another site must not be able to use a visitor's browser.
fn refused_page<B>(request: &axum::http::Request<B>) -> Response {
    let error = Error::denied("the request comes from another site");
    refusal(
        request,
        error.hint("call the server by its address, as 127.0.0.1"),
    )
}

/// A refusal in the words of whoever was asked.
fn refusal<B>(request: &axum::http::Request<B>, error: Error) -> Response {
    match request.extensions().get() {
        Some(Wire::Aws) => aws::refusal(error),
        _ => api::problem(&error),
    }
}

async fn bound(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| match cause.kind() {
            std::io::ErrorKind::AddrInUse => Error::conflict(format!("the address {address} is in use"))
                .hint(format!("stop what listens there, or choose another with {flag}")),
            _ => Error::unavailable(format!("can't listen on {address}: {cause}")),
        })
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr> {
    listener
        .local_addr()
        .map_err(|cause| Error::internal("a listener has no address").source(cause))
}

/// How we reach our own store: by the address it listens on, over loopback where that is every address.
fn lake_access(lake: &LakeConfig, config: &Config) -> Access {
    let mut address = lake.listen;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    let (access_key, secret_key) = match &config.credentials {
        Some(credentials) => (credentials.access_key.clone(), credentials.secret_key.clone()),
        None => (NO_CREDENTIALS.to_owned(), NO_CREDENTIALS.to_owned()),
    };
    Access::Endpoint {
        url: format!("http://{address}"),
        access_key,
        secret_key,
        region: config.lake_region().unwrap_or(&config.catalog.region).to_owned(),
        folder: lake
            .reads_files
            .then(|| std::path::absolute(&lake.folder).ok())
            .flatten(),
    }
}

/// Lets the embedded store announce each change. One that can't be taken down is found by the next listing.
fn announce_to(app: App) -> Announce {
    Arc::new(move |change: ObjectChange| {
        let app = app.clone();
        async move {
            let event = ObjectEvent {
                bucket: change.bucket,
                key: change.key,
                kind: match change.kind {
                    ObjectChangeKind::Created => EventKind::Created,
                    ObjectChangeKind::Removed => EventKind::Removed,
                },
                size: change.size.and_then(|size| i64::try_from(size).ok()),
                etag: change.etag,
                sequencer: None,
                source: Source::Lake,
            };
            if let Err(error) = events::accept(&app, &event).await {
                tracing::error!(
                    key = event.key,
                    "an event can't be taken down: {}{}",
                    error.message,
                    error.causes()
                );
            }
        }
        .boxed()
    })
}
