//! Uploads that nobody finishes are given up; those that somebody writes to aren't.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use mastic::clock::ManualClock;

use super::raw::{Line, address};
use super::{BUCKET, TestLake, files_below};
use crate::harness::start_of_time;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn start(root: &Path, clock: &Arc<ManualClock>) -> TestLake {
    let clock = Arc::clone(clock);
    TestLake::start_as(root, None, |lake| lake.by_clock(clock).expire_uploads(7 * DAY)).await
}

/// The keys of the uploads in progress.
async fn pending(lake: &TestLake) -> Vec<String> {
    let uploads = lake.buckets().await.list_uploads(BUCKET, "").await.unwrap();
    uploads.into_iter().map(|upload| upload.key).collect()
}

#[tokio::test]
async fn an_upload_that_nobody_finishes_is_given_up() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(start_of_time()));
    let lake = start(root.path(), &clock).await;
    let buckets = lake.buckets().await;
    let old = buckets
        .create_upload(BUCKET, "old", "text/csv", &[])
        .await
        .unwrap();
    buckets.upload_part(BUCKET, "old", &old, 1, "x").await.unwrap();
    buckets
        .create_upload(BUCKET, "bare", "text/csv", &[])
        .await
        .unwrap();
    let fed = buckets
        .create_upload(BUCKET, "fed", "text/csv", &[])
        .await
        .unwrap();
    clock.advance(TimeDelta::days(6));
    let part = buckets.upload_part(BUCKET, "fed", &fed, 1, "x").await.unwrap();
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 0);
    clock.advance(TimeDelta::days(1) + TimeDelta::seconds(1));
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 2);
    assert_eq!(pending(&lake).await, ["fed"]);
    assert!(buckets.upload_part(BUCKET, "old", &old, 2, "y").await.is_err());
    clock.advance(TimeDelta::days(5));
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 0);
    buckets
        .complete_upload(BUCKET, "fed", &fed, &[part])
        .await
        .unwrap();
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 0);
    assert_eq!(buckets.list(BUCKET, "").await.unwrap().len(), 1);
    assert_eq!(files_below(&root.path().join(".mastic/uploads")), [""; 0]);
    assert_eq!(files_below(&root.path().join(".mastic/tmp")), [""; 0]);
}

#[tokio::test]
async fn an_upload_that_gets_bytes_is_not_given_up_however_old() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(start_of_time()));
    let lake = start(root.path(), &clock).await;
    let buckets = lake.buckets().await;
    let id = buckets.create_upload(BUCKET, "k", "text/csv", &[]).await.unwrap();
    let mut line = Line::to(&lake).await;
    let head = format!(
        "PUT /{BUCKET}/k?partNumber=1&uploadId={id} HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\n\
         Content-Length: 5\r\n\r\n",
        address(&lake)
    );
    line.send(head.as_bytes()).await;
    assert_eq!(line.answer().await.status, 100);
    line.send(b"hel").await;
    clock.advance(TimeDelta::days(30));
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 0);
    line.send(b"lo").await;
    assert_eq!(line.answer().await.status, 200);
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 0);
    clock.advance(TimeDelta::days(8));
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 1);
    assert_eq!(pending(&lake).await, [""; 0]);
}

#[tokio::test]
async fn what_is_left_over_goes_at_start_and_while_it_runs() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(start_of_time()));
    let lake = start(root.path(), &clock).await;
    let buckets = lake.buckets().await;
    buckets.create_upload(BUCKET, "k", "text/csv", &[]).await.unwrap();
    let temporary = root.path().join(".mastic/tmp");
    std::fs::create_dir_all(temporary.join("987654/parts")).unwrap();
    std::fs::write(temporary.join("987654/parts/00001-x"), "x").unwrap();
    std::fs::write(temporary.join("987655"), "x").unwrap();
    // One that is under way stays.
    let mut line = Line::to(&lake).await;
    let head = format!(
        "PUT /{BUCKET}/slow HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        address(&lake)
    );
    line.send(head.as_bytes()).await;
    assert_eq!(line.answer().await.status, 100);
    assert_eq!(lake.sweeper.sweep().await.unwrap(), 0);
    assert_eq!(files_below(&temporary).len(), 1);
    line.send(b"hello").await;
    assert_eq!(line.answer().await.status, 200);
    drop(line);
    lake.stop().await;
    clock.advance(TimeDelta::days(8));
    let lake = start(root.path(), &clock).await;
    lake.sweeper.sweep().await.unwrap();
    assert_eq!(pending(&lake).await, [""; 0]);
    assert_eq!(
        lake.buckets().await.list(BUCKET, "").await.unwrap()[0].key,
        "slow"
    );
}

#[tokio::test]
async fn a_clock_that_is_put_back_mixes_no_versions() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(start_of_time()));
    let lake = start(root.path(), &clock).await;
    let first = lake.buckets().await.put(BUCKET, "k", "aaaa").await.unwrap();
    lake.stop().await;
    let lake = start(root.path(), &clock).await;
    let buckets = lake.buckets().await;
    let second = buckets.put(BUCKET, "k", "bbbb").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(buckets.head(BUCKET, "k").await.unwrap().unwrap().etag, second);
    assert_eq!(files_below(&root.path().join(".mastic/meta")).len(), 1);
}
