"""The engines that Mastic is measured beside, each in a process of its own: it is told the name of a query a line, and
answers with its seconds and rows.

    engines.py ENGINE FORMAT FOLDER
"""

import json
import re
import sys
import time

ENGINES = ["duckdb", "polars", "chdb", "datafusion"]
# Names of columns with capitals, which engines fold or don't.
NAMES = ["PULocationID", "LocationID", "Borough"]
MONTH = ("2031-03-01 00:00:00", "2031-04-01 00:00:00")
QUERIES = {
    "count(*)": "SELECT count(*) AS n FROM {trips}",
    "a month": f"""SELECT count(*) AS n, sum(total_amount) AS total FROM {{trips}}
        WHERE tpep_pickup_datetime >= '{MONTH[0]}' AND tpep_pickup_datetime < '{MONTH[1]}'""",
    "group by zone": """SELECT {PULocationID} AS zone, sum(total_amount) AS total, avg(trip_distance) AS distance FROM {trips}
        GROUP BY {PULocationID} ORDER BY zone""",
    "join with zones": """SELECT z.{Borough} AS borough, count(*) AS n, sum(t.tip_amount) AS tips FROM {trips} t
        JOIN {zones} z ON t.{PULocationID} = z.{LocationID} GROUP BY z.{Borough} ORDER BY borough""",
    "top 10 by tip": "SELECT tip_amount FROM {trips} ORDER BY tip_amount DESC LIMIT 10",
    "ten rows": "SELECT * FROM {trips} LIMIT 10",
}
SUFFIXES = {"parquet": "parquet", "csv": "csv.gz", "json": "json.gz"}


def query_of(name, trips, zones):
    return QUERIES[name].format(trips=trips, zones=zones, **{column: f'"{column}"' for column in NAMES})


def duckdb_(format_, folder):
    import duckdb

    reader = {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}[format_]
    trips, zones = f"{reader}('{folder}/trips_{format_}/*')", f"read_parquet('{folder}/zones/*')"
    return lambda name: duckdb.sql(query_of(name, trips, zones)).fetchall()


def polars_(format_, folder):
    import polars as pl

    def scan():
        files = f"{folder}/trips_{format_}/*.{SUFFIXES[format_]}"
        if format_ == "parquet":
            return pl.scan_parquet(files)
        return pl.scan_csv(files, try_parse_dates=True) if format_ == "csv" else pl.scan_ndjson(files)

    def month(trips):
        begin, end = MONTH
        if trips.collect_schema()["tpep_pickup_datetime"] != pl.String:
            begin, end = (pl.lit(text).str.to_datetime() for text in MONTH)
        within = pl.col("tpep_pickup_datetime").is_between(
            *(pl.lit(edge) if isinstance(edge, str) else edge for edge in (begin, end)), closed="left"
        )
        return trips.filter(within).select(pl.len(), pl.col("total_amount").sum())

    def zones(trips):
        zones = pl.scan_parquet(f"{folder}/zones/*.parquet")
        joined = trips.join(zones, left_on=pl.col("PULocationID").cast(pl.Int64), right_on=pl.col("LocationID").cast(pl.Int64))
        return joined.group_by("Borough").agg(pl.len(), pl.col("tip_amount").sum()).sort("Borough")

    plans = {
        "count(*)": lambda trips: trips.select(pl.len()),
        "a month": month,
        "group by zone": lambda trips: trips.group_by("PULocationID")
        .agg(pl.col("total_amount").sum(), pl.col("trip_distance").mean())
        .sort("PULocationID"),
        "join with zones": zones,
        "top 10 by tip": lambda trips: trips.select("tip_amount").top_k(10, by="tip_amount").sort("tip_amount", descending=True),
        "ten rows": lambda trips: trips.head(10),
    }
    return lambda name: plans[name](scan()).collect().rows()


def chdb_(format_, folder):
    import chdb

    known = {"parquet": "Parquet", "csv": "CSVWithNames", "json": "JSONEachRow"}[format_]
    trips = f"file('{folder}/trips_{format_}/*.{SUFFIXES[format_]}', {known})"
    zones = f"file('{folder}/zones/*.parquet', Parquet)"

    def ask(name):
        return json.loads(str(chdb.query(query_of(name, trips, zones), "JSONCompact")))["data"]

    return ask


def datafusion_(format_, folder):
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("zones", f"{folder}/zones/")
    place, suffix = f"{folder}/trips_{format_}/", f".{SUFFIXES[format_]}"
    if format_ == "parquet":
        context.register_parquet("trips", place)
    elif format_ == "csv":
        context.register_csv("trips", place, file_extension=suffix, file_compression_type="gzip")
    else:
        context.register_json("trips", place, file_extension=suffix, file_compression_type="gzip")

    def ask(name):
        table = context.sql(query_of(name, "trips", "zones")).to_arrow_table()
        return [list(row.values()) for row in table.to_pylist()]

    return ask


def peak_memory():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) >> 10


def main():
    engine, format_, folder = sys.argv[1:]
    opened = None
    for line in sys.stdin:
        name = line.strip()
        begun = time.perf_counter()
        try:
            if name == "memory":
                answer = {"rows": peak_memory()}
            else:
                # What an engine can't open it can't answer either.
                opened = opened or globals()[f"{engine}_"](format_, folder)
                rows = [list(row) for row in opened(name)]
                answer = {"seconds": time.perf_counter() - begun, "rows": rows}
        except BaseException as error:  # Polars panics with one that is no `Exception`.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
