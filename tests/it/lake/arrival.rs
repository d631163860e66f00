//! Clients that wait to be told before they send their bytes, and bytes that aren't what is said of them.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};

use super::raw::{Line, NOTHING, OWNER, address, ask, borrowed, digest};
use super::{BUCKET, TestLake, files_below};

const PART: usize = 5 * 1024 * 1024;

#[tokio::test]
async fn an_empty_object_leaves_no_connection_in_doubt() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    for n in 0..20 {
        // The client waits for an interim answer, even though it has nothing to send.
        let mut line = Line::to(&lake).await;
        let put = |key: &str, length: usize| {
            format!(
                "PUT /{BUCKET}/{key}{n} HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n",
                address(&lake)
            )
        };
        line.send(put("full", 5).as_bytes()).await;
        assert_eq!(line.answer().await.status, 100);
        line.send(b"hello").await;
        let full = line.answer().await;
        assert!(full.status == 200 && !full.closes(), "{full:?}");
        line.send(put("empty", 0).as_bytes()).await;
        let empty = line.answer().await;
        assert!(empty.status == 200 && empty.closes(), "{empty:?}");
        assert!(line.ends().await);
    }
    assert_eq!(lake.buckets().await.list(BUCKET, "").await.unwrap().len(), 40);
}

#[tokio::test]
async fn a_refusal_before_the_bytes_ends_the_connection() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    for target in [
        "/no-such-bucket/k",
        "/lake/a/../b",
        "/lake/k?uploadId=none&partNumber=1",
    ] {
        let mut line = Line::to(&lake).await;
        let head = format!(
            "PUT {target} HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
            address(&lake)
        );
        line.send(head.as_bytes()).await;
        let answer = line.answer().await;
        assert!(
            (400..500).contains(&answer.status) && answer.closes(),
            "{answer:?}"
        );
        assert!(line.ends().await);
    }
}

#[tokio::test]
async fn what_is_said_of_the_bytes_is_held_against_them() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let sums = [
        (
            "content-md5",
            "XUFAKrxLKna5cZ2REBfFkg==",
            "1B2M2Y8AsgTpgAmY7PhCfg==",
            "BadDigest",
        ),
        ("x-amz-checksum-crc32", "NhCmhg==", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc32c", "mnG7TA==", "AAAAAA==", "BadDigest"),
        (
            "x-amz-checksum-crc64nvme",
            "M3eFcAZSQlc=",
            "AAAAAAAAAAA=",
            "BadDigest",
        ),
        (
            "x-amz-checksum-sha1",
            "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "BadDigest",
        ),
        (
            "x-amz-checksum-sha256",
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "BadDigest",
        ),
    ];
    for (name, right, wrong, code) in sums {
        let put = async |value: &str| ask(&lake, "PUT", "/lake/k", &[(name, value)], b"hello").await;
        assert_eq!(put(wrong).await.said(), (400, code), "{name}");
        for malformed in ["hello", "", "AAA=", &right[1..]] {
            let answer = put(malformed).await;
            let code = match name {
                "content-md5" => "InvalidDigest",
                _ => "InvalidRequest",
            };
            assert_eq!(answer.said(), (400, code), "{name}: {malformed}");
        }
        assert_eq!(put("Ä").await.status, 400);
        assert_eq!(lake.heard(), []);
        let answer = put(right).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        lake.heard();
        lake.buckets().await.delete(BUCKET, "k").await.unwrap();
        lake.heard();
    }
    let put = async |headers: &[(&str, &str)]| ask(&lake, "PUT", "/lake/k", headers, b"hello").await;
    for (headers, status, code) in [
        (&[("x-amz-checksum-xxhash64", "AAAA")][..], 501, "NotImplemented"),
        (&[("x-amz-sdk-checksum-algorithm", "MD4")], 501, "NotImplemented"),
        (
            &[("x-amz-trailer", "x-amz-checksum-blake3")],
            501,
            "NotImplemented",
        ),
        (&[("x-amz-trailer", "x-amz-meta-a")], 400, "InvalidRequest"),
        (
            &[("x-amz-trailer", "x-amz-checksum-crc32")],
            400,
            "MalformedTrailerError",
        ),
        (&[("x-amz-decoded-content-length", "6")], 400, "IncompleteBody"),
        (&[("x-amz-decoded-content-length", "five")], 400, "InvalidRequest"),
        (
            &[("x-amz-content-sha256", NOTHING)],
            400,
            "XAmzContentSHA256Mismatch",
        ),
        (&[("x-amz-content-sha256", "hello")], 400, "InvalidArgument"),
        (
            &[
                ("x-amz-checksum-crc32", "NhCmhg=="),
                ("x-amz-checksum-crc32", "AAAAAA=="),
            ],
            400,
            "InvalidRequest",
        ),
    ] {
        assert_eq!(put(headers).await.said(), (status, code), "{headers:?}");
    }
    assert!(lake.buckets().await.list(BUCKET, "").await.unwrap().is_empty());
    assert_eq!(lake.heard(), []);
    assert_eq!(files_below(&root.path().join(".mastic/tmp")), [""; 0]);
}

