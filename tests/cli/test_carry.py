#!/usr/bin/env python3
"""Writing to a ledger by its node's address: the same words and exit codes as on its folder, with nothing but the member's own key here."""
from custody_test import custody, fill, main, noise, test
from node_test import Node
from officer import Officer, said, with_members


@test
def what_writing_verbs_say_by_the_address_is_what_they_say_on_the_folder(folder):
    ledger, officer, administrator = with_members(folder, "C1")
    ledger.deposit("--case", "C1", fill(folder / "a", b"a\n"))
    near = ledger.copy(folder / "near")
    custody("enrol", "Court", "--role", "reader", "--trust", ledger.trust, "--key", folder / "court.pem", "-o", folder / "court.request")
    custody("enrol", "Officer Wu", "--trust", ledger.trust, "--key", folder / "new.pem", "-o", folder / "new.request")
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    verbs = [(officer, ["case", "open", "C2", "--number", "7", "--cause", "theft"]), (officer, ["case", "open", "c2"]), (officer, ["case", "open", "C3", "--json"]),
             (officer, ["correct", "C1/1", "--text", "it was a lorry"]), (officer, ["correct", "C1/9", "--text", "no"]),
             (officer, ["claim", folder / "a", "--case", "C2", "-o", folder / "claim"]), (officer, ["void", "1", "--reason", "not needed", "--json"]),
             (officer, ["void", "7", "--reason", "never signed"]), (officer, ["inventory", "C1", "-o", folder / "inventory"]), (officer, ["inventory", "C9"]),
             (officer, ["member", "approve", folder / "court.request"]), (administrator, ["member", "approve", folder / "court.request"]),
             (administrator, ["member", "rotate", folder / "new.request", "--json"]), (administrator, ["member", "revoke", "Court"]), (officer, ["case", "open", "C4"]), (folder / "new.pem", ["case", "open", "C5"])]
    with Node(ledger) as node:
        Officer(folder, node.url, officer).pin(ledger)
        for key, verb in verbs:
            far = Officer(folder, node.url, key).run(*verb, code=None)
            here = near.run("--key", key, *verb, code=None)
            assert said(far) == said(here), f"{here}\n---- and by its address\n{far}"
        case = Officer(folder, node.url, folder / "new.pem").run("case", "open", "C6", "--json").row
        assert node.get(f"/v1/receipt/{case['id']}").startswith(b"c2sp.org/tlog-proof")
        assert custody("verify", "--trust", ledger.trust, folder / "inventory").code == 0
        for verb, why in ((["check"], "where it lies"), (["witness", "key"], "where its folder lies"), (["ca", "init"], "custody enrol")):
            assert why in Officer(folder, node.url, officer).run(*verb, code=1).error
        assert "enter it there" in Officer(folder, node.url, administrator).run("member", "add", "Library", "--recipient", recipient, code=12).error
        assert "--key" in custody("--ledger", node.url, "--state", folder / "state", "case", "open", "C8", code=12).error
        assert "give --provider" in Officer(folder, node.url, folder / "new.pem").run("deposit", folder / "a", code=1).error
    ledger.clean()


@test
def a_claim_is_signed_while_nobody_answers(folder):
    ledger, officer, _ = with_members(folder, "C1")
    fill(folder / "a", noise(1000))
    with Node(ledger) as node:
        wu = Officer(folder, node.url, officer).pin(ledger)
    answer = wu.run("claim", folder / "a", "--case", "C1", "-o", folder / "claim")
    assert "cannot be reached" in answer.err, answer
    assert "cannot be reached" not in wu.run("claim", folder / "a", "--case", "C7", "-o", folder / "claim", code=10).error
    row = ledger.deposit("--claim", folder / "claim")[0]
    assert row["exhibit"] == "C1/1" and row["serial"] == 1, row
    assert "can be reached" in wu.run("case", "open", "C2", code=1).error


if __name__ == "__main__":
    main()
