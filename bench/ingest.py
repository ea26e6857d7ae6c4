#!/usr/bin/env python3
"""Rows `tree` and `file`: how long until evidence is held, durably, against the tools that people use today.

    ingest.py tree|file
"""
import sys

import make_tree
from measure import CUSTODY, WHERE, fresh, machine, median_of, run, shell, table, warm  # noqa: F401

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


def copy_then_hash(path):
    to = fresh("copy")
    return shell(f"cp -r '{path}' '{to}/c' && find '{to}/c' -type f -print0 | xargs -0 sha256sum >'{to}/sums'")


def main(row: str) -> None:
    path = source(row)
    copy, hashed = ("cp -r + sync", "cp -r, sha256sum") if row == "tree" else ("cp + sync", "cp, sha256sum")
    rows = [
        ("custody deposit, two copies", *median_of(lambda: custody(path))),
        (copy, *median_of(lambda: shell(f"cp -r '{path}' '{fresh('copy')}/c' && sync"))),
        (f"{hashed} (nothing synced)", *median_of(lambda: copy_then_hash(path))),
        ("restic backup", *median_of(lambda: restic(path))),
    ]
    amount = TREE_BYTES if row == "tree" else FILE_BYTES
    table("5,000 files, 1.7 GB" if row == "tree" else "one file of 4 GiB", rows, copy if row == "tree" else f"{hashed} (nothing synced)", amount)
    for name in ("ledger", "copy", "restic"):
        fresh(name)


main(sys.argv[1])
