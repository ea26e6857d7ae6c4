"""Our signed notes against Go's golang.org/x/mod/sumdb/note: notes_oracle.py NOTE_OPEN READ_NOTE [COUNT [SEED]], in TAP.

Random notes by random keys, and the same after damage, are put to both. They must say the same of each: the key is refused, or the
note is malformed, invalid, unverified or good. Where we are stricter on purpose, the reason that we give must be one of STRICTER.
"""
import base64
import hashlib
import random
import subprocess
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# what we refuse and Go takes: base64 with loose trailing bits or line ends in it, an upper-case key hash, more lines than 64
STRICTER = ("strict base64", "lower-case hex", "more than", "at most")
NAMES = ("example.com/foo", "a", "\u6c34.example", "x" * 100, "caf\u00e9", "log.example/0123456789abcdef")
BAD_NAMES = ("with space", "with+plus", "", "nb\u00a0sp", "ideographic\u3000space", "next\u0085line")


class Key:
    def __init__(self, rng, name):
        self.secret, self.name = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)), name
        self.public = b"\x01" + self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(name.encode() + b"\n" + self.public).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.public).decode()}".encode()

    def line(self, text):
        return f"\u2014 {self.name} {base64.b64encode(self.id + self.secret.sign(text)).decode()}\n".encode()


def text(rng):
    words = "abc \u6c34\n\u00e9\U0001F600=+/"
    lines = ("".join(rng.choice(words) for _ in range(rng.choice((1, 5, 40)))) for _ in range(rng.randrange(1, 5)))
    return ("\n".join(lines) + "\n").encode()


def note(rng, keys):
    body = text(rng)
    lines = [k.line(body) for k in rng.sample(keys, rng.randrange(1, 4))]
    if rng.random() < 0.2:  # somebody whom nobody knows, with a signature of another kind
        lines.append(f"\u2014 {rng.choice(NAMES + BAD_NAMES)} {base64.b64encode(rng.randbytes(rng.choice((3, 4, 5, 76)))).decode()}\n".encode())
    rng.shuffle(lines)
    return body + b"\n" + b"".join(lines)


def damaged(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(data))
        how = rng.randrange(6)
        if how == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at:at] = rng.choice((b"\n", b" ", b"\r", b"\t", b"+", b"=", b"\xe2\x80\x94 ", b"\n\n", b"\0", b"\xff", b"A"))
        elif how == 2:
            del data[at:at + rng.randrange(1, 4)]
        elif how == 3:
            del data[at:]
        elif how == 4:  # a line twice, another order
            lines = bytes(data).split(b"\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            data = bytearray(b"\n".join(lines))
        else:
            data[at] = rng.randrange(256)
        if not data:
            data = bytearray(b"\n")
    return bytes(data)


def ask(program, questions):
    lines = "".join(f"{k.hex()} {n.hex()}\n" for k, n in questions)
    said = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert len(said) == len(questions), f"{len(said)} answers to {len(questions)} questions"
    return said


def signs_twice(key, data):
    """Go looks at the first line of a key only; we look at all."""
    start = f"\u2014 {key.name} ".encode()
    return sum(line.startswith(start) for line in data.split(b"\n")) > 1


def main():
    go, ours, count = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 20000
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    rng = random.Random(seed)
    keys = [Key(rng, rng.choice(NAMES)) for _ in range(20)]
    cases = []
    for _ in range(count):
        key, data = rng.choice(keys), note(rng, keys)
        cases.append((key, key.vkey(), data))
        cases.append((key, key.vkey(), damaged(rng, data)))
        if rng.random() < 0.2:
            cases.append((key, damaged(rng, key.vkey()), data))
    questions = [(vkey, data) for _, vkey, data in cases]
    failures, verdicts, stricter = [], {}, 0
    for (key, vkey, data), theirs, said in zip(cases, ask(go, questions), ask(ours, questions)):
        mine, _, why = said.partition(" ")
        verdicts[mine] = verdicts.get(mine, 0) + 1
        if mine == theirs or signs_twice(key, data):
            continue
        if (mine, theirs) == ("malformed", "invalid"):  # Go verifies as it reads; we read the whole before
            continue
        if mine in ("key", "malformed") and any(s in why for s in STRICTER):
            stricter += 1
            continue
        failures.append(f"Go says {theirs}, we say {said}: {vkey!r} {data!r}")
    for line in failures[:10]:
        print(f"#   {line}")
    counts = ", ".join(f"{n} {v}" for v, n in sorted(verdicts.items()))
    print(f"{'not ok' if failures else 'ok'} - Go and we agree on {len(cases)} notes ({counts}; {stricter} refused by us alone; seed {seed})")
    return 1 if failures or len(verdicts) < 5 else 0


sys.exit(main())
