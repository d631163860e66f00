"""A year of taxi trips in the embedded lake, asked by Mastic, DuckDB, Polars, chdb and plain DataFusion: all read the same
files, in turns in one run, and their answers must be the same.

    reading.py MASTIC [--months N] [--rows N] [--text-rows N] [--formats FORMAT ...]

A time is the median of five after one that isn't counted: of a REST request for Mastic, of a call in a process that stays
for the others. Memory is the most that the process of an engine had resident (for Mastic, a query's child process)."""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "reading"))

import engines
import lake

ROUNDS = 5
SUFFIXES = {"parquet": "parquet", "csv": "csv.gz", "json": "json.gz"}


class Mastic:
    """Mastic's server, with an eye on the memory of its children."""

    def __init__(self, lake_, format_):
        self.lake, self.format, self.peak = lake_, format_, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        pid = self.lake.server.process.pid
        while not self.over.wait(0.005):
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    for child in (thread / "children").read_text().split():
                        status = pathlib.Path(f"/proc/{child}/status").read_text()
                        self.peak = max(self.peak, int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10)
                except (OSError, TypeError):
                    pass

    def ask(self, query):
        sql = engines.QUERIES[query].format(
            trips=f"bench.trips_{self.format}", zones="bench.zones", **{name: name.lower() for name in engines.NAMES}
        )
        begun = time.perf_counter()
        answer = self.lake.ask(sql)
        if isinstance(answer, Exception):
            return {"error": str(answer)}
        return {"seconds": time.perf_counter() - begun, "rows": answer["rows"]}

    def end(self):
        self.over.set()
        self.thread.join()
        return self.peak


class Other:
    """Another engine, in a process of its own."""

    def __init__(self, engine, format_, folder):
        command = [sys.executable, str(pathlib.Path(engines.__file__)), engine, format_, str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, query):
        print(query, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "its process ended"}

    def end(self):
        try:
            return self.ask("memory").get("rows", 0)
        except BrokenPipeError:
            return 0
        finally:
            self.process.stdin.close()
            self.process.wait()


def make_trips(folder, months, rows, text_rows):
    import duckdb

    for month in range(1, months + 1):
        for format_, suffix in SUFFIXES.items():
            count = rows if format_ == "parquet" else text_rows
            place = folder / f"trips_{format_}"
            place.mkdir(parents=True, exist_ok=True)
            options = "parquet, COMPRESSION zstd" if format_ == "parquet" else f"{format_}, COMPRESSION gzip"
            path = place / f"yellow_tripdata_2031-{month:02}.{suffix}"
            duckdb.sql(f"COPY ({trips(month, count)}) TO '{path}' (FORMAT {options})")
    (folder / "zones").mkdir()
    duckdb.sql(
        f"""COPY (SELECT i + 1 AS "LocationID", 'borough ' || i % 7 AS "Borough", 'zone ' || i AS "Zone" FROM range(263) t(i))
        TO '{folder}/zones/zones.parquet' (FORMAT parquet)"""
    )


def trips(month, count):
    """The yellow cabs' columns. Amounts are multiples of a quarter, so that sums are the same in any order."""
    begin, seconds = f"TIMESTAMP '2031-{month:02}-01'", 28 * 86_400
    return f"""
        SELECT i % 2 + 1 AS "VendorID",
        {begin} + to_seconds(i % {seconds}) AS tpep_pickup_datetime,
        {begin} + to_seconds(i % {seconds} + hash(i) % 3000) AS tpep_dropoff_datetime,
        (hash(i, 1) % 6)::DOUBLE AS passenger_count, (hash(i, 2) % 4000) / 64.0 AS trip_distance,
        (hash(i, 3) % 5 + 1)::DOUBLE AS "RatecodeID", CASE WHEN i % 97 = 0 THEN 'Y' ELSE 'N' END AS store_and_fwd_flag,
        (hash(i, 4) % 263 + 1)::INT AS "PULocationID", (hash(i, 5) % 263 + 1)::INT AS "DOLocationID",
        (hash(i, 6) % 4 + 1)::INT AS payment_type, (hash(i, 7) % 20000) / 4.0 AS fare_amount, 0.5 AS extra, 0.5 AS mta_tax,
        (hash(i, 8) % 100000) / 4.0 AS tip_amount, (hash(i, 9) % 50) / 4.0 AS tolls_amount, 0.25 AS improvement_surcharge,
        (hash(i, 10) % 40000) / 4.0 AS total_amount, 2.5 AS congestion_surcharge,
        CASE WHEN i % 11 = 0 THEN 1.25 END AS airport_fee
        FROM range({count}) t(i)"""


