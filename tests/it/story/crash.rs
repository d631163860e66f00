//! Workers die; runs don't.

use crate::both_databases;
use crate::harness::Database;
use crate::harness::process::ServeProcess;

both_databases! { a_run_is_taken_up_after_kill_9_and_no_half_file_is_ever_seen }

async fn a_run_is_taken_up_after_kill_9_and_no_half_file_is_ever_seen(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(&folder).await;
    let seen = folder.path().join("lake/lake/slow");

    tokio::task::spawn_blocking(move || {
        let server = ServeProcess::start(folder.path(), &url);
        let path = server.start_slow_run(folder.path());
        server.wait_for(&path, |run| run["state"] == "RUNNING");
        server.kill();
        assert!(
            !seen.exists() || std::fs::read_dir(&seen).unwrap().next().is_none(),
            "half a file was visible"
        );

        let server = ServeProcess::start(folder.path(), &url);
        let run = server.wait_for(&path, |run| run["state"] != "RUNNING" && run["state"] != "QUEUED");
        assert_eq!(
            (&run["state"], &run["rows_out"]),
            (&"SUCCEEDED".into(), &1_500_000.into()),
            "{run}"
        );
        assert!(run["attempt"].as_i64().unwrap() >= 2, "{run}");
        let csv = std::fs::read_to_string(seen.join("part-00000.csv")).unwrap();
        assert_eq!(csv.lines().count(), 1_500_001);
        assert!(csv.starts_with("a,b,c\n") && csv.ends_with('\n'));
        assert_eq!(std::fs::read_dir(&seen).unwrap().count(), 1);
        let table = server.get("/databases/out/tables/slow");
        assert_eq!(table["columns"][2]["name"], "c");
    })
    .await
    .unwrap();
}
