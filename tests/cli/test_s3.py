#!/usr/bin/env python3
"""The provider's objects in a bucket of a real S3 server: what a folder promises a bucket promises, whoever does what to it."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time

from custody_test import CUSTODY, SANITIZED, ENVIRONMENT, Ledger, Skip, call, custody, fill, main, noise, test
from s3_world import KEY, SECRET, WHO, Room, Server, Spoiler, objects, room

LONG = 70 << 20  # more than four parts


def get_alone(ledger, exhibit, to):
    """What the bucket has, and nobody else: the node's copies are out of reach meanwhile."""
    here, aside = ledger.root / "node/objects", ledger.root.parent / "aside"
    here.rename(aside)
    here.mkdir()
    try:
        ledger.run("get", exhibit, "-o", to)
    finally:
        shutil.copytree(here, aside, dirs_exist_ok=True)  # what the reading itself put on record
        shutil.rmtree(here)
        aside.rename(here)
    data = to.read_bytes()
    to.unlink()
    return data


@test
def a_bucket_serves_as_a_folder_does_and_every_object_is_locked(folder):
    small, packed, large, long = b"I saw it.\n", noise(100_000, 1), noise((3 << 20) + 5, 2), noise(LONG + 77, 3)
    for name, data in {"small": small, "packed": packed, "large": large, "long": long, "d/a": noise(2 << 20, 4), "d/b": b"b"}.items():
        fill(folder / "e" / name, data)
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server, retain=1)
        for name in ("small", "packed", "large", "long", "d", "small"):
            ledger.deposit(folder / "e" / name)
        ledger.clean()
        for n, data in enumerate((small, packed, large, long), 1):
            assert get_alone(ledger, f"unfiled/{n}", folder / f"out{n}") == data
        ledger.run("get", "unfiled/5", "-o", folder / "out-d")
        assert (folder / "out-d/a").read_bytes() == noise(2 << 20, 4)
        ledger.run("export", "unfiled/4", "-o", folder / "bag", "--to", "Court", "--reason", "trial", code=None)
        assert "bucket" in ledger.run("doctor").out and "compliance" in ledger.run("doctor").out
        ledger.run("status")

        assert not [f for f in ledger.files("cloud/objects") if not f.endswith((".tree", ".idx")) and "/incoming/" not in f]
        assert not [p for p in (ledger.root / "cloud/objects/incoming").iterdir() if p.stat().st_size and not p.name.endswith(".side")]
        found = subprocess.run(["grep", "-rlF", SECRET, ledger.root], capture_output=True, check=False)
        assert found.returncode == 1, f"the secret lies in the ledger: {found.stdout}"
        versions = server.versions_of()
        assert len(versions) == len(objects(server)) >= 8 and not [v for v in versions if v[3]], versions
        for key, version, *_ in versions:
            answer, text = server.ask("GET", f"/evidence/{key}", {"retention": "", "versionId": version})
            assert b"COMPLIANCE" in text, text
            server.ask("DELETE", f"/evidence/{key}", {"versionId": version}, want=403)
            assert answer.status == 200
        ledger.clean()


