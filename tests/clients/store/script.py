"""The same operations by each client, on a lake without keys and on one with a key pair."""

import argparse
import hashlib
import http.client
import pathlib
import sys
import tempfile
import urllib.parse
import urllib.request
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from adapters import Refused, open_client  # noqa: E402
from server import ANY_KEY, Server  # noqa: E402

BUCKET = "lake"
KEYS = ("owner", "owner-secret-owner-secret")
PLAIN = [
    "plain.txt",
    "with space/and more.txt",
    "plus+and&ampersand=1.txt",
    "percent%20and%25/%zz.txt",
    "ym=2024-01/quote'\"[x].txt",
    "ünï/日本語/Ω.txt",
    "emoji/🦀🧪.txt",
    "hash#and?question.txt",
    ".hidden/.file",
]
SLASHES = ["folder/", "two//slashes", "dot./..dots"]
CONTROL = ["control/\x01\x1b.txt"]


def same(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


def refused(client, codes, name, **wanted):
    try:
        client.ask(name, **wanted)
    except Refused as error:
        if error.code not in codes:
            raise AssertionError(f"{name} was refused as {error.code}: {error}") from error
        return
    raise AssertionError(f"{name} with {wanted} was taken")


def round_trips(client, plain=PLAIN):
    """Every key comes back as it was, by each operation."""
    keys = list(plain) + (SLASHES if client.can("slashes") else []) + (CONTROL if client.can("control") else [])
    for key in keys:
        body = f"the content of {key}".encode()
        client.ask("put", bucket=BUCKET, key=f"keys/{key}", body=body)
        same(client.ask("get", bucket=BUCKET, key=f"keys/{key}"), body, key)
        same(client.ask("head", bucket=BUCKET, key=f"keys/{key}")["size"], len(body), key)
        client.ask("copy", bucket=BUCKET, source=f"keys/{key}", key=f"copies/{key}")
        same(client.ask("get", bucket=BUCKET, key=f"copies/{key}"), body, key)
    listed = client.ask("list", bucket=BUCKET, prefix="keys/")
    same(sorted(listed["keys"]), sorted(f"keys/{key}" for key in keys), "the listing")
    listed = client.ask("list", bucket=BUCKET, prefix="keys/", delimiter="/")
    folders = {f"keys/{key.split('/')[0]}/" for key in keys if "/" in key}
    same(sorted(listed["prefixes"]), sorted(folders), "the folders")
    same(sorted(listed["keys"]), sorted(f"keys/{key}" for key in keys if "/" not in key), "the files")
    client.ask("delete", bucket=BUCKET, keys=[f"keys/{key}" for key in keys])
    client.ask("delete", bucket=BUCKET, keys=[f"copies/{keys[0]}"])
    left = client.ask("list", bucket=BUCKET, prefix="copies/")
    same(sorted(left["keys"]), sorted(f"copies/{key}" for key in keys[1:]), "what is left")
    client.ask("delete", bucket=BUCKET, keys=[f"copies/{key}" for key in keys[1:]])


def contents(client):
    """Empty, small and large ones, and parts of them."""
    for round in range(3):
        client.ask("put", bucket=BUCKET, key=f"empty-{round}", body=b"")
        client.ask("put", bucket=BUCKET, key=f"small-{round}", body=b"0123456789")
        same(client.ask("get", bucket=BUCKET, key=f"empty-{round}"), b"", "an empty object")
    same(client.ask("get", bucket=BUCKET, key="small-0", first=2, last=5), b"2345", "a range")
    large = bytes(range(256)) * (48 << 10)
    client.ask("upload", bucket=BUCKET, key="large", body=large)
    same(client.ask("head", bucket=BUCKET, key="large")["size"], len(large), "a large object")
    got = client.ask("get", bucket=BUCKET, key="large")
    same(hashlib.sha256(got).hexdigest(), hashlib.sha256(large).hexdigest(), "a large object")
    edge = client.ask("get", bucket=BUCKET, key="large", first=(5 << 20) - 2, last=(5 << 20) + 1)
    same(edge, large[(5 << 20) - 2 : (5 << 20) + 2], "a range over two parts")
    client.ask("copy", bucket=BUCKET, source="large", key="large-copy")
    same(client.ask("head", bucket=BUCKET, key="large-copy")["size"], len(large), "a copy")
    if client.can("metadata"):
        client.ask(
            "put", bucket=BUCKET, key="described", body=b"a,b\n", metadata={"run": "42", "by": "me"}, kind="text/csv"
        )
        found = client.ask("head", bucket=BUCKET, key="described")
        same((found["metadata"], found["kind"]), ({"run": "42", "by": "me"}, "text/csv"), "metadata")
    if client.can("absence"):
        refused(client, ("NoSuchKey", "404"), "get", bucket=BUCKET, key="none")


def conditions(client):
    """Only what is asked for, only if it is as it should be."""
    if not client.can("conditions"):
        return
    client.ask("put", bucket=BUCKET, key="once", body=b"first", if_none_match="*")
    refused(client, ("PreconditionFailed",), "put", bucket=BUCKET, key="once", body=b"second", if_none_match="*")
    etag = client.ask("head", bucket=BUCKET, key="once")["etag"]
    refused(client, ("304", "NotModified"), "get", bucket=BUCKET, key="once", if_none_match=etag)
    same(client.ask("get", bucket=BUCKET, key="once"), b"first", "the first")


def presigned(client):
    """URLs that need no key."""
    client.ask("put", bucket=BUCKET, key="pre signed+%.txt", body=b"hello")
    url = client.ask("presign", bucket=BUCKET, key="pre signed+%.txt", method="get")
    with urllib.request.urlopen(url, timeout=30) as answer:
        same(answer.read(), b"hello", "a presigned URL")
    if not client.can("presigned puts"):
        return
    url = client.ask("presign", bucket=BUCKET, key="pre/put", method="put")
    address = urllib.parse.urlsplit(url)
    # Not by urllib, which adds a Content-Type: older signatures cover that.
    line = http.client.HTTPConnection(address.netloc, timeout=30)
    line.request("PUT", f"{address.path}?{address.query}", body=b"by url")
    same(line.getresponse().status, 200, "a presigned upload")
    line.close()
    same(client.ask("get", bucket=BUCKET, key="pre/put"), b"by url", "what was uploaded")


def synced(client, times=20):
    """Folders with empty files are uploaded whole, each time."""
    if not hasattr(client, "sync"):
        return
    with tempfile.TemporaryDirectory() as folder:
        for n in range(8):
            below = pathlib.Path(folder, f"d{n % 3}")
            below.mkdir(exist_ok=True)
            (below / f"empty{n}").touch()
            (below / f"full{n}").write_text("content " * n)
        wanted = sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file())
        for round in range(times):
            client.sync(folder, BUCKET, f"sync/{round}/")
        found = client.ask("list", bucket=BUCKET, prefix="sync/")["keys"]
        same(sorted(found), sorted(f"sync/{round}/{name}" for round in range(times) for name in wanted), "what is synced")


