"""Nodes on loopback: each a ledger (chain_node) and the CometBFT beside it. What the cluster tests share."""
import base64
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(SOURCE / "tests/cli"))
from custody_test import CUSTODY  # noqa: E402
import shared  # noqa: E402
from tap import Tap  # noqa: E402

BUILD = pathlib.Path(os.environ.get("CUSTODY_BUILD", SOURCE / "build/release"))
TOOL = BUILD / "bin/chain_node"
COMET = SOURCE / "build/tools/bin/cometbft"
ANSWER_S = 60
SETTINGS = {  # quick on one machine; limits equal on all nodes
    'timeout_commit = "1s"': 'timeout_commit = "0s"', 'timeout_propose = "3s"': 'timeout_propose = "1s"',
    "create_empty_blocks = true": "create_empty_blocks = false", 'peer_gossip_sleep_duration = "100ms"': 'peer_gossip_sleep_duration = "5ms"',
    'flush_throttle_timeout = "100ms"': 'flush_throttle_timeout = "2ms"', 'flush_throttle_timeout = "10ms"': 'flush_throttle_timeout = "2ms"',
    'log_level = "info"': 'log_level = "error"', "addr_book_strict = true": "addr_book_strict = false",
    "allow_duplicate_ip = false": "allow_duplicate_ip = true", 'pprof_laddr = "localhost:6060"': 'pprof_laddr = ""',
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=ANSWER_S)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout


class Node:
    def __init__(self, home, ports):
        self.home, self.ports = home, ports
        self.app = self.comet = None
        self.tap = Tap(home / "tap.sock", home / "app.sock")

    def start_app(self):
        self.log = open(self.home / "log", "ab")
        self.app = subprocess.Popen([TOOL, "serve", self.home / "ledger", self.home / "app.sock"], stderr=self.log)
        until(lambda: (self.home / "app.sock").exists() or self.app.poll() is not None, "the application listens")

    def start_comet(self, **env):
        self.comet = subprocess.Popen([COMET, "start", "--home", self.home, f"--proxy_app=unix://{self.tap.path}"], stdout=self.log,
                                      stderr=self.log, env={**os.environ, **env})

    def start(self):
        self.start_app()
        self.start_comet()

    def stop(self, how=signal.SIGTERM):
        """Ends both, by their process ids; the engine first, which else minds that its application is gone."""
        for process in (self.comet, self.app):
            if process and process.poll() is None:
                process.send_signal(how)
                gone(process)
        self.tap.judge()

    def call(self, method, **params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[1]}/", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            got = json.load(answer)
        if "error" in got:
            raise RuntimeError(got["error"])
        return got["result"]

    def height(self):
        """Of the engine; -1 while it does not answer."""
        try:
            return int(self.call("status")["sync_info"]["latest_block_height"])
        except (OSError, RuntimeError):
            return -1

    def checkpoint(self):
        """What the application has committed: size and root, with the height."""
        got = self.call("abci_query", path="/store/log/key", data=b"checkpoint".hex(), prove=True)["response"]
        return int(got["height"]), base64.b64decode(got["value"]).decode() if got.get("value") else ""

    def app_hash(self):
        return self.call("abci_info")["response"].get("last_block_app_hash")

    def size(self):
        return int(self.checkpoint()[1].split("\n")[1] or 0)

    def send(self, tx):
        return self.call("broadcast_tx_sync", tx=base64.b64encode(tx).decode())

    def said(self):
        return (self.home / "log").read_text(errors="replace")[-3000:]


def gone(process, seconds=10):
    """The engine ends by itself without its application, but now and then it hangs while it does: then it is ended."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(there, what, seconds=ANSWER_S):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if there():
                return
        except (OSError, RuntimeError, IndexError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Network:
    """`n` validators, not started yet."""

    def __init__(self, folder, n):
        self.folder = pathlib.Path(folder)
        room = self.folder / "room"
        run(CUSTODY, "init", room, "--name", "Officer Li", "--org", "District Police")
        founding = run(TOOL, "found", room).strip()
        run(COMET, "testnet", "--v", n, "--o", self.folder / "net", "--starting-ip-address", "127.0.0.1")
        ports = [(free_port(), free_port()) for _ in range(n)]
        homes = [self.folder / "net" / f"node{i}" for i in range(n)]
        ids = [run(COMET, "show-node-id", "--home", home).strip() for home in homes]
        peers = ",".join(f"{ids[i]}@127.0.0.1:{ports[i][0]}" for i in range(n))
        for i, home in enumerate(homes):
            self.configure(home, ports[i], peers if n > 1 else "", founding)
            for part in ("keys", "trust"):
                shutil.copytree(room / part, home / "ledger" / part)
            for part in ("node/journal", "node/log", "node/objects", "node/state", "cloud/log", "cloud/objects"):
                (home / "ledger" / part).mkdir(parents=True)
        self.nodes = [Node(homes[i], ports[i]) for i in range(n)]

    def configure(self, home, ports, peers, founding):
        path = home / "config/config.toml"
        text = path.read_text()
        for old, new in SETTINGS.items():
            text = text.replace(old, new)
        lines = []
        section = ""
        for line in text.split("\n"):
            if line.startswith("["):
                section = line
            if line.startswith("laddr = "):
                line = f'laddr = "tcp://127.0.0.1:{ports[1] if section == "[rpc]" else ports[0]}"'
            if line.startswith("persistent_peers = "):
                line = f'persistent_peers = "{peers}"'
            lines.append(line)
        path.write_text("\n".join(lines))
        path = home / "config/genesis.json"
        genesis = json.loads(path.read_text())
        genesis["app_state"] = founding
        genesis["genesis_time"] = "2026-01-01T00:00:00Z"
        genesis["consensus_params"]["block"]["max_bytes"] = "4194304"
        path.write_text(json.dumps(genesis))

    def start(self):
        for node in self.nodes:
            node.start()

    def stop(self, how=signal.SIGTERM):
        for node in self.nodes:
            node.stop(how)

    def wait_size(self, size, seconds=ANSWER_S):
        for node in self.nodes:
            until(lambda: node.size() >= size, f"{node.home.name} has {size} entries: {node.said()}", seconds)

    def rest(self, seconds=0.6):
        """Until all stand at one height, and stay: longer than a turn whose proposer is late, where that matters."""
        def still():
            before = [node.checkpoint() for node in self.nodes]
            time.sleep(seconds)
            return len(set(before)) == 1 and before == [node.checkpoint() for node in self.nodes]
        until(still, "the chain comes to rest")

    def transactions(self, first, count, each=16):
        node = self.nodes[0]
        until(lambda: (node.home / "ledger/node/log/tile/entries/000.p/3").exists(), f"the founding entries are published: {node.said()}")
        return [os.urandom(8) + bytes.fromhex(line) for line in run(TOOL, "sign", node.home / "ledger", first, count, each).split()]


def log_digest(node):
    return shared.log_digest(node.home / "ledger")
