"""Whatever text our reader takes, Python's tomllib takes too, and reads the same; and plain settings it takes in every spelling that it names.

toml_oracle.py PROGRAM N
"""
import json
import random
import subprocess
import sys
import tomllib

LEAVES = ["listen", "x-y", "_1", "1", "a b", '"q"', "a.b", "", "é"]
VALUES = ['"text"', "'lit\\eral'", '"a\\"b\\\\c\\n"', '"\\u00e9 \\U0001f50f"', '"\\uD800"', '"\\x41"', '""', "''", '"""', "'''x'''", '"é\t"', "0", "42", "042", "-1",
          "+1", "1_000", "0x10", "1.5", "9223372036854775807", "9223372036854775808", "true", "false", "True", "[1]", "{a = 1}", "1979-05-27", '"open', "", '"a" b', "inf"]
SPACES = ["", " ", "\t", "  "]
ENDS = ["\n", "\r\n", " # words\n", "#\n", "\n\n", "\r", " # \x07\n"]


def line(r):
    pick = r.random()
    if pick < 0.2:
        return f"{r.choice(SPACES)}[{r.choice(SPACES)}{r.choice(['node', 'provider', 'ca-init', 'listen', 'a.b', '', '[node]'])}{r.choice(SPACES)}]"
    if pick < 0.3:
        return r.choice(["", "# remark", "  # é"])
    key = r.choice(LEAVES) if r.random() < 0.3 else f"k{r.randrange(30)}"
    value = r.choice(VALUES) if r.random() < 0.4 else r.choice(['"text"', "'x'", "7", "true"])
    return f"{r.choice(SPACES)}{key}{r.choice(SPACES)}{r.choice(['=', '=', '=', '=', '=', '=', '=', ':', ''])}{r.choice(SPACES)}{value}{r.choice(SPACES)}"


def text(r):
    made = "".join(line(r) + (r.choice(ENDS) if r.random() < 0.2 else "\n") for _ in range(r.randrange(1, 7)))
    if r.random() < 0.2:
        made = made.rstrip("\n")
    raw = bytearray(made.encode())
    if raw and r.random() < 0.15:
        raw[r.randrange(len(raw))] = r.randrange(256)
    return bytes(raw)


def expected(raw):
    """The rows as tomllib sees them, in no order; None when it refuses."""
    try:
        tree = tomllib.loads(raw.decode())
    except (ValueError, RecursionError):
        return None
    rows = []
    for key, value in tree.items():
        inner = [("", key, value)] if not isinstance(value, dict) else [(key, k, v) for k, v in value.items()]
        for table, name, v in inner:
            rows.append([table, name, type(v).__name__, str(v).lower() if isinstance(v, bool) else str(v)])
    return sorted(rows)


def main():
    n, r = int(sys.argv[2]), random.Random(5)
    program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    taken = refused_by_both = 0
    for _ in range(n):
        raw = text(r)
        program.stdin.write(raw.hex() + "\n")
        program.stdin.flush()
        said = program.stdout.readline().rstrip("\n")
        want = expected(raw)
        if said.startswith("-"):
            refused_by_both += want is None
            continue
        taken += 1
        if want is None or sorted(json.loads(said)) != want:
            print(f"not ok - tomllib reads the same\n#   {raw!r}\n#   ours {said}\n#   its  {want}")
            return 1
    program.stdin.close()
    assert taken > n // 10 and refused_by_both > n // 10, (taken, refused_by_both)
    print(f"ok - of {n} texts our reader takes {taken}, and tomllib reads the same in each")
    return program.wait()


sys.exit(main())
