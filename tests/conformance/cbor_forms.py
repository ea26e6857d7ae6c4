"""CBOR in one spelling, and in others where a test asks for them: nothing but the standard library."""


class Raw(bytes):
    """Bytes as they are."""


class Pairs(list):
    """A map in the order given."""


class Tag:
    def __init__(self, number, value):
        self.number, self.value = number, value


def head(major, n, long=0):
    """`long`: how many bytes the argument takes, when more than it needs."""
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if long == size or (not long and n >= 24 and n < 1 << 8 * size):
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    return bytes([major << 5 | n])


def enc(v):
    if isinstance(v, Raw):
        return bytes(v)
    if v is None or isinstance(v, bool):
        return bytes([0xF6 if v is None else 0xF4 + v])
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, Pairs):
        return head(5, len(v)) + b"".join(enc(k) + enc(x) for k, x in v)
    if isinstance(v, dict):
        return enc(Pairs(sorted(v.items(), key=lambda p: enc(p[0]))))
    if isinstance(v, (list, tuple)):
        return head(4, len(v)) + b"".join(map(enc, v))
    return head(6, v.number) + enc(v.value)


def dec(data, at=0):
    """(value, end); of canonical bytes only."""
    major, info, at = data[at] >> 5, data[at] & 31, at + 1
    n = info
    if info >= 24:
        size = 1 << info - 24
        n, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major in (0, 1):
        return (n if major == 0 else -1 - n), at
    if major in (2, 3):
        piece = data[at:at + n]
        return (piece if major == 2 else piece.decode()), at + n
    if major in (4, 5):
        out = []
        for _ in range(n * (major - 3)):
            v, at = dec(data, at)
            out.append(v)
        return (out if major == 4 else dict(zip(out[::2], out[1::2]))), at
    if major == 6:
        v, at = dec(data, at)
        return Tag(n, v), at
    return {20: False, 21: True, 22: None}[info], at