def listings_are_xml(server):
    """Asked plainly, by nobody's library."""
    for query in ("list-type=2", "list-type=1", "uploads", "list-type=2&delimiter=/"):
        with urllib.request.urlopen(f"{server.lake_url}/{BUCKET}?{query}", timeout=30) as answer:
            xml.dom.minidom.parseString(answer.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less of the clients that are slow to start")
    parser.add_argument("tools")
    parser.add_argument("stores")
    parser.add_argument("clients", nargs="+")
    arguments = parser.parse_args()
    failed = []
    for keys in (None, KEYS):
        for name in arguments.clients:
            short = arguments.short and name == "awscli"
            if short and keys:
                continue
            server = Server("sqlite", keys)
            client = None
            try:
                where = (server.lake_url, *(keys or ANY_KEY))
                client = open_client(name, arguments.tools, arguments.stores, where)
                print(f"{client.ask('about')}, {'with' if keys else 'without'} keys", flush=True)
                for part in (round_trips, contents, conditions, presigned, synced):
                    try:
                        part(client, **({"plain": PLAIN[1::4]} if short and part is round_trips else {}))
                    except Exception as error:
                        failed.append(f"{name}: {part.__name__}: {type(error).__name__}: {error}")
                if not keys:
                    listings_are_xml(server)
            finally:
                if client:
                    client.close()
                server.remove()
    for line in failed:
        print(line, file=sys.stderr)
    sys.exit(bool(failed))


main()
