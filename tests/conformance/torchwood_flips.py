#!/usr/bin/env python3
"""Flip every bit of a receipt outside its `extra` and ask torchwood; each flip that it accepts must be one of those explained here, and
ours must refuse it.

    torchwood_flips.py VERIFIER POLICY LEAF RECEIPT OUR VERIFIER…

Exempt, with the reason:
  extra      the line is unauthenticated by the format; a stock verifier ignores it (ours binds it)
  loose      the last character of base64 text before its padding has bits that belong to no byte: torchwood does not look at them
             (ours refuses any but zeros)
"""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def line_at(data: bytes, at: int) -> tuple[int, bytes]:
    begin = data.rfind(b"\n", 0, at) + 1
    end = data.find(b"\n", at)
    return begin, data[begin : len(data) if end < 0 else end]


def why_exempt(data: bytes, at: int, bit: int) -> str | None:
    begin, line = line_at(data, at)
    if line.startswith(b"extra ") and at >= begin + 6:
        return "extra"
    padding = len(line) - len(line.rstrip(b"="))
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = data[at] ^ (1 << bit)
    if padding and at == begin + len(line) - padding - 1 and changed in alphabet and data[at] in alphabet:
        loose = 2 * padding  # bits
        if alphabet.index(changed) >> loose == alphabet.index(data[at]) >> loose:
            return "loose"
    return None


def main(verifier: str, policy: str, leaf: str, receipt: str, *ours: str) -> int:
    data = Path(receipt).read_bytes()
    # the foreign program is the same in every build: where our own are slow, every eighth flip will do
    every = 8 if os.environ.get("CUSTODY_SANITIZED") == "ON" else 1
    places = [(at, bit) for at in range(len(data)) for bit in range(8) if why_exempt(data, at, bit) != "extra"][::every]

    def accepted(place: tuple[int, int], command=(verifier, policy, leaf)) -> bool:
        at, bit = place
        with tempfile.NamedTemporaryFile(dir=scratch) as flipped:
            flipped.write(data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :])
            flipped.flush()
            return subprocess.run([*command, flipped.name], capture_output=True, check=False).returncode == 0

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = [place for place, good in zip(places, pool.map(accepted, places)) if good]
        taken = [place for place in passed if accepted(place, ours)]
    unexplained = [place for place in passed if not why_exempt(data, *place)]
    for at, bit in unexplained:
        print(f"# accepted: bit {bit} of byte {at}, line {line_at(data, at)[1]!r}")
    print(f"{'not ok' if unexplained else 'ok'} - of {len(places)} single-bit flips outside `extra` torchwood refuses {len(places) - len(passed)}; "
          f"{len(passed) - len(unexplained)} touch loose base64 bits only")
    print(f"{'not ok' if taken else 'ok'} - and our verifier refuses those too")
    return bool(unexplained or taken)


sys.exit(main(*sys.argv[1:]))
