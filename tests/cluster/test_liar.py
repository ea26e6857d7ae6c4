"""One of four organisations lies: in what it proposes, votes, cosigns, serves and attests. The three others neither accept it nor stop; what can be proven is.

`test_liar.py NAME…` runs some of them. The liar is the product itself with something in between: a tap before its application, links that lead to another one.
"""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from links import Link, Relay
from network import COMET, CUSTODY, SIGN, Cloudy, Org, call, destroy, fill, free_ports, parts, same, until
from custody_test import noise, verify
from tap import fields, message, of

MAX_TX, MAX_RECORDS, ACCEPT = 262144, 128, 1
GOOD = ("a stranger's records", "everything twice, and what is recorded", "all in another order")  # well formed: what comes of them is FinalizeBlock's to judge, alike on all


def ok(text):
    print(f"ok - {text}", flush=True)


class World(Cloudy):
    """Four organisations, links between them, a provider; the last one lies."""

    def __init__(self, folder):
        super().__init__(pathlib.Path(folder))
        self.liar, self.honest = self.orgs[3], self.orgs[:3]
        self.relay = Relay(self)
        for i, org in enumerate(self.orgs):
            org.usual = ["--name", self.relay.names(i)]
        self.numbers = {}  # of each depositor, the next one
        self.recorded = 0

    def __exit__(self, *what):
        super().__exit__(*what)
        self.relay.close()

    def signed(self, org, n=1):
        first = self.numbers.get(org, 1)
        self.numbers[org] = first + n
        return parts(org.sign("C1", first, n))

    def record(self, n=1, by=None, twice=False):
        """By an honest one, through the honest ones: with receipts. `twice`: somebody may have had them recorded a moment before."""
        org = by or self.orgs[1]
        said = org.submit(b"".join(self.signed(org, n)))
        assert {outcome["status"] for outcome in said} <= ({"OK", "DUPLICATE"} if twice else {"OK"}), said
        self.recorded += n
        return said

    def compare(self, what):
        """The three stand alike, with what was acknowledged and nothing else; a receipt of it is whole."""
        said = self.record()
        self.rest(self.honest)
        seen = [{k: v for k, v in org.status().items() if k in ("entries", "root", "exhibits")} for org in self.honest]
        assert all(s == seen[0] for s in seen), f"{what}: {seen}"
        assert seen[0]["exhibits"] == self.recorded, (what, seen, self.recorded)
        hashes = {json.loads(call(["curl", "-s", "--unix-socket", org.root / "chain/rpc.sock", "http://x/abci_info"]).out)["result"]["response"]["last_block_app_hash"]
                  for org in self.honest}
        assert len(hashes) == 1, (what, hashes)
        receipt = fill(self.folder / "receipt", self.honest[0].get(f"/v1/receipt/{said[0]['id']}?wait=30"))
        assert verify("--trust", self.honest[1].trust, receipt).code == 0
        assert not any("CONSENSUS FAILURE" in org.log.read_text(errors="replace") for org in self.honest), what
        ok(f"{what}: the three stand alike, one app hash, {self.recorded} exhibits, and a receipt of a record after it is good")

    def part(self, cut):
        """The liar from the content of the others."""
        with self.relay.lock:
            for (i, j, p), link in self.relay.links.items():
                if i == 3 and p == self.orgs[j].port:
                    link.cut = cut
                    link.close_all()


# ---- what it proposes ----

def altered(record, at=-1):
    """The last byte of the outer signature, or another of its entry."""
    bad = bytearray(record)
    assert bad[1] == 0x59, bad[:4]
    bad[3 + int.from_bytes(bad[2:4], "big") if at == -1 else at] ^= 1
    return bytes(bad)


def by_a_stranger(w):
    """Well signed, of this network, by keys that nobody enrolled."""
    stranger = w.folder / "stranger"
    call([CUSTODY, "init", stranger, "--name", "Nobody", "--org", "Nowhere"])
    bundle, at, first = (w.honest[0].get(f"/tile/entries/000.p/{min(int(w.honest[0].checkpoint()[0]), 255)}")), 0, b""
    for _ in range(3):
        n = 2 + int.from_bytes(bundle[at:at + 2], "big")
        first, at = first + bundle[at:at + n], at + n
    fill(stranger / "node/log/tile/entries/000.p/3", first)
    lines = call([SIGN.parent / "chain_node", "sign", stranger, "2", "3", "3"]).out.split()
    return bytes.fromhex(lines[0])


