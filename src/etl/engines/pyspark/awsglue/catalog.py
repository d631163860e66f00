"""A small client of the Glue API: the standard library alone."""

import datetime
import hashlib
import hmac
import json
import os
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 60
# How many partitions one call makes.
BATCH = 100


class CatalogError(RuntimeError):
    """What the catalog answered in place of a result."""

    def __init__(self, action, code, message):
        super().__init__(f"{action}: {code}: {message}")
        self.code = code


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(headers, body, host, region, now, key, secret):
    """The headers of a request with its signature (version 4)."""
    day, service = now[:8], "glue"
    named = sorted({**headers, "host": host}.items())
    names = ";".join(name for name, _ in named)
    canonical = "\n".join(
        ["POST", "/", "", *(f"{n}:{v}" for n, v in named), "", names, hashlib.sha256(body).hexdigest()]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    told = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    made = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        made = sign(made, part)
    signature = sign(made, told).hex()
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


class Catalog:
    """The catalog that AWS_ENDPOINT_URL_GLUE names, or Glue's own of the region."""

    def __init__(self):
        self._region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        endpoint = os.environ.get("AWS_ENDPOINT_URL_GLUE") or os.environ.get("AWS_ENDPOINT_URL")
        self._endpoint = (endpoint or f"https://glue.{self._region}.amazonaws.com").rstrip("/") + "/"

    def call(self, action, **body):
        """One call; what is None isn't sent."""
        data = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-date": now, "x-amz-target": f"AWSGlue.{action}"}
        if os.environ.get("AWS_SESSION_TOKEN"):
            headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if key and secret:
            host = urllib.parse.urlsplit(self._endpoint).netloc
            headers = signed(headers, data, host, self._region, now, key, secret)
        request = urllib.request.Request(self._endpoint, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise self._told(action, error) from None

    def _told(self, action, error):
        text = error.read().decode(errors="replace")
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        code = str(answer.get("__type", error.code)).rpartition("#")[2]
        return CatalogError(action, code, answer.get("message") or answer.get("Message") or text[:500])

    def table(self, database, name, catalog_id=None):
        return self.call("GetTable", DatabaseName=database, Name=name, CatalogId=catalog_id)["Table"]

    def table_if_there(self, database, name, catalog_id=None):
        try:
            return self.table(database, name, catalog_id)
        except CatalogError as error:
            if error.code == "EntityNotFoundException":
                return None
            raise

    def partitions(self, database, table, expression=None, catalog_id=None):
        """All partitions for which an expression holds, page by page."""
        token = None
        while True:
            page = self.call(
                "GetPartitions", DatabaseName=database, TableName=table, Expression=expression or None, NextToken=token,
                CatalogId=catalog_id,
            )  # fmt: skip
            yield from page.get("Partitions", [])
            token = page.get("NextToken")
            if not token:
                return

    def create_table(self, database, table, catalog_id=None):
        self.call("CreateTable", DatabaseName=database, TableInput=table, CatalogId=catalog_id)

    def update_table(self, database, table, catalog_id=None):
        self.call("UpdateTable", DatabaseName=database, TableInput=table, CatalogId=catalog_id)

    def create_partitions(self, database, table, partitions, catalog_id=None):
        """Makes the partitions that aren't there yet."""
        for begin in range(0, len(partitions), BATCH):
            answer = self.call(
                "BatchCreatePartition", DatabaseName=database, TableName=table, CatalogId=catalog_id,
                PartitionInputList=partitions[begin : begin + BATCH],
            )  # fmt: skip
            for error in answer.get("Errors", []):
                detail = error["ErrorDetail"]
                if detail["ErrorCode"] != "AlreadyExistsException":
                    raise CatalogError("BatchCreatePartition", detail["ErrorCode"], detail.get("ErrorMessage"))
