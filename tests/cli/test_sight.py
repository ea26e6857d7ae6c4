#!/usr/bin/env python3
"""Two organisations on one ledger: what a member of one may see of the other's, by each way in which it could be asked for; and that who reads, and
who was refused, goes on record without a wait."""
import http.client
import json
import pathlib
import re
import ssl
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cluster"))
from custody_test import Ledger, Skip, custody, fill, main, noise, test  # noqa: E402
from network import COMET, Network, until  # noqa: E402
from node_test import Node  # noqa: E402

class Member:
    """A party of an organisation, at its node, with a certificate by the node's own CA."""

    def __init__(self, org, name, folder):
        self.org, self.name, self.folder, self.connection = org, name, folder, None
        self.cert = ["--cacert", org.root / "tls/ca.pem", "--cert", folder / "tls.pem"]
        folder.mkdir(exist_ok=True)

    def run(self, *args, **how):
        return custody(*args, "--ledger", self.org.url, "--state", self.folder / "state", "--pin-trust", self.org.root / "trust/ledger.trust", *self.cert, **how)

    def curl(self, path):
        """(status, headers, body), over a connection that stays."""
        if not self.connection:
            context = ssl.create_default_context(cafile=self.cert[1])
            context.load_cert_chain(self.cert[3])
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.org.port, context=context, timeout=60)
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def json(self, path):
        status, _, body = self.curl(path)
        assert status == 200, (path, status, body)
        return json.loads(body)


def members(org, folder, **roles):
    """Enrolled over the network, by the node's own organisation."""
    out = []
    for name, role in roles.items():
        who = Member(org, name.replace("_", " "), folder / name)
        ask = ["enrol", who.name, "--role", role, "--key", who.folder / "key.pem", "--certificate", who.folder / "tls.pem", "--ledger", org.url, "--state", who.folder / "state",
               "--pin-trust", org.root / "trust/ledger.trust", "--cacert", org.root / "tls/ca.pem", "--json"]
        kid = custody(*ask, code=3).row["kid"]
        custody("member", "approve", kid, "--key", org.root / "keys/organisation.pem", "--ledger", org.url, "--state", folder / "chief", "--pin-trust", org.root / "trust/ledger.trust",
                "--cacert", org.root / "tls/ca.pem", "--cert", org.root / "tls/organisation.pem")
        until(lambda a=ask: custody(*a, code=None).code == 0, "his node has heard of it")
        out.append(who)
    return out


def with_url(org):
    org.url = org.url.replace("http:", "https:")
    return org


@test
def what_is_another_organisations_is_not_there_until_it_is_opened(folder):
    if not COMET.exists():
        raise Skip("cometbft is not installed: tools/setup cluster")
    net = Network(folder, 2)
    police, court = net.orgs
    with net:
        until(lambda: all(org.checkpoint()[0] == police.checkpoint()[0] != "" for org in net.orgs), "they begin alike")
        net.rest()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=both", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                    "-days", "9", "-keyout", "k.pem", "-out", "c.pem"], check=True, capture_output=True, cwd=folder)
    for org in net.orgs:
        custody("ca", "init", "--ledger", org.root, "--ca-cert", folder / "c.pem", "--ca-key", folder / "k.pem")
        org.start("--tls", "--cacert", folder / "c.pem", "--cert", org.root / "tls/organisation.pem", wait=False)
    for org in net.orgs:
        org.listening()
        with_url(org)
    try:
        ours(folder, police, court)
    finally:
        for org in net.orgs:
            org.stop(None)