@test
def who_signs_wrongly_is_refused_and_nothing_is_recorded(folder):
    with Server(folder / "s") as server:
        server.make_bucket()
        wrong = {**WHO, "AWS_SECRET_ACCESS_KEY": "another"}
        answer = custody("init", folder / "M", "--cloud", server.address(), env=wrong, code=12)
        assert "SignatureDoesNotMatch" in answer.err, answer
        answer = custody("init", folder / "M", "--cloud", server.address(), code=12)
        assert "AWS_ACCESS_KEY_ID" in answer.err, answer
        ledger = room(folder, server)
        path = fill(folder / "large", noise(2 << 20))
        assert "SignatureDoesNotMatch" in ledger.run("deposit", path, env=wrong, code=12).err
        Ledger(ledger.root).run("deposit", path, code=12)
        assert not ledger.run("ls", "--json").rows or not [r for r in ledger.run("ls", "--json").rows if r.get("exhibit") == "unfiled/1"]
        secrets = fill(folder / "secrets", f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key={SECRET}\n".encode())
        config = ledger.root / "cloud/bucket"
        config.write_text(config.read_text().strip() + f"&credentials={secrets}\n")
        Ledger(ledger.root).deposit(path)
        Ledger(ledger.root).clean()


@test
def an_address_that_is_not_understood_or_a_bucket_that_is_not_there_is_said(folder):
    for address in ("s3://x", "s3://evidence/../up", "s3://evidence/a?endpoint=ftp://h", "s3://evidence/a?endpoint=http://me:secret@h",
                    "s3://evidence/a?retain=0", "s3://evidence/a?retain=99999", "s3://evidence/a?what=1", "s3://Evidence", "s3://evidence/a?region",
                    "https://evidence", "s3://evidence/a?credentials=here", "s3://evidence/a?endpoint=http%3A%2F%2Fh%2", "s3://evidence/a b"):
        custody("init", folder / "N", "--cloud", address, env=WHO, code=1)
    with Server(folder / "s") as server:
        answer = custody("init", folder / "N", "--cloud", server.address(bucket="nothing"), env=WHO, code=1)
        assert "no such bucket" in answer.err or "no bucket" in answer.err, answer
        server.make_bucket()
        ledger = room(folder, server)
        answer = custody("init", folder / "P", "--cloud", server.address(), env=WHO, code=12)
        assert "a prefix of their own" in answer.err, answer
        room(folder, server, name="Q", prefix="other/place")
        config = ledger.root / "cloud/bucket"
        kept = config.read_text()
        config.write_text(kept.replace("evidence", "nothing"))
        path = fill(folder / "large", noise(2 << 20))
        for verb in (["deposit", path], ["check"], ["check", "--repair"]):
            assert "bucket" in ledger.run(*verb, code=1).err
        assert ledger.run("doctor", code=1).out.count("BAD") == 1
        config.write_text(kept)
        ledger.deposit(path)
        ledger.clean()


@test
def what_is_put_on_top_is_noticed_and_the_exhibit_comes_back_bit_for_bit(folder):
    data = noise((2 << 20) + 9)
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server, retain=1)
        ledger.deposit(fill(folder / "large", data))
        ledger.deposit(fill(folder / "packed", noise(50_000, 7)))
        large = next(k for k in objects(server) if "/large/" in k)
        pack = next(k for k in objects(server) if "/packs/" in k)
        server.ask("PUT", f"/evidence/{large}", body=b"forged")
        server.ask("DELETE", f"/evidence/{large}", want=204)
        server.ask("DELETE", f"/evidence/{pack}", want=204)
        server.ask("PUT", "/evidence/room/large/zz/x y&z", body=b"what is this")
        server.ask("PUT", "/evidence/room/stray", body=b"")
        assert get_alone(ledger, "unfiled/1", folder / "out") == data, "the locked version is not served"
        ledger.run("check", code=2)
        row = ledger.check(code=2)
        where = [f["where"] for f in row["findings"]]
        assert len(where) == 5 and all(f["kind"] == "unexpected" for f in row["findings"]), row
        assert sum(w.endswith(".deleted") for w in where) == 2 and sum(large[5:] + "@" in w for w in where) == 2, where
        row = ledger.check("--repair", code=None)
        assert all(f["repaired"] for f in row["findings"]) and len(row["findings"]) == 5, row
        kept = [(ledger.root / f).read_bytes() for f in ledger.files("quarantine") if "@" in f]
        assert b"forged" in kept and b"what is this" in kept, "what was put on top is not kept"
        assert "incident" in ledger.run("trail").out
        ledger.clean()
        assert get_alone(ledger, "unfiled/1", folder / "out2") == data
        server.ask("DELETE", f"/evidence/{large}", want=204)
        assert len(ledger.check(code=2)["findings"]) == 1, "what comes after the repair is noticed, too"
        ledger.check("--repair", code=None)

        shutil.rmtree(ledger.root / "cloud/pins")
        assert get_alone(ledger, "unfiled/1", folder / "out3") == data, "without pins the oldest version counts"
        assert len(ledger.check(code=2)["findings"]) >= 5
        ledger.check("--repair", code=None)
        ledger.clean()


