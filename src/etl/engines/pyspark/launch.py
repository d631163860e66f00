"""What both launchers of Spark scripts have in common."""

import json
import os
import runpy
import socket
import sys
import threading
import time
import traceback

# How often a Spark elsewhere is looked after, how long it may take to answer, and how often it may be missing, in seconds.
EVERY, PATIENCE, TIMES = 5, 5, 3


def begin():
    """Makes the script this process's main one; its path."""
    sys.argv = sys.argv[1:]
    # A script finds what is beside it.
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    return sys.argv[0]


def run(script):
    """Runs a script as Python does; the status that it ends with."""
    try:
        runpy.run_path(script, run_name="__main__")
        return 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        traceback.print_exc()
        print_cause(error)
        return 1


def print_cause(error):
    """Says in one last line what an error of Java's began with: what stands above it ends in the middle of Java's code."""
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    if cause is not None:
        print(cause.toString(), file=sys.stderr)


def answers(server):
    """Whether somebody listens at a server's host and port."""
    try:
        socket.create_connection(server, PATIENCE).close()
        return True
    except OSError:
        return False


def look_after(what, servers):
    """Ends the script when none of these servers answers any more: Spark would wait for them as long as it lives."""

    def look():
        missing = 0
        while missing < TIMES:
            time.sleep(EVERY)
            missing = 0 if any(answers(server) for server in servers) else missing + 1
        print(f"{what} went away", file=sys.stderr, flush=True)
        os._exit(1)

    if servers:
        threading.Thread(target=look, daemon=True).start()


def tell_columns(frame, path):
    """Says which columns an output has: of a result without rows there may be no file that could say it."""
    output, folder = os.environ.get("MASTIC_OUTPUT"), os.environ.get("MASTIC_OUTPUT_DIR")
    if not output or not path or not path.replace("s3a://", "s3://", 1).startswith(output.rstrip("/")):
        return
    known = {"void": "string", "timestamp_ntz": "timestamp"}
    columns = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
    with open(os.path.join(folder, "_columns.json"), "w") as out:
        json.dump([(name, known.get(kind, kind)) for name, kind in columns], out)
