"""Organisations come and go, keys are changed, rules are upgraded, while the network records: four `custody node` with a real CometBFT, a fifth, and a
build that knows rules which nobody's does. `test_govern.py NAME…` runs some of it."""
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from network import COMET, CUSTODY, Desk, Network, Org, call, free_ports, parts, same, until
from test_perturb import Load, exhibits

TORCHWOOD = pathlib.Path(__file__).resolve().parents[2] / "build/tools/bin/torchwood-verify"
NEXT = pathlib.Path(CUSTODY).with_name("custody-next")
VERIFY = pathlib.Path(CUSTODY).with_name("custody-verify")
EACH = 900


def ok(text):
    print(f"ok - {text}", flush=True)


class Council:
    """A network under load, and what its organisations decide."""

    def __init__(self, folder, n=4):
        self.folder = pathlib.Path(folder)
        self.net = Network(self.folder, n)
        self.net.start().cosigned()
        self.number, self.issued = 0, {}
        self.load = self.receipts = None

    @property
    def orgs(self):
        return self.net.orgs

    def desk(self, org):
        return Desk(self.folder, org, "organisation")

    def begin(self, by=4):
        assert self.orgs[0].submit(self.orgs[0].sign("C1"), "application/cbor")["status"] == "OK"
        self.net.rest()
        signed = [parts(org.sign("C1", 1, EACH)) for org in self.orgs[:by]]
        self.load = Load(self.net, [r for some in zip(*signed) for r in some], 0.5)
        self.load.more(8)
        return self

    def say(self, org, *what):
        """Its desk says it, again as long as the organisations decide nothing and nothing was taken (exit 11): beside other work they may stand still for a while."""
        done = until(lambda: (done := self.desk(org).run("network", *what, code=None)).code != 11 and done, f"{what[0]} is taken")
        assert done.code == 0, done
        return done.rows[-1]

    def decide(self, *what, by=None, approve=3):
        """One proposes, and others approve until it takes effect."""
        by = by or self.orgs[0]
        said = self.say(by, "propose", "--json", *what)
        for org in [o for o in self.orgs if o is not by][: approve - 1]:
            assert not said["effective"], said
            said = self.say(org, "approve", "--json", said["id"][:8])
        assert said["effective"], said
        return said

    def receipt(self, org):
        """Of the newest exhibit, by this node, when it has a quorum."""
        self.number += 1
        to = self.folder / f"receipt-{self.number}"
        name = f"C1/{org.json('/v1/status')['exhibits']}"
        self.issued[to] = (org, org.json("/v1/show/" + name)["leaf"])
        until(lambda: call([CUSTODY, "receipt", name, "-o", to, *Desk(self.folder, org).how], code=None).code == 0, f"a receipt of {name}")
        return to

    def judge(self, *receipts):
        """Good by every member's trust file, which has an epoch for each; and torchwood finds them so by the issuer's policy of that epoch."""
        for receipt in receipts:
            for org in self.orgs:
                verified(receipt, org.trust)
            issuer, leaf = self.issued[receipt]
            if TORCHWOOD.exists():
                policy = self.folder / "policy"
                policy.write_text(policy_of(issuer.trust.read_text(), int(receipt.read_text(errors="replace").split("\n\n")[1].split("\n")[1])))
                call([TORCHWOOD, policy, leaf, receipt])

    def end(self, of=None):
        """All that was acknowledged is there once, on each; then each is stopped and looked at."""
        of = of or self.orgs
        self.load.end()
        assert not self.load.wrong, self.load.wrong
        self.net.rest(of)
        everything = [exhibits(org) for org in of]
        assert all(e == everything[0] for e in everything[1:])
        assert set(self.load.acknowledged) <= set(everything[0]), "something that was acknowledged is not there"
        for org in of:
            org.stop()
        led = {follow(self.folder, org) for org in of}
        assert len(led) == 1, led
        ok(f"each hands out a chain of {led.pop()[1]} changes, which leads from the network id to its own trust file, by the same words")
        ok(f"{len(self.load)} records were acknowledged meanwhile, each is there once, and the logs are the same: {same(of)}")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.load:
            self.load.ending = True
        self.net.__exit__(*what)


