//! Partitions, as a crawl leaves them.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::Segment;

use super::{ACCOUNT, client, create_crawler, refusal, saying};
use crate::harness::TestApp;

const YEARS: [&str; 5] = ["2018", "2019", "2020", "2021", "2022"];

/// A table `lab.sales` with a partition for each year.
async fn crawled(app: &TestApp) -> Client {
    for year in YEARS {
        let rows = format!("id,price\n1,{year}.5\n2,7.25\n");
        app.put("lake", &format!("sales/year={year}/part.csv"), rows.into_bytes())
            .await;
    }
    let glue = client(app);
    let create = create_crawler(&glue, "sales", "s3://lake/sales/", "lab");
    create.send().await.unwrap();
    glue.start_crawler().name("sales").send().await.unwrap();
    app.run_tasks().await;
    glue
}

#[tokio::test]
async fn partitions_are_found_by_their_values() {
    let app = TestApp::start().await;
    let glue = crawled(&app).await;
    let get = || glue.get_partition().database_name("lab").table_name("Sales");

    let partition = get()
        .partition_values("2020")
        .send()
        .await
        .unwrap()
        .partition
        .unwrap();
    assert_eq!(partition.values(), ["2020"]);
    assert_eq!(
        (partition.database_name(), partition.table_name()),
        (Some("lab"), Some("sales"))
    );
    assert_eq!(partition.catalog_id(), Some(ACCOUNT));
    assert!(partition.creation_time().is_some());
    let storage = partition.storage_descriptor.unwrap();
    assert_eq!(storage.location(), Some("s3://lake/sales/year=2020/"));
    assert_eq!(storage.columns().len(), 2);

    let outcome = get().partition_values("1999").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Cannot find partition.")
    );
    let outcome = get().partition_values("2020").partition_values("1").send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");
    let outcome = glue
        .get_partition()
        .database_name("lab")
        .table_name("x")
        .partition_values("1")
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Table x not found.")
    );
}

#[tokio::test]
async fn partitions_are_listed_by_page_and_by_segment() {
    let app = TestApp::start().await;
    let glue = crawled(&app).await;
    let list = || glue.get_partitions().database_name("lab").table_name("sales");

    let mut pages = list().into_paginator().page_size(2).send();
    let mut sizes = Vec::new();
    let mut years = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.partitions().len());
        years.extend(
            page.partitions
                .unwrap()
                .into_iter()
                .flat_map(|partition| partition.values.unwrap()),
        );
    }
    assert_eq!((sizes, years), (vec![2, 2, 1], YEARS.map(str::to_owned).to_vec()));

    let mut all = Vec::new();
    for number in 0..3 {
        let segment = Segment::builder()
            .segment_number(number)
            .total_segments(3)
            .build()
            .unwrap();
        let part = list().segment(segment).expression(" ").send().await.unwrap();
        all.extend(
            part.partitions
                .unwrap()
                .into_iter()
                .flat_map(|partition| partition.values.unwrap()),
        );
    }
    all.sort();
    assert_eq!(all, YEARS, "each partition is in one segment");

    let bare = list().exclude_column_schema(true).send().await.unwrap();
    assert!(
        bare.partitions()[0]
            .storage_descriptor()
            .unwrap()
            .columns()
            .is_empty()
    );

    let found = list().expression("year > '2020' and year <= '2022'").send().await;
    let years: Vec<Vec<String>> = found
        .unwrap()
        .partitions
        .unwrap()
        .into_iter()
        .filter_map(|partition| partition.values)
        .collect();
    assert_eq!(years, [["2021"], ["2022"]]);
    assert_eq!(
        refusal(list().expression("year = ").send().await),
        saying("InvalidInputException", "Unsupported expression 'year = '")
    );
    let beyond = Segment::builder()
        .segment_number(3)
        .total_segments(3)
        .build()
        .unwrap();
    assert_eq!(
        refusal(list().segment(beyond).send().await).0,
        "InvalidInputException"
    );
}

#[tokio::test]
async fn statistics_that_are_not_there_are_deleted_all_the_same() {
    let app = TestApp::start().await;
    let glue = crawled(&app).await;
    let of_table = |table: &str, column: &str| {
        glue.delete_column_statistics_for_table()
            .database_name("lab")
            .table_name(table)
            .column_name(column)
            .send()
    };
    let of_partition = |table: &str, year: &str, column: &str| {
        glue.delete_column_statistics_for_partition()
            .database_name("lab")
            .table_name(table)
            .partition_values(year)
            .column_name(column)
            .send()
    };
    // A column without statistics, and one that the table doesn't have.
    for column in ["price", "shop"] {
        of_table("sales", column).await.unwrap();
        of_partition("sales", "2020", column).await.unwrap();
    }
    let no_table = saying("EntityNotFoundException", "Table x not found.");
    assert_eq!(refusal(of_table("x", "price").await), no_table);
    assert_eq!(refusal(of_partition("x", "2020", "price").await), no_table);
    assert_eq!(
        refusal(of_partition("sales", "1999", "price").await),
        saying("EntityNotFoundException", "Cannot find partition.")
    );
}
