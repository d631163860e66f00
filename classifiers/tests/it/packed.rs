//! Compressed objects: by magic number, by Hadoop's names, whole, cut off, corrupt and hostile.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use classifiers::{ClassifyErrorKind, Compression, decompress};
use expect_test::expect;

use crate::support::{classify_bytes, show};

pub(crate) const PACKED: [(Compression, &str, &[u8]); 5] = [
    (
        Compression::Zstd,
        "trips.csv.zst",
        include_bytes!("fixtures/packed/trips.csv.zst"),
    ),
    (
        Compression::Lz4,
        "trips.csv.lz4",
        include_bytes!("fixtures/packed/trips.csv.lz4"),
    ),
    (
        Compression::Snappy,
        "trips.csv.sz",
        include_bytes!("fixtures/packed/trips.csv.sz"),
    ),
    (
        Compression::Bzip2,
        "trips.csv.bz2",
        include_bytes!("fixtures/packed/trips.csv.bz2"),
    ),
    (
        Compression::Zip,
        "trips.zip",
        include_bytes!("fixtures/packed/trips.zip"),
    ),
];

fn trips() -> Vec<u8> {
    let rows = (1..10).map(|n| format!("{n},Oslo,2024-01-{n:02}\n"));
    ["id,city,at\n".to_owned()]
        .into_iter()
        .chain(rows)
        .collect::<String>()
        .into_bytes()
}

/// As Hadoop's codecs write: blocks of pieces.
pub(crate) fn hadoop(blocks: &[&[&[u8]]], pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    for pieces in blocks {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        out.extend((length as u32).to_be_bytes());
        for piece in *pieces {
            let packed = pack(piece);
            out.extend((packed.len() as u32).to_be_bytes());
            out.extend(packed);
        }
    }
    out
}

pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).expect("to memory")
}

fn types(name: &str, bytes: &[u8]) -> (Compression, String) {
    let verdict = classify_bytes(name, bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    let types: Vec<String> = verdict.columns.iter().map(|c| c.data_type.to_string()).collect();
    (verdict.compression, types.join(" "))
}

#[test]
fn known_by_their_bytes() {
    for (compression, name, bytes) in PACKED {
        for name in [name, "misnamed.gz", "nothing"] {
            assert_eq!(
                types(name, bytes),
                (compression, "bigint string date".to_owned()),
                "{name}"
            );
        }
        let mut unpacked = Vec::new();
        decompress(compression, bytes)
            .read_to_end(&mut unpacked)
            .expect(name);
        assert_eq!(unpacked, trips(), "{name}");
    }
}

#[test]
fn hadoops_codecs_are_known_by_name_and_bytes() {
    let trips = trips();
    let (one, two) = trips.split_at(40);
    let snappy = hadoop(&[&[one], &[two]], snappy);
    assert_eq!(
        types("part-0.snappy", &snappy),
        (Compression::HadoopSnappy, "bigint string date".to_owned())
    );
    let lz4 = hadoop(&[&[one, two]], lz4_flex::block::compress);
    assert_eq!(
        types("part-0.lz4", &lz4),
        (Compression::HadoopLz4, "bigint string date".to_owned())
    );
    // The name alone is not enough.
    assert_eq!(
        types("part-0.csv.snappy", &trips),
        (Compression::None, "bigint string date".to_owned())
    );
    let named_otherwise = classify_bytes("part-0.bin", &snappy).expect("a verdict");
    assert_eq!(named_otherwise.compression, Compression::None);
}

#[test]
fn streams_one_after_another() {
    let trips = trips();
    let (one, two) = trips.split_at(40);
    let zstd = |bytes| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    let bytes = [skipped, zstd(one), zstd(two)].concat();
    assert_eq!(
        types("a.zst", &bytes),
        (Compression::Zstd, "bigint string date".to_owned())
    );
    let lz4 = |bytes: &[u8]| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).expect("to memory");
        encoder.finish().expect("to memory")
    };
    assert_eq!(types("a.lz4", &[lz4(one), lz4(two)].concat()).0, Compression::Lz4);
    let mut unpacked = Vec::new();
    let bytes = [lz4(one), lz4(two)].concat();
    decompress(Compression::Lz4, bytes.as_slice())
        .read_to_end(&mut unpacked)
        .expect("LZ4");
    assert_eq!(unpacked, trips);
}

#[test]
fn cut_off_and_corrupt() {
    for (compression, name, bytes) in PACKED {
        let error = classify_bytes(name, &bytes[..bytes.len() - 30]).expect_err(name);
        assert_eq!(error.kind, ClassifyErrorKind::Truncated, "{name}: {error}");
        for at in 0..bytes.len() {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 0x55;
            let _any = classify_bytes(name, &bytes);
            let _any = decompress(compression, bytes.as_slice())
                .take(1 << 20)
                .read_to_end(&mut Vec::new());
            let _any = classify_bytes(name, &bytes[..at]);
        }
    }
}

