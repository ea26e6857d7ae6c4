#!/usr/bin/env python3
"""Does the `extra` of a receipt hold this digest, somewhere in its CBOR, read by a library that is not ours?

    holds_digest.py RECEIPT HEX
"""
import base64
import sys

import cbor2


def holds(item, digest: bytes) -> bool:
    """In a value, in the parts of one, or in the CBOR that a byte string carries."""
    if isinstance(item, bytes):
        return item == digest or (len(item) > len(digest) and any(holds(inner, digest) for inner in inside(item)))
    if isinstance(item, cbor2.CBORTag):
        return holds(item.value, digest)
    if isinstance(item, dict):
        return any(holds(part, digest) for part in item.values())
    return isinstance(item, (list, tuple)) and any(holds(part, digest) for part in item)


def inside(data: bytes):
    try:
        yield cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError):
        return


def main(receipt: str, digest: str) -> int:
    lines = open(receipt, encoding="utf-8").read().splitlines()
    extra = next(line[6:] for line in lines if line.startswith("extra "))
    return not holds(cbor2.loads(base64.b64decode(extra, validate=True)), bytes.fromhex(digest))


sys.exit(main(*sys.argv[1:]))
