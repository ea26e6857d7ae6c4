#!/usr/bin/env python3
"""Row `growth`: BENCH_RECORDS deposits (default: the first argument) in one ledger. Is the last as quick as the first? How long does an open take
after a kill, how far behind is the search index, and how long do questions take? Progress goes to stderr. Whatever happens, nothing is left behind."""
import os
import shutil
import signal
import subprocess
import sys
import time

from measure import BUILD, CUSTODY, WHERE, fresh, machine, run

RECORDS = int(os.environ.get("BENCH_RECORDS", sys.argv[1] if len(sys.argv) > 1 else "10000000"))
KILLED = 200_000 if RECORDS > 400_000 else RECORDS // 4  # the writer that is killed submits what comes last
BEFORE_THE_KILL = 3  # seconds
GROWTH = BUILD / "release" / "bin" / "bench_growth"

# Bytes a record, measured: both logs 1,200, both stores 650, the index 450, the state 150 and once more while it is written anew. The signed
# statements take 1,024 until they are submitted, so at no time more than the ledger that they become.
A_RECORD = 2_900
BESIDE = 3 << 30  # the journal, what the index merges, some room


def growth(*words) -> None:
    sys.stdout.flush()
    said = subprocess.run([str(word) for word in (GROWTH, *words)], stdin=subprocess.DEVNULL, check=False)
    if said.returncode != 0:
        sys.exit(f"bench: growth {words[0]} failed")


def room() -> None:
    """Ten million records are thirty gigabytes: say so before, not after half an hour."""
    WHERE.mkdir(parents=True, exist_ok=True)
    need, free = RECORDS * A_RECORD + BESIDE, shutil.disk_usage(WHERE).free
    if free < need:
        sys.exit(f"bench: {RECORDS} records need {need / 1e9:.0f} GB in {WHERE}, and {free / 1e9:.0f} GB are free: name another folder in BENCH_DIR, "
                 f"or fewer records in BENCH_RECORDS ({max(0, free - BESIDE) // A_RECORD // 100_000 * 100_000} would fit); nothing was begun")


def killed(ledger, statements) -> None:
    """A writer at work is killed; what it left is what the next one opens."""
    with subprocess.Popen([str(word) for word in (GROWTH, "load", ledger, statements, RECORDS - KILLED, RECORDS)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as writer:
        time.sleep(BEFORE_THE_KILL)
        writer.send_signal(signal.SIGKILL)
    print(f"\nafter a kill {BEFORE_THE_KILL} s into more of the same")


def as_process(ledger) -> None:
    print("\nas a process of its own, start and all")
    some = f"unfiled/{RECORDS // 3}"
    for words in (["show", some], ["receipt", some, "-o", "-"], ["trail", some], ["case", "ls"]):
        took = sorted(run([CUSTODY, *words, "--ledger", ledger])[0] for _ in range(7))[3]
        print(f"  custody {' '.join(words):<48} {took * 1e3:10.1f}  ms")


def used(folder) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def measure(folder) -> None:
    ledger, statements = folder / "L", folder / "statements"
    run([CUSTODY, "init", ledger])
    print(f"\n{RECORDS:,} deposits in one ledger")
    growth("sign", ledger, statements, RECORDS)
    growth("load", ledger, statements, 0, RECORDS - KILLED)
    growth("follow", ledger)
    print(f"  {'on disk, the index among it':<56} {used(ledger) / (RECORDS - KILLED):12.0f}  bytes a record")
    killed(ledger, statements)
    statements.unlink()
    growth("ask", ledger, RECORDS - KILLED)
    as_process(ledger)
    print(f"  {machine()}")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))
    room()
    folder = fresh("growth")
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