def comet(org, what):
    """What its CometBFT says of itself; {}: nothing."""
    said = subprocess.run(["curl", "-s", "--unix-socket", org.root / "chain/rpc.sock", "http://x/" + what], capture_output=True, text=True, check=False).stdout
    return json.loads(said)["result"] if said.startswith("{") else {}


def validators(org):
    """Whose votes count, as CometBFT has it: {address: power}"""
    return {v["address"]: int(v["voting_power"]) for v in comet(org, "validators?per_page=100").get("validators", [])}


def policy_of(trust, size):
    """The tlog-policy of the epoch that has this size, of its log keys the first: the issuer's own."""
    for epoch in trust.split("\nepoch ")[1:]:
        head, _, lines = epoch.partition("\n")
        first, last = head.split()
        if int(first) <= size and (last == "-" or size <= int(last)):
            logs = [line for line in lines.split("\n") if line.startswith("log ")]
            return "\n".join(line for line in lines.split("\n") if line not in logs[1:]) + "\n"
    raise AssertionError(f"no epoch has {size}: {trust}")


def epochs(trust):
    """[(first and last size, its lines, whose order is each node's own)]"""
    return [(lines[0], set(lines[1:])) for lines in (epoch.strip().split("\n") for epoch in trust.split("\nepoch ")[1:])]


def follow(folder, org):
    """Who knows the network id alone comes to what the node trusts, by the chain that it hands out. A node believes its own log key before it is an organisation's, too."""
    row = call([CUSTODY, "trust", "chain", "-o", folder / "chain", "--json", "--ledger", org.root]).row
    call([CUSTODY, "trust", "follow", folder / "chain", "--network", row["network"], "-o", folder / "followed"])
    own, followed = epochs(org.trust.read_text()), epochs((folder / "followed").read_text())
    assert [e[0] for e in own] == [e[0] for e in followed] and len(own) == row["changes"] + 1, (own, followed)
    for (_, mine), (_, theirs) in zip(own, followed):
        assert theirs <= mine and len(mine - theirs) <= 1 and all(line.startswith("log ") for line in mine - theirs), (mine, theirs)
    return row["fingerprint"], row["changes"]


def verified(receipt, trust, code=0):
    return call([VERIFY, "--trust", trust, receipt], code=code)


def again(org, program=None, comet=COMET, options=()):
    """Stopped and started, until it shows what is cosigned: who knows it by its address believes nothing less."""
    org.stop()
    org.program = program or org.program
    org.start(*options, comet=comet)
    until(lambda: b"/cosigner/" in org.curl("/checkpoint")[2], "it shows what is cosigned")


def dials_nobody(folder):
    """CometBFT that has no peers in its settings, and takes none later: it has those that dial it. As the node's options."""
    script = folder / "dials-nobody"
    script.write_text(f"#!/bin/sh\nsed -i 's/^persistent_peers = .*/persistent_peers = \"\"/; s/^unsafe = .*/unsafe = false/' config/config.toml\nexec {COMET} \"$@\"\n")
    script.chmod(0o755)
    return {"comet": script, "options": ("--confine", "off")}


def standings(*orgs, code=0):
    """What each organisation is, as `network status` says it: by the node that is furthest."""
    rows = call([CUSTODY, "network", "status", "--json", *[org.url for org in orgs]], code=code).rows
    return {m["name"]: m["standing"] for m in max(rows, key=lambda r: r["entries"])["members"]}


def newcomer(council):
    """A fifth organisation asks to join, by the file that any member has."""
    root, port = council.folder / "net/org-5", free_ports(2)
    call([CUSTODY, "network", "request", root, "--org", "Notary", "--provider", "Registry", "--name", "Officer Zhou", "--at", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{port + 1}",
          "--network", council.orgs[0].root / "chain/network", "-o", council.folder / "notary"])
    return Org(root, port + 1, port)


