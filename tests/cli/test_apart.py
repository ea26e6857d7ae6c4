#!/usr/bin/env python3
"""The embedded ledger's crash cases and attacks once more (cases.py), with provider, node and client as processes of their own: each of them ends
before any effect that it has on a disk, or its store is altered; and what was promised is kept, or what was done is found out.

CUSTODY_SLOW=1 leaves no case out; otherwise some are drawn. CUSTODY_SEED repeats a draw; every failure prints it.
"""
import atexit
import functools
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import threading
import time

from cases import PARTS, WAYS, evidence
from custody_test import CUSTODY, ENVIRONMENT, SANITIZED, Ledger, custody, fill, main, same, scratch, stamps, test, verify
from node_test import BUILD, Node
from officer import Officer, with_members
from provider_world import Provider
from pull_world import wait_for
from s3_world import free_port

SEED = int(os.environ.get("CUSTODY_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
ALL = bool(os.environ.get("CUSTODY_SLOW"))
EVIDENCE = ("small.txt", "empty", "packed.bin", "large.bin", "folder")  # of cases.evidence


def some(cases, n, what):
    cases = list(cases)
    return cases if ALL else random.Random(f"{SEED} {what}").sample(cases, min(len(cases), n // (4 if SANITIZED else 1)))


class World:
    """A ledger's folder, a provider's and an officer's, and their processes; each may be told after how many effects it ends."""

    def __init__(self, folder, node_port=0, provider_port=0):
        self.folder, self.ledger = folder, Ledger(folder / "L")
        self.ports = {"node": node_port or free_port(), "provider": provider_port or free_port()}
        self.process = {}

    @classmethod
    def new(cls, folder):
        ledger, _, _ = with_members(folder, "C1")
        Provider.make(folder / "P", ledger)
        world = cls(folder)
        world.start("node")
        world.start("provider")
        world.officer().pin(ledger)
        return world

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for process in self.process.values():
            process.__exit__(*what)

    def url(self, who):
        return f"http://127.0.0.1:{self.ports[who]}"

    def officer(self):
        return Officer(self.folder, self.url("node"), self.folder / "Officer.pem", "--provider", self.url("provider"))

    def counted(self, who):
        return struct.unpack("Q", (self.folder / f"{who}.effects").read_bytes())[0]

    def dying(self, who, at):
        """What makes a program end before that effect."""
        return {"LD_PRELOAD": os.fspath(BUILD / "preload/dies_at.so"), "DIES_AT": str(at), "DIES_COUNT": os.fspath(self.folder / f"{who}.effects")}

    def start(self, who, at=None):
        """Or None: it has ended already."""
        env = {} if at is None else self.dying(who, at)
        listen = "--listen", f"127.0.0.1:{self.ports[who]}"
        try:
            self.process[who] = Node(self.ledger, *listen, "--provider", self.url("provider"), env=env) if who == "node" else \
                Provider(self.folder / "P", self.process["node"], *listen, env=env)
        except AssertionError:
            if at is None:
                raise
            return None
        return self.process[who]

    def kill(self, who):
        process = self.process[who].process
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def fresh(source, to, n):
    """The same evidence, and other bytes."""
    files = [source] if source.is_file() else [p for p in source.rglob("*") if p.is_file()]
    for p in files:
        data = p.read_bytes()
        fill(to / p.relative_to(source.parent), data and data + b"%d" % n)
    return to / source.name


# ---- ends before any effect ----
def client_that_dies(world, args, at):
    done = subprocess.run([CUSTODY, *map(str, world.officer().options), "deposit", *map(str, args)], capture_output=True, timeout=100, check=False,
                          env={**ENVIRONMENT, **world.dying("client", at)})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def told(said):
    return [json.loads(line) for line in said.splitlines() if line.endswith("}")]


def one_cut(world, who, at, args, number):
    """A deposit while one of them ends before its effect `at`, and the same again: one statement, one number, one receipt. Did it end?"""
    if who == "client":
        code, out, said = client_that_dies(world, args, at)
        ended = code == -signal.SIGKILL
    else:
        world.kill(who)
        alive = world.start(who, at)
        answer = world.officer().run("deposit", *args, code=None)
        code, out, said = answer.code, answer.out, answer.err
        until = time.time() + 2.5
        while alive and alive.process.poll() is None and world.counted(who) < at and time.time() < until:
            time.sleep(0.02)
        if alive and world.counted(who) >= at:
            alive.process.wait(30)
        ended = not alive or alive.process.poll() is not None
        if ended:
            world.start(who)
    assert ended or code == 0, (code, said)
    assert code in (0, 1, 3, 11, -signal.SIGKILL), (code, said)
    assert code in (0, 3, -signal.SIGKILL) or "again" in said or "goes on" in said or "keep the original" in said.lower(), said
    first = told(out)
    row = first[0] if first and first[0]["receipt"] else world.officer().run("deposit", *args).row
    assert row["serial"] == number and row["copies"] == 1 and row["receipt"], row
    assert not first or (first[0]["id"], first[0]["leaf"]) == (row["id"], row["leaf"]), (first, row)
    exhibits = world.process["node"].json("/v1/case/C1")["exhibits"]
    assert [e["id"] for e in exhibits].count(row["id"]) == 1 and len(exhibits) == number, f"{len(exhibits)} exhibits, not {number}"
    return row, ended


def effects_of(world, who, source):
    """How many each kind of deposit has, of a process that is started for it: {name: n}"""
    found = {}
    for name in EVIDENCE:
        args = ["--case", "C1", "--wait", "2", "--json", fresh(source / name, world.folder / f"plain {name}", 0)]
        if who == "client":
            assert client_that_dies(world, args, 0)[0] == 0
        else:
            world.kill(who)
            world.start(who, 0)
            world.officer().run("deposit", *args)
            time.sleep(1.3)  # what it does when the answer is gone
        found[name] = world.counted(who)
    return found


def dies_everywhere(folder, who):
    source = evidence(folder / "source")
    with World.new(folder) as world:
        effects = effects_of(world, who, source)
        points = some([(name, at) for name in EVIDENCE for at in range(1, effects[name] + 1)], 8, who)
        rows, ends = [], 0
        for number, (name, at) in enumerate(points, len(EVIDENCE) + 1):
            path = fresh(source / name, folder / f"{number}", number)
            try:
                row, ended = one_cut(world, who, at, ["--case", "C1", "--wait", "2", "--json", path], number)
            except AssertionError as failed:
                raise AssertionError(f"CUSTODY_SEED={SEED}: {who} before effect {at} of {name}: {failed}") from failed
            rows.append((row, path))
            ends += ended
        objects = {p.name for p in (folder / "P/cloud/objects/large").rglob("*") if p.is_file() and not p.suffix}
        for root in objects:  # what it accepted it serves
            world.process["provider"].get("/v1/objects/" + root)
        for _ in range(50):
            left = [p.name for p in (folder / "P/spool").glob("*.bytes") if p.stat().st_size]
            if not left:
                break
            time.sleep(0.1)
        assert not left, f"{left} are still on their way"
    for row, path in rows:
        verify("--trust", world.ledger.trust, row["receipt"], path)
    world.ledger.clean()
    return f"{ends} of {len(points)} ended before one of {sum(effects.values())} effects"


@test
def a_provider_that_ends_before_any_effect_loses_nothing(folder):
    return dies_everywhere(folder, "provider")


@test
def a_node_that_ends_before_any_effect_loses_nothing(folder):
    return dies_everywhere(folder, "node")


@test
def a_client_that_ends_before_any_effect_loses_nothing(folder):
    return dies_everywhere(folder, "client")


# ---- every file of either store, altered in every way ----
BASE = pathlib.Path(scratch("custody-apart-"))
atexit.register(shutil.rmtree, BASE, ignore_errors=True)
LOCK = threading.Lock()


@functools.cache
def made():
    """Evidence of every kind, deposited through both processes, and what each object is: (folder, exhibits by path, objects by root)"""
    source = evidence(BASE / "source")
    with World.new(BASE) as world:
        rows = [world.officer().deposit("--case", "C1", "--json", source / name).row for name in EVIDENCE]
        objects = {}
        for row, path in [(row, source / name) for row, name in zip(rows, EVIDENCE)] + [({"exhibit": rows[-1]["exhibit"]}, p) for p in (source / "folder").rglob("*") if p.is_file()]:
            inside = "" if "root" in row else "?path=" + str(path.relative_to(source / "folder"))
            status, headers, body = world.process["node"].curl(f"/v1/content/{row['exhibit']}{inside}")
            assert status == 200
            objects[headers["etag"].strip('"')] = body
        served = {root: body for root, body in objects.items() if world.process["provider"].curl("/v1/objects/" + root)[0] == 200}
    assert len(served) >= 4, objects.keys()
    return {row["exhibit"]: source / name for row, name in zip(rows, EVIDENCE)}, served


def template():
    with LOCK:
        return made()


def copied(folder):
    for name in ("L", "P", "state", "Officer.pem"):
        subprocess.run(["cp", "-a", "--reflink=auto", BASE / name, folder / name], check=True)
    world = World(folder)
    [known] = (folder / "state").iterdir()
    known.rename(known.parent / f"127.0.0.1-{world.ports['node']}")
    return world


def starts(world, who):
    """Or it says why not, in a sentence, by an exit code that means damage."""
    try:
        return world.start(who)
    except AssertionError as failed:
        said = str(failed)
        assert "custody: " in said and len(said.strip().splitlines()[-1]) > 60, said
        return None


def is_never_wrong(world, folder):
    """Whatever is answered is what was deposited. Was everything answered?"""
    exhibits, served = template()
    whole = True
    for exhibit, path in exhibits.items():
        out = folder / "out"
        answer = world.officer().run("get", exhibit, "-o", out, "--reason", "test", code=None)
        whole &= answer.code == 0
        if answer.code == 0:
            assert subprocess.run(["diff", "-r", path, out], check=False, capture_output=True).returncode == 0, f"{exhibit} is not what was deposited"
        assert answer.code == 0 or len(answer.error) > 40, answer
        if out.is_dir():
            shutil.rmtree(out)
        elif out.exists():
            assert answer.code == 0, "half of it lies there"
            out.unlink()
    return whole


def node_is_found_out(folder, where, way):
    world = copied(folder)
    way(world.ledger.root / where)
    with world:
        if starts(world, "node"):
            starts(world, "provider")
            is_never_wrong(world, folder)
            world.officer().run("check", "--only", "log", code=None)
        for process in world.process.values():
            process.process.terminate()
            process.process.wait(60)
    before = stamps(world.ledger.root)
    answer = world.ledger.run("check", "--json", code=None)
    same(before, stamps(world.ledger.root))
    if answer.code == 0:
        return "made good by itself"  # what is derived, or what the process wrote anew
    assert answer.code == 2 and answer.row["findings"], answer
    repaired = world.ledger.check("--repair", code=None)
    assert repaired["findings"], repaired
    world.process = {}
    with world:
        node, provider = world.start("node"), world.start("provider")
        try:
            wait_for(lambda: node.json("/v1/status")["copies_missing"] == 0 and is_never_wrong(world, folder))
        except AssertionError as failed:
            raise AssertionError(f"{where}: not everything came back: {failed} {provider.log.read_text()[-800:]}") from failed
    world.ledger.clean()
    assert "incident" in world.ledger.run("trail").out
    return "restored"


def provider_is_found_out(folder, where, way):
    world = copied(folder)
    way(world.folder / where)
    with world:
        world.start("node")
        provider = starts(world, "provider")
        if not provider:
            assert where == "P/node/state/seen", "for anything else it need not stay away"
            return "it does not follow a log that it cannot tell from another"
        aside, damaged = list((folder / "P/spool").glob("*.damaged")), 0
        for root, body in template()[1].items():
            done = subprocess.run(["curl", "-s", "-m", "60", "-w", "%{http_code}", provider.url + "/v1/objects/" + root], capture_output=True, check=False)
            status, got = done.stdout[-3:], done.stdout[:-3]
            assert got == body if (done.returncode, status) == (0, b"200") else status != b"200" or body.startswith(got), f"{root}: other bytes than its own"
            damaged += (done.returncode, status) not in ((0, b"200"), (0, b"404"))  # what is gone altogether it may never have had
        assert is_never_wrong(world, folder), "the node has copies of its own"
        row = world.officer().deposit("--case", "C1", "--json", fill(folder / "next", b"what comes next")).row
        assert row["copies"] == 1 and row["serial"] == len(EVIDENCE) + 1
        if damaged or aside:
            assert '"trouble"' in provider.log.read_text() and (aside or b"custody_reads_of_damaged_total 0" not in provider.get("/metrics")), "it does not say that it is damaged"
    return "it says so" if damaged or aside else "nothing was lost by it"


def altered(folder, root, under, found_out, n):
    files = [p for u in under for p in sorted((BASE / root / u).rglob("*")) if p.is_file() and p.name != "lock"]
    cases = [(name, way, p) for name, (way, choose) in WAYS.items() for p in choose(pathlib.Path("/"), files)]
    came, chosen = {}, some(cases, n, under)
    for number, (name, way, path) in enumerate(chosen):
        here = folder / str(number)
        here.mkdir()
        try:
            what = found_out(here, str(path.relative_to(BASE / ("L" if root == "L" else "."))), way)
        except AssertionError as failed:
            raise AssertionError(f"CUSTODY_SEED={SEED}: {name} {path.relative_to(BASE)}: {failed}") from failed
        came[what] = came.get(what, 0) + 1
        shutil.rmtree(here)
    return f"{len(chosen)} of {len(cases)}: " + ", ".join(f"{what} {k}" for what, k in sorted(came.items()))


@test
def whatever_is_altered_in_the_nodes_folder_is_found_out_and_comes_back_from_the_provider(folder):
    template()
    return altered(folder, "L", [u for part in PARTS.values() for u in part], node_is_found_out, 8)


@test
def whatever_is_altered_in_the_providers_folder_is_found_out_and_nothing_wrong_is_served(folder):
    template()
    return altered(folder, "P", ["cloud/objects", "spool", "node"], provider_is_found_out, 8)


# ---- whoever holds keys (tests/tools) ----
def tool(name, *args):
    return subprocess.run([BUILD / "bin" / name, *args], capture_output=True, check=True, timeout=100).stdout.decode()


@test
def what_a_party_did_not_sign_the_node_refuses_whoever_submits_it(folder):
    template()
    world = copied(folder)
    fill(folder / "forged/x", b"").unlink()
    tried = tool("submit_unsigned", world.ledger.copy(folder / "his own").root, "C1", folder / "forged").splitlines()
    with world:
        node, _ = world.start("node"), world.start("provider")
        before, said = node.json("/v1/status")["exhibits"], {}
        for n, what in enumerate(tried):
            record = (folder / f"forged/{n}").read_bytes()
            status, _, body = node.curl("/v1/submit", "-H", "content-type: application/cbor", data=record)
            answer = json.loads(body)
            assert 400 <= status < 500 and len(answer["detail"]) > 20, (what, status, answer)
            said[what] = answer["code"]
        assert len(said) >= 6 and len(set(said.values())) >= 4, said
        every = node.submit(b"".join((folder / f"forged/{n}").read_bytes() for n in range(len(tried)) if said[tried[n]] != "MALFORMED"))
        assert all(a["status"] not in ("OK", "DUPLICATE") for a in every), every
        assert node.json("/v1/status")["exhibits"] == before
        row = world.officer().deposit("--case", "C1", "--json", fill(folder / "next", b"what comes next")).row
        assert row["serial"] == len(EVIDENCE) + 1
    world.ledger.clean()


@test
def a_keeper_who_rewrote_the_log_is_convicted_by_whoever_saw_it(folder):
    template()
    world = copied(folder)
    [receipt] = (folder / "state").rglob("C1-3.tlog-proof")
    tool("insider", world.ledger.root, folder / "rewritten", "C1/3")
    (folder / "L").rename(folder / "as it was")
    (folder / "rewritten").rename(folder / "L")
    for n in range(8):  # by keys of his own he goes on, beyond what others have seen
        world.ledger.deposit(fill(folder / f"his/{n}", b"his %d" % n))
    world.ledger.clean()
    with world:
        node = world.start("node")
        answer = world.officer().run("ls", code=2)
        assert "another log than before" in answer.error or "rolled back" in answer.error, answer
        refused = world.officer().run("deposit", "--case", "C1", fill(folder / "next", b"what comes next"), code=2)
        assert not refused.out and len(refused.error) > 60, refused
        try:
            world.start("provider")
            raise AssertionError("it follows another log than the one that it has seen")
        except AssertionError as failed:
            assert "another log" in str(failed) or "rolled back" in str(failed), failed
        assert len(node.json("/v1/case/C1")["exhibits"]) == 2, "what others signed later he cannot sign again"
    custody("fork-proof", "make", receipt, "--log", folder / "L/node/log", "-o", folder / "fork")
    custody("fork-proof", "verify", folder / "fork", "--trust", folder / "as it was/trust/ledger.trust")


if __name__ == "__main__":
    main()
