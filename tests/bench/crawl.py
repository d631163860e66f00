"""What `make bench` shows of crawling at scale: a million objects in twenty thousand partitions, listed from a store that
does nothing but list (listing_store.py). The first crawl, a second with nothing changed, and first crawls that are killed
at random moments and taken up again.

    python crawl.py MASTIC [--partitions N] [--files N] [--kills N] [--seed N]
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from servers import free_port, wait_until_up


def call(url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


class Mastic:
    def __init__(self, program, folder, store):
        self.folder = folder
        Path(folder, "mastic.toml").write_text("[lake]\nembedded = false\n")
        self.port = free_port()
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
        environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store}"}
        command = [program, "serve", "--quiet", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--database", f"sqlite://{folder}/mastic.db"]
        with open(f"{folder}/log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        wait_until_up(self.process, f"http://127.0.0.1:{self.port}/readyz")
        self.url = f"http://127.0.0.1:{self.port}/api/v1"
        self.peak = self.child_peak = 0

    def look(self):
        """Keeps the peak memory, in MiB, of the server and of the children that it has now."""
        pid = self.process.pid
        self.peak = max(self.peak, peak_memory(pid))
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            threads = Path(f"/proc/{pid}/task").iterdir()
            children += [child for thread in threads for child in (thread / "children").read_text().split()]
            self.child_peak = max([self.child_peak, *(peak_memory(child) for child in children)])
        except OSError:
            pass

    def begin(self):
        body = {"path": "s3://lake/raw/", "database": "shop"}
        return call(f"{self.url}/crawls", body)["id"]

    def wait(self, crawl):
        while True:
            state = call(f"{self.url}/crawls?limit=1")["items"][0]
            self.look()
            if state["state"] not in ("QUEUED", "RUNNING"):
                assert state["state"] == "SUCCEEDED", state
                return call(f"{self.url}/crawls/{crawl}")
            time.sleep(0.1)

    def catalog(self):
        """The table's columns, and the values and places of its partitions."""
        table = call(f"{self.url}/databases/shop/tables/trips")
        columns = [(column["name"], column["type"]) for column in table["columns"]]
        partitions, cursor = [], ""
        while cursor is not None:
            page = call(f"{self.url}/databases/shop/tables/trips/partitions?limit=1000{cursor}")
            partitions += [(tuple(found["values"]), found["location"]) for found in page["items"]]
            cursor = f"&cursor={page['next']}" if page["next"] else None
        return columns, partitions

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def peak_memory(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return 0


def plan_of(crawl):
    return json.dumps(crawl["plan"], sort_keys=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("mastic")
    arguments.add_argument("--partitions", type=int, default=20_000)
    arguments.add_argument("--files", type=int, default=50)
    arguments.add_argument("--kills", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    store = [sys.executable, str(Path(__file__).with_name("listing_store.py")), str(asked.partitions), str(asked.files)]
    store = subprocess.Popen(store, stdout=subprocess.PIPE, text=True)
    try:
        measure(asked, int(store.stdout.readline()))
    finally:
        store.kill()


def measure(asked, store):
    program = os.path.abspath(asked.mastic)
    objects = asked.partitions * asked.files
    print(f"crawling {objects:,} objects in {asked.partitions:,} partitions; the store is one Python process that only lists")
    began, pages = time.perf_counter(), 0
    after = ""
    while after is not None:
        url = f"http://127.0.0.1:{store}/lake?list-type=2&prefix=raw/&start-after={after}"
        with urllib.request.urlopen(url) as answer:
            text = answer.read().decode()
        pages += 1
        after = text.split("<NextContinuationToken>")[1].split("<")[0] if "NextContinuationToken" in text else None
    print(f"  the listing alone, page after page: {time.perf_counter() - began:.1f} s for {pages:,} pages")
    with tempfile.TemporaryDirectory() as folder:
        server = Mastic(program, folder, store)
        began = time.perf_counter()
        first = server.wait(server.begin())
        first_time = time.perf_counter() - began
        read = call(f"http://127.0.0.1:{store}/stats")["read"]
        began = time.perf_counter()
        second = server.wait(server.begin())
        second_time = time.perf_counter() - began
        read_again = call(f"http://127.0.0.1:{store}/stats")["read"] - read
        whole = server.catalog()
        server.stop()
    assert (first["objects"], len(whole[1])) == (objects, asked.partitions), (first["objects"], len(whole[1]))
    assert (second["changes"], second["files_read"], read_again) == (0, 0, 0), second
    print(f"  first crawl: {first_time:.1f} s, {first['files_read']} files read (aim: under 60 s)")
    print(f"  second crawl, nothing changed: {second_time:.1f} s, {read_again} objects read (aim: under 30 s, 0)")
    print(f"  peak memory: server {server.peak} MiB, a child {server.child_peak} MiB (aim: under 300 MiB)")
    chance = random.Random(asked.seed)
    moments = sorted(chance.uniform(0.02, 1.0) * first_time for _ in range(asked.kills))
    for moment in moments:
        with tempfile.TemporaryDirectory() as folder:
            server = Mastic(program, folder, store)
            crawl = server.begin()
            time.sleep(moment)
            server.kill()
            server = Mastic(program, folder, store)
            taken_up = server.wait(crawl)
            assert plan_of(taken_up) == plan_of(first), "another plan"
            assert server.catalog() == whole, "another catalog"
            server.stop()
        print(f"  killed after {moment:.1f} s, taken up: the same plan to the byte, the same catalog")


if __name__ == "__main__":
    main()