def nonce():
    return os.urandom(8)


def what_it_proposes(w):
    elsewhere = w.folder / "elsewhere"
    call([CUSTODY, "init", elsewhere, "--name", "Officer Li", "--org", "District Police"])
    call([CUSTODY, "case", "open", "C1", "--ledger", elsewhere])
    foreign = parts(call([SIGN, elsewhere, "C1", "1", "2"]).raw)
    stranger = by_a_stranger(w)
    old = w.signed(w.honest[2], 3)
    assert {o["status"] for o in w.honest[2].submit(b"".join(old))} == {"OK"}
    w.recorded += 3
    never = iter(w.signed(w.liar, 200))  # its own depositor's, which nobody has seen yet
    one = next(never)
    many = [next(never) for _ in range(150)]
    lies = {
        "no records": lambda txs: [*txs, os.urandom(300)],
        "an empty transaction": lambda txs: [b"", *txs],
        "a record that is cut off": lambda txs: [*txs, nonce() + one[:-9]],
        "an unsigned record": lambda txs: [*txs, nonce() + altered(one)],
        "a forged record": lambda txs: [*txs, nonce() + altered(one, 200)],
        "a record without its attachments": lambda txs: [*txs, nonce() + one[:3 + int.from_bytes(one[2:4], "big") + 1] + b"\xf6\xf6\xf6"],
        "a transaction that is too large": lambda txs: [*txs, nonce() + (b"".join(many) * 3)[:MAX_TX]],
        "too many records in one": lambda txs: [*txs, nonce() + b"".join(many[:MAX_RECORDS + 1])],
        "another network's records": lambda txs: [*txs, nonce() + b"".join(foreign)],
        "a stranger's records": lambda txs: [*txs, nonce() + stranger],
        "everything twice, and what is recorded": lambda txs: [*txs, *txs, *(nonce() + tx[8:] for tx in txs), nonce() + b"".join(old)],
        "all in another order": lambda txs: [nonce() + b"".join(reversed(parts(tx[8:]))) for tx in reversed(txs)],
    }
    told, decided = {}, []
    for name, lie in lies.items():
        mine, before = set(), [org.tap.rejected() for org in w.honest]

        def answers(kind, body, question, lie=lie, mine=mine, name=name):
            if kind == "prepare_proposal":
                txs = lie([value for _, value in fields(body)])
                mine.add(tuple(txs))
                told[name] = told.get(name, 0) + 1
                return message(*((1, tx) for tx in txs))
            if question and tuple(v for n, v in fields(question) if n == 1) in mine:
                if kind == "process_proposal":
                    return message((1, ACCEPT))
                decided.append(name)
            return body

        def rejected():
            return [org.tap.rejected() - n for org, n in zip(w.honest, before)]
        w.liar.tap.answers = answers
        for _ in range(40):
            if (name in decided) if name in GOOD else all(rejected()):
                break
            w.record(2, twice=name in GOOD)
        w.liar.tap.answers = None
        assert (name in decided and not any(rejected())) if name in GOOD else (all(rejected()) and name not in decided), (name, told, rejected())
    w.compare(f"proposals of the liar ({', '.join(f'{n} × {what}' for what, n in told.items())})")
    assert w.honest[0].status()["incidents"] == 0


# ---- how it votes ----

def without_votes(name, body):
    """So that it does not learn from the chain that somebody else votes with its key."""
    return message(*((n, v) for n, v in fields(body) if n != 2)) if name == "finalize_block" else body


