//! A million objects, and twenty thousand partitions: what they cost.

use std::time::Instant;

use mastic::crawl::shape::group::{Rules, group};
use mastic::crawl::shape::looks::Looks;
use mastic::crawl::shape::merge::merge;
use mastic::crawl::shape::sample::wanted;
use mastic::crawl::shape::tree::{Builder, File};
use mastic::model::location::Location;

use super::changes;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! { thousands_of_partitions }

/// The most memory that this process ever held, in MiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[test]
#[ignore = "a measurement: run it alone, in a release build"]
fn a_million_objects_in_memory() {
    let target = Location::parse("s3://lake/raw/").unwrap();
    let began = Instant::now();
    let mut builder = Builder::new(&target, Vec::new());
    for partition in 0..20_000_u32 {
        for file in 0..50_u64 {
            let key = format!(
                "raw/trips/year={}/month={:02}/day={:02}/hour={partition}/part-{file:05}-c000.snappy.parquet",
                2000 + partition / 1000,
                partition % 12 + 1,
                partition % 28 + 1,
            );
            let etag = format!("{:032x}", u128::from(partition) * 50 + u128::from(file));
            let file = File {
                name: "",
                etag: &etag,
                size: 1000 + file,
                modified: i64::from(partition),
            };
            builder.add(&key, file);
        }
    }
    let tree = builder.finish();
    println!("listed: {:?}, {} MiB", began.elapsed(), peak_memory());
    let verdict: classifiers::Verdict = serde_json::from_value(serde_json::json!({
        "classification": "parquet", "certainty": 1.0, "classifier": "parquet", "compression": "none",
        "rows_sampled": 0, "row_count": 10, "reasons": [],
        "columns": [{"name": "a", "type": "bigint", "nullable": false, "reason": ""}],
    }))
    .unwrap();
    let mut looks = Looks::default();
    let groups = loop {
        let (groups, _) = group(&target, &tree, Rules::default(), &looks);
        let wanted = wanted(&tree, &groups, None, &looks);
        if wanted.is_empty() {
            break groups;
        }
        println!("{} files are looked at: {:?}", wanted.len(), began.elapsed());
        for at in wanted {
            looks.insert(at, Ok(verdict.clone()));
        }
    };
    let tables = merge(&target, &tree, &groups[0], &looks, &mut Default::default());
    println!("merged: {:?}, {} MiB", began.elapsed(), peak_memory());
    assert_eq!(
        (tables.len(), tables[0].files, tables[0].partitions.len()),
        (1, 1_000_000, 20_000)
    );
}

async fn thousands_of_partitions(database: Database) {
    // MASTIC_SCALE asks for more of them, for a measurement.
    let count = mastic::config::process_environment()
        .get("MASTIC_SCALE")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_500);
    let app = TestApp::start_on(database).await;
    for at in 0..count {
        let folder = app.lake_folder().join(format!("lake/raw/t/d={at}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.csv"), "id,price\n1,2\n2,3\n").unwrap();
    }
    let began = Instant::now();
    let first = app.crawl("s3://lake/raw/", "shop", false).await;
    println!(
        "{count} partitions are added: {:?}, {} MiB",
        began.elapsed(),
        peak_memory()
    );
    assert_eq!(
        changes(&first)[2..],
        [format!("add partitions shop.t: {count} by d")]
    );
    assert_eq!(
        (first.progress.objects, first.progress.files_read <= 200),
        (count, true)
    );
    let table = app.table("shop.t").await;
    let mut tx = app.app().store.read().await.unwrap();
    assert_eq!(
        mastic::store::partitions::count(&mut tx, &table.id)
            .await
            .unwrap(),
        count
    );
    drop(tx);
    let began = Instant::now();
    let again = app.crawl("s3://lake/raw/", "shop", false).await;
    println!("nothing changed: {:?}", began.elapsed());
    assert_eq!((changes(&again), again.progress.files_read), (Vec::new(), 0));
    std::fs::write(
        app.lake_folder().join("lake/raw/t/d=0/b.csv"),
        "id,price,more\n1,2,3\n2,3,4\n",
    )
    .unwrap();
    let began = Instant::now();
    let third = app.crawl("s3://lake/raw/", "shop", false).await;
    println!("all partitions follow: {:?}", began.elapsed());
    assert_eq!(
        changes(&third),
        [
            "add column shop.t.more: bigint".to_owned(),
            "change partitions shop.t: 1".to_owned(),
            format!("change partitions shop.t: {count} follow the table"),
        ]
    );
    let began = Instant::now();
    mastic::crawl::undo(app.app(), &third.id).await.unwrap();
    mastic::crawl::undo(app.app(), &first.id).await.unwrap_err();
    println!("undone: {:?}", began.elapsed());
}
