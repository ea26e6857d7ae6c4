"""Four organisations on real CometBFT: each cosigns, receipts take three, whoever issues them, and torchwood agrees."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from custody_test import call, verify
from network import Network, submit_at_once, until

TORCHWOOD = pathlib.Path(__file__).resolve().parents[2] / "build/tools/bin/torchwood-verify"


def ok(text):
    print(f"ok - {text}", flush=True)


def receipt(org, name, wait=60):
    status, _, body = org.curl(f"/v1/receipt/{name}?wait={wait}")
    return body if status == 200 else None


def judge(net, orgs, name, leaf, folder):
    for org in orgs:
        got = receipt(org, name)
        assert got, f"{org.root}: no receipt of {name}: {org.said()}"
        assert got.count(b"/cosigner/") >= 3 and got.count("— ".encode()) == got.count(b"/cosigner/") + 1, got
        file = folder / f"{org.root.name}-{name.replace('/', '-')}"
        file.write_bytes(got)
        for other in net.orgs:  # whoever pinned whichever organisation's trust file
            told = verify("--trust", other.root / "trust/ledger.trust", "--json", file).row
            assert told["ok"] and told["verdicts"]["time"]["verdict"] == "PASS", told
        if TORCHWOOD.exists():
            call([TORCHWOOD, org.root / "trust/policy", leaf, file])
            fewer = folder / "fewer"
            lines = got.split(b"\n")
            cosigned = [i for i, line in enumerate(lines) if b"/cosigner/" in line]
            fewer.write_bytes(b"\n".join(line for i, line in enumerate(lines) if i not in cosigned[2:]))
            call([TORCHWOOD, org.root / "trust/policy", leaf, fewer], code=1)
            verify("--trust", org.root / "trust/ledger.trust", fewer, code=4)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        with Network(folder) as net:
            a, b, c, d = net.orgs
            a.submit(a.sign("C1"))
            net.rest()
            recorded = a.submit(a.sign("C1", 1, 3))
            judge(net, net.orgs, "C1/1", recorded[0]["leaf"], folder)
            ok("each of four nodes hands out a receipt with three cosigners' signatures, which every organisation's trust file and torchwood accept")
            d.stop()
            more = a.submit(a.sign("C1", 4, 1))
            judge(net, (a, b, c), "C1/4", more[0]["leaf"], folder)
            ok("with one of four gone three are enough")
            d.start()
            net.rest()
            judge(net, (d,), "C1/4", more[0]["leaf"], folder)
            ok("who was away catches up, cosigns, and hands it out, too")
            size = int(d.checkpoint()[0])
            until(lambda: all(org.curl(f"/v1/cosignatures/{size}")[2].count(b"/cosigner/") == 4 for org in net.orgs), "all four cosigned where the chain rests")
            ok("all four cosigned the log as it rests")
            submit_at_once([(org, a.sign("C1", 5 + 2 * i, 2)) for i, org in enumerate((a, b))])
            net.rest()
            assert not any(org.json("/v1/status")["forks"] for org in net.orgs)
            ok("nobody showed anybody another log")


main()
