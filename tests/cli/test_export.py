#!/usr/bin/env python3
"""The exported case: what is in it, that it verifies, that every tampering is named, and that nothing hostile is opened."""
import base64
import csv
import functools
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import zipfile

from custody_test import CUSTODY, SANITIZED, ENVIRONMENT, Ledger, call, custody, fill, main, noise, picture, same, test, verify

WORDS = ("--to", "District Court", "--reason", "trial", "--authority", "order 5")


def room(folder, *cases):
    return Ledger.new(folder / "L", *(cases or ("C1",)))


def case_of(folder):
    """A case with a text, a long item, a folder with names that Windows would not take, and an empty file; another case beside it."""
    ledger = room(folder, "C1", "D 2")
    fill(folder / "note.txt", b"I saw the red car at nine.\n")
    fill(folder / "long.bin", noise(3_000_000))
    for i, name in enumerate(("aux.txt", "A.TXT", "a.txt", "Sub/x", "sub/x", "we:ird. ", "照片.jpg", "q?.txt", "=cmd", "con", "deep/" * 40 + "leaf")):
        fill(folder / "folder" / name, noise(100 * i + 1, i))
    fill(folder / "folder/\udcff.bin", b"no utf-8")
    os.symlink("/etc/passwd", folder / "folder/link")
    os.link(folder / "folder/A.TXT", folder / "folder/second name")
    (folder / "folder/empty").mkdir()
    fill(folder / "nothing", b"")
    ledger.deposit("--case", "C1", *(folder / n for n in ("note.txt", "long.bin", "folder", "nothing")))
    ledger.deposit("--case", "D 2", fill(folder / "other.txt", b"of the other case"))
    return ledger


def sums(bag, manifest="manifest-sha256.txt"):
    return subprocess.run(["sha256sum", "-c", "--strict", "--quiet", manifest], cwd=bag, capture_output=True, check=False)


def remake(bag):
    """Manifests as somebody who tampers would make them anew."""
    def lines(paths):
        return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bag)}\n" for p in sorted(paths))
    files = [p for p in bag.rglob("*") if p.is_file()]
    (bag / "manifest-sha256.txt").write_text(lines(p for p in files if p.relative_to(bag).parts[0] == "data"))
    (bag / "tagmanifest-sha256.txt").write_text(lines(p for p in files if p.relative_to(bag).parts[0] != "data" and p.name != "tagmanifest-sha256.txt"))


@functools.cache
def page():
    """The page's judgement as a program; None where there is no node."""
    root = pathlib.Path(__file__).resolve().parents[2]
    made = subprocess.run([root / "tools/web", "judge"], capture_output=True, check=False)
    return root / "build/web/judge.mjs" if made.returncode == 0 else None


def page_agrees(ledger, bag, row):
    """The second implementation says the same of a bag, word for word."""
    if not page() or any(p.is_symlink() for p in bag.rglob("*")):  # browsers hand no links over
        return
    told = call(["node", page(), "--bags"], stdin=f"{bag}\t{ledger.trust}\n".encode()).row
    for key in ("exit_code", "verdicts", "files", "bytes", "failures", "checks", "statement_en", "statement_zh"):
        assert told[key] == row[key], (key, row[key], told[key])
    assert [(e["exhibit"], e["content"]) for e in told["exhibits"]] == [(e["exhibit"], e["content"]) for e in row["exhibits"]], (row, told)


def judge(ledger, bag, code, *names):
    """Both programs, with the ledger's trust: the same words, and each name in a line that fails."""
    answer = verify("--trust", ledger.trust, bag, code=code)
    assert ledger.run("verify", bag, code=code).out == answer.out, answer
    bad = [line for line in answer.out.splitlines() if line.startswith("✗")]
    for name in names:
        assert any(name in line for line in bad), f"{name} is not named: {answer}"
    assert bool(bad) == (code == 2), answer
    row = verify("--json", "--trust", ledger.trust, bag, code=code).row
    assert row["exit_code"] == code and (row["failures"] > 0) == (code == 2), row
    page_agrees(ledger, bag, row)
    return answer


