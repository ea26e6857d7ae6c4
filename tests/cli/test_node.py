"""`custody node` asked by curl, and by sockets that behave as no client should."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import socket
import ssl
import subprocess
import threading
import time

from custody_test import SANITIZED, Ledger, custody, fill, main, noise, program, test, verify
from node_test import Node, case_with_exhibits, parts, sign
from rude import ambiguous, ranges, slow


@test
def what_is_asked_over_http_is_what_the_command_line_says(folder):
    ledger = case_with_exhibits(folder)
    show, ls, cases, trail = (ledger.run(*v, "--json").rows for v in (("show", "C1/2"), ("ls", "--case", "C1"), ("case", "ls"), ("trail",)))
    standing = ledger.run("status", "--json").row
    with Node(ledger) as node:
        assert node.json("/v1/show/C1/2") == show[0]
        assert node.json("/v1/show/" + show[0]["id"][:12]) == show[0]
        assert node.json("/v1/case/C1")["exhibits"] == ls
        assert node.json("/v1/case/c1")["exhibits"] == ls
        assert node.json("/v1/case")["cases"] == cases
        assert node.json("/v1/trail")["trail"] == trail
        assert {**node.json("/v1/status"), "ledger": ""} == {**standing, "ledger": "", "organisation": "this organisation", "misbehaviour": 0, "enrolments_waiting": 0}
        for what in ("C1/2", show[0]["id"], show[0]["sha256"], show[0]["id"][:9]):
            assert [f["id"] for f in node.json("/v1/find?q=" + what)["found"]] == [show[0]["id"]], what
        assert node.json("/v1/find?q=C1")["found"][0]["kind"] == "case"
        assert node.json("/v1/find?q=nothing+of+that+name")["found"] == []
        assert node.json("/v1/inventory/C1")["exhibits"] == 3
        entry = node.get("/v1/entry/" + show[0]["id"])
        assert hashlib.sha256(b"\0" + entry).hexdigest() == show[0]["leaf"]
        assert node.get("/v1/entry/C1/2") == entry
        assert node.get("/v1/entry/0")[:1] == b"\xac" or len(node.get("/v1/entry/0")) > 100
        problems = {p["code"]: p for p in node.json("/v1/problems")}
        for path, code in (("/v1/show/C1/99", 404), ("/v1/show/nosuch", 404), ("/v1/case/C9", 404), ("/v1/entry/999999", 404), ("/v1/find", 400)):
            status, headers, body = node.curl(path)
            problem = json.loads(body)
            assert status == code == problem["status"] and headers["content-type"] == "application/problem+json", (path, status, body)
            assert problem["exit"] == problems[problem["code"]]["exit"] and problem["detail"]


@test
def lists_come_in_pages(folder):
    ledger = Ledger.new(folder / "L", *[f"K{i}" for i in range(7)])
    with Node(ledger) as node:
        names, after = [], ""
        for _ in range(20):
            page = node.json("/v1/case?limit=3" + after)
            names += [c["case"] for c in page["cases"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        assert names == ["unfiled"] + [f"K{i}" for i in range(7)]
        for bad in ("limit=1001", "limit=-1", "after=x"):
            assert node.json("/v1/case?" + bad, code=400)["code"] == "USAGE"


@test
def a_receipt_from_the_node_verifies_offline(folder):
    ledger = case_with_exhibits(folder)
    with Node(ledger) as node:
        status, headers, receipt = node.curl("/v1/receipt/C1/1")
        assert status == 200 and 'filename="C1-1.tlog-proof"' in headers["content-disposition"]
        fill(folder / "r", receipt)
        verify("--trust", ledger.trust, folder / "r", folder / "note.txt")
        inventory = node.json("/v1/inventory/C1", "-X", "POST")
        fill(folder / "i", node.get("/v1/receipt/" + inventory["id"]))
        assert "PASS" in verify("--trust", ledger.trust, folder / "i").out
        assert node.json("/v1/receipt/0", code=400)["code"] == "USAGE"  # the genesis has none


@test
def records_signed_elsewhere_are_recorded_one_or_128_at_a_time(folder):
    ledger = Ledger.new(folder / "L", "C1")
    records = sign(ledger, "C1", 1, 130)
    one, *rest = parts(records)
    assert b"".join([one, *rest]) == records
    with Node(ledger) as node:
        answer = node.submit(one, "application/cbor")
        assert answer["status"] == "OK" and answer["block"] == answer["entry"] + 1
        again = node.submit(one, "application/cbor")
        assert again["status"] == "DUPLICATE" and (again["entry"], again["id"], again["leaf"]) == (answer["entry"], answer["id"], answer["leaf"])
        answers = node.submit(b"".join(rest[:128]))
        assert len(answers) == 128 and all(a["status"] == "OK" for a in answers)
        assert len({a["block"] for a in answers}) == 1
        for a in (answers[0], answers[127]):
            assert hashlib.sha256(b"\0" + node.get(f"/v1/entry/{a['entry']}")).hexdigest() == a["leaf"]
        fill(folder / "r", node.get(f"/v1/receipt/{answers[9]['id']}?wait=30"))
        fill(folder / "e", node.get(f"/v1/content/{answers[9]['id']}"))
        assert (folder / "e").read_bytes() == b"what was seen, note 11\n"
        assert "copies" in verify("--trust", ledger.trust, folder / "r", folder / "e").out

        before = node.json("/v1/status")["exhibits"]
        wrong = bytearray(rest[128])
        wrong[len(wrong) // 2] ^= 1
        assert node.submit(bytes(wrong), "application/cbor", code=node.curl("/v1/submit", "-H", "content-type: application/cbor", data=bytes(wrong))[0])["status"] >= 400
        mixed = node.submit(bytes(wrong) + one)
        assert mixed[0]["status"] not in ("OK", "DUPLICATE") and mixed[0]["detail"] and mixed[1]["status"] == "DUPLICATE"
        for body, kind, code in ((records[:-1], "application/cbor-seq", 413), (records, "application/cbor-seq", 413), (one + rest[0], "application/cbor", 413),
                                 (b"", "application/cbor", 400), (one[:-1], "application/cbor", 400), (one, "text/plain", 415), (b"{}", "application/json", 415)):
            assert node.submit(body, kind, code=code)["detail"], (kind, code)
        assert node.json("/v1/status")["exhibits"] == before
    ledger.clean()


@test
def who_waits_for_a_receipt_gets_it_when_it_is_there(folder):
    ledger = Ledger.new(folder / "L", "C1")
    records = sign(ledger, "C1", 1, 2)
    with Node(ledger) as node:
        probe = parts(records)[1]
        with Node(ledger.copy(folder / "M")) as other:  # the id is known from signing on: another ledger of the same keys tells it
            claim = other.submit(probe, "application/cbor")["id"]
        began = time.time()
        node.json(f"/v1/receipt/{claim}?wait=1", code=404)
        assert 0.9 < time.time() - began < 8
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            waiting = [pool.submit(node.curl, f"/v1/receipt/{claim}?wait=60") for _ in range(40)]
            time.sleep(1)
            assert node.get("/healthz") == b"ok\n"  # forty that wait hold up nobody
            began = time.time()
            node.submit(probe, "application/cbor")
            for w in waiting:
                status, _, body = w.result()
                assert status == 200 and body.startswith(b"c2sp.org/tlog-proof@v1\n"), (status, body[:300])
            assert time.time() - began < 20
        assert node.json(f"/v1/receipt/{claim}?wait=61", code=400)["code"] == "USAGE"


@test
def evidence_comes_back_whole_and_in_part_verified(folder):
    ledger = case_with_exhibits(folder)
    film = (folder / "film.bin").read_bytes()
    with Node(ledger) as node:
        status, headers, body = node.curl("/v1/content/C1/2?reason=trial&authority=Judge+Wu")
        assert status == 200 and body == film and headers["accept-ranges"] == "bytes"
        tag = headers["etag"]
        ranges(node, "/v1/content/C1/2", film)
        assert node.curl("/v1/content/C1/2", "-H", "If-None-Match: " + tag)[0] == 304
        assert node.curl("/v1/content/C1/2", "-H", "Range: bytes=0-1", "-H", "If-Range: " + tag)[0] == 206
        assert node.curl("/v1/content/C1/2", "-H", "Range: bytes=0-1", "-H", 'If-Range: "other"')[0] == 200
        status, headers, body = node.curl("/v1/content/C1/2", "-I", "-o", os.devnull)
        assert status == 200 and headers["content-length"] == str(len(film)) and body == b""
        assert len(node.get("/v1/content/C1/3")) == node.json("/v1/show/C1/3")["size"]  # the manifest
        assert node.get("/v1/content/C1/3?path=a/one.txt") == b"one\n"
        assert node.get("/v1/content/C1/3?path=two.bin") == (folder / "bag/two.bin").read_bytes()
        node.json("/v1/content/C1/3?path=../note.txt", code=404)
        node.json("/v1/content/C1/1?path=x", code=400)
        time.sleep(6)  # reads become one entry
        notes = [t for t in node.json("/v1/trail/C1/2")["trail"] if t["kind"] == "access"]
        assert notes
    told = ledger.run("trail", "C1/2").out
    assert "somebody at 127.0.0.1: trial" in told and told.count("somebody at") <= 4, told

    # a damaged copy of the provider's is passed over, and when both are nothing unverified is sent
    for store in ("cloud", "node"):
        [path] = [p for p in (ledger.root / store / "objects/large").rglob("*") if p.is_file() and not p.suffix]
        os.chmod(path, 0o600)
        with open(path, "r+b") as f:
            f.seek(3_000_000)
            f.write(b"X" if film[3_000_000:3_000_001] != b"X" else b"Y")
        with Node(ledger) as node:
            if store == "cloud":
                assert node.get("/v1/content/C1/2") == film
                assert b"custody_reads_of_damaged_total 1\n" in node.get("/metrics")
            else:
                done = subprocess.run(["curl", "-s", node.url + "/v1/content/C1/2"], capture_output=True, check=False)
                assert done.returncode != 0 and film.startswith(done.stdout) and len(done.stdout) < 3_000_000
                assert node.json("/v1/content/C1/2", "-r", "3000000-3000001", code=500)["code"] == "CORRUPT"
                assert node.curl("/v1/content/C1/2", "-r", "0-9")[2] == film[:10]


@test
def the_log_is_served_as_files_that_may_be_cached(folder):
    ledger = Ledger.new(folder / "L", "C1")
    with Node(ledger) as node:
        for first in range(1, 300, 100):
            node.submit(sign(ledger, "C1", first, 100))
            time.sleep(1.5)  # the next hundred sees this one's block
        size = int(node.get("/checkpoint").split(b"\n")[1])
        assert size > 300
        status, headers, full = node.curl("/tile/0/000")
        assert status == 200 and len(full) == 8192 and "immutable" in headers["cache-control"]
        assert node.curl("/tile/0/000", "-H", "If-None-Match: " + headers["etag"])[0] == 304
        assert node.get("/tile/0/000.p/7") == full[:7 * 32]
        assert node.get(f"/tile/0/001.p/{size - 256}")[:32] and len(node.get("/tile/1/000.p/1")) == 32
        assert node.get("/tile/entries/000.p/2") == node.get("/tile/entries/000")[:len(node.get("/tile/entries/000.p/2"))]
        for path in (f"/tile/0/001.p/{size - 255}", "/tile/0/001", "/tile/0/002.p/1", "/tile/1/000", "/tile/9/000", "/tile/0/0", "/tile/00/000", "/tile/0/x001/000",
                     "/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/entries/0000", "/tile/entries/000/x", "/tile/-1/000", "/tile/data/000"):
            assert node.curl(path)[0] == 404, path
        assert "max-age=2" in node.curl("/checkpoint")[1]["cache-control"]
    ledger.clean()


@test
def members_only_leaves_hashes_and_health(folder):
    ledger = case_with_exhibits(folder)
    with Node(ledger, "--members-only") as node:
        for path in ("/checkpoint", "/tile/0/000.p/3", "/healthz", "/readyz", "/metrics", "/v1/problems", "/v1/openapi.json"):
            node.get(path)
        for path in ("/tile/entries/000.p/3", "/v1/status", "/v1/entry/0", "/v1/content/C1/1", "/v1/receipt/C1/1", "/v1/find?q=C1"):
            assert node.json(path, code=403)["code"] == "NOT_ALLOWED"
        assert node.curl("/v1/submit", "-H", "content-type: application/cbor", data=b"\1")[0] == 403


@test
def a_killed_node_has_everything_that_it_acknowledged(folder):
    ledger = Ledger.new(folder / "L", "C1")
    records = parts(sign(ledger, "C1", 1, 1000))
    acknowledged = []
    lock = threading.Lock()
    with Node(ledger) as node:
        def client(share):
            while share:
                batch, share = share[:5], share[5:]
                try:
                    answers = node.submit(b"".join(batch))
                except (AssertionError, subprocess.TimeoutExpired):
                    return
                with lock:
                    acknowledged.extend(answers)
        threads = [threading.Thread(target=client, args=(records[i::4],)) for i in range(4)]
        for t in threads:
            t.start()
        while len(acknowledged) < 150 and any(t.is_alive() for t in threads):
            time.sleep(0.005)
        node.process.kill()
        for t in threads:
            t.join()
    assert len(acknowledged) >= 150 and all(a["status"] == "OK" for a in acknowledged)
    with Node(ledger) as node:
        for a in acknowledged:
            assert hashlib.sha256(b"\0" + node.get(f"/v1/entry/{a['entry']}")).hexdigest() == a["leaf"]
        for a in acknowledged[-20:]:  # what nobody had attested is attested now
            node.get(f"/v1/receipt/{a['id']}?wait=60")
        again = node.submit(b"".join(records[:100]))
        assert all(a["status"] in ("OK", "DUPLICATE") for a in again)
    ledger.clean()
    return f"{len(acknowledged)} records were acknowledged before the kill"


@test
def many_read_beside_many_writers(folder):
    ledger = Ledger.new(folder / "L", "C1")
    records = parts(sign(ledger, "C1", 1, 400))
    with Node(ledger) as node:
        first = node.submit(records[0], "application/cbor")
        seen = []

        def write(share):
            for r in share:
                assert node.submit(r, "application/cbor")["status"] == "OK"

        def read(n):
            for i in range(n):
                path = ("/checkpoint", "/v1/status", "/v1/show/" + first["id"], f"/v1/receipt/{first['id']}?wait=30", "/v1/trail", "/v1/case/C1?limit=50",
                        f"/v1/content/{first['id']}", "/v1/inventory/C1")[i % 8]
                seen.append((path, node.curl(path)[0]))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(write, records[1 + i:400:3]) for i in range(3)] + [pool.submit(read, 80) for _ in range(5)]
            for j in jobs:
                j.result()
        assert {code for _, code in seen} == {200}, [s for s in seen if s[1] != 200][:5]
        assert node.json("/v1/inventory/C1")["exhibits"] == 400
        assert node.json("/v1/inventory/C1", "-X", "POST")["exhibits"] == 400
    ledger.clean()


@test
def a_stopping_node_ends_what_it_began(folder):
    ledger = Ledger.new(folder / "L", "C1")
    film = fill(folder / "film.bin", noise(30_000_000))
    ledger.deposit("--case", "C1", film)
    with Node(ledger) as node:
        with socket.socket() as slow, socket.create_connection(("127.0.0.1", node.port)) as waits:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
            slow.connect(("127.0.0.1", node.port))
            slow.sendall(b"GET /v1/content/C1/1 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % node.port)
            waits.sendall(b"GET /v1/receipt/abcdef?wait=60 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % node.port)
            got = slow.recv(4096)
            time.sleep(0.5)
            began = time.time()
            node.process.terminate()
            time.sleep(0.5)
            assert waits.recv(4096).startswith(b"HTTP/1.1 404")
            try:
                socket.create_connection(("127.0.0.1", node.port), timeout=2).close()
                raise AssertionError("a stopping node takes new connections")
            except OSError:
                pass
            assert node.process.poll() is None  # for it is not done
            pieces = [got]
            while piece := slow.recv(1 << 17):
                pieces.append(piece)
        assert b"".join(pieces).endswith(film.read_bytes())
        assert node.process.wait(30) == 0 and time.time() - began < 25
    assert custody("status", "--ledger", ledger.root).code == 0
    ledger.clean()


@test
def a_ledger_has_one_node_and_the_loopback_alone(folder):
    ledger = Ledger.new(folder / "L")
    with Node(ledger) as node:
        assert "nothing was recorded" in custody("node", "--ledger", ledger.root, "--listen", "127.0.0.1:0", code=11).error
        assert "nothing was recorded" in ledger.run("case", "open", "X", code=11).error
        other = Ledger.new(folder / "M")
        assert custody("node", "--ledger", other.root, "--listen", f"127.0.0.1:{node.port}", code=11).error
    for address, code in (("0.0.0.0:0", 12), ("[::]:0", 12), ("192.0.2.1:0", 12), ("localhost:0", 1), ("127.0.0.1", 1), ("127.0.0.1:65536", 1), (":80", 1)):
        assert custody("node", "--ledger", ledger.root, "--listen", address, code=code).error
    openapi = json.loads(custody("node", "--openapi").out)
    assert openapi["openapi"] == "3.1.0" and "post" in openapi["paths"]["/v1/submit"]


@test
def the_log_of_requests_names_no_secret_and_no_content(folder):
    ledger = case_with_exhibits(folder)
    with Node(ledger) as node:
        node.get("/v1/find?q=Secret-Witness")
        node.curl("/v1/show/Secret-Exhibit", "-H", "Authorization: Bearer Secret-Token")
        node.get("/v1/content/C1/1?reason=Secret-Reason")
        node.curl("/Secret-Path/..")
        figures = node.get("/metrics").decode()
    rows = [json.loads(l) for l in node.log.read_text().splitlines()]
    assert [r["route"] for r in rows] == ["/v1/find", "/v1/show/{id}", "/v1/content/{case}/{number}", None, "/metrics"]
    assert [r["status"] for r in rows] == [200, 404, 200, 400, 200] and rows[3]["refused"] and rows[2]["bytes_out"] == 27
    assert "Secret" not in node.log.read_text() and "red car" not in node.log.read_text() and "Secret" not in figures and "C1" not in figures
    assert 'custody_http_requests_total{method="GET",route="/v1/find",status="2xx"} 1\n' in figures and "custody_http_gated_total 1\n" in figures
    for line in figures.splitlines():
        assert line.startswith("# ") or len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0


@test
def what_two_parsers_may_read_differently_is_refused(folder):
    ledger = Ledger.new(folder / "L")
    with Node(ledger) as node:
        ambiguous(node)


@test
def and_over_tls_as_well(folder):
    ledger = Ledger.new(folder / "L")
    ledger.run("ca", "init")
    with Node(ledger, "--tls") as node:
        node.client = ["--cacert", ledger.root / "tls/ca.pem"]
        ambiguous(node)


@test
def a_body_comes_in_any_way_but_slowly_or_without_end(folder):
    ledger = Ledger.new(folder / "L", "C1")
    one, two = parts(sign(ledger, "C1", 1, 2))
    with Node(ledger) as node:
        head = b"POST /v1/submit HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/cbor\r\nConnection: close\r\n" % node.port
        chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(one[i:i + 100]), one[i:i + 100]) for i in range(0, len(one), 100)) + b"0\r\n\r\n"
        assert node.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)[0] == 200
        assert node.curl("/v1/submit", "-H", "content-type: application/cbor", "-H", "Expect: 100-continue", data=two)[0] == 200
        assert node.raw(head + b"\r\n")[0] in (400, 411)
        status, got, _ = node.raw(head + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        assert status == 413 and b"100 Continue" not in got
        assert node.raw(head + b"Content-Length: 9999999999999999999999\r\n\r\n")[0] in (400, 413)
        assert node.raw(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n")[0] in (0, 400)
        endless = head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"\0" * 65536 + b"\r\n") * 200
        status, _, closed = node.raw(endless)
        assert status in (0, 413) and closed
        assert b"custody_http_body_bytes 0\n" in node.get("/metrics")
        assert node.json("/v1/status")["exhibits"] == 2


@test
def whoever_is_slow_is_cut_off_and_holds_up_nobody(folder):
    ledger = Ledger.new(folder / "L", "C1")
    fill(folder / "film.bin", noise(40_000_000))
    ledger.deposit("--case", "C1", folder / "film.bin")
    with Node(ledger) as node:
        slow(node, b"/v1/content/C1/1", {"a slow body": b"x", "no body": b""}, b"POST /v1/submit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor\r\nContent-Length: 5000\r\n\r\n")
        # who takes his time but keeps the rate is served
        done = subprocess.run(["curl", "-s", "--limit-rate", "4M", node.url + "/v1/content/C1/1"], capture_output=True, check=True)
        assert done.stdout == (folder / "film.bin").read_bytes()


@test
def a_thousand_idle_connections_cost_little_and_one_more_is_turned_away(folder):
    ledger = Ledger.new(folder / "L")
    with Node(ledger) as node:
        def resident():
            return int([l for l in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines() if l.startswith("VmRSS")][0].split()[1])
        node.get("/healthz")
        before = resident()
        open_ones = []
        try:
            for _ in range(990):
                s = socket.create_connection(("127.0.0.1", node.port))
                open_ones.append(s)
                s.settimeout(20)
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % node.port)  # one after another: what waits at once is bounded, too
                answer = s.recv(1000)
                assert answer.startswith(b"HTTP/1.1 200"), answer
            used = resident() - before
            assert node.get("/healthz") == b"ok\n"
            for _ in range(60):
                open_ones.append(socket.create_connection(("127.0.0.1", node.port)))
            time.sleep(0.5)
        finally:
            for s in open_ones:
                s.close()
        time.sleep(0.5)
        assert node.get("/healthz") == b"ok\n"
        assert SANITIZED or used < 65536, f"{used} KiB"
        return f"{used / 990:.0f} KiB a connection"


@test
def idle_connections_with_certificates_cost_as_little(folder):
    ledger = Ledger.new(folder / "L")
    ledger.run("ca", "init")
    with Node(ledger, "--tls") as node:
        context = ssl.create_default_context(cafile=ledger.root / "tls/ca.pem")
        context.load_cert_chain(ledger.root / "tls/depositor.pem")
        request = b"GET /v1/status HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % node.port
        open_ones = []

        def open_some(n):
            for _ in range(n):
                s = context.wrap_socket(socket.create_connection(("127.0.0.1", node.port)), server_hostname="localhost")
                s.sendall(request)
                assert s.recv(1000).startswith(b"HTTP/1.1 200")
                open_ones.append(s)
            return int([l for l in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines() if l.startswith("VmRSS")][0].split()[1])
        try:
            before, n = open_some(10), 20 if SANITIZED else 200
            each = (open_some(n) - before) / n
        finally:
            for s in open_ones:
                s.close()
        assert SANITIZED or each * 1000 < 65536, f"{each} KiB"
        return f"{each:.0f} KiB a connection"


@test
def a_full_disk_too_many_requests_and_too_large_answers_are_told_to_come_again(folder):
    ledger = Ledger.new(folder / "L", "C1")
    one = parts(sign(ledger, "C1", 1, 1))[0]
    with Node(ledger, "--keep-free", "100") as node:
        status, headers, body = node.curl("/v1/submit", "-H", "content-type: application/cbor", data=one)
        assert status == 503 and headers["retry-after"] == "1" and json.loads(body)["code"] == "NO_SPACE", (status, body)
        assert node.curl("/readyz")[0] == 503 and node.get("/healthz") == b"ok\n"
        assert node.json("/v1/status")["exhibits"] == 0
    with Node(ledger, "--rate", "5") as node:
        got = [node.curl("/healthz") for _ in range(40)]
        assert {s for s, _, _ in got} == {200, 429} and 10 <= sum(s == 200 for s, _, _ in got) < 40
        assert all(h["retry-after"] == "1" for s, h, _ in got if s == 429)
        time.sleep(2)
        assert node.curl("/healthz")[0] == 200
        time.sleep(2)
        hurried = [l for l in node.get("/metrics").splitlines() if l.startswith(b"custody_http_hurried_total")]
        assert int(hurried[0].split()[1]) == sum(s == 429 for s, _, _ in got)


program("custody", "CUSTODY_BIN")
main()
