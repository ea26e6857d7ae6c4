"""What the tests of the command line share: the two programs, throw-away ledgers, pictures of a tree, and TAP.

A test is a function whose name is a sentence, marked @test; it gets a folder of its own. CUSTODY_BIN names the folder of the two
programs (or `custody` itself, CUSTODY_VERIFY_BIN then the other). `test_x.py PART…` runs the tests whose names contain a part.
"""
import concurrent.futures
import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 240
SANITIZED = os.environ.get("CUSTODY_SANITIZED") == "ON"  # several times as slow, and looking for other faults: fewer cases of one kind will do


def program(name, variable):
    """Where a program lies: as the environment says, or in the usual build folders."""
    named = os.environ.get(variable)
    if named and os.path.isfile(named):
        return named
    folders = [named, os.environ.get("CUSTODY_BIN"), HERE.parents[1] / "build/bin", HERE.parents[1] / "build/release/bin"]
    for folder in folders:
        if folder and os.path.isfile(os.path.join(folder, name)):
            return os.path.join(folder, name)
    sys.exit(f"1..0 # SKIP there is no {name}: build it, or name its folder in CUSTODY_BIN")


CUSTODY = program("custody", "CUSTODY_BIN")
VERIFY = program("custody-verify", "CUSTODY_VERIFY_BIN")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("CUSTODY_") and k != "NO_COLOR"}


class Skip(Exception):
    """This machine cannot run the test; the sentence says why."""


class Silent(http.server.BaseHTTPRequestHandler):
    """For a server of a test: what it is asked is not printed."""

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass


@contextlib.contextmanager
def listening(handler):
    """A server of its own that answers so: its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Answer:
    """What a program said."""

    def __init__(self, args, done):
        self.args, self.code = args, done.returncode
        self.raw, self.out, self.err = done.stdout, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    @property
    def rows(self):
        """Its JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self):
        assert len(self.rows) == 1, f"one line of JSON was expected: {self}"
        return self.rows[0]

    @property
    def error(self):
        """The last line on stderr: the error's sentence."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""

    def __str__(self):
        def cut(text):
            return text if len(text) < 3000 else text[:1500] + "\n…\n" + text[-1500:]
        return f"{' '.join(repr(a) for a in self.args)}\nexit {self.code}\n--- stdout\n{cut(self.out)}\n--- stderr\n{cut(self.err)}"


def call(args, code=0, stdin=b"", env=None, **more):
    """Run a program and expect an exit code (None: any that is no crash)."""
    args = [os.fspath(a) for a in args]
    done = subprocess.run(args, input=stdin, capture_output=True, env={**ENVIRONMENT, **(env or {})}, timeout=TIMEOUT, check=False, **more)
    answer = Answer(args, done)
    assert answer.code >= 0 and "runtime error" not in answer.err and "Sanitizer" not in answer.err, f"it crashed: {answer}"
    assert code is None or answer.code == code, f"exit {code} was expected: {answer}"
    return answer


def custody(*args, **how):
    return call([CUSTODY, *args], **how)


def verify(*args, **how):
    return call([VERIFY, *args], **how)


class Ledger:
    """A ledger's folder and its verbs: ledger.run("deposit", path) is `custody deposit path` in it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    @classmethod
    def new(cls, root, *cases, **how):
        custody("init", root, **how)
        ledger = cls(root)
        for case in cases:
            ledger.run("case", "open", case, **how)
        return ledger

    def copy(self, to):
        subprocess.run(["cp", "-a", "--sparse=always", "--reflink=auto", self.root, to], check=True)
        return Ledger(to)

    @property
    def trust(self):
        return self.root / "trust/ledger.trust"

    def run(self, *args, env=None, **how):
        return custody(*args, env={"CUSTODY_LEDGER": str(self.root), **(env or {})}, **how)

    def deposit(self, *args, **how):
        return self.run("deposit", "--json", *args, **how).rows

    def check(self, *args, **how):
        return self.run("check", "--json", *args, **how).row

    def clean(self):
        self.check(code=0)

    def files(self, *under):
        """Every file below the given folders, relative to the ledger's."""
        return sorted(str(p.relative_to(self.root)) for u in under for p in (self.root / u).rglob("*") if p.is_file())


def picture(root, times=True):
    """Everything that a tree holds: name, kind, mode, size, time of change and digest of each thing in it."""
    root = pathlib.Path(root)
    seen = {}
    for path in [root, *root.rglob("*")]:
        st = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(st.st_mode) else os.readlink(path) if path.is_symlink() else ""
        seen[str(path.relative_to(root))] = (stat.filemode(st.st_mode), st.st_size if digest else 0, st.st_mtime_ns if times and digest else 0, digest)
    return seen


def stamps(root):
    """Name, size, node and times of every file of a tree: whatever is written there changes them."""
    found = {}
    for path in [pathlib.Path(root), *pathlib.Path(root).rglob("*")]:
        st = path.lstat()
        found[str(path.relative_to(root))] = (st.st_mode, st.st_ino) if path.is_dir() else (st.st_mode, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns)
    return found


def difference(before, after):
    """The names that differ between two pictures."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def same(before, after):
    changed = difference(before, after)
    assert not changed, "changed: " + ", ".join(f"{n}: {before.get(n)} -> {after.get(n)}" for n in changed[:8])


def fill(path, data):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def scratch(prefix):
    """A folder for many syncs: in memory where there is room, since no power is cut here."""
    roomy = os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 3 << 30
    folder = tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("TMPDIR") or ("/dev/shm" if roomy else None))
    os.chmod(folder, 0o755)
    return folder


TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run_one(function, base):
    folder = pathlib.Path(tempfile.mkdtemp(dir=base))
    try:
        count = function(folder)
        return "ok", f" # {count}" if isinstance(count, str) else "", ""
    except Skip as why:
        return "ok", f" # SKIP {why}", ""
    except Exception:  # pylint: disable=broad-except
        return "not ok", "", traceback.format_exc()
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


def main(workers=2):
    wanted = sys.argv[1:]
    tests = [t for t in TESTS if not wanted or any(w in t.__name__ for w in wanted)]
    base = scratch("custody-cli-")
    bad = 0
    print(f"1..{len(tests)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        began = time.time()
        for number, (function, result) in enumerate([(t, pool.submit(run_one, t, base)) for t in tests], 1):
            verdict, remark, trace = result.result()
            print(f"{verdict} {number} - {function.__name__.replace('_', ' ')}{remark}")
            print("".join(f"# {line}\n" for line in trace.splitlines()), end="", flush=True)
            bad += verdict != "ok"
    print(f"# {time.time() - began:.1f} s")
    shutil.rmtree(base, ignore_errors=True)
    sys.exit(1 if bad else 0)
