"""bag_cases.py FOLDER SEED N PROGRAM [-- PROGRAM]: exported cases and what must be said of them, docs/formats/bag.md.

The product exports a few cases into FOLDER; each is tampered with by a row of the table below, with the verdict that must come of it: the
exit code, and every line that does not pass. Then N random tamperings. Two programs must say the same of all: every line, its words in
both languages, verdicts with their reasons, the sentence.
"""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

root, seed, n = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rest = sys.argv[4:]
programs = [rest[:rest.index("--")], rest[rest.index("--") + 1:]] if "--" in rest else [rest]
rng = random.Random(seed)
FOR_PEOPLE = ("certificate.html", "certificate.pdf", "verify.html", "case.jsonld", "trail.json", "README.txt", "trust/take_apart.py")


# ---- what the product exports ----

def custody(ledger, *args):
    done = subprocess.run(["custody", *map(os.fspath, args)], cwd=ledger, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"custody {args}: {done.returncode}\n{done.stderr.decode()}")


def fill(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def remake(bag):
    """Manifests as somebody who tampers would make them anew."""
    files = {os.fsencode(p.relative_to(bag)): p for p in bag.rglob("*") if p.is_file() and not p.is_symlink()}
    for name, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        lines = [hashlib.sha256(p.read_bytes()).hexdigest().encode() + b"  " + path + b"\n" for path, p in sorted(files.items()) if path.startswith(b"data/") == payload and path != b"tagmanifest-sha256.txt"]
        (bag / name).write_bytes(b"".join(lines))


def export(ledger, name, *args):
    """Without what no verdict depends on, so that it is quickly read."""
    custody(ledger, "export", *args, "-o", root / name)
    for path in FOR_PEOPLE:
        (root / name / path).unlink(missing_ok=True)
    remake(root / name)


def make():
    ledger, other, evidence = root / "L", root / "other", root / "e"
    for place in (ledger, other):
        subprocess.run(["custody", "init", place, "--name", "Officer Li 李警官", "--org", "Nanshan Police 南山分局"], capture_output=True, check=True)
    fill(evidence / "note.txt", b"I saw the red car at nine.\n")
    fill(evidence / "long.bin", random.Random(1).randbytes(20_000))
    fill(evidence / "nothing", b"")
    fill(evidence / ("照" * 60 + ".jpg"), b"\xff\xd8")
    for i, item in enumerate(("aux.txt", "A.TXT", "a.txt", "sub/a.bin", "we:ird, 1-2. ", "照片.jpg", "back\\slash", "n\u202eame", "\u0600sign", "deep/" * 40 + "leaf")):
        fill(evidence / "folder" / item, random.Random(i).randbytes(300 * i + 5000))
    fill(evidence / "folder/\udcff.bin", b"no utf-8")
    os.link(evidence / "folder/sub/a.bin", evidence / "folder/sub/second name")
    os.symlink("a.bin", evidence / "folder/sub/link")
    for i in range(400):
        fill(evidence / f"many/item {i:04}", b"%d" % i * 50)
    custody(ledger, "case", "open", "C1")
    custody(ledger, "case", "open", "D. 2")
    custody(ledger, "deposit", "--case", "C1", *(evidence / e for e in ("note.txt", "long.bin", "folder", "nothing")))
    custody(ledger, "deposit", "--case", "C1", evidence / ("照" * 60 + ".jpg"))
    custody(ledger, "deposit", "--case", "D. 2", evidence / "many", evidence / "note.txt")
    custody(ledger, "correct", "C1/1", "--text", "it was ten")
    custody(other, "case", "open", "C1")
    custody(other, "deposit", "--case", "C1", evidence / "note.txt")
    words = ("--to", "District Court 区法院", "--reason", "trial")
    export(ledger, "whole", "C1", *words)
    export(ledger, "selected", "C1/1", "C1/4", *words)
    export(ledger, "one", "C1/1")
    export(ledger, "bare", "C1", "--no-content", *words)
    export(ledger, "cases", "C1", "D. 2", "--only", "C1/1", *words)
    export(ledger, "parts", "C1", "D. 2/1", *words, "--only", "C1/4", "--range", "C1/2:5000-12000,C1/2:0-0,C1/3/sub/a.bin:0-4095,C1/3/we:ird, 1-2. :7-4999,C1/3/照片.jpg:4096-6000,D. 2/1/item 0003:0-4")
    export(other, "foreign", "C1", *words)
    trail = json.loads(subprocess.run(["custody", "trail", "--json"], cwd=ledger, capture_output=True, check=True).stdout.decode().replace("}\n{", "},\n{").join("[]"))
    custody(ledger, "receipt", next(r["id"] for r in trail if r["kind"] == "correction"), "-o", root / "correction")


# ---- tampering ----

def flip(path, at=None):
    def go(bag):
        data = bytearray((bag / path).read_bytes())
        data[len(data) // 2 if at is None else at] ^= 1
        (bag / path).write_bytes(data)
    return go


def drop(*paths):
    return lambda bag: [shutil.rmtree(bag / p) if (bag / p).is_dir() else (bag / p).unlink() for p in paths]


def put(path, data):
    return lambda bag: fill(bag / path, data)


def append(path, data):
    return lambda bag: (bag / path).write_bytes((bag / path).read_bytes() + data)


def move(a, b):
    return lambda bag: ((bag / b).parent.mkdir(parents=True, exist_ok=True), (bag / a).rename(bag / b))


def copy(path, from_):
    def go(bag):
        (bag / path).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (root / from_).is_dir() else shutil.copyfile)(root / from_, bag / path)
    return go


def replace(path, old, new):
    def go(bag):
        data = (bag / path).read_bytes()
        assert old in data, (path, old)
        (bag / path).write_bytes(data.replace(old, new, 1))
    return go


def swap(a, b):
    return lambda bag: ((bag / a).rename(bag / "t"), (bag / b).rename(bag / a), (bag / "t").rename(bag / b))


def both(*steps):
    return lambda bag: [s(bag) for s in steps]


def key7(path, item):
    """Another item in the proof of a part; None: none at all."""
    def go(bag):
        data = (bag / path).read_bytes()
        at = data.rindex(b"\x07", 0, len(data) - 2) if data[0] == 0xa8 else len(data)
        while data[0] == 0xa8 and not (0x40 <= data[at + 1] <= 0x58 and data[at + 1:] == head(len(data) - at - 1 - (1 if data[at + 1] < 0x58 else 2)) + data[at + 1 + (1 if data[at + 1] < 0x58 else 2):]):
            at = data.rindex(b"\x07", 0, at)
        (bag / path).write_bytes(bytes([0xa7 if item is None else 0xa8]) + data[1:at] + (b"" if item is None else b"\x07" + head(len(item)) + item))
    return go


def head(length):
    return bytes([0x40 + length]) if length < 24 else bytes([0x58, length])


OWN, REMADE, NONE, FOREIGN = "own", True, None, "foreign"


def rows():
    """name, of which package, how, manifests made anew?, under which trust file, exit code, lines that do not pass."""
    item = next(p.name for p in (root / "parts/data").iterdir() if p.name.endswith("bytes-0-4095"))
    weird = next(p.name for p in (root / "parts/data").iterdir() if p.name.endswith("bytes-7-4999"))
    proof, more = f"receipts/{item}.proof", "NOTE not-included C1/"
    jpg = "data/C1-3/folder/照片.jpg"
    left = [f"{more}{i}" for i in (2, 3, 5)]
    plain = "C1-2.bytes-5000-12000"
    altered = ["FAIL altered data/C1-1/note.txt", "FAIL exhibit C1-1"]
    d2 = ["NOTE not-included D. 2/2"]
    no_proof = ["FAIL missing data/" + item, "FAIL exhibit C1-3"]
    bad_item = ["FAIL altered data/" + item, "FAIL exhibit C1-3"]
    yield from (
        ("whole", "whole", None, False, OWN, 0, []),
        ("some exhibits of the case", "selected", None, False, OWN, 0, left),
        ("one exhibit, to nobody who is named", "one", None, False, OWN, 0, [f"{more}{i}" for i in (2, 3, 4, 5)]),
        ("records alone", "bare", None, False, OWN, 0, []),
        ("two cases", "cases", None, False, OWN, 0, []),
        ("parts of items, of a folder's too", "parts", None, False, OWN, 0, d2),
        ("another ledger's", "foreign", None, False, FOREIGN, 0, []),
        ("no trust file", "whole", None, False, NONE, 4, ["NOT PROVEN trust "]),
        ("parts without a trust file", "parts", None, False, NONE, 4, [*d2, "NOT PROVEN trust "]),
        ("another ledger's trust file", "whole", None, False, FOREIGN, 4, [*["FAIL signer receipts/" + x + ".tlog-proof" for x in ("C1-1", "C1-2", "C1-3", "C1-4", "C1-5", "disclosure", "inventory-C1")], "NOTE trust trust/ledger.trust"]),
        ("a forged trust file inside", "whole", copy("trust/ledger.trust", "foreign/trust/ledger.trust"), REMADE, OWN, 0, ["NOTE trust trust/ledger.trust"]),
        ("no trust file inside", "whole", drop("trust/ledger.trust"), REMADE, OWN, 0, []),
        ("a chain of trust", "whole", put("trust/chain", b"a3"), REMADE, OWN, 0, ["NOTE trust trust/chain"]),
        ("and an altered one, no trust file", "bare", lambda bag: (put("trust/chain", b"a3")(bag), remake(bag), flip("trust/chain")(bag)), False, NONE, 2, ["FAIL altered trust/chain", "NOT PROVEN trust ", "NOTE trust trust/chain"]),
        ("a receipt of a further entry", "whole", copy("receipts/correction.tlog-proof", "correction"), REMADE, OWN, 0, []),
        ("evidence altered", "whole", put("data/C1-1/note.txt", b"I saw the red bus at nine.\n"), False, OWN, 2, altered[:1] + altered),
        ("and its digest with it", "whole", put("data/C1-1/note.txt", b"I saw the red bus at nine.\n"), REMADE, OWN, 2, altered),
        ("evidence cut off", "whole", put("data/C1-2/long.bin", b""), REMADE, OWN, 2, ["FAIL altered data/C1-2/long.bin", "FAIL exhibit C1-2"]),
        ("evidence missing", "whole", drop("data/C1-1/note.txt"), False, OWN, 2, ["FAIL missing data/C1-1/note.txt"]),
        ("and not listed: by reference then", "whole", drop("data/C1-1"), REMADE, OWN, 0, []),
        ("two exhibits swapped", "whole", swap("data/C1-1/note.txt", "data/C1-2/long.bin"), REMADE, OWN, 2, [*altered, "FAIL altered data/C1-2/long.bin", "FAIL exhibit C1-2"]),
        ("an item of a folder altered", "whole", flip(jpg), REMADE, OWN, 2, ["FAIL altered " + jpg, "FAIL exhibit C1-3"]),
        ("an item of a folder missing", "whole", drop(jpg), REMADE, OWN, 2, ["FAIL missing C1-3/照片.jpg", "FAIL exhibit C1-3"]),
        ("a file put into a folder", "whole", put("data/C1-3/folder/new", b"x"), REMADE, OWN, 2, ["FAIL added data/C1-3/folder/new"]),
        ("a file beside an item", "whole", put("data/C1-1/zzz", b"x"), REMADE, OWN, 2, ["FAIL added data/C1-1/zzz"]),
        ("a file of no exhibit", "whole", put("data/C1-9/x", b"x"), REMADE, OWN, 2, ["FAIL added data/C1-9/x"]),
        ("a file in no manifest", "whole", put("note.txt", b"x"), False, OWN, 2, ["FAIL added note.txt"]),
        ("a file in data in no manifest", "whole", put("data/x", b"x"), False, OWN, 2, ["FAIL added data/x", "FAIL added data/x"]),
        ("a list altered", "whole", append("trail.csv", b"x"), False, OWN, 2, ["FAIL altered trail.csv"]),
        ("a bit of a receipt", "whole", flip("receipts/C1-4.tlog-proof"), REMADE, OWN, 2, ["FAIL receipt receipts/C1-4.tlog-proof", "FAIL added data/C1-4/nothing", "FAIL left-out C1/4"]),
        ("a receipt that is none", "bare", put("receipts/C1-4.tlog-proof", b"hello\n"), REMADE, OWN, 2, ["FAIL receipt receipts/C1-4.tlog-proof", "FAIL left-out C1/4"]),
        ("a receipt beyond all bounds", "bare", put("receipts/C1-4.tlog-proof", b"c2sp.org/tlog-proof@v1\n" * 20000), REMADE, OWN, 2, ["FAIL receipt receipts/C1-4.tlog-proof", "FAIL left-out C1/4"]),
        ("a receipt under a name that is too long is none", "bare", copy("receipts/" + "x" * 120 + ".tlog-proof", "correction"), REMADE, OWN, 0, []),
        ("an exhibit left out", "whole", drop("receipts/C1-4.tlog-proof", "data/C1-4"), REMADE, OWN, 2, ["FAIL left-out C1/4"]),
        ("an exhibit left out, and its case's list with it", "cases", drop("receipts/C1-4.tlog-proof", "receipts/inventory-C1.tlog-proof", "inventory-C1.txt"), REMADE, OWN, 2, ["FAIL left-out <id>"]),
        ("two exhibits left out", "whole", drop("receipts/C1-4.tlog-proof", "data/C1-4", "receipts/C1-1.tlog-proof", "data/C1-1"), REMADE, OWN, 2, ["FAIL left-out C1/1", "FAIL left-out C1/4"]),
        ("an exhibit put in", "selected", both(copy("receipts/C1-2.tlog-proof", "whole/receipts/C1-2.tlog-proof"), copy("data/C1-2", "whole/data/C1-2")), REMADE, OWN, 2, ["NOTE not-included C1/3", "NOTE not-included C1/5", "FAIL put-in C1-2"]),
        ("another ledger's exhibit put in", "selected", copy("receipts/X.tlog-proof", "foreign/receipts/C1-1.tlog-proof"), REMADE, OWN, 2, ["FAIL signer receipts/X.tlog-proof", *left, "FAIL put-in X"]),
        ("a second receipt of an exhibit", "whole", copy("receipts/C1-1b.tlog-proof", "selected/receipts/C1-1.tlog-proof"), REMADE, OWN, 2, ["FAIL added receipts/C1-1b.tlog-proof"]),
        ("an exhibit renamed", "bare", move("receipts/C1-1.tlog-proof", "receipts/Z.tlog-proof"), REMADE, OWN, 0, []),
        ("every receipt gone", "whole", drop("receipts"), REMADE, OWN, 2, None),
        ("no inventory", "whole", drop("receipts/inventory-C1.tlog-proof", "inventory-C1.txt"), REMADE, OWN, 2, ["FAIL inventory "]),
        ("no list beside the inventory", "whole", drop("inventory-C1.txt"), REMADE, OWN, 2, ["FAIL inventory inventory-C1.txt"]),
        ("a list of another number", "whole", append("inventory-C1.txt", b"6 " + b"0" * 64 + b"\n"), REMADE, OWN, 2, ["FAIL inventory inventory-C1.txt"]),
        ("a list that is no text", "whole", put("inventory-C1.txt", b"\xff\xfe\n"), REMADE, OWN, 2, ["FAIL inventory inventory-C1.txt"]),
        ("a list whose last line is cut off", "whole", lambda bag: put("inventory-C1.txt", (bag / "inventory-C1.txt").read_bytes()[:-1])(bag), REMADE, OWN, 2, ["FAIL inventory inventory-C1.txt"]),
        ("no disclosure", "whole", drop("receipts/disclosure.tlog-proof"), REMADE, OWN, 2, ["FAIL disclosure receipts/disclosure.tlog-proof"]),
        ("another package's disclosure", "whole", copy("receipts/disclosure.tlog-proof", "one/receipts/disclosure.tlog-proof"), REMADE, OWN, 2, None),
        ("two disclosures", "selected", copy("receipts/disclosure-2.tlog-proof", "one/receipts/disclosure.tlog-proof"), REMADE, OWN, 0, left),
        ("no bag", "whole", put("bagit.txt", b"BagIt-Version: 0.97\n"), REMADE, OWN, 2, ["FAIL missing bagit.txt"]),
        ("no manifest", "whole", drop("tagmanifest-sha256.txt"), False, OWN, 2, None),
        ("a manifest of no lines", "whole", put("manifest-sha256.txt", b"hello\n\xff\n" + b"0" * 64 + b" *data/x\n"), False, OWN, 2, None),
        ("a line of a manifest twice, the last cut off", "bare", lambda bag: append("tagmanifest-sha256.txt", (bag / "tagmanifest-sha256.txt").read_bytes().splitlines(True)[0] + b"x")(bag), False, OWN, 2, None),
        ("a manifest that lists a name in no character set", "bare", append("manifest-sha256.txt", b"0" * 64 + b"  data/\xff\xe7\x85\n"), False, OWN, 2, ["FAIL missing data/\\xff\\xe7\\x85", "FAIL altered manifest-sha256.txt"]),
        ("no names", "whole", drop("names.txt"), REMADE, OWN, 2, None),
        ("a line of names that is none", "whole", append("names.txt", b"x\ndata/C1-3\tx\n\xff\n"), REMADE, OWN, 2, ["FAIL names x", "FAIL names data/C1-3\\x09x", "FAIL names \\xff"]),
        ("one name for two files", "whole", lambda bag: append("names.txt", b"data/C1-3/folder/A.TXT\t" + (bag / "names.txt").read_bytes().splitlines()[0].split(b"\t")[1] + b"\n")(bag), REMADE, OWN, 2, None),
        ("a name that points elsewhere", "whole", replace("names.txt", b"_aux.txt\t", b"A.TXT\t"), REMADE, OWN, 2, None),
        ("a part altered", "parts", flip("data/" + plain), REMADE, OWN, 2, ["FAIL altered data/" + plain, "FAIL exhibit C1-2", *d2]),
        ("a part without its proof", "parts", drop(f"receipts/{plain}.proof"), REMADE, OWN, 2, ["FAIL missing data/" + plain, "FAIL exhibit C1-2", *d2]),
        ("a part that says it is of other bytes", "parts", both(move("data/" + plain, "data/C1-2.bytes-5000-12001"), move(f"receipts/{plain}.proof", "receipts/C1-2.bytes-5000-12001.proof")), REMADE, OWN, 2, ["FAIL altered data/C1-2.bytes-5000-12001", "FAIL exhibit C1-2", *d2]),
        ("a part of another exhibit", "parts", both(move("data/" + plain, "data/C1-1.bytes-5000-12000"), move(f"receipts/{plain}.proof", "receipts/C1-1.bytes-5000-12000.proof")), REMADE, OWN, 2, ["FAIL altered data/C1-1.bytes-5000-12000", "FAIL exhibit C1-1", *d2]),
        ("a part under a name that is none", "parts", move("data/" + plain, "data/C1-2.bytes-05000-12000"), REMADE, OWN, 2, ["FAIL added data/C1-2.bytes-05000-12000", *d2]),
        ("a part of an item in a folder altered", "parts", flip("data/" + item), REMADE, OWN, 2, [*bad_item, *d2]),
        ("without its proof", "parts", drop(proof), REMADE, OWN, 2, [*no_proof, *d2]),
        ("a part of no item", "parts", key7(proof, b"sub/b.bin"), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part of a folder, without an item", "parts", key7(proof, None), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part of another item", "parts", key7(proof, b"A.TXT"), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part of a further name of an item", "parts", key7(proof, b"sub/second name"), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part of a link", "parts", key7(proof, b"sub/link"), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part of a folder in it", "parts", key7(proof, b"sub"), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part of one item with an item's name", "parts", key7(f"receipts/{plain}.proof", b"long.bin"), REMADE, OWN, 2, ["FAIL altered data/" + plain, "FAIL exhibit C1-2", *d2]),
        ("another item's part under its proof", "parts", copy("data/" + item, "parts/data/" + weird), REMADE, OWN, 2, [*bad_item, *d2]),
        ("a part under another item's number", "parts", both(move("data/" + item, "data/C1-3.item-1.bytes-0-4095"), move(proof, "receipts/C1-3.item-1.bytes-0-4095.proof")), REMADE, OWN, 0, d2),
        ("a folder's manifest missing", "parts", drop("receipts/D--2-1.tlog-proof.manifest"), REMADE, OWN, 2, ["FAIL missing receipts/D--2-1.tlog-proof.manifest", "FAIL exhibit D--2-1", *d2]),
        ("a folder's manifest altered", "parts", flip("receipts/D--2-1.tlog-proof.manifest"), REMADE, OWN, 2, ["FAIL altered receipts/D--2-1.tlog-proof.manifest", "FAIL exhibit D--2-1", *d2]),
        ("a name that would deceive", "bare", put("a\u202eb\\c\x07" + "照" * 30, b"x"), False, OWN, 2, None),
    )


# ---- random ones ----

def some(bag):
    files = sorted(p for p in bag.rglob("*") if p.is_file())
    for _ in range(rng.choice([1, 1, 2, 3])):
        a, b = rng.choice(files), rng.choice(files)
        if not a.exists() or not b.exists():
            continue
        data = bytearray(a.read_bytes())
        at = rng.randrange(len(data) + 1)
        rng.choice([
            lambda: a.write_bytes(data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]),
            lambda: a.write_bytes(data[:at]),
            lambda: a.write_bytes(data[:at] + data[max(0, at - 70):]),
            lambda: a.write_bytes(b.read_bytes()),
            lambda: a.write_bytes(b"".join(rng.sample(lines := bytes(data).splitlines(True), len(lines)))),
            lambda: a.unlink(),
            lambda: a.rename(a.with_name(rng.choice(["x", "C1-9.tlog-proof", b.name, "C1-1.bytes-0-26"]))),
            lambda: fill(b.parent / rng.choice([a.name, "new", "=é"]), bytes(data)),
        ])()
    return rng.random() < 0.7


