#!/usr/bin/env python3
"""A folder of files as an investigation brings in: many small, few large, nothing that compresses.

    make_tree.py DIR [FILES] [BYTES] [SEED]        5000 files, 1.7 GB, seed 20260101
"""
import math
import random
import sys
from pathlib import Path


def sizes(count: int, total: int, dice: random.Random) -> list[int]:
    """Log-normal, median 24 KiB, sigma 2, scaled so that they sum to the total."""
    raw = [dice.lognormvariate(math.log(24 * 1024), 2.0) for _ in range(count)]
    scale = total / sum(raw)
    return [max(1, int(size * scale)) for size in raw]


def main(root: str, count: int = 5000, total: int = 1_700_000_000, seed: int = 20260101) -> None:
    dice = random.Random(seed)
    for i, size in enumerate(sizes(count, total, dice)):
        path = Path(root) / f"{i // 1000:02}" / f"{i // 100 % 10}" / f"{i:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as out:
            for at in range(0, size, 1 << 22):
                out.write(dice.randbytes(min(1 << 22, size - at)))


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:]))
