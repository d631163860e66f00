"""What `make bench` shows of inference: Mastic beside DuckDB and Polars on the same files in the same run, with the peak
memory of each. Below 1 is ahead. `--small` is a quick run, on a fiftieth of the data.

Each tool is asked as people ask it: Mastic as a command, the others as a program in Python that asks once a file, with
the function for its format. A time is that of the whole process; the best of three counts."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BUCKET = "lake"
KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
ROUNDS = 3
# Files are made once, and again when this changes.
EDITION = 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("mastic", help="the program")
    arguments.add_argument("--small", action="store_true")
    arguments.add_argument("--folder", help="where the files are made, and kept for the next run")
    arguments = arguments.parse_args()
    cache = Path(arguments.folder or Path(tempfile.gettempdir()) / "mastic-bench-infer")
    size = "small" if arguments.small else "full"
    folder = cache / f"{size}-{EDITION}"
    make_files(folder, 40 if arguments.small else 2_000, (40 << 20) if arguments.small else 2 << 30)
    mastic = os.path.abspath(arguments.mastic)
    print(f"{'what':26} {'mastic s':>9} {'duckdb s':>9} {'ratio':>6} {'polars s':>9} {'ratio':>6}   peak MiB of each")
    for what, files in (
        ("mixed small files", folder / "mixed"),
        ("one long CSV", folder / "long" / "trips.csv"),
        ("one long NDJSON", folder / "long" / "events.ndjson"),
        ("Parquet files, local", folder / "parquet"),
    ):
        compare(f"{count(files):,} {what}", [mastic, "infer", "--output", "json", str(files)], str(files), {})
    in_lake(mastic, folder / "parquet")


def count(path):
    return len(os.listdir(path)) if path.is_dir() else 1


def make_files(folder, small_files, long_bytes):
    """The files, always the same: nothing is drawn by chance."""
    if (folder / "made").exists():
        return
    print(f"making files in {folder}", file=sys.stderr)
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in ("mixed", "long", "parquet"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for at in range(small_files):
        rows = [row(at * 211 + n) for n in range(100 + at % 400)]
        kind = ("csv", "ndjson", "json", "parquet")[at % 4]
        path = folder / "mixed" / f"part-{at:05}.{kind}"
        if kind == "csv":
            path.write_text(csv_of(rows, (",", ";", "\t", "|")[at // 4 % 4]))
        elif kind == "ndjson":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        elif kind == "json":
            path.write_text(json.dumps(rows))
        else:
            pq.write_table(pa.Table.from_pylist(rows), path)
        pq.write_table(pa.Table.from_pylist(rows), folder / "parquet" / f"part-{at:05}.parquet")
    # A block of rows over and over: long, and quickly written.
    rows = [row(n) for n in range(20_000)]
    block = csv_of(rows, ",").encode()
    header, block = block.split(b"\n", 1)
    repeat(folder / "long" / "trips.csv", header + b"\n", block, long_bytes)
    repeat(folder / "long" / "events.ndjson", b"", "".join(json.dumps(r) + "\n" for r in rows).encode(), long_bytes)
    (folder / "made").touch()


def row(n):
    return {
        "id": n,
        "name": f"rider {n % 977}",
        "city": ("Oslo", "Lima", "Pune", "Kyiv", "Accra")[n % 5],
        "started": f"2031-{n % 12 + 1:02}-{n % 28 + 1:02} {n % 24:02}:{n % 60:02}:00",
        "day": f"2031-{n % 12 + 1:02}-{n % 28 + 1:02}",
        "distance": round(n % 5_000 / 100 + 0.25, 2),
        "paid": n % 3 == 0,
        "note": "" if n % 7 else "left, then right",
    }


def csv_of(rows, delimiter):
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def repeat(path, start, block, size):
    with open(path, "wb") as file:
        file.write(start)
        for _ in range(max(1, size // len(block))):
            file.write(block)


def compare(what, command, files, environment, rounds=ROUNDS):
    """One line: seconds, ratios, memory."""
    others = [[sys.executable, __file__, "--ask", tool, files] for tool in ("duckdb", "polars")]
    measured = [best(asked, environment, rounds) for asked in (command, *others)]
    ours = measured[0][0]
    shown = [f"{what:26} {ours:9.3f}"]
    for seconds, _ in measured[1:]:
        shown.append(f"{seconds:9.3f} {ours / seconds:6.2f}" if seconds else f"{'-':>9} {'-':>6}")
    memory = ", ".join(f"{peak:.0f}" if peak else "-" for _, peak in measured)
    print(" ".join(shown) + f"   {memory}", flush=True)


def best(command, environment, rounds):
    """The shortest time of a command, in seconds, and the most memory of it and its children, in MiB."""
    times, peaks = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | environment)
        peak = Peak(process.pid)
        said = process.stdout.read()
        code = process.wait()
        times.append(time.perf_counter() - began)
        peaks.append(peak.stop())
        if code == UNABLE:
            return None, None
        assert code in (0, WOULD_CHANGE), (command, code, said[-500:])
    return min(times), max(peaks)


class Peak:
    """Watches the resident memory of a process and of all that it starts."""

    def __init__(self, pid):
        self.pid, self.most, self.is_over = pid, 0, False
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.is_over:
            self.most = max(self.most, sum(map(resident, tree(self.pid))))
            time.sleep(0.004)

    def stop(self):
        self.is_over = True
        self.thread.join()
        return self.most / 1024


def tree(pid):
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as children:
                    found.extend(map(int, children.read().split()))
        except OSError:
            pass
    return found


def resident(pid):
    """KiB of memory."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmRSS")), 0)
    except OSError:
        return 0


