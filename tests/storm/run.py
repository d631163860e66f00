"""Objects arrive while everything that serves them is killed, paused and cut off: each row ends up in the outputs once.

    run.py MASTIC [--objects N] [--kills N] [--seed N] [--engines FOLDER]

Jobs are of SQL, and of scripts that start processes and forget them (scripts.py). Twice: on SQLite with the embedded store, and, beside a private PostgreSQL (tests/with-postgres), on that database with two
workers of their own and a second server as the object store, which announces nothing: this script does, and drops, doubles
and reorders some of it. What is checked at the end is asked of the store and of the API; of scripts also whether a process, a
folder or half an environment is left. Scripts of Spark run where FOLDER has Sail.
"""

import argparse
import csv
import io
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.config
import scripts

# After how many objects the storm starts a script with packages of its own, and how many of these there are at the most.
PACKED_EVERY = 15
MAX_PACKED = 20


def of_a_group(name, more=""):
    """A job that reads all of a group's objects whenever one arrives; each row says how many there were."""
    return (
        f"""
engine = "sql"
script = "script.sql"
[parameters.g]
[inputs]
t = "s3://lake/in/{{g}}_*.csv"
[output]
location = "s3://lake/{name}/g={{g}}/"
format = "csv"
table = "out.{name}"
{more}
[[triggers]]
on = "object_created"
match = "s3://lake/in/{{g}}_*.csv"
batch_window = "1s"
""",
        "SELECT n, (SELECT count(*) FROM t) AS total FROM t",
    )


