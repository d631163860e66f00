"""Runs scripts of Glue's kind with this repository's awsglue, each as an engine starts it, and compares what they
print.

python tests/engines/awsglue.py SAIL [SPARK] [--mastic PROGRAM] [--write]: the interpreters that have Sail and Spark;
with a program of mastic the catalog is tried, too. --write keeps what the first runtime printed as what is expected."""

import argparse
import difflib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "src" / "etl" / "engines" / "pyspark"
SCRIPTS = HERE / "awsglue_scripts"
PATIENCE = 600
ARGUMENTS = {
    "shell": ["--day", "2024-01-02", "--in_path=s3://b/x", "--unknown", "--job-bookmark-option", "job-bookmark-disable"]
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def start_mastic(program, folder):
    """A server of its own; its process and its address."""
    here = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    database = f"sqlite://{folder}/mastic.db"
    words = [
        program,
        "serve",
        "--listen",
        here[0],
        "--lake-listen",
        here[1],
        "--url",
        f"http://{here[0]}",
        "--database",
        database,
    ]
    environment = {**os.environ, "MASTIC_ACCESS_KEY": "key", "MASTIC_SECRET_KEY": "secret"}
    log = open(f"{folder}/serve.log", "w")
    server = subprocess.Popen(
        [*words, "--lake", f"{folder}/lake", "--no-input"], cwd=folder, env=environment, stdout=log, stderr=log
    )
    host, port = here[0].split(":")
    for _ in range(PATIENCE):
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return server, f"http://{here[0]}"
        if server.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"mastic didn't start: {pathlib.Path(log.name).read_text()}")


def run(runtime, interpreter, script, folder, endpoint):
    """What a script prints."""
    for name in ("connect", "launch", "order"):
        shutil.copy(SOURCES / f"{name}.py", folder / f"mastic_{name}.py")
    shutil.copytree(SOURCES / "awsglue", folder / "awsglue")
    shutil.copy(script, folder / "script.py")
    (folder / "data").mkdir()
    environment = {
        **os.environ,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "TZ": "UTC",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": interpreter,
        "MASTIC_JOB": "job-of-ours",
        "AWS_ENDPOINT_URL_GLUE": endpoint or "http://127.0.0.1:9",
        "PYSPARK_SUBMIT_ARGS": "--master local[1] pyspark-shell",
    }
    launcher = ["mastic_connect.py"] if runtime == "sail" and script.stem != "shell" else []
    arguments = ["--folder", f"{folder}/data", "--database", f"db_{runtime}", *ARGUMENTS.get(script.stem, [])]
    if runtime == "sail":
        environment.pop("PYSPARK_SUBMIT_ARGS")
    done = subprocess.run(
        [interpreter, *launcher, f"{folder}/script.py", *arguments],
        # Workers of Spark find nothing of ours where they are.
        cwd=folder if launcher else folder / "data",
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sail")
    parser.add_argument("spark", nargs="?")
    parser.add_argument("--mastic")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", help="one script alone")
    told = parser.parse_args()
    runtimes = {name: path for name, path in (("sail", told.sail), ("spark", told.spark)) if path}
    failed, server = [], None
    with tempfile.TemporaryDirectory(prefix="awsglue-") as top:
        endpoint = None
        if told.mastic:
            server, endpoint = start_mastic(os.path.abspath(told.mastic), top)
        try:
            for script in sorted(SCRIPTS.glob("*.py")):
                if told.only and script.stem != told.only or script.stem == "catalog" and not endpoint:
                    print("skipped", script.stem)
                    continue
                for runtime, interpreter in runtimes.items():
                    folder = pathlib.Path(top) / runtime / script.stem
                    folder.mkdir(parents=True)
                    status, out, log = run(runtime, interpreter, script, folder, endpoint)
                    expected = script.with_suffix(".txt")
                    if told.write and runtime == "sail" and status == 0:
                        expected.write_text(out)
                    wanted = expected.read_text() if expected.exists() else ""
                    good = status == 0 and out == wanted
                    print("ok" if good else "FAILED", runtime, script.stem, flush=True)
                    if not good:
                        failed.append((runtime, script.stem))
                        sys.stdout.writelines(
                            difflib.unified_diff(wanted.splitlines(True), out.splitlines(True), "expected", "printed")
                        )
                        print(log[-4000:] if status else "", flush=True)
        finally:
            if server:
                server.send_signal(signal.SIGTERM)
                server.wait(30)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
