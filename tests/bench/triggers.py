"""How long a PUT takes to be answered with one trigger registered, and with five hundred.

    triggers.py MASTIC [--puts N]

Side by side in one run: two servers with embedded stores of their own, written to in turns. Prints both medians and their
ratio; exits with 1 where that is over 2.
"""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

JOB = """
engine = "sql"
script = "script.sql"
[inputs]
t = "s3://lake/in/{n}/*.csv"
[output]
location = "s3://lake/out/{n}/"
format = "csv"
[[triggers]]
on = "object_created"
match = "s3://lake/in/{n}/*.csv"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, mastic, folder, triggers):
        folder = pathlib.Path(folder)
        for number in range(triggers):
            place = folder / "jobs" / f"job{number:03}"
            place.mkdir(parents=True)
            (place / "job.toml").write_text(JOB.replace("{n}", str(number)))
            (place / "script.sql").write_text("SELECT * FROM t")
        api, lake = free_port(), free_port()
        self.process = subprocess.Popen(
            [
                mastic, "serve", "--listen", f"127.0.0.1:{api}", "--database", f"sqlite://{folder}/mastic.db",
                "--lake", str(folder / "lake"), "--lake-listen", f"127.0.0.1:{lake}", "--jobs", str(folder / "jobs"),
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "MASTIC_ACCESS_KEY": "k", "MASTIC_SECRET_KEY": "secret"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{api}/readyz", timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        self.client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{lake}", aws_access_key_id="k", aws_secret_access_key="secret",
            region_name="us-east-1",
        )
        self.times = []

    def put(self, number):
        began = time.perf_counter()
        self.client.put_object(Bucket="lake", Key=f"elsewhere/{number}.csv", Body=b"n\n1\n")
        self.times.append(time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mastic")
    parser.add_argument("--puts", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        servers = [Server(options.mastic, one, 1), Server(options.mastic, many, 500)]
        try:
            for number in range(options.puts + 20):
                for server in servers:
                    server.put(number)
        finally:
            for server in servers:
                server.process.terminate()
                server.process.wait()
    first, second = (statistics.median(server.times[20:]) * 1000 for server in servers)
    print(f"PUT, median of {options.puts}: 1 trigger {first:.2f} ms, 500 triggers {second:.2f} ms: {second / first:.2f} x")
    sys.exit(second > 2 * first)


if __name__ == "__main__":
    main()
