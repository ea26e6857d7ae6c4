"""What is asked of a ledger's folder, whatever serves it."""
import hashlib


def log_digest(ledger):
    """Every entry that its log holds: when it was stopped."""
    log = ledger / "node/log"
    size = int((log / "checkpoint").read_text().split("\n")[1])
    digest = hashlib.sha256()
    for i in range(0, size, 256):
        name = f"{i // 256:03}" + ("" if size - i >= 256 else f".p/{size - i}")
        digest.update((log / "tile/entries" / name).read_bytes())
    return size, digest.hexdigest()
