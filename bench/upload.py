#!/usr/bin/env python3
"""Row `upload`: one file of 4 GiB from a client through a provider, until its receipt is there: the provider's copy stored, read again and signed
for, the node's pulled and attested. Plain, over TLS, and with an S3 server as the provider's store."""
import hashlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import time
from pathlib import Path

from ingest import FILE_BYTES, limit, source
from measure import CUSTODY, RUNS, SOURCE, WHERE, fresh, machine, run, shell
from served import Ledger

PART_BYTES = 1 << 30  # for the S3 server: rclone takes a minute for it
GATEWAY = SOURCE / "build/tools/bin/versitygw"
WHO = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "not-a-secret-at-all"}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def deposit(path: Path, tls: bool, cloud: str = "") -> tuple[float, float, float, str]:
    """Seconds until the receipt is there; MiB of the provider and of the node at most; seconds of processors: client, provider, node."""
    ledger = Ledger(fresh("ledger"), tls)
    env = WHO if cloud else None
    ledger.enrol_provider(*(["--cloud", cloud] if cloud else []), env=env)
    scheme, port = "https" if tls else "http", free_port()
    with ledger.node("--provider", f"{scheme}://127.0.0.1:{port}", *ledger.asking("organisation")) as node, \
         ledger.provider(node.url, f"127.0.0.1:{port}", env) as provider:
        os.sync()
        before = provider.cpu(), node.cpu()
        began = time.monotonic()
        used = os.times()
        run([CUSTODY, "deposit", "--ledger", node.url, "--state", ledger.folder / "state", "--pin-trust", ledger.root / "trust/ledger.trust", "--key",
             ledger.root / "keys/depositor.pem", "--case", "BENCH", *ledger.asking("depositor"), path])
        took, now = time.monotonic() - began, os.times()
        client = now.children_user + now.children_system - used.children_user - used.children_system
        shares = f"{client:.1f} client, {provider.cpu() - before[0]:.1f} provider, {node.cpu() - before[1]:.1f} node"
        result = took, provider.resident(), node.resident(), shares
    return result


class Store:
    """An S3 server over a folder, with a bucket whose objects have versions and can be locked."""

    def __init__(self):
        self.folder, self.port = fresh("s3"), free_port()
        for name in ("data", "versions"):
            (self.folder / name).mkdir()
        env = {**os.environ, "ROOT_ACCESS_KEY": WHO["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": WHO["AWS_SECRET_ACCESS_KEY"]}
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([GATEWAY, "--port", f"127.0.0.1:{self.port}", "--health", "/health", "posix", "--versioning-dir", self.folder / "versions", self.folder / "data"],
                                            stdout=log, stderr=log, env=env)  # pylint: disable=consider-using-with
        for _ in range(200):
            try:
                c = http.client.HTTPConnection("127.0.0.1", self.port)
                c.request("GET", "/health")
                c.getresponse().read()
                break
            except OSError:
                time.sleep(0.05)
        url = f"http://127.0.0.1:{self.port}"
        run(["curl", "-sf", "-X", "PUT", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", ":".join(WHO.values()), "-H", "x-amz-bucket-object-lock-enabled: true",
             "-H", f"x-amz-content-sha256: {hashlib.sha256().hexdigest()}", f"{url}/evidence"])
        self.rclone = ["rclone", "--config", "/dev/null", "--s3-provider", "Other", "--s3-endpoint", url, "--s3-env-auth"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        fresh("s3")


def busy(n: int = 32, size: int = 4 << 20) -> float:
    """MiB of the provider for each of n uploads that are under way at once, three quarters of each sent."""
    ledger, port = Ledger(fresh("ledger"), False), free_port()
    ledger.enrol_provider()
    with ledger.node("--provider", f"http://127.0.0.1:{port}") as node, ledger.provider(node.url, f"127.0.0.1:{port}") as provider:
        under_way = []
        for i in range(n):
            file, claim = ledger.folder / "file", ledger.folder / "claim"
            file.write_bytes(os.urandom(size))
            claim.unlink(missing_ok=True)
            subprocess.run([CUSTODY, "claim", file, "--case", "BENCH", "-o", claim, "--ledger", node.url, "--state", ledger.folder / "state", "--pin-trust", ledger.root / "trust/ledger.trust",
                            "--key", ledger.root / "keys/depositor.pem"], check=True, capture_output=True)
            to = http.client.HTTPConnection("127.0.0.1", port)
            to.request("POST", "/v1/claims", claim.read_bytes(), {"Content-Type": "application/cbor"})
            said = json.loads(to.getresponse().read())
            under_way.append((to, said["upload"], file.read_bytes()))
        before = provider.resident(most=False)
        for to, where, data in under_way:
            to.putrequest("PATCH", where)
            for name, value in {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": 0, "Content-Length": size}.items():
                to.putheader(name, value)
            to.endheaders()
            to.send(data[:size // 4 * 3])
        time.sleep(2)
        grown = provider.resident(most=False) - before
        for to, _, _ in under_way:
            to.close()
    return grown / n


def rclone(path: Path) -> float:
    with Store() as store:
        os.sync()
        env = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}  # which this rclone does not know what to do with
        return run([*store.rclone, "copy", path, ":s3:evidence"], env={**env, **WHO})[0]


def through_s3(path: Path) -> tuple[float, float, float, str]:
    with Store() as store:
        return deposit(path, False, f"s3://evidence/bench?endpoint=http://127.0.0.1:{store.port}")


def copied(path: Path) -> float:
    return shell(f"cp '{path}' '{fresh('copy')}/c' && sync")[0]


def row(name: str, seconds: float, rest: str = "", size: int = FILE_BYTES) -> None:
    print(f"  {name:<52}{seconds:8.2f} s  {size / seconds / 1e9:6.2f} GB/s  {rest}", flush=True)


def median(measure, *args):
    """The run whose seconds are the median."""
    results = sorted((measure(*args) for _ in range(RUNS)), key=lambda r: r[0] if isinstance(r, tuple) else r)
    return results[len(results) // 2]


def told(result) -> str:
    return f"{result[1]:4.0f} MiB provider, {result[2]:4.0f} MiB node; processor seconds {result[3]}"


def main() -> None:
    path = source("file")
    print("\n4 GiB through a provider, the node's copy included, until the receipt is there")
    cp = median(copied, path)
    row("cp + sync, one copy", cp)
    row("limit: two copies, one read again, nothing hashed", limit(FILE_BYTES)[0])
    for name, tls in (("custody deposit, a folder, plain", False), ("custody deposit, a folder, TLS", True)):
        result = median(deposit, path, tls)
        row(name, result[0], f"{result[0] / cp:5.2f} × cp; {told(result)}")
    if not GATEWAY.exists() or not shutil.which("rclone"):
        print("  the S3 server or rclone is not installed: tools/setup check bench")
    else:
        part = WHERE / "source-part"
        run(["bash", "-c", f"head -c {PART_BYTES} '{path}' >'{part}'"])
        peer = median(rclone, part)
        row("1 GiB: rclone copy to the S3 server", peer, size=PART_BYTES)
        result = median(through_s3, part)
        row("1 GiB: custody deposit, the same server as store", result[0], f"{peer / result[0]:5.2f} × rclone; {told(result)}", PART_BYTES)
        part.unlink()
    print(f"  {'each of 32 uploads under way at once':<52}{busy():8.2f} MiB of the provider")
    print(f"  {machine()}, medians of {RUNS}")
    for name in ("ledger", "copy", "s3"):
        fresh(name)


if __name__ == "__main__":
    main()
