//! MariaDB's tables in the catalog, in the same words as MySQL's.

use serde_json::json;

use super::{Theirs, crawl_path, found, make_connection, post, refused};
use crate::api::send;
use crate::crawl::{changes, columns, set_aside};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_crawls_a_database() {
    let theirs = Theirs::mariadb().await;
    theirs
        .run(
            "CREATE TABLE orders (id bigint unsigned PRIMARY KEY, total decimal(10,2) NOT NULL COMMENT 'With tax',
                note varchar(20)) COMMENT 'What was bought';
             INSERT INTO orders SELECT seq, seq, '' FROM seq_1_to_500;
             ANALYZE TABLE orders;
             CREATE VIEW large_orders AS SELECT * FROM orders WHERE total > 100;
             CREATE SEQUENCE numbers",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let target = json!({
        "path": format!("{}/%", theirs.name),
        "connection": "shop",
        "exclusions": ["hidden*"],
        "additional_metadata": ["COMMENTS", "RAWTYPES"],
    });
    let crawler = json!({ "name": "theirs", "database": "lab", "targets": [target] });
    let made = post(&app, "/api/v1/crawlers", crawler, 201).await;
    let mut expected = target;
    expected["sample_size"] = json!(null);
    expected["inventory"] = json!(null);
    assert_eq!(made["targets"], json!([expected]));
    let crawl = post(
        &app,
        "/api/v1/crawlers/theirs/crawls",
        json!({ "dry_run": false }),
        202,
    )
    .await;
    app.run_tasks().await;
    let path = format!("/api/v1/crawls/{}", crawl["id"].as_str().unwrap());
    let (_, _, crawl) = send(&app, "GET", &path, None).await;
    assert_eq!(
        (&crawl["state"], &crawl["error"], &crawl["tables"]),
        (&json!("SUCCEEDED"), &json!(null), &json!(2))
    );

    let orders = app.table(&theirs.table("orders")).await.input;
    let parameter = |key: &str| orders.parameters.get(key).map(String::as_str);
    assert_eq!(
        (orders.description.as_deref(), orders.location()),
        (
            Some("What was bought"),
            Some(format!("{}.orders", theirs.name).as_str())
        )
    );
    for (key, value) in [
        ("classification", "mysql"),
        ("typeOfData", "table"),
        ("connectionName", "shop"),
        ("recordCount", "500"),
        ("primaryKey", "id"),
    ] {
        assert_eq!(parameter(key), Some(value), "{key}");
    }
    let described: Vec<String> = orders
        .columns()
        .iter()
        .map(|column| {
            let kind = column.data_type.as_deref().unwrap();
            let comment = column.comment.as_deref().unwrap_or("-");
            format!(
                "{} {kind} {} {comment}",
                column.name, column.parameters["rawType"]
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            "id decimal(20,0) bigint(20) unsigned -",
            "total decimal(10,2) decimal(10,2) With tax",
            "note string varchar(20) -"
        ]
    );
    let view = app.table(&theirs.table("large_orders")).await.input;
    assert_eq!(view.parameters["typeOfData"], "view");
    assert_eq!(view.description, None, "VIEW is no comment of its owner's");

    let (database, name) = ("lab", format!("{}_orders", theirs.name));
    let path = format!("/api/v1/databases/{database}/tables/{name}/ddl");
    let (_, _, ddl) = send(&app, "GET", &path, None).await;
    let ddl = ddl.to_string();
    assert!(
        ddl.contains("-- in the database that connection shop leads to") && !ddl.contains("LOCATION"),
        "{ddl}"
    );
    let query = json!({ "query": format!("SELECT * FROM {}", theirs.table("orders")) });
    let (status, _, refusal) = send(&app, "POST", "/api/v1/sql", Some(query)).await;
    assert_eq!(
        (status, &refusal["hint"]),
        (400, &json!("ask the database itself")),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_has_its_place() {
    let theirs = Theirs::mariadb().await;
    theirs
        .run(
            "CREATE TABLE t (
                a boolean, b tinyint, c tinyint unsigned, d smallint, e smallint unsigned, f mediumint unsigned, g int,
                h int unsigned zerofill, i bigint, j bigint unsigned, k float, l double, m decimal, n decimal(38,10),
                o decimal(65,30), p char(3), q varchar(20), r longtext, s blob, t varbinary(16), u date, v datetime(6),
                w timestamp, x time, y year, z enum('a','b'), aa set('a','b'), ab json, ac bit(1), ad bit(8), ae uuid,
                af inet6, ag point)",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let crawl = crawl_path(&app, &format!("{}/t", theirs.name), &[]).await;
    let text = columns(&app, &theirs.table("t")).await;
    assert_eq!(
        text,
        "a boolean, b tinyint, c smallint, d smallint, e int, f int, g int, h bigint, i bigint, j decimal(20,0), \
         k float, l double, m decimal(10,0), n decimal(38,10), o string, p string, q string, r string, s binary, \
         t binary, u date, v timestamp, w timestamp, x string, y int, z string, aa string, ab string, ac boolean, \
         ad binary, ae string, af string, ag binary"
    );
    let plan = crawl.plan.unwrap();
    assert_eq!(
        plan.tables[0].columns[4].reason,
        "smallint(5) unsigned in MySQL: unsigned, so a size larger"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_exclusions_choose_tables() {
    let theirs = Theirs::mariadb().await;
    theirs
        .run(
            "CREATE TABLE orders (id int); CREATE TABLE Orders (id int); CREATE TABLE order_lines (id int);
             CREATE TABLE Market_Data (id int); CREATE TABLE old_Table (id int); CREATE TABLE `größe.x` (`a``b` int)",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let chosen = async |path: &str, exclusions: &[&str]| {
        let crawl = crawl_path(&app, &format!("{}/{path}", theirs.name), exclusions).await;
        let prefix = format!("{}.", theirs.name);
        let names: Vec<String> = found(&crawl)
            .iter()
            .map(|place| place.replace(&prefix, ""))
            .collect();
        names.join(" ")
    };
    assert_eq!(chosen("order%", &[]).await, "order_lines orders");
    assert_eq!(chosen("%/orders", &[]).await, "orders");
    assert_eq!(
        chosen("order_%", &[]).await,
        "order_lines",
        "an underscore stands for itself"
    );
    assert_eq!(
        chosen("%", &["Market_*", "**_Table", "o*"]).await,
        "Orders \"größe.x\"",
        "upper and lower case are not the same"
    );
    let again = crawl_path(
        &app,
        &format!("{}/%", theirs.name),
        &["Market_*", "**_Table", "o*"],
    )
    .await;
    assert_eq!(changes(&again), Vec::<String>::new());

    let nothing = crawl_path(&app, &format!("{}/nothing", theirs.name), &[]).await;
    assert_eq!(
        set_aside(&nothing),
        [format!(
            "shop: {}/nothing: MySQL at {} shows mastic no table or view that the path names; upper and lower \
             case matter",
            theirs.name, theirs.address
        )]
    );
    assert_eq!(
        refused(&app, "a/b/c").await,
        "the path 'a/b/c' has more parts than MySQL has names for"
    );
    let elsewhere = crawl_path(&app, "no_such_database/%", &[]).await;
    assert_eq!(
        elsewhere.error.unwrap(),
        format!(
            "connection shop: MySQL at {} has no database no_such_database that mastic may see (hint: write its name as \
             the server does; upper and lower case may matter)",
            theirs.address
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_finds_what_that_user_may_read() {
    let theirs = Theirs::mariadb().await;
    let (name, user) = (&theirs.name, format!("r_{}", theirs.name));
    theirs
        .run(&format!(
            "CREATE TABLE open (id int, name text); CREATE TABLE partly (id int, salary int); CREATE TABLE closed (id int);
             CREATE USER {user}@'%'; GRANT SELECT ON {name}.open TO {user}@'%';
             GRANT SELECT (id) ON {name}.partly TO {user}@'%'"
        ))
        .await;
    let app = TestApp::start().await;
    make_connection(&app, "shop", &theirs.jdbc(), &[("USERNAME", &user)]).await;
    let crawl = crawl_path(&app, name, &[]).await;
    assert_eq!(found(&crawl), [format!("{name}.open"), format!("{name}.partly")]);
    assert_eq!(columns(&app, &theirs.table("partly")).await, "id int");
}
