#!/usr/bin/env python3
"""Row `seal`: sealing and opening in memory; a file of 1 GiB sealed and opened by a process, beside stock age's."""
import shutil
import statistics
import subprocess

from measure import BUILD, RUNS, cost, fresh, machine, run, warm

SIZE = 1 << 30


def recipient(identity) -> str:
    return next(line.split(": ")[1] for line in identity.read_text().splitlines() if line.startswith("# public key: "))


def row(name: str, line: str, base: float = 0) -> float:
    """GB/s by the clock and of processor time; the medians."""
    took = [cost(["bash", "-c", line])[:2] for _ in range(RUNS)]
    wall, cpu = (statistics.median(t[i] for t in took) for i in (0, 1))
    print(f"  {name:<34} {SIZE / wall / 1e9:7.2f} GB/s, {SIZE / cpu / 1e9:7.2f} a core{f' {base / cpu:9.2f} × stock age' if base else ''}")
    return cpu


def main() -> None:
    print(run([BUILD / "release" / "bin" / "bench_seal"])[2], end="")
    where, ours = fresh("seal"), BUILD / "release" / "bin" / "age_file"
    plain, identity = where / "plain", where / "identity"
    identity.write_text(subprocess.run([ours, "keygen"], capture_output=True, text=True, check=True).stdout)
    to = recipient(identity)
    run(["bash", "-c", f"head -c {SIZE} /dev/urandom >{plain}; '{ours}' seal {to} <{plain} >{where}/sealed"])
    warm(where)
    print("\na file of 1 GiB from memory, by a process, to nowhere")
    if not shutil.which("age"):
        print("  stock age is not installed: tools/setup bench")
    age = [row("age", f"exec age -r {to} <{plain} >/dev/null"), row("age -d", f"exec age -d -i {identity} <{where}/sealed >/dev/null")] if shutil.which("age") else [0, 0]
    row("sealed by libcustody", f"exec '{ours}' seal {to} <{plain} >/dev/null", age[0])
    row("opened by libcustody", f"exec '{ours}' open {identity} <{where}/sealed >/dev/null", age[1])
    print(f"  {machine()}, medians of {RUNS}")
    shutil.rmtree(where)


main()