def how_it_votes(w):
    """Twice: a second machine with its keys, each with some of the others as its peers, cast two votes in one turn."""
    liar = w.liar
    w.rest()
    liar.stop()
    port = free_ports(2)
    twin = Org(w.folder / "twin", port, port + 1)
    call(["cp", "-a", liar.root, twin.root])
    network = (twin.root / "chain/network").read_bytes()
    ways = []
    for (i, j, p), link in list(w.relay.links.items()):  # the twin has links of its own
        if i == 3:
            way = Link(w.relay, p)
            ways.append(((4, j, p), way))
            network = network.replace(b"127.0.0.1:%d" % link.port, b"127.0.0.1:%d" % way.port)
    (twin.root / "chain/network").write_bytes(network)
    with w.relay.lock:
        for key, way in ways:
            w.relay.links[key] = way
            w.relay.selector.register(way.listener, 1, way)
    liar.start(*w.options, "--patrol", "0")
    liar.tap.asks = without_votes
    w.rest()
    with w.relay.lock:
        for (i, j, p), link in w.relay.links.items():
            if p in [org.p2p for org in w.orgs] and 3 in (i, j) and {i, j} - {3} <= {1, 2}:
                link.cut = i == 3
                if j == 3:
                    link.to = twin.p2p
                link.close_all()
            if p == w.orgs[0].p2p and i == 4:
                link.cut = True
    twin.start("--listen", f"127.0.0.1:{port}", "--p2p", f"127.0.0.1:{port + 1}", wait=False)
    twin.tap.asks = without_votes
    try:
        end = time.monotonic() + 240
        while not all(org.status()["misbehaviour"] for org in w.honest):
            assert time.monotonic() < end, [org.said()[-600:] for org in (liar, twin)]
            w.record()
            time.sleep(0.5)  # the twin has to catch up with the chain before it votes
    finally:
        twin.kill()
        twin.tap.judge()
    liar.stop(None)
    with w.relay.lock:
        for (i, j, p), link in w.relay.links.items():
            link.cut, link.to = i == 4, p
            link.close_all()
    w.compare("two votes in one turn")
    name = liar_name(w)
    steps = w.desk.run("trail", "--json").rows
    said = [step["note"] for step in steps if step["kind"] == "incident" and "two votes in one turn" in step["note"]]
    assert said and len(said) == len(set(said)), said
    assert all(note.startswith(name + " cast two votes in one turn of the chain's height ") for note in said), said
    assert re.search(r"duplicate vote: " + re.escape(name) + r", height \d+", w.desk.run("trail").out)
    for org in w.honest:
        alarms = {json.loads(line)["ALARM"] for line in org.log.read_text().splitlines() if '"ALARM"' in line}
        assert set(said) <= alarms, (said, alarms)
        assert org.status()["misbehaviour"] == len(said) and b"custody_misbehaviour %d" % len(said) in org.get("/metrics")
    table = call([CUSTODY, "network", "status", *[org.url for org in w.honest]], code=None)
    assert table.code != 0 and table.out.count("BROKE THE RULES") == 3, table
    ok(f"its two votes are evidence in the chain, and an incident, once each, with its name: {said[0]!r}; an alarm at every node")


# ---- what it cosigns ----

def key_id(name, kind, key):
    der = call(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"]).raw
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + der[-32:]).digest()[:4]


