//! A private PostgreSQL, which `tests/with-postgres` starts and names in `MASTIC_TEST_POSTGRES`.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::Connection;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The URL of an empty database.
#[expect(
    clippy::disallowed_methods,
    reason = "how the test runner tells us where its server is"
)]
pub(crate) async fn new_database() -> String {
    let server = std::env::var("MASTIC_TEST_POSTGRES")
        .expect("these tests need PostgreSQL: run `make test`, or `tests/with-postgres cargo test`");
    let name = format!(
        "test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut connection = sqlx::PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    let create: &'static str = format!("CREATE DATABASE {name}").leak();
    sqlx::query(create).execute(&mut connection).await.unwrap();
    format!("{server}/{name}")
}