#[tokio::test]
async fn bytes_in_pieces_are_whole_and_so_are_their_trailers() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start_with(root.path(), Some(("me", "secret"))).await;
    let open = tempfile::tempdir().unwrap();
    let open = TestLake::start(open.path()).await;
    let kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    for (body, said) in [
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            (200, ""),
        ),
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            (400, "BadDigest"),
        ),
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:what\r\n\r\n",
            (400, "InvalidRequest"),
        ),
        ("5\r\nhello\r\n0\r\n\r\n", (400, "MalformedTrailerError")),
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:qvTGHdzF6KLavt4PO0gs2a6pQ00=\r\n\r\n",
            (400, "MalformedTrailerError"),
        ),
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\nx-other:1\r\n\r\n",
            (400, "MalformedTrailerError"),
        ),
        (
            "4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            (400, "IncompleteBody"),
        ),
        (
            "6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            (400, "IncompleteBody"),
        ),
        ("zz\r\nhello\r\n0\r\n\r\n", (400, "IncompleteBody")),
        ("5hello\r\n0\r\n\r\n", (400, "IncompleteBody")),
        ("5\r\nhello", (400, "IncompleteBody")),
        ("", (400, "IncompleteBody")),
    ] {
        let given = [
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "aws-chunked"),
        ];
        let headers = OWNER.headers(&lake, ("PUT", "/lake/k"), &given, kind);
        let answer = ask(&lake, "PUT", "/lake/k", &borrowed(&headers), body.as_bytes()).await;
        assert_eq!(answer.status, said.0, "{body:?}: {answer:?}");
        let headers = [&given[..], &[("x-amz-content-sha256", kind)]].concat();
        let answer = ask(&open, "PUT", "/lake/k", &headers, body.as_bytes()).await;
        assert_eq!(answer.said(), said, "{body:?}");
    }
    assert_eq!(lake.heard().len(), 1);
    assert_eq!(open.heard().len(), 1);
}

#[tokio::test]
async fn a_document_must_be_what_is_said_of_it() {
    let root = tempfile::tempdir().unwrap();
    let keyed = TestLake::start_with(root.path(), Some(("me", "secret"))).await;
    keyed
        .buckets_as("me", "secret")
        .await
        .put(BUCKET, "k", "x")
        .await
        .unwrap();
    let document = b"<Delete><Object><Key>k</Key></Object></Delete>";
    let target = "/lake?delete=";
    let headers = OWNER.headers(&keyed, ("POST", target), &[], &digest(b"another"));
    let answer = ask(&keyed, "POST", target, &borrowed(&headers), document).await;
    assert_eq!(answer.said(), (400, "XAmzContentSHA256Mismatch"));
    let open = tempfile::tempdir().unwrap();
    let open = TestLake::start(open.path()).await;
    open.buckets().await.put(BUCKET, "k", "x").await.unwrap();
    for (name, value, code) in [
        ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "BadDigest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("x-amz-content-sha256", NOTHING, "XAmzContentSHA256Mismatch"),
    ] {
        let answer = ask(&open, "POST", "/lake?delete", &[(name, value)], document).await;
        assert_eq!(answer.said(), (400, code), "{name}");
    }
    assert!(open.buckets().await.head(BUCKET, "k").await.unwrap().is_some());
    let right = digest(document);
    let headers = [("x-amz-content-sha256", right.as_str())];
    let answer = ask(&open, "POST", "/lake?delete", &headers, document).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(open.buckets().await.head(BUCKET, "k").await.unwrap().is_none());
}