def line(folder, name, kind, key, said, time_of=b""):
    """A note's signature, by openssl."""
    signature = call(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", fill(folder / "said", said)]).raw
    return f"\u2014 {name} {base64.b64encode(key_id(name, kind, key) + time_of + signature).decode()}\n"


def what_it_cosigns(w):
    """Another log of the same name and size; shown to one, known to all who are shown it, and enough to convict it anywhere."""
    size = int(w.rest(w.honest))
    true = w.honest[0].get(f"/v1/cosignatures/{size}").decode()
    origin = true.split("\n")[0]
    text = f"{origin}\n{size}\n{base64.b64encode(hashlib.sha256(b'another history').digest()).decode()}\n"
    name = next(n for n in re.findall("\u2014 (\\S+) ", true) if n.startswith(origin + "/cosigner/") and n.endswith("/10"))
    now = int(time.time())
    fork = text + "\n" + line(w.folder, origin, 1, w.liar.root / "keys/log.pem", text.encode()) + line(
        w.folder, name, 4, w.liar.root / "keys/cosign.pem", f"cosignature/v1\ntime {now}\n{text}".encode(), now.to_bytes(8, "big"))
    for org in w.honest:
        status, _, body = org.curl("/v1/cosignatures", data=fork.encode())
        assert status >= 400, (status, body)
        [proof] = org.json("/v1/forks")["forks"]
        told = call([CUSTODY, "fork-proof", "verify", "--json", "--trust", w.honest[1].trust, fill(w.folder / proof, org.get("/v1/forks/" + proof))])
        assert told.row["fork"] and told.row["convicted"] == [origin, name], told
        assert org.status()["forks"] == 1 and b"custody_forks 1" in org.get("/metrics") and "another log of this name" in org.said() + org.log.read_text()
    nobody = call([CUSTODY, "fork-proof", "verify", "--trust", w.honest[1].trust, fill(w.folder / "bent", (w.folder / proof).read_bytes()[:-1] + b"x")], code=None)
    assert nobody.code != 0
    w.compare("a log that it forked, and showed")
    ok(f"a fork that it signed: kept, published and an alarm at each of the three; offline it convicts {told.row['convicted']}")


# ---- what it serves ----

class Lying(http.server.BaseHTTPRequestHandler):
    """Its own node's answers, but that bytes of evidence and of the log are others."""

    def do_GET(self):
        status, headers, body = self.server.of.curl(self.path, *[x for k in ("Range", "Accept") if self.headers[k] for x in ("-H", f"{k}: {self.headers[k]}")])
        if re.match(self.server.lies, self.path) and status in (200, 206) and body:
            half = len(body) // 2
            body = body[:half] + bytes([body[half] ^ 1]) + body[half + 1:]
            self.server.told += 1
        self.send_response(status)
        for name in ("content-type", "content-range", "etag"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what):
        pass


def what_it_serves(w):
    """Wrong bytes, to peers and to readers."""
    court = w.orgs[2]
    film = fill(w.folder / "film.bin", noise(2_000_001))
    w.desk.deposit(film)
    w.recorded += 1
    until(lambda: all(org.status()["copies_missing"] == 0 for org in w.orgs), "all have it")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lying)
    server.of, server.lies, server.told = w.liar, "/v1/content|/v1/chunks|/v1/object|/tile/entries", 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        w.provider.kill()
        with w.relay.lock:
            for (i, j, p), link in w.relay.links.items():
                if i == 2 and p == w.orgs[j].port:
                    link.cut, link.to = j != 3, server.server_port if j == 3 else link.to
                    link.close_all()
        destroy(court.root / "node/objects/large")
        until(lambda: server.told and court.status()["pull_wrong"] > 0, court.said)
        assert court.status()["copies_missing"] > 0
        reader = call([CUSTODY, "ls", "--ledger", address, "--state", w.folder / "deceived", "--pin-trust", w.orgs[0].trust], code=None)
        assert reader.code != 0 and w.liar.url not in reader.out, reader
        got = call([CUSTODY, "get", "C1/1", "-o", w.folder / "got", "--ledger", address, "--state", w.folder / "deceived", "--pin-trust", w.orgs[0].trust], code=None)
        assert got.code != 0, got
        with w.relay.lock:
            for (i, j, p), link in w.relay.links.items():
                link.cut = False
                if i == 2 and j == 3:
                    link.to = p
        until(lambda: court.status()["copies_missing"] == 0, court.said, 120)
    finally:
        server.shutdown()
        w.provider.start()
    w.compare(f"wrong chunks and bundles, {server.told} of them")
    ok(f"who asks it for the log is told: {reader.error.strip()[-160:]!r}")


# ---- what it attests ----

def what_it_attests(w):
    """That it stores what it has never had."""
    w.liar.stop()
    w.part(True)
    w.liar.start()  # without a provider to bring it from
    photo = fill(w.folder / "photo.bin", noise(300_000, 5))
    [row] = w.desk.deposit(photo)
    w.recorded += 1
    assert row["copies"] == 3
    seq = next(step["entry"] for step in w.desk.run("trail", "--json").rows if step["id"] == row["id"])
    until(lambda: int(w.liar.checkpoint()[0] or 0) > seq, "it has heard of it")
    lie = call([SIGN, w.liar.root, "stored", str(seq)]).raw
    future = call([SIGN, w.liar.root, "stored", "1000000"]).raw
    assert w.liar.submit(future, "application/cbor", code=422)["code"] == "OUT_OF_ORDER"
    assert w.liar.submit(lie, "application/cbor")["status"] == "OK"
    until(lambda: w.honest[0].copies(row["exhibit"]) == 4, "its word is counted")
    assert w.liar.curl("/v1/content/" + row["exhibit"])[0] >= 400, "it has it after all"
    for org in w.honest:
        assert org.get("/v1/content/" + row["exhibit"]) == photo.read_bytes()
    w.part(False)
    w.compare("a copy that it attests and does not have: of three that a receipt asks for two at least are not its")


def liar_name(w):
    return json.loads(w.liar_status)["organisation"]


MODES = {"proposals": what_it_proposes, "fork": what_it_cosigns, "serves": what_it_serves, "attests": what_it_attests, "votes": how_it_votes}


def main(names):
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        with w:
            w.liar_status = json.dumps(w.liar.status())
            for name in names or MODES:
                began = time.monotonic()
                MODES[name](w)
                print(f"# {name}: {time.monotonic() - began:.0f} s", flush=True)
        ok(f"stopped, the logs of the three are the same byte for byte, and custody check finds nothing: {same(w.honest)}")


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - a liar # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    main(sys.argv[1:])
