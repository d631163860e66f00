//! A Python script runs whole, once, watched and shut in.

use std::collections::BTreeMap;

use mastic::config::Credentials;
use mastic::etl::jobs::JobSource;
use mastic::etl::runs;
use mastic::model::crawl::WorkState;
use mastic::model::job::Engine;
use mastic::model::run::Run;

use crate::harness::TestApp;

/// A job whose output is one CSV file.
const TO_CSV: &str = r#"
engine = "python"
script = "script.py"

[parameters.month]

[inputs]
sales = "s3://lake/sales/{month}.csv"

[output]
location = "s3://lake/out/month={month}/"
format = "csv"
table = "shop.out"
"#;

/// A job that says nothing of what it reads and writes.
const PLAIN: &str = "engine = \"python\"\nscript = \"script.py\"\n";

async fn allowing() -> TestApp {
    TestApp::start_with(|config| config.engines.allowed = vec![Engine::Python]).await
}

async fn messages(app: &TestApp, run: &Run) -> Vec<String> {
    app.log(&run.id).await.lines().map(str::to_owned).collect()
}

/// Why a script failed that is all of a job.
async fn failure(app: &TestApp, script: &str) -> String {
    app.register("plain", PLAIN, script).await.unwrap();
    let run = app.run_job("plain", &[]).await;
    assert_eq!(run.state, WorkState::Failed);
    run.body.error.unwrap().message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_reads_its_inputs_and_what_it_writes_is_the_output() {
    let app = allowing().await;
    app.put("lake", "sales/2024-01.csv", b"id,price\n007,1.50\n008,2.00\n")
        .await;
    let script = r#"
import csv, json, os, sys, urllib.request
print("told", sys.argv[1:])
inputs = json.load(open(os.environ["MASTIC_INPUTS"]))
for part, file in enumerate(inputs["sales"]["files"]):
    text = urllib.request.urlopen(file["url"]).read().decode()
    rows = list(csv.DictReader(text.splitlines()))
    for number, row in enumerate(rows):
        path = os.path.join(os.environ["MASTIC_OUTPUT_DIR"], f"part-{part}-{number}.csv")
        with open(path, "w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["id", "price", "note"])
            writer.writerow([row["id"], row["price"], "one, two"])
"#;
    app.register("sales", TO_CSV, script).await.unwrap();
    let run = app.succeed("sales", &[("month", "2024-01")]).await;
    // Byte for byte what was written, the header once.
    assert_eq!(
        app.text("lake", "out/month=2024-01/part-00000.csv")
            .await
            .unwrap(),
        "id,price,note\n007,1.50,\"one, two\"\n008,2.00,\"one, two\"\n"
    );
    assert_eq!((run.body.rows_out, run.body.outputs.len()), (Some(2), 1));
    assert_eq!(
        app.rows("SELECT price, note FROM shop.out ORDER BY 1").await,
        r#"[[1.5,"one, two"],[2.0,"one, two"]]"#
    );
    let said = messages(&app, &run).await;
    assert!(
        said.contains(&"told ['--month', '2024-01']".to_owned()),
        "{said:?}"
    );
    assert!(run.body.usage.is_some_and(|usage| usage.cpu_milliseconds > 0));
    // Nothing is left of where it was staged.
    assert_eq!(app.keys("lake", "_mastic/").await, Vec::<String>::new());

    // Again: the same one file.
    app.succeed("sales", &[("month", "2024-01")]).await;
    assert_eq!(
        app.keys("lake", "out/").await,
        ["out/month=2024-01/part-00000.csv"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_another_way_than_the_output_is_written_anew() {
    let app = allowing().await;
    let job = TO_CSV
        .replace("[inputs]\nsales = \"s3://lake/sales/{month}.csv\"\n", "")
        .replace("table = \"shop.out\"\n", "");
    let script = r#"
import gzip, os
folder = os.environ["MASTIC_OUTPUT_DIR"]
open(os.path.join(folder, "a.json"), "w").write('{"a": 1, "b": "x"}\n{"a": 2}\n')
os.mkdir(os.path.join(folder, "more"))
gzip.open(os.path.join(folder, "more", "b.json.gz"), "wt").write('{"a": 3, "b": "z"}\n')
open(os.path.join(folder, "_SUCCESS"), "w").close()
"#;
    app.register("mixed", &job, script).await.unwrap();
    app.succeed("mixed", &[("month", "1")]).await;
    assert_eq!(
        app.text("lake", "out/month=1/part-00000.csv").await.unwrap(),
        "a,b\n1,x\n2,\n3,z\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_table_is_no_output() {
    let app = allowing().await;
    let job = TO_CSV.replace("[inputs]\nsales = \"s3://lake/sales/{month}.csv\"\n", "");
    let script = "import os\nopen(os.environ['MASTIC_OUTPUT_DIR'] + '/a.png', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n\\0\\1' * 9)";
    app.register("image", &job, script).await.unwrap();
    let error = app.run_job("image", &[("month", "1")]).await.body.error.unwrap();
    assert!(error.message.ends_with("/a.png is no text"), "{error:?}");
    assert_eq!(app.keys("lake", "out/").await, Vec::<String>::new());
    assert_eq!(app.keys("lake", "_mastic/").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_writes_nothing_fails_and_leaves_what_was_there() {
    let app = allowing().await;
    app.put("lake", "sales/1.csv", b"id\n1\n").await;
    app.register(
        "sales",
        TO_CSV,
        "import os\nopen(os.environ['MASTIC_OUTPUT_DIR'] + '/a.csv', 'w').write('a\\n1\\n')",
    )
    .await
    .unwrap();
    app.succeed("sales", &[("month", "1")]).await;
    app.register("sales", TO_CSV, "print('nothing')").await.unwrap();
    let run = app.run_job("sales", &[("month", "1")]).await;
    let error = run.body.error.unwrap();
    assert_eq!(
        error.message,
        "the script wrote nothing that its output could be made of"
    );
    assert_eq!(
        app.text("lake", "out/month=1/part-00000.csv").await.unwrap(),
        "a\n1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_come_from_the_list_beside_the_script_or_are_named_as_missing() {
    let folder = tempfile::tempdir().unwrap();
    let engines = folder.path().join("engines");
    let app = TestApp::start_with(move |config| {
        config.engines.allowed = vec![Engine::Python];
        config.engines.folder = engines.clone();
    })
    .await;
    let job = folder.path().join("needs");
    std::fs::create_dir(&job).unwrap();
    // A package of one's own, as a wheel, so that nothing is fetched.
    let wheel = job.join("told-1.0-py3-none-any.whl");
    make_wheel(&wheel);
    std::fs::write(job.join("job.toml"), PLAIN).unwrap();
    std::fs::write(job.join("script.py"), "import told\nprint('told', told.WHAT)").unwrap();
    let register = async |text: &str| {
        std::fs::write(job.join("requirements.txt"), text).unwrap();
        mastic::etl::jobs::register(app.app(), &JobSource::read(&job)?).await
    };
    let list = format!("# what it needs\ntold @ file://{}  # ours\n\n", wheel.display());
    register(&list).await.unwrap();
    let run = app.succeed("needs", &[]).await;
    let said = messages(&app, &run).await;
    assert!(said.contains(&"told 42".to_owned()), "{said:?}");
    assert!(
        said.iter()
            .any(|line| line.starts_with("making an environment of told")),
        "{said:?}"
    );
    let again = app.succeed("needs", &[]).await;
    let said = messages(&app, &again).await;
    assert!(
        !said.iter().any(|line| line.starts_with("making")),
        "made once: {said:?}"
    );

    register("told @ file:///nowhere/told-1.0-py3-none-any.whl\n")
        .await
        .unwrap();
    let run = app.run_job("needs", &[]).await;
    let error = run.body.error.unwrap().message;
    assert!(
        error.contains("the packages can't be installed: told @ file:///nowhere"),
        "{error}"
    );
    let refused = register("--index-url http://example.com\n").await.unwrap_err();
    assert!(
        refused
            .message
            .ends_with("has '--index-url http://example.com', and only packages may stand there")
    );
}

/// A wheel of one module (PEP 427), made by Python itself.
fn make_wheel(path: &std::path::Path) {
    let script = "import sys, zipfile\n\
        wheel = zipfile.ZipFile(sys.argv[1], 'w')\n\
        info = 'told-1.0.dist-info/'\n\
        wheel.writestr('told.py', 'WHAT = 42\\n')\n\
        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: told\\nVersion: 1.0\\n')\n\
        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
        wheel.writestr(info + 'RECORD', 'told.py,,\\n')\n\
        wheel.close()\n";
    let made = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_runs_code_before_the_settings_allow_it() {
    let app = TestApp::start().await;
    let error = failure(&app, "print(1)").await;
    assert!(
        error.starts_with("the engine python is off: there is no sign-in yet"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_fails_says_why() {
    let app = allowing().await;
    assert_eq!(
        failure(&app, "raise ValueError('no such month')").await,
        "the script ended with status 1: ValueError: no such month"
    );
    assert_eq!(
        failure(&app, "import sys\nsys.exit(3)").await,
        "the script ended with status 3"
    );
    assert_eq!(
        failure(&app, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)").await,
        "the script was ended by signal 11"
    );
    let run = {
        app.register("plain", PLAIN, "print('fine')").await.unwrap();
        app.succeed("plain", &[]).await
    };
    assert!(messages(&app, &run).await.contains(&"fine".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sees_neither_the_server_nor_another_run_and_writes_nowhere_else() {
    let app = allowing().await;
    let folder = app.lake_folder().parent().unwrap().display().to_string();
    let outside = tempfile::tempdir().unwrap();
    let script = format!(
        r#"
import os
def tried(what, action):
    try:
        print(what, "worked:", action())
    except OSError as error:
        print(what, "refused:", type(error).__name__)
print(sorted(name for name in os.environ if name not in ("LC_CTYPE",)))
tried("database", lambda: open("{folder}/mastic.db", "rb").read(16))
tried("lake", lambda: os.listdir("{folder}/lake"))
tried("spill", lambda: os.listdir("{folder}/spill"))
tried("server", lambda: open("/proc/{pid}/environ", "rb").read())
tried("signal", lambda: os.kill({pid}, 0))
tried("outside", lambda: open("{outside}/x", "w").write("x"))
tried("settings", lambda: os.listdir("/root"))
tried("own", lambda: open("mine.txt", "w").write("x"))
"#,
        pid = std::process::id(),
        outside = outside.path().display(),
    );
    app.register("plain", PLAIN, &script).await.unwrap();
    let run = app.succeed("plain", &[]).await;
    let said = messages(&app, &run).await;
    if !mastic::task::is_enforced() {
        assert!(
            said.iter().any(|line| line.contains("has no Landlock")),
            "{said:?}"
        );
        return;
    }
    for what in [
        "database", "lake", "spill", "server", "signal", "outside", "settings",
    ] {
        let refused = format!("{what} refused: PermissionError");
        assert!(said.contains(&refused), "{what}: {said:?}");
    }
    assert!(said.contains(&"own worked: 1".to_owned()), "{said:?}");
    let environment = &said[1];
    assert!(
        !environment.contains("CARGO") && environment.contains("'MASTIC_RUN'"),
        "{environment}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_has_its_memory_and_its_time() {
    let app = TestApp::start_with(|config| {
        config.engines.allowed = vec![Engine::Python];
        config.engines.memory_bytes = 64 << 20;
    })
    .await;
    assert_eq!(
        failure(
            &app,
            "held = []\nwhile True:\n    held.append(bytearray(1 << 20))"
        )
        .await,
        "the script needed more than the 64 MiB of memory that it may use, and was stopped"
    );
    let job = format!("{PLAIN}timeout = \"1s\"\n");
    app.register("slow", &job, "while True: pass").await.unwrap();
    let run = app.run_job("slow", &[]).await;
    assert_eq!(
        run.body.error.unwrap().message,
        "it took more than 1 seconds and was stopped"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_a_script_says_so_much_is_kept() {
    let app = TestApp::start_with(|config| {
        config.engines.allowed = vec![Engine::Python];
        config.engines.log_bytes = 10_000;
    })
    .await;
    let script = "for number in range(100_000):\n    print('x' * 1000)\nprint('y' * 20_000_000)";
    app.register("loud", PLAIN, script).await.unwrap();
    let run = app.succeed("loud", &[]).await;
    let said = messages(&app, &run).await;
    let kept = said.iter().filter(|line| line.starts_with('x')).count();
    assert_eq!(kept, 9);
    assert!(
        said.contains(
            &"the script has said more than 10000 bytes: the rest is not kept (engines.log_kib)".to_owned()
        ),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_script_started_outlives_it() {
    let app = allowing().await;
    let script = r#"
import os, subprocess, sys
child = "import os, sys, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
started = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE)
print("left", started.stdout.readline().decode().strip())
"#;
    app.register("forks", PLAIN, script).await.unwrap();
    let run = app.succeed("forks", &[]).await;
    let said = messages(&app, &run).await;
    let left = said.iter().find_map(|line| line.strip_prefix("left ")).unwrap();
    assert!(
        !std::path::Path::new(&format!("/proc/{left}")).exists(),
        "{left} lives"
    );
}

/// What sends a signed request to the lake with nothing but Python's own modules, and says its status.
const ASK: &str = r#"
import datetime, hashlib, hmac, json, os, urllib.error, urllib.parse, urllib.request
def ask(method, path, query="", body=b""):
    host = os.environ["AWS_ENDPOINT_URL_S3"].removeprefix("http://")
    region, key = os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, urllib.parse.quote(path), query] + [f"{n}:{headers[n]}" for n in sorted(headers)] + ["", names, digest])
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signing = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in [now[:8], region, "s3", "aws4_request"]:
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    address = f"http://{host}{urllib.parse.quote(path)}" + (f"?{query}" if query else "")
    request = urllib.request.Request(address, data=body or None, method=method, headers=headers)
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
output = urllib.parse.urlparse(os.environ["MASTIC_OUTPUT"])
own = f"/{output.netloc}{output.path}"
for method, path, query, body in [
    ("GET", "/lake/sales/1.csv", "", b""),
    ("GET", "/lake/secret/a.csv", "", b""),
    ("GET", "/lake", "list-type=2&prefix=sales%2F", b""),
    ("GET", "/lake", "list-type=2", b""),
    ("PUT", "/lake/sales/2.csv", "", b"x"),
    ("DELETE", "/lake/sales/1.csv", "", b""),
    ("PUT", own + "a.csv", "", b"n\n1\n"),
    ("DELETE", "/lake", "", b""),
]:
    print(method, path if path != own + "a.csv" else "own", query, ask(method, path, query, body))
print("key", os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
"#;

async fn a_scripts_keys(app: TestApp) {
    app.put("lake", "sales/1.csv", b"id\n1\n").await;
    app.put("lake", "secret/a.csv", b"id\n1\n").await;
    app.register("sales", TO_CSV, ASK).await.unwrap();
    let run = app.succeed("sales", &[("month", "1")]).await;
    let said = messages(&app, &run).await;
    for line in [
        "GET /lake/sales/1.csv  200",
        "GET /lake/secret/a.csv  403",
        "GET /lake list-type=2&prefix=sales%2F 200",
        "GET /lake list-type=2 403",
        "PUT /lake/sales/2.csv  403",
        "DELETE /lake/sales/1.csv  403",
        "PUT own  200",
        "DELETE /lake  403",
    ] {
        assert!(said.contains(&line.to_owned()), "{line}: {said:?}");
    }
    assert!(
        said.iter().any(|line| line.starts_with("key MASTICRUN")),
        "{said:?}"
    );
    assert_eq!(
        app.text("lake", "out/month=1/part-00000.csv").await.unwrap(),
        "n\n1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripts_keys_are_good_for_what_its_job_names() {
    a_scripts_keys(allowing().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripts_keys_are_its_own_where_the_lake_has_keys() {
    let with_keys = TestApp::start_with(|config| {
        config.engines.allowed = vec![Engine::Python];
        config.credentials = Some(Credentials {
            access_key: "ours".to_owned(),
            secret_key: "hush".to_owned(),
        });
    });
    a_scripts_keys(with_keys.await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_is_stopped_ends_with_all_that_it_started() {
    let app = allowing().await;
    let script = r#"
import os, subprocess, sys, time
started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("pids", os.getpid(), started.pid)
time.sleep(600)
"#;
    app.register("endless", PLAIN, script).await.unwrap();
    let id = runs::start(app.app(), "endless", &BTreeMap::new(), None)
        .await
        .unwrap()
        .id;
    let stopping = async {
        loop {
            let log = app.log(&id).await;
            if let Some(pids) = log.lines().find_map(|line| line.strip_prefix("pids ")) {
                runs::cancel(app.app(), &id).await.unwrap();
                return pids.to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let (pids, ()) = tokio::join!(stopping, app.run_tasks());
    let run = runs::get(app.app(), &id).await.unwrap();
    assert_eq!(run.state, WorkState::Cancelled);
    // The server doesn't wait for their end.
    let is_there = |pid: &str| std::path::Path::new(&format!("/proc/{pid}")).exists();
    while pids.split(' ').any(is_there) {
        tokio::task::yield_now().await;
    }
}
