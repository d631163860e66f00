"""Many writers of one table: each reads it, and writes it under the condition that nobody wrote meanwhile. The server is
killed twice between them. Every update that was acknowledged must be one version, and nothing else may be.

Wrong counts fail it; how long it took is only reported."""

import argparse
import collections
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

import servers
from wire import Client

TABLE = {"DatabaseName": "contended", "Name": "table"}
# What a writer waits after a conflict, in seconds: a random part of a time that doubles up to a limit.
FIRST_WAIT, LONGEST_WAIT = 0.002, 0.25
# How long all of it may take, in seconds.
PATIENCE = 1800


class Killable:
    """A server that is killed without warning and started again at the same place."""

    def __init__(self, program, folder, database):
        self.port = servers.free_port()
        flags = ["--listen", f"127.0.0.1:{self.port}", "--lake-listen", f"127.0.0.1:{servers.free_port()}"]
        self.command = [os.path.abspath(program), "serve", "--quiet", *flags, "--lake", f"{folder}/lake"]
        self.command += ["--database", database]
        self.folder = folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder)
        servers.wait_until_up(self.process, f"http://127.0.0.1:{self.port}/readyz")

    def kill(self):
        self.process.kill()
        self.process.wait()


class Refused(Exception):
    """What the server answered with that isn't 200: its exception."""


class Writer:
    """Makes a number of updates, one after another, each of which must be a version of its own."""

    def __init__(self, port, number):
        self.port, self.number = port, number
        self.client = Client(port)
        self.done, self.conflicts, self.in_doubt = 0, 0, 0

    def call(self, operation, request):
        try:
            return json.loads(self.client.call(operation, request))
        except RuntimeError as refusal:
            if "ConcurrentModificationException" in str(refusal):
                raise Refused from None
            raise
        except (OSError, ValueError, KeyError):
            # The server went in the middle of an answer.
            self.client.close()
            self.client.stream = None
            raise ConnectionError from None

    def again_until_answered(self, operation, request):
        """The answer, and whether the server was missed on the way to it."""
        missed = False
        while True:
            try:
                return self.call(operation, request), missed
            except ConnectionError:
                missed = True
                time.sleep(0.02)

    def update(self, mark):
        wait = FIRST_WAIT
        while True:
            table = self.again_until_answered("GetTable", TABLE)[0]["Table"]
            version = table["VersionId"]
            change = {
                "DatabaseName": TABLE["DatabaseName"],
                "TableInput": {"Name": TABLE["Name"], "Parameters": {"mark": mark}},
                "VersionId": version,
            }
            missed = False
            while True:
                try:
                    self.call("UpdateTable", change)
                    return
                except ConnectionError:
                    # It may have been done or not: the same again is a success if it was.
                    missed = True
                    self.in_doubt += 1
                    time.sleep(0.02)
                except Refused:
                    break
            # Somebody was faster; but where an answer got lost, ours may have been done before theirs.
            if missed and self.is_ours(int(version) + 1, mark):
                return
            self.conflicts += 1
            time.sleep(random.random() * wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def is_ours(self, version, mark):
        request = {"DatabaseName": TABLE["DatabaseName"], "TableName": TABLE["Name"], "VersionId": str(version)}
        try:
            answer, _ = self.again_until_answered("GetTableVersion", request)
        except RuntimeError as refusal:
            if "EntityNotFoundException" in str(refusal):
                return False
            raise
        return answer["TableVersion"]["Table"].get("Parameters", {}).get("mark") == mark

    def work(self, updates):
        for number in range(updates):
            self.update(f"{self.number}-{number}")
            self.done += 1


def versions(port):
    """The marks of all versions, newest first, with the versions' numbers."""
    client, request, found = Client(port), {"DatabaseName": TABLE["DatabaseName"], "TableName": TABLE["Name"]}, []
    while True:
        answer = json.loads(client.call("GetTableVersions", {**request, "MaxResults": 100}))
        for version in answer["TableVersions"]:
            found.append((int(version["VersionId"]), version["Table"]["Parameters"].get("mark")))
        if not answer.get("NextToken"):
            return found
        request["NextToken"] = answer["NextToken"]


def contend(name, server, writers, updates, kills):
    setup = Client(server.port)
    setup.call("CreateDatabase", {"DatabaseInput": {"Name": TABLE["DatabaseName"]}})
    setup.call("CreateTable", {"DatabaseName": TABLE["DatabaseName"], "TableInput": {"Name": TABLE["Name"]}})
    setup.close()
    all_writers = [Writer(server.port, number) for number in range(writers)]
    threads = [threading.Thread(target=writer.work, args=(updates,), daemon=True) for writer in all_writers]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    total, killed, shown = writers * updates, 0, began
    while any(thread.is_alive() for thread in threads):
        done = sum(writer.done for writer in all_writers)
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"{name}: {done} of {total} updates after {PATIENCE} s")
        if killed < kills and done >= total * (killed + 1) // (kills + 1):
            server.kill()
            server.start()
            killed += 1
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{name}: {done:,} of {total:,} updates, {shown - began:.0f} s", file=sys.stderr, flush=True)
        time.sleep(0.02)
    took = time.monotonic() - began
    done = sum(writer.done for writer in all_writers)
    if done != total or killed != kills:
        raise SystemExit(f"{name}: {done} of {total} updates were acknowledged, and {killed} kills took place")
    found = versions(server.port)
    marks = collections.Counter(mark for _, mark in found)
    wanted = collections.Counter(f"{writer}-{number}" for writer in range(writers) for number in range(updates))
    # The first version is the table as it was made.
    wanted[None] = 1
    if marks != wanted:
        raise SystemExit(f"{name}: lost {list((wanted - marks))[:5]}, too many {list((marks - wanted))[:5]}")
    if [number for number, _ in found] != list(range(total, -1, -1)):
        raise SystemExit(f"{name}: the versions aren't numbered from {total} to 0")
    conflicts = sum(writer.conflicts for writer in all_writers)
    in_doubt = sum(writer.in_doubt for writer in all_writers)
    print(
        f"{name}: {writers} writers made {updates} updates each: exactly {total:,} versions, in {took:.1f} s "
        f"({total / took:,.0f} a second), {conflicts:,} conflicts, {killed} kills, {in_doubt:,} answers lost"
    )


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("mastic")
    options.add_argument("--writers", type=int, default=64)
    options.add_argument("--updates", type=int, default=100, help="how many each of them makes")
    options.add_argument("--kills", type=int, default=2)
    options = options.parse_args()
    postgres = os.environ.get("MASTIC_TEST_POSTGRES")
    if not postgres:
        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../with-postgres")
        os.execv(beside, [beside, sys.executable, *sys.argv])

    def on(name, folder, database):
        server = Killable(options.mastic, folder, database)
        try:
            contend(name, server, options.writers, options.updates, options.kills)
        finally:
            server.kill()

    with tempfile.TemporaryDirectory() as folder:
        on("SQLite", folder, f"sqlite://{folder}/mastic.db")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        on("PostgreSQL", folder, stack.enter_context(servers.postgres_database(postgres)))


if __name__ == "__main__":
    main()
