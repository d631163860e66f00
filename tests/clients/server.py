"""A server of its own for each test class, on SQLite and on PostgreSQL, and what the tests use to talk to it."""

import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from typing import NamedTuple

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
from botocore.config import Config

ACCOUNT = "123456789012"
REGION = "us-east-1"
# Any key is taken where the server has none.
ANY_KEY = ("any", "any-secret")
PATIENCE = 60


class Answer(NamedTuple):
    """What came back on the wire."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Database:
    """A fresh database that is gone when the server is."""

    def __init__(self, kind, folder):
        self.kind = kind
        if kind == "sqlite":
            self.url = f"sqlite://{folder}/mastic.db"
            return
        server = os.environ.get("MASTIC_TEST_POSTGRES")
        if not server:
            raise RuntimeError("MASTIC_TEST_POSTGRES is not set: run this under tests/with-postgres")
        self.server = server
        self.name = f"clients_{uuid.uuid4().hex}"
        self.url = f"{server}/{self.name}"
        self._ask(f"CREATE DATABASE {self.name}")

    def remove(self):
        if self.kind == "postgres":
            self._ask(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _ask(self, sql):
        command = [psql(), "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-c", sql, f"{self.server}/postgres"]
        subprocess.run(command, check=True, timeout=PATIENCE)


def psql():
    """PostgreSQL's own client, which comes with the server."""
    installed = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))
    found = str(installed[-1]) if installed else shutil.which("psql")
    if not found:
        raise RuntimeError("psql is missing: install postgresql")
    return found


class Server:
    """`mastic serve` on random loopback ports, with an embedded lake and an empty catalog."""

    def __init__(self, kind, keys=None, settings=None):
        binary = os.environ.get("MASTIC_BIN")
        if not binary:
            raise RuntimeError("MASTIC_BIN is not set: it names the mastic binary")
        self.binary = os.path.realpath(binary)
        self.keys = keys
        # What the server's environment says besides.
        self.settings = settings or {}
        self.folder = tempfile.mkdtemp(prefix="mastic-clients-")
        self.process = None
        self.addresses = ("127.0.0.1:0", "127.0.0.1:0")
        try:
            self.database = Database(kind, self.folder)
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def url(self):
        return f"http://{self.addresses[0]}"

    @property
    def lake_url(self):
        return f"http://{self.addresses[1]}"

    def start(self):
        """Starts it; where it was before, if it was."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MASTIC_", "AWS_"))}
        if self.keys:
            clean["MASTIC_ACCESS_KEY"], clean["MASTIC_SECRET_KEY"] = self.keys
        clean |= self.settings
        command = [self.binary, "serve", "--listen", self.addresses[0], "--lake-listen", self.addresses[1]]
        command += ["--lake", f"{self.folder}/lake", "--database", self.database.url, "--no-input"]
        log = f"{self.folder}/log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=clean, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            said = re.sub(r"\x1b\[[0-9;]*m", "", pathlib.Path(log).read_text())
            # The greeting's last line: those before it are whole then.
            if re.search(r"^ +Database +\S.*\n", said, re.M):
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server didn't come up:\n{said}")
            time.sleep(0.02)
        api = re.search(r"^ +UI and REST API +http://(\S+)", said, re.M)
        lake = re.search(r"^ +Object store .*http://(\S+)", said, re.M)
        self.addresses = (api.group(1), lake.group(1))

    def kill(self):
        """Ends it without a warning."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def remove(self):
        """Stops it, and removes all that it had."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        self.database.remove()
        shutil.rmtree(self.folder)

    def session(self):
        key, secret = self.keys or ANY_KEY
        return boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)

    def client(self, service, **settings):
        """A boto3 client that tries once and sends what it is told to send."""
        endpoint = self.lake_url if service == "s3" else self.url
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False).merge(Config(**settings))
        return self.session().client(service, endpoint_url=endpoint, config=config)

    def send(self, body, headers, method="POST", path="/"):
        """Sends bytes as they are, without a signature."""
        connection = http.client.HTTPConnection(self.addresses[0], timeout=PATIENCE)
        try:
            # A server that has seen enough may answer before it has read everything.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            found = {name.lower(): value for name, value in answer.getheaders()}
            if found.get("content-encoding") == "gzip":
                content = gzip.decompress(content)
            return Answer(answer.status, found, content)
        finally:
            connection.close()

    def ask(self, operation, request, **headers):
        """Sends one request to the Glue API and gives back the answer as it is on the wire."""
        return self.send(json.dumps(request).encode(), {**glue_headers(operation), **headers})


def glue_headers(operation):
    return {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSGlue.{operation}"}


def signed(url, body, headers, keys, region=REGION):
    """The headers of a request that is signed as AWS's clients sign it."""
    request = botocore.awsrequest.AWSRequest("POST", f"{url}/", headers=dict(headers), data=body)
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(*keys), "glue", region).add_auth(request)
    return dict(request.headers.items())


class Case:
    """Tests of a running server. Not a TestCase itself: `on_both_databases` makes two of it."""

    kind = None
    keys = None
    settings = None
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.kind, cls.keys, cls.settings)
        cls.addClassCleanup(cls.server.remove)
        cls.glue = cls.server.client("glue")
        cls.prepare()

    @classmethod
    def prepare(cls):
        """What all tests of the class share."""

    def fresh_database(self):
        """A database of this test alone."""
        name = f"db_{uuid.uuid4().hex}"
        self.glue.create_database(DatabaseInput={"Name": name})
        return name

    def refused(self, exception, ask, message=None, **request):
        """Asks, and makes sure that the answer is this exception, with this message where one is given."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            ask(**request)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], exception, error)
        if message is not None:
            self.assertEqual(error["Message"], message)
        self.assertIn(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], range(400, 500))
        return error["Message"]

    def all_pages(self, ask, member, **request):
        """Everything that a listing gives, and how many pages it took."""
        found, pages = [], 0
        while True:
            answer = ask(**request)
            found += answer[member]
            pages += 1
            if not answer.get("NextToken"):
                return found, pages
            request["NextToken"] = answer["NextToken"]


def on_both_databases(case):
    """Makes of a Case two test classes in its module: one on SQLite, one on PostgreSQL."""
    module = sys.modules[case.__module__]
    for kind in ("sqlite", "postgres"):
        name = f"{case.__name__}_{kind}"
        members = {"kind": kind, "__module__": case.__module__, "__doc__": case.__doc__, "__qualname__": name}
        setattr(module, name, type(name, (case, unittest.TestCase), members))
    return case
