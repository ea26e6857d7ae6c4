"""`custody node --tls`, asked by curl with and without certificates."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from custody_test import Ledger, Skip, call, custody, fill, main, test
from node_test import Node, case_with_exhibits, parts, sign

PUBLIC = ("/checkpoint", "/tile/0/000.p/1", "/healthz", "/readyz", "/metrics", "/v1/problems", "/v1/openapi.json")
CAPACITY = ("/v1/status",)
LOG = ("/tile/entries/000.p/1",)
DETAILS = ("/v1/entry/1", "/v1/show/C1/1", "/v1/trail", "/v1/trail/C1/1", "/v1/case", "/v1/case/C1", "/v1/find?q=C1", "/v1/inventory/C1")
RECORD = ("/v1/record/C1/1",)  # the log's; what is attached is there for whom details are
EVIDENCE = ("/v1/receipt/C1/1", "/v1/content/C1/1", "/v1/chunks/C1/2")
MAY = {"": PUBLIC, "operator": PUBLIC + CAPACITY, "provider": PUBLIC + CAPACITY + LOG, "reader": PUBLIC + CAPACITY + LOG + DETAILS + EVIDENCE,
       "depositor": PUBLIC + CAPACITY + LOG + DETAILS + EVIDENCE, "organisation": PUBLIC + CAPACITY + LOG + DETAILS + EVIDENCE}
SUBMIT, SIGN = ("provider", "depositor", "organisation"), ("organisation",)


def certificate(ledger, role):
    [path] = (ledger.root / "tls").glob(role + "*.pem")
    return path


def ca(ledger):
    return ["--cacert", ledger.root / "tls/ca.pem"]


def as_(ledger, role):
    return ca(ledger) + (["--cert", certificate(ledger, role)] if role else [])


def with_certificates(folder):
    ledger = case_with_exhibits(folder)
    key = call(["age-keygen"]).out
    ledger.run("member", "add", "Judge Wu", "--recipient", [w for w in key.split() if w.startswith("age1")][0])
    ledger.run("ca", "init")
    ledger.run("ca", "issue", "Judge Wu")
    ledger.run("ca", "issue", "--operator", "Bob of the machine room")
    return ledger


def hang_up(node, word="loaded anew"):
    before = node.log.read_text().count('"certificates"')
    node.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        time.sleep(0.1)
        if node.log.read_text().count('"certificates"') > before:
            break
    said = [line for line in node.log.read_text().splitlines() if '"certificates"' in line][-1]
    assert word in said, said


def logged(node, words):
    """The line is written when the answer is gone."""
    for _ in range(50):
        if words in node.log.read_text():
            return
        time.sleep(0.1)
    assert False, f"not logged: {words}"


@test
def a_server_keeps_its_own_folders_and_gives_up_the_rest(folder):
    ledger = with_certificates(folder)
    elsewhere, certs = folder / "elsewhere", folder / "certs"
    elsewhere.mkdir()
    certs.mkdir()
    for name in ("server.pem", "ca.pem"):
        shutil.copy(ledger.root / "tls" / name, elsewhere)
        shutil.copy(ledger.root / "tls" / name, certs)
    with Node(ledger, "--tls-cert", certs / "server.pem", "--tls-ca", certs / "ca.pem") as node:
        how = node.process.stdout.readline().decode()
        assert how.startswith("confined "), how
        status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
        assert "calls (seccomp)" not in how or ("NoNewPrivs:\t1" in status and "Seccomp:\t2" in status), status
        if "Landlock" not in how:
            raise Skip("this kernel has no Landlock")
        shutil.copy(elsewhere / "server.pem", certs / "new.pem")
        (certs / "new.pem").rename(certs / "server.pem")
        hang_up(node)  # a new file in the folder that was named is read
        (certs / "server.pem").unlink()
        (certs / "server.pem").symlink_to(elsewhere / "server.pem")
        hang_up(node, "as before")  # a link to elsewhere leads nowhere
        assert node.get("/healthz", "-k") == b"ok\n"
    with Node(ledger, "--tls", "--confine", "off") as node:
        assert node.process.stdout.readline().decode().split() == ["confined", "no"]


@test
def each_role_gets_what_is_its_own_and_nothing_else(folder):
    ledger = with_certificates(folder)
    record = sign(ledger, "C1", 4, 1)
    everything = PUBLIC + CAPACITY + LOG + DETAILS + EVIDENCE
    with Node(ledger, "--tls") as node:
        assert node.url.startswith("https://")
        for role, may in MAY.items():
            node.client = as_(ledger, role)
            for path in everything:
                status, _, body = node.curl(path)
                if role == "provider" and path in DETAILS + EVIDENCE:  # what it signed, or is asked for: nothing here
                    assert status == 404 or (status == 200 and not any(word in body for word in (b"C1/", b'"C1"', b"note.txt", b"red car"))), (path, status, body)
                    continue
                assert status == (200 if path in may else 403), (role, path, status, body[:300])
            assert node.curl(RECORD[0])[0] == (200 if DETAILS[0] in may else 404 if LOG[0] in may else 403), role
            assert node.curl("/v1/record/0")[0] == (200 if LOG[0] in may else 403), role
            status = node.curl("/v1/submit", "-H", "content-type: application/cbor", data=record)[0]
            assert status == (200 if role in SUBMIT else 403), (role, status)
            assert node.curl("/v1/inventory/C1", "-X", "POST")[0] == (200 if role in SIGN else 403), role
        node.client = as_(ledger, "reader")
        assert node.get("/v1/content/C1/1?reason=hearing") == b"I saw the red car at nine.\n"
        said = node.log.read_text()
    assert '"role":"operator"' in said and '"denied":"not of this role"' in said and "no certificate was shown" in said
    for secret in ("red car", "note.txt", "Judge", "hearing", "C1", "PRIVATE"):
        assert secret not in said, secret
    told = ledger.run("trail", "C1/1").out
    assert "Judge Wu at 127.0.0.1: hearing" in told, told


@test
def whoever_is_handed_small_content_is_on_record_whatever_it_came_in(folder):
    ledger = with_certificates(folder)
    with Node(ledger, "--tls") as node:
        afar = ["--ledger", node.url, "--state", folder / "state", "--pin-trust", ledger.trust, *as_(ledger, "reader")]
        for role, paths in {"reader": ("/v1/record/C1/1?without=content", "/v1/receipt/C1/2", "/v1/record/C1/2", "/v1/chunks/C1/1"), "depositor": ("/v1/receipt/C1/1",)}.items():
            node.client = as_(ledger, role)
            for path in paths:  # nothing of it is handed out, or it was his
                assert b"red car" not in node.get(path), path  # a receipt is base64
            assert node.curl("/v1/receipt/C1/1", "-I", "-o", os.devnull)[0] == 200
        assert node.json("/v1/record/C1/1?without=details", code=400)["code"] == "USAGE"
        assert "note.txt" in custody("ls", "--case", "C1", *afar).out
        custody("show", "C1/1", *afar)
        before = ledger.run("trail", "C1/1").out
        assert "at 127.0.0.1" not in before, before
        for role, path in (("reader", "/v1/receipt/C1/1?reason=by+receipt"), ("reader", "/v1/record/C1/1?reason=by+record"), ("depositor", "/v1/record/C1/1?reason=his+own")):
            node.client = as_(ledger, role)
            assert (b"red car" in node.get(path)) == ("record" in path)
        custody("receipt", "C1/1", "-o", folder / "r", *afar)
    told = ledger.run("trail", "C1/1").out
    assert all(words in told for words in ("Judge Wu at 127.0.0.1: by receipt", "Judge Wu at 127.0.0.1: by record", ": his own")) and told.count("at 127.0.0.1") == 4, told
    assert "at 127.0.0.1" not in ledger.run("trail", "C1/2").out


@test
def a_certificate_that_is_expired_foreign_revoked_or_nobodys_is_refused_and_says_so(folder):
    ledger, other = with_certificates(folder), Ledger.new(folder / "M")
    other.run("ca", "init")
    good = certificate(ledger, "depositor")
    work = folder / "w"
    work.mkdir()

    def run(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=work)

    def signed_by(name, extensions, *dates):
        """A certificate of the ledger's own CA that `custody ca` would not make."""
        fill(work / "x.cnf", ("extendedKeyUsage=clientAuth\n" + extensions).encode())
        run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", ledger.root / "tls/ca.pem", "-CAkey", ledger.root / "tls/ca.key", "-extfile", "x.cnf", "-out", f"{name}.crt", *dates)
        fill(work / f"{name}.pem", (work / f"{name}.key").read_bytes() + (work / f"{name}.crt").read_bytes())
        return work / f"{name}.pem"
    uri = [l.strip() for l in call(["openssl", "x509", "-in", good, "-noout", "-text"]).out.splitlines() if "URI:custody:" in l][0]
    bad = {"valid until": signed_by("late", f"subjectAltName={uri}", "-days", "-1"),
           "does not say whose": signed_by("plain", ""),
           "of a CA that is not known here": certificate(other, "depositor")}
    bad["no member of the ledger vouches"] = signed_by("stolen", f"subjectAltName={uri}", "-days", "9")
    bad["another role"] = signed_by("role", f"subjectAltName={uri.replace('/depositor/', '/organisation/')}", "-days", "9")
    with Node(ledger, "--tls") as node:
        for words, cert in bad.items():
            node.client = ca(ledger) + ["--cert", cert]
            problem = node.json("/v1/case", code=403)
            assert words in problem["detail"] and problem["exit"] == 12, (words, problem)
            logged(node, words)
            assert node.get("/healthz") == b"ok\n"
        node.client = as_(ledger, "depositor")
        node.json("/v1/case")
        ledger.run("ca", "revoke", good)
        node.json("/v1/case")
        hang_up(node)
        assert "is revoked" in node.json("/v1/case", code=403)["detail"]
        ledger.run("ca", "revoke", certificate(ledger, "reader"))
        hang_up(node)
        for role, code in (("reader", 403), ("depositor", 403), ("organisation", 200)):
            node.client = as_(ledger, role)
            node.get("/v1/case", code=code)
        # a list that is none changes nothing
        fill(ledger.root / "tls/revoked.pem", b"nothing\n")
        hang_up(node, "as before")
        node.get("/v1/case")
        denied = [l for l in node.get("/metrics").splitlines() if l.startswith(b"custody_http_denied_total")]
        assert int(denied[0].split()[1]) >= len(bad), denied
    os.unlink(ledger.root / "tls/revoked.pem")
    assert ledger.run("ca", "revoke", certificate(other, "depositor"), code=4).error


