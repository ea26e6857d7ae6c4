"""One validator, and four: real CometBFT, the ledger as its application."""
import signal
import subprocess
import sys
import tempfile
import threading
import time

import cluster
from cluster import COMET, Network, gone, log_digest, until


def ok(text):
    print(f"ok - {text}", flush=True)


def send_all(nodes, txs):
    for i, tx in enumerate(txs):
        got = nodes[i % len(nodes)].send(tx)
        assert got["code"] == 0, got


def unmodified():
    said = subprocess.run(["go", "version", "-m", COMET], capture_output=True, text=True, check=False).stdout
    if not said:
        print("ok - the engine is as its makers published it # SKIP no go here")
        return
    assert "mod\tgithub.com/cometbft/cometbft\tv0.40.0\th1:" in said and "\t=>\t" not in said.split("mod\tgithub.com/cometbft/cometbft\t")[1].split("\n")[0]
    ok("the engine is as its makers published it: v0.40.0 with the module's own digest")


def one_validator(folder, records=1000):
    net = Network(folder, 1)
    node = net.nodes[0]
    try:
        net.start()
        net.wait_size(3)
        ok("a chain of one begins with the founding records")
        txs = net.transactions(1, records)
        send_all([node], txs[:1])
        net.wait_size(5)
        began = time.monotonic()
        send_all([node], txs[1:])
        until(lambda: node.size() >= 5 + records, f"all are recorded: {node.said()}")
        seconds = time.monotonic() - began
        net.rest()
        height, checkpoint = node.checkpoint()
        ok(f"{records} records are committed, 16 a transaction, in {seconds:.1f} s")
        got = node.call("abci_query", path="/store/log/key", data=b"checkpoint".hex(), prove=True)["response"]
        assert [op["type"] for op in got["proofOps"]["ops"]] == ["simple:v", "simple:v"]
        again = node.call("broadcast_tx_commit", tx=cluster.base64.b64encode(txs[3] + txs[4][8:]).decode())["tx_result"]
        assert again["code"] == 0 and set(cluster.base64.b64decode(again["data"])) == {64}, again
        ok("the same records once more have the status of a duplicate, and the log is as it was")
        assert node.checkpoint()[1] == checkpoint
        bad = bytearray(txs[5])
        bad[-100] ^= 1
        assert node.send(bytes(bad))["code"] != 0 and node.send(b"\x00")["code"] != 0 and node.send(b"x" * 300000)["code"] != 0
        ok("what is altered, no record, or too large is refused at the door")
        hash_before = node.app_hash()
        for who in ("the application", "the engine", "both"):
            if who == "the engine":
                node.comet.kill()
                node.comet.wait()
            else:
                node.app.kill()
                node.app.wait()
            if who == "both":
                node.comet.kill()
            if who != "the engine":
                gone(node.comet)
                (node.home / "app.sock").unlink(missing_ok=True)
                node.start_app()
            node.start_comet()
            until(lambda: node.size() >= 5 + records, f"{who} killed: it is back: {node.said()}")
            net.rest()
            assert node.checkpoint()[1] == checkpoint and node.app_hash() == hash_before, (checkpoint, node.checkpoint())
            ok(f"{who} killed and started again: the same app hash")
        more = net.transactions(records + 1, 160)
        send_all([node], more)
        node.app.kill()  # in the middle of it
        node.app.wait()
        gone(node.comet)
        (node.home / "app.sock").unlink(missing_ok=True)
        node.start()
        until(lambda: node.height() > 0, "it is back")
        for tx in more:
            try:
                node.send(tx)
            except RuntimeError:
                pass  # it is in the cache still
        until(lambda: node.size() >= 5 + records + 160, f"what was cut short is recorded: {node.said()}")
        net.rest()
        ok("killed while it records: what was sent again is recorded once")
        size = node.size()
        net.stop()
        assert log_digest(node)[0] == size, (log_digest(node), size)
        ok("the published log has every entry")
    finally:
        net.stop(signal.SIGKILL)


