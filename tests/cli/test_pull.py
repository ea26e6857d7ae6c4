#!/usr/bin/env python3
"""The node brings what a provider holds: verified, durable, attested; and what does not come goes on record."""
import base64
import os
import signal
import time

from custody_test import SANITIZED, Ledger, fill, main, noise, test, verify
from node_test import Node
from provider_world import TUS, Provider as Cloud, chunk_roots as roots_of_file, claimed, folder_stream
from pull_world import CHUNK, Provider, accepted, copies, root_of, wait_for

FILM = noise(3 * CHUNK + 4097)
PHOTO = noise(200_000, 2)


def evidence(folder):
    fill(folder / "film.bin", FILM)
    fill(folder / "photo.jpg", PHOTO)
    files = {f"f{i:03}": noise(900 + 7 * i, 100 + i) for i in range(300)} | {"empty": b"", "large": noise(CHUNK + 5, 9), "again": PHOTO}
    for name, data in files.items():
        fill(folder / "bag" / name, data)
    return files


@test
def what_the_provider_holds_comes_and_is_attested(folder):
    files = evidence(folder)
    made, bare, records = accepted(folder, folder / "film.bin", folder / "photo.jpg", folder / "bag")
    with Node(made) as other:
        manifest = other.get("/v1/content/C1/3")
    with Provider(FILM, PHOTO, manifest, *files.values()) as provider:
        with Node(bare, "--provider", provider.url) as node:
            assert node.json("/v1/status")["provider"] == provider.url
            for record in records:
                assert node.submit(record, "application/cbor")["status"] == "OK"
            for i, path in enumerate(("film.bin", "photo.jpg", "bag")):
                fill(folder / f"r{i}", node.get(f"/v1/receipt/C1/{i + 1}?wait=40"))
            assert node.get("/v1/content/C1/1") == FILM
            assert copies(node)["missing"] == 0 and copies(node)["wrong"] == 0
            assert b"\ncustody_copies_missing 0\n" in node.get("/metrics")
        verify("--trust", bare.trust, folder / "r0", folder / "film.bin")
        fill(folder / "r2.manifest", manifest)
        verify("--trust", bare.trust, "--manifest", folder / "r2.manifest", folder / "r2", folder / "bag")
        assert provider.sent < 1.2 * (len(FILM) + len(PHOTO) + sum(map(len, files.values())) + len(manifest))
        asked = len(provider.asked)
        with Node(bare, "--provider", provider.url) as node:  # nothing is brought twice
            time.sleep(1.5)
            assert len(provider.asked) == asked
    assert "damaged" not in bare.run("check", code=None).out


@test
def whoever_lies_gets_nothing_attested_and_another_source_is_asked(folder):
    fill(folder / "film.bin", FILM)
    made, bare, (record,) = accepted(folder, folder / "film.bin")
    for lie in ("wrong bytes", "wrong tree", "cut", "500", "404") if not SANITIZED else ("wrong bytes", "cut"):
        ledger = bare.copy(folder / lie)
        with Provider(FILM, lie=lie) as liar, Provider(FILM) as honest:
            with Node(ledger, "--provider", liar.url, "--peer", "") as node:
                node.submit(record, "application/cbor")
                wait_for(lambda: copies(node)["failures"] > 0)
                assert copies(node)["missing"] == 1 and node.json("/v1/receipt/C1/1", code=202)["code"] == "COPIES_MISSING", lie
                assert (copies(node)["wrong"] > 0) == (lie.startswith("wrong")), lie
            with Node(ledger, "--provider", liar.url + " " + honest.url) as node:
                fill(folder / "r", node.get("/v1/receipt/C1/1?wait=40"))
                assert node.get("/v1/content/C1/1") == FILM
        verify("--trust", bare.trust, folder / "r", folder / "film.bin")


@test
def a_node_that_has_it_is_a_source_too(folder):
    fill(folder / "film.bin", FILM)
    made, bare, (record,) = accepted(folder, folder / "film.bin")
    with Node(made) as peer, Node(bare, "--peer", peer.url) as node:
        node.submit(record, "application/cbor")
        node.get("/v1/receipt/C1/1?wait=40")
        assert "provider" not in node.json("/v1/status")


