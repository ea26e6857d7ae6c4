#!/usr/bin/env python3
"""Row `network`: four organisations on this machine and, in the same run, with the same settings and as many bytes a transaction, four validators of
CometBFT's own kvstore. One record from its submission to its complete receipt; what a killed node and an empty one need to be back."""
import base64
import http.client
import json
import os
import re
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time

from measure import BUILD, SOURCE, fresh, machine

os.environ.setdefault("CUSTODY_BIN", str(BUILD / "bin"))
os.environ.setdefault("CUSTODY_BUILD", str(BUILD / "release"))
sys.path.insert(0, str(SOURCE / "tests/cluster"))
from network import COMET, Network, call, free_ports, parts, until  # noqa: E402  pylint: disable=wrong-import-position

RECORDS = int(os.environ.get("BENCH_RECORDS", "100000"))  # that the ledger has when a node is killed
SLOW = RECORDS // 5                                       # of them without lanes
EACH, CONTENT = 16, 372                                   # records a request; bytes of content, which make a record 1 KiB
SENDERS, POOL = 60, 64                                    # requests at a time a node; kvstore's transactions
SINGLE, SILENCE_S = 100, 0.5
KV_S = 15
KILLS = 5
SIGN = BUILD / "release/bin/sign_deposits"


def row(name: str, value: str, more: str = "") -> None:
    print(f"  {name:<62}{value:>26}  {more}", flush=True)


