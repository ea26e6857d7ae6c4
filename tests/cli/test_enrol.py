#!/usr/bin/env python3
"""Enrolment over the network: asked of the node, approved or refused from elsewhere, fetched by asking again; and what anybody may not do with it."""
import json
import os
import shutil
import subprocess

from custody_test import Ledger, call, custody, fill, main, noise, test
from node_test import Node

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


class Person:
    """Somebody with a folder of his own, who knows the ledger's trust file, its CA and its address."""

    def __init__(self, ledger, node, folder, name, role="depositor"):
        folder.mkdir()
        self.ledger, self.url, self.folder, self.name, self.role = ledger, node.url, folder, name, role
        self.key, self.cert = folder / "key.pem", folder / "tls.pem"
        self.common = ["--ledger", node.url, "--state", folder / "state", "--pin-trust", ledger.trust]
        if node.url.startswith("https"):
            self.common += ["--cacert", ledger.root / "tls/ca.pem"]

    def enrol(self, *more, code=0):
        return custody("enrol", self.name, "--role", self.role, "--key", self.key, *self.common, *more, code=code)

    def asks(self, code=3):
        return self.enrol("--certificate", self.cert, "--json", code=code)

    def run(self, *args, **how):
        cert = ["--cert", self.cert] if self.cert.exists() else []
        return custody(*args, *self.common, *cert, "--key", self.key, **how)


def founded(folder):
    """A ledger with a CA and an administrator who has a key and a certificate, from the folder."""
    ledger = Ledger.new(folder / "L", "C1")
    ledger.run("enrol", "Chief", "--role", "administrator", "--key", folder / "chief.pem", "-o", folder / "chief.request")
    ledger.run("member", "approve", folder / "chief.request")
    ledger.run("ca", "init")
    return ledger


def chief_of(ledger, node, folder):
    """Enrolled where the ledger lies; his certificate comes over the network, since he is a member already."""
    chief = Person(ledger, node, folder / "chief", "Chief", "administrator")
    shutil.copy(folder / "chief.pem", chief.key)
    assert chief.asks(0).row["state"] == "enrolled"
    return chief


def waiting(chief):
    return {row["name"]: row for row in chief.run("member", "ls", "--waiting", "--json").rows}


@test
def who_asks_the_node_is_approved_from_elsewhere_and_fetches_what_he_asked_for(folder):
    ledger = founded(folder)
    with Node(ledger, "--tls") as node:
        chief, wu = chief_of(ledger, node, folder), Person(ledger, node, folder / "wu", "Officer Wu")
        first = wu.asks().row
        keys = wu.key.read_bytes(), wu.cert.read_bytes()
        assert first["state"] == "waiting" and b"BEGIN CERT" not in keys[1] and wu.cert.stat().st_mode & 0o77 == 0
        again = wu.enrol("--certificate", wu.cert, code=3).out
        assert "waits until an administrator" in again and first["kid"][:16] in again, again
        assert (wu.key.read_bytes(), wu.cert.read_bytes()) == keys, "asked again with the same keys"
        rows = waiting(chief)
        assert rows["Officer Wu"]["kid"] == first["kid"] and rows["Officer Wu"]["role"] == "depositor" and rows["Officer Wu"]["from"] == "127.0.0.1", rows
        assert json.loads(node.get("/v1/status", *client(ledger, "organisation")))["enrolments_waiting"] == 1
        assert b"custody_enrolments_waiting 1" in node.get("/metrics", *client(ledger))
        assert chief.run("member", "approve", first["kid"][:8][::-1], code=None).code == 10
        assert "give more digits" not in chief.run("member", "approve", first["kid"][:7], code=1).err
        said = chief.run("member", "approve", first["kid"][:16]).out
        assert said.startswith("enrolled Officer Wu, depositor, key " + first["kid"][:16]), said
        assert not waiting(chief)
        done = wu.asks(0).row
        assert done["state"] == "enrolled" and b"BEGIN CERTIFICATE" in wu.cert.read_bytes() and wu.cert.stat().st_mode & 0o77 == 0
        assert wu.cert.read_bytes().startswith(keys[1]), "the key is that which was made at first"
        wu.run("case", "open", "C7")
        assert "C7" in wu.run("case", "ls").out
        old = wu.cert.read_bytes()
        wu.asks(0)  # renewed
        assert wu.cert.read_bytes() != old and wu.cert.read_bytes().startswith(keys[1])
        chief.run("member", "revoke", "Officer Wu")
        refused = wu.asks(None)
        assert refused.code == 12 and "revoked in this ledger" in refused.err, refused
        for secret in (ledger.root, folder / "chief"):
            text = b"".join(p.read_bytes() for p in secret.rglob("*") if p.is_file())
            assert keys[0].splitlines()[1] not in text and keys[1].splitlines()[1] not in text, "a private key left its owner"
    ledger.clean()


