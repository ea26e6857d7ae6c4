#!/usr/bin/env python3
"""A ledger read by its node's address: the same words as from its folder, and nothing of what a lying node says."""
import contextlib
import pathlib
import subprocess
import urllib.error
import urllib.request

from custody_test import CUSTODY, ENVIRONMENT, SANITIZED, Ledger, Silent, custody, fill, listening, main, noise, test


@contextlib.contextmanager
def node(ledger, port=0):
    """Its address, while the block lasts."""
    with open(ledger.root.parent / "node.log", "ab") as log:
        process = subprocess.Popen([CUSTODY, "node", "--ledger", ledger.root, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=log, env=ENVIRONMENT)
    try:
        line = process.stdout.readline().decode().split()
        assert line[:1] == ["listening"], (ledger.root.parent / "node.log").read_text()
        yield line[1]
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
    assert process.returncode == 0


@contextlib.contextmanager
def liar(url, about):
    """The node behind a server that flips one bit in the middle (of a record: at the end) of what it answers to paths that begin with `about`."""

    class Handler(Silent):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked = urllib.request.Request(url + self.path, headers={k: v for k, v in self.headers.items() if k.lower() == "range"})
            try:
                with urllib.request.urlopen(asked) as answer:
                    status, body = answer.status, bytearray(answer.read())
            except urllib.error.HTTPError as problem:
                status, body = problem.code, bytearray(problem.read())
            if self.path.startswith(about):
                body[-1 if "record" in about else len(body) // 2] ^= 1
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with listening(Handler) as address:
        yield address


class Reader:
    """Somebody who has the trust file and the address alone."""

    def __init__(self, folder, ledger, url):
        self.folder, self.url = pathlib.Path(folder), url
        self.folder.mkdir()
        self.options = ["--ledger", url, "--state", self.folder / "state"]
        self.trust = ledger.trust

    def run(self, *args, pin=True, **how):
        return custody(*self.options, *(["--pin-trust", self.trust] if pin else []), *args, cwd=self.folder, **how)


def with_exhibits(folder):
    ledger = Ledger.new(folder / "L", "C1")
    fill(folder / "album/one.raw", noise(1_500_000, 2))
    fill(folder / "album/two.txt", b"two\n")
    for n in range(1 if SANITIZED else 300):
        fill(folder / f"album/many/{n:040}", b"%d" % n)
    ledger.deposit("--case", "C1", "--exhibit", "AP/1", "--note", "red", fill(folder / "long", noise(3_333_333)), fill(folder / "middle", noise(77_777)),
                   fill(folder / "short", b"short\n"), fill(folder / "empty", b""), folder / "album")
    return ledger


@test
def what_is_read_by_the_address_is_what_is_read_from_the_folder(folder):
    ledger = with_exhibits(folder)
    with node(ledger) as url:
        reader = Reader(folder / "reader", ledger, url)
        assert "nothing is pinned" in reader.run("ls", pin=False, code=4).error
        reader.run("ls")
        for verb in (["ls"], ["ls", "--case", "C1"], ["ls", "--case", "C7"], ["show", "C1/1"], ["show", "AP/1"], ["show", "C1/5"], ["show", "C9/9"], ["trail"], ["trail", "C1/2"],
                     ["check", "--only", "log"]):
            for form in ([], ["--json"]):
                far, near = reader.run(*verb, *form, pin=False, code=None), ledger.run(*verb, *form, code=None)
                assert (far.code, far.raw, far.err) == (near.code, near.raw, near.err), f"{near}\n---- and by its address\n{far}"
        for number in range(1, 6):
            name = f"C1/{number}"
            reader.run("receipt", name, "-o", f"r{number}")
            reader.run("get", name, "-o", f"e{number}", "--reason", "hearing", "--authority", "Judge Wu & Co")
            ledger.run("verify", reader.folder / f"r{number}", reader.folder / f"e{number}")
        for was, number in (("long", 1), ("middle", 2), ("short", 3), ("empty", 4)):
            assert (folder / was).read_bytes() == (reader.folder / f"e{number}").read_bytes()
        assert subprocess.run(["diff", "-r", folder / "album", reader.folder / "e5"], check=False).returncode == 0
        part = reader.run("get", "C1/1", "--range", "1048570-2097160", "-o", "-").raw
        assert part == (folder / "long").read_bytes()[1048570:2097161]
        for verb in (["check"], ["check", "--only", "objects"], ["ca", "init"], ["ca", "issue", "Court"], ["witness", "key"], ["reindex"], ["backup"]):
            assert "address" in reader.run(*verb, code=1).error
        for verb in (["case", "open", "C2"], ["correct", "C1/1", "--text", "no"], ["void", "1", "--reason", "no"], ["export", "C1", "-o", "x", "--to", "Court", "--reason", "p"]):
            assert "say who signs" in reader.run(*verb, code=12).error
        assert "give --provider" in reader.run("deposit", folder / "short", "--key", ledger.root / "keys/depositor.pem", code=1).error
    assert "hearing" in ledger.run("trail", "C1/1", "--json").out or "read" in ledger.run("trail", "C1/1").out
    assert "can be reached" in reader.run("ls", code=1).error


@test
def a_node_that_lies_is_believed_in_nothing(folder):
    ledger = with_exhibits(folder)
    with node(ledger) as url:
        for number, (about, verb) in enumerate((("/checkpoint", ["ls"]), ("/tile/0/", ["ls"]), ("/tile/entries/", ["ls"]), ("/v1/record/", ["ls"]), ("/tile/entries/", ["check", "--only", "log"]),
                                                ("/tile/0/", ["check", "--only", "log"]), ("/v1/content/", ["get", "C1/1", "-o", "e"]), ("/v1/content/", ["get", "C1/3", "-o", "e"]),
                                                ("/v1/chunks/", ["get", "C1/1", "-o", "e"]), ("/v1/content/", ["get", "C1/1", "--range", "3000000-3000001", "-o", "e"]))):
            with liar(url, about) as told:
                reader = Reader(folder / f"reader{number}", ledger, told)
                answer = reader.run(*verb, code=None)
                assert answer.code in (1, 2, 4), f"{about} was believed: {answer}"
                assert verb[0] == "check" or not answer.raw, answer
                assert not (reader.folder / "e").exists()


@test
def a_log_that_was_rolled_back_or_is_another_is_noticed(folder):
    ledger = Ledger.new(folder / "L", "C1")
    ledger.deposit("--case", "C1", fill(folder / "one", b"one"))
    older = ledger.copy(folder / "older")
    ledger.deposit("--case", "C1", fill(folder / "two", b"two"))
    with node(ledger) as url:
        reader = Reader(folder / "reader", ledger, url)
        before = reader.run("ls").raw
    port = int(url.rsplit(":", 1)[1])
    with node(older, port):
        assert "rolled back" in reader.run("ls", code=2).error
    older.deposit("--case", "C1", fill(folder / "other", b"other"))
    with node(older, port):
        assert "another log than before" in reader.run("ls", code=2).error
    stranger = Ledger.new(folder / "stranger")
    with node(stranger, port):
        assert reader.run("ls", code=None).code in (2, 4)
        reader.trust = stranger.trust
        assert "was another ledger until now" in reader.run("ls", code=4).error
    with node(ledger, port):
        assert reader.run("ls", pin=False).raw == before


if __name__ == "__main__":
    main()