def join(council):
    """It waits until it is approved, reads the chain, confirms, votes and cosigns."""
    notary, before_it = newcomer(council), len(council.orgs)
    before = council.receipt(council.orgs[0])
    pinned = council.folder / "pinned"
    pinned.write_bytes(council.orgs[0].trust.read_bytes())
    call([CUSTODY, "network", "join", notary.root, council.orgs[-1].root / "chain/network"])
    notary.start(wait=False)
    until(lambda: "waiting" in notary.said() and (notary.root / "chain/rpc.sock").exists(), "it waits")
    notary.stop(None)
    council.decide("join", council.folder / "notary", approve=2 * before_it // 3 + 1)
    until(lambda: standings(*council.orgs).get("Notary") == "newcomer", "the others know that it is to come")
    assert "; Notary, a newcomer: approved, not seen yet" in call([CUSTODY, "network", "status", council.orgs[0].url]).out
    deaf = dials_nobody(council.folder)
    notary.start(*deaf["options"], wait=False, comet=deaf["comet"])
    notary.listening()
    until(lambda: len(validators(council.orgs[0])) == before_it + 1, "it votes, too")
    until(lambda: before_it == 1 or b"/cosigner/" in notary.curl("/checkpoint")[2], "it shows what is cosigned, where that is asked for")
    until(lambda: int(comet(notary, "net_info").get("n_peers", 0)) == before_it, "who refused it before is its peer, too")
    until(lambda: [(r["role"], r["name"]) for r in council.desk(notary).run("member", "ls", "--json").rows][-2:] == [("provider", "Registry"), ("depositor", "Officer Zhou")], notary.said)
    signed = notary.sign("C1", 1, 2)  # by the two of them
    until(lambda: notary.curl("/v1/submit", "-H", "content-type: application/cbor-seq", data=signed)[2].count(b'"DUPLICATE"') == 2, notary.said)
    council.orgs.append(notary)
    council.load.more()
    return notary, before, pinned


def only_there(council, holder):
    """What the others hold is taken from them, the organisations' and the local clouds' copies alike: they bring it again."""
    council.load.end()
    council.net.rest(council.orgs)
    until(lambda: holder.status()["copies_missing"] == 0, "it has all")
    others = [org for org in council.orgs if org is not holder]
    for org in others:
        (org.root / "cloud/objects").rename(org.root / "aside")
        (org.root / "node/objects").rename(org.root / "gone")  # at once: its node writes meanwhile
    for org in others:
        rounds = org.status()["patrol_rounds"]  # the one that is under way may be past something
        until(lambda o=org, n=rounds + 2: o.status()["patrol_rounds"] >= n and o.status()["copies_missing"] == 0, org.said, 120)
        assert org.status()["patrol_found"] > 8
        assert org.get("/v1/content/C1/1") == holder.get("/v1/content/C1/1")
    for org in others:
        shutil.copytree(org.root / "aside", org.root / "cloud/objects", dirs_exist_ok=True)
        shutil.rmtree(org.root / "aside")


def a_fifth_joins(folder):
    with Council(folder) as council:
        council.begin()
        notary, before, pinned = join(council)
        own = notary.json("/v1/status")
        ok(f"a fifth organisation joined while the others recorded, and dialled it without being started anew: it read {own['entries']} entries, confirmed, and votes")
        until(lambda: standings(*council.orgs)["Notary"] == "member", "it is one of them")
        party = max(int(line.split()[1].split("-")[1]) for line in notary.trust.read_text().split("\n") if line.startswith("witness organisation-"))
        mark = f"/cosigner/{party} ".encode()
        until(lambda: any(mark in org.curl("/v1/cosignatures")[2] for org in council.orgs[:4]), "the others have its cosignature")
        until(lambda: all(org.trust.read_text().count("epoch ") == 2 for org in council.orgs), "each has the next epoch")
        council.load.more()
        council.orgs[3].kill()
        council.load.more()
        council.orgs[3].start()
        ok("it cosigns, and with one of the four others away the chain goes on by its vote")
        until(lambda: notary.log.read_text(errors="replace").count('"method":"POST","route":"/v1/cosignatures"') > 8, "cosignatures are pushed to it")
        only_there(council, notary)
        ok("the others push their cosignatures to it, and what all four of them lost they have again from it: none was started anew")
        after = [council.receipt(org) for org in (council.orgs[0], notary)]
        council.judge(before, *after)
        verified(before, pinned)
        ok("receipts from before and after are good by the trust file of any of the five, and torchwood agrees; who pinned the old one believes those from before")
        council.end()


def one_leaves(folder):
    with Council(folder) as council:
        council.begin(3)  # nothing of whom leaves is on its way
        audit, before = council.orgs[3], council.receipt(council.orgs[0])
        pinned = council.folder / "pinned"
        pinned.write_bytes(council.orgs[0].trust.read_bytes())
        council.decide("leave", "Audit Office", "--cosigners", "3", "--copies", "3")
        until(lambda: len(validators(council.orgs[0])) == 3, "three vote")
        until(lambda: "has left the network" in audit.log.read_text(errors="replace"), "it says that it is no member any more")
        until(lambda: audit.status().get("left_height", 0) > 0 and not audit.status()["member"], "its status says so, too")
        table = call([CUSTODY, "network", "status", *[org.url for org in council.orgs]]).out
        assert f"is no longer a member: it left, or was removed, at height {audit.status()['left_height']}\n" in table, table
        assert f"; Audit Office, left at height {audit.status()['left_height']}\n" in table and "organisations: District Police, member; " in table, table
        assert council.orgs[0].status()["member"] and standings(*council.orgs)["Audit Office"] == "left"
        council.net.orgs.remove(audit)
        council.load.more()
        until(lambda: audit.checkpoint()[0] and int(audit.checkpoint()[0]) > 0 and audit.json("/v1/status")["exhibits"] >= len(council.load) - 8, "it reads on")
        refused = Desk(council.folder, audit, "organisation").run("case", "open", "C9", code=None)
        assert refused.code != 0 and "revoked" in refused.err, refused
        audit.stop()
        there = audit.log.stat().st_size
        audit.start()  # as what it is now
        council.load.more()
        until(lambda: audit.json("/v1/status")["exhibits"] >= len(council.load) - 8, "it reads on after a start")
        assert not spoken_to(audit, there), "the others, who were not started anew, ask it nothing more"
        ok("one left while the others recorded: three vote, and its node reads on and says what it is")
        after = council.receipt(council.orgs[1])
        council.judge(before, after)
        verified(before, pinned)
        ok("receipts from before and after are good by the trust file of those who are left and of who left, and those from before by the old one")
        audit.stop()
        council.end()


def spoken_to(org, since):
    """How often its peers pushed cosignatures to it, and asked it for theirs, since its log had that size."""
    return org.log.read_bytes()[since:].count(b'"route":"/v1/cosignatures"')


def one_moves(folder):
    with Council(folder) as council:
        council.begin()
        court = council.orgs[2]
        until(lambda: spoken_to(court, 0) > 8, "its peers ask it")
        port = free_ports(1)
        call([CUSTODY, "network", "rotate", "log", "--http", f"127.0.0.1:{port}", "--ledger", court.root, "-o", council.folder / "moves"])
        again(court)
        council.decide("keys", council.folder / "moves")
        until(lambda: all(f"127.0.0.1:{port}".encode() in (org.root / "chain/network").read_bytes() for org in council.orgs), "each knows where it is")
        court.stop()
        since, court.port, court.url = court.log.stat().st_size, port, f"http://127.0.0.1:{port}"
        court.start()
        council.load.more()
        until(lambda: spoken_to(court, since) > 8, "its peers ask it there")
        only_there(council, court)
        ok("one moved: cosignatures are pushed to its new address, and what the others lost they have again from there: none of them was started anew")
        council.end()


def a_second_joins(folder):
    with Council(folder, 1) as council:
        council.begin(1)
        notary = join(council)[0]
        until(lambda: standings(*council.orgs)["Notary"] == "member", "it is one of them")
        only_there(council, notary)
        ok("to one organisation alone came a second: what the first lost it has again from there, and was not started anew")
        council.end()


def keys_are_changed(folder):
    with Council(folder) as council:
        council.begin()
        police, court = council.orgs[0], council.orgs[2]
        before, old = council.receipt(court), validators(police)
        for key in ("validator", "node", "cosign", "log", "organisation"):
            call([CUSTODY, "network", "rotate", key, "--ledger", court.root, "-o", council.folder / key])
            if key == "validator":  # as if the machine had stopped before it was made to its end
                for votes in (court.root / "node/cosigner").glob("votes-*"):
                    votes.unlink()
                again(court)
                assert "not made to its end" in court.log.read_text(errors="replace"), court.said()
                made = (court.root / "keys/validator-next.pem").read_bytes()
                call([CUSTODY, "network", "rotate", key, "--ledger", court.root, "-o", council.folder / key])
                assert (court.root / "keys/validator-next.pem").read_bytes() == made, "the same key"
            again(court)
            process, engine = court.process.pid, court.engine()
            council.decide("keys", council.folder / key)
            council.load.more()
            if key == "validator":
                until(lambda: set(validators(police)) != set(old) and len(validators(police)) == 4, "another validator")
            if key == "node":
                until(lambda: court.engine() not in (0, engine), "its engine was started anew")
                again(court, **dials_nobody(council.folder))  # so the others dial it, by its new key, and were not started anew
                process = court.process.pid
            assert court.process.poll() is None and court.process.pid == process
            council.orgs[3].kill()  # three of four: what it votes and cosigns is needed
            council.load.more(seconds=90)
            tip = int(court.checkpoint()[0])
            until(lambda: int(police.json("/v1/status")["quorum"]) >= tip, "a quorum with its cosignature")
            council.orgs[3].start()
            until(lambda: b"/cosigner/" in council.orgs[3].curl("/checkpoint")[2], "it is back")
            ok(f"the {key} key of one was changed while all recorded: its node did not stop, and it is counted")
        again(court)
        council.load.more()
        assert not list((court.root / "keys").glob("*-next.pem")), "they have their names"
        council.judge(before, council.receipt(court), council.receipt(police))
        ok("receipts from before and after are good by the trust file of any")
        council.end()


def rules_are_upgraded(folder):
    with Council(folder) as council:
        council.begin()
        police, last = council.orgs[0], council.orgs[3]
        for org in council.orgs[:3]:
            again(org, NEXT)
            council.load.more()
        height = police.json("/v1/status")["height"] + 60
        council.decide("policy", "--rules", "2", "--height", str(height))
        corrected = Desk(council.folder, police).run("correct", "C1/1", "--text", "before", code=None)
        assert corrected.code == 0, corrected
        code = last.process.wait(120)
        said = last.said()
        assert code != 0 and "rules 2" in said and "Install a version" in said, (code, said)
        until(lambda: police.json("/v1/status")["height"] >= height, "the height passed")
        council.load.more(seconds=90)
        refused = Desk(council.folder, police).run("correct", "C1/2", "--text", "after", code=None)
        assert refused.code != 0 and "second rules" in refused.err, refused
        ok(f"three of four were upgraded one by one under load, and rules 2 are in force from height {height}; the one left behind stopped and says what to do")
        last.program = NEXT
        last.start()
        council.load.more()
        ok("upgraded, it goes on where it stopped")
        council.end()


def main():
    tests = {"join": a_fifth_joins, "second": a_second_joins, "leave": one_leaves, "move": one_moves, "keys": keys_are_changed, "rules": rules_are_upgraded}
    for name in sys.argv[1:] or tests:
        with tempfile.TemporaryDirectory() as scratch:
            tests[name](scratch)


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - the network # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    random.seed()
    main()
