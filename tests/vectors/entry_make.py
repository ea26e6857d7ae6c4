#!/usr/bin/env python3
"""Makes the known answers for entries: entry_golden.txt, the keys beside it, and the seeds of the fuzz targets.

Written from docs/formats/entry.md with other people's CBOR and signatures (cbor2 < 6, ecdsa, cryptography), so that it shares
nothing with the C code but the description. Keys and nonces are derived: a second run gives the same bytes.
"""
import hashlib
import pathlib

import cbor2
import ecdsa
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent / "fuzz" / "corpus"
N = ecdsa.NIST256p.order
TIME = 1_790_000_000_000


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def cbor(value):
    return cbor2.dumps(value, canonical=True)


def named(text):
    return sha(b"custody test " + text.encode())


class Es256:
    alg = -7

    def __init__(self, name):
        self.name, self.secret = name, int.from_bytes(named(name)) % N
        self.key = ecdsa.SigningKey.from_secret_exponent(self.secret, ecdsa.NIST256p, hashlib.sha256)
        self.pub = self.key.verifying_key.to_string()
        self.kid = sha(cbor({1: 2, -1: 1, -2: self.pub[:32], -3: self.pub[32:]}))

    def sign(self, message):
        sig = self.key.sign_deterministic(message, hashfunc=hashlib.sha256)
        r, s = int.from_bytes(sig[:32]), int.from_bytes(sig[32:])
        return r.to_bytes(32) + min(s, N - s).to_bytes(32)

    def private(self):
        return ec.derive_private_key(self.secret, ec.SECP256R1())


class Ed25519:
    alg = -8

    def __init__(self, name):
        self.name = name
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(named(name))
        self.pub = self.key.public_key().public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)
        self.kid = sha(cbor({1: 1, -1: 6, -2: self.pub}))

    def sign(self, message):
        return self.key.sign(message)

    def private(self):
        return self.key


sealing = x25519.X25519PrivateKey.from_private_bytes(named("sealing")).public_key().public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)
depositor, provider, organisation, log = Es256("depositor"), Es256("provider"), Es256("organisation"), Ed25519("log")
KEYS = [organisation, log, provider, depositor]
next_log = Ed25519("next log")
PURPOSE = {organisation: 1, log: 2, provider: 1, depositor: 1}


def leaf(entry):
    return sha(b"\0", entry)


def root(leaves):
    hashes = [sha(b"\0", x) for x in leaves]
    def tree(h):
        if len(h) == 1:
            return h[0]
        k = 1 << (len(h) - 1).bit_length() - 1
        return sha(b"\1", tree(h[:k]), tree(h[k:]))
    return tree(hashes) if hashes else sha()


def sign(kind, key, payload):
    protected = cbor({1: key.alg, 4: key.kid, 16: f"application/custody-{kind}+cose", -65537: NETWORK})
    tbs = cbor(["Signature1", protected, b"", cbor(payload)])
    return cbor(cbor2.CBORTag(18, [protected, {}, cbor(payload), key.sign(tbs)])), sha(tbs)


nonce = named("nonce")[:16]
salt = named("salt")
details = {
    "genesis": cbor({"profile": "genesis", "name": "example", "parties": [[1, "Example Office"], [2, "Cloud"], [3, "Officer"]]}),
    "case": cbor({"profile": "case", "name": "C1", "number": "2026-117", "cause": "theft"}),
    "plain": cbor({"profile": "plain", "name": b"notes.txt", "tool": "custody 0.1.0", "label": "AP/1/1", "note": "from the desk",
                   "media": "text/plain", "digests": [[1, sha(b"hello\n")], [3, hashlib.md5(b"hello\n").digest()]]}),
    "police": cbor({
        "profile": "police-collection", "name": "照片.jpg".encode(), "tool": "custody 0.1.0", "digests": [[1, sha(b"hello\n")]],
        "case-number": "深公(刑)立字2026-117", "cause": "盗窃", "category": "photo", "format": "JPEG", "collected": "2026-09-21 14:05 +08:00",
        "place": "Nanshan", "method": "copied behind a write blocker", "process": "imaged, then exported", "original": False,
        "source": "the phone stays with its owner", "warrant": "W-9", "secrecy": "internal",
        "collectors": [{"name": "Zhang San", "title": "inspector", "organisation": "Nanshan branch"}, {"name": "Li Si"}],
        "holder": {"name": "Wang Wu", "id-commitment": named("identity")}, "refusal": "would not sign", "witness": {"name": "Zhao Liu"},
        "device": {"make": "Huawei", "model": "P60", "imei": "860000000000000"}, "video-sha256": named("video")}),
    "void": cbor({"profile": "void", "text": "pressed the wrong button"}),
    "correction": cbor({"profile": "correction", "text": "the label is AP/1/2"}),
    "incident": cbor({"profile": "incident", "text": "one object", "rows": [["damage", "cloud/objects/ab", "C1/1", True]]}),
    "access": cbor({"profile": "access", "text": "", "rows": [[named("deposit"), "Officer", TIME, "court", "order 5"]]}),
    "disclosure": cbor({"profile": "disclosure", "scope": "evidence and receipts", "recipient": "District Court", "purpose": "trial",
                        "authority": "order 5"}),
    "grant": cbor({"profile": "grant", "content": b"age-encryption.org/v1\n", "details": b"age-encryption.org/v1\n", "readers": "Court"}),
    "member": cbor({"profile": "member", "name": "Officer Wu", "note": "joins the branch"}),
    "notice": cbor({"profile": "notice", "number": "深公网调〔2026〕117", "basis": "CPL art. 54", "object": "sign-ins of the account li.si",
                    "span": "2026-08-01 to 2026-09-15"}),
    "answer": cbor({"profile": "answer", "text": "kept for 60 days only"}),
}
commitment = {name: sha(salt, d) for name, d in details.items()}
typ = "application/custody-%s+cbor"