def plain(rows):
    """Rows that engines write in different ways, in one."""

    def cell(value):
        try:
            return round(float(value), 6)
        except (TypeError, ValueError):
            return value

    return [[cell(value) for value in row] for row in rows]


def measure(asked, query):
    """The median of each engine's seconds, or what went wrong; and whether an answer isn't that of the others."""
    times, wrong, answers = {engine: [] for engine in asked}, {}, {}
    for round_ in range(ROUNDS + 1):
        for engine, asks in asked.items():
            if engine in wrong:
                continue
            answer = asks.ask(query)
            if "error" in answer:
                wrong[engine] = answer["error"]
                continue
            if round_:
                times[engine].append(answer["seconds"])
            # Any ten rows will do where none are asked for in particular.
            answers[engine] = [len(answer["rows"])] if query == "ten rows" else plain(answer["rows"])
    other = [engine for engine in answers if answers[engine] != answers.get("duckdb", answers[engine])]
    return {engine: statistics.median(seconds) for engine, seconds in times.items() if seconds}, wrong, other


def compare(lake_, format_, folder):
    """Prints the table of a format; gives whether all answers were the same."""
    asked = {"mastic": Mastic(lake_, format_)}
    asked |= {engine: Other(engine, format_, folder) for engine in engines.ENGINES}
    print(f"\n{format_:18}" + "".join(f"{engine + ' s':>13}" for engine in asked) + "   mastic to best, to datafusion")
    agreed = True
    try:
        for query in engines.QUERIES:
            medians, wrong, other = measure(asked, query)
            shown = "".join(f"{medians[e]:13.3f}" if e in medians else f"{'-':>13}" for e in asked)
            print(f"{query:18}{shown}   {ratios(medians)}", flush=True)
            for engine, what in wrong.items():
                print(f"    {engine} refused: {' '.join(what.split())[:200]}")
            for engine in other:
                print(f"    {engine} has another answer than duckdb")
            agreed = agreed and not other and "mastic" in medians
    finally:
        peaks = {engine: asks.end() for engine, asks in asked.items()}
    print(f"{'peak MiB':18}" + "".join(f"{peaks[engine]:13,}" for engine in asked))
    return agreed


def ratios(medians):
    if "mastic" not in medians:
        return "-"
    best = min(seconds for engine, seconds in medians.items() if engine != "mastic")
    to_datafusion = f"{medians['mastic'] / medians['datafusion']:.2f}" if "datafusion" in medians else "-"
    return f"{medians['mastic'] / best:14.2f}, {to_datafusion:>13}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mastic")
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--rows", type=int, default=3_000_000, help="of each month's Parquet file")
    parser.add_argument("--text-rows", type=int, default=300_000, help="of each month's CSV and JSON file")
    parser.add_argument("--formats", nargs="+", choices=SUFFIXES, default=list(SUFFIXES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder, "lake", lake.BUCKET, "trips")
        print(f"making {options.months} months of {options.rows:,} and {options.text_rows:,} trips", file=sys.stderr)
        make_trips(prefix, options.months, options.rows, options.text_rows)
        with lake.lake(options.mastic, folder) as lake_:
            begun = time.perf_counter()
            lake_.crawl("trips", "bench")
            print(f"crawled in {time.perf_counter() - begun:.1f} s")
            agreed = [compare(lake_, format_, prefix) for format_ in options.formats]
    sys.exit(not all(agreed))


if __name__ == "__main__":
    main()