def quantiles(took: list) -> str:
    took = sorted(took)
    at = [1e3 * took[min(len(took) - 1, len(took) * q // 100)] for q in (50, 99)]
    return f"p50 {at[0]:5.0f}  p99 {at[1]:5.0f} ms"


# ---- the peer ----
class Engine(http.client.HTTPConnection):
    """CometBFT's RPC, behind a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(f"/proc/self/fd/{self.path}/rpc.sock")

    def call(self, method: str, **params):
        self.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), {"Content-Type": "application/json"})
        return json.loads(self.getresponse().read()).get("result")


class Kvstore:
    """Four validators, configured as the organisations' are."""

    def __init__(self, folder, net):
        self.homes, self.processes = [], []
        for i, org in enumerate(net.orgs):
            home = folder / f"kvstore-{i}"
            subprocess.run([COMET, "init", "--home", home], check=True, capture_output=True)
            for part in ("config.toml", "node_key.json"):
                shutil.copy(org.root / "chain/config" / part, home / "config" / part)
            settings = home / "config/config.toml"
            settings.write_text(re.sub(r"(?m)^(filter_peers|priv_validator_).*\n", "", settings.read_text()))
            self.homes.append(home)
        genesis = json.loads((net.orgs[0].root / "chain/config/genesis.json").read_text())
        genesis["app_state"] = {}
        genesis["validators"] = [{"pub_key": json.loads((home / "config/priv_validator_key.json").read_text())["pub_key"], "power": "1"} for home in self.homes]
        for home in self.homes:
            (home / "config/genesis.json").write_text(json.dumps(genesis))

    def engine(self, i: int) -> Engine:
        return Engine(os.open(self.homes[i], os.O_PATH))

    def __enter__(self):
        for home in self.homes:
            with open(home / "log", "wb") as log:
                self.processes.append(subprocess.Popen([COMET, "start", "--home", home, "--proxy_app=kvstore"], cwd=home, stdout=log, stderr=log, env={"GOGC": "400", **os.environ}))
        try:
            until(self.begun, "kvstore begins")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def begun(self):
        try:
            return all(int(self.engine(i).call("status")["sync_info"]["latest_block_height"]) > 0 for i in range(4))
        except OSError:
            return False

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)


def value(size: int) -> str:
    key = secrets.token_hex(8) + "="
    return base64.b64encode((key + secrets.token_hex(size // 2)[:size - len(key)]).encode()).decode()


def feed(kv: Kvstore, i: int, size: int, until_s: float, sent: list) -> None:
    engine = kv.engine(i)
    while time.monotonic() < until_s:
        if int(engine.call("num_unconfirmed_txs")["n_txs"]) >= POOL:
            time.sleep(0.003)
            continue
        for _ in range(4):
            sent[i] += engine.call("broadcast_tx_async", tx=value(size)) is not None


def kvstore(folder, net, size: int) -> float:
    """Bytes a second."""
    with Kvstore(folder, net) as kv:
        one, took = kv.engine(0), []
        for _ in range(SINGLE // 2):
            time.sleep(SILENCE_S / 2)
            began = time.monotonic()
            assert one.call("broadcast_tx_commit", tx=value(size // EACH))["tx_result"]["code"] == 0
            took.append(time.monotonic() - began)
        row("kvstore, idle: one transaction of 1 KiB, committed", quantiles(took))
        sent, began = [0] * 4, time.monotonic()
        threads = [threading.Thread(target=feed, args=(kv, i, size, began + KV_S, sent)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        until(lambda: all(int(kv.engine(i).call("num_unconfirmed_txs")["n_txs"]) == 0 for i in range(4)), "kvstore has taken all")
        seconds = time.monotonic() - began
    rate = sum(sent) * size / seconds
    row(f"kvstore, {size} bytes a transaction", f"{rate / 1e6:.2f} MB/s", f"{sum(sent) / seconds:.0f} transactions/s")
    return rate


# ---- ours ----
def sign(net, first: int, n: int) -> list:
    """Of each organisation's depositor n records."""
    for org in net.orgs:
        until(lambda: (org.root / "node/log/checkpoint").read_text().split("\n")[1] == org.checkpoint()[0], "it is published")
    jobs = [subprocess.Popen([SIGN, org.root, "BENCH", str(first), str(n), str(CONTENT)], stdout=subprocess.PIPE) for org in net.orgs]
    return [parts(job.communicate()[0]) for job in jobs]


class Wire:
    """One connection to a node: what the client costs is not the node's."""

    def __init__(self, org, requests):
        self.port, self.requests, self.body, self.said = org.port, requests, b"", b""
        self.socket = socket.create_connection(("127.0.0.1", org.port), 60)

    def ask(self) -> bool:
        """Is there something left to ask?"""
        if not self.body and self.requests:
            self.body, self.records = self.requests.pop()
        self.said = b""
        if self.body:
            head = f"POST /v1/submit HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/cbor-seq\r\nContent-Length: {len(self.body)}\r\n\r\n"
            self.socket.sendall(head.encode() + self.body)
        return bool(self.body)

    def hear(self) -> bool:
        """Is it answered?"""
        piece = self.socket.recv(65536)
        assert piece, "the node closed the connection"
        self.said += piece
        head, _, said = self.said.partition(b"\r\n\r\n")
        if not head or len(said) < int(re.search(rb"(?i)content-length: (\d+)", head)[1]):
            return False
        if head[9:12] == b"503":  # not decided in time: asked again, it is recorded once
            return True
        assert said.count(b'"status":"OK"') + said.count(b'"status":"DUPLICATE"') == self.records, said[:600]
        self.body = b""
        return True


def load(net, records: list) -> tuple[float, float]:
    """Records and bytes a second, all answered."""
    began, open_ = time.monotonic(), selectors.DefaultSelector()
    for org, own in zip(net.orgs, records):
        requests = [(b"".join(own[i:i + EACH]), len(own[i:i + EACH])) for i in range(0, len(own), EACH)][::-1]
        for wire in (Wire(org, requests) for _ in range(SENDERS)):
            if wire.ask():
                open_.register(wire.socket, selectors.EVENT_READ, wire)
    while open_.get_map():
        for key, _ in open_.select():
            if key.data.hear() and not key.data.ask():
                open_.unregister(key.fileobj)
    seconds = time.monotonic() - began
    return sum(map(len, records)) / seconds, sum(len(r) for own in records for r in own) / seconds


def cpu(process: int) -> float:
    fields = open(f"/proc/{process}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def loaded(net, name: str, first: int, n: int, peer: float, goals: tuple) -> None:
    records = sign(net, first, n // 4)
    before = [sum(map(cpu, who)) for who in ([o.process.pid for o in net.orgs], [o.engine() for o in net.orgs])]
    rate, size = load(net, records)
    used = [sum(map(cpu, who)) - b for who, b in zip(([o.process.pid for o in net.orgs], [o.engine() for o in net.orgs]), before)]
    row(f"four organisations, {name}: recorded and dated", f"{rate:.0f} records/s", f"{size / 1e6:.2f} MB/s: {100 * size / peer:.0f} % of kvstore's (goal {goals[0]} %; {goals[1]} records/s)")
    row("    processor time a record, all four: node, its CometBFT", f"{used[0] / n * 1e6:.0f} µs, {used[1] / n * 1e6:.0f} µs")


def single(net, first: int) -> None:
    node = http.client.HTTPConnection("127.0.0.1", net.orgs[0].port, timeout=60)
    recorded, complete = [], []
    records = sign(net, first, SINGLE)
    load(net, [[], *records[1:]])  # theirs, so that all have the same numbers open
    net.rest()
    for record in records[0]:
        time.sleep(SILENCE_S)
        began = time.monotonic()
        node.request("POST", "/v1/submit", record, {"Content-Type": "application/cbor"})
        said = json.loads(node.getresponse().read())
        recorded.append(time.monotonic() - began)
        node.request("GET", f"/v1/receipt/{said['id']}?wait=20")
        answer = node.getresponse()
        assert answer.read() and answer.status == 200
        complete.append(time.monotonic() - began)
    row("four organisations, idle: one record, recorded and dated", quantiles(recorded))
    row("    its receipt, complete: with a quorum of cosignatures", quantiles(complete), "(goal 150, 400 ms)")


# ---- back again ----
def trickle(org, records: list, ending) -> None:
    node = http.client.HTTPConnection("127.0.0.1", org.port, timeout=60)
    while not ending.is_set():
        node.request("POST", "/v1/submit", records.pop(), {"Content-Type": "application/cbor"})
        node.getresponse().read()
        time.sleep(0.1)


def killed(net, first: int, options: list) -> None:
    """A few times: CometBFT dials its peers after a random moment of up to three seconds."""
    gone, took, size = net.orgs[3], [], net.orgs[0].checkpoint()[0]
    votes = gone.root / "node/cosigner/votes"
    for n in range(KILLS):
        ending = threading.Event()
        others = threading.Thread(target=trickle, args=(net.orgs[0], sign(net, first + 900 * n, 900)[0], ending))
        gone.kill()
        others.start()
        time.sleep(3)
        before, began = votes.read_bytes(), time.monotonic()
        gone.start(*options)
        listening = time.monotonic() - began
        while votes.read_bytes() == before and time.monotonic() - began < 60:
            time.sleep(0.005)
        took.append(time.monotonic() - began)
        ending.set()
        others.join()
        net.rest()
    row(f"killed, at {size} entries, {KILLS} times: started again, until it votes", f"median {sorted(took)[KILLS // 2]:.2f} s, at most {max(took):.2f}", f"until it listens {listening:.2f} s (goal 3 s)")


def emptied(net, options: list) -> None:
    gone = net.orgs[3]
    size = net.rest()
    gone.stop()
    cosigner = net.folder / "cosigner"
    shutil.copytree(gone.root / "node/cosigner", cosigner)  # its word stays known, nothing else
    for part in ("node", "chain/data", "cloud"):
        shutil.rmtree(gone.root / part)
        (gone.root / part).mkdir()
    shutil.copytree(cosigner, gone.root / "node/cosigner")
    began = time.monotonic()
    gone.start(*options, wait=False)
    gone.listening()
    until(lambda: int(gone.checkpoint()[0] or 0) >= size, "it has caught up", 300)
    took = time.monotonic() - began
    row(f"an empty node reads a chain of {size} entries", f"{size / took:.0f} records/s", f"{took:.1f} s (goal 5,000 records/s)")


def main() -> None:
    if not COMET.exists():
        sys.exit("bench: cometbft is not installed: tools/setup cluster")
    folder = fresh("network")
    options = ["--workers", str(SENDERS + 4), "--rate", "0"]
    print(f"\nfour organisations on one machine, beside four validators of CometBFT's kvstore; what else the machine did at the start: load {os.getloadavg()[0]:.1f}", flush=True)
    net = Network(folder)
    try:
        net.start(*options)
        net.cosigned()
        net.orgs[0].submit(net.orgs[0].sign("BENCH"), "application/cbor")
        net.rest()
        size = sum(map(len, sign(net, 1, EACH)[0])) + 8
        for org in net.orgs:
            org.stop()
        peer = kvstore(folder, net, size)
        net.start(*options)
        single(net, 1)
        at = SINGLE + 1
        for name, n, more, goals in (("OpenSSL", SLOW, ["--accelerator", "off"], (30, "1,200")), ("with the lanes", RECORDS - SLOW, [], (50, "3,000"))):
            for org in net.orgs:
                org.stop()
            net.start(*options, *more)
            net.rest()
            loaded(net, name, at, n, peer, goals)
            at += n // 4
        net.rest()
        killed(net, at, options)
        emptied(net, options)
    finally:
        net.__exit__(RuntimeError)
    print(f"  {machine()}; load at the end {os.getloadavg()[0]:.1f}")
    fresh("network")


if __name__ == "__main__":
    main()
