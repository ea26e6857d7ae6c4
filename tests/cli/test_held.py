#!/usr/bin/env python3
"""How a bucket holds what was accepted: signed with the acceptance, asked for by the policy, found out when it is not so."""
import datetime
import threading

from custody_test import Ledger, custody, fill, main, noise, test, verify
from node_test import Node
from officer import Officer
from pull_world import wait_for
from provider_world import Provider
from s3_world import WHO, Room, Server, Spoiler, free_port, objects, room

DAY = 86400


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def held(ledger, exhibit):
    return ledger.run("show", exhibit, "--json").rows[0]["held"]


def versions(server):
    return {key.rsplit("/", 1)[1].removesuffix(".pack"): version for key, version, *_ in server.versions_of()}


@test
def an_acceptance_says_version_lock_and_date_and_every_verifier_reads_it(folder):
    with Server(folder / "s") as server:
        server.make_bucket()
        ledger = room(folder, server, retain=2)
        fill(folder / "d/a", noise(2 << 20, 1)), fill(folder / "d/b", b"b"), fill(folder / "d/c", noise(2 << 20, 2))
        ledger.deposit(fill(folder / "small", b"I saw it.\n"))
        row = ledger.deposit(fill(folder / "large", noise(1 << 20)))[0]
        ledger.deposit(folder / "d")
        assert "held" not in ledger.run("show", "unfiled/1", "--json").rows[0], "what travels with the record is in the bucket later"
        said, there = held(ledger, "unfiled/2"), versions(server)
        assert said["lock"] == "locked in compliance mode" and said["objects"] == 1 and said["versions"] == [{"object": row["root"], "version": there[row["root"]]}], said
        locked = server.ask("GET", "/evidence/" + next(k for k in objects(server) if row["root"] in k), {"retention": "", "versionId": there[row["root"]]})[1]
        assert said["until"][:19] in locked.decode() and 2 * DAY < when(said["until"]) - when(row["time"]) < 3 * DAY + 60, (said, locked)
        assert held(ledger, "unfiled/3")["objects"] == 3 and {v["version"] for v in held(ledger, "unfiled/3")["versions"]} <= set(there.values())
        assert f"version {there[row['root']]}, locked in compliance mode until {said['until']}" in ledger.run("trail").out
        assert [r["held"] for r in ledger.run("trail", "--json").rows if r["exhibit"] == "unfiled/2" and r["kind"] == "deposit"] == [said]
        assert there[row["root"]] in ledger.run("show", "unfiled/2").out and "locked in compliance mode until" in ledger.run("show", "unfiled/2").out
        line = f"the provider holds it in a bucket (1 objects, the first as version {there[row['root']]}), locked in compliance mode until {said['until']}"
        assert line in verify("--trust", ledger.trust, row["receipt"], folder / "large").out
        assert "each is there in the version" in ledger.run("bucket", "check", server.address()).out
        ledger.clean()


@test
def a_repair_writes_a_new_version_and_the_provider_accepts_it_anew(folder):
    with Server(folder / "s") as server:
        server.make_bucket(lock=False)
        ledger = room(folder, server)
        for n in range(2):
            ledger.deposit(fill(folder / f"large{n}", noise(1 << 20, n)))
        ledger.deposit(fill(folder / "packed", noise(50_000, 7)))
        assert held(ledger, "unfiled/1")["lock"] == "not locked"
        key, before = next(k for k in objects(server) if "/large/" in k), versions(server)
        name = key.rsplit("/", 1)[1]
        server.ask("DELETE", f"/evidence/{key}", {"versionId": before[name]}, want=204)
        assert name in ledger.run("bucket", "check", server.address(), code=2).out
        ledger.check("--repair", code=None)
        ledger.clean()
        after = versions(server)
        assert after[name] != before[name]
        anew = [r for r in ledger.run("trail", "--json").rows if r["kind"] == "stored" and r["by"] == "local cloud"]
        assert len(anew) == 1, anew
        told = ledger.run("show", anew[0]["id"], "--json").rows[0]["held"]
        assert anew[0]["held"] == told
        assert told["versions"] == [{"object": name, "version": after[name]}], told
        exhibit = next(f"unfiled/{n}" for n in (1, 2) if held(ledger, f"unfiled/{n}")["versions"][0]["object"] == name)
        assert "held anew" in ledger.run("show", exhibit).out and "stored" in ledger.run("trail", exhibit).out
        assert "copies    1 of 1" in ledger.run("show", exhibit).out or ledger.run("ls", "--json").rows[0]["copies"] == 1, "the provider's word is no copy"
        ledger.run("receipt", anew[0]["id"], "-o", folder / "anew.tlog-proof")
        answer = verify("--trust", ledger.trust, folder / "anew.tlog-proof")
        assert f"version {after[name]}), not locked" in answer.out, answer
        assert ledger.run("bucket", "check", server.address(), "--json").rows[0]["ok"]
        ledger.check("--repair")
        assert len([r for r in ledger.run("trail", "--json").rows if r["kind"] == "stored" and r["by"] == "local cloud"]) == 1, "once"


