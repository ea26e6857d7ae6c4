#!/usr/bin/env python3
"""Evidence of some profiles is taken sealed alone: the client says so before a byte is read, the provider before it takes the claim, the ledger
whatever a client did, and whoever verifies."""
import subprocess

from custody_test import Ledger, custody, fill, main, noise, test, verify
from node_test import SIGN, Node
from officer import Officer
from provider_world import Provider

CBOR = ["-H", "Content-Type: application/cbor"]
FORM = b"""case-number: 117
cause: theft
collected: 2026-09-21 14:05 +08:00
place: Nanshan
method: copied behind a write blocker
process: imaged
category: photo
format: JPEG
original: yes
collectors: Zhang San
collectors: Li Si
holder name: Wang Wu
"""


def ledger_that_asks(folder, *what):
    custody("init", folder / "L", "--must-seal", ",".join(what))
    ledger = Ledger(folder / "L")
    ledger.run("case", "open", "C1")
    key = folder / "Court.key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    ledger.run("member", "add", "Court", "--recipient", subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True).stdout.decode().strip())
    return ledger


def parts(record):
    """The byte strings of [entry, salt, details, content], and the claim within the entry."""
    def item(at):
        more = record[at] & 31
        n, at = (more, at + 1) if more < 24 else (record[at + 1], at + 2) if more == 24 else (int.from_bytes(record[at + 1:at + 3], "big"), at + 3)
        return record[at:at + n], at + n
    found, at = [], 1
    while at < len(record):
        one, at = item(at)
        found.append(one)
    entry = found[0]
    at = entry.index(b"\xa3\x01\x59") + 2  # payload: a map of three, of which 1 is the claim
    return entry[at + 3:at + 3 + int.from_bytes(entry[at + 1:at + 3], "big")], found[1], found[2]


def claim_file(record):
    claim, salt, details = parts(record)
    head = lambda n: bytes([0x58, n]) if n < 256 else b"\x59" + n.to_bytes(2, "big")
    typ = b"application/custody-claim-file+cbor"
    return b"\xa5\x00\x78" + bytes([len(typ)]) + typ + b"\x01" + head(len(claim)) + claim + b"\x02\x58\x20" + salt + b"\x03" + head(len(details)) + details + b"\x04\x40"


@test
def a_client_refuses_before_it_reads_and_takes_what_is_sealed(folder):
    ledger = ledger_that_asks(folder, "police-collection")
    photo, form = fill(folder / "photo.jpg", noise(100_000)), fill(folder / "form", FORM)
    collected = ["--case", "C1", "--profile", "police-collection", "--details", form]
    before = ledger.files("node") + ledger.files("cloud")
    answer = ledger.run("deposit", *collected, photo, code=12)
    assert "the profile police-collection is sealed, and this is not" in answer.err and "--seal --to MEMBER" in answer.err and "no byte" in answer.err, answer
    assert ledger.files("node") + ledger.files("cloud") == before, "something was kept of it"
    assert "is sealed, and this is not" in ledger.run("claim", *collected, photo, "-o", folder / "claim", code=12).err
    ledger.deposit("--case", "C1", photo)  # of another profile
    row = ledger.deposit("--seal", "--to", "Court", *collected, photo)[0]
    assert "Court" in row["sealed_for"]
    verify("--trust", ledger.trust, row["receipt"])
    ledger.clean()
    custody("init", folder / "N", "--must-seal", "photo", code=1), custody("init", folder / "N", "--must-seal", "plain:three", code=1)


@test
def what_takes_two_to_open_is_asked_for_too(folder):
    ledger = ledger_that_asks(folder, "plain:two")
    answer = ledger.run("deposit", "--seal", "--to", "Court", "--case", "C1", fill(folder / "a", b"a"), code=12)
    assert "so that it takes two to open it" in answer.err and "--and MEMBER" in answer.err, answer
    row = ledger.deposit("--seal", "--and", "Court", "--case", "C1", folder / "a")[0]
    assert "together with Court" in row["sealed_for"]


@test
def whatever_a_client_did_the_ledger_and_the_provider_refuse_what_lies_open(folder):
    ledger = ledger_that_asks(folder, "plain")
    Provider.make(folder / "P", ledger)
    record = subprocess.run([SIGN, ledger.root, "C1", "1", "1"], check=True, capture_output=True).stdout
    with Node(ledger) as node, Provider(folder / "P", node) as provider:
        status, _, body = node.curl("/v1/submit", *CBOR, data=record)
        assert b"NOT_ALLOWED" in body and b"asks that evidence of the profile plain is sealed" in body, (status, body)
        problem = provider.claim(fill(folder / "open.claim", claim_file(record)), code=403)
        assert "is sealed, and this is not" in problem["detail"], problem
        officer = Officer(folder, node.url, ledger.root / "keys/depositor.pem", "--provider", provider.url).pin(ledger)
        answer = officer.deposit("--case", "C1", fill(folder / "a", noise(50_000)), code=12)
        assert "no byte of it left" in answer.err, answer
        assert '"POST"' not in provider.log.read_text().split("403")[-1], "the client asked the provider"
        officer.deposit("--seal", "--to", "Court", "--to-others-only", "--case", "C1", "--no-wait", folder / "a", code=3)
    assert len(ledger.run("ls", "--case", "C1", "--json").rows) == 1
    assert not [r for r in ledger.run("trail", "--json").rows if r["kind"] == "refusal"]


if __name__ == "__main__":
    main()
