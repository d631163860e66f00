//! Tables.

use aws_sdk_glue::primitives::DateTime;
use aws_sdk_glue::types::{
    OpenTableFormatInput, Order, PartitionIndex, SerDeInfo, SkewedInfo, StorageDescriptor, TableAttributes,
    TableIdentifier, TableInput,
};

use super::{ACCOUNT, a_table, client, column, make_database, make_table, refusal, saying};
use crate::harness::TestApp;

fn everything() -> TableInput {
    let serde = SerDeInfo::builder()
        .name("reader")
        .serialization_library("org.apache.hadoop.hive.serde2.OpenCSVSerde")
        .parameters("separatorChar", ";");
    let storage = StorageDescriptor::builder()
        .columns(column("Id", "bigint"))
        .columns(column("name", "struct<first:string,last:string>"))
        .location("s3://lake/people/")
        .additional_locations("s3://lake/more-people/")
        .input_format("org.apache.hadoop.mapred.TextInputFormat")
        .output_format("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
        .compressed(true)
        .number_of_buckets(-1)
        .serde_info(serde.build())
        .bucket_columns("id")
        .sort_columns(Order::builder().column("id").sort_order(1).build().unwrap())
        .parameters("classification", "csv")
        .skewed_info(SkewedInfo::builder().skewed_column_names("id").build())
        .stored_as_sub_directories(true)
        .build();
    TableInput::builder()
        .name("People")
        .description("Who we know")
        .owner("ada")
        .last_access_time(DateTime::from_secs(1_600_000_000))
        .retention(7)
        .storage_descriptor(storage)
        .partition_keys(column("Year", "string"))
        .view_original_text("SELECT 1")
        .view_expanded_text("SELECT 1 AS one")
        .table_type("EXTERNAL_TABLE")
        .parameters("classification", "csv")
        .target_table(
            TableIdentifier::builder()
                .database_name("other")
                .name("people")
                .build(),
        )
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_table_comes_back_as_it_was_sent() {
    let app = TestApp::start().await;
    let glue = client(&app);
    make_database(&glue, "crm").await;
    let sent = everything();
    glue.create_table()
        .database_name("CRM")
        .table_input(sent.clone())
        .send()
        .await
        .unwrap();
    let table = glue
        .get_table()
        .database_name("crm")
        .name("PEOPLE")
        .send()
        .await
        .unwrap()
        .table
        .unwrap();

    assert_eq!((table.name(), table.database_name()), ("people", Some("crm")));
    assert_eq!(
        (table.version_id(), table.catalog_id()),
        (Some("0"), Some(ACCOUNT))
    );
    assert!(table.create_time().is_some() && table.update_time().is_some() && table.created_by().is_some());
    assert!(!table.is_registered_with_lake_formation());
    assert_eq!(
        (table.description(), table.owner()),
        (sent.description(), sent.owner())
    );
    assert_eq!((table.retention(), table.table_type()), (7, sent.table_type()));
    assert_eq!(table.last_access_time(), sent.last_access_time());
    assert_eq!(table.view_original_text(), sent.view_original_text());
    assert_eq!(table.view_expanded_text(), sent.view_expanded_text());
    assert_eq!(table.target_table(), sent.target_table());
    assert_eq!(table.parameters(), sent.parameters());
    assert_eq!(table.partition_keys()[0].name(), "year");

    let mut storage = sent.storage_descriptor.unwrap();
    storage.columns.as_mut().unwrap()[0].name = "id".to_owned();
    assert_eq!(
        table.storage_descriptor.unwrap(),
        storage,
        "all of it, the columns' names in lower case"
    );
}

#[tokio::test]
async fn refusals_say_what_clients_look_for() {
    let app = TestApp::start().await;
    let glue = client(&app);
    make_database(&glue, "crm").await;
    make_table(&glue, "crm", "people").await;
    let create = |database: &str| glue.create_table().database_name(database);

    let outcome = create("crm").table_input(a_table("People")).send().await;
    assert_eq!(
        refusal(outcome),
        saying("AlreadyExistsException", "Table already exists.")
    );
    let outcome = create("nowhere").table_input(a_table("people")).send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Database nowhere not found.")
    );
    let outcome = glue.get_table().database_name("crm").name("pets").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Table pets not found.")
    );
    let outcome = glue
        .get_table()
        .database_name("nowhere")
        .name("pets")
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Database nowhere not found.")
    );
    let outcome = glue.get_tables().database_name("nowhere").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Database nowhere not found.")
    );
    let outcome = create("crm").send().await;
    assert!(refusal(outcome).1.contains("Value null at 'tableInput'"));
    let twice = StorageDescriptor::builder()
        .columns(column("a", "int"))
        .columns(column("A", "int"))
        .build();
    let input = TableInput::builder()
        .name("t")
        .storage_descriptor(twice)
        .build()
        .unwrap();
    let outcome = create("crm").table_input(input).send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");

    let index = PartitionIndex::builder()
        .keys("year")
        .index_name("i")
        .build()
        .unwrap();
    let outcome = create("crm")
        .table_input(a_table("t"))
        .partition_indexes(index)
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        saying("InvalidInputException", "Year is no partition key of table t.")
    );
    let outcome = glue.get_table().database_name("crm").name("t").send().await;
    assert_eq!(
        refusal(outcome).0,
        "EntityNotFoundException",
        "nothing is half made"
    );
    let iceberg = OpenTableFormatInput::builder().build();
    let outcome = create("crm")
        .name("t")
        .open_table_format_input(iceberg)
        .send()
        .await;
    assert!(refusal(outcome).1.contains("Value null at 'tableInput'"));

    glue.delete_table()
        .database_name("crm")
        .name("people")
        .send()
        .await
        .unwrap();
    let outcome = glue
        .delete_table()
        .database_name("crm")
        .name("people")
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Table people not found.")
    );
}

#[tokio::test]
async fn tables_are_listed_by_pattern_and_by_page() {
    let app = TestApp::start().await;
    let glue = client(&app);
    make_database(&glue, "taxi").await;
    for name in ["green_1", "green_2", "green_3", "yellow_1"] {
        make_table(&glue, "taxi", name).await;
    }
    let list = || glue.get_tables().database_name("taxi");
    let names = |tables: &[aws_sdk_glue::types::Table]| -> Vec<String> {
        tables.iter().map(|table| table.name().to_owned()).collect()
    };
    for (expression, expected) in [
        ("green*", vec!["green_1", "green_2", "green_3"]),
        ("*_1", vec!["green_1", "yellow_1"]),
        ("green_[12]|YELLOW.*", vec!["green_1", "green_2", "yellow_1"]),
        ("green", vec![]),
        ("", vec!["green_1", "green_2", "green_3", "yellow_1"]),
    ] {
        let found = list().expression(expression).send().await.unwrap();
        assert_eq!(names(found.table_list()), expected, "{expression}");
    }
    let outcome = list().expression("green(").send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");

    let first = list().expression("green*").max_results(2).send().await.unwrap();
    assert_eq!(names(first.table_list()), ["green_1", "green_2"]);
    let rest = list()
        .expression("green*")
        .set_next_token(first.next_token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (names(rest.table_list()), rest.next_token),
        (vec!["green_3".to_owned()], None)
    );

    let reduced = list()
        .attributes_to_get(TableAttributes::Name)
        .max_results(1)
        .send()
        .await
        .unwrap();
    assert!(reduced.table_list()[0].storage_descriptor().is_none());
}