@test
def whose_key_is_revoked_in_the_ledger_is_refused_from_that_answer_on(folder):
    ledger = with_certificates(folder)
    copy = ledger.copy(folder / "C")
    copy.run("member", "revoke", "Judge Wu")
    with Node(copy) as other:
        last = other.json("/v1/status")["entries"]
        kinds = {n: other.get(f"/v1/record/{n}") for n in range(last - 4, last) if b"custody-member" in other.get(f"/v1/entry/{n}")}
    record = kinds[max(kinds)]
    with Node(ledger, "--tls") as node:
        node.client = as_(ledger, "reader")
        node.get("/v1/case")
        node.client = as_(ledger, "organisation")
        answer = node.submit(record, "application/cbor")
        assert answer["status"] == "OK", answer
        node.client = as_(ledger, "reader")
        assert "revoked in this ledger" in node.json("/v1/case", code=403)["detail"]


@test
def a_ledger_behind_https_is_read_with_a_certificate(folder):
    ledger = with_certificates(folder)
    with Node(ledger, "--tls") as node:
        def far(*args, role="depositor", code=0):
            return custody(*args, "--ledger", node.url, "--state", folder / "state", "--pin-trust", ledger.trust, *as_(ledger, role), code=code)
        assert far("ls", "--case", "C1").out == ledger.run("ls", "--case", "C1").out
        far("get", "C1/2", "-o", folder / "got")
        ledger.run("get", "C1/2", "-o", folder / "here")
        assert (folder / "got").read_bytes() == (folder / "here").read_bytes()
        refused = far("get", "C1/2", "-o", folder / "no", role="operator", code=None)
        assert refused.code and "operator" in refused.err and not (folder / "no").exists(), refused
        assert far("get", "C1/2", "-o", folder / "no", role="", code=None).code
        unknown = custody("ls", "--ledger", node.url, "--state", folder / "other", "--pin-trust", ledger.trust, "--cert", certificate(ledger, "depositor"), code=None)
        assert unknown.code and "certificate" in unknown.err, unknown