@test
def who_gives_evidence_to_members_alone_gives_it_to_a_nodes_certificate(folder):
    fill(folder / "film.bin", FILM)
    made, bare, (record,) = accepted(folder, folder / "film.bin")
    made.run("ca", "init")
    tls = made.root / "tls"
    with Node(made, "--tls", client=("--cacert", tls / "ca.pem")) as peer:
        with Node(bare, "--peer", peer.url, "--cacert", tls / "ca.pem") as node:
            node.submit(record, "application/cbor")
            wait_for(lambda: copies(node)["failures"] > 0)
            assert copies(node)["missing"] == 1
        with Node(bare, "--peer", peer.url, "--cacert", tls / "ca.pem", "--cert", tls / "organisation.pem") as node:
            node.get("/v1/receipt/C1/1?wait=40")


@test
def what_check_takes_out_of_the_store_is_brought_again(folder):
    fill(folder / "film.bin", FILM)
    made, bare, (record,) = accepted(folder, folder / "film.bin")
    with Provider(FILM) as provider:
        with Node(bare, "--provider", provider.url) as node:
            node.submit(record, "application/cbor")
            node.get("/v1/receipt/C1/1?wait=40")
        bare.run("check")
        [film] = [p for p in bare.root.glob("node/objects/large/*/*") if p.suffix != ".tree"]
        with open(film, "r+b") as f:
            f.seek(CHUNK + 7)
            f.write(b"altered!")
        assert str(film.relative_to(bare.root)) in bare.run("check", code=2).out
        said = bare.run("check", "--repair", code=None)
        assert "brings it again" in said.out + said.err, said
        with Node(bare, "--provider", provider.url) as node:
            wait_for(lambda: copies(node)["objects"] == 1)
            assert node.get("/v1/content/C1/1") == FILM
    bare.run("check")


@test
def what_does_not_come_goes_on_record_once_and_may_come_after_all(folder):
    fill(folder / "film.bin", FILM)
    fill(folder / "photo.jpg", PHOTO)
    made, bare, records = accepted(folder, folder / "film.bin", folder / "photo.jpg")
    patience = "--withheld-after", "1"
    with Provider(FILM, PHOTO, lie="wrong size") as provider:
        provider.objects = {root: b"other bytes" for root in provider.objects}
        with Node(bare, "--provider", provider.url, *patience) as node:
            node.submit(b"".join(records))
            wait_for(lambda: node.json("/v1/status")["incidents"] > 0 and copies(node)["withheld"] == 2)
        for _ in range(1 if SANITIZED else 2):  # the log remembers what was reported
            with Node(bare, "--provider", provider.url, *patience) as node:
                wait_for(lambda: copies(node)["withheld"] == 2)
        trail = bare.run("trail").out
        assert trail.count("withheld: " + provider.url) == 2, trail
        assert "did not come" in trail and "incidents   " in bare.run("status").out
        provider.lie, provider.objects = None, Provider(FILM, PHOTO).objects
        with Node(bare, "--provider", provider.url) as node:
            for i in (1, 2):
                node.get(f"/v1/receipt/C1/{i}?wait=40")
            assert copies(node)["missing"] == 0


@test
def a_provider_that_hangs_holds_up_nobody(folder):
    fill(folder / "film.bin", FILM)
    made, bare, (record,) = accepted(folder, folder / "film.bin")
    with Provider(FILM, lie="hangs") as provider:
        with Node(bare, "--provider", provider.url) as node:
            node.submit(record, "application/cbor")
            wait_for(lambda: provider.asked)
            assert node.get("/healthz") == b"ok\n"
            began = time.time()
        assert time.time() - began < 10  # it stops at once


@test
def killed_in_the_midst_of_a_large_object_it_goes_on_where_it_was(folder):
    size = (24 if SANITIZED else 100) * CHUNK + 77
    again = 0.9 if SANITIZED else 0.6  # a slow node has more of so few megabytes on their way
    film = noise(size, 5)
    fill(folder / "large.bin", film)
    made, bare, (record,) = accepted(folder, folder / "large.bin")
    with Provider(film, pause=0.002) as provider:
        killed = 0
        for part in (0.3, 0.6):
            with Node(bare, "--provider", provider.url) as node:
                if not killed:
                    node.submit(record, "application/cbor")
                wait_for(lambda: provider.sent > size * part)
                os.kill(node.process.pid, signal.SIGKILL)
                killed += 1
        before = provider.sent
        with Node(bare, "--provider", provider.url) as node:
            provider.pause = 0
            fill(folder / "r", node.get("/v1/receipt/C1/1?wait=60"))
            assert copies(node)["bytes"] < size * again
        assert provider.sent - before < size * again and provider.sent < size + 20 * CHUNK  # a kill costs what each lane, and its socket, had on its way
    verify("--trust", bare.trust, folder / "r", folder / "large.bin")


