#!/usr/bin/env python3
"""Notices by a node's address: asked, seen by whom they ask, answered with claims and bytes that the node accepts, and whatever is killed on the way."""
import datetime
import subprocess
import time

from custody_test import CUSTODY, ENVIRONMENT, SANITIZED, Ledger, custody, fill, main, noise, test, verify
from node_test import Node
from officer import said


def until(seconds=86400):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Far:
    """Somebody with a key, at the node's address; the same verbs at the ledger's folder go to `near`."""

    def __init__(self, ledger, node, folder, key, *more):
        folder.mkdir(exist_ok=True)
        self.options = ["--ledger", node.url, "--state", folder / "state", "--pin-trust", ledger.trust, "--key", key, *more]

    def run(self, *args, **how):
        return custody(*self.options, *args, **how)

    def start(self, *args):
        return subprocess.Popen([CUSTODY, *map(str, self.options), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)


def founded(folder, name="L"):
    """A ledger with a case, an officer and two providers with keys of their own."""
    ledger = Ledger(folder / name)
    custody("init", ledger.root, "--name", "Officer Li", "--org", "District Police", "--provider", "Cloud", "--accept-within", "2s")
    ledger.run("case", "open", "C1", "--cause", "fraud")
    ledger.run("case", "open", "C2")
    for who, role in (("Wu", "depositor"), ("Mirror", "provider"), ("Nimbus", "provider")):
        ledger.run("enrol", who, "--role", role, "--key", folder / f"{who}.pem", "-o", folder / f"{who}.request")
        ledger.run("member", "approve", folder / f"{who}.request")
    return ledger


def asks(who, number="D/117", to="Mirror", seconds=86400, **how):
    return who.run("notice", "create", "--to", to, "--number", number, "--basis", "CPL art. 54", "--object", "sign-ins", "--until", until(seconds), "--case", "C1", **how)


def standing(who, number="D/117"):
    return [row["standing"] for row in who.run("notice", "ls", "--json").rows if row["number"] == number]


@test
def each_verb_says_by_an_address_what_it_says_in_the_folder(folder):
    ledger = founded(folder)
    near = ledger.copy(folder / "near")
    small, large = fill(folder / "small.csv", noise(500)), fill(folder / "large.bin", noise(3_000_000, 2))
    bag = fill(folder / "bag/one", noise(90_000, 3)).parent
    fill(bag / "two", b"two\n")
    with Node(ledger) as node:
        far = {k: Far(ledger, node, folder / k, folder / f"{k}.pem") for k in ("Wu", "Mirror")}

        def both(who, *args, code=0, receipts=()):
            """The same verb at the address and in the folder: the same words, and exit code."""
            at = far[who].run(*args, *(("--receipts", folder / "r-far") if receipts is not None else ()), code=None)
            here = near.run("--key", folder / f"{who}.pem", *args, *(("--receipts", folder / "r-near") if receipts is not None else ()), code=None)
            one, two = said(at), said(here)
            assert one[0] == two[0] == code and one[1].replace("r-far", "r-near") == two[1], f"{at}\n{here}"
            return at
        date = "2099-12-31T17:00Z"
        for number in ("D/117", "D/118"):
            both("Wu", "notice", "create", "--to", "Mirror", "--number", number, "--basis", "CPL art. 54", "--object", "sign-ins", "--until", date, "--case", "C1", receipts=None)
        both("Mirror", "notice", "acknowledge", "D/117", receipts=None)
        both("Mirror", "notice", "answer", "D/117", small, "--more")
        both("Mirror", "notice", "answer", "D/117", large, bag)
        both("Mirror", "notice", "refuse", "D/118", "--reason", "not-held", "--note", "kept for 60 days")
        assert far["Wu"].run("notice", "ls").out.replace("  ", " ").count("answered by 3 deposits") == 1
        assert [x.split()[1:] for x in far["Wu"].run("notice", "ls").out.splitlines()] == [x.split()[1:] for x in near.run("notice", "ls").out.splitlines()]
        asks(far["Wu"], "E/1")
        for name, path in (("taken", large), ("declined", small)):
            far["Mirror"].run("claim", path, "--notice", "E/1", "-o", folder / name)
        row = far["Wu"].run("notice", "accept", folder / "taken", "--receipts", folder / "r-far", "--json").row
        assert row["exhibit"] == "C1/4" and row["copies"] == 1, row
        far["Wu"].run("refuse", folder / "declined", "--reason", "incomplete")
        assert [r["reason"] for r in far["Wu"].run("ls", "--refused", "--json").rows] == ["incomplete  notice E/1"]
        for receipt in (folder / "r-far").iterdir():
            if not receipt.name.endswith("manifest"):
                verify("--trust", ledger.trust, receipt)
        for row, path in zip(far["Wu"].run("ls", "--case", "C1", "--json").rows, (small, large)):
            assert row["copies"] == 1, row
            far["Wu"].run("get", row["exhibit"], "-o", folder / "got", "--reason", "look")
            assert (folder / "got").read_bytes() == path.read_bytes()
            (folder / "got").unlink()
        # what is not acknowledged by whom it asks, or not his to answer
        nimbus = Far(ledger, node, folder / "Nimbus", folder / "Nimbus.pem")
        asks(far["Wu"], "D/119")
        assert "asks party" in nimbus.run("notice", "acknowledge", "D/119", code=12).err
        assert "asks somebody else" in nimbus.run("notice", "answer", "D/119", small, code=12).err
        assert "a node takes what answers a notice" in node.curl("/v1/claims", "-H", "content-type: application/cbor", data=plain_claim(ledger, folder))[2].decode()
        asks(far["Wu"], "D/120", seconds=2)
        time.sleep(3)
        for _ in range(100):
            if standing(far["Wu"], "D/120") == ["open, overdue"] and any(r["kind"] == "timeout" for r in far["Wu"].run("trail", "--json").rows):
                break
            time.sleep(0.2)
        assert any(r["kind"] == "timeout" for r in far["Wu"].run("trail", "--json").rows)
    ledger.clean()


def plain_claim(ledger, folder):
    """A claim file of the ledger's own depositor that answers no notice, signed in a copy."""
    copy = ledger.copy(folder / f"copy{len(list(folder.glob('copy*')))}")
    copy.run("claim", fill(folder / "x", b"x"), "-o", folder / "x.claim")
    return (folder / "x.claim").read_bytes()


@test
def a_claim_is_watched_by_the_node_that_it_is_handed_to(folder):
    ledger = founded(folder)
    evidence = fill(folder / "e", noise(100))
    ledger.run("claim", evidence, "-o", folder / "own", "--key", folder / "Wu.pem")
    with Node(ledger) as node:
        wu = Far(ledger, node, folder / "Wu", folder / "Wu.pem")
        row = wu.run("supervise", folder / "own", "--json").row
        wu.run("supervise", folder / "own")  # once is enough
        assert wu.run("supervise", folder / "own").out.startswith("watched: unless its outcome is recorded, a timeout will be after ")
        for _ in range(100):
            late = [r for r in wu.run("trail", "--json").rows if r["kind"] == "timeout"]
            if late:
                break
            time.sleep(0.2)
        assert len(late) == 1 and late[0]["id"] != row["id"], late
        bad = (folder / "own").read_bytes()
        for altered in (bad[:-1], bad.replace(b"custody-claim-file", b"custody-clain-file"), bytes([bad[0]]) + bytes(200)):
            assert node.curl("/v1/supervised", data=altered)[0] in (400, 422), altered
        assert node.curl("/v1/supervised", data=flipped_signature(bad))[0] in (403, 422)
    assert (ledger.root / "outbox/supervised").stat().st_size == 35, "none is watched any more"
    ledger.clean()


def flipped_signature(claim_file):
    """The claim's signature is the last 64 bytes before its salt."""
    at = claim_file.index(b"\x02\x58\x20") - 1
    return claim_file[:at] + bytes([claim_file[at] ^ 1]) + claim_file[at + 1:]


@test
def over_tls_a_provider_sees_what_it_is_asked_and_brings_what_answers_it(folder):
    ledger = founded(folder)
    ledger.run("ca", "init")
    ledger.deposit("--case", "C2", fill(folder / "secret.txt", b"the red car\n"))
    with Node(ledger, "--tls") as node:
        people = {}
        for who in ("Wu", "Mirror", "Nimbus"):
            more = ["--cacert", ledger.root / "tls/ca.pem"]
            role = "depositor" if who == "Wu" else "provider"
            people[who] = Far(ledger, node, folder / who, folder / f"{who}.pem", *more)
            people[who].run("enrol", who, "--role", role, "--certificate", folder / f"{who}.tls")
            people[who].options += ["--cert", folder / f"{who}.tls"]
        wu, mirror, nimbus = people.values()
        asks(wu)
        assert [r["object"] for r in mirror.run("notice", "ls", "--json").rows] == ["sign-ins"] and not nimbus.run("notice", "ls").out
        mirror.run("notice", "acknowledge", "D/117")
        assert nimbus.run("notice", "acknowledge", "D/117", code=10).err
        path = fill(folder / "a.csv", noise(40_000))
        assert nimbus.run("notice", "answer", "D/117", path, code=10).err
        *_, deposit, answer = mirror.run("notice", "answer", "D/117", path, "--json", "--receipts", folder / "r").rows
        assert deposit["exhibit"] == "C1/1" and deposit["copies"] == 1, deposit
        verify("--trust", ledger.trust, answer["receipt"])
        node.client = ["--cacert", ledger.root / "tls/ca.pem", "--cert", folder / "Mirror.tls"]
        assert [c["case"] for c in node.json("/v1/case")["cases"]] == ["C1"]
        for where in ("/v1/case/C2", "/v1/show/C2/1", "/v1/content/C2/1", "/v1/find?q=secret.txt", "/v1/trail"):
            assert b"secret" not in node.curl(where)[2] and b"red car" not in node.curl(where)[2], where
        node.client[-1] = folder / "Nimbus.tls"
        assert node.json("/v1/case")["cases"] == [] and node.curl("/v1/show/C1/1")[0] == 404 and node.curl(f"/v1/claims/{deposit['id']}")[0] == 404
    ledger.clean()


@test
def killed_anywhere_the_same_again_goes_on_and_nothing_stands_twice(folder):
    ledger = founded(folder)
    paths = [fill(folder / "a.bin", noise(9_000_000)), fill(folder / "b.csv", noise(700, 2))]
    node = Node(ledger)
    try:
        wu, mirror = (Far(ledger, node, folder / k, folder / f"{k}.pem") for k in ("Wu", "Mirror"))
        for delay in ((0.03,) if SANITIZED else (0.01, 0.03, 0.06)):
            killed(wu, delay, "notice", "create", "--to", "Mirror", "--number", "D/117", "--basis", "b", "--object", "o", "--until", "2099-12-31", "--case", "C1")
        wu.run("notice", "create", "--to", "Mirror", "--number", "D/117", "--basis", "b", "--object", "o", "--until", "2099-12-31", "--case", "C1")
        assert len(standing(wu)) == 1
        for n, delay in enumerate((0.1, 0.3) if SANITIZED else (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4)):
            killed(mirror, delay, "notice", "answer", "D/117", *paths)
            if n % 3 == 1:  # and the node in between
                node.process.kill()
                node.__exit__(None)
                node = restarted(ledger, node)
        mirror.run("notice", "answer", "D/117", *paths, "--receipts", folder / "r")
        mirror.run("notice", "answer", "D/117", *paths, "--receipts", folder / "r")  # nobody heard of it: it is told once more
        kinds = [r["kind"] for r in wu.run("trail", "--json").rows]
        assert (kinds.count("notice"), kinds.count("answer"), kinds.count("deposit")) == (1, 1, 2), kinds
        assert [r["copies"] for r in wu.run("ls", "--case", "C1", "--json").rows] == [1, 1]
        assert standing(wu) == ["answered by 2 deposits"]
    finally:
        node.__exit__(None)
    ledger.clean()


def restarted(ledger, node):
    """At the same port."""
    again = Node.__new__(Node)
    again.ledger, again.client, again.log, again.url, again.port = ledger, [], node.log, node.url, node.port
    with open(again.log, "ab") as log:
        again.process = subprocess.Popen([CUSTODY, "node", "--ledger", ledger.root, "--listen", f"127.0.0.1:{node.port}"], stdout=subprocess.PIPE, stderr=log, env=ENVIRONMENT)
    line = again.process.stdout.readline().decode()
    assert line.startswith("listening"), line
    return again


def killed(who, delay, *args):
    process = who.start(*args)
    time.sleep(delay)
    process.kill()
    process.communicate()


main()
