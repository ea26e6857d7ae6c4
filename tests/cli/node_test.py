"""What the tests of the node share: a running one, asked by curl and by sockets, and records to submit."""
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess

from custody_test import CUSTODY, ENVIRONMENT, Ledger, call, fill, noise

BUILD = pathlib.Path(os.environ.get("CUSTODY_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build/release"))
SIGN = BUILD / "sign_deposits" if (BUILD / "sign_deposits").exists() else BUILD / "bin/sign_deposits"


class Node:
    """The ledger's node, listening on a port of its own while the block lasts."""

    def __init__(self, ledger, *options, client=(), env=None):
        self.ledger, self.client = ledger, list(client)
        self.log = ledger.root.parent / "node.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([CUSTODY, "node", "--ledger", ledger.root, "--listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE,
                                            stderr=log, env={**ENVIRONMENT, **(env or {})})
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening"), f"it does not listen: {line!r} {self.log.read_text()}"
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(60)
        self.process.stdout.close()
        said = self.log.read_text(errors="replace")
        assert "Sanitizer" not in said and "runtime error" not in said, said[-4000:]
        if what[0] is None:
            assert code in (0, -signal.SIGKILL), f"it ended with {code}: {said[-2000:]}"

    def curl(self, path, *options, data=None):
        """(status, headers, body)"""
        done = subprocess.run(["curl", "-s", "--path-as-is", "-m", "100", "-D", "-", *self.client, *options, *(["--data-binary", "@-"] if data is not None else []), self.url + path],
                              input=data, capture_output=True, timeout=200, check=False)
        assert done.returncode == 0, f"curl {path}: {done.returncode} {done.stderr}"
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v for k, _, v in (l.partition(": ") for l in lines[1:])}, body

    def get(self, path, *options, code=200):
        status, _, body = self.curl(path, *options)
        assert status == code, f"{path}: {status} {body[:500]!r}"
        return body

    def json(self, path, *options, code=200):
        return json.loads(self.get(path, *options, code=code))

    def submit(self, records, kind="application/cbor-seq", code=200):
        status, _, body = self.curl("/v1/submit", "-H", "content-type: " + kind, data=records)
        assert status == code, f"submit: {status} {body[:500]!r}"
        return json.loads(body)

    def connect(self):
        """A socket of one's own, over TLS where the node speaks it: without a certificate."""
        s = socket.create_connection(("127.0.0.1", self.port))
        if not self.url.startswith("https"):
            return s
        context = ssl.create_default_context(cafile=self.ledger.root / "tls/ca.pem")
        return context.wrap_socket(s, server_hostname="127.0.0.1")

    def raw(self, data, wait=5):
        """What comes back to these bytes until the connection ends or `wait` seconds are over: (status or 0, all of it, closed?)"""
        with self.connect() as s:
            s.settimeout(wait)
            try:
                s.sendall(data)
            except OSError:
                pass
            got = b""
            try:
                while piece := s.recv(65536):
                    got += piece
                closed = True
            except TimeoutError:
                closed = False
            except (ConnectionError, ssl.SSLError):
                closed = True
        return int(got[9:12]) if got.startswith(b"HTTP/1.") else 0, got, closed


def sign(ledger, case, first, n):
    return call([SIGN, ledger.root, case, str(first), str(n)]).raw


def parts(records):
    """A CBOR sequence of records (arrays of byte strings and the like), item by item."""
    def end(at):
        kind, n = records[at] >> 5, records[at] & 31
        at += 1
        if n > 23:
            k = 1 << n - 24
            n, at = int.from_bytes(records[at:at + k], "big"), at + k
        if kind in (2, 3):
            return at + n
        for _ in range({4: n, 5: 2 * n, 6: 1}.get(kind, 0)):
            at = end(at)
        return at
    out, at = [], 0
    while at < len(records):
        to = end(at)
        out.append(records[at:to])
        at = to
    return out


def case_with_exhibits(folder):
    ledger = Ledger.new(folder / "L", "C1")
    fill(folder / "note.txt", b"I saw the red car at nine.\n")
    fill(folder / "film.bin", noise(5_000_001))
    fill(folder / "bag/a/one.txt", b"one\n")
    fill(folder / "bag/two.bin", noise(70_000, 2))
    ledger.deposit("--case", "C1", folder / "note.txt", folder / "film.bin", folder / "bag")
    return ledger
