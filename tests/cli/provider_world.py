"""A ledger's node and its provider as processes of their own, asked by curl's library of Python and by sockets."""
import contextlib
import http.client
import json
import os
import signal
import subprocess
import time

from custody_test import CUSTODY, ENVIRONMENT, Ledger, custody, fill, noise
from node_test import Node

CHUNK = 1 << 20
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


class Provider(Node):
    """`custody provider` over a folder that was made for this ledger, listening while the block lasts; it can be killed and started again."""

    def __init__(self, folder, node, *options, env=None, client=(), port=0):  # pylint: disable=super-init-not-called
        self.folder, self.node, self.options, self.env, self.client = folder, node, options, env or {}, list(client)
        self.log, self.ledger, self.port = folder.parent / (folder.name + ".log"), node.ledger, port
        self.start()

    @staticmethod
    def make(folder, ledger, *options, env=None, name="Cloud"):
        """Its folder, and the ledger knows it."""
        custody("provider", "init", folder, "--name", name, "--pin-trust", ledger.trust, *options, env=env)
        ledger.run("member", "approve", folder / "enrol.request")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([CUSTODY, "provider", "--dir", self.folder, "--ledger", self.node.url, "--listen", f"127.0.0.1:{self.port}", *self.options],
                                            stdout=subprocess.PIPE, stderr=log, env={**ENVIRONMENT, **self.env})
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening"), f"it does not listen: {line!r} {self.log.read_text()}"
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def ask(self, method, path, body=None, headers=None, code=None):
        """(status, headers in lower case, body); None as status: it was cut off without an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
        except OSError:
            pass  # it may have answered before it read everything
        try:
            answer = connection.getresponse()
            got = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        except (OSError, http.client.HTTPException):
            got = None, {}, b""
        connection.close()
        assert code is None or got[0] == code, f"{method} {path}: {got}"
        return got

    def claim(self, file, code=201):
        """Bring a claim; its id."""
        _, headers, body = self.ask("POST", "/v1/claims", file.read_bytes(), {"Content-Type": "application/cbor"}, code)
        state = json.loads(body)
        assert code >= 300 or headers["location"] == "/v1/claims/" + state["id"]
        return state["id"] if code < 300 else state

    def offset(self, claim):
        return int(self.ask("HEAD", "/v1/uploads/" + claim, headers=TUS, code=200)[1]["upload-offset"])

    def patch(self, claim, data, offset, code=204, **more):
        headers = {**TUS, "Upload-Offset": str(offset), **{k.replace("_", "-"): v for k, v in more.items()}}
        return self.ask("PATCH", "/v1/uploads/" + claim, data, headers, code)

    def state(self, claim, wait=0):
        return json.loads(self.ask("GET", f"/v1/claims/{claim}?wait={wait}", code=200)[2])

    def recorded(self, claim, state="recorded"):
        """Wait until it is; what is said of it then."""
        for _ in range(300):
            said = self.state(claim)
            if said["state"] == state and (state != "refused" or said.get("reason")):
                return said
            time.sleep(0.1)
        raise AssertionError(f"{said} {self.log.read_text()[-3000:]}")


@contextlib.contextmanager
def world(folder, *options, case="C1", **how):
    """(ledger, node, provider)"""
    ledger = Ledger.new(folder / "L", case)
    Provider.make(folder / "P", ledger)
    with Node(ledger) as node, Provider(folder / "P", node, *options, **how) as provider:
        yield ledger, node, provider


def claimed(ledger, path, case="C1"):
    """Signed at the scene: the claim file."""
    to = path.with_name(path.name + ".claim")
    ledger.run("claim", path, "--case", case, "-o", to)
    return to


def cut_short(provider, claim, data, offset, announced):
    """Part of what was announced, and then nothing: the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=60)
    connection.putrequest("PATCH", "/v1/uploads/" + claim)
    for name, value in {**TUS, "Upload-Offset": str(offset), "Content-Length": str(announced)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(data)
    return connection


def memory_of(process):
    """The most that it had resident, KiB."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def chunk_roots(path):
    """As a sender computes them, by another SHA-256."""
    from hashlib import sha256  # pylint: disable=import-outside-toplevel

    roots = []
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            level = [sha256(b"\0" + chunk[at:at + 4096]).digest() for at in range(0, len(chunk), 4096)]
            roots.append(_root(level))
    return b"".join(roots)


def _root(level):
    from hashlib import sha256  # pylint: disable=import-outside-toplevel

    if len(level) == 1:
        return level[0]
    k = 1 << (len(level) - 1).bit_length() - 1
    return sha256(b"\1" + _root(level[:k]) + _root(level[k:])).digest()


def folder_stream(folder, ledger):
    """A folder, its claim, and its stream: the manifest, as another ledger has it, and each distinct file where it first appears."""
    files = {"a": noise(70_000, 1), "b": noise(70_000, 1), "c/empty": b"", "c/film": noise(2 * CHUNK + 9, 3), "d": noise(CHUNK, 4), "e": noise(5, 5)}
    for name, data in files.items():
        fill(folder / "bag" / name, data)
    other = Ledger.new(folder / "other", "C1")
    other.deposit("--case", "C1", folder / "bag")
    with Node(other) as node:
        manifest = node.get("/v1/content/C1/1")
    objects = [manifest, *dict.fromkeys(files.values())]
    for number, data in enumerate(objects):
        fill(folder / f"objects/{number}", data)
    return claimed(ledger, folder / "bag"), objects, b"".join(chunk_roots(folder / f"objects/{n}") for n in range(len(objects)))


__all__ = [name for name in dir() if not name.startswith("_")] + ["os"]