# ---- judging ----

def ask(program, lines):
    done = subprocess.run(program, input="".join(l + "\n" for l in lines), capture_output=True, text=True, check=False)
    answers = [json.loads(a) for a in done.stdout.splitlines()]
    if done.returncode or len(answers) != len(lines):
        raise SystemExit(f"{' '.join(program)}: exit {done.returncode}, {len(answers)} answers to {len(lines)} lines; the next is\n{lines[min(len(answers), len(lines) - 1)]}\n{done.stderr[-2000:]}")
    return [said(a) for a in answers]


def said(a):
    if "refused" in a:
        return {"refused": a["refused"]}
    return {**{k: a[k] for k in ("exit_code", "verdicts", "failures", "files", "bytes", "statement_en", "statement_zh")},
            "checks": [[c[k] for k in ("verdict", "what", "where", "text", "text_zh")] for c in a["checks"]], "exhibits": [[e["exhibit"], e["content"]] for e in a["exhibits"]]}


def tell(a, b):
    for key in a if a.keys() == b.keys() else []:
        if a[key] != b[key] and key != "checks":
            print(f"#     {key}: {a[key]}\n#         and: {b[key]}")
    for line in [f"- {l}" for l in a.get("checks", []) if l not in b.get("checks", [])] + [f"+ {l}" for l in b.get("checks", []) if l not in a.get("checks", [])]:
        print(f"#     {line}")


