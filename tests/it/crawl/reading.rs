//! What a crawl catalogued, SQL reads: whatever text is written in, packed as, and stands above and below its rows.

use mastic::etl::query;
use serde_json::{Value, json};

use super::{columns, set_aside};
use crate::harness::TestApp;

async fn rows(app: &TestApp, sql: &str) -> Vec<Vec<Value>> {
    query::run(app.app(), sql, 100).await.unwrap().rows
}

fn in_utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// One character a byte.
fn in_latin_1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

/// An LZ4 frame of blocks that are stored as they are.
fn in_lz4(text: &str) -> Vec<u8> {
    let mut packed = b"\x04\x22\x4d\x18\x60\x40\x82".to_vec();
    for block in text.as_bytes().chunks(64 << 10) {
        packed.extend((u32::try_from(block.len()).unwrap() | 1 << 31).to_le_bytes());
        packed.extend(block);
    }
    packed.extend([0; 4]);
    packed
}

/// A ZIP archive of one file that is stored as it is.
fn in_zip(name: &str, text: &str) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    about.extend(crc.sum().to_le_bytes());
    about.extend([length, length].concat());
    about.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    about.extend([0, 0]);
    let mut zip = [b"PK\x03\x04".as_slice(), &about, name.as_bytes(), text.as_bytes()].concat();
    let directory = zip.len();
    zip.extend(
        [
            b"PK\x01\x02\x14\x00".as_slice(),
            &about,
            &[0; 14],
            name.as_bytes(),
        ]
        .concat(),
    );
    let directory_length = u32::try_from(zip.len() - directory).unwrap();
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    zip.extend(directory_length.to_le_bytes());
    zip.extend(u32::try_from(directory).unwrap().to_le_bytes());
    zip.extend([0, 0]);
    zip
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_text_in_other_encodings() {
    let app = TestApp::start().await;
    let text = "id,city,share\n1,Tromsø,0.5\n2,Málaga,1.25\n";
    app.put("lake", "w/utf16/a.csv", in_utf16(text)).await;
    app.put("lake", "w/latin/a.csv", in_latin_1(text)).await;
    let documents = "{\"id\":1,\"city\":\"Tromsø\"}\n{\"id\":2,\"city\":\"Málaga\"}\n";
    app.put("lake", "w/json/a.json", in_utf16(documents)).await;
    let crawl = app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(set_aside(&crawl), Vec::<String>::new());
    for table in ["utf16", "latin"] {
        assert_eq!(
            columns(&app, &format!("w.{table}")).await,
            "id bigint, city string, share double"
        );
        assert_eq!(
            rows(&app, &format!("SELECT city, share FROM w.{table} ORDER BY id")).await,
            [[json!("Tromsø"), json!(0.5)], [json!("Málaga"), json!(1.25)]]
        );
    }
    assert_eq!(
        rows(&app, "SELECT city FROM w.json ORDER BY id DESC").await,
        [[json!("Málaga")], [json!("Tromsø")]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_leaves_out_what_stands_above_and_below_the_rows() {
    let app = TestApp::start().await;
    let report = "Sales of the year\nmade by hand\n\nid,product,sold\n1,\"nuts, \"\"big\"\"\",12\n2,bolts,7\n3,nails,40\n\n\
                  Source: the shop.\n";
    app.put("lake", "w/report/a.csv", report).await;
    let crawl = app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(set_aside(&crawl), Vec::<String>::new());
    assert_eq!(
        columns(&app, "w.report").await,
        "id string, product string, sold string"
    );
    assert_eq!(
        rows(&app, "SELECT id, product, sold FROM w.report ORDER BY id").await,
        [
            [json!(1), json!("nuts, \"big\""), json!(12)],
            [json!(2), json!("bolts"), json!(7)],
            [json!(3), json!("nails"), json!(40)],
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_what_is_packed_as_lz4_or_zip() {
    let app = TestApp::start().await;
    let text: String = (0..30_000).map(|n| format!("{n},{}\n", n * 2)).collect();
    let text = format!("id,twice\n{text}");
    app.put("lake", "w/lz4/a.csv.lz4", in_lz4(&text)).await;
    app.put("lake", "w/zip/a.csv.zip", in_zip("a.csv", &text)).await;
    let crawl = app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(set_aside(&crawl), Vec::<String>::new());
    for table in ["lz4", "zip"] {
        assert_eq!(
            rows(
                &app,
                &format!("SELECT count(*) AS n, sum(twice) AS total FROM w.{table}")
            )
            .await,
            [[json!(30_000), json!(899_970_000)]]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_text_that_begin_alike_are_one_table_with_those_names() {
    let app = TestApp::start().await;
    app.put("lake", "w/words/d=1/a.csv", "haus,boot\nkatze,hund\nbaum,stein\n")
        .await;
    app.put("lake", "w/words/d=2/a.csv", "haus,boot\nmaus,igel\n")
        .await;
    app.put("lake", "w/words/d=3/a.csv", "haus,boot\nbuch,heft\ntor,zaun\n")
        .await;
    app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(columns(&app, "w.words").await, "haus string, boot string");
    assert_eq!(
        rows(&app, "SELECT count(*) AS n, min(haus) AS first FROM w.words").await,
        [[json!(5), json!("baum")]]
    );
}
