#!/usr/bin/env python3
"""custody doctor: what is wrong with clock, certificates, disk and reachability is said on either side, with what to do about it. (Buckets: test_s3.py.)"""
import os
import shutil
import subprocess

from custody_test import CUSTODY, ENVIRONMENT, Answer, Ledger, Skip, call, custody, fill, main, noise, test
from node_test import Node
from provider_world import Provider
from tls_world import free_port, made, world


def bad(answer, name=""):
    return [line for line in answer.out.splitlines() if line.startswith("BAD  " + name)]


def said(answer, name, *words):
    assert any(all(w in line for w in words) for line in bad(answer, name)), (name, words, str(answer))


def shifted(hours, *args):
    """As on a machine whose clock is wrong."""
    if not shutil.which("faketime"):
        raise Skip("there is no faketime")
    if os.environ.get("CUSTODY_SANITIZED") == "ON":
        raise Skip("faketime and the sanitizers both want to be loaded first")
    done = subprocess.run(["faketime", "-f", f"{hours:+d}h", CUSTODY, *map(os.fspath, args)], capture_output=True, env=ENVIRONMENT, timeout=100, check=False)
    return Answer(args, done)


def certificates(ledger, role="depositor"):
    return ("--cacert", ledger.root / "tls/ca.pem", "--cert", ledger.root / f"tls/{role}.pem")


@test
def a_clock_an_hour_off_is_said_to_be_by_whoever_asks_a_server_and_of_a_log(folder):
    ledger = made(folder)
    with world(folder, ledger) as (node, provider):
        good = custody("doctor", "--ledger", node.url, "--provider", provider.url, *certificates(ledger))
        assert good.out.count("answers") == 2 and good.out.count("clock") == 2 and not bad(good), good
        ahead = shifted(1, "doctor", "--ledger", node.url, "--provider", provider.url, *certificates(ledger))
        assert ahead.code == 1, ahead
        said(ahead, "clock", "0 h 59 min" if "0 h 59" in ahead.out else "1 h 00 min", "ahead of", node.url, "time server")
        said(ahead, "clock", provider.url)
        behind = shifted(-1, "doctor", "--ledger", node.url, *certificates(ledger))
        said(behind, "clock", "behind", node.url)
        said(behind, "reach", "not valid yet", "clock behind")  # and the clock is told nevertheless
        as_provider = ("doctor", "--dir", folder / "P", "--ledger", node.url, "--cacert", folder / "P/tls/ca.pem", "--cert", folder / "P/tls/provider.pem")
        assert not bad(custody(*as_provider)), custody(*as_provider)
        said(shifted(1, *as_provider), "clock", "ahead of", node.url)
    said(shifted(-1, "doctor", "--ledger", ledger.root), "clock", "behind the newest block")


@test
def who_cannot_be_reached_is_named_with_what_to_do(folder):
    ledger = made(folder)
    for args in (("doctor",), ("status",)):
        answer = custody(*args, "--ledger", "http://no-such-host.invalid:8714", "--state", folder / "s", "--pin-trust", ledger.trust, code=1)
        assert "no name server knows that name" in answer.out + answer.err, answer
    dead = f"http://127.0.0.1:{free_port()}"
    said(custody("doctor", "--ledger", dead, code=1), "reach", "nobody listens there", dead)
    said(ledger.run("doctor", "--provider", dead, "--peer", "http://no-such-host.invalid:1 " + dead, code=1), "reach", "no-such-host.invalid", "spelled")
    said(custody("doctor", "--ledger", "ftp://x", code=1), "reach", "an address is http")
    with world(folder, ledger) as (node, _):
        said(custody("doctor", "--ledger", node.url.replace("https", "http"), code=1), "reach", "https://")
        said(custody("doctor", "--ledger", node.url, code=1), "reach", "--cacert names the file")
        said(custody("doctor", "--ledger", node.url, "--cacert", ledger.root / "tls/ca.pem", code=1), "reach", "no certificate was shown")
        said(custody("doctor", "--ledger", node.url.replace("127.0.0.1", "127.0.0.2"), *certificates(ledger), code=1), "reach")
        said(custody("doctor", "--ledger", node.url, "--cacert", folder / "nothing", code=1), "reach", "--cacert")
        ledger.run("ca", "issue", "Cloud", "--host", "elsewhere.example")
        shutil.move(ledger.root / "tls/server-Cloud.pem", ledger.root / "tls/server.pem")
        node.process.send_signal(1)
        for _ in range(100):
            answer = custody("doctor", "--ledger", node.url, *certificates(ledger), code=None)
            if answer.code:
                break
        said(answer, "reach", "for other names")


