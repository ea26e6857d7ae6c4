#!/usr/bin/env python3
"""A chain of trust at the command line: who has the network id alone, or an older trust file, comes to the ledger's own of today; an altered chain leads nowhere, a cut one to an older file."""
from custody_test import SANITIZED, Ledger, call, CUSTODY, fill, main, test, verify
from node_test import Node


def follow(folder, chain, *args, code=0):
    out = folder / "followed.trust"
    out.unlink(missing_ok=True)
    answer = call([CUSTODY, "trust", "follow", chain, "-o", out, *args], code=code)
    assert (code == 0) == out.exists(), "a trust file was written of what was refused"
    return out.read_text() if code == 0 else answer.error


def rotated(folder, times):
    """A ledger whose log key changed so often; its trust files, network id and chain, each as of so many changes."""
    ledger = Ledger.new(folder / "L", "C1")
    trust, chains = [ledger.trust.read_text()], []
    for n in range(times + 1):
        if n:
            ledger.run("network", "propose", "log-key")
            trust.append(ledger.trust.read_text())
        ledger.run("case", "open", f"D{n}")
        chains.append(folder / f"chain-{n}")
        row = ledger.run("trust", "chain", "-o", chains[-1], "--json").row
        assert row["changes"] == n and row["epochs"] == n + 1, row
    return ledger, trust, row, chains


@test
def the_network_id_alone_leads_to_the_trust_file_of_today(folder):
    ledger, trust, row, chains = rotated(folder, 3)
    (folder / "a").write_bytes(b"evidence")
    ledger.deposit(folder / "a", "--case", "C1")
    for n, chain in enumerate(chains):
        assert follow(folder, chain, "--network", row["network"]) == trust[n], n
        for older in range(n + 1):
            (folder / "old.trust").write_text(trust[older])
            assert follow(folder, chain, "--trust", folder / "old.trust") == trust[n], (n, older)
    (folder / "old.trust").write_text(trust[3])
    assert follow(folder, chains[1], "--trust", folder / "old.trust") == trust[3], "an older chain takes nothing away"
    follow(folder, chains[3], "--network", row["network"])
    verify("--trust", folder / "followed.trust", ledger.root / "receipts/C1-1.tlog-proof", folder / "a")
    said = ledger.run("trust", "chain", "-o", folder / "again").out
    for trusted in (("--network", row["network"]), ("--trust", folder / "old.trust")):
        heard = call([CUSTODY, "trust", "follow", chains[3], "-o", folder / "t", *trusted]).out
        assert said.split("\n", 1)[1] == heard.split("\n", 1)[1] and "fingerprint" in heard, (said, heard)
    assert (folder / "again").read_bytes() == chains[3].read_bytes()
    ledger.run("reindex")
    ledger.clean()


@test
def of_more_changes_than_a_trust_file_has_epochs_the_oldest_is_left_out_on_both_sides(folder):
    if SANITIZED:
        return
    ledger = Ledger.new(folder / "L")
    first = ledger.trust.read_text()
    for _ in range(17):
        ledger.run("network", "propose", "log-key")
    row = ledger.run("trust", "chain", "-o", folder / "chain", "--json").row
    now = ledger.trust.read_text()
    assert row["changes"] == 17 and row["epochs"] == 16 and now.count("epoch ") == 16 and "epoch 0 " not in now, row
    (folder / "old.trust").write_text(first)
    for trusted in (("--network", row["network"]), ("--trust", folder / "old.trust")):
        assert follow(folder, folder / "chain", *trusted) == now
    assert "follow the chain from the network id" in follow(folder, folder / "chain", "--trust", ledger.trust, code=4)


@test
def an_altered_chain_leads_nowhere(folder):
    _, trust, row, chains = rotated(folder, 2)
    good, bad = chains[2].read_bytes(), folder / "bad"
    for at in range(0, len(good), 997 if SANITIZED else 97):
        bad.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        answer = call([CUSTODY, "trust", "follow", bad, "-o", folder / "t", "--network", row["network"]], code=None)
        assert answer.code != 0 and not (folder / "t").exists(), (at, answer)
    bad.write_bytes(good[:-1])
    assert "trust chain" in follow(folder, bad, "--network", row["network"], code=2)
    other = Ledger.new(folder / "other")
    other.run("trust", "chain", "-o", bad)
    assert "of another ledger" in follow(folder, bad, "--network", row["network"], code=1)
    assert "as `custody status" in follow(folder, chains[2], "--network", "abc", code=1)
    assert "what you trust already" in follow(folder, chains[2], code=1)
    assert follow(folder, chains[1], "--network", row["network"]) == trust[1]


@test
def a_node_hands_out_the_chain_and_whoever_knows_the_network_id_follows_it(folder):
    ledger, trust, row, chains = rotated(folder, 2)
    fill(folder / "a", b"evidence")
    ledger.deposit(folder / "a", "--case", "C1")
    with Node(ledger) as node:
        answer = call([CUSTODY, "trust", "chain", "--ledger", node.url, "-o", folder / "served", "--json"]).row
        assert answer == row and (folder / "served").read_bytes() == chains[2].read_bytes()
        assert follow(folder, folder / "served", "--network", row["network"]) == trust[2]
        status, headers, _ = node.curl("/v1/trust/chain")
        assert status == 200 and "max-age" in headers["cache-control"], headers
        assert node.curl("/v1/trust/chain", "-H", "if-none-match: " + headers["etag"])[0] == 304
        at = ["--ledger", node.url, "--state", folder / "reader", "--pin-trust", ledger.trust, "--key", ledger.root / "keys/depositor.pem"]
        call([CUSTODY, "export", "C1", "-o", folder / "afar", *at])
        assert (folder / "afar/trust/chain").read_bytes() == chains[2].read_bytes()


@test
def an_exported_case_brings_the_chain_to_whoever_pinned_an_older_trust_file(folder):
    ledger, trust, _, chains = rotated(folder, 2)
    fill(folder / "a", b"evidence")
    fill(folder / "old.trust", trust[0].encode())
    ledger.deposit(folder / "a", "--case", "C1")
    ledger.run("export", "C1", "-o", folder / "bag")
    assert (folder / "bag/trust/chain").read_bytes() == chains[2].read_bytes()
    refused = call([CUSTODY, "verify", folder / "bag", "--trust", folder / "old.trust"], code=4)
    assert "trust/chain: the chain of trust, not judged here" in refused.out, refused
    follow(folder, folder / "bag/trust/chain", "--trust", folder / "old.trust")
    assert call([CUSTODY, "verify", folder / "bag", "--trust", folder / "followed.trust"]).out.startswith("✓")
    other = Ledger.new(folder / "other", "C1")
    other.run("import", folder / "bag", "--case", "C1")
    other.run("get", "C1/1", "-o", folder / "got")
    assert (folder / "got/trust/chain").read_bytes() == chains[2].read_bytes()
    other.run("export", "C1", "-o", folder / "bag-2")
    assert not (folder / "bag-2/trust/chain").exists(), "its own keys never changed"
    fill(folder / "bag/trust/chain", chains[1].read_bytes())
    assert "trust/chain: its bytes are not those" in call([CUSTODY, "verify", folder / "bag", "--trust", folder / "followed.trust"], code=2).out
    for last in (ledger.root / "trust").glob("last-*"):
        last.unlink()
    assert "NOT in the package" in ledger.run("export", "C1", "-o", folder / "bag-3").err and not (folder / "bag-3/trust/chain").exists()


main()
