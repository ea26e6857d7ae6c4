"""Organisations on loopback: each a `custody node` with the CometBFT that it starts. What the tests of a network share."""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(SOURCE / "tests/cli"))
from custody_test import CUSTODY, ENVIRONMENT, call, fill  # noqa: E402,F401
from node_test import SIGN, Node, parts  # noqa: E402,F401
from provider_world import Provider  # noqa: E402
from shared import log_digest  # noqa: E402
from tap import Tap  # noqa: E402

COMET = pathlib.Path(os.environ.get("CUSTODY_COMETBFT", SOURCE / "build/tools/bin/cometbft"))
PATIENCE_S, LOOK_S = 60, 0.05


def until(there, what, seconds=PATIENCE_S):
    """Patience is counted in looks: where the machine is busy with other work each of them takes longer, as all that is waited for does."""
    for _ in range(int(seconds / LOOK_S)):
        got = there()
        if got:
            return got
        time.sleep(LOOK_S)
    raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")


def destroy(folder):
    """Under a node that runs and may write there meanwhile: all of it is gone at once."""
    gone = folder.with_name(folder.name + ".gone")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def free_ports(n):
    """The first of n in a row that nobody uses, below those that the system hands out."""
    for _ in range(200):
        first = random.randrange(20000, 32000)
        sockets = [socket.socket() for _ in range(n)]
        try:
            for i, s in enumerate(sockets):
                s.bind(("127.0.0.1", first + i))
            return first
        except OSError:
            pass
        finally:
            for s in sockets:
                s.close()
    raise AssertionError("no free ports")


class Org(Node):
    """One organisation, not started yet."""

    def __init__(self, root, port, p2p=0):  # pylint: disable=super-init-not-called
        self.p2p = p2p  # where its peers reach it
        self.root, self.port, self.url, self.client = root, port, f"http://127.0.0.1:{port}", []
        self.process, self.asked, self.ledger, self.usual, self.tap, self.program = None, False, self, [], None, CUSTODY
        self.log = root.parent / (root.name + ".log")

    def start(self, *options, comet=COMET, wait=True, env=None):
        self.out, self.asked = open(self.log, "ab"), False  # pylint: disable=consider-using-with
        self.tap = self.tap or Tap(self.root.parent / (self.root.name + ".tap"), self.root / "chain/app.sock")
        self.process = subprocess.Popen([self.program, "node", "--ledger", self.root, "--cometbft", comet, *self.usual, *options], stdout=subprocess.PIPE, stderr=self.out,
                                        env={**ENVIRONMENT, "CMT_PROXY_APP": f"unix://{self.tap.path}", **(env or {})})
        if wait:
            self.listening()
        return self

    def listening(self):
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening"), f"{self.root.name} does not listen: {line!r} {self.said()}"

    def said(self):
        return self.log.read_text(errors="replace")[-3000:]

    def engine(self):
        """The process of its CometBFT; 0: none."""
        done = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return int(done.stdout.split()[0]) if done.stdout.strip() else 0

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.out.close()

    def stop(self, code=0):
        if self.process and self.process.poll() is None and not self.asked:
            self.process.send_signal(signal.SIGTERM)  # asked twice, it would end at once
        if self.process:
            got = self.process.wait(60)
            assert code is None or got == code, f"{self.root.name} ended with {got}: {self.said()}"
            assert "Sanitizer" not in self.said() and "runtime error" not in self.said(), self.said()
            self.tap.judge()

    def status(self):
        return self.json("/v1/status")

    def copies(self, exhibit):
        """Organisations that hold it, as far as this node has heard."""
        status, _, body = self.curl("/v1/show/" + exhibit)
        return json.loads(body)["copies"] if status == 200 else 0

    def checkpoint(self):
        """Size and root, as it serves them; ("", "") while it does not."""
        try:
            text = self.curl("/checkpoint")[2].decode().split("\n")
            return (text[1], text[2]) if len(text) > 2 else ("", "")
        except AssertionError:
            return "", ""

    def sign(self, case, *numbers):
        """Records by this organisation's depositor: a case, or `n` deposits from a first number on. He sees the log as it is published."""
        published = self.root / "node/log/checkpoint"
        until(lambda: published.exists() and published.read_text().split("\n")[1] == self.checkpoint()[0], "it is published")
        return call([SIGN, self.root, case, *[str(n) for n in numbers]]).raw

    def log_digest(self):
        return log_digest(self.root)

    @property
    def trust(self):
        return self.root / "trust/ledger.trust"


