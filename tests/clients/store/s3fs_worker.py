"""s3fs, told what to do by lines of JSON."""

import sys

import s3fs
from lines import answer_lines

URL, KEY, SECRET = sys.argv[1:]
fs = s3fs.S3FileSystem(
    key=KEY,
    secret=SECRET,
    endpoint_url=URL,
    use_listings_cache=False,
    client_kwargs={"region_name": "us-east-1"},
    config_kwargs={"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 1}},
)


class Client:
    """What the common script asks for."""

    def about(self):
        return f"s3fs {s3fs.__version__}"

    def put(self, bucket, key, body, metadata=None, kind=None):
        wanted = {"Metadata": metadata or {}, **({"ContentType": kind} if kind else {})}
        fs.pipe_file(f"{bucket}/{key}", body, **wanted)

    def upload(self, bucket, key, body):
        with fs.open(f"{bucket}/{key}", "wb", block_size=5 << 20) as target:
            target.write(body)

    def get(self, bucket, key, first=None, last=None):
        end = None if last is None else last + 1
        return fs.cat_file(f"{bucket}/{key}", start=first, end=end)

    def head(self, bucket, key):
        found = fs.info(f"{bucket}/{key}", refresh=True)
        return {
            "size": found["size"],
            "metadata": fs.metadata(f"{bucket}/{key}", refresh=True),
            "kind": found.get("ContentType"),
            "etag": found["ETag"],
        }

    def list(self, bucket, prefix, delimiter=""):
        found = fs.find(f"{bucket}/{prefix}") if not delimiter else fs.ls(f"{bucket}/{prefix}", detail=False)
        names = [name.removeprefix(f"{bucket}/") for name in found]
        if not delimiter:
            return {"keys": names, "prefixes": []}
        folders = [name + "/" for name in names if fs.isdir(f"{bucket}/{name}")]
        return {"keys": [name for name in names if name + "/" not in folders], "prefixes": folders}

    def copy(self, bucket, source, key):
        fs.cp_file(f"{bucket}/{source}", f"{bucket}/{key}")

    def delete(self, bucket, keys):
        fs.rm([f"{bucket}/{key}" for key in keys])

    def presign(self, bucket, key, method):
        return fs.sign(f"{bucket}/{key}", expiration=60, client_method=f"{method}_object")


def code_of(error):
    return "NoSuchKey" if isinstance(error, FileNotFoundError) else None


answer_lines(Client(), code_of)
