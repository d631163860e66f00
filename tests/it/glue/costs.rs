//! What pages and batches cost: one of many things takes as many statements as one of a single thing.

use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, ExecutionProperty, JobCommand, PartitionInput, PartitionValueList,
    StorageDescriptor,
};

use super::{Client, a_table, client, column, create_crawler, make_database, make_table};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    pages_cost_the_same_whatever_their_length,
    batches_of_partitions_cost_the_same_whatever_their_length,
    batches_of_tables_and_versions_cost_the_same_whatever_their_length,
    jobs_and_runs_cost_the_same_whatever_their_number,
}

/// Asks for one thing and for many: both cost the same.
macro_rules! costs_the_same {
    ($app:expr, [$one:expr, $many:expr], |$size:ident| $asked:expr) => {{
        let mut costs = Vec::new();
        for $size in [$one, $many] {
            let (cost, answer) = $app.statements($asked.send()).await;
            answer.unwrap();
            costs.push(cost);
        }
        assert_eq!(costs[0], costs[1], "{}", stringify!($asked));
    }};
}

async fn make_crawler(glue: &Client, name: &str) {
    let create = create_crawler(glue, name, "s3://lake/none/", "d");
    create.send().await.unwrap();
}

async fn pages_cost_the_same_whatever_their_length(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    for number in 0..=30 {
        make_crawler(&glue, &format!("c{number:02}")).await;
        make_database(&glue, &format!("d{number:02}")).await;
        make_table(&glue, "d00", &format!("t{number:02}")).await;
    }
    for _ in 0..31 {
        glue.start_crawler().name("c00").send().await.unwrap();
        glue.stop_crawler().name("c00").send().await.unwrap();
        let change = glue.update_table().database_name("d00");
        change.table_input(a_table("t00")).send().await.unwrap();
    }
    costs_the_same!(app, [1, 30], |size| glue.get_crawlers().max_results(size));
    costs_the_same!(app, [1, 30], |size| glue.list_crawlers().max_results(size));
    costs_the_same!(app, [1, 30], |size| glue.get_crawler_metrics().max_results(size));
    let crawls = || glue.list_crawls().crawler_name("c00");
    costs_the_same!(app, [1, 30], |size| crawls().max_results(size));
    costs_the_same!(app, [1, 30], |size| glue.get_databases().max_results(size));
    let tables = || glue.get_tables().database_name("d00");
    costs_the_same!(app, [1, 30], |size| tables().max_results(size));
    let versions = || glue.get_table_versions().database_name("d00").table_name("t00");
    costs_the_same!(app, [1, 30], |size| versions().max_results(size));
    let names = |size: usize| (0..size).map(|number| format!("c{number:02}")).collect();
    let crawlers = |size| glue.batch_get_crawlers().set_crawler_names(Some(names(size)));
    costs_the_same!(app, [1, 30], |size| crawlers(size));
}

/// A partition with a column that no other has, so that none shares anything.
fn partition(number: usize) -> PartitionInput {
    let storage = StorageDescriptor::builder().columns(column(&format!("c{number}"), "int"));
    PartitionInput::builder()
        .values(format!("{number:03}"))
        .storage_descriptor(storage.build())
        .build()
}

/// So many values from a number on.
fn values(from: usize, size: usize) -> Option<Vec<PartitionValueList>> {
    let of = |number: usize| {
        let list = PartitionValueList::builder().values(format!("{number:03}"));
        list.build().unwrap()
    };
    Some((from..from + size).map(of).collect())
}

async fn batches_of_partitions_cost_the_same_whatever_their_length(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    let mut input = a_table("t");
    input.partition_keys = Some(vec![column("k", "string")]);
    let made = glue.create_table().database_name("d").table_input(input);
    made.send().await.unwrap();

    // Those of many begin behind the one.
    let inputs = |size: usize| Some((size..size * 2).map(partition).collect());
    let create = || glue.batch_create_partition().database_name("d").table_name("t");
    costs_the_same!(app, [1, 100], |size| create()
        .set_partition_input_list(inputs(size)));
    let get = || glue.batch_get_partition().database_name("d").table_name("t");
    costs_the_same!(app, [1, 100], |size| get()
        .set_partitions_to_get(values(size, size)));
    let to_another_place = |number: usize| {
        BatchUpdatePartitionRequestEntry::builder()
            .partition_value_list(format!("{number:03}"))
            .partition_input(partition(number + 1000))
            .build()
            .unwrap()
    };
    let entries = |size: usize| Some((size..size * 2).map(to_another_place).collect());
    let update = || glue.batch_update_partition().database_name("d").table_name("t");
    costs_the_same!(app, [1, 100], |size| update().set_entries(entries(size)));
    let list = || glue.get_partitions().database_name("d").table_name("t");
    costs_the_same!(app, [1, 100], |size| list().max_results(size));
    let moved = list().send().await.unwrap().partitions.unwrap();
    let is_moved = |values: &[String]| values[0].len() == 4;
    assert_eq!(moved.len(), 101);
    assert!(moved.iter().all(|partition| is_moved(partition.values())));
    let delete = || glue.batch_delete_partition().database_name("d").table_name("t");
    costs_the_same!(app, [1, 25], |size| delete()
        .set_partitions_to_delete(values(1099 + size, size)));
    assert_eq!(list().send().await.unwrap().partitions().len(), 101 - 26);
}

async fn batches_of_tables_and_versions_cost_the_same_whatever_their_length(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    for number in 0..60 {
        make_table(&glue, "d", &format!("t{number:02}")).await;
        let change = glue.update_table().database_name("d");
        change.table_input(a_table("t00")).send().await.unwrap();
    }
    let versions = |size: usize| Some((size..size * 2).map(|number| number.to_string()).collect());
    let forget = || {
        glue.batch_delete_table_version()
            .database_name("d")
            .table_name("t00")
    };
    costs_the_same!(app, [1, 20], |size| forget().set_version_ids(versions(size)));
    let names = |size: usize| Some((size..size * 2).map(|number| format!("t{number:02}")).collect());
    let delete = || glue.batch_delete_table().database_name("d");
    costs_the_same!(app, [1, 20], |size| delete().set_tables_to_delete(names(size)));
    let left = glue.get_tables().database_name("d").send().await.unwrap();
    assert_eq!(left.table_list().len(), 60 - 21);
}

async fn jobs_and_runs_cost_the_same_whatever_their_number(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    let name = |number: usize| format!("j{number:02}");
    for number in 0..30 {
        let command = JobCommand::builder()
            .name("glueetl")
            .script_location("s3://lake/none.py");
        let made = glue.create_job().name(name(number)).role("any");
        made.command(command.build())
            .execution_property(ExecutionProperty::builder().max_concurrent_runs(40).build())
            .tags("team", "sales")
            .send()
            .await
            .unwrap();
        glue.start_job_run().job_name(name(0)).send().await.unwrap();
    }
    costs_the_same!(app, [1, 30], |size| glue.get_jobs().max_results(size));
    let tagged = || glue.list_jobs().tags("team", "sales");
    costs_the_same!(app, [1, 30], |size| tagged().max_results(size));
    let names = |size: usize| (0..size).map(name).collect();
    let jobs = |size| glue.batch_get_jobs().set_job_names(Some(names(size)));
    costs_the_same!(app, [1, 30], |size| jobs(size));
    let runs = || glue.get_job_runs().job_name(name(0));
    costs_the_same!(app, [1, 30], |size| runs().max_results(size));
}
