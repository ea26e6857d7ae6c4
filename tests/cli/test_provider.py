#!/usr/bin/env python3
"""The provider as a process of its own: what it acknowledges it has, what it accepts it has read again, and what it signs is recorded, whoever is killed."""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import time

from custody_test import SANITIZED, Ledger, Skip, custody, fill, main, noise, test
from node_test import BUILD, Node
from provider_world import TUS, Provider, chunk_roots, claimed, cut_short, folder_stream, memory_of, world
from s3_world import WHO, Server

MIB = 1 << 20


@test
def what_is_claimed_is_taken_stored_and_recorded_without_its_depositor(folder):
    with world(folder) as (ledger, node, provider):
        sizes = {"empty": 0, "one": 1, "inline": 32768, "packed": 32769, "mib": MIB, "film": 3 * MIB + 4097}
        for name, size in sizes.items():
            path = fill(folder / name, noise(size, size + 1))
            claim = provider.claim(claimed(ledger, path))
            if size:
                provider.patch(claim, path.read_bytes(), 0)
            said = provider.recorded(claim)  # nobody asked the node for anything
            assert said["length"] == said["offset"] == size, said
            record = provider.get(f"/v1/claims/{claim}/record")
            assert node.submit(record, "application/cbor")["entry"] == said["entry"], "the same record again is the same entry"
            assert provider.claim(folder / f"{name}.claim", code=200) == claim
        rows = {row["name"]: row for row in (node.json("/v1/show/" + row["id"]) for row in node.json("/v1/case/C1")["exhibits"])}
        assert {name: rows[name]["size"] for name in sizes} == sizes
        provider.get("/healthz"), provider.get("/readyz")
        figures = provider.get("/metrics").decode()
        assert f'custody_uploads{{state="recorded"}} {len(sizes)}' in figures and f"custody_accepted_bytes_total {sum(sizes.values())}" in figures
        for name, size in sizes.items():
            root = rows[name]["root"]
            assert provider.get("/v1/objects/" + root) == (folder / name).read_bytes()
            assert provider.get(f"/v1/objects/{root}/chunks") == chunk_roots(folder / name)
        part = provider.curl("/v1/objects/" + rows["film"]["root"], "-r", f"{MIB - 1}-{2 * MIB}")
        assert part[0] == 206 and part[2] == (folder / "film").read_bytes()[MIB - 1:2 * MIB + 1]
        assert provider.curl("/v1/objects/" + "ab" * 32)[0] == 404
    stored = folder / "P/cloud/objects/large" / rows["film"]["root"][:2] / rows["film"]["root"]
    assert stored.read_bytes() == (folder / "film").read_bytes() and not any((folder / "P/spool").glob("*.bytes.*"))
    assert "deposit" in ledger.run("trail").out


@test
def tuspy_uploads_a_claimed_object_as_it_is(folder):
    python = pathlib.Path(BUILD).parent / "tools/venv/bin/python"
    if not python.exists() or subprocess.run([python, "-c", "import tusclient"], capture_output=True, check=False).returncode:
        raise Skip("there is no tuspy: its registry could not be reached when tools/setup ran")
    with world(folder) as (ledger, _, provider):
        path = fill(folder / "film", noise(2 * MIB + 77))
        claim = provider.claim(claimed(ledger, path))
        script = f"""
from tusclient.client import TusClient
uploader = TusClient("{provider.url}/v1/uploads").uploader({str(path)!r}, chunk_size=700001, metadata={{"claim": "{claim}", "filename": "film"}}, upload_checksum=True)
uploader.upload()
print(uploader.url)"""
        done = subprocess.run([python, "-c", script], capture_output=True, timeout=100, check=False)
        assert done.returncode == 0 and done.stdout.decode().strip() == f"{provider.url}/v1/uploads/{claim}", done
        provider.recorded(claim)


