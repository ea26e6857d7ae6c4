#!/usr/bin/env python3
"""The entries of a tlog-tiles log as files 0, 1, 2 … for tools that take one at a time.

    entries.py LOG OUT
"""
import struct
import sys
from pathlib import Path


def bundles(log: Path):
    """The bundles in order; of partial ones the widest."""
    size = int((log / "checkpoint").read_text().splitlines()[1])
    for n in range((size + 255) // 256):
        name = "/".join([f"x{n // 1000**i % 1000:03}" for i in range(len(f"{n:03}") // 4, 0, -1)] + [f"{n % 1000:03}"])
        width = min(256, size - 256 * n)
        yield (log / "tile" / "entries" / (name if width == 256 else f"{name}.p/{width}")).read_bytes()


def entries(bundle: bytes):
    at = 0
    while at < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, at)
        yield bundle[at + 2 : at + 2 + length]
        at += 2 + length


def main(log: str, out: str) -> None:
    Path(out).mkdir(parents=True, exist_ok=True)
    for i, entry in enumerate(e for bundle in bundles(Path(log)) for e in entries(bundle)):
        (Path(out) / str(i)).write_bytes(entry)


main(*sys.argv[1:])
