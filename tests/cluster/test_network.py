"""Four organisations, each a `custody node` with a real CometBFT: the long tests. The short one is tests/cli/test_network.py."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from network import COMET, CUSTODY, Network, call, parts, same, statuses, submit_at_once, until

OLD = COMET.parent / "cometbft-0.38"
RECORDS = int(os.environ.get("CUSTODY_CHAIN_RECORDS", "10000"))


def ok(text):
    print(f"ok - {text}", flush=True)


def begun(folder, comet=COMET):
    net = Network(pathlib.Path(folder))
    for org in net.orgs:
        org.start(comet=comet, wait=False)
    for org in net.orgs:
        org.listening()
    assert net.orgs[0].submit(net.orgs[0].sign("C1"), "application/cbor")["status"] == "OK"
    net.rest()
    return net


def sequences(records, each):
    return [b"".join(records[i:i + each]) for i in range(0, len(records), each)]


def signature_altered(record):
    """The last byte of the outer one: an entry ends with it."""
    altered = bytearray(record)
    assert altered[1] == 0x59, altered[:4]
    altered[3 + int.from_bytes(altered[2:4], "big")] ^= 1
    return bytes(altered)


def a_round(net, chance, first, n):
    """Each depositor's next `n`, out of order, to anybody, some of them twice; and what nobody may record: what was said of all of it."""
    good = {}
    for org in net.orgs:
        good[org] = parts(org.sign("C1", first, n))
        chance.shuffle(good[org])
    jobs = []
    for org in net.orgs:
        for batch in sequences(good[org], 64):
            jobs.append((chance.choice(net.orgs), batch))
        jobs.append((chance.choice(net.orgs), b"".join(chance.sample(good[org], 40))))  # once more, elsewhere
    attached = bytearray(good[net.orgs[0]][0])
    attached[-3] ^= 1
    equivocal = net.orgs[1].sign("C1", first, 20)  # other claims under numbers that are taken
    unsigned = signature_altered(good[net.orgs[3]][1])
    jobs += [(org, bytes(attached)) for org in net.orgs[2:]] + [(org, equivocal) for org in net.orgs[::3]] + [(org, unsigned) for org in net.orgs[:2]]
    chance.shuffle(jobs)
    status, _, body = net.orgs[2].curl("/v1/submit", "-H", "content-type: application/cbor-seq", data=b"\x5a\x00\x01\x11\x70" + bytes(70000))
    assert status in (400, 413, 422), (status, body)
    said = []
    for i in range(0, len(jobs), 16):
        said += statuses(submit_at_once(jobs[i:i + 16]))
    return said


