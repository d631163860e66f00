//! The store keeps its promises on both databases.

use chrono::TimeDelta;
use mastic::clock::ManualClock;
use mastic::error::ErrorKind;
use mastic::model::database::DatabaseInput;
use mastic::model::name::TableRef;
use mastic::model::page::PageRequest;
use mastic::model::partition::PartitionInput;
use mastic::model::table::{Column, StorageDescriptor, Table, TableInput};
use mastic::queue::{self, Halt, Task, Turn};
use mastic::store::partitions::Adding;
use mastic::store::{self, Read, Store, Write};
use tempfile::TempDir;

use crate::both_databases;
use crate::harness::{Database, start_of_time};

both_databases! {
    a_claimed_task_is_not_claimed_again_until_its_lease_runs_out,
    a_worker_that_lost_its_lease_changes_nothing,
    tasks_with_one_serial_key_are_worked_on_one_at_a_time,
    an_update_keeps_the_former_version_and_only_one_of_two_wins,
    partitions_come_in_the_order_of_their_values,
    partitions_are_put_in_order_when_the_type_of_their_key_changes,
    removing_a_database_removes_what_is_in_it,
    what_is_not_committed_did_not_happen,
    numbers_text_and_times_come_back_as_they_went_in,
}

struct TestStore {
    store: Store,
    clock: ManualClock,
    _folder: TempDir,
}

async fn open(database: Database) -> TestStore {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database.url(&folder).await).await.unwrap();
    TestStore {
        store,
        clock: ManualClock::at(start_of_time()),
        _folder: folder,
    }
}

