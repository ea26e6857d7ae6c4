#!/usr/bin/env python3
"""Sealing: what is sealed before it leaves, found nowhere readable, opened by stock age, and opened again by get."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

from custody_test import CUSTODY, SANITIZED, Ledger, call, custody, fill, main, noise, test, verify

AGE = shutil.which("age")
assert AGE, "age is not installed: tools/setup build"
MARK, NAME, LABEL, NOTE = b"the witness saw a red car", "Wang-statement.txt", "LABEL-7788", "NOTE-only-for-us"
SIZES = [0, 65536, 1 << 20, 5_000_001]  # an empty chunk, a full one; small before it is sealed and large after; large


def ledger_for(folder, *readers):
    ledger = Ledger.new(folder / "L", "C1")
    for reader in readers:
        key = folder / f"{reader}.key"
        subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
        public = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True).stdout.decode().strip()
        ledger.run("member", "add", reader, "--recipient", public)
    return ledger


def opened_by_age(key, sealed, code=0):
    done = subprocess.run([AGE, "-d", "-i", key, sealed], capture_output=True, check=False)
    assert (done.returncode == 0) == (code == 0), done.stderr
    return done.stdout


@test
def what_is_sealed_comes_back_and_stock_age_opens_it_at_every_size(folder):
    ledger = ledger_for(folder, "Court", "Defence")
    for n, size in enumerate(SIZES[2:3] if SANITIZED else SIZES, 1):
        data = noise(size)
        row = ledger.deposit("--seal", "--to", "Court", "--case", "C1", fill(folder / f"f{n}", data))[0]
        assert row["sha256"] == hashlib.sha256(data).hexdigest() and "Court" in row["sealed_for"] and row["size"] > size, row
        ledger.run("get", row["exhibit"], "-o", folder / f"got{n}")
        assert (folder / f"got{n}").read_bytes() == data
        ledger.run("get", row["exhibit"], "--sealed", "-o", folder / f"sealed{n}")
        assert opened_by_age(folder / "Court.key", folder / f"sealed{n}") == data
        opened_by_age(folder / "Defence.key", folder / f"sealed{n}", code=1)
        answer = verify("--trust", ledger.trust, row["receipt"], folder / f"sealed{n}")
        assert "sealed for 2 keys" in answer.out, answer
        verify("--trust", ledger.trust, row["receipt"], folder / f"f{n}", code=2)
    ledger.clean()


@test
def nothing_of_it_lies_readable_anywhere_in_the_ledger(folder):
    ledger = ledger_for(folder, "Court", "Defence")
    inside = folder / "case-folder-X"
    fill(inside / "inner-name-Y.txt", MARK), fill(inside / "deep-Z" / "large", MARK * 60_000), fill(folder / NAME, MARK)
    os.symlink("inner-name-Y.txt", inside / "link-name-W")
    rows = ledger.deposit("--seal", "--to", "Court", "--case", "C1", "--exhibit", LABEL, "--note", NOTE, "--digests", "md5,sm3", folder / NAME, inside)
    ledger.run("deposit", "--seal", "--and", "Court", "--case", "C1", "--exhibit", LABEL, "--note", NOTE, folder / NAME)
    ledger.run("grant", "C1/1", "--to", "Defence"), ledger.run("grant", "C1/3", "--to", "Court")
    tar = ledger.run("get", rows[1]["exhibit"], "-o", "-").out.encode("utf-8", "surrogateescape")
    for verb in (["ls"], ["show", "C1/1"], ["trail"], ["receipt", "C1/1", "-o", folder / "r"], ["status"], ["get", "C1/1", "-o", folder / "g"]):
        ledger.run(*verb)
    words = [MARK, NAME.encode(), LABEL.encode(), NOTE.encode(), b"case-folder-X", b"inner-name-Y", b"deep-Z", b"link-name-W"]
    for data in (MARK, MARK * 60_000, tar):
        for how in ("sha256", "md5"):
            digest = hashlib.new(how, data)
            words += [digest.digest(), digest.hexdigest().encode()]
    seen = 0
    for path in ledger.root.rglob("*"):
        if not path.is_file():
            continue
        there, seen = path.read_bytes(), seen + 1
        for word in words:
            assert word not in there and word not in str(path).encode(), f"{path} has {word!r}"
    assert seen > 20 and words[0] in (folder / NAME).read_bytes()


@test
def a_sealed_folder_is_a_tar_file_that_stock_tar_unpacks(folder):
    ledger = ledger_for(folder, "Court")
    inside, out = folder / "F", folder / "out"
    for name in ("a", "b" * 200, "d/" + "c" * 150 + "/e", "empty"):
        fill(inside / name, b"" if name == "empty" else name.encode() * 7)
    fill(inside / "big", noise(3_000_000)), os.symlink("a", inside / "s"), os.link(inside / "a", inside / "z"), os.utime(inside / "a", ns=(0, 1_500_000_000_123_456_789))
    ledger.run("deposit", "--seal", "--case", "C1", inside)
    ledger.run("get", "C1/1", cwd=folder)
    out.mkdir()
    subprocess.run(["tar", "xf", folder / "F.tar", "-C", out], check=True)
    subprocess.run(["diff", "-r", "--no-dereference", inside, out], check=True)
    assert (out / "a").stat().st_mtime_ns == 1_500_000_000_123_456_789 and (out / "z").stat().st_ino == (out / "a").stat().st_ino
    os.mkfifo(inside / "pipe")
    answer = ledger.run("deposit", "--seal", "--case", "C1", inside, code=None)
    assert answer.code and "cannot hold it" in answer.err, answer


@test
def without_a_key_it_says_for_whom_and_gives_the_sealed_file(folder):
    ledger = ledger_for(folder, "Court", "Defence")
    ledger.run("deposit", "--seal", "--to", "Court", "--case", "C1", fill(folder / NAME, MARK))
    os.rename(ledger.root / "keys/sealing.pem", folder / "kept.pem")
    for more in ([], ["--identity", folder / "Defence.key"]):
        answer = ledger.run("get", "C1/1", *more, "-o", folder / "no", code=12)
        assert "sealed for Court" in answer.err or "sealed for " in answer.err and "Court" in answer.err, answer
        assert not (folder / "no").exists()
    assert "sealed" in ledger.run("show", "C1/1").out and NAME not in ledger.run("show", "C1/1").out
    assert NAME in ledger.run("show", "C1/1", "--identity", folder / "Court.key").out
    ledger.run("get", "C1/1", "--identity", folder / "Court.key", cwd=folder / "L")
    assert (ledger.root / NAME).read_bytes() == MARK
    os.remove(ledger.root / NAME)
    ledger.clean()


@test
def whom_to_seal_for_is_asked_before_anything_is_read(folder):
    ledger = ledger_for(folder, "Court")
    path = fill(folder / "a", b"a")
    assert "no member" in ledger.run("deposit", "--seal", "--to", "Cuort", path, code=None).err
    assert "for nobody" in ledger.run("deposit", "--seal", "--to-others-only", path, code=None).err
    assert "--seal" in ledger.run("deposit", "--to", "Court", path, code=None).err
    ledger.run("deposit", "--seal", "--to", "Court", "--to-others-only", path)
    assert not (ledger.root / "keys/sealing.pem").exists()
    ledger.run("get", "unfiled/1", "-o", folder / "no", code=12)
    ledger.run("get", "unfiled/1", "-o", folder / "b", "--identity", folder / "Court.key")
    ledger.run("member", "revoke", "Court")
    assert "no sealing key" in ledger.run("deposit", "--seal", "--to", "Court", path, code=None).err


@test
def the_organisations_key_is_encrypted_as_its_others_are(folder):
    how = {"env": {"CUSTODY_PASSPHRASE": "open sesame"}}
    custody("init", folder / "L", **how)
    ledger = Ledger(folder / "L")
    ledger.run("deposit", "--seal", fill(folder / "a", MARK), **how)
    assert b"ENCRYPTED" in (ledger.root / "keys/sealing.pem").read_bytes()
    ledger.run("get", "unfiled/1", "-o", folder / "b", **how)
    assert (folder / "b").read_bytes() == MARK and (ledger.root / "keys/sealing.pem").stat().st_mode & 0o77 == 0


@test
def a_damaged_copy_is_passed_over_and_restored_without_a_key(folder):
    ledger = ledger_for(folder, "Court")
    ledger.run("deposit", "--seal", "--to", "Court", "--case", "C1", fill(folder / "a", noise(2_000_000)))
    os.rename(ledger.root / "keys/sealing.pem", folder / "kept.pem")
    largest = max((ledger.root / "cloud/objects").rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
    os.chmod(largest, 0o600)
    with open(largest, "r+b") as f:
        f.seek(1_000_000)
        f.write(b"damage")
    ledger.run("get", "C1/1", "--identity", folder / "Court.key", "-o", folder / "b")
    assert (folder / "b").read_bytes() == noise(2_000_000)
    ledger.run("check", "--repair", code=None)
    ledger.clean()


@test
def a_package_takes_the_sealed_bytes_along_and_says_how_to_open_them(folder):
    ledger, bag = ledger_for(folder, "Court", "Defence", "Expert"), folder / "bag"
    ledger.run("deposit", "--seal", "--to", "Court", "--case", "C1", fill(folder / NAME, MARK))
    for reader in ("Defence", "Expert"):
        ledger.run("grant", "C1/1", "--to", reader)
    answer = ledger.run("receipt", "C1/1", "-o", folder / "r")
    assert "sealed for" in answer.out and "Court" in answer.out and "only they can open them" in answer.out, answer
    assert "Court" in ledger.run("receipt", "C1/1", "-o", folder / "r", "--json").row["sealed_for"]
    grant = [r for r in ledger.run("trail", "--json").rows if r["kind"] == "grant"][0]
    assert "by this grant for Defence" in ledger.run("receipt", grant["id"], "-o", folder / "r").out
    os.rename(ledger.root / "keys/sealing.pem", folder / "kept.pem")
    ledger.run("export", "C1", "-o", bag, "--to", "District Court", "--reason", "trial", "--authority", "order 5")
    files = [p for p in bag.rglob("*") if p.is_file()]
    assert not [p for p in files if any(w in p.read_bytes() for w in (MARK, NAME.encode(), hashlib.sha256(MARK).hexdigest().encode()))]
    assert (bag / "README.txt").read_text().count("age -d -i") == 2
    answer = verify("--trust", ledger.trust, bag)
    assert answer.out == ledger.run("verify", bag).out and "✗" not in answer.out, answer
    grants = sorted(p.name for p in (bag / "receipts").glob("*grant*"))
    assert grants == ["C1-1-grant.tlog-proof", "C1-1-grant~2.tlog-proof"], grants
    for name, reader in zip(grants, (b"Defence", b"Expert")):
        report = verify("--trust", ledger.trust, bag / "receipts" / name, "--json").row
        assert report["kind"] == "grant" and reader in base64.b64decode(re.search(r"^extra (.*)$", (bag / "receipts" / name).read_text(), re.M)[1]), report
    ledger.run("certificate", "C1", "-o", folder / "c.html")
    paper = (folder / "c.html").read_text(encoding="utf-8")
    assert "Sealed for" in paper and paper.count("Opened to") == 2 and "Defence, by" in paper
    sealed = bag / "data/C1-1/sealed.age"
    assert opened_by_age(folder / "Court.key", sealed) == MARK
    fill(sealed, sealed.read_bytes()[:-1] + b"x")
    verify("--trust", ledger.trust, bag, code=2)


@test
def another_officer_seals_with_his_own_statement_key(folder):
    ledger = Ledger.new(folder / "L", "C1")
    ledger.run("enrol", "Officer Wang", "--key", folder / "wang.pem", "-o", folder / "request")
    ledger.run("member", "approve", folder / "request")
    row = ledger.deposit("--key", folder / "wang.pem", "--seal", "--case", "C1", fill(folder / "a", MARK))[0]
    assert "Officer Wang" in ledger.run("show", row["exhibit"]).out
    ledger.run("get", row["exhibit"], "-o", folder / "got")
    assert (folder / "got").read_bytes() == MARK
    verify("--trust", ledger.trust, row["receipt"])
    ledger.clean()


@test
def a_grant_opens_what_was_sealed_to_a_further_reader_and_to_his_stock_age(folder):
    ledger, data = ledger_for(folder, "Court", "Defence", "Expert"), noise(3_000_000)
    inside = folder / "F"
    fill(inside / "x", MARK), fill(folder / NAME, MARK), fill(folder / "large", data)
    rows = ledger.deposit("--seal", "--to", "Court", "--case", "C1", folder / NAME, folder / "large", inside)
    os.rename(ledger.root / "keys/sealing.pem", folder / "kept.pem")
    defence, court = ("--identity", folder / "Defence.key"), ("--identity", folder / "Court.key")
    assert "sealed for" in ledger.run("grant", "C1/1", "--to", "Defence", *defence, code=12).err
    for row in rows[:1] if SANITIZED else rows:
        name = row["exhibit"]
        ledger.run("get", name, *defence, "-o", folder / "no", code=12)
        ledger.run("grant", name, "--to", "Defence", "--note", "order 7", *court)
        ledger.run("get", name, *defence, "-o", folder / "got")
        ledger.run("get", name, "--sealed", "--for", "Defence", "-o", folder / "his")
        assert opened_by_age(folder / "Defence.key", folder / "his") == (folder / "got").read_bytes()
        ledger.run("get", name, "--sealed", "-o", folder / "own")
        opened_by_age(folder / "Defence.key", folder / "own", code=1)
        verify("--trust", ledger.trust, row["receipt"], folder / "own")
    ledger.run("get", "C1/1", *defence, "-o", folder / "got")
    assert (folder / "got").read_bytes() == MARK and NAME in ledger.run("show", "C1/1", *defence).out
    ledger.run("grant", "C1/1", "--to", "Expert", *defence)  # who was granted it can pass it on, in the depositor's name alone
    ledger.run("get", "C1/1", "--identity", folder / "Expert.key", "-o", folder / "got")
    grants = [row for row in ledger.run("trail", "C1/1", "--json").rows if row["kind"] == "grant"]
    assert [row["name"] for row in grants] == ["Defence", "Expert"] and grants[0]["exhibit"] == "C1/1" and grants[0]["note"] == "order 7", grants
    assert "to Defence" in ledger.run("show", "C1/1").out and "Expert" in ledger.run("show", grants[1]["id"]).out
    ledger.run("receipt", grants[0]["id"], "-o", folder / "receipt")
    assert "opening of something sealed" in verify("--trust", ledger.trust, folder / "receipt").out
    ledger.clean()


@test
def what_is_not_sealed_or_nobody_is_a_member_for_is_not_granted(folder):
    ledger = ledger_for(folder, "Court", "Defence")
    ledger.run("deposit", "--case", "C1", fill(folder / "a", MARK)), ledger.run("deposit", "--seal", "--case", "C1", fill(folder / "b", MARK))
    assert "not sealed" in ledger.run("grant", "C1/1", "--to", "Court", code=10).err
    assert "no member" in ledger.run("grant", "C1/2", "--to", "Cuort", code=10).err
    ledger.run("get", "C1/2", "--sealed", "--for", "Court", "-o", folder / "no", code=10), ledger.run("get", "C1/1", "--for", "Court", "-o", folder / "no", code=1)
    ledger.run("grant", "C1/2", code=1)
    ledger.run("member", "revoke", "Defence")
    assert "no sealing key" in ledger.run("grant", "C1/2", "--to", "Defence", code=10).err
    assert "grant" not in [row["kind"] for row in ledger.run("trail", "--json").rows]
    assert not (folder / "no").exists()
    ledger.run("enrol", "Officer Wang", "--key", folder / "wang.pem", "-o", folder / "request"), ledger.run("member", "approve", folder / "request")
    assert "only its depositor" in ledger.run("grant", "C1/2", "--to", "Court", "--key", folder / "wang.pem", code=12).err
    row = ledger.deposit("--key", folder / "wang.pem", "--seal", "--case", "C1", folder / "b")[0]
    ledger.run("grant", row["exhibit"], "--to", "Court")  # the organisation answers for its officer
    ledger.run("get", row["exhibit"], "--identity", folder / "Court.key", "-o", folder / "got")
    ledger.clean()


@test
def what_two_must_open_is_opened_by_both_or_by_the_second_once_the_first_has_granted_it(folder):
    ledger, data = ledger_for(folder, "Court", "Defence"), noise(3_000_000)
    inside = folder / "F"
    fill(inside / "x", MARK)
    assert "--seal" in ledger.run("deposit", "--and", "Court", fill(folder / NAME, MARK), code=1).err
    assert "open alone" in ledger.run("deposit", "--seal", "--to", "Court", "--and", "Court", folder / NAME, code=1).err
    rows = ledger.deposit("--seal", "--and", "Court", "--case", "C1", folder / NAME, fill(folder / "large", data), inside)
    court, sealing = ("--identity", folder / "Court.key"), ledger.root / "keys/sealing.pem"
    for row in rows[:1] if SANITIZED else rows:
        name = row["exhibit"]
        assert row["sealed_for"].endswith(" together with Court"), row
        assert "no key of the second" in ledger.run("get", name, "-o", folder / "no", code=12).err  # the organisation's key alone
        os.rename(sealing, folder / "kept.pem")
        assert "no key of the first" in ledger.run("get", name, *court, "-o", folder / "no", code=12).err
        ledger.run("grant", name, "--to", "Court", *court, code=12)
        os.rename(folder / "kept.pem", sealing)
        ledger.run("get", name, *court, "-o", folder / "got")
        plain = (folder / "got").read_bytes()
        assert hashlib.sha256(plain).hexdigest() == row["sha256"] and not (folder / "no").exists()
        assert "sealed for two" in ledger.run("grant", name, "--to", "Defence", code=12).err  # he would lack the second
        ledger.run("grant", name, "--to", "Court")
        os.rename(sealing, folder / "kept.pem")
        ledger.run("get", name, *court, "-o", folder / "got")
        assert (folder / "got").read_bytes() == plain
        ledger.run("get", name, "--sealed", "--for", "Court", "-o", folder / "his")
        fill(folder / "within", opened_by_age(folder / "Court.key", folder / "his"))  # stock age, twice: each layer is an age file
        assert opened_by_age(folder / "Court.key", folder / "within") == plain
        os.rename(folder / "kept.pem", sealing)
        ledger.run("grant", name, "--to", "Defence", *court)  # by both keys: to anybody, whole
        ledger.run("get", name, "--identity", folder / "Defence.key", "-o", folder / "got")
        assert (folder / "got").read_bytes() == plain
        assert "one of those keys and one of 1 others" in verify("--trust", ledger.trust, row["receipt"]).out
    assert NAME in ledger.run("show", "C1/1", *court).out
    for words in (ledger.run("ls").out, ledger.run("trail").out, ledger.run("show", "C1/1").out):
        assert "together with Court" in words, words
    assert all(row["sealed_for"].endswith("together with Court") for row in ledger.run("ls", "--json").rows)
    ledger.clean()


@test
def a_sealed_deposit_that_is_killed_is_made_again(folder):
    ledger, data = ledger_for(folder, "Court"), noise(3_000_000)
    ledger.run("deposit", "--seal", "--to", "Court", "--case", "C1", fill(folder / "first", MARK))
    path, rows = fill(folder / "large", data), []
    for n in range(3 if SANITIZED else 12):
        with subprocess.Popen([CUSTODY, "deposit", "--seal", "--to", "Court", "--case", "C1", "--json", path], cwd=ledger.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            time.sleep(0.004 * (n + 1) * (8 if SANITIZED else 1))
            child.kill()
            rows += [json.loads(line) for line in child.stdout.read().decode().splitlines() if line.endswith("}")]
    rows += ledger.deposit("--seal", "--to", "Court", "--case", "C1", path)
    ledger.clean()
    for row in rows + ledger.run("ls", "--case", "C1", "--json").rows[1:]:
        ledger.run("get", row["exhibit"], "-o", folder / "got", "--identity", folder / "Court.key")
        assert (folder / "got").read_bytes() == data, row
        os.remove(folder / "got")


if __name__ == "__main__":
    main()