def mixed_load(folder):
    """Everything at once to everybody, out of order, twice, damaged; the same on all."""
    net = begun(folder)
    try:
        chance, said, recorded = random.Random(7), [], 0
        began = time.monotonic()
        while recorded < RECORDS:
            n = min((RECORDS - recorded + 3) // 4, 1000)  # of one depositor's numbers, at most as many as may be open at once
            said += a_round(net, chance, recorded // 4 + 1, n)
            recorded += 4 * n
            net.rest(seconds=180)
        seconds = time.monotonic() - began
        told = {s: said.count(s) for s in set(said)}
        assert set(said) <= {"OK", "DUPLICATE", "BAD_ATTACHMENT", "SERIAL_TAKEN", "BAD_SIGNATURE", "HIGH_S"}, told
        seen = [{k: v for k, v in org.status().items() if k in ("entries", "root", "exhibits", "incidents", "height")} for org in net.orgs]
        assert all(s == seen[0] for s in seen), seen
        # of two claims under one number one is recorded, whichever came first
        assert seen[0]["exhibits"] == recorded == said.count("OK"), (seen[0], told)
        ok(f"{len(said)} records submitted everywhere at once, out of order, twice, damaged: {recorded} are recorded, in {seconds:.1f} s: {told}")
        for org in net.orgs:
            org.stop()
        ok(f"the logs are the same byte for byte, and custody check finds nothing on any: {same(net.orgs)}")
    finally:
        net.__exit__(RuntimeError)


def a_majority_away(folder):
    """Two of four gone: nothing is recorded, nothing is lost; what was on its way when its node was killed is recorded when they are back."""
    net = begun(folder)
    police, prosecutor, court, audit = net.orgs
    try:
        first = police.sign("C1", 1, 8)
        assert set(statuses([police.submit(first)])) == {"OK"}
        net.rest()
        court.kill()
        audit.kill()
        later = police.sign("C1", 9, 8)
        status, _, body = police.curl("/v1/submit", "-H", "content-type: application/cbor-seq", data=later)
        assert status == 503 and b"INTERRUPTED" in body, (status, body)
        status, _, body = police.curl("/v1/submit", "-H", "content-type: application/cbor-seq", data=later)
        assert status == 503 and b"BUSY" in body, (status, body)
        assert police.json("/v1/case/C1")["exhibits"][0]["exhibit"] == "C1/1"
        assert police.get("/v1/content/C1/1") == b"what was seen, note 1\n"
        ok("two of four gone: what is submitted is not decided and says so, what is recorded is read")
        police.kill()
        police.start()
        assert police.status()["exhibits"] == 8
        court.start()
        until(lambda: police.status()["exhibits"] == 16, lambda: f"it is recorded: {police.status()} {police.said()}")
        ok("what was on its way when its node was killed is recorded when the third is back")
        audit.start()
        net.rest()
        assert set(statuses([audit.submit(later)])) == {"DUPLICATE"}
        prosecutor.stop()
        assert set(statuses([court.submit(police.sign("C1", 17, 4))])) == {"OK"}
        prosecutor.start()
        net.rest()
        for org in net.orgs:
            org.stop()
        ok(f"the four are the same: {same(net.orgs)}")
    finally:
        net.__exit__(RuntimeError)


def lost_parts(folder):
    """The ledger's half wiped, the chain's half wiped, both; one held for a while."""
    net = begun(folder)
    audit = net.orgs[3]
    number = 1

    def record():
        nonlocal number
        assert set(statuses([net.orgs[0].submit(net.orgs[0].sign("C1", number, 8))])) == {"OK"}
        number += 8

    def aside(part):
        """But for what says what was signed."""
        to = audit.root.parent / f"{part.replace('/', '-')}-{number}"
        (audit.root / part).rename(to)
        (audit.root / part).mkdir()
        if (to / "cosigner").exists():
            (to / "cosigner").rename(audit.root / part / "cosigner")

    try:
        record()
        net.rest()
        for what in (["node"], ["chain/data"], ["node", "chain/data"]):
            audit.stop()
            record()
            for part in what:
                aside(part)
            if what == ["chain/data"]:  # the ledger has committed more than the engine remembers: that is said, and what to do
                audit.start(wait=False)
                code = audit.process.wait(60)
                assert code != 0 and "put node/cosigner back" in audit.said(), (code, audit.said())
                aside("node")
            audit.start()
            net.rest()
            ok(f"{' and '.join(what)} wiped: it reads the chain anew")
        record()
        net.rest()
        for process in (audit.engine(), audit.process.pid):
            os.kill(process, signal.SIGSTOP)
        record()
        time.sleep(5)
        record()
        for process in (audit.process.pid, audit.engine()):
            os.kill(process, signal.SIGCONT)
        net.rest()
        ok("held for five seconds: it follows")
        for org in net.orgs:
            org.stop()
        ok(f"the four are the same: {same(net.orgs)}")
    finally:
        net.__exit__(RuntimeError)


def an_older_copy(folder):
    """A backup put in a node's place: it never votes again where it voted, and says so; told that nobody else has its keys, it goes on."""
    net = begun(folder)
    police, _, court, audit = net.orgs
    older = pathlib.Path(folder) / "older"

    def record(by, number):
        """Kept by its node at once; decided when more than two thirds are there, which may take longer than it waits for an answer."""
        signed = police.sign("C1", number, 8)

        def recorded():
            try:
                return set(statuses([by.submit(signed)])) <= {"OK", "DUPLICATE"}
            except AssertionError:
                return False
        until(recorded, lambda: f"it is recorded: {by.said()}")

    try:
        audit.stop()
        shutil.copytree(audit.root, older, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
        audit.start()
        court.stop()  # of three that are left each one's vote is needed
        record(audit, 1)
        court.start()
        net.rest()
        audit.stop()
        shutil.rmtree(audit.root)
        shutil.copytree(older, audit.root, symlinks=True)
        audit.start(wait=False)
        assert audit.process.wait(60) != 0 and "an older copy was put in its place" in audit.said(), audit.said()
        ok("an older copy in a node's place votes for nothing, and says what to do")
        (audit.root / "node/cosigner/votes").unlink()
        audit.start(wait=False)
        assert audit.process.wait(60) != 0 and "custody network resume" in audit.said(), audit.said()
        call([CUSTODY, "network", "resume", "--ledger", audit.root])
        audit.start()
        record(audit, 9)
        court.stop()
        record(audit, 17)
        court.start()
        net.rest()
        ok("resumed, its vote is counted again")
        for org in net.orgs:
            org.stop()
        ok(f"the four are the same: {same(net.orgs)}")
    finally:
        net.__exit__(RuntimeError)


def crash_points(folder):
    """CometBFT ends itself at each of its own crash points; the node starts it again."""
    net = begun(folder)
    audit = net.orgs[3]
    number = 1
    try:
        audit.stop()
        for index in range(10):
            once = audit.root.parent / f"crash-{index}"
            once.write_text("")
            wrapper = audit.root.parent / "comet"
            wrapper.write_text(f'#!/bin/sh\nif [ -e {once} ]; then rm {once}; export FAIL_TEST_INDEX={index}; fi\nexec {COMET} "$@"\n')
            wrapper.chmod(0o755)
            audit.start("--confine", "off", comet=wrapper)  # it starts a program, and removes a file, that the node has no need of
            for _ in range(2):
                assert set(statuses([net.orgs[index % 3].submit(net.orgs[0].sign("C1", number, 4))])) == {"OK"}
                number += 4
            until(lambda: audit.checkpoint() == net.orgs[0].checkpoint(), lambda: f"crash point {index}: it is back: {audit.said()}")
            assert not once.exists() and "starting it again" not in audit.said()
            audit.stop()
        ok("CometBFT ended at each of its ten crash points: started again, the same root")
        audit.start()
        net.rest()
        for org in net.orgs:
            org.stop()
        ok(f"the four are the same: {same(net.orgs)}")
    finally:
        net.__exit__(RuntimeError)


def an_older_engine(folder):
    if not OLD.exists():
        print(f"ok - an older engine # SKIP {OLD.name} is not installed: run tools/setup cluster")
        return
    net = begun(folder, OLD)
    try:
        assert set(statuses([net.orgs[1].submit(net.orgs[0].sign("C1", 1, 32))])) == {"OK"}
        net.orgs[3].kill()
        assert set(statuses([net.orgs[2].submit(net.orgs[0].sign("C1", 33, 8))])) == {"OK"}
        net.orgs[3].start(comet=OLD)
        net.rest()
        for org in net.orgs:
            org.stop()
        said = subprocess.run(["go", "version", "-m", OLD], capture_output=True, text=True, check=False).stdout
        assert not said or "\tv0.38.26" in said, said
        ok(f"four with CometBFT 0.38.26 are the same: {same(net.orgs)}")
    finally:
        net.__exit__(RuntimeError)


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - the network # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    tests = {"load": mixed_load, "away": a_majority_away, "lost": lost_parts, "older": an_older_copy, "crash": crash_points, "old": an_older_engine}
    for name in sys.argv[1:] or tests:
        with tempfile.TemporaryDirectory() as scratch:
            tests[name](scratch)
    assert call
