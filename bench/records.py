#!/usr/bin/env python3
"""Row `records`: doubly signed records a second, durable, with the accelerator and without; beside them, in the same run, peers that check no
signature: Tessera's log on files with its own load generator, and immudb's load program. And the row `latency`."""
import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from measure import BUILD, CUSTODY, SOURCE, fresh, machine, run

RECORDS = int(os.environ.get("BENCH_RECORDS", "40000"))
LEAF = 700     # bytes
SECONDS = 12   # of load on a peer
TOOLS = SOURCE / "build" / "tools" / "bin"


def ours(accelerator: str) -> float:
    ledger = fresh("records") / "L"
    run([CUSTODY, "init", ledger])
    said = run([BUILD / "release" / "bin" / "bench_records", ledger, RECORDS, accelerator])[2]
    print(said, end="")
    return float(re.search(r"both copies of all are written, too\s+([\d.]+)", said)[1])


# ---- Tessera ----
def note_keys(name: str) -> tuple[str, str]:
    """A signed note's key pair, private and public, as the log reads them."""
    der = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER"], capture_output=True, check=True).stdout
    public = b"\x01" + subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input=der, capture_output=True, check=True).stdout[-32:]
    number = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex()
    private = base64.b64encode(b"\x01" + der[-32:]).decode()
    return f"PRIVATE+KEY+{name}+{number}+{private}", f"{name}+{number}+{base64.b64encode(public).decode()}"


def size_of(folder) -> int:
    try:
        return int((folder / "checkpoint").read_text().splitlines()[1])
    except (FileNotFoundError, IndexError):
        return 0


def tessera() -> float | None:
    server, load = TOOLS / "posix", TOOLS / "hammer"
    if not server.exists() or not load.exists():
        print("  Tessera is not installed: tools/setup bench")
        return None
    folder = fresh("tessera")
    private, public = note_keys("bench.example/log")
    (folder / "key").write_text(private)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([server, f"--storage_dir={folder}/log", f"--listen={address}", f"--private_key={folder}/key"], **quiet) as log:
        time.sleep(2)
        with subprocess.Popen([load, f"--log_url=http://{address}/", f"--log_public_key={public}", "--show_ui=false", "--num_writers=1024", "--max_write_ops=200000", "--max_read_ops=0",
                               "--num_readers_full=0", "--num_readers_random=0", f"--leaf_min_size={LEAF}", "--dup_chance=0"], **quiet) as hammer:
            time.sleep(3)
            began, before = time.monotonic(), size_of(folder / "log")
            time.sleep(SECONDS)
            rate = (size_of(folder / "log") - before) / (time.monotonic() - began)
            hammer.kill()
        log.kill()
    shutil.rmtree(folder)
    print(f"  {'Tessera, files, its load generator, entries of ' + str(LEAF) + ' bytes':<56} {rate:12.0f}  entries/s")
    return rate


# ---- immudb ----
def immudb() -> float | None:
    program = TOOLS / "immudb-perf"
    if not program.exists():
        print("  immudb is not installed: tools/setup bench")
        return None
    folder = fresh("immudb")
    # it listens on all addresses: here in a network of its own
    said = subprocess.run(["unshare", "-rn", "sh", "-c", f"ip link set lo up; exec {program} -d 2s -workdir {folder}"], cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    shutil.rmtree(folder)
    found = re.findall(r'"name": "Write TX/s [a-z]* - no replicas".*?"txs": ([\d.]+)', said.stdout, re.DOTALL)
    if not found:
        print(f"  immudb's load program gave no figure:\n{(said.stdout + said.stderr)[-400:]}")
        return None
    rate = max(map(float, found))  # the better of synced and not
    print(f"  {'immudb, its load program, one record a transaction':<56} {rate:12.0f}  records/s")
    return rate


def records() -> None:
    with_lanes, without = ours("auto"), ours("off")
    print("\npeers, which check no signature")
    for name, rate in (("Tessera", tessera()), ("immudb", immudb())):
        if rate:
            print(f"  {'    ours, with the accelerator and without':<56} {with_lanes / rate:9.2f} ×, {without / rate:.2f} × {name}")
    print(f"  {machine()}")


def latency() -> None:
    ledger = fresh("latency") / "L"
    run([CUSTODY, "init", ledger])
    print(run([BUILD / "release" / "bin" / "bench_latency", ledger])[2], end="")
    print(f"  {machine()}")


{"records": records, "latency": latency}[sys.argv[1]]()
