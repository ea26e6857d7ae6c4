"""Ledgers whose node and provider are processes of their own, for the rows that go over a network; with certificates or without."""
import os
import subprocess
from pathlib import Path

from measure import CUSTODY, run


class Process:
    """Something that listens. It is ended, and its log shown, by whoever made it."""

    def __init__(self, log: Path, *command, env=None):
        with open(log, "wb") as to:
            self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=to, env={**os.environ, **(env or {})})  # pylint: disable=consider-using-with
        line = self.process.stdout.readline().decode()
        if not line.startswith("listening"):
            raise SystemExit(f"bench: it does not listen: {line!r} {log.read_text(errors='replace')[-2000:]}")
        self.url = line.split()[1]

    def resident(self, most: bool = True) -> float:
        """MiB, the most so far or now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:" if most else "VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu(self) -> float:
        """Seconds of processors so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(120)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Ledger:
    """A new ledger below `folder`, with a case BENCH and certificates for all parties."""

    def __init__(self, folder: Path, tls: bool):
        self.folder, self.root, self.tls = folder, folder / "L", tls
        run([CUSTODY, "init", self.root])
        run([CUSTODY, "case", "open", "BENCH", "--ledger", self.root])
        if tls:
            run([CUSTODY, "ca", "init", "--host", "127.0.0.1 localhost", "--ledger", self.root])

    def serving(self) -> list:
        """How a server of it speaks TLS."""
        tls = self.root / "tls"
        return ["--tls-cert", tls / "server.pem", "--tls-ca", tls / "ca.pem", "--rate", "0"] if self.tls else []

    def asking(self, who: str) -> list:
        """How who asks such a server says who he is."""
        tls = self.root / "tls"
        return ["--cacert", tls / "ca.pem", "--cert", tls / f"{who}.pem"] if self.tls else []

    def node(self, *options, listen="127.0.0.1:0", root=None) -> Process:
        """Of it, or of a copy of it."""
        return Process(self.folder / "node.log", CUSTODY, "node", "--ledger", root or self.root, "--listen", listen, *self.serving(), *options)

    def enrol_provider(self, *options, env=None) -> None:
        run([CUSTODY, "provider", "init", self.folder / "P", "--name", "Cloud", "--pin-trust", self.root / "trust/ledger.trust", *options], env={**os.environ, **(env or {})})
        run([CUSTODY, "member", "approve", self.folder / "P/enrol.request", "--ledger", self.root])

    def provider(self, node_url: str, listen: str, env=None) -> Process:
        return Process(self.folder / "provider.log", CUSTODY, "provider", "--dir", self.folder / "P", "--ledger", node_url, "--listen", listen, *self.serving(),
                       *self.asking("provider"), env=env)
