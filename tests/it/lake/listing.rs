//! Large listings: whole, in order, and as fast at the end as at the beginning.

use std::collections::BTreeSet;

use aws_sdk_s3::types::EncodingType;

use super::{BUCKET, TestLake};

/// How many objects: twelve full pages.
const MANY: usize = 12_000;

/// Keys whose order by bytes isn't the order of folders: `-` and `.` come before `/`, `0` after it.
fn keys() -> Vec<String> {
    let mut keys: Vec<String> = (0..MANY / 2)
        .map(|n| format!("flat/k{:05}", n * 7 % (MANY / 2)))
        .collect();
    keys.extend((0..MANY / 2 - 4).map(|n| format!("deep/d{:02}/e{:02}/f{n}", n % 30, n % 7)));
    keys.extend(["deep/d01-x", "deep/d01.x", "deep/d010", "deep.txt"].map(str::to_owned));
    keys
}

/// Written beside the lake: twelve thousand requests would say no more.
fn fill(root: &std::path::Path, keys: &[String]) {
    for key in keys {
        let path = root.join(BUCKET).join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
}

#[tokio::test]
async fn twelve_thousand_objects_come_in_order() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let mut expected = keys();
    fill(root.path(), &expected);
    expected.sort_unstable();
    let buckets = lake.buckets().await;
    let listed: Vec<String> = buckets
        .list(BUCKET, "")
        .await
        .unwrap()
        .into_iter()
        .map(|object| object.key)
        .collect();
    assert_eq!(listed.len(), MANY);
    assert!(listed == expected, "not in the order of the keys' bytes");
    for prefix in [
        "deep/d01",
        "deep/d1",
        "flat/k0012",
        "deep/d29/e06/",
        "none",
        "deep",
        "flat/",
    ] {
        let listed: Vec<String> = buckets
            .list(BUCKET, prefix)
            .await
            .unwrap()
            .into_iter()
            .map(|object| object.key)
            .collect();
        let expected: Vec<&String> = expected.iter().filter(|key| key.starts_with(prefix)).collect();
        assert!(listed.iter().eq(expected), "{prefix}");
    }
}

/// What S3 would answer, worked out the slow way: keys and common prefixes after `after`.
fn by_hand(keys: &[String], prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
    let mut entries = BTreeSet::new();
    for key in keys
        .iter()
        .filter(|key| key.starts_with(prefix) && key.as_str() > after)
    {
        let rest = &key[prefix.len()..];
        entries.insert(match rest.find(delimiter) {
            Some(at) => key[..prefix.len() + at + delimiter.len()].to_owned(),
            None => key.clone(),
        });
    }
    entries.into_iter().collect()
}

#[tokio::test]
async fn delimiters_and_pages_agree_with_the_long_way() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let keys = keys();
    fill(root.path(), &keys);
    // A folder without objects is no prefix.
    std::fs::create_dir_all(root.path().join(BUCKET).join("deep/empty/inside")).unwrap();
    let raw = lake.raw();
    for (prefix, delimiter, after, size) in [
        ("", "/", "", 2),
        ("deep/", "/", "", 7),
        ("deep/", "/", "deep/d05/e05/f5", 9),
        ("deep/d", "/", "deep/d01", 3),
        ("deep/d03/", "/", "", 2),
        ("deep/", "e", "", 5),
        ("flat/", "k000", "", 1000),
        ("flat/k00", "1", "flat/k00100", 11),
    ] {
        let mut entries = Vec::new();
        let mut token = None;
        loop {
            let page = raw
                .list_objects_v2()
                .bucket(BUCKET)
                .prefix(prefix)
                .delimiter(delimiter)
                .start_after(after)
                .max_keys(size)
                .set_continuation_token(token)
                .send()
                .await
                .unwrap();
            let mut here: Vec<String> = page
                .contents()
                .iter()
                .filter_map(|o| o.key().map(str::to_owned))
                .collect();
            here.extend(
                page.common_prefixes()
                    .iter()
                    .filter_map(|p| p.prefix().map(str::to_owned)),
            );
            assert_eq!(page.key_count(), i32::try_from(here.len()).ok());
            assert!(here.len() <= size as usize);
            here.sort_unstable();
            entries.extend(here);
            token = page.next_continuation_token().map(str::to_owned);
            assert_eq!(page.is_truncated(), Some(token.is_some()));
            if token.is_none() {
                break;
            }
        }
        assert!(
            entries == by_hand(&keys, prefix, delimiter, after),
            "{prefix} {delimiter} {after}"
        );
    }
}

#[tokio::test]
async fn the_first_version_of_the_listing_pages_too() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let keys: Vec<String> = (0..25).map(|n| format!("a b/{n:02}+%")).collect();
    fill(root.path(), &keys);
    let raw = lake.raw();
    let (mut listed, mut marker) = (Vec::new(), None);
    loop {
        let page = raw
            .list_objects()
            .bucket(BUCKET)
            .max_keys(10)
            .set_marker(marker)
            .send()
            .await
            .unwrap();
        listed.extend(
            page.contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
        if page.is_truncated() != Some(true) {
            break;
        }
        marker = listed.last().cloned();
    }
    assert_eq!(listed, keys);
    let page = raw
        .list_objects_v2()
        .bucket(BUCKET)
        .encoding_type(EncodingType::Url)
        .max_keys(1)
        .send()
        .await
        .unwrap();
    assert_eq!(page.contents()[0].key(), Some("a%20b/00%2B%25"));
    let none = raw
        .list_objects_v2()
        .bucket(BUCKET)
        .max_keys(0)
        .send()
        .await
        .unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
}

#[tokio::test]
async fn a_change_between_two_pages_is_seen() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let keys: Vec<String> = (0..2500).map(|n| format!("k{n:04}")).collect();
    fill(root.path(), &keys);
    let buckets = lake.buckets().await;
    // Long enough that the folder's entries are remembered.
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(buckets.list(BUCKET, "").await.unwrap().len(), 2500);
    buckets.delete(BUCKET, "k1999").await.unwrap();
    buckets.put(BUCKET, "k1999x", "y").await.unwrap();
    let listed: Vec<String> = buckets
        .list(BUCKET, "k1999")
        .await
        .unwrap()
        .into_iter()
        .map(|o| o.key)
        .collect();
    assert_eq!(listed, ["k1999x"]);
}
