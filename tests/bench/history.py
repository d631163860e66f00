"""How a server answers that has worked for half a year: a million events, a hundred thousand runs, five thousand crawls.

    history.py MASTIC [--events N] [--runs N] [--crawls N]

The rows of one real story (objects arrive, a job runs, a crawler crawls) are copied within the database, each copy with a
time of its own; the older half is due to be forgotten. Then a server is started on it, and asked for what its pages ask for:
first while it forgets, then afterwards. Prints the median and the longest time of each, the server's memory, and how long the
forgetting took; exits with 1 where an answer took more than 100 ms in the median.
"""

import argparse
import contextlib
import pathlib
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.request

import servers
from wire import rest

LIMIT_MS = 100
DAYS = 180
# How long nothing is forgotten until all is, in seconds.
QUIET = 5
TABLES = 50
JOB = """
engine = "sql"
script = "script.sql"
[parameters.n]
[inputs]
t = "s3://lake/in/{n}/*.csv"
[output]
location = "s3://lake/out/n={n}/"
format = "csv"
[[triggers]]
on = "object_created"
match = "s3://lake/in/{n}/*.csv"
"""
PAGES = {
    "home: system": "/api/v1/system",
    "home: databases": "/api/v1/databases?limit=50",
    "newest runs": "/api/v1/runs?limit=50",
    "newest runs of a job": "/api/v1/runs?limit=50&job=copy",
    "failed runs": "/api/v1/runs?limit=50&state=FAILED",
    "newest events": "/api/v1/events?limit=50",
    "newest crawls": "/api/v1/crawls?limit=50",
    "crawlers": "/api/v1/crawlers?limit=50",
    "jobs": "/api/v1/jobs?limit=50",
    "tasks": "/api/v1/tasks?limit=50",
    "metrics": "/metrics",
}
# The time of a row's copy: its id begins with it in milliseconds, as a version 7 UUID does.
COPIES = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count),
copies AS (SELECT i, CAST(:now - :span + :span * 1.0 * i / :count AS INTEGER) AS ms FROM n)
SELECT printf('%s-%s-7000-8000-%012x', substr(printf('%012x', ms), 1, 8), substr(printf('%012x', ms), 9, 4), i) AS id,
    strftime('%Y-%m-%dT%H:%M:%f+00:00', ms / 1000.0, 'unixepoch') AS at FROM copies
"""


def call(port, path, body=None):
    return rest(f"http://127.0.0.1:{port}{path}", body)


def until(what, is_there):
    deadline = time.monotonic() + 120
    while not is_there():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not after two minutes")
        time.sleep(0.2)


def live_the_story(program, folder, database):
    """What is copied afterwards: an arrival with its run, and a crawler's crawl of many tables."""
    job = pathlib.Path(folder, "jobs", "copy")
    job.mkdir(parents=True)
    (job / "job.toml").write_text(JOB)
    (job / "script.sql").write_text("SELECT * FROM t")
    with servers.mastic("mastic", program, folder, database) as server:
        lake = f"http://127.0.0.1:{server.lake}/lake"

        def put(key):
            urllib.request.urlopen(urllib.request.Request(f"{lake}/{key}", b"id,price\n1,2\n", method="PUT")).read()

        for table in range(TABLES):
            put(f"raw/table{table:02}/day=1/a.csv")
        put("in/1/a.csv")
        runs = "/api/v1/runs?limit=1"
        until("the run", lambda: [r["state"] for r in call(server.port, runs)["items"]] == ["SUCCEEDED"])
        crawler = {"name": "shop", "database": "shop", "targets": [{"path": "s3://lake/raw/"}]}
        call(server.port, "/api/v1/crawlers", crawler)
        crawl = call(server.port, "/api/v1/crawlers/shop/crawls", {})["id"]
        until("the crawl", lambda: call(server.port, f"/api/v1/crawls/{crawl}")["state"] == "SUCCEEDED")


def columns(connection, table):
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def copy(connection, table, count, where="", **other):
    """Copies a row of a table so often; `other` are the columns that a copy has of its own, as SQL."""
    of_its_own = {"id": "copies.id", **other}
    names = columns(connection, table)
    values = ", ".join(of_its_own.get(name, f"first.{name}") for name in names)
    connection.execute(
        f"INSERT INTO {table} SELECT {values} FROM ({COPIES}) AS copies, (SELECT * FROM {table} {where} LIMIT 1) AS first",
        {"count": count, "now": int(time.time() * 1000) - 60_000, "span": DAYS * 86_400_000},
    )


def grow(path, options):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        in_half_a_year = {"created_at": "copies.at", "started_at": "copies.at", "finished_at": "copies.at"}
        copy(connection, "runs", options.runs, **in_half_a_year)
        connection.execute(
            """INSERT INTO run_logs SELECT runs.id, seq, at, level, message FROM runs,
            (SELECT * FROM run_logs WHERE run_id = (SELECT run_id FROM run_logs LIMIT 1)) WHERE runs.id LIKE '%-7000-8000-%'"""
        )
        copy(connection, "crawls", options.crawls, **in_half_a_year)
        arrival = "WHERE body LIKE '%in/1/a.csv%'"
        copy(connection, "events", options.events, arrival, received_at="copies.at")
        names = columns(connection, "event_outcomes")
        values = ", ".join({"event_id": "events.id", "batch_id": "NULL"}.get(name, f"first.{name}") for name in names)
        connection.execute(
            f"""INSERT INTO event_outcomes SELECT {values} FROM events,
            (SELECT * FROM event_outcomes WHERE run_id IS NOT NULL LIMIT 1) AS first WHERE events.id LIKE '%-7000-8000-%'"""
        )
        connection.commit()
        connection.execute("ANALYZE")
        return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("events", "runs", "crawls")}


def ask(server, times):
    for name, path in PAGES.items():
        began = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
            answer.read()
        times.setdefault(name, []).append((time.perf_counter() - began) * 1000)


def counts(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("events", "runs", "crawls")]


def say(title, times):
    print(title)
    for name, taken in times.items():
        print(f"  {name:22} median {statistics.median(taken):7.1f} ms   longest {max(taken):7.1f} ms   of {len(taken)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mastic")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--crawls", type=int, default=5_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "mastic.db")
        database = f"sqlite://{path}"
        live_the_story(options.mastic, folder, database)
        grown = grow(path, options)
        print(f"{grown}, {path.stat().st_size / 2**20:.0f} MiB")
        with servers.mastic("mastic", options.mastic, folder, database) as server:
            began, during, after = time.monotonic(), {}, {}
            left, changed = counts(path), time.monotonic()
            while time.monotonic() - changed < QUIET:
                ask(server, during)
                if left != (left := counts(path)):
                    changed = time.monotonic()
            forgetting = changed - began
            for _ in range(20):
                ask(server, after)
            say(f"while it forgot, for {forgetting:.0f} s:", during)
            say(f"with {dict(zip(grown, left))} left:", after)
            print(f"the server's memory at its highest: {server.peak_memory():.0f} MiB")
        slow = [name for times in (during, after) for name, t in times.items() if statistics.median(t) > LIMIT_MS]
        sys.exit(f"over {LIMIT_MS} ms: {', '.join(slow)}" if slow else 0)


if __name__ == "__main__":
    main()
