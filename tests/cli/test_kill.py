#!/usr/bin/env python3
"""kill -9 at any moment: nothing acknowledged is missing, whatever verb comes next works, and `check` is clean.

CUSTODY_SEED repeats a run; every failure prints it. CUSTODY_SLOW=1 kills 500 times and more; CUSTODY_SECONDS=n goes on so long,
with nothing but storms of deposits, and ends with a line that counts.
"""
import atexit
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from cases import a_folder, many_paths
from custody_test import CUSTODY, SANITIZED, ENVIRONMENT, Ledger, Skip, fill, main, noise, picture, same, scratch, test, verify

KILLS = 260 if os.environ.get("CUSTODY_SLOW") else 3 if SANITIZED else 18  # in each storm
COUNTED = collections.Counter()
SEED = int(os.environ.get("CUSTODY_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
VERBS = (["ls"], ["status"], ["trail"], ["case", "ls"], ["show", "C1/1"], ["check"], ["receipt", "C1/1", "-o", "-"], ["doctor"])


def start(ledger, *args):
    env = {**ENVIRONMENT, "CUSTODY_LEDGER": str(ledger.root)}
    return subprocess.Popen([CUSTODY, *map(os.fspath, args)], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def killed(ledger, after, *args):
    """Run and kill after so many seconds; the whole lines that it had printed, and whether it was killed in time."""
    running, lines = start(ledger, *args), []
    reader = threading.Thread(target=lambda: lines.extend(running.stdout.read().split(b"\n")))
    reader.start()
    try:
        running.wait(after)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
    running.wait(60)
    reader.join(60)
    assert running.returncode in (0, -signal.SIGKILL), f"it ended with {running.returncode}"
    COUNTED["kills"] += running.returncode == -signal.SIGKILL
    return [l.decode() for l in lines[:-1]], running.returncode == -signal.SIGKILL


def took(ledger, *args):
    began = time.time()
    running = start(ledger, *args)
    running.communicate(timeout=120)
    assert running.returncode == 0, args
    return time.time() - began


def acknowledged_is_there(ledger, rows):
    """Every deposit that was told to somebody: same id under the same number, and its receipt verifies with its file."""
    listed = {r["exhibit"]: r["id"] for r in ledger.run("ls", "--json").rows}
    lost = [row for row in rows if listed.get(row["exhibit"]) != row["id"]]
    COUNTED["lost"] += len(lost)
    assert not lost, f"{lost[0]['exhibit']} {lost[0]['id']} is missing or another one, of {len(lost)}"
    for row in rows[-3:] + rows[:2]:
        verify("--trust", ledger.trust, row["receipt"], row["path"])


def storm(folder, what, kills, seconds=1 << 20, again=""):
    """Until so many were killed before they had ended, or so long."""
    rng = random.Random(f"{SEED} {what.__name__}{again}")
    ledger, rows, hit = Ledger.new(folder / "L", "C1"), [], 0
    args = what(folder, 0)
    rows += [json.loads(l) for l in subprocess.run([CUSTODY, *map(os.fspath, args)], env={**ENVIRONMENT, "CUSTODY_LEDGER": str(ledger.root)}, capture_output=True, check=True).stdout.splitlines()]
    whole = max(took(ledger, *what(folder, 1)), 0.02)
    began = time.time()
    for n in range(2, 4 * kills + 2):
        if hit >= kills or time.time() - began > seconds:
            break
        lines, in_time = killed(ledger, rng.random() * whole * 1.05, *what(folder, n))
        hit += in_time
        rows += [json.loads(l) for l in lines]
        verb = rng.choice(VERBS)
        try:
            ledger.run(*verb)
            acknowledged_is_there(ledger, rows)
            if n % 6 == 0:
                rows += ledger.deposit("--case", "C1", fill(folder / f"next{n}", noise(3000, n)))
                ledger.clean()
        except AssertionError as why:
            raise AssertionError(f"CUSTODY_SEED={SEED}, kill {n}, then {verb}: {why}") from why
    try:
        rows += ledger.deposit("--case", "C1", fill(folder / "last", b"last"))
        ledger.clean()
        acknowledged_is_there(ledger, rows)
        for row in rows[::25]:
            verify("--trust", ledger.trust, row["receipt"], row["path"])
        exhibits = ledger.run("ls", "--json").rows
        assert rows[-1]["serial"] == len(exhibits), f"{len(exhibits)} are recorded, and the last has number {rows[-1]['serial']}: a kill left a number open"
        assert len({r["id"] for r in exhibits}) == len(exhibits) and len({r["exhibit"] for r in exhibits}) == len(exhibits), "something is recorded twice"
    except AssertionError as why:
        raise AssertionError(f"CUSTODY_SEED={SEED}: {why}") from why
    COUNTED["acknowledged"] += len(rows)
    return f"{hit} of {n - 2} killed in time, {len(rows)} acknowledged, {len(exhibits)} recorded"


@test
def a_deposit_of_a_folder_killed_at_any_moment(folder):
    return storm(folder, a_folder, KILLS)


@test
def a_deposit_of_many_paths_killed_at_any_moment(folder):
    return storm(folder, many_paths, KILLS)


@test
def deposits_without_waiting_killed_at_any_moment(folder):
    def no_wait(folder, n):
        return [*many_paths(folder, n)[:40], "--no-wait"]
    rng = random.Random(f"{SEED} no wait")
    ledger, rows = Ledger.new(folder / "L", "C1"), []
    for n in range(8):
        running = start(ledger, *no_wait(folder, n))
        try:
            out, _ = running.communicate(timeout=0.02 + rng.random() * 0.3)
        except subprocess.TimeoutExpired:
            running.kill()
            out, _ = running.communicate()
        rows += [json.loads(l) for l in out.split(b"\n")[:-1]]
        COUNTED["kills"] += running.returncode == -signal.SIGKILL
    COUNTED["acknowledged"] += len(rows)
    for row in rows:
        ledger.run("receipt", row["id"], "-o", folder / "r")
        verify("--trust", ledger.trust, folder / "r", row["path"])
    ledger.deposit("--case", "C1", fill(folder / "last", b"last"))
    ledger.clean()
    return f"{len(rows)} acknowledged"


@test
def a_claim_killed_leaves_a_file_to_send_or_at_most_its_number(folder):
    rng = random.Random(f"{SEED} claims")
    ledger, path = Ledger.new(folder / "L", "C1"), fill(folder / "a", noise(5000))
    whole, hit = took(ledger, "claim", path, "--case", "C1", "-o", folder / "claim0"), 0
    for n in range(1, KILLS + 1):
        hit += killed(ledger, rng.random() * whole, "claim", path, "--case", "C1", "-o", folder / f"claim{n}")[1]
    files = [folder / f"claim{n}" for n in range(KILLS + 1) if (folder / f"claim{n}").exists()]
    rows = [r for f in files for r in ledger.deposit("--claim", f)] + ledger.deposit("--case", "C1", path)
    COUNTED["acknowledged"] += len(rows)
    open_numbers = rows[-1]["serial"] - len(rows)
    assert len({r["serial"] for r in rows}) == len(rows) and 0 <= open_numbers <= KILLS + 1 - len(files), f"CUSTODY_SEED={SEED}: {open_numbers} numbers are open"
    ledger.clean()
    return f"{hit} killed in time, {len(files)} files, {open_numbers} numbers to be voided"


@test
def a_repair_killed_at_any_moment_is_finished_by_the_next_writing_verb(folder):
    rng = random.Random(f"{SEED} repair")
    sound = Ledger.new(folder / "sound", "C1")
    for n in range(4):
        sound.deposit("--case", "C1", *[fill(folder / f"s{n}/{i}", noise(1_100_000 if i == 0 else 5_000, f"{n} {i}")) for i in range(5)])
    hurt = [f for f in sound.files("cloud/log", "cloud/objects", "node/state") if (sound.root / f).stat().st_size]
    for n in range(12):
        ledger = sound.copy(folder / "L")
        for where in hurt:
            data = bytearray((ledger.root / where).read_bytes())
            data[len(data) // 3] ^= 1
            (ledger.root / where).write_bytes(data)
        _, in_time = killed(ledger, 0.005 + rng.random() * 0.25 if n else 30, "check", "--repair", "--json")
        try:
            if n % 3 == 0:
                ledger.run("check", "--repair", code=0)
            else:
                begun = (ledger.root / "quarantine/unfinished").exists()
                more = fill(folder / "more", noise(100, n))
                answer = ledger.run("deposit", "--json", "--case", "C1", more, code=None)
                if answer.code != 0:  # killed before it had begun: the verb that meets the damage names it and does nothing
                    assert not begun and answer.code == 2, answer
                    ledger.run("check", "--repair", code=0)
                    ledger.deposit("--case", "C1", more)
                elif (ledger.root / "quarantine").exists() is False or ledger.run("check", code=None).code == 2:
                    ledger.run("check", "--repair", code=0)  # it was killed before it had begun
            ledger.clean()
            trail = ledger.run("trail", "--json").rows
            incidents = [r for r in trail if r["kind"] == "incident"]
            assert len(incidents) == 1, incidents
            assert not (ledger.root / "quarantine/unfinished").exists()
            named = ledger.run("show", incidents[0]["id"]).out
            assert hurt[0] in named or "node/state" in named or "cloud" in named, named
            for i in range(5):
                ledger.run("get", f"C1/{1 + i}", "-o", folder / "out")
                assert (folder / "out").read_bytes() == (folder / f"s0/{i}").read_bytes()
        except AssertionError as why:
            raise AssertionError(f"CUSTODY_SEED={SEED}, round {n}, killed in time: {in_time}: {why}") from why
        shutil.rmtree(ledger.root)


@test
def get_killed_leaves_no_half_file_under_the_name(folder):
    rng = random.Random(f"{SEED} get")
    ledger, data = Ledger.new(folder / "L", "C1"), noise(12_000_000)
    ledger.deposit("--case", "C1", fill(folder / "a", data))
    for _ in range(6):
        killed(ledger, rng.random() * 0.06, "get", "C1/1", "-o", folder / "out")
        if (folder / "out").exists():
            assert (folder / "out").read_bytes() == data
            (folder / "out").unlink()
    ledger.run("get", "C1/1", "-o", folder / "out")
    ledger.clean()


@test
def an_init_that_was_killed_is_no_ledger_and_is_begun_again_by_the_next(folder):
    rng = random.Random(f"{SEED} init")
    for n in range(8):
        running = subprocess.Popen([CUSTODY, "init", folder / str(n)], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * (0.3 if SANITIZED else 0.04))
        running.kill()
        COUNTED["kills"] += running.wait() != 0
        ledger = Ledger(folder / str(n))
        if not ledger.root.exists():
            continue
        answer = ledger.run("status", code=None)
        assert answer.code in (0, 10), f"CUSTODY_SEED={SEED}: {answer}"
        if answer.code == 10:
            Ledger.new(ledger.root)
        ledger.deposit(fill(folder / "a", b"evidence"))
        ledger.clean()


@test
def a_tree_that_was_deposited_is_never_touched(folder):
    args = a_folder(folder, 0)
    before = picture(args[-1])
    ledger = Ledger.new(folder / "L", "C1")
    killed(ledger, 0.05, *args)
    ledger.deposit("--case", "C1", args[-1])
    same(before, picture(args[-1]))


@test
def two_processes_that_race_for_the_lock_write_one_after_the_other_or_say_busy(folder):
    ledger, rows, busy = Ledger.new(folder / "L", "C1"), [], 0
    for n in range(10):
        racers = [start(ledger, *many_paths(folder, 2 * n + i)[:-75]) for i in range(2)]
        for racer in racers:
            out, _ = racer.communicate(timeout=120)
            assert racer.returncode in (0, 11), racer.returncode
            busy += racer.returncode == 11
            assert racer.returncode == 0 or not out, "who was refused has told nobody of a deposit"
            rows += [json.loads(l) for l in out.splitlines()]
    acknowledged_is_there(ledger, rows)
    COUNTED["acknowledged"] += len(rows)
    assert len({row["exhibit"] for row in rows}) == len(rows) == len(ledger.run("ls", "--json").rows)
    ledger.clean()
    return f"{len(rows)} acknowledged, {busy} times busy"


@test
def a_ledger_mounted_read_only_reads_well_and_refuses_the_rest(folder):
    if os.geteuid() != 0:
        raise Skip("needs root to mount")
    ledger = Ledger.new(folder / "L", "C1")
    row = ledger.deposit("--case", "C1", fill(folder / "a", b"evidence"))[0]
    (folder / "M").mkdir()
    if subprocess.run(["mount", "--bind", ledger.root, folder / "M"], check=False, capture_output=True).returncode:
        raise Skip("no mounts here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder / "M"], check=True)
        mounted, before = Ledger(folder / "M"), picture(ledger.root)
        for verb in VERBS[:-1]:
            mounted.run(*verb)
        answer = mounted.run("get", "C1/1", "-o", folder / "out")
        assert (folder / "out").read_bytes() == b"evidence" and "NOT recorded" in answer.err, answer
        for verb in (["deposit", folder / "a"], ["case", "open", "C2"], ["reindex"], ["check", "--repair"]):
            assert len(mounted.run(*verb, code=12).error) > 40, verb
        verify("--trust", mounted.trust, row["receipt"], folder / "a")
        same(before, picture(ledger.root))
    finally:
        subprocess.run(["umount", "-l", folder / "M"], check=False)


def say_what_was_counted():
    print(f"# harness: {COUNTED['kills']} kills, {COUNTED['acknowledged']} acknowledged, {COUNTED['lost']} lost", flush=True)


def go_on(seconds):
    """Ledger after ledger, each killed 25 times."""
    began, n = time.time(), 0
    while time.time() - began < seconds:
        folder = pathlib.Path(scratch("custody-kill-"))
        try:
            storm(folder, many_paths, 25, seconds - (time.time() - began), f" {n}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        n += 1


if __name__ == "__main__":
    atexit.register(say_what_was_counted)
    if os.environ.get("CUSTODY_SECONDS"):
        sys.exit(go_on(float(os.environ["CUSTODY_SECONDS"])))
    main()
