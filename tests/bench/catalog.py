"""What `make bench` shows of the catalog: Mastic on SQLite and on PostgreSQL beside moto's server, in the same run.

Wrong answers fail it; slow ones are only reported."""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time

import servers
from wire import Client, wrk

TABLES = 200_000
PARTITIONS = 1_000_000
# Moto has no pages and no segments: each of its answers holds all tables, or all partitions that match, at about a
# millisecond for each, and an expression is held against every partition. With as much as Mastic has, one answer would
# take minutes, and its memory 10 GB.
MOTO_TABLES = 2_000
MOTO_PARTITIONS = 5_000
# As many different requests as wrk takes turns with.
MOST_BODIES = 20_000
BATCH = 100
PAGE = 1_000
SEGMENTS = 5
WRITERS = 8
WARM_UP = 1

KEYS = ["year", "month", "day", "hour", "shard"]
SHARDS = 10
# In one hour, day, month and year. Each month has 28 days.
HOUR = SHARDS
DAY = 24 * HOUR
MONTH = 28 * DAY
YEAR = 12 * MONTH
FIRST_YEAR = 2020

# What is measured, as it is called in the table.
CREATE_TABLE = "load: tables by CreateTable"
CREATE_PARTITIONS = f"load: partitions by {BATCH}"
GET_TABLE = "GetTable"
GET_TABLES = "GetTables, a page of 100"
BY_EQUALITY = f"GetPartitions, {HOUR} by equality"
BY_RANGE = f"GetPartitions, {3 * HOUR} by a range"
BY_WIDE_RANGE = f"GetPartitions, {PAGE:,} by a wide range"
BY_SEGMENT = f"GetPartitions, {PAGE:,} of a segment"
READ_ALL = f"all partitions, in {SEGMENTS} segments at once"

COLUMNS = [
    {"Name": "id", "Type": "bigint", "Comment": "the event's number"},
    {"Name": "occurred_at", "Type": "timestamp", "Comment": "when it happened, in UTC"},
    {"Name": "received_at", "Type": "timestamp"},
    {"Name": "customer_id", "Type": "bigint"},
    {"Name": "kind", "Type": "string"},
    {"Name": "amount", "Type": "decimal(18,2)"},
    {"Name": "currency", "Type": "string"},
    {"Name": "latitude", "Type": "double"},
    {"Name": "longitude", "Type": "double"},
    {"Name": "payload", "Type": "struct<source:string,version:int,labels:array<string>,more:map<string,string>>"},
]
# As a crawler writes them, to tables and to partitions.
PARAMETERS = {
    "CrawlerSchemaDeserializerVersion": "1.0",
    "CrawlerSchemaSerializerVersion": "1.0",
    "UPDATED_BY_CRAWLER": "nightly",
    "averageRecordSize": "117",
    "classification": "parquet",
    "compressionType": "none",
    "objectCount": "4",
    "recordCount": "182733",
    "sizeKey": "21379761",
    "typeOfData": "file",
}


def storage(location):
    return {
        "Columns": COLUMNS,
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": PARAMETERS,
        "StoredAsSubDirectories": False,
    }


def table_input(name, keys):
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "StorageDescriptor": storage(f"s3://lake/{name}/"),
        "PartitionKeys": [{"Name": key, "Type": "int"} for key in keys],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": PARAMETERS,
    }


def table_name(number):
    return f"table_{number:06}"


def values(number):
    """The values of a partition, in the order of `KEYS`."""
    year, rest = divmod(number, YEAR)
    month, rest = divmod(rest, MONTH)
    day, rest = divmod(rest, DAY)
    hour, shard = divmod(rest, HOUR)
    return FIRST_YEAR + year, month + 1, day + 1, hour, shard


def number_of(values):
    """Which partition has these values."""
    year, month, day, hour, shard = map(int, values)
    return (year - FIRST_YEAR) * YEAR + (month - 1) * MONTH + (day - 1) * DAY + hour * HOUR + shard


PARTITIONED = {"DatabaseName": "events", "TableName": "events"}
# Requests are put together from text, because making a million of them by json would take longer than serving them.
TABLE_TEXT = json.dumps({"DatabaseName": "tables", "TableInput": table_input("%(name)s", [])})
PARTITION_TEXT = json.dumps(
    {
        "Values": ["%d"] * len(KEYS),
        "StorageDescriptor": storage("s3://lake/events/" + "".join(f"{key}=%d/" for key in KEYS)),
        "Parameters": PARAMETERS,
    }
)


