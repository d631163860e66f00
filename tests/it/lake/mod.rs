//! The embedded S3 endpoint, through its own front door: `aws-sdk-s3`, by our client and raw.

mod arrival;
mod changes;
mod hardening;
mod keys;
mod links;
mod listing;
mod raw;
mod signatures;
mod survival;
mod sweep;
mod uploads;
mod xml;

use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use mastic::access::OneKey;
use mastic::buckets::{Access, Buckets};
use mastic::config;
use mastic::lake::{Lake, ObjectChange, Sweeper};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The bucket that every test has.
const BUCKET: &str = "lake";

/// A lake on a random port, and who listens to it.
struct TestLake {
    url: String,
    changes: Arc<Mutex<Vec<ObjectChange>>>,
    sweeper: Sweeper,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestLake {
    async fn start(root: &Path) -> Self {
        Self::start_with(root, None).await
    }

    async fn start_with(root: &Path, credentials: Option<(&str, &str)>) -> Self {
        Self::start_in(root, credentials, None).await
    }

    async fn start_in(root: &Path, credentials: Option<(&str, &str)>, region: Option<&str>) -> Self {
        Self::start_as(root, credentials, |lake| {
            lake.in_region(region.map(str::to_owned))
        })
        .await
    }

    async fn start_as(
        root: &Path,
        credentials: Option<(&str, &str)>,
        change: impl FnOnce(Lake) -> Lake,
    ) -> Self {
        let changes: Arc<Mutex<Vec<ObjectChange>>> = Arc::default();
        let heard = Arc::clone(&changes);
        let credentials = credentials.map(|(key, secret)| config::Credentials {
            access_key: key.to_owned(),
            secret_key: secret.to_owned(),
        });
        let authenticator = Arc::new(OneKey::new(credentials));
        let lake = Lake::new(
            root.to_owned(),
            authenticator,
            Arc::new(move |change| {
                let heard = Arc::clone(&heard);
                Box::pin(async move { heard.lock().unwrap().push(change) })
            }),
        )
        .unwrap();
        let lake = change(lake);
        lake.create_bucket_if_absent(BUCKET).unwrap();
        let sweeper = lake.sweeper();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            lake.serve(listener, shutdown).await.unwrap();
        });
        Self {
            url,
            changes,
            sweeper,
            stop: Some(stop),
            running,
        }
    }

    /// Our own client.
    async fn buckets(&self) -> Buckets {
        self.buckets_as("any", "thing").await
    }

    async fn buckets_as(&self, access_key: &str, secret_key: &str) -> Buckets {
        let access = Access::Endpoint {
            url: self.url.clone(),
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            region: "us-east-1".to_owned(),
            folder: None,
        };
        Buckets::new(&access).await.unwrap()
    }

    /// The SDK as it comes, with the checksums that it adds of its own accord.
    fn raw(&self) -> aws_sdk_s3::Client {
        self.raw_as("any", "thing")
    }

    fn raw_as(&self, access_key: &str, secret_key: &str) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&self.url)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
            .force_path_style(true)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// The changes that were announced since the last time this was asked.
    fn heard(&self) -> Vec<ObjectChange> {
        std::mem::take(&mut self.changes.lock().unwrap())
    }

    async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.running.await.unwrap();
    }
}

/// Every file below `folder` that isn't the lake's own.
fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path().display().to_string());
        }
    }
    files
}
