//! Workers die; runs don't.

use crate::both_databases;
use crate::harness::Database;
use crate::harness::process::ServeProcess;

both_databases! { a_run_is_taken_up_after_kill_9_and_no_half_file_is_ever_seen }

const JOB: &str = r#"
engine = "sql"
script = "slow.sql"
[output]
location = "s3://lake/slow/"
format = "csv"
table = "out.slow"
"#;

/// Some seconds of work, with output from the beginning on.
const SCRIPT: &str = "SELECT a.value AS a, b.value AS b, md5(concat(a.value, ':', b.value)) AS c \
FROM generate_series(1, 1000) AS a, generate_series(1, 1500) AS b";

async fn a_run_is_taken_up_after_kill_9_and_no_half_file_is_ever_seen(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(&folder).await;
    let job = folder.path().join("slow");
    std::fs::create_dir(&job).unwrap();
    std::fs::write(job.join("job.toml"), JOB).unwrap();
    std::fs::write(job.join("slow.sql"), SCRIPT).unwrap();
    let seen = folder.path().join("lake/lake/slow");

    tokio::task::spawn_blocking(move || {
        let server = ServeProcess::start(folder.path(), &url);
        let (_, said, code) = server.mastic(&["jobs", "register", job.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
        let (id, said, code) = server.mastic(&["jobs", "run", "slow"]);
        assert_eq!(code, 0, "{said}");
        let path = format!("/runs/{}", id.trim());
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
