"""What judge_make.py makes its cases of: canonical CBOR (and other), keys, trees, a small ledger, receipts taken apart.

Written from docs/formats with other people's signatures (ecdsa, cryptography). Keys, nonces, salts and times are derived: a second
run gives the same bytes.
"""
import base64
import hashlib

import ecdsa
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cbor_forms import Pairs, Raw, Tag, dec, enc, head

N = ecdsa.NIST256p.order
L = 2**252 + 27742317777372353535851937790883648493
TIME = 1_790_000_000_000


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def named(text):
    return sha(b"custody judge " + text.encode())


def b64(data):
    return base64.b64encode(data).decode()


# ---- keys ----

class Es256:
    alg = -7

    def __init__(self, name):
        self.key = ecdsa.SigningKey.from_secret_exponent(int.from_bytes(named(name), "big") % N, ecdsa.NIST256p, hashlib.sha256)
        self.pub = self.key.verifying_key.to_string()
        self.kid = sha(enc({1: 2, -1: 1, -2: self.pub[:32], -3: self.pub[32:]}))

    def sign(self, message):
        sig = self.key.sign_deterministic(message, hashfunc=hashlib.sha256)
        s = int.from_bytes(sig[32:], "big")
        return sig[:32] + min(s, N - s).to_bytes(32, "big")


class Ed25519:
    alg = -8

    def __init__(self, name):
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(named(name))
        self.pub = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = sha(enc({1: 1, -1: 6, -2: self.pub}))

    def sign(self, message):
        return self.key.sign(message)


def key_id(name, kind, key):
    return sha(name.encode() + b"\n" + bytes([kind]) + key.pub)[:4]


def vkey(name, kind, key):
    return f"{name}+{key_id(name, kind, key).hex()}+{b64(bytes([kind]) + key.pub)}"


# ---- trees ----

def leaf(data):
    return sha(b"\0", data)


def split(n):
    return 1 << (n - 1).bit_length() - 1


