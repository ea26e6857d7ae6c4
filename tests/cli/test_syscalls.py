#!/usr/bin/env python3
"""custody-verify opens only what it is given, and says what `custody verify` says."""
import re
import shutil

from custody_test import VERIFY, Ledger, Skip, call, custody, fill, main, noise, test, verify


def made(folder):
    ledger = Ledger.new(folder / "L", "C1")
    for i in range(3):
        fill(folder / f"tree/{i}", noise(2000, i))
    rows = ledger.deposit("--case", "C1", fill(folder / "file", noise(1_200_000)), folder / "tree", "--receipts", folder / "R")
    return ledger, [r["receipt"] for r in rows]


def opened(folder, *args, code=0, **how):
    """The paths that a run opens, looks at, or connects to."""
    trace = folder / "trace"
    call(["strace", "-f", "-o", trace, "-e", "trace=file,network,process,memory", VERIFY, *args], code=code, **how)
    lines = [l for l in trace.read_text("utf-8", "replace").splitlines() if "execve" not in l]
    calls = [l.split(" ", 1)[1].strip() for l in lines if "(" in l]
    bad = [c for c in calls if re.match(r"(socket|connect|bind|fork|clone|clone3|vfork|unlink|rename|mkdir|creat|link|symlink|chmod|truncate)\b", c) and "CLONE_THREAD" not in c]
    assert not bad, bad
    return [re.match(r'\w+\((?:AT_FDCWD, |\d+(?:<[^>]*>)?, )?"((?:[^"\\]|\\.)*)"', c).group(1) for c in calls if '"' in c], calls


@test
def the_verifier_opens_only_the_files_it_was_given(folder):
    if not shutil.which("strace"):
        raise Skip("there is no strace")
    if b"__asan_init" in open(VERIFY, "rb").read():
        raise Skip("sanitizers open files of their own")
    ledger, (file_receipt, tree_receipt) = made(folder)
    hostile = {"OPENSSL_CONF": str(fill(folder / "openssl.cnf", b"[broken")), "OPENSSL_MODULES": "/tmp", "SSL_CERT_FILE": "/etc/passwd", "HOME": str(folder), "LD_LIBRARY_PATH": "/tmp"}
    for receipt, path in ((file_receipt, folder / "file"), (tree_receipt, folder / "tree"), (tree_receipt, folder / "tree/1"), (file_receipt, None)):
        args = ["--trust", ledger.trust, receipt] + ([path] if path else [])
        paths, calls = opened(folder, *args, env=hostile)
        given = [str(ledger.trust), receipt, receipt + ".manifest"] + ([str(path)] if path else [])
        others = [p for p in paths if not any(p == g or (path and p.startswith(str(path))) for g in given) and p not in ("", "0", "1", "2")]
        others = [p for p in others if p not in ("/proc/self/exe", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "/sys/devices/system/cpu/online", "/proc/self/maps")]
        assert not others, others
        writes = [c for c in calls if c.startswith("open") and ("O_WRONLY" in c or "O_RDWR" in c or "O_CREAT" in c)]
        assert not writes, writes
        assert not [c for c in calls if "PROT_WRITE|PROT_EXEC" in c]


@test
def both_programs_say_the_same_word_for_word(folder):
    ledger, (file_receipt, tree_receipt) = made(folder)
    damaged = bytearray(open(tree_receipt, "rb").read())
    damaged[len(damaged) // 2] ^= 4
    fill(folder / "tree2/0", b"other"), fill(folder / "tree2/new", b"")
    cases = [(file_receipt, folder / "file"), (file_receipt, folder / "tree/1"), (file_receipt,), (tree_receipt, folder / "tree"), (tree_receipt, folder / "tree2"), (tree_receipt, folder / "tree/2"), (tree_receipt, folder / "file"), (tree_receipt,),
             (fill(folder / "damaged", bytes(damaged)), folder / "tree"), (fill(folder / "junk", b"junk"),), (file_receipt, folder / "gone")]
    for flags in ([], ["--json"]):
        for trust in (["--trust", ledger.trust], []):
            for case in cases:
                one = verify(*flags, *trust, *case, code=None, cwd="/")
                other = custody("verify", *flags, *trust, *case, code=None, cwd="/")
                assert (one.code, one.raw) == (other.code, other.raw), f"{one}\n{other}"
                assert one.err.replace("custody-verify:", "custody:") == other.err or "--json" in flags, f"{one}\n{other}"


@test
def the_verifier_is_one_static_file_of_at_most_8_mb(_):
    data = open(VERIFY, "rb").read()
    if b"__asan_init" in data:
        raise Skip("a sanitized build is neither static nor small")
    assert len(data) <= 8 << 20, len(data)
    assert b"ld-linux" not in data[:4096] and b"/lib64/ld" not in data[:4096]
    return f"{len(data)} bytes"


if __name__ == "__main__":
    main()
