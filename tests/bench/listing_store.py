"""An object store that holds no objects and lists a million of them: as fast as a store can, so that a crawl's own time shows.

    python listing_store.py PARTITIONS FILES_OF_EACH

Keys are raw/trips/year=…/month=…/day=…/hour=…/part-….csv in the bucket `lake`; every object is the same few rows. Answers
ListObjectsV2 (prefix, delimiter, start-after, continuation-token, max-keys), HEAD and GET with a range, signed or not.
Prints its port, and `listed` and `read` (requests so far) at /stats.
"""

import bisect
import email.utils
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit, unquote

PREFIX = "raw/trips/"
BODY = b"id,price,city\n" + b"".join(b"%d,%d.5,Oslo\n" % (at, at) for at in range(50))
ETAG = "0123456789abcdef0123456789abcdef"
TIME = "2031-01-01T00:00:00.000Z"
HTTP_TIME = email.utils.formatdate(1924992000, usegmt=True)


class Objects:
    def __init__(self, partitions, files):
        keys = []
        for at in range(partitions):
            hour, rest = at % 24, at // 24
            day, rest = rest % 28 + 1, rest // 28
            folder = f"{PREFIX}year={2000 + rest // 12}/month={rest % 12 + 1:02}/day={day:02}/hour={hour:02}/"
            keys.extend(f"{folder}part-{file:05}.csv" for file in range(files))
        self.keys = sorted(keys)
        rest = f"<LastModified>{TIME}</LastModified><ETag>&quot;{ETAG}&quot;</ETag><Size>{len(BODY)}</Size>"
        self.shown = [f"<Contents><Key>{key}</Key>{rest}<StorageClass>STANDARD</StorageClass></Contents>" for key in self.keys]
        self.listed = self.read = 0

    def page(self, prefix, delimiter, after, limit):
        """The entries of a page as XML, their number, and where the next begins."""
        at = bisect.bisect_right(self.keys, after) if after else bisect.bisect_left(self.keys, prefix)
        at = max(at, bisect.bisect_left(self.keys, prefix))
        end = bisect.bisect_left(self.keys, prefix + "\U0010ffff") if prefix else len(self.keys)
        if not delimiter:
            stop = min(at + limit, end)
            return "".join(self.shown[at:stop]), stop - at, self.keys[stop - 1] if stop < end else None
        entries, count = [], 0
        while at < end and count < limit:
            key = self.keys[at]
            slash = key.find(delimiter, len(prefix))
            if slash < 0:
                entries.append(self.shown[at])
                last, at = key, at + 1
            else:
                folder = key[: slash + 1]
                if not (after and after.startswith(folder)):
                    entries.append(f"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>")
                    count += 1
                last = folder + "\U0010ffff"
                at = bisect.bisect_left(self.keys, last)
                continue
            count += 1
        return "".join(entries), count, last if at < end else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects = None

    def answer(self, status, body, **headers):
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        if bucket == "stats":
            body = json.dumps({"listed": self.objects.listed, "read": self.objects.read}).encode()
            return self.answer(200, body, Content_Type="application/json")
        if bucket != "lake":
            return self.answer(404, b"<Error><Code>NoSuchBucket</Code></Error>", Content_Type="application/xml")
        if not key:
            return self.list(asked)
        self.objects.read += self.command == "GET"
        headers = {"ETag": f'"{ETAG}"', "Last_Modified": HTTP_TIME, "Content_Type": "text/csv", "Accept_Ranges": "bytes"}
        at = bisect.bisect_left(self.objects.keys, key)
        if at == len(self.objects.keys) or self.objects.keys[at] != key:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", Content_Type="application/xml")
        if wanted := self.headers.get("Range"):
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            start, end = int(start), min(int(end or len(BODY)), len(BODY) - 1)
            return self.answer(206, BODY[start : end + 1], Content_Range=f"bytes {start}-{end}/{len(BODY)}", **headers)
        self.answer(200, BODY, **headers)

    do_HEAD = do_GET

    def list(self, asked):
        self.objects.listed += 1
        after = asked.get("continuation-token") or asked.get("start-after") or ""
        limit = min(int(asked.get("max-keys", 1000)), 1000)
        entries, count, last = self.objects.page(asked.get("prefix", ""), asked.get("delimiter", ""), after, limit)
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>lake</Name><KeyCount>{count}</KeyCount>{more if last else '<IsTruncated>false</IsTruncated>'}{entries}</ListBucketResult>"
        )
        self.answer(200, body.encode(), Content_Type="application/xml")

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients are killed; that is what they are for."""


if __name__ == "__main__":
    Handler.objects = Objects(int(sys.argv[1]), int(sys.argv[2]))
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
