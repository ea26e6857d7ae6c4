#!/usr/bin/env python3
"""Deposits by the node's address, with node, provider and client as processes of their own: cut anywhere, the same command goes on; and what a provider
should not have signed is not taken."""
import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from custody_test import SANITIZED, Ledger, Silent, fill, listening, main, noise, test, verify
from node_test import Node
from provider_world import Provider
from pull_world import chunk_roots, leaf, root_of
from s3_world import WHO, Server, free_port
from officer import Officer, said, with_members

BIG = 12_345_678 if SANITIZED else 98_765_432


@contextlib.contextmanager
def world(folder, *options):
    """(ledger, officer, node, provider)"""
    ledger, key, _ = with_members(folder, "C1")
    Provider.make(folder / "P", ledger)
    with Node(ledger) as node, Provider(folder / "P", node, *options) as provider:
        yield ledger, Officer(folder, node.url, key, "--provider", provider.url).pin(ledger), node, provider


@contextlib.contextmanager
def pulling(folder):
    """The same, and the node brings itself a copy of what the provider accepts."""
    ledger, key, _ = with_members(folder, "C1")
    Provider.make(folder / "P", ledger)
    port = free_port()
    with Node(ledger, "--provider", f"http://127.0.0.1:{port}") as node, Provider(folder / "P", node, "--listen", f"127.0.0.1:{port}") as provider:
        yield ledger, Officer(folder, node.url, key).pin(ledger), node, provider  # whom the node names


def deposits(node):
    return [row["id"] for row in node.json("/v1/case/C1")["exhibits"]]


def arrived(provider):
    """Bytes that one upload has there, by its spool."""
    return max((p.stat().st_size for p in (provider.folder / "spool").rglob("*.bytes")), default=0)


def wait_until(what, process=None):
    until = time.time() + 60
    while not what():
        assert time.time() < until and (process is None or process.poll() is None), process and process.communicate()
        time.sleep(0.001)


@test
def what_a_deposit_says_by_the_address_is_what_it_says_on_the_folder(folder):
    with world(folder) as (ledger, officer, node, provider):
        near = Ledger.new(folder / "near", "C1")
        cases = [["--case", "C1", fill(folder / "a", b"a\n")], ["--case", "C1", fill(folder / "b", noise(32768)), fill(folder / "empty", b""), "--json", "--note", "two"],
                 ["--case", "C1", folder / "a", folder / "a", "--exhibit", "AP/1"], [folder / "a"], ["--case", "C7", folder / "a"], ["--case", "C1", folder / "not there"],
                 ["--case", "C1", "--expect", "sha1:" + "0" * 40, folder / "a"], ["--case", "C1", "--digests", "md5,sm3", folder / "b"],
                 ["--case", "C1", "--dry-run", folder / "a", folder / "b"], ["--case", "C1", "--profile", "police-collection", folder / "a"],
                 ["--case", "C1", fill(folder / "dir/x", b"x"), "--receipts", folder / "R"], ["--case", "C1", "--no-wait", fill(folder / "c", noise(40000))]]
        for args in cases:
            far, here = officer.deposit(*args, code=None), near.run("deposit", *args, code=None)
            masked = [said(a)[1].replace(str(root), "ROOT") for a, root in ((far, next((folder / "state").iterdir())), (here, near.root))]
            assert (far.code, masked[0]) == (here.code, masked[1]), f"{here}\n---- and by its address\n{far}"
        assert node.get("/v1/receipt/C1/1").startswith(b"c2sp.org/tlog-proof")
        piped = officer.deposit("--case", "C1", "-", stdin=b"piped").out, near.run("deposit", "--case", "C1", "-", stdin=b"piped").out
        assert piped[0].splitlines()[1:4] and piped[0].split("sha256")[1][:70] == piped[1].split("sha256")[1][:70], piped
        for receipt in sorted((folder / "state").rglob("*.tlog-proof")):
            assert verify("--trust", ledger.trust, receipt).code == 0
        assert not list((folder / "state").rglob("aside-????????????????"))
    ledger.check("--only", "log", code=0)


