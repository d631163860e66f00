//! Trying connections: who is let in, and what is said when nobody is.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{Theirs, crawl_path, make_connection, post};
use crate::glue::{client, refusal};
use crate::harness::TestApp;

/// A connection of these settings, tried: the status, and what is said.
async fn tried(app: &TestApp, name: &str, url: &str, others: &[(&str, &str)], status: u16) -> Value {
    make_connection(app, name, url, others).await;
    post(
        app,
        &format!("/api/v1/connections/{name}/test"),
        json!({}),
        status,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_is_tried_for_real() {
    let (postgres, mariadb) = (Theirs::postgres().await, Theirs::mariadb().await);
    let user = format!("ada_{}", postgres.name);
    postgres
        .run(&format!(
            "DO $$ BEGIN CREATE ROLE signs_in; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             CREATE ROLE {user} LOGIN PASSWORD 's3cret!' IN ROLE signs_in"
        ))
        .await;
    mariadb
        .run(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY 's3cret!'; GRANT ALL ON {}.* TO {user}@'%'",
            mariadb.name
        ))
        .await;
    let app = TestApp::start().await;
    let right = [("USERNAME", user.as_str()), ("PASSWORD", "s3cret!")];
    let wrong = [("USERNAME", user.as_str()), ("PASSWORD", "Xq7wrong")];
    for (theirs, engine, kind) in [(&postgres, "PostgreSQL", "pg"), (&mariadb, "MySQL", "my")] {
        let server = format!("{engine} at {}", theirs.address);
        let answer = tried(&app, kind, &theirs.jdbc(), &right, 200).await;
        let message = answer["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{server} (1")), "{message}");
        assert!(
            message.ends_with(&format!(") let {user} into {}", theirs.name)),
            "{message}"
        );

        let refused = tried(&app, &format!("{kind}_wrong"), &theirs.jdbc(), &wrong, 403).await;
        assert_eq!(
            refused["detail"],
            format!("{server} refused {user}: the name or the password is wrong")
        );
        assert!(
            refused["hint"]
                .as_str()
                .unwrap()
                .starts_with("set USERNAME and PASSWORD")
        );
        assert!(!refused.to_string().contains("Xq7wrong"));
        let url = theirs.jdbc().replace(&theirs.name, "no_such_shop");
        let (name, owner) = (format!("{kind}_nowhere"), [("USERNAME", "mastic")]);
        let refused = tried(&app, &name, &url, &owner, 404).await;
        assert_eq!(
            refused["detail"],
            format!("{server} has no database no_such_shop")
        );

        let nobody = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let url = theirs.jdbc().replace(&theirs.address, &nobody);
        let refused = tried(&app, &format!("{kind}_away"), &url, &right, 503).await;
        let detail = refused["detail"].as_str().unwrap();
        assert!(
            detail.starts_with(&format!(
                "{engine} at {nobody} can't be reached: Connection refused"
            )),
            "{detail}"
        );
    }
    let glue = client(&app);
    let (exception, message) = refusal(glue.test_connection().connection_name("pg_wrong").send().await);
    assert_eq!(exception, "InvalidInputException");
    assert!(message.contains("the name or the password is wrong") && !message.contains("Xq7wrong"));
    glue.test_connection().connection_name("my").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_one_side_lacks_is_named() {
    let (postgres, mariadb) = (Theirs::postgres().await, Theirs::mariadb().await);
    let user = format!("eve_{}", postgres.name);
    postgres
        .run(&format!(
            "DO $$ BEGIN CREATE ROLE comes_by_tls; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             CREATE ROLE {user} LOGIN IN ROLE comes_by_tls"
        ))
        .await;
    mariadb
        .run(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY 'x' REQUIRE SSL; GRANT ALL ON {}.* TO {user}@'%'",
            mariadb.name
        ))
        .await;
    let app = TestApp::start().await;
    let user = ("USERNAME", user.as_str());
    let refused = tried(&app, "only_tls", &postgres.jdbc(), &[user], 400).await;
    assert_eq!(
        refused["detail"],
        format!(
            "PostgreSQL at {} takes encrypted connections only",
            postgres.address
        )
    );
    let enforced = ("JDBC_ENFORCE_SSL", "true");
    let refused = tried(
        &app,
        "no_tls",
        &postgres.jdbc(),
        &[("USERNAME", "mastic"), enforced],
        400,
    )
    .await;
    assert_eq!(
        refused["detail"],
        format!(
            "PostgreSQL at {} offers no TLS, and the connection demands it",
            postgres.address
        )
    );

    let password = ("PASSWORD", "x");
    tried(&app, "by_tls", &mariadb.jdbc(), &[user, password, enforced], 200).await;
    let url = format!("{}?sslMode=disable", mariadb.jdbc());
    let refused = tried(&app, "without", &url, &[user, password], 403).await;
    assert!(
        refused["hint"]
            .as_str()
            .unwrap()
            .contains("may have to come by TLS"),
        "{refused}"
    );
    let url = format!("{}?sslMode=verify-full", mariadb.jdbc());
    let refused = tried(&app, "unknown", &url, &[user, password], 400).await;
    assert!(
        refused["detail"].as_str().unwrap().contains("TLS failed"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_says_so() {
    let app = TestApp::start().await;
    let body = json!({ "name": "inside", "kind": "NETWORK", "properties": {} });
    post(&app, "/api/v1/connections", body, 201).await;
    let refused = post(&app, "/api/v1/connections/inside/test", json!({}), 400).await;
    assert_eq!(
        refused["detail"],
        "a connection of type NETWORK can't be tried: it names no host and port"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("jdbc:sqlserver://{address};databaseName=x");
    let answer = tried(&app, "other", &url, &[], 200).await;
    assert_eq!(
        answer["message"],
        format!("{address} can be reached; nobody signed in, because that can't be done with what is there")
    );
    let crawler =
        json!({ "name": "c", "database": "lab", "targets": [{ "path": "x/%", "connection": "other" }] });
    let refused = post(&app, "/api/v1/crawlers", crawler, 400).await;
    assert_eq!(
        refused["detail"],
        "connection other: databases of jdbc:sqlserver: can't be read"
    );
    let crawler =
        json!({ "name": "c", "database": "lab", "targets": [{ "path": "x/%", "connection": "missing" }] });
    let refused = post(&app, "/api/v1/crawlers", crawler, 404).await;
    assert_eq!(refused["detail"], "connection missing not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_is_not_let_in_says_why_and_changes_nothing() {
    let theirs = Theirs::postgres().await;
    theirs.run("CREATE TABLE orders (id int)").await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let path = format!("{}/public/%", theirs.name);
    crawl_path(&app, &path, &[]).await;
    make_connection(
        &app,
        "stranger",
        &theirs.jdbc(),
        &[("USERNAME", "nobody_at_all"), ("PASSWORD", "Xq7wrong")],
    )
    .await;
    let mut request = super::request(&path, &[]);
    request.targets[0].connection = Some("stranger".to_owned());
    let crawl = app.crawl_as(request).await;
    let error = crawl.error.unwrap();
    assert!(
        error.starts_with(&format!(
            "connection stranger: PostgreSQL at {} refused nobody_at_all: the name or the password is wrong",
            theirs.address
        )),
        "{error}"
    );
    assert!(!error.contains("Xq7wrong") && crawl.plan.is_none());
    let orders = app.table(&theirs.table("public_orders")).await;
    assert_eq!(orders.version, 0);
}
