"""Four organisations under load while one or more of them, or what lies between them, goes wrong: held, parted, slow, delayed, lossy, an hour off, full,
wiped, put back from a backup, cloned. After each the four are one log, with all that was acknowledged in it once.

`test_perturb.py NAME…` runs some of them. Links are relays (links.py), so nothing of it needs root but the full disk, for which one is mounted.
"""
import datetime
import email.utils
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from links import Relay
from network import COMET, CUSTODY, Network, call, destroy, fill, parts, same, until
from shifted import shift

LONG_S = float(os.environ.get("CUSTODY_PERTURB_S", "10"))
WORKERS = 4
EACH = 900  # of one depositor's numbers, no more than may be open at once
SHIFTED = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *ret)
{
    const int done = (int)syscall(SYS_clock_gettime, id, ret);
    if (done == 0 && id == CLOCK_REALTIME) ret->tv_sec += atol(getenv("SHIFT_S"));
    return done;
}
"""


def ok(text):
    print(f"ok - {text}", flush=True)


class Load:
    """Two records at a time to whoever is there, by several at once, each until somebody acknowledges it."""

    def __init__(self, net, records, every=0.1):
        self.net, self.acknowledged, self.lock, self.every = net, {}, threading.Lock(), every
        self.pairs = iter([records[at:at + 2] for at in range(0, len(records), 2)])
        self.pause, self.ending, self.idle, self.wrong = threading.Event(), False, 0, None
        self.workers = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(WORKERS)]
        for worker in self.workers:
            worker.start()

    def run(self, number):
        chance = random.Random(number)
        try:
            while not self.ending:
                if self.pause.is_set():
                    with self.lock:
                        self.idle += 1
                    while self.pause.is_set() and not self.ending:
                        time.sleep(0.05)
                    with self.lock:
                        self.idle -= 1
                with self.lock:
                    pair = next(self.pairs)
                while not self.ending and not self.submit(chance.choice(self.net.orgs), pair):
                    time.sleep(0.1)
                time.sleep(self.every)
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.wrong = error
            raise

    def submit(self, org, records):
        try:
            status, _, body = org.curl("/v1/submit", "-H", "content-type: application/cbor-seq", "-m", "4", data=b"".join(records))
        except (AssertionError, subprocess.TimeoutExpired):
            return False
        for outcome in json.loads(body) if status == 200 else []:
            assert outcome["status"] in ("OK", "DUPLICATE"), outcome
            with self.lock:
                assert self.acknowledged.setdefault(outcome["id"], outcome["entry"]) == outcome["entry"], outcome
        return status == 200

    def end(self):
        self.ending = True
        for worker in self.workers:
            worker.join(30)

    def __len__(self):
        return len(self.acknowledged)

    def more(self, n=4, seconds=60):
        """Until so many more are acknowledged: the seconds that it took."""
        began, before = time.monotonic(), len(self)
        until(lambda: len(self) >= before + n or self.wrong, f"{n} more records are acknowledged", seconds)
        assert not self.wrong, self.wrong
        return time.monotonic() - began

    def rest(self):
        self.pause.set()
        until(lambda: self.idle == WORKERS, "the load rests", 60)


def exhibits(org):
    """Everything in the case, as this node has it: {id: (exhibit, leaf)}"""
    found, after = {}, None
    while True:
        page = org.json("/v1/case/C1?limit=1000" + (f"&after={after}" if after is not None else ""))
        for row in page["exhibits"]:
            assert row["id"] not in found, row
            found[row["id"]] = row["exhibit"]
        after = page.get("next")
        if after is None:
            return found


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.full = self.mount()
        self.net = Network(self.folder)
        self.police, self.prosecutor, self.court, self.audit = self.net.orgs
        self.relay = Relay(self.net)
        for i, org in enumerate(self.net.orgs):
            org.usual = ["--name", self.relay.names(i), "--patrol", "100"]
        self.net.start()
        assert self.police.submit(self.police.sign("C1"), "application/cbor")["status"] == "OK"
        self.net.rest()
        signed = [parts(org.sign("C1", 1, EACH)) for org in self.net.orgs]
        mixed = [record for row in zip(*signed) for record in row]
        self.load = Load(self.net, mixed)

    def mount(self):
        """The audit office's folder on a disk of its own, so that it can be full."""
        at = self.folder / "net/org-4"
        at.mkdir(parents=True)
        return os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", at], capture_output=True, check=False).returncode == 0

    def close(self, failed):
        self.load.end()
        self.net.__exit__(RuntimeError if failed else None)
        self.relay.close()

    def unmount(self):
        if self.full:
            subprocess.run(["umount", "-l", self.folder / "net/org-4"], check=False)

    def compare(self, what, seconds=120):
        """The load rests, and all four are alike: one size, one root, the same exhibits, and each that was acknowledged."""
        self.load.rest()
        began = time.monotonic()
        self.net.rest(seconds=seconds)
        seconds = time.monotonic() - began
        seen = [exhibits(org) for org in self.net.orgs]
        assert all(one == seen[0] for one in seen), f"{what}: they differ"
        lost = [name for name in self.load.acknowledged if name not in seen[0]]
        assert not lost, f"{what}: acknowledged and not there: {lost}"
        assert not any(org.status()["forks"] for org in self.net.orgs), what
        ok(f"{what}: {len(self.load)} acknowledged, each is on all four, once; alike {seconds:.1f} s after the load rests")
        self.load.pause.clear()

    def send(self, signal_number, org):
        for process in (org.engine(), org.process.pid) if signal_number == signal.SIGSTOP else (org.process.pid, org.engine()):
            os.kill(process, signal_number)


