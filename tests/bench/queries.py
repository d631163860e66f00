"""Heavy queries, more at once than are let in, and large results that are passed on side by side. What is watched is
everybody else: how long other requests take meanwhile, how many children there are, and how much memory the server takes.

It fails where the server takes too much, starts too many children, or loses an answer."""

import argparse
import concurrent.futures
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request

import servers

# What the server may take while it passes large results on, in MiB.
MOST_MEMORY = 300
# How many queries are let in at once, and how many wait.
AT_ONCE, QUEUE = 4, 64
SETTINGS = f"""
[query]
max_bytes = {4 << 30}
at_once = {AT_ONCE}
queue = {QUEUE}
wait_seconds = 3600
"""
ROWS = "(SELECT unnest(range(0, {outer})) AS a) CROSS JOIN (SELECT unnest(range(0, 1000)) AS b)"
HEAVY = "SELECT count(DISTINCT md5(cast(a * 1000 + b AS varchar))) AS n FROM " + ROWS.format(outer=400)
LARGE = "SELECT repeat('x', 10000) AS x FROM " + ROWS.format(outer=100)


class Watch:
    """Asks small things while others ask large ones, and looks at the server's process."""

    def __init__(self, server):
        self.server, self.times, self.children, self.memory = server, [], 0, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def look(self):
        while not self.over.is_set():
            begun = time.monotonic()
            with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}/api/v1/databases") as answer:
                answer.read()
            self.times.append((time.monotonic() - begun) * 1000)
            self.children = max(self.children, len(children_of(self.server.process.pid)))
            self.memory = max(self.memory, resident(self.server.process.pid))
            time.sleep(0.02)

    def told(self):
        times = sorted(self.times)
        return (
            f"server {self.memory:.0f} MiB at the most, {self.children} children at the most, {len(times)} other requests: "
            f"p50 {statistics.median(times):.1f} ms, max {times[-1]:.1f} ms"
        )


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def children_of(pid):
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                found += children.read().split()
        except FileNotFoundError:
            pass
    return found


def ask(server, sql, limit=1):
    body = json.dumps({"query": sql, "limit": limit}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/api/v1/sql", body)
    request.add_header("content-type", "application/json")
    return urllib.request.urlopen(request)


def heavy(server):
    with ask(server, HEAVY) as answer:
        return json.load(answer)["rows"]


def large(server):
    """How many bytes came; read piece by piece, as somebody who writes them to a file does."""
    count, last = 0, b""
    with ask(server, LARGE, 100_000) as answer:
        while piece := answer.read(1 << 20):
            count, last = count + len(piece), (last + piece)[-200:]
    if b'"truncated":false' not in last:
        raise SystemExit(f"a large result did not end as it should: {last}")
    return count


def together(server, what, count):
    begun = time.monotonic()
    with Watch(server) as watch, concurrent.futures.ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: what(server), range(count)))
    return answers, time.monotonic() - begun, watch


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("mastic")
    arguments.add_argument("--heavy", type=int, default=60, help="how many heavy queries at once")
    arguments.add_argument("--large", type=int, default=3, help="how many results of 1 GB at once")
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/mastic.toml", "w") as settings:
            settings.write(SETTINGS)
        with servers.mastic("mastic", arguments.mastic, folder, f"sqlite://{folder}/mastic.db") as server:
            wrong = []
            answers, took, watch = together(server, heavy, arguments.heavy)
            print(f"{arguments.heavy} heavy queries at once: {took:.1f} s; {watch.told()}")
            if answers != [[[400_000]]] * arguments.heavy:
                wrong.append("a heavy query has another answer")
            if watch.children > AT_ONCE:
                wrong.append(f"{watch.children} children instead of {AT_ONCE}")
            answers, took, watch = together(server, large, arguments.large)
            sent = sum(answers) / 1e9
            print(f"{arguments.large} large results at once: {sent:.2f} GB in {took:.1f} s; {watch.told()}")
            if min(answers) < 1e9:
                wrong.append("a large result is too small")
            if watch.memory > MOST_MEMORY:
                wrong.append(f"the server took {watch.memory:.0f} MiB, and {MOST_MEMORY} are allowed")
            left = [name for name, _, files in os.walk(f"{folder}/spill") if any(not f.endswith(".lock") for f in files)]
            if left:
                wrong.append(f"spilled data is left in {left}")
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