@test
def certificates_are_exchanged_without_a_restart(folder):
    ledger = Ledger.new(folder / "L", "C1")
    ledger.run("ca", "init")
    tls = ledger.root / "tls"
    with Node(ledger, "--tls") as node:
        node.client = as_(ledger, "organisation")
        node.get("/v1/case")
        old = (tls / "server.pem").read_bytes()
        os.rename(tls, folder / "old")
        ledger.run("ca", "init", "--host", "localhost 127.0.0.1 evidence.example")
        assert (tls / "server.pem").read_bytes() != old
        hang_up(node)
        node.client = as_(ledger, "organisation")
        node.get("/v1/case")
        node.client = ["--cacert", tls / "ca.pem", "--cert", folder / "old/organisation.pem"]
        assert "of a CA that is not known here" in node.json("/v1/case", code=403)["detail"]
        # a key that is not the certificate's is noticed before anybody meets it
        fill(tls / "server.pem", old[:old.index(b"-----BEGIN CERT")] + (tls / "server.pem").read_bytes().partition(b"-----BEGIN CERT")[1] +
             (tls / "server.pem").read_bytes().partition(b"-----BEGIN CERT")[2])
        hang_up(node, "as before")
        node.client = as_(ledger, "organisation")
        node.get("/v1/case")
    assert "server" in custody("node", "--ledger", ledger.root, "--tls", "--listen", "127.0.0.1:0", code=None).error