class Load:
    """How much a server is loaded with."""

    def __init__(self, scale, most_tables=TABLES, most_partitions=PARTITIONS):
        self.tables = max(min(round(TABLES * scale), most_tables), 2 * BATCH)
        self.partitions = max(min(round(PARTITIONS * scale), most_partitions), 10 * DAY)


def say(words):
    print(words, file=sys.stderr, flush=True)


def load_tables(server, load):
    Client(server.port).call("CreateDatabase", {"DatabaseInput": {"Name": "tables"}})

    def create(client, number):
        client.call("CreateTable", (TABLE_TEXT % {"name": table_name(number)}).encode())

    return load_by(create, server, "tables", load.tables, 1)


def load_partitions(server, load):
    client = Client(server.port)
    client.call("CreateDatabase", {"DatabaseInput": {"Name": PARTITIONED["DatabaseName"]}})
    table = {"DatabaseName": PARTITIONED["DatabaseName"], "TableInput": table_input(PARTITIONED["TableName"], KEYS)}
    client.call("CreateTable", table)
    client.close()
    start = json.dumps(PARTITIONED)[:-1] + ', "PartitionInputList": ['

    def create(client, first):
        numbers = range(first, min(first + BATCH, load.partitions))
        batch = ", ".join(PARTITION_TEXT % (*values(number), *values(number)) for number in numbers)
        answer = client.call("BatchCreatePartition", f"{start}{batch}]}}".encode())
        expect("errors of BatchCreatePartition", json.loads(answer).get("Errors", []), [])

    return load_by(create, server, "partitions", load.partitions, BATCH)


