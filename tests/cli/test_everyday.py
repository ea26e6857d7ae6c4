#!/usr/bin/env python3
"""Every verb as people use it: with and without --json, by number, prefix, digest and label; files and folders of every sort."""
import hashlib
import json
import os
import re
import subprocess

from custody_test import CUSTODY, ENVIRONMENT, Ledger, call, custody, fill, main, noise, picture, same, test, verify

HEX = re.compile(r"[0-9a-f]{64}")
ODD = [bytes([c]) for c in range(1, 256) if c not in (0x2f, 0x2e)]


def ledger_in(folder, *cases, **how):
    return Ledger.new(folder / "L", *cases, **how)


def receipt_of(row):
    assert row["receipt"], row
    return row["receipt"]


# ---- a ledger and its verbs ----
@test
def two_commands_are_enough(folder):
    (folder / "L").mkdir()
    custody("init", folder / "L")
    fill(folder / "photo.jpg", noise(5000))
    answer = custody("deposit", folder / "photo.jpg", cwd=folder / "L")
    assert "unfiled/1" in answer.out and "receipt" in answer.out and hashlib.sha256(noise(5000)).hexdigest() in answer.out, answer
    answer = custody("verify", folder / "L/receipts/unfiled-1.tlog-proof", folder / "photo.jpg", cwd=folder / "L")
    assert "PASS" in answer.out and "Verified" in answer.out and "经验证" in answer.out, answer


@test
def what_a_deposit_says_is_what_scripts_rely_on(folder):
    ledger, data = ledger_in(folder, "C1"), noise(40_000)
    row = ledger.deposit("--case", "c1", fill(folder / "a b.bin", data), "--exhibit", "AP/1", "--note", "from the desk")[0]
    for key in ("id", "leaf", "root", "sha256"):
        assert HEX.fullmatch(row[key]), row
    assert row["exhibit"] == "C1/1" and row["case"] == "C1" and row["serial"] == 1 and row["size"] == len(data), row
    assert row["sha256"] == hashlib.sha256(data).hexdigest() and row["copies"] >= row["required"] == 1, row
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["time"]), row
    assert row["receipt"].endswith("/C1-1.tlog-proof") and os.path.isfile(row["receipt"]), row


@test
def two_cases_never_share_the_name_of_a_receipt(folder):
    ledger = ledger_in(folder, "Case One")
    for like in ("case-one", "CASE ONE", "Case-One", "case:one"):
        answer = ledger.run("case", "open", like, code=1)
        assert "Case One" in answer.err, answer
    row = ledger.deposit("--case", "case-one", fill(folder / "a", b"a"))[0]
    assert row["exhibit"] == "Case One/1", row
    words = ledger.run("deposit", "--case", "Case One", fill(folder / "b", b"b"))
    assert words.out.startswith("Case One/2 "), words


@test
def every_reading_verb_answers_in_words_and_in_json_and_writes_nothing(folder):
    ledger = ledger_in(folder, "C1")
    ledger.deposit("--case", "C1", fill(folder / "a", b"a"), "--exhibit", "AP/1")
    before = picture(ledger.root)
    for verb in (["ls"], ["ls", "--case", "C1"], ["case", "ls"], ["show", "C1/1"], ["trail"], ["trail", "C1/1"], ["status"], ["check"], ["check", "--sample", "3"], ["check", "--only", "hashes"], ["doctor"], ["doctor", "--limits"]):
        words = ledger.run(*verb)
        assert words.out.strip(), words
        data = ledger.run(*verb, "--json")
        assert data.out.strip() and data.out != words.out, data
        for line in data.out.splitlines():
            json.loads(line)
    after = {n: s for n, s in picture(ledger.root).items() if not n.startswith("node/index.db-")}
    same({n: s for n, s in before.items() if not n.startswith("node/index.db-")}, after)


