//! Answers are well-formed XML, whatever a key holds.

use super::raw::ask;
use super::{BUCKET, TestLake};

/// Keys of every kind of character, and how each is spelled in a URL.
const KEYS: [(&str, &str); 9] = [
    ("x/one\u{1}", "x/one%01"),
    ("x/escape\u{1b}[31m", "x/escape%1B%5B31m"),
    ("x/last\u{fffe}", "x/last%EF%BF%BE"),
    ("x/beyond\u{ffff}/k", "x/beyond%EF%BF%BF/k"),
    (
        "x/]]><![CDATA[&amp;\"'",
        "x/%5D%5D%3E%3C%21%5BCDATA%5B%26amp%3B%22%27",
    ),
    ("x/return\r\nline", "x/return%0D%0Aline"),
    ("x/delete\u{7f}\u{85}", "x/delete%7F%C2%85"),
    ("x/emoji🦀\u{2028}", "x/emoji%F0%9F%A6%80%E2%80%A8"),
    ("x/ space +%", "x/%20space%20%2B%25"),
];

/// What every reader of XML 1.0 demands of characters and references.
fn assert_well_formed(text: &str) {
    for c in text.chars() {
        let fine = matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(fine, "{c:?} in {text}");
    }
    assert!(!text.contains("]]>"), "{text}");
    for after in text.split('&').skip(1) {
        let name = after.split(';').next().unwrap();
        let known = ["amp", "lt", "gt", "quot", "apos", "#13", "#10", "#9"];
        assert!(known.contains(&name), "&{name} in {text}");
    }
}

#[tokio::test]
async fn every_answer_can_be_read_whatever_a_key_holds() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    for (_, spelled) in KEYS {
        let put = ask(&lake, "PUT", &format!("/{BUCKET}/{spelled}"), &[], b"x").await;
        assert_eq!(put.status, 200, "{put:?}");
        for target in [
            format!("/{BUCKET}?list-type=2&prefix={spelled}"),
            format!("/{BUCKET}?list-type=2&start-after={spelled}"),
            format!("/{BUCKET}?list-type=2&delimiter={spelled}"),
            format!("/{BUCKET}?prefix={spelled}"),
            format!("/{BUCKET}?marker={spelled}&max-keys=1"),
            format!("/{BUCKET}?uploads&prefix={spelled}"),
            format!("/{BUCKET}?uploads&key-marker={spelled}"),
        ] {
            let answer = ask(&lake, "GET", &target, &[], b"").await;
            assert_eq!(answer.status, 200, "{target}: {answer:?}");
            assert_well_formed(&answer.body);
        }
        let upload = ask(&lake, "POST", &format!("/{BUCKET}/{spelled}?uploads"), &[], b"").await;
        assert_eq!(upload.status, 200);
        assert_well_formed(&upload.body);
        let id = upload
            .body
            .split_once("<UploadId>")
            .unwrap()
            .1
            .split_once('<')
            .unwrap()
            .0;
        let part = format!("/{BUCKET}/{spelled}?partNumber=1&uploadId={id}");
        assert_eq!(ask(&lake, "PUT", &part, &[], b"y").await.status, 200);
        let upload = format!("/{BUCKET}/{spelled}?uploadId={id}");
        let parts = ask(&lake, "GET", &upload, &[], b"").await;
        assert_eq!(parts.status, 200);
        assert_well_formed(&parts.body);
        let pending = ask(&lake, "GET", &format!("/{BUCKET}?uploads"), &[], b"").await;
        assert_well_formed(&pending.body);
        let document =
            b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>";
        let done = ask(&lake, "POST", &upload, &[], document).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert_well_formed(&done.body);
        let source = format!("/{BUCKET}/{spelled}");
        let copy = ask(
            &lake,
            "PUT",
            &format!("/{BUCKET}/copy"),
            &[("x-amz-copy-source", &source)],
            b"",
        )
        .await;
        assert_eq!(copy.status, 200, "{copy:?}");
        assert_well_formed(&copy.body);
        let none = ask(&lake, "GET", &format!("/{BUCKET}/{spelled}/none"), &[], b"").await;
        assert_eq!(none.code(), "NoSuchKey");
        assert_well_formed(&none.body);
    }
    for target in [
        "?list-type=2",
        "?list-type=2&delimiter=%2F&prefix=x%2F",
        "?delimiter=%01",
        "?list-type=2&max-keys=3",
    ] {
        let answer = ask(&lake, "GET", &format!("/{BUCKET}{target}"), &[], b"").await;
        assert_well_formed(&answer.body);
        // It says how its keys are written, and so they come back as they are.
        if target == "?list-type=2" {
            assert!(answer.body.contains("<EncodingType>url</EncodingType>"));
            for (_, spelled) in KEYS {
                assert!(
                    answer.body.contains(&format!("<Key>{spelled}</Key>")),
                    "{spelled}"
                );
            }
        }
    }
    let plain = ask(
        &lake,
        "GET",
        &format!("/{BUCKET}?list-type=2&prefix=x/%20"),
        &[],
        b"",
    )
    .await;
    assert!(!plain.body.contains("EncodingType") && plain.body.contains("<Key>x/ space +%</Key>"));
    let ended = ask(
        &lake,
        "GET",
        &format!("/{BUCKET}?list-type=2&prefix=x/return"),
        &[],
        b"",
    )
    .await;
    assert!(
        ended.body.contains("<Key>x/return&#13;\nline</Key>"),
        "{}",
        ended.body
    );
}

#[tokio::test]
async fn a_batch_deletion_can_be_read_too() {
    let root = tempfile::tempdir().unwrap();
    let lake = TestLake::start(root.path()).await;
    for (_, spelled) in KEYS {
        ask(&lake, "PUT", &format!("/{BUCKET}/{spelled}"), &[], b"x").await;
    }
    let mut document = "<Delete>".to_owned();
    for key in [
        "x/one\u{1}",
        "x/escape\u{1b}[31m",
        "x/return&#13;&#10;line",
        "x/last\u{fffe}",
        "..",
        "a/\u{1}/../b",
    ] {
        document.push_str(&format!("<Object><Key>{key}</Key></Object>"));
    }
    document.push_str("</Delete>");
    let answer = ask(
        &lake,
        "POST",
        &format!("/{BUCKET}?delete"),
        &[],
        document.as_bytes(),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_well_formed(&answer.body);
    let (deleted, errors) = (
        answer.body.matches("<Deleted>").count(),
        answer.body.matches("<Error>").count(),
    );
    assert_eq!((deleted, errors), (4, 2));
    assert_eq!(
        lake.buckets().await.list(BUCKET, "").await.unwrap().len(),
        KEYS.len() - 4
    );
}
