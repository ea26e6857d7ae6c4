"""Programs that are not ours: CometBFT's abci-cli speaks to the application, and its light client verifies the checkpoint of a chain, or refuses it."""
import base64
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

import cluster
from cluster import COMET, TOOL, Network, free_port, run, until
from tap import fields, message

ABCI_CLI = COMET.parent / "abci-cli"


def ok(text):
    print(f"ok - {text}", flush=True)


def abci_cli(folder):
    if not ABCI_CLI.exists():
        print("ok - abci-cli # SKIP abci-cli is not installed: run tools/setup check")
        return
    net = Network(folder, 1)
    node = net.nodes[0]

    def asks(name, body):
        """It tells neither height nor time of a block."""
        return message(*(f for f in fields(body) if f[0] not in (5, 6)), (5, 1), (6, message((1, 1_800_000_000)))) if name == "finalize_block" else body

    def cli(*words):
        done = subprocess.run([ABCI_CLI, *words, "--address", f"unix://{node.tap.path}", "--log_level", "error"], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout} {done.stderr}"
        return done.stdout
    node.tap.asks = asks
    node.start_app()
    try:
        assert "hello" in cli("echo", "hello")
        assert "custody" in cli("info")
        refused = cli("check_tx", "0xdeadbeef")
        assert re.search(r"code: [1-9]", refused), refused
        assert "0x" not in cli("prepare_proposal", "0xdeadbeef"), "what is no transaction is proposed"
        assert "REJECT" in cli("process_proposal", "0xdeadbeef") and "ACCEPT" in cli("process_proposal")
        decided = cli("finalize_block", "0xdeadbeef")
        assert re.search(r"code: [1-9]", decided) and "data.hex: 0x" in decided, decided
        cli("commit")
        assert "height: 1" in cli("query", "--path", "/store/log/key", '"checkpoint"') and "NOT_FOUND" not in cli("query", "--path", "/x", '"y"')
        ok("abci-cli: echo, info, query, check_tx, prepare_proposal, process_proposal, finalize_block, commit")
    finally:
        node.tap.runs.clear()  # it follows no grammar
        node.stop()


class Between:
    """A wire to a full node, on which an answer with a proof may be altered: as many bytes as before."""

    def __init__(self, port):
        self.to, self.alters, self.altered = port, None, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to))
            for source, target, alter in ((here, there, False), (there, here, True)):
                threading.Thread(target=self.pump, args=(source, target, alter), daemon=True).start()

    def pump(self, source, target, alter):
        try:
            while piece := source.recv(1 << 20):
                if alter and self.alters and b"proofOps" in piece:
                    name, change = self.alters
                    found = list(re.finditer(rb'"%s": ?"([^"]+)"' % name, piece))[-1]
                    other = change(found[1])
                    assert len(other) == len(found[1]) and other != found[1]
                    piece = piece[:found.start(1)] + other + piece[found.end(1):]
                    self.altered += 1
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            end.close()


def flipped(text):
    value = bytearray(base64.b64decode(text))
    value[-6] ^= 1
    return base64.b64encode(bytes(value))


def older(text):
    return str(max(int(text) - 4, 1)).zfill(len(text)).encode()


def light(folder):
    net = Network(folder, 4)
    between = proxy = None
    try:
        net.start()
        net.wait_size(3)
        for tx in net.transactions(1, 64):
            net.nodes[0].send(tx)
        net.wait_size(5 + 64)
        net.rest()
        node = net.nodes[0]
        between = Between(node.ports[1])
        chain = json.loads((node.home / "config/genesis.json").read_text())["chain_id"]
        trusted = node.call("commit", height="2")["signed_header"]["commit"]["block_id"]["hash"]
        port = free_port()
        with open(pathlib.Path(folder) / "light.log", "ab") as log:
            proxy = subprocess.Popen([COMET, "light", chain, "--primary", f"http://127.0.0.1:{between.port}", "--witnesses",
                                      f"http://127.0.0.1:{net.nodes[1].ports[1]}", "--height", "2", "--hash", trusted, "--laddr", f"tcp://127.0.0.1:{port}",
                                      "--home-dir", pathlib.Path(folder) / "light"], stdout=log, stderr=log)

        def ask(key=b"checkpoint"):
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "abci_query", "params": {"path": "/store/log/key", "data": key.hex(), "prove": True}}).encode()
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", body, {"Content-Type": "application/json"}), timeout=20) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                return json.load(error)

        def said():
            return (pathlib.Path(folder) / "light.log").read_text(errors="replace")[-2000:]
        until(lambda: ask() is not None, f"the light client answers: {said()}")
        got = ask()
        assert "result" in got, (got, said())
        response = got["result"]["response"]
        assert base64.b64decode(response["value"]).decode() == node.checkpoint()[1] == net.nodes[2].checkpoint()[1], response
        ok(f"cometbft light verifies the checkpoint of {base64.b64decode(response['value']).decode().split()[1]} entries against header {int(response['height']) + 1}")
        for alters in ((b"value", flipped), (b"data", flipped), (b"height", older)):
            between.alters, before = alters, between.altered
            got = ask()
            assert "verify value proof" in got["error"]["data"] and between.altered > before, (alters, got)
        between.alters = None
        assert "result" in ask()
        assert "error" in ask(b"another"), "a key that is not there"
        ok("and refuses it when a bit of value or proof is another, or the height")
    finally:
        if proxy:
            proxy.terminate()
            proxy.wait(20)
        if between:
            between.listener.close()
        net.stop(signal.SIGKILL)


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - other people's programs # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    tests = {"abci-cli": abci_cli, "light": light}
    for name in sys.argv[1:] or tests:
        with tempfile.TemporaryDirectory() as scratch:
            tests[name](scratch)
