#!/usr/bin/env python3
"""Nodes that cosign one log: receipts of three of four, two logs of one name, and a node that was put back from a backup."""
import contextlib
import json
import re
import socket
import time

from custody_test import Ledger, custody, fill, main, noise, test, verify
from node_test import Node, sign


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def with_quorum(ledger, folder, n, k):
    """n copies of a ledger, each with a cosigner's key of its own, and one trust file that asks for k of them."""
    copies = [ledger.copy(folder / f"L{i}") for i in range(n)]
    keys = [copy.run("witness", "key", "--name", f"organisation-{i}.example/cosigner").out.strip() for i, copy in enumerate(copies)]
    text = ledger.trust.read_text().removesuffix("quorum none\n")
    text += "".join(f"witness o{i} {key}\n" for i, key in enumerate(keys)) + f"group quorum-of-{k} {k} {' '.join(f'o{i}' for i in range(n))}\nquorum quorum-of-{k}\n"
    for copy in copies:
        copy.trust.write_text(text)
        (copy.root / "trust/policy").write_text(re.sub(r"^(custody|network|require|epoch).*\n", "", text, flags=re.M))
    return copies


@contextlib.contextmanager
def nodes(copies, which, ports):
    with contextlib.ExitStack() as stack:
        peers = [" ".join(f"http://127.0.0.1:{p}" for k, p in enumerate(ports) if k != i) for i in range(len(ports))]
        yield [stack.enter_context(Node(copies[i], "--listen", f"127.0.0.1:{ports[i]}", "--cosigners", peers[i])) for i in which]


def figure(node, name):
    return int(re.search(rf"^{name} (\d+)$", node.get("/metrics").decode(), re.M)[1])


def wait_until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.05)


def a_ledger(folder):
    ledger = Ledger.new(folder / "L", "C1")
    fill(folder / "note.txt", b"I saw the red car at nine.\n")
    ledger.deposit("--case", "C1", folder / "note.txt")
    return ledger


@test
def receipts_take_three_cosigners_of_four_and_two_are_too_few(folder):
    copies, ports = with_quorum(a_ledger(folder), folder, 4, 3), [free_port() for _ in range(4)]
    copies[0].clean()
    with nodes(copies, (0, 1), ports) as (a, b):
        assert a.curl("/v1/receipt/C1/1?wait=1")[0] == 202
        assert a.json("/v1/status")["forks"] == 0 and figure(b, "custody_forks") == 0
    with nodes(copies, (1, 2, 3), ports) as running:
        for i, node in zip((1, 2, 3), running):
            status, _, receipt = node.curl("/v1/receipt/C1/1?wait=30")
            assert status == 200, receipt
            file = fill(folder / f"{i}.tlog-proof", receipt)
            assert receipt.count(b"/cosigner ") >= 3, receipt
            told = verify("--trust", copies[i].trust, "--json", file, folder / "note.txt").row
            assert told["ok"] and told["verdicts"]["time"]["verdict"] == "PASS", told
            assert b"/cosigner " in node.get("/checkpoint")  # which has a quorum, for whoever reads the log from afar
        size = running[0].json("/v1/status")["entries"]
        wait_until(lambda: running[0].get(f"/v1/cosignatures/{size}").count(b"/cosigner ") >= 3)
        custody("verify", "--ledger", running[1].url, "--state", folder / "afar", "--pin-trust", copies[1].trust, folder / "1.tlog-proof")
    # A size is cosigned once: what was cosigned before the restart is what is given after it.
    with nodes(copies, (1, 2), ports) as (b, c):
        assert b.get(f"/v1/cosignatures/{size}") == (copies[1].root / f"node/cosigned/000/000/000/{size:03}").read_bytes()
    at = copies[1].run("receipt", "C1/1", "-o", folder / "offline.tlog-proof").out
    assert "offline" in at
    verify("--trust", copies[1].trust, folder / "offline.tlog-proof")


@test
def two_logs_of_one_name_convict_who_signed_both(folder):
    copies, ports = with_quorum(a_ledger(folder), folder, 2, 2), [free_port() for _ in range(2)]
    with nodes(copies, (0, 1), ports) as (a, b):
        assert a.curl("/v1/receipt/C1/1?wait=30")[0] == 200
        a.submit(sign(copies[0], "C1", 2, 1))
        b.submit(sign(copies[1], "C1", 3, 1))
        wait_until(lambda: figure(a, "custody_forks") and figure(b, "custody_forks"))
        for node, copy in ((a, copies[0]), (b, copies[1])):
            for name in node.json("/v1/forks")["forks"]:
                file = fill(folder / name, node.get("/v1/forks/" + name))
                told = custody("fork-proof", "verify", "--json", "--trust", copy.trust, file).row
                assert told["fork"] and told["convicted"], told
            assert node.json("/v1/status")["forks"] >= 1
            assert "ALARM" in node.log.read_text()
        assert b.curl("/v1/forks/x")[0] == 404 and b.curl("/v1/forks/..%2f..%2fcheckpoint")[0] in (400, 404)
    assert "ALARM" in copies[0].run("status").out