impl TestStore {
    async fn enqueue(&self, run: &str, serial_key: Option<&str>) {
        let mut tx = self.store.write().await.unwrap();
        let task = Task::Run { run: run.to_owned() };
        let now = start_of_time();
        queue::enqueue(
            &mut tx,
            &self.clock,
            &task,
            now,
            Turn::in_series(serial_key.map(str::to_owned)),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn claim(&self) -> Option<(queue::Lease, Task)> {
        queue::claim(&self.store, &self.clock).await.unwrap()
    }

    async fn make_table(&self, columns: &[&str]) -> TableRef {
        let name = TableRef::parse("raw.trips").unwrap();
        let mut tx = self.store.write().await.unwrap();
        let database = DatabaseInput {
            name: "raw".to_owned(),
            ..DatabaseInput::default()
        };
        store::databases::insert(&mut tx, &database, start_of_time())
            .await
            .unwrap();
        store::tables::insert(&mut tx, "t1", "raw", &table(columns), start_of_time())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        name
    }
}

fn table(columns: &[&str]) -> TableInput {
    let columns = columns.iter().map(|name| Column::new(*name, "bigint")).collect();
    TableInput {
        name: "trips".to_owned(),
        storage: Some(StorageDescriptor {
            columns,
            ..StorageDescriptor::default()
        }),
        ..TableInput::default()
    }
}

async fn a_claimed_task_is_not_claimed_again_until_its_lease_runs_out(database: Database) {
    let test = open(database).await;
    test.enqueue("r1", None).await;
    let (first, task) = test.claim().await.unwrap();
    assert_eq!((task, first.attempt), (Task::Run { run: "r1".to_owned() }, 1));
    assert!(test.claim().await.is_none());

    test.clock
        .advance(TimeDelta::from_std(queue::LEASE).unwrap() - TimeDelta::seconds(1));
    assert!(queue::heartbeat(&test.store, &test.clock, &first).await.unwrap());
    test.clock.advance(TimeDelta::seconds(2));
    assert!(test.claim().await.is_none(), "the heartbeat kept it");

    test.clock.advance(TimeDelta::from_std(queue::LEASE).unwrap());
    let (second, _) = test.claim().await.unwrap();
    assert_eq!(second.attempt, 2);
}

async fn a_worker_that_lost_its_lease_changes_nothing(database: Database) {
    let test = open(database).await;
    test.enqueue("r1", None).await;
    let (late, _) = test.claim().await.unwrap();
    test.clock.advance(TimeDelta::hours(1));
    let (current, _) = test.claim().await.unwrap();

    assert!(!queue::heartbeat(&test.store, &test.clock, &late).await.unwrap());
    let mut tx = test.store.write().await.unwrap();
    let held = late.hold(&mut tx, start_of_time()).await;
    assert!(matches!(held, Err(Halt::Lost)), "{held:?}");
    let finished = late.finish(&mut tx).await;
    assert!(matches!(finished, Err(Halt::Lost)), "{finished:?}");
    drop(tx);
    let mut tx = test.store.write().await.unwrap();
    current.finish(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queue::time_to_next(&test.store, &test.clock).await.unwrap(), None);
}

async fn tasks_with_one_serial_key_are_worked_on_one_at_a_time(database: Database) {
    let test = open(database).await;
    test.enqueue("r1", Some("month")).await;
    test.enqueue("r2", Some("month")).await;
    test.enqueue("r3", None).await;
    let (first, _) = test.claim().await.unwrap();
    let (_, other) = test.claim().await.unwrap();
    assert_eq!(other, Task::Run { run: "r3".to_owned() });
    assert!(test.claim().await.is_none());
    let mut tx = test.store.write().await.unwrap();
    first.finish(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(test.claim().await.unwrap().1, Task::Run { run: "r2".to_owned() });
}

async fn an_update_keeps_the_former_version_and_only_one_of_two_wins(database: Database) {
    let test = open(database).await;
    let name = test.make_table(&["a"]).await;
    let mut tx = test.store.write().await.unwrap();
    let first = store::tables::find(&mut tx, &name).await.unwrap().unwrap();
    assert!(
        store::tables::update(&mut tx, &first, &table(&["a", "b"]), true, start_of_time())
            .await
            .unwrap()
    );
    assert!(
        !store::tables::update(&mut tx, &first, &table(&["late"]), true, start_of_time())
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();

    let mut tx = test.store.read().await.unwrap();
    let current = store::tables::find(&mut tx, &name).await.unwrap().unwrap();
    assert_eq!((current.version, current.input), (1, table(&["a", "b"])));
    let current = store::tables::find(&mut tx, &name).await.unwrap().unwrap();
    let former = store::tables::versions(&mut tx, &current, &PageRequest::first(10))
        .await
        .unwrap()
        .items;
    assert_eq!(former.len(), 1);
    assert_eq!((former[0].version, &former[0].input), (0, &table(&["a"])));
}

async fn partitions_come_in_the_order_of_their_values(database: Database) {
    let test = open(database).await;
    let name = test.make_table(&["a"]).await;
    let mut tx = test.store.write().await.unwrap();
    let first = store::tables::find(&mut tx, &name).await.unwrap().unwrap();
    add(
        &mut tx,
        &first,
        &["2022-02", "Ä", "2022-01", "a/b", "B", "2022-02"],
    )
    .await;
    assert_eq!(
        listed(&mut tx, &first).await,
        ["2022-01", "2022-02", "B", "a/b", "Ä"]
    );
}

async fn partitions_are_put_in_order_when_the_type_of_their_key_changes(database: Database) {
    let test = open(database).await;
    let name = test.make_table(&["a"]).await;
    let keyed = |data_type: &str| TableInput {
        partition_keys: vec![Column::new("month", data_type)],
        ..table(&["a"])
    };
    let mut tx = test.store.write().await.unwrap();
    for (data_type, order) in [("string", ["10", "2", "9"]), ("int", ["2", "9", "10"])] {
        let current = store::tables::find(&mut tx, &name).await.unwrap().unwrap();
        let input = keyed(data_type);
        store::tables::update(&mut tx, &current, &input, true, start_of_time())
            .await
            .unwrap();
        let current = store::tables::find(&mut tx, &name).await.unwrap().unwrap();
        add(&mut tx, &current, &["9", "10", "2"]).await;
        assert_eq!(listed(&mut tx, &current).await, order, "{data_type}");
        let ten = ["10".to_owned()];
        let found = store::partitions::find(&mut tx, &current, &ten).await.unwrap();
        assert_eq!(found.unwrap().values(), ten);
    }
}

async fn add(tx: &mut Write, table: &Table, values: &[&str]) {
    let mut adding = Adding::to(table, start_of_time());
    for value in values {
        let input = PartitionInput {
            values: vec![(*value).to_owned()],
            ..PartitionInput::default()
        };
        adding.upsert(tx, &input).await.unwrap();
    }
}

/// The values of all partitions, read two at a time.
async fn listed(tx: &mut Read, table: &Table) -> Vec<String> {
    let mut values = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let found = store::partitions::list(tx, table, &page).await.unwrap();
        values.extend(found.items.iter().map(|partition| partition.values()[0].clone()));
        match found.next {
            Some(next) => page.after = Some(next),
            None => return values,
        }
    }
}

async fn removing_a_database_removes_what_is_in_it(database: Database) {
    let test = open(database).await;
    let name = test.make_table(&["a"]).await;
    let mut tx = test.store.write().await.unwrap();
    assert!(store::databases::delete(&mut tx, "raw").await.unwrap());
    assert!(!store::databases::delete(&mut tx, "raw").await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    assert!(store::tables::find(&mut tx, &name).await.unwrap().is_none());
}

async fn what_is_not_committed_did_not_happen(database: Database) {
    let test = open(database).await;
    let mut tx = test.store.write().await.unwrap();
    let input = DatabaseInput {
        name: "gone".to_owned(),
        ..DatabaseInput::default()
    };
    store::databases::insert(&mut tx, &input, start_of_time())
        .await
        .unwrap();
    drop(tx);
    let mut tx = test.store.write().await.unwrap();
    assert!(store::databases::find(&mut tx, "gone").await.unwrap().is_none());
    store::databases::insert(&mut tx, &input, start_of_time())
        .await
        .unwrap();
    let again = store::databases::insert(&mut tx, &input, start_of_time())
        .await
        .unwrap_err();
    assert_eq!(again.kind, ErrorKind::AlreadyExists);
}

async fn numbers_text_and_times_come_back_as_they_went_in(database: Database) {
    let test = open(database).await;
    let now = start_of_time() + TimeDelta::microseconds(123_456);
    let mut input = DatabaseInput {
        name: "odd".to_owned(),
        ..DatabaseInput::default()
    };
    input
        .parameters
        .insert("quote ' \" \\ 🚕".to_owned(), "line\nbreak".to_owned());
    input.other.insert(
        "Nested".to_owned(),
        serde_json::json!({ "n": 9_007_199_254_740_993_i64, "f": 0.1, "x": null }),
    );
    let mut tx = test.store.write().await.unwrap();
    store::databases::insert(&mut tx, &input, now).await.unwrap();
    let found = store::databases::find(&mut tx, "odd").await.unwrap().unwrap();
    assert_eq!((found.input, found.created_at), (input, now));
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (open(Database::Sqlite).await, open(Database::Postgres).await);
    let ours = sqlite.store.read().await.unwrap().schema().await.unwrap();
    assert!(ours.len() > 50, "{ours:?}");
    assert_eq!(ours, postgres.store.read().await.unwrap().schema().await.unwrap());
}

#[tokio::test]
async fn two_servers_do_not_share_one_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = Database::Sqlite.url(&folder).await;
    let _first = Store::open(&url).await.unwrap();
    let error = Store::open(&url).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("another mastic is using the database"));
}

#[tokio::test]
async fn a_wrong_url_is_refused_without_showing_its_password() {
    let error = Store::open("mysql://root:hush@localhost/x").await.err().unwrap();
    assert!(!error.message.contains("hush"), "{}", error.message);
    let error = Store::open("postgres://root:hush@127.0.0.1:1/x")
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(!error.message.contains("hush"), "{}", error.message);
}
