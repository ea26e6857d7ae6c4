#!/usr/bin/env python3
"""Row `node`: the same signed records in process and over mTLS; one record until its receipt; what a thousand idle connections cost."""
import os
import re
import shutil
import socket
import ssl

from measure import BUILD, RUNS, fresh, machine, run
from served import Ledger

RECORDS = int(os.environ.get("BENCH_RECORDS", "40000"))
SINGLE, SILENCE_MS = 300, 20
CONNECTIONS = 990  # the node takes 1,000
PROGRAM = BUILD / "release/bin/bench_node"


def figure(said: str, name: str) -> float:
    return float(re.search(re.escape(name) + r"\s+([\d.]+)", said)[1])


def wire(node, ledger) -> list:
    return [node.url.rsplit(":", 1)[1], ledger.root / "tls/ca.pem", ledger.root / "tls/depositor.pem"]


def both(ledger, records) -> tuple[float, float, str]:
    """One ledger takes them in process, a copy of it over TLS."""
    copy = ledger.root.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ledger.root, copy)
    os.sync()
    inside = run([PROGRAM, "recorded", copy, records])[2]
    shutil.rmtree(copy)
    shutil.copytree(ledger.root, copy)
    os.sync()
    with ledger.node(root=copy) as node:
        outside = run([PROGRAM, "submit", *wire(node, ledger), records])[2]
        outside += f"  {'    of it the node`s, attested and indexed behind it':<56} {node.cpu() / RECORDS * 1e6:12.0f}  µs\n".replace("`", "'")
    shutil.rmtree(copy)
    return figure(inside, "durable, answered"), figure(outside, "durable, answered"), inside + outside


def rates(ledger, records) -> None:
    results = sorted((both(ledger, records) for _ in range(RUNS)), key=lambda r: r[1] / r[0])
    print(results[len(results) // 2][2], end="")
    print(f"  {'    share of the rate in process, each run':<56} {', '.join(f'{100 * o / i:.0f} %' for i, o, _ in results):>12}", flush=True)


def idle(ledger, tls: bool) -> None:
    ledger.tls = tls
    with ledger.node() as node:
        port, context = int(node.url.rsplit(":", 1)[1]), None
        if tls:
            context = ssl.create_default_context(cafile=ledger.root / "tls/ca.pem")
            context.load_cert_chain(ledger.root / "tls/depositor.pem")
        held = []
        before = None
        for i in range(CONNECTIONS + 8):
            s = socket.create_connection(("127.0.0.1", port))
            s = context.wrap_socket(s, server_hostname="127.0.0.1") if tls else s
            s.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % port)
            assert s.recv(1 << 16).startswith(b"HTTP/1.1 200")
            held.append(s)
            if i == 7:
                before = node.resident(most=False)  # what the first ones needed is there
        now = node.resident(most=False)
        name = "over TLS, a member each" if tls else "plain"
        print(f"  {f'{CONNECTIONS} idle connections, {name}':<56} {now - before:12.1f}  MiB, of {now:.1f} resident in all: {(now - before) * 1024 / CONNECTIONS:.1f} KiB each", flush=True)
        for s in held:
            s.close()


def main() -> None:
    folder = fresh("node")
    ledger = Ledger(folder, True)
    records = folder / "records"
    run([PROGRAM, "sign", ledger.root, RECORDS, records])
    print(f"\n{RECORDS} deposits, the same in process and over mTLS on the loopback, six at a time")
    rates(ledger, records)
    print(f"\none deposit, {SILENCE_MS} ms after the one before, one connection")
    for _ in range(RUNS):
        copy = ledger.root.with_name("copy")
        shutil.copytree(ledger.root, copy)
        with ledger.node(root=copy) as node:
            print(run([PROGRAM, "single", *wire(node, ledger), records, SINGLE, SILENCE_MS], cwd=folder)[2], end="", flush=True)
        shutil.rmtree(copy)
    print("\nidle connections, each of which has asked once")
    for tls in (False, True):
        idle(ledger, tls)
    print(f"  {machine()}, {RUNS} runs")
    fresh("node")


main()