def held(w):
    w.send(signal.SIGSTOP, w.audit)
    w.load.more(8)
    time.sleep(2 * LONG_S)
    w.load.more(8)
    w.send(signal.SIGCONT, w.audit)
    w.compare(f"node and engine of one held for {2 * LONG_S:.0f} s")


def killed(w):
    for org in (w.audit, w.court, w.police):
        org.kill()
        w.load.more(6)
        org.start()
    w.compare("three nodes killed, one after the other")


def parted_two_and_two(w):
    w.relay.part((0, 1), (2, 3))
    time.sleep(3)
    before = len(w.load)
    time.sleep(LONG_S)
    assert len(w.load) == before, "two of four recorded something"
    w.relay.part()
    took = w.load.more(4)
    w.compare(f"parted two and two for {LONG_S:.0f} s, when nothing is recorded; {took:.1f} s after it something is")


def parted_three_and_one(w):
    w.relay.part((0, 1, 2), (3,))
    w.load.more(8)
    size = w.audit.checkpoint()[0]
    time.sleep(LONG_S)
    w.load.more(8)
    assert w.audit.checkpoint()[0] == size, "one of four recorded something"
    w.relay.part()
    w.compare(f"parted three and one for {LONG_S:.0f} s: three go on")


def bad_links(w):
    for what, how in (("slow (100 kB/s)", {"rate": 100_000}), ("delayed (150 ms)", {"delay": 0.15}), ("lossy (5 % of pieces late)", {"loss": 5})):
        w.relay.worsen(**how)
        w.load.more(10, seconds=120)
        time.sleep(LONG_S / 2)
        w.load.more(10, seconds=120)
        w.relay.worsen()
        w.compare(f"links {what}")


def an_hour_off(w):
    source, shim = fill(w.folder / "shift.c", SHIFTED.encode()), w.folder / "shift.so"
    call(["cc", "-shared", "-fPIC", "-o", shim, source])
    for seconds in (3600, -3600):
        w.audit.stop()
        w.audit.start(env={"LD_PRELOAD": str(shim), "SHIFT_S": str(seconds)})
        w.load.more(10)
        time.sleep(LONG_S / 2)
        w.load.more(10)
        w.compare(f"one node's clock {seconds:+} s")
    w.audit.stop()
    w.audit.start()


def engine_time(org, what):
    """What its CometBFT takes for now; or when it says that the newest block was made."""
    ask = ["curl", "-si", "-m", "20", "--unix-socket", org.root / "chain/rpc.sock", "http://x/status"]
    said = until(lambda: subprocess.run(ask, capture_output=True, text=True, check=False).stdout, f"the engine of {org.root.name} answers")
    if what == "now":
        return email.utils.parsedate_to_datetime(re.search("(?im)^date: (.*?)\r?$", said).group(1)).timestamp()
    text = re.search('"latest_block_time":"([^".]*)', said).group(1).rstrip("Z")
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()


def engine_an_hour_off(w):
    """CometBFT's clock alone. Ahead: a block's time is the median of the votes before it, which one of four does not move. Behind: it takes every block for one of
    the future, ends, and the node with it, which says what to do."""
    if not shift(w.audit.engine(), 3600):
        print("ok - CometBFT's own clock an hour off # SKIP another program's clock cannot be moved on this machine")
        return
    for seconds in (3600, 0):
        assert shift(w.audit.engine(), seconds)
        off = engine_time(w.audit, "now") - time.time()
        assert abs(off - seconds) < 60, off
        w.load.more(10)
        time.sleep(LONG_S / 2)
        w.load.more(10)
        for org in (w.police, w.audit):
            newest = engine_time(org, "block") - time.time()
            assert abs(newest) < 60, f"a block is {newest} s off"
        w.compare(f"the clock of one node's CometBFT alone {seconds:+} s: blocks are dated by the others'")
    assert shift(w.audit.engine(), -3600)
    w.load.more(10)
    assert w.audit.process.wait(120) != 0 and "its clock is most likely off" in w.audit.said(), w.audit.said()
    w.load.more(10)
    w.audit.start()
    w.compare("the clock of one node's CometBFT alone an hour behind: its node ends and says what to do; set right, it goes on")