@test
def a_client_that_is_killed_in_mid_transfer_goes_on_with_the_same_statement(folder):
    with world(folder) as (ledger, officer, node, provider):
        args = ["--case", "C1", "--wait", "1", fill(folder / "film", noise(BIG))]
        for part in (1, 2):
            client = officer.start(*args)
            wait_until(lambda: arrived(provider) > part * BIG // 4, client)
            client.kill()
            client.wait()
        answer = officer.deposit(*args, "--json", code=None)
        assert answer.code in (0, 3), answer
        again = officer.deposit(*args, "--json", code=None).row
        assert answer.row["id"] == again["id"] and answer.row["serial"] == 1, (answer, again)
        assert deposits(node) == [again["id"]]
        sent = sum(json.loads(line)["bytes_in"] for line in provider.log.read_text().splitlines() if '"PATCH"' in line)
        assert sent < 2 * BIG, sent


@test
def a_provider_or_a_node_that_is_killed_costs_a_second_call_and_nothing_else(folder):
    with world(folder) as (ledger, officer, node, provider):
        args = ["--case", "C1", "--wait", "1", fill(folder / "film", noise(BIG))]
        client = officer.start(*args)
        wait_until(lambda: arrived(provider) > BIG // 3, client)
        provider.kill()
        assert client.wait(100) == 1 and "goes on where it was" in client.stderr.read().decode()
        provider.start()
        first = officer.deposit(*args, "--json", code=None)
        assert first.code in (0, 3), first
        small = ["--case", "C1", fill(folder / "small", b"small")]
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
        assert "reached" in officer.deposit(*small, code=1).error
        with Node(ledger, "--listen", f"127.0.0.1:{node.port}"):
            assert officer.deposit(*small, "--json").row["copies"] == 1
            assert len(deposits(node)) == 2


@test
def what_is_sealed_leaves_sealed_and_survives_the_client(folder):
    ledger, key, _ = with_members(folder, "C1")
    ledger.deposit("--seal", fill(folder / "first", b"so that the organisation has a key"))
    Provider.make(folder / "P", ledger)
    secret = noise(3_000_000, 7)
    with Node(ledger) as node, Provider(folder / "P", node) as provider:
        officer = Officer(folder, node.url, key, "--provider", provider.url).pin(ledger)
        args = ["--case", "C1", "--wait", "1", "--seal", "--note", "SECRETNOTE", fill(folder / "SECRETNAME", secret)]
        client = officer.start(*args)
        wait_until(lambda: list((folder / "state").rglob("aside-????????????????")), client)
        client.kill()
        client.wait()
        answer = officer.deposit(*args, "--json", code=None)
        assert answer.code in (0, 3) and answer.row["sealed_for"], answer
        assert officer.deposit(*args, "--json", code=None).row["id"] == answer.row["id"]
        held = [p.read_bytes() for root in (provider.folder, ledger.root) for p in root.rglob("*") if p.is_file()]
        assert not any(word in data for data in held for word in (secret[:64], secret[-64:], b"SECRETNAME", b"SECRETNOTE"))


# ---- whole disks ----
NAMES = ("Wang-statement.txt", "case-folder-X", "inner-name-Y.txt", "deep-Z", "link-name-W", "LABEL-7788", "NOTE-only-for-us")


def needles(root):
    """What nobody may find: names and words, pieces of every file, and its digests, of itself and of its leaves, as bytes, in hex and in base64."""
    found = {name.encode() for name in NAMES}
    for path in [p for p in root.rglob("*") if p.is_file() and not p.is_symlink()]:
        data = path.read_bytes()
        found |= {data[at:at + 24] for at in range(0, len(data) - 24, 65521)} | {data[-24:]}
        digests = [hashlib.new(name, data).digest() for name in ("md5", "sha1", "sha256", "sha512", "sha3_256")]
        digests += [root_of(data), leaf(data[:4096]), *chunk_roots(data)]
        found |= {form for d in digests for form in (d, d.hex().encode(), d.hex().upper().encode(), base64.b64encode(d).rstrip(b"="))}
    return found


def lies_in(words, *roots):
    """(word, where) for each word that stands in a file, or in a file's name, below."""
    files = [p for root in roots for p in [root, *root.rglob("*")] if p.is_file()]
    assert len(files) > 20
    return [(word, str(p)) for p in files for data in [p.read_bytes() + os.fsencode(p.name)] for word in words if word in data]


def sealed_and_searched(folder, cloud, env, *disks):
    ledger, key, _ = with_members(folder, "C1")
    ledger.deposit("--seal", fill(folder / "first", b"so that the organisation has a key"))
    Provider.make(folder / "P", ledger, *cloud, env=env)
    inside = folder / "secret/case-folder-X"
    fill(inside / "inner-name-Y.txt", b"the witness saw a red car, and said so " * 3), fill(inside / "deep-Z/large", noise(1_200_000, 3)), fill(folder / "secret/Wang-statement.txt", noise(BIG // 32, 4))
    os.symlink("inner-name-Y.txt", inside / "link-name-W")
    words, disks = needles(folder / "secret"), (folder / "P", ledger.root, *disks)
    port = free_port()
    more = ["--case", "C1", "--exhibit", "LABEL-7788", "--note", "NOTE-only-for-us", "--digests", "md5,sha1,sha512"]
    with Node(ledger, "--provider", f"http://127.0.0.1:{port}") as node, Provider(folder / "P", node, "--listen", f"127.0.0.1:{port}", env=env) as provider:
        officer = Officer(folder, node.url, key).pin(ledger)
        args = ["--seal", *more, "--wait", "60", folder / "secret/Wang-statement.txt", inside]
        client = officer.start(*args)
        wait_until(lambda: arrived(provider) > BIG // 100, client)
        client.kill(), client.wait()
        provider.kill()  # in the midst of it: what lies there now is searched, too
        shutil.copytree(folder / "P", folder / "midway")
        provider.start()
        rows = officer.deposit(*args, "--json").rows
        assert [row["copies"] for row in rows] == [1, 1] and all(row["sealed_for"] for row in rows), rows
        officer.run("show", rows[0]["exhibit"]), officer.run("ls"), node.get("/v1/find?q=C1")
        logs = [provider.log, node.log]
        wrong = lies_in(words, *disks, folder / "midway") + [(w, str(p)) for p in logs for w in words if w in p.read_bytes()]
        assert not wrong, wrong[:9]
        officer.deposit(*more, folder / "secret/Wang-statement.txt", inside)  # as it is: and then all of it can be found
        seen = {w for w, _ in lies_in([n.encode() for n in NAMES] + sorted(words)[::9], *disks)}
        assert seen >= {n.encode() for n in NAMES}, f"{set(NAMES) - {w.decode(errors='replace') for w in seen}} would not have been found"
        return f"{len(words)} words on {sum(p.is_file() for d in disks for p in d.rglob('*'))} files, none; of what is not sealed, {len(seen)}"


@test
def no_disk_of_provider_or_node_has_a_word_or_a_digest_of_what_was_sealed(folder):
    return sealed_and_searched(folder, [], {})


@test
def nor_has_the_bucket(folder):
    with Server(folder / "s3") as server:
        server.make_bucket()
        return sealed_and_searched(folder, ["--cloud", server.address(retain=1)], WHO, folder / "s3")


@contextlib.contextmanager
def between(provider, change):
    """The provider behind a server that changes the records that it hands out."""

    class Handler(Silent):
        protocol_version = "HTTP/1.1"

        def any(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            asked = urllib.request.Request(provider.url + self.path, data=body or None, method=self.command, headers=headers)
            try:
                with urllib.request.urlopen(asked) as answer:
                    status, back, fields = answer.status, answer.read(), answer.headers
            except urllib.error.HTTPError as problem:
                status, back, fields = problem.code, problem.read(), problem.headers
            if self.path.endswith("/record") and status == 200:
                back = change(back)
            self.send_response(status)
            for name in ("upload-offset", "location", "content-type"):
                if fields.get(name):
                    self.send_header(name, fields[name])
            self.send_header("Content-Length", str(len(back)))
            self.end_headers()
            self.wfile.write(back if self.command != "HEAD" else b"")

        do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = any

    with listening(Handler) as address:
        yield address


@test
def a_folder_goes_file_by_distinct_file_and_comes_back_as_it_was(folder):
    big = noise(BIG, 5)
    for name, data in (("a/1", b"one"), ("a/2", b"one"), ("b/empty", b""), ("b/film", big), ("copy of film", big), ("z", noise(70_000, 6))):
        fill(folder / "bag" / name, data)
    with pulling(folder) as (ledger, officer, node, provider):
        args = ["--case", "C1", folder / "bag"]
        client = officer.start(*args)
        wait_until(lambda: arrived(provider) > len(big) // 2, client)
        client.kill()
        client.wait()
        row = officer.deposit(*args, "--json").row
        assert row["copies"] == 1 and row["serial"] == 1 and row["items"] == 8 and row["size"] == 2 * len(big) + 70_006, row
        assert verify("--trust", ledger.trust, row["receipt"], folder / "bag").code == 0
        assert arrived(provider) < 1.5 * len(big)
        officer.run("get", "C1/1", "-o", folder / "back", "--reason", "test")
        assert subprocess.run(["diff", "-r", folder / "bag", folder / "back"], check=False).returncode == 0
    ledger.check("--only", "log", code=0)


@test
def what_only_a_silent_provider_holds_is_handed_to_the_node_from_here(folder):
    ledger, key, _ = with_members(folder, "C1")
    Provider.make(folder / "P", ledger)
    for name, data in (("a/1", b"one"), ("b/film", noise(BIG, 5)), ("copy of film", noise(BIG, 5)), ("z", noise(70_000, 6))):
        fill(folder / "bag" / name, data)
    fill(folder / "film", noise(BIG // 4, 7))

    def at_node():
        return max((p.stat().st_size for p in (ledger.root / "spool").glob("*.bytes")), default=0)
    with Node(ledger, "--provider", "http://127.0.0.1:9") as node, Provider(folder / "P", node) as provider:  # the node never hears from it
        officer = Officer(folder, node.url, key, "--provider", provider.url).pin(ledger)
        args = ["--case", "C1", "--wait", "2", folder / "bag"]
        said = officer.deposit(*args[:2], "--no-wait", folder / "bag", code=3).out
        assert "copies    0 of 1" in said and "only the provider holds this: do not give the original back" in said, said
        provider.kill()
        client = officer.start(*args)
        wait_until(lambda: at_node() > BIG // 3, client)
        client.kill()
        client.wait()
        again = officer.deposit(*args, "--json")
        assert again.row["copies"] == 1 and again.row["serial"] == 1, again
        assert "only the provider holds this: do not give the original back" in again.err, again  # until it is not so any more
        assert verify("--trust", ledger.trust, again.row["receipt"], folder / "bag").code == 0
        sent = sum(json.loads(line)["bytes_in"] for line in node.log.read_text().splitlines() if '"PATCH"' in line)
        assert sent < 1.6 * BIG, sent
        provider.start()
        row = officer.deposit("--case", "C1", "--wait", "2", "--json", folder / "film").row
        assert row["copies"] == 1 and len(deposits(node)) == 2, row
    ledger.check("--only", "log", code=0)


@test
def an_answer_that_the_provider_should_not_have_given_is_not_taken(folder):
    with world(folder) as (ledger, officer, node, provider):
        records = []
        officer.deposit("--case", "C1", fill(folder / "a", b"a"))
        with between(provider, lambda record: records.append(record) or record) as url:
            officer.more = ["--provider", url]
            officer.deposit("--case", "C1", fill(folder / "b", b"b"))
        for name, (change, why, code) in zip("cde", ((lambda record: records[0], "over another claim", 2), (lambda record: record[:400] + bytes([record[400] ^ 1]) + record[401:], "not taken", None),
                                                     (lambda record: b"", "not taken", 2))):
            with between(provider, change) as url:
                officer.more = ["--provider", url]
                answer = officer.deposit("--case", "C1", fill(folder / name, name.encode()), code=None)
                assert answer.code and (code is None or answer.code == code) and why in answer.error and "keep the original" in answer.error, answer
        officer.more = ["--provider", provider.url]
        assert [officer.deposit("--case", "C1", folder / name, "--json").row["serial"] for name in "cde"] == [3, 4, 5]
        assert len(deposits(node)) == 5
    ledger.clean()


@test
def a_refusal_is_said_with_its_reason_and_is_on_record(folder):
    with world(folder, "--size-max", "1000") as (ledger, officer, node, provider):
        answer = officer.deposit("--case", "C1", fill(folder / "a", noise(1001)), code=12)
        assert "refused" in answer.error and "its signed refusal is recorded" in answer.error, answer
        assert officer.deposit("--case", "C1", fill(folder / "b", noise(1000)), "--json").row["exhibit"] == "C1/1"
    assert "refus" in ledger.run("trail").out
    ledger.clean()


@test
def a_package_is_made_by_an_address_and_taken_in_by_another(folder):
    """What goes out is the same bytes and proofs as where the ledger lies, parts included; a court takes it in by its own node's address."""
    fill(folder / "long", noise(3_333_333)), fill(folder / "album/one.raw", noise(2_500_000, 2)), fill(folder / "album/two.txt", b"two\n")
    words = ["--to", "District Court", "--reason", "trial 7", "--authority", "Judge Wu"]
    parts = [["--range", part] for part in ("C1/1:1048570-2097160", "C1/1:5-6,C1/2/one.raw:5-1400000", "C1/1:2200000-3333332,C1/2/two.txt:0-3")][1 if SANITIZED else 0:2 if SANITIZED else 3]
    with pulling(folder / "here") as (ledger, officer, _, _):
        officer.deposit("--case", "C1", folder / "long", folder / "album")
        for n, options in enumerate([[], *parts]):
            told = officer.run("export", "C1", "-o", folder / f"far{n}", *words, *options, "--json").row
            assert told["exhibits"] == 2 and told["parts"] == sum(o.count(":") for o in options) and not told["provider_copy_damaged"], told
            verify("--trust", ledger.trust, folder / f"far{n}")
        assert "is there already" in officer.run("export", "C1", "-o", folder / "far0", *words, code=1).error
        trail = officer.run("trail", "C1/1").out
        assert trail.count("District Court") == 1 + len(parts) and "trial 7" in trail, trail
        with pulling(folder / "there") as (court, clerk, _, _):
            row = clerk.run("import", folder / "far0", "--case", "C1", "--trust", ledger.trust, "--receipts", folder / "receipts", "--json").row
            verify("--trust", court.trust, row["receipt"], folder / "far0")
            assert row["exhibit"] == "C1/1" and "C1-2" in clerk.run("show", "C1/1").out
            fill(folder / "far0/data/C1-1/long", noise(3_333_333, 9))
            assert "nothing was deposited" in clerk.run("import", folder / "far0", "--case", "C1", code=2).error
    for n, options in enumerate(parts, 1):
        ledger.run("export", "C1", "-o", folder / f"near{n}", *words, *options)
        for part in (folder / f"near{n}").rglob("*"):
            if part.is_file() and ("data" in part.parts or part.suffix == ".proof"):
                assert part.read_bytes() == (folder / f"far{n}" / part.relative_to(folder / f"near{n}")).read_bytes(), part
    ledger.clean()
    court.clean()


if __name__ == "__main__":
    main()