genesis = cbor({
    0: typ % "genesis", 1: "example/" + nonce.hex(), 2: nonce, 3: 1, 4: 1, 5: 1, 6: TIME,
    7: [[1, 4, 1, [[1, 7, organisation.pub], [2, 8, log.pub]]], [2, 2, 1, [[1, 7, provider.pub]]], [3, 1, 1, [[1, 7, depositor.pub]]]],
    8: {1: 0, 2: 1, 3: [1], 4: 3_600_000, 5: 0}, 9: commitment["genesis"]})
NETWORK = leaf(genesis)
possession = sorted([k.kid, k.sign(b"custody/possession/v1\n" + NETWORK + bytes([PURPOSE[k]]) + k.pub)] for k in KEYS)
confirm, confirm_id = sign("confirm", organisation, {1: 1, 2: TIME + 1, 3: possession})
block = cbor({0: typ % "block", 1: 1, 2: TIME + 1, 3: TIME + 2, 4: 0, 5: 2, 6: root([genesis, confirm]), 7: named("digest")})
seen = [2, leaf(block)]
case_id = named("case")[:16]
content = b"hello\n"

claim, claim_id = sign("claim", depositor, {1: 1, 2: case_id, 3: 1, 4: len(content), 5: root([content]), 6: TIME + 5, 7: seen, 8: commitment["plain"]})
folder_claim, folder_id = sign("claim", depositor, {1: 2, 2: case_id, 3: 2, 4: 900, 5: named("manifest"), 6: TIME + 6, 7: seen,
                                                    8: commitment["police"], 9: [7, 123456789, named("items")]})
notice, notice_id = sign("notice", depositor, {1: TIME + 18, 2: seen, 3: 2, 4: case_id, 5: TIME + 86_400_000, 6: commitment["notice"]})
answering, answering_id = sign("claim", provider, {1: 1, 2: case_id, 3: 1, 4: len(content), 5: root([content]), 6: TIME + 19, 7: seen,
                                                   8: commitment["plain"], 11: notice_id})
