//! `mastic serve`, `mastic work`, `mastic migrate`

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::{Global, Outcome, ServeFlags, output};
use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use crate::error::{Error, Result};
use crate::model::database_url::without_password;
use crate::server::{Parts, Server};
use crate::store::Store;

const GREEN: Style = AnsiColor::Green.on_default().bold();

/// What is logged unless `MASTIC_LOG` says otherwise. The S3 library calls every missing key an error, and the AWS library
/// looks for a machine's metadata that few machines have; PostgreSQL says what is there already: none of it is news.
const LOG: &str = "info,s3s=off,aws_config::imds=error,sqlx::query=error,sqlx::postgres::notice=warn";

/// Serves until it is told to stop.
pub(super) fn serve(flags: ServeFlags, global: &Global) -> Result<Outcome> {
    begin_log(LOG);
    let config = Config::load(&Flags::from(flags))?;
    let quiet = global.quiet;
    block_on(async move {
        let server = Server::start(config, Arc::new(SystemClock), Parts::All).await?;
        for error in &server.job_errors {
            output::print_error(error);
        }
        greet(&server, quiet);
        stop_signal().await;
        output::say(quiet, "stopping");
        server.stop().await;
        Ok(Outcome::Done)
    })
}

/// Does background work alone.
pub(super) fn work(flags: ServeFlags) -> Result<Outcome> {
    let config = Config::load(&Flags::from(flags))?;
    if config.database_url.starts_with("sqlite:") {
        return Err(Error::invalid(
            "`mastic work` needs a database that can be shared, and this one is SQLite",
        )
        .hint("use --database postgres://…; `mastic serve` does its background work itself"));
    }
    begin_log(LOG);
    block_on(async move {
        let app = crate::server::put_together(config, Arc::new(SystemClock)).await?;
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::join!(crate::worker::background(app, stop), async move {
            stop_signal().await;
            stopping.cancel();
        });
        Ok(Outcome::Done)
    })
}

/// Brings the database up to date.
pub(super) fn migrate(flags: ServeFlags) -> Result<Outcome> {
    let config = Config::load(&Flags::from(flags))?;
    block_on(async move {
        Store::open(&config.database_url).await?.close().await;
        output::say(
            false,
            &format!("{} is up to date", without_password(&config.database_url)),
        );
        Ok(Outcome::Done)
    })
}

/// Says where everything is.
pub(super) fn greet(server: &Server, quiet: bool) {
    let config = &server.app.config;
    output::say(
        quiet,
        &format!("{GREEN}mastic{GREEN:#} {} is up", env!("CARGO_PKG_VERSION")),
    );
    output::say(quiet, &format!("  UI and REST API  http://{}", server.address));
    output::say(
        quiet,
        &format!(
            "  Glue API         aws --endpoint-url http://{} glue get-databases",
            server.address
        ),
    );
    if let Some(address) = server.lake_address {
        output::say(
            quiet,
            &format!("  Object store     aws --endpoint-url http://{address} s3 ls"),
        );
    }
    output::say(
        quiet,
        &format!("  Database         {}", without_password(&config.database_url)),
    );
    if !config.engines.allowed.is_empty() {
        let names: Vec<&str> = config
            .engines
            .allowed
            .iter()
            .map(|engine| engine.as_str())
            .collect();
        output::say(
            quiet,
            &format!(
                "  Scripts          {} run code for everybody who reaches this server: every user of this machine",
                names.join(" and ")
            ),
        );
    }
}

/// Begins to log on stderr.
pub(super) fn begin_log(directives: &str) {
    let environment = crate::config::process_environment();
    let wanted = environment.get("MASTIC_LOG").map_or(directives, String::as_str);
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(directives));
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A second subscriber in one process is refused, and the first goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal && !environment.contains_key("NO_COLOR"))
        .try_init();
}

/// Runs asynchronous work to its end.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::unavailable("no threads can be started").source(cause))?
        .block_on(work)
}

/// Ctrl-C, or SIGTERM.
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