# ---- what is in it ----
@test
def a_case_is_exported_as_a_bag_that_proves_itself(folder):
    ledger, bag = case_of(folder), folder / "bag"
    row = ledger.run("export", "C1", "-o", bag, *WORDS, "--json").row
    assert (row["exhibits"], row["with_content"], row["parts"]) == (4, 4, 0), row
    assert (bag / "data/C1-1/note.txt").read_bytes() == (folder / "note.txt").read_bytes()
    assert (bag / "data/C1-2/long.bin").read_bytes() == (folder / "long.bin").read_bytes()
    assert (bag / "data/C1-4/nothing").read_bytes() == b""
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        assert sums(bag, manifest).returncode == 0
        assert all(line[64:66] == "  " for line in (bag / manifest).read_text().splitlines())
    words = judge(ledger, bag, 0).out
    assert "4 exhibits of the case C1" in words and "District Court" in words and "经验证" in words and "has no other" in words
    assert (bag / "trust/ledger.trust").read_bytes() == ledger.trust.read_bytes()
    verify("--trust", ledger.trust, bag / "receipts/disclosure.tlog-proof")
    verify("--trust", ledger.trust, bag / "receipts/inventory-C1.tlog-proof")
    verify("--trust", ledger.trust, bag / "receipts/C1-2.tlog-proof", folder / "long.bin")
    ledger.clean()


@test
def names_are_safe_everywhere_and_the_originals_are_kept_beside_them(folder):
    ledger, bag = case_of(folder), folder / "bag"
    ledger.run("export", "C1", "-o", bag, *WORDS)
    paths = [str(p.relative_to(bag)) for p in bag.rglob("*")]
    assert len({p.lower() for p in paths}) == len(paths), "two names differ in letters' case alone"
    for path in paths:
        assert len(path.encode()) <= 200, path
        for part in path.split("/"):
            assert not set(part) & set('<>:"\\|?*%') and part[-1] not in ". " and part.split(".")[0].lower() not in ("con", "aux"), path
    renamed = dict(line.split("\t") for line in (bag / "names.txt").read_text().splitlines())
    originals = set(renamed.values())
    for name in ("folder/aux.txt", "folder/we:ird. ", "folder/q?.txt", "folder/%FF.bin", "folder/con", "folder/" + "deep/" * 40 + "leaf"):
        assert name in originals, (name, originals)
    for path, original in renamed.items():
        source = folder / original.replace("%FF", "\udcff")
        assert (bag / path).read_bytes() == source.read_bytes(), path
    assert not any(p.is_symlink() for p in bag.rglob("*"))


@test
def the_trail_is_a_table_and_json_and_no_cell_is_a_formula(folder):
    ledger, bag = case_of(folder), folder / "bag"
    ledger.deposit("--case", "C1", "--note", '=HYPERLINK("http://x"), "two"', fill(folder / "=1+1.txt", b"x"))
    ledger.run("export", "C1", "-o", bag, *WORDS)
    table = list(csv.reader(io.StringIO((bag / "trail.csv").read_bytes().decode("utf-8-sig"), newline="")))
    rows = json.loads((bag / "trail.json").read_text())
    assert len(table) == len(rows) + 1 and table[0][2] == "kind"
    assert [r[2] for r in table[1:]] == [r["kind"] for r in rows]
    assert rows[-1]["kind"] == "disclosure" and rows[-1]["name"] == "District Court", rows[-1]
    assert not any(cell[:1] in "=+-@" for row in table for cell in row if cell)
    assert {r["exhibit"] for r in rows if r["kind"] == "deposit"} == {f"C1/{i}" for i in range(1, 6)}
    assert not any("D 2" in str(r["exhibit"]) for r in rows)


