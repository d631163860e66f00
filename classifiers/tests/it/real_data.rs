//! Files that other people wrote. Skipped, and said so, where they are not at hand.

use std::fs;
use std::path::{Path, PathBuf};

use classifiers::{ClassifyErrorKind, CsvScanner, Verdict};
use expect_test::{Expect, expect};

use crate::support::{classify_bytes, shared_data, show};

fn verdict(path: &Path) -> Verdict {
    let bytes = fs::read(path).expect("test data");
    classify_bytes(&path.display().to_string(), &bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("test data")
        .map(|entry| entry.expect("test data").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no .{extension}", folder.display());
    files
}

fn types(verdict: &Verdict) -> String {
    verdict
        .columns
        .iter()
        .map(|c| format!("{}: {:#}\n", c.name, c.data_type))
        .collect()
}

#[track_caller]
fn check(path: &str, expected: Expect) {
    let Some(data) = shared_data() else { return };
    expected.assert_eq(&types(&verdict(&data.join(path))));
}

/// The spectrum says what each of its files must parse to; names and number of rows are checked here.
#[test]
fn csv_spectrum() {
    let Some(data) = shared_data() else { return };
    for path in files(&data.join("formats/csv/csvs"), "csv") {
        let verdict = verdict(&path);
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let json = fs::read_to_string(data.join(format!("formats/csv/json/{stem}.json"))).expect("test data");
        let expected: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let rows = expected.as_array().cloned().unwrap_or_else(|| vec![expected]);
        let names: Vec<&String> = rows[0].as_object().expect("a row").keys().collect();
        let found: Vec<&String> = verdict.columns.iter().map(|c| &c.name).collect();
        assert_eq!(verdict.classification, "csv", "{stem}");
        assert_eq!(found, names, "{stem}");
        assert_eq!(verdict.rows_sampled, rows.len() as u64, "{stem}");
    }
}

#[test]
fn taxis_as_csv() {
    check(
        "tlc/yellow/yellow_tripdata_sample_2020-04.csv",
        expect![[r#"
        vendor_id: bigint
        pickup_datetime: timestamp
        dropoff_datetime: timestamp
        passenger_count: bigint
        trip_distance: double
        rate_code_id: bigint
        store_and_fwd_flag: string
        pickup_location_id: bigint
        dropoff_location_id: bigint
        payment_type: bigint
        fare_amount: double
        extra: double
        mta_tax: double
        tip_amount: double
        tolls_amount: double
        improvement_surcharge: double
        total_amount: double
        congestion_surcharge: double
    "#]],
    );
    check(
        "tlc/green/green_tripdata_2020-04_with_index.csv",
        expect![[r#"
        trip_id: bigint
        VendorID: double
        lpep_pickup_datetime: timestamp
        lpep_dropoff_datetime: timestamp
        store_and_fwd_flag: string
        RatecodeID: double
        PULocationID: bigint
        DOLocationID: bigint
        passenger_count: double
        trip_distance: double
        fare_amount: double
        extra: double
        mta_tax: double
        tip_amount: double
        tolls_amount: double
        ehail_fee: void
        improvement_surcharge: double
        total_amount: double
        payment_type: double
        trip_type: double
        congestion_surcharge: double
    "#]],
    );
}

#[test]
fn taxis_as_parquet() {
    check(
        "tlc/yellow/yellow_tripdata_2025-01_sample.parquet",
        expect![[r#"
        VendorID: int
        tpep_pickup_datetime: timestamp
        tpep_dropoff_datetime: timestamp
        passenger_count: double
        trip_distance: double
        RatecodeID: double
        store_and_fwd_flag: string
        PULocationID: int
        DOLocationID: int
        payment_type: bigint
        fare_amount: double
        extra: double
        mta_tax: double
        tip_amount: double
        tolls_amount: double
        improvement_surcharge: double
        total_amount: double
        congestion_surcharge: double
        Airport_fee: double
        cbd_congestion_fee: double
    "#]],
    );
    check(
        "tlc/green/green_tripdata_2022-02.parquet",
        expect![[r#"
        VendorID: bigint
        lpep_pickup_datetime: timestamp
        lpep_dropoff_datetime: timestamp
        store_and_fwd_flag: string
        RatecodeID: double
        PULocationID: bigint
        DOLocationID: bigint
        passenger_count: double
        trip_distance: double
        fare_amount: double
        extra: double
        mta_tax: double
        tip_amount: double
        tolls_amount: double
        ehail_fee: void
        improvement_surcharge: double
        total_amount: double
        payment_type: double
        trip_type: double
        congestion_surcharge: double
    "#]],
    );
    let Some(data) = shared_data() else { return };
    let rows = |name: &str| verdict(&data.join("tlc/green").join(name)).row_count;
    assert_eq!(rows("green_tripdata_2022-01.parquet"), Some(62_495));
    assert_eq!(rows("green_tripdata_2022-02.parquet"), Some(69_399));
}

/// A third of this file lies beyond any sample; its vendor is missing there, and only there.
#[test]
fn a_whole_scan_sees_what_the_sample_does_not() {
    let Some(data) = shared_data() else { return };
    let path = data.join("tlc/green/green_tripdata_2020-04_with_index.csv");
    let sampled = verdict(&path);
    let mut scanner = CsvScanner::new(&sampled.csv().expect("CSV").dialect);
    for piece in fs::read(&path).expect("test data").chunks(64 << 10) {
        scanner.feed(piece).expect("CSV");
    }
    let scanned = scanner.finish().expect("CSV");
    assert_eq!(scanned.rows, 35_612);
    assert!(!sampled.columns[1].nullable);
    expect!["VendorID: 24502 of 24502 values parse as double; 11110 more are null"].assert_eq(&format!(
        "{}: {}",
        scanned.columns[1].name, scanned.columns[1].reason
    ));
}

#[test]
fn nested_json() {
    let Some(data) = shared_data() else { return };
    let verdict = verdict(&data.join("formats/json/nginxplus.ndjson"));
    let column = |name: &str| {
        verdict
            .columns
            .iter()
            .find(|c| c.name == name)
            .expect(name)
            .data_type
            .to_string()
    };
    assert_eq!(verdict.classification, "json");
    expect!["struct<accepted:int,dropped:int,active:int,idle:int>"].assert_eq(&column("connections"));
    expect!["bigint"].assert_eq(&column("load_timestamp"));
}

#[test]
fn parquet_of_many_writers() {
    check(
        "formats/parquet/nullable.impala.parquet",
        expect![[r#"
        id: bigint
        int_array: array<int>
        int_array_Array: array<array<int>>
        int_map: map<string,int>
        int_Map_Array: array<map<string,int>>
        nested_struct: struct<A:int,b:array<int>,C:struct<d:array<array<struct<E:int,F:string>>>>,g:map<string,struct<H:struct<i:array<double>>>>>
    "#]],
    );
    check(
        "formats/parquet/old_list_structure.parquet",
        expect![[r#"
        a: array<array<int>>
    "#]],
    );
    check(
        "formats/parquet/map_no_value.parquet",
        expect![[r#"
        my_map: map<int,int>
        my_map_no_v: array<int>
        my_list: array<int>
    "#]],
    );
    check(
        "formats/parquet/nested_maps.snappy.parquet",
        expect![[r#"
        a: map<string,map<int,boolean>>
        b: int
        c: double
    "#]],
    );
    let Some(data) = shared_data() else { return };
    for path in files(&data.join("formats/parquet"), "parquet") {
        assert_eq!(verdict(&path).classification, "parquet", "{}", path.display());
    }
}

/// What is wrong with most of these is in their pages, which are not read. None may do harm.
#[test]
fn bad_parquet() {
    let Some(data) = shared_data() else { return };
    for path in files(&data.join("formats/parquet/bad"), "parquet") {
        let bytes = fs::read(&path).expect("test data");
        let result = classify_bytes("bad.parquet", &bytes);
        if path.ends_with("PARQUET-1481.parquet") {
            assert_eq!(
                result.expect_err("a type that does not exist").kind,
                ClassifyErrorKind::Malformed
            );
        } else {
            assert_eq!(
                result.expect("a verdict").classification,
                "parquet",
                "{}",
                path.display()
            );
        }
        // Every way to cut it off is an error, or asks for no more than there is.
        for end in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
            assert!(
                classify_bytes("bad.parquet", &bytes[..end]).is_err(),
                "{} cut at {end}",
                path.display()
            );
        }
    }
}

#[test]
fn what_is_no_table() {
    let Some(data) = shared_data() else { return };
    for (path, word) in [
        ("formats/parquet/LICENSE.txt", "delimiter"),
        ("README.md", "Markdown"),
    ] {
        let verdict = verdict(&data.join(path));
        assert_eq!(verdict.classification, "UNKNOWN", "{path}");
        assert!(
            verdict.reasons.concat().contains(word),
            "{path}: {}",
            show(&Ok(verdict))
        );
    }
    let empty = classify_bytes("zero.orc", &[]).expect_err("no bytes");
    assert_eq!(empty.kind, ClassifyErrorKind::Empty);
}

/// Reading speed, for `--nocapture --ignored`.
#[test]
#[ignore = "a measurement, not a check"]
fn speed() {
    let Some(data) = shared_data() else { return };
    let path = data.join("tlc/yellow/yellow_tripdata_sample_2020-04.csv");
    let bytes = fs::read(&path).expect("test data");
    let start = std::time::Instant::now();
    let dialect = verdict(&path).csv().expect("CSV").dialect.clone();
    println!("classify: {:?}", start.elapsed());
    let mut scanner = CsvScanner::new(&dialect);
    let start = std::time::Instant::now();
    for _ in 0..50 {
        scanner.feed(&bytes).expect("CSV");
    }
    println!(
        "scan: {:.0} MB/s",
        bytes.len() as f64 * 50.0 / 1e6 / start.elapsed().as_secs_f64()
    );
}
