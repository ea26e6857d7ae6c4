"""Four organisations, and whoever knows the addresses of all of them: a node that is killed, hangs, is behind or lies changes nothing for him, and what is
submitted to one, or to all, is one record with one receipt."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import types

from network import COMET, CUSTODY, ENVIRONMENT, Cloudy, Desk, call, fill, same, statuses, submit_at_once, until
from custody_test import Silent, listening, noise, verify
from test_liar import line


def ok(text):
    print(f"ok - {text}", flush=True)


class Everybody(Desk):
    """An officer of the police who names all four; `first` before the others."""

    def __init__(self, net):
        super().__init__(net.folder, net.orgs[0], provider=net.provider)
        self.net = net

    def run(self, *verb, first=0, **more):
        self.how[1] = self.urls(first)
        return super().run(*verb, **more)

    def urls(self, first=0):
        return ",".join(org.url for org in sorted(self.net.orgs, key=lambda org: org is not self.net.orgs[first]))


def passed(answer, org, why):
    told = [text for text in answer.err.splitlines() if text.startswith(org.url + " ")]
    assert len(told) == 1 and why in told[0], (why, answer)


def judged(net, rows, paths):
    for row, path in zip(rows, paths, strict=True):
        assert row["path"] == str(path) and not row["duplicate"], row
        assert verify("--trust", net.orgs[2].trust, row["receipt"], path).code == 0


def killed_before(net, desk):
    police = net.orgs[0]
    police.kill()
    path = fill(net.folder / "before", noise(1_500_000))
    answer = desk.run("deposit", "--case", "C1", "--receipts", desk.receipts, *desk.provider, path)
    passed(answer, police, "cannot be reached (")
    judged(net, desk.run("deposit", "--json", "--case", "C1", "--receipts", desk.receipts, *desk.provider, other := fill(net.folder / "again", noise(40_000, 2))).rows, [other])
    police.start(*net.options)
    ok("a deposit while the first one is down goes to the next, and that is said once")


def killed_in_the_middle(net, desk):
    police, before = net.orgs[0], net.orgs[1].status()["exhibits"]
    paths = [fill(net.folder / f"middle-{n}", noise(60_000 if n % 3 else 1_200_000, 10 + n)) for n in range(12)]
    net.rest()
    desk.how[1] = desk.urls()
    run = subprocess.Popen([CUSTODY, "deposit", "--json", "--case", "C1", "--receipts", desk.receipts, *desk.how, *desk.provider, *paths], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=ENVIRONMENT, text=True)
    first = run.stdout.readline()
    police.kill()
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, (run.returncode, out, err)
    rows = [json.loads(text) for text in (first + out).splitlines()]
    judged(net, rows, paths)
    assert len({row["serial"] for row in rows}) == len({row["exhibit"] for row in rows}) == len({row["id"] for row in rows}) == 12, rows
    net.rest(net.orgs[1:])
    assert net.orgs[1].status()["exhibits"] == before + 12, "each is recorded once"
    police.start(*net.options)
    net.rest()
    ok("the first one is killed in the middle of a batch: the same command ends it with the next, each of twelve has one record, one number, one receipt")


def submitted_to_all(net, desk):
    before = net.rest()
    [deposit] = [net.orgs[1].sign("C1", 1, 1)]
    outcomes = submit_at_once([(org, deposit) for org in net.orgs])
    assert sorted(statuses(outcomes)) == ["DUPLICATE"] * 3 + ["OK"], outcomes
    said = [answer[0] for answer in outcomes]
    assert len({(o["id"], o["entry"], o["leaf"]) for o in said}) == 1, said
    net.rest()
    seen = [org.json("/v1/show/" + said[0]["id"]) for org in net.orgs]
    assert len({(s["serial"], s["id"], s["exhibit"], s["root"]) for s in seen}) == 1, seen
    assert len({org.get(f"/v1/record/{said[0]['entry']}") for org in net.orgs}) == 1
    for n, org in enumerate(net.orgs):  # of the same entry, under whichever checkpoint that one has
        desk.run("receipt", said[0]["id"], "-o", net.folder / f"by-{n}", first=n)
        for receipt in (net.folder / f"by-{n}", fill(net.folder / f"from-{n}", org.get("/v1/receipt/" + said[0]["id"]))):
            judged_as = verify("--json", "--trust", net.orgs[0].trust, receipt).row
            assert receipt.read_bytes().split(b"\nindex ")[1].split(b"\n")[0] == b"%d" % said[0]["entry"], receipt.read_bytes()[:300]
            assert said[0]["id"] in str(judged_as), judged_as
    assert said[0]["entry"] >= before
    ok("a record that is submitted to all four at once is one entry, with one number, and whoever is asked for its receipt gives that of this entry")


def one_that_hangs(net, desk):
    police = net.orgs[0]
    desk.run("ls")
    police.process.send_signal(signal.SIGSTOP)
    try:
        answer = desk.run("ls")
        passed(answer, police, "cannot be reached (")
        assert "custody:" not in answer.err, answer
    finally:
        police.process.send_signal(signal.SIGCONT)
    ok("the first one hangs: after some seconds the next is asked")


def one_that_is_behind(net, desk):
    police, engine = net.orgs[0], net.orgs[0].engine()
    net.rest()
    os.kill(engine, signal.SIGSTOP)
    try:
        judged(net, desk.run("deposit", "--json", "--case", "C1", "--receipts", desk.receipts, *desk.provider, path := fill(net.folder / "late", noise(50_000, 50)), first=1).rows, [path])
        until(lambda: int(net.orgs[2].checkpoint()[0]) > int(police.checkpoint()[0]), "the others went on")
        rows = desk.run("ls", "--json", first=1).rows
        answer = desk.run("ls", first=0)
        passed(answer, police, "cannot answer now (it shows ")
        assert desk.run("ls", "--json", first=0).rows == rows
    finally:
        os.kill(engine, signal.SIGCONT)
    until(lambda: police.checkpoint() == net.orgs[2].checkpoint(), police.said)
    assert police.url not in desk.run("ls", first=0).err
    ok("the first one is behind: it is passed over without an alarm, and asked again when it has caught up")


@contextlib.contextmanager
def forger(net):
    """What the court's node says, but for its checkpoint: that is of another log, shorter than the one that was seen, by the police's own key."""
    size = net.rest()
    true = net.orgs[2].get("/checkpoint").decode()
    origin = true.split("\n", maxsplit=1)[0]
    text = f"{origin}\n{size - 3}\n{base64.b64encode(hashlib.sha256(b'another history').digest()).decode()}\n"
    told = (text + "\n" + line(net.folder, origin, 1, net.orgs[0].root / "keys/log.pem", text.encode())).encode()

    class Handler(Silent):
        def do_GET(self):
            body = told if self.path == "/checkpoint" else net.orgs[2].curl(self.path)[2]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with listening(Handler) as address:
        yield address


def one_that_lies(net, desk):
    desk.run("ls")
    with forger(net) as liar:
        desk.run("ls")
        desk.how[1] = f"{liar},{desk.urls(1)}"
        answer = call([CUSTODY, "ls", *desk.how], code=2)
        assert "one node shows another log than the others" in answer.error and "fork-proof" in answer.error, answer
    ok("a shorter log that is not the beginning of the others' is an alarm, with what was signed kept")


MODES = {"before": killed_before, "middle": killed_in_the_middle, "all": submitted_to_all, "hangs": one_that_hangs, "behind": one_that_is_behind, "lies": one_that_lies}


def main(names):
    with tempfile.TemporaryDirectory() as folder:
        with Cloudy(pathlib.Path(folder)) as net:
            desk = Everybody(net)
            net.provider.kill()  # it hands what it accepted to whichever is there, too
            net.provider.node = types.SimpleNamespace(url=desk.urls(), ledger=net.orgs[0])
            net.provider.start()
            for name in names or MODES:
                MODES[name](net, desk)
            net.rest()
        ok(f"stopped, the four are the same: {same(net.orgs)}")


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - nodes in turn # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    main(sys.argv[1:])
