#!/usr/bin/env python3
"""Check who includes whom.

    check_includes.py [ROOT]

DESIGN's table of rooms as data: a file may include its own room and those in ALLOWED; third-party headers have one home each.
The public header include/custody/x.h belongs to the room in which src/<room>/x.c lies. Prints each wrong arrow, exits 1.
"""
import re
import sys
from pathlib import Path

PURE = ["base", "codec", "crypto", "merkle", "record", "identity", "proof"]  # each may include those before it

ALLOWED = {room: set(PURE[:i]) for i, room in enumerate(PURE)}
ALLOWED["ports"] = set(PURE)
for room in ("ledger", "content", "engine", "adapters"):
    ALLOWED[room] = set(PURE) | {"ports"}
ALLOWED["service"] = set(PURE) | {"ports", "ledger", "content"}
ALLOWED["client"] = set(PURE) | {"ports"}
ALLOWED["http"] = set(PURE) | {"ports", "service"}
ALLOWED["court"] = ALLOWED["service"] | {"service"}
ALLOWED["apps"] = set(ALLOWED) - {"apps"}
ALLOWED["tests"] = set(ALLOWED)
ALLOWED["bench"] = set(ALLOWED)  # tests too: their toy machine
ALLOWED["examples"] = set(PURE)

# Public headers without a source file of their name.
HEADER_ONLY = {"limits": "base", "schema": "codec", "types": "base"}

# Third-party headers: where they may be named.
HOMES = [
    (re.compile(r"openssl/"), {"crypto", "tests", "bench"}),  # tests make signatures that no library would; a bench asks a node without any of its libraries
    (re.compile(r"crypto_mb/"), {"crypto"}),
    (re.compile(r"sqlite3\.h$"), {"adapters"}),
    (re.compile(r"(cairo|pango/|qrencode)"), {"adapters", "tests"}),
    (re.compile(r"archive(_entry)?\.h$"), {"adapters"}),
    (re.compile(r"cmocka\.h$"), {"tests"}),
    (re.compile(r"(seccomp|linux/landlock)\.h$"), {"adapters", "tests"}),
    (re.compile(r"p11-kit/"), {"adapters", "tests"}),
    (re.compile(r"curl/"), {"adapters", "client"}),
    (re.compile(r"(microhttpd\.h$|gnutls/)"), {"http"}),
]
# The outside world stays out of the pure rooms.
IMPURE = re.compile(r"(sys/(socket|stat|mman|file|types|time|random|wait)|unistd|fcntl|pthread|threads|signal|dirent|time|netdb|poll)\.h$")
IMPURE_ALLOWED = {("crypto", "pthread.h"), ("crypto", "threads.h")}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def public_home(stem: str, root: Path) -> str | None:
    found = [p.parent.name for p in root.glob(f"src/*/{stem}.c")]
    return found[0] if found else HEADER_ONLY.get(stem)


def room_of(path: Path, root: Path) -> str | None:
    """The room in which a file lies; None for a public header whose room is not known yet."""
    parts = path.relative_to(root).parts
    if parts[:2] == ("include", "custody"):
        return public_home(path.stem, root)
    return parts[1] if parts[0] == "src" else parts[0]


def target_of(name: str, path: Path, root: Path) -> str | None:
    """The room that a quoted include leads to; None for one that cannot be placed."""
    if name.startswith("custody/"):
        return public_home(Path(name).stem, root)
    for base in (path.parent, root / "src"):
        if (base / name).exists():
            return room_of((base / name).resolve(), root)
    return None


def wrong_arrow(path: Path, root: Path, kind: str, name: str) -> str | None:
    room = room_of(path, root)
    for pattern, homes in HOMES:
        if pattern.match(name):
            return None if room in homes else f"<{name}> belongs to {', '.join(sorted(homes))}"
    if kind == "<":
        if room in PURE and IMPURE.match(name) and (room, name) not in IMPURE_ALLOWED:
            return f"{room} is pure: no <{name}>"
        return None
    target = target_of(name, path, root)
    if target is None or room is None or target == room or target in ALLOWED.get(room, set()):
        return None
    return f'{room} may not include {target} ("{name}")'


def files(root: Path):
    for top in ("include", "src", "tests", "bench", "examples"):
        yield from sorted(p for p in (root / top).rglob("*.[ch]"))


def check(root: Path) -> list[str]:
    found = []
    for path in files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            complaint = wrong_arrow(path, root, match[1], match[2])
            if complaint:
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(root)}:{line}: {complaint}")
    return found


if __name__ == "__main__":
    complaints = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(complaints), end="\n" if complaints else "")
    sys.exit(bool(complaints))