def tree(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha()
    k = split(len(hashes))
    return sha(b"\1", tree(hashes[:k]), tree(hashes[k:]))


def content_root(data):
    return tree([leaf(data[i:i + 4096]) for i in range(0, len(data), 4096)])


def path_of(hashes, i):
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    return path_of(hashes[:k], i) + [tree(hashes[k:])] if i < k else path_of(hashes[k:], i - k) + [tree(hashes[:k])]


def multiproof(hashes, listed, known, lo=0):
    inside = [i for i in listed if lo <= i < lo + len(hashes)]
    if not inside:
        h = tree(hashes)
        return [] if h in known else [h]
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    return multiproof(hashes[:k], listed, known, lo) + multiproof(hashes[k:], listed, known, lo + k)


# ---- a ledger ----

def statement(kind, payload, key, network, alg=None, bend=lambda s: s, unprotected={}, typ=None):
    protected = enc({1: alg or key.alg, 4: key.kid, 16: typ or f"application/custody-{kind}+cose", -65537: network})
    body = payload if isinstance(payload, bytes) else enc(payload)
    return enc(Tag(18, [protected, unprotected, body, bend(key.sign(enc(["Signature1", protected, b"", body])))]))


class Entry:
    """An entry with what is attached, and what a receipt of it needs: seen blocks, case, organisations."""

    def __init__(self, data, kind, seen=(), case=None, orgs=(), details=None, salt=None, content=None, covers=None, notice=None):
        self.data, self.kind, self.seen, self.case, self.orgs = data, kind, list(seen), case, set(orgs)
        self.details, self.salt, self.content, self.covers, self.notice = details, salt, content, covers, notice


class Ledger:
    def __init__(self, orgs=1, policy=None, change=lambda g: None, names=True, nonce=b"one"):
        self.orgs, self.entries, self.now, self.height, self.first, self.serial = orgs, [], TIME, 0, 0, 0
        self.statement = [Es256(f"statement {i}") for i in range(orgs)]
        self.log = [Ed25519(f"log {i}") for i in range(orgs)]
        self.cosign = [Ed25519(f"cosign {i}") for i in range(orgs)] if orgs > 1 else []
        self.provider, self.depositor = Es256("provider"), Es256("depositor")
        self.provider_org = 2 if orgs > 1 else 1
        self.nonce = named(nonce.decode())[:16]
        self.origin = "custody.example/" + self.nonce.hex()
        self.parties = [[i + 1, 4, i + 1, [[1, 7, self.statement[i].pub], [2, 8, self.log[i].pub]] + ([[3, 8, self.cosign[i].pub]] if orgs > 1 else [])]
                        for i in range(orgs)]
        self.parties += [[orgs + 1, 2, self.provider_org, [[1, 7, self.provider.pub]]], [orgs + 2, 1, 1, [[1, 7, self.depositor.pub]]]]
        party_names = [[i + 1, f"Organisation {i + 1}"] for i in range(orgs)] + [[orgs + 1, "Cloud"], [orgs + 2, "陈警官 \u202e6"]]
        details = enc({"profile": "genesis", "name": "Test ledger", "parties": party_names} if names else {"profile": "genesis"})
        salt = named("genesis salt")
        genesis = {0: "application/custody-genesis+cbor", 1: self.origin, 2: self.nonce, 3: 1, 4: 1, 5: 2 if orgs > 1 else 1, 6: TIME, 7: self.parties,
                   8: policy or ({1: 3, 2: 2, 3: [3], 4: 600000, 5: 0} if orgs > 1 else {1: 0, 2: 1, 3: [], 4: 600000, 5: 0}), 9: sha(salt, details)}
        change(genesis)
        self.add(Entry(enc(genesis), "genesis", details=details, salt=salt))
        self.network = leaf(self.entries[0].data)

    def add(self, entry):
        self.entries.append(entry)
        self.now += 10
        return len(self.entries) - 1

    def leaves(self, size=None):
        return [leaf(e.data) for e in self.entries[:size]]

    def keys_of(self, org):
        keys = [(1, self.statement[org]), (2, self.log[org])] + ([(3, self.cosign[org])] if self.cosign else [])
        return keys + ([(1, self.provider)] if org + 1 == self.provider_org else []) + ([(1, self.depositor)] if org == 0 else [])

    def confirm(self, org, change=lambda c: None, key=None, **more):
        proofs = [[k.kid, k.sign(b"custody/possession/v1\n" + self.network + bytes([p]) + k.pub)] for p, k in self.keys_of(org)]
        payload = {1: org + 1, 2: self.now, 3: sorted(proofs)}
        change(payload)
        return self.add(Entry(statement("confirm", payload, key or self.statement[org], more.pop("network", self.network), **more), "confirm", orgs=[org]))

    def block(self, change=lambda b: None):
        self.height += 1
        b = {0: "application/custody-block+cbor", 1: self.height, 2: self.now + 1, 3: self.now + 1, 4: self.first, 5: max(1, len(self.entries) - self.first),
             6: tree(self.leaves()), 7: named(f"digest {self.height}")}
        change(b)
        self.now += 1000
        self.first = len(self.entries) + 1
        return self.add(Entry(enc(b), "block"))

    def founded(self):
        for i in range(self.orgs):
            self.confirm(i)
        self.block()
        self.c1 = self.case("C1", b"\1" * 16)
        self.block()
        return self

    def seen(self, at=None):
        at = len(self.entries) - 1 if at is None else at
        while self.entries[at].kind != "block":
            at -= 1
        return [at, leaf(self.entries[at].data)]

    def say(self, kind, payload, key, org, details=None, seen=None, network=None, hold=None, **more):
        """A statement that is an entry by itself. `payload`: a function of (time, seen, commitment)."""
        seen, salt = seen or self.seen(), named(f"salt {len(self.entries)}")
        body = payload(self.now, seen, sha(salt, details) if details else None)
        data = statement(kind, body, key, network or self.network, **more)
        entry = Entry(data, kind, seen=[seen[0]], orgs=[org], details=details, salt=salt if details else None)
        for k, v in (hold or {}).items():
            setattr(entry, k, v)
        return self.add(entry)

    def case(self, name, case_id, details=None, **more):
        return self.say("case", lambda t, s, c: {1: case_id, 2: t, 3: s, 4: c}, self.depositor, 0, details or enc({"profile": "case", "name": name}), **more)

    def claim(self, content, details=None, case=b"\1" * 16, folder=None, seen=None, change=lambda c: None, key=None, network=None, digests=True, **more):
        salt = named(f"salt {len(self.entries)}")
        self.serial += 1
        plain = {"profile": "plain", "name": b"IMG_0001.jpg", "tool": "test 1"}
        if not folder and digests:
            plain["digests"] = [[1, hashlib.sha256(content).digest()]]
        details = details or enc(plain)
        payload = {1: self.serial, 2: case, 3: 2 if folder else 1, 4: len(content), 5: content_root(content), 6: self.now, 7: seen or self.seen(), 8: sha(salt, details)}
        if folder:
            payload[9] = folder
        change(payload)
        return statement("claim", payload, key or self.depositor, network or self.network, **more), details, salt, payload[7][0]

    def deposit(self, content, refuse=None, provider=None, outer={}, outer_seen=None, inner=None, case_at=None, change=lambda p: None, **claim):
        network = outer.get("network", self.network)
        inner, details, salt, saw = inner or self.claim(content, **claim)
        kind, payload = ("refusal" if refuse else "deposit"), {1: inner, 2: self.now, 3: outer_seen or self.seen()}
        if refuse:
            payload[4] = refuse
        change(payload)
        data = statement(kind, payload, provider or self.provider, network, **{k: v for k, v in outer.items() if k != "network"})
        return self.add(Entry(data, kind, seen=[saw, payload[3][0]], case=self.c1 if case_at is None else case_at, orgs=[0, self.provider_org - 1],
                              details=details, salt=salt, content=content if not refuse and len(content) <= 32768 else None))

    def member(self, party, role, gives=(), revokes=(), key=None, org=0, name=None, change=lambda m: None, proof=None, about=(), **more):
        """`gives`: keys, each proving itself, or (purpose, −alg, public key, proof); `revokes`: (key, since)."""
        own = lambda k: [1, 7, k.pub, (proof or k).sign(b"custody/possession/v1\n" + self.network + b"\1" + k.pub)]

        def payload(t, s, c):
            m = {1: t, 2: s, 3: party, 4: role, 5: [own(k) if hasattr(k, "pub") else list(k) for k in gives], 6: sorted([k.kid, since] for k, since in revokes), 7: c}
            change(m)
            return m
        return self.say("member", payload, key or self.statement[org], org, enc({"profile": "member", "name": name or f"Party {party}"}), **more)

    def propose(self, change, party=0, gives=(), revokes=(), org=0, terms=None, rules=None, key=None, proof=None, name=None, bend=lambda p: None, **more):
        """`gives`: (purpose, key), each proving itself; `org`: whose proposal, by index."""
        def payload(t, s, c):
            p = {1: t, 2: s, 3: change, 4: party, 5: [[u, 7 if u == 1 else 8, k.pub, (proof or k).sign(b"custody/possession/v1\n" + self.network + bytes([u]) + k.pub)] for u, k in gives],
                 6: sorted([k.kid, since] for k, since in revokes), 7: t + 10**9, 8: c, **({9: terms} if terms else {}), **({10: rules} if rules else {})}
            bend(p)
            return p
        return self.say("propose", payload, key or self.statement[org], org, enc({"profile": "member", "name": name or f"Organisation {party}"}), **more)

    def approve(self, at, org=0, key=None, **more):
        return self.say("approve", lambda t, s, c: {1: t, 2: s, 3: self.id(at)}, key or self.statement[org], org, **more)

    def confirm_later(self, party, keys, signer=None, orgs=()):
        """`keys`: (purpose, key), all that it has."""
        proofs = [[k.kid, k.sign(b"custody/possession/v1\n" + self.network + bytes([u]) + k.pub)] for u, k in keys]
        return self.add(Entry(statement("confirm", {1: party, 2: self.now, 3: sorted(proofs)}, signer or keys[0][1], self.network), "confirm", orgs=list(orgs)))

    def notice(self, due=5000, provider=None, case=b"\1" * 16, key=None, org=0, details=None, **more):
        words = {"profile": "notice", "number": "网调〔2026〕117", "basis": "CPL art. 54", "object": "sign-ins of li.si"}
        return self.say("notice", lambda t, s, c: {1: t, 2: s, 3: provider or self.orgs + 1, 4: case, 5: t + due, 6: c}, key or self.depositor, org,
                        enc(details or words), hold={"case": self.c1}, **more)

    def acknowledge(self, at, key=None, **more):
        return self.say("acknowledge", lambda t, s, c: {1: t, 2: s, 3: self.id(at)}, key or self.provider, self.provider_org - 1, hold={"notice": at}, **more)

    def answer(self, at, ids=(), reason=None, key=None, change=lambda a: None, **more):
        def payload(t, s, c):
            a = {1: t, 2: s, 3: self.id(at), 4: len(ids), 5: tree([leaf(i) for i in ids]), 7: c}
            if reason:
                a[6] = reason
            change(a)
            return a
        return self.say("answer", payload, key or self.provider, self.provider_org - 1, enc({"profile": "answer", "text": "kept for 60 days"}), hold={"notice": at}, **more)

    def against(self, at, content, receiver=None, refuse=None, key=None, case=b"\1" * 16, notice=True, **outer):
        inner = self.claim(content, key=key or self.provider, case=case, change=lambda c: c.update({11: self.id(at)} if notice else {}))
        deposit = self.deposit(content, refuse=refuse, inner=inner, provider=receiver or self.statement[0], outer=outer)
        if notice:
            self.entries[deposit].notice = at
        return deposit

    def timeout(self, notice=None, claim=None, key=None, change=lambda p: None, **more):
        def payload(t, s, c):
            p = {1: t, 2: s, **({3: claim[0]} if claim else {}), **({4: self.id(notice)} if notice else {})}
            change(p)
            return p
        at = self.say("timeout", payload, key or self.statement[0], 0, hold={"notice": notice}, **more)
        if claim:
            self.entries[at].seen.append(claim[3])
        return at

    def stored(self, org, ranges, key=None, **more):
        return self.say("stored", lambda t, s, c: {1: t, 2: s, 3: ranges}, key or self.statement[org], org, hold={"covers": ranges}, **more)

    def inventory(self, n=0, ids=(), case=b"\1" * 16, kid=None, open_=()):
        def payload(t, s, c):
            p = {1: t, 2: s, 5: n or len(ids), 6: tree(list(ids)), 8: list(open_)}
            p.update({4: kid} if kid else {3: case})
            if ids:
                p[7] = ids[-1]
            return p
        return self.say("inventory", payload, self.depositor, 0, hold={"case": None if kid else self.c1})

    def id(self, at):
        st = dec(self.entries[at].data)[0].value
        inner = dec(st[2])[0].get(1)
        if self.entries[at].kind in ("deposit", "refusal"):
            st = dec(inner)[0].value
        return sha(enc(["Signature1", st[0], b"", st[2]]))

    # -- checkpoints, receipts

    def text(self, size=None, origin=None):
        size = len(self.entries) if size is None else size
        return f"{origin or self.origin}\n{size}\n{b64(tree(self.leaves(size)))}\n"

    def note(self, size=None, witnesses=(), orgs=(), log=0, origin=None, text=None):
        text = text or self.text(size, origin)
        lines = [] if log is None else [log_line(text, origin or self.origin, self.log[log])]
        lines += [cosign_line(text, f"witness.example/{i}", Ed25519(f"witness {i}"), self.now // 1000 + i) for i in witnesses]
        lines += [cosign_line(text, f"org{i + 1}.example", self.cosign[i], self.now // 1000) for i in orgs]
        return text + "\n" + "".join(lines)

    def needs(self, seq):
        e, out = self.entries[seq], {0}
        out |= {self.dating(seq), *e.seen}
        orgs = set(e.orgs)
        if e.case is not None:
            out.add(e.case)
            orgs |= self.entries[e.case].orgs
        if e.notice is not None:
            out.add(e.notice)
            orgs |= self.entries[e.notice].orgs
        holders = set()
        for i in range(seq, len(self.entries)):
            s = self.entries[i]
            if e.kind == "deposit" and s.covers and any(a <= seq <= b for a, b in s.covers) and not holders & s.orgs:
                out |= {i, self.dating(i)}
                holders |= s.orgs
        out |= {1 + o for o in orgs | holders}
        return {i for i in out if i is not None and i != seq and i < len(self.entries)}

    def dating(self, seq):
        return next((i for i in range(seq, len(self.entries)) if self.entries[i].kind == "block"), None)

    def receipt(self, seq, note=None, needs=None, size=None, show=("genesis", "case"), less=(), more=()):
        needs = sorted((self.needs(seq) if needs is None else set(needs)) - set(less) | set(more))
        leaves, e = self.leaves(size), self.entries[seq]
        path = path_of(leaves, seq)
        record = enc([e.data, e.salt, e.details, e.content])
        support = [{1: i, 2: self.entries[i].data, **({3: self.entries[i].salt, 4: self.entries[i].details} if self.entries[i].kind in show else {})} for i in needs]
        extra = {0: "application/custody-receipt+cbor", 1: record, 2: support, 3: b"".join(multiproof(leaves, sorted({seq, *needs}), path))}
        return Receipt(extra, seq, path, note or self.note(size)).bytes()

    def trust(self, require="integrity signer", quorum="quorum none", epoch="epoch 0 -", logs=(0,), network=None):
        lines = ["custody-trust/v1", f"network {(network or self.network).hex()}", f"require {require}", epoch]
        lines += [f"log {vkey(self.origin, 1, self.log[i])}" for i in logs]
        lines += [f"witness w{i} {vkey(f'witness.example/{i}', 4, Ed25519(f'witness {i}'))}" for i in range(3)]
        lines += [f"witness o{i + 1} {vkey(f'org{i + 1}.example', 4, k)}" for i, k in enumerate(self.cosign)]
        return ("\n".join(lines + [quorum]) + "\n").encode()


def log_line(text, name, key):
    return f"— {name} {b64(key_id(name, 1, key) + key.sign(text.encode()))}\n"


def cosign_line(text, name, key, seconds):
    signature = key.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return f"— {name} {b64(key_id(name, 4, key) + seconds.to_bytes(8, 'big') + signature)}\n"


class Receipt:
    """A receipt taken apart, to be changed and written again."""
    FIRST = b"c2sp.org/tlog-proof@v1\n"

    def __init__(self, extra, index, path, note):
        self.first, self.extra, self.index, self.path, self.blank, self.note = self.FIRST, extra, str(index), [b64(h) for h in path], "\n", note

    @classmethod
    def of(cls, data):
        _, extra, rest = data.split(b"\n", 2)
        frame, note = rest.split(b"\n\n", 1)
        lines = frame.decode().split("\n")
        r = cls(dec(base64.b64decode(extra[6:]))[0], 0, [], note.decode())
        r.index, r.path = lines[0][6:], lines[1:]
        return r

    def record(self, change):
        parts = dec(self.extra[1])[0]
        self.extra[1] = enc(change(parts) or parts)

    def entry(self, change):
        """The record's entry, as [protected, unprotected, payload, signature]."""
        def inside(parts):
            st = dec(parts[0])[0]
            st.value = change(st.value) or st.value
            parts[0] = enc(st)
        self.record(inside)

    def inner(self, change):
        """The claim in the record's entry, in the same way."""
        def inside(st):
            payload = dec(st[2])[0]
            claim = dec(payload[1])[0]
            claim.value = change(claim.value) or claim.value
            payload[1] = enc(claim)
            st[2] = enc(payload)
        self.entry(inside)

    def bytes(self):
        extra = self.extra if isinstance(self.extra, (bytes, type(None))) else b"extra " + base64.b64encode(enc(self.extra)) + b"\n"
        rest = f"index {self.index}\n" + "".join(p + "\n" for p in self.path) + self.blank + (self.note if isinstance(self.note, str) else "")
        return self.first + (extra or b"") + rest.encode() + (self.note if isinstance(self.note, bytes) else b"")


def manifest(files, items=None, size=None):
    """files: {path: content}, in tree order; folders end in '/'."""
    rows = []
    for path, data in files.items():
        row = {1: path.rstrip("/").encode(), 2: 2 if path.endswith("/") else 1, 3: len(data), 7: 0o755 if path.endswith("/") else 0o644, 8: TIME // 1000, 9: 0}
        if not path.endswith("/"):
            row.update({4: content_root(data), 5: hashlib.sha256(data).digest()})
        rows.append(enc(row))
    total = sum(map(len, files.values()))
    data = enc({1: "application/custody-manifest+cbor", 2: len(rows) if items is None else items, 3: total if size is None else size}) + b"".join(rows)
    return data, [len(rows), total, tree([leaf(r) for r in rows])]

