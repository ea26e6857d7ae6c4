#!/usr/bin/env python3
"""Every file of a small ledger altered in every way: `check` names it, `check --repair` undoes it, the incident stays on record."""
import atexit
import functools
import os
import pathlib
import shutil
import threading

from cases import LARGE, PACKED, PARTS, WAYS, append, delete, evidence, flip, not_empty, swap_with, truncate
from custody_test import CUSTODY, SANITIZED, Ledger, Skip, call, difference, fill, main, noise, picture, same, scratch, stamps, test, verify

# ---- the ledger that is attacked: two cases, an empty file, inline content, packed items, objects of more than a MiB, a folder ----
LOCK = threading.Lock()


@functools.cache
def made(base):
    ledger = Ledger.new(base / "template", "C1", "C2")
    source = evidence(base / "source")
    ledger.deposit("--case", "C1", source / "large.bin", source / "packed.bin", source / "small.txt", "--receipts", base / "receipts")
    shutil.copytree(ledger.root, base / "older", symlinks=True)
    ledger.deposit("--case", "C2", source / "folder", source / "empty", "--receipts", base / "receipts")
    ledger.clean()
    return ledger, source, base / "receipts"


def template():
    """Made once, by whichever test comes first, beside the tests' own folders."""
    with LOCK:
        return made(BASE)


BASE = pathlib.Path(scratch("custody-attacks-"))
atexit.register(shutil.rmtree, BASE, ignore_errors=True)


# ---- what must follow ----
def named(answer, where):
    return any(f["where"] == where for f in answer["findings"])


def restored_and_on_record(ledger, before=1, deep=True):
    """Repair, one incident, clean."""
    answer = ledger.check("--repair", code=0)
    assert answer["ok"] and answer["findings"] and all(f["repaired"] for f in answer["findings"]), answer
    assert "incident" in answer, answer
    ledger.clean()
    trail = ledger.run("trail", "--json").rows
    assert sum(r["kind"] == "incident" for r in trail) == before, trail
    if deep:
        assert ledger.run("status", "--json").row["incidents"] == before
        assert "incident" in ledger.run("show", "C1/1").out
    return answer


def evidence_is_as_it_was(ledger, folder):
    _, source, _ = template()
    for exhibit, name in (("C1/1", "large.bin"), ("C1/2", "packed.bin"), ("C1/3", "small.txt"), ("C2/2", "empty")):
        out = folder / "out"
        ledger.run("get", exhibit, "-o", out)
        assert out.read_bytes() == (source / name).read_bytes(), exhibit
    ledger.run("get", "C2/1", "-o", folder / "out-folder")
    same(picture(source / "folder", times=True), picture(folder / "out-folder", times=True))


def attacked(folder, where, way, also=(), deep=False):
    """One attack on one file of a fresh copy, from the damage to the clean check."""
    ledger = template()[0].copy(folder / "L")
    way(ledger.root / where)
    before = stamps(ledger.root)
    answer = ledger.check(code=2)
    assert not answer["ok"] and named(answer, where), f"{where} is not named: {answer}"
    same(before, stamps(ledger.root))
    for other in also:
        assert named(answer, other), f"{other} is not named: {answer}"
    restored_and_on_record(ledger, deep=deep)
    if deep:
        evidence_is_as_it_was(ledger, folder)
    shutil.rmtree(ledger.root)


def every_file(*under):
    return template()[0].files(*under)