class Desk:
    """An officer of one organisation, who knows its node's address: `custody` with his key."""

    def __init__(self, folder, org, key="depositor", provider=None):
        self.receipts = folder / "receipts"
        self.how = ["--ledger", org.url, "--state", folder / f"desk-{org.root.name}-{key}", "--pin-trust", org.trust, "--key", org.root / f"keys/{key}.pem"]
        self.provider = ["--provider", provider.url] if provider else []

    def run(self, *verb, **more):
        return call([CUSTODY, *verb, *self.how], **more)

    def deposit(self, *paths, case="C1", **more):
        return self.run("deposit", "--json", "--case", case, "--receipts", self.receipts, *self.provider, *paths, **more).rows


class Network:
    def __init__(self, folder, n=4, *options):
        self.folder = folder / "net"
        http = free_ports(2 * n)
        call([CUSTODY, "network", "local", self.folder, "--orgs", str(n), "--port", str(http + n), "--http", str(http), *options])
        self.orgs = [Org(self.folder / f"org-{i + 1}", http + i, http + n + i) for i in range(n)]

    def start(self, *options):
        for org in self.orgs:
            org.start(*options, wait=False)
        for org in self.orgs:
            org.listening()
        return self

    def cosigned(self):
        """Who comes with the trust file believes a quorum alone: until there is one."""
        until(lambda: all(org.curl("/checkpoint")[2].count(b"/cosigner/") >= min(3, len(self.orgs) - 1) for org in self.orgs), "the log is cosigned")
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        for org in self.orgs:
            if org.process and org.process.poll() is None:
                org.process.terminate() if what[0] is None else org.process.kill()
                org.asked = True
        for org in self.orgs:
            org.stop(None)
            if org.tap:
                org.tap.close()
                org.tap = None

    def rest(self, of=None, seconds=PATIENCE_S):
        """Until all stand at one size and root, and stay: that size."""
        of = of or self.orgs

        def still():
            before = [org.checkpoint() for org in of]
            if len(set(before)) != 1 or before[0][0] == "":
                return None
            time.sleep(2.5)  # attestations are entries too, a second later
            return before[0][0] if before == [org.checkpoint() for org in of] and not any(map(noted, of)) else None
        return int(until(still, lambda: f"the chain comes to rest: {[org.checkpoint() for org in of]}", seconds))


def noted(org):
    """Has it reads that are no entry yet? They become one within five seconds, or when it stops."""
    return any(part.exists() and part.stat().st_size > 0 for part in (org.root / "outbox" / name for name in ("access", "reads-0", "reads-1")))


class Cloudy(Network):
    """Four organisations, a provider beside them whom they pull from and challenge, an officer of the police, and a case."""

    def __init__(self, folder, n=4, *options, patrol="200", env=None):
        super().__init__(folder, n, *options)
        self.port, self.env = free_ports(1), env
        self.options = ["--provider", f"http://127.0.0.1:{self.port}", "--patrol", patrol]
        self.provider = None

    def __enter__(self):
        self.start(*self.options).cosigned()
        try:
            cloud, police = self.folder / "cloud", self.orgs[0]
            call([CUSTODY, "provider", "init", cloud, "--name", "Harbour Cloud", "--pin-trust", police.trust])
            Desk(self.folder, police, "organisation").run("member", "approve", cloud / "enrol.request")
            self.provider = Provider(cloud, police, port=self.port)
            self.desk = Desk(self.folder, police, provider=self.provider)
            self.desk.run("case", "open", "C1")
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, *what):
        if self.provider:
            self.provider.__exit__(*what)
        super().__exit__(*what)


def submit_at_once(jobs):
    """Each (organisation, records) at the same time: the outcomes of each."""
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(lambda job: job[0].submit(job[1]), jobs))


def statuses(outcomes):
    return [o["status"] for answer in outcomes for o in answer]


def same(orgs):
    """Stopped ones: their logs, byte for byte, and what `custody check` finds in each."""
    digests = {org.log_digest() for org in orgs}
    assert len(digests) == 1, digests
    for org in orgs:
        found = call([org.program, "check", "--ledger", org.root, "--json"]).rows[-1]
        assert found["ok"], found
    return json.dumps(sorted(digests))
