"""Jobs of the storm whose scripts start processes and forget them, and what must be true of them afterwards."""

import os
import pathlib
import signal
import zipfile

# The storm makes trouble that a script can't help failing of: its store is away while it reads, or somebody kills it.
PATIENT = """
script = "script.py"
retries = 8
retry_backoff = "1s"
[parameters.mark]
default = "{mark}"
"""

# Rows of each arrival of a group are added.
ADDED = """
[parameters.n]
[inputs]
t = "s3://lake/in/c_{n}.csv"
[output]
location = "s3://lake/added/"
format = "csv"
mode = "append"
files = 2
table = "out.added"
[[triggers]]
on = "object_created"
match = "s3://lake/in/c_{n}.csv"
"""

# All of a group, replaced whenever something arrives in it.
SPARK = """
[inputs]
t = "s3://lake/in/a_*.csv"
[output]
location = "s3://lake/spark/"
format = "csv"
files = 1
table = "out.spark"
[[triggers]]
on = "object_created"
match = "s3://lake/in/a_*.csv"
batch_window = "2s"
"""

# The storm starts these itself, each with packages that no run before it had.
PACKED = """
[parameters.version]
[output]
location = "s3://lake/packed/version={version}/"
format = "csv"
files = 1
table = "out.packed"
"""

# What all scripts begin with: two processes that would live for an hour.
FORGETFUL = """
import json, os, random, subprocess, sys, time, urllib.request

told = dict(zip(sys.argv[1::2], sys.argv[2::2]))
for how in ({}, {"start_new_session": True}):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", told["--mark"]], **how)
time.sleep(random.uniform(0, 0.5))

def write(name, rows):
    with open(os.path.join(os.environ["MASTIC_OUTPUT_DIR"], name), "w") as out:
        out.write("n\\n" + "".join(f"{row}\\n" for row in rows))
        out.flush()
        time.sleep(random.uniform(0, 0.2))
"""

ADD = """
rows = []
for file in json.load(open(os.environ["MASTIC_INPUTS"]))["t"]["files"]:
    rows += urllib.request.urlopen(file["url"], timeout=20).read().decode().split()[1:]
write("one.csv", rows)
write("other.csv", [])
"""

GATHER = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
files = [file["path"] for file in json.load(open(os.environ["MASTIC_INPUTS"]))["t"]["files"]]
rows = spark.read.csv(files, header=True, schema="n int")
rows.createOrReplaceTempView("t")
whole = spark.sql("SELECT n, (SELECT count(*) FROM t) AS total FROM t")
whole.write.mode("overwrite").csv(os.environ["MASTIC_OUTPUT"], header=True)
"""

PACK = """
import storm_package
write("one.csv", [storm_package.NUMBER])
"""


def jobs(mark, with_sail):
    """The jobs: what each is made of."""
    begin = PATIENT.replace("{mark}", mark)
    made = {
        "added": ('engine = "python"\n' + begin + ADDED, FORGETFUL + ADD),
        "packed": ('engine = "python"\nother_parameters = true\n' + begin + PACKED, FORGETFUL + PACK),
    }
    if with_sail:
        made["spark"] = ('engine = "pyspark"\n' + begin + SPARK, FORGETFUL + GATHER)
    return made


def make_package(folder, number):
    """A wheel of its own version, of one module that knows it."""
    name = f"storm_package-{number}"
    files = {
        "storm_package.py": f"NUMBER = {number}\n",
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: storm-package\nVersion: {number}\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: storm\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}.dist-info/RECORD"
    files[record] = "".join(f"{path},,\n" for path in [*files, record])
    with zipfile.ZipFile(pathlib.Path(folder, f"{name}-py3-none-any.whl"), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def processes(mark):
    """The processes of scripts: each has the mark among its arguments."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # It is gone.
            if mark in arguments:
                found[int(entry.name)] = arguments
    return found


def kill_one(mark, rng):
    """Kills an interpreter with a script, as a machine without memory would."""
    at_work = sorted(pid for pid, arguments in processes(mark).items() if "script.py" in arguments)
    if not at_work:
        return False
    try:
        os.kill(rng.choice(at_work), signal.SIGKILL)
    except ProcessLookupError:
        pass
    return True


def end_all(mark):
    """Ends what is left of scripts."""
    for pid in processes(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def half_made(folder):
    """Environments that aren't whole."""
    made = [path for path in pathlib.Path(folder).iterdir() if path.is_dir()]
    return [str(path) for path in made if not (path / "ready").exists()]