def load_by(create, server, things, count, step):
    """Calls `create` for each `step`th number below `count`, from several threads; says how many numbers a second."""
    done, stop = [0] * WRITERS, threading.Event()

    def work(worker):
        client = Client(server.port)
        for number in range(worker * step, count, WRITERS * step):
            if stop.is_set():
                break
            create(client, number)
            done[worker] += step
        client.close()

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        waiting = {pool.submit(work, worker) for worker in range(WRITERS)}
        try:
            while waiting:
                finished, waiting = concurrent.futures.wait(waiting, 10, concurrent.futures.FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                if waiting:
                    say(f"{server.name}: {sum(done):,} of {count:,} {things}, {time.perf_counter() - began:.0f} s")
        finally:
            stop.set()
    return count / (time.perf_counter() - began)


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: {str(found)[:1000]} instead of {str(wanted)[:1000]}")


def pages(client, operation, request):
    """Each page of a listing, with the request that it answers."""
    token = None
    while True:
        asked = {**request, "NextToken": token} if token else request
        answer = client.call(operation, asked)
        yield asked, answer
        found = re.search(rb'"NextToken": ?("[^"]+")', answer)
        if not found:
            return
        token = json.loads(found[1])


def check_tables(server, load):
    """Reads every table; gives a request for each page."""
    client, requests, names = Client(server.port), [], []
    for request, answer in pages(client, "GetTables", {"DatabaseName": "tables", "MaxResults": 100}):
        requests.append(request)
        for table in json.loads(answer)["TableList"]:
            expect("the columns of a table", table["StorageDescriptor"]["Columns"], COLUMNS)
            names.append(table["Name"])
    expect("tables listed", len(names), load.tables)
    expect("tables listed twice", len(names) - len(set(names)), 0)
    for number in random.sample(range(load.tables), 100):
        request = {"DatabaseName": "tables", "Name": table_name(number)}
        table = json.loads(client.call("GetTable", request))["Table"]
        expect("a table's parameters", table["Parameters"], PARAMETERS)
        expect("a table's name", table["Name"], table_name(number))
    client.close()
    return requests


def partition_requests(load):
    """Requests for partitions by expression, each with the numbers of those that match; by what they are about."""

    def by_equality(hour):
        first = hour * HOUR
        year, month, day, hour, _ = values(first)
        return f"year = {year} AND month = {month} AND day = {day} AND hour = {hour}", range(first, first + HOUR), {}

    def by_range(day):
        first = day * DAY
        year, month, day, _, _ = values(first)
        condition = f"year = {year} AND month = {month} AND day = {day} AND hour >= 6 AND hour < 9"
        return condition, range(first + 6 * HOUR, first + 9 * HOUR), {}

    def by_wide_range(year):
        matching = range(year * YEAR, load.partitions)
        return f"year >= {FIRST_YEAR + year}", matching, {"MaxResults": PAGE, "ExcludeColumnSchema": True}

    def requests(make, count):
        made = [make(number) for number in random.sample(range(count), min(count, MOST_BODIES))]
        return [({**PARTITIONED, "Expression": words, **more}, matching) for words, matching, more in made]

    return {
        BY_EQUALITY: requests(by_equality, load.partitions // HOUR),
        BY_RANGE: requests(by_range, load.partitions // DAY),
        BY_WIDE_RANGE: requests(by_wide_range, max(load.partitions // YEAR, 1)),
    }


def check_partitions(server, requests):
    client = Client(server.port)
    for request, matching in random.sample(requests, min(len(requests), 20)):
        found = json.loads(client.call("GetPartitions", request))["Partitions"]
        numbers = {number_of(partition["Values"]) for partition in found}
        most = request.get("MaxResults", PAGE) if server.has_pages else len(matching)
        expect(f"partitions that {request} gives", len(numbers), min(len(matching), most))
        expect(f"partitions that {request} gives wrongly", [n for n in numbers if n not in matching], [])
        if "ExcludeColumnSchema" not in request:
            expect("a partition's columns", found[0]["StorageDescriptor"]["Columns"], COLUMNS)
    client.close()


def read_all(server, load):
    """Reads every partition in parallel segments; says how long it took, and gives a request for each page."""
    segments = [{"Segment": {"SegmentNumber": n, "TotalSegments": SEGMENTS}} for n in range(SEGMENTS)]
    if not server.has_pages:
        segments = [{}]
    # Processes, because threads of one Python would take turns.
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(len(segments), context) as pool:
        parts = list(pool.map(read_segment, [server.port] * len(segments), segments))
    numbers = sorted(number_of(json.loads(b"[%s]" % one)) for part in parts for one in part["values"])
    expect("partitions read", len(numbers), load.partitions)
    expect("partitions read that aren't there, or twice", [n for i, n in enumerate(numbers) if n != i], [])
    seconds = max(part["ended"] for part in parts) - min(part["began"] for part in parts)
    return seconds, [request for part in parts for request in part["requests"]]


def read_segment(port, segment):
    client, requests, found = Client(port), [], []
    began = time.monotonic()
    listing = {**PARTITIONED, **segment, "MaxResults": PAGE, "ExcludeColumnSchema": True}
    for request, answer in pages(client, "GetPartitions", listing):
        requests.append(request)
        # Only what has to be known, so that the reader doesn't take the time that the server needs.
        found += re.findall(rb'"Values": ?\[([^]]*)\]', answer)
    ended = time.monotonic()
    client.close()
    return {"began": began, "ended": ended, "values": found, "requests": requests}


class Findings:
    """What was measured."""

    def __init__(self):
        self.rows = []
        self.memory = {}

    def add(self, what, server, size, rate, p50=None, p99=None):
        say(f"{server.name}: {what}: {rate:,.1f} a second")
        self.rows.append({"what": what, "server": server.name, "size": size, "rate": rate, "p50": p50, "p99": p99})

    def of(self, what):
        return {row["server"]: row for row in self.rows if row["what"] == what}

    def show(self):
        print(f"{'':46}{'server':20}{'of':>11}{'a second':>13}{'p50 ms':>12}{'p99 ms':>12}{'to moto':>14}")
        for what in dict.fromkeys(row["what"] for row in self.rows):
            named = what
            rows = self.of(what)
            for server, row in rows.items():
                times = "".join(f"{row[p]:12,.2f}" if row[p] is not None else " " * 12 for p in ("p50", "p99"))
                ratio = row["rate"] / rows["moto"]["rate"]
                print(f"{named:46}{server:20}{row['size']:11,}{row['rate']:13,.1f}{times}{f'{ratio:,.2f} x':>14}")
                named = ""
        named = "peak memory of the server's process, MiB"
        for server, memory in self.memory.items():
            held = self.of(CREATE_TABLE)[server]["size"] + self.of(CREATE_PARTITIONS)[server]["size"]
            ratio = memory / self.memory["moto"]
            print(f"{named:46}{server:20}{held:11,}{memory:13,.1f}{'':24}{f'{ratio:,.2f} x':>14}")
            named = ""

    def show_aims(self):
        def aim(what, server, found, met):
            print(f"{what:50}{server:20}{found:>12}  {'met' if met else 'not met'}")

        print("aims, which are those of the full load")
        for server in self.memory:
            if server == "moto":
                continue
            rate = self.of(GET_TABLE)[server]["rate"]
            aim("GetTable: 10,000 a second or more", server, f"{rate:,.0f}", rate >= 10_000)
            for what in (BY_EQUALITY, BY_RANGE):
                p99 = self.of(what)[server]["p99"]
                aim(f"{what}: p99 below 10 ms", server, f"{p99:,.2f}", p99 < 10)
            read = self.of(READ_ALL)[server]
            took = read["size"] / read["rate"]
            aim("all partitions: less than 60 s", server, f"{took:,.1f}", took < 60)
            aim("memory: less than 300 MiB", server, f"{self.memory[server]:,.1f}", self.memory[server] < 300)


def measure(server, load, seconds, findings):
    def timed(what, size, operation, bodies):
        wrk(server.port, operation, bodies, server.connections, WARM_UP)
        seen, patience = None, seconds
        while not seen or not seen["requests"]:
            seen = wrk(server.port, operation, bodies, server.connections, patience)
            patience *= 2
        findings.add(what, server, size, seen["requests"] / seen["seconds"], seen["p50"], seen["p99"])

    findings.add(CREATE_TABLE, server, load.tables, load_tables(server, load))
    findings.add(CREATE_PARTITIONS, server, load.partitions, load_partitions(server, load))

    table_pages = check_tables(server, load)
    names = random.sample(range(load.tables), min(load.tables, MOST_BODIES))
    timed(GET_TABLE, load.tables, "GetTable", [{"DatabaseName": "tables", "Name": table_name(n)} for n in names])
    timed(GET_TABLES, load.tables, "GetTables", table_pages)
    for what, requests in partition_requests(load).items():
        check_partitions(server, requests)
        timed(what, load.partitions, "GetPartitions", [request for request, _ in requests])
    took, segment_pages = read_all(server, load)
    timed(BY_SEGMENT, load.partitions, "GetPartitions", segment_pages)
    findings.add(READ_ALL, server, load.partitions, load.partitions / took)
    findings.memory[server.name] = server.peak_memory()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("mastic")
    options.add_argument("--scale", type=float, default=1.0, help="how much of the full load")
    options.add_argument("--seconds", type=int, default=10, help="how long each request is repeated")
    options = options.parse_args()
    postgres = os.environ.get("MASTIC_TEST_POSTGRES")
    if not postgres:
        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../with-postgres")
        os.execv(beside, [beside, sys.executable, *sys.argv])

    # So that the servers are stopped then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    random.seed(1)
    findings = Findings()
    full, small = Load(options.scale), Load(options.scale, MOTO_TABLES, MOTO_PARTITIONS)
    with tempfile.TemporaryDirectory() as folder, servers.moto(folder) as server:
        measure(server, small, options.seconds, findings)
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.mastic("Mastic, SQLite", options.mastic, folder, f"sqlite://{folder}/mastic.db") as server,
    ):
        measure(server, full, options.seconds, findings)
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.postgres_database(postgres) as database,
        servers.mastic("Mastic, PostgreSQL", options.mastic, folder, database) as server,
    ):
        measure(server, full, options.seconds, findings)

    print(f"{full.tables:,} tables in a database, and {full.partitions:,} partitions on a table.")
    print(f"Moto, which gives all in one answer, has {small.tables:,} and {small.partitions:,}: see the column 'of'.")
    print(f"PostgreSQL's fsync is {servers.psql(postgres, 'SHOW fsync')}; Mastic has SQLite sync every commit.")
    print("Times are wrk's: to those of requests it adds those that more would have had to wait behind a slow one.")
    findings.show()
    findings.show_aims()


if __name__ == "__main__":
    main()
