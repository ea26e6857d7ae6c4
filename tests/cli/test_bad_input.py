#!/usr/bin/env python3
"""What goes wrong is said in one clear sentence with its own exit code, and the ledger is as it was."""
import fcntl
import os
import shutil
import subprocess
import time

from custody_test import CUSTODY, VERIFY, Ledger, Skip, call, custody, fill, main, noise, picture, same, stamps, test, verify

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
DERIVED = ("node/index.db", "node/lock", "outbox/lock")


def need_root():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")


def evidence(root):
    """Everything of a ledger but what is derived, and folders' times."""
    return {n: s for n, s in picture(root).items() if not n.startswith(DERIVED) and s[3] != ""}


def refused(ledger, *args, code, says=(), **how):
    """The verb fails with this code and one sentence of substance that says this; and the ledger is as it was."""
    before = evidence(ledger.root)
    answer = ledger.run(*args, code=code, **how)
    assert answer.out == "" or code == 2, answer
    assert len(answer.error) > 40 and answer.err.count("\ncustody: ") <= 1, answer
    for words in [says] if isinstance(says, str) else says:
        assert words in answer.error, f"{words!r} is missing: {answer}"
    same(before, evidence(ledger.root))
    return answer


def made(folder, *cases, **how):
    return Ledger.new(folder / "L", *cases, **how)


# ---- sources ----
@test
def a_path_that_is_not_there(folder):
    ledger = made(folder)
    refused(ledger, "deposit", folder / "gone", code=10, says="gone")
    refused(ledger, "deposit", folder / "gone" / "deeper", code=10, says="gone")
    refused(ledger, "deposit", "", code=10)
    refused(ledger, "claim", folder / "gone", "-o", folder / "claim", code=10, says="gone")
    assert not (folder / "claim").exists()