@test
def an_existing_ca_is_taken_and_older_tls_is_not_spoken(folder):
    ledger = Ledger.new(folder / "L", "C1")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Police CA", "-addext", "keyUsage=critical,keyCertSign", "-days", "9", "-keyout", "k.pem", "-out", "c.pem"],
                   check=True, capture_output=True, cwd=folder)
    assert "both" in ledger.run("ca", "init", "--ca-cert", folder / "c.pem", code=1).error
    ledger.run("ca", "init", "--ca-cert", folder / "c.pem", "--ca-key", folder / "k.pem", "--host", "evidence.example 127.0.0.1")
    assert ledger.run("ca", "init", code=1).error
    assert ledger.run("ca", "issue", "nobody of that name", code=10).error
    with Node(ledger, "--tls", "--listen", "0.0.0.0:0") as node:  # others may reach it: they have to show who they are
        node.url = f"https://127.0.0.1:{node.port}"
        node.client = ["--cacert", folder / "c.pem", "--cert", ledger.root / "tls/depositor.pem"]
        node.get("/v1/case")
        node.get("/v1/case", "-H", f"Host: evidence.example:{node.port}")
        assert node.curl("/v1/case", "-H", f"Host: other.example:{node.port}")[0] == 421
        call(["openssl", "verify", "-x509_strict", "-CAfile", folder / "c.pem", ledger.root / "tls/depositor.pem"])
        for version, code in (("1.2", 35), ("1.1", 35)):
            done = subprocess.run(["curl", "-s", "--tls-max", version, "--cacert", folder / "c.pem", node.url + "/healthz"], capture_output=True, check=False)
            assert done.returncode == code, (version, done)
        done = subprocess.run(["curl", "-s", "-m", "30", f"http://127.0.0.1:{node.port}/healthz"], capture_output=True, check=False)
        assert done.returncode != 0 and not done.stdout  # no plain HTTP on that port
        one = parts(sign(ledger, "C1", 1, 1))[0]
        assert node.submit(one, "application/cbor")["status"] == "OK"
    assert "--tls" in custody("node", "--ledger", ledger.root, "--listen", "0.0.0.0:0", code=12).error


main()