/// Uploads two parts, and says of them what `say` makes of the request.
async fn completed(
    lake: &TestLake,
    key: &str,
    algorithm: Option<ChecksumAlgorithm>,
    kind: Option<ChecksumType>,
    say: impl Fn(
        aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder,
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder,
) -> Result<Option<String>, String> {
    let raw = lake.raw();
    let upload = raw
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .set_checksum_algorithm(algorithm)
        .set_checksum_type(kind);
    let upload = upload
        .send()
        .await
        .map_err(|error| error.code().unwrap_or_default().to_owned())?;
    let id = upload.upload_id().unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, bytes) in [(1, vec![b'a'; PART]), (2, b"tail".to_vec())] {
        let part = raw.upload_part().bucket(BUCKET).key(key).upload_id(id);
        let part = part.part_number(number).body(ByteStream::from(bytes));
        let part = part.send().await.unwrap();
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(part.e_tag().map(str::to_owned));
        parts = parts.parts(part.build());
    }
    let complete = raw
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .upload_id(id);
    say(complete.multipart_upload(parts.build()))
        .send()
        .await
        .map(|done| {
            done.checksum_crc32()
                .or(done.checksum_sha256())
                .map(str::to_owned)
        })
        .map_err(|error| error.code().unwrap_or_default().to_owned())
}

/// CRC-32 of both parts together, and of their two CRC-32s: worked out beforehand.
const WHOLE: &str = "cX+/tw==";
const COMPOSED: &str = "4fn9rQ==-2";

#[tokio::test]
async fn an_upload_in_parts_has_the_checksum_that_was_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    let crc = || Some(ChecksumAlgorithm::Crc32);
    let full = || Some(ChecksumType::FullObject);
    let ok = |sum: &str| Ok(Some(sum.to_owned()));
    assert_eq!(completed(&lake, "none", None, None, |c| c).await, Ok(None));
    assert_eq!(completed(&lake, "parts", crc(), None, |c| c).await, ok(COMPOSED));
    assert_eq!(completed(&lake, "whole", crc(), full(), |c| c).await, ok(WHOLE));
    for (key, kind, sum) in [("parts", "COMPOSITE", COMPOSED), ("whole", "FULL_OBJECT", WHOLE)] {
        let head = lake.raw().head_object().bucket(BUCKET).key(key);
        let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(head.checksum_crc32(), Some(sum));
        assert_eq!(head.checksum_type().map(|kind| kind.as_str()), Some(kind));
        let head = lake
            .raw()
            .head_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!(head.checksum_crc32(), None);
    }
    let right = |c: aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder| {
        c.checksum_crc32(WHOLE).checksum_type(ChecksumType::FullObject).mpu_object_size(PART as i64 + 4)
    };
    assert_eq!(completed(&lake, "said", crc(), full(), right).await, ok(WHOLE));
    lake.heard();
    let refused = [
        completed(&lake, "no", crc(), full(), |c| c.checksum_crc32("AAAAAA==")).await,
        completed(&lake, "no", crc(), None, |c| c.checksum_crc32("AAAAAA==-2")).await,
        completed(&lake, "no", None, None, |c| c.checksum_crc32("AAAAAA==")).await,
        completed(&lake, "no", crc(), full(), |c| c.mpu_object_size(7)).await,
        completed(&lake, "no", crc(), full(), |c| {
            c.checksum_type(ChecksumType::Composite)
        })
        .await,
        completed(&lake, "no", Some(ChecksumAlgorithm::Sha256), full(), |c| c).await,
        completed(
            &lake,
            "no",
            Some(ChecksumAlgorithm::Crc64Nvme),
            Some(ChecksumType::Composite),
            |c| c,
        )
        .await,
        completed(&lake, "no", None, full(), |c| c).await,
    ];
    let codes: Vec<&str> = refused
        .iter()
        .map(|refused| refused.as_ref().unwrap_err().as_str())
        .collect();
    let (bad, invalid) = ("BadDigest", "InvalidRequest");
    assert_eq!(
        codes,
        [bad, bad, bad, invalid, invalid, invalid, invalid, invalid]
    );
    assert!(lake.buckets().await.head(BUCKET, "no").await.unwrap().is_none());
    assert_eq!(lake.heard(), []);
    let copy = lake
        .raw()
        .copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source("lake/parts");
    let copy = copy
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .send()
        .await
        .unwrap();
    assert_eq!(copy.copy_object_result().unwrap().checksum_crc32(), Some(WHOLE));
}