objects = sorted([[named("an object"), "01K0VERSION"], [named("a pack"), "01K1VERSION"]])
held = [2, TIME + 31_536_000_000, 2, root([cbor(o) for o in objects]), objects]
asking = cbor({**cbor2.loads(genesis), 8: {1: 0, 2: 1, 3: [1], 4: 3_600_000, 5: 0, 6: 365, 7: [["plain", 0], ["police-collection", 1]]}})
entries = {
    "genesis": (genesis, None), "confirm": (confirm, confirm_id), "block": (block, None),
    "case": sign("case", depositor, {1: case_id, 2: TIME + 3, 3: seen, 4: commitment["case"]}),
    "deposit": (sign("deposit", provider, {1: claim, 2: TIME + 7, 3: seen})[0], claim_id),
    "deposit-folder": (sign("deposit", provider, {1: folder_claim, 2: TIME + 8, 3: seen})[0], folder_id),
    "refusal": (sign("refusal", provider, {1: claim, 2: TIME + 7, 3: seen, 4: 1})[0], claim_id),
    "void": sign("void", depositor, {1: 3, 2: TIME + 9, 3: seen, 4: 5, 5: commitment["void"], 6: named("void claim")}),
    "void-lost": sign("void", depositor, {1: 4, 2: TIME + 9, 3: seen, 4: 6, 5: commitment["void"]}),
    "stored": sign("stored", organisation, {1: TIME + 10, 2: seen, 3: [[5, 5], [7, 300]]}),
    "incident": sign("incident", organisation, {1: TIME + 11, 2: seen, 3: 1, 4: 1, 5: root([cbor(["damage", "cloud/objects/ab", "C1/1", True])]),
                                                6: commitment["incident"]}),
    "incident-equivocation": sign("incident", organisation, {1: TIME + 11, 2: seen, 3: 2, 4: 1, 5: root([]), 6: commitment["incident"], 7: claim}),
    "correction": sign("correction", depositor, {1: TIME + 12, 2: seen, 3: claim_id, 4: commitment["correction"]}),
    "access": sign("access", organisation, {1: TIME + 13, 2: seen, 3: 1, 4: named("reads"), 5: commitment["access"]}),
    "inventory": sign("inventory", organisation, {1: TIME + 14, 2: seen, 3: case_id, 5: 2, 6: root([claim_id, folder_id]), 7: folder_id,
                                                  8: [[depositor.kid, [3, 4, 9]]]}),
    "disclosure": sign("disclosure", depositor, {1: TIME + 15, 2: seen, 3: sorted([claim_id, folder_id]), 4: commitment["disclosure"]}),
    "member": sign("member", organisation, {
        1: TIME + 16, 2: seen, 3: 4, 4: 8, 5: [[7, 25, sealing, organisation.sign(b"custody/possession/v1\n" + NETWORK + b"\x07" + sealing)]],
        6: [], 7: commitment["member"]}),
    "member-revoked": sign("member", organisation, {1: TIME + 17, 2: seen, 3: 4, 4: 8, 5: [], 6: [[sha(cbor({1: 1, -1: 4, -2: sealing})), 4]],
                                                    7: commitment["member"]}),
    "notice": (notice, notice_id),
    "acknowledge": sign("acknowledge", provider, {1: TIME + 19, 2: seen, 3: notice_id}),
    "deposit-answering": (sign("deposit", organisation, {1: answering, 2: TIME + 20, 3: seen})[0], answering_id),
    "answer": sign("answer", provider, {1: TIME + 21, 2: seen, 3: notice_id, 4: 1, 5: root([answering_id]), 7: commitment["answer"]}),
    "answer-none": sign("answer", provider, {1: TIME + 21, 2: seen, 3: notice_id, 4: 0, 5: root([]), 6: 8, 7: commitment["answer"]}),
    "timeout-claim": sign("timeout", organisation, {1: TIME + 4_000_000, 2: seen, 3: claim}),
    "timeout-notice": sign("timeout", organisation, {1: TIME + 90_000_000, 2: seen, 4: notice_id}),
    "grant": sign("grant", depositor, {1: TIME + 18, 2: seen, 3: claim_id, 4: sorted([named("reader"), sha(cbor({1: 1, -1: 4, -2: sealing}))]),
                                       5: commitment["grant"]}),
    "propose": sign("propose", organisation, {
        1: TIME + 22, 2: seen, 3: 2, 4: 1, 5: [[2, 8, next_log.pub, next_log.sign(b"custody/possession/v1\n" + NETWORK + b"\x02" + next_log.pub)]],
        6: [], 7: TIME + 2_600_000_000, 8: commitment["member"]}),
    "propose-policy": sign("propose", organisation, {1: TIME + 22, 2: seen, 3: 4, 4: 0, 5: [], 6: [], 7: TIME + 2_600_000_000,
                                                     8: commitment["member"], 9: [0, 1, [1]], 10: [2, 100]}),
    "approve": sign("approve", organisation, {1: TIME + 23, 2: seen, 3: named("proposal")}),
    "deposit-held": (sign("deposit", provider, {1: claim, 2: TIME + 7, 3: seen, 4: held})[0], claim_id),
    "stored-held": sign("stored", provider, {1: TIME + 10, 2: seen, 3: [[5, 5]], 4: held}),
    "genesis-asking": (asking, None),
    "inventory-empty": sign("inventory", depositor, {1: TIME + 14, 2: seen, 4: depositor.kid, 5: 0, 6: root([]), 8: []}),
}


def write():
    with open(HERE / "entry_golden.txt", "w") as out:
        print("# Known entries, one of each form of each kind. Source: entry_make.py, written from docs/formats/entry.md with cbor2,", file=out)
        print("# ecdsa and cryptography. Lines: key NAME KID PUBLIC | entry NAME ID LEAF BYTES (ID - when nobody signs it alone)", file=out)
        for k in KEYS:
            print("key", k.name, k.kid.hex(), k.pub.hex(), file=out)
        for name, (entry, ident) in entries.items():
            print("entry", name, ident.hex() if ident else "-", leaf(entry).hex(), entry.hex(), file=out)
    for k in KEYS:
        pem = k.private().private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
        (HERE / f"entry_key_{k.name}.pem").write_bytes(pem)


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def seeds():
    for name, (entry, _) in entries.items():
        seed("entry", name, entry)
    for name, data in {"claim": claim, "claim-folder": folder_claim, "case": entries["case"][0], "stored": entries["stored"][0]}.items():
        seed("statement", name, data)
    for name, data in details.items():
        seed("details", name, data)
    seed("details", "form", "collectors: Zhang San; inspector\ndevice make: Huawei\noriginal: yes\nplace: 南山\n".encode())
    seed("record", "deposit", cbor([entries["deposit"][0], salt, details["plain"], content]))
    seed("record", "case", cbor([entries["case"][0], salt, details["case"], None]))
    seed("record", "block", cbor([block, None, None, None]))
    seed("record", "refusal", cbor([entries["refusal"][0], salt, details["plain"], None]))


write()
seeds()
