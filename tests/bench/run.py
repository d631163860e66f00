"""What `make bench` shows: Mastic beside DuckDB on the same files in the same run, as ratios. Below 1 is ahead."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
import duckdb
from botocore.config import Config

MASTIC = sys.argv[1]
MONTH = "2031-01"
TRIPS = {"yellow": 3_000_000, "green": 500_000}
PICKUP = {"yellow": "tpep", "green": "lpep"}


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_trips(folder, color):
    prefix = PICKUP[color]
    duckdb.sql(
        f"""COPY (SELECT i % 2 + 1 AS "VendorID", TIMESTAMP '2031-01-01' + INTERVAL (i % 2600000) SECOND AS {prefix}_pickup_datetime,
        TIMESTAMP '2031-01-01' + INTERVAL (i % 2600000 + 600) SECOND AS {prefix}_dropoff_datetime, 1.0 AS "RatecodeID",
        i % 263 + 1 AS "PULocationID", i % 199 + 1 AS "DOLocationID", i % 2 + 1 AS payment_type, (i % 5000) / 100.0 AS fare_amount,
        0.5 AS extra, 0.5 AS mta_tax, (i % 700) / 100.0 AS tip_amount, 0.3 AS improvement_surcharge, 0.0 AS tolls_amount,
        (i % 6000) / 100.0 AS total_amount, 2.5 AS congestion_surcharge FROM range({TRIPS[color]}) t(i))
        TO '{folder}/{color}.parquet' (FORMAT parquet)"""
    )


def union_by_duckdb(folder):
    columns = """{p}_pickup_datetime AS pickup_datetime, {p}_dropoff_datetime AS dropoff_datetime, "VendorID"::BIGINT AS vendor_id,
        "RatecodeID"::BIGINT AS ratecode_id, "PULocationID" AS pu_location_id, "DOLocationID" AS do_location_id,
        payment_type::BIGINT AS payment_type, fare_amount, extra, mta_tax, tip_amount, improvement_surcharge, tolls_amount,
        total_amount, congestion_surcharge, '{c}' AS taxi_type FROM '{f}/{c}.parquet'"""
    parts = " UNION ALL ".join("SELECT " + columns.format(p=PICKUP[c], c=c, f=folder) for c in TRIPS)
    began = time.perf_counter()
    program = f"import duckdb; duckdb.sql(\'\'\'COPY ({parts}) TO '{folder}/duckdb.csv' (HEADER)\'\'\')"
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - began


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


class Server:
    def __init__(self, folder):
        api, lake = free_port(), free_port()
        self.api, self.lake = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{lake}"
        flags = ["--listen", f"127.0.0.1:{api}", "--lake-listen", f"127.0.0.1:{lake}", "--lake", f"{folder}/lake"]
        jobs = os.path.join(os.path.dirname(__file__), "../../jobs")
        self.process = subprocess.Popen(
            [MASTIC, "serve", "--quiet", *flags, "--database", f"sqlite://{folder}/mastic.db", "--jobs", jobs],
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                urllib.request.urlopen(f"{self.api}/readyz")
                return
            except OSError:
                time.sleep(0.05)

    def peak_memory(self, stop):
        """The most memory of the server and of its children, in MiB, sampled until told to stop."""
        self.server_peak = self.child_peak = 0
        while not stop.is_set():
            children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
            self.server_peak = max(self.server_peak, resident(self.process.pid))
            self.child_peak = max([self.child_peak, *map(resident, children)])
            time.sleep(0.05)


def resident(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0


def union_by_mastic(server, folder):
    s3 = boto3.client(
        "s3", endpoint_url=server.lake, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any",
        config=Config(s3={"addressing_style": "path"}),
    )
    for color in TRIPS:
        s3.upload_file(f"{folder}/{color}.parquet", "lake", f"raw/{color}/{color}_tripdata_{MONTH}.parquet")
    while True:
        runs = get(f"{server.api}/api/v1/runs")["items"]
        if runs and runs[0]["state"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.1)
    assert runs[0]["state"] == "SUCCEEDED", runs[0]
    assert runs[0]["rows_out"] == sum(TRIPS.values()), runs[0]
    return runs[0]["duration_ms"] / 1000


def timed(arguments):
    began = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main():
    with tempfile.TemporaryDirectory() as folder:
        print(f"making {sum(TRIPS.values()):,} trips", file=sys.stderr)
        for color in TRIPS:
            make_trips(folder, color)
        rows = []
        theirs = union_by_duckdb(folder)
        server = Server(folder)
        stop = threading.Event()
        watcher = threading.Thread(target=server.peak_memory, args=(stop,))
        watcher.start()
        try:
            ours = union_by_mastic(server, folder)
        finally:
            stop.set()
            watcher.join()
            server.process.terminate()
            server.process.wait()
        rows.append(("a month's union to CSV", ours, theirs))
        csv = f"{folder}/duckdb.csv"
        ours = timed([MASTIC, "infer", csv])
        theirs = timed([sys.executable, "-c", f"import duckdb; duckdb.sql(\"FROM sniff_csv('{csv}')\").fetchall()"])
        rows.append(("infer a CSV", ours, theirs))
        print(f"{'what':28} {'mastic s':>9} {'duckdb s':>9} {'ratio':>6}")
        for what, ours, theirs in rows:
            print(f"{what:28} {ours:9.2f} {theirs:9.2f} {ours / theirs:6.2f}")
        print(f"peak memory: server {server.server_peak} MiB, a run's process {server.child_peak} MiB")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