def share(cases):
    """All of them in the release build; the sanitized one, four times slower, takes every twelfth."""
    cases = list(cases)
    return cases[len(cases) // 2 % 12::12] if SANITIZED else cases


def is_lock(where):
    return where == "node/lock"


def for_each(folder, files, way, deep=False):
    bad, n = [], 0
    for where in files:
        here = folder / str(n)
        here.mkdir()
        n += 1
        try:
            attacked(here, where, way, deep=deep and n % 3 == 1)
        except AssertionError as failed:
            bad.append(f"{where}: {failed}")
        shutil.rmtree(here, ignore_errors=True)
    assert not bad, f"{len(bad)} of {n} files:\n" + "\n".join(bad)
    return f"{n} files"


def all_at_once(folder, files, way):
    """Every file of one copy: each is named, and the other copy restores them all."""
    ledger = template()[0].copy(folder / "L")
    for where in files:
        way(ledger.root / where)
    before = stamps(ledger.root)
    answer = ledger.check(code=2)
    same(before, stamps(ledger.root))
    main_file = {where: where.removesuffix(".tree").replace(".idx", ".pack") for where in files}  # gone with it, it goes by its name
    unnamed = [where for where in files if not named(answer, where) and not named(answer, main_file[where])]
    assert not unnamed, f"{unnamed} are not named: {answer}"
    restored_and_on_record(ledger)
    evidence_is_as_it_was(ledger, folder)
    shutil.rmtree(ledger.root)


def make(name, way, choose, under, deep):
    def attack(folder):
        files = choose(template()[0].root, every_file(*under))
        if "log" not in under[0] and "objects" not in under[0]:  # journal and state are judged from their heads on
            return for_each(folder, share(files), way, deep=deep)
        all_at_once(folder, files, way)
        return f"{len(files)} files at once, alone {for_each(folder, share(files[::3]), way, deep=deep)}"
    attack.__name__ = name
    test(attack)


for way_name, (way_function, choice) in WAYS.items():
    for part_name, part in PARTS.items():
        make(f"{way_name}_{part_name}_is_named_restored_and_on_record", way_function, choice, part, deep="flipped" in way_name)


@test
def the_first_and_the_last_byte_of_any_file_count_too(folder):
    files = [f for f in not_empty(template()[0].root, every_file("cloud", "node")) if "journal" not in f and "index.db" not in f]
    return for_each(folder, share(files[::3]), lambda p: flip(p, 0)) + ", " + for_each(folder, share(files[1::3]), lambda p: flip(p, p.stat().st_size - 1))


@test
def the_search_index_altered_is_named_and_made_anew(folder):
    for way in (flip, truncate, append, delete, lambda p: flip(p, 0), lambda p: flip(p, p.stat().st_size - 1)):
        for_each(folder, ["node/index.db"], way)


@test
def the_search_index_may_be_deleted_at_any_time(folder):
    ledger = template()[0].copy(folder / "L")
    for f in (ledger.root / "node").glob("index.db*"):
        f.unlink()
    assert len(ledger.run("ls", "--json").rows) == 5
    ledger.deposit("--case", "C1", fill(folder / "more", b"more"))
    ledger.clean()
    assert len(ledger.run("ls", "--json").rows) == 6


def kinds_of(files):
    """Files of one kind beside each other: what an attacker would exchange."""
    groups = {}
    for f in files:
        parts = pathlib.PurePath(f)
        kind = (parts.parts[0], parts.parts[1], parts.suffix if "objects" in f else parts.parts[3] if "tile" in f else "")
        groups.setdefault(kind, []).append(f)
    return groups


@test
def two_files_of_a_kind_exchanged_are_both_named_and_restored(folder):
    root, bad, n = template()[0].root, [], 0
    for group in kinds_of(every_file("cloud", "node/log", "node/objects")).values():
        for a, b in zip(group[::2], group[1::2]):
            if (root / a).read_bytes() == (root / b).read_bytes():
                continue
            here = folder / str(n)
            here.mkdir()
            n += 1
            try:
                attacked(here, a, lambda p, here=here, b=b: swap_with(here / "L" / b)(p), also=[b], deep=True)
            except AssertionError as failed:
                bad.append(f"{a} <-> {b}: {failed}")
            shutil.rmtree(here, ignore_errors=True)
    assert not bad, f"{len(bad)} of {n} pairs:\n" + "\n".join(bad)
    return f"{n} pairs"


@test
def journal_files_exchanged_are_named_and_restored(folder):
    attacked(folder, "node/journal/0", lambda p: swap_with(p.parent / "1")(p))


@test
def an_extra_file_anywhere_is_named_and_moved_to_quarantine(folder):
    root = template()[0].root  # incoming/ is where half-written files lie: what is there is no evidence
    places = sorted({"cloud", "node"} | {str(p.relative_to(root)) for u in ("cloud", "node") for p in (root / u).rglob("*") if p.is_dir() and p.name != "incoming"})
    bad = []
    for n, place in enumerate(share(places)):
        here = folder / str(n)
        here.mkdir()
        try:
            attacked(here, f"{place}/extra", lambda p: fill(p, b"not mine"))
        except AssertionError as failed:
            bad.append(f"{place}: {failed}")
        shutil.rmtree(here, ignore_errors=True)
    assert not bad, f"{len(bad)} of {len(share(places))} folders:\n" + "\n".join(bad)
    return f"{len(share(places))} folders"


@test
def what_a_deposit_that_was_cut_short_left_is_no_loss_when_it_is_damaged(folder):
    """An index without its pack, a tree without its bytes, in both stores: nothing was acknowledged, so nothing can be lost."""
    other = Ledger.new(folder / "other", "C1")
    fill(folder / "more/large.bin", noise(1_200_000, 7)), fill(folder / "more/packed.bin", noise(80_000, 8))
    other.deposit("--case", "C1", folder / "more/large.bin", folder / "more/packed.bin", "--receipts", folder / "receipts")
    strays = [f for f in set(other.files("cloud/objects")) - set(every_file("cloud/objects")) if f.endswith((".idx", ".tree"))]
    assert {f.rsplit(".")[-1] for f in strays} == {"idx", "tree"}, strays
    for i, where in enumerate(sorted(strays)):
        ledger = template()[0].copy(folder / f"L{i}")
        for store in ("cloud", "node"):
            fill(ledger.root / where.replace("cloud", store, 1), (other.root / where).read_bytes())
        ledger.clean()
        flip(ledger.root / where)
        assert named(ledger.check(code=2), where)
        restored_and_on_record(ledger)


def one_of_each_kind():
    files = every_file("cloud", "node")
    return [next(f for f in files if part in f and not f.endswith(end)) for part, end in
            (("/packs/", ".idx"), ("/packs/", ".pack"), ("/large/", ".tree"), ("cloud/log/checkpoint", "-"), ("node/log/checkpoint", "-"), ("node/log/tile/0", "-"), ("cloud/log/tile/entries", "-"), ("node/journal/0", "-"),
             ("node/journal/head", "-"), ("node/state/head", "-"), ("node/index.db", "-"))]


@test
def a_pipe_a_link_or_a_folder_in_a_files_place_is_named_and_hangs_nobody(folder):
    def pipe(path):
        path.unlink(), os.mkfifo(path)

    def loop(path):
        path.unlink(), os.symlink(path.name, path)

    def endless(path):
        path.unlink(), os.symlink("/dev/zero", path)

    def a_folder(path):
        path.unlink(), path.mkdir()

    def the_same_elsewhere(path):
        shutil.copy(path, path.parents[len(path.parts) - 1 - path.parts.index("L")] / "real"), path.unlink(), os.symlink(path.parents[len(path.parts) - 1 - path.parts.index("L")] / "real", path)
    return ", ".join(for_each(folder, one_of_each_kind(), way) for way in (pipe, loop, endless, a_folder, the_same_elsewhere))


@test
def names_that_an_intruder_chose_with_care_do_no_harm(folder):
    for n, name in enumerate((b"a\nb\tc", b"\xff\xfe", b"x" * 250, b'"quote\\', b"\x1b[2J", b"-", "证据".encode())):
        here = folder / str(n)
        here.mkdir()
        ledger = template()[0].copy(here / "L")
        with open(os.fsencode(ledger.root) + b"/cloud/objects/packs/" + name, "wb") as f:
            f.write(b"x")
        assert ledger.check(code=2)["findings"]
        assert b"\x1b" not in ledger.run("check", code=2).raw
        restored_and_on_record(ledger)
        assert b"\x1b" not in ledger.run("trail").raw


@test
def an_older_copy_of_either_log_put_back_is_named_and_restored(folder):
    for which in ("node/log", "cloud/log"):
        def put_back(_, which=which):
            there = folder / which.split("/", maxsplit=1)[0] / "L" / which
            shutil.rmtree(there)
            shutil.copytree(template()[0].root.parent / "older" / which, there)
        here = folder / which.split("/", maxsplit=1)[0]
        here.mkdir()
        attacked(here, which + "/checkpoint", put_back, deep=True)


@test
def an_older_copy_of_both_logs_put_back_is_never_taken_for_the_whole(folder):
    ledger = template()[0].copy(folder / "L")
    for which in ("node/log", "cloud/log"):
        shutil.rmtree(ledger.root / which)
        shutil.copytree(template()[0].root.parent / "older" / which, ledger.root / which)
    before = stamps(ledger.root)
    answer = ledger.check(code=2)
    assert answer["findings"], answer
    same(before, stamps(ledger.root))
    answer = ledger.check("--repair", code=None)
    if not answer["ok"]:
        assert any(not f["repaired"] for f in answer["findings"]), answer
        ledger.check(code=2)
        return "named as beyond repair"
    ledger.clean()
    evidence_is_as_it_was(ledger, folder)
    return "restored from the journal"


@test
def an_older_copy_of_both_logs_is_told_from_a_damaged_journal_when_the_state_is_gone_too(folder):
    ledger = template()[0].copy(folder / "L")
    for which in ("node/log", "cloud/log"):
        shutil.rmtree(ledger.root / which)
        shutil.copytree(template()[0].root.parent / "older" / which, ledger.root / which)
    shutil.rmtree(ledger.root / "node/state")
    answer = ledger.check("--repair", code=2)
    lost = [f for f in answer["findings"] if f["kind"] == "lost" and f["where"] == "node/log/checkpoint"]
    assert lost and "journal" in lost[0]["what"], answer
    assert not any(f["repaired"] and f["where"].startswith("node/journal") for f in answer["findings"]), answer


# ---- beyond repair ----
def is_superseded(where):
    """A partial tile of a size that the log had once."""
    return ".p/" in where and any(f.startswith(where[:where.rindex("/")]) and int(f.rsplit("/", 1)[1]) > int(where.rsplit("/", 1)[1]) for f in every_file("cloud/log"))


def both(ledger, where, way):
    other = {"cloud": "node", "node": "cloud"}[where.split("/", maxsplit=1)[0]] + where[where.index("/"):]
    way(ledger.root / where)
    if (ledger.root / other).exists():
        way(ledger.root / other)
    return other


@test
def what_is_damaged_in_both_copies_is_named_beyond_repair_and_nothing_crashes(folder):
    bad, n = [], 0
    for way in (flip, delete):
        for where in share(f for f in every_file("cloud") if (template()[0].root / f).stat().st_size):
            n += 1
            ledger = template()[0].copy(folder / str(n))
            try:
                if way is delete and is_superseded(where):
                    continue  # nobody can tell that there was a tile of that older size, and nobody needs it
                other = both(ledger, where, way)
                before = stamps(ledger.root)
                answer = ledger.run("check", "--json", code=2)
                same(before, stamps(ledger.root))
                repair = ledger.run("check", "--json", "--repair", code=None)
                assert repair.code in (0, 2), repair
                again = ledger.run("check", "--json", code=repair.code)
                if repair.code == 2 and answer.out:
                    assert named(answer.row, where) or named(answer.row, other), answer
                    assert not repair.out or any(not f["repaired"] for f in repair.row["findings"]), repair
                for verb in (["ls"], ["trail"], ["status"], ["show", "C1/1"], ["get", "C1/1", "-o", folder / "out"], ["doctor"]):
                    ledger.run(*verb, code=None)
                assert again is not None
            except AssertionError as failed:
                bad.append(f"{way.__name__} {where}: {failed}")
            shutil.rmtree(ledger.root)
    assert not bad, f"{len(bad)} of {n}:\n" + "\n".join(bad)
    return f"{n} pairs of files"


@test
def what_is_lost_in_both_stores_does_not_keep_the_rest_from_being_restored(folder):
    ledger = template()[0].copy(folder / "L")
    large = next(f for f in every_file("cloud/objects") if "/large/" in f and not f.endswith(".tree") and (ledger.root / f).read_bytes() == LARGE)
    pack = next(f for f in every_file("node/objects") if f.endswith(".pack") and (ledger.root / f).stat().st_size > 80_000)
    both(ledger, large, flip)
    flip(ledger.root / pack)
    answer = ledger.check("--repair", code=2)
    assert [f["repaired"] for f in answer["findings"] if f["where"] == pack] == [True], answer
    assert [f["repaired"] for f in answer["findings"] if f["where"] == large] == [False], answer
    again = ledger.check(code=2)
    assert not named(again, pack), again
    ledger.run("get", "C1/2", "-o", folder / "out")
    assert (folder / "out").read_bytes() == PACKED
    refused = ledger.run("get", "C1/1", "-o", folder / "out1", code=2)
    assert not (folder / "out1").exists(), refused
    ledger.deposit("--case", "C1", template()[1] / "large.bin")  # the officer still has it
    ledger.run("get", "C1/1", "-o", folder / "out2")
    assert (folder / "out2").read_bytes() == LARGE


# ---- repair itself ----
@test
def one_run_leaves_one_incident_however_much_it_found(folder):
    ledger = template()[0].copy(folder / "L")
    for where in every_file("cloud/objects", "cloud/log"):
        if (ledger.root / where).stat().st_size:
            flip(ledger.root / where)
    answer = restored_and_on_record(ledger)
    assert len(answer["findings"]) >= len(every_file("cloud/objects", "cloud/log")), answer
    evidence_is_as_it_was(ledger, folder)
    for n in (2, 3, 4):  # the same damage again is another incident
        flip(ledger.root / every_file("node/objects")[0])
        restored_and_on_record(ledger, before=n)


@test
def a_whole_store_or_log_that_is_gone_comes_back(folder):
    for n, where in enumerate(("cloud/objects", "node/objects", "cloud/log", "node/log", "cloud", "node/state", "node/journal")):
        here = folder / str(n)
        here.mkdir()
        ledger = template()[0].copy(here / "L")
        shutil.rmtree(ledger.root / where)
        assert ledger.check(code=2)["findings"], where
        restored_and_on_record(ledger)
        evidence_is_as_it_was(ledger, here)


@test
def bad_bytes_are_kept_in_quarantine_under_their_old_path(folder):
    ledger = template()[0].copy(folder / "L")
    where = next(f for f in every_file("cloud/objects") if "/large/" in f)
    flip(ledger.root / where)
    bad = (ledger.root / where).read_bytes()
    ledger.check("--repair", code=0)
    kept = [p for p in (ledger.root / "quarantine").rglob("*") if p.is_file() and p.read_bytes() == bad]
    assert len(kept) == 1 and str(kept[0]).endswith(where), list((ledger.root / "quarantine").rglob("*"))


@test
def a_clean_ledger_is_not_changed_by_check_nor_by_repair(folder):
    ledger = template()[0].copy(folder / "L")
    before = stamps(ledger.root)
    ledger.check(code=0)
    ledger.check("--sample", "2", code=0)
    same(before, stamps(ledger.root))
    ledger.check("--repair", code=0)
    changed = [f for f in difference(before, stamps(ledger.root)) if f not in (".", "node") and not f.startswith("node/lock")]
    assert not changed, changed


@test
def a_repair_that_may_not_write_touches_nothing_and_exits_12(folder):
    if os.geteuid() != 0:
        raise Skip("needs root, to check as somebody else")
    ledger = template()[0].copy(folder / "L")
    os.chmod(folder, 0o755)
    flip(ledger.root / next(f for f in every_file("cloud/objects") if "/large/" in f))
    call(["chmod", "-R", "a+rX", ledger.root])
    before = stamps(ledger.root)
    args = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    env = {"CUSTODY_LEDGER": str(ledger.root)}
    call([*args, CUSTODY, "check"], code=2, env=env, cwd="/")
    answer = call([*args, CUSTODY, "check", "--repair"], code=12, env=env, cwd="/")
    assert len(answer.error) > 30, answer
    same(before, stamps(ledger.root))


@test
def a_repair_without_the_nodes_statement_key_touches_nothing_and_exits_12(folder):
    ledger = template()[0].copy(folder / "L")
    flip(ledger.root / next(f for f in every_file("cloud/objects") if "/large/" in f))
    (ledger.root / "keys/organisation.pem").unlink()
    before = stamps(ledger.root)
    ledger.run("check", "--repair", code=12)
    same(before, stamps(ledger.root))


# ---- receipts ----
@test
def any_flipped_bit_of_a_receipt_is_refused(folder):
    ledger, _, receipts = template()
    good = (receipts / "C1-3.tlog-proof").read_bytes()
    verify("--trust", ledger.trust, receipts / "C1-3.tlog-proof")
    bits = share(range(0, 8 * len(good), 8 * len(good) // 200))
    for bit in bits:
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        answer = verify("--trust", ledger.trust, fill(folder / "r", bytes(bad)), code=None)
        assert answer.code in (2, 4), f"bit {bit}: {answer}"
    return f"{len(bits)} bits"


if __name__ == "__main__":
    main()