def with_provider(folder, *paths):
    """A node and a provider that has accepted these and saw them recorded: (ledger, provider, their claims); the node is gone, its port is free."""
    ledger = Ledger.new(folder / "L", "C1")
    Cloud.make(folder / "P", ledger)
    with Node(ledger) as node:
        provider = Cloud(folder / "P", node)
        claims = [provider.claim(claimed(ledger, path)) for path in paths]
        for claim, path in zip(claims, paths):
            provider.patch(claim, path.read_bytes(), 0)
            provider.recorded(claim)
        return ledger, provider, claims


@test
def what_a_provider_accepted_comes_from_it(folder):
    fill(folder / "film.bin", FILM)
    fill(folder / "photo.jpg", PHOTO)
    ledger, provider, _ = with_provider(folder, folder / "film.bin", folder / "photo.jpg")
    with provider, Node(ledger, "--listen", f"127.0.0.1:{provider.node.port}", "--provider", provider.url) as node:
        for i, name in enumerate(("film.bin", "photo.jpg")):
            fill(folder / "r", node.get(f"/v1/receipt/C1/{i + 1}?wait=40"))
            verify("--trust", ledger.trust, folder / "r", folder / name)
        assert copies(node)["failures"] == 0 and node.get("/v1/content/C1/1") == FILM


@test
def what_is_damaged_between_acceptance_and_pull_is_seen_by_the_node_and_then_by_the_provider(folder):
    fill(folder / "film.bin", FILM)
    ledger, provider, _ = with_provider(folder, folder / "film.bin")
    root = root_of(FILM).hex()
    fill(folder / "P/cloud/objects/large" / root[:2] / root, FILM[:5] + bytes([FILM[5] ^ 1]) + FILM[6:])
    with provider, Node(ledger, "--listen", f"127.0.0.1:{provider.node.port}", "--provider", provider.url) as node:
        for _ in range(300):
            if copies(node)["wrong"] and b"custody_reads_of_damaged_total 0" not in provider.get("/metrics"):
                break
            time.sleep(0.1)
        else:
            raise AssertionError("it is not noticed", copies(node))
        assert copies(node)["objects"] == 0


@test
def when_the_provider_is_gone_its_depositor_sends_the_bytes_himself(folder):
    fill(folder / "film.bin", FILM)
    fill(folder / "photo.jpg", PHOTO)
    ledger, provider, (film, photo) = with_provider(folder, folder / "film.bin", folder / "photo.jpg")
    provider.kill()
    with Node(ledger, "--provider", provider.url) as node:
        provider.port = node.port  # which speaks the same
        metadata = {**TUS, "Upload-Length": str(len(FILM)), "Upload-Metadata": "claim " + base64.b64encode(film.encode()).decode()}
        provider.ask("POST", "/v1/uploads", headers={**metadata, "Upload-Length": "5"}, code=400)
        provider.ask("POST", "/v1/uploads", headers={**metadata, "Upload-Metadata": "claim " + base64.b64encode(b"ab" * 32).decode()}, code=404)
        assert provider.ask("POST", "/v1/uploads", headers=metadata, code=201)[1]["location"] == "/v1/uploads/" + film
        provider.patch(film, FILM[:-1] + b"!", 0)
        wait_for(lambda: provider.offset(film) == 0)  # which were other bytes
        assert node.json("/v1/receipt/C1/1", code=202)["code"] == "COPIES_MISSING"
        provider.patch(film, FILM[:CHUNK + 5], 0)
        provider.patch(film, FILM[CHUNK + 5:], CHUNK + 5)
        metadata = {**metadata, "Upload-Length": str(len(PHOTO)), "Upload-Metadata": "claim " + base64.b64encode(photo.encode()).decode()}
        provider.ask("POST", "/v1/uploads", headers=metadata, code=201)
        provider.patch(photo, PHOTO[:-1] + b"!", 0, code=460)
        provider.patch(photo, PHOTO, 0)
        for i, name in enumerate(("film.bin", "photo.jpg")):
            fill(folder / "r", node.get(f"/v1/receipt/C1/{i + 1}?wait=40"))
            verify("--trust", ledger.trust, folder / "r", folder / name)
        assert copies(node)["missing"] == 0
        provider.ask("POST", "/v1/uploads", headers=metadata, code=201)
        assert provider.offset(photo) == len(PHOTO)
    ledger.run("check")


