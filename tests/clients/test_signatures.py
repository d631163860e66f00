"""Signatures where the server has credentials."""

import datetime
import hashlib
import json
import urllib.parse
from unittest import mock

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from botocore.config import Config
from server import ACCOUNT, REGION, Case, glue_headers, on_both_databases, signed

KEYS = ("AKIAMASTICCLIENTS", "a/secret+that=nobody guesses")
REFUSALS = {
    "InvalidSignatureException",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}


def at(minutes):
    """The client's clock, that many minutes from now."""
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    return mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: then)


@on_both_databases
class Signatures(Case):
    keys = KEYS

    def glue_of(self, access_key, secret_key, region=REGION, service="glue"):
        session = boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region)
        config = Config(retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=self.server.url, config=config)

    def check_refused(self, answer, *exceptions):
        self.assertIn(answer.status, range(400, 500), answer.body)
        self.assertIn(answer.json["__type"], exceptions or REFUSALS)
        self.assertIn("x-amzn-requestid", answer.headers)

    def signed_request(self, body=b"{}", minutes=0):
        with at(minutes):
            return signed(self.server.url, body, glue_headers("GetDatabases"), KEYS)

    def presigned(self, body=b"", expires=60, minutes=0, keys=KEYS):
        """The path and headers of a request whose signature is in its query."""
        request = botocore.awsrequest.AWSRequest("POST", f"{self.server.url}/", headers=glue_headers("GetDatabases"))
        auth = botocore.auth.SigV4QueryAuth(botocore.credentials.Credentials(*keys), "glue", REGION, expires=expires)
        # botocore would move the body to the query, where no JSON is read.
        auth.payload = lambda _: hashlib.sha256(body).hexdigest()
        with at(minutes):
            auth.add_auth(request)
        url = urllib.parse.urlsplit(request.url)
        return f"{url.path}?{url.query}", dict(request.headers.items())

    def test_the_right_key_is_let_in_and_may_write(self):
        name = self.fresh_database()
        self.assertEqual(self.glue.get_database(Name=name)["Database"]["Name"], name)
        elsewhere = self.glue_of(*KEYS, region="eu-north-1")
        self.assertEqual(elsewhere.get_database(Name=name)["Database"]["Name"], name)
        self.assertEqual(self.server.client("sts").get_caller_identity()["Account"], ACCOUNT)
        objects = self.server.client("s3").list_objects_v2(Bucket="lake")
        self.assertEqual(objects["KeyCount"], 0)

    def test_a_wrong_secret(self):
        glue = self.glue_of(KEYS[0], "another")
        self.refused("InvalidSignatureException", glue.get_databases)

    def test_an_unknown_key(self):
        glue = self.glue_of("AKIASOMEBODYELSE", KEYS[1])
        message = "The security token included in the request is invalid."
        self.refused("UnrecognizedClientException", glue.get_databases, message)
        sts = self.glue_of("AKIASOMEBODYELSE", KEYS[1], service="sts")
        self.refused("UnrecognizedClientException", sts.get_caller_identity, message)

    def test_no_signature(self):
        answer = self.server.ask("GetDatabases", {})
        self.check_refused(answer, "MissingAuthenticationTokenException")
        answer = self.server.ask("NoSuchOperation", {})
        self.check_refused(answer, "MissingAuthenticationTokenException")

    def test_half_a_signature(self):
        for header in (
            "AWS4-HMAC-SHA256",
            f"AWS4-HMAC-SHA256 Credential={KEYS[0]}/20240101/us-east-1/glue/aws4_request",
            f"AWS4-HMAC-SHA256 Credential={KEYS[0]}, SignedHeaders=host, Signature=00",
            "Basic YWJjOmRlZg==",
            "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
        ):
            with self.subTest(header):
                answer = self.server.ask("GetDatabases", {}, Authorization=header)
                self.check_refused(answer)

    def test_anything_that_is_changed_after_it_was_signed(self):
        headers = self.signed_request()
        self.assertEqual(self.server.send(b"{}", headers).status, 200)
        last = headers["Authorization"][-1]
        other_signature = headers["Authorization"][:-1] + ("0" if last != "0" else "1")
        changed = {
            "body": (b'{"MaxResults": 1}', headers),
            "operation": (b"{}", {**headers, **glue_headers("GetConnections")}),
            "date": (b"{}", {**headers, "X-Amz-Date": self.signed_request(minutes=-1)["X-Amz-Date"]}),
            "signature": (b"{}", {**headers, "Authorization": other_signature}),
            "region": (b"{}", {**headers, "Authorization": headers["Authorization"].replace(REGION, "us-east-2")}),
        }
        for name, (body, headers) in changed.items():
            with self.subTest(name):
                self.check_refused(self.server.send(body, headers), "InvalidSignatureException")

    def test_a_header_that_is_not_signed_may_not_choose_the_operation(self):
        headers = signed(self.server.url, b"{}", {"Content-Type": "application/x-amz-json-1.1"}, KEYS)
        headers |= glue_headers("GetDatabases")
        self.check_refused(self.server.send(b"{}", headers), "InvalidSignatureException")

    def test_clocks_may_differ_by_a_quarter_of_an_hour(self):
        for minutes in (-14, 14):
            with self.subTest(minutes):
                self.assertEqual(self.server.send(b"{}", self.signed_request(minutes=minutes)).status, 200)
        for minutes in (-16, 16, -60 * 24 * 365):
            with self.subTest(minutes):
                answer = self.server.send(b"{}", self.signed_request(minutes=minutes))
                self.check_refused(answer, "InvalidSignatureException")

    def test_a_signature_in_the_query(self):
        for body in (b"", b"{}", b'{"MaxResults": 1}'):
            with self.subTest(body):
                path, headers = self.presigned(body)
                answer = self.server.send(body, headers, path=path)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertIn("DatabaseList", answer.json)
        # Younger than it may get, though older than a header's signature may be.
        path, headers = self.presigned(expires=3600, minutes=-30)
        self.assertEqual(self.server.send(b"", headers, path=path).status, 200)

    def test_a_signature_in_the_query_that_does_not_hold(self):
        path, headers = self.presigned()
        self.assertEqual(self.server.send(b"", headers, path=path).status, 200)
        refusal = "InvalidSignatureException"
        self.check_refused(self.server.send(b'{"MaxResults": 1}', headers, path=path), refusal)
        longer = path.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
        self.assertNotEqual(path, longer)
        self.check_refused(self.server.send(b"", headers, path=longer), refusal)
        self.check_refused(self.server.send(b"", {**headers, **glue_headers("GetTables")}, path=path), refusal)
        path, headers = self.presigned(expires=60, minutes=-2)
        self.check_refused(self.server.send(b"", headers, path=path), refusal)
        path, headers = self.presigned(keys=(KEYS[0], "another"))
        self.check_refused(self.server.send(b"", headers, path=path), refusal)
        path, headers = self.presigned(keys=("AKIASOMEBODYELSE", KEYS[1]))
        self.check_refused(self.server.send(b"", headers, path=path), "UnrecognizedClientException")

    def test_who_is_refused_changes_nothing(self):
        before = self.glue.get_databases()["DatabaseList"]
        glue = self.glue_of(KEYS[0], "another")
        self.refused("InvalidSignatureException", glue.create_database, DatabaseInput={"Name": "unwanted"})
        body = json.dumps({"DatabaseInput": {"Name": "unwanted"}}).encode()
        self.check_refused(self.server.send(body, glue_headers("CreateDatabase")))
        self.assertEqual(self.glue.get_databases()["DatabaseList"], before)