def disk_full(w):
    if not w.full:
        print("ok - a full disk # SKIP it needs a disk of its own, which only root can mount")
        return
    filler = w.audit.root / "filler"
    with open(filler, "wb") as f:
        try:
            while True:
                f.write(bytes(1 << 16))
                f.flush()
        except OSError:
            pass
    w.load.more(20)
    time.sleep(LONG_S)
    w.load.more(8)
    filler.unlink(missing_ok=True)
    ended = w.audit.process.poll() is not None
    if ended:
        assert w.audit.process.returncode != 0 and ("disk" in w.audit.said() or "space" in w.audit.said()), w.audit.said()
        w.audit.start()
    w.compare(f"one disk full: three go on; its node {'ended, and said why' if ended else 'stayed'}")


def copied(root, to):
    call(["cp", "-a", root, to])
    return to


def wiped_disk(w):
    w.audit.kill()
    w.load.more(8)
    signed = copied(w.audit.root / "node/cosigner", w.folder / "medium")  # what it signed lies on another one
    for part in ("node", "chain/data", "cloud"):
        shutil.rmtree(w.audit.root / part)
        (w.audit.root / part).mkdir()
    copied(signed, w.audit.root / "node/cosigner")
    w.audit.start()
    w.load.more(8)
    w.compare("one disk wiped, but for keys and what was signed")


def wiped_content(w):
    before = w.court.status()["incidents"]
    destroy(w.court.root / "node/objects")
    until(lambda: w.court.status()["incidents"] > before, w.court.said, 120)
    w.load.more(8)
    until(lambda: w.court.status()["copies_missing"] == 0, w.court.said, 120)
    w.compare("content of one wiped while it runs: brought again")


def resumed(org):
    """Its own votes may be in the chain, and it does not know them: then it ended and said so."""
    if org.process.poll() is None:
        return False
    assert org.process.returncode != 0 and "custody network resume" in org.said(), org.said()
    call([CUSTODY, "network", "resume", "--ledger", org.root])
    org.start()
    return True


def put_back(root, backup):
    for part in ("node", "chain", "cloud"):
        shutil.rmtree(root / part)
        call(["cp", "-a", backup / part, root / part])


def old_backup(w):
    w.audit.stop()
    backup = copied(w.audit.root, w.folder / "backup")
    w.audit.start()
    w.load.more(20)
    w.audit.stop()
    put_back(w.audit.root, backup)
    w.load.more(8)
    w.audit.start()
    w.load.more(8)
    until(lambda: w.audit.process.poll() is not None or int(w.audit.checkpoint()[0] or 0) > len(w.load), w.audit.said)
    time.sleep(LONG_S / 2)
    ended = resumed(w.audit)
    w.load.more(8)
    w.compare(f"one put back from a backup: it {'finds its own votes and ends; resumed, it' if ended else 'was let in, and'} follows")


def cloned(w):
    from network import Org, free_ports  # pylint: disable=import-outside-toplevel
    w.audit.stop()
    first = free_ports(2)
    clone = Org(copied(w.audit.root, w.folder / "clone"), first, first + 1)
    w.audit.start()
    clone.start("--listen", f"127.0.0.1:{first}", "--p2p", f"127.0.0.1:{first + 1}", wait=False)
    w.load.more(12)
    time.sleep(LONG_S)
    w.load.more(12)
    clone.kill()
    ended = resumed(w.audit)
    w.load.more(8)
    w.compare(f"one cloned, both at once{': it finds votes that it did not cast, and ends; resumed, it follows' if ended else ''}")


PERTURBATIONS = {"held": held, "killed": killed, "two": parted_two_and_two, "three": parted_three_and_one, "links": bad_links, "clock": an_hour_off, "engine-clock": engine_an_hour_off,
                 "full": disk_full, "wiped": wiped_disk, "content": wiped_content, "backup": old_backup, "cloned": cloned}


def main(names):
    with tempfile.TemporaryDirectory() as folder:
        w, failed = World(folder), True
        try:
            for name in names or PERTURBATIONS:
                began = time.monotonic()
                PERTURBATIONS[name](w)
                print(f"# {name}: {time.monotonic() - began:.0f} s", flush=True)
            w.compare("at the end")
            failed = False
        finally:
            w.close(failed)
            if failed:
                for org in w.net.orgs:
                    said = [line for line in org.log.read_text(errors="replace").splitlines() if "route" not in line]
                    print(f"# {org.root.name}: {said[-12:]}", flush=True)
            try:
                if not failed:
                    ok(f"stopped, the four logs are the same byte for byte, and custody check finds nothing: {same(w.net.orgs)}")
            finally:
                w.unmount()


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - perturbations # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    main(sys.argv[1:])
