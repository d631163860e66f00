//! A lake with a key pair: what a signature must cover, for whom, for where and for how long.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use mastic::error::ErrorKind;

use super::raw::{NOTHING, OWNER, Signer, ask, borrowed, digest};
use super::{BUCKET, TestLake};

async fn keyed(root: &std::path::Path) -> TestLake {
    let lake = TestLake::start_with(root, Some(("me", "secret"))).await;
    let me = lake.buckets_as("me", "secret").await;
    me.put(BUCKET, "secret", "the secret").await.unwrap();
    lake.heard();
    lake
}

/// A URL to put `key` with, without the server's address.
async fn upload_url(lake: &TestLake, key: &str) -> String {
    let raw = lake.raw_as("me", "secret");
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let put = raw.put_object().bucket(BUCKET).key(key).presigned(config).await;
    put.unwrap().uri().strip_prefix(&lake.url).unwrap().to_owned()
}

#[tokio::test]
async fn what_the_signature_does_not_cover_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let lake = keyed(root.path()).await;
    let url = upload_url(&lake, "mine").await;
    for (name, value) in [
        ("x-amz-copy-source", "/lake/secret"),
        ("X-AMZ-Copy-Source", "/lake/secret"),
        ("x-amz-meta-owner", "them"),
        ("x-amz-acl", "public-read"),
        ("x-amz-metadata-directive", "REPLACE"),
    ] {
        let answer = ask(&lake, "PUT", &url, &[(name, value)], b"").await;
        assert_eq!(answer.said(), (403, "AccessDenied"), "{name}");
        assert!(
            answer
                .body
                .contains("There were headers present in the request which were not signed")
        );
        let signed = OWNER.headers(&lake, ("PUT", "/lake/mine"), &[], NOTHING);
        let headers = [&borrowed(&signed)[..], &[(name, value)]].concat();
        let answer = ask(&lake, "PUT", "/lake/mine", &headers, b"").await;
        assert_eq!(answer.said(), (403, "AccessDenied"), "{name}");
        // Signed, it is fine.
        let signed = OWNER.headers(&lake, ("PUT", "/lake/theirs"), &[(name, value)], NOTHING);
        let answer = ask(&lake, "PUT", "/lake/theirs", &borrowed(&signed), b"").await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let me = lake.buckets_as("me", "secret").await;
    assert!(me.head(BUCKET, "mine").await.unwrap().is_none());
    // Other headers are the bearer's own business, as on S3.
    let answer = ask(&lake, "PUT", &url, &[("content-type", "text/csv")], b"hello").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let digest = digest(b"hello");
    let signed = OWNER.headers(&lake, ("PUT", "/lake/mine"), &[], &digest);
    let answer = ask(&lake, "PUT", "/lake/mine", &borrowed(&signed), b"hello").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn only_one_signature_is_looked_at() {
    let root = tempfile::tempdir().unwrap();
    let lake = keyed(root.path()).await;
    let url = upload_url(&lake, "mine").await;
    let signed = OWNER.headers(&lake, ("PUT", "/lake/mine"), &[], NOTHING);
    let answer = ask(&lake, "PUT", &url, &borrowed(&signed), b"").await;
    assert_eq!(answer.said(), (400, "InvalidArgument"));
    let old = [("Authorization", "AWS me:AAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    let answer = ask(&lake, "GET", "/lake/secret", &old, b"").await;
    assert_eq!(answer.said(), (400, "InvalidRequest"));
    let answer = ask(&lake, "GET", "/lake/secret", &[], b"").await;
    assert_eq!(answer.said(), (403, "AccessDenied"));
    let form = [("Content-Type", "Multipart/Form-Data; boundary=x")];
    let answer = ask(&lake, "POST", "/lake", &form, b"--x--\r\n").await;
    assert_eq!(answer.said(), (501, "NotImplemented"));
}

#[tokio::test]
async fn a_url_holds_for_a_week_at_the_most() {
    let root = tempfile::tempdir().unwrap();
    let lake = keyed(root.path()).await;
    let url = upload_url(&lake, "mine").await;
    for seconds in ["0", "604801", "99999999999999999999", "-1", "", "week"] {
        let url = url.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={seconds}"));
        let answer = ask(&lake, "PUT", &url, &[], b"").await;
        assert_eq!(
            answer.said(),
            (400, "AuthorizationQueryParametersError"),
            "{seconds}"
        );
    }
    // One that isn't as it was signed is no better.
    let longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=604800");
    let answer = ask(&lake, "PUT", &longer, &[], b"").await;
    assert_eq!(answer.said(), (403, "SignatureDoesNotMatch"));
    assert_eq!(ask(&lake, "PUT", &url, &[], b"").await.status, 200);
}

#[tokio::test]
async fn a_signature_is_for_this_store() {
    let root = tempfile::tempdir().unwrap();
    let lake = keyed(root.path()).await;
    let get = async |lake: &TestLake, signer: Signer| {
        let headers = signer.headers(lake, ("GET", "/lake/secret"), &[], NOTHING);
        ask(lake, "GET", "/lake/secret", &borrowed(&headers), b"").await
    };
    let in_region = |region| Signer { region, ..OWNER };
    for region in ["us-east-1", "eu-central-1", "auto", "mars"] {
        assert_eq!(get(&lake, in_region(region)).await.status, 200, "{region}");
    }
    for region in ["", "US-EAST-1", "a b", "ü"] {
        let answer = get(&lake, in_region(region)).await;
        assert!((400..500).contains(&answer.status), "{region}: {answer:?}");
    }
    assert_eq!(
        get(&lake, in_region("")).await.said(),
        (400, "AuthorizationHeaderMalformed")
    );
    for service in ["sts", "glue", ""] {
        let answer = get(&lake, Signer { service, ..OWNER }).await;
        assert_eq!(answer.said(), (400, "AuthorizationHeaderMalformed"), "{service}");
    }
    let answer = get(
        &lake,
        Signer {
            access_key: "you",
            ..OWNER
        },
    )
    .await;
    assert_eq!(answer.said(), (403, "InvalidAccessKeyId"));
    let answer = get(
        &lake,
        Signer {
            secret_key: "guess",
            ..OWNER
        },
    )
    .await;
    assert_eq!(answer.said(), (403, "SignatureDoesNotMatch"));
    let you = lake
        .buckets_as("you", "secret")
        .await
        .head(BUCKET, "secret")
        .await;
    assert_eq!(you.unwrap_err().kind, ErrorKind::Denied);
    lake.stop().await;

    let lake = TestLake::start_in(root.path(), Some(("me", "secret")), Some("eu-north-1")).await;
    assert_eq!(get(&lake, in_region("eu-north-1")).await.status, 200);
    let answer = get(&lake, in_region("us-east-1")).await;
    assert_eq!(answer.said(), (400, "AuthorizationHeaderMalformed"));
    assert!(
        answer.body.contains("expecting &apos;eu-north-1&apos;"),
        "{}",
        answer.body
    );
    let url = upload_url(&lake, "mine").await;
    let answer = ask(&lake, "PUT", &url, &[], b"").await;
    assert_eq!(answer.said(), (400, "AuthorizationQueryParametersError"));
}

#[tokio::test]
async fn signed_bytes_must_be_those_that_come() {
    let root = tempfile::tempdir().unwrap();
    let lake = keyed(root.path()).await;
    let put = async |hash: &str, body: &[u8]| {
        let headers = OWNER.headers(&lake, ("PUT", "/lake/k"), &[], hash);
        ask(&lake, "PUT", "/lake/k", &borrowed(&headers), body).await
    };
    let right = digest(b"hello");
    assert_eq!(
        put(&right, b"hullo").await.said(),
        (400, "XAmzContentSHA256Mismatch")
    );
    assert_eq!(
        put(NOTHING, b"hello").await.said(),
        (400, "XAmzContentSHA256Mismatch")
    );
    assert_eq!(put("nonsense", b"hello").await.said(), (400, "InvalidArgument"));
    assert_eq!(lake.heard(), []);
    assert_eq!(put(&right, b"hello").await.status, 200);
}