@test
def what_the_policy_asks_for_is_done_before_it_is_signed_or_nothing_is(folder):
    with Server(folder / "s") as server:
        server.make_bucket()
        custody("init", folder / "L", "--cloud", server.address(), "--retention", "30", env=WHO)
        ledger = Room(folder / "L")
        row = ledger.deposit(fill(folder / "large", noise(1 << 20)))[0]
        said = held(ledger, "unfiled/1")
        assert said["lock"] == "locked in compliance mode" and when(said["until"]) - when(row["time"]) > 30 * DAY, said
        assert "for 30 days" in verify("--trust", ledger.trust, row["receipt"], folder / "large").out
        ledger.deposit(fill(folder / "large again", noise(1 << 20)))  # the same object, for as long from now on
        ledger.clean()
        server.make_bucket("bare", lock=False)
        custody("init", folder / "B", "--cloud", server.address(bucket="bare"), "--retention", "30", env=WHO)
        bare = Room(folder / "B")
        answer = bare.run("deposit", folder / "large", code=None)
        assert answer.code not in (0, 3) and "does not lock" in answer.err and "policy" in answer.err, answer
        assert not [r for r in bare.run("ls", "--json").rows if r.get("exhibit")]
        bare.deposit(fill(folder / "small", b"small"))  # it travels with the record
    custody("init", folder / "F", "--retention", "30")
    plain = Ledger(folder / "F")
    assert "in which nothing is locked" in plain.run("deposit", folder / "large", code=12).err
    custody("init", folder / "N", "--retention", "0", code=1)
    custody("init", folder / "N", "--retention", "36501", code=1)


@test
def a_provider_that_lies_about_versions_or_dates_is_found_out(folder):
    """The proxy is the provider's own: what it signs is what the proxy says."""
    mode, lock = [None], threading.Lock()

    def lie(handler, answer, text):
        if answer is None or answer.status != 200:
            return False
        with lock:
            what = mode[0]
        if what == "date" and handler.command == "GET" and "retention=" in handler.path:
            return handler.answer(200, text.replace(b"<RetainUntilDate>20", b"<RetainUntilDate>21"), answer.getheaders()) or True
        if what == "free" and handler.command == "GET" and "retention=" in handler.path:
            return handler.answer(200, text.replace(b"GOVERNANCE", b"COMPLIANCE"), answer.getheaders()) or True
        return False

    with Server(folder / "s") as server, Spoiler(server, lie) as proxy:
        server.make_bucket()
        ledger = room(folder, server, address=server.address(port=proxy.port, retain=1))
        honest = server.address()
        ledger.deposit(fill(folder / "honest", noise(1 << 20)))
        assert ledger.run("bucket", "check", honest, "--json").rows[0] == {"findings": [], "objects": 1, "left": 0, "ok": True}
        mode[0] = "date"
        ledger.deposit(fill(folder / "lie", noise(1 << 20, 1)))
        assert held(ledger, "unfiled/2")["until"].startswith("21")
        ledger.clean()  # by the liar's own eyes all is well
        answer = ledger.run("bucket", "check", honest, code=2)
        assert answer.out.count("unheld") == 1 and "locked in compliance mode until 21" in answer.out and "the store says" in answer.out, answer
        mode[0] = None
        assert [f["kind"] for f in ledger.check(code=2)["findings"]] == ["unheld"]
        ledger.check("--repair", code=None)  # it says anew what is so
        ledger.clean()
        assert ledger.run("bucket", "check", honest, "--json").rows[0]["ok"]
        # a version that was never there: signed for while another store was asked, which is gone
        name = held(ledger, "unfiled/1")["versions"][0]["object"]
        with Server(folder / "t") as other:
            other.make_bucket()
            found = ledger.run("bucket", "check", other.address(), "--json", code=2).rows[0]
            assert {f["object"] for f in found["findings"]} >= {name} and "is not in the bucket" in found["findings"][0]["what"], found