def client(ledger, role=""):
    cert = ["--cert", ledger.root / f"tls/{role}.pem"] if role else []
    return ["--cacert", ledger.root / "tls/ca.pem", *cert]


@test
def an_administrator_refuses_and_says_why(folder):
    ledger = founded(folder)
    with Node(ledger, "--tls") as node:
        chief, mallory = chief_of(ledger, node, folder), Person(ledger, node, folder / "m", "Judge Wu", "auditor")
        kid = mallory.asks().row["kid"]
        assert chief.run("member", "reject", kid[:16], code=1).err
        assert kid[:16] in chief.run("member", "reject", kid[:16], "--reason", "nobody knows you").out
        answer = mallory.asks(12)
        assert 'nobody knows you' in answer.err, answer
        assert not waiting(chief)
        assert chief.run("member", "approve", kid[:16], code=10).err
        os.unlink(mallory.key)
        assert mallory.asks().row["kid"] != kid


@test
def nobody_but_who_admits_members_sees_who_waits_or_refuses_him(folder):
    ledger = founded(folder)
    ledger.run("member", "add", "Judge", "--recipient", KEY)
    ledger.run("ca", "issue", "Judge")
    ledger.run("ca", "issue", "--operator", "Bob")
    with Node(ledger, "--tls") as node:
        kid = Person(ledger, node, folder / "wu", "Officer Wu").asks().row["kid"]
        for role in ("", "depositor", "provider", *(p.stem for p in (ledger.root / "tls").glob("reader*")), *(p.stem for p in (ledger.root / "tls").glob("operator*"))):
            node.client = client(ledger, role)
            assert node.curl("/v1/enrolments")[0] == 403, role
            assert node.curl(f"/v1/enrolments/{kid}", "-X", "POST", data=b"no")[0] == 403, role
        node.client = client(ledger, "organisation")
        assert b"Officer Wu" in node.get("/v1/enrolments")
        assert node.curl("/v1/enrolments/" + "0" * 64, data=b"no")[0] == 404
        assert node.curl("/v1/enrolments/abc", data=b"no")[0] == 404
        assert node.curl(f"/v1/enrolments/{kid}", data=b"\xff")[0] == 400


