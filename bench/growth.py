#!/usr/bin/env python3
"""Row `growth`: BENCH_RECORDS deposits (default 1,000,000) in one ledger. Is the last as quick as the first? How long does an open take after
a kill, how far behind is the search index, and how long do questions take?"""
import os
import shutil
import signal
import subprocess
import time

from measure import BUILD, CUSTODY, fresh, machine, run

RECORDS = int(os.environ.get("BENCH_RECORDS", "1000000"))
BEFORE_THE_KILL = 3  # seconds
GROWTH = BUILD / "release" / "bin" / "bench_growth"


def growth(*words) -> None:
    print(run([GROWTH, *words])[2], end="", flush=True)


def killed(ledger, statements) -> None:
    """A writer at work is killed; what it left is what the next one opens."""
    more = 200_000
    with subprocess.Popen([str(word) for word in (GROWTH, "load", ledger, statements, RECORDS - more, RECORDS)], stdout=subprocess.DEVNULL) as writer:
        time.sleep(BEFORE_THE_KILL)
        writer.send_signal(signal.SIGKILL)
    print(f"\nafter a kill {BEFORE_THE_KILL} s into more of the same")


def as_process(ledger) -> None:
    print("\nas a process of its own, start and all")
    for words in (["show", f"unfiled/{RECORDS // 2}"], ["receipt", f"unfiled/{RECORDS // 3}", "-o", "-"], ["case", "ls"]):
        took = sorted(run([CUSTODY, *words, "--ledger", ledger])[0] for _ in range(7))[3]
        print(f"  custody {' '.join(words):<48} {took * 1e3:10.1f}  ms")


def main() -> None:
    folder = fresh("growth")
    ledger, statements = folder / "L", folder / "statements"
    run([CUSTODY, "init", ledger])
    print(f"\n{RECORDS} deposits in one ledger")
    growth("sign", ledger, statements, RECORDS)
    # the writer that is killed submits what comes last
    growth("load", ledger, statements, 0, RECORDS - 200_000 if RECORDS > 400_000 else RECORDS)
    growth("follow", ledger)
    if RECORDS > 400_000:
        killed(ledger, statements)
    growth("ask", ledger, RECORDS - 200_000 if RECORDS > 400_000 else RECORDS)
    as_process(ledger)
    print(f"  {machine()}")
    shutil.rmtree(folder)


main()