@test
def of_a_large_folder_the_objects_that_no_entry_names_are_compared_when_it_is_asked_for(folder):
    with Server(folder / "s") as server:
        server.make_bucket(lock=False)
        ledger = room(folder, server)
        for n in range(67):
            fill(folder / f"d/{n}", noise(1 << 20, n))
        fill(folder / "d/small", noise(50_000, 100)), fill(folder / "d/again", noise(1 << 20, 1))
        ledger.deposit(folder / "d")
        said = held(ledger, "unfiled/1")
        named, total = {v["object"] for v in said["versions"]}, said["objects"]
        assert len(named) == 64 and total >= 68, said

        def check(*args, code=0):
            return ledger.run("bucket", "check", server.address(), *args, code=code)

        assert f"NOT compared: {total - 64} of {total} objects" in check().out
        assert check("--json").row == {"findings": [], "objects": 64, "left": total - 64, "ok": True}
        assert check("--all", "--json").row == {"findings": [], "objects": total, "left": 0, "ok": True}
        before = versions(server)
        key = next(k for k in objects(server) if "/large/" in k and k.rsplit("/", 1)[1] not in named)
        name = key.rsplit("/", 1)[1]
        bytes_ = server.ask("GET", f"/evidence/{key}")[1]
        server.ask("DELETE", f"/evidence/{key}", {"versionId": before[name]}, want=204)
        assert check("--json").row["ok"], "nobody looked"
        assert check("--all", "--json", code=2).row["findings"] == [{"object": name, "what": "it is not in the bucket, and the provider signed for all objects of the folder"}]
        server.ask("PUT", f"/evidence/{key}", body=bytes_)
        [found] = check("--all", "--json", code=2).row["findings"]
        assert found["object"] == ledger.run("show", "unfiled/1", "--json").row["root"] and "not all of them in the versions" in found["what"], found
        ledger.check("--repair", code=None)
        ledger.clean()
        anew = [r for r in ledger.run("trail", "--json").rows if r["kind"] == "stored" and r["by"] == "local cloud"]
        assert len(anew) == 1 and anew[0]["held"]["objects"] in (total, total + 1), anew  # the manifest came to the bucket meanwhile
        assert check("--all", "--json").row["ok"]
        ledger.check("--repair")
        assert len([r for r in ledger.run("trail", "--json").rows if r["kind"] == "stored" and r["by"] == "local cloud"]) == 1, "once"


@test
def a_provider_of_its_own_signs_versions_too(folder):
    with Server(folder / "s") as server:
        server.make_bucket()
        custody("init", folder / "L", "--retention", "1")
        ledger = Ledger(folder / "L")
        Provider.make(folder / "P", ledger, "--cloud", server.address(), env=WHO)
        with Node(ledger) as node, Provider(folder / "P", node, env=WHO) as provider:
            officer = Officer(folder, node.url, ledger.root / "keys/depositor.pem", "--provider", provider.url).pin(ledger)
            officer.deposit("--no-wait", fill(folder / "large", noise(1 << 20)), code=3)
            said = officer.run("show", "unfiled/1", "--json").rows[0]["held"]
            assert said["lock"] == "locked in compliance mode" and said["versions"][0]["version"] in versions(server).values(), said
            assert "1 object: each is there" in officer.run("bucket", "check", server.address(), env=WHO).out


@test
def a_provider_of_its_own_that_lost_a_version_brings_it_again_and_accepts_it_anew(folder):
    with Server(folder / "s") as server:
        server.make_bucket(lock=False)
        ledger = Ledger.new(folder / "L")
        Provider.make(folder / "P", ledger, "--cloud", server.address(), env=WHO)
        port = free_port()
        with Node(ledger, "--provider", f"http://127.0.0.1:{port}", "--listen", f"127.0.0.1:{free_port()}") as node, Provider(folder / "P", node, env=WHO, port=port) as provider:
            officer = Officer(folder, node.url, ledger.root / "keys/depositor.pem", "--provider", provider.url).pin(ledger)
            officer.deposit(fill(folder / "large", noise(1 << 20)))
            row = officer.run("show", "unfiled/1", "--json").rows[0]
            name, version = row["held"]["versions"][0].values()
            key = next(k for k in objects(server) if name in k)
            at = next(r["entry"] for r in officer.run("trail", "--json").rows if r["id"] == row["id"])
            server.ask("DELETE", f"/evidence/{key}", {"versionId": version}, want=204)
            assert provider.ask("GET", f"/v1/objects/{name}?entry={at}")[0] >= 400

            def anew():
                rows = [r for r in officer.run("trail", "--json").rows if r["kind"] == "stored" and r["by"] == "Cloud"]
                return rows[0]["held"] if rows else None
            said = wait_for(anew)
            assert said["versions"][0]["object"] == name and said["versions"][0]["version"] == versions(server)[name] != version, said
            assert provider.ask("GET", f"/v1/objects/{name}")[2] == noise(1 << 20)
            assert "each is there" in officer.run("bucket", "check", server.address(), env=WHO).out


if __name__ == "__main__":
    main()
