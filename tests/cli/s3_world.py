"""A real S3 server for tests, a client that signs by itself, and a proxy that spoils what passes through it."""
import base64
import datetime
import hashlib
import hmac
import http.client
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from custody_test import HERE, Ledger, Skip, custody

KEY, SECRET = "custody-tests", "not-a-secret-at-all"
WHO = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def gateway():
    """versitygw, from build/tools/bin, where tools/setup puts it."""
    for build in (os.environ.get("CUSTODY_BUILD", ""), HERE.parents[1] / "build/x"):
        found = pathlib.Path(build).parent / "tools/bin/versitygw"
        if found.is_file():
            return found
    raise Skip("there is no versitygw: its registry could not be reached when tools/setup ran")


class Server:
    """One versitygw over a folder; it can be killed and started again."""

    def __init__(self, folder, versions=True):
        self.program, self.folder, self.port, self.versions = gateway(), pathlib.Path(folder), free_port(), versions
        for name in ("data", "versions"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.process = None
        self.start()

    def start(self):
        args = [self.program, "--port", f"127.0.0.1:{self.port}", "--health", "/health", "posix"]
        args += ["--versioning-dir", self.folder / "versions"] if self.versions else []
        env = {**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen([*args, self.folder / "data"], stdout=log, stderr=log, env=env)  # pylint: disable=consider-using-with
        for _ in range(600):
            try:
                c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                c.request("GET", "/health")
                if c.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the S3 server does not start: " + (self.folder / "server.log").read_text())

    def kill(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, bucket="evidence", prefix="room", port=None, **more):
        values = "&".join(f"{k}={v}" for k, v in more.items())
        return f"s3://{bucket}/{prefix}?endpoint=http://127.0.0.1:{port or self.port}" + ("&" + values if values else "")

    def ask(self, method, path, query=None, body=b"", headers=None, want=200, secret=SECRET):
        """A request that this file signs by itself: AWS Signature Version 4."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        host = f"127.0.0.1:{self.port}"
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        sent = {"host": host, "content-md5": md5, "x-amz-content-sha256": digest, "x-amz-date": now, **(headers or {})}
        line = "&".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in sorted((query or {}).items()))
        path = urllib.parse.quote(path, safe="/")
        names = ";".join(sorted(sent))
        canonical = "\n".join([method, path, line, *(f"{k}:{sent[k]}" for k in sorted(sent)), "", names, digest])
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in (now[:8], "us-east-1", "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, path + ("?" + line if line else ""), body=body, headers=sent)
        answer = c.getresponse()
        bytes_ = answer.read()
        assert want is None or answer.status == want, f"{method} {path}?{line}: {answer.status} {bytes_!r}"
        return answer, bytes_

    def make_bucket(self, name="evidence", lock=True, versions=True):
        self.ask("PUT", f"/{name}", headers={"x-amz-bucket-object-lock-enabled": "true"} if lock else None)
        if versions and not lock:
            self.ask("PUT", f"/{name}", {"versioning": ""}, b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")

    def versions_of(self, prefix="", bucket="evidence"):
        """(key, version, newest, is it a delete marker) of each version."""
        _, text = self.ask("GET", f"/{bucket}", {"prefix": prefix, "versions": ""})
        found = []
        for kind, body in re.findall(r"<(Version|DeleteMarker)>(.*?)</\1>", text.decode(), re.S):
            row = dict(re.findall(r"<(\w+)>([^<]*)</\1>", body))
            found.append((row["Key"], row["VersionId"], row["IsLatest"] == "true", kind == "DeleteMarker"))
        return found

    def keys(self, prefix=""):
        return sorted({key for key, *_ in self.versions_of(prefix)})


class Spoiler:
    """A proxy before the server: `spoil(handler, answer)` may do something else with an answer, and says whether it did."""

    def __init__(self, server, spoil):
        self.seen, self.spoil = [], spoil
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.seen.append((self.command, self.path))
                if outer.spoil(self, None, b""):
                    return
                c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                c.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() != "expect":
                        c.putheader(name, value)
                c.endheaders(body)
                answer = c.getresponse()
                text = answer.read()
                if not outer.spoil(self, answer, text):
                    self.answer(answer.status, text, answer.getheaders(), answer.getheader("content-length"))

            def answer(self, status, text, headers=(), length=None):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", length or str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


class Room(Ledger):
    """A ledger whose every verb knows the credentials."""

    def run(self, *args, env=None, **how):
        return super().run(*args, env={**WHO, **(env or {})}, **how)


def room(folder, server, name="L", address=None, **more):
    custody("init", folder / name, "--cloud", address or server.address(**more), env=WHO)
    return Room(folder / name)


def objects(server):
    return [k for k in server.keys() if "/large/" in k or "/packs/" in k]