@test
def a_certificate_that_is_expired_foreign_unbound_or_anothers_is_named(folder):
    ledger, other = made(folder), Ledger.new(folder / "M")
    other.run("ca", "init")
    tls = ledger.root / "tls"
    good = ledger.run("doctor")
    assert good.out.count("certificate") == 5 and "of party 3 (depositor)" in good.out and not bad(good), good
    uri = [l.strip() for l in call(["openssl", "x509", "-in", tls / "depositor.pem", "-noout", "-text"]).out.splitlines() if "URI:custody:" in l][0]

    def signed(name, names, *dates):
        fill(folder / "x.cnf", f"extendedKeyUsage=clientAuth\n{names}".encode())
        for args in (("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", "x.key", "-out", "x.csr"),
                     ("x509", "-req", "-in", "x.csr", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key", "-extfile", "x.cnf", "-out", "x.crt", *dates)):
            subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=folder)
        key = (folder / "x.key").read_bytes()
        fill(tls / f"{name}.pem", key + (folder / "x.crt").read_bytes())
        return key
    signed("late", f"subjectAltName={uri}", "-days", "-1")
    signed("plain", "", "-days", "99")
    key = signed("short", f"subjectAltName={uri}", "-days", "9")
    fill(tls / "mixed.pem", key + call(["openssl", "x509", "-in", tls / "depositor.pem"]).raw)
    shutil.copy(other.root / "tls/depositor.pem", tls / "foreign.pem")
    fill(tls / "nothing.pem", b"nothing\n")
    answer = ledger.run("doctor", code=1)
    for name, word in (("late", "valid until"), ("plain", "does not say whose"), ("short", "no member of the ledger vouches"), ("mixed", "another one's"), ("foreign", "CA that is not known"), ("nothing", "PEM")):
        said(answer, "certificate", f"tls/{name}.pem", word)
    for name in ("late", "plain", "short", "mixed", "foreign", "nothing"):
        (tls / f"{name}.pem").unlink()
    ledger.run("ca", "revoke", tls / "depositor.pem")
    said(ledger.run("doctor", code=1), "certificate", "tls/depositor.pem", "revoked")
    ledger.run("ca", "issue", "Cloud", "--host", "127.0.0.1", "--days", "9")
    said(ledger.run("doctor", code=1), "certificate", "tls/server-Cloud.pem", "expires in 8 days")
    rows = ledger.run("doctor", "--json", code=1).row
    assert {row["item"] for row in rows} >= {"network", "key", "log", "certificate", "space"} and sum(not row["ok"] for row in rows) == 2, rows


@test
def a_servers_own_settings_are_looked_at_with_all_that_they_name(folder):
    ledger = made(folder)
    nobody = free_port()
    fill(folder / "node.toml", f'ledger = "{ledger.root}"\ncacert = "{ledger.root}/tls/ca.pem"\n[node]\ntls = true\nlisten = "127.0.0.1:1"\nprovider = "https://127.0.0.1:{nobody}"\ntls-cert = "{folder}/P/tls/server.pem"\n'.encode())
    answer = custody("doctor", "--config", folder / "node.toml", code=1)
    said(answer, "reach", f"127.0.0.1:{nobody}", "nobody listens")
    assert "P/tls/server.pem: good for" in answer.out and len(bad(answer)) == 1, answer
    fill(folder / "P/tls/server.pem", b"")
    said(custody("doctor", "--config", folder / "node.toml", code=1), "certificate", "P/tls/server.pem")
    with Node(ledger) as node:
        fill(folder / "provider.toml", f'ledger = "{node.url}"\n[provider]\ndir = "{folder}/P"\nkeep-free = 100\n'.encode())
        answer = custody("doctor", "--config", folder / "provider.toml", code=1)
        said(answer, "space", "nothing more is recorded")
        assert "provider: opens" in answer.out and f"{node.url} answers" in answer.out, answer
        (folder / "P/keys/provider.pem").rename(folder / "away")
        said(custody("doctor", "--config", folder / "provider.toml", code=1), "key", "provider:", "No such file")
    assert "--dir" in custody("doctor", "--dir", folder / "P", code=1).error


main()
