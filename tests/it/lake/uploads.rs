//! Multipart uploads: nothing is seen before the last step, everything after it.

use aws_sdk_s3::error::ProvideErrorMetadata;
use mastic::buckets::Completed;
use mastic::error::ErrorKind;

use super::{BUCKET, TestLake, files_below};

const PART: usize = 5 * 1024 * 1024;

#[tokio::test]
async fn an_upload_is_seen_when_it_is_completed() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let id = buckets
        .create_upload(BUCKET, "out/part-0.csv", "text/csv", &[("run", "7")])
        .await
        .unwrap();
    let second = buckets
        .upload_part(BUCKET, "out/part-0.csv", &id, 2, "tail")
        .await
        .unwrap();
    let first = buckets
        .upload_part(BUCKET, "out/part-0.csv", &id, 1, vec![b'x'; PART])
        .await
        .unwrap();
    assert!(buckets.list(BUCKET, "").await.unwrap().is_empty());
    assert!(buckets.head(BUCKET, "out/part-0.csv").await.unwrap().is_none());
    assert_eq!(lake.heard(), []);
    let pending = buckets.list_uploads(BUCKET, "out/").await.unwrap();
    assert_eq!(
        (pending[0].key.as_str(), pending[0].upload_id.as_str()),
        ("out/part-0.csv", id.as_str())
    );

    let parts = [first, second];
    let done = buckets
        .complete_upload(BUCKET, "out/part-0.csv", &id, &parts)
        .await
        .unwrap();
    let Completed::Done { etag } = done else {
        panic!("{done:?}")
    };
    assert!(etag.ends_with("-2"), "{etag}");
    let heard = lake.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].event_name, "ObjectCreated:CompleteMultipartUpload");
    assert_eq!(
        (heard[0].size, heard[0].etag.as_deref()),
        (Some(PART as u64 + 4), Some(etag.as_str()))
    );
    let head = buckets.head(BUCKET, "out/part-0.csv").await.unwrap().unwrap();
    assert_eq!((head.etag.as_str(), head.size), (etag.as_str(), PART as u64 + 4));
    assert_eq!(head.metadata, [("run".to_owned(), "7".to_owned())]);
    assert_eq!(buckets.list(BUCKET, "").await.unwrap()[0].etag, etag);
    let end = buckets
        .get_range(
            BUCKET,
            "out/part-0.csv",
            PART as u64 - 2..PART as u64 + 4,
            Some(&etag),
        )
        .await
        .unwrap();
    assert_eq!(end, "xxtail");

    let again = buckets
        .complete_upload(BUCKET, "out/part-0.csv", &id, &parts)
        .await
        .unwrap();
    assert_eq!(again, Completed::NoSuchUpload);
    assert_eq!(lake.heard(), []);
    assert!(buckets.list_uploads(BUCKET, "").await.unwrap().is_empty());
    assert_eq!(files_below(&root.path().join(".mastic/uploads")), [""; 0]);
    assert_eq!(files_below(&root.path().join(".mastic/tmp")), [""; 0]);
    let part = lake
        .raw()
        .get_object()
        .bucket(BUCKET)
        .key("out/part-0.csv")
        .part_number(2)
        .send()
        .await
        .unwrap();
    assert_eq!(part.parts_count(), Some(2));
    assert_eq!(part.body.collect().await.unwrap().into_bytes(), "tail");
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let id = buckets.create_upload(BUCKET, "k", "text/csv", &[]).await.unwrap();
    let part = buckets.upload_part(BUCKET, "k", &id, 1, "x").await.unwrap();
    buckets.abort_upload(BUCKET, "k", &id).await.unwrap();
    buckets.abort_upload(BUCKET, "k", &id).await.unwrap();
    let late = buckets.upload_part(BUCKET, "k", &id, 2, "y").await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::NotFound);
    let late = buckets.complete_upload(BUCKET, "k", &id, &[part]).await.unwrap();
    assert_eq!(late, Completed::NoSuchUpload);
    assert!(buckets.list(BUCKET, "").await.unwrap().is_empty());
    assert_eq!(lake.heard(), []);
    assert_eq!(files_below(&root.path().join(".mastic/uploads")), [""; 0]);
}

