"""What partitions cost a reader: the same rows in one file, in 300 partitions of a file each, and in 20,000; and what a
million partitions of the catalog cost a query that asks for one of them, or for ten rows.

    partitions.py MASTIC [--partitions N ...] [--catalogued N] [--again N]

Each table is crawled in the embedded store, then asked for a row, for the number of its rows, and for the rows of one
partition, in turns with the table of one file that has the same bytes. Prints the median of each and its ratio to the table
of one file.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

import servers
from wire import Client, rest

ROWS = 5


def call(port, path, body=None):
    return rest(f"http://127.0.0.1:{port}{path}", body)


def rows(partition):
    return "".join(f"{partition * ROWS + row},{row * 1.5},north\n" for row in range(ROWS))


def fill(lake, name, partitions):
    for partition in range(partitions):
        place = lake / "lake" / name / f"p={partition}"
        place.mkdir(parents=True)
        (place / "a.csv").write_text("id,price,shop\n" + rows(partition))
    place = lake / "lake" / f"{name}_whole"
    place.mkdir(parents=True)
    (place / "a.csv").write_text("id,price,shop\n" + "".join(rows(partition) for partition in range(partitions)))


def crawl(port, name):
    body = {"database": "shop", "path": f"s3://lake/{name}/"}
    crawl = call(port, "/api/v1/crawls", body)["id"]
    while (state := call(port, f"/api/v1/crawls/{crawl}")["state"]) not in ("SUCCEEDED", "FAILED"):
        time.sleep(0.1)
    if state == "FAILED":
        raise RuntimeError(call(port, f"/api/v1/crawls/{crawl}")["error"])


def ask(port, sql):
    began = time.perf_counter()
    answer = call(port, "/api/v1/sql", {"query": sql})
    return time.perf_counter() - began, answer["rows"]


def catalogued(server, lake, count, again):
    """A table with so many partitions in the catalog, of which every thousandth has a file."""
    serde = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    }
    storage = {"Columns": [{"Name": "id", "Type": "bigint"}], "SerdeInfo": serde}
    client = Client(server.port)
    table = {
        "Name": "many",
        "StorageDescriptor": {**storage, "Location": "s3://lake/many/"},
        "PartitionKeys": [{"Name": "p", "Type": "string"}],
        "Parameters": {"classification": "csv"},
    }
    client.call("CreateTable", {"DatabaseName": "shop", "TableInput": table})
    for number in range(0, count, 1000):
        place = lake / "lake" / "many" / f"p={number:07}"
        place.mkdir(parents=True)
        (place / "a.csv").write_text(f"{number}\n" * 20)
    for first in range(0, count, 100):
        inputs = [
            {
                "Values": [f"{number:07}"],
                "StorageDescriptor": {**storage, "Location": f"s3://lake/many/p={number:07}/"},
            }
            for number in range(first, min(first + 100, count))
        ]
        request = {"DatabaseName": "shop", "TableName": "many", "PartitionInputList": inputs}
        client.call("BatchCreatePartition", request)
    client.close()
    middle = count // 2 // 1000 * 1000
    print(f"{count} partitions in the catalog:")
    for question, sql, expected in [
        ("nothing", "SELECT 1", 1),
        ("one partition", f"SELECT id FROM shop.many WHERE p = '{middle:07}'", 20),
        ("a range of ten", f"SELECT id FROM shop.many WHERE p >= '{middle:07}' AND p < '{middle + 10:07}'", 20),
        ("ten rows", "SELECT * FROM shop.many LIMIT 10", 10),
        ("one as a number", f"SELECT id FROM shop.many WHERE p = {middle}", 20),
    ]:
        times = []
        for _ in range(again):
            taken, rows = ask(server.port, sql)
            if len(rows) != expected:
                raise RuntimeError(f"{sql}: {len(rows)} rows")
            times.append(taken * 1000)
        print(f"  {question:16} {statistics.median(times):8.0f} ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mastic")
    parser.add_argument("--partitions", type=int, nargs="+", default=[300, 20_000])
    parser.add_argument("--catalogued", type=int, default=1_000_000)
    parser.add_argument("--again", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lake = pathlib.Path(folder, "lake")
        for partitions in options.partitions:
            fill(lake, f"t{partitions}", partitions)
        with servers.mastic("mastic", options.mastic, folder, f"sqlite://{folder}/mastic.db") as server:
            for partitions in options.partitions:
                name = f"t{partitions}"
                for table in (name, f"{name}_whole"):
                    crawl(server.port, table)
                one = partitions // 2
                questions = {
                    "one row": "SELECT * FROM shop.{} LIMIT 1",
                    "count(*)": "SELECT count(*) FROM shop.{}",
                    "one partition": f"SELECT * FROM shop.{{}} WHERE {{}} ORDER BY id",
                }
                filters = {name: f"p = '{one}'", f"{name}_whole": f"id >= {one * ROWS} AND id < {(one + 1) * ROWS}"}
                print(f"{partitions} partitions of {ROWS} rows:")
                for question, sql in questions.items():
                    times = {table: [] for table in filters}
                    for _ in range(options.again):
                        found = {}
                        for table, where in filters.items():
                            taken, answer = ask(server.port, sql.format(table, where))
                            times[table].append(taken)
                            found[table] = [row[:3] for row in answer]
                        if question != "one row" and len(set(map(str, found.values()))) != 1:
                            raise RuntimeError(f"{question}: {found}")
                    parts, whole = (statistics.median(taken) * 1000 for taken in times.values())
                    print(f"  {question:14} {parts:8.0f} ms   one file {whole:6.0f} ms   {parts / whole:6.1f} x")
            if options.catalogued:
                catalogued(server, lake, options.catalogued, options.again)


if __name__ == "__main__":
    main()
