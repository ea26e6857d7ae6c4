#!/usr/bin/env python3
"""What goes wrong between provider, node, client and store, as processes of their own: each with a clear error, nothing lost, nothing half done. What is
shown where stands in docs/faults.md."""
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import time

from cases import evidence
from custody_test import SANITIZED, Ledger, custody, fill, main, noise, test, verify
from node_test import BUILD, Node, parts, sign
from officer import Officer, with_members
from provider_world import TUS, Provider, chunk_roots, claimed, cut_short, world
from pull_world import wait_for
from rude import SINGLES, ambiguous, ranges, slow, twice
from s3_world import WHO, Server, Spoiler, free_port

MIB = 1 << 20
NOBODY = "http://no-such-host.invalid:8715"  # a name that never has an address (RFC 6761)


# ---- requests that are none ----
@test
def the_provider_reads_a_request_in_one_way_as_the_node_does(folder):
    with world(folder) as (_, node, provider):
        ambiguous(provider, "/v1/claims")
        for server in (provider, node):
            twice(server)
    return f"{len(SINGLES)} headers that may stand once"


def given(ledger, provider, path):
    """Deposited: its root."""
    claim = provider.claim(claimed(ledger, path))
    provider.patch(claim, path.read_bytes(), 0)
    provider.recorded(claim)
    return claim, ledger


@test
def whoever_is_slow_with_the_provider_is_cut_off_and_what_he_sent_counts(folder):
    with world(folder) as (ledger, node, provider):
        large, film = fill(folder / "large", noise(40_000_000)), fill(folder / "film", noise(3 * MIB, 2))
        given(ledger, provider, large)
        root = node.json("/v1/show/C1/1")["root"].encode()
        claim = provider.claim(claimed(ledger, film))
        quick = b"POST /v1/claims HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor\r\nContent-Length: 5000\r\n\r\n"
        sender = cut_short(provider, claim, film.read_bytes()[:2 * MIB + 5], 0, 3 * MIB)  # and then nothing more, for good
        slow(provider, b"/v1/objects/" + root, {"a slow body": b"x"}, quick)
        offset = wait_for(lambda: provider.offset(claim))
        assert MIB <= offset <= 2 * MIB + 5, offset
        provider.patch(claim, film.read_bytes()[offset:], offset)  # nobody else is believed to be at it
        provider.recorded(claim)
        sender.close()
        done = subprocess.run(["curl", "-s", "--limit-rate", "6M", f"{provider.url}/v1/objects/{root.decode()}"], capture_output=True, check=True)
        assert done.stdout == large.read_bytes(), "who takes his time but keeps the rate is served"


