#!/usr/bin/env python3
"""What the organisations decide, at the command line, in a ledger of one: it decides at once. A new log key begins an epoch of the trust file, and what was handed out before stays good."""
from custody_test import Ledger, main, test, verify


def propose(ledger, *args, **how):
    return ledger.run("network", "propose", *args, **how)


@test
def a_new_log_key_begins_an_epoch_and_receipts_of_both_stay_good(folder):
    ledger = Ledger.new(folder / "L", "C1")
    (folder / "a").write_bytes(b"before")
    (folder / "b").write_bytes(b"after")
    ledger.deposit(folder / "a", "--case", "C1")
    before = ledger.trust.read_bytes()
    row = propose(ledger, "log-key", "--note", "yearly", "--json").row
    assert row["effective"] and len(row["id"]) == 64, row
    now = ledger.trust.read_text()
    assert now.count("epoch ") == 2 and now.count("log ") == 2, now
    ledger.deposit(folder / "b", "--case", "C1")
    assert ledger.trust.read_text() == now
    old, new = (ledger.root / "receipts" / f"C1-{n}.tlog-proof" for n in (1, 2))
    (folder / "old.trust").write_bytes(before)
    for program in (verify, lambda *args, **how: ledger.run("verify", *args, **how)):
        program("--trust", ledger.trust, old, folder / "a")
        program("--trust", ledger.trust, new, folder / "b")
        program("--trust", folder / "old.trust", old, folder / "a")
        answer = program("--trust", folder / "old.trust", new, folder / "b", code=4)
        assert "not signed as the trust file demands" in answer.out, answer
    again = ledger.run("receipt", "C1/1", "-o", folder / "again").out, verify("--trust", ledger.trust, folder / "again")
    assert again
    vkey = (ledger.root / "trust/log.vkey").read_text().strip()
    assert vkey in now.split("epoch ")[2] and vkey in (ledger.root / "trust/policy").read_text()
    propose(ledger, "log-key")
    ledger.run("case", "open", "C2")
    assert ledger.trust.read_text().count("epoch ") == 3
    ledger.run("reindex")
    ledger.clean()


@test
def what_nobody_could_meet_is_not_proposed(folder):
    ledger = Ledger.new(folder / "L")
    size = ledger.run("status", "--json").row["entries"]
    for args, code, words in ((("policy", "--cosigners", "1"), 12, "of which 0 cosign"), (("policy", "--copies", "2"), 12, "must ask for less"),
                              (("leave", ledger.run("member", "ls", "--json").rows[0]["name"]), 12, "no organisation would be left"),
                              (("leave", "Nobody"), 10, "nothing was recorded"), (("policy", "--rules", "3", "--height", "1000000"), 1, "the next is 2"),
                              (("policy",), 1, "say what is to change"), (("policy", "--rules", "2"), 1, "begin at a height"), (("depart",), 1, "what is proposed")):
        answer = propose(ledger, *args, code=code)
        assert words in answer.err, answer
    assert ledger.run("status", "--json").row["entries"] == size
    assert "no proposal is open" in ledger.run("network", "proposals").err
    answer = ledger.run("network", "approve", "0123abcd", code=10)
    assert "no such proposal is open" in answer.err, answer


@test
def a_policy_that_asks_for_less_holds_from_then_on(folder):
    ledger = Ledger.new(folder / "L", "C1")
    row = propose(ledger, "policy", "--copies", "0", "--mandatory", "", "--json").row
    assert row["effective"], row
    (folder / "a").write_bytes(b"x" * 100000)
    assert ledger.deposit(folder / "a", "--case", "C1")[0]["required"] == 0
    answer = verify("--trust", ledger.trust, ledger.root / "receipts/C1-1.tlog-proof", folder / "a")
    assert "proposes a change" in answer.out and "approves of the proposal" in answer.out, answer
    for id_ in (row["id"], next(r["id"] for r in ledger.run("trail", "--json").rows if r.get("kind") == "approve")):
        ledger.run("receipt", id_, "-o", folder / "r")
        verify("--trust", ledger.trust, folder / "r")
    ledger.clean()


main()