@test
def an_object_that_is_gone_or_damaged_is_restored_by_a_new_version(folder):
    large, packed = noise(3 << 20, 5), noise(60_000, 6)
    for versions in (True, False):
        with Server(folder / "s", versions) as server:
            server.make_bucket(lock=False, versions=versions)
            ledger = room(folder, server, name=f"L{versions}")
            ledger.deposit(fill(folder / "large", large))
            ledger.deposit(fill(folder / "packed", packed))
            ledger.clean()
            key = next(k for k in objects(server) if "/large/" in k)
            pack = objects(server)[-1]
            version = {v[0]: v[1] for v in server.versions_of()} if versions else {}
            for gone in (key, pack):
                server.ask("DELETE", f"/evidence/{gone}", {"versionId": version[gone]} if versions else None, want=204)
            assert {f["kind"] for f in ledger.check(code=2)["findings"]} == {"missing"}
            assert all(f["repaired"] for f in ledger.check("--repair", code=None)["findings"])
            ledger.clean()
            assert get_alone(ledger, "unfiled/1", folder / "out") == large
            assert get_alone(ledger, "unfiled/2", folder / "out") == packed
            if not versions:
                server.ask("PUT", f"/evidence/{key}", body=large[:-1] + bytes([large[-1] ^ 1]))
                row = ledger.check(code=2)
                assert [f["kind"] for f in row["findings"]] == ["damaged"], row
                ledger.run("get", "unfiled/1", "-o", folder / "from-node")
                ledger.check("--repair", code=None)
                ledger.clean()
                assert get_alone(ledger, "unfiled/1", folder / "out") == large


@test
def doctor_says_loudly_what_a_bucket_lacks(folder):
    with Server(folder / "a", versions=False) as bare, Server(folder / "b") as server:
        bare.make_bucket(lock=False, versions=False)
        ledger = room(folder, bare, name="bare")
        assert "NO VERSIONS" in ledger.run("doctor", code=1).out
        server.make_bucket("versioned", lock=False)
        ledger = room(folder, server, name="versioned", bucket="versioned")
        assert "NO OBJECT LOCK" in ledger.run("doctor", code=1).out
        server.make_bucket("locked")
        answer = custody("init", folder / "locked", "--cloud", server.address(bucket="locked"), env=WHO)
        assert "NOTHING IS LOCKED" in answer.err, "init says it, too"
        assert "NOTHING IS LOCKED" in Room(folder / "locked").run("doctor", code=1).out
        rule = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>{}</Mode><Days>2</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
        server.ask("PUT", "/locked", {"object-lock": ""}, rule.format("GOVERNANCE").encode())
        assert "governance" in Room(folder / "locked").run("doctor", code=1).out
        server.ask("PUT", "/locked", {"object-lock": ""}, rule.format("COMPLIANCE").encode())
        answer = Room(folder / "locked").run("doctor")
        assert "locked for 2 days" in answer.out, answer
        server.kill()
        assert "BAD  bucket" in Room(folder / "locked").run("doctor", code=1).out


# ---- a network that is not kind ----
def is_object(handler, *methods):
    return handler.command in methods and ("/large/" in handler.path or "/packs/" in handler.path)


