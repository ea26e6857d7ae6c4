"""What the tests of copies share: a provider that can lie, and two ledgers with the same keys: one that made deposits, one whose node gets the records alone."""
import hashlib
import http.server
import threading
import time

from custody_test import Ledger
from node_test import Node

CHUNK, LEAF = 1 << 20, 4096


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def tree(hashes):
    """RFC 6962."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(hashes[:k]) + tree(hashes[k:])).digest()


def chunk_roots(data):
    return [tree([leaf(data[at:at + LEAF]) for at in range(c, min(c + CHUNK, len(data)), LEAF)]) for c in range(0, len(data), CHUNK)]


def root_of(data):
    """The chunks are whole subtrees but for the last one, which stands on the right: so the tree over them is the tree over all leaves."""
    return tree(chunk_roots(data))


class Provider:
    """Serves objects by root, as a provider does, and lies in the way that `lie` says."""

    def __init__(self, *contents, lie=None, pause=0):
        self.objects = {root_of(c).hex(): c for c in contents}
        self.lie, self.pause, self.sent, self.asked = lie, pause, 0, []
        self.over = threading.Event()

    def __enter__(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                provider.answer(self)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *what):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, to):
        if not to.path.startswith("/v1/objects/"):
            return self.send(to, 404, b"no")
        self.asked.append(to.path)
        root, _, more = to.path.partition("?")[0].removeprefix("/v1/objects/").partition("/")
        body, lie = self.objects.get(root), self.lie
        if lie == "hangs":
            self.over.wait(300)
            to.close_connection = True
            return
        if lie == "500" or lie == "404" or body is None:
            return self.send(to, 500 if lie == "500" else 404, b"no")
        if more == "chunks":
            body = b"".join(chunk_roots(body))
            if lie == "wrong tree":
                body = body[:-1] + bytes([body[-1] ^ 1])
            return self.send(to, 200, body)
        if lie == "wrong size":
            body += b"and more"
        first, last = to.headers["Range"].removeprefix("bytes=").split("-")
        part = body[int(first):int(last) + 1]
        if lie == "wrong bytes":
            part = part[:-1] + bytes([part[-1] ^ 1])
        self.send(to, 206, part, [("Content-Range", f"bytes {first}-{last}/{len(body)}")])

    def send(self, to, status, body, headers=()):
        to.send_response(status)
        for name, value in headers:
            to.send_header(name, value)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        if self.lie == "cut":
            body = body[:len(body) // 2]
            to.close_connection = True
        for at in range(0, len(body), 1 << 16):
            try:
                to.wfile.write(body[at:at + (1 << 16)])
            except OSError:
                return
            self.sent += min(1 << 16, len(body) - at)
            if self.pause and self.over.wait(self.pause):
                return


def accepted(folder, *paths):
    """(the ledger that deposited them, one of the same keys and log that did not, their records)"""
    made = Ledger.new(folder / "made", "C1")
    bare = made.copy(folder / "bare")
    made.deposit("--case", "C1", *paths)
    with Node(made) as node:
        return made, bare, [node.get(f"/v1/record/C1/{i + 1}") for i in range(len(paths))]


def wait_for(what, seconds=40):
    until = time.time() + seconds
    while not (got := what()):
        assert time.time() < until, "it did not come to that in time"
        time.sleep(0.1)
    return got


def copies(node):
    status = node.json("/v1/status")
    return {k.removeprefix("copies_").removeprefix("pulled_").removeprefix("pull_"): v for k, v in status.items() if k.startswith(("copies_", "pull"))}
