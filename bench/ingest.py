#!/usr/bin/env python3
"""Rows `tree` and `file`: how long until evidence is held, durably, against the tools that people use today. Row `get`: out again.

    ingest.py tree|file|get
"""
import os
import shutil
import sys

import make_tree
from measure import BUILD, CUSTODY, WHERE, fresh, machine, median_of, run, shell, table, warm  # noqa: F401

FILE_BYTES = 4 << 30
TREE_BYTES = 1_700_000_000


def source(row: str):
    path = WHERE / f"source-{row}"
    if not path.exists():
        WHERE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        if row == "tree":
            make_tree.main(str(part), total=TREE_BYTES)
        else:
            shell(f"openssl enc -aes-256-ctr -pass pass:20260101 -nosalt -pbkdf2 -iter 1 -in /dev/zero 2>/dev/null | head -c {FILE_BYTES} >'{part}'")
        part.rename(path)
    warm(path)
    return path


def custody(path):
    """A new ledger each time, so that nothing is known yet; its making is not counted."""
    ledger = fresh("ledger") / "L"
    run([CUSTODY, "init", ledger])
    run([CUSTODY, "case", "open", "BENCH", "--ledger", ledger])
    return run([CUSTODY, "deposit", "--ledger", ledger, "--case", "BENCH", path])


def restic(path):
    repo = fresh("restic")
    options = f"restic --quiet --no-cache --insecure-no-password -r '{repo}'"
    if "insecure-no-password" not in shell("restic backup --help")[2]:
        options = f"RESTIC_PASSWORD=bench restic --quiet --no-cache -r '{repo}'"
    shell(f"{options} init")
    return shell(f"{options} backup '{path}' && sync")


def borg(path):
    repo = fresh("borg") / "R"
    shell(f"borg init -e none '{repo}'")
    return shell(f"cd '{path.parent}' && borg create -C none '{repo}::a' '{path.name}' && sync")


def rclone(path):
    to = fresh("rclone")
    return shell(f"rclone copy --config /dev/null '{path}' '{to}' && sync")


def hashdeep(path):
    return shell(f"hashdeep -r -c sha256 '{path}' >'{fresh('copy')}/sums'")


def copied(path):
    return shell(f"cp -r '{path}' '{fresh('copy')}/c' && sync")


def copy_then_hash(path):
    to = fresh("copy")
    return shell(f"cp -r '{path}' '{to}/c' && find '{to}/c' -type f -print0 | xargs -0 sha256sum >'{to}/sums'")


def limit(amount: float):
    """Two copies written and synced at once, then one of them read again from the disk, as the provider does before it signs; nothing hashed."""
    rows = [line.split() for line in run([BUILD / "release" / "bin" / "bench_limits", WHERE])[2].splitlines()]
    rate = {" ".join(row[:-2]): float(row[-2]) * 1e9 for row in rows if len(row) > 2 and row[-1] == "GB/s"}
    return amount / rate["write, two copies at once"] + amount / rate["read, cold"], 0.0


# Row: title, size, what it is measured against.
ROWS = {
    "tree": ("5,000 files, 1.7 GB", TREE_BYTES, "cp -r + sync"),
    "file": ("one file of 4 GiB", FILE_BYTES, "cp, sha256sum (nothing synced)"),
}
PEERS = [
    ("cp -r + sync", copied, "cp"),
    ("cp, sha256sum (nothing synced)", copy_then_hash, "sha256sum"),
    ("restic backup", restic, "restic"),
    ("borg create", borg, "borg"),
    ("rclone copy + sync", rclone, "rclone"),
    ("hashdeep (hashes, no copy)", hashdeep, "hashdeep"),
]


def ingest(row: str) -> None:
    title, amount, base = ROWS[row]
    path = source(row)
    rows = [("custody deposit, two copies", *median_of(lambda: custody(path)))]
    for name, peer, tool in PEERS:
        if shutil.which(tool):
            rows.append((name, *median_of(lambda peer=peer: peer(path))))
        else:
            print(f"  {tool} is not installed: tools/setup bench")
    rows.append(("limit: two copies, one read again", *limit(amount)))
    table(title, rows, base, amount)
    for name in ("ledger", "copy", "restic", "borg", "rclone"):
        fresh(name)


def get() -> None:
    """4 GiB out again, verified, against the same bytes copied by cat; both synced."""
    custody(source("file"))
    ledger, out = WHERE / "ledger" / "L", fresh("copy") / "out"
    stored = max((ledger / "cloud" / "objects" / "large").rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)

    def custody_get():
        out.unlink(missing_ok=True)
        os.sync()
        return run([CUSTODY, "get", "--ledger", ledger, "BENCH/1", "-o", out])

    def cat():
        out.unlink(missing_ok=True)
        os.sync()
        return shell(f"cat '{stored}' >'{out}' && sync '{out}'")

    rows = [("custody get, verified", *median_of(custody_get)), ("cat + sync", *median_of(cat))]
    table("4 GiB out again", rows, "cat + sync", FILE_BYTES)
    for name in ("ledger", "copy"):
        fresh(name)


if __name__ == "__main__":
    if sys.argv[1] == "get":
        get()
    else:
        ingest(sys.argv[1])