@test
def answers_that_fail_now_and_then_are_asked_for_again(folder):
    chance, lock = random.Random(3), threading.Lock()

    def spoil(handler, answer, text):
        with lock:
            dice = chance.random()
        if answer is None and dice < 0.08:
            handler.answer(503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
        elif answer is None and dice < 0.12:
            handler.answer(500, b"<html>not even XML")
        elif answer is None and dice < 0.15:
            handler.close_connection = True
        elif answer is not None and handler.command == "GET" and dice < 0.06:
            handler.answer(answer.status, text[:len(text) // 2], answer.getheaders(), str(len(text)))
            handler.close_connection = True
        elif answer is not None and dice < 0.03:
            handler.close_connection = True  # it was done, and nobody hears of it
        else:
            return False
        return True

    with Server(folder / "s") as server, Spoiler(server, spoil) as proxy:
        server.make_bucket()
        ledger = room(folder, server, address=server.address(port=proxy.port))
        for n, size in enumerate((10, 50_000, 2 << 20, LONG), 1):
            data = noise(size, n)
            ledger.deposit(fill(folder / "x", data))
            assert get_alone(ledger, f"unfiled/{n}", folder / "out") == data
        ledger.clean()
        assert len(server.versions_of()) == len(objects(server)), "something was put twice"


@test
def answers_that_stay_wrong_are_never_used(folder):
    mode = [None]

    def wrong(handler, answer, text):
        what = mode[0]
        if answer is None:
            if what == "500" and is_object(handler, "PUT"):
                return handler.answer(500, b"<Error><Code>InternalError</Code></Error>") or True
            return False
        heads = answer.getheaders()
        if what == "short" and is_object(handler, "GET"):
            return handler.answer(206, text[:-1], heads) or True
        if what == "long" and is_object(handler, "GET"):
            return handler.answer(206, text + b"x", heads) or True
        if what == "whole" and is_object(handler, "GET"):
            return handler.answer(200, text, [h for h in heads if h[0].lower() != "content-range"]) or True
        if what == "shifted" and is_object(handler, "GET"):
            return handler.answer(206, text, [(k, "bytes 1-2/3" if k.lower() == "content-range" else v) for k, v in heads]) or True
        if what == "flipped" and is_object(handler, "GET"):
            return handler.answer(206, bytes([text[0] ^ 1]) + text[1:], heads) or True
        if what == "etag" and "partNumber" in handler.path:
            return handler.answer(200, text, [(k, '"00000000000000000000000000000000"' if k.lower() == "etag" else v) for k, v in heads]) or True
        if what == "version" and is_object(handler, "PUT"):
            return handler.answer(200, text, [(k, "01M8DD1ZQJGX3TF6HZF1Q8YW8D" if k.lower() == "x-amz-version-id" else v) for k, v in heads]) or True
        if what == "xml" and "versions=" in handler.path:
            return handler.answer(200, b"<!DOCTYPE x><ListVersionsResult/>") or True
        if what == "cut" and "versions=" in handler.path:
            return handler.answer(200, text[:len(text) // 2]) or True
        if what == "endless" and "versions=" in handler.path:
            return handler.answer(200, b"<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker></ListVersionsResult>") or True
        return False

    with Server(folder / "s") as server, Spoiler(server, wrong) as proxy:
        server.make_bucket()
        ledger = room(folder, server, address=server.address(port=proxy.port, tries=2))
        before = ledger.run("ls", "--json").rows
        for what in ("500", "short", "flipped", "version"):
            mode[0] = what
            answer = ledger.run("deposit", fill(folder / what, noise(1 << 20, what)), code=None)
            assert answer.code not in (0, 3), f"{what}: the provider signed what it could not read again: {answer}"
            assert ledger.run("ls", "--json").rows == before, what
        mode[0] = None
        assert len(ledger.check(code=2)["findings"]) == 1, "a version that the store did not name is one that lies there, and is not ours"
        ledger.check("--repair", code=None)
        mode[0], before = "etag", ledger.run("ls", "--json").rows
        answer = ledger.run("deposit", fill(folder / "etag", noise(LONG, 9)), code=1)
        mode[0] = None
        assert ledger.run("ls", "--json").rows == before
        rows = ledger.deposit(fill(folder / "etag", noise(LONG, 9)))
        for what in ("whole", "long", "shifted"):
            mode[0] = what
            assert not (folder / "never").exists()
            got = ledger.run("get", rows[0]["exhibit"], "-o", folder / "again", code=None)  # the node has it, too
            assert got.code == 0 and (folder / "again").read_bytes() == noise(LONG, 9), f"{what}: {got}"
            (folder / "again").unlink()
        for what in ("xml", "cut", "endless"):
            mode[0] = what
            answer = ledger.run("check", code=1)
            assert "is not one that can be read" in answer.err, f"{what}: {answer}"
        mode[0] = None
        ledger.clean()


@test
def a_server_that_is_killed_in_mid_transfer_and_comes_back_is_gone_on_with(folder):
    seen = []

    def spoil(handler, answer, _):
        if answer is None and "partNumber" in handler.path:
            seen.append(handler.path)
            if len(seen) == 3:
                server.kill()
                threading.Timer(0.6, server.start).start()
                handler.close_connection = True
                return True
        return False

    data = noise(LONG)
    with Server(folder / "s") as server, Spoiler(server, spoil) as proxy:
        server.make_bucket()
        ledger = room(folder, server, address=server.address(port=proxy.port))
        ledger.deposit(fill(folder / "long", data))
        assert len(seen) > 3
        assert get_alone(ledger, "unfiled/1", folder / "out") == data
        ledger.clean()
        server.kill()
        other = fill(folder / "other", noise(2 << 20, 8))
        answer = ledger.run("deposit", other, code=1)
        assert "brought there by the next run" in answer.err, answer
        server.start()
        ledger.deposit(other)
        assert len(ledger.run("ls", "--json").rows) == 2
        ledger.clean()


@test
def a_server_that_says_nothing_is_not_waited_for_for_ever(folder):
    silent = threading.Event()

    def spoil(handler, answer, _):
        if answer is None and silent.is_set() and is_object(handler, "PUT"):
            time.sleep(4)
            handler.close_connection = True
            return True
        return False

    with Server(folder / "s") as server, Spoiler(server, spoil) as proxy:
        server.make_bucket()
        ledger = room(folder, server, address=server.address(port=proxy.port, timeout=1))
        silent.set()
        began = time.time()
        ledger.run("deposit", fill(folder / "x", noise(2 << 20)), code=1)
        assert time.time() - began < 60
        silent.clear()
        ledger.deposit(folder / "x")
        ledger.clean()


@test
def while_the_store_is_away_what_is_recorded_can_be_read(folder):
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server, tries=1)
        for n, size in enumerate((5, 50_000, 2 << 20)):
            ledger.deposit(fill(folder / f"e{n}", noise(size, n)))
        server.kill()
        for verb in (["ls"], ["show", "unfiled/1"], ["status"], ["trail"], ["receipt", "unfiled/2", "-o", folder / "r"]):
            ledger.run(*verb)
        for n, size in enumerate((5, 50_000, 2 << 20)):
            answer = ledger.run("get", f"unfiled/{n + 1}", "-o", folder / f"o{n}")
            assert (folder / f"o{n}").read_bytes() == noise(size, n) and "from the node's copy" in answer.err, answer
        assert "next run" in ledger.run("deposit", folder / "e0", code=1).err
        assert len(ledger.run("ls", "--json").rows) == 3 and "no findings" not in ledger.run("check", code=1).out
        server.start()
        assert ledger.run("trail").out.count("unfiled/3") >= 2, "the reads are on record"
        ledger.deposit(folder / "e0")
        ledger.clean()


@test
def kill_9_at_any_moment_loses_nothing_that_was_acknowledged(folder):
    seed = int(os.environ.get("CUSTODY_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    chance, told, kills = random.Random(seed), {}, 0
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server)
        env = {**ENVIRONMENT, **WHO, "CUSTODY_LEDGER": str(ledger.root)}
        for n in range(4 if SANITIZED else 120 if os.environ.get("CUSTODY_SLOW") else 12):
            size = chance.choice((20, 40_000, 2 << 20, 20 << 20))
            path = fill(folder / f"e{n}", noise(size, n))
            with subprocess.Popen([CUSTODY, "deposit", "--json", path], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
                try:
                    out, _ = running.communicate(timeout=chance.random() * (2 if SANITIZED else 0.25))
                except subprocess.TimeoutExpired:
                    running.send_signal(signal.SIGKILL)
                    out, _ = running.communicate()
                    kills += 1
            if out.endswith(b"\n"):
                told[json.loads(out)["exhibit"]] = path
        for exhibit, path in told.items():
            assert get_alone(ledger, exhibit, folder / "out") == path.read_bytes(), f"CUSTODY_SEED={seed}: {exhibit}"
        row = ledger.check(code=None)
        assert not row["findings"], f"CUSTODY_SEED={seed}: {row}"
        for n in range(3):
            ledger.deposit(folder / f"e{n}")
        ledger.clean()
    return f"{kills} kills, {len(told)} deposits were acknowledged"


@test
def memory_stays_small_at_any_size(folder):
    if SANITIZED:
        raise Skip("a sanitizer's memory is its own")
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server)
        path = folder / "huge"
        with open(path, "wb") as f:
            for i in range(24):
                f.write(noise(16 << 20, i))
        env = {**ENVIRONMENT, **WHO, "CUSTODY_LEDGER": str(ledger.root)}
        most = {}
        for args in (["deposit", path], ["get", "unfiled/1", "-o", folder / "out"], ["check"]):
            with subprocess.Popen([CUSTODY, *map(str, args)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
                while running.poll() is None:
                    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{running.pid}/status").read_text())
                    most[args[0]] = max(most.get(args[0], 0), int(found[1]) if found else 0)
                    time.sleep(0.004)
            assert running.returncode == 0 and 0 < most[args[0]] <= 65536, f"{args[0]}: {most}"
    return "384 MiB in " + ", ".join(f"{k} {v} KiB" for k, v in most.items())


@test
def without_its_part_a_ledger_with_a_bucket_says_what_is_missing(folder):
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server)
        alone = folder / "bin"
        alone.mkdir()
        shutil.copy(CUSTODY, alone / "custody")
        answer = call([alone / "custody", "ls"], env={**WHO, "CUSTODY_LEDGER": str(ledger.root)}, code=10)
        assert "custody-s3.so" in answer.err, answer


if __name__ == "__main__":
    main()
