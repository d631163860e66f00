"""What it costs to have a script run by Mastic: each is run in turns by a job and by hand, by the same interpreter.

    scripts.py MASTIC [--engines FOLDER] [--times N] [--puts N]

Three things. How long after an object was put the run that it triggers has begun, its script is up, and its output is there,
for a job of SQL and one of Python (how long the PUT itself takes: triggers.py). How much longer a Python script takes than by
hand, from the request to the end of its run. The same of a Spark script on Sail, where FOLDER has it. It fails where a run
costs more than is meant.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
import pyarrow
import pyarrow.parquet
import servers

# What a run may cost beside its script, in milliseconds.
MOST_PYTHON = 300
MOST_SPARK = 2000
# The files of Spark's launcher, which know one another by these names in a run's folder.
LAUNCHER = pathlib.Path(__file__, "../../../src/etl/engines/pyspark").resolve()

TRIGGERED = """
[parameters.key]
[inputs]
t = "s3://lake/in/NAME/{key}.csv"
[output]
location = "s3://lake/NAME/key={key}/"
format = "csv"
files = 1
[[triggers]]
on = "object_created"
match = "s3://lake/in/NAME/{key}.csv"
"""
WITH_OUTPUT = """
[output]
location = "s3://lake/NAME/"
format = "csv"
files = 1
"""
PYTHON = """
import csv, os, sys
place = os.environ.get("MASTIC_OUTPUT_DIR", ".")
with open(os.path.join(place, "squares.csv"), "w") as out:
    rows = csv.writer(out)
    rows.writerow(["n", "square"])
    rows.writerows((n, n * n) for n in range(10_000))
print("done")
"""
UP = "import os, shutil, time\nprint('up', time.time())\n" + PYTHON
SPARK = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.appName("bench").getOrCreate()
trips = spark.read.parquet("s3://lake/raw/")
per_zone = trips.groupBy("zone").agg(F.sum("total").alias("total"), F.count("*").alias("n"))
per_zone.coalesce(1).write.mode("overwrite").parquet(sys.argv[sys.argv.index("--to") + 1])
print("done")
"""
JOBS = {
    "on_sql": ('engine = "sql"\nscript = "script.sql"\n' + TRIGGERED, "SELECT * FROM t"),
    "on_python": ('engine = "python"\nscript = "script.py"\n' + TRIGGERED, UP),
    "plain": ('engine = "python"\nscript = "script.py"\n', PYTHON),
    "published": ('engine = "python"\nscript = "script.py"\n' + WITH_OUTPUT, PYTHON),
    "spark": ('engine = "pyspark"\nscript = "script.py"\n[parameters.to]\n', SPARK),
}


class Bench:
    def __init__(self, server, folder):
        self.url, self.folder = f"http://127.0.0.1:{server.port}/api/v1", pathlib.Path(folder)
        self.lake = f"http://127.0.0.1:{server.lake}"
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        self.s3 = boto3.client("s3", endpoint_url=self.lake, region_name="us-east-1", **keys)

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}{path}") as answer:
            return json.load(answer)

    def over(self, find):
        """The run that is found, when it is over."""
        while True:
            run = find()
            if run and run["finished_at"]:
                if run["state"] != "SUCCEEDED":
                    raise RuntimeError(f"{run['job']}: {run['error']}")
                return run
            time.sleep(0.02)

    def newest(self, job, key):
        """The newest run of a job, where it is the one for a key."""
        found = self.get(f"/runs?job={job}&limit=1")["items"]
        return found[0] if found and found[0]["parameters"]["key"] == key else None

    def run(self, job, **parameters):
        """The seconds from the request to the end of its run."""
        body = json.dumps({"parameters": parameters}).encode()
        headers = {"Content-Type": "application/json"}
        began = time.time()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/jobs/{job}/runs", body, headers)) as answer:
            run = json.load(answer)["id"]
        return moment(self.over(lambda: self.get(f"/runs/{run}"))["finished_at"]) - began

    def by_hand(self, *command, **environment):
        began = time.time()
        subprocess.run(command, check=True, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL)
        return time.time() - began

    def arrivals(self, puts):
        """How long after a PUT what is triggered has begun, is up and is done, in milliseconds."""
        times = {}
        for number in range(puts + 2):
            for job in ("on_sql", "on_python"):
                began = time.time()
                self.s3.put_object(Bucket="lake", Key=f"in/{job}/{number}.csv", Body=b"n\n1\n")
                run = self.over(lambda job=job, key=str(number): self.newest(job, key))
                marks = {"run begun": moment(run["started_at"]), "output there": moment(run["finished_at"])}
                if job == "on_python":
                    said = self.get(f"/runs/{run['id']}/logs?limit=100")["items"]
                    marks["script up"] = next(float(line["message"][3:]) for line in said if line["message"].startswith("up "))
                for mark, at in marks.items():
                    # The first two find nothing ready.
                    if number >= 2:
                        times.setdefault((job, mark), []).append((at - began) * 1000)
        return times