@test
def a_node_that_was_put_back_cosigns_nothing_that_contradicts_what_it_cosigned(folder):
    first = with_quorum(a_ledger(folder), folder, 2, 2)
    backup = first[0].copy(folder / "backup")
    fill(folder / "film.bin", noise(100_000))
    first[0].run("deposit", "--case", "C1", folder / "film.bin", code=3)
    other = first[0].copy(folder / "other")  # the second organisation's, with the same log
    for part in first[1].files("node/cosigner") + ["keys/cosign.pem"]:
        (other.root / part).write_bytes((first[1].root / part).read_bytes())
    ports = [free_port() for _ in range(2)]
    copies = [first[0], other]
    with nodes(copies, (0, 1), ports) as (a, b):
        assert a.curl("/v1/receipt/C1/2?wait=30")[0] == 200
        cosigned = figure(a, "custody_cosigned_entries")
        wait_until(lambda: b.get(f"/v1/cosignatures/{cosigned}").count(b"/cosigner ") == 2)
    # Its folder of that day, and another deposit in the place of the one that it cosigned.
    backup.run("deposit", "--case", "C1", folder / "note.txt", code=3)
    ports = [free_port() for _ in range(2)]
    with nodes([backup, other], (0, 1), ports) as (a, b):
        wait_until(lambda: figure(a, "custody_forks"))
        time.sleep(1.5)
        assert figure(a, "custody_cosigned_entries") == 0
        assert a.curl("/v1/receipt/C1/2?wait=1")[0] == 202
        assert "this key cosigned another log" in a.log.read_text()
    # Alone, it cannot know: but it does not cosign before its peers were heard.
    with nodes([backup, other], (0,), ports) as (a,):
        time.sleep(1.5)
        assert figure(a, "custody_cosigned_entries") == 0


@test
def a_cosigner_without_its_state_signs_nothing(folder):
    ledger = with_quorum(a_ledger(folder), folder, 1, 1)[0]
    (ledger.root / "node/cosigner").rename(folder / "medium")
    with Node(ledger) as node:  # it serves, and cosigns nothing
        assert node.curl("/v1/receipt/C1/1?wait=1")[0] == 202
        assert "attach that" in node.log.read_text()
    with Node(ledger, "--cosigner-state", folder / "medium") as node:
        assert node.curl("/v1/receipt/C1/1?wait=30")[0] == 200
    state = [p for p in (folder / "medium").iterdir() if len(p.name) == 64]
    assert len(state) == 1
    fill(state[0], state[0].read_bytes().replace(b"\n\n", b"\n \n"))
    ledger.run("deposit", "--case", "C1", folder / "note.txt", code=3)
    with Node(ledger, "--cosigner-state", folder / "medium") as node:
        assert node.curl("/v1/receipt/C1/2?wait=1")[0] == 202
        assert "is damaged" in node.log.read_text()
    ledger.run("witness", "key", "--cosigner-state", folder / "elsewhere", code=10)


@test
def a_witness_listed_twice_or_no_witness_is_refused_and_nothing_changes(folder):
    ledger = a_ledger(folder)
    key = ledger.run("witness", "key", "--name", "w.example").out.strip()
    log = (ledger.root / "trust/log.vkey").read_text().strip()
    before = ledger.trust.read_bytes()
    ledger.run("witness", "add", "http://127.0.0.1:9", log, code=1)
    ledger.run("witness", "add", "http://127.0.0.1:9", "nonsense", code=2)
    ledger.run("witness", "add", "http://127.0.0.1:9", key, "--quorum", "2", code=2)
    ledger.run("witness", "log", log, code=1)
    assert ledger.trust.read_bytes() == before
    ledger.run("witness", "add", "http://127.0.0.1:9", key)
    once = ledger.trust.read_bytes()
    assert once != before
    ledger.run("witness", "add", "http://127.0.0.1:9", key, code=2)
    assert ledger.trust.read_bytes() == once
    ledger.clean()
    said = ledger.run("deposit", "--json", "--case", "C1", folder / "note.txt", code=3).row
    assert said["receipt"] is None
    assert "no receipt yet" in ledger.run("receipt", "C1/2", code=3).error
    with Node(ledger) as node:  # whose own cosigner is the witness: one may be one's own
        assert node.curl("/v1/receipt/C1/2?wait=30")[0] == 200
    assert json.loads(ledger.run("receipt", "C1/2", "--json", "-o", folder / "r").out)["receipt"]


if __name__ == "__main__":
    main()