@test
def a_disclosure_is_recorded_and_shown_with_what_it_is_about(folder):
    ledger = case_of(folder)
    ledger.run("export", "C1/1", "-o", folder / "bag", *WORDS)
    trail = ledger.run("trail", "C1/1").out.splitlines()[-1]
    assert "disclosure" in trail and "District Court" in trail and "trial" in trail, trail
    assert not any("disclosure" in line for line in ledger.run("trail", "C1/2").out.splitlines())
    shown = ledger.run("show", "C1/1").out
    assert "to District Court" in shown, shown
    row = [r for r in ledger.run("trail", "--json").rows if r["kind"] == "disclosure"][0]
    words = ledger.run("show", row["id"]).out
    for text in ("District Court", "trial", "order 5", "1 with their bytes"):
        assert text in words, words
    quiet = ledger.run("export", "C1/1", "-o", folder / "bag2")
    assert "to whom and why is not on record" in quiet.err, quiet


@test
def evidence_goes_along_whole_in_parts_or_by_reference(folder):
    ledger, bag = case_of(folder), folder / "bag"
    ledger.run("export", "C1", "D 2", "-o", bag, "--only", "C1/1,C1/4", "--range", "C1/2:5000-1000000,C1/2:0-0,C1/2:2999999-2999999", *WORDS)
    assert sorted(p.name for p in (bag / "data").iterdir()) == ["C1-1", "C1-2.bytes-0-0", "C1-2.bytes-2999999-2999999", "C1-2.bytes-5000-1000000", "C1-4"]
    assert (bag / "data/C1-2.bytes-5000-1000000").read_bytes() == (folder / "long.bin").read_bytes()[5000:1000001]
    readme = (bag / "README.txt").read_text()
    assert readme.count("custody verify . --trust trust/ledger.trust") == 2 and "PARTS: a file in data/" in readme, readme
    words = judge(ledger, bag, 0).out
    assert "bytes 5000 to 1000000 of 3000000" in words and "its record alone" in words, words
    ledger.run("export", "C1", "-o", folder / "bare", "--no-content", *WORDS)
    assert "PARTS" not in (folder / "bare/README.txt").read_text()
    assert not list((folder / "bare/data").iterdir())
    ledger.run("export", "C1", "-o", folder / "bare.zip", "--no-content", *WORDS)
    ledger.run("verify", folder / "bare.zip")
    judge(ledger, folder / "bare", 0)
    for wrong in ("C1/2", "C1/2:9", "C1/2:9-5", "C1/2:0-3000000", "C1/3:0-1", "D 2/1:0-0", "C1/99:0-1"):
        ledger.run("export", "C1", "-o", folder / "wrong", "--range", wrong, code=None if "99" in wrong else 1)
        assert not (folder / "wrong").exists()
    with open(bag / "data/C1-2.bytes-5000-1000000", "r+b") as f:
        f.seek(77)
        f.write(b"!")
    remake(bag)
    judge(ledger, bag, 2, "C1-2.bytes-5000-1000000")


