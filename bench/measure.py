"""What the rows share: running a command, its time and memory, medians, where things lie."""
import os
import platform
import resource  # noqa: F401  (wait4 gives its structure)
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
BUILD = SOURCE / "build"
CUSTODY = BUILD / "bin" / "custody"
VERIFY = BUILD / "bin" / "custody-verify"
WHERE = Path(os.environ.get("BENCH_DIR", BUILD / "bench")).resolve()
RUNS = int(os.environ.get("BENCH_RUNS", "3"))


def cost(command, **options) -> tuple[float, float, float, str]:
    """Seconds, seconds of all processors, peak resident MiB, stdout. A failing command ends the row."""
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    out, said = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    if status != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{out}{said}")
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out


def run(command, **options) -> tuple[float, float, str]:
    """The same without the processors' time."""
    took, _, resident, out = cost(command, **options)
    return took, resident, out


def shell(line: str) -> tuple[float, float, str]:
    return run(["bash", "-c", line])


def fresh(name: str) -> Path:
    """An empty folder of that name, its predecessor's writes settled."""
    path = WHERE / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    os.sync()
    return path


def warm(path: Path) -> None:
    """Read everything once, so that all candidates find the source in memory."""
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            with open(file, "rb") as data:
                while data.read(1 << 22):
                    pass


def median_of(measure) -> tuple[float, float]:
    """Medians of seconds and of MiB over RUNS calls."""
    results = [measure() for _ in range(RUNS)]
    return statistics.median(r[0] for r in results), statistics.median(r[1] for r in results)


def machine() -> str:
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "-C", str(SOURCE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return f"{os.cpu_count()} × {cpu}, {platform.system()} {platform.release().split('-')[0]}, commit {commit or 'unknown'}"


def table(title: str, rows: list[tuple], base: str, amount: float = 0) -> None:
    """name, seconds, MiB resident; each as a ratio to the row named `base`, and as GB/s if an amount of bytes is told."""
    reference = next(seconds for name, seconds, _ in rows if name == base)
    print(f"\n{title}")
    for name, seconds, mib in rows:
        rate = f"{amount / seconds / 1e9:7.2f} GB/s" if amount else ""
        print(f"  {name:<34}{seconds:8.2f} s {rate}  {seconds / reference:6.2f} × {base:<22} {mib:6.0f} MiB resident")
    print(f"  {machine()}, median of {RUNS}")
