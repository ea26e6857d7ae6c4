"""judge_mutate.py SEED N PROGRAM [-- PROGRAM]: N mutations of the cases' receipts and trust files, judged by one program or compared.

Bits, bytes, lines; CBOR by its structure, in other spellings too; base64, notes, numbers; and, where the makers' libraries are at
hand, entries that were changed, signed again and put under a checkpoint signed again. What two programs say must be the same. What is
accepted (exit 0) and not signed again must be a receipt that was accepted before, but for signature lines that are ignored.
JUDGE_KEEP=FOLDER keeps the files of the first that differ.
"""
import base64
import os
import pathlib
import random
import re
import sys
import tempfile

from cbor_forms import Pairs, Raw, Tag, dec, enc, head
from judge_cases import FIRST, cut, read, run, unpack_bytes

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "vectors"))
try:
    import judge_world as world
except ImportError:
    world = None

seed, n = int(sys.argv[1]), int(sys.argv[2])
rest = sys.argv[3:]
programs = [rest[:rest.index("--")], rest[rest.index("--") + 1:]] if "--" in rest else [rest]
rng = random.Random(seed)
cases, bases = read(pathlib.Path(__file__).parent.parent / "vectors/judge")
pick = rng.choice


# ---- bytes ----

def some_bytes(data, others):
    """One change of a byte string, whatever it holds."""
    at, k = rng.randrange(len(data) + 1), pick([1, 1, 1, 2, 4, 8, 32, 64])
    other = pick(others)
    far = rng.randrange(len(other) + 1)
    return pick([
        lambda: data[:at] + bytes(x ^ 1 << rng.randrange(8) for x in data[at:at + 1]) + data[at + 1:],
        lambda: data[:at] + bytes([rng.randrange(256)]) + data[at + 1:],
        lambda: data[:at] + data[at + k:],
        lambda: data[:at] + rng.randbytes(k) + data[at:],
        lambda: data[:at],
        lambda: data[at:],
        lambda: data[:at] + other[at:],
        lambda: data[:at] + other[far:],
        lambda: data[:at] + data[at:at + k] + data[at:],
        lambda: data[:at] + other[far:far + k] + data[at + k:],
        lambda: data[:at] + bytes(k) + data[at + k:],
    ])()


def number(v):
    return pick([v + 1, v - 1, 0, v ^ 1 << rng.randrange(63), -1 - v, 2**63 - 1, 2**63, 2**64 - 1, v * 2, 253402300799999, 253402300800000])


def spelled(v):
    """The same number, string or array under a head that is longer than it needs, or without end."""
    major, size = {int: 0, bytes: 2, str: 3}.get(type(v), 4), pick([1, 2, 4, 8])
    if isinstance(v, int):
        return Raw(head(0, v, size)) if 0 <= v < 1 << 8 * size else v
    whole = enc(v)
    count = len(v.encode() if isinstance(v, str) else v)
    if major == 4 and isinstance(v, dict):
        major = 5
    short = len(head(major, count))
    return Raw(pick([head(major, count, size) if count < 1 << 8 * size else b"", bytes([major << 5 | 31]), head(major, count + 1), head(major, max(0, count - 1))]) + whole[short:])


def node(v, other):
    """`v` with one change somewhere within; `other` is what stands there in another receipt."""
    if isinstance(v, Raw) or v is None or isinstance(v, bool):
        return pick([None, True, False, 0, b"", Raw(b"\xf7"), Raw(b"\xf9\x3c\x00"), [], {}])
    if rng.random() < 0.04:
        return pick([other, None, 0, b"", "", [], {}, [v], enc(v), Tag(pick([18, 24, 0]), v)])
    if isinstance(v, Tag):
        return Tag(v.number, node(v.value, getattr(other, "value", None))) if rng.random() < 0.97 else Tag(pick([17, 18, 98]), v.value)
    if isinstance(v, int):
        return number(v) if rng.random() < 0.8 else spelled(v)
    if isinstance(v, str):
        return pick([v + "x", v[:-1], v.upper(), "", other if isinstance(other, str) else v, v.encode(), spelled(v)])
    if isinstance(v, bytes):
        try:
            inside, end = dec(v)
            if end == len(v) and end > 1 and enc(inside) == v and rng.random() < 0.85:
                return enc(node(inside, dec(other)[0] if isinstance(other, bytes) and other else None))
        except Exception:
            pass
        return some_bytes(v, [other if isinstance(other, bytes) else v]) if rng.random() < 0.9 else spelled(v)
    if isinstance(v, dict) and v:
        pairs, i = list(v.items()), rng.randrange(len(v))
        k, x = pairs[i]
        if rng.random() < 0.85:
            return {**v, k: node(x, other.get(k) if isinstance(other, dict) else None)}
        return pick([Pairs(pairs[:i] + pairs[i + 1:]), Pairs(pairs[:i] + [pairs[i]] + pairs[i:]), Pairs(rng.sample(pairs, len(pairs))), {**v, pick([99, -1, "k", 0, 9]): pick([0, b"x"])}, {(number(k) if isinstance(k, int) else k): x, **v}, spelled(v),
                     {a: b for a, b in pairs if a != k} | ({k: other[k]} if isinstance(other, dict) and k in other else {})])
    if isinstance(v, list) and v:
        i = rng.randrange(len(v))
        mate = other[i] if isinstance(other, list) and i < len(other) else None
        if rng.random() < 0.85:
            return v[:i] + [node(v[i], mate)] + v[i + 1:]
        return pick([v[:i] + v[i + 1:], v[:i] + [v[i]] + v[i:], v[:i] + ([mate] if mate is not None else []) + v[i + 1:], v[::-1], v + [0], spelled(v), rng.sample(v, len(v))])
    return pick([None, 0, b"x", {1: 0}, [0]])


