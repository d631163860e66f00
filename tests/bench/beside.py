"""Two builds of the program side by side: what a request costs one, and what it costs the other.

    beside.py BEFORE AFTER [--rounds N] [--seconds N]

Both serve a catalog of their own with the same content on SQLite, and are asked in turns, so that both meet the same
machine. Prints the requests a second of each and the median of the rounds' ratios: over 1, the second is faster.
"""

import argparse
import contextlib
import http.client
import statistics
import tempfile
import time

import servers
from wire import Client, wrk

TABLES, PARTITIONS = 200, 1_000
COLUMNS = [{"Name": f"column{number}", "Type": "bigint"} for number in range(20)]


def fill(server):
    client = Client(server.port)
    client.call("CreateDatabase", {"DatabaseInput": {"Name": "shop"}})
    for table in range(TABLES):
        described = {
            "Name": f"table{table:03}",
            "StorageDescriptor": {"Columns": COLUMNS, "Location": f"s3://lake/table{table:03}/"},
            "PartitionKeys": [{"Name": "day", "Type": "string"}],
        }
        client.call("CreateTable", {"DatabaseName": "shop", "TableInput": described})
    for first in range(0, PARTITIONS, 100):
        partitions = [
            {"Values": [f"{day:04}"], "StorageDescriptor": {"Columns": COLUMNS, "Location": f"s3://lake/table000/day={day:04}/"}}
            for day in range(first, first + 100)
        ]
        request = {"DatabaseName": "shop", "TableName": "table000", "PartitionInputList": partitions}
        client.call("BatchCreatePartition", request)
    client.close()


def by_glue(operation, bodies):
    def ask(server, seconds):
        seen = wrk(server.port, operation, bodies, server.connections, seconds)
        return seen["requests"] / seen["seconds"]

    return ask


def by_http(port_of, method, path, body=None):
    """One client that asks again as soon as it is answered; `{}` in the path is a number of its own."""

    def ask(server, seconds):
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=60)
        count, began = 0, time.perf_counter()
        while (taken := time.perf_counter() - began) < seconds:
            connection.request(method, path.format(count), body)
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status}")
            count += 1
        connection.close()
        return count / taken

    return ask


def questions():
    named = [{"DatabaseName": "shop", "Name": f"table{table:03}"} for table in range(TABLES)]
    partitions = {"DatabaseName": "shop", "TableName": "table000"}
    return {
        "GetTable": by_glue("GetTable", named),
        "GetTables": by_glue("GetTables", [{"DatabaseName": "shop", "MaxResults": 100}]),
        "GetPartitions": by_glue("GetPartitions", [{**partitions, "Expression": "day = '0500'"}]),
        "GetPartitions, a page": by_glue("GetPartitions", [{**partitions, "MaxResults": 1000}]),
        "BatchGetPartition": by_glue(
            "BatchGetPartition", [{**partitions, "PartitionsToGet": [{"Values": [f"{day:04}"]} for day in range(100)]}]
        ),
        "UpdateTable": by_glue(
            "UpdateTable",
            [{"DatabaseName": "shop", "SkipArchive": True, "TableInput": {"Name": name["Name"]}} for name in named[1:]],
        ),
        "REST, a page of tables": by_http(lambda s: s.port, "GET", "/api/v1/databases/shop/tables?limit=100"),
        "REST, one table": by_http(lambda s: s.port, "GET", "/api/v1/databases/shop/tables/table000"),
        "PUT of 10 bytes": by_http(lambda s: s.lake, "PUT", "/lake/elsewhere/{}", b"0123456789"),
        "GET of 10 bytes": by_http(lambda s: s.lake, "GET", "/lake/elsewhere/0"),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        both = []
        for name, program in (("before", options.before), ("after", options.after)):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            both.append(stack.enter_context(servers.mastic(name, program, folder, f"sqlite://{folder}/mastic.db")))
            fill(both[-1])
        for name, ask in questions().items():
            rates = [[ask(server, int(options.seconds)) for server in both] for _ in range(options.rounds)]
            first, second = (statistics.median(rate) for rate in zip(*rates))
            ratio = statistics.median(after / before for before, after in rates)
            print(f"{name:24} {first:9.0f} /s   {second:9.0f} /s   {ratio:5.2f} x", flush=True)
        for server in both:
            print(f"{server.name}: {server.peak_memory():.0f} MiB at the highest")


if __name__ == "__main__":
    main()
