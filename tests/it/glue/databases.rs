//! Databases.

use aws_sdk_glue::types::{DatabaseAttributes, DatabaseInput, PrincipalPermissions, ResourceShareType};

use super::{ACCOUNT, client, make_database, make_table, refusal, saying};
use crate::harness::TestApp;

#[tokio::test]
async fn a_database_comes_back_as_it_was_sent() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let input = DatabaseInput::builder()
        .name("Sales")
        .description("What was sold")
        .location_uri("s3://lake/sales/")
        .parameters("owner", "ada")
        .create_table_default_permissions(PrincipalPermissions::builder().build())
        .build()
        .unwrap();
    glue.create_database()
        .catalog_id(ACCOUNT)
        .database_input(input)
        .send()
        .await
        .unwrap();

    let database = glue
        .get_database()
        .name("SALES")
        .send()
        .await
        .unwrap()
        .database
        .unwrap();
    assert_eq!(
        database.name(),
        "sales",
        "names are folded, when written and when looked for"
    );
    assert_eq!(database.description(), Some("What was sold"));
    assert_eq!(database.location_uri(), Some("s3://lake/sales/"));
    assert_eq!(database.parameters().unwrap()["owner"], "ada");
    assert_eq!(database.create_table_default_permissions().len(), 1);
    assert_eq!(database.catalog_id(), Some(ACCOUNT));
    assert!(database.create_time().is_some());
}

#[tokio::test]
async fn refusals_say_what_clients_look_for() {
    let app = TestApp::start().await;
    let glue = client(&app);
    make_database(&glue, "sales").await;

    let again = DatabaseInput::builder().name("sales").build().unwrap();
    let outcome = glue.create_database().database_input(again.clone()).send().await;
    assert_eq!(
        refusal(outcome),
        saying("AlreadyExistsException", "Database already exists.")
    );
    let outcome = glue.get_database().name("nowhere").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Database nowhere not found.")
    );
    let outcome = glue.delete_database().name("nowhere").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Database nowhere not found.")
    );
    let outcome = glue
        .get_database()
        .catalog_id("999999999999")
        .name("sales")
        .send()
        .await;
    assert_eq!(refusal(outcome).0, "AccessDeniedException");
    let unnamed = glue.get_database().send().await;
    assert_eq!(
        refusal(unnamed),
        saying(
            "ValidationException",
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
        )
    );
}

#[tokio::test]
async fn lists_are_paged_and_deletion_takes_the_tables_along() {
    let app = TestApp::start().await;
    let glue = client(&app);
    for name in ["c", "a", "b"] {
        make_database(&glue, name).await;
    }
    let first = glue.get_databases().max_results(2).send().await.unwrap();
    let names: Vec<&str> = first
        .database_list()
        .iter()
        .map(|database| database.name())
        .collect();
    assert_eq!(names, ["a", "b"]);
    let rest = glue
        .get_databases()
        .max_results(2)
        .set_next_token(first.next_token)
        .send()
        .await
        .unwrap();
    assert_eq!((rest.database_list()[0].name(), rest.next_token()), ("c", None));

    let names_only = glue
        .get_databases()
        .attributes_to_get(DatabaseAttributes::Name)
        .send()
        .await
        .unwrap();
    assert!(
        names_only
            .database_list()
            .iter()
            .all(|database| database.create_time().is_none())
    );
    let foreign = glue
        .get_databases()
        .resource_share_type(ResourceShareType::Foreign)
        .send()
        .await
        .unwrap();
    assert!(foreign.database_list().is_empty());

    let outcome = glue.get_databases().next_token("made up").send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");
    let outcome = glue.get_databases().max_results(101).send().await;
    assert!(refusal(outcome).1.contains("Value '101' at 'maxResults'"));

    make_table(&glue, "a", "t").await;
    glue.delete_database().name("a").send().await.unwrap();
    make_database(&glue, "a").await;
    assert!(
        glue.get_tables()
            .database_name("a")
            .send()
            .await
            .unwrap()
            .table_list()
            .is_empty()
    );
}
