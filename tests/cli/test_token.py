#!/usr/bin/env python3
"""Keys that lie in a token, by softhsm2: enrolled, signing on every side, confined, and what is said when something is wrong with it."""
import pathlib
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cluster"))
from custody_test import ENVIRONMENT, Ledger, Skip, call, custody, fill, main, noise, scratch, test, verify
from network import COMET, Desk, Org, free_ports, until
from node_test import Node
from provider_world import Provider, claimed

KEPT = pathlib.Path(scratch("custody-token-"))
ENVIRONMENT["SOFTHSM2_CONF"] = str(KEPT / "softhsm2.conf")
fill(KEPT / "softhsm2.conf", f"directories.tokendir = {KEPT}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n".encode())
(KEPT / "tokens").mkdir()
PIN = fill(pathlib.Path(scratch("custody-pin-")) / "pin", b"1234\n")
LOCK = threading.Lock()


class Token:
    def __init__(self, label):
        if not shutil.which("softhsm2-util"):
            raise Skip("there is no softhsm2-util")
        self.label, self.n = label, 0
        with LOCK:
            before = set((KEPT / "tokens").iterdir())
            call(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "12345678"])
            [self.folder] = set((KEPT / "tokens").iterdir()) - before

    def take(self, name, pem):
        """Its URI."""
        self.n += 1
        call(["softhsm2-util", "--import", pem, "--token", self.label, "--label", name, "--id", f"{self.n:02x}", "--pin", "1234"])
        return f"pkcs11:token={self.label};object={name}"

    def make(self, name, folder, *algorithm):
        """(URI, the same key as a file)"""
        pem = folder / f"{name}.pem"
        call(["openssl", "genpkey", *(algorithm or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")), "-out", pem])
        return self.take(name, pem), pem


def der(raw):
    """r‖s as openssl takes it."""
    def integer(b):
        b = b.lstrip(b"\0") or b"\0"
        b = b"\0" * (b[0] >> 7) + b
        return bytes([2, len(b)]) + b
    body = integer(raw[:32]) + integer(raw[32:])
    return bytes([0x30, len(body)]) + body


@test
def a_member_with_a_key_in_a_token_is_who_has_the_same_key_in_a_file(folder):
    uri, pem = Token("member").make("signing", folder)
    ledger = Ledger.new(folder / "L", "C1")
    asked = ledger.run("enrol", "Officer Li", "--key", uri, "--pin-file", PIN, "-o", folder / "li.request", "--json").row
    request = (folder / "li.request").read_bytes()
    network, key, proof = request[request.index(b"\x01\x58\x20") + 3:][:32], request[-131:-67], request[-64:]
    fill(folder / "message", b"custody/possession/v1\n" + network + b"\1" + key)
    fill(folder / "signature", der(proof))
    call(["openssl", "pkey", "-in", pem, "-pubout", "-out", folder / "pub.pem"])
    assert "OK" in call(["openssl", "dgst", "-sha256", "-verify", folder / "pub.pem", "-signature", folder / "signature", folder / "message"]).out
    ledger.run("member", "approve", folder / "li.request", "--fingerprint", asked["kid"][:16])
    mine = ("--key", uri, "--pin-file", PIN)
    first = ledger.deposit("--case", "C1", *mine, fill(folder / "a", b"one\n"))[0]
    second = ledger.deposit("--case", "C1", "--key", pem, fill(folder / "b", b"two\n"))[0]
    ledger.run("claim", folder / "a", "--case", "C1", *mine, "-o", folder / "a.claim")
    assert [r["by"] for r in ledger.run("trail", "--json").rows if r["kind"] == "deposit"] == ["Officer Li"] * 2
    for row in (first, second):
        assert "signer     PASS" in verify("--trust", ledger.trust, row["receipt"]).out
    ledger.run("enrol", "Officer Wu", "--key", uri.replace("signing", "nothing"), "--pin-file", PIN, "-o", folder / "x", code=10)
    ledger.clean()


@test
def a_ledger_signs_all_that_it_says_by_keys_in_a_token(folder):
    token = Token("ledger")
    organisation, depositor = token.make("organisation", folder)[0], token.make("depositor", folder)[0]
    pin = ("--pin-file", PIN)
    edwards = token.make("edwards", folder, "-algorithm", "ed25519")[0]
    assert "ES256" in custody("init", folder / "X", "--organisation-key", edwards, *pin, code=4).error
    assert "pkcs11:" in custody("init", folder / "Y", "--organisation-key", folder / "organisation.pem", *pin, code=1).error
    custody("init", folder / "M", "--organisation-key", organisation, "--key", depositor, *pin)
    ledger = Ledger(folder / "M")
    assert (ledger.root / "keys/organisation.pem").read_text() == organisation + "\n"
    for name in ("provider", "log"):  # those that were made in files move
        uri = token.take(name, ledger.root / f"keys/{name}.pem")
        fill(ledger.root / f"keys/{name}.pem", uri.encode() + b"\n")
    ledger.run("case", "open", "C1", *pin)
    row = ledger.deposit("--case", "C1", *pin, fill(folder / "film", noise(300_000)))[0]
    assert "integrity  PASS" in verify("--trust", ledger.trust, row["receipt"], folder / "film").out
    ledger.run("ca", "init", *pin)
    assert ledger.run("doctor", *pin).out.count("opens") == 4
    ledger.check(*pin, code=0)
    assert "PIN" in ledger.run("deposit", folder / "film", env={"CUSTODY_PIN": "9999"}, code=12).error
    ledger.deposit("--case", "C1", fill(folder / "b", b"b"), env={"CUSTODY_PIN": "1234"})


def node_and_provider(folder, token):
    organisation, provider = token.make("organisation", folder)[0], token.make("provider", folder)[0]
    custody("init", folder / "L", "--organisation-key", organisation, "--pin-file", PIN)
    ledger = Ledger(folder / "L")
    ledger.run("case", "open", "C1", "--pin-file", PIN)
    pin = ("--pin-file", PIN, "--token-files", KEPT)
    custody("provider", "init", folder / "P", "--name", "Cloud", "--pin-trust", ledger.trust, "--key", provider, "--pin-file", PIN)
    ledger.run("member", "approve", folder / "P/enrol.request", "--pin-file", PIN)
    return ledger, pin


@test
def a_confined_node_and_provider_sign_by_tokens(folder):
    ledger, pin = node_and_provider(folder, Token("servers"))
    missing = ledger.run("node", "--listen", "127.0.0.1:0", *pin[:2], code=10).error
    assert "--token-files" in missing and "nothing was signed" in missing, missing
    with Node(ledger, *pin) as node, Provider(folder / "P", node, *pin) as provider:
        claim = provider.claim(claimed(ledger, fill(folder / "film", noise(20_000))))
        provider.patch(claim, (folder / "film").read_bytes(), 0)
        provider.recorded(claim)
        node.get("/v1/receipt/C1/1?wait=30")
    ledger.check("--pin-file", PIN, code=0)


@test
def a_token_that_is_taken_out_loses_nothing_and_signs_when_it_is_back(folder):
    token = Token("removed")
    ledger, pin = node_and_provider(folder, token)
    away = folder / "away"
    with Node(ledger, *pin) as node, Provider(folder / "P", node, *pin) as provider:
        path = fill(folder / "film", noise(70_000))
        claim = provider.claim(claimed(ledger, path))
        shutil.move(token.folder, away)
        provider.patch(claim, path.read_bytes(), 0)
        for _ in range(100):
            if "taken out" in provider.log.read_text():
                break
            threading.Event().wait(0.1)
        else:
            raise AssertionError(provider.log.read_text()[-2000:])
        assert provider.state(claim)["state"] not in ("accepted", "recorded")
        shutil.move(away, token.folder)
        provider.kill()
        provider.start()
        assert provider.recorded(claim)["offset"] == 70_000


def refused(what, *words):
    assert all(w in what.error for w in (*words, "was made")), what


@test
def an_organisations_key_in_a_token_is_followed_by_one_in_a_token(folder):
    token, ports = Token("rotated"), free_ports(2)
    first, second = token.make("organisation", folder)[0], token.make("second", folder)[0]
    edwards = token.make("edwards", folder, "-algorithm", "ed25519")[0]
    org, pin = Org(folder / "org", ports + 1, ports), ("--pin-file", PIN)
    custody("network", "request", org.root, "--org", "Police", "--at", f"127.0.0.1:{ports}", "--http", f"127.0.0.1:{ports + 1}", "--organisation-key", first, *pin, "-o", folder / "police")
    custody("network", "new", folder / "police", "-o", folder / "network")
    custody("network", "join", org.root, folder / "network", *pin)

    def rotate(*args, code=0):
        return custody("network", "rotate", *args, "--ledger", org.root, *pin, "-o", folder / "keys", code=code)

    waits = org.root / "keys/organisation-next.pem"
    refused(rotate("organisation", code=12), "lies in a token", "P-256", "--successor file")
    refused(rotate("organisation", "--successor", edwards, code=4), "ES256")
    refused(rotate("organisation", "--successor", folder / "second.pem", code=1), "the word file")
    refused(rotate("node", "--successor", edwards, code=1), "CometBFT")
    refused(rotate("organisation", "log", "--successor", second, code=1), "by itself")
    rotate("organisation", "--successor", second.replace("second", "absent"), code=10)
    assert not waits.exists()
    rotate("organisation", "--successor", "file")
    assert "PRIVATE KEY" in waits.read_text()
    refused(rotate("organisation", "--successor", second, code=12), "waits already")
    waits.unlink()
    rotate("organisation", "--successor", second)
    rotate("organisation")  # goes on with it
    rotate("organisation", "--successor", second)
    assert waits.read_text() == second + "\n"
    shutil.copy(org.root / "keys/log.pem", folder / "log.pem")
    fill(org.root / "keys/log.pem", token.take("log", folder / "log.pem").encode())
    refused(rotate("log", code=12), "the log key", "Ed25519")
    if not COMET.exists():
        raise Skip("cometbft is not installed: tools/setup cluster")
    try:
        org.start(*pin, "--token-files", KEPT)
        desk = Desk(folder, org, "organisation")
        assert desk.run("network", "propose", "keys", folder / "keys", "--json", *pin).row["effective"]
        desk.how[-1] = second
        until(lambda: desk.run("case", "open", "C1", *pin, code=None).code == 0, org.said)  # by the new one
        org.stop()
        org.start(*pin, "--token-files", KEPT)
        assert (org.root / "keys/organisation.pem").read_text() == second + "\n" and not waits.exists()
    finally:
        org.stop(None)
        org.tap.close()


@test
def what_is_wrong_with_a_token_is_said_and_nothing_is_signed(folder):
    token = Token("wrong")
    uri, pem = token.make("signing", folder)
    ledger = Ledger.new(folder / "L", "C1")
    size = ledger.run("status", "--json").row
    other = folder / "not.so"
    shutil.copy("/bin/true", other)
    for bad, code, word in ((uri.replace("wrong", "absent"), 10, "no such token"), (uri.replace("signing", "other"), 10, "no such private key"),
                            (uri + "?module-path=/nowhere.so", 10, "cannot be loaded"), (uri + f"?module-path={other}", 10, "cannot be loaded"),
                            (uri + "?pin-value=1234", 1, "PIN"), ("pkcs11:nonsense", 1, "RFC 7512"), (uri + "?module-path=/usr/lib/softhsm/libsofthsm2.so", 4, "not enrolled")):
        answer = ledger.run("deposit", "--case", "C1", "--key", bad, "--pin-file", PIN, pem, code=code)
        assert word in answer.error and "1234" not in answer.error, answer
    answer = ledger.run("deposit", "--case", "C1", "--key", uri, pem, code=12, start_new_session=True)
    assert "--pin-file" in answer.error, answer  # nobody is at a terminal
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "wrong", "--pin", "1234", "--so-pin", "12345678"], env=ENVIRONMENT, check=True, capture_output=True)
    assert "serial=" in ledger.run("deposit", "--case", "C1", "--key", uri, "--pin-file", PIN, pem, code=10).error
    assert ledger.run("status", "--json").row == size


try:
    main()
finally:
    shutil.rmtree(KEPT, ignore_errors=True), shutil.rmtree(PIN.parent, ignore_errors=True)