def ours(folder, police, court):
    [li, auditor] = members(police, folder, Officer_Li="depositor", Auditor="auditor")
    [judge, clerk] = members(court, folder, Judge_Wu="reader", Clerk_Bo="depositor")
    key = ["--key", li.folder / "key.pem"]
    li.run("case", "open", "Harbour", "--cause", "arson", *key)
    clerk.run("case", "open", "Hearing", "--key", clerk.folder / "key.pem")
    police.client = own(police)
    assert [o["status"] for o in police.submit(police.sign("Harbour", 1, 2))] == ["OK", "OK"]
    until(lambda: judge.json("/v1/status")["exhibits"] == 2, "both have it")
    ids = [row["id"] for row in li.json("/v1/case/Harbour")["exhibits"]]
    last = li.json("/v1/status")["entries"]
    asked = [p for n in (1, 2) for p in (f"/v1/{what}/Harbour/{n}" for what in ("show", "entry", "record", "receipt", "content", "chunks", "trail"))]
    asked += [f"/v1/{what}/{i}" for i in (ids[0], ids[0][:8], "note-1.txt") for what in ("show", "content", "receipt", "trail", "record")]
    asked += ["/v1/case/Harbour", "/v1/inventory/Harbour"]

    def hidden(who, words=("Harbour", "note-", "arson", "what was seen")):
        for path in asked:
            status, _, body = who.curl(path)
            never = who.curl(re.sub("Harbour", "Harbor9", re.sub("[0-9a-f]{64}", "0" * 64, re.sub("note-1", "note-9", path))))
            assert status == 404, (who.name, path, status, body)
            if "Harbour" in path and "?" not in path:
                assert sorted(json.loads(body)) == sorted(json.loads(never[2])) and json.loads(body)["code"] == json.loads(never[2])["code"], (path, body, never)
        found = [who.curl(p)[2] for p in ("/v1/case", "/v1/trail", "/v1/find?q=Harbour", "/v1/find?q=Harbour/1", f"/v1/find?q={ids[0][:6]}", "/v1/find?q=note-1.txt")]
        found += [body for n in range(last) for status, _, body in [who.curl(f"/v1/record/{n}")] if status == 200]
        for body in found:
            assert not any(w.encode() in body for w in words), (who.name, body)
        assert "Harbour" not in who.curl("/v1/case/Harbur")[2].decode().replace("Harbur", ""), "nor is it guessed at"
    hidden(judge)
    hidden(clerk)
    assert [c["case"] for c in judge.json("/v1/case")["cases"] if c["case"] != "unfiled"] == ["Hearing"]
    assert "Harbour" in {c["case"] for c in li.json("/v1/case")["cases"]} and "Hearing" not in {c["case"] for c in li.json("/v1/case")["cases"]}
    assert {"Harbour", "Hearing"} <= {c["case"] for c in auditor.json("/v1/case")["cases"]}
    listed = judge.run("ls", "--json").rows
    assert not any(row["exhibit"] or row["name"] for row in listed) and "Harbour" not in judge.run("trail").out, listed
    assert judge.run("get", "Harbour/1", "-o", folder / "no", code=10).err

    # what is not one's own cannot be opened by oneself
    clerk.run("disclose", ids[0], "--to", "Judge Wu", "--key", clerk.folder / "key.pem")
    hidden(judge)
    # opened: one exhibit, by whom it belongs to
    assert li.run("disclose", "Harbour/1", "--to", "Judge Woo", *key, code=10).err
    said = li.run("disclose", "Harbour/1", "--to", "Judge Wu", "--purpose", "hearing on Monday", "--authority", "art. 51", *key).out
    assert said.startswith("disclosure of 1 exhibit recorded"), said
    until(lambda: judge.curl("/v1/show/Harbour/1")[0] == 200, "his node has heard of it")
    assert judge.curl("/v1/content/Harbour/1?reason=hearing")[2] == b"what was seen, note 1\n" and judge.curl("/v1/content/Harbour/2")[0] == 404
    case = [c for c in judge.json("/v1/case")["cases"] if c["case"] == "Harbour"]
    assert len(case) == 1 and case[0]["exhibits"] == 1, case
    assert [e["exhibit"] for e in judge.json("/v1/case/Harbour")["exhibits"]] == ["Harbour/1"]
    assert judge.curl("/v1/inventory/Harbour")[0] == 403
    assert [e["exhibit"] for e in judge.run("ls", "--case", "Harbour", "--json").rows if e["name"]] == ["Harbour/1"], "what he has of the log has its names now"
    judge.run("get", "Harbour/1", "-o", folder / "got")
    assert (folder / "got").read_bytes() == b"what was seen, note 1\n"
    asked[:] = [p for p in asked if "Harbour/1" not in p and ids[0][:8] not in p and "note-1" not in p and p not in ("/v1/case/Harbour", "/v1/inventory/Harbour")]
    assert judge.curl(f"/v1/content/{ids[1]}")[0] == 404
    assert clerk.curl("/v1/show/Harbour/1")[0] == 404, "it was to the judge, and to nobody else there"
    # … and to an organisation
    li.run("disclose", "Harbour", "--to", [m["name"] for m in li.run("member", "ls", "--json").rows if m["role"] == "organisation"][1], *key)
    until(lambda: clerk.curl("/v1/show/Harbour/2")[0] == 200, "his node has heard of it")
    assert len(judge.json("/v1/case/Harbour")["exhibits"]) == 2

    # who read, and who was refused
    def reads():
        return auditor.run("trail", "Harbour/1").out + auditor.run("trail", "Harbour/2").out
    until(lambda: "Judge Wu at 127.0.0.1: hearing" in reads() and "Judge Wu at 127.0.0.1, refused" in reads() and "Clerk Bo at 127.0.0.1, refused" in reads(), reads)


def own(org):
    return ["--cacert", org.root / "tls/ca.pem", "--cert", org.root / "tls/organisation.pem"]


@test
def what_was_read_is_recorded_though_the_node_is_killed_at_once(folder):
    ledger = Ledger.new(folder / "L", "C1")
    ledger.deposit("--case", "C1", *[fill(folder / f"e{n}", noise(40000, n)) for n in range(3)])
    before = sum(r["kind"] == "access" for r in ledger.run("trail", "--json").rows)
    with Node(ledger) as node:
        assert node.get("/v1/content/C1/1?reason=one") and node.get("/v1/content/C1/2?reason=two")
        node.process.kill()
    with Node(ledger) as node:
        node.get("/v1/content/C1/3?reason=three")
        for _ in range(100):
            told = "".join(json.dumps(r) for n in (1, 2, 3) for r in node.json(f"/v1/trail/C1/{n}")["trail"] if r["kind"] == "access")
            if told.count("evidence was read") >= 3:
                break
            time.sleep(0.1)
    told = ledger.run("trail").out
    assert [told.count(f": {w}\n") for w in ("one", "two", "three")] == [1, 1, 1], told
    assert sum(r["kind"] == "access" for r in ledger.run("trail", "--json").rows) - before in (1, 2, 3)
    for name in ("access", "reads-0", "reads-1"):
        assert (ledger.root / "outbox" / name).stat().st_size == 0, name
    # rows that a fold had put into the outbox before it could empty their file come once; a torn one, and all behind it, not at all
    row = b"\x85\x58\x20" + bytes(range(32)) + b"\x63who\x1b\x00\x00\x01\x99\x00\x00\x00\x00\x64five\x60"
    (ledger.root / "outbox/access").write_bytes(row)
    (ledger.root / "outbox/reads-1").write_bytes(row + row[:20])
    with Node(ledger) as node:
        node.get("/healthz")
    assert ledger.run("trail").out.count("five") == 1
    ledger.clean()


main()
