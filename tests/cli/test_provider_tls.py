#!/usr/bin/env python3
"""Client, provider and node over mutual TLS: what is deposited so is recorded and copied; who shows no good certificate is refused and told why; certificates are loaded anew."""
import json
import shutil
import signal
import subprocess
import time

from custody_test import Ledger, call, custody, fill, main, noise, test
from provider_world import claimed
from tls_world import made, world

KIND = ("-H", "content-type: application/cbor")


def afar(folder, ledger, node, *args, **how):
    tls = ledger.root / "tls"
    return custody(*args, "--ledger", node.url, "--state", folder / "state", "--pin-trust", ledger.trust, "--cacert", tls / "ca.pem", "--cert", tls / "depositor.pem",
                   "--key", ledger.root / "keys/depositor.pem", **how)


def hang_up(provider, word):
    before = provider.log.read_text().count('"certificates"')
    provider.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        time.sleep(0.1)
        lines = [l for l in provider.log.read_text().splitlines() if '"certificates"' in l]
        if len(lines) > before:
            assert word in lines[-1], lines[-1]
            return
    raise AssertionError("nothing was loaded")


@test
def a_deposit_goes_from_client_to_provider_to_node_over_mutual_tls(folder):
    ledger = made(folder)
    path = fill(folder / "film", noise(2_500_001))
    with world(folder, ledger) as (node, provider):
        row = afar(folder, ledger, node, "deposit", "--case", "C1", path, "--json").rows[0]
        assert row["copies"] == 1, row
        assert node.get("/v1/content/C1/1") == path.read_bytes()  # it came from the provider, with the organisation's certificate
        roles = {json.loads(l)["role"] for l in provider.log.read_text().splitlines() if '"route":' in l}
        assert {"depositor", "organisation"} <= roles, roles
        assert '"role":"provider"' in node.log.read_text()
        root = node.json("/v1/show/C1/1")["root"]
        provider.get("/v1/objects/" + root, code=403)  # a depositor fetches by its exhibit, from the node
        provider.client = ["--cacert", ledger.root / "tls/ca.pem", "--cert", ledger.root / "tls/organisation.pem"]
        assert provider.get("/v1/objects/" + root) == path.read_bytes()
        done = subprocess.run(["curl", "-s", "--tls-max", "1.2", "--cacert", ledger.root / "tls/ca.pem", provider.url + "/healthz"], capture_output=True, check=False)
        assert done.returncode == 35, done
    ledger.clean()


@test
def who_shows_no_good_certificate_is_refused_by_the_provider_and_told_why(folder):
    ledger, other = made(folder), Ledger.new(folder / "M")
    other.run("ca", "init")
    tls = ledger.root / "tls"
    claim = claimed(ledger, fill(folder / "a", noise(100)))
    good = tls / "depositor.pem"
    uri = [l.strip() for l in call(["openssl", "x509", "-in", good, "-noout", "-text"]).out.splitlines() if "URI:custody:" in l][0]

    def signed(name, extensions, *dates):
        fill(folder / "x.cnf", ("extendedKeyUsage=clientAuth\n" + extensions).encode())
        for args in (("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", "x.key", "-out", "x.csr"),
                     ("x509", "-req", "-in", "x.csr", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key", "-extfile", "x.cnf", "-out", "x.crt", *dates)):
            subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=folder)
        return fill(folder / f"{name}.pem", (folder / "x.key").read_bytes() + (folder / "x.crt").read_bytes())
    bad = {"no certificate was shown": None, "valid until": signed("late", f"subjectAltName={uri}", "-days", "-1"), "does not say whose": signed("plain", ""),
           "of a CA that is not known here": other.root / "tls/depositor.pem", "no member of the ledger vouches": signed("stolen", f"subjectAltName={uri}", "-days", "9")}
    with world(folder, ledger) as (_, provider):
        for words, cert in bad.items():
            provider.client = ["--cacert", tls / "ca.pem"] + (["--cert", cert] if cert else [])
            status, _, body = provider.curl("/v1/claims", *KIND, data=claim.read_bytes())
            assert status == 403 and words in json.loads(body)["detail"], (words, status, body)
            assert provider.get("/healthz") == b"ok\n"
        provider.client = ["--cacert", tls / "ca.pem", "--cert", good]
        assert provider.curl("/v1/claims", *KIND, data=claim.read_bytes())[0] == 201
        ledger_revoked = folder / "P/tls/revoked.pem"
        ledger.run("ca", "revoke", good)
        shutil.copy(tls / "revoked.pem", ledger_revoked)
        assert provider.curl("/v1/claims", *KIND, data=claim.read_bytes())[0] == 200  # it is told by SIGHUP
        hang_up(provider, "loaded anew")
        status, _, body = provider.curl("/v1/claims", *KIND, data=claim.read_bytes())
        assert status == 403 and "is revoked" in json.loads(body)["detail"], body
        fill(ledger_revoked, b"nothing\n")
        hang_up(provider, "as before")
        assert provider.curl("/v1/claims", *KIND, data=claim.read_bytes())[0] == 403


@test
def the_providers_own_certificate_is_exchanged_while_it_serves_and_judged_by_who_asks(folder):
    ledger = made(folder)
    mine, path = folder / "P/tls", fill(folder / "film", noise(100_000))

    def serial(provider):
        out = call(["openssl", "s_client", "-connect", f"127.0.0.1:{provider.port}", "-CAfile", ledger.root / "tls/ca.pem"], code=None).out
        return call(["openssl", "x509", "-noout", "-serial"], stdin=out.encode()).out
    with world(folder, ledger) as (node, provider):
        first = serial(provider)
        ledger.run("ca", "issue", "Cloud", "--host", "127.0.0.1 localhost")
        shutil.move(ledger.root / "tls/server-Cloud.pem", mine / "server.pem")
        hang_up(provider, "loaded anew")
        assert serial(provider) != first
        fill(mine / "server.pem", b"")
        hang_up(provider, "as before")
        ledger.run("ca", "issue", "Cloud", "--host", "elsewhere.example")
        shutil.move(ledger.root / "tls/server-Cloud.pem", mine / "server.pem")
        hang_up(provider, "loaded anew")
        answer = afar(folder, ledger, node, "deposit", "--case", "C1", path, code=None, env={"CUSTODY_NO_WAIT": "1"})
        assert answer.code and "127.0.0.1" in answer.err and ("certificate" in answer.err or "subject" in answer.err), answer  # it is another's: nothing goes there
        assert "exhibits" in node.get("/v1/case/C1").decode() and node.json("/v1/case/C1")["exhibits"] == []
        ledger.run("ca", "issue", "Cloud", "--host", "127.0.0.1")
        shutil.move(ledger.root / "tls/server-Cloud.pem", mine / "server.pem")
        hang_up(provider, "loaded anew")
        assert afar(folder, ledger, node, "deposit", "--case", "C1", path, "--json").rows[-1]["copies"] == 1


main()