def in_lake(mastic, parquet):
    """The Parquet files again, in the embedded lake over its S3 endpoint, and a crawl of them that writes nothing."""
    import boto3
    import servers
    from botocore.config import Config

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/lake")
        with servers.mastic("mastic", mastic, folder, f"sqlite://{folder}/mastic.db") as server:
            endpoint = f"http://127.0.0.1:{server.lake}"
            s3 = boto3.client(
                "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="any",
                aws_secret_access_key="any", config=Config(s3={"addressing_style": "path"}),
            )
            files = sorted(os.listdir(parquet))
            for name in files:
                s3.upload_file(f"{parquet}/{name}", BUCKET, f"bench/{name}")
            where = f"s3://{BUCKET}/bench/"
            environment = KEYS | {"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT": endpoint, "AWS_ALLOW_HTTP": "true"}
            compare(f"{len(files):,} Parquet files, S3", [mastic, "infer", "--output", "json", where], where, environment)
            crawl = [mastic, "crawl", where, "--database", "bench", "--dry-run", "--url", f"http://127.0.0.1:{server.port}"]
            # A second crawl would remember the first.
            compare(f"{len(files):,} Parquet files, crawl", crawl, where, environment, rounds=1)
            print(f"the server's own peak memory: {server.peak_memory():.0f} MiB")


# What a crawl exits with that is told to write nothing.
WOULD_CHANGE = 2
# What a tool exits with that can't do what it is asked.
UNABLE = 3


def ask(tool, files):
    """What the other tools do: in one process, the function for each file's format, one file after the other."""
    if tool == "duckdb":
        ask_duckdb(files)
    else:
        ask_polars(files)


def paths_of(files):
    if files.startswith("s3://"):
        # The names are known beforehand, so that no listing is measured.
        import boto3

        s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
        bucket, prefix = files.removeprefix("s3://").split("/", 1)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [f"s3://{bucket}/{entry['Key']}" for page in pages for entry in page["Contents"]]
    if os.path.isdir(files):
        return sorted(os.path.join(files, name) for name in os.listdir(files))
    return [files]


def ask_duckdb(files):
    import duckdb

    connection = duckdb.connect()
    if files.startswith("s3://"):
        try:
            connection.sql("LOAD httpfs")
        except duckdb.Error:
            # The extension is not part of the package, and nothing is fetched here.
            print("duckdb has no httpfs here, so it can't read from S3", file=sys.stderr)
            sys.exit(UNABLE)
        endpoint = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
        connection.sql(
            f"CREATE SECRET (TYPE s3, KEY_ID 'any', SECRET 'any', ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false)"
        )
    for path in paths_of(files):
        if path.endswith("csv"):
            connection.execute("SELECT Columns FROM sniff_csv(?)", [path]).fetchall()
        elif path.endswith("json"):
            connection.execute("DESCRIBE SELECT * FROM read_json_auto(?)", [path]).fetchall()
        else:
            connection.execute("SELECT name, type FROM parquet_schema(?)", [path]).fetchall()


def ask_polars(files):
    import polars

    options = None
    if files.startswith("s3://"):
        options = {
            "aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"], "aws_allow_http": "true", "aws_region": "us-east-1",
            "aws_access_key_id": "any", "aws_secret_access_key": "any",
        }
    for path in paths_of(files):
        if path.endswith("csv"):
            polars.scan_csv(path, try_parse_dates=True).collect_schema()
        elif path.endswith("ndjson"):
            polars.scan_ndjson(path).collect_schema()
        elif path.endswith("json"):
            polars.read_json(path).schema
        else:
            polars.scan_parquet(path, storage_options=options).collect_schema()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.argv[1:2] == ["--ask"]:
        ask(*sys.argv[2:])
    else:
        main()