@test
def a_folder_and_a_list_of_chunks_are_taken_from_their_depositor_too(folder):
    fill(folder / "film.bin", FILM)
    ledger = Ledger.new(folder / "L", "C1")
    Cloud.make(folder / "P", ledger)
    file, objects, roots = folder_stream(folder, ledger)
    stream = b"".join(objects)
    with Node(ledger) as node:
        provider = Cloud(folder / "P", node)
        film, bag = provider.claim(claimed(ledger, folder / "film.bin")), provider.claim(file)
        for claim, data in ((film, FILM), (bag, stream)):
            provider.patch(claim, data, 0)
            provider.recorded(claim)
    provider.kill()
    kind = {"Content-Type": "application/octet-stream"}

    def begin(claim, length):
        metadata = {**TUS, "Upload-Length": str(length), "Upload-Metadata": "claim " + base64.b64encode(claim.encode()).decode()}
        return provider.ask("POST", "/v1/uploads", headers=metadata)
    with Node(ledger, "--provider", provider.url) as node:
        provider.port = node.port
        provider.ask("PUT", f"/v1/claims/{film}/chunks", b"\0" * 32, kind, 404)  # begun first
        assert begin(film, len(FILM))[0] == begin(bag, len(stream))[0] == 201
        chunks = roots_of_file(folder / "film.bin")
        provider.ask("PUT", f"/v1/claims/{film}/chunks", chunks[:-1] + b"\0", kind, 422)
        provider.ask("PUT", f"/v1/claims/{film}/chunks", chunks, kind, 200)
        lie = FILM[:2 * CHUNK + 9] + bytes([FILM[2 * CHUNK + 9] ^ 1]) + FILM[2 * CHUNK + 10:]
        assert provider.patch(film, lie, 0, 460)[1]["upload-offset"] == str(2 * CHUNK)
        provider.ask("PUT", f"/v1/claims/{film}/chunks", chunks, kind, 409)
        provider.ask("PUT", f"/v1/claims/{bag}/chunks", roots, kind, 200)
        wrong = bytearray(stream)
        wrong[len(objects[0]) + 70_000 + CHUNK + 5] ^= 1
        at = int(provider.patch(bag, bytes(wrong), 0, 460)[1]["upload-offset"])
        assert at == len(objects[0]) + 70_000 + CHUNK
        node.process.kill()
    with Node(ledger, "--provider", provider.url) as node:
        provider.port = node.port
        assert (provider.offset(film), provider.offset(bag)) == (2 * CHUNK, at)
        provider.patch(film, FILM[2 * CHUNK:], 2 * CHUNK)
        provider.patch(bag, stream[at:-3], at)
        provider.patch(bag, stream[-3:], len(stream) - 3)
        for i, name in enumerate(("film.bin", "bag")):
            fill(folder / "r", node.get(f"/v1/receipt/C1/{i + 1}?wait=40"))
            fill(folder / "r.manifest", objects[0])
            verify("--trust", ledger.trust, *(["--manifest", folder / "r.manifest"] if i else []), folder / "r", folder / name)
        assert copies(node)["missing"] == 0
        assert provider.offset(bag) == len(stream)
    assert not any(p.stat().st_size for p in (ledger.root / "spool").glob("*.claim")), "what came whole is not kept on its way"
    with Node(ledger, "--provider", provider.url) as node:
        provider.port = node.port
        assert begin(film, len(FILM))[0] == begin(bag, len(stream))[0] == 422
    assert "damaged" not in ledger.run("check", code=None).out


if __name__ == "__main__":
    main()