@test
def a_part_of_an_item_in_a_folder_goes_along_with_its_proof(folder):
    ledger, bag = case_of(folder), folder / "bag"
    odd, place = "a, b:0-9.bin", folder / "folder"
    fill(place / odd, noise(9000, 77))
    ledger.deposit("--case", "C1", place)
    rows = ledger.run("ls", "--case", "C1", "--json").rows
    number = next(r["exhibit"] for r in rows if r["exhibit"] == "C1/5")
    ranges = {f"{number}/{odd}": (4000, 8999), f"{rows[2]['id'][:12]}/照片.jpg": (0, 99), "C1/3/Sub/x": (300, 300), "C1/3/" + "deep/" * 40 + "leaf": (1000, 1000)}
    wanted = ",".join(f"{name}:{a}-{b}" for name, (a, b) in ranges.items())
    ledger.run("export", "C1", "-o", bag, "--only", "C1/1", "--range", wanted, *WORDS)
    parts = {p.name: p.read_bytes() for p in (bag / "data").iterdir() if p.is_file()}
    assert sorted(parts.values()) == sorted((place / name.split("/", 2 if name.startswith("C1") else 1)[-1]).read_bytes()[a:b + 1] for name, (a, b) in ranges.items())
    assert all(".item-" in name and (bag / "receipts" / (name + ".proof")).exists() for name in parts), parts
    words = judge(ledger, bag, 0).out
    assert f"bytes 4000 to 8999 of 9000: {odd}, as deposited" in words and "bytes 0 to 99 of 601: 照片.jpg" in words and "proven parts of items that are here: 4" in words, words
    ledger.run("export", "C1/3", "-o", folder / "one.zip", "--range", "C1/3/照片.jpg:7-7", *WORDS)
    ledger.run("verify", folder / "one.zip")
    scope = ledger.run("show", [r for r in ledger.run("trail", "--json").rows if r["kind"] == "disclosure"][0]["id"]).out
    assert f"bytes 4000 to 8999 of C1/5/{odd}" in scope and "bytes 0 to 99 of C1/3/照片.jpg" in scope, scope
    for wrong, code, why in (("C1/3:0-1", 1, "names an item in it"), ("C1/3/照片:0-1", 10, "no item of this path"), ("C1/3/second name:0-1", 1, "further name of A.TXT"), ("C1/3/Sub:0-0", 1, "no file"),
                             ("C1/3/link:0-0", 1, "no file"), ("C1/1/note.txt:0-1", 1, "no folder"), ("C1/3/照片.jpg:0-601", 1, "601 bytes"), ("C1/3/照片.jpg:9-5", 1, "--range is"),
                             ("C1/9/x:0-1", 10, "nothing here"), ("D 2/1/x:0-0", 1, "not among"), ("C1/3/照片.jpg:0-1,x", 1, "--range is")):
        answer = ledger.run("export", "C1", "-o", folder / "wrong", "--range", wrong, code=code)
        assert why in answer.error and not (folder / "wrong").exists(), (wrong, answer)
    name = next(n for n in parts if n.endswith("bytes-4000-8999"))
    for other in (n for n in parts if n != name):
        shutil.copytree(bag, folder / "swapped")
        (folder / "swapped/data" / name).write_bytes(parts[other])
        remake(folder / "swapped")
        judge(ledger, folder / "swapped", 2, name)
        shutil.rmtree(folder / "swapped")


@test
def selected_exhibits_show_what_the_case_has_besides(folder):
    ledger, bag = case_of(folder), folder / "bag"
    ledger.run("export", "C1/1", "C1/3", "-o", bag, *WORDS)
    words = judge(ledger, bag, 0).out
    assert "· C1/2:" in words and "· C1/4:" in words and "not in this package: C1/2, C1/4" in words, words


@test
def a_zip_holds_the_same_and_is_judged_alike(folder):
    ledger = case_of(folder)
    row = ledger.run("export", "C1", "-o", folder / "case.zip", *WORDS, "--json").row
    zipped = zipfile.ZipFile(folder / "case.zip")
    assert zipped.testzip() is None and len(zipped.namelist()) == row["files"]
    assert all(n.startswith("case/") for n in zipped.namelist())
    answer = ledger.run("verify", folder / "case.zip")
    refused = verify("--trust", ledger.trust, folder / "case.zip", code=1)
    assert "unzip" in refused.error, refused
    zipped.extractall(folder / "out")
    assert judge(ledger, folder / "out/case", 0).out == answer.out


