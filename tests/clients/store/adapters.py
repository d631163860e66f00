"""The clients of the store: workers of their own language or version, and two command lines."""

import base64
import json
import os
import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
PATIENCE = 120


class Refused(Exception):
    """What the store refused, by its code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def clean_environment():
    """Nothing of the caller's settings, and none of AWS's files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MASTIC_", "RCLONE_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "PYTHONWARNINGS": "ignore"}


class Worker:
    """A client in a process of its own that is told what to do by lines."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment()
        )

    def ask(self, name, **wanted):
        if isinstance(wanted.get("body"), bytes):
            wanted["body"] = base64.b64encode(wanted["body"]).decode()
        self.process.stdin.write(json.dumps({"do": name, "with": wanted}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the client ended in the middle of {name}")
        said = json.loads(line)
        if "answer" not in said:
            raise Refused(said.get("error"), said.get("text"))
        answer = said["answer"]
        return base64.b64decode(answer["bytes"]) if isinstance(answer, dict) and "bytes" in answer else answer

    def can(self, what):
        return True

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)


class S3fs(Worker):
    def can(self, what):
        # It has no conditions; and it takes a slash at the end, or two, for folders.
        return what not in ("conditions", "slashes")


class CommandLine:
    """A client that is a program: a process for each operation."""

    cannot = ()

    def __init__(self, url, key, secret):
        self.url = url
        self.environment = clean_environment() | {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def run(self, *arguments, body=None):
        done = subprocess.run(
            [*self.program(), *arguments],
            input=body,
            capture_output=True,
            env=self.environment,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            text = done.stderr.decode(errors="replace")
            code = re.search(r"\((\w+)\) when calling|\b(NoSuchKey|not found)\b", text)
            raise Refused(code and (code.group(1) or "NoSuchKey"), text)
        return done.stdout

    def ask(self, name, **wanted):
        return getattr(self, name)(**wanted)

    def can(self, what):
        return what not in self.cannot

    def close(self):
        pass


class AwsCli(CommandLine):
    cannot = ("presigned puts",)

    def __init__(self, bin_folder, *where):
        super().__init__(*where)
        self.bin = bin_folder

    def program(self):
        return [f"{self.bin}/aws", "--endpoint-url", self.url]

    def about(self):
        return self.run("--version").decode().strip()

    def api(self, name, bucket, **wanted):
        arguments = ["s3api", name, "--bucket", bucket]
        for option, value in wanted.items():
            if value is not None:
                arguments += [f"--{option.replace('_', '-')}", value]
        return self.run(*arguments)

    def put(self, bucket, key, body, metadata=None, kind=None, if_none_match=None):
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            self.api(
                "put-object",
                bucket,
                key=key,
                body=file.name,
                metadata=metadata and json.dumps(metadata),
                content_type=kind,
                if_none_match=if_none_match,
            )

    def upload(self, bucket, key, body):
        self.run("s3", "cp", "-", f"s3://{bucket}/{key}", body=body)

    def get(self, bucket, key, first=None, last=None, if_none_match=None):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "got")
            span = None if first is None else f"bytes={first}-{last}"
            arguments = ["s3api", "get-object", "--bucket", bucket, "--key", key]
            arguments += ["--range", span] if span else []
            arguments += ["--if-none-match", if_none_match] if if_none_match else []
            self.run(*arguments, str(path))
            return path.read_bytes()

    def head(self, bucket, key):
        found = json.loads(self.api("head-object", bucket, key=key))
        return {
            "size": found["ContentLength"],
            "metadata": found["Metadata"],
            "kind": found.get("ContentType"),
            "etag": found["ETag"],
        }

    def list(self, bucket, prefix, delimiter=None):
        found = self.api("list-objects-v2", bucket, prefix=prefix, delimiter=delimiter or None, page_size="3")
        found = json.loads(found or "{}")
        return {
            "keys": [each["Key"] for each in found.get("Contents") or []],
            "prefixes": [each["Prefix"] for each in found.get("CommonPrefixes") or []],
        }

    def copy(self, bucket, source, key):
        self.run("s3", "cp", f"s3://{bucket}/{source}", f"s3://{bucket}/{key}")

    def delete(self, bucket, keys):
        wanted = json.dumps({"Objects": [{"Key": key} for key in keys]})
        self.api("delete-objects", bucket, delete=wanted)

    def presign(self, bucket, key, method):
        return self.run("s3", "presign", f"s3://{bucket}/{key}", "--expires-in", "60").decode().strip()

    def sync(self, folder, bucket, prefix):
        """Gives what it says."""
        return self.run("s3", "sync", str(folder), f"s3://{bucket}/{prefix}").decode()


class Rclone(CommandLine):
    # It has no conditions; it takes a slash at the end, or two, for folders, and what isn't there for an empty one.
    cannot = ("absence", "conditions", "slashes", "metadata", "control", "presigned puts")

    def program(self):
        remote = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENDPOINT": self.url,
            "REGION": "us-east-1",
            "ENV_AUTH": "true",
            "UPLOAD_CUTOFF": "5Mi",
            "CHUNK_SIZE": "5Mi",
            "FORCE_PATH_STYLE": "true",
        }
        self.environment |= {f"RCLONE_CONFIG_STORE_{name}": value for name, value in remote.items()}
        return ["rclone", "--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"]

    def about(self):
        return self.run("version").decode().splitlines()[0]

    def put(self, bucket, key, body):
        self.run("rcat", f"store:{bucket}/{key}", body=body)

    def upload(self, bucket, key, body):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "body")
            path.write_bytes(body)
            self.run("copyto", str(path), f"store:{bucket}/{key}")

    def get(self, bucket, key, first=None, last=None):
        span = [] if first is None else ["--offset", str(first), "--count", str(last - first + 1)]
        return self.run("cat", *span, f"store:{bucket}/{key}")

    def head(self, bucket, key):
        found = json.loads(self.run("lsjson", "--stat", f"store:{bucket}/{key}"))
        return {"size": found["Size"], "metadata": None, "kind": found["MimeType"], "etag": None}

    def list(self, bucket, prefix, delimiter=None):
        deep = [] if delimiter else ["--recursive"]
        found = json.loads(self.run("lsjson", *deep, f"store:{bucket}/{prefix}"))
        return {
            "keys": [prefix + each["Path"] for each in found if not each["IsDir"]],
            "prefixes": [prefix + each["Path"] + "/" for each in found if each["IsDir"] and delimiter],
        }

    def copy(self, bucket, source, key):
        self.run("copyto", f"store:{bucket}/{source}", f"store:{bucket}/{key}")

    def delete(self, bucket, keys):
        for key in keys:
            self.run("deletefile", f"store:{bucket}/{key}")

    def presign(self, bucket, key, method):
        return self.run("link", "--expire", "60s", f"store:{bucket}/{key}").decode().strip()

    def sync(self, folder, bucket, prefix):
        self.run("sync", str(folder), f"store:{bucket}/{prefix}")
        return ""


def open_client(name, tools, stores, where):
    """The client of this name. `tools` is the folder of Python's packages, `stores` that of the other clients'."""
    worker = [str(HERE / "boto3_worker.py"), *where]
    match name:
        case "boto3":
            return Worker([f"{tools}/bin/python", *worker])
        case "boto3-1.40":
            return Worker([f"{stores}/boto3-1.40/bin/python", *worker])
        case "s3fs":
            return S3fs([f"{stores}/s3fs/bin/python", str(HERE / "s3fs_worker.py"), *where])
        case "js":
            return Worker(["node", str(HERE / "js_worker.mjs"), f"{stores}/js", *where])
        case "awscli":
            return AwsCli(f"{tools}/bin", *where)
        case "rclone":
            return Rclone(*where)
    raise SystemExit(f"there is no client {name}")
