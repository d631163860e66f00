"""Makes an environment of Python packages, once:

    python install.py FOLDER [--jars PACKAGE,...] [--conf NAME=VALUE ...] REQUIREMENT ...

FOLDER/env is the environment, and FOLDER/ready is there when it is whole. Where packages of Java are named, one of the
requirements is Spark: FOLDER/spark is its home, and FOLDER/ivy/jars has what it got of them. Packages come as wheels alone, because a source
distribution runs code of its own while it is installed; but for Spark's, which come as nothing else."""

import argparse
import fcntl
import glob
import os
import shutil
import subprocess
import sys
import venv


ONLY_WHEELS = ["--only-binary", ":all:", "--no-binary", "pyspark", "--no-binary", "pyspark-client"]


def get_jars(folder, packages, properties):
    """Has Spark get packages of Java: it looks where it always does, or where its properties say."""
    [home] = glob.glob(os.path.join(folder, "env", "lib", "python*", "site-packages", "pyspark"))
    link = os.path.join(folder, "spark")
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(home, link)
    nothing = os.path.join(folder, "nothing.py")
    open(nothing, "w").close()
    told = [part for name in properties for part in ("--conf", name)]
    command = [os.path.join(home, "bin", "spark-submit"), "--master", "local[1]", "--packages", packages, *told]
    command += ["--conf", f"spark.jars.ivy={os.path.join(folder, 'ivy')}", "--conf", "spark.ui.enabled=false", nothing]
    python = os.path.join(folder, "env", "bin", "python")
    done = subprocess.run(command, env={**os.environ, "PYSPARK_PYTHON": python, "SPARK_HOME": home})
    os.unlink(nothing)
    if done.returncode != 0:
        sys.exit(f"the packages of Java can't be got: {packages}")


def install(folder, requirements, jars, properties):
    env, ready = os.path.join(folder, "env"), os.path.join(folder, "ready")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        # Of several that want it, one makes it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(ready):
            return
        shutil.rmtree(env, ignore_errors=True)
        print("making an environment of", " ".join(requirements), flush=True)
        uv = shutil.which("uv")
        python = os.path.join(env, "bin", "python")
        if uv:
            venv.create(env, with_pip=False)
            command = [uv, "pip", "install", "--python", python, *ONLY_WHEELS, "--", *requirements]
        else:
            venv.create(env, with_pip=True)
            quiet = ["--progress-bar", "off", "--no-input", "--disable-pip-version-check"]
            command = [python, "-m", "pip", "install", *quiet, *ONLY_WHEELS, "--", *requirements]
        # It holds the lock, too: where this process is killed, nobody begins anew before it is gone.
        done = subprocess.run(command, stderr=subprocess.STDOUT if uv else None, pass_fds=[lock.fileno()])
        if done.returncode != 0:
            sys.exit(f"the packages can't be installed: {' '.join(requirements)}")
        if jars:
            get_jars(folder, jars, properties)
        open(ready, "w").close()


parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--jars")
parser.add_argument("--conf", action="append", default=[])
parser.add_argument("requirements", nargs="+")
told = parser.parse_args()
install(told.folder, told.requirements, told.jars, told.conf)
