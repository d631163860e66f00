"""Two lean clients of the Glue API, which leave the processors to the server: one for exchanges whose answers are read,
and wrk for those that are only timed."""

import json
import os
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

# Nobody checks it on loopback, but moto tells by its scope which service a request is for.
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/glue/aws4_request, SignedHeaders=host, Signature=00"
# A request that takes longer fails.
TIMEOUT = 600


class Client:
    """One connection, made anew where the server closes it, as moto's does after every answer."""

    def __init__(self, port):
        self.port = port
        self.stream = None

    def call(self, operation, request):
        """The answer to a request, which is the bytes of its body or what they say."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        if self.stream is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.stream = self.socket.makefile("rb", 1 << 18)
        head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Amz-Target: AWSGlue.{operation}\r\n"
            f"Content-Type: application/x-amz-json-1.1\r\nAuthorization: {AUTHORIZATION}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + body)
        status, headers = self.stream.readline(), {}
        while line := self.stream.readline().strip():
            name, value = line.split(b":", 1)
            headers[name.lower()] = value.strip()
        if headers.get(b"transfer-encoding") == b"chunked":
            answer = self.read_chunks()
        else:
            answer = self.stream.read(int(headers[b"content-length"]))
        if headers.get(b"connection") == b"close":
            self.close()
        if b" 200 " not in status:
            raise RuntimeError(f"{operation}: {status!r} {answer[:500]!r}")
        return answer

    def read_chunks(self):
        chunks = []
        while size := int(self.stream.readline(), 16):
            chunks.append(self.stream.read(size))
            self.stream.readline()
        self.stream.readline()
        return b"".join(chunks)

    def close(self):
        if self.stream is not None:
            self.stream.close()
            self.socket.close()
            self.stream = None


def rest(url, body=None):
    """What the REST API answers to a GET, or to a POST of `body`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise RuntimeError(f"{url}: {refusal.read().decode()}") from None


def wrk(port, operation, bodies, connections, seconds):
    """What wrk saw of requests taken at random from `bodies`: how many, in what time, and their p50 and p99 in ms."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requests.lua")
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(json.dumps(body) + "\n" for body in bodies)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT}s", "-s", script]
        command += [f"http://127.0.0.1:{port}", "--", operation, file.name, AUTHORIZATION]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seen = json.loads(said.splitlines()[-1])
    if seen["errors"]:
        raise RuntimeError(f"{operation}: not every answer was a good one: {said}")
    return seen