# ---- what is refused, and what a kill leaves ----
@test
def what_is_there_is_never_overwritten_and_a_kill_leaves_nothing_that_looks_whole(folder):
    ledger = case_of(folder)
    (folder / "bag").mkdir()
    fill(folder / "x.zip", b"mine")
    before = picture(folder, times=False)
    for taken in ("bag", "x.zip"):
        assert "is there already" in ledger.run("export", "C1", "-o", folder / taken, code=1).error
    assert "there is nothing to export" in Ledger(ledger.root).run("export", "unfiled", "-o", folder / "y", code=10).error
    ledger.run("export", "C1", code=1)
    same({n: s for n, s in before.items() if not n.startswith("L/")}, {n: s for n, s in picture(folder, times=False).items() if not n.startswith("L/")})
    fill(folder / "huge.bin", noise(60_000_000))
    ledger.deposit("--case", "D 2", folder / "huge.bin")
    for name in ("killed", "killed.zip"):
        with subprocess.Popen([CUSTODY, "export", "D 2", "-o", folder / name], env={**ENVIRONMENT, "CUSTODY_LEDGER": str(ledger.root)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            until = time.time() + 20
            while time.time() < until and not any(p.name.startswith(".custody-") for p in folder.iterdir()):
                time.sleep(0.002)
            run.send_signal(signal.SIGKILL)
        assert not (folder / name).exists()
        ledger.run("export", "D 2", "-o", folder / name, *WORDS)
        ledger.run("verify", folder / name)
    ledger.clean()


@test
def a_damaged_copy_is_passed_over_and_two_damaged_ones_leave_no_package(folder):
    ledger = case_of(folder)
    large = sorted((ledger.root / "cloud/objects/large").rglob("*"))
    path = [p for p in large if p.is_file() and p.suffix == ""][0]
    for copies in (1, 2):
        with open(path if copies == 1 else ledger.root / "node" / path.relative_to(ledger.root / "cloud"), "r+b") as f:
            f.seek(2_000_000)
            f.write(b"damage")
        answer = ledger.run("export", "C1", "-o", folder / f"bag{copies}", *WORDS, code=0 if copies == 1 else 2)
        assert "damaged" in answer.err, answer
        if copies == 1:
            assert (folder / "bag1/data/C1-2/long.bin").read_bytes() == (folder / "long.bin").read_bytes()
        else:
            assert not (folder / "bag2").exists() and not any(p.name.startswith(".custody") for p in folder.iterdir())
            assert sum(r["kind"] == "disclosure" for r in ledger.run("trail", "--json").rows) == 1


@test
def the_page_goes_along_and_the_trust_file_into_its_place(folder):
    ledger = case_of(folder)
    page = fill(folder / "page.html", b'<!doctype html><script type="application/custody-trust" id="pinned-trust"></script><p>x')
    ledger.run("export", "C1/1", "-o", folder / "plain", "--page", page, *WORDS)
    assert (folder / "plain/verify.html").read_bytes() == page.read_bytes()
    ledger.run("export", "C1/1", "-o", folder / "pinned", "--page", page, "--pin", *WORDS)
    text = (folder / "pinned/verify.html").read_text()
    inside = text.split('id="pinned-trust">')[1].split("</script>")[0]
    assert base64.b64decode(inside) == ledger.trust.read_bytes() and text.endswith("<p>x")
    real = ledger.run("export", "C1/1", "-o", folder / "real", *WORDS)
    assert (folder / "real/verify.html").exists() != ("verify.html is NOT in the package" in real.err), real
    if (folder / "real/verify.html").exists():
        ledger.run("export", "C1/1", "-o", folder / "both", "--pin", *WORDS)
        assert inside in (folder / "both/verify.html").read_text()
    bare = fill(folder / "bare.html", b"<p>no place")
    ledger.run("export", "C1/1", "-o", folder / "no", "--page", bare, "--pin", code=10)
    assert not (folder / "no").exists()


# ---- tampering ----
@test
def every_tampering_is_named(folder):
    ledger, good = case_of(folder), folder / "good"
    other = Ledger.new(folder / "other", "C1")
    other.deposit("--case", "C1", folder / "note.txt")
    ledger.run("export", "C1", "-o", good, *WORDS)
    other.run("export", "C1", "-o", folder / "foreign", *WORDS)

    def flip(path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def drop(*paths):
        return lambda bag: [shutil.rmtree(bag / p) if (bag / p).is_dir() else (bag / p).unlink() for p in paths]

    def other_evidence(bag):
        (bag / "data/C1-1/note.txt").write_bytes(b"I saw the red bus at nine.\n")

    def swap(bag):
        a, b = bag / "data/C1-1/note.txt", bag / "data/C1-4/nothing"
        a.rename(bag / "t"), b.rename(a), (bag / "t").rename(b)

    def shorten_inventory(bag):
        lines = (bag / "inventory-C1.txt").read_text().splitlines(True)
        (bag / "inventory-C1.txt").write_text("".join(lines[:-1]))

    cases = [
        ("a bit of a photograph", lambda bag: flip(bag / "data/C1-3/folder/照片.jpg"), "照片.jpg"),
        ("other evidence", other_evidence, "C1-1"),
        ("two exhibits swapped", swap, "C1-4"),
        ("an item of a folder missing", drop("data/C1-3/folder/A.TXT"), "A.TXT"),
        ("a file added to an exhibit", lambda bag: fill(bag / "data/C1-1/added.txt", b"x"), "added.txt"),
        ("a file of no exhibit", lambda bag: fill(bag / "data/C1-9/added.txt", b"x"), "data/C1-9/added.txt"),
        ("a bit of a receipt", lambda bag: flip(bag / "receipts/C1-2.tlog-proof"), "C1-2"),
        ("an exhibit left out", drop("receipts/C1-3.tlog-proof", "data/C1-3"), "C1/3"),
        ("the inventory shortened", shorten_inventory, "inventory-C1.txt"),
        ("the inventory gone", drop("inventory-C1.txt", "receipts/inventory-C1.tlog-proof"), "no inventory"),
        ("the disclosure gone", drop("receipts/disclosure.tlog-proof"), "disclosure"),
        ("the names gone", drop("names.txt"), "aux.txt"),
        ("a line of names too many", lambda bag: (bag / "names.txt").write_text((bag / "names.txt").read_text() + "x\n"), "x"),
        ("a receipt of another ledger put in", lambda bag: shutil.copy(folder / "foreign/receipts/C1-1.tlog-proof", bag / "receipts/C1-7.tlog-proof"), None),
        ("every receipt gone", drop("receipts"), "proves nothing"),
        ("it says it is no bag", lambda bag: (bag / "bagit.txt").write_text("BagIt-Version: 0.97\n"), "bagit.txt"),
        ("a link", lambda bag: os.symlink("/etc/passwd", bag / "data/C1-1/link"), "a link"),
    ]
    for n, (what, tamper, name) in enumerate(cases):
        for hidden in (n % 2 == 1,) if SANITIZED else (False, True):  # manifests left as they are, or made anew to fit
            bag = folder / f"t{n}{hidden:d}"
            shutil.copytree(good, bag, symlinks=True)
            tamper(bag)
            if hidden:
                remake(bag)
            try:
                if name is None and hidden:
                    answer = verify("--trust", ledger.trust, bag, code=2)
                    assert "C1-7" in answer.out, answer
                else:
                    judge(ledger, bag, 2, *([name] if name and hidden else []))
            except AssertionError as why:
                raise AssertionError(f"{what}{', manifests made anew' if hidden else ''}: {why}") from why
            shutil.rmtree(bag)
    (good / "trust/ledger.trust").write_bytes(other.trust.read_bytes())
    remake(good)
    assert "differs from the pinned" in judge(ledger, good, 0).out
    forged = verify("--trust", good / "trust/ledger.trust", good, code=4).out
    assert "integrity  PASS" in forged and "signer     FAIL" in forged and "another ledger" in forged, forged
    assert "no trust file is pinned" in verify(good, code=4).out
    return f"{len(cases)} ways to tamper"


@test
def an_exhibit_that_was_put_in_afterwards_is_named(folder):
    ledger = case_of(folder)
    ledger.run("export", "C1/1", "-o", folder / "bag", *WORDS)
    ledger.run("export", "C1/2", "-o", folder / "more", *WORDS)
    shutil.copytree(folder / "more/data/C1-2", folder / "bag/data/C1-2")
    shutil.copy(folder / "more/receipts/C1-2.tlog-proof", folder / "bag/receipts")
    remake(folder / "bag")
    assert "put in afterwards" in judge(ledger, folder / "bag", 2, "C1-2").out


# ---- hostile zips ----
@test
def hostile_zips_are_not_opened(folder):
    ledger = case_of(folder)
    ledger.run("export", "C1/1", "-o", folder / "good.zip", *WORDS)
    good = {n: zipfile.ZipFile(folder / "good.zip").read(n) for n in zipfile.ZipFile(folder / "good.zip").namelist()}

    def build(extra, without=()):
        path = folder / "bad.zip"
        with zipfile.ZipFile(path, "w") as z:
            for name, data in good.items():
                if name not in without:
                    z.writestr(name, data)
            for info, data in extra:
                z.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
        return path

    def link(name, to):
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        return info, to

    named = [("../evil", "lead out"), ("good/../../evil", "lead out"), ("/etc/evil", "absolute"), ("C:/evil", "absolute"), ("good//evil", "lead out"),
             ("good/a\\b", "backslash"), ("good/./x", "lead out"), ("elsewhere/x", "one folder"), ("alone", "one folder"), ("good/a\x01b", "control")]
    for name, why in named:
        info = zipfile.ZipInfo("x")
        info.filename = name
        answer = ledger.run("verify", build([(info, b"x")]), code=2)
        assert why in answer.error and "not opened" in answer.error, (name, answer)
    assert "link" in ledger.run("verify", build([link("good/data/C1-1/link", "/etc/passwd")]), code=2).error
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "twice" in ledger.run("verify", build([("good/bagit.txt", b"again")]), code=2).error
    assert "twice" in ledger.run("verify", build([("good/BAGIT.TXT", b"again")]), code=2).error
    assert "200 times" in ledger.run("verify", build([("good/bomb", bytes(300_000_000))], without=["good/certificate.pdf"]), code=2).error
    # sizes that lie, in the directory and in front of the file; bytes that do not fit their checksum
    raw = (folder / "good.zip").read_bytes()
    at = raw.index(b"PK\x01\x02")
    for offset, value in ((24, 10_000_000), (24, 1), (16, 1)):
        bad = bytearray(raw)
        bad[at + offset:at + offset + 4] = value.to_bytes(4, "little")
        answer = ledger.run("verify", fill(folder / "lie.zip", bytes(bad)), code=2)
        assert "not opened" in answer.error or "✗" in answer.out, answer
    for size in (4, 30, 100, len(raw) // 2, len(raw) - 10):
        ledger.run("verify", fill(folder / "cut.zip", raw[:size]), code=2)
    return f"{len(named) + 12} zips"


# ---- into another ledger ----
@test
def a_package_is_imported_with_the_earlier_receipts_verified_first(folder):
    ledger, court = case_of(folder), Ledger.new(folder / "court", "Trial")
    ledger.run("export", "C1", "-o", folder / "bag", *WORDS)
    ledger.run("export", "C1", "-o", folder / "bag.zip", *WORDS)
    ids = [r["id"] for r in ledger.run("ls", "--json").rows if r["exhibit"].startswith("C1/")]
    for n, path in enumerate(("bag", "bag.zip"), 1):
        row = court.run("import", folder / path, "--case", "Trial", "--trust", ledger.trust, "--json").row
        assert row["exhibit"] == f"Trial/{n}", row
        shown = court.run("show", f"Trial/{n}").out
        assert all(i in shown for i in ids) and "C1-3" in shown, shown
        verify("--trust", court.trust, row["receipt"], folder / path)
        court.run("get", f"Trial/{n}", "-o", folder / f"again{n}" / path if n == 2 else folder / "again", cwd=(folder / f"again{n}").mkdir() or folder)
    verify("--trust", ledger.trust, folder / "again")
    court.run("verify", folder / "again2/bag.zip", "--trust", ledger.trust)
    assert "compare its network id" in court.run("import", folder / "bag", "--case", "Trial").err
    court.clean()


@test
def what_does_not_verify_is_not_imported(folder):
    ledger, court = case_of(folder), Ledger.new(folder / "court", "Trial")
    ledger.run("export", "C1", "-o", folder / "bag", *WORDS)
    assert court.run("import", folder / "bag", "--case", "Trial", "--trust", court.trust, code=4).error.endswith("nothing was deposited")
    with open(folder / "bag/data/C1-3/folder/照片.jpg", "r+b") as f:
        f.write(b"!")
    before = court.run("ls", "--json").out
    answer = court.run("import", folder / "bag", "--case", "Trial", code=2)
    assert "照片.jpg" in answer.err and answer.error.endswith("nothing was deposited"), answer
    for nothing in ("note.txt", "folder"):
        court.run("import", folder / nothing, "--case", "Trial", code=10)
    assert court.run("ls", "--json").out == before
    court.clean()


if __name__ == "__main__":
    main()
