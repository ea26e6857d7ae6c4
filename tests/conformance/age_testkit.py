"""Every published vector of the age format by our library: age_testkit.py AGE_FILE VECTORS, in TAP.

What a vector expects becomes one of our statuses, as docs/formats/sealed.md says. Armor is not read, passphrases and the hybrid kind are stepped over: of
those only what any reader of the header must see is seen. What was given out before a failure must have the digest that the vector names.
"""
import hashlib
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

CLASSES = {"success": "OK", "no match": "SEALED", "HMAC failure": "BAD_HASH", "header failure": "MALFORMED", "payload failure": "CORRUPT"}
SEEN_BY_ALL = {"scrypt_and_x25519", "scrypt_double", "scrypt_not_canonical_body", "hybrid_not_canonical_body", "hybrid_x25519_arg"}


def vector(path):
    head, _, sealed = path.read_bytes().partition(b"\n\n")
    keys = {}
    for line in head.decode().splitlines():
        key, value = line.split(": ", 1)
        keys.setdefault(key, []).append(value)
    return keys, zlib.decompress(sealed) if "compressed" in keys else sealed


def expected(name, keys):
    if "armored" in keys or name in SEEN_BY_ALL:
        return "MALFORMED"
    return "SEALED" if name.startswith(("scrypt", "hybrid")) else CLASSES[keys["expect"][0]]


def judged(tool, keys, sealed, piece):
    ours = [key for key in keys.get("identity", []) if "-PQ-" not in key]
    with tempfile.NamedTemporaryFile("w") as file:
        # one identity is needed to ask at all: a stranger's where the vector has none that we read
        file.write("\n".join(ours or ["AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"]) + "\n")
        file.flush()
        done = subprocess.run([tool, "open", file.name, str(piece)], input=sealed, capture_output=True, check=False)
    status = "OK" if done.returncode == 0 else done.stderr.decode().split(":")[0]
    return status, hashlib.sha256(done.stdout).hexdigest()


def main():
    tool, failed, n = sys.argv[1], 0, 0
    for path in sorted(Path(sys.argv[2]).iterdir()):
        if path.suffix:
            continue
        keys, sealed = vector(path)
        want, n = expected(path.name, keys), n + 1
        for piece in (1 << 19, 4093):
            status, digest = judged(tool, keys, sealed, piece)
            good = status == want and (want not in ("OK", "CORRUPT") or digest == keys["payload"][0])
            if not good:
                print(f"#   {status}, not {want}; {digest}")
                break
        print(f"{'ok' if good else 'not ok'} - {path.name}: {keys['expect'][0]} is {want}")
        failed |= not good
    if n < 143:
        print(f"not ok - all 143 vectors are there, not {n}")
        failed = 1
    return failed


sys.exit(main())