@test
def a_provider_that_is_killed_in_mid_upload_goes_on_from_what_it_acknowledged(folder):
    with world(folder) as (ledger, _, provider):
        path = fill(folder / "film", noise((20 if SANITIZED else 50) * MIB + 5))
        data = path.read_bytes()
        claim = provider.claim(claimed(ledger, path))
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", chunk_roots(path), {"Content-Type": "application/octet-stream"}, 200)
        provider.patch(claim, data[:2 * MIB + 100], 0)
        provider.kill()
        provider.start()
        assert provider.offset(claim) == 2 * MIB + 100
        sender = cut_short(provider, claim, data[2 * MIB + 100:18 * MIB], 2 * MIB + 100, len(data) - 2 * MIB - 100)
        time.sleep(0.5)
        provider.kill()  # in the middle of it
        sender.close()
        provider.start()
        offset = provider.offset(claim)
        assert 2 * MIB + 100 <= offset <= 18 * MIB and (offset == 2 * MIB + 100 or offset % MIB == 0), offset
        assert offset > 8 * MIB, f"{offset}: what came and is whole was thrown away"
        sender = cut_short(provider, claim, data[offset:offset + 3 * MIB // 2], offset, len(data) - offset)
        time.sleep(0.3)
        sender.close()  # the sender is gone: what he sent counts
        for _ in range(100):
            if provider.offset(claim) != offset:
                break
            time.sleep(0.1)
        offset = provider.offset(claim)
        provider.patch(claim, data[offset:], offset)
        provider.kill()  # before or after it was stored, signed, submitted
        provider.start()
        assert provider.recorded(claim)["length"] == len(data)
    assert ledger.run("ls", "--case", "C1", "--json").row["size"] == len(data)


@test
def a_lying_sender_learns_at_the_first_bad_mib(folder):
    with world(folder) as (ledger, _, provider):
        path = fill(folder / "film", noise(9 * MIB + 5))
        data = bytearray(path.read_bytes())
        claim = provider.claim(claimed(ledger, path))
        roots = chunk_roots(path)
        kind = {"Content-Type": "application/octet-stream"}
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", roots[:-1] + b"\0", kind, 422)
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", roots, kind, 200)
        data[3 * MIB + 7] ^= 1
        status, headers, body = provider.patch(claim, bytes(data), 0, code=None)  # MiB 4 of 10: told while it sends, and cut off
        assert (status, headers.get("upload-offset")) == (460, str(3 * MIB)) and b"3145728" in body, (status, headers, body)
        assert headers["tus-resumable"] == "1.0.0"
        assert provider.offset(claim) == 3 * MIB
        assert provider.patch(claim, bytes(data[3 * MIB:4 * MIB]), 3 * MIB, 460)[1]["upload-offset"] == str(3 * MIB)
        provider.patch(claim, path.read_bytes()[3 * MIB:], 3 * MIB)
        provider.recorded(claim)
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", roots, kind, 409)
        small = fill(folder / "small", noise(5000))
        claim = provider.claim(claimed(ledger, small))
        provider.patch(claim, noise(5000, 2), 0, 460)  # one MiB or less needs no list
        assert provider.offset(claim) == 0
        provider.patch(claim, small.read_bytes(), 0)
        provider.recorded(claim)


@test
def what_is_not_what_was_claimed_is_refused_and_the_refusal_is_recorded(folder):
    with world(folder, "--size-max", str(5 * MIB)) as (ledger, node, provider):
        film, large = fill(folder / "film", noise(3 * MIB)), fill(folder / "large", noise(5 * MIB + 1))
        damaged = provider.claim(claimed(ledger, film))
        provider.patch(damaged, noise(3 * MIB, 9), 0)  # without a list it is seen when all of it is there
        said = provider.recorded(damaged)
        assert said["reason"] == "damaged", said
        unwanted = provider.claim(claimed(ledger, large))
        assert provider.state(unwanted)["state"] in ("refused", "recorded")
        assert provider.recorded(unwanted)["reason"] == "not-accepted"
        assert provider.patch(unwanted, b"x", 0, 409)
        record = provider.get(f"/v1/claims/{unwanted}/record")
        assert node.submit(record, "application/cbor")["status"] == "DUPLICATE"
    trail = ledger.run("trail").out
    assert trail.count("refusal") == 2, trail
    assert "not-accepted" in ledger.run("show", unwanted).out and ledger.run("show", "--json", damaged).row["reason"] == "damaged"


@test
def a_folder_comes_as_its_manifest_and_each_distinct_file_once(folder):
    with world(folder) as (ledger, node, provider):
        file, objects, roots = folder_stream(folder, ledger)
        stream = b"".join(objects)
        claim = provider.claim(file)
        assert "length" not in provider.state(claim), "its length is not known before its manifest"
        assert provider.ask("HEAD", "/v1/uploads/" + claim, headers=TUS, code=200)[1]["upload-defer-length"] == "1"
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", roots, {"Content-Type": "application/octet-stream"}, 200)
        film = len(objects[0]) + 70_000
        lie = bytearray(stream)
        lie[film + MIB + 5] ^= 1
        assert provider.patch(claim, bytes(lie), 0, 460)[1]["upload-offset"] == str(film + MIB), "a chunk is one of its file"
        assert provider.state(claim)["length"] == len(stream)
        provider.kill()
        provider.start()
        assert provider.offset(claim) == film + MIB
        provider.patch(claim, stream[film + MIB:-7], film + MIB)
        provider.patch(claim, stream[-7:], len(stream) - 7)
        assert provider.recorded(claim)["length"] == len(stream)
        for data in objects:  # one of them is empty
            root = provider.get("/v1/objects/" + root_of(folder, data))
            assert root == data
        assert node.json("/v1/case/C1")["exhibits"][0]["kind"] == "folder"


def root_of(folder, data):
    """By an object of that content alone."""
    roots = chunk_roots(fill(folder / "one", data))
    if not data:
        return hashlib.sha256(b"").hexdigest()
    level = [roots[at:at + 32] for at in range(0, len(roots), 32)]
    while len(level) > 1:
        level = [hashlib.sha256(b"\1" + b"".join(level[at:at + 2])).digest() if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
    return level[0].hex()


@test
def a_manifest_that_is_not_the_claimed_one_is_refused_before_its_files(folder):
    with world(folder) as (ledger, _, provider):
        file, objects, _ = folder_stream(folder, ledger)
        claim = provider.claim(file)
        wrong = bytearray(b"".join(objects))
        wrong[len(objects[0]) - 3] ^= 1
        provider.patch(claim, bytes(wrong), 0, 460)
        assert provider.offset(claim) == 0
        provider.patch(claim, b"".join(objects), 0)  # without a list
        provider.recorded(claim)


@test
def a_claim_whose_bytes_do_not_come_is_refused_after_its_time(folder):
    with world(folder, "--abandoned-after", "2") as (ledger, _, provider):
        path = fill(folder / "film", noise(2 * MIB))
        claim = provider.claim(claimed(ledger, path))
        for offset in range(0, 4 * 4096, 4096):  # while something comes it waits
            provider.patch(claim, path.read_bytes()[offset:offset + 4096], offset)
            time.sleep(0.9)
        assert provider.state(claim)["state"] == "receiving"
        assert provider.recorded(claim)["reason"] == "incomplete"
        provider.patch(claim, b"x", 4 * 4096, 409)


@test
def a_bucket_takes_what_a_folder_takes_and_gives_it_back_whatever_is_put_on_top(folder):
    ledger = Ledger.new(folder / "L", "C1")
    with Server(folder / "s") as server:
        server.make_bucket()
        Provider.make(folder / "P", ledger, "--cloud", server.address(retain=1), env=WHO)
        files = {"small": noise(3000), "film": noise(9 * MIB + 5, 2)}
        claims = {name: claimed(ledger, fill(folder / name, data)) for name, data in files.items()}
        with Node(ledger) as node, Provider(folder / "P", node, env=WHO) as provider:
            for name, data in files.items():
                claim = provider.claim(claims[name])
                provider.patch(claim, data, 0)
                if name == "film":
                    provider.kill()  # while it goes into the bucket, or a moment before or after
                    provider.start()
                provider.recorded(claim)
            rows = {row["name"]: node.json("/v1/show/" + row["id"]) for row in node.json("/v1/case/C1")["exhibits"]}
            key = next(k for k in server.keys() if k.endswith(rows["film"]["root"]))
            server.ask("PUT", f"/evidence/{key}", body=b"another film")
            for name, data in files.items():
                assert provider.get("/v1/objects/" + rows[name]["root"]) == data
            assert provider.curl("/v1/objects/" + rows["film"]["root"], "-r", "5000000-5000009")[2] == files["film"][5000000:5000010]
    assert not (folder / "P/cloud/objects/large" / rows["film"]["root"][:2] / rows["film"]["root"]).exists()


@test
def offsets_checksums_and_lengths_are_as_tus_says(folder):
    with world(folder) as (ledger, _, provider):
        path = fill(folder / "item", noise(MIB // 2))
        data = path.read_bytes()
        claim = provider.claim(claimed(ledger, path))
        options = provider.ask("OPTIONS", "/v1/uploads", code=204)[1]
        assert options["tus-version"] == "1.0.0" and options["tus-extension"] == "creation,checksum" and "sha256" in options["tus-checksum-algorithm"]
        named = base64.b64encode(claim.encode()).decode()
        create = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": f"filename d29ybGQ=,claim {named}"}
        assert provider.ask("POST", "/v1/uploads", headers=create, code=201)[1]["location"] == "/v1/uploads/" + claim
        for wrong in ({"Upload-Length": "7"}, {"Upload-Length": "-1"}, {"Upload-Metadata": "claim x"}, {"Upload-Metadata": "filename d29ybGQ="}):
            provider.ask("POST", "/v1/uploads", headers={**create, **wrong}, code=400)
        assert provider.ask("POST", "/v1/uploads", headers={**create, "Tus-Resumable": "0.2.2"}, code=412)[1]["tus-version"] == "1.0.0"
        unknown = base64.b64encode(b"ab" * 32).decode()
        provider.ask("POST", "/v1/uploads", headers={**create, "Upload-Metadata": "claim " + unknown}, code=404)
        assert provider.patch(claim, data, 1, 409)[1]["upload-offset"] == "0"
        for wrong in ("x", "", "-1", "99999999999999999999"):
            provider.patch(claim, data, wrong, 400)
        provider.ask("PATCH", "/v1/uploads/" + claim, data, {**TUS, "Content-Type": "text/plain", "Upload-Offset": "0"}, 415)
        provider.ask("PATCH", "/v1/uploads/" + "ab" * 32, data, {**TUS, "Upload-Offset": "0"}, 404)
        provider.ask("HEAD", "/v1/uploads/" + claim[:63], headers=TUS, code=404)
        for name in ("sha1", "sha256"):
            good, bad = (base64.b64encode(hashlib.new(name, d).digest()).decode() for d in (data[:1000], data))
            provider.patch(claim, data[:1000], provider.offset(claim), 460, Upload_Checksum=f"{name} {bad}")
            offset = provider.offset(claim)
            piece = data[offset:offset + 1000]
            good = base64.b64encode(hashlib.new(name, piece).digest()).decode()
            assert provider.patch(claim, piece, offset, Upload_Checksum=f"{name} {good}")[1]["upload-offset"] == str(offset + 1000)
        provider.patch(claim, b"x", 2000, 400, Upload_Checksum="md5 " + good)
        provider.patch(claim, b"x", 2000, 400, Upload_Checksum=good)
        with_length = cut_short(provider, claim, data[2000:300000], 2000, len(data) - 2000)
        time.sleep(0.3)
        assert provider.patch(claim, data[2000:], 2000, None)[0] in (409, 423), "two senders at once"
        with_length.close()
        for _ in range(100):
            offset = provider.offset(claim)
            if offset > 2000:
                break
            time.sleep(0.1)
        assert 2000 < offset <= 300000
        assert provider.patch(claim, data[offset:] + b"more than was claimed", offset, 413)[0] == 413
        provider.recorded(claim)
        assert provider.patch(claim, b"", len(data), None)[0] == 409


@test
def a_claim_that_the_ledger_would_not_take_is_no_claim_here(folder):
    stranger = Ledger.new(folder / "S", "C1")
    with world(folder) as (ledger, _, provider):
        path = fill(folder / "item", b"item\n")
        good = claimed(ledger, path).read_bytes()
        for text, code, said in ((b"", 400, ""), (good[:-1], 400, ""), (good + b"\0", 400, ""), (b"\xa0", 400, ""), (claimed(stranger, fill(folder / "other", b"x")).read_bytes(), 422, "WRONG_NETWORK")):
            _, _, body = provider.ask("POST", "/v1/claims", text, {"Content-Type": "application/cbor"}, code)
            assert said in body.decode(), body
        for at in range(60, good.rindex(bytes(path)) - 5, 41 if SANITIZED else 7):  # where the file lay is not signed
            flipped = good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
            status, _, body = provider.ask("POST", "/v1/claims", flipped, {"Content-Type": "application/cbor"})
            assert status in (400, 403, 404, 413, 422), f"byte {at}: {status} {body}"
        assert not [row for row in provider.get("/metrics").decode().splitlines() if row.startswith("custody_claims_total") and not row.endswith(" 0")]
        provider.ask("POST", "/v1/claims", good, {"Content-Type": "text/plain"}, 415)


@test
def a_claim_signed_over_another_log_is_no_claim_here(folder):
    with world(folder) as (ledger, _, provider):
        other = ledger.copy(folder / "copy")
        other.run("case", "open", "C9")
        assert provider.claim(claimed(other, fill(folder / "ahead", b"ahead\n"), case="C9"), code=422)["code"] == "UNKNOWN_BLOCK"


@test
def while_the_node_is_away_uploads_go_on_and_the_acceptance_is_recorded_when_it_is_back(folder):
    ledger = Ledger.new(folder / "L", "C1")
    Provider.make(folder / "P", ledger)
    film, late = fill(folder / "film", noise(2 * MIB)), fill(folder / "late", noise(100))
    claims = [claimed(ledger, film), claimed(ledger, late)]
    with Node(ledger) as node, Provider(folder / "P", node) as provider:
        claim = provider.claim(claims[0])
        node.process.terminate()
        node.process.wait(60)
        provider.patch(claim, film.read_bytes(), 0)
        assert provider.state(claim, wait=30)["state"] == "accepted"
        second = provider.claim(claims[1])  # by what it knows
        provider.patch(second, late.read_bytes(), 0)
        provider.kill()
        provider.node.url = node.url
        provider.start()  # without a node: what was begun goes on
        assert provider.state(claim)["state"] == "accepted"
        again = Node.__new__(Node)
        again.ledger, again.client, again.log = ledger, [], node.log
        again.process = subprocess.Popen(custody_node(ledger, node.port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # pylint: disable=consider-using-with
        again.process.stdout.readline()
        try:
            provider.recorded(claim)
            provider.recorded(second)
        finally:
            again.process.terminate()
            again.process.wait(60)
            again.process.stdout.close()
    assert ledger.run("trail").out.count("deposit") == 2


@test
def a_provider_that_may_not_sign_any_more_says_so_once_and_waits(folder):
    ledger = Ledger.new(folder / "L", "C1")
    Provider.make(folder / "P", ledger)
    film = fill(folder / "film", noise(70000))
    file = claimed(ledger, film)
    with Node(ledger) as node, Provider(folder / "P", node) as provider:
        claim = provider.claim(file)
        provider.patch(claim, film.read_bytes()[:1000], 0)
        provider.kill()
        node.process.terminate()
        node.process.wait(60)
        ledger.run("member", "revoke", "Cloud")
        with Node(ledger) as again:
            provider.node, provider.port = again, 0  # the new node may have taken its place
            provider.start()
            provider.patch(claim, film.read_bytes()[1000:], 1000)
            assert provider.state(claim, wait=3)["state"] == "checking"
            said = [line for line in provider.log.read_text().splitlines() if '"trouble"' in line]
            assert len(said) == 1 and "revoked" in said[0], said
            used = sum(map(int, pathlib.Path(f"/proc/{provider.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
            assert used < 2 or SANITIZED, f"{used} s of work while there is none"


def custody_node(ledger, port):
    from custody_test import CUSTODY  # pylint: disable=import-outside-toplevel

    return [CUSTODY, "node", "--ledger", ledger.root, "--listen", f"127.0.0.1:{port}"]


@test
def a_folder_of_its_own_and_an_enrolled_key_are_needed(folder):
    ledger = Ledger.new(folder / "L", "C1")
    assert "--name" in custody("provider", "init", folder / "P", code=1).error
    custody("provider", "init", folder / "P", "--name", "Cloud", "--pin-trust", ledger.trust)
    assert oct((folder / "P/keys/provider.pem").stat().st_mode)[-3:] == "600"
    assert "already" in custody("provider", "init", folder / "P", "--name", "Cloud", "--pin-trust", ledger.trust, code=12).error
    with Node(ledger) as node:
        assert "not enrolled" in custody("provider", "--dir", folder / "P", "--ledger", node.url, "--listen", "127.0.0.1:0", code=4).error
        assert "--dir" in custody("provider", "--ledger", node.url, code=1).error
    ledger.run("member", "approve", folder / "P/enrol.request")
    custody("enrol", "Wang", "--key", folder / "wang.pem", "--trust", ledger.trust, "-o", folder / "wang.request")
    ledger.run("member", "approve", folder / "wang.request")
    with Node(ledger) as node:
        assert "depositor" in custody("provider", "--dir", folder / "P", "--ledger", node.url, "--key", folder / "wang.pem", "--listen", "127.0.0.1:0", code=12).error
    with Node(ledger) as node, Provider(folder / "P", node):
        assert "another" in custody("provider", "--dir", folder / "P", "--ledger", node.url, "--listen", "127.0.0.1:0", code=11).error


@test
def an_upload_costs_no_memory_to_speak_of(folder):
    if SANITIZED:
        raise Skip("sanitizers have memory of their own")
    with world(folder) as (ledger, _, provider):
        path = folder / "film"
        with open(path, "wb") as film:
            for i in range(300):
                film.write(noise(MIB, i))
        claim = provider.claim(claimed(ledger, path))
        provider.ask("PUT", f"/v1/claims/{claim}/chunks", chunk_roots(path), {"Content-Type": "application/octet-stream"}, 200)
        small = provider.claim(claimed(ledger, fill(folder / "small", noise(MIB))))
        provider.patch(small, (folder / "small").read_bytes()[:MIB // 2], 0)  # the first of its kind brings code and stacks into memory
        before, data = memory_of(provider.process), path.read_bytes()
        sender = cut_short(provider, claim, data[:-MIB], 0, len(data))
        while_sent = memory_of(provider.process) - before
        sender.send(data[-MIB:])
        assert sender.getresponse().status == 204
        sender.close()
        provider.recorded(claim)
        assert while_sent < 1024, f"{while_sent} KiB more while it was sent"
        assert memory_of(provider.process) < 64 * 1024, f"{memory_of(provider.process)} KiB"


if __name__ == "__main__":
    main()