JOBS = {
    # Each arrival once: rows are added.
    "log": (
        """
engine = "sql"
script = "script.sql"
[parameters.name]
[inputs]
t = "s3://lake/in/{name}.csv"
[output]
location = "s3://lake/log/"
format = "csv"
mode = "append"
table = "out.log"
[[triggers]]
on = "object_created"
match = "s3://lake/in/{name}.csv"
""",
        "SELECT n FROM t",
    ),
    # One file, replaced whenever something arrives in its group.
    "whole": of_a_group("whole"),
    # Two files, which readers by the catalog see together.
    "halves": of_a_group("halves", "files = 2"),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A mastic process that can be killed and started again."""

    def __init__(self, name, command, env, log):
        self.name, self.command, self.env, self.log = name, command, env, log
        self.popen = None
        self.start()

    def start(self):
        self.popen = subprocess.Popen(
            self.command, env=self.env, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )

    def children(self):
        found = subprocess.run(
            ["pgrep", "-P", str(self.popen.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def kill_children(self):
        for pid in self.children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def hit(self, rng):
        """Does something bad to it, and says what."""
        how = rng.choice(["kill", "kill", "term", "pause", "child", "all"])
        if how == "child":
            self.kill_children()
            return "children killed"
        if how == "all":
            # With nobody left who could end what the children had started.
            self.popen.send_signal(signal.SIGSTOP)
            self.kill_children()
            self.popen.kill()
            self.popen.wait()
            self.start()
            return "killed with its children"
        if how == "pause":
            self.popen.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.2, 2.0))
            self.popen.send_signal(signal.SIGCONT)
            return "paused"
        if how == "term":
            self.stop()
        else:
            self.popen.kill()
            self.popen.wait()
        time.sleep(rng.uniform(0, 1.0))
        self.start()
        return how + "ed"

    def stop(self):
        self.popen.terminate()
        try:
            self.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Script:
    """Whatever script is at work."""

    name = "a script"

    def __init__(self, mark):
        self.mark = mark

    def hit(self, rng):
        return "killed" if scripts.kill_one(self.mark, rng) else "not at work"


class Postgres:
    """The database server that tests/with-postgres started."""

    def __init__(self):
        self.name = "postgres"
        self.control = os.environ.get("MASTIC_TEST_POSTGRES_CONTROL")

    def hit(self, rng):
        if not self.control:
            return "left alone"
        subprocess.run(["bash", "-c", f"{self.control} -m immediate stop"], check=False, capture_output=True)
        time.sleep(rng.uniform(0, 2.0))
        for _ in range(20):
            started = subprocess.run(["bash", "-c", f"{self.control} start"], check=False, capture_output=True)
            if started.returncode == 0:
                return "killed"
            time.sleep(0.5)
        raise SystemExit("PostgreSQL doesn't come back: " + started.stderr.decode())


def until(what, seconds, attempt):
    """Tries until it is true; errors count as not yet."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if attempt():
                return
        except Exception as error:  # noqa: BLE001 whatever is down says it in its own way
            last = error
        time.sleep(0.3)
    raise SystemExit(f"{what} did not come to be within {seconds} s: {last}")


class Storm:
    def __init__(self, mastic, folder, objects, kills, seed, engines):
        self.mastic, self.folder = mastic, pathlib.Path(folder)
        self.objects, self.kills, self.rng = objects, kills, random.Random(seed)
        self.mark = f"storm-{os.getpid()}-{time.time_ns()}"
        self.packed = 0
        self.log = open(self.folder / "log", "wb")
        self.api, self.s3 = free_port(), free_port()
        self.reads, self.wrong, self.hits = 0, [], {}
        self.over = threading.Event()
        self.spill, self.engines, self.wheels = (self.folder / name for name in ("spill", "engines", "wheels"))
        self.engines.mkdir()
        self.wheels.mkdir()
        found = [path.parent for path in pathlib.Path(engines).glob("*/ready")] if engines else []
        for engine in found:
            (self.engines / engine.name).symlink_to(engine.absolute())
        self.jobs = JOBS | scripts.jobs(self.mark, with_sail=bool(found))
        for name, (definition, script) in self.jobs.items():
            place = self.folder / "jobs" / name
            place.mkdir(parents=True)
            (place / "job.toml").write_text(definition)
            (place / ("script.sql" if name in JOBS else "script.py")).write_text(script)

    def settings(self, **env):
        own = self.folder / "mastic.toml"
        tasks = f"[tasks]\nspill_dir = '{self.spill}'\n"
        own.write_text(f"[events]\nreconcile_seconds = 3\n{tasks}[engines]\nallow = ['python', 'pyspark']\n")
        base = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "MASTIC_ENGINES_FOLDER": str(self.engines),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "MASTIC_ACCESS_KEY": "storm",
            "MASTIC_SECRET_KEY": "storm-secret",
            "RUST_LOG": "warn",
        }
        return base | env

    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.s3}",
            aws_access_key_id="storm",
            aws_secret_access_key="storm-secret",
            region_name="us-east-1",
            config=botocore.config.Config(retries={"max_attempts": 1}, connect_timeout=3, read_timeout=10),
        )

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api}{path}", timeout=20) as answer:
            return answer.read().decode()

    def post(self, path, body, headers=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise OSError(f"{path}: {error} {error.read().decode(errors='replace')}") from error

    def sql(self, text):
        answer = self.post("/api/v1/sql", {"query": text, "limit": 10_000})
        if answer["truncated"]:
            self.wrong.append(f"the checker asked for too many rows at once: {text}")
        return answer["rows"]

    # What happens.

    def on_sqlite(self):
        serve = [
            self.mastic, "serve", "--config", str(self.folder / "mastic.toml"),
            "--listen", f"127.0.0.1:{self.api}", "--lake", str(self.folder / "lake"),
            "--lake-listen", f"127.0.0.1:{self.s3}", "--jobs", str(self.folder / "jobs"),
            "--database", f"sqlite://{self.folder}/mastic.db",
        ]
        server = Process("server", serve, self.settings(), self.log)
        return [server], [server, server, Script(self.mark)], False

    def on_postgres(self, url):
        store_env = self.settings()
        store = Process(
            "store",
            [
                self.mastic, "serve", "--listen", f"127.0.0.1:{free_port()}", "--lake", str(self.folder / "lake"),
                "--lake-listen", f"127.0.0.1:{self.s3}", "--database", f"sqlite://{self.folder}/store.db",
                "--jobs", str(self.folder / "none"),
            ],
            store_env,
            self.log,
        )
        (self.folder / "none").mkdir(exist_ok=True)
        until("the store", 60, lambda: self.client().list_buckets())
        env = self.settings(
            MASTIC_LAKE_EMBEDDED="false",
            MASTIC_DATABASE_URL=url,
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{self.s3}",
            AWS_ACCESS_KEY_ID="storm",
            AWS_SECRET_ACCESS_KEY="storm-secret",
            AWS_REGION="us-east-1",
        )
        config = ["--config", str(self.folder / "mastic.toml")]
        server = Process(
            "server",
            [self.mastic, "serve", *config, "--listen", f"127.0.0.1:{self.api}", "--jobs", str(self.folder / "jobs")],
            env,
            self.log,
        )
        until("the server", 60, lambda: self.get("/readyz"))
        workers = [Process(f"worker {n}", [self.mastic, "work", *config], env, self.log) for n in (1, 2)]
        everything = [store, server, *workers]
        return everything, [*everything, Postgres(), Script(self.mark)], True

    def put(self, number):
        key = f"in/{'abcd'[number % 4]}_{number:05}.csv"
        body = f"n\n{number}\n".encode()
        until(f"PUT {key}", 120, lambda: self.client().put_object(Bucket="lake", Key=key, Body=body))
        return key

    def pack(self):
        """Starts a script that needs packages which are nowhere yet."""
        self.packed += 1
        scripts.make_package(self.wheels, self.packed)
        parameters = {"version": str(self.packed), "additional-python-modules": f"storm_package=={self.packed}"}
        wanted = {"parameters": parameters}
        until("a start", 120, lambda: self.post("/api/v1/jobs/packed/runs", wanted, {"Idempotency-Key": f"{self.packed}"}))

    def announce(self, keys):
        """Tells of arrivals: one in ten is dropped, one doubled, one late."""
        late = []
        for key in keys:
            lot = self.rng.random()
            if lot < 0.1:
                continue
            if lot < 0.2:
                late.append(key)
                continue
            self.tell(key)
            if lot < 0.3:
                self.tell(key)
        for key in reversed(late):
            self.tell(key)

    def tell(self, key):
        record = {
            "eventVersion": "2.1", "eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put",
            "s3": {"bucket": {"name": "lake"}, "object": {"key": key.replace("/", "%2F")}},
        }
        try:
            self.post("/api/v1/events/s3", {"Records": [record]})
        except OSError:
            pass  # Lost: the listing finds it.

    def watch(self):
        """Reads outputs all the while: whole files only, and of two halves both."""
        while not self.over.is_set():
            group = random.choice("abcd")
            try:
                body = self.client().get_object(Bucket="lake", Key=f"whole/g={group}/part-00000.csv")["Body"].read()
                self.check_rows(f"whole {group}", [row[:2] for row in csv.reader(io.StringIO(body.decode()))][1:])
            except Exception:  # noqa: BLE001 not there yet, or down
                pass
            try:
                body = self.client().get_object(Bucket="lake", Key="spark/part-00000.csv")["Body"].read()
                self.check_rows("spark", list(csv.reader(io.StringIO(body.decode())))[1:])
            except Exception:  # noqa: BLE001
                pass
            try:
                rows = self.sql(f"SELECT n, total FROM out.halves WHERE g = '{group}'")
                self.check_rows(f"halves {group}", rows)
            except Exception:  # noqa: BLE001
                pass
            time.sleep(0.2)

    def check_rows(self, what, rows):
        self.reads += 1
        totals = {int(total) for _, total in rows}
        if rows and totals != {len(rows)}:
            self.wrong.append(f"{what}: {len(rows)} rows of {totals}")

    def run(self, start):
        processes, victims, announces = start
        try:
            until("the server", 60, lambda: self.get("/readyz"))
            until("the bucket", 60, lambda: "lake" in {b["Name"] for b in self.client().list_buckets()["Buckets"]})
            watcher = threading.Thread(target=self.watch, daemon=True)
            watcher.start()
            strikes = sorted(self.rng.sample(range(1, self.objects + 1), min(self.kills, self.objects)))
            keys = []
            for number in range(1, self.objects + 1):
                keys.append(self.put(number))
                if announces and len(keys) == 10:
                    self.announce(keys)
                    keys.clear()
                if number % PACKED_EVERY == 0 and self.packed < MAX_PACKED:
                    self.pack()
                while strikes and strikes[0] <= number:
                    strikes.pop(0)
                    victim = self.rng.choice(victims)
                    name = f"{victim.name} {victim.hit(self.rng)}"
                    self.hits[name] = self.hits.get(name, 0) + 1
            self.announce(keys if announces else [])
            print(f"  {self.objects} objects, hits: {self.hits}", flush=True)
            self.settle()
            self.over.set()
            watcher.join(60)
            self.check()
        finally:
            self.over.set()
            for process in reversed(processes):
                process.stop()
            self.log.close()
            scripts.end_all(self.mark)
        self.check_folders()

    def settle(self):
        """Waits until nothing waits, and the listing has found nothing for a while."""
        quiet = {"since": None, "state": None}

        def is_quiet():
            self.retry_killed()
            unfinished = [line for line in self.get("/metrics").splitlines() if line.startswith("mastic_tasks_unfinished ")]
            newest = json.loads(self.get("/api/v1/events?limit=1"))["items"]
            state = (unfinished, newest[0]["id"] if newest else None)
            if state != quiet["state"] or unfinished != ["mastic_tasks_unfinished 0"]:
                quiet.update(since=time.monotonic(), state=state)
            return time.monotonic() - quiet["since"] > 8

        until("quiet", 600 + 3 * self.objects, is_quiet)

    def retry_killed(self):
        """Tries again, as an operator would, what failed because its process was killed three times in a row."""
        for task in json.loads(self.get("/api/v1/tasks?state=FAILED&limit=100"))["items"]:
            if task["error"] == "the process at work was killed":
                self.post(f"/api/v1/tasks/{task['id']}/retry", {})
                print("  a run whose process was killed three times is tried again", flush=True)

    # What is true at the end.

    def check(self):
        everything = list(range(1, self.objects + 1))
        wanted = {name: everything for name in ("log", "whole", "halves")}
        wanted["added"] = [number for number in everything if number % 4 == 2]
        wanted["packed"] = list(range(1, self.packed + 1))
        if "spark" in self.jobs:
            wanted["spark"] = [number for number in everything if number % 4 == 0]
        client = self.client()
        found = {name: [] for name in wanted}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket="lake"):
            for item in page.get("Contents", []):
                folder, name = item["Key"].split("/")[0], item["Key"].split("/")[-1]
                if folder in found and not name.startswith("_"):
                    body = client.get_object(Bucket="lake", Key=item["Key"])["Body"].read().decode()
                    found[folder] += [int(row[0]) for row in list(csv.reader(io.StringIO(body)))[1:]]
        for name, rows in found.items():
            if sorted(rows) != wanted[name]:
                missing = sorted(set(wanted[name]) - set(rows))
                doubled = sorted({row for row in rows if rows.count(row) > 1})
                self.wrong.append(f"{name}: missing {missing[:10]}, doubled {doubled[:10]}")
            by_catalog = self.sql(f"SELECT count(*), count(DISTINCT n) FROM out.{name}")[0]
            if by_catalog != [len(wanted[name])] * 2:
                self.wrong.append(f"{name} by the catalog: {by_catalog}")
        self.check_runs()
        self.check_leftovers(client)
        unsettled = [
            (event["key"], outcome["state"])
            for event in self.all_of("events")
            for outcome in event["outcomes"]
            if outcome["state"] in ("batched", "waiting", "rejected")
        ]
        if unsettled:
            self.wrong.append(f"arrivals that nothing came of: {unsettled[:10]}")
        left = [str(path) for path in (self.folder / "lake" / ".mastic" / "tmp").glob("*")]
        if left:
            self.wrong.append(f"temporary files: {left[:10]}")
        print(f"  {self.reads} reads meanwhile", flush=True)

    def all_of(self, what):
        """Everything that a listing gives."""
        cursor = ""
        while True:
            page = json.loads(self.get(f"/api/v1/{what}?limit=1000{cursor}"))
            yield from page["items"]
            if not page["next"]:
                return
            cursor = "&cursor=" + urllib.parse.quote(page["next"])

    def check_runs(self):
        """Every run went well, or is one of a script that was followed by others until one did."""
        runs = list(self.all_of("runs"))
        after = {run["previous"]: run for run in runs if run.get("previous")}
        causes = {}
        for run in runs:
            end = run
            while end["state"] == "FAILED" and end["id"] in after and end["job"] not in JOBS:
                end = after[end["id"]]
            if end["state"] != "SUCCEEDED":
                self.wrong.append(f"run {end['id']} of {end['job']}: {end['state']}, {end['error']}")
            if run["state"] == "FAILED":
                causes[run["error"]["message"]] = causes.get(run["error"]["message"], 0) + 1
        of_scripts = [run for run in runs if run["job"] not in JOBS]
        print(f"  {len(runs)} runs, {len(of_scripts)} of them of scripts; failed and followed: {causes}", flush=True)

    def check_leftovers(self, client):
        """Nothing is left of a script: no upload, no staged object, no process, no half of an environment."""
        until("no upload left over", 30, lambda: not client.list_multipart_uploads(Bucket="lake").get("Uploads"))
        staged = lambda: client.list_objects_v2(Bucket="lake", Prefix="_mastic/").get("Contents")  # noqa: E731
        try:
            until("no staged object left over", 30, lambda: not staged())
        except SystemExit:
            self.wrong.append(f"staged: {[item['Key'] for item in staged()]}")
        left = scripts.processes(self.mark)
        if left:
            self.wrong.append(f"processes of scripts: {left}")
        halves = scripts.half_made(self.engines)
        if halves:
            self.wrong.append(f"half environments: {halves}")

    def check_folders(self):
        """When all are stopped, no folder of a script is left."""
        left = [str(path) for path in self.spill.glob("*/*")]
        if left:
            self.wrong.append(f"folders: {left[:10]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mastic")
    parser.add_argument("--objects", type=int, default=40)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", help="the folder where `mastic engines install pyspark` put Sail")
    options = parser.parse_args()
    postgres = os.environ.get("MASTIC_TEST_POSTGRES")
    storms = [("SQLite, embedded store", None)] + ([("PostgreSQL, another store", postgres)] if postgres else [])
    failed = False
    for name, url in storms:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}: seed {options.seed}", flush=True)
            began = time.monotonic()
            storm = Storm(os.path.abspath(options.mastic), folder, options.objects, options.kills, options.seed, options.engines)
            if "spark" not in storm.jobs:
                print("  no scripts of Spark: --engines names no folder with Sail", flush=True)
            storm.settings()
            if url:
                database = f"storm_{os.getpid()}"
                subprocess.run(["psql", f"{url}/postgres", "-qc", f"CREATE DATABASE {database}"], check=True)
                start = storm.on_postgres(f"{url}/{database}")
            else:
                start = storm.on_sqlite()
            try:
                storm.run(start)
            except SystemExit as error:
                storm.wrong.append(str(error))
            print(f"  {time.monotonic() - began:.0f} s; {'wrong:' if storm.wrong else 'nothing lost, nothing doubled'}")
            for wrong in list(dict.fromkeys(storm.wrong))[:20]:
                print("   ", wrong)
            if storm.wrong:
                failed = True
                print((pathlib.Path(folder) / "log").read_text(errors="replace")[-4000:])
    sys.exit(failed)


if __name__ == "__main__":
    main()
