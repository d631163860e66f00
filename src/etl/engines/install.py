"""Makes an environment of Python packages, once: python install.py FOLDER REQUIREMENT ...

FOLDER/env is the environment, and FOLDER/ready is there when it is whole. Packages come as wheels alone, because a source
distribution runs code of its own while it is installed; but for Spark's, which come as nothing else."""

import fcntl
import os
import shutil
import subprocess
import sys
import venv


ONLY_WHEELS = ["--only-binary", ":all:", "--no-binary", "pyspark", "--no-binary", "pyspark-client"]


def install(folder, requirements):
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
        open(ready, "w").close()


install(sys.argv[1], sys.argv[2:])
