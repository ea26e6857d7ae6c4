"""Somebody who works with a ledger by its node's address, for the tests that do."""
import re
import subprocess

from custody_test import CUSTODY, ENVIRONMENT, Ledger, custody


class Officer:
    """Somebody with a key of his own, who has the ledger's trust file and its address alone."""

    def __init__(self, folder, url, key, *more):
        self.folder, self.url, self.more = folder, url, list(more)  # `more`: for deposits alone
        self.options = ["--ledger", url, "--state", folder / "state", "--key", key]

    def run(self, *args, **how):
        return custody(*self.options, *args, **how)

    def deposit(self, *args, **how):
        return self.run("deposit", *self.more, *args, **how)

    def start(self, *args):
        """The same, and it is not waited for."""
        return subprocess.Popen([CUSTODY, *map(str, self.options), "deposit", *map(str, self.more), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=ENVIRONMENT)

    def pin(self, ledger):
        self.run("--pin-trust", ledger.trust, "status")
        return self


def with_members(folder, *cases):
    """A ledger and the keys of an officer and of an administrator."""
    ledger = Ledger.new(folder / "L", *cases)
    keys = []
    for name, role in (("Officer Wu", "depositor"), ("Administrator", "administrator")):
        file = folder / name.split()[0]
        ledger.run("enrol", name, "--role", role, "--key", f"{file}.pem", "-o", f"{file}.request")
        ledger.run("member", "approve", f"{file}.request")
        keys.append(f"{file}.pem")
    return ledger, *keys


def said(answer):
    """What it said, but for what differs by chance (ids, times), and how far it was in between."""
    error = "".join(line for line in answer.err.splitlines(True) if not line.startswith('{"phase"'))
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b|\b[0-9a-f]{8}\b", "ID", answer.out + error)
    return answer.code, re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
