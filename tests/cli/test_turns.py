#!/usr/bin/env python3
"""Several addresses as ledger: who cannot answer is passed over, and said once; who is behind is no alarm, and who forks is. Here the second node is a copy
of the first one's folder; four that are one ledger are in tests/cluster/test_turns.py."""
import contextlib
import types

from custody_test import Ledger, Silent, custody, fill, listening, main, noise, test
from node_test import Node
from provider_world import Provider, claimed

DEAD = "http://127.0.0.1:1"  # nobody listens there


@contextlib.contextmanager
def busy(status):
    """A server that says that, whatever it is asked."""

    class Handler(Silent):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"code":"BUSY","detail":"it catches up"}')

    with listening(Handler) as address:
        yield address


@contextlib.contextmanager
def node(ledger):
    with Node(ledger) as running:
        yield running.url


class Reader:
    """Somebody who has the trust file and the addresses alone."""

    def __init__(self, folder, ledger, urls):
        self.folder, self.urls, self.trust = folder, urls, ledger.trust
        folder.mkdir()

    def run(self, *args, pin=True, urls=None, **how):
        return custody("--ledger", urls or self.urls, "--state", self.folder / "state", *(["--pin-trust", self.trust] if pin else []), *args, cwd=self.folder, **how)


@test
def who_cannot_answer_is_passed_over_and_named_once(folder):
    ledger = Ledger.new(folder / "L", "C1")
    ledger.deposit("--case", "C1", fill(folder / "film", noise(3_000_001)), fill(folder / "note", b"red"))
    with node(ledger) as url, busy(503) as full, busy(502) as proxy:
        urls = ",".join((DEAD, full, proxy + "/", url, DEAD))
        reader = Reader(folder / "reader", ledger, urls)
        first = reader.run("ls", "--json")
        assert first.rows == ledger.run("ls", "--json").rows and first.err == "", first
        told = reader.run("ls", pin=False)
        lines = told.err.strip().split("\n")
        assert len(lines) == 3 and all(line.startswith(who) for line, who in zip(lines, (f"{DEAD} cannot be reached (", f"{full} cannot answer now (it catches up)", proxy))), told
        assert lines[0].endswith(f": asking {full}") and lines[2].endswith(f": asking {url}"), told
        assert reader.run("--quiet", "ls").err == ""
        reader.run("get", "C1/1", "-o", "copy", "--reason", "hearing")
        assert (reader.folder / "copy").read_bytes() == (folder / "film").read_bytes()
        custody("ls", cwd=folder, env={"CUSTODY_LEDGER": f"{DEAD},{url}", "CUSTODY_STATE": str(folder / "reader/state")})
        fill(folder / "settings", f'ledger = "{DEAD},{url}"\nstate = "{folder}/reader/state"\n'.encode())
        custody("ls", "--config", folder / "settings", cwd=folder)
        opened = reader.run("case", "open", "C2", "--key", ledger.root / "keys/depositor.pem")
        assert "opened case C2" in opened.out and opened.err.count("cannot be reached") == 1, opened
        reader.run("trust", "chain", "-o", folder / "chain")
        assert reader.run("status", "--json").row["ledger"] == urls
    gone = reader.run("ls", code=1)
    assert "and no other node answers" in gone.error, gone


@test
def certificates_are_asked_for_and_shown_at_every_address(folder):
    ledger, stranger = Ledger.new(folder / "L", "C1"), Ledger.new(folder / "stranger/L")
    ledger.run("ca", "init")
    stranger.run("ca", "init")
    ours = ["--cacert", ledger.root / "tls/ca.pem", "--cert", ledger.root / "tls/depositor.pem"]
    with Node(ledger, "--tls") as one, Node(ledger.copy(folder / "M"), "--tls") as two, Node(stranger, "--tls") as other:
        reader = Reader(folder / "reader", ledger, f"{other.url},{DEAD},{one.url},{two.url}")
        answer = reader.run("ls", *ours)
        assert answer.err.startswith(f"{other.url} cannot be reached (SSL certificate problem"), answer
        assert answer.err.splitlines()[1].endswith(f": asking {one.url}"), answer
        one.process.kill()
        assert reader.run("ls", *ours).out == answer.out
        assert "certificate" in reader.run("ls", *ours[:2], code=12).error


