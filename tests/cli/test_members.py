#!/usr/bin/env python3
"""Members at the command line: readers and sealing keys, added, listed, replaced, revoked; and that the ledger stays whole with them."""
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
    assert court == {"party": 4, "role": "reader", "organisation": 1, "name": "District Court", "recipient": KEYS[0]}, court
    ledger.run("member", "add", "District Court", "--recipient", KEYS[1])
    assert members(ledger)["District Court"]["recipient"] == KEYS[1]
    ledger.run("member", "revoke", "District Court", "--note", "lost", "--compromised-since", "3")
    assert "recipient" not in members(ledger)["District Court"]
    answer = ledger.run("member", "revoke", "District Court", code=10)
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


main()