def bag_of(i, base):
    bag = root / "bags" / f"{i:04}"
    shutil.copytree(root / base, bag, symlinks=True)
    return bag


make()
trust = {OWN: root / "L/trust/ledger.trust", FOREIGN: root / "other/trust/ledger.trust", NONE: "-"}
table, lines = list(rows()), []
for i, (_, base, how, again, whose, _, _) in enumerate(table):
    bag = bag_of(i, base)
    if how:
        how(bag)
    if again:
        remake(bag)
    lines.append(f"{bag}\t{trust[whose]}")
for i in range(n):
    bag = bag_of(len(table) + i, rng.choice(["whole", "whole", "bare", "parts", "selected"]))
    if some(bag):
        remake(bag)
    lines.append(f"{bag}\t{trust[rng.choice([OWN, OWN, OWN, NONE, FOREIGN])]}")
answers = [ask(p, lines) for p in programs]

bad = 0
for (name, *_, code, fails), a in zip(table, answers[0]):
    lines_ = [f"{c[0]} {c[1]} " + re.sub("^[0-9a-f]{64}$", "<id>", c[2]) for c in a.get("checks", []) if c[0] != "PASS"]
    if a.get("exit_code") != code or (fails is not None and lines_ != fails) or {bool(a["failures"]), a["statement_en"].startswith("NOT VERIFIED"), a["statement_zh"].startswith("未通过验证")} != {any(l.startswith("FAIL") for l in lines_)}:
        bad += 1
        print(f"#   {name}: exit {a.get('exit_code')}, not {code}; {lines_}, not {fails}")
print(f"{'not ok' if bad or len(table) < 40 else 'ok'} - packages come to their known verdicts and lines, {len(table) - bad} of {len(table)}")
if len(programs) > 1:
    for which, at in ((f"{len(table)} known packages", range(len(table))), (f"{n} random tamperings, seed {seed}", range(len(table), len(lines)))):
        wrong = [i for i in at if answers[0][i] != answers[1][i]]
        print(f"{'not ok' if wrong else 'ok'} - two programs say the same of {which}: every line in both languages, verdicts, the sentence")
        for i in wrong[:10]:
            print(f"#   {table[i][0] if i < len(table) else lines[i]}")
            tell(answers[0][i], answers[1][i])
        bad += len(wrong)
sys.exit(bool(bad))
