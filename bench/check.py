#!/usr/bin/env python3
"""Row `check`: everything re-derived (hashes, signatures, rules, both log copies, both stores, the index) as a share of what the signatures
alone cost, with the accelerator and without; hashes alone against Tessera's fsck, which re-derives those of one log copy. And the row
before it, `records`, makes the ledger."""
import json
import os
import statistics
import sys

from measure import BUILD, CUSTODY, RUNS, cost, fresh, machine, run

CORES = os.cpu_count() or 1


def made(records: int):
    ledger = fresh("records") / "L"
    run([CUSTODY, "init", ledger])
    print(run([BUILD / "release" / "bin" / "bench_records", ledger, records])[2], end="")
    print(f"  {machine()}")
    return ledger


def limits() -> dict[str, float]:
    """Signatures a second on all cores, batches of 512, keys loaded: by processor time."""
    lines = run([BUILD / "release" / "bin" / "bench_verify"])[2].splitlines()
    rates = {line.split("cores", 1)[1].split(",")[0].strip(): float(line.split("/s")[0].split()[-1]) for line in lines if "16 keys loaded" in line}
    return {"auto": rates.get("eight lanes", rates["OpenSSL"]), "off": rates["OpenSSL"]}


def timed(command) -> tuple[float, float, float]:
    """Medians of seconds, of seconds of all processors by the number of cores, of MiB resident."""
    results = [cost(command)[:3] for _ in range(RUNS)]
    seconds, processors, resident = (statistics.median(column) for column in zip(*results))
    return seconds, processors / CORES, resident


def line(what: str, entries: int, figures, ratio: str) -> None:
    seconds, processors, resident = figures
    print(f"  {what:<44} {seconds:7.2f} s {processors:7.2f} s of all cores {entries / seconds:10.0f} entries/s {resident:5.0f} MiB  {ratio}")


def check(records: int) -> None:
    ledger = made(records)
    here = ["--ledger", ledger]
    counted = json.loads(run([CUSTODY, "check", "--json", *here])[2])
    entries, signatures = counted["entries"], counted["signatures"]
    print(f"\ncheck of {entries} entries, {signatures} signatures, {counted['objects']} objects")
    for accelerator, limit in limits().items():
        whole = timed([CUSTODY, "check", "--accelerator", accelerator, *here])
        shares = [signatures / t / limit for t in whole[:2]]
        line(f"everything, --accelerator {accelerator}", entries, whole, f"{shares[0]:.0%} of the {limit:.0f} signatures/s that all cores check, {shares[1]:.0%} by processor time")
    fsck = [BUILD / "tools" / "bin" / "fsck", "--ui=false", f"--storage_url=file://{ledger}/node/log", f"--public_key={ledger}/trust/log.vkey"]
    if not fsck[0].exists():
        print("  fsck is not installed: tools/setup bench")
        return
    peers = {n: timed([*fsck, "-N", n]) for n in sorted({1, CORES})}
    best = min(peers.values())
    for n, figures in peers.items():
        line(f"fsck: hashes of one log, {n} workers", entries, figures, "")
    for only, what in (("log", "--only log: hashes of both logs"), ("hashes", "--only hashes: and of both stores")):
        figures = timed([CUSTODY, "check", "--only", only, *here])
        line(what, entries, figures, f"{best[0] / figures[0]:.1f} × as fast as fsck")
    print(f"  {machine()}, medians of {RUNS}")


if sys.argv[1] == "records":
    made(int(os.environ.get("BENCH_RECORDS", "40000")))
else:
    check(int(os.environ.get("BENCH_RECORDS", "200000")))
