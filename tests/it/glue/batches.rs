//! Batches: each thing of a request gets the answer that it would get were they asked for one after the other.

use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, ErrorDetail, Partition, PartitionError, PartitionInput,
    PartitionValueList,
};

use super::{Client, a_table, client, column, make_database, make_table};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    partitions_are_updated_one_after_the_other,
    what_is_named_twice_is_there_once,
    tables_and_versions_are_removed_once,
}

const MISSING: &str = "EntityNotFoundException: Cannot find partition.";
const THERE: &str = "AlreadyExistsException: Partition already exists.";

/// A table `d.t` by `k`, with partitions of these values, each of which keeps its value as `from`.
async fn with_partitions(glue: &Client, values: &[&str]) {
    make_database(glue, "d").await;
    let mut input = a_table("t");
    input.partition_keys = Some(vec![column("k", "string")]);
    let made = glue.create_table().database_name("d").table_input(input);
    made.send().await.unwrap();
    let inputs = values.iter().map(|value| partition(&[value], value)).collect();
    assert!(create(glue, inputs).await.is_empty());
}

fn partition(values: &[&str], from: &str) -> PartitionInput {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    PartitionInput::builder()
        .set_values(Some(values))
        .parameters("from", from)
        .build()
}

/// What is refused of partitions that are to be made.
async fn create(glue: &Client, inputs: Vec<PartitionInput>) -> Vec<String> {
    let create = glue.batch_create_partition().database_name("d").table_name("t");
    let created = create.set_partition_input_list(Some(inputs)).send().await;
    refused(created.unwrap().errors())
}

fn refused(errors: &[PartitionError]) -> Vec<String> {
    let told =
        |error: &PartitionError| format!("{} {}", error.partition_values()[0], told(error.error_detail()));
    errors.iter().map(told).collect()
}

fn told(detail: Option<&ErrorDetail>) -> String {
    let detail = detail.unwrap();
    format!(
        "{}: {}",
        detail.error_code().unwrap(),
        detail.error_message().unwrap()
    )
}

async fn get(glue: &Client, value: &str) -> Partition {
    let get = glue.get_partition().database_name("d").table_name("t");
    get.partition_values(value)
        .send()
        .await
        .unwrap()
        .partition
        .unwrap()
}

/// The partitions that there are, in their order: `value from`.
async fn present(glue: &Client) -> Vec<String> {
    let list = glue.get_partitions().database_name("d").table_name("t");
    let told = |partition: &Partition| {
        let from = &partition.parameters().unwrap()["from"];
        format!("{} {from}", partition.values()[0])
    };
    list.send().await.unwrap().partitions().iter().map(told).collect()
}

async fn partitions_are_updated_one_after_the_other(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    with_partitions(&glue, &["a", "b", "c", "d"]).await;
    let made_at = get(&glue, "a").await.creation_time;
    app.advance(std::time::Duration::from_secs(60));
    let moves: [(&str, &[&str]); 9] = [
        ("a", &["x"]),
        // It was moved to there just before.
        ("x", &["y"]),
        // Nothing is there any more.
        ("a", &["z"]),
        // The place is free now.
        ("b", &["a"]),
        ("c", &["d"]),
        ("d", &["d"]),
        ("none", &["new"]),
        ("d", &["d", "d"]),
        // One that keeps its values, once more.
        ("d", &["d"]),
    ];
    let entries = moves.iter().enumerate().map(|(number, (from, to))| {
        BatchUpdatePartitionRequestEntry::builder()
            .partition_value_list(*from)
            .partition_input(partition(to, &format!("{from}{number}")))
            .build()
            .unwrap()
    });
    let update = glue.batch_update_partition().database_name("d").table_name("t");
    let updated = update.set_entries(Some(entries.collect())).send().await.unwrap();
    let errors: Vec<String> = updated
        .errors()
        .iter()
        .map(|error| {
            format!(
                "{} {}",
                error.partition_value_list()[0],
                told(error.error_detail())
            )
        })
        .collect();
    let number = "InvalidInputException: The number of partition keys do not match the number of partition values. \
                  Table t has 1 partition keys, and 2 values were given.";
    let expected = [("a", MISSING), ("c", THERE), ("none", MISSING), ("d", number)];
    assert_eq!(errors, expected.map(|(value, text)| format!("{value} {text}")));
    assert_eq!(present(&glue).await, ["a b3", "c c", "d d8", "y x1"]);
    let moved = get(&glue, "y").await;
    assert_eq!(moved.creation_time, made_at, "it is the same partition still");
}