@test
def hashes_alone_are_judged_and_it_is_said_that_nothing_else_was(folder):
    ledger = ledger_in(folder, "C1")
    ledger.deposit("--case", "C1", fill(folder / "a", b"a"))
    whole = ledger.run("check", "--json").rows[0]
    for only, entries, objects in (("hashes", whole["entries"], whole["objects"]), ("log", whole["entries"], 0), ("objects", 0, whole["objects"])):
        answer = ledger.run("check", "--only", only, "--json").rows[0]
        assert (answer["ok"], answer["only"], answer["entries"], answer["signatures"], answer["objects"]) == (True, only, entries, 0, objects), answer
        assert "nothing else was judged" in ledger.run("check", "--only", only).out
    for wrong in (["--only", "signatures"], ["--only", "log", "--repair"]):
        assert ledger.run("check", *wrong, code=1).error
    (ledger.root / "trust/policy").write_text("x")
    ledger.run("check", "--only", "hashes")
    ledger.run("check", code=2)
    pack = next((ledger.root / "node/objects/packs").glob("*/*.pack"))
    pack.write_bytes(pack.read_bytes()[:-1])
    ledger.run("check", "--only", "log")
    ledger.run("check", "--only", "objects", code=2)


@test
def an_exhibit_answers_to_number_prefix_digest_and_label(folder):
    ledger = ledger_in(folder, "C1")
    row = ledger.deposit("--case", "C1", fill(folder / "a", noise(300)), "--exhibit", "AP/7")[0]
    shown = ledger.run("show", "C1/1").out
    for name in ("c1/1", row["id"], row["id"][:8], row["id"][:4], row["sha256"], "AP/7"):
        assert ledger.run("show", name).out == shown, name
    for name in ("C1/2", "C2/1", "ffff", "AP/8", ""):
        answer = ledger.run("show", name, code=10)
        assert answer.out == "" and len(answer.error) > 20, answer


@test
def every_flag_has_an_environment_variable(folder):
    ledger = ledger_in(folder, "C1", "C2")
    fill(folder / "a", b"a")
    rows = ledger.run("deposit", folder / "a", env={"CUSTODY_CASE": "C2", "CUSTODY_JSON": "1", "CUSTODY_NOTE": "said so", "CUSTODY_EXHIBIT": "X/1"}).rows
    assert rows[0]["exhibit"] == "C2/1", rows
    assert "said so" in ledger.run("show", "X/1").out
    assert ledger.run("deposit", folder / "a", "--case", "C1", "--json", env={"CUSTODY_CASE": "C2"}).rows[0]["exhibit"] == "C1/1"  # the flag wins
    assert ledger.run("deposit", folder / "a", code=3, env={"CUSTODY_NO_WAIT": "1"})
    assert ledger.run("deposit", folder / "a", code=0, env={"CUSTODY_NO_WAIT": "0"})


@test
def settings_come_from_a_file_and_give_way_to_environment_and_flags(folder):
    ledger = ledger_in(folder, "C1", "C2")
    fill(folder / "a", b"a")
    settings = folder / "custody.toml"
    settings.write_text(f"ledger = '{ledger.root}'\njson = true\n\n[deposit]  # a desk\ncase = \"C2\"\nnote = \"said so \\u00e9\"\n[node]\nrate = 5\n")
    rows = custody("deposit", folder / "a", "--config", settings, cwd="/").rows
    assert rows[0]["exhibit"] == "C2/1", rows
    assert "said so é" in custody("show", "C2/1", cwd="/", env={"CUSTODY_CONFIG": str(settings), "CUSTODY_JSON": "0"}).out
    assert custody("deposit", folder / "a", cwd="/", env={"CUSTODY_CONFIG": str(settings), "CUSTODY_CASE": "C1"}).rows[0]["exhibit"] == "C1/1"
    assert custody("deposit", folder / "a", f"--config={settings}", "--case", "C1", cwd="/", env={"CUSTODY_CASE": "C2"}).rows[0]["exhibit"] == "C1/2"
    before = picture(ledger.root)
    for text, line, word in (("json = true\ncase = 'C1'\n", 2, "case"), ("[deposit]\njson = true\n", 2, "before the first"), ("[deposits]\n\ncase = 'C1'\n", 3, "command"),
                             ("\n[node]\nrate = true\n", 3, "number"), ("[deposit]\nno-wait = 'yes'\n", 2, "true or false"), ("[deposit]\ncase = C1\n", 2, "quotes"),
                             ("[deposit]\ncase = 'a'\ncase = 'b'\n", 3, "second time"), ("json = true\n\x01\n", 2, "control")):
        settings.write_text(text)
        said = custody("deposit", folder / "a", "--config", settings, cwd="/", code=1).error
        assert f"line {line}:" in said and word in said and "nothing was begun" in said, (text, said)
    assert "no such file" in custody("status", "--config", folder / "none", code=1).error
    same(before, picture(ledger.root))


