#!/usr/bin/env python3
"""Makes tests/vectors/judge: receipts, trust files, evidence and fork proofs with the verdicts they must get.

    judge_make.py JUDGE_BATCH           JUDGE_BATCH: the program that is asked for the verdicts
    judge_make.py JUDGE_BATCH --check   compare with what is there, write nothing

What each case is about is said here by hand (`must`, a check and its status, or an exit code); the rest of its verdict is what
JUDGE_BATCH says.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "conformance"))
from judge_cases import ask, cases_file, pack
from judge_world import *

cases, bases = [], {}
SMALL, BIG = b"evidence, in so many bytes\n", b"\xc0\xff\xee\x12\x34" * 20000


def case(name, says, must, receipt=None, trust=None, evidence=None, beside=None, fork=None, part=None):
    """`must`: "check STATUS", an exit code, or "refused STATUS"."""
    assert name not in [c["name"] for c in cases], name
    cases.append({"name": name, "says": says, "must": must, "receipt": receipt, "trust": trust, "evidence": evidence, "manifest": beside, "fork": fork, "part": part})


def base(name, data):
    bases[name] = data
    return data


def bit(data, at, mask=1):
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]


def item(data, name="IMG_0001.jpg"):
    return {"name": name, "bytes": data}


# ---- one organisation: every kind, good ----

one = Ledger().founded()
T1 = base("one.trust", one.trust())
d1 = one.deposit(SMALL)
d2 = one.deposit(BIG, seen=one.seen(2))
one.block()
one.stored(0, [[d1, d2]])
one.block()
files = {"d/": b"", "d/a.txt": SMALL, "d/b.txt": b"", "z": b"z" * 5000}
M, M_CLAIM = manifest(files)
many = {f"{i:04}": b"%d" % i for i in range(400)}
BIG_M, BIG_CLAIM = manifest(many)
base("large-folder.manifest", BIG_M)
f1 = one.deposit(M, folder=M_CLAIM)
f2 = one.deposit(BIG_M, folder=BIG_CLAIM)
e1 = one.deposit(b"")
one.block()
one.stored(0, [[f1, f2], [f2 + 1, f2 + 1]])
r1 = one.deposit(SMALL, refuse=4)
one.block()
v1 = one.inventory(ids=[one.id(i) for i in (d1, d2, f1, f2, e1)])
v2 = one.inventory(n=1, ids=[one.id(d1)], kid=one.depositor.kid, open_=[[one.depositor.kid, [2, 3]]])
v3 = one.inventory()
text = lambda profile, words: enc({"profile": profile, "text": words})
void = one.say("void", lambda t, s, c: {1: 90, 2: t, 3: s, 4: 6, 5: c}, one.depositor, 0, text("void", "lost at the scene"))
void2 = one.say("void", lambda t, s, c: {1: 91, 2: t, 3: s, 4: 5, 5: c, 6: one.id(d1)}, one.depositor, 0, text("void", "a mistake"))
corr = one.say("correction", lambda t, s, c: {1: t, 2: s, 3: one.id(d1), 4: c}, one.depositor, 0, text("correction", "the label reads AP/1/2"))
damage = one.say("incident", lambda t, s, c: {1: t, 2: s, 3: 1, 4: 1, 5: leaf(b"x"), 6: c}, one.statement[0], 0,
                 enc({"profile": "incident", "text": "a copy was damaged", "rows": [["content", "cloud/objects/00", "C1/1", True]]}))
second = one.claim(b"another thing")[0]
equivocation = one.say("incident", lambda t, s, c: {1: t, 2: s, 3: 2, 4: 0, 5: sha(), 6: c, 7: second}, one.statement[0], 0,
                       enc({"profile": "incident", "text": "two claims, one number", "rows": []}))
access = one.say("access", lambda t, s, c: {1: t, 2: s, 3: 1, 4: leaf(b"row"), 5: c}, one.statement[0], 0,
                 enc({"profile": "access", "text": "", "rows": [[one.id(d1), "clerk", TIME, "trial", "court order 7"]]}))
disclosed = one.say("disclosure", lambda t, s, c: {1: t, 2: s, 3: [one.id(d1)], 4: c}, one.depositor, 0,
                    enc({"profile": "disclosure", "scope": "evidence and receipts", "recipient": "District Court"}))
stored = one.stored(0, [[r1, r1]])
last = one.block()
note = one.note()
R = {}
for at, kind in ((0, "genesis"), (1, "confirm"), (2, "block"), (one.c1, "case"), (d1, "deposit"), (d2, "large"), (f1, "folder"), (f2, "large-folder"),
                 (e1, "empty-file"), (r1, "refusal"), (v1, "inventory"), (v2, "inventory-of-key"), (v3, "inventory-empty"), (void, "void"), (void2, "void-of-claim"),
                 (corr, "correction"), (damage, "incident"), (equivocation, "equivocation"), (access, "access"), (disclosed, "disclosure"), (stored, "stored"), (last, "last-block")):
    R[kind] = one.receipt(at, note)
    case(f"good-{kind}", f"a receipt of one organisation's ledger: {kind}", 0, R[kind], T1)
    case(f"good-{kind}-time-required", f"the same, and time is required: one party's clock does not prove it ({kind})", 5, R[kind], one.trust("integrity signer time"))
base("deposit.tlog-proof", R["deposit"])
base("folder.tlog-proof", R["folder"])
for kind in ("deposit", "genesis", "block", "inventory", "folder"):
    case(f"unpinned-{kind}", f"no trust file: {kind}", "trust UNTRUSTED", R[kind])

# ---- evidence ----

case("file-same", "the file is what was signed", 0, R["deposit"], T1, item(SMALL))
case("file-other", "one bit of the file differs", "evidence BAD_HASH", R["deposit"], T1, item(bit(SMALL, 3)))
case("file-truncated", "the file is a byte shorter", "evidence BAD_HASH", R["deposit"], T1, item(SMALL[:-1]))
case("file-longer", "the file is a byte longer", "evidence BAD_HASH", R["deposit"], T1, item(SMALL + b"\0"))
case("file-empty", "an empty file was given", "evidence BAD_HASH", R["deposit"], T1, item(b""))
case("file-unpinned", "the file is what was signed, but nothing is pinned", "evidence OK", R["deposit"], None, item(SMALL))
case("empty-file-same", "the empty file, empty", 0, R["empty-file"], T1, item(b""))
case("empty-file-other", "the empty file, with a byte", "evidence BAD_HASH", R["empty-file"], T1, item(b"\0"))
case("large-same", "content that is not in the receipt", 0, R["large"], T1, item(BIG))
case("large-other", "its last byte differs", "evidence BAD_HASH", R["large"], T1, item(BIG[:-1] + b"!"))
case("large-truncated", "cut at a leaf", "evidence BAD_HASH", R["large"], T1, item(BIG[:98304]))
case("refused-file", "a file to the receipt of a refusal: compared all the same", 0, R["refusal"], T1, item(SMALL))
for kind in ("genesis", "case", "void", "correction", "stored", "inventory", "last-block"):
    case(f"file-to-{kind}", f"a file, but the receipt is of a {kind}", "target UNKNOWN_TARGET", R[kind], T1, item(SMALL))
case("file-is-a-folder", "a folder, but the deposit is one file", "sort BAD_HASH", R["deposit"], T1, {"name": "x", "files": {"a": SMALL}})
F = {k: v for k, v in files.items() if not k.endswith("/")}
folder = lambda **changed: {"name": "folder", "files": {k: v for k, v in {**F, **{n.replace("__", "/").replace("_", "."): d for n, d in changed.items()}}.items() if v is not None}}
case("folder-same", "a folder, as it was deposited", "folder OK", R["folder"], T1, folder())
case("folder-altered", "one byte of one file of it differs", "folder BAD_HASH", R["folder"], T1, folder(z=b"z" * 4999 + b"y"))
case("folder-shorter", "one file of it is shorter", "folder BAD_HASH", R["folder"], T1, folder(z=b"z" * 4999))
case("folder-missing", "one file of it is not there", "folder BAD_HASH", R["folder"], T1, folder(d__b_txt=None))
case("folder-added", "a file more", "folder BAD_HASH", R["folder"], T1, folder(d__c_txt=b"c"))
case("folder-renamed", "a file under another name", "folder BAD_HASH", R["folder"], T1, folder(z=None, y=b"z" * 5000))
case("folder-unpinned", "a folder, nothing pinned", "folder OK", R["folder"], None, folder())
case("item-same", "one file of the folder", "item OK", R["folder"], T1, item(SMALL, "a.txt"))
case("item-renamed", "one file of the folder, under another name", "item OK", R["folder"], T1, item(SMALL, "other"))
case("item-altered", "its name, other bytes", "item BAD_HASH", R["folder"], T1, item(SMALL + b"!", "a.txt"))
case("item-none", "neither name nor bytes", "item NOT_FOUND", R["folder"], T1, item(b"who knows", "who"))
case("item-empty", "the empty file of the folder", "item OK", R["folder"], T1, item(b"", "b.txt"))
case("large-folder-alone", "the manifest is not in the receipt, and no folder is given", 0, R["large-folder"], T1)
case("large-folder-no-manifest", "a folder, and nobody has the manifest", "refused NOT_FOUND", R["large-folder"], T1, item(b"7", "0007"))
case("large-folder-item", "one file of it, the manifest beside the receipt", "item OK", R["large-folder"], T1, item(b"7", "0007"), BIG_M)
case("large-folder-other-manifest", "a manifest with a bit changed", "manifest-beside BAD_HASH", R["large-folder"], T1, item(b"7", "0007"), bit(BIG_M, 900))
case("large-folder-short-manifest", "a manifest cut short", "manifest-beside BAD_HASH", R["large-folder"], T1, item(b"7", "0007"), BIG_M[:-1])
for name, m, claim in (("items", manifest(files)[0], [M_CLAIM[0] + 1, *M_CLAIM[1:]]), ("bytes", M, [M_CLAIM[0], M_CLAIM[1] - 1, M_CLAIM[2]]), ("root", M, [*M_CLAIM[:2], sha()]),
                       ("header-items", manifest(files, items=5)[0], M_CLAIM), ("header-bytes", manifest(files, size=1)[0], M_CLAIM), ("rest", M + b"\0", M_CLAIM),
                       ("empty", b"", [0, 0, sha()]), ("order", manifest(dict(reversed(files.items())))[0], M_CLAIM), ("no-folder-row", manifest(F)[0], manifest(F)[1]),
                       ("dots", manifest({"..": b"x"})[0], manifest({"..": b"x"})[1]), ("long-head", M[:1] + head(0, 1, 1) + M[2:], M_CLAIM)):
    l = Ledger().founded()
    at = l.deposit(m, folder=claim)
    l.block()
    case(f"manifest-{name}", f"the depositor signed a folder that its manifest does not add up to: {name}", f"manifest {'BAD_HASH' if name in ('items', 'bytes', 'root') else 'MALFORMED'}", l.receipt(at), T1)

# ---- sealed ----

KIDS = sorted(named(f"sealing {i}") for i in range(65))
AGE, AGE_DETAILS = b"age-encryption.org/v1\n-> X25519 " + b"a" * 43 + b"\n" + b"b" * 43 + b"\n--- " + b"c" * 43 + b"\n" + bytes(70), b"age-encryption.org/v1\nthe details, sealed"


def sealed(name, says, must, kids, evidence=None, bend=lambda receipt: receipt, details=AGE_DETAILS, trust=T1, content=AGE, refuse=None, folder=None, second=None):
    l = Ledger().founded()
    claim = l.claim(content, details=details, folder=folder, change=lambda c: c.update({k: v for k, v in {10: kids, 12: second}.items() if v is not None}))
    at = l.deposit(content, refuse=refuse, inner=claim)
    l.block()
    l.stored(0, [[at, at]])
    l.block()
    case(f"sealed-{name}", says, must, bend(l.receipt(at)), trust, evidence)


sealed("one", "sealed for one key", "sealed", KIDS[:1])
sealed("verifies", "sealed for two keys, and nothing is wrong", 0, KIDS[:2])
sealed("most", "sealed for 64 keys", "sealed", KIDS[:64])
sealed("file", "the sealed file is what was signed", 0, KIDS[:2], item(AGE, "sealed.age"))
sealed("file-opened", "what was in it is not what was signed", "evidence BAD_HASH", KIDS[:2], item(SMALL))
sealed("file-altered", "one bit of the sealed file differs", "evidence BAD_HASH", KIDS[:2], item(bit(AGE, 140)))
sealed("unpinned", "nothing is pinned", "trust UNTRUSTED", KIDS[:1], trust=None)
sealed("refused", "a refusal of what is sealed", "sealed", KIDS[:1], refuse=4)
sealed("readable-details", "its details are not sealed: nobody reads them all the same", "sealed", KIDS[:1], details=enc({"profile": "plain", "name": b"a"}))
sealed("details-alone", "its details are sealed, and its claim does not say so", "profile", None)
for name, says, kids in (("nobody", "sealed for nobody", []), ("too-many", "sealed for 65 keys", KIDS), ("twice", "one key twice", KIDS[:1] * 2), ("order", "keys that do not ascend", KIDS[1::-1]),
                         ("short", "a key id of 31 bytes", [KIDS[0][:31]]), ("long", "a key id of 33 bytes", [KIDS[0] + b"\0"]), ("number", "a number in the place of a key id", [7]),
                         ("map", "a map in the place of the keys", {1: KIDS[0]}), ("text", "a text in the place of a key id", ["k" * 32])):
    sealed(name, says, "form MALFORMED", kids)
sealed("folder", "a folder that is said to be sealed", "form MALFORMED", KIDS[:1], content=M, folder=M_CLAIM)
sealed("two", "it takes two keys to open it", "sealed-two", KIDS[:2], second=KIDS[2:4])
sealed("two-verifies", "and nothing is wrong", 0, KIDS[:2], second=KIDS[2:4])
for name, says, kids, second in (("two-nobody", "and within for nobody", KIDS[:1], []), ("two-within-alone", "sealed within, and not without", None, KIDS[:1]),
                                 ("two-order", "the second keys do not ascend", KIDS[:1], KIDS[2:0:-1]), ("two-one", "one key alone would do", KIDS[:2], KIDS[1:3]),
                                 ("two-number", "a number in the place of the second keys", KIDS[:1], 7)):
    sealed(name, says, "form MALFORMED", kids, second=second)

# ---- grants ----

HEADER = AGE[:-70]


def grant(name, says, must, kids, key=lambda l: l.depositor, bend=lambda p: p, **more):
    l = Ledger().founded()
    at = l.deposit(AGE, inner=l.claim(AGE, details=AGE_DETAILS, change=lambda c: c.update({10: KIDS[:1]})))
    l.block()
    details = {k: v for k, v in {"profile": "grant", "content": HEADER, "details": HEADER, "readers": "Court, 法院", **more}.items() if v is not None}
    said = l.say("grant", lambda t, s, c: bend({1: t, 2: s, 3: l.id(at), 4: kids, 5: c}), key(l), 0, enc(details))
    l.block()
    case(f"grant-{name}", says, must, l.receipt(said), T1)


grant("one", "something sealed is opened to a reader", 0, KIDS[:1])
grant("most", "to 16, by the organisation, and why", 0, KIDS[:16], lambda l: l.statement[0], note="order 7")
grant("layers", "of what needs two keys: two headers each", 0, KIDS[:1], content=HEADER * 2, details=HEADER * 2)
grant("provider", "by a provider", "statement WRONG_ROLE", KIDS[:1], lambda l: l.provider)
for name, says, kids in (("nobody", "to nobody", []), ("too-many", "to 17", KIDS[:17]), ("order", "keys that do not ascend", KIDS[1::-1]), ("twice", "to one key twice", KIDS[:1] * 2), ("short", "a key id of 31 bytes", [KIDS[0][:31]])):
    grant(name, says, "form MALFORMED", kids)
grant("no-target", "of nothing", "form MALFORMED", KIDS[:1], bend=lambda p: {k: v for k, v in p.items() if k != 3})
for name, says, more in (("no-header", "no header of the content", {"content": None}), ("no-readers", "no names", {"readers": None}), ("empty", "an empty header", {"details": b""}), ("long", "a header of 4,097 bytes", {"content": bytes(4097)}),
                         ("profile", "details of a case", {"profile": "case"})):
    grant(name, says, "profile", KIDS[:1], **more)

# ---- members ----

NEVER, PROOF = 2**63 - 1, lambda l, purpose, pub, by: by.sign(b"custody/possession/v1\n" + l.network + bytes([purpose]) + pub)
LI, WANG, WANG2, CHIEF, SPARE = (Es256(n) for n in ("li", "wang", "wang 2", "chief", "spare"))
SHARE = bytes([9]) + bytes(31)


def joined(steps, key=WANG, more=(), less=(), record="deposit", **world):
    """A ledger on which `steps` happen around one deposit by `key`: its receipt. A step before it is a call of the ledger; "deposit" is it."""
    l, at, members = Ledger(**world).founded(), None, []
    for step in steps:
        if step == "deposit":
            at = l.deposit(SMALL, key=key)
        else:
            members.append(step(l))
        l.block()
    at = members[record] if isinstance(record, int) else at
    needs = {i for i in l.needs(at) | set(members)} - {at}
    if isinstance(record, int):
        needs = {0, 1, *members, *l.entries[at].seen, l.dating(at)} - {at}
    return l.receipt(at, needs=sorted(needs - {members[i] for i in less} | {i if i >= 0 else len(l.entries) + i for i in more}), show=("genesis", "case", "member"))


joins = lambda l: l.member(4, 1, [WANG], name="Officer Wang")
chief = lambda l: l.member(5, 64, [CHIEF], name="Chief")
by_chief = lambda l: l.member(6, 1, [LI], key=CHIEF, name="Officer Li")
rotates = lambda since=NEVER: lambda l: l.member(4, 1, [WANG2], [(WANG, since)], name="Officer Wang")
revokes = lambda since=NEVER, key=WANG: lambda l: l.member(4, 1, [], [(key, since)])
rotates_org = lambda since=NEVER: lambda l: l.member(1, 4, [SPARE], [(l.statement[0], since)])
seals = lambda by, pub=SHARE, purpose=7, alg=25: lambda l: l.member(4, 1, [(purpose, alg, pub, PROOF(l, purpose, pub, by))])
for name, says, must, receipt in (
        ("enrolled", "a deposit by a key that a member entry gave", 0, joined([joins, "deposit"])),
        ("enrolled-by-administrator", "and by one that an administrator entered", 0, joined([chief, by_chief, "deposit"], LI)),
        ("rotated", "by the second key of a member", 0, joined([joins, rotates(), "deposit"], WANG2)),
        ("before-rotation", "by the first, before it was replaced", 0, joined([joins, "deposit", rotates()])),
        ("before-revocation", "recorded before the key was revoked", "revoked OK", joined([joins, "deposit", revokes()])),
        ("before-compromise", "recorded before others may have held the key", "revoked OK", joined([joins, "deposit", revokes(8)])),
        ("disputed", "recorded when others may have held the key", "disputed DISPUTED", joined([joins, "deposit", revokes(7)])),
        ("disputed-long", "compromised since its enrolment", "disputed DISPUTED", joined([joins, "deposit", revokes(6)])),
        ("after-revocation", "recorded after the key was revoked", "statement REVOKED", joined([joins, revokes(), "deposit"])),
        ("after-rotation", "by the first key, after it was replaced", "statement REVOKED", joined([joins, rotates(), "deposit"])),
        ("before-enrolment", "recorded before the key was enrolled", "statement NOT_CONFIRMED", joined(["deposit", joins])),
        ("not-brought", "the entry that enrolled the key does not go along", "statement UNKNOWN_KEY", joined([joins, "deposit"], less=[0])),
        ("rotation-not-brought", "a revocation whose key nobody has given", "member UNKNOWN_KEY", joined([joins, rotates(), "deposit"], WANG2, less=[0])),
        ("idle", "a member entry that is about nobody who signed", "complete MALFORMED", joined([joins, chief, "deposit"])),
        ("stranger", "by a key that nobody enrolled", "statement UNKNOWN_KEY", joined(["deposit"], SPARE)),
        ("reader-claims", "by a reader's key", "statement WRONG_ROLE", joined([lambda l: l.member(4, 8, [WANG]), "deposit"])),
        ("administrator-claims", "by an administrator's key", "statement WRONG_ROLE", joined([chief, "deposit"], CHIEF)),
        ("auditor-claims", "by an auditor's key", "statement WRONG_ROLE", joined([lambda l: l.member(4, 16, [WANG]), "deposit"])),
        ("operator-claims", "by an operator's key", "statement WRONG_ROLE", joined([lambda l: l.member(4, 32, [WANG]), "deposit"])),
        ("node-claims", "by a node's key", "statement WRONG_ROLE", joined([lambda l: l.member(4, 128, [WANG]), "deposit"])),
        ("not-possessed", "the proof of possession is by another key", "member BAD_SIGNATURE", joined([lambda l: l.member(4, 1, [WANG], proof=SPARE), "deposit"])),
        ("unknown-role", "in a role that there is not", "member WRONG_ROLE", joined([lambda l: l.member(4, 3, [WANG]), "deposit"])),
        ("organisation", "a new organisation", "member WRONG_ROLE", joined([lambda l: l.member(4, 4, [WANG]), "deposit"])),
        ("other-role", "a party in another role than its own", "member WRONG_ROLE", joined([joins, lambda l: l.member(4, 2, [WANG2]), "deposit"])),
        ("by-depositor", "entered by a depositor", "member WRONG_ROLE", joined([lambda l: l.member(4, 1, [WANG], key=l.depositor), "deposit"])),
        ("administrator-by-administrator", "an administrator entered by another", "member WRONG_ROLE", joined([chief, lambda l: l.member(6, 64, [LI], key=CHIEF), "deposit"], LI)),
        ("organisation-by-administrator", "an organisation's key entered by its administrator", "member WRONG_ROLE", joined([chief, lambda l: l.member(1, 4, [LI], key=CHIEF), "deposit"], LI)),
        ("by-other-organisation", "a party of another organisation", "member WRONG_ROLE", joined([lambda l: l.member(6, 1, [WANG], org=1), "deposit"], WANG, orgs=4)),
        ("by-revoked-administrator", "entered by an administrator whose key was revoked", "member REVOKED",
         joined([chief, lambda l: l.member(5, 64, [], [(CHIEF, NEVER)]), by_chief, "deposit"], LI)),
        ("by-disputed-administrator", "entered by an administrator whose key others may have held", "disputed DISPUTED",
         joined([chief, by_chief, "deposit", lambda l: l.member(5, 64, [], [(CHIEF, 1)])], LI)),
        ("twice", "a key that is there", "member BAD_KEY", joined([joins, lambda l: l.member(5, 1, [WANG]), "deposit"])),
        ("genesis-key", "a key of the genesis", "member BAD_KEY", joined([joins, lambda l: l.member(4, 1, [l.depositor]), "deposit"])),
        ("revoked-again", "a revoked key is given again", "member BAD_KEY", joined([joins, revokes(), joins, "deposit"])),
        ("revoked-twice", "a key is revoked twice", "member DUPLICATE", joined([joins, "deposit", revokes(), revokes()])),
        ("revoked-elsewhere", "the key of another party is revoked", "member UNKNOWN_KEY", joined([joins, "deposit", revokes(key=SPARE)])),
        ("since-itself", "compromised since its own revocation", "member OUT_OF_ORDER", joined([joins, "deposit", lambda l: l.member(4, 1, [], [(WANG, len(l.entries))])])),
        ("log-key-revoked", "a log key is revoked", "member WRONG_ROLE", joined([joins, lambda l: l.member(1, 4, [], [(l.log[0], NEVER)]), "deposit"])),
        ("log-key-given", "a log key is given", "member WRONG_ROLE", joined([joins, seals(WANG, SPARE.pub[:32], 2, 8), "deposit"])),
        ("short-key", "a statement key of 32 bytes", "member BAD_KEY", joined([joins, seals(WANG, SPARE.pub[:32], 1, 7), "deposit"])),
        ("off-curve", "a statement key that is no point", "member BAD_KEY", joined([joins, seals(WANG, bytes(63) + b"\1", 1, 7), "deposit"])),
        ("sealing", "and a sealing key, which his own vouches for", 0, joined([joins, seals(WANG), "deposit"])),
        ("sealing-by-organisation", "a sealing key that his organisation vouches for", "member BAD_SIGNATURE", joined([joins, seals(Es256("statement 0")), "deposit"])),
        ("sealing-zero", "a sealing key of small order", "member BAD_KEY", joined([joins, seals(WANG, bytes(32)), "deposit"])),
        ("sealing-one", "a sealing key of small order", "member BAD_KEY", joined([joins, seals(WANG, b"\1" + bytes(31)), "deposit"])),
        ("organisation-rotated", "the organisation's key is replaced by itself", 0, joined([joins, rotates_org(), lambda l: l.member(5, 1, [LI], key=SPARE), "deposit"], LI, less=[0])),
        ("organisation-silenced", "the organisation's only key is revoked", "member NOT_ALLOWED", joined([joins, lambda l: l.member(1, 4, [], [(l.statement[0], NEVER)]), "deposit"])),
        ("organisation-disputed", "the organisation's key was others' from the start", "disputed DISPUTED", joined([joins, "deposit", rotates_org(0)])),
        ("genesis-rotated", "the depositor of the genesis gets another key", 0, joined([lambda l: l.member(3, 1, [SPARE], [(l.depositor, NEVER)]), "deposit"], SPARE)),
        ("genesis-revoked", "by the key of the genesis, after that", "statement REVOKED", joined([lambda l: l.member(3, 1, [SPARE], [(l.depositor, NEVER)]), "deposit"], None)),
        ("record", "the receipt of a member entry", 0, joined([joins], record=0)),
        ("record-rotation", "the receipt of a rotation", 0, joined([joins, rotates()], record=1)),
        ("record-rotation-alone", "without the entry that gave the key that it revokes", "member UNKNOWN_KEY", joined([joins, rotates()], record=1, less=[0])),
        ("record-bad-proof", "the receipt of a member entry that proves nothing", "member BAD_SIGNATURE", joined([lambda l: l.member(4, 1, [WANG], proof=SPARE)], record=0))):
    R[f"member-{name}"] = receipt
    case(f"member-{name}", f"members: {says}", must, receipt, Ledger(orgs=4).founded().trust("integrity", logs=(0, 1, 2, 3)) if name == "by-other-organisation" else T1)

# ---- notices, what answers them, timeouts ----

LATE = 700_000 # after any acceptance age here


# ---- changes that the organisations decide ----

NEW = [Es256("new statement"), Ed25519("new log"), Ed25519("new cosign")]
FIFTH = [(1, NEW[0]), (2, NEW[1]), (3, NEW[2])]
SEVENTH, OFFICER7 = 7, Es256("officer of the new one")


class Council:
    """Four organisations, ids 1 to 4, the provider 5, run by the second, the depositor 6 of the first; what is said, in order."""

    def __init__(self, **world):
        self.l, self.brought = Ledger(orgs=4, **world).founded(), []

    def do(self, at):
        self.brought.append(at)
        self.l.block()
        return at

    def decide(self, *change, by=(0, 1, 2), org=1, **more):
        at = self.do(self.l.propose(*change, org=org, **more))
        for who in by:
            self.do(self.l.approve(at, who))
        return at

    def joins(self, **more):
        at = self.decide(1, SEVENTH, FIFTH, **more)
        self.do(self.l.confirm_later(SEVENTH, FIFTH))
        self.do(self.l.member(8, 1, [OFFICER7], key=NEW[0], name="Officer of the new one"))
        return at

    def receipt(self, at, less=(), more=(), confirms=(1, 2, 3), brought=None, **kind):
        needs = {0, 2, *confirms, self.l.dating(at), *self.l.entries[at].seen, *(self.brought if brought is None else brought)} | set(more)
        if self.l.entries[at].kind == "deposit":
            needs |= {self.l.c1, *self.l.needs(at)}
        return self.l.receipt(at, needs=sorted(needs - {at, None} - set(less)), show=("genesis", "case", "member", "propose"), **kind)

    def deposit(self, key=None, orgs=(1, 2), **more):
        at = self.l.deposit(BIG, key=key, **more)
        self.l.block()
        for org in orgs:
            self.l.stored(org, [[at, at]])
            self.l.block()
        return at


T4 = lambda l: l.trust("integrity signer", logs=(0, 1, 2, 3))


def changed(name, says, must, go, **more):
    c = Council()
    at, kind = go(c)
    case(f"change-{name}", f"changes: {says}", must, c.receipt(at, **{**kind, **more}), T4(c.l))


def joined_later(c, key=OFFICER7, less=lambda c: (), **more):
    c.joins(**more)
    return c.deposit(key), {"less": less(c)}


def rotated(c, by_new=True, since=NEVER, **more):
    c.decide(2, 1, [(1, NEW[0])], [(c.l.statement[0], since)], **more)
    c.do(c.l.member(7, 1, [WANG], key=NEW[0] if by_new else c.l.statement[0], name="Officer Wang"))
    return c.deposit(WANG), {}


def left(c, deposit_first):
    first = c.deposit() if deposit_first else None
    c.decide(3, 1, org=1, by=(1, 2, 3))
    return (first if deposit_first else c.deposit()), {"confirms": (1, 2, 3, 4)}


def asks(c, terms, orgs, **more):
    c.decide(4, terms=terms, **more)
    return c.deposit(orgs=orgs), {"confirms": {1, 2, 3, *(o + 1 for o in orgs)}}


def replaced(c):
    first = c.do(c.l.propose(2, 1, [(1, SPARE)], org=1))
    c.decide(2, 1, [(1, NEW[0])], org=1)
    c.do(c.l.approve(first, 2))
    return c.deposit(), {}


for name, says, must, go in (
        ("joined", "a deposit by a member of an organisation that joined", 0, lambda c: joined_later(c)),
        ("joined-two-approve", "two of four approved", "confirm UNKNOWN_KEY", lambda c: joined_later(c, by=(0, 1))),
        ("joined-one-missing", "of three approvals one is not brought", "confirm UNKNOWN_KEY", lambda c: joined_later(c, less=lambda c: c.brought[2:3])),
        ("joined-no-proposal", "the proposal is not brought", "approval UNKNOWN_TARGET", lambda c: joined_later(c, less=lambda c: c.brought[:1])),
        ("joined-no-confirm", "it never confirmed", "member NOT_CONFIRMED", lambda c: joined_later(c, less=lambda c: c.brought[4:5])),
        ("joined-twice-approved", "one organisation approved twice", "approval DUPLICATE", lambda c: joined_later(c, by=(0, 1, 0))),
        ("joined-own-id", "under the id of another", "proposal OUT_OF_ORDER", lambda c: (c.decide(1, 4, FIFTH), (c.deposit(), {}))[1]),
        ("joined-proof", "a key that is not proven", "proposal BAD_SIGNATURE", lambda c: joined_later(c, proof=NEW[0])),
        ("joined-listed", "a key that is listed", "proposal BAD_KEY", lambda c: (c.decide(1, SEVENTH, [(1, NEW[0]), (2, c.l.log[0])]), (c.deposit(), {}))[1]),
        ("by-depositor", "proposed by a depositor", "proposal WRONG_ROLE", lambda c: joined_later(c, key=OFFICER7) if False else (c.decide(1, SEVENTH, FIFTH, key=c.l.depositor), (c.deposit(), {}))[1]),
        ("rotated", "an organisation's statement key is another one", 0, rotated),
        ("rotated-old-key", "the one that was replaced enrols somebody afterwards", "member REVOKED", lambda c: rotated(c, by_new=False)),
        ("rotated-disputed", "what the old key said before is in dispute", "disputed DISPUTED", lambda c: (c.do(c.l.member(7, 1, [WANG], name="Officer Wang")), c.decide(2, 1, [(1, NEW[0])], [(c.l.statement[0], 1)]), (c.deposit(WANG), {}))[2]),
        ("rotated-last", "the only statement key is revoked", "proposal NOT_ALLOWED", lambda c: (c.decide(2, 1, [], [(c.l.statement[0], NEVER)]), (c.deposit(), {}))[1]),
        ("rotated-other", "another's key is revoked", "proposal UNKNOWN_KEY", lambda c: (c.decide(2, 1, [(1, NEW[0])], [(c.l.statement[1], NEVER)]), (c.deposit(), {}))[1]),
        ("rotated-since", "compromised since later", "proposal OUT_OF_ORDER", lambda c: (c.decide(2, 1, [(1, NEW[0])], [(c.l.statement[0], 10**6)]), (c.deposit(), {}))[1]),
        ("rotated-nobody", "keys of a party that is no organisation", "proposal WRONG_ROLE", lambda c: (c.decide(2, 6, [(1, NEW[0])]), (c.deposit(), {}))[1]),
        ("rotated-log-idle", "a log key's change goes along, and nothing needs it", "complete MALFORMED", lambda c: (c.decide(2, 1, [(2, NEW[1])]), (c.deposit(), {}))[1]),
        ("rotated-itself", "by itself alone, in a member entry", "member NOT_ALLOWED", lambda c: (c.do(c.l.member(1, 4, [NEW[0]], [(c.l.statement[0], NEVER)])), (c.deposit(), {}))[1]),
        ("replaced", "a proposal that another took the place of is approved", "approval UNKNOWN_TARGET", replaced),
        ("left-before", "by a member of an organisation that left before", "statement REVOKED", lambda c: left(c, False)),
        ("left-after", "by a member of an organisation that left after it", 0, lambda c: left(c, True)),
        ("asks-more", "three copies since before: two are not enough", "copies COPIES_MISSING", lambda c: asks(c, [3, 3, []], (1, 2))),
        ("asks-more-has", "three copies since before: three", 0, lambda c: asks(c, [3, 3, []], (1, 2, 3))),
        ("asks-other", "another must hold one", "copies COPIES_MISSING", lambda c: asks(c, [3, 2, [4]], (1, 2))),
        ("asks-later", "three copies since later: not needed", "complete MALFORMED", lambda c: (lambda at: (c.decide(4, terms=[3, 3, []]), (at, {}))[1])(c.deposit())),
        ("record-proposal", "the receipt of a proposal", 0, lambda c: (lambda at: (at, {"brought": (), "confirms": (1, 2)}))(c.do(c.l.propose(2, 1, [(1, NEW[0])], org=1)))),
        ("record-approval", "the receipt of an approval", 0, lambda c: (lambda p: (c.do(c.l.approve(p, 2)), {"brought": (p,), "confirms": (1, 2, 3)}))(c.do(c.l.propose(2, 1, [(1, NEW[0])], org=1))))):
    changed(name, says, must, go)


def asked(name, says, must, steps, record=-1, evidence=None, trust=T1, less=(), more=(), wait=0, opened=None, **world):
    """Steps are calls with the ledger and the positions of those before; the last is the record, `wait` ms later, in a block of its own."""
    l, at = Ledger(**world).founded(), []
    for i, step in enumerate(steps):
        l.now += wait if i == len(steps) - 1 else 0
        at.append(step(l, at))
        l.block(*([lambda b: b.update({2: opened(l, at)})] if opened and i == len(steps) - 1 else []))
    seq = at[record]
    if l.entries[seq].kind == "deposit":
        l.stored(0, [[seq, seq]])
        l.block()
    needs = sorted(l.needs(seq) - {at[i] for i in less} | {at[i] for i in more})
    R[f"notice-{name}"] = l.receipt(seq, needs=needs, show=("genesis", "case", "notice"))
    case(f"notice-{name}", f"notices: {says}", must, R[f"notice-{name}"], trust, evidence)


asks = lambda **more: lambda l, at: l.notice(**more)
hears = lambda **more: lambda l, at: l.acknowledge(at[0], **more)
gives = lambda content=SMALL, **more: lambda l, at: l.against(at[0], content, **more)
answers = lambda ids=lambda l, at: (), **more: lambda l, at: l.answer(at[0], ids(l, at), **more)
late = lambda **more: lambda l, at: l.timeout(notice=at[0], **more)
given = lambda l, at: [l.id(i) for i in at[1:]]


def behind(l, at):
    """Acknowledged before it was said."""
    l.notice()
    notice, place = l.entries.pop(), len(l.entries) + 1
    l.entries.append(notice)
    told = l.id(len(l.entries) - 1)
    l.entries.pop()
    seq = l.say("acknowledge", lambda t, s, c: {1: t, 2: s, 3: told}, l.provider, 0, hold={"notice": place})
    l.entries.append(notice)
    return seq




def stale(wait=LATE, **claim):
    """A claim, and `wait` ms later the word that nothing came of it."""
    def step(l, at):
        c = l.claim(SMALL, **{k: v(l) if k == "key" else v for k, v in claim.items()})
        l.now += wait
        return l.timeout(claim=c)
    return step


for name, says, must, steps, more in (
        ("good", "a notice", 0, [asks()], {}),
        ("by-organisation", "said by the organisation itself", 0, [asks(key=Es256("statement 0"))], {}),
        ("by-provider", "a provider asks itself", "statement WRONG_ROLE", [asks(key=Es256("provider"))], {}),
        ("good-acknowledge", "a provider has it", 0, [asks(), hears()], {}),
        ("acknowledged-by-officer", "not the provider says that it has it", "notice WRONG_ROLE", [asks(), hears(key=Es256("depositor"))], {}),
        ("good-answered", "a deposit against it, accepted by the organisation", 0, [asks(), gives()], {}),
        ("good-answered-large", "one that does not travel with the record", 0, [asks(), gives(BIG)], {}),
        ("good-answered-file", "and the file is what was signed", 0, [asks(), gives()], {"evidence": item(SMALL)}),
        ("accepted-by-officer", "accepted by the officer", 0, [asks(), gives(receiver=Es256("depositor"))], {}),
        ("accepted-by-itself", "accepted by the provider itself", "statement WRONG_ROLE", [asks(), gives(receiver=Es256("provider"))], {}),
        ("claimed-by-officer", "the claim is by the officer", "statement WRONG_ROLE", [asks(), gives(key=Es256("depositor"))], {}),
        ("swapped-without", "the roles are swapped, and no notice is named", "statement WRONG_ROLE", [asks(), gives(notice=False)], {}),
        ("asks-another", "it asks another party than the one that deposits", "notice WRONG_ROLE", [asks(provider=3), gives()], {}),
        ("asks-nobody", "it asks a party that there is not", 0, [asks(provider=60)], {}),
        ("other-case", "a deposit into another case", "notice UNKNOWN_CASE", [lambda l, at: l.notice(case=b"\2" * 16), gives()], {}),
        ("good-declined", "what was deposited is refused", 0, [asks(), gives(refuse=1)], {}),
        ("declined-by-provider", "the provider refuses its own", "statement WRONG_ROLE", [asks(), gives(refuse=1, receiver=Es256("provider"))], {}),
        ("good-answer", "the answer, of two deposits", 0, [asks(), gives(), gives(BIG), answers(given)], {}),
        ("good-none", "the answer that none come", 0, [asks(), answers(reason=8)], {}),
        ("answer-neither", "neither deposits nor a reason", "form MALFORMED", [asks(), answers()], {}),
        ("answer-both", "deposits, and a reason why there are none", "form MALFORMED", [asks(), gives(), answers(given, reason=9)], {}),
        ("answer-reason", "a reason that there is not", "form MALFORMED", [asks(), answers(reason=10)], {}),
        ("answered-by-officer", "not the provider answers", "notice WRONG_ROLE", [asks(), answers(reason=8, key=Es256("depositor"))], {}),
        ("not-brought", "the notice does not go along", "complete MALFORMED", [asks(), gives()], {"less": [0]}),
        ("not-brought-answer", "nor with the answer", "complete MALFORMED", [asks(), answers(reason=8)], {"less": [0]}),
        ("idle", "a notice goes along that nothing names", "complete MALFORMED", [asks(), lambda l, at: l.deposit(SMALL)], {"more": [0]}),
        ("behind", "acknowledged before it was said", "notice OUT_OF_ORDER", [behind], {}),
        ("forged", "its signature is not good", "statement BAD_SIGNATURE", [asks(bend=lambda s: bit(s, 5)), gives()], {}),
        ("of-stranger", "by a key that nobody enrolled", "statement UNKNOWN_KEY", [asks(key=SPARE), hears()], {}),
        ("words-unknown", "its details are of no profile that is known", "profile OK", [asks(details={"profile": "letter"})], {}),
        ("words-missing", "its details name no object", "profile OK", [asks(details={"profile": "notice", "number": "1", "basis": "b"})], {}),
        ("good-timeout", "no answer in time", 0, [asks(), late()], {"wait": 6000}),
        ("timeout-early", "its time has not passed", "deadline UNTRUE", [asks(), late()], {}),
        ("timeout-on-time", "on the last millisecond", "deadline UNTRUE", [asks(), late()], {"opened": lambda l, at: dec(dec(l.entries[at[0]].data)[0].value[2])[0][5], "wait": 6000}),
        ("timeout-first", "on the first after it", 0, [asks(), late()], {"opened": lambda l, at: dec(dec(l.entries[at[0]].data)[0].value[2])[0][5] + 1, "wait": 6000}),
        ("timeout-by-officer", "not an organisation says so", "statement WRONG_ROLE", [asks(), late(key=Es256("depositor"))], {"wait": 6000}),
        ("timeout-alone", "the notice does not go along", "complete MALFORMED", [asks(), late()], {"wait": 6000, "less": [0]}),
        ("timeout-of-nothing", "neither of a claim nor of a notice", "form MALFORMED", [asks(), late(change=lambda p: p.pop(4))], {"wait": 6000}),
        ("timeout-of-both", "of a claim and of a notice", "form MALFORMED", [asks(), lambda l, at: l.timeout(notice=at[0], claim=l.claim(SMALL))], {"wait": 6000}),
        ("good-claim-late", "no acceptance in time", 0, [stale()], {}),
        ("claim-late-file", "a file to it: a timeout is about none", "target UNKNOWN_TARGET", [stale()], {"evidence": item(SMALL)}),
        ("claim-early", "its time has not passed", "deadline UNTRUE", [stale(1000)], {}),
        ("claim-dated-back", "a claim that says it is older than the block that it saw", "deadline UNTRUE", [stale(1000, change=lambda c: c.update({6: 1}))], {}),
        ("claim-to-come", "a claim dated far ahead", "deadline UNTRUE", [stale(change=lambda c: c.update({6: TIME + 10 * LATE}))], {}),
        ("claim-forged", "the claim's signature is not good", "statement BAD_SIGNATURE", [stale(bend=lambda s: bit(s, 5))], {}),
        ("claim-of-provider", "a claim of the provider's, which names no notice", "statement WRONG_ROLE", [stale(key=lambda l: l.provider)], {}),
        ("claim-blind", "the block that the claim saw is another", "seen UNKNOWN_BLOCK", [stale(seen=[2, sha(b"?")])], {}),
        ("claim-of-elsewhere", "a claim of another ledger", "form WRONG_NETWORK", [stale(network=sha(b"elsewhere"))], {})):
    asked(name, says, must, steps, **more)
four_trust = lambda: Ledger(orgs=4).founded().trust("integrity", logs=(0, 1, 2, 3))
for name, says, must, steps in (
        ("elsewhere-accepts", "another organisation accepts than the one that asks", "notice WRONG_ROLE", [asks(key=Es256("statement 2"), org=2), gives(receiver=Es256("statement 0"))]),
        ("own-accepts", "the organisation accepts that asks", "notice OK", [asks(), gives(receiver=Es256("statement 0"))])):
    asked(name, says, must, steps, trust=four_trust(), orgs=4)

# ---- details ----

person = lambda name, **more: {"name": name, **{k.replace("_", "-"): v for k, v in more.items()}}
police = {"profile": "police-collection", "name": b"IMG_0001.jpg", "tool": "test 1", "digests": [[1, hashlib.sha256(SMALL).digest()]], "case-number": "117", "cause": "theft",
          "collected": "2026-09-21 14:05 +08:00", "place": "南山区科苑路2号", "method": "copied behind a write blocker", "process": "imaged, then exported", "category": "photo",
          "format": "JPEG", "original": False, "source": "the phone stays with its owner", "device": {"make": "Huawei", "model": "P60"},
          "collectors": [person("张三", title="inspector", organisation="Nanshan"), person("李四")], "refusal": "would not sign", "witness": person("赵六")}
plain = {"profile": "plain", "name": b"IMG_0001.jpg", "tool": "test 1", "digests": [[1, hashlib.sha256(SMALL).digest()]]}
without = lambda d, *keys: {k: v for k, v in d.items() if k not in keys}
sha1, md5, sha512 = (getattr(hashlib, a)(SMALL).digest() for a in ("sha1", "md5", "sha512"))
for name, details, good in (
        ("police", police, True), ("police-original", {**without(police, "source"), "original": True}, True), ("police-no-source", without(police, "source"), False),
        ("police-holder", {**without(police, "refusal", "witness"), "holder": person("王五", id_commitment=sha(b"id"))}, True),
        ("police-no-holder", without(police, "refusal", "witness"), False), ("police-no-witness", without(police, "witness"), False),
        ("police-one-collector", {**police, "collectors": [person("张三")]}, False), ("police-17-collectors", {**police, "collectors": [person(str(i)) for i in range(17)]}, False),
        ("police-no-number", without(police, "case-number"), False), ("police-empty-place", {**police, "place": ""}, False), ("police-long-method", {**police, "method": "x" * 4097}, False),
        ("police-full-method", {**police, "method": "x" * 4096}, True), ("police-extra-field", {**police, "mood": "good"}, False),
        ("police-original-text", {**police, "original": "no"}, False), ("police-device-field", {**police, "device": {"colour": "red"}}, False),
        ("police-empty-device", {**police, "device": {}}, True), ("police-video", {**police, "video-sha256": sha(b"video"), "warrant": "W 7", "secrecy": "none", "note": "n", "label": "AP/1"}, True),
        ("police-short-video", {**police, "video-sha256": b"x" * 31}, False), ("police-bad-commitment", {**police, "witness": person("赵六", id_commitment=b"1")}, False),
        ("plain-all", {**plain, "note": "from the window", "label": "AP/1/1", "media": "image/jpeg"}, True), ("plain-no-digests", without(plain, "digests"), True),
        ("plain-all-digests", {**plain, "digests": [[1, hashlib.sha256(SMALL).digest()], [2, sha1], [3, md5], [4, b"s" * 32], [5, sha512]]}, True),
        ("plain-digests-order", {**plain, "digests": [[2, sha1], [1, hashlib.sha256(SMALL).digest()]]}, False), ("plain-digest-twice", {**plain, "digests": plain["digests"] * 2}, False),
        ("plain-no-sha256", {**plain, "digests": [[2, sha1]]}, False), ("plain-short-digest", {**plain, "digests": [[1, b"x" * 31]]}, False), ("plain-unknown-digest", {**plain, "digests": [*plain["digests"], [6, b"x"]]}, False),
        ("plain-no-tool", without(plain, "tool"), False), ("plain-name-bytes", {**plain, "name": b"\xff\xfe/\x1b[31m"}, True), ("plain-name-text", {**plain, "name": "text"}, False),
        ("plain-long-name", {**plain, "name": b"n" * 1025}, False), ("unknown-profile", {"profile": "photo"}, False), ("other-profile", {"profile": "case", "name": "C1"}, False),
        ("no-profile", without(plain, "profile"), False), ("not-a-map", ["plain"], False), ("keys-out-of-order", Pairs([("tool", "t"), ("name", b"n"), ("profile", "plain")]), False),
        ("key-twice", Pairs([("name", b"n"), ("name", b"n"), ("tool", "t"), ("profile", "plain")]), False), ("not-utf8", Raw(enc({"name": b"n", "tool": "XX", "profile": "plain"}).replace(b"XX", b"\xc3\x28")), False),
        ("not-cbor", Raw(b"these are words"), False), ("deep", {"profile": "plain", "name": b"n", "tool": [[[[[[[[1]]]]]]]]}, False), ("float", Raw(b"\xa1\x67profile\xf9\x3c\x00"), False)):
    l = Ledger().founded()
    at = l.deposit(SMALL, details=enc(details))
    l.block()
    case(f"details-{name}", f"details of the deposit: {name}", 0 if good else "profile OK", l.receipt(at), T1)
for name, change in (("other-sha256", [[1, sha(b"other")]]),):
    l = Ledger().founded()
    at = l.deposit(SMALL, details=enc({**plain, "digests": change}))
    big_at = l.deposit(BIG, details=enc({**plain, "digests": change}))
    l.block()
    l.stored(0, [[big_at, big_at]])
    l.block()
    case(f"content-{name}", "the SHA-256 that the depositor signed is not that of the content in the receipt", "content-sha256 BAD_HASH", l.receipt(at), T1)
    case(f"file-{name}", "nor that of a file beside it", "evidence BAD_HASH", l.receipt(big_at), T1, item(BIG))
    case(f"large-{name}", "without a file nothing tells", 0, l.receipt(big_at), T1)
l = Ledger(names=False).founded()
at = l.deposit(SMALL)
l.block()
case("nameless", "a genesis whose details name nobody", 0, l.receipt(at), l.trust())
l = Ledger().founded()
l.c2 = l.case("", b"\2" * 16, details=enc({"profile": "case"}))
at = l.deposit(SMALL, case=b"\2" * 16, case_at=l.c2)
l.block()
case("nameless-case", "a case whose details have no name", 0, l.receipt(at), T1)
case("genesis-not-shown", "genesis and case without their details", 0, one.receipt(d1, note, show=()), T1)
case("all-shown", "stored entries have no details to show: they are not brought", 0, one.receipt(d1, note, show=("genesis", "case", "deposit")), T1)


def altered(name, says, must, change, receipt="deposit", trust=T1, evidence=None):
    """The good receipt, taken apart, changed, written again."""
    r = Receipt.of(R[receipt] if isinstance(receipt, str) else receipt)
    change(r)
    case(name, says, must, r.bytes(), trust, evidence)


def put(path, value):
    def change(r):
        where = r.extra
        for step in path[:-1]:
            where = where[step]
        if value is None:
            del where[path[-1]]
        else:
            where[path[-1]] = value(where.get(path[-1])) if callable(value) else value
    return change


def part(i, value):
    return lambda r: r.record(lambda p: p[:i] + [value(p[i]) if callable(value) else value] + p[i + 1:])


altered("salt-other", "another salt of the record", "details BAD_ATTACHMENT", part(1, lambda s: bit(s, 0)))
altered("details-other", "a bit of the details", "details BAD_ATTACHMENT", part(2, lambda s: bit(s, 20)))
altered("details-missing", "salt and details left out", "details BAD_ATTACHMENT", lambda r: r.record(lambda p: [p[0], None, None, p[3]]))
altered("content-other", "a bit of the content", "details BAD_ATTACHMENT", part(3, lambda s: bit(s, 5)))
altered("content-missing", "the content left out", "details BAD_ATTACHMENT", part(3, None))
altered("content-emptied", "the content emptied", "details BAD_ATTACHMENT", part(3, b""))
altered("content-shorter", "the content a byte shorter", "details BAD_ATTACHMENT", part(3, lambda s: s[:-1]))
altered("content-unasked", "content where none belongs", "details BAD_ATTACHMENT", part(3, b"x"), "large")
altered("content-to-refusal", "content with a refusal", "details BAD_ATTACHMENT", part(3, SMALL), "refusal")
altered("details-to-inventory", "details with a kind that has none", "details BAD_ATTACHMENT", lambda r: r.record(lambda p: [p[0], named("salt"), enc(plain), None]), "inventory")
altered("support-salt", "another salt of the genesis", "support-details BAD_ATTACHMENT", put((2, 0, 3), lambda s: bit(s, 31)))
altered("support-details", "a bit of the case's details", "support-details BAD_ATTACHMENT", put((2, 2, 4), lambda s: bit(s, 8)))
altered("support-details-of-block", "details with a block", "complete MALFORMED", lambda r: r.extra[2][3].update({3: b"s" * 32, 4: b"\xa0"}))

# ---- form: the file ----

good = R["deposit"]
raw = lambda name, says, status, data, trust=T1: case(name, says, f"form {status}", data, trust)
raw("empty", "nothing at all", "MALFORMED", b"")
raw("newline", "one newline", "MALFORMED", b"\n")
raw("text", "a text", "MALFORMED", b"this is no receipt\n")
raw("too-large", "262,145 bytes", "TOO_LARGE", good + b"\n" * (262145 - len(good)))
raw("large-as-may-be", "262,144 bytes of newlines behind it", "TOO_LARGE", good + b"\n" * (262144 - len(good)))
raw("first-line-cut", "the first line without its end", "MALFORMED", b"c2sp.org/tlog-proof@v1")
for v, status in (("2", "NEWER_FORMAT"), ("10", "NEWER_FORMAT"), ("18446744073709551615", "NEWER_FORMAT"), ("18446744073709551616", "MALFORMED"), ("02", "MALFORMED"), ("0", "MALFORMED"), ("1 ", "MALFORMED"), ("1\r", "MALFORMED"), ("", "MALFORMED"), ("2x", "MALFORMED")):
    raw(f"version-{v.strip() or 'none'}{'-space' if v != v.strip() and v[-1] == ' ' else '-cr' if v.endswith(chr(13)) else ''}", f"the first line ends in v{v!r}", status, good.replace(b"@v1\n", b"@v" + v.encode() + b"\n", 1))
raw("crlf", "lines end in CR LF", "MALFORMED", good.replace(b"\n", b"\r\n"))
raw("byte-order-mark", "a byte order mark before it", "MALFORMED", b"\xef\xbb\xbf" + good)
raw("no-extra", "no extra line: a stock tlog-proof", "MALFORMED", b"".join(l for l in good.splitlines(True) if not l.startswith(b"extra ")))
raw("extra-empty", "an empty extra line", "MALFORMED", b"\n".join(b"extra " if l.startswith(b"extra ") else l for l in good.split(b"\n")))
raw("extra-twice", "two extra lines", "MALFORMED", good.replace(b"extra ", good.split(b"\n")[1] + b"\nextra ", 1))
raw("extra-late", "extra behind the index", "MALFORMED", (lambda l: b"\n".join([l[0], l[2], l[1], *l[3:]]))(good.split(b"\n")))
raw("extra-capital", "Extra", "MALFORMED", good.replace(b"extra ", b"Extra ", 1))
raw("extra-two-spaces", "two spaces behind extra", "MALFORMED", good.replace(b"extra ", b"extra  ", 1))
raw("extra-space-behind", "a space behind the base64", "MALFORMED", good.replace(b"\nindex", b" \nindex", 1))
line = good.split(b"\n")[1]
raw("base64-url", "base64 of the URL alphabet", "MALFORMED", good.replace(line, line.replace(b"+", b"-").replace(b"/", b"_"), 1) if b"+" in line[6:] or b"/" in line[6:] else b"")
raw("base64-broken", "a newline in the base64", "MALFORMED", good.replace(line[:80], line[:80] + b"\n", 1))
raw("base64-cut", "a character less", "MALFORMED", good.replace(line, line[:-1], 1))
raw("base64-more-padding", "a = more", "MALFORMED", good.replace(line, line + b"=", 1))
raw("base64-nul", "a NUL in the base64", "MALFORMED", good.replace(line, line[:50] + b"\0" + line[51:], 1))
for n in range(3):  # the three ways to end
    def pad(r, n=n):
        r.extra[3] += b"\0" * 32 * n
    r = Receipt.of(good)
    pad(r)
    data = r.bytes()
    ends = data.split(b"\n")[1]
    if ends.endswith(b"="):
        k = len(ends.rstrip(b"=")) - 1
        abc = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        raw(f"base64-trailing-bits-{n}", "bits that padding drops are not zero", "MALFORMED", data.replace(ends, ends[:k] + abc[abc.index(ends[k]) + 1:][:1] + ends[k + 1:], 1))
        raw(f"base64-unpadded-{n}", "no padding", "MALFORMED", data.replace(ends, ends.rstrip(b"="), 1))
for name, index in (("leading-zero", f"0{d1}"), ("plus", f"+{d1}"), ("minus", "-1"), ("empty", ""), ("hex", "0x5"), ("space", f" {d1}"), ("above", str(2**63)), ("far-above", str(2**64 + d1)), ("letters", "five")):
    raw(f"index-{name}", f"index {index}", "MALFORMED", good.replace(b"\nindex %d\n" % d1, f"\nindex {index}\n".encode(), 1))
raw("index-missing", "no index line", "MALFORMED", good.replace(b"\nindex %d\n" % d1, b"\n", 1))
raw("index-twice", "two index lines", "MALFORMED", good.replace(b"\nindex %d\n" % d1, b"\nindex %d\nindex %d\n" % (d1, d1), 1))
path = lambda name, says, status, change, trust=T1: altered(name, says, status, lambda r: setattr(r, "path", change(r.path)), trust=trust)
path("path-64", "64 hashes in the path", "form MALFORMED", lambda p: p * 20 + p[:64 % len(p)] if len(p) * 20 + 64 % len(p) == 64 else (p * 64)[:64])
path("path-63", "63 hashes in the path: more than position and size demand", "inclusion MALFORMED", lambda p: (p * 64)[:63])
path("path-31-bytes", "a hash of 31 bytes", "form MALFORMED", lambda p: [b64(b"x" * 31), *p[1:]])
path("path-33-bytes", "a hash of 33 bytes", "form MALFORMED", lambda p: [b64(b"x" * 33), *p[1:]])
path("path-space", "a space behind a hash", "form MALFORMED", lambda p: [p[0] + " ", *p[1:]])
path("path-shorter", "a hash less", "inclusion MALFORMED", lambda p: p[:-1])
path("path-longer", "a hash more", "inclusion MALFORMED", lambda p: [*p, p[0]])
path("path-none", "no path at all", "inclusion MALFORMED", lambda p: [])
path("path-swapped", "two hashes swapped", "inclusion BAD_PROOF", lambda p: [p[1], p[0], *p[2:]])
path("path-bit", "a bit of the path", "inclusion BAD_PROOF", lambda p: [b64(bit(base64.b64decode(p[0]), 7)), *p[1:]])
raw("no-blank-line", "no empty line before the checkpoint", "MALFORMED", good.replace(b"\n\n", b"\n", 1))
raw("no-checkpoint", "nothing behind the empty line", "MALFORMED", good[:good.index(b"\n\n") + 2])
raw("two-blank-lines", "two empty lines before the checkpoint: its origin is empty", "MALFORMED", good.replace(b"\n\n", b"\n\n\n", 1))

# ---- form: the checkpoint ----

def noted(name, says, must, change, receipt="deposit", trust=T1):
    def go(r):
        r.note = change(r.note)
    altered(name, says, must, go, receipt, trust)


EM = "—"
swap_line = lambda old, new: lambda n: n.replace(old, new, 1)
for name, says, change in (
        ("note-hyphen", "a hyphen for the dash", swap_line(EM + " ", "- ")), ("note-en-dash", "an en dash for the em dash", swap_line(EM + " ", "– ")),
        ("note-two-dashes", "two hyphens", swap_line(EM + " ", "-- ")), ("note-no-space", "no space behind the dash", swap_line(EM + " ", EM)), ("note-tab", "a tab behind the dash", swap_line(EM + " ", EM + "\t")),
        ("note-no-newline", "no final newline", lambda n: n[:-1]), ("note-cr", "CR LF", lambda n: n.replace("\n", "\r\n")), ("note-control", "a control character in the text", swap_line("custody", "cust\x01dy")),
        ("note-no-blank", "no empty line", swap_line("\n\n", "\n")), ("note-no-signature", "no signature line", lambda n: n.split("\n\n")[0] + "\n\n"), ("note-blank-behind", "an empty line behind the signatures", lambda n: n + "\n"),
        ("note-plus-name", "a + in a name", swap_line(EM + " custody", EM + " cust+ody")), ("note-space-name", "U+3000 in a name", swap_line(EM + " custody", EM + " cust\u3000ody")), ("note-nbsp-name", "U+00A0 in a name", swap_line(EM + " custody", EM + " cust\u00a0ody")),
        ("note-no-name", "no name", lambda n: n.split(EM)[0] + EM + "  " + n.rsplit(" ", 1)[1]), ("note-four-bytes", "a signature of no bytes", lambda n: n.rsplit(" ", 1)[0] + " " + b64(b"1234") + "\n"),
        ("note-bad-base64", "a signature that is no base64", lambda n: n.rsplit(" ", 1)[0] + " !!!!\n"), ("note-word-more", "a word more on the line", lambda n: n[:-1] + " x\n"),
        ("checkpoint-extension", "an extension line", swap_line("\n\n", "\nmore\n\n")), ("checkpoint-two-lines", "no root line", lambda n: "\n".join(n.split("\n")[:2] + n.split("\n")[3:])),
        ("checkpoint-leading-zero", "a size with a leading zero", lambda n: n.replace(f"\n{last + 1}\n", f"\n0{last + 1}\n", 1)), ("checkpoint-plus", "a size with a sign", lambda n: n.replace(f"\n{last + 1}\n", f"\n+{last + 1}\n", 1)),
        ("checkpoint-2-63", "a size of 2^63", lambda n: n.replace(f"\n{last + 1}\n", f"\n{2**63}\n", 1)), ("checkpoint-short-root", "a root of 31 bytes", lambda n: n.replace(n.split("\n")[2], b64(b"x" * 31), 1)),
        ("checkpoint-no-origin", "an empty origin", lambda n: "\n" + n.split("\n", 1)[1]), ("checkpoint-long-origin", "an origin of 129 bytes", lambda n: "o" * 129 + "\n" + n.split("\n", 1)[1]),
        ("checkpoint-size-0", "size 0 with a root of something", lambda n: n.replace(f"\n{last + 1}\n", "\n0\n", 1))):
    noted(name, says, "form MALFORMED", change)
altered("note-not-utf8", "a note that is not UTF-8", "form MALFORMED", lambda r: setattr(r, "note", r.note.encode().replace(b"custody", b"cust\xff\xfe", 1)))
unknown = lambda i: f"{EM} nobody{i}.example {b64(bytes([i % 256, i // 256, 1, 2]) + b's' * 64)}\n"
noted("note-64-lines", "63 more signature lines, all unknown", 0, lambda n: n + "".join(map(unknown, range(63))))
noted("note-65-lines", "64 more", "form TOO_LARGE", lambda n: n + "".join(map(unknown, range(64))))
noted("note-65-lines-bad", "the 65th line would be malformed, too", "form TOO_LARGE", lambda n: n + "".join(map(unknown, range(63))) + "- x\n")
noted("note-16385-bytes", "a note of more than 16,384 bytes", "form TOO_LARGE", lambda n: n + f"{EM} long.example {b64(b'x' * 13000)}\n")
noted("note-unknown-first", "an unknown line before the log's", 0, lambda n: n.replace("\n\n", "\n\n" + unknown(7), 1))
noted("note-log-twice", "the log's line twice", 0, lambda n: n + n.split("\n\n")[1])
noted("note-strange-name", "an unknown line with a name that wants to deceive", 0, lambda n: n + f"{EM} \u202eelpmaxe.tnerruc\u200b {b64(b'abcd' + b's' * 64)}\n")

# ---- form: extra ----

shape = lambda name, says, must, change, receipt="deposit": altered(name, says, must, change, receipt)
M_ = "form MALFORMED"
shape("extra-type", "another type", "form NEWER_FORMAT", put((0,), "application/custody-receipt2+cbor"))
shape("extra-type-and-hashes", "another type, and hashes that are none", "form NEWER_FORMAT", lambda r: r.extra.update({0: "other", 3: b"x"}))
shape("extra-type-number", "a type that is no text", M_, put((0,), 1))
shape("extra-type-long", "a type of 65 bytes", M_, put((0,), "t" * 65))
shape("extra-no-hashes", "the hashes left out", M_, put((3,), None))
shape("extra-key-4", "a field more", M_, put((4,), 0))
shape("extra-key-negative", "a negative key more", M_, put((-1,), 0))
shape("extra-key-text", "a text key more", M_, put(("x",), 0))
shape("hashes-31", "hashes of 31 bytes", M_, put((3,), b"x" * 31))
shape("hashes-more", "a hash more", "support MALFORMED", put((3,), lambda h: h + b"\0" * 32))
shape("hashes-less", "a hash less", "support MALFORMED", put((3,), lambda h: h[32:]))
shape("hashes-bit", "a bit of the hashes", "support BAD_PROOF", put((3,), lambda h: bit(h, 3)))
shape("hashes-swapped", "two hashes swapped", "support BAD_PROOF", put((3,), lambda h: h[32:64] + h[:32] + h[64:]))
bytes_of = lambda r: enc(r.extra)
anyhow = lambda name, says, change, must=M_: shape(name, says, must, lambda r: setattr(r, "extra", b"extra " + base64.b64encode(change(bytes_of(r))) + b"\n"))
anyhow("cbor-rest", "a byte behind the map", lambda b: b + b"\0")
anyhow("cbor-cut", "a byte less", lambda b: b[:-1])
anyhow("cbor-indefinite", "a map of indefinite length", lambda b: b"\xbf" + b[1:] + b"\xff")
anyhow("cbor-long-count", "the count of the map in two bytes", lambda b: b"\xb8\x04" + b[1:])
anyhow("cbor-long-key", "a key in two bytes", lambda b: b[:1] + b"\x18\x00" + b[2:])
anyhow("cbor-lying-count", "the map says five", lambda b: b"\xa5" + b[1:])
anyhow("cbor-huge-count", "the map says 2^64 - 1", lambda b: b"\xbb" + b"\xff" * 8 + b[1:])
anyhow("cbor-lying-length", "the record says that it is longer than the file", lambda b: b.replace(b"\x01\x59", b"\x01\x5b\x00\x00\x7f\xff\xff\xff", 1))
anyhow("cbor-2-63-length", "the record says 2^63 bytes", lambda b: b.replace(b"\x01\x59", b"\x01\x5b\x80\x00\x00\x00\x00\x00", 1))
anyhow("cbor-array", "an array of the four", lambda b: b"\x84" + enc(list(dec(b)[0].values()))[1:])
anyhow("cbor-tagged", "a tag around it", lambda b: b"\xd9\xd9\xf7" + b)
anyhow("cbor-null", "null", lambda b: b"\xf6")
anyhow("cbor-undefined", "undefined", lambda b: b"\xf7")
anyhow("cbor-reserved", "reserved additional information", lambda b: b"\xbc" + b[1:])
anyhow("cbor-empty", "an empty map", lambda b: b"\xa0")
anyhow("cbor-keys-twice", "a key twice", lambda b: b"\xa5\x00" + enc("t") + b[1:])
anyhow("cbor-keys-order", "keys out of order", lambda b: enc(Pairs(reversed(dec(b)[0].items()))))
anyhow("cbor-float-key", "a float for a key", lambda b: b"\xa5" + b[1:] + b"\xf9\x3c\x00\x00")
anyhow("cbor-type-not-utf8", "a type that is not UTF-8", lambda b: b.replace(b"application/custody-receipt", b"application/custody-receip\xff", 1))
anyhow("cbor-deep", "support nested nine deep", lambda b: enc({0: "application/custody-receipt+cbor", 1: b"x", 2: [[[[[[[[[1]]]]]]]]], 3: b""}))
shape("support-none", "nothing goes with it", "support MALFORMED", put((2,), []))
shape("support-order", "entries out of order", M_, put((2,), lambda s: [s[1], s[0], *s[2:]]))
shape("support-twice", "an entry twice", M_, put((2,), lambda s: [s[0], s[0], *s[1:]]))
shape("support-record", "the record among them", M_, put((2,), lambda s: sorted([*s, {1: d1, 2: one.entries[d1].data}], key=lambda x: x[1])))
shape("support-65", "65 entries", M_, put((2,), lambda s: [{1: i, 2: b"\xa0"} for i in range(65)]))
shape("support-seq", "a position of 2^63", M_, put((2, -1, 1), 2**63) if False else lambda r: r.extra[2][-1].update({1: 2**63}))
shape("support-beyond", "a position beyond the log", "support MALFORMED", lambda r: r.extra[2][-1].update({1: 1000}))
shape("support-moved", "a position one further", "support MALFORMED", lambda r: r.extra[2][-1].update({1: r.extra[2][-1][1] + 1}))
shape("support-no-entry", "a map without entry", M_, lambda r: r.extra[2][1].pop(2))
shape("support-empty-entry", "an empty entry", M_, lambda r: r.extra[2][1].update({2: b""}))
shape("support-salt-alone", "a salt without details", M_, lambda r: r.extra[2][0].pop(4))
shape("support-details-alone", "details without salt", M_, lambda r: r.extra[2][0].pop(3))
shape("support-short-salt", "a salt of 31 bytes", M_, lambda r: r.extra[2][0].update({3: b"s" * 31}))
shape("support-field-5", "a field more", M_, lambda r: r.extra[2][0].update({5: 0}))
shape("support-bad-entry", "an entry that is no CBOR", M_, lambda r: r.extra[2][1].update({2: b"\xff"}))
shape("support-large-entry", "an entry of 16,385 bytes", M_, lambda r: r.extra[2][1].update({2: b"\xa0" * 16385}))
shape("support-claim", "a claim alone", "form MISSING_SIGNATURE", lambda r: r.extra[2][1].update({2: one.claim(SMALL)[0]}))

# ---- form: record and entry ----

rec = lambda name, says, must, change, receipt="deposit": shape(name, says, must, lambda r: r.record(change), receipt)
rec("record-three", "a record of three parts", M_, lambda p: p[:3])
rec("record-five", "a record of five parts", M_, lambda p: [*p, None])
rec("record-salt-alone", "salt without details", M_, lambda p: [p[0], p[1], None, p[3]])
rec("record-false", "false for null", M_, lambda p: [*p[:3], False])
rec("record-short-salt", "a salt of 31 bytes", M_, lambda p: [p[0], p[1][:31], *p[2:]])
rec("record-long-content", "content of 32,769 bytes", M_, lambda p: [*p[:3], b"x" * 32769])
rec("record-long-details", "details of 24,577 bytes", M_, lambda p: [*p[:2], b"x" * 24577, p[3]])
rec("record-no-entry", "an empty entry", M_, lambda p: [b"", *p[1:]])
shape("record-65537", "a record of 65,537 bytes", M_, put((1,), b"x" * 65537))
rec("record-of-a-claim", "the claim alone", "form MISSING_SIGNATURE", lambda p: [dec(dec(p[0])[0].value[2])[0][1], *p[1:]])
rec("record-of-text", "a text for an entry", M_, lambda p: [enc("entry"), *p[1:]])
rec("record-of-unknown-map", "a plain map of an unknown type", "form WRONG_KIND", lambda p: [enc({0: "application/custody-poem+cbor"}), *p[1:]])
rec("record-of-signed-typ-plain", "a plain map of a signed type", "form WRONG_KIND", lambda p: [enc({0: "application/custody-deposit+cose"}), *p[1:]])
rec("record-of-untyped-map", "a plain map that does not begin with its type", M_, lambda p: [enc({1: 1}), *p[1:]])
ent = lambda name, says, must, change, receipt="deposit": shape(name, says, must, lambda r: r.entry(change), receipt)
inn = lambda name, says, must, change: shape(name, says, must, lambda r: r.inner(change))
for where, go in (("outer", ent), ("inner", inn)):
    go(f"unprotected-{where}", f"something in the {where} unprotected header", "form UNPROTECTED_HEADER", lambda s: [s[0], {4: b"key"}, *s[2:]])
    go(f"unprotected-array-{where}", "an unprotected header that is no map", M_, lambda s: [s[0], [], *s[2:]])
    go(f"unsigned-{where}", f"no {where} signature", "form MISSING_SIGNATURE", lambda s: [*s[:3], b""])
    go(f"unsigned-and-unprotected-{where}", "that, and something unprotected", "form UNPROTECTED_HEADER", lambda s: [s[0], {4: b"key"}, s[2], b""])
    go(f"short-signature-{where}", "a signature of 63 bytes", M_, lambda s: [*s[:3], s[3][:63]])
    go(f"detached-{where}", "a detached payload", M_, lambda s: [*s[:2], None, s[3]])
    go(f"three-parts-{where}", "three parts", M_, lambda s: s[:3])
    go(f"header-extra-{where}", "a label more in the protected header", M_, lambda s: [enc({**dec(s[0])[0], 3: 0}), *s[1:]])
    go(f"header-no-kid-{where}", "no kid", M_, lambda s: [enc({k: v for k, v in dec(s[0])[0].items() if k != 4}), *s[1:]])
    go(f"header-short-kid-{where}", "a kid of 31 bytes", M_, lambda s: [enc({**dec(s[0])[0], 4: b"k" * 31}), *s[1:]])
    go(f"header-alg-{where}", "an unknown algorithm", M_, lambda s: [enc({**dec(s[0])[0], 1: -35}), *s[1:]])
    go(f"header-typ-{where}", "an unknown typ", "form WRONG_KIND", lambda s: [enc({**dec(s[0])[0], 16: "application/custody-poem+cose"}), *s[1:]])
    go(f"header-typ-plain-{where}", "the typ of a plain kind", "form WRONG_KIND", lambda s: [enc({**dec(s[0])[0], 16: "application/custody-block+cbor"}), *s[1:]])
    go(f"header-order-{where}", "labels out of order", M_, lambda s: [enc(Pairs(reversed(dec(s[0])[0].items()))), *s[1:]])
    go(f"payload-extra-{where}", "a field more in the payload", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 77: 0}), s[3]])
    go(f"payload-time-{where}", "a time in the year 10000", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], (6 if where == "inner" else 2): 253402300800000}), s[3]])
    go(f"payload-seen-{where}", "seen with one element", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], (7 if where == "inner" else 3): [4]}), s[3]])
    go(f"tag-{where}", "untagged", M_, lambda s: s) if False else None
inn("claim-serial-0", "serial 0", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 1: 0}), s[3]])
inn("claim-content-3", "content 3", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: 3}), s[3]])
inn("claim-item-with-folder", "an item with a folder field", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 9: [0, 0, sha()]}), s[3]])
inn("claim-folder-without", "a folder without its field", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: 2}), s[3]])
inn("claim-4097", "a claim of more than 4,096 bytes", "form TOO_LARGE", lambda s: [*s[:2], s[2] + b"\0" * 4000, s[3]])
inn("inner-is-void", "a void where the claim should stand", "form WRONG_KIND", lambda s: dec(one.entries[void].data)[0].value)
inn("inner-other-network", "a claim of another ledger inside", "form WRONG_NETWORK", lambda s: [enc({**dec(s[0])[0], -65537: sha(b"n")}), *s[1:]])
ent("refusal-reason-0", "a refusal with reason 0", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 4: 0}), s[3]], "refusal")
ent("refusal-reason-10", "a refusal with reason 10", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 4: 10}), s[3]], "refusal")
ent("incident-type", "an incident of an unknown type", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: 9}), s[3]], "incident")
ent("incident-no-claim", "an equivocation without the claim", M_, lambda s: [*s[:2], enc({k: v for k, v in dec(s[2])[0].items() if k != 7}), s[3]], "equivocation")
ent("inventory-both", "an inventory of a case and of a key", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 4: sha()}), s[3]], "inventory")
ent("inventory-neither", "of neither", M_, lambda s: [*s[:2], enc({k: v for k, v in dec(s[2])[0].items() if k != 3}), s[3]], "inventory")
ent("inventory-1025", "1,025 open numbers", "form TOO_LARGE", lambda s: [*s[:2], enc({**dec(s[2])[0], 8: [[b"\1" * 32, list(range(1, 514))], [b"\2" * 32, list(range(1, 513))]]}), s[3]], "inventory")
ent("inventory-open-order", "open numbers out of order", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 8: [[b"\1" * 32, [2, 1]]]}), s[3]], "inventory")
ent("stored-overlap", "ranges that overlap", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: [[1, 5], [5, 6]]}), s[3]], "stored")
ent("stored-backwards", "a range that ends before it begins", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: [[5, 4]]}), s[3]], "stored")
ent("stored-none", "no range", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: []}), s[3]], "stored")
ent("confirm-order", "keys of a confirm out of order", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: list(reversed(dec(s[2])[0][3]))}), s[3]], "confirm")
ent("disclosure-none", "a disclosure of nothing", M_, lambda s: [*s[:2], enc({**dec(s[2])[0], 3: []}), s[3]], "disclosure")


def plain_entry(name, says, must, receipt, change):
    def go(p):
        g = dec(p[0])[0]
        change(g)
        return [enc(g), *p[1:]]
    rec(name, says, must, go, receipt)


for name, change in (("closed-first", lambda b: b.update({3: b[2] - 1})), ("count-0", lambda b: b.update({5: 0})), ("height-0", lambda b: b.update({1: 0})), ("short-root", lambda b: b.update({6: b"x"})), ("beyond", lambda b: b.update({4: 2**63 - 1}))):
    plain_entry(f"block-{name}", f"a block: {name}", M_, "last-block", change)
for name, change in (("origin-space", lambda g: g.update({1: "a b/" + g[1][-32:]})), ("origin-nonce", lambda g: g.update({1: "x/" + "0" * 32})), ("origin-short", lambda g: g.update({1: g[1][-33:]})), ("mandatory-order", lambda g: g[8].update({3: [2, 1]})),
                     ("open-bundles-2", lambda g: g[8].update({5: 2})), ("no-policy", lambda g: g.pop(8)), ("no-parties", lambda g: g.update({7: []})), ("party-65", lambda g: g[7][0].__setitem__(0, 65))):
    plain_entry(f"genesis-{name}", f"a genesis: {name}", M_, "genesis", change)

# ---- what goes with it ----

for name, less in (("genesis", 0), ("case", one.c1), ("dating", one.dating(d1)), ("seen", 4)):
    case(f"missing-{name}", f"an entry is missing: {name}", "complete MALFORMED", one.receipt(d1, note, less=[less]), T1)
case("missing-confirm", "the confirm is missing", "statement NOT_CONFIRMED", one.receipt(d1, note, less=[1]), T1)
case("missing-stored", "the stored entry is missing: content is inside, so the signer holds it", "complete MALFORMED", one.receipt(d1, note, less=[d2 + 2]), T1)
case("missing-stored-and-block", "that, and the block that dates it", 0, one.receipt(d1, note, less=[d2 + 2, d2 + 3]), T1)
case("large-missing-stored", "of large content nobody attests a copy", "copies COPIES_MISSING", one.receipt(d2, note, less=[d2 + 2, d2 + 3]), T1)
case("missing-stored-dating", "the block that dates the stored entry is missing", "complete MALFORMED", one.receipt(d2, note, less=[d2 + 3]), T1)
for name, more in (("deposit", d2), ("block", 2), ("void", void), ("stored", stored)):
    case(f"unused-{name}", f"an entry more than is needed: {name}", "complete MALFORMED", one.receipt(d1, note, more=[more]), T1)
case("unused-in-failed", "an entry too many, and another ledger than the pinned one: the failure keeps its name", "network WRONG_NETWORK", one.receipt(d1, note, more=[2]), one.trust(network=sha(b"x")))
case("index-other", "the index of another entry", "inclusion BAD_PROOF", good.replace(b"\nindex %d\n" % d1, b"\nindex %d\n" % d2, 1), T1)
case("index-beyond", "an index beyond the log", "inclusion MALFORMED", good.replace(b"\nindex %d\n" % d1, b"\nindex 1000\n", 1), T1)
altered("record-of-another", "the record of another entry", "inclusion BAD_PROOF", lambda r: r.extra.update({1: Receipt.of(R["void"]).extra[1]}))
altered("entry-bit", "a bit of a signature in the record", "inclusion BAD_PROOF", lambda r: r.entry(lambda s: [*s[:3], bit(s[3], 5)]))
altered("support-bit", "a bit of a signature in the case entry", "support BAD_PROOF", lambda r: r.extra[2][2].update({2: bit(r.extra[2][2][2], len(r.extra[2][2][2]) - 5)}))

# ---- whose log ----

noted("root-other", "a checkpoint with another root", "inclusion BAD_PROOF", lambda n: n.replace(n.split("\n")[2], b64(sha(b"root")), 1))
noted("signature-bit", "a bit of the log's signature", "checkpoint BAD_SIGNATURE", lambda n: n.rsplit(" ", 1)[0] + " " + b64(bit(base64.b64decode(n.rsplit(" ", 1)[1]), 40)) + "\n")
noted("signature-r-bit", "a bit of its first half", "checkpoint BAD_SIGNATURE", lambda n: n.rsplit(" ", 1)[0] + " " + b64(bit(base64.b64decode(n.rsplit(" ", 1)[1]), 9)) + "\n")
blob = base64.b64decode(note.rsplit(" ", 1)[1])
resigned = lambda b: lambda n: n.rsplit(" ", 1)[0] + " " + b64(blob[:4] + b) + "\n"
noted("signature-s-plus-l", "S + L: the same equation, another spelling", "checkpoint BAD_SIGNATURE", resigned(blob[4:36] + (int.from_bytes(blob[36:], "little") + L).to_bytes(32, "little")))
noted("signature-small-r", "R of small order", "checkpoint BAD_SIGNATURE", resigned(b"\1" + b"\0" * 31 + blob[36:]))
noted("signature-zeros", "64 zeros", "checkpoint BAD_SIGNATURE", resigned(b"\0" * 64))
noted("signature-63", "63 bytes", "checkpoint MALFORMED", resigned(blob[4:67]))
noted("signature-65", "65 bytes", "checkpoint MALFORMED", resigned(blob[4:] + b"\0"))
noted("signature-id", "another key id: nobody known signed", "checkpoint UNTRUSTED", lambda n: n.rsplit(" ", 1)[0] + " " + b64(bit(blob, 0)) + "\n")
noted("signature-name", "another name", "checkpoint UNTRUSTED", swap_line(EM + " custody", EM + " bustody"))
noted("signature-by-other", "signed by another key under the same name", "checkpoint UNTRUSTED", lambda n: n.split("\n\n")[0] + "\n\n" + log_line(n.split("\n\n")[0] + "\n", one.origin, Ed25519("other")))
noted("signature-unneeded-bad", "an unknown line, and a bad known one", "checkpoint BAD_SIGNATURE", lambda n: n + unknown(1) + f"{EM} witness.example/0 " + b64(key_id("witness.example/0", 4, Ed25519("witness 0")) + b"\0" * 72) + "\n")
other = Ledger(nonce=b"two").founded()
at = other.deposit(SMALL)
other.block()
OTHER = other.receipt(at)
T2 = other.trust()
case("other-ledger", "a receipt of another ledger, whose keys are the same", "network WRONG_NETWORK", OTHER, T1)
case("other-ledger-its-own", "the same under its own trust", 0, OTHER, T2)
case("other-ledger-reverse", "and the first under the other's", "network WRONG_NETWORK", good, T2)
case("other-network", "the right keys, another network id", "network WRONG_NETWORK", good, one.trust(network=sha(b"net")))
l = Ledger().founded()
at = l.deposit(SMALL)
l.block()
case("other-origin", "a checkpoint of another log than the genesis names, signed by its key", "origin WRONG_NETWORK", l.receipt(at, l.note(origin="custody.example/" + "0" * 32)),
     l.trust().replace(vkey(l.origin, 1, l.log[0]).encode(), vkey("custody.example/" + "0" * 32, 1, l.log[0]).encode()))
case("other-origin-unpinned", "the same without trust", "origin WRONG_NETWORK", l.receipt(at, l.note(origin="custody.example/" + "0" * 32)))
case("log-of-another-origin", "the origin is not the log key's name", "checkpoint UNTRUSTED", l.receipt(at, l.note(origin="custody.example/" + "0" * 32, log=None, text=l.text(origin="x.example")) + log_line(l.text(origin="x.example"), l.origin, l.log[0])), T1)

# ---- trust files ----

size = last + 1
for name, epoch, must in (("exact", f"epoch {size} {size}", 0), ("before", f"epoch 0 {size - 1}", "checkpoint UNTRUSTED"), ("after", f"epoch {size + 1} -", "checkpoint UNTRUSTED"), ("to", f"epoch 0 {size}", 0), ("from", f"epoch {size} -", 0), ("max", f"epoch 0 {2**63 - 1}", 0)):
    case(f"epoch-{name}", f"an epoch: {epoch}", must, good, one.trust(epoch=epoch))
body = b"".join(T1.splitlines(True)[4:])
strange = vkey(one.origin, 1, Ed25519("strange")).encode()
two = lambda first, second, a=body, b=body: b"".join(T1.splitlines(True)[:3]) + first + b"\n" + a + second + b"\n" + b
case("epochs-second", "two epochs, the second counts", 0, good, two(b"epoch 0 3", b"epoch 4 -", a=b"log " + strange + b"\nquorum none\n"))
case("epochs-first", "two epochs, the first counts", 0, good, two(b"epoch 0 %d" % size, b"epoch %d -" % (size + 1), b=b"log " + strange + b"\nquorum none\n"))
case("epochs-other-key", "the epoch of this size lists another key", "checkpoint UNTRUSTED", good, two(b"epoch 0 3", b"epoch 4 -", b=b"log " + strange + b"\nquorum none\n"))
case("epochs-gap", "the size lies between two epochs", "checkpoint UNTRUSTED", good, two(b"epoch 0 3", b"epoch 1000 -"))
refused = lambda name, says, status, text: case(f"trust-{name}", says, f"refused {status}", good, text)
refused("overlap", "epochs that overlap", "MALFORMED", two(b"epoch 0 5", b"epoch 5 -"))
refused("backwards", "an epoch that ends before it begins", "MALFORMED", one.trust(epoch="epoch 5 4"))
refused("open-first", "an open epoch that is not the last", "MALFORMED", two(b"epoch 0 -", b"epoch 5 -"))
refused("two-origins", "log keys of two origins", "MALFORMED", two(b"epoch 0 3", b"epoch 4 -", a=b"log " + vkey("x.example", 1, Ed25519("strange")).encode() + b"\nquorum none\n"))
refused("17-epochs", "17 epochs", "TOO_LARGE", b"".join(T1.splitlines(True)[:3]) + b"".join(b"epoch %d %d\n" % (i, i) + body for i in range(17)))
refused("65537", "65,537 bytes", "TOO_LARGE", T1 + b"#" * (65536 - len(T1)) + b"\n")
for name, old, new, status in (("version-2", b"trust/v1", b"trust/v2", "NEWER_FORMAT"), ("not-one", b"custody-trust/v1", b"custody trust", "MALFORMED"), ("network-short", b"\nnetwork ", b"\nnetwork 0", "MALFORMED"), ("network-upper", one.network.hex().encode(), one.network.hex().upper().encode(), "MALFORMED"),
                               ("require-none", b"require integrity signer", b"require ", "MALFORMED"), ("require-order", b"require integrity signer", b"require signer integrity", "MALFORMED"), ("require-twice", b"require integrity signer", b"require signer signer", "MALFORMED"),
                               ("require-other", b"require integrity signer", b"require integrity truth", "MALFORMED"), ("epoch-zero", b"epoch 0 -", b"epoch 00 -", "MALFORMED"), ("epoch-word", b"epoch 0 -", b"epoch first -", "MALFORMED"), ("epoch-2-63", b"epoch 0 -", b"epoch %d -" % 2**63, "MALFORMED"),
                               ("no-log", b"log custody", b"# custody", "MALFORMED"), ("log-twice", b"quorum none", b"log " + vkey(one.origin, 1, one.log[0]).encode() + b"\nquorum none", "MALFORMED"),
                               ("log-type", vkey(one.origin, 1, one.log[0]).encode(), vkey(one.origin, 4, one.log[0]).encode(), "MALFORMED"), ("log-hash", b"log " + one.origin.encode() + b"+" + key_id(one.origin, 1, one.log[0]).hex().encode(), b"log " + one.origin.encode() + b"+00000000", "MALFORMED"),
                               ("no-quorum", b"quorum none\n", b"", "MALFORMED"), ("two-quorums", b"quorum none", b"quorum none\nquorum none", "MALFORMED"), ("quorum-unknown", b"quorum none", b"quorum w9", "MALFORMED"), ("group-0", b"quorum none", b"group g 0 w0\nquorum g", "MALFORMED"),
                               ("group-3-of-2", b"quorum none", b"group g 3 w0 w1\nquorum g", "MALFORMED"), ("group-late", b"quorum none", b"group g any h\ngroup h any w0\nquorum g", "MALFORMED"), ("member-twice", b"quorum none", b"group g any w0\ngroup h any w0\nquorum g", "MALFORMED"),
                               ("name-twice", b"witness w1 ", b"witness w0 ", "MALFORMED"), ("name-none", b"witness w1 ", b"witness none ", "MALFORMED"), ("word", b"quorum none", b"quarum none", "MALFORMED"), ("control", b"quorum none", b"# \x01\nquorum none", "MALFORMED"), ("cr", b"\n", b"\r\n", "NEWER_FORMAT"),
                               ("no-newline", b"quorum none\n", b"quorum none", "MALFORMED"), ("policy-first", b"epoch 0 -\n", b"", "MALFORMED"), ("no-epoch", b"epoch 0 -\n" + body, b"", "MALFORMED")):
    refused(name, f"a trust file that is none: {name}", status, T1.replace(old, new) if name in ("cr",) else T1.replace(old, new, 1))
small_order = "x+{}+{}"
bad_pub = b"\1" + b"\1" + b"\0" * 31
refused("small-order-key", "a log key of small order", "BAD_KEY", T1.replace(vkey(one.origin, 1, one.log[0]).encode(), (one.origin + "+" + sha(one.origin.encode() + b"\n" + bad_pub)[:4].hex() + "+" + b64(bad_pub)).encode(), 1))
refused("empty", "an empty trust file is none", "MALFORMED", b"\n")
case("trust-comments", "comments, empty lines, tabs and URLs in the policy", 0, good, T1.replace(b"quorum none", b"\n# a comment\n\t quorum \t none"))
case("trust-integrity-only", "only integrity is required", 0, good, one.trust("integrity"))
case("trust-signer-only", "only signer is required, and the details are others", "details BAD_ATTACHMENT", next(c["receipt"] for c in cases if c["name"] == "details-other"), one.trust("signer"))
case("trust-integrity-only-unsigned", "only integrity is required, and nobody known signed", "checkpoint UNTRUSTED", next(c["receipt"] for c in cases if c["name"] == "signature-id"), one.trust("integrity"))

# ---- cosigners of one organisation's ledger ----

W = one.receipt(d1, one.note(witnesses=(0, 1, 2)))
base("cosigned.tlog-proof", W)
for name, quorum, must in (("not-demanded", "quorum none", "clock TIME_UNPROVEN"), ("one", "quorum w0", "witnessed OK"), ("any", "group g any w0 w1 w2\nquorum g", "witnessed OK"), ("all", "group g all w0 w1 w2\nquorum g", "witnessed OK"), ("two", "group g 2 w0 w1 w2\nquorum g", "witnessed OK"),
                           ("nested", "group g 1 w1 w2\ngroup h all g w0\nquorum h", "witnessed OK")):
    case(f"cosigned-{name}", f"three outside cosigners signed; {quorum.splitlines()[-2 if 'group' in quorum else 0]}", must, W, one.trust("integrity signer time" if "OK" in must else "integrity signer", quorum))
dropped = lambda *i: b"".join(x for k, x in enumerate(W.splitlines(True)) if k - (W.splitlines().index(b"", W.splitlines().index(b"") + 1) + 2) not in i)
case("cosigned-dropped-one", "two of three are demanded, one line was dropped", "witnessed OK", dropped(0), one.trust("integrity signer time", "group g 2 w0 w1 w2\nquorum g"))
case("cosigned-dropped-two", "two of three are demanded, two lines were dropped", "checkpoint UNTRUSTED", dropped(0, 1), one.trust("integrity signer time", "group g 2 w0 w1 w2\nquorum g"))
case("cosigned-not", "a cosigner is demanded and did not sign", "checkpoint UNTRUSTED", good, one.trust(quorum="quorum w0"))
case("cosigned-bad", "a cosignature with a bit changed", "checkpoint BAD_SIGNATURE", W[:-40] + (b"B" if W[-40:-39] != b"B" else b"C") + W[-39:], one.trust(quorum="quorum w0"))
stamp = lambda s: one.receipt(d1, one.note() + cosign_line(one.text(), "witness.example/0", Ed25519("witness 0"), s))
case("cosigned-year-10000", "a cosignature beyond the year 9999", "witnessed OK", stamp(2**62), one.trust(quorum="quorum w0"))
case("cosigned-2-63", "a cosignature's time of 2^63", "checkpoint MALFORMED", stamp(2**63), one.trust(quorum="quorum w0"))
case("cosigned-0", "a cosignature of 1970", "witnessed OK", stamp(0), one.trust(quorum="quorum w0"))
case("cosigned-short", "a cosignature without its time", "checkpoint MALFORMED", one.receipt(d1, one.note() + f"{EM} witness.example/0 {b64(key_id('witness.example/0', 4, Ed25519('witness 0')) + b's' * 64)}\n"), one.trust(quorum="quorum w0"))
case("cosigned-twice", "the same cosigner twice counts once", "checkpoint UNTRUSTED", one.receipt(d1, one.note() + cosign_line(one.text(), "witness.example/0", Ed25519("witness 0"), 5) + cosign_line(one.text(), "witness.example/0", Ed25519("witness 0"), 6)), one.trust(quorum="group g 2 w0 w1 w2\nquorum g"))
case("log-key-elsewhere", "a log key that the genesis does not list, beside its own", "witnessed OK", W, one.trust("integrity signer time", "quorum w0").replace(b"witness w0", b"log " + strange + b"\nwitness w0", 1))

# ---- four organisations ----

four = Ledger(4).founded()
ALL = "group g 3 o1 o2 o3 o4\nquorum g"
T4 = base("four.trust", four.trust("integrity signer time", ALL))
a1 = four.deposit(SMALL)
a2 = four.deposit(BIG)
a3 = four.deposit(b"B" * 40000)
a4 = four.deposit(b"C" * 40000)
four.block()
four.stored(0, [[a2, a3]])
s3 = four.stored(2, [[a2, a2]])
four.stored(3, [[a3, a4]])
four.stored(3, [[a2, a2]])
four.block()
note4 = four.note(orgs=range(4))
Q = {k: four.receipt(at, note4) for k, at in (("deposit", a1), ("large", a2), ("no-mandatory", a3), ("one-copy", a4))}
base("four.tlog-proof", Q["large"])
case("four-deposit", "four organisations; what is in the receipt is held by whoever cosigned", 0, Q["deposit"], T4)
case("four-large", "three hold a copy, the mandatory one among them", 0, Q["large"], T4)
case("four-large-file", "and the file is the same", 0, Q["large"], T4, item(BIG))
case("four-no-mandatory", "two hold a copy, not the mandatory one", "copies COPIES_MISSING", Q["no-mandatory"], T4)
case("four-one-copy", "one holds a copy, two are asked for", "copies COPIES_MISSING", Q["one-copy"], T4)
case("four-one-copy-time-fails", "that, and time is required but not proven: the exit code is time's", 5, Q["one-copy"], four.trust("integrity signer time", "quorum none"))
case("four-unpinned", "no trust", "trust UNTRUSTED", Q["large"])
case("four-genesis", "its genesis", 0, four.receipt(0, note4), T4)
case("four-last", "its last block", 0, four.receipt(len(four.entries) - 1, note4), T4)
case("four-stored", "a stored entry", 0, four.receipt(s3, note4), T4)
case("four-less-confirm", "the confirm of one that attests a copy is missing", "statement NOT_CONFIRMED", four.receipt(a2, note4, less=[3]), T4)
case("four-second-of-one", "a second stored entry of the same organisation", "complete MALFORMED", four.receipt(a2, note4, more=[s3 + 1, s3 + 2]), T4)
case("four-small-held-by-few", "two cosigned, and the mandatory one not", "copies COPIES_MISSING", four.receipt(a1, four.note(orgs=(0, 1))), four.trust("integrity signer", "quorum o1"))
for name, quorum, must in (("one-suffices", "quorum o1", "clock TIME_UNPROVEN"), ("any", "group g any o1 o2 o3 o4\nquorum g", "clock TIME_UNPROVEN"), ("none", "quorum none", "clock TIME_UNPROVEN"), ("two", "group g 2 o1 o2 o3 o4\nquorum g", "agreed OK"),
                           ("other-than-the-log", "quorum o2", "agreed OK"), ("court", "group p any o1 o2\ngroup g all p o3\nquorum g", "agreed OK")):
    case(f"four-quorum-{name}", f"whose clock: {quorum.splitlines()[-1]}", must, Q["large"], four.trust("integrity signer", quorum))
case("four-quorum-outside", "one organisation and an outside cosigner", "witnessed OK", four.receipt(a2, four.note(witnesses=(0,), orgs=range(4))), four.trust("integrity signer", "group g all o1 w0\nquorum g"))
case("four-quorum-not-met", "three are demanded, two signed", "checkpoint UNTRUSTED", four.receipt(a2, four.note(orgs=(0, 1))), T4)
case("four-quorum-met", "three are demanded, three signed", 0, four.receipt(a2, four.note(orgs=(0, 1, 2))), T4)
def altered(org, at):
    """Of three cosignatures one has a byte of its 64 changed."""
    whole = four.note(orgs=(0, 1, 2))
    line = next(l for l in whole.splitlines() if f"org{org + 1}.example" in l)
    bad = base64.b64decode(line.split()[2])
    return whole.replace(line, " ".join(line.split()[:2] + [b64(bad[:at] + bytes([bad[at] ^ 1]) + bad[at + 1:])]))
case("four-quorum-altered", "three signed, and a bit of one signature is another", "checkpoint BAD_SIGNATURE", four.receipt(a2, altered(1, 40)), T4)
case("four-quorum-time-altered", "three signed, and the time that one of them states is another", "checkpoint BAD_SIGNATURE", four.receipt(a2, altered(2, 11)), T4)
case("four-quorum-of-smaller", "three signed, one of them the checkpoint of an entry less", "checkpoint BAD_SIGNATURE", four.receipt(a2, four.note(orgs=(0, 1)) + cosign_line(four.text(len(four.entries) - 1), "org3.example", four.cosign[2], four.now // 1000)), T4)
case("four-quorum-with-a-stranger", "two signed, and a key that nobody listed", "checkpoint UNTRUSTED", four.receipt(a2, four.note(orgs=(0, 1)) + cosign_line(four.text(), "org3.example", Ed25519("stranger"), four.now // 1000)), T4)
case("four-logs-any", "all four log keys are listed: any organisation could sign as the log", "agreed OK", Q["large"], four.trust("integrity signer", ALL, logs=(0, 1, 2, 3)))
case("four-logs-any-own", "the same, and one's own witness key suffices", "clock TIME_UNPROVEN", Q["large"], four.trust("integrity signer", "quorum o2", logs=(0, 1, 2, 3)))
case("four-by-another-log", "signed by another organisation's log key", 0, four.receipt(a2, four.note(log=2, orgs=range(4))), four.trust("integrity signer", ALL, logs=(0, 1, 2, 3)))
case("four-by-unlisted-log", "that key is not listed", "checkpoint UNTRUSTED", four.receipt(a2, four.note(log=2, orgs=range(4))), T4)

# ---- signers ----

def signed(name, says, must, go, orgs=1, trust=None, **receipt):
    l = Ledger(orgs).founded()
    at = go(l)
    l.block()
    case(name, says, must, l.receipt(at, **receipt), trust or T1)


stranger = Es256("stranger")
high = lambda s: s[:32] + (N - int.from_bytes(s[32:], "big")).to_bytes(32, "big")
BENDS = (("bit", "a bit of the signature", lambda s: bit(s, 40), "BAD_SIGNATURE"), ("high-s", "n - s", high, "HIGH_S"), ("zero-r", "r = 0", lambda s: b"\0" * 32 + s[32:], "BAD_SIGNATURE"), ("zero-s", "s = 0", lambda s: s[:32] + b"\0" * 32, "BAD_SIGNATURE"),
         ("n-r", "r = n", lambda s: N.to_bytes(32, "big") + s[32:], "BAD_SIGNATURE"), ("n-s", "s = n", lambda s: s[:32] + N.to_bytes(32, "big"), "BAD_SIGNATURE"), ("ff", "all bits set", lambda s: b"\xff" * 64, "BAD_SIGNATURE"), ("swapped", "r and s swapped", lambda s: s[32:] + s[:32], None))
for name, says, bend, status in BENDS:
    if status:
        signed(f"claim-{name}", f"the depositor's signature: {says}", f"statement {status}", lambda l: l.deposit(SMALL, bend=bend))
        signed(f"deposit-{name}", f"the provider's signature: {says}", f"statement {status}", lambda l: l.deposit(SMALL, outer={"bend": bend}))
        signed(f"void-{name}", f"a void's signature: {says}", f"statement {status}", lambda l: l.say("void", lambda t, s, c: {1: 1, 2: t, 3: s, 4: 6, 5: c}, l.depositor, 0, text("void", "x"), bend=bend))
signed("claim-stranger", "a depositor who is not enrolled", "statement UNKNOWN_KEY", lambda l: l.deposit(SMALL, key=stranger))
signed("deposit-stranger", "a provider who is not enrolled", "statement UNKNOWN_KEY", lambda l: l.deposit(SMALL, provider=stranger))
signed("claim-by-provider", "the provider's key under the claim", "statement WRONG_ROLE", lambda l: l.deposit(SMALL, key=l.provider))
signed("claim-by-organisation", "the organisation's key under the claim", "statement WRONG_ROLE", lambda l: l.deposit(SMALL, key=l.statement[0]))
signed("deposit-by-depositor", "the depositor's key as the provider", "statement WRONG_ROLE", lambda l: l.deposit(SMALL, provider=l.depositor))
signed("claim-by-log-key", "a log key under a statement", "statement WRONG_ROLE", lambda l: l.say("stored", lambda t, s, c: {1: t, 2: s, 3: [[0, 0]]}, l.log[0], 0))
signed("stored-by-depositor", "a depositor attests a copy", "statement WRONG_ROLE", lambda l: l.say("stored", lambda t, s, c: {1: t, 2: s, 3: [[0, 0]]}, l.depositor, 0))
signed("case-by-organisation", "an organisation opens a case", 0, lambda l: l.say("case", lambda t, s, c: {1: b"\3" * 16, 2: t, 3: s, 4: c}, l.statement[0], 0, enc({"profile": "case", "name": "C3"})))
signed("case-by-provider", "a provider opens a case", "statement WRONG_ROLE", lambda l: l.say("case", lambda t, s, c: {1: b"\3" * 16, 2: t, 3: s, 4: c}, l.provider, 0, enc({"profile": "case", "name": "C3"})))
signed("network-of-another", "both statements are of another ledger", "statement WRONG_NETWORK", lambda l: l.deposit(SMALL, network=sha(b"n"), outer={"network": sha(b"n")}))
signed("void-of-another", "a void of another ledger", "statement WRONG_NETWORK", lambda l: l.say("void", lambda t, s, c: {1: 1, 2: t, 3: s, 4: 6, 5: c}, l.depositor, 0, text("void", "x"), network=sha(b"n")))
signed("alg-of-another", "a header that names EdDSA, by an ES256 key", "statement BAD_KEY", lambda l: l.deposit(SMALL, alg=-8))
signed("equivocation-bad-claim", "an equivocation whose second claim is not signed well", "statement BAD_SIGNATURE", lambda l: l.say("incident", lambda t, s, c: {1: t, 2: s, 3: 2, 4: 0, 5: sha(), 6: c, 7: l.claim(b"x", bend=lambda s: bit(s, 1))[0]}, l.statement[0], 0, enc({"profile": "incident", "text": "", "rows": []})))
signed("equivocation-strange-claim", "an equivocation with a stranger's claim", "statement UNKNOWN_KEY", lambda l: l.say("incident", lambda t, s, c: {1: t, 2: s, 3: 2, 4: 0, 5: sha(), 6: c, 7: l.claim(b"x", key=stranger)[0]}, l.statement[0], 0, enc({"profile": "incident", "text": "", "rows": []})))
l = Ledger().founded()
l.c2 = l.case("C2", b"\2" * 16, bend=lambda s: bit(s, 8))
at = l.deposit(SMALL, case=b"\2" * 16, case_at=l.c2)
l.block()
case("case-bad-signature", "the case entry that goes along is not signed well", "statement BAD_SIGNATURE", l.receipt(at), T1)
l = Ledger().founded()
at = l.deposit(BIG)
l.stored(0, [[at, at]], bend=lambda s: bit(s, 8))
l.block()
case("stored-bad-signature", "the stored entry that goes along is not signed well", "statement BAD_SIGNATURE", l.receipt(at), T1)
l = Ledger().founded()
at = l.deposit(BIG)
l.stored(0, [[at, at]], key=stranger)
l.block()
case("stored-stranger", "a stranger attests a copy", "statement UNKNOWN_KEY", l.receipt(at), T1)


def founding(name, says, must, confirms, orgs=1, at=None):
    l = Ledger(orgs)
    confirms(l)
    l.block()
    l.c1 = l.case("C1", b"\1" * 16)
    l.block()
    seq = l.deposit(SMALL) if at is None else at
    l.block()
    case(name, says, must, l.receipt(seq), l.trust())


proof = lambda change: lambda c: c.update({3: change(c[3])})
founding("confirm-possession", "a confirm with one possession not proven", "confirm BAD_SIGNATURE", lambda l: l.confirm(0, proof(lambda p: [[p[0][0], bit(p[0][1], 9)], *p[1:]])))
founding("confirm-high-s", "a confirm with a possession in its high form", "confirm", lambda l: l.confirm(0, proof(lambda p: [[k, high(s)] if k == l.depositor.kid else [k, s] for k, s in p])))
founding("confirm-key-less", "a confirm that leaves a key out", "confirm MISSING_SIGNATURE", lambda l: l.confirm(0, proof(lambda p: p[1:])))
founding("confirm-key-more", "a confirm with a key of nobody", "confirm UNKNOWN_KEY", lambda l: l.confirm(0, proof(lambda p: sorted([*p, [stranger.kid, b"\1" * 64]]))))
founding("confirm-by-depositor", "a confirm by the depositor", "confirm WRONG_ROLE", lambda l: l.confirm(0, key=l.depositor))
founding("confirm-for-another", "a confirm for another party", "confirm WRONG_ROLE", lambda l: l.confirm(0, lambda c: c.update({1: 2})))
founding("confirm-network", "a confirm of another ledger", "confirm WRONG_NETWORK", lambda l: l.confirm(0, network=sha(b"n")))
founding("confirm-stranger", "a confirm by a stranger", "confirm UNKNOWN_KEY", lambda l: l.confirm(0, key=stranger))
founding("confirm-alg", "a confirm whose header names EdDSA", "confirm BAD_KEY", lambda l: l.confirm(0, alg=-8))
founding("confirm-bit", "a confirm that is not signed well", "confirm BAD_SIGNATURE", lambda l: l.confirm(0, bend=lambda s: bit(s, 3)))
l = Ledger()
l.confirm(0)
again = l.confirm(0)
l.block()
case("confirm-again", "a second confirm, the first beside it", "confirm DUPLICATE", l.receipt(again, needs=l.needs(again) | {1}), l.trust())
case("confirm-again-alone", "a second confirm, the first not shown", 0, l.receipt(again, needs=l.needs(again) - {1}), l.trust())
l = Ledger()
l.block()
early = l.say("void", lambda t, s, c: {1: 1, 2: t, 3: s, 4: 6, 5: c}, l.depositor, 0, text("void", "x"))
late = l.confirm(0)
l.block()
case("before-confirm", "a statement before its organisation confirmed", "statement NOT_CONFIRMED", l.receipt(early, needs={0, 1, late, late + 1}), l.trust())

# ---- genesis that enrols nobody ----

for name, status, change in (
        ("suite", "NEWER_FORMAT", lambda g: g.update({3: 2})), ("rules", "NEWER_FORMAT", lambda g: g.update({4: 2})), ("engine", "NEWER_FORMAT", lambda g: g.update({5: 3})), ("party-order", "MALFORMED", lambda g: g[7].reverse()), ("role", "MALFORMED", lambda g: g[7][1].__setitem__(1, 3)),
        ("purpose", "MALFORMED", lambda g: g[7][0][3][0].__setitem__(0, 6)), ("depositor-log-key", "MALFORMED", lambda g: g[7][2][3].append([2, 8, Ed25519("x").pub])), ("statement-ed25519", "BAD_KEY", lambda g: g[7][2][3].__setitem__(0, [1, 8, Ed25519("x").pub])),
        ("log-es256", "BAD_KEY", lambda g: g[7][0][3].__setitem__(1, [2, 7, Es256("x").pub])), ("key-length", "BAD_KEY", lambda g: g[7][2][3].__setitem__(0, [1, 7, Es256("x").pub[:63]])), ("off-curve", "BAD_KEY", lambda g: g[7][2][3].__setitem__(0, [1, 7, b"\1" * 64])),
        ("small-order", "BAD_KEY", lambda g: g[7][0][3].__setitem__(1, [2, 8, b"\1" + b"\0" * 31])), ("key-twice", "BAD_KEY", lambda g: g[7][2][3].__setitem__(0, list(g[7][1][3][0]))), ("no-statement-key", "MALFORMED", lambda g: g[7][2].__setitem__(3, [])),
        ("run-by-provider", "MALFORMED", lambda g: g[7][2].__setitem__(2, 2)), ("run-by-nobody", "MALFORMED", lambda g: g[7][2].__setitem__(2, 9)), ("no-log-key", "MALFORMED", lambda g: g[7][0][3].pop()), ("copies", "MALFORMED", lambda g: g[8].update({2: 2})),
        ("cosigners", "MALFORMED", lambda g: g[8].update({1: 2})), ("mandatory-many", "MALFORMED", lambda g: g[8].update({2: 0, 3: [1]})), ("mandatory-provider", "MALFORMED", lambda g: g[8].update({3: [2]}))):
    l = Ledger(change=change)
    at = l.block()
    case(f"enrols-nobody-{name}", f"a genesis that enrols nobody: {name}", f"enrolment {status}", l.receipt(at), l.trust())
    case(f"enrols-nobody-{name}-unpinned", "the same, nothing pinned", f"enrolment {status}", l.receipt(at)) if name in ("suite", "off-curve") else None
l = Ledger(policy={1: 0, 2: 0, 3: [], 4: 1, 5: 1}).founded()
at = l.deposit(BIG)
l.block()
case("no-copies-asked", "a policy that asks for no copies", 0, l.receipt(at), l.trust())
l = Ledger().founded()
at = l.deposit(SMALL)
l.block()
r = Receipt.of(l.receipt(at))
case("genesis-is-no-genesis", "entry 0 that is no genesis", "complete MALFORMED", (lambda m: (m.entries.__setitem__(0, m.entries[2]), m.receipt(at, needs=m.needs(at) - {1}))[1])(l), T1)

# ---- case, time ----

l = Ledger().founded()
at = l.deposit(SMALL, case=b"\5" * 16)
l.c5 = l.case("C5", b"\5" * 16)
l.entries[at].case = l.c5
l.block()
case("case-after", "the case was opened after the deposit", "case OUT_OF_ORDER", l.receipt(at), T1)
for name, says, seen, must in (("not-a-block", "a claim that saw an entry that is no block", lambda l: [l.c1, leaf(l.entries[l.c1].data)], "seen UNKNOWN_BLOCK"), ("other-leaf", "a claim that saw another block", lambda l: [4, sha(b"x")], "seen UNKNOWN_BLOCK"),
                               ("later", "a claim that saw a later block", lambda l: [len(l.entries) + 1, sha(b"x")], "seen UNKNOWN_BLOCK"), ("itself", "a claim that saw itself", lambda l: [len(l.entries), sha(b"x")], "seen UNKNOWN_BLOCK"),
                               ("beyond", "a claim that saw a block beyond the log", lambda l: [2**62, sha(b"x")], "complete MALFORMED")):
    signed(f"seen-{name}", says, must, lambda l: l.deposit(SMALL, seen=seen(l)))
    signed(f"outer-seen-{name}", says.replace("claim", "deposit"), must, lambda l: l.deposit(SMALL, outer_seen=seen(l)))
signed("seen-order", "the provider saw an older block than the depositor", "seen-order OUT_OF_ORDER", lambda l: l.deposit(SMALL, outer_seen=l.seen(2)))
signed("claim-clock", "the depositor's clock is a year behind", "signer-clock OK", lambda l: l.deposit(SMALL, change=lambda p: None, key=None))
l = Ledger().founded()
l.now -= 31_536_000_000
at = l.deposit(SMALL)
l.now += 31_536_000_000
l.block()
case("claim-clock-behind", "the depositor's clock is a year behind: told, not judged", "signer-clock OK", l.receipt(at), T1)
for name, change in (("opened", lambda b: b.update({2: 1})), ("height", lambda b: b.update({1: 1})), ("overlap", lambda b: b.update({4: 3, 5: 3})), ("gap", lambda b: b.update({5: 5})), ("behind", lambda b: b.update({4: b[4] - 1, 5: 2}))):
    l = Ledger().founded()
    at = l.deposit(SMALL)
    l.block(change)
    case(f"block-untrue-{name}", f"the block that dates it does not fit: {name}", "block UNTRUE", l.receipt(at), T1)
l = Ledger().founded()
at = l.deposit(SMALL)
l.block(lambda b: b.update({4: 1000}))
case("block-elsewhere", "no block dates it", "complete MALFORMED", l.receipt(at, needs=l.needs(at)), T1)

# ---- forks ----

def history(tail, n):
    l = Ledger().founded()
    l.deposit(tail)
    l.block()
    while len(l.entries) + 2 <= n:
        l.say("void", lambda t, s, c: {1: len(l.entries), 2: t, 3: s, 4: 6, 5: c}, l.depositor, 0, text("void", "x"))
        l.block()
    return l


true, fake, longer = history(b"true", 11), history(b"fake", 11), history(b"fake", 19)
TF = true.trust()


def subtree(l, level, index):
    leaves = l.leaves()
    pieces = [tree(leaves[i:i + (1 << level)]) for i in range(0, len(leaves), 1 << level)]
    return pieces[index], b"".join(path_of(pieces, index))


def fork(a, b, level=None, index=None, change=lambda f: None, notes=None):
    na, nb = notes or (a.note(), b.note())
    f = {0: "application/custody-fork+cbor", 1: na.encode(), 2: nb.encode()}
    if level is not None:
        f[3] = [level, index, *subtree(a, level, index), *subtree(b, level, index)]
    change(f)
    return enc(f)


fk = lambda name, says, must, data, trust=TF: case(f"fork-{name}", says, must, fork=data, trust=trust)
same_size, sub = base("same-size.fork", fork(true, fake)), base("subtree.fork", fork(true, longer, 0, 5))
fk("same-size", "two roots of one size", "OK", same_size)
fk("subtree", "one entry, of two sizes", "OK", sub)
fk("subtree-level-2", "four entries", "OK", fork(true, longer, 2, 1))
fk("subtree-level-3", "eight entries", "OK", fork(true, longer, 3, 0))
fk("reverse", "the other way round", "OK", fork(longer, true, 0, 5))
fk("same", "the same checkpoint twice", "BAD_PROOF", fork(true, true))
fk("prefix", "a log that has grown", "BAD_PROOF", fork(true, history(b"true", 19), 0, 5))
fk("equal-subtree", "a subtree that is the same in both", "BAD_PROOF", fork(true, longer, 0, 2))
fk("subtree-unasked", "a subtree, though the sizes are equal", "MALFORMED", fork(true, fake, 0, 5))
fk("subtree-missing", "no subtree, though the sizes differ", "MALFORMED", fork(true, longer))
fk("incomplete", "a subtree that is not complete", "BAD_PROOF", fork(true, longer, 3, 0, lambda f: f[3].__setitem__(1, 1)))
fk("path-bit", "a bit of a path", "BAD_PROOF", fork(true, longer, 0, 5, lambda f: f[3].__setitem__(3, bit(f[3][3], 2))))
fk("path-short", "a path that is too short", "MALFORMED", fork(true, longer, 0, 5, lambda f: f[3].__setitem__(3, f[3][3][32:])))
fk("path-31", "a path of no whole hashes", "MALFORMED", fork(true, longer, 0, 5, lambda f: f[3].__setitem__(3, f[3][3][1:])))
fk("level-63", "level 63", "MALFORMED", fork(true, longer, 0, 5, lambda f: f[3].__setitem__(0, 63)))
fk("type", "another type", "NEWER_FORMAT", fork(true, fake, change=lambda f: f.update({0: "application/custody-fork2+cbor"})))
fk("field", "a field more", "MALFORMED", fork(true, fake, change=lambda f: f.update({4: 0})))
fk("cut", "cut short", "MALFORMED", same_size[:-1])
fk("empty", "nothing", "MALFORMED", b"")
fk("bad-signature", "one signature does not verify", "BAD_SIGNATURE", fork(true, fake, notes=(true.note(), fake.note()[:-20] + "AAAA" + fake.note()[-16:])))
fk("unknown-signer", "one is signed by nobody known", "UNTRUSTED", fork(true, fake, notes=(true.note(), fake.text() + "\n" + log_line(fake.text(), fake.origin, Ed25519("other")))))
fk("other-log", "of another log", "UNTRUSTED", fork(true, fake), T2)
fk("no-epoch", "no epoch for its size", "UNTRUSTED", fork(true, fake), true.trust(epoch="epoch 0 3"))
fk("other-signers", "nobody signed both", "OK", fork(true, fake, notes=(true.note(), fake.text() + "\n" + cosign_line(fake.text(), "witness.example/0", Ed25519("witness 0"), 7))))
fk("both-signed", "the log and a cosigner signed both", "OK", fork(true, fake, notes=(true.note(witnesses=(0,)), fake.note(witnesses=(0, 1)))))
fk("note-bad", "a note that is none", "MALFORMED", fork(true, fake, notes=(true.note(), fake.note().replace("—", "-"))))

# ---- parts of an item ----

WHOLE = b"".join(bytes([i]) * 1000 for i in range(9)) + b"ends"  # 9,004 bytes, three leaves
LONG = bytes(range(256)) * 161  # 41,216 bytes, eleven


def outside(hashes, from_, to, lo=0):
    if lo + len(hashes) <= from_ or lo >= to:
        return tree(hashes)
    if from_ <= lo and lo + len(hashes) <= to:
        return b""
    k = split(len(hashes))
    return outside(hashes[:k], from_, to, lo) + outside(hashes[k:], from_, to, lo + k)


def part_proof(data, first, last, change=lambda p: None):
    leaves = [leaf(data[i:i + 4096]) for i in range(0, len(data), 4096)]
    proof = {0: "application/custody-range+cbor", 1: sha(b"id"), 2: first, 3: last, 4: data[first // 4096 * 4096:first], 5: data[last + 1:(last // 4096 + 1) * 4096],
             6: outside(leaves, first // 4096, last // 4096 + 1)}
    change(proof)
    return enc(proof)


def pt(name, says, must, data, first, last, change=lambda p: None, given=None, size=None, root=None):
    case(f"part-{name}", says, must, part=(part_proof(data, first, last, change), data[first:last + 1] if given is None else given, len(data) if size is None else size, root or content_root(data)))


for name, data, first, last_ in (("all", WHOLE, 0, 9003), ("first-byte", WHOLE, 0, 0), ("last-byte", WHOLE, 9003, 9003), ("middle", WHOLE, 5000, 5000), ("one-leaf", WHOLE, 4096, 8191), ("across", WHOLE, 4000, 4200), ("from-a-leaf", WHOLE, 4096, 4100), ("to-a-leaf", WHOLE, 4000, 8191),
                                ("tail", WHOLE, 8000, 9003), ("long-middle", LONG, 9000, 30000), ("long-one", LONG, 40960, 40960), ("long-last-leaf", LONG, 40960, 41215), ("long-first", LONG, 1, 4094), ("small-item", b"small", 1, 3)):
    pt(name, f"bytes {first} to {last_} of {len(data)}", "OK", data, first, last_)
pt("other-byte", "a byte of the part differs", "BAD_PROOF", WHOLE, 5000, 5010, given=b"x" + WHOLE[5001:5011])
pt("before-bit", "a bit before it differs", "BAD_PROOF", WHOLE, 5000, 5010, lambda p: p.update({4: bit(p[4], 3)}))
pt("after-bit", "a bit behind it differs", "BAD_PROOF", WHOLE, 5000, 5010, lambda p: p.update({5: bit(p[5], 3)}))
pt("hash-bit", "a bit of a hash differs", "BAD_PROOF", WHOLE, 5000, 5010, lambda p: p.update({6: bit(p[6], 3)}))
pt("hashes-swapped", "two hashes swapped", "BAD_PROOF", WHOLE, 5000, 5010, lambda p: p.update({6: p[6][32:] + p[6][:32]}))
pt("hash-less", "a hash less", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({6: p[6][32:]}))
pt("hash-more", "a hash more", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({6: p[6] + sha()}))
pt("hashes-31", "hashes that are none", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({6: p[6][1:]}))
pt("before-short", "a byte less before it", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({4: p[4][1:]}))
pt("after-long", "a byte more behind it", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({5: p[5] + b"x"}))
pt("shorter", "a byte of the part is missing", "MALFORMED", WHOLE, 5000, 5010, given=WHOLE[5000:5010])
pt("longer", "a byte more than the proof says", "MALFORMED", WHOLE, 5000, 5010, given=WHOLE[5000:5012])
pt("moved", "the same bytes, said to lie one further", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({2: 5001, 3: 5011}))
pt("backwards", "last before first", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({3: 4999}))
pt("beyond", "last beyond the item", "MALFORMED", WHOLE, 9003, 9003, lambda p: p.update({3: 9004}), given=b"sx")
pt("other-size", "of an item of another size", "MALFORMED", WHOLE, 5000, 5010, size=4000)
pt("other-item", "of another item", "BAD_PROOF", WHOLE, 5000, 5010, root=sha(b"item"))
pt("type", "another type", "NEWER_FORMAT", WHOLE, 5000, 5010, lambda p: p.update({0: "application/custody-part+cbor"}))
pt("field", "a field more", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({8: 0}))
pt("path", "of an item in a folder, by its path", "OK", WHOLE, 5000, 5010, lambda p: p.update({7: b"sub/a b, c:\xff.bin"}))
pt("path-long", "by the longest path", "OK", WHOLE, 5000, 5010, lambda p: p.update({7: b"p" * 4096}))
pt("path-too-long", "by a longer one", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({7: b"p" * 4097}))
pt("path-empty", "by an empty path", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({7: b""}))
pt("path-text", "by a path that is a text", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.update({7: "sub/a.bin"}))
pt("no-id", "no id", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.pop(1))
pt("none", "nothing for a proof", "MALFORMED", WHOLE, 5000, 5010, lambda p: p.clear())


# ---- how a bucket holds it, and what the policy asks of content ----

DAY = 86_400_000


def held(mode=2, until=TIME + 400 * DAY, n=3, listed=None, change=lambda h: None):
    objects = [[named(f"object {i:04}"), f"01K{i:04}"] for i in range(n)]
    objects.sort()
    h = [mode, until if mode else 0, n, tree([leaf(enc(o)) for o in objects]), objects[:64 if listed is None else listed]]
    change(h)
    return h


def with_held(name, says, must, h, policy=None, stored=False, content=BIG, seal=None, claim={}, time=None):
    ledger = Ledger(policy=policy or {1: 0, 2: 1, 3: [], 4: 600000, 5: 0}).founded()
    put = lambda key: lambda p: p.update({**({key: h} if h else {}), **({2: time} if time is not None else {})})
    d = ledger.deposit(content, inner=ledger.claim(content, **claim), change=put(4) if not stored else lambda p: None)
    ledger.block()
    anew = ledger.say("stored", lambda t, s, c: {1: t, 2: s, 3: [[d, d]], **({4: h} if h else {})}, ledger.provider, 0) if stored else None
    ledger.stored(0, [[d, d]])
    ledger.block()
    case(f"held-{name}", says, must, ledger.receipt(anew if stored else d), ledger.trust())
    return ledger, d


asks = lambda **more: {1: 0, 2: 1, 3: [], 4: 600000, 5: 0, **{int(k[1:]): v for k, v in more.items()}}
for stored_ in (False, True):
    of, x = ("stored", "s-") if stored_ else ("deposit", "")
    with_held(x + "locked", f"a {of} says how a bucket holds it", "held OK", held(), stored=stored_)
    with_held(x + "free", f"a {of}: not locked", "held OK", held(mode=0), stored=stored_)
    with_held(x + "governance", f"a {of}: in governance mode", "held OK", held(mode=1), stored=stored_)
    with_held(x + "65", f"a {of}: 65 objects, of which 64 are listed", "held OK", held(n=65), stored=stored_)
    with_held(x + "mode", f"a {of}: a mode that is none", "form MALFORMED", held(mode=3), stored=stored_)
    with_held(x + "free-until", f"a {of}: not locked, until then", "form MALFORMED", held(mode=0, change=lambda h: h.__setitem__(1, TIME)), stored=stored_)
    with_held(x + "locked-never", f"a {of}: locked until nothing", "form MALFORMED", held(until=0), stored=stored_)
    with_held(x + "less-listed", f"a {of}: an object less than it says", "form MALFORMED", held(listed=2), stored=stored_)
    with_held(x + "more-listed", f"a {of}: an object more than it says", "form MALFORMED", held(change=lambda h: h.__setitem__(2, 2)), stored=stored_)
    with_held(x + "none", f"a {of}: no object", "form MALFORMED", held(n=1, change=lambda h: h.__setitem__(4, [])), stored=stored_)
    with_held(x + "root", f"a {of}: another root than the objects'", "form MALFORMED", held(change=lambda h: h.__setitem__(3, sha())), stored=stored_)
    with_held(x + "root-of-65", f"a {of}: of more than are listed any root may be", "held OK", held(n=65, change=lambda h: h.__setitem__(3, sha())), stored=stored_)
    with_held(x + "order", f"a {of}: objects out of order", "form MALFORMED", held(change=lambda h: h[4].reverse()), stored=stored_)
    with_held(x + "version-empty", f"a {of}: a version without a name", "form MALFORMED", held(n=1, change=lambda h: h[4][0].__setitem__(1, "")), stored=stored_)
    with_held(x + "days", f"a {of}: for as long as the policy asks", "retention OK", held(), asks(k6=30), stored=stored_)
    with_held(x + "days-short", f"a {of}: for less", "retention NOT_ALLOWED", held(until=TIME + 30 * DAY), asks(k6=30), stored=stored_)
    with_held(x + "days-governance", f"a {of}: in governance mode, and the policy asks for more", "retention NOT_ALLOWED", held(mode=1), asks(k6=30), stored=stored_)
with_held("days-silent", "the policy asks, and the acceptance says nothing", "retention NOT_ALLOWED", None, asks(k6=30))
with_held("days-small", "the policy asks, but the content travels with the record", 0, None, asks(k6=30), content=SMALL)
with_held("days-folder", "a folder's files do not", "retention NOT_ALLOWED", None, asks(k6=30), content=M, claim={"folder": M_CLAIM})
with_held("days-dated-back", "a time that is dated back is not before the block that was seen", "retention NOT_ALLOWED", held(until=TIME + 30 * DAY), asks(k6=30), time=TIME - 40 * DAY)
for days in (0, 36501):
    with_held(f"policy-{days}", f"a policy that asks for {days} days", "form MALFORMED", None, asks(k6=days))
with_held("s-plain", "a provider says that it holds a copy", "statement WRONG_ROLE", None, stored=True)
by_org = Ledger().founded()
d = by_org.deposit(BIG)
by_org.block()
at = by_org.say("stored", lambda t, s, c: {1: t, 2: s, 3: [[d, d]], 4: held()}, by_org.statement[0], 0)
by_org.block()
case("held-s-by-organisation", "an organisation says anew how a bucket holds it", "statement WRONG_ROLE", by_org.receipt(at), by_org.trust())
case("held-is-no-copy", "a provider's word on its bucket goes with a receipt as if it were a copy", "complete MALFORMED", by_org.receipt(d, more=[at, by_org.dating(at)]), by_org.trust())
with_held("must-seal", "evidence of a profile that must be sealed lies open", "must-seal NOT_ALLOWED", None, asks(k7=[["plain", 0]]))
with_held("must-seal-two", "the same, and it should take two", "must-seal NOT_ALLOWED", None, asks(k7=[["plain", 1], ["police-collection", 0]]))
with_held("must-seal-other", "another profile must be", 0, None, asks(k7=[["police-collection", 1]]))
with_held("must-seal-sealed", "it is sealed", "sealed OK", None, asks(k7=[["plain", 0]]), claim={"change": lambda c: c.update({10: [named("reader")]})})
with_held("must-seal-order", "profiles out of order", "form MALFORMED", None, asks(k7=[["police-collection", 0], ["plain", 0]]))
with_held("must-seal-none", "an empty list", "form MALFORMED", None, asks(k7=[]))

# ---- what consensus showed of an organisation (an incident of type 5) ----

ROW = ["duplicate vote", "Police, height 7", "ab" * 32, False]
WORDS = {"profile": "incident", "text": "Police cast two votes in one turn of the chain's height 7", "rows": [ROW]}


def misbehaviour(l, key=None, more=None, words=None):
    return l.say("incident", lambda t, s, c: {1: t, 2: s, 3: 5, 4: 1, 5: leaf(enc(ROW)), 6: c, **(more or {})}, key or l.statement[0], 0, enc(words or WORDS))


signed("misbehaviour", "two votes in one turn, by an organisation that saw them", 0, misbehaviour)
signed("misbehaviour-light-client", "another header of a height", 0, lambda l: misbehaviour(l, words={**WORDS, "rows": [["light-client attack", *ROW[1:]]]}))
signed("misbehaviour-without-words", "neither text nor rows", 0, lambda l: misbehaviour(l, words={**WORDS, "text": "", "rows": []}))
signed("misbehaviour-claim", "it brings a claim, as an equivocation does", "form MALFORMED", lambda l: misbehaviour(l, more={7: l.claim(b"x")[0]}))
signed("misbehaviour-by-depositor", "a depositor says so", "statement WRONG_ROLE", lambda l: misbehaviour(l, key=l.depositor))
signed("misbehaviour-by-stranger", "somebody who is not enrolled says so", "statement UNKNOWN_KEY", lambda l: misbehaviour(l, key=stranger))
signed("misbehaviour-row", "a row that does not say whether it was repaired: words of no form are shown as bytes", "profile", lambda l: misbehaviour(l, words={**WORDS, "rows": [ROW[:3]]}))
signed("incident-six", "an incident of a type that is none yet", "form MALFORMED", lambda l: l.say("incident", lambda t, s, c: {1: t, 2: s, 3: 6, 4: 1, 5: leaf(enc(ROW)), 6: c}, l.statement[0], 0, enc(WORDS)))

# ---- write ----

def main():
    batch, check = sys.argv[1], "--check" in sys.argv[2:]
    packed, wrong = [pack(c, bases) for c in cases], 0
    for c, answer in zip(packed, ask([batch], packed, bases)):
        must, c["expect"] = c.pop("must"), answer
        named_lines = {f"{n} {s}" for n, _, s in answer.get("checks", [])} | {n for n, _, _ in answer.get("checks", [])}
        ok = (must == answer["exit"] if isinstance(must, int) else True) if "exit" in answer else False
        if isinstance(must, str):
            ok = must in named_lines or must == f"refused {answer.get('refused')}" or must == answer.get("refused", answer.get("status"))
        if not ok:
            print(f"{c['name']}: {c['says']}: must be {must}, is {answer}")
            wrong += 1
    if wrong:
        return 1
    files = {"cases.jsonl": cases_file(packed), **{f"base/{n}": d for n, d in bases.items()}}
    root = pathlib.Path(__file__).parent / "judge"
    there = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and p.name != "README.md"}
    if check:
        wrong = sorted(n for n in {*files, *there} if files.get(n) != there.get(n))
        print(f"{len(cases)} cases, {sum(map(len, files.values()))} bytes" if not wrong else f"not what judge_make.py makes: {', '.join(wrong)}")
        return bool(wrong)
    (root / "base").mkdir(parents=True, exist_ok=True)
    for n in {*there} - {*files}:
        (root / n).unlink()
    for n, data in files.items():
        (root / n).write_bytes(data)
    print(f"{len(cases)} cases, {sum(map(len, files.values()))} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
