"""A ledger's node and its provider, both over TLS, each with its certificate."""
import contextlib
import shutil
import socket

from custody_test import Ledger
from node_test import Node
from provider_world import Provider


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def made(folder):
    """A ledger with its CA, a provider's folder with its certificates, and the depositor's."""
    ledger = Ledger.new(folder / "L", "C1")
    Provider.make(folder / "P", ledger)
    ledger.run("ca", "init")
    tls = ledger.root / "tls"
    mine = folder / "P/tls"
    mine.mkdir()
    ledger.run("ca", "issue", "Cloud", "--host", "127.0.0.1 localhost")
    ledger.run("ca", "issue", "Cloud", "--key", folder / "P/keys/provider.pem")
    shutil.move(tls / "server-Cloud.pem", mine / "server.pem")
    [own] = tls.glob("provider-*.pem")
    shutil.move(own, mine / "provider.pem")
    shutil.copy(tls / "ca.pem", mine)
    return ledger


@contextlib.contextmanager
def world(folder, ledger):
    tls, mine, port = ledger.root / "tls", folder / "P/tls", free_port()
    with Node(ledger, "--tls", "--provider", f"https://127.0.0.1:{port}", "--cacert", tls / "ca.pem", "--cert", tls / "organisation.pem",
              client=("--cacert", tls / "ca.pem", "--cert", tls / "depositor.pem")) as node:
        with Provider(folder / "P", node, "--tls", "--listen", f"127.0.0.1:{port}", "--cacert", mine / "ca.pem", "--cert", mine / "provider.pem", client=node.client) as provider:
            yield node, provider
