"""Our canonical CBOR against PyPI's cbor2: cbor2_oracle.py ECHO [COUNT [SEED]], in TAP.

ECHO is the helper that answers a line of hex with what we write for it, or with why we refuse it. "Damage" is random bytes
changed, or a deliberately bad encoder (long heads, shuffled or repeated keys, indefinite lengths). Three things are compared:

1. What cbor2 writes canonically we accept, and write the same.
2. What we accept after random damage cbor2 reads too, and writes the same.
3. What we refuse after random damage cbor2 cannot read, or writes differently, or it is one of the few things that the strict
   profile leaves out on purpose.

cbor2's canonical order of keys is by length first, ours (RFC 8949, 4.2.1) bytewise: the two agree within one type of key, so
maps here have keys of one type, and damaged ones that mix types are left out of the comparison.
"""
import random
import re
import subprocess
import sys

import cbor2

PROFILE = ("a floating-point number", "undefined", "a simple value other than", "nested too deep", "a map key is neither", "a tag on a tag")
DEPTH_MAX = 8


def number(rng):
    return rng.getrandbits(64) >> rng.randrange(64)


def text(rng):
    letters = "abc \"\\\n\u00fc\u6c34\U0001F600\u202e"
    return "".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 5, 23, 24, 100))))


def octets(rng):
    return rng.randbytes(rng.choice((0, 1, 23, 24, 32, 64, 255, 256)))


KEYS = (number, lambda rng: -1 - number(rng), text, octets)
SCALARS = KEYS + (lambda rng: rng.random() < 0.5, lambda rng: None)


def value(rng, depth=0):
    """A random value of the profile. Tags are numbers for which cbor2 has no meaning of its own."""
    kind = rng.randrange(9 if depth < DEPTH_MAX else 6)
    if kind < 6:
        return SCALARS[kind](rng)
    if kind == 6:
        return cbor2.CBORTag(rng.randrange(70000, 1 << 40), rng.choice(SCALARS)(rng))
    n = rng.choice((0, 1, 2, 3, 3, 24, 30)) if depth < 2 else rng.randrange(3)
    if kind == 7:
        return [value(rng, depth + 1) for _ in range(n)]
    key = rng.choice(KEYS)
    return {key(rng): value(rng, depth + 1) for _ in range(n)}


def damaged(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(4)
        if how == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at:at] = rng.randbytes(rng.randrange(1, 4))
        elif how == 2:
            del data[at:at + rng.randrange(1, 4)]
        elif at < len(data):
            data[at] = rng.choice((0x18, 0x38, 0x58, 0x78, 0x9F, 0xBF, 0xF6, 0xF7, 0xF9, 0xFF, 0x80, 0xA0, 0x60, 0x40))
    return bytes(data)


def head(rng, major, n, sins):
    """A head; once in a while not the shortest one."""
    shortest = 0 if n < 24 else 1 if n < 1 << 8 else 2 if n < 1 << 16 else 4 if n < 1 << 32 else 8
    size = shortest
    if shortest < 8 and rng.random() < sins:
        size = rng.choice([s for s in (1, 2, 4, 8) if s > shortest])
    if size == 0:
        return bytes([major << 5 | n])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + n.to_bytes(size, "big")


def written_badly(rng, v, sins=0.03):
    """What a careless encoder makes of a value: well-formed, but seldom canonical."""
    again = lambda x: written_badly(rng, x, sins)
    if v is None or isinstance(v, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[v]
    if isinstance(v, int):
        return head(rng, 0, v, sins) if v >= 0 else head(rng, 1, -1 - v, sins)
    if isinstance(v, (bytes, str)):
        major, data = (2, v) if isinstance(v, bytes) else (3, v.encode())
        if rng.random() < sins:
            return bytes([major << 5 | 31]) + head(rng, major, len(data), 0) + data + b"\xff"
        return head(rng, major, len(data), sins) + data
    if isinstance(v, cbor2.CBORTag):
        return head(rng, 6, v.tag, sins) + again(v.value)
    if isinstance(v, list):
        body, major, n = b"".join(map(again, v)), 4, len(v)
    else:
        pairs = sorted((again(k), again(x)) for k, x in v.items())
        if pairs and rng.random() < sins:
            pairs.append(rng.choice(pairs))
        if rng.random() < sins:
            rng.shuffle(pairs)
        body, major, n = b"".join(k + x for k, x in pairs), 5, len(pairs)
    if rng.random() < sins:
        return bytes([major << 5 | 31]) + body + b"\xff"
    return head(rng, major, n, sins) + body


def ask(echo, inputs):
    lines = "".join(i.hex() + "\n" for i in inputs)
    said = subprocess.run([echo], input=lines, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert len(said) == len(inputs), f"{len(said)} answers to {len(inputs)} questions"
    return said


def mixes_keys(v):
    """Does a map in it have keys of more than one major type?"""
    if isinstance(v, cbor2.CBORTag):
        return mixes_keys(v.value)
    if isinstance(v, (list, tuple)):
        return any(map(mixes_keys, v))
    if not hasattr(v, "items"):
        return False
    types = {cbor2.dumps(k)[0] >> 5 for k in v}
    return len(types) > 1 or any(map(mixes_keys, v.values()))


def has_tag(diagnosis):
    """cbor2 gives many tags a meaning; those that damage made are not compared."""
    return re.search(r"\d\(", re.sub(r'"(\\.|[^"\\])*"', "", diagnosis)) is not None


def reads_and_writes_the_same(data):
    """What cbor2 makes of it: (True when it writes back these bytes, the value)."""
    try:
        v = cbor2.loads(data)
        return cbor2.dumps(v, canonical=True) == data, v
    except Exception:  # cbor2 has many ways to say no
        return False, None


def main():
    echo, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    rng = random.Random(seed)
    values = [value(rng) for _ in range(count)]
    good = [cbor2.dumps(v, canonical=True) for v in values]
    bad = [damaged(rng, data) for data in good] + [written_badly(rng, v) for v in values]
    failures, accepted, refused = [], 0, 0

    for data, said in zip(good, ask(echo, good)):
        if said[0] != "+" or said[1:].split("\t")[0] != data.hex():
            failures.append(f"cbor2 wrote {data.hex()}, we say {said}")
    for data, said in zip(bad, ask(echo, bad)):
        same, v = reads_and_writes_the_same(data)
        if said[0] == "+":
            accepted += 1
            if not same and not has_tag(said[1:].split("\t")[1]) and not (v is not None and mixes_keys(v)):
                failures.append(f"we accept {data.hex()}, cbor2 does not")
        else:
            refused += 1
            if same and not any(s in said for s in PROFILE) and not mixes_keys(v):
                failures.append(f"cbor2 accepts {data.hex()}, we say {said}")

    for line in failures[:20]:
        print(f"#   {line}")
    print(f"{'not ok' if failures else 'ok'} - cbor2 and we agree on {count} values and {accepted} + {refused} damaged ones (seed {seed})")
    return 1 if failures or accepted < count / 100 else 0


sys.exit(main())