@test
def what_is_handed_in_has_a_largest_size(folder):
    ledger = made(folder)
    ledger.run("case", "open", "c" * 100)
    refused(ledger, "case", "open", "d" * 101, code=1, says="100 bytes")
    source = fill(folder / "a", b"a")
    form = folder / "form"
    form.write_bytes(b"note: n\n" + b"#" * (65536 - 8))
    ledger.run("deposit", "--details", form, source)
    form.write_bytes(form.read_bytes() + b"#")
    refused(ledger, "deposit", "--details", form, source, code=1, says="form")
    with open(folder / "list", "wb") as out:
        out.write(b"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n")
        out.write(b"#\n" * ((2**26 - out.tell()) // 2) + b"\n" * ((2**26 - out.tell()) % 2))
    assert os.path.getsize(folder / "list") == 2**26
    ledger.run("deposit", "--expect", f"@{folder / 'list'}", source)
    with open(folder / "list", "ab") as out:
        out.write(b"\n")
    refused(ledger, "deposit", "--expect", f"@{folder / 'list'}", source, code=1, says="list")


@test
def what_comes_before_a_bad_path_is_recorded_and_the_bad_path_named(folder):
    ledger = made(folder)
    answer = ledger.run("deposit", "--json", fill(folder / "a", b"a"), folder / "gone", fill(folder / "c", b"c"), code=10)
    assert [r["exhibit"] for r in answer.rows] == ["unfiled/1"] and "gone" in answer.error, answer
    ledger.clean()
    assert len(ledger.run("ls", "--json").rows) == 1


@test
def a_path_that_may_not_be_read(folder):
    need_root()
    (folder / "open").mkdir()
    os.chmod(folder, 0o755), os.chmod(folder / "open", 0o777)
    fill(folder / "secret", b"x"), os.chmod(folder / "secret", 0o600)
    fill(folder / "dir/a", b"x"), fill(folder / "dir/locked/b", b"x"), os.chmod(folder / "dir/locked", 0o700)
    call([*NOBODY, CUSTODY, "init", folder / "open/L"], cwd="/")
    ledger = Ledger(folder / "open/L")
    before = evidence(ledger.root)
    for path in (folder / "secret", folder / "dir"):
        answer = call([*NOBODY, CUSTODY, "deposit", path], env={"CUSTODY_LEDGER": str(ledger.root)}, cwd="/", code=12)
        assert ("secret" if path.name == "secret" else "locked") in answer.error and len(answer.error) > 40, answer
    same({n: s for n, s in before.items() if "/log" in n or "outbox" in n}, {n: s for n, s in evidence(ledger.root).items() if "/log" in n or "outbox" in n})


@test
def a_file_that_vanishes_or_changes_while_it_is_read(folder):
    ledger, source = made(folder), folder / "busy"
    for i in range(300):
        fill(source / f"{i:03}", noise(20_000, i))
    entries, codes = ledger.run("status", "--json").row["entries"], set()
    for attempt in range(8):
        running = subprocess.Popen([CUSTODY, "deposit", source], env={**os.environ, "CUSTODY_LEDGER": str(ledger.root)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.002 * attempt)
        if attempt % 2:
            for i in range(299, 250, -1):
                os.rename(source / f"{i:03}", folder / f"away-{i}")
        else:
            for i in range(299, 200, -1):
                with open(source / f"{i:03}", "r+b") as f:
                    f.write(b"changed")
        _, err = running.communicate(timeout=60)
        codes.add(running.returncode)
        assert running.returncode in (0, 1, 10), err
        assert running.returncode == 0 or len(err.strip().splitlines()[-1]) > 30, err
        if running.returncode == 0:
            entries += 4
        for i in range(299, 250, -1):
            if (folder / f"away-{i}").exists():
                os.rename(folder / f"away-{i}", source / f"{i:03}")
    ledger.clean()
    assert ledger.run("status", "--json").row["entries"] == entries
    return f"exit codes {sorted(codes)}"


@test
def devices_pipes_and_sockets_are_refused_with_advice(folder):
    ledger = made(folder)
    os.mkfifo(folder / "pipe")
    refused(ledger, "deposit", folder / "pipe", code=12)
    refused(ledger, "deposit", "/dev/null", code=12)
    if os.geteuid() == 0:
        try:
            os.mknod(folder / "disk", 0o600 | 0o060000, os.makedev(7, 77))
        except PermissionError as why:
            raise Skip("no device nodes here") from why
        answer = refused(ledger, "deposit", folder / "disk", code=12)
        assert any(tool in answer.error for tool in ("ewfacquire", "dc3dd")) and "image" in answer.error, answer


# ---- the place ----
@test
def no_space_left_is_said_and_nothing_half_done_counts(folder):
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small file system")
    small = folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", small], check=False, capture_output=True).returncode:
        raise Skip("no mounts here")
    try:
        ledger = Ledger.new(small / "L", "C1")
        first = ledger.deposit("--case", "C1", fill(folder / "a", noise(100_000)))[0]
        answer = ledger.run("deposit", "--case", "C1", fill(folder / "big", noise(30_000_000)), code=1)
        assert "space" in answer.error and len(answer.error) > 40, answer
        many = folder / "many"
        for i in range(400):
            fill(many / str(i), noise(50_000, i))
        ledger.run("deposit", "--case", "C1", many, code=1)
        verify("--trust", ledger.trust, first["receipt"], folder / "a")
        assert [r["exhibit"] for r in ledger.run("ls", "--json", "--case", "C1").rows] == ["C1/1"]
        subprocess.run(["mount", "-o", "remount,size=400m", small], check=True)
        rows = ledger.deposit("--case", "C1", folder / "big", many)
        assert [r["exhibit"] for r in rows] == ["C1/2", "C1/3"], rows
        ledger.clean()
    finally:
        subprocess.run(["umount", "-l", small], check=False)


@test
def a_ledger_that_cannot_be_written_reads_well_and_refuses_the_rest(folder):
    need_root()
    os.chmod(folder, 0o755)
    ledger = made(folder, "C1")
    ledger.deposit("--case", "C1", fill(folder / "a", b"evidence"))
    (folder / "out").mkdir(), os.chmod(folder / "out", 0o777)
    call(["chmod", "-R", "a+rX", ledger.root])
    before, env = stamps(ledger.root), {"CUSTODY_LEDGER": str(ledger.root)}

    def nobody(*args, **how):
        return call([*NOBODY, CUSTODY, *args], env=env, cwd=folder / "out", **how)
    for verb in (["ls"], ["trail"], ["status"], ["show", "C1/1"], ["check"], ["receipt", "C1/1", "-o", "r"], ["case", "ls"]):
        nobody(*verb)
    answer = nobody("get", "C1/1", "-o", "copy")
    assert (folder / "out/copy").read_bytes() == b"evidence" and "NOT recorded" in answer.err, answer
    for verb in (["deposit", folder / "a"], ["case", "open", "C2"], ["inventory", "C1"], ["reindex"], ["void", "1", "--reason", "x"], ["check", "--repair"]):
        assert len(nobody(*verb, code=12).error) > 40, verb
    same(before, stamps(ledger.root))


@test
def a_second_writer_is_told_at_once(folder):
    ledger = made(folder, "C1")
    fill(folder / "a", b"a")
    ledger.deposit("--case", "C1", folder / "a")
    with open(ledger.root / "node/lock", "r+b") as lock:
        locked = False
        for how in (lambda: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)):
            how()
            locked = True
        assert locked
        began = time.time()
        refused(ledger, "deposit", folder / "a", code=11, says=["nothing was recorded", "again"])
        refused(ledger, "case", "open", "C9", code=11)
        assert time.time() - began < 3
        for verb in (["ls"], ["show", "C1/1"], ["status"], ["trail"], ["check"]):
            ledger.run(*verb)
        ledger.run("get", "C1/1", "-o", folder / "out")
    ledger.deposit("--case", "C1", folder / "a")
    assert any(r["kind"] == "access" for r in ledger.run("trail", "--json").rows)


@test
def a_ledger_of_a_newer_format_or_a_damaged_one_is_left_alone(folder):
    ledger = made(folder)
    fill(folder / "a", b"a")
    fill(ledger.root / "format", b"custody-ledger/v2\n")
    for verb in (["ls"], ["deposit", folder / "a"], ["check"], ["check", "--repair"], ["status"]):
        refused(ledger, *verb, code=1, says="newer")
    fill(ledger.root / "format", b"custody-lodger\n")
    refused(ledger, "ls", code=2, says="format")
    fill(ledger.root / "format", b"custody-ledger/v1\n")
    ledger.clean()


@test
def a_url_and_a_folder_that_is_no_ledger(folder):
    assert "pin-trust" in custody("ls", "--ledger", "https://custody.example/", code=4).error
    assert "://" in custody("ls", "--ledger", "gopher://custody.example/", code=1).error
    answer = custody("ls", "--ledger", folder, code=10)
    assert "init" in answer.error, answer
    assert custody("ls", "--ledger", folder / "gone", code=10).error
    fill(folder / "full/file", b"x")
    answer = custody("init", folder / "full", code=12)
    assert "not empty" in answer.error, answer
    assert sorted(p.name for p in (folder / "full").iterdir()) == ["file"]
    assert custody("init", folder / "full/file", code=None).code in (1, 10, 12)
    assert custody("init", code=1).error


# ---- keys and receipts ----
@test
def a_wrong_passphrase_signs_nothing(folder):
    secret, wrong = {"CUSTODY_PASSPHRASE": "correct horse"}, {"CUSTODY_PASSPHRASE": "battery"}
    ledger = made(folder, "C1", env=secret)
    assert b"ENCRYPTED" in (ledger.root / "keys/log.pem").read_bytes() and oct((ledger.root / "keys/log.pem").stat().st_mode)[-3:] == "600"
    fill(folder / "a", b"a")
    refused(ledger, "deposit", folder / "a", code=12, env=wrong, says="passphrase")
    refused(ledger, "deposit", folder / "a", code=12, says="passphrase", start_new_session=True)
    refused(ledger, "claim", folder / "a", "-o", folder / "claim", code=12, env=wrong)
    ledger.deposit("--case", "C1", folder / "a", env=secret)
    ledger.deposit("--case", "C1", folder / "a", "--passphrase-file", fill(folder / "p", b"correct horse\n"))
    assert len(ledger.run("ls", "--json").rows) == 2  # reading needs no key
    ledger.clean()
    where = next(f for f in ledger.files("cloud/objects") if f.endswith(".pack"))
    with open(ledger.root / where, "r+b") as f:
        f.write(b"?")
    refused(ledger, "check", "--repair", code=12, env=wrong)
    ledger.check("--repair", env=secret)
    ledger.clean()


@test
def a_receipt_of_another_ledger_and_things_that_are_no_receipt(folder):
    mine, other = made(folder), Ledger.new(folder / "M")
    receipt = mine.deposit(fill(folder / "a", b"a"))[0]["receipt"]
    answer = verify("--trust", other.trust, receipt, folder / "a", code=4)
    assert "FAIL" in answer.out or "NOT PROVEN" in answer.out, answer
    assert other.run("verify", receipt, code=4)
    for junk in (b"", b"c2sp.org/tlog-proof@v1\n", b"\0" * 5000, noise(4000), open(receipt, "rb").read()[:-1], open(receipt, "rb").read() + b"\n"):
        answer = verify("--trust", mine.trust, fill(folder / "junk", junk), code=2)
        assert len(answer.out + answer.err) > 40, answer
    verify("--trust", mine.trust, fill(folder / "huge", b"x" * 3_000_000), code=None)
    for junk in (b"", b"custody-trust/v1\n", b"custody-trust/v9\n", noise(300)):  # never as if none had been named
        answer = verify("--trust", fill(folder / "trust", junk), receipt, code=None)
        assert answer.code in (1, 2) and not answer.out, answer
    verify("--trust", folder / "gone", receipt, code=10)
    verify("--trust", mine.trust, folder / "gone", code=10)
    verify(code=1), verify("--nonsense", receipt, code=1), verify("--trust", code=1), verify(receipt, "a", "b", code=1)


# ---- names ----
@test
def an_unknown_case_is_refused_with_the_nearest_name(folder):
    ledger = made(folder, "Operation Harbour", "2026-117")
    fill(folder / "a", b"a")
    refused(ledger, "deposit", "--case", "Operation Harbor", folder / "a", code=10, says="Operation Harbour")
    refused(ledger, "deposit", "--case", "2026-171", folder / "a", code=10, says="2026-117")
    answer = refused(ledger, "deposit", "--case", "something else entirely", folder / "a", code=10)
    assert "did you mean" not in answer.error, answer
    ledger.deposit("--case", "  operation   HARBOUR ", folder / "a")
    for bad in ("", " ", "a/b", "x\ny", "n" * 300):
        ledger.run("case", "open", bad, code=1)
    refused(ledger, "case", "open", "operation harbour", code=1)
    ledger.clean()


@test
def options_that_do_not_exist_or_lack_a_value(folder):
    ledger = made(folder)
    fill(folder / "a", b"a")
    for args in (["--nonsense"], ["deposit", "--nonsense", folder / "a"], ["deposit"], ["deposit", "--case"], ["deposit", "--json=yes", folder / "a"], ["nonsense"], ["show"], ["show", "a", "b"], ["check", "--sample", "x"], ["check", "--sample", "0x3"],
                 ["void", "x", "--reason", "y"], ["get"], ["claim", folder / "a"], ["deposit", "--digests", "crc32", folder / "a"], ["deposit", "-x", folder / "a"], ["deposit", "--claim", folder / "a", "b", "c"]):
        assert ledger.run(*args, code=1).error, args
    for args in (["deposit", "--claim", folder / "a"], ["deposit", "--claim", fill(folder / "junk", noise(500))], ["deposit", "--details", folder / "gone", folder / "a"]):
        answer = ledger.run(*args, code=None)
        assert answer.code in (1, 2, 10) and len(answer.error) > 20, answer
    ledger.clean()


@test
def an_output_that_cannot_be_written_is_said_and_the_deposit_stands(folder):
    ledger = made(folder, "C1")
    fill(folder / "a", b"a")
    answer = ledger.run("deposit", "--case", "C1", folder / "a", "--receipts", "/proc/nowhere", code=None)
    assert answer.code not in (0, 3) and len(answer.error) > 30, answer
    ledger.clean()
    if ledger.run("ls", "--json").rows:
        ledger.run("receipt", "C1/1", "-o", folder / "r")
        verify("--trust", ledger.trust, folder / "r", folder / "a")
    ledger.deposit("--case", "C1", folder / "a")
    assert ledger.run("get", "C1/1", "-o", folder / "no/such/folder", code=None).code in (1, 10)
    assert ledger.run("receipt", "C1/1", "-o", folder / "no/such/folder", code=None).code in (1, 10)
    receipt = folder / "whole.tlog-proof"
    ledger.run("receipt", "C1/1", "-o", receipt)
    for command in ([CUSTODY, "get", "C1/1", "-o", "-"], [CUSTODY, "ls"], [CUSTODY, "show", "C1/1", "--json"], [CUSTODY, "--help"],
                    [CUSTODY, "verify", receipt], [VERIFY, "--trust", ledger.trust, receipt]):
        with open("/dev/full", "wb") as full:  # half an answer is none
            done = subprocess.run(command, env={**os.environ, "CUSTODY_LEDGER": str(ledger.root)}, stdout=full, stderr=subprocess.PIPE, check=False)
            assert done.returncode != 0 and (done.stderr or "--help" in command), done
    ledger.clean()


if __name__ == "__main__":
    main()