@test
def what_is_no_request_or_for_another_ledger_is_refused_and_nothing_of_it_kept(folder):
    ledger, other = founded(folder), Ledger.new(folder / "M")
    ledger.run("enrol", "Wu", "--key", folder / "wu.pem", "-o", folder / "wu.request")
    other.run("enrol", "Wu", "--key", folder / "wu2.pem", "-o", folder / "other.request")
    good = (folder / "wu.request").read_bytes()
    flipped = [good[:i] + bytes([good[i] ^ 1]) + good[i + 1:] for i in (0, len(good) // 2, len(good) - 1)]
    with Node(ledger, "--tls", "--rate", "0") as node:  # a dozen at once is more than one address may ask
        node.client = client(ledger)
        for bad in (b"", b"\xa0", good[:-1], good + b"\0", (folder / "other.request").read_bytes(), *flipped):
            status, _, body = node.curl("/v1/enrolments", data=bad)
            assert 400 <= status < 500 and b"detail" in body, (status, body)
        assert node.curl("/v1/enrolments", data=bytes(2000))[0] == 413
        assert not (ledger.root / "outbox/enrolments").exists()
        assert node.curl("/v1/enrolments", data=good)[0] == 202
        renamed = good.replace(b"\x62Wu", b"\x62Wi")
        assert node.curl("/v1/enrolments", data=renamed)[0] == 202  # whoever carries it: what was kept first stays
        node.client = client(ledger, "organisation")
        assert b"Wi" not in node.get("/v1/enrolments") and b"Wu" in node.get("/v1/enrolments")


@test
def strangers_fill_no_more_than_their_share_and_what_waits_outlives_the_node(folder):
    ledger = founded(folder)
    requests = []
    for n in range(9):
        ledger.run("enrol", f"Stranger {n}", "--key", folder / f"{n}.pem", "-o", folder / f"{n}.request")
        requests.append((folder / f"{n}.request").read_bytes())
    with Node(ledger, "--tls") as node:
        node.client = client(ledger)
        codes = [node.curl("/v1/enrolments", data=r)[0] for r in requests]
        assert codes[:8] == [202] * 8 and codes[8] == 503, codes
        assert node.curl("/v1/enrolments", data=requests[0])[0] == 202, "who waits is told so"
        hurried = [node.curl("/v1/enrolments", data=requests[0])[0] for _ in range(30)]
        assert set(hurried) <= {202, 429} and 429 in hurried, hurried
        node.process.kill()
    assert (ledger.root / "outbox/enrolments").stat().st_size < 64 << 10
    rows = ledger.run("member", "ls", "--waiting", "--json").rows
    assert [r["name"] for r in rows] == [f"Stranger {n}" for n in range(8)], rows
    ledger.run("member", "approve", rows[0]["kid"])
    ledger.run("member", "reject", rows[1]["kid"], "--reason", "no")
    assert len(ledger.run("member", "ls", "--waiting", "--json").rows) == 6
    ledger.clean()
    queue = ledger.root / "outbox/enrolments"
    queue.write_bytes(queue.read_bytes()[:-1] + b"\1")
    assert "outbox/enrolments is damaged" in ledger.run("member", "ls", "--waiting", code=2).err
    ledger.run("deposit", fill(folder / "e", noise(100)))  # nobody else has to wait for it
    assert [f["where"] for f in ledger.run("check", "--json", code=2).rows[-1]["findings"]] == ["outbox/enrolments"]
    ledger.run("check", "--repair", code=None)
    ledger.clean()


@test
def a_ca_of_ones_own_is_taken_with_its_key_or_asked_by_a_request_for_it(folder):
    ledger = founded(folder)
    shutil.rmtree(ledger.root / "tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Police CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "9", "-keyout", "k.pem",
                    "-out", "c.pem"], check=True, capture_output=True, cwd=folder)
    ledger.run("ca", "init", "--ca-cert", folder / "c.pem", "--ca-key", folder / "k.pem")
    ledger.run("enrol", "Wu", "--key", folder / "wu.pem", "-o", folder / "wu.request")
    ledger.run("member", "approve", folder / "wu.request")
    with Node(ledger, "--tls") as node:
        wu = Person(ledger, node, folder / "wu", "Wu")
        shutil.copy(folder / "wu.pem", wu.key)
        assert wu.asks(0).row["state"] == "enrolled"
        assert "Police CA" in call(["openssl", "x509", "-in", wu.cert, "-noout", "-issuer"]).out
        wu.run("case", "ls")
    os.unlink(ledger.root / "tls/ca.key")
    os.unlink(wu.cert)
    with Node(ledger, "--tls") as node:
        wu.common[1] = node.url
        answer = wu.enrol("--certificate", wu.cert)
        assert "makes no certificates" in answer.err and b"BEGIN CERT" not in wu.cert.read_bytes(), answer
        seen = call(["openssl", "req", "-in", f"{wu.cert}.csr", "-noout", "-text", "-verify"])
        uri = [line.strip() for line in seen.out.splitlines() if "URI:custody:" in line][0]
        fill(folder / "x.cnf", f"extendedKeyUsage=clientAuth\nsubjectAltName={uri}\n".encode())
        subprocess.run(["openssl", "x509", "-req", "-in", f"{wu.cert}.csr", "-CA", "c.pem", "-CAkey", "k.pem", "-days", "5", "-extfile", "x.cnf", "-out", "wu.crt"], check=True,
                       capture_output=True, cwd=folder)
        fill(wu.cert, wu.cert.read_bytes() + (folder / "wu.crt").read_bytes())
        assert "C1" in wu.run("case", "ls").out
        assert wu.enrol("--certificate", wu.cert).code == 0, "and the key is found before its certificate"


@test
def over_plain_http_on_one_machine_no_certificate_is_needed(folder):
    ledger = founded(folder)
    with Node(ledger) as node:
        wu, chief = Person(ledger, node, folder / "wu", "Officer Wu"), Person(ledger, node, folder / "c", "Chief", "administrator")
        shutil.copy(folder / "chief.pem", chief.key)
        kid = wu.enrol("--json", code=3).row["kid"]
        chief.run("member", "approve", kid[:16])
        assert "enrolled as depositor" in wu.enrol().out
        wu.run("case", "open", "C9")
        second = Person(ledger, node, folder / "wu2", "Officer Wu")
        kid = second.enrol("--json", code=3).row["kid"]
        assert "rotate" in chief.run("member", "approve", kid, code=None).err
        chief.run("member", "rotate", kid)
        second.enrol()
        assert wu.enrol(code=12).err
        assert custody("enrol", "X", "--key", folder / "x.pem", "--ledger", "http://127.0.0.1:9", "--state", folder / "s", "--pin-trust", ledger.trust, code=None).code == 1


main()
