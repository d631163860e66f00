//! A private MariaDB, which `tests/with-mariadb` starts and names in `MASTIC_TEST_MARIADB`.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::Connection;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The URL of an empty database.
#[expect(
    clippy::disallowed_methods,
    reason = "how the test runner tells us where its server is"
)]
pub(crate) async fn new_database() -> String {
    let server = std::env::var("MASTIC_TEST_MARIADB").expect(
        "these tests need MariaDB: run `make test`, or `tests/with-postgres tests/with-mariadb cargo test`",
    );
    let name = format!(
        "test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut connection = sqlx::MySqlConnection::connect(&format!("{server}/mysql"))
        .await
        .unwrap();
    let create: &'static str = format!("CREATE DATABASE {name}").leak();
    sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
    format!("{server}/{name}")
}