# ---- texts ----

def some_lines(data, others):
    lines, i = data.split(b"\n"), 0
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    strange = pick(others).split(b"\n")
    return b"\n".join(pick([
        lambda: lines[:i] + lines[i + 1:],
        lambda: lines[:i] + [lines[i]] + lines[i:],
        lambda: [lines[j] if k == i else lines[i] if k == j else l for k, l in enumerate(lines)],
        lambda: lines[:i] + [pick(strange)] + lines[i:],
        lambda: lines[:i] + [pick(strange)] + lines[i + 1:],
        lambda: lines[:i] + [some_bytes(lines[i], [pick(strange)])] + lines[i + 1:],
        lambda: lines[:i] + [re.sub(rb"\d+", lambda m: str(number(int(m[0]))).encode(), lines[i], count=1)] + lines[i + 1:],
        lambda: lines[:i] + [pick([lines[i] + b" ", b" " + lines[i], lines[i] + b"\r", lines[i].upper(), lines[i].replace("—".encode(), pick([b"-", "–".encode(), b"--"])), lines[i].replace(b" ", pick([b"  ", b"\t", b""]), 1)])] + lines[i + 1:],
    ])())


def some_base64(data, others):
    """One word of base64 in another spelling, or with other bytes inside."""
    words = list(re.finditer(rb"[A-Za-z0-9+/]{24,}={0,2}", data))
    if not words:
        return some_bytes(data, others)
    w = pick(words)
    try:
        inside = base64.b64decode(w[0], validate=True)
    except ValueError:
        return some_bytes(data, others)
    new = pick([
        lambda: base64.b64encode(some_bytes(inside, [inside])),
        lambda: base64.b64encode(some_bytes(inside, [inside])),
        lambda: base64.urlsafe_b64encode(inside),
        lambda: w[0].rstrip(b"="),
        lambda: w[0] + b"=",
        lambda: w[0].rstrip(b"=")[:-1] + bytes([pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")]) + w[0][len(w[0].rstrip(b"=")):],
        lambda: w[0][:20] + pick([b"\n", b" ", b"\r\n", b"\0"]) + w[0][20:],
    ])()
    return data[:w.start()] + new + data[w.end():]


# ---- receipts, trust files ----

def some_extra(data, others):
    parts, mate = cut(data), cut(pick(others))
    if not parts:
        return some_bytes(data, others)
    extra, rest = parts
    try:
        tree, end = dec(extra)
        if end == len(extra) and rng.random() < 0.85:
            extra = enc(node(tree, dec(mate[0])[0] if mate else None))
        else:
            extra = some_bytes(extra, [mate[0] if mate else extra])
    except Exception:
        extra = some_bytes(extra, [extra])
    return FIRST + base64.b64encode(extra) + b"\n" + rest


def some_rest(data, others):
    at = data.find(b"\nindex ") + 1
    tails = [o[o.find(b"\nindex ") + 1:] for o in others]
    return data[:at] + pick([some_lines, some_lines, some_base64, some_bytes])(data[at:], tails)


# ---- signed again ----

def keys_by_id():
    names = [f"statement {i}" for i in range(4)] + ["provider", "depositor", "stranger"]
    return {k.kid: k for k in map(world.Es256, names)}


def change_signed(statement, other, claim_too=True):
    """A statement's bytes with its payload changed and the signature made again by the key that the header names, if we have it."""
    protected, unprotected, payload, signature = dec(statement)[0].value
    body, mate = dec(payload)[0], dec(dec(other)[0].value[2])[0] if other else None
    if claim_too and isinstance(body.get(1), bytes) and rng.random() < 0.6:
        body = {**body, 1: change_signed(body[1], mate[1] if mate and isinstance(mate.get(1), bytes) else None, False)}
    elif rng.random() < 0.85:
        body = node(body, mate)
    else:
        protected = enc(node(dec(protected)[0], None))
    payload = enc(body)
    kid = statement[statement.find(b"\x04\x58\x20") + 3:][:32]
    if kid in KEYS:
        signature = KEYS[kid].sign(enc(["Signature1", protected, b"", payload]))
    return enc(Tag(18, [protected, unprotected, payload, signature]))


def fold(h, path, i, size):
    if size == 1:
        return h
    k = world.split(size)
    return world.sha(b"\1", fold(h, path[:-1], i, k), path[-1]) if i < k else world.sha(b"\1", path[-1], fold(h, path[:-1], i - k, size - k))


def signed_again(data, others):
    """The record's entry or attachments changed, and a checkpoint whose root follows."""
    try:
        r, mate = world.Receipt.of(data), world.Receipt.of(pick(others))
        parts, theirs = dec(r.extra[1])[0], dec(mate.extra[1])[0]
        if rng.random() < 0.2:
            parts[1:] = node(parts[1:], theirs[1:])
        elif parts[0][0] == 0xD2:
            parts[0] = change_signed(parts[0], theirs[0] if theirs[0][0] == 0xD2 else None)
        else:
            parts[0] = enc(node(dec(parts[0])[0], None))
        r.extra[1] = enc(parts)
        origin, size, _ = r.note.split("\n", 3)[:3]
        root = fold(world.leaf(parts[0]), [base64.b64decode(p) for p in r.path], int(r.index), int(size))
        text = f"{origin}\n{size}\n{world.b64(root)}\n"
        r.note = text + "\n" + world.log_line(text, origin, LOG) + r.note.split("\n\n", 1)[1].split("\n", 1)[1]
        return r.bytes()
    except Exception:  # what was no receipt any more
        return some_extra(data, others)


KEYS, LOG = (keys_by_id(), world.Ed25519("log 0")) if world else ({}, None)


def mutated(data, others, ways):
    for _ in range(pick([1, 1, 1, 2, 3])):
        data = pick(ways)(data, others)
    return data


receipts = [c for c in cases if "receipt" in c and "exit" in c["expect"]]
good = [c for c in receipts if c["expect"]["exit"] == 0]
whole = {c["name"]: (unpack_bytes(c["receipt"], bases), unpack_bytes(c["trust"], bases)) for c in receipts}
sound = {whole[c["name"]][0] for c in good}
all_receipts, all_trusts = [r for r, _ in whole.values() if r], sorted({t for _, t in whole.values() if t})
accepted_parts = {(cut(r)[0], cut(r)[1].rpartition(b"\n\n")[0]) for r in sound}


def one(i, folder):
    c = pick(good) if rng.random() < 0.8 else pick(receipts)
    receipt, trust = whole[c["name"]]
    again = world is not None and rng.random() < 0.35
    if again:
        receipt = signed_again(receipt or b"\n", all_receipts)
    elif trust and rng.random() < 0.12:
        trust = mutated(trust, all_trusts, [some_bytes, some_lines, some_lines, some_base64])
    else:
        receipt = mutated(receipt or b"\n", all_receipts, [some_bytes, some_lines, some_base64, some_extra, some_extra, some_extra, some_extra, some_rest])
    paths = []
    for name, data in (("receipt", receipt), ("trust", trust)):
        if data:
            (folder / f"{i}.{name}").write_bytes(data)
        paths.append(str(folder / f"{i}.{name}") if data else "-")
    return c["name"], None if again else receipt, "\t".join([*paths, "-", "-"])


with tempfile.TemporaryDirectory() as folder:
    made = [one(i, pathlib.Path(folder)) for i in range(n)]
    answers = [run(p, [line for _, _, line in made]) for p in programs]
    told = {}
    for a in answers[0]:
        what = a.get("refused") or (a["status"] if a["exit"] else "accepted")
        told[what] = told.get(what, 0) + 1
    summary = ", ".join(f"{v} {k}" for k, v in sorted(told.items(), key=lambda x: -x[1]))
    wrong = [(m, [a[i] for a in answers]) for i, m in enumerate(made) if any(a[i] != answers[0][i] for a in answers)]
    forged = [m for m, a in zip(made, answers[0]) if a.get("exit") == 0 and m[1] and ((cut(m[1]) or (None, b""))[0], (cut(m[1]) or (None, b""))[1].rpartition(b"\n\n")[0]) not in accepted_parts]
    if len(programs) > 1:
        print(f"{'not ok' if wrong else 'ok'} - two programs come to the same verdicts, lines and status names on {n - len(wrong)} of {n} mutations, seed {seed}")
        for (name, _, line), (a, b) in wrong[:10]:
            print(f"#   of {name}: {a}\n#     and: {b}")
            for path in line.split("\t")[:2] if "JUDGE_KEEP" in os.environ else []:
                if path != "-":
                    kept = pathlib.Path(os.environ["JUDGE_KEEP"]) / pathlib.Path(path).name
                    kept.write_bytes(pathlib.Path(path).read_bytes())
                    print(f"#     {kept}")
    again = ", many of them signed again" if world else ""
    print(f"{'not ok' if forged else 'ok'} - of {n} mutations, seed {seed}{again}, none is accepted but with signature lines that nothing needs: {summary}")
    for name, _, _ in forged[:10]:
        print(f"#   of {name}")
sys.exit(bool(wrong or forged))