#[test]
fn a_sample_ends_anywhere() {
    // Numbers without a pattern, so that a megabyte of sample is far from the end.
    let mut text = "id,n\n".to_owned();
    let mut state = 1_u64;
    for _ in 0..300_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(&format!("{},{}\n", state >> 33, state >> 40));
    }
    let text = text.as_bytes();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(text).expect("to memory");
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(text).expect("to memory");
    let mut framed = snap::write::FrameEncoder::new(Vec::new());
    framed.write_all(text).expect("to memory");
    let zstd = ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest);
    let pieces: Vec<&[u8]> = text.chunks(200_000).collect();
    for (name, bytes) in [
        ("a.bz2", bzip2.finish().expect("to memory")),
        ("a.zst", zstd),
        ("a.lz4", lz4.finish().expect("to memory")),
        ("a.sz", framed.into_inner().expect("to memory")),
        ("a.snappy", hadoop(&[&pieces], snappy)),
        ("a.lz4", hadoop(&[&pieces], lz4_flex::block::compress)),
    ] {
        assert!(bytes.len() > 1 << 20, "{name}: {} bytes", bytes.len());
        let verdict = classify_bytes(name, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            (verdict.classification.as_str(), verdict.row_count),
            ("csv", None),
            "{name}"
        );
        assert!(verdict.rows_sampled > 10_000, "{name}: {}", verdict.rows_sampled);
    }
}

/// The bytes of an archive whose files are stored.
fn zip(files: &[(&str, &[u8])], flags: u16, method: u16) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = out.len() as u32;
        let (size, length) = (
            (content.len() as u32).to_le_bytes(),
            (name.len() as u16).to_le_bytes(),
        );
        let shared = [
            &[20, 0],
            &flags.to_le_bytes()[..],
            &method.to_le_bytes(),
            &[0; 8],
            &size,
            &size,
            &length,
            &[0; 2],
        ]
        .concat();
        out.extend([b"PK\x03\x04", shared.as_slice(), name.as_bytes(), content].concat());
        directory.extend(
            [
                b"PK\x01\x02\x14\x00",
                shared.as_slice(),
                &[0; 10],
                &at.to_le_bytes(),
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let (count, start) = (
        (files.len() as u16).to_le_bytes(),
        (out.len() as u32).to_le_bytes(),
    );
    let size = (directory.len() as u32).to_le_bytes();
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &start, &[0; 2]].concat());
    out
}

#[test]
fn zip_archives() {
    let trips = trips();
    assert_eq!(
        types("a.zip", &zip(&[("trips.csv", &trips)], 0, 0)).1,
        "bigint string date"
    );
    assert_eq!(
        types("a.zip", &zip(&[("in/", b""), ("in/trips.csv", &trips)], 0, 0)).1,
        "bigint string date"
    );
    let mut zip64 = zip(&[("trips.csv", &trips)], 0, 0);
    let offset = zip64.len() - 6;
    zip64[offset..offset + 4].fill(0xff);
    assert_eq!(types("a.zip", &zip64).1, "bigint string date");
    let shown = |bytes: &[u8]| show(&classify_bytes("a.zip", bytes));
    expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it is a ZIP archive of several files, and only an archive of one file makes a table; unpack it
    "#]].assert_eq(&shown(&zip(&[("a.csv", &trips), ("b.csv", &trips)], 0, 0)));
    expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it is an Office document (a ZIP archive of XML), which is not read; save it as CSV
    "#]]
    .assert_eq(&shown(&zip(
        &[("[Content_Types].xml", b"<a/>"), ("xl/workbook.xml", b"<a/>")],
        0,
        0,
    )));
    expect![[r#"
        error unsupported: the file in the ZIP archive is encrypted; only unencrypted files can be read
    "#]]
    .assert_eq(&shown(&zip(&[("a.csv", &trips)], 1, 0)));
    expect![[r#"
        error unsupported: the file in the ZIP archive is packed by method 14; only stored and deflated files can be read
    "#]].assert_eq(&shown(&zip(&[("a.csv", &trips)], 0, 14)));
    expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it is an empty ZIP archive, which is recognised but not read
    "#]]
    .assert_eq(&shown(&zip(&[], 0, 0)));
    let large = vec![b'x'; 3 << 20];
    expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it is a ZIP archive of several files, and only an archive of one file makes a table; unpack it
    "#]].assert_eq(&shown(&zip(&[("a.txt", &large), ("b.csv", &trips)], 0, 0)));
}

#[test]
fn bombs_are_cut_short() {
    let zeros = vec![b'a'; 100 << 20];
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(&zeros[..20 << 20]).expect("to memory");
    let zstd =
        ruzstd::encoding::compress_to_vec(zeros.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
    let pieces: Vec<&[u8]> = zeros.chunks(1 << 20).take(60).collect();
    let mut claims = hadoop(&[&pieces], snappy);
    for bytes in [bzip2.finish().expect("to memory"), zstd, claims.clone()] {
        let start = Instant::now();
        let _any = classify_bytes("a.csv.snappy", &bytes);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
    // A block that says it holds four gigabytes.
    claims[..4].fill(0xff);
    let _any = classify_bytes("a.snappy", &claims);
    let _any = decompress(Compression::HadoopSnappy, claims.as_slice())
        .read_to_end(&mut Vec::new())
        .expect_err("too large");
    // A window of two terabytes, and a frame that says it holds as much.
    for header in [
        b"\x28\xb5\x2f\xfd\x00\xf8\x00\x00\x00".to_vec(),
        b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\x00\x00".to_vec(),
    ] {
        assert!(classify_bytes("a.zst", &header).is_err());
    }
}
