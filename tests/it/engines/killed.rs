//! Whoever watches a script may be killed: then what the script had started is ended by others.

use std::collections::BTreeMap;

use mastic::etl::runs;
use mastic::model::crawl::WorkState;
use mastic::model::job::Engine;

use crate::harness::TestApp;

const JOB: &str = r#"
engine = "python"
script = "script.py"
[output]
location = "s3://lake/out/"
format = "csv"
files = 1
"#;

/// Sleeps in its first attempt, with one process beside it and one that is far away.
const SCRIPT: &str = r#"
import os, subprocess, sys, time
if os.environ["MASTIC_OUTPUT"].endswith("-1/"):
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    near = subprocess.Popen(sleep)
    far = subprocess.Popen(sleep, start_new_session=True, cwd="/")
    print("pids", os.getppid(), near.pid, far.pid)
    time.sleep(600)
with open(os.path.join(os.environ["MASTIC_OUTPUT_DIR"], "a.csv"), "w") as out:
    out.write("n\n1\n")
"#;

/// Whether a process is at work; one that is dead and that nobody has asked after yet isn't.
fn is_at_work(pid: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| !arguments.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_started_is_gone_before_it_is_tried_again() {
    let app = TestApp::start_with(|config| config.engines.allowed = vec![Engine::Python]).await;
    app.register("sleeps", JOB, SCRIPT).await.unwrap();
    let id = runs::start(app.app(), "sleeps", &BTreeMap::new(), None)
        .await
        .unwrap()
        .id;
    let killing = async {
        loop {
            let log = app.log(&id).await;
            if let Some(pids) = log.lines().find_map(|line| line.strip_prefix("pids ")) {
                let (watcher, started) = pids.split_once(' ').unwrap();
                let watcher = rustix::process::Pid::from_raw(watcher.parse().unwrap()).unwrap();
                assert!(started.split(' ').all(is_at_work));
                rustix::process::kill_process(watcher, rustix::process::Signal::KILL).unwrap();
                return started.to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let (started, ()) = tokio::join!(killing, app.run_tasks());
    let run = runs::get(app.app(), &id).await.unwrap();
    assert_eq!(run.state, WorkState::Succeeded, "{:?}", run.body.error);
    assert!(app.log(&id).await.contains("the process at work was killed"));
    assert_eq!(app.text("lake", "out/part-00000.csv").await.unwrap(), "n\n1\n");
    let left: Vec<&str> = started.split(' ').filter(|pid| is_at_work(pid)).collect();
    assert!(left.is_empty(), "{left:?} of {started}");
}
