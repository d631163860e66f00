//! Bytes that nobody meant to be read: every answer but a crash, a hang or a heap is right.

use std::io::Write;
use std::time::{Duration, Instant};

use classifiers::{
    ClassifyErrorKind, CsvDialect, CsvScanner, JsonDocuments, JsonScanner, Layout, Sample, classify,
};
use expect_test::expect;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use crate::support::{classify_bytes, show};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

#[test]
fn gzip_is_known_by_its_bytes() {
    let whole = gzip(b"id,n\n1,2\n3,4\n");
    let verdict = classify_bytes("a.csv", &whole).expect("CSV");
    assert_eq!(
        (verdict.classification.as_str(), verdict.rows_sampled),
        ("csv", 2)
    );
    assert_eq!(serde_json::to_value(verdict.compression).expect("JSON"), "gzip");
    let two_members = [gzip(b"id,n\n1,2\n"), gzip(b"3,4\n")].concat();
    assert_eq!(
        classify_bytes("a.csv.gz", &two_members)
            .expect("CSV")
            .rows_sampled,
        2
    );
}

#[test]
fn gzip_that_is_broken() {
    let whole = gzip("id,n\n1,2\n3,4\n".repeat(1_000).as_bytes());
    expect![[r#"
        error truncated: the gzip data end too early: the object was cut off while being written or copied; upload it again
    "#]].assert_eq(&show(&classify_bytes("a.csv.gz", &whole[..whole.len() / 2])));
    let mut corrupt = whole.clone();
    corrupt[20] ^= 0xff;
    assert!(classify_bytes("a.csv.gz", &corrupt).is_err());
    expect![[r#"
        error empty: there is nothing inside the gzip compression (0 bytes), so it has no schema
    "#]]
    .assert_eq(&show(&classify_bytes("a.csv.gz", &gzip(b""))));
    expect![[r#"
        UNKNOWN 0 0 rows sampled
          because inside the gzip compression it is compressed with gzip, which is read only when nothing is around it; unpack the object
          because the name says csv, but its content is not
    "#]]
    .assert_eq(&show(&classify_bytes("a.csv.gz", &gzip(&gzip(b"a,b\n")))));
}

#[test]
fn a_cut_sample_of_a_large_gzip_file_is_fine() {
    // Bytes that hardly compress, so that the sample ends in the middle of the stream.
    let mut text = "id,n\n".to_owned();
    let mut state = 1_u64;
    for _ in 0..300_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(&format!("{},{}\n", state >> 33, state >> 40));
    }
    let verdict = classify_bytes("a.csv.gz", &gzip(text.as_bytes())).expect("CSV");
    assert_eq!(verdict.row_count, None);
    assert!(verdict.rows_sampled > 10_000, "{verdict:?}");
    assert!(
        verdict
            .columns
            .iter()
            .all(|c| c.data_type.to_string() == "bigint"),
        "{verdict:?}"
    );
}

#[test]
fn a_bomb_is_cut_short() {
    let bomb = gzip(&vec![b'a'; 100 << 20]);
    let start = Instant::now();
    let _any = classify_bytes("a.csv.gz", &bomb);
    let bomb = gzip("[".repeat(50 << 20).as_bytes());
    let _any = classify_bytes("a.json.gz", &bomb);
    let bomb = gzip("a,\"".repeat(10 << 20).as_bytes());
    let _any = classify_bytes("a.csv.gz", &bomb);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn text_made_to_be_slow() {
    let start = Instant::now();
    for text in [
        ",".repeat(1 << 20),
        "\"".repeat(1 << 20),
        "\n".repeat(1 << 20),
        "#\n".repeat(1 << 19),
        "a,b;c\td|e~f^g:h i\u{1}j\n".repeat(50_000),
        "'\"\\\",;|\n".repeat(100_000),
        "{\"a\":".repeat(1 << 17),
        "{".repeat(1 << 20),
        "[{}".repeat(1 << 18),
        format!(
            "{{{}\"z\":1}}\n",
            (0..60_000).map(|n| format!("\"k{n}\":{n},")).collect::<String>()
        ),
        (0..9_999).map(|n| format!("c{n},")).collect::<String>() + "\n" + &"1,".repeat(9_999) + "\n",
        "a,".repeat(9_999) + "\n" + &"1,".repeat(9_999) + "\n",
    ] {
        let one = Instant::now();
        let _any = classify_bytes("a.csv", text.as_bytes());
        let _any = classify_bytes("a.json", text.as_bytes());
        assert!(
            one.elapsed() < Duration::from_secs(10),
            "{:?} took {:?}",
            &text[..10],
            one.elapsed()
        );
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn formats_that_are_named_but_not_read() {
    for (bytes, expected) in [
        (b"\xfd7zXZ\x00\x00" as &[u8], "xz"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7-Zip"),
        (b"ARROW1\x00\x00", "Arrow"),
        (b"\x00\x01\x02\x03", "binary"),
    ] {
        let verdict = classify_bytes("a.csv", bytes).expect("a verdict");
        assert_eq!(
            (verdict.classification.as_str(), verdict.certainty),
            ("UNKNOWN", 0.0)
        );
        assert!(
            verdict.reasons[0].contains(expected),
            "{:?} for {expected}",
            verdict.reasons
        );
    }
    let text = classify_bytes("a.csv", b"ORC,ELF\n1,2\n").expect("a verdict");
    assert_eq!(text.classification, "csv");
}

/// Small files that are right, to be made wrong.
fn seeds() -> Vec<Vec<u8>> {
    let csv = b"# note\nid;name;when\n1;\"a;b\";2020-01-01\n2;\"c\"\"d\";2020-01-02 10:00\n".to_vec();
    let json = b"{\"a\":1,\"b\":[{\"c\":null},{\"d\":\"x\"}]}\n{\"a\":2.5,\"b\":[]}\n".to_vec();
    let array = b"[{\"a\":1},{\"a\":\"\\u00e9\"}]".to_vec();
    let parquet = crate::parquet::example();
    vec![gzip(&csv), gzip(&json), csv, json, array, parquet]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _any = classify_bytes("a.csv", &bytes);
    }

    #[test]
    fn random_text(text in "[a-c0-3,;|\t\"'\\\\{}\\[\\]:#~^%/*()=\r\n .é-]{0,200}") {
        let _any = classify_bytes("a.csv", text.as_bytes());
        let _any = classify_bytes("a.json", text.as_bytes());
    }

    #[test]
    fn random_footers(footer in prop::collection::vec(any::<u8>(), 0..200)) {
        let length = (footer.len() as u32).to_le_bytes();
        let _any = classify_bytes("a", &[b"PAR1", footer.as_slice(), &length, b"PAR1"].concat());
    }

    #[test]
    fn mutated_files(
        which in 0_usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = seeds().swap_remove(which);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _any = classify_bytes("a.parquet", &bytes);
    }

    /// What `classify` says of a whole file is what a scanner finds with the layout that it named.
    #[test]
    fn classification_and_scan_agree(text in "[a-c0-3,\"\n .-]{0,120}|([a-c0-3|]{1,9}\n){1,9}(\\(2 rows\\))?|(\\{\"a\":[0-9x\"]{1,2}\\}\n?){1,4}") {
        let Ok(verdict) = classify_bytes("a.csv", text.as_bytes()) else { return Ok(()) };
        let scanned = match &verdict.layout {
            Some(Layout::Csv(csv)) => scan_csv(&csv.dialect, text.as_bytes()),
            Some(Layout::Json(json)) => scan_json(json.documents, text.as_bytes()),
            _ => return Ok(()),
        };
        // A scan may refuse what a sample forgives, such as one broken line; what it doesn't refuse is the same.
        if let Some(scanned) = scanned {
            prop_assert_eq!(scanned, (verdict.columns, verdict.rows_sampled));
        }
    }
}

fn scan_csv(dialect: &CsvDialect, bytes: &[u8]) -> Option<(Vec<classifiers::Column>, u64)> {
    let mut scanner = CsvScanner::new(dialect);
    scanner.feed(bytes).ok()?;
    scanner
        .finish()
        .ok()
        .map(|scanned| (scanned.columns, scanned.rows))
}

fn scan_json(documents: JsonDocuments, bytes: &[u8]) -> Option<(Vec<classifiers::Column>, u64)> {
    let mut scanner = JsonScanner::new(documents);
    scanner.feed(bytes).ok()?;
    scanner
        .finish()
        .ok()
        .map(|scanned| (scanned.columns, scanned.rows))
}

/// Small files of every format that is read by hand, to be made wrong.
fn small_files() -> Vec<(&'static str, Vec<u8>)> {
    use crate::packed::{PACKED, hadoop, snappy};
    let avro = crate::avro::header(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null",{"type":"map","values":"R2"}]}]}"#,
        "null",
    );
    let xml = b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY e 'x'>]><r><!-- c --><x a='1'>t<y/><![CDATA[z]]>&amp;</x><x b='2'/></r>";
    let log = b"10.0.0.7 - - [10/Oct/2000:13:55:38 -0700] \"GET / HTTP/1.1\" 200 5\n";
    let mut files = vec![
        ("a.avro", avro),
        ("a.avro", include_bytes!("fixtures/avro/trips.avro").to_vec()),
        ("a.orc", include_bytes!("fixtures/orc/three-rows.orc").to_vec()),
        ("a.xml", xml.to_vec()),
        ("a.log", log.to_vec()),
        ("a.parquet", crate::parquet::example()),
        ("a.snappy", hadoop(&[&[b"id,n\n1,2\n", b"3,4\n"]], snappy)),
        (
            "a.lz4",
            hadoop(&[&[b"id,n\n1,2\n", b"3,4\n"]], lz4_flex::block::compress),
        ),
    ];
    files.extend(crate::orc::EVERY_TYPE.map(|(_, bytes)| ("a.orc", bytes.to_vec())));
    files.extend(PACKED.map(|(_, name, bytes)| (name, bytes.to_vec())));
    files
}

#[test]
fn every_file_cut_off_anywhere() {
    let start = Instant::now();
    for (name, bytes) in small_files() {
        for end in 0..bytes.len() {
            let _any = classify_bytes(name, &bytes[..end]);
            // A head of a larger object, whose tail is the file's own.
            let sample = Sample {
                name,
                size: 10_000_000_000,
                head: &bytes[..end],
                tail: &bytes,
            };
            let _any = classify(&sample);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn every_file_with_bytes_changed() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let start = Instant::now();
    for (name, bytes) in small_files() {
        for _ in 0..1_500 {
            let mut bytes = bytes.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = match random(3) {
                    0 => 0xff,
                    1 => 0,
                    _ => random(256) as u8,
                };
            }
            let _any = classify_bytes(name, &bytes);
        }
    }
    assert!(
        start.elapsed() < Duration::from_secs(120),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn schemas_beyond_a_limit() {
    let start = Instant::now();
    let avro = |schema: &str| classify_bytes("a.avro", &crate::avro::header(schema, "null"));
    // Each type is the next one twice.
    let doubling = (0..30).rev().fold("\"int\"".to_owned(), |inner, n| {
        format!(r#"{{"type":"record","name":"R{n}","fields":[{{"name":"a","type":{inner}}},{{"name":"b","type":"{}"}}]}}"#,
            if n == 29 { "int".to_owned() } else { format!("R{}", n + 1) })
    });
    let deep = r#"{"type":"array","items":"#.repeat(100) + "\"int\"" + &"}".repeat(100);
    let wide: Vec<String> = (0..12_000)
        .map(|n| format!(r#"{{"name":"c{n}","type":"int"}}"#))
        .collect();
    let wide = format!(r#"{{"type":"record","name":"W","fields":[{}]}}"#, wide.join(","));
    for schema in [doubling, deep, wide] {
        assert_eq!(
            avro(&schema).expect_err("a limit").kind,
            ClassifyErrorKind::TooLarge,
            "{}",
            &schema[..60]
        );
    }
    assert!(avro(&"[".repeat(100_000)).is_err());
    // A header of a schema that is said to be ten gigabytes long, and a number without an end.
    for length in [vec![0x80, 0x80, 0x80, 0x80, 0x4a], vec![0xff; 30]] {
        let bytes = [b"Obj\x01\x02\x16avro.schema".to_vec(), length].concat();
        assert!(classify_bytes("a.avro", &bytes).is_err());
    }
    let names: Vec<String> = (0..12_000).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let places: Vec<u64> = (1..=12_000).collect();
    let leaves = vec![crate::orc::node(3, &[], &[]); 12_000];
    let orc = crate::orc::schema(&[vec![crate::orc::node(12, &places, &names)], leaves].concat());
    assert_eq!(
        classify_bytes("a.orc", &orc).expect_err("a limit").kind,
        ClassifyErrorKind::TooLarge
    );
    // Sixteen megabytes of zeros in sixteen kilobytes of footer.
    let mut zlib = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&vec![0; 4 << 20]).expect("to memory");
    let chunk = zlib.finish().expect("to memory");
    let header = ((chunk.len() as u32) << 1).to_le_bytes();
    let footer = [&header[..3], &chunk].concat().repeat(8);
    assert!(classify_bytes("a.orc", &crate::orc::file(&footer, footer.len() as u64, 1)).is_err());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn markup_and_logs_made_to_be_slow() {
    for text in [
        "<".repeat(1 << 20),
        "<a ".repeat(1 << 18),
        "<a b='".repeat(1 << 17),
        "<a>&amp;".repeat(1 << 16),
        format!("<r>{}</r>", "<!---->".repeat(1 << 17)),
        format!("<r>{}</r>", "&".repeat(1 << 20)),
        format!("<!DOCTYPE r [{}", "<".repeat(1 << 20)),
        format!("<r><x>{}</x></r>", "<y/>".repeat(1 << 18)),
        format!("<r>{}</r>", "]]>".repeat(1 << 18)),
        "1.1.1.1 ".repeat(1 << 17),
        "a.".repeat(1 << 17) + "\n",
        ("a.".repeat(1 << 12) + " kernel: ] \", -- /\n").repeat(1 << 7),
        format!("{}\n", "1:".repeat(1 << 15)).repeat(16),
        "10.0.0.7 - - [10/Oct/2000:13:55:38 -0700] \"GET ".repeat(1 << 14),
        "#Fields: ".to_owned() + &"a ".repeat(1 << 18) + "\n1 2\n",
    ] {
        let start = Instant::now();
        let _any = classify_bytes("a", text.as_bytes());
        let _any = classify_bytes("a.xml", text.as_bytes());
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{:?} took {:?}",
            &text[..20],
            start.elapsed()
        );
    }
}
