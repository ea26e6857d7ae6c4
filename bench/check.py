#!/usr/bin/env python3
"""Row `check`: everything re-derived (hashes, signatures, rules, both log copies, both stores), against Tessera's fsck, which re-derives
hashes of one log copy. And the row before it, `records`, makes the ledger."""
import os
import statistics
import sys

from measure import BUILD, CUSTODY, RUNS, fresh, machine, run

RECORDS = int(os.environ.get("BENCH_RECORDS", "40000"))


def made():
    ledger = fresh("records") / "L"
    run([CUSTODY, "init", ledger])
    print(run([BUILD / "release" / "bin" / "bench_records", ledger, RECORDS])[2], end="")
    print(f"  {machine()}")
    return ledger


def timed(command) -> float:
    return statistics.median(run(command)[0] for _ in range(RUNS))


def main(row: str) -> None:
    ledger = made()
    if row == "records":
        return
    entries = int((ledger / "node" / "log" / "checkpoint").read_text().splitlines()[1])
    whole = timed([CUSTODY, "check", "--ledger", ledger])
    fsck = BUILD / "tools" / "bin" / "fsck"
    print(f"\ncheck of {entries} entries, {RECORDS} deposits")
    print(f"  {'custody check: hashes, signatures, rules, 2 logs, 2 stores':<60} {whole:8.2f} s {entries / whole:10.0f} entries/s")
    if fsck.exists():
        hashes = timed([fsck, "--ui=false", f"--storage_url=file://{ledger}/node/log", f"--public_key={ledger}/trust/log.vkey"])
        print(f"  {'fsck: hashes of one log':<60} {hashes:8.2f} s {entries / hashes:10.0f} entries/s")
    else:
        print("  fsck is not installed: tools/setup bench")
    print(f"  {machine()}, median of {RUNS}")


main(sys.argv[1])