#[tokio::test]
async fn a_wrong_list_of_parts_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let id = buckets.create_upload(BUCKET, "k", "text/csv", &[]).await.unwrap();
    let small = buckets.upload_part(BUCKET, "k", &id, 1, "small").await.unwrap();
    let last = buckets.upload_part(BUCKET, "k", &id, 2, "last").await.unwrap();
    let mut missing = small.clone();
    missing.number = 3;
    for parts in [
        vec![],
        vec![last.clone(), small.clone()],
        vec![small.clone(), last.clone()],
        vec![missing],
    ] {
        let error = buckets
            .complete_upload(BUCKET, "k", &id, &parts)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{}", error.message);
    }
    let strange = buckets
        .complete_upload(BUCKET, "k", "../../../etc", std::slice::from_ref(&small))
        .await
        .unwrap();
    assert_eq!(strange, Completed::NoSuchUpload);
    let elsewhere = buckets
        .complete_upload(BUCKET, "other", &id, std::slice::from_ref(&small))
        .await
        .unwrap();
    assert_eq!(elsewhere, Completed::NoSuchUpload);
    // A part may be sent again; the last one counts.
    let again = buckets.upload_part(BUCKET, "k", &id, 1, "again").await.unwrap();
    let listed = lake
        .raw()
        .list_parts()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.parts().len(), 2);
    let stale = buckets
        .complete_upload(BUCKET, "k", &id, &[small])
        .await
        .unwrap_err();
    assert_eq!(stale.kind, ErrorKind::Invalid);
    buckets.complete_upload(BUCKET, "k", &id, &[again]).await.unwrap();
    assert_eq!(buckets.get_range(BUCKET, "k", 0..5, None).await.unwrap(), "again");
}

#[tokio::test]
async fn two_who_complete_at_once_make_one_object() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let buckets = lake.buckets().await;
    let id = buckets.create_upload(BUCKET, "k", "text/csv", &[]).await.unwrap();
    let parts = [buckets
        .upload_part(BUCKET, "k", &id, 1, vec![b'x'; PART])
        .await
        .unwrap()];
    let both = futures::join!(
        buckets.complete_upload(BUCKET, "k", &id, &parts),
        buckets.complete_upload(BUCKET, "k", &id, &parts)
    );
    let done = [both.0.unwrap(), both.1.unwrap()];
    assert_eq!(
        done.iter()
            .filter(|done| **done == Completed::NoSuchUpload)
            .count(),
        1
    );
    assert_eq!(lake.heard().len(), 1);
}

#[tokio::test]
async fn parts_may_be_copied() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let (buckets, raw) = (lake.buckets().await, lake.raw());
    buckets.put(BUCKET, "source", "0123456789").await.unwrap();
    let id = buckets.create_upload(BUCKET, "k", "text/csv", &[]).await.unwrap();
    let copy = raw
        .upload_part_copy()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&id)
        .part_number(1);
    let copy = copy
        .copy_source("lake/source")
        .copy_source_range("bytes=2-4")
        .send()
        .await
        .unwrap();
    let etag = copy
        .copy_part_result()
        .unwrap()
        .e_tag()
        .unwrap()
        .trim_matches('"')
        .to_owned();
    let part = mastic::buckets::UploadedPart {
        number: 1,
        etag,
        size: 3,
    };
    buckets.complete_upload(BUCKET, "k", &id, &[part]).await.unwrap();
    assert_eq!(buckets.get_range(BUCKET, "k", 0..3, None).await.unwrap(), "234");
    let none = raw
        .list_parts()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&id)
        .send()
        .await
        .unwrap_err();
    assert_eq!(none.code(), Some("NoSuchUpload"));
}
