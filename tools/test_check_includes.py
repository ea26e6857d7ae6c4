#!/usr/bin/env python3
"""The include checker is worth its name: each kind of wrong arrow, planted in a scratch copy, is found; the tree itself is clean."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CHECKER = HERE / "check_includes.py"

PLANTED = [  # (where, the line, what the checker must say)
    ("src/codec/planted.c", '#include "custody/digest.h"', "codec may not include crypto"),
    ("src/record/planted.c", '#include "ports/fs.h"', "record may not include ports"),
    ("src/ledger/planted.c", '#include "content/objects.h"', "ledger may not include content"),
    ("src/content/planted.c", "#include <openssl/evp.h>", "belongs to bench, crypto"),
    ("src/ledger/planted.c", "#include <sqlite3.h>", "belongs to adapters"),
    ("src/base/planted.c", "#include <cmocka.h>", "belongs to tests"),
    ("src/proof/planted.c", "#include <unistd.h>", "proof is pure"),
    ("include/custody/cbor.h", '#include "custody/note.h"', "codec may not include proof"),
]


def run(root: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def planted_is_found(root: Path, where: str, line: str, expected: str) -> bool:
    target = root / where
    old = target.read_text(encoding="utf-8") if target.exists() else None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{line}\n{old or ''}", encoding="utf-8")
    code, said = run(root)
    target.unlink() if old is None else target.write_text(old, encoding="utf-8")
    return code == 1 and any(where in found and expected in found for found in said.splitlines())


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        for top in ("include", "src"):
            shutil.copytree(ROOT / top, Path(scratch) / top)
        results = [(f"{line} in {where} is found", planted_is_found(Path(scratch), where, line, said)) for where, line, said in PLANTED]
    code, said = run(ROOT)
    results.append(("the tree itself has no wrong arrow", code == 0))
    for text, good in results:
        print(f"{'ok' if good else 'not ok'} - {text}")
    print(said, end="")
    return not all(good for _, good in results)


sys.exit(main())