def four_validators(folder, records=640):
    net = Network(folder, 4)
    try:
        net.start()
        net.wait_size(3)
        txs = net.transactions(1, records, 8)
        send_all(net.nodes, txs[:1])
        net.wait_size(5)
        body = txs[1:]
        for i, tx in enumerate(body):
            net.nodes[i % 4].send(tx)
            if i % 5 == 0:
                net.nodes[(i + 1) % 4].send(tx + body[0][8:])  # mixed with duplicates
        net.wait_size(5 + records)
        net.rest()
        assert len({node.app_hash() for node in net.nodes}) == 1
        ok(f"four validators: one app hash after {records} records submitted everywhere, duplicates among them")
        net.nodes[3].stop(signal.SIGKILL)
        more = net.transactions(records + 1, 160, 8)
        send_all(net.nodes[:3], more)
        for node in net.nodes[:3]:
            until(lambda: node.size() >= 5 + records + 160, f"three go on: {node.said()}")
        ok("one is killed: the three others go on")
        (net.nodes[3].home / "app.sock").unlink(missing_ok=True)
        net.nodes[3].start()
        net.wait_size(5 + records + 160)
        net.rest()
        assert len({node.app_hash() for node in net.nodes}) == 1
        ok("it is back, and has the same app hash")
        net.stop()
        assert len({log_digest(node) for node in net.nodes}) == 1
        ok("the logs of the four are the same, byte for byte")
    finally:
        net.stop(signal.SIGKILL)


BOUNDARIES = ("before Commit", "after its sync", "after its answer")


def ended_at(tap, process, boundary):
    """The application is killed when it is next told to commit."""
    def end():
        tap.asks = tap.answers = None
        process.kill()

    def asks(name, body):
        if name == "commit":
            end()
            raise OSError
        return body

    def answers(name, body, _):
        if name == "commit" and boundary == 1:
            end()
            raise OSError
        if name == "commit":
            threading.Timer(0.002, end).start()
        return body
    if boundary == 0:
        tap.asks = asks
    else:
        tap.answers = answers


def crash_points(folder):
    """The application ended at each of its boundaries, and CometBFT, started again, at each of its own crash points: it comes to the others' app hash."""
    net = Network(folder, 4)
    try:
        net.start()
        net.wait_size(3)
        txs = iter(net.transactions(1, 400, 2))
        send_all(net.nodes, [next(txs)])
        net.wait_size(5)
        victim, sent = net.nodes[3], 5
        for boundary, what in enumerate(BOUNDARIES):
            for index in range(10):
                ended_at(victim.tap, victim.app, boundary)
                send_all(net.nodes[:3], [next(txs), next(txs)])
                victim.app.wait(20)
                gone(victim.comet)
                victim.start_app()
                sent += 4
                reached = 0
                for _ in range(3):  # one that ends with its application before it comes there is begun again
                    victim.start_comet(FAIL_TEST_INDEX=str(index))
                    send_all(net.nodes[:3], [next(txs), next(txs)])
                    sent += 4
                    victim.comet.wait(20)
                    reached = (victim.home / "log").read_text(errors="replace").count(f"*** fail-test {index} ***")
                    if reached == boundary + 1:
                        break
                assert reached == boundary + 1, (what, index, victim.said())
                victim.start_comet()
                until(lambda: victim.size() >= sent and victim.app_hash() == net.nodes[0].app_hash(), f"{what}, crash point {index}: {victim.said()}")
        net.rest(3)
        assert len({node.app_hash() for node in net.nodes}) == 1
        ok("30 × ended: the application before Commit, after its sync, after its answer, and CometBFT at each of its ten crash points after that: one app hash")
        net.stop()
        assert len({log_digest(node) for node in net.nodes}) == 1
        ok("the logs of the four are the same, byte for byte")
    finally:
        net.stop(signal.SIGKILL)


if __name__ == "__main__":
    if not COMET.exists():
        print("ok - the chain # SKIP cometbft is not installed: run tools/setup cluster")
        sys.exit(77)
    parts = sys.argv[1:] or ["unmodified", "one", "four", "crash"]
    if "unmodified" in parts:
        unmodified()
    for name, test in (("one", one_validator), ("four", four_validators), ("crash", crash_points)):
        if name in parts:
            with tempfile.TemporaryDirectory() as scratch:
                test(scratch)
