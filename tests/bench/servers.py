"""The servers that are measured: Mastic on either database, and moto. Each is gone when its context ends."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

# How long a server may take to come up, or to go.
PATIENCE = 60


class Server:
    """`has_pages`: whether it heeds MaxResults, NextToken and Segment, or gives everything in one answer.
    `connections`: over how many it is asked at a time."""

    def __init__(self, name, process, port, has_pages, connections, lake=None):
        self.name, self.process, self.port, self.lake = name, process, port, lake
        self.has_pages, self.connections = has_pages, connections

    def peak_memory(self):
        """The most memory that the server's process has had resident, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1024


@contextlib.contextmanager
def mastic(name, program, folder, database):
    api, lake = free_port(), free_port()
    flags = ["--listen", f"127.0.0.1:{api}", "--lake-listen", f"127.0.0.1:{lake}", "--lake", f"{folder}/lake"]
    command = [os.path.abspath(program), "serve", "--quiet", *flags, "--database", database]
    with running(command, folder, f"http://127.0.0.1:{api}/readyz") as process:
        yield Server(name, process, api, has_pages=True, connections=8, lake=lake)


@contextlib.contextmanager
def moto(folder):
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    # It is one Python process, which does one thing at a time: over more connections answers are as many, but later.
    with running(command, folder, f"http://127.0.0.1:{port}/moto-api/") as process:
        yield Server("moto", process, port, has_pages=False, connections=1)


@contextlib.contextmanager
def running(command, folder, ready):
    # Its own folder, so that no settings or jobs of the folder that this is run in are found.
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until_up(process, ready)
        yield process
    except BaseException:
        with open(f"{folder}/log", errors="replace") as log:
            sys.stderr.writelines(log.readlines()[-20:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_up(process, url):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} was not there after {PATIENCE} s")


@contextlib.contextmanager
def postgres_database(server):
    """The URL of an empty database on a server."""
    name = f"bench_{os.getpid()}"
    psql(server, f"CREATE DATABASE {name}")
    try:
        yield f"{server}/{name}"
    finally:
        psql(server, f"DROP DATABASE {name} WITH (FORCE)")


def psql(server, statement):
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", f"{server}/postgres", "-c", statement]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