def moment(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def in_turns(times, by_run, by_hand):
    """Medians in milliseconds, of a run and by hand."""
    taken = [(by_run(), by_hand()) for _ in range(times + 1)][1:]
    return [statistics.median(each) * 1000 for each in zip(*taken)]


def compare(what, times, by_run, by_hand, most):
    """Prints what a run costs; says whether it is more than is meant."""
    run, hand = in_turns(times, by_run, by_hand)
    print(f"{what:40} run {run:6.0f} ms   by hand {hand:6.0f} ms   costs {run - hand:5.0f} ms (meant: at most {most})")
    return run - hand > most


def place_jobs(folder, names):
    for name in names:
        definition, script = JOBS[name]
        place = pathlib.Path(folder, "jobs", name)
        place.mkdir(parents=True)
        (place / "job.toml").write_text(definition.replace("NAME", name))
        (place / ("script.sql" if "sql" in name else "script.py")).write_text(script)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mastic")
    parser.add_argument("--engines", help="the folder where `mastic engines install pyspark` put Sail")
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--puts", type=int, default=30)
    options = parser.parse_args()
    installed = "*/env/lib/python*/site-packages/pysail"
    sail = next(pathlib.Path(options.engines).absolute().glob(installed), None) if options.engines else None
    sail = sail and sail.parents[4] / "ready"
    with tempfile.TemporaryDirectory() as folder:
        place_jobs(folder, [name for name in JOBS if name != "spark" or sail])
        engines = f"folder = '{sail.parent.parent}'\n" if sail else ""
        pathlib.Path(folder, "mastic.toml").write_text(f"[engines]\nallow = ['python', 'pyspark']\n{engines}")
        pathlib.Path(folder, "by_hand.py").write_text(PYTHON)
        pathlib.Path(folder, "spark_by_hand.py").write_text(SPARK)
        for file in LAUNCHER.glob("*.py"):
            pathlib.Path(folder, f"mastic_{file.name}").write_text(file.read_text())
        with servers.mastic("mastic", options.mastic, folder, f"sqlite://{folder}/mastic.db") as server:
            bench = Bench(server, folder)
            print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            for (job, mark), taken in bench.arrivals(options.puts).items():
                taken = sorted(taken)
                p95 = taken[int(len(taken) * 0.95)]
                print(f"PUT, then {job[3:]:7} {mark:14} p50 {statistics.median(taken):6.0f} ms   p95 {p95:6.0f} ms")
            told = subprocess.run(["python3", "-c", "import sys; print(sys.executable)"], stdout=subprocess.PIPE, text=True)
            python, path = told.stdout.strip(), {"PATH": os.environ["PATH"]}
            by_hand = lambda: bench.by_hand(python, "by_hand.py", **path)  # noqa: E731
            slow = [
                compare("a Python script", options.times, lambda: bench.run("plain"), by_hand, MOST_PYTHON),
                compare("a Python script with an output", options.times, lambda: bench.run("published"), by_hand, MOST_PYTHON),
            ]
            if sail:
                slow.append(spark(bench, sail.parent / "env/bin/python", options.times))
            else:
                print("Spark is left out: --engines names no folder with Sail")
            print(f"load {os.getloadavg()[0]:.1f}")
    sys.exit(any(slow))


def spark(bench, python, times):
    table = pyarrow.table({"zone": [n % 263 for n in range(100_000)], "total": [n / 7 for n in range(100_000)]})
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    bench.s3.put_object(Bucket="lake", Key="raw/trips.parquet", Body=sink.getvalue().to_pybytes())
    environment = {
        "PATH": os.environ["PATH"], "AWS_ENDPOINT": bench.lake, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "RUST_LOG": "warn", "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EC2_METADATA_DISABLED": "true", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "HOME": str(bench.folder),
    }  # fmt: skip
    arguments = (str(python), "mastic_connect.py", "spark_by_hand.py", "--to", "s3://lake/by_hand/")
    return compare(
        "a Spark script on Sail",
        times,
        lambda: bench.run("spark", to="s3://lake/by_run/"),
        lambda: bench.by_hand(*arguments, **environment),
        MOST_SPARK,
    )


if __name__ == "__main__":
    main()
