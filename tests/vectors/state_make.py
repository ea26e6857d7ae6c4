#!/usr/bin/env python3
"""Makes the known answers for the state digest: state_golden.txt, a log of three blocks and the changes that each of them made.

Written from docs/formats/state.md on top of entry_make.py (which writes its own files again, the same), with nothing of the C code.
"""
from entry_make import HERE, KEYS, NETWORK, PURPOSE, TIME, case_id, cbor, commitment, confirm, confirm_id, content, depositor
from entry_make import genesis, leaf, named, organisation, provider, root, sha, sign, typ

LEDGER, PARTY, KEY, CASE, CASE_KEY, KEY_CASE, SIGNER, SERIAL, STATEMENT, VOIDED, EQUIVOCAL, NODE, BLOCK = range(1, 14)
KIND = {"genesis": 1, "confirm": 3, "case": 4, "deposit": 6, "refusal": 7, "void": 8, "incident": 10, "correction": 11, "inventory": 13}
NEVER = 2**64 - 1
ZERO = bytes(32)


def u64(n):
    return n.to_bytes(8)


class Log:
    def __init__(self):
        self.entries, self.changes, self.digest, self.height, self.first, self.lines = [], [], ZERO, 0, 0, []
        self.rows = {}

    def add(self, kind, entry, ident, changes, exhibit=0):
        self.changes += changes + [[STATEMENT, ident, cbor([len(self.entries), KIND[kind], exhibit])]]
        self.entries.append(entry)
        self.lines.append(f"entry {entry.hex()}")

    def close(self, time):
        first = self.first
        self.digest = sha(b"custody/state/v1\n", self.digest, cbor(self.changes))
        self.height += 1
        block = cbor({0: typ % "block", 1: self.height, 2: time, 3: time, 4: first, 5: len(self.entries) - first,
                      6: root(self.entries), 7: self.digest})
        self.lines += [f"changes {cbor(self.changes).hex()}", f"block {block.hex()}"]
        self.entries.append(block)
        seen = [len(self.entries) - 1, leaf(block)]
        self.rows.update({bytes([table]) + key: value for table, key, value in self.changes})
        self.rows[bytes([BLOCK]) + u64(seen[0])] = cbor([seen[1], time])
        self.mark = cbor([self.height, time, seen, self.digest, frontier(self.entries)])
        self.changes, self.first = [], len(self.entries)
        return seen

    def snapshot(self):
        """As long as all rows fit one page."""
        rows = b"".join(bytes([len(k)]) + len(v).to_bytes(2) + k + v for k, v in sorted(self.rows.items()))
        page = page_of(1, sha(self.mark), bytes(2) + len(self.rows).to_bytes(2) + rows)
        head = b"custody/state-snapshot/v1\n" + cbor([len(self.rows), 2, 1, self.mark])
        self.lines.append(f"snapshot {(page_of(0, ZERO, head) + page).hex()}")


def page_of(number, salt, body):
    assert len(body) <= 4080
    body = body.ljust(4080, b"\0")
    return sha(b"custody/state-page/v1\n", salt, u64(number), body)[:16] + body


def frontier(entries):
    out, at = u64(len(entries)), 0
    for bit in reversed(range(64)):
        if len(entries) >> bit & 1:
            out += root(entries[at:at + (1 << bit)])
            at += 1 << bit
    return out


def key_row(i, party, origin):
    key = KEYS[i]
    return [KEY, u64(i), cbor([key.kid, party, PURPOSE[key], -key.alg, origin, key.pub])]


def tree(ids):
    """The row of NODE that the append of the last id changes: its level and hash."""
    n, hashes = len(ids), [sha(b"\0", i) for i in ids]
    level = ((n - 1) ^ n).bit_length() - 1
    node = hashes[n - (1 << level):]
    while len(node) > 1:
        node = [sha(b"\1", node[i], node[i + 1]) for i in range(0, len(node), 2)]
    return bytes([level]), cbor([node[0]])