@test
def what_backup_lists_is_copied_while_the_ledger_is_in_use_and_comes_back(folder):
    ledger = ledger_in(folder, "C1")
    rows = {}
    evidence = [fill(folder / f"e{i}", noise(70000 + i, i)) for i in range(12)]
    worker = subprocess.Popen([CUSTODY, "deposit", "--ledger", ledger.root, "--case", "C1", "--quiet", *evidence[:6]], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    to = folder / "restored"
    to.mkdir()
    for row in ledger.run("backup", "--json").rows[0]:  # in its order, one after the other
        rows[row["path"]] = row["do"]
        if row["do"] in ("copy", "copy apart"):
            copied = call(["cp", "-r", "--parents", row["path"], to], cwd=ledger.root, code=None)
            assert all("/incoming/" in line for line in copied.err.splitlines()) and (copied.code == 0 or copied.err), copied  # what was on its way has come
    assert worker.wait() == 0
    ledger.deposit("--case", "C1", *evidence[6:])
    assert rows["node/journal"] == rows["outbox"] == "never back" and rows["keys"] == "copy apart", rows
    restored = Ledger(to)
    restored.run("reindex")
    missing = [f["where"] for f in restored.check(code=2)["findings"]]  # what was acknowledged and not in the log, and what came between the copies of both logs
    assert missing[-1] == "node/journal/head" and all(where.startswith("node/log/") for where in missing[:-1]), missing
    restored.run("check", "--repair", code=None)
    restored.clean()
    before, after = len(restored.run("ls", "--json").rows), len(ledger.run("ls", "--json").rows)
    assert before < after == 12, (before, after)
    said = ledger.run("backup").out
    assert said.index("node/log") < said.index("node/objects") < said.index("never back"), said


@test
def the_ledger_is_found_upward_by_flag_and_by_variable(folder):
    ledger = ledger_in(folder, "C1")
    (ledger.root / "receipts/deep").mkdir(parents=True)
    here = custody("status", cwd=ledger.root).out
    assert custody("status", cwd=ledger.root / "receipts/deep").out == here
    assert custody("status", "--ledger", ledger.root, cwd="/").out == here
    assert custody("status", "--ledger=" + str(ledger.root), cwd="/").out == here
    assert custody("--ledger", ledger.root, "status", cwd="/").out == here
    assert custody("status", cwd="/", env={"CUSTODY_LEDGER": str(ledger.root)}).out == here
    assert custody("status", cwd="/", code=10).error.count("init") == 1


@test
def help_speaks_of_every_command(_):
    listed = re.findall(r"^  ((?:[a-z-]+ ?)+?)  +\S", custody("help").out, re.M)
    assert len(listed) >= 20, listed
    for name in listed:
        assert f"custody {name}" in custody("help", *name.split()).out, name
        assert custody(*name.split(), "--help").out == custody("help", *name.split()).out
    for shell in ("bash", "zsh", "fish"):
        assert "deposit" in custody("completion", shell).out
    assert custody("--version").out.startswith("custody ")


# ---- kinds of evidence ----
@test
def standard_input_an_empty_file_and_one_of_every_awkward_size(folder):
    ledger = ledger_in(folder, "C1")
    assert ledger.deposit("-", stdin=b"piped")[0]["sha256"] == hashlib.sha256(b"piped").hexdigest()
    assert ledger.run("get", "unfiled/1", "-o", "-").raw == b"piped"
    sizes = [0, 1, 4095, 4096, 4097, 32768, 32769, 1048575, 1048576, 1048577, 2097152, 3000001]
    rows = ledger.deposit("--case", "C1", *[fill(folder / f"f{n}", noise(n, n)) for n in sizes], "--receipts", folder / "R")
    assert [r["size"] for r in rows] == sizes and [r["exhibit"] for r in rows] == [f"C1/{i + 1}" for i in range(len(sizes))], rows
    for row, n in zip(rows, sizes):
        verify("--trust", ledger.trust, row["receipt"], folder / f"f{n}")
        assert ledger.run("get", row["exhibit"], "-o", "-").raw == noise(n, n)
        if n > 2:
            assert ledger.run("get", row["exhibit"], "-o", "-", "--range", f"1-{n - 2}").raw == noise(n, n)[1:-1]
        ledger.run("get", row["exhibit"], "-o", "-", "--range", f"0-{n}", code=1)
    ledger.clean()


@test
def names_of_any_bytes_come_back_as_they_were(folder):
    ledger, source = ledger_in(folder, "C1"), folder / "odd"
    source.mkdir()
    base = os.fsencode(source)
    for name in ODD:
        with open(base + b"/x" + name, "wb") as f:
            f.write(name)
    for name in (b"-", b"--json", b" ", b"\xff\xfe", b"...", "证据".encode(), b"a" * 255):
        with open(base + b"/" + name, "wb") as f:
            f.write(b"odd")
    row = ledger.deposit("--case", "C1", source, "--receipts", folder / "R")[0]
    answer = verify("--trust", ledger.trust, row["receipt"], source)
    assert answer.code == 0
    ledger.run("get", "C1/1", "-o", folder / "out")
    got = {n: open(os.fsencode(folder / "out") + b"/" + n, "rb").read() for n in os.listdir(os.fsencode(folder / "out"))}
    assert got == {n: open(base + b"/" + n, "rb").read() for n in os.listdir(base)}
    name = base + b"/x\xff\n"
    with open(name, "wb") as f:
        f.write(b"by itself")
    answer = call([ledger_binary(), "deposit", "--json", "--case", "C1", name], env={"CUSTODY_LEDGER": str(ledger.root)})
    assert answer.row["exhibit"] == "C1/2", answer
    for verb in ("ls", "trail", "show C1/2"):
        for flags in ([], ["--json"]):
            out = ledger.run(*verb.split(), *flags).raw
            assert b"\x1b" not in out and out.decode("utf-8"), verb
    ledger.clean()


def ledger_binary():
    from custody_test import CUSTODY
    return CUSTODY


@test
def a_folder_comes_back_with_links_holes_modes_and_times(folder):
    ledger, source = ledger_in(folder, "C1"), folder / "tree"
    fill(source / "a/b/c/deep.txt", b"deep"), fill(source / "run.sh", b"#!/bin/sh\n"), fill(source / "empty", b"")
    (source / "nothing").mkdir()
    os.chmod(source / "run.sh", 0o750), os.chmod(source / "empty", 0o400)
    os.symlink("a/b/c/deep.txt", source / "link"), os.symlink("/etc/shadow", source / "outside"), os.symlink("gone", source / "dangling")
    os.link(source / "run.sh", source / "again.sh")
    with open(source / "holes.img", "wb") as f:
        f.truncate(40 << 20)
        f.seek(20 << 20)
        f.write(b"in the middle")
    os.mkfifo(source / "pipe")
    for path, t in ((source / "run.sh", 1_000_000_000_123_456_789), (source / "a/b", 981_173_106_987_654_321), (source / "empty", -86_400_000_000_001)):
        os.utime(path, ns=(t, t))
    row = ledger.deposit("--case", "C1", source, "--receipts", folder / "R")[0]
    assert row["size"] >= 40 << 20, row
    verify("--trust", ledger.trust, row["receipt"], source)
    ledger.run("get", "C1/1", "-o", folder / "out")
    (source / "pipe").unlink()
    mtimes = {p: p.stat().st_mtime_ns for p in (source / "run.sh", source / "a/b", source / "empty")}
    for p, t in mtimes.items():
        assert (folder / "out" / p.relative_to(source)).stat().st_mtime_ns == t, p
    same({n: s for n, s in picture(source).items() if n != "."}, {n: s for n, s in picture(folder / "out").items() if n != "."})
    ledger.clean()


@test
def a_folder_of_3000_items_is_one_deposit_and_each_item_verifies_alone(folder):
    ledger, source = ledger_in(folder, "C1"), folder / "many"
    for i in range(3000):
        fill(source / f"{i % 30:02}/{i:04}.txt", f"item {i}\n".encode() * (1 + i % 50))
    row = ledger.deposit("--case", "C1", source, "--receipts", folder / "R")[0]
    assert row["items"] >= 3000 and os.path.isfile(row["receipt"] + ".manifest"), row
    verify("--trust", ledger.trust, row["receipt"], source)
    verify("--trust", ledger.trust, row["receipt"], source / "07/0007.txt")
    verify("--trust", ledger.trust, row["receipt"])
    os.rename(row["receipt"] + ".manifest", folder / "manifest")
    answer = verify("--trust", ledger.trust, row["receipt"], source, code=10)
    assert ".manifest" in answer.error and "content root" in answer.error, answer
    verify("--trust", ledger.trust, "--manifest", folder / "manifest", row["receipt"], source)
    answer = verify("--trust", ledger.trust, "--manifest", fill(folder / "bad", b"x" + (folder / "manifest").read_bytes()[1:]), row["receipt"], source, code=2)
    ledger.run("get", "C1/1", "-o", folder / "out")
    assert subprocess.run(["diff", "-r", source, folder / "out"], check=False).returncode == 0


@test
def the_same_file_twice_is_two_deposits_of_one_object(folder):
    ledger, data = ledger_in(folder, "C1"), noise(3_000_000)
    first = ledger.deposit("--case", "C1", fill(folder / "a", data))[0]
    size = sum(p.stat().st_size for p in (ledger.root / "cloud/objects").rglob("*") if p.is_file())
    second = ledger.deposit("--case", "C1", fill(folder / "b", data))[0]
    assert first["id"] != second["id"] and first["root"] == second["root"] and second["exhibit"] == "C1/2" and second["serial"] == 2
    assert sum(p.stat().st_size for p in (ledger.root / "cloud/objects").rglob("*") if p.is_file()) < size + 100_000
    both = ledger.deposit("--case", "C1", folder / "a", folder / "a", folder / "b")
    assert [r["exhibit"] for r in both] == ["C1/3", "C1/4", "C1/5"], both
    ledger.clean()


# ---- claims, waiting, previews ----
@test
def a_claim_is_signed_offline_and_deposited_later(folder):
    ledger, path = ledger_in(folder, "C1"), fill(folder / "scene.mp4", noise(2_000_000))
    ledger.run("claim", path, "-o", folder / "claim", "--case", "C1", "--note", "at the scene")
    assert ledger.run("status", "--json").row["exhibits"] == 0
    ledger.deposit("--case", "C1", fill(folder / "between", b"x"))
    os.rename(path, folder / "moved.mp4")
    assert ledger.run("deposit", "--claim", folder / "claim", code=10).error
    row = ledger.deposit("--claim", folder / "claim", folder / "moved.mp4")[0]
    assert row["serial"] == 1 and row["exhibit"] == "C1/2", row
    again = ledger.deposit("--claim", folder / "claim", folder / "moved.mp4")[0]
    assert again["id"] == row["id"] and again["exhibit"] == row["exhibit"] and again["duplicate"], again
    with open(folder / "moved.mp4", "ab") as f:
        f.write(b"!")
    before = ledger.run("status", "--json").row["entries"]
    answer = ledger.run("deposit", "--claim", folder / "claim", folder / "moved.mp4", code=2)
    assert "not the bytes" in answer.error and ledger.run("status", "--json").row["entries"] == before, answer
    verify("--trust", ledger.trust, row["receipt"])


@test
def without_waiting_the_receipt_comes_later(folder):
    ledger = ledger_in(folder, "C1")
    answer = ledger.run("deposit", "--json", "--no-wait", "--case", "C1", fill(folder / "a", noise(100)), code=3)
    assert answer.row["receipt"] is None and answer.row["copies"] == 0, answer
    assert "not give the original back" in ledger.run("deposit", "--no-wait", "--case", "C1", fill(folder / "b", noise(101)), code=3).out
    for n, name in ((1, "a"), (2, "b")):
        ledger.run("receipt", f"C1/{n}", "-o", folder / f"r{n}")
        verify("--trust", ledger.trust, folder / f"r{n}", folder / name)
    ledger.clean()
    assert [r["copies"] for r in ledger.run("ls", "--json").rows] == [1, 1]


@test
def a_dry_run_signs_and_stores_nothing(folder):
    ledger = ledger_in(folder, "C1")
    fill(folder / "d/x", b"x")
    before = picture(ledger.root)
    answer = ledger.run("deposit", "--dry-run", "--case", "C1", fill(folder / "a", b"abc"), folder / "d")
    assert hashlib.sha256(b"abc").hexdigest() in answer.out and "nothing was" in answer.out, answer
    same({n: s for n, s in before.items() if not n.startswith("node/index.db-")}, {n: s for n, s in picture(ledger.root).items() if not n.startswith("node/index.db-")})
    ledger.run("deposit", "--dry-run", "--case", "C7", folder / "a", code=10)


# ---- what is expected ----
@test
def expected_digests_are_compared_before_anything_is_signed(folder):
    ledger, data = ledger_in(folder, "C1"), noise(70_000)
    path = fill(folder / "disk.img", data)
    good = {a: hashlib.new(a, data).hexdigest() for a in ("md5", "sha1", "sha256")}
    for alg, value in good.items():
        ledger.run("deposit", "--expect", f"{alg}:{value}", path)
        ledger.run("deposit", "--expect", f"{alg}:{value.upper()}", path)
    before = picture(ledger.root)
    for alg, value in good.items():
        wrong = ("0" if value[0] != "0" else "1") + value[1:]
        answer = ledger.run("deposit", "--expect", f"{alg}:{wrong}", path, code=2)
        assert "disk.img" in answer.error and alg in answer.error, answer
    for bad in ("md5", "md5:", "md5:xyz", "rot13:00", "sha256:" + good["md5"], "@/nowhere"):
        assert ledger.run("deposit", "--expect", bad, path, code=None).code in (1, 2, 10), bad
    now = picture(ledger.root)
    for part in ("node/log", "cloud/log", "outbox", "node/state"):
        same({n: s for n, s in before.items() if n.startswith(part)}, {n: s for n, s in now.items() if n.startswith(part)})


@test
def lists_of_digests_are_compared_whole(folder):
    ledger, source = ledger_in(folder, "C1"), folder / "tree"
    for i in range(5):
        fill(source / f"d{i}/f{i}.bin", noise(1000 + i, i))
    os.link(source / "d3/f3.bin", source / "d4/again.bin")

    def listing(alg):
        return subprocess.run(f"find . -type f | sort | xargs {alg}sum", shell=True, cwd=source, capture_output=True, check=True).stdout
    for alg in ("md5", "sha1", "sha256"):
        ledger.run("deposit", "--expect", f"@{fill(folder / alg, listing(alg))}", source)
    entries = ledger.run("status", "--json").row["entries"]
    lines = listing("sha256").decode().splitlines()
    wrong = [lines[0].replace(lines[0][:4], "0000", 1), *lines[1:]]
    answer = ledger.run("deposit", "--expect", f"@{fill(folder / 'wrong', chr(10).join(wrong).encode())}", source, code=2)
    assert "f0.bin" in answer.error, answer
    answer = ledger.run("deposit", "--expect", f"@{fill(folder / 'more', (chr(10).join(lines) + chr(10) + '0' * 64 + '  ./gone.bin').encode())}", source, code=10)
    assert "gone.bin" in answer.error, answer
    ledger.run("deposit", "--expect", f"@{fill(folder / 'empty', b'')}", source, code=None)
    assert ledger.run("status", "--json").row["entries"] == entries


FORM = """# a form
case-number: 2026-117
cause: theft of data
place: Shenzhen, Nanshan, Keyuan Rd 2
collected: the phone's image, 64 GB
category: image of a storage medium
format: raw
method: dc3dd behind a write blocker
process: switched off, imaged, sealed
original: no
source: the original stays sealed with the holder
collectors: Li Wei; inspector; Nanshan branch
collectors: Zhang San; inspector; Nanshan branch
device imei: 490154203237518
holder name: Wang Wu
"""


@test
def a_police_collection_is_filled_in_like_the_form(folder):
    ledger, path = ledger_in(folder, "C1"), fill(folder / "phone.img", noise(50_000))
    assert "police-collection" in custody("help", "deposit").out
    before = picture(ledger.root)
    bare = ledger.run("deposit", "--profile", "police-collection", "--case", "C1", path, code=1)
    for field in ("case-number", "cause", "collectors", "place", "method"):
        assert field in bare.error, bare
    for wrong in ("no-such-field: x\n" + FORM, FORM.replace("original: no\n", "original: perhaps\n"), FORM.replace("collectors: Zhang San; inspector; Nanshan branch\n", "")):
        answer = ledger.run("deposit", "--profile", "police-collection", "--details", fill(folder / "bad", wrong.encode()), "--case", "C1", path, code=1)
        assert len(answer.error) > 40, answer
    ledger.run("deposit", "--profile", "nonsense", path, code=1)
    same({n: s for n, s in before.items() if "/objects" in n or "/log" in n or "outbox" in n}, {n: s for n, s in picture(ledger.root).items() if "/objects" in n or "/log" in n or "outbox" in n})
    row = ledger.deposit("--profile", "police-collection", "--details", fill(folder / "form", FORM.encode()), "--case", "C1", path)[0]
    shown = ledger.run("show", "C1/1").out
    for value in ("2026-117", "Li Wei; inspector; Nanshan branch", "490154203237518", "dc3dd"):
        assert value in shown, shown
    verify("--trust", ledger.trust, row["receipt"], path)
    ledger.run("claim", path, "-o", folder / "claim", "--profile", "police-collection", code=1)


# ---- further statements ----
@test
def corrections_voids_and_inventories_go_on_record(folder):
    ledger = ledger_in(folder, "C1")
    ledger.deposit("--case", "C1", fill(folder / "a", b"a"), fill(folder / "b", b"b"))
    ledger.run("correct", "C1/1", "--text", "the label read AP/2", code=None)
    ledger.run("claim", folder / "a", "-o", folder / "claim", "--case", "C1")
    ledger.run("void", "3", "--reason", "the phone was returned")
    assert "never signed here" in ledger.run("void", "9", "--reason", "a slip of the finger", code=1).err
    answer = ledger.run("inventory", "C1", "-o", folder / "inventory", "--json")
    assert answer.rows[0]["exhibits"] == 2, answer
    verify("--trust", ledger.trust, folder / "inventory")
    kinds = [r["kind"] for r in ledger.run("trail", "--json").rows]
    assert "void" in kinds and "inventory" in kinds and "correction" in kinds, kinds
    ledger.clean()


@test
def every_read_of_evidence_is_on_record(folder):
    ledger = ledger_in(folder, "C1")
    ledger.deposit("--case", "C1", fill(folder / "a", b"secret"))
    ledger.run("get", "C1/1", "-o", folder / "out", "--reason", "for the hearing", "--authority", "court order 7")
    assert (folder / "out").read_bytes() == b"secret"
    assert any(r["kind"] == "access" for r in ledger.run("trail", "--json").rows)
    assert "for the hearing" in ledger.run("trail").out + ledger.run("show", "C1/1").out
    ledger.run("get", "C1/1", cwd=folder / "L" / "receipts")
    ledger.run("get", "C1/1", cwd=folder / "L" / "receipts", code=1)  # it is there already
    ledger.clean()


# ---- verify ----
@test
def a_changed_added_or_removed_file_is_named(folder):
    ledger, source = ledger_in(folder, "C1"), folder / "case folder"
    for i in range(6):
        fill(source / f"sub/{i}.bin", noise(5000 + i, i))
    receipt = receipt_of(ledger.deposit("--case", "C1", source, "--receipts", folder / "R")[0])
    verify("--trust", ledger.trust, receipt, source)
    data = (source / "sub/3.bin").read_bytes()
    for changed in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1], data + b"\0", b""):
        times = (source / "sub/3.bin").stat()
        fill(source / "sub/3.bin", changed)
        os.utime(source / "sub/3.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
        answer = verify("--trust", ledger.trust, receipt, source, code=2)
        assert "sub/3.bin" in answer.out, answer
        os.utime(fill(source / "sub/3.bin", data), ns=(times.st_atime_ns, times.st_mtime_ns))
    fill(source / "sub/extra", b"")
    assert "sub/extra" in verify("--trust", ledger.trust, receipt, source, code=2).out
    (source / "sub/extra").unlink()
    os.rename(source / "sub/5.bin", folder / "away")
    assert "sub/5.bin" in verify("--trust", ledger.trust, receipt, source, code=2).out
    assert "sub/5.bin" in verify("--json", "--trust", ledger.trust, receipt, source, code=2).out
    os.rename(folder / "away", source / "sub/6.bin")
    answer = verify("--trust", ledger.trust, receipt, source, code=2)
    assert "sub/5.bin" in answer.out and "sub/6.bin" in answer.out, answer


@test
def metadata_that_differs_is_a_line_of_its_own_and_no_failure(folder):
    ledger, source = ledger_in(folder, "C1"), folder / "tree"
    fill(source / "a", b"a"), fill(source / "b/c", b"c")
    receipt = receipt_of(ledger.deposit("--case", "C1", source, "--receipts", folder / "R")[0])
    os.utime(source / "a", (1, 1)), os.chmod(source / "b/c", 0o600)
    answer = verify("--trust", ledger.trust, receipt, source)
    assert re.search(r"metadata\s+a\b", answer.out) and re.search(r"metadata\s+b/c\b", answer.out), answer


@test
def a_single_file_is_compared_byte_for_byte(folder):
    ledger, data = ledger_in(folder, "C1"), noise(1_200_000)
    receipt = receipt_of(ledger.deposit("--case", "C1", fill(folder / "a", data))[0])
    verify("--trust", ledger.trust, receipt, folder / "a")
    verify("--trust", ledger.trust, receipt, "-", stdin=data)
    verify("--trust", ledger.trust, receipt, "-", stdin=data + b"x", code=2)
    verify("--trust", ledger.trust, receipt, fill(folder / "b", data[:600_000] + b"\xff" + data[600_001:]), code=2 if data[600_000] != 255 else 0)
    verify("--trust", ledger.trust, receipt, folder, code=2)
    verify("--trust", ledger.trust, receipt, folder / "gone", code=10)


@test
def without_a_pinned_trust_file_it_never_exits_0(folder):
    ledger = ledger_in(folder, "C1")
    receipt = receipt_of(ledger.deposit("--case", "C1", fill(folder / "a", b"a"))[0])
    verify(receipt, code=4), verify(receipt, folder / "a", code=4)
    custody("verify", receipt, folder / "a", cwd="/", code=4)
    other = Ledger.new(folder / "M")
    verify("--trust", other.trust, receipt, code=4)


if __name__ == "__main__":
    main()
