#!/usr/bin/env python3
"""Members at the command line: readers and sealing keys, and those who sign with keys of their own: added, listed, replaced, revoked; and that
the ledger stays whole with them."""
import subprocess

from custody_test import Ledger, call, fill, main, noise, test, verify

KEYS = ["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]


def members(ledger):
    return {row["name"]: row for row in ledger.run("member", "ls", "--json").rows}


@test
def a_reader_is_added_replaced_and_revoked(folder):
    ledger = Ledger.new(folder / "L", "C1")
    before = members(ledger)
    assert sorted(row["role"] for row in before.values()) == ["depositor", "organisation", "provider"], before
    assert not any("recipient" in row for row in before.values()), before
    row = ledger.run("member", "add", "District Court", "--recipient", KEYS[0], "--note", "by letter", "--json").row
    assert row["party"] == 4, row
    court = members(ledger)["District Court"]
    court.pop("keys")
    assert court == {"party": 4, "role": "reader", "organisation": 1, "name": "District Court", "recipient": KEYS[0]}, court
    ledger.run("member", "add", "District Court", "--recipient", KEYS[1])
    assert members(ledger)["District Court"]["recipient"] == KEYS[1]
    ledger.run("member", "revoke", "District Court", "--note", "lost", "--compromised-since", "3")
    assert "recipient" not in members(ledger)["District Court"]
    answer = ledger.run("member", "revoke", "District Court", "--only", "sealing", code=10)
    assert "nothing was recorded" in answer.err, answer
    ledger.clean()


@test
def a_party_of_the_genesis_gets_a_sealing_key_by_its_own(folder):
    ledger = Ledger.new(folder / "L")
    officer = next(row for row in members(ledger).values() if row["role"] == "depositor")
    row = ledger.run("member", "add", officer["name"], "--recipient", KEYS[0], "--json").row
    assert row["party"] == officer["party"], row
    assert members(ledger)[officer["name"]]["recipient"] == KEYS[0]
    answer = ledger.run("member", "add", "Reader", "--recipient", KEYS[0], code=4)
    assert "listed already" in answer.err, answer
    (ledger.root / "keys/depositor.pem").rename(folder / "away.pem")
    answer = ledger.run("member", "add", officer["name"], "--recipient", KEYS[1], code=12)
    assert "vouch" in answer.err, answer


@test
def a_key_that_nothing_can_be_sealed_for_is_refused_before_anything_is_recorded(folder):
    ledger = Ledger.new(folder / "L")
    size = ledger.run("status", "--json").row
    for key in (KEYS[0][:-1] + "q", KEYS[0].upper(), "age1", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"):
        ledger.run("member", "add", "Court", "--recipient", key, code=2)
    ledger.run("member", "add", "Court", code=1)
    assert ledger.run("status", "--json").row == size


@test
def a_ledger_with_members_is_rebuilt_and_proves_as_before(folder):
    ledger = Ledger.new(folder / "L", "C1")
    row = ledger.run("member", "add", "Court", "--recipient", KEYS[0], "--json").row
    deposit = ledger.deposit("--case", "C1", fill(folder / "a", noise(5000)))[0]
    ledger.run("receipt", row["id"], "-o", folder / "member.tlog-proof")
    for receipt in (folder / "member.tlog-proof", deposit["receipt"]):
        answer = verify("--trust", ledger.trust, receipt)
        assert "integrity  PASS" in answer.out and "signer     PASS" in answer.out, answer
    ledger.run("reindex")
    assert members(ledger)["Court"]["recipient"] == KEYS[0]
    assert "member" in ledger.run("trail").out
    ledger.clean()


def enrolled(ledger, folder, name, file, *more, key=None, verb="approve"):
    """Somebody makes a key and a request, and is entered by the organisation or by whoever holds `key`."""
    asked = ledger.run("enrol", name, "--key", folder / f"{file}.pem", "-o", folder / f"{file}.request", *more, "--json").row
    ledger.run(*(("--key", key) if key else ()), "member", verb, folder / f"{file}.request", "--fingerprint", asked["kid"][:16])
    return folder / f"{file}.pem"


def judged(ledger, receipt, code=0):
    return verify("--trust", ledger.trust, receipt, "--json", code=code).row


@test
def a_second_officer_deposits_with_a_key_of_his_own(folder):
    ledger = Ledger.new(folder / "L", "C1")
    evidence = [fill(folder / f"f{i}", noise(3000)) for i in range(4)]
    ledger.deposit("--case", "C1", evidence[0])
    ledger.run("enrol", "Officer Wang", "--key", folder / "wang.pem", "-o", folder / "wang.request")
    assert (folder / "wang.pem").stat().st_mode & 0o777 == 0o600
    answer = ledger.run("--key", folder / "wang.pem", "deposit", "--case", "C1", evidence[1], code=4)
    assert "nothing was signed" in answer.err, answer
    ledger.run("member", "approve", folder / "wang.request", "--fingerprint", "0" * 16, code=2)
    ledger.run("member", "approve", folder / "wang.request")
    row = ledger.run("--key", folder / "wang.pem", "deposit", "--case", "C1", evidence[1], "--json").rows[-1]
    assert row["serial"] == 1 and row["exhibit"] == "C1/2", row
    report = judged(ledger, row["receipt"])
    assert report["verdicts"]["signer"]["verdict"] == "PASS" and "Officer Wang" in report["statement_en"], report
    assert [c["verdict"] for c in report["checks"] if c["check"] == "member"] == ["PASS"], report
    ledger.run("reindex")
    ledger.clean()


@test
def a_key_is_rotated_by_an_administrator_and_what_it_signed_stands(folder):
    ledger = Ledger.new(folder / "L", "C1")
    chief = enrolled(ledger, folder, "Chief", "chief", "--role", "administrator")
    first = enrolled(ledger, folder, "Officer Wang", "wang", key=chief)
    row = ledger.run("--key", first, "deposit", "--case", "C1", fill(folder / "a", noise(900)), "--json").rows[-1]
    answer = ledger.run("--key", chief, "deposit", "--case", "C1", fill(folder / "b", noise(900)), code=12)
    assert "may not sign" in answer.err and "nothing was signed" in answer.err, answer
    second = enrolled(ledger, folder, "Officer Wang", "wang2", key=chief, verb="rotate")
    answer = ledger.run("--key", first, "deposit", "--case", "C1", folder / "b", code=4)
    assert "revoked" in answer.err, answer
    ledger.run("--key", second, "deposit", "--case", "C1", folder / "b")
    ledger.run("receipt", "C1/1", "-o", folder / "again")
    assert judged(ledger, folder / "again")["verdicts"]["signer"]["verdict"] == "PASS"
    assert judged(ledger, row["receipt"])["verdicts"]["signer"]["verdict"] == "PASS"
    ledger.run("member", "revoke", "Officer Wang", "--compromised-since", "5")
    ledger.run("receipt", "C1/2", "-o", folder / "disputed")
    report = judged(ledger, folder / "disputed", code=4)
    assert report["status"] == "DISPUTED" and report["verdicts"]["integrity"]["verdict"] == "PASS", report
    ledger.run("receipt", "C1/1", "-o", folder / "again")
    assert judged(ledger, folder / "again")["verdicts"]["signer"]["verdict"] == "PASS"
    ledger.clean()


@test
def a_request_is_for_one_ledger_and_one_name(folder):
    ledger, other = Ledger.new(folder / "L"), Ledger.new(folder / "M")
    ledger.run("enrol", "Officer Wang", "--key", folder / "wang.pem", "-o", folder / "wang.request", "--trust", ledger.trust)
    answer = ledger.run("enrol", "Officer Wang", "--key", folder / "wang.pem", "-o", folder / "other.request", code=12)
    assert "no key was made" in answer.err, answer
    other.run("member", "approve", folder / "wang.request", code=1)
    ledger.run("member", "rotate", folder / "wang.request", code=10)
    ledger.run("member", "approve", folder / "wang.request")
    data = bytearray((folder / "wang.request").read_bytes())
    data[-1] ^= 1
    (folder / "bad.request").write_bytes(data)
    ledger.run("member", "rotate", folder / "bad.request", code=4)
    ledger.clean()


main()
