"""Four organisations on one machine, each with its own CometBFT: as quick as it goes. The long one is tests/cluster/test_network.py."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cluster"))
from custody_test import CUSTODY, VERIFY, Skip, call, fill, main, noise, test, verify  # noqa: E402
from network import COMET, Cloudy, Network, parts, same, statuses, submit_at_once, until  # noqa: E402


@test
def four_organisations_record_as_one_and_one_that_was_killed_catches_up(folder):
    if not COMET.exists():
        raise Skip("cometbft is not installed: tools/setup cluster")
    with Network(folder) as net:
        police, prosecutor, court, audit = net.orgs
        until(lambda: {org.checkpoint()[0] for org in net.orgs} == {police.checkpoint()[0]}, "they begin alike")
        assert police.submit(police.sign("C1"), "application/cbor")["status"] == "OK"
        net.rest()
        signed = [org.sign("C1", 1, 24) for org in net.orgs]
        bad = bytearray(parts(signed[0])[0])
        bad[-9] ^= 1  # of what is attached
        jobs = [(org, records) for org, records in zip(net.orgs, signed)] + [(court, signed[0]), (audit, signed[0]), (police, signed[3])]
        outcomes = submit_at_once(jobs + [(prosecutor, bytes(bad))])
        said = statuses(outcomes)
        assert said.count("OK") == 96 and said.count("DUPLICATE") == 72 and said[-1] == "BAD_ATTACHMENT", said
        entries = {o["id"]: o["entry"] for answer in outcomes for o in answer if o["status"] == "OK"}
        assert all(entries[o["id"]] == o["entry"] for answer in outcomes for o in answer if o["status"] == "DUPLICATE")

        audit.kill()
        more = police.sign("C1", 25, 24)
        assert set(statuses([prosecutor.submit(more)])) == {"OK"}
        engine = court.engine()
        call(["kill", "-9", str(engine)])
        audit.start()
        until(lambda: court.engine() not in (0, engine), f"its CometBFT is started again: {court.said()}")
        assert set(statuses([audit.submit(more)])) == {"DUPLICATE"}, "who was away knows what was recorded"
        net.rest()

        table = call([CUSTODY, "network", "status", "--json", *[org.url for org in net.orgs]])
        assert len(table.rows) == 4 and all(r["behind"] == 0 and r["exhibits"] == 120 and r["height"] > 3 and r["trouble"] == "" for r in table.rows), table
        assert call([CUSTODY, "network", "status", police.url, "http://127.0.0.1:1"], code=2).out.count("cannot be reached") == 1

        seen = [org.json("/v1/show/C1/7") for org in net.orgs]
        assert all(s["id"] == seen[0]["id"] and s["copies"] == 4 for s in seen), seen
        for org in net.orgs:
            fill(folder / "receipt", org.get("/v1/receipt/C1/7"))
            call([VERIFY, "--trust", org.root / "trust/ledger.trust", folder / "receipt"])
        refused = call([CUSTODY, "case", "open", "C2", "--ledger", police.root], code=12)
        assert "its node" in refused.error, refused
        listed = call([CUSTODY, "ls", "--case", "C1", "--json", "--ledger", court.url, "--state", folder / "reader", "--pin-trust", court.root / "trust/ledger.trust"])
        assert len(listed.rows) == 120, len(listed.rows)
    same(net.orgs)


@test
def content_comes_to_every_organisation_and_one_that_lost_it_has_it_again(folder):
    if not COMET.exists():
        raise Skip("cometbft is not installed: tools/setup cluster")
    fill(folder / "film.bin", noise(3_000_001))
    fill(folder / "photo.jpg", noise(200_000, 2))
    fill(folder / "bag/a/one.txt", b"one\n")
    fill(folder / "bag/two.bin", noise(70_000, 3))
    fill(folder / "late.bin", noise(1_500_000, 4))
    paths = [folder / name for name in ("film.bin", "photo.jpg", "bag", "late.bin")]
    with Cloudy(folder) as net:
        police, prosecutor, court, audit = net.orgs
        audit.kill()
        for row, path in zip(net.desk.deposit(*paths[:3]), paths):
            assert row["copies"] >= 3 and verify("--trust", court.trust, row["receipt"], path).code == 0, row
        net.provider.kill()  # so what one was away for comes from its peers
        audit.start(*net.options)
        until(lambda: audit.copies("C1/1") == 4, audit.said)
        assert audit.get("/v1/content/C1/1") == paths[0].read_bytes()
        net.provider.start()
        net.desk.deposit(paths[3])
        until(lambda: audit.copies("C1/4") == 4, audit.said)

        before = audit.status()["incidents"]
        shutil.rmtree(court.root / "node/objects")  # while it runs
        until(lambda: court.status()["incidents"] > before and court.status()["copies_missing"] == 0, court.said)
        [film] = [p for p in net.provider.folder.glob("cloud/objects/large/*/*") if p.stat().st_size == 3_000_001]
        fill(film, noise(3_000_001, 9))
        until(lambda: "a provider was asked" in net.desk.run("trail").out and film.exists() and film.read_bytes() == paths[0].read_bytes(), police.said)
        assert "missing: " in net.desk.run("trail").out
        for org in net.orgs:
            assert org.get("/v1/content/C1/2") == paths[1].read_bytes() and org.status()["pull_wrong"] == 0
        net.rest()
    same(net.orgs)


@test
def a_node_without_its_engine_says_what_is_missing(folder):
    net = Network(folder, 1)
    org = net.orgs[0]
    org.start(comet="no-such-cometbft", wait=False)
    assert org.process.wait(30) == 10 and "no-such-cometbft: there is no such program" in org.said(), org.said()
    dies = fill(folder / "dies", b"#!/bin/sh\necho 'panic: wrong Block.Header.AppHash'\nexit 2\n")
    (folder / "dies").chmod(0o755)
    org.start(comet=folder / "dies", wait=False)
    assert org.process.wait(30) == 2 and "do not agree on what was recorded" in org.said(), (dies, org.said())
    # it goes on running after its consensus has failed, and takes no part
    fill(dies, b"#!/bin/sh\necho 'E CONSENSUS FAILURE!!! err=\"write data/wal: no space left on device\"'\nexec sleep 1000\n")
    org.start(comet=dies, wait=False)
    assert org.process.wait(30) == 2 and "the disk is full: make room" in org.said(), org.said()


@test
def a_network_of_files_that_each_organisation_handed_over(folder):
    for i, name in enumerate(("Police", "Court")):
        made = call([CUSTODY, "network", "request", folder / name, "--org", name, "--at", f"127.0.0.1:{27000 + i}", "-o", folder / f"{name}.founder"])
        assert "fingerprint" in made.out
    files = [folder / "Police.founder", folder / "Court.founder"]
    new = call([CUSTODY, "network", "new", *files, "-o", folder / "network"])
    joined = call([CUSTODY, "network", "join", folder / "Police", folder / "network"])
    words = [line.strip() for line in new.out.split("network id")[1].split("\n")[1:4]]
    assert all(line in joined.out for line in words), joined
    for who, what in ((0, "altered"), (1, "twice")):
        altered = bytearray(files[0].read_bytes())
        altered[50] ^= 1
        fill(folder / "other.founder", bytes(altered))
        refused = call([CUSTODY, "network", "new", *([files[1], folder / "other.founder"] if who == 0 else [files[0], files[0]]), "-o", folder / what], code=None)
        assert refused.code != 0 and not (folder / what).exists(), refused
    stranger = call([CUSTODY, "network", "request", folder / "Stranger", "--org", "Stranger", "--at", "127.0.0.1:27009", "-o", folder / "s.founder"])
    assert stranger.code == 0
    refused = call([CUSTODY, "network", "join", folder / "Stranger", folder / "network"], code=12)
    assert "without the keys of this folder" in refused.error, refused
    assert call([CUSTODY, "network", "request", folder / "Worse", "--org", "W", "--at", "nowhere", "-o", folder / "w.founder"], code=1)


main()
