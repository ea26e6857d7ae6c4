"""What docs/formats shows is so: every example in hex stands in a vector, or is what the page's own rules make of it here."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests/conformance"))
sys.dont_write_bytecode = True
from cbor_forms import dec, enc  # noqa: E402

failed = 0


def test(what, wrong):
    global failed
    print(("not ok" if wrong else "ok") + " - " + what)
    for line in wrong[:20]:
        print("#   " + line)
    failed |= bool(wrong)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- what is known: the vectors, whatever is written in them in hex or base64, and what the pages' rules make ----

def known_bytes():
    for path in sorted([*(root / "tests/vectors").rglob("*"), *(root / "tests/fuzz/corpus").rglob("*")]):
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield data
        if path.suffix not in (".txt", ".tlog-proof", ".trust", ".fork"):
            continue
        words = re.findall(rb"[0-9a-f]{16,}", data)
        yield from (bytes.fromhex(w.decode()) for w in words if len(w) % 2 == 0)
        yield b"".join(bytes.fromhex(w.decode()) for w in words if len(w) % 2 == 0)
        for word in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", data):
            try:
                yield base64.b64decode(word, validate=True)
            except ValueError:
                pass


def numbers(*pairs):
    return b"".join(n.to_bytes(size, "big") for n, size in pairs)


def journal():
    front = b"cu-jrnl\n" + numbers((1, 4), (0, 4), (1, 8), (262144, 8))
    payload = bytes.fromhex("844101f6f6f6")
    head = numbers((6, 4), (1, 1), (0, 3), (1, 8), (0, 8))
    return front + sha(b"custody/journal/v1\n", front) + head + sha(b"custody/frame/v1\n", head, payload, b"\0\0")[:16] + payload + b"\0\0"


def head_slot():
    slot = b"cu-head\n" + numbers((1, 4), (0, 1), (1, 1), (0, 2), (2, 8), (262144, 8), (0, 24)) + sha() + bytes(8) + sha() + numbers((1, 8), (64, 8), (64, 8), (0, 24))
    return slot + sha(b"custody/head/v1\n", slot)


def pack():
    data = b"custody/pack/v1\n" + numbers((1, 1), (5, 3)) + b"hello"
    index = b"custody/pack-index/v1\n" + sha(b"\0", data) + numbers((len(data), 4), (1, 4), (1, 1)) + sha(b"\0hello") + numbers((20, 4), (5, 4))
    return [data, index + sha(index), sha(b"\0hello"), sha(b"\0", data)]


def points_of_order_8():
    """The y of Ed25519's: doubled twice they give y = 0, so d·y⁴ + 2·y² = 1."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def root(x):
        r = pow(x, (p + 3) // 8, p)
        return next((s for s in (r, r * pow(2, (p - 1) // 4, p) % p) if s * s % p == x), None)
    squares = [(s - 1) * pow(d, -1, p) % p for s in (root(1 + d), p - root(1 + d))]
    return [y.to_bytes(32, "big") for s in squares if root(s) for y in (root(s), p - root(s))]


zeros = [sha(b"\0", bytes(4096)), sha(b"\0\0")]
rfc9679 = [bytes.fromhex(x) for x in ("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d", "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")]
thumbprint = enc({1: 2, -1: 1, -2: rfc9679[0], -3: rfc9679[1]})
entry, salt, details, _ = dec((root / "tests/fuzz/corpus/record/deposit").read_bytes())[0]
claim_file = enc({0: "application/custody-claim-file+cbor", 1: dec(dec(entry)[0].value[2])[0][1], 2: salt, 3: details, 4: b"/evidence/statement.txt"})
made = [*points_of_order_8(), journal(), head_slot(), claim_file, *pack(), *zeros, sha(b"\1", *zeros), thumbprint, sha(thumbprint), enc(sha(b"\2")) + b"\2",
        enc({1: 1000, 4: b"\xaa\xbb\xcc", -65537: ["证", True]})]
known = [x.hex() for x in {*known_bytes(), *made}]
everything = "\n".join(known)


# ---- what the pages show ----

HEX = re.compile(r"(?:[0-9a-f]{2})+|(?:[0-9a-f]{2})*…(?:[0-9a-f]{2})*")


def hex_of(line):
    """What a line of an example says in hex; None when nothing."""
    line = re.sub(r"^([0-9a-f]{8}:|[0-9a-f]{2,4}  )\s*", "", line) if re.match(r"[0-9a-f]{8}:|[0-9a-f]{2,4}  [0-9a-f]{2}", line) else line
    out = ""
    for cell in re.split(r"\s{2,}", line):  # hex in columns, then what it means
        if not all(HEX.fullmatch(token) for token in cell.split(" ")):
            break
        out += cell.replace(" ", "")
    return out or None


def examples(page):
    block, lines = [], page.read_text().splitlines()
    for line in [*lines, ""]:
        said = hex_of(line.strip()) if line.startswith("    ") else None
        if said is not None:
            block.append(said)
        elif block:
            yield block
            block = []


def whole(text):
    """One canonical item, complete: an example that is true by itself."""
    try:
        value, end = dec(bytes.fromhex(text))
        return end * 2 == len(text) and enc(value).hex() == text
    except (ValueError, IndexError, KeyError):
        return False


def summed(text):
    """Eight bytes, and the first eight of their SHA-256 behind them: likewise."""
    return len(text) == 32 and "…" not in text and hashlib.sha256(bytes.fromhex(text[:16])).hexdigest()[:16] == text[16:]


def shown(block):
    text = "".join(block)
    pattern = "".join("[0-9a-f]*?" if p == "…" else p for p in re.split("(…)", text))
    return len(text.replace("…", "")) < 16 or whole(text) or summed(text) or any(re.search(pattern, k) for k in known)


pages = sorted((root / "docs/formats").glob("*.md"))
all_examples = [(p, b) for p in pages for b in examples(p)]
elsewhere = {"state.md": 2}  # its delta's frame and its head follow from the whole of a saved state
missing = [(p, b) for p, b in all_examples if not shown(b)]
test(f"each of the {len(all_examples) - sum(elsewhere.values())} examples in hex stands in a vector, or is what the page's rules make",
     [f"{p.name}: {' '.join(b)[:150]}" for p, b in missing if sum(q == p for q, _ in missing) > elsewhere.get(p.name, 0)])
digests = [(p, w) for p in pages if p.name not in elsewhere for line in p.read_text().splitlines()
           if not line.startswith("    ") or not hex_of(line.strip()) for w in re.findall(r"(?<![0-9a-f])(?:[0-9a-f]{2}){16,}(?![0-9a-f])", line)]
test(f"and so does each of the {len(digests)} longer words of hex beside them", [f"{p.name}: {w}" for p, w in digests if w not in everything])
no_example = {"README.md", "ledger-folder.md", "log-layout.md", "bag.md", "verification.md"}
test("every page of bytes has an example in hex", [p.name for p in pages if p.name not in no_example and not any(q == p for q, _ in [*all_examples, *digests])])
no_rule = {"README.md", "ledger-folder.md", "bag.md"}
test('every page says what is valid "if and only if"', [p.name for p in pages if p.name not in no_rule and not re.search("if and only if", p.read_text(), re.I)])
test("every page names its vectors, or a test that makes them", [p.name for p in pages if p.name not in no_rule and not re.search(r"tests/|## Vectors", p.read_text())])

# ---- what verification.md shows of a report ----

verifier = pathlib.Path(os.environ.get("CUSTODY_BIN", root / "build/bin")) / "custody-verify"
golden = root / "tests/vectors/receipt_golden.tlog-proof"
said = json.loads(subprocess.run([verifier, "--json", "--trust", golden.with_suffix(".trust"), golden], capture_output=True, text=True).stdout)
page = (root / "docs/formats/verification.md").read_text()
line = json.loads(re.search(r"^ +(\{\"check\".*\})$", page, re.M)[1])
test("verification.md shows a line of a report as it is", [] if line in said["checks"] else [str(line)])
start = re.search(r"^> (Verified: .*?) …$", page, re.M)[1]
test("and the beginning of the sentence", [] if said["statement_en"].startswith(start) else [start, said["statement_en"][:200]])
sys.exit(failed)
