#!/usr/bin/env python3
"""Do the signatures of an entry verify with a COSE implementation that is not ours (pycose 1.1.0, cbor2 < 6)?

    cose_check.py GENESIS ENTRY...     files as they lie in the log: entry 0, and entries to check
    cose_check.py --golden FILE        the known entries of tests/vectors/entry_golden.txt

The signing keys are taken from the genesis by their COSE Key Thumbprint (RFC 9679). Answers in TAP; exits 1 when one line is "not ok".
"""
import hashlib
import sys

import cbor2
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import Sign1Message

NETWORK = -65537
TYP = "application/custody-%s+cose"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Ledger:
    def __init__(self, genesis):
        self.network = sha(b"\0", genesis)
        self.keys = {}
        for _, _, _, keys in cbor2.loads(genesis)[7]:
            for purpose, neg_alg, pub in keys:
                if (purpose, neg_alg) == (1, 7):
                    x, y = pub[:32], pub[32:]
                    kid = sha(cbor2.dumps({1: 2, -1: 1, -2: x, -3: y}, canonical=True))
                    self.keys[kid] = EC2Key(crv=P256, x=x, y=y)

    def layer(self, data):
        """One signed layer: its header as it must be, and its signature. Gives (kind, payload, id)."""
        tag = cbor2.loads(data)
        protected, unprotected, payload, signature = tag.value
        header = cbor2.loads(protected)
        assert tag.tag == 18 and unprotected == {} and len(signature) == 64
        assert list(header) == [1, 4, 16, NETWORK] and header[1] == -7 and header[NETWORK] == self.network
        kind = header[16].removeprefix("application/custody-").removesuffix("+cose")
        assert header[16] == TYP % kind
        assert self.verifies(data), "pycose refuses the signature"
        assert not self.verifies(data[:-1] + bytes([data[-1] ^ 1])), "pycose accepts a changed signature"
        return kind, payload, sha(cbor2.dumps(["Signature1", protected, b"", payload]))

    def verifies(self, data):
        message = Sign1Message.decode(data)
        message.key = self.keys[cbor2.loads(cbor2.loads(data).value[0])[4]]
        return message.verify_signature()

    def entry(self, data):
        """Every layer of an entry. Gives the kinds, outermost first, and the id of the innermost."""
        kind, payload, ident = self.layer(data)
        if kind not in ("deposit", "refusal"):
            return [kind], ident
        inner, _, ident = self.layer(cbor2.loads(payload)[1])
        assert inner == "claim"
        return [kind, inner], ident


def golden(path):
    rows = [line.split() for line in open(path) if line.startswith("entry ")]
    genesis = next(bytes.fromhex(r[4]) for r in rows if r[1] == "genesis")
    return genesis, [(r[1], bytes.fromhex(r[4]), bytes.fromhex(r[2])) for r in rows if r[2] != "-"]


def files(paths):
    data = [open(p, "rb").read() for p in paths]
    return data[0], [(p, d, None) for p, d in zip(paths[1:], data[1:])]


def main(args):
    genesis, entries = golden(args[1]) if args[0] == "--golden" else files(args)
    ledger, bad = Ledger(genesis), 0
    print(f"1..{len(entries)}")
    for n, (name, data, expected) in enumerate(entries, 1):
        try:
            kinds, ident = ledger.entry(data)
            assert expected in (None, ident), "another id"
            print(f"ok {n} - {name}: pycose verifies {' over '.join(kinds)}, id {ident.hex()[:16]}")
        except Exception as why:
            bad += 1
            print(f"not ok {n} - {name}: {type(why).__name__}: {why}")
    return bad > 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