@test
def what_is_too_large_is_told_before_it_is_read(folder):
    with world(folder) as (ledger, node, provider):
        item = fill(folder / "item", noise(3 * MIB))
        claim = provider.claim(claimed(ledger, item))
        cbor, bytes_ = b"Content-Type: application/cbor\r\n", b"Content-Type: application/octet-stream\r\n"
        for server, line, kind, size in ((provider, b"POST /v1/claims", cbor, 1 << 20), (provider, f"PUT /v1/claims/{claim}/chunks".encode(), bytes_, (8 << 20) + 1),
                                         (node, b"POST /v1/submit", cbor, 1 << 30), (node, f"PUT /v1/claims/{claim}/chunks".encode(), bytes_, (8 << 20) + 1)):
            head = line + b" HTTP/1.1\r\nHost: localhost:%d\r\n" % server.port + kind
            for length in (str(size), "9223372036854775807", "9999999999999999999999"):
                status, got, closed = server.raw(head + f"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n".encode())
                assert status in ((413,) if len(length) < 20 else (400, 413)) and closed and b"100 Continue" not in got, (line, length, status, got[:200])
            status, _, closed = server.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"\0" * 65536 + b"\r\n") * (size // 65536 + 2 if size < 1 << 24 else 200), wait=20)
            assert status in (0, 404, 413) and closed, (line, status)
        provider.patch(claim, b"x" * (3 * MIB + 1), 0, None)
        assert provider.state(claim)["state"] in ("claimed", "receiving", "checking", "refused", "recorded")
        assert b"custody_http_body_bytes 0\n" in provider.get("/metrics")


@test
def parts_of_a_providers_object_are_as_of_the_nodes_content(folder):
    with world(folder) as (ledger, node, provider):
        film = fill(folder / "film", noise(5 * MIB + 1))
        given(ledger, provider, film)
        ranges(provider, "/v1/objects/" + node.json("/v1/show/C1/1")["root"], film.read_bytes())


# ---- again, and in another order ----
@test
def records_that_come_again_and_in_any_order_are_recorded_once(folder):
    ledger = Ledger.new(folder / "L", "C1")
    records = parts(sign(ledger, "C1", 1, 60))
    opens = ledger.copy(folder / "ahead")
    opens.run("case", "open", "C9")
    late = parts(sign(opens, "C9", 61, 1))[0]  # over a block, and of a case, that this ledger never had
    order = records * 3
    random.Random(7).shuffle(order)
    with Node(ledger) as node:
        said = node.submit(late, "application/cbor", code=node.curl("/v1/submit", "-H", "content-type: application/cbor", data=late)[0])
        assert said["status"] >= 400 and len(said["detail"]) > 20, said

        def send(share):
            return [a for at in range(0, len(share), 9) for a in node.submit(b"".join(share[at:at + 9]))]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = [a for job in [pool.submit(send, order[i::4]) for i in range(4)] for a in job.result()]
        assert sorted(a["status"] for a in answers) == ["DUPLICATE"] * 120 + ["OK"] * 60
        assert len({a["id"] for a in answers}) == len({a["entry"] for a in answers}) == 60
        exhibits = node.json("/v1/case/C1?limit=1000")["exhibits"]
        assert len(exhibits) == len({e["id"] for e in exhibits}) == 60 and node.json("/v1/inventory/C1")["exhibits"] == 60
    ledger.clean()


@test
def pieces_that_come_again_and_in_any_order_make_one_upload(folder):
    with world(folder) as (ledger, node, provider):
        film = fill(folder / "film", noise(6 * MIB + 5))
        data, file = film.read_bytes(), claimed(ledger, film)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            ids = [job.result()[2] for job in [pool.submit(provider.ask, "POST", "/v1/claims", file.read_bytes(), {"Content-Type": "application/cbor"}) for _ in range(6)]]
        [claim] = {json.loads(body)["id"] for body in ids}
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", chunk_roots(film), {"Content-Type": "application/octet-stream"}, 200)
        chance = random.Random(5)

        def send(_):
            said = []
            while (state := provider.state(claim))["state"] in ("claimed", "receiving"):
                at = chance.choice((0, state["offset"], state["offset"], state["offset"] + 1000, max(0, state["offset"] - 70_000)))
                said.append(provider.patch(claim, data[at:at + chance.randrange(1, MIB)], at, None)[0])
            return said
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            said = {s for job in [pool.submit(send, n) for n in range(4)] for s in job.result()}
        assert said <= {204, 409, 423, None} and {204, 409} <= said, said
        provider.recorded(claim)
        root = node.json("/v1/show/C1/1")["root"]
        assert provider.get("/v1/objects/" + root) == data and len(node.json("/v1/case/C1")["exhibits"]) == 1


# ---- clocks ----
def off(seconds):
    return {"LD_PRELOAD": os.fspath(BUILD / "preload/clock_off.so"), "CLOCK_OFF": str(seconds)}


@test
def a_clock_that_is_an_hour_off_is_told_and_changes_nothing_but_its_own_word(folder):
    ledger, key, _ = with_members(folder, "C1")
    Provider.make(folder / "P", ledger)
    ports, times = (free_port(), free_port()), []
    for number, (who, seconds) in enumerate([(w, s) for w in ("client", "provider", "node") for s in (-3600, 3600)], 1):
        env = {w: off(seconds) if w == who else {} for w in ("client", "provider", "node")}
        path = fill(folder / str(number), noise(50_000, number))
        with Node(ledger, "--listen", f"127.0.0.1:{ports[0]}", "--provider", f"http://127.0.0.1:{ports[1]}", env=env["node"]) as node, \
                Provider(folder / "P", node, "--listen", f"127.0.0.1:{ports[1]}", env=env["provider"]) as provider:
            officer = Officer(folder, node.url, key).pin(ledger)
            answer = officer.deposit("--case", "C1", path, env=env["client"])
            row = officer.run("show", f"C1/{number}", "--json", env=env["client"]).row
            said = {"client": answer.err, "provider": provider.log.read_text(), "node": node.log.read_text()}
        times.append(row["time"])
        told = verify("--trust", ledger.trust, folder / f"state/127.0.0.1-{ports[0]}/receipts/C1-{number}.tlog-proof", path).out
        if who == "client":
            assert "which is not between those times" in told, told
        if who != "node":
            assert f"this machine's clock is 60 minutes {'ahead of' if seconds > 0 else 'behind'} the node's" in said[who], (who, seconds, said[who][-900:])
            assert "clock is" not in said["node"] + said["client" if who == "provider" else "provider"], said
        (folder / "P.log").write_text(""), (folder / "node.log").write_text("")
    answer = ledger.run("doctor", code=None)  # the node's clock was an hour ahead when it wrote the last block
    assert "BAD  clock" in answer.out and "behind the newest block" in answer.out, answer
    with Node(ledger) as node:
        assert "behind the newest block" in node.log.read_text() and node.get("/healthz") == b"ok\n"
    assert times == sorted(times), times
    ledger.clean()


# ---- a store that is not kind, behind a provider ----
def in_a_bucket(folder, server, port=None, **more):
    ledger = Ledger.new(folder / "L", "C1")
    Provider.make(folder / "P", ledger, "--cloud", server.address(**more), env=WHO)
    if port:  # afterwards by another way
        config = folder / "P/cloud/bucket"
        config.write_text(config.read_text().replace(f":{server.port}", f":{port}"))
    return ledger


@test
def a_store_that_answers_wrongly_keeps_the_provider_from_signing_and_it_signs_when_all_is_well(folder):
    mode, heads = [None], [("Content-Type", "application/xml")]

    def spoil(handler, answer, text):
        what = mode[0]
        of_object = "/large/" in handler.path or "/packs/" in handler.path
        if not what or not of_object:
            return False
        if answer is None:
            if what == "500" or (what == "SlowDown" and handler.command == "PUT"):
                return handler.answer(500 if what == "500" else 503, f"<Error><Code>{'InternalError' if what == '500' else 'SlowDown'}</Code></Error>".encode(), heads) or True
            if what == "silent" and handler.command == "PUT":
                time.sleep(3)
                handler.close_connection = True
                return True
            return False
        if what == "truncated" and handler.command == "GET":
            handler.answer(answer.status, b"", answer.getheaders(), str(len(text)))  # with a part of it the rest would be asked for
            handler.close_connection = True
            return True
        if what == "flipped" and handler.command == "GET":
            return handler.answer(answer.status, bytes([text[0] ^ 1]) + text[1:], answer.getheaders()) or True
        if what == "version" and handler.command == "PUT":
            return handler.answer(200, text, [(k, "01M8DD1ZQJGX3TF6HZF1Q8YW8D" if k.lower() == "x-amz-version-id" else v) for k, v in answer.getheaders()]) or True
        if what == "etag" and "partNumber" in handler.path:
            return handler.answer(200, text, [(k, '"0"' if k.lower() == "etag" else v) for k, v in answer.getheaders()]) or True
        return False

    with Server(folder / "s") as server, Spoiler(server, spoil) as proxy:
        server.make_bucket()
        ledger = in_a_bucket(folder, server, proxy.port, tries=2, timeout=1)
        with Node(ledger) as node, Provider(folder / "P", node, env=WHO) as provider:
            claims = {}
            for what in ("500", "SlowDown", "silent", "flipped", "truncated", "version") + (() if SANITIZED else ("etag",)):
                mode[0] = what
                path = fill(folder / what, noise(17 * MIB if what == "etag" else 2 * MIB, what))
                claims[what] = provider.claim(claimed(ledger, path))
                provider.log.write_text("")
                provider.patch(claims[what], path.read_bytes(), 0)
                try:
                    wait_for(lambda: '"trouble"' in provider.log.read_text(), 90)
                except AssertionError as failed:
                    raise AssertionError(f"{what}: {failed}: {provider.state(claims[what])} {provider.log.read_text()[-1500:]}") from failed
                assert provider.state(claims[what])["state"] == "checking", f"{what}: it signed for what it could not read again"
                said = [json.loads(line)["trouble"] for line in provider.log.read_text().splitlines() if '"trouble"' in line]
                assert all(len(s) > 40 for s in said), said
                provider.ask("GET", f"/v1/claims/{claims[what]}/record", code=404)
                assert provider.get("/healthz") == b"ok\n"
                mode[0] = None
                provider.recorded(claims[what])
            rows = node.json("/v1/case/C1")["exhibits"]
            assert len(rows) == len(claims)
            for what, claim in claims.items():
                assert provider.get("/v1/objects/" + node.json("/v1/show/" + claim)["root"]) == (folder / what).read_bytes()


@test
def an_old_bucket_that_was_put_back_is_noticed_and_what_it_has_is_served(folder):
    with Server(folder / "s") as server:
        server.make_bucket(lock=False)
        ledger = in_a_bucket(folder, server)
        files = {name: fill(folder / name, noise(2 * MIB, name)) for name in ("before", "after")}
        with Node(ledger) as node, Provider(folder / "P", node, env=WHO) as provider:
            for name, path in files.items():
                given(ledger, provider, path)
                if name == "before":
                    server.kill()
                    shutil.copytree(folder / "s", folder / "old", symlinks=True)
                    server.start()
            server.kill()
            shutil.rmtree(folder / "s"), shutil.move(folder / "old", folder / "s")
            server.start()
            roots = {name: node.json(f"/v1/show/C1/{n}")["root"] for n, name in enumerate(files, 1)}
            assert provider.get("/v1/objects/" + roots["before"]) == files["before"].read_bytes()
            status, _, body = provider.curl("/v1/objects/" + roots["after"])
            assert status in (404, 500) and len(json.loads(body)["detail"]) > 40, (status, body)
            told = subprocess.run(["curl", "-s", "-o", folder / "none", "-w", "%{http_code}", f"{provider.url}/v1/objects/{roots['after']}/chunks"], capture_output=True, check=False)
            assert told.returncode or told.stdout != b"200" or (folder / "none").read_bytes() == chunk_roots(files["after"])
            wait_for(lambda: '"trouble"' in provider.log.read_text() or status == 404)
            given(ledger, provider, fill(folder / "next", noise(2 * MIB, "next")))  # and goes on
        rows = ledger.run("ls", "--case", "C1", "--json").rows
        assert len(rows) == 3


@test
def a_name_that_has_no_address_is_said_by_whoever_looks_for_it(folder):
    ledger, key, _ = with_members(folder, "C1")
    Provider.make(folder / "P", ledger)
    evidence(folder / "source")
    with Node(ledger, "--provider", NOBODY) as node, Provider(folder / "P", node) as provider:
        officer = Officer(folder, node.url, key, "--provider", provider.url).pin(ledger)
        for verb in (["ls"], ["case", "open", "C2"], ["deposit", folder / "source/small.txt"]):
            answer = custody("--ledger", NOBODY, "--state", folder / "elsewhere", "--pin-trust", ledger.trust, "--key", key, *verb, code=1)
            assert "no-such-host.invalid" in answer.error and "resolve" in answer.error and "again" in answer.error, answer
        args = ["--case", "C1", "--wait", "1", folder / "source/packed.bin"]
        answer = officer.run("deposit", "--provider", NOBODY, *args, code=1)
        assert "no-such-host.invalid" in answer.error and "goes on where it was" in answer.error, answer
        row = officer.deposit(*args, "--json").row  # the same claim, by another way; and the node, which finds no provider, gets it from here
        assert row["serial"] == 1 and row["copies"] == 1, row
        provider.kill()
        provider.node.url, url = NOBODY, node.url
        provider.start()  # without a ledger: what was begun goes on
        assert "no-such-host.invalid" in provider.log.read_text() and provider.get("/healthz") == b"ok\n"
        small = claimed(ledger.copy(folder / "scene"), folder / "source/small.txt")
        status, headers, body = provider.ask("POST", "/v1/claims", small.read_bytes(), {"Content-Type": "application/cbor"})
        assert status == 503 and headers["retry-after"] and "no-such-host.invalid" in json.loads(body)["detail"], (status, body)
        provider.node.url = url
        answer = custody("init", folder / "M", "--cloud", "s3://evidence/room?endpoint=http://no-such-host.invalid:9000&tries=1", env=WHO, code=1)
        assert "no-such-host.invalid" in answer.err and "resolve" in answer.err, answer
    ledger.check("--only", "log", code=0)


if __name__ == "__main__":
    main(4)  # they wait more than they work