def main():
    log, kid = Log(), depositor.kid
    # genesis: its row, the parties, the keys in genesis order
    log.add("genesis", genesis, NETWORK, [
        [LEDGER, b"", cbor([NETWORK, 0, 1, [1], 3_600_000, 0])],
        [PARTY, u64(1), cbor([4, 1, 0])], [PARTY, u64(2), cbor([2, 1, 0])], [PARTY, u64(3), cbor([1, 1, 0])],
        key_row(0, 1, NEVER), key_row(1, 1, NEVER), key_row(2, 2, NEVER), key_row(3, 3, NEVER)])
    log.add("confirm", confirm, confirm_id, [
        [PARTY, u64(1), cbor([4, 1, 2])], key_row(0, 1, 2), key_row(1, 1, 2), key_row(2, 2, 2), key_row(3, 3, 2)])
    seen = log.close(TIME + 2)

    def claim(serial):
        return sign("claim", depositor, {1: serial, 2: case_id, 3: 1, 4: len(content), 5: root([content]), 6: TIME + 5, 7: seen,
                                         8: commitment["plain"]})

    # 3 a case, 4 deposit of claim 1, 5 refusal of claim 3, 6 a void of 2 that names a claim, 7 a correction; block 8
    case, ident = sign("case", depositor, {1: case_id, 2: TIME + 3, 3: seen, 4: commitment["case"]})
    log.add("case", case, ident, [[CASE, case_id, cbor([3, 0, 0, ZERO, 0])]])
    one, one_id = claim(1)
    log.add("deposit", sign("deposit", provider, {1: one, 2: TIME + 7, 3: seen})[0], one_id, [
        [CASE_KEY, case_id + u64(0), cbor([kid])], [KEY_CASE, case_id + kid, cbor([0])],
        [SERIAL, kid + u64(1), cbor([one_id, 6, 4])],
        [NODE, case_id + tree([one_id])[0], tree([one_id])[1]], [CASE, case_id, cbor([3, 1, 1, one_id, 4])],
        [NODE, kid + tree([one_id])[0], tree([one_id])[1]], [SIGNER, kid, cbor([2, 1, 0, 1, one_id, 4])]], exhibit=1)
    three, three_id = claim(3)
    log.add("refusal", sign("refusal", provider, {1: three, 2: TIME + 7, 3: seen, 4: 1})[0], three_id, [
        [SERIAL, kid + u64(3), cbor([three_id, 7, 5])], [SIGNER, kid, cbor([2, 3, 5, 1, one_id, 4])]])
    lost = named("void claim")
    void, void_id = sign("void", depositor, {1: 2, 2: TIME + 9, 3: seen, 4: 5, 5: commitment["void"], 6: lost})
    log.add("void", void, void_id, [
        [SERIAL, kid + u64(2), cbor([lost, 8, 6])], [SIGNER, kid, cbor([4, 3, 6, 1, one_id, 4])], [VOIDED, kid + lost, cbor([6])]])
    correction, ident = sign("correction", depositor, {1: TIME + 12, 2: seen, 3: one_id, 4: commitment["correction"]})
    log.add("correction", correction, ident, [])
    seen = log.close(TIME + 1000)

    # 9 the refused claim is accepted after all, 10 an equivocation under number 1; block 11
    log.add("deposit", sign("deposit", provider, {1: three, 2: TIME + 1001, 3: seen})[0], three_id, [
        [SERIAL, kid + u64(3), cbor([three_id, 6, 9])],
        [NODE, case_id + tree([one_id, three_id])[0], tree([one_id, three_id])[1]], [CASE, case_id, cbor([3, 2, 1, three_id, 9])],
        [NODE, kid + tree([one_id, three_id])[0], tree([one_id, three_id])[1]], [SIGNER, kid, cbor([4, 3, 6, 2, three_id, 9])]], exhibit=2)
    other, other_id = sign("claim", depositor, {1: 1, 2: case_id, 3: 1, 4: 7, 5: named("other"), 6: TIME + 6, 7: seen, 8: commitment["plain"]})
    incident, ident = sign("incident", organisation, {1: TIME + 1002, 2: seen, 3: 2, 4: 1, 5: root([]), 6: commitment["incident"], 7: other})
    log.add("incident", incident, ident, [[EQUIVOCAL, kid + u64(1) + other_id, cbor([10])]])
    seen = log.close(TIME + 2000)

    # 12 an inventory of the case; block 13
    inventory, ident = sign("inventory", organisation, {1: TIME + 2001, 2: seen, 3: case_id, 5: 2, 6: root([one_id, three_id]), 7: three_id, 8: []})
    log.add("inventory", inventory, ident, [])
    log.close(TIME + 3000)
    log.snapshot()

    with open(HERE / "state_golden.txt", "w") as out:
        print("# A log of four blocks and the changes of state that each made. Source: state_make.py, written from docs/formats/state.md.", file=out)
        print("# Lines: entry BYTES, then what closes them: changes ARRAY, block BYTES; at the end the snapshot of that state", file=out)
        print(*log.lines, sep="\n", file=out)


main()
