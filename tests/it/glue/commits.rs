//! Many writers of one table: who knows the current version wins, and nobody's change is lost.

use std::collections::BTreeMap;

use aws_sdk_glue::types::TableInput;

use crate::both_databases;
use crate::harness::{Database, TestApp};

use super::{Client, a_table, client, make_database, make_table, refusal, saying};

const CONFLICT: &str = "Update table failed due to concurrent modifications.";
const WRITERS: usize = 12;
const UPDATES: usize = 20;

both_databases! {
    every_update_that_was_acknowledged_is_a_version,
    an_update_names_the_version_that_it_changes,
    an_iceberg_commit_must_know_what_it_replaces,
    only_as_many_versions_are_kept_as_the_table_says,
}

async fn table_of(glue: &Client) -> aws_sdk_glue::types::Table {
    let got = glue
        .get_table()
        .database_name("d")
        .name("t")
        .send()
        .await
        .unwrap();
    got.table.unwrap()
}

fn with(parameters: &[(&str, &str)]) -> TableInput {
    let mut input = a_table("t");
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    input.parameters = Some(parameters.iter().map(pair).collect());
    input
}

async fn every_update_that_was_acknowledged_is_a_version(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    make_table(&glue, "d", "t").await;

    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let glue = client(&app);
            tokio::spawn(async move {
                for number in 0..UPDATES {
                    // Until nobody came in between.
                    loop {
                        let table = table_of(&glue).await;
                        let mut input = a_table("t");
                        let mut counts: BTreeMap<String, String> =
                            table.parameters.unwrap_or_default().into_iter().collect();
                        counts.insert(format!("writer-{writer}"), (number + 1).to_string());
                        input.parameters = Some(counts.into_iter().collect());
                        let sent = glue
                            .update_table()
                            .database_name("d")
                            .table_input(input)
                            .version_id(table.version_id.unwrap())
                            .send()
                            .await;
                        match sent {
                            Ok(_) => break,
                            Err(error) => assert_eq!(
                                refusal::<(), _>(Err(error)),
                                saying("ConcurrentModificationException", CONFLICT)
                            ),
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }

    let table = table_of(&glue).await;
    assert_eq!(table.version_id.unwrap(), (WRITERS * UPDATES).to_string());
    let counts = table.parameters.unwrap();
    assert_eq!(counts.len(), WRITERS);
    assert!(counts.values().all(|count| *count == UPDATES.to_string()));
    let mut ids = Vec::new();
    let mut pages = glue
        .get_table_versions()
        .database_name("d")
        .table_name("t")
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let versions = page.unwrap().table_versions.unwrap();
        ids.extend(versions.into_iter().map(|version| version.version_id.unwrap()));
    }
    let expected: Vec<String> = (0..=WRITERS * UPDATES).rev().map(|id| id.to_string()).collect();
    assert_eq!(ids, expected, "the newest first, without a gap");
}

async fn an_update_names_the_version_that_it_changes(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    make_table(&glue, "d", "t").await;
    let update = |input: TableInput| glue.update_table().database_name("d").table_input(input);

    update(with(&[("a", "1")])).version_id("0").send().await.unwrap();
    assert_eq!(
        refusal(update(with(&[("a", "2")])).version_id("0").send().await),
        saying("ConcurrentModificationException", CONFLICT)
    );
    // Whoever didn't hear that it won asks again, and is told.
    update(with(&[("a", "1")])).version_id("0").send().await.unwrap();
    assert_eq!(table_of(&glue).await.version_id.unwrap(), "1");
    assert_eq!(
        refusal(update(with(&[("a", "1")])).version_id("5").send().await).0,
        "ConcurrentModificationException"
    );
    assert_eq!(
        refusal(update(with(&[])).version_id("first").send().await).0,
        "InvalidInputException"
    );
    update(with(&[("a", "3")]))
        .skip_archive(true)
        .send()
        .await
        .unwrap();
    let get = |id: &str| {
        glue.get_table_version()
            .database_name("d")
            .table_name("t")
            .version_id(id)
    };
    let former = get("0").send().await.unwrap().table_version.unwrap();
    assert_eq!(former.table.unwrap().parameters, Some(Default::default()));
    assert_eq!(
        refusal(get("1").send().await).0,
        "EntityNotFoundException",
        "it was not archived"
    );
    let delete = |id: &str| {
        glue.delete_table_version()
            .database_name("d")
            .table_name("t")
            .version_id(id)
    };
    assert_eq!(refusal(delete("2").send().await).0, "InvalidInputException");
    delete("0").send().await.unwrap();
    assert_eq!(refusal(delete("0").send().await).0, "EntityNotFoundException");
}

async fn an_iceberg_commit_must_know_what_it_replaces(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    make_table(&glue, "d", "t").await;
    let commit = |next: &str, previous: Option<&str>| {
        let mut parameters = vec![("table_type", "ICEBERG"), ("metadata_location", next)];
        parameters.extend(previous.map(|previous| ("previous_metadata_location", previous)));
        glue.update_table()
            .database_name("d")
            .table_input(with(&parameters))
    };
    commit("s3://x/1", None).send().await.unwrap();
    commit("s3://x/2", Some("s3://x/1")).send().await.unwrap();
    let conflict = saying("ConcurrentModificationException", CONFLICT);
    assert_eq!(
        refusal(commit("s3://x/3", Some("s3://x/1")).send().await),
        conflict
    );
    assert_eq!(refusal(commit("s3://x/3", None).send().await), conflict);
    // Somebody who repairs it by hand knows the version.
    commit("s3://x/1", None).version_id("2").send().await.unwrap();
    let parameters = table_of(&glue).await.parameters.unwrap();
    assert_eq!(parameters["metadata_location"], "s3://x/1");
}

async fn only_as_many_versions_are_kept_as_the_table_says(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_database(&glue, "d").await;
    make_table(&glue, "d", "t").await;
    let update = |kept: &str, number: usize| {
        let number = number.to_string();
        let input = with(&[("mastic.version-retention", kept), ("n", &number)]);
        glue.update_table().database_name("d").table_input(input).send()
    };
    for number in 0..6 {
        update("2", number).await.unwrap();
    }
    let versions = glue
        .get_table_versions()
        .database_name("d")
        .table_name("t")
        .send()
        .await;
    let ids: Vec<String> = versions
        .unwrap()
        .table_versions
        .unwrap()
        .into_iter()
        .map(|version| version.version_id.unwrap())
        .collect();
    assert_eq!(ids, ["6", "5", "4"], "the current one and two former ones");
    let refused = refusal(update("two", 7).await);
    assert_eq!(refused.0, "InvalidInputException");
    assert!(refused.1.contains("mastic.version-retention"));
}
