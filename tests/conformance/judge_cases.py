"""The cases of tests/vectors/judge, read and written, and programs asked for their verdicts: see its README."""
import base64
import json
import pathlib
import re
import subprocess
import tempfile

FIRST = b"c2sp.org/tlog-proof@v1\nextra "


# ---- bytes as pieces of a base ----

def pieces_of(data, base, k=12):
    """`data` as [from, n] of `base`, new bytes in hex and [hex, n] that repeats; greedy, so that a second run finds the same."""
    where, out, at, new = {}, [], 0, 0
    for i in range(len(base) - k, -1, -1):
        where[base[i:i + k]] = i
    while at < len(data):
        i = where.get(data[at:at + k], -1) if at + k <= len(data) else -1
        if out and out[-1][0] == "copy" and i >= 0 and base[(e := out[-1][1] + out[-1][2] + at - new):e + k] == data[at:at + k]:
            i = e  # the same offset as before: where a bit was changed, not where the same bytes stand elsewhere
        if i < 0:
            at += 1
            continue
        n = k
        while at + n < len(data) and i + n < len(base) and data[at + n] == base[i + n]:
            n += 1
        while at > new and i > 0 and data[at - 1] == base[i - 1]:
            at, i, n = at - 1, i - 1, n + 1
        if at > new:
            out.append(("new", data[new:at]))
        out.append(("copy", i, n))
        at = new = at + n
    if at > new:
        out.append(("new", data[new:]))
    return [x for p in out for x in ([list(p[1:])] if p[0] == "copy" else runs_of(p[1]))]


def runs_of(data):
    out, at = [], 0
    for run in re.finditer(rb"(.{1,8}?)\1{30,}", data, re.DOTALL):
        out += [data[at:run.start()].hex(), [run[1].hex(), len(run[0])]]
        at = run.end()
    return [p for p in [*out, data[at:].hex()] if p]


def repeated(piece, n):
    return (piece * (n // len(piece) + 1))[:n]


def join(pieces, base):
    return b"".join(bytes.fromhex(p) if isinstance(p, str) else repeated(bytes.fromhex(p[0]), p[1]) if isinstance(p[0], str) else base[p[0]:p[0] + p[1]] for p in pieces)


def cut(data):
    """(extra decoded, rest), or None when the file is not base64 of something behind the usual first line."""
    line, newline, rest = data[len(FIRST):].partition(b"\n")
    try:
        extra = base64.b64decode(line, validate=True)
    except ValueError:
        return None
    return (extra, rest) if data.startswith(FIRST) and newline and base64.b64encode(extra) == line else None


def shortest(forms):
    return min(forms, key=lambda f: len(json.dumps(f)))


def pack_bytes(data, bases):
    if data is None:
        return None
    for name, base in bases.items():
        if data == base:
            return name
    forms, parts = [{"file": runs_of(data)}], cut(data)
    for name, base in bases.items():
        forms.append({"of": name, "file": pieces_of(data, base)})
        of = cut(base)
        if parts and of:
            form = {"of": name}
            for key, part, from_ in (("extra", parts[0], of[0]), ("rest", parts[1], of[1])):
                if part != from_:
                    form[key] = pieces_of(part, from_)
            forms.append(form)
    form = shortest(forms)
    assert unpack_bytes(form, bases) == data
    return form


def unpack_bytes(form, bases):
    if form is None or isinstance(form, str):
        return form and bases[form]
    base = bases[form["of"]] if "of" in form else b""
    if "file" in form:
        return join(form["file"], base)
    extra, rest = cut(base)
    extra, rest = (join(form[k], part) if k in form else part for k, part in (("extra", extra), ("rest", rest)))
    return FIRST + base64.b64encode(extra) + b"\n" + rest


# ---- cases ----

def pack(case, bases):
    out = {"name": case["name"], "says": case["says"], "must": case["must"]}
    evidence = case["evidence"]
    if case["part"] is not None:
        proof, data, size, root = case["part"]
        return {**out, "part": {"proof": pack_bytes(proof, bases), "bytes": pack_bytes(data, {}), "size": size, "root": root.hex()}}
    if case["fork"] is not None:
        return {**out, "fork": pack_bytes(case["fork"], bases), "trust": pack_bytes(case["trust"], bases)}
    if evidence and "files" in evidence:
        evidence = {**evidence, "files": {k: pack_bytes(v, {}) for k, v in evidence["files"].items()}}
    elif evidence:
        evidence = {**evidence, "bytes": pack_bytes(evidence["bytes"], {})}
    return {**out, "receipt": pack_bytes(case["receipt"], bases), "trust": pack_bytes(case["trust"], bases), "evidence": evidence, "manifest": pack_bytes(case["manifest"], bases)}


def cases_file(packed):
    return "".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) + "\n" for c in packed).encode()


def read(folder):
    folder = pathlib.Path(folder)
    bases = {p.name: p.read_bytes() for p in (folder / "base").iterdir()}
    return [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()], bases


def write_files(case, i, folder, bases):
    """The case's files in `folder`, and its line for a program that judges."""
    def write(name, form):
        if form is None:
            return "-"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(unpack_bytes(form, bases))
        return str(folder / name)
    if "part" in case:
        part = case["part"]
        return "\t".join([write(f"{i}.proof", part["proof"]), write(f"{i}.part", part["bytes"]), str(part["size"]), part["root"]])
    if "fork" in case:
        return "\t".join([write(f"{i}.fork", case["fork"]), write(f"{i}.trust", case["trust"])])
    evidence = case["evidence"]
    given = "-"
    if evidence and "files" in evidence:
        given = str(folder / f"{i}.e" / evidence["name"])
        for name, form in evidence["files"].items():
            write(f"{i}.e/{evidence['name']}/{name}", form)
    elif evidence:
        given = write(f"{i}.e/{evidence['name']}", evidence["bytes"])
    return "\t".join([write(f"{i}.receipt", case["receipt"]), write(f"{i}.trust", case["trust"]), given, write(f"{i}.manifest", case["manifest"])])


def short(answer):
    """What is compared of an answer."""
    if "refused" in answer:
        return {"refused": answer["refused"]}
    if "checks" not in answer:
        return {k: answer[k] for k in ("status", "convicted", "a", "b") if k in answer}
    verdicts = [answer["verdicts"][v] for v in ("integrity", "signer", "time")]
    return {"exit": answer["exit_code"], "status": answer["status"], "verdicts": [v["verdict"] if isinstance(v, dict) else v for v in verdicts],
            "checks": [[c["check"], c["verdict"], c["status"]] for c in answer["checks"]]}


def run(program, lines):
    done = subprocess.run(program, input="".join(l + "\n" for l in lines), capture_output=True, text=True)
    answers = done.stdout.splitlines()
    if done.returncode or len(answers) != len(lines):
        raise SystemExit(f"{' '.join(program)}: exit {done.returncode}, {len(answers)} answers to {len(lines)} lines; the next is\n{lines[min(len(answers), len(lines) - 1)]}\n{done.stderr[-2000:]}")
    return [short(json.loads(a)) for a in answers]


def ask(program, cases, bases):
    with tempfile.TemporaryDirectory() as folder:
        lines = [write_files(c, i, pathlib.Path(folder), bases) for i, c in enumerate(cases)]
        answers = {}
        for kind, option in (("receipt", []), ("fork", ["--forks"]), ("part", ["--parts"])):
            those = [i for i, c in enumerate(cases) if kind in c]
            answers.update(zip(those, run([*program, *option], [lines[i] for i in those])))
    return [answers[i] for i in range(len(cases))]