async fn what_is_named_twice_is_there_once(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    with_partitions(&glue, &["a", "b"]).await;
    let values = |names: &[&str]| {
        let of = |name: &&str| PartitionValueList::builder().values(*name).build().unwrap();
        Some(names.iter().map(of).collect::<Vec<_>>())
    };
    let get = glue.batch_get_partition().database_name("d").table_name("t");
    let asked = values(&["b", "none", "a", "b"]);
    let found = get.set_partitions_to_get(asked).send().await.unwrap();
    let found: Vec<&String> = found
        .partitions()
        .iter()
        .map(|found| &found.values()[0])
        .collect();
    assert_eq!(found, ["b", "a", "b"], "as they were asked for");

    let inputs = ["c", "a", "c"].map(|value| partition(&[value], "again")).to_vec();
    let errors = create(&glue, inputs).await;
    assert_eq!(errors, ["a", "c"].map(|value| format!("{value} {THERE}")));

    let delete = glue.batch_delete_partition().database_name("d").table_name("t");
    let asked = values(&["b", "none", "b"]);
    let deleted = delete.set_partitions_to_delete(asked).send().await.unwrap();
    let errors = refused(deleted.errors());
    assert_eq!(errors, ["none", "b"].map(|value| format!("{value} {MISSING}")));
    assert_eq!(present(&glue).await, ["a a", "c again"]);
}

async fn tables_and_versions_are_removed_once(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    for name in ["a", "b"] {
        make_table(&glue, "d", name).await;
    }
    for _ in 0..2 {
        let change = glue.update_table().database_name("d");
        change.table_input(a_table("a")).send().await.unwrap();
    }
    let versions = ["0", "x", "2", "7", "0"].map(str::to_owned).to_vec();
    let forget = glue
        .batch_delete_table_version()
        .database_name("d")
        .table_name("a");
    let forgotten = forget.set_version_ids(Some(versions)).send().await.unwrap();
    let errors: Vec<String> = forgotten
        .errors()
        .iter()
        .map(|error| format!("{} {}", error.version_id().unwrap(), told(error.error_detail())))
        .collect();
    assert_eq!(
        errors,
        [
            "x InvalidInputException: VersionId 'x' is no version of a table.",
            "2 InvalidInputException: Version 2 is the current one of table a.",
            "7 EntityNotFoundException: Table a has no version 7.",
            "0 EntityNotFoundException: Table a has no version 0.",
        ]
    );

    let arn = format!("arn:aws:glue:us-east-1:{}:table/d/b", super::ACCOUNT);
    let tag = glue.tag_resource().resource_arn(&arn).tags_to_add("team", "x");
    tag.send().await.unwrap();
    let names = ["B", "none", "b"].map(str::to_owned).to_vec();
    let delete = glue.batch_delete_table().database_name("D");
    let deleted = delete.set_tables_to_delete(Some(names)).send().await.unwrap();
    let errors: Vec<String> = deleted
        .errors()
        .iter()
        .map(|error| format!("{} {}", error.table_name().unwrap(), told(error.error_detail())))
        .collect();
    assert_eq!(
        errors,
        [
            "none EntityNotFoundException: Table none not found.",
            "b EntityNotFoundException: Table b not found.",
        ]
    );
    // One of the same name has nothing of the other's.
    make_table(&glue, "d", "b").await;
    let tags = glue.get_tags().resource_arn(&arn).send().await.unwrap();
    assert!(tags.tags().is_none_or(|tags| tags.is_empty()));
}