@test
def an_address_that_is_none_is_named(folder):
    ledger = Ledger.new(folder / "L")
    with node(ledger) as url:
        for urls, named in ((f"{url},localhost:8714", "localhost:8714: "), (f"{url},", "(nothing): "), (f",{url}", "(nothing): "), (f"{url},,{url}", "(nothing): "),
                            (f"{url}, {url}", f" {url}: "), (f"{url},http://me@b", "http://me@b: ")):
            refused = custody("ls", "--ledger", urls, "--state", folder / "state", "--pin-trust", ledger.trust, code=1)
            assert named in refused.error and not (folder / "state/a").exists(), (urls, refused)


@test
def what_is_known_of_a_ledger_is_found_by_any_of_its_addresses(folder):
    ledger = Ledger.new(folder / "L", "C1")
    with node(ledger) as url, node(ledger.copy(folder / "M")) as other:
        state = ["--state", folder / "state"]
        custody("ls", "--ledger", other, *state, "--pin-trust", ledger.trust)
        for urls in (other, f"{url},{other}", f"{other},{url}", f"{DEAD},{url},{other}"):
            custody("ls", "--ledger", urls, *state)
        assert len(list((folder / "state").iterdir())) == 1
        assert "nothing is pinned" in custody("ls", "--ledger", url, *state, code=4).error
        custody("ls", "--ledger", f"{url},{DEAD}", *state, "--pin-trust", ledger.trust)
        assert len(list((folder / "state").iterdir())) == 2


@test
def doctor_judges_each_address(folder):
    ledger = Ledger.new(folder / "L")
    with node(ledger) as url:
        seen = custody("doctor", "--json", "--ledger", f"{url},{DEAD},nonsense", code=1).row
        reached = [(row["ok"], row["text"]) for row in seen if row["item"] == "reach"]
        assert [ok for ok, _ in reached] == [True, False, False] and DEAD in reached[1][1] and "nonsense: an address is" in reached[2][1], reached


@test
def a_provider_hands_what_it_accepted_to_whichever_node_is_there(folder):
    ledger = Ledger.new(folder / "L", "C1")
    Provider.make(folder / "P", ledger)
    with node(ledger) as url:
        with Provider(folder / "P", types.SimpleNamespace(url=f"{DEAD},{url}", ledger=ledger)) as provider:
            film = fill(folder / "film", noise(100_000))
            claim = provider.claim(claimed(ledger, film))
            provider.patch(claim, film.read_bytes(), 0)
            assert provider.recorded(claim)["state"] == "recorded"
            assert f"{DEAD} cannot be reached" in provider.log.read_text()


@test
def a_node_that_is_behind_is_passed_over_and_one_that_forks_is_found(folder):
    ledger = Ledger.new(folder / "L", "C1")
    ledger.deposit("--case", "C1", fill(folder / "one", b"one"))
    older, oldest = ledger.copy(folder / "older"), ledger.copy(folder / "oldest")
    ledger.deposit("--case", "C1", fill(folder / "two", b"two"))
    ledger.deposit("--case", "C1", fill(folder / "three", b"three"))
    with node(ledger) as url:
        with node(older) as late:
            reader = Reader(folder / "reader", ledger, f"{late},{url}")
            assert len(reader.run("ls", "--json").rows) == 1, "nothing was seen before"
            reader.run("ls", urls=f"{url},{late}")
            behind = reader.run("ls")
            assert behind.err.startswith(f"{late} cannot answer now (it shows 11 entries, and 19 were seen before): asking {url}\n"), behind
            assert reader.run("ls", "--json").rows == ledger.run("ls", "--json").rows
            rolled = reader.run("ls", urls=late, code=2)
            assert "rolled back" in rolled.error and "each that was asked is behind" in rolled.error, rolled
            with node(oldest) as later:
                assert "rolled back" in reader.run("ls", urls=f"{later},{reader.urls.split(',')[0]}", code=2).error
        older.deposit("--case", "C1", fill(folder / "other", b"other"))
        both = f"{url},{reader.urls}"
        with node(older) as late:
            forked = reader.run("ls", urls=f"{late},{both}", code=2)
            assert "one node shows another log than the others" in forked.error and "fork-proof" in forked.error, forked
            [other] = (folder / "reader/state").glob("*/node/state/other")
            assert other.read_text().split("\n")[1] == "15", other.read_text()
        for n in range(4):
            older.deposit("--case", "C1", fill(folder / f"more{n}", b"more%d" % n))
        with node(older) as late:
            assert "another log than before" in reader.run("ls", urls=f"{late},{both}", code=2).error
        assert reader.run("ls", "--json", urls=both).rows == ledger.run("ls", "--json").rows


main()
