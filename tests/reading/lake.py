"""A server with an embedded lake, for the judges of reading: folders of files become tables, and tables are asked."""

import concurrent.futures
import contextlib
import decimal
import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "bench"))

import servers

BUCKET = "lake"
# How many queries are under way at once.
AT_ONCE = 3
# A folder of the prefix is a table, whatever its neighbours look like: the levels are bucket, prefix, folder.
A_TABLE_EACH = {"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}}
SETTINGS = "[query]\nmax_rows = 1000000\n"


class Lake:
    def __init__(self, program, folder, server):
        self.program, self.folder, self.server = program, pathlib.Path(folder), server
        self.url = f"http://127.0.0.1:{server.port}/api/v1"

    def place(self, prefix):
        return self.folder / "lake" / BUCKET / prefix

    def call(self, path, body=None):
        """The answer, its numbers with a fraction as `Decimal`, so that no digit is lost."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return json.load(answer, parse_float=decimal.Decimal)
        except urllib.error.HTTPError as refusal:
            raise Refused(refusal.read().decode(errors="replace")) from None

    def crawl(self, prefix, database):
        body = {"path": f"s3://{BUCKET}/{prefix}/", "database": database, "options": {"configuration": A_TABLE_EACH}}
        crawl = self.call("/crawls", body)["id"]
        while (state := self.call(f"/crawls/{crawl}"))["state"] in ("QUEUED", "RUNNING"):
            time.sleep(0.1)
        if state["state"] != "SUCCEEDED":
            raise RuntimeError(f"the crawl of {prefix} ended as {state['state']}: {state['error']}")
        return state

    def tables(self, database):
        """The names of the tables of a database."""
        names, cursor = [], ""
        while cursor is not None:
            page = self.call(f"/databases/{database}/tables?limit=1000{cursor}")
            names += [table["name"] for table in page["items"]]
            cursor = f"&cursor={page['next']}" if page["next"] else None
        return names

    def ask(self, sql):
        """The answer to a query, or the `Refused` that it met."""
        try:
            answer = self.call("/sql", {"query": sql, "limit": 1_000_000})
            return Refused(str(answer["error"])) if answer.get("error") else answer
        except Refused as refused:
            return refused

    def ask_all(self, queries):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.ask, queries))

    def infer(self, prefix):
        """What `mastic infer` says of each file below a prefix, by the file's path; what is no file of data is absent."""
        command = [self.program, "infer", "--quiet", "--output", "jsonl", str(self.place(prefix))]
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        verdicts = [json.loads(line) for line in said.stdout.decode().split("\n") if line]
        if not verdicts:
            raise RuntimeError(f"mastic infer said nothing: {said.stderr.decode()}")
        return {pathlib.Path(verdict["path"]).resolve(): verdict for verdict in verdicts}


class Refused(Exception):
    """What the server answers instead of rows."""


@contextlib.contextmanager
def lake(program, folder):
    program = str(pathlib.Path(program).resolve())
    pathlib.Path(folder, "mastic.toml").write_text(SETTINGS)
    with servers.mastic("mastic", program, folder, f"sqlite://{folder}/mastic.db") as server:
        yield Lake(program, folder, server)
