//! Files that were made to do harm: each is set aside with its reason, or is a harmless table, and the crawl goes on.

use std::fmt::Write as _;
use std::io::Write as _;

use aws_sdk_glue::types::CreateGrokClassifierRequest;
use flate2::Compression;
use flate2::write::GzEncoder;
use mastic::model::crawl::WorkState;

use super::{hostile_footer, set_aside};
use crate::both_databases;
use crate::glue::{client, create_crawler};
use crate::harness::{Database, TestApp};

both_databases! { hostile_files_are_set_aside_and_the_crawl_succeeds }

/// A hundred MiB of one letter, packed by gzip into a hundred KiB.
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let block = [b'a'; 1 << 20];
    for _ in 0..100 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

/// A zip of one entry that says it is 4 GiB and is nothing of the kind.
fn zip_bomb() -> Vec<u8> {
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0".to_vec();
    zip.extend([0; 4]);
    zip.extend(50_u32.to_le_bytes());
    zip.extend(u32::MAX.to_le_bytes());
    zip.extend(5_u16.to_le_bytes());
    zip.extend(0_u16.to_le_bytes());
    zip.extend(b"a.csv");
    zip.extend([0xff; 50]);
    zip
}

fn billion_laughs() -> String {
    let mut text = "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY l0 \"ha\">".to_owned();
    for at in 1..30 {
        let last = format!("&l{};", at - 1).repeat(10);
        write!(text, "<!ENTITY l{at} \"{last}\">").unwrap();
    }
    text + "<!ENTITY f SYSTEM \"file:///etc/passwd\">]><r><row><a>&l29;&f;</a></row><row><a>1</a></row></r>"
}

async fn hostile_files_are_set_aside_and_the_crawl_succeeds(database: Database) {
    let app = TestApp::start_on(database).await;
    let columns = (0..100_000)
        .map(|at| format!("c{at}"))
        .collect::<Vec<_>>()
        .join(",");
    let zeros = vec!["0"; 100_000].join(",");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("footer.parquet", hostile_footer()),
        ("bomb.csv.gz", gzip_bomb()),
        ("bomb.zip", zip_bomb()),
        (
            "deep.json",
            ["{\"a\":".repeat(10_000), "1".to_owned(), "}".repeat(10_000)]
                .concat()
                .into_bytes(),
        ),
        (
            "deep_list.json",
            ["[".repeat(10_000), "]".repeat(10_000)].concat().into_bytes(),
        ),
        ("wide.csv", format!("{columns}\n{zeros}\n").into_bytes()),
        ("bytes.csv", b"a,b\n\xff\xfe\x80,\xc0\x00\x01\n".to_vec()),
        ("laughs.xml", billion_laughs().into_bytes()),
        // Patterns with nested repetition take for ever to see that this doesn't match, where they backtrack.
        (
            "grok.log",
            format!("{}!\n", "a".repeat(50_000)).repeat(10).into_bytes(),
        ),
        (
            "cut.avro",
            b"Obj\x01\x04\x16avro.schema\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        ),
        ("cut.orc", b"ORC\x00\x00\x00\xff".to_vec()),
        ("empty.csv", Vec::new()),
    ];
    for (name, bytes) in files {
        app.put("lake", &format!("raw/{name}"), bytes).await;
    }
    // A line of a gigabyte, of which the disk holds nothing.
    let line = std::fs::File::create(app.lake_folder().join("lake/raw/line.csv")).unwrap();
    line.set_len(1 << 30).unwrap();
    drop(line);
    app.put("lake", "raw/good/people.csv", "id,name\n1,ada\n2,eva\n")
        .await;

    let glue = client(&app);
    let grok = CreateGrokClassifierRequest::builder()
        .name("slow")
        .classification("slow")
        .grok_pattern("%{SLOW:a}")
        .custom_patterns("SLOW (((a+)+)+)+b")
        .build()
        .unwrap();
    glue.create_classifier()
        .grok_classifier(grok)
        .send()
        .await
        .unwrap();
    let create = create_crawler(&glue, "raw", "s3://lake/raw/", "shop");
    create.classifiers("slow").send().await.unwrap();
    let crawl = mastic::crawl::crawlers::start(app.app(), "raw", false)
        .await
        .unwrap();
    app.run_tasks().await;

    let crawl = mastic::crawl::get(app.app(), &crawl.id).await.unwrap();
    assert_eq!((crawl.state, &crawl.error), (WorkState::Succeeded, &None));
    let aside = set_aside(&crawl);
    let reason = |name: &str| {
        let start = format!("s3://lake/raw/{name}: ");
        let found = aside.iter().find_map(|line| line.strip_prefix(&start));
        found.unwrap_or_else(|| panic!("{name} is not set aside: {aside:#?}"))
    };
    for (name, why) in [
        ("footer.parquet", "footer"),
        ("bomb.csv.gz", ""),
        ("bomb.zip", ""),
        ("deep.json", "deep"),
        ("deep_list.json", "JSON"),
        ("wide.csv", "columns"),
        ("bytes.csv", "binary"),
        ("grok.log", ""),
        ("cut.avro", ""),
        ("cut.orc", ""),
        ("empty.csv", "empty"),
        ("line.csv", ""),
    ] {
        assert!(reason(name).contains(why), "{name}: {}", reason(name));
    }
    let tables = glue.get_tables().database_name("shop").send().await.unwrap();
    let names: Vec<&str> = tables.table_list().iter().map(|table| table.name()).collect();
    // An entity that is not expanded does no harm.
    assert_eq!(names, ["good", "laughs_xml"]);
}
