#!/usr/bin/env python3
"""The other direction, and what does not come in time: notices, what answers them, refusals and timeouts, each with its receipt."""
import datetime
import time

from custody_test import Ledger, fill, main, noise, test, verify


def until(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def asks(ledger, number="D/117", seconds=86400, *more, **how):
    return ledger.run("notice", "create", "--to", "Cloud", "--number", number, "--basis", "CPL art. 54", "--object", "sign-ins of li.si", "--until",
                      until(seconds), *more, "--json", **how)


def founded(folder, *more):
    ledger = Ledger(folder / "L")
    ledger.run("init", ledger.root, "--name", "Officer Li", "--org", "District Police", "--provider", "Cloud", *more, env={"CUSTODY_LEDGER": ""})
    ledger.run("case", "open", "C1")
    return ledger


def standing(ledger, number="D/117"):
    return next(row for row in ledger.run("notice", "ls", "--json").rows if row["number"] == number)


def judged(ledger, receipt, code=0):
    report = verify("--trust", ledger.trust, receipt, "--json", code=code).row
    return report, {(c["check"], c["verdict"]): c["text"] for c in report["checks"]}


@test
def a_notice_is_asked_acknowledged_and_answered_and_one_receipt_shows_it(folder):
    ledger = founded(folder)
    notice = asks(ledger, "D/117", 86400, "--span", "August", "--case", "C1").row
    assert standing(ledger)["standing"] == "open" and standing(ledger)["to"] == "Cloud"
    ledger.run("notice", "acknowledge", "D/117")
    assert standing(ledger)["standing"] == "acknowledged"
    assert "was acknowledged at position" in ledger.run("notice", "acknowledge", notice["id"][:8], code=None).err
    first = ledger.run("notice", "answer", "D/117", fill(folder / "a.csv", noise(500)), "--more", "--json").row
    assert standing(ledger)["standing"] == "acknowledged, 1 deposits so far"
    *_, second, answer = ledger.run("notice", "answer", "D/117", fill(folder / "b.csv", noise(90000)), "--json").rows
    assert (first["exhibit"], second["exhibit"]) == ("C1/1", "C1/2") and second["serial"] == 2, (first, second)
    row = standing(ledger)
    assert row["standing"] == "answered by 2 deposits" and row["deposits"] == 2 and "answered" in row, row
    report, lines = judged(ledger, answer["receipt"])
    assert report["kind"] == "answer" and "a provider's answer to a notice; signed by Cloud" in report["statement_en"], report
    assert "District Police) asks party" in lines["notice", "PASS"] and ("due", "NOTE") in lines, lines
    statements = [c["text"] for c in report["checks"] if c["check"] == "statement"]
    assert any("answer statement is signed by party 2 (Cloud)" in s for s in statements) and any("notice statement is signed by party 3 (Officer Li)" in s for s in statements)
    for row, file in ((first, "a.csv"), (second, "b.csv")):
        report = verify("--trust", ledger.trust, row["receipt"], folder / file, "--json").row
        assert "signed by the provider Cloud and by its receiver District Police" in report["statement_en"], report
    ledger.run("receipt", notice["id"], "-o", folder / "notice.tlog-proof")
    report, lines = judged(ledger, folder / "notice.tlog-proof")
    assert "a notice by which a provider is asked for data, in the case C1" in report["statement_en"], report
    assert ledger.run("notice", "answer", "D/117", code=None).code != 0
    ledger.run("certificate", "C1", "-o", folder / "c.html")
    paper = (folder / "c.html").read_text(encoding="utf-8")
    for words in ("D/117", "Asked by", "Acknowledged by", "Answered by", "2 deposits, this one among them", "To be answered by"):
        assert paper.count(words) >= 2, words  # of each exhibit
    ledger.run("export", "C1", "-o", folder / "bag", "--to", "Court", "--reason", "trial")
    assert [p.name for p in (folder / "bag/receipts").glob("*answer*")] == ["C1-1-answer.tlog-proof"]
    assert judged(ledger, folder / "bag/receipts/C1-1-answer.tlog-proof")[0]["kind"] == "answer"
    verify("--trust", ledger.trust, folder / "bag")
    ledger.run("reindex")
    ledger.clean()


@test
def trail_and_show_tell_of_it(folder):
    ledger = founded(folder)
    notice = asks(ledger, "D/117", 86400, "--case", "C1").row
    ledger.run("notice", "acknowledge", "D/117")
    ledger.run("notice", "answer", "D/117", fill(folder / "a", b"x"))
    trail = ledger.run("trail").out
    for words in ("notice     C1", "acknowledge", "notice D/117", "answer", "1 deposit"):
        assert words in trail, (words, trail)
    kinds = [row["kind"] for row in ledger.run("trail", notice["id"], "--json").rows]
    assert [k for k in kinds if k not in ("case", "incident")] == ["notice", "acknowledge", "deposit", "answer"], kinds
    kinds = [row["kind"] for row in ledger.run("trail", "C1/1", "--json").rows]
    assert kinds == ["case", "notice", "deposit", "stored"], kinds
    shown = ledger.run("show", "D/117").out
    for words in ("sign-ins of li.si", "CPL art. 54", "asks", "Cloud", "acknowledge", "answer"):
        assert words in shown, (words, shown)
    assert "notice D/117" in ledger.run("show", "C1/1").out
    status = ledger.run("status").out
    assert "notices 1" in status, status


@test
def a_notice_is_refused_with_a_reason_and_may_be_answered_later(folder):
    ledger = founded(folder)
    asks(ledger)
    answer = ledger.run("notice", "refuse", "D/117", code=1)
    assert "--reason" in answer.err
    refused = ledger.run("notice", "refuse", "D/117", "--reason", "not-held", "--note", "kept for 60 days", "--json").row
    report, _ = judged(ledger, refused["receipt"])
    assert report["kind"] == "answer"
    assert standing(ledger)["standing"] == "refused: not-held"
    assert "not-held" in ledger.run("trail").out and "kept for 60 days" in ledger.run("trail").out
    ledger.run("notice", "answer", "D/117", fill(folder / "late", b"found after all"))
    assert standing(ledger)["standing"] == "answered by 1 deposit"
    answer = ledger.run("notice", "refuse", "D/117", "--reason", "no-basis", code=1)
    assert "what is held cannot be refused any more" in answer.err
    ledger.clean()


@test
def a_passed_deadline_is_recorded_by_whoever_writes_next(folder):
    ledger = founded(folder)
    notice = asks(ledger, "D/117", 2).row
    asks(ledger, "D/118")
    time.sleep(3)
    assert standing(ledger)["standing"] == "open, overdue" and "timed_out" not in standing(ledger)
    answer = ledger.run("case", "open", "C2")
    assert "1 timeout is recorded now" in answer.err, answer
    assert "timed_out" in standing(ledger) and standing(ledger, "D/118")["standing"] == "open"
    assert "timeout" not in ledger.run("case", "open", "C3").err
    late = [row for row in ledger.run("trail", "--json").rows if row["kind"] == "timeout"]
    assert len(late) == 1, late
    ledger.run("receipt", late[0]["id"], "-o", folder / "late.tlog-proof")
    report, lines = judged(ledger, folder / "late.tlog-proof")
    assert ("deadline", "PASS") in lines and ("notice", "PASS") in lines, lines
    ledger.run("notice", "answer", notice["id"], fill(folder / "a", b"x"))
    assert standing(ledger)["standing"] == "answered by 1 deposit, late"
    ledger.clean()


@test
def a_claim_is_refused_shows_in_the_operators_list_and_a_deposit_outranks_it(folder):
    ledger = founded(folder)
    evidence = fill(folder / "e", noise(4000))
    ledger.run("claim", evidence, "-o", folder / "c")
    ledger.run("refuse", folder / "c", "--reason", "because", code=1)
    refusal = ledger.run("refuse", folder / "c", "--reason", "damaged", "--json").row
    row = ledger.run("ls", "--refused", "--json").row
    assert (row["kind"], row["serial"], row["reason"], row["claim"]) == ("refusal", 1, "damaged", refusal["id"]) and row["exhibit"] is None, row
    assert "e" not in row.values() and "refusals 1" in ledger.run("status").out
    assert "serial 1  damaged" in ledger.run("trail").out
    assert [r["reason"] for r in ledger.run("trail", "--json").rows if r["kind"] == "refusal"] == ["damaged"]
    ledger.run("receipt", refusal["id"], "-o", folder / "refusal.tlog-proof")
    assert judged(ledger, folder / "refusal.tlog-proof")[0]["kind"] == "refusal"
    shown = ledger.run("show", refusal["id"]).out
    assert "damaged" in shown and "said by           Cloud" in shown and "claimed by        Officer Li" in shown, shown
    ledger.run("refuse", folder / "c", "--reason", "damaged", "--json")  # again: the same answer
    ledger.run("deposit", "--claim", folder / "c")
    assert ledger.run("ls", "--refused", "--json").row["exhibit"] == "unfiled/1"
    assert ledger.run("show", refusal["id"], "--json").row["kind"] == "deposit"
    answer = ledger.run("refuse", folder / "c", "--reason", "damaged", code=None)
    assert answer.code != 0 and "settled" in answer.err, answer
    ledger.clean()


@test
def a_claim_that_nobody_accepts_times_out_when_it_is_watched(folder):
    ledger = founded(folder, "--accept-within", "2s")
    evidence = fill(folder / "e", noise(100))
    for name in "cd":
        ledger.run("claim", evidence, "-o", folder / name)
    assert "due" in ledger.run("supervise", folder / "c", "--json").row
    ledger.run("supervise", folder / "c")  # once is enough
    assert "timeout" not in ledger.run("case", "open", "C2").err
    time.sleep(3)
    assert "1 timeout is recorded now" in ledger.run("case", "open", "C3").err
    row = ledger.run("ls", "--refused", "--json").row
    assert (row["kind"], row["serial"], row["exhibit"]) == ("timeout", 1, None), row
    late = [r for r in ledger.run("trail", "--json").rows if r["kind"] == "timeout"]
    ledger.run("receipt", late[0]["id"], "-o", folder / "late.tlog-proof")
    report, lines = judged(ledger, folder / "late.tlog-proof")
    assert ("deadline", "PASS") in lines and "2 entries" not in report["statement_en"], lines
    assert any("claim statement is signed by party 3 (Officer Li)" in c["text"] for c in report["checks"]), report
    ledger.run("deposit", "--claim", folder / "c")  # late, and recorded
    assert ledger.run("ls", "--refused", "--json").row["exhibit"] == "unfiled/1"
    watched = ledger.root / "outbox/supervised"
    assert watched.stat().st_size == 35, "none is watched any more"
    ledger.run("supervise", folder / "d")
    ledger.run("deposit", "--claim", folder / "d")
    time.sleep(3)
    assert "timeout" not in ledger.run("case", "open", "C4").err  # it was accepted
    ledger.clean()
    watched.write_bytes(watched.read_bytes()[:-1] + b"\1")
    answer = ledger.run("supervise", folder / "c", code=None)
    assert answer.code != 0 and "outbox/supervised is damaged" in answer.err, answer
    ledger.run("case", "open", "C5")  # nobody else has to wait for it
    findings = ledger.run("check", "--json", code=2).rows[-1]["findings"]
    assert [f["where"] for f in findings] == ["outbox/supervised"], findings
    ledger.run("check", "--repair", code=None)
    ledger.run("supervise", folder / "c")
    ledger.clean()


@test
def a_provider_elsewhere_signs_and_who_asked_accepts(folder):
    ledger = founded(folder)
    asks(ledger, "D/117", 86400, "--case", "C1")
    found = fill(folder / "found", noise(70000))
    ledger.run("claim", found, "--notice", "D/117", "-o", folder / "c")
    ledger.run("refuse", folder / "c", "--reason", "incomplete")  # who asked declines,
    row = ledger.run("notice", "accept", folder / "c", "--json").row  # and takes it after all
    assert row["exhibit"] == "C1/1", row
    report, lines = judged(ledger, row["receipt"])
    assert "a deposit by which a provider answers a notice" in report["statement_en"], report
    ledger.run("notice", "answer", "D/117")
    assert standing(ledger)["standing"] == "answered by 1 deposit"
    other = Ledger.new(folder / "other")
    other.run("supervise", folder / "c", code=None)
    assert not (other.root / "outbox/supervised").exists()
    ledger.clean()


@test
def a_providers_member_answers_with_a_key_of_his_own(folder):
    ledger = founded(folder)
    ledger.run("enrol", "Mirror", "--role", "provider", "--key", folder / "mirror.pem", "-o", folder / "request")
    ledger.run("member", "approve", folder / "request")
    ledger.run("notice", "create", "--to", "Mirror", "--number", "1", "--basis", "b", "--object", "o", "--until", until(900))
    notice = ledger.run("notice", "ls", "--json").row
    answer = ledger.run("notice", "acknowledge", notice["id"], code=None)
    assert answer.code != 0 and "asks party 4" in answer.err, answer
    mine = "--key", folder / "mirror.pem"
    ledger.run(*mine, "notice", "acknowledge", notice["id"])
    *_, deposit, _ = ledger.run(*mine, "notice", "answer", notice["id"], fill(folder / "a", b"y"), "--json").rows
    report, _ = judged(ledger, deposit["receipt"])
    assert "signed by the provider Mirror and by its receiver District Police" in report["statement_en"], report
    answer = ledger.run(*mine, "deposit", folder / "a", code=None)
    assert answer.code != 0 and "may not sign a claim" in answer.err, answer
    ledger.clean()


@test
def what_cannot_be_asked_is_refused_before_anything_is_recorded(folder):
    ledger = founded(folder)
    size = ledger.run("status", "--json").row["entries"]
    good = {"--to": "Cloud", "--number": "1", "--basis": "b", "--object": "o", "--until": until(900)}
    for change, words in (({"--to": "Nimbus"}, "no provider"), ({"--to": "District Police"}, "no provider"), ({"--until": "2020-01-01"}, "has passed already"),
                          ({"--until": "soon"}, "a time is written"), ({"--until": "2026-13-01"}, "a time is written"), ({"--until": "2099-01-01T10"}, "a time is written"),
                          ({"--until": "2099-01-01T10:00+1"}, "a time is written"), ({"--case": "C9"}, "no case"), ({"--number": "n" * 129}, ""), ({"--basis": None}, "--basis is missing")):
        answer = ledger.run("notice", "create", *(part for k, v in {**good, **change}.items() if v for part in (k, v)), code=None)
        assert answer.code != 0 and words in answer.err, (change, answer)
    for verb in (("acknowledge", "D/9"), ("answer", "D/9", folder / "x"), ("refuse", "D/9", "--reason", "lost"), ("acknowledge", "C1/1")):
        assert ledger.run("notice", *verb, code=None).code == 10, verb
    assert ledger.run("notice", "acknowledge", ledger.run("trail", "--json").rows[-1]["id"], code=1).err
    assert ledger.run("status", "--json").row["entries"] == size


main()
