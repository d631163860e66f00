"""boto3, told what to do by lines of JSON."""

import sys

import boto3
import botocore
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from lines import answer_lines

URL, KEY, SECRET = sys.argv[1:]
CONFIG = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
MULTIPART = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3 = boto3.client(
    "s3",
    endpoint_url=URL,
    region_name="us-east-1",
    aws_access_key_id=KEY,
    aws_secret_access_key=SECRET,
    config=CONFIG,
)


class Client:
    """What the common script asks for."""

    def about(self):
        return f"boto3 {boto3.__version__}, botocore {botocore.__version__}"

    def put(self, bucket, key, body, metadata=None, kind=None, if_none_match=None):
        wanted = {"Metadata": metadata, "ContentType": kind, "IfNoneMatch": if_none_match}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        s3.put_object(Bucket=bucket, Key=key, Body=body, **wanted)

    def upload(self, bucket, key, body):
        import io

        s3.upload_fileobj(io.BytesIO(body), bucket, key, Config=MULTIPART)

    def get(self, bucket, key, first=None, last=None, if_none_match=None):
        wanted = {}
        if first is not None:
            wanted["Range"] = f"bytes={first}-{last}"
        if if_none_match is not None:
            wanted["IfNoneMatch"] = if_none_match
        return s3.get_object(Bucket=bucket, Key=key, **wanted)["Body"].read()

    def head(self, bucket, key):
        found = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        return {
            "size": found["ContentLength"],
            "metadata": found["Metadata"],
            "kind": found.get("ContentType"),
            "etag": found["ETag"],
        }

    def list(self, bucket, prefix, delimiter=""):
        keys, prefixes = [], []
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": 3}
        )
        for page in pages:
            keys += [found["Key"] for found in page.get("Contents", [])]
            prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
        return {"keys": keys, "prefixes": prefixes}

    def copy(self, bucket, source, key):
        s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": source})

    def delete(self, bucket, keys):
        if len(keys) == 1:
            s3.delete_object(Bucket=bucket, Key=keys[0])
            return
        done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        assert len(done["Deleted"]) == len(keys), done

    def presign(self, bucket, key, method):
        return s3.generate_presigned_url(f"{method}_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)


def code_of(error):
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else None


answer_lines(Client(), code_of)
