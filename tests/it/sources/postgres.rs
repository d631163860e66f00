//! PostgreSQL's tables in the catalog.

use aws_sdk_glue::types::{
    ConnectionInput, ConnectionPropertyKey, ConnectionType, CrawlerTargets, JdbcMetadataEntry, JdbcTarget,
};

use super::{Theirs, crawl_path, found, make_connection, refused};
use crate::crawl::{columns, set_aside};
use crate::glue::{client, crawler_named};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn glues_clients_crawl_a_database_as_they_do_at_aws() {
    let theirs = Theirs::postgres().await;
    theirs
        .run(
            "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2) NOT NULL, note text);
             COMMENT ON TABLE orders IS 'What was bought';
             COMMENT ON COLUMN orders.note IS E'What the buyer\\nsaid';
             INSERT INTO orders SELECT n, n, '' FROM generate_series(1, 500) n;
             ANALYZE orders;
             CREATE VIEW large_orders AS SELECT * FROM orders WHERE total > 100",
        )
        .await;
    let app = TestApp::start().await;
    let glue = client(&app);
    let connection = ConnectionInput::builder()
        .name("shop")
        .connection_type(ConnectionType::Jdbc)
        .connection_properties(ConnectionPropertyKey::JdbcConnectionUrl, theirs.jdbc())
        .connection_properties(ConnectionPropertyKey::UserName, "mastic")
        .connection_properties(ConnectionPropertyKey::Password, "any")
        .build()
        .unwrap();
    glue.create_connection()
        .connection_input(connection)
        .send()
        .await
        .unwrap();
    glue.test_connection()
        .connection_name("shop")
        .send()
        .await
        .unwrap();
    let target = JdbcTarget::builder()
        .connection_name("shop")
        .path(format!("{}/public/%", theirs.name))
        .exclusions("hidden*")
        .enable_additional_metadata(JdbcMetadataEntry::Comments)
        .enable_additional_metadata(JdbcMetadataEntry::Rawtypes)
        .build();
    glue.create_crawler()
        .name("theirs")
        .role("r")
        .database_name("lab")
        .table_prefix("Pg_")
        .targets(CrawlerTargets::builder().jdbc_targets(target.clone()).build())
        .send()
        .await
        .unwrap();
    let crawler = crawler_named(&glue, "theirs").await;
    assert_eq!(crawler.targets().unwrap().jdbc_targets(), [target]);
    glue.start_crawler().name("theirs").send().await.unwrap();
    app.run_tasks().await;

    let tables = glue.get_tables().database_name("lab").send().await.unwrap();
    let names: Vec<&str> = tables.table_list().iter().map(|table| table.name()).collect();
    let name = &theirs.name;
    assert_eq!(
        names,
        [
            format!("pg_{name}_public_large_orders"),
            format!("pg_{name}_public_orders")
        ]
    );
    let orders = &tables.table_list()[1];
    let storage = orders.storage_descriptor().unwrap();
    assert_eq!(
        (orders.description(), orders.table_type(), storage.location()),
        (
            Some("What was bought"),
            Some("EXTERNAL_TABLE"),
            Some(format!("{name}.public.orders").as_str())
        )
    );
    let parameters = orders.parameters().unwrap();
    for (key, value) in [
        ("classification", "postgresql"),
        ("typeOfData", "table"),
        ("connectionName", "shop"),
        ("UPDATED_BY_CRAWLER", "theirs"),
        ("recordCount", "500"),
        ("primaryKey", "id"),
        ("compressionType", "none"),
        ("CrawlerSchemaSerializerVersion", "1.0"),
    ] {
        assert_eq!(parameters.get(key).map(String::as_str), Some(value), "{key}");
        assert_eq!(
            storage.parameters().unwrap().get(key).map(String::as_str),
            Some(value)
        );
    }
    let described: Vec<String> = storage
        .columns()
        .iter()
        .map(|column| {
            let raw = &column.parameters().unwrap()["rawType"];
            format!(
                "{} {} {raw} {}",
                column.name(),
                column.r#type().unwrap(),
                column.comment().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            "id bigint bigint -",
            "total decimal(10,2) numeric(10,2) -",
            "note string text What the buyer said"
        ]
    );
    let view = tables.table_list()[0].parameters().unwrap();
    assert_eq!(view["typeOfData"], "view");
    assert!(!view.contains_key("recordCount"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_has_its_place() {
    let theirs = Theirs::postgres().await;
    theirs
        .run(
            "CREATE TYPE mood AS ENUM ('sad', 'happy');
             CREATE TYPE pair AS (a int, b int);
             CREATE DOMAIN price AS numeric(10,2);
             CREATE DOMAIN discount AS price CHECK (VALUE < 0);
             CREATE TABLE t (
                a boolean, b smallint, c integer, d bigserial, e real, f double precision, g numeric, h numeric(38,10),
                i numeric(40,2), j money, k varchar(20), l char(3), m text, n bytea, o date, p timestamp(3), q timestamptz,
                r time, s interval, t uuid, u json, v jsonb, w xml, x mood, y pair, z discount,
                aa int[], ab text[][], ac mood[], ad bit(8), ae inet, af point, ag int4range, ah tsvector, ai oid,
                aj numeric(5,-2))",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let crawl = crawl_path(&app, &format!("{}/public/t", theirs.name), &[]).await;
    let text = columns(&app, &theirs.table("public_t")).await;
    assert_eq!(
        text,
        "a boolean, b smallint, c int, d bigint, e float, f double, g string, h decimal(38,10), i string, \
         j decimal(19,2), k string, l string, m string, n binary, o date, p timestamp, q timestamp, r string, s string, \
         t string, u string, v string, w string, x string, y string, z decimal(10,2), aa array<int>, \
         ab array<array<string>>, ac array<string>, ad string, ae string, af string, ag string, ah string, ai bigint, \
         aj decimal(7,0)"
    );
    let plan = crawl.plan.unwrap();
    let reason = |name: &str| {
        let column = plan.tables[0].columns.iter().find(|column| column.name == name);
        column.unwrap().reason.clone()
    };
    assert_eq!(reason("c"), "integer in PostgreSQL");
    assert_eq!(reason("d"), "bigint in PostgreSQL; never null");
    assert_eq!(
        reason("i"),
        "numeric(40,2) in PostgreSQL: Hive's decimal ends at 38 digits"
    );
    assert_eq!(reason("x"), "public.mood in PostgreSQL: an enum");
    assert_eq!(reason("z"), "public.discount in PostgreSQL");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_exclusions_choose_tables() {
    let theirs = Theirs::postgres().await;
    theirs
        .run(
            "CREATE SCHEMA sales; CREATE SCHEMA sales_old; CREATE SCHEMA \"HR\";
             CREATE TABLE public.settings (id int);
             CREATE TABLE sales.orders (id int);
             CREATE TABLE sales.orders_2020 (id int);
             CREATE TABLE sales_old.orders (id int);
             CREATE TABLE \"HR\".staff (id int);
             CREATE MATERIALIZED VIEW sales.totals AS SELECT 1 AS n;
             CREATE TABLE sales.events (id int, day date) PARTITION BY RANGE (day);
             CREATE TABLE sales.events_2020 PARTITION OF sales.events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
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
    assert_eq!(chosen("sales/orders", &[]).await, "sales.orders");
    assert_eq!(
        chosen("sales", &[]).await,
        "sales.events sales.orders sales.orders_2020 sales.totals"
    );
    assert_eq!(
        chosen("sales/orders%", &[]).await,
        "sales.orders sales.orders_2020"
    );
    assert_eq!(
        chosen("sales_%/%", &[]).await,
        "sales_old.orders",
        "an underscore stands for itself"
    );
    assert_eq!(chosen("%/orders", &[]).await, "sales.orders sales_old.orders");
    assert_eq!(
        chosen("%", &["sales/**", "HR/*", "set*"]).await,
        "sales_old.orders",
        "exclusions are relative to the path"
    );
    assert_eq!(
        chosen("%/%", &["**orders*", "{staff,totals}"]).await,
        "public.settings sales.events"
    );

    let nothing = crawl_path(&app, &format!("{}/nowhere/%", theirs.name), &[]).await;
    assert_eq!(
        set_aside(&nothing),
        [format!(
            "shop: {}/nowhere/%: PostgreSQL at {} shows mastic no table or view that the path names; upper and lower \
             case matter",
            theirs.name, theirs.address
        )]
    );
    assert_eq!(
        refused(&app, "sho%/public/x").await,
        "the path 'sho%/public/x' has % in its database, and that must be named"
    );
    assert_eq!(
        refused(&app, "a/b/c/d").await,
        "the path 'a/b/c/d' has more parts than PostgreSQL has names for"
    );
    let elsewhere = crawl_path(&app, "no_such_database/public/%", &[]).await;
    assert_eq!(
        elsewhere.error.unwrap(),
        format!(
            "connection shop: PostgreSQL at {} has no database no_such_database (hint: write its name as the server \
             does; upper and lower case may matter)",
            theirs.address
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_told_apart_however_they_are_written() {
    let theirs = Theirs::postgres().await;
    theirs
        .run(
            "CREATE TABLE orders (\"Id\" int, id int, \"größe in m²\" int, \"a\"\"b\" int);
             CREATE TABLE \"Orders\" (x int);
             CREATE TABLE \"a.b\" (x int);
             CREATE TABLE \"Ünïcode \"\"q\"\"\" (x int);
             CREATE TABLE nothing ()",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let path = format!("{}/public/%", theirs.name);
    let crawl = crawl_path(&app, &path, &[]).await;
    let places: Vec<String> = found(&crawl)
        .iter()
        .map(|place| place.replace(&format!("{}.public.", theirs.name), ""))
        .collect();
    assert_eq!(
        places,
        ["Orders", "\"a.b\"", "nothing", "orders", "\"Ünïcode \"\"q\"\"\""]
    );
    let tables = &crawl.plan.as_ref().unwrap().tables;
    let base = format!("{}_public_", theirs.name);
    assert_eq!(tables[0].name, format!("{base}orders"));
    assert!(
        tables[3].name.starts_with(&format!("{base}orders_")),
        "{}",
        tables[3].name
    );
    assert_eq!(tables[4].name, format!("{base}_n_code__q_"));
    let lower = app.table(&format!("lab.{}", tables[3].name)).await;
    let described: Vec<String> = lower
        .input
        .columns()
        .iter()
        .map(|column| format!("{} {:?}", column.name, column.parameters.get("rawName")))
        .collect();
    assert_eq!(
        described,
        [
            "id Some(\"Id\")",
            "id_2 Some(\"id\")",
            "größe in m² None",
            "a\"b None"
        ]
    );
    let again = crawl_path(&app, &path, &[]).await;
    assert_eq!(crate::crawl::changes(&again), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_finds_what_that_user_may_read() {
    let theirs = Theirs::postgres().await;
    let user = format!("reader_of_{}", theirs.name);
    theirs
        .run(&format!(
            "CREATE ROLE {user} LOGIN;
             CREATE SCHEMA secret;
             CREATE TABLE secret.plans (id int); GRANT SELECT ON secret.plans TO {user};
             CREATE TABLE open (id int, name text); GRANT SELECT ON open TO {user};
             CREATE TABLE partly (id int, salary int); GRANT SELECT (id) ON partly TO {user};
             CREATE TABLE closed (id int)"
        ))
        .await;
    let app = TestApp::start().await;
    make_connection(&app, "shop", &theirs.jdbc(), &[("USERNAME", &user)]).await;
    let crawl = crawl_path(&app, &theirs.name, &[]).await;
    let name = &theirs.name;
    assert_eq!(
        found(&crawl),
        [format!("{name}.public.open"), format!("{name}.public.partly")]
    );
    assert_eq!(columns(&app, &theirs.table("public_partly")).await, "id int");
}
