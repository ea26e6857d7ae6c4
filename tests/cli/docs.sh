# The documents hold together: links lead somewhere, what ARCHITECTURE names exists, the indexes are complete.
#   docs.sh --write    writes the index of decisions and the words of the checks anew
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
SOURCE=$SOURCE exec python3 - "$@" <<'PYTHON'
import os, pathlib, re, sys

root = pathlib.Path(os.environ["SOURCE"])
pages = sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])
failed = 0


def test(what, wrong):
    global failed
    print(("not ok" if wrong else "ok") + " - " + what)
    for line in wrong:
        print("#   " + line)
    failed |= bool(wrong)


def anchors(page):
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in re.findall(r"^#+ (.*)$", page.read_text(), re.M)}


def dead_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and anchor not in anchors(to)):
            yield f"{page.relative_to(root)}: {target}"


head = "# Decisions\n\nOne page each: what, why, what was rejected.\n\n| | |\n|---|---|\n"
titles = [(p, p.read_text().splitlines()[0]) for p in sorted((root / "docs/decisions").glob("[0-9]*.md"))]
short = {p: re.sub(r"^# \d+\W+", "", t) for p, t in titles}
index = head + "".join(f"| [{p.name[:3]}]({p.name}) | {short[p]} |\n" for p, _ in titles)

# The words of every check, from the table that the verifier speaks from.
table = (root / "include/custody/checks.h").read_text().replace("\\\n", "")
rows = re.findall(r'X\([A-Z0-9_]+,\s*"([\w-]+)",\s*([A-Z]+),\s*' + r",\s*".join(['"([^"]*)"'] * 4) + r"\)", table)
words = "\n| check | | English | Chinese |\n|---|---|---|---|\n"
for name, verdict, good, good_zh, bad, bad_zh in rows:
    words += f"| `{name}` | ✓ | {good} | {good_zh} |\n" if good else ""
    words += f"| `{name}` | ✗ | {bad} | {bad_zh} |\n" if bad else ""
verification = (root / "docs/formats/verification.md").read_text()
before, _, rest = verification.partition(" --write -->\n")
worded = before + " --write -->\n" + words + "\n<!-- end" + rest.partition("<!-- end")[2]
counted = {n: v for names, v in re.findall(r"^\| (`[^|\n]*`)(?: \*)? \| (integrity|signer|time|–) \|", verification, re.M)
           for n in re.findall(r"`([\w-]+)`", names)}

if sys.argv[1:] == ["--write"]:
    (root / "docs/decisions/README.md").write_text(index)
    (root / "docs/formats/verification.md").write_text(verification := worded)

test("links lead somewhere", [d for p in pages for d in dead_links(p)])
test("every decision's title has its number", [p.name for p, t in titles if not re.match("# " + p.name[:3] + r"\b", t)])
test("the index of decisions is complete (docs.sh --write)", [] if (root / "docs/decisions/README.md").read_text() == index else ["it differs"])
formats = (root / "docs/formats/README.md").read_text()
test("the index of formats is complete", [p.name for p in root.glob("docs/formats/*.md") if p.name != "README.md" and f"]({p.name})" not in formats])

test("verification.md has the words of every check (docs.sh --write)", [] if verification == worded and len(rows) > 30 else ["they differ"])
test("verification.md says to which verdict each check counts", [f"{n}: {v}" for n, v, *_ in rows
                                                                 if counted.get(n) != v.lower().replace("none", "–")])
statuses = re.findall(r"^    X\(\d+, (\w+),", (root / "include/custody/status.h").read_text(), re.M)
test("the statuses that the pages of formats name exist", [f"{p.name}: {s}" for p in root.glob("docs/formats/*.md")
     for s in re.findall(r"`([A-Z]+(?:_[A-Z]+)+|OK|MALFORMED|CORRUPT|UNTRUE|DUPLICATE|UNTRUSTED)`", p.read_text()) if s not in statuses and not s.startswith("CU_")])

code = "\n".join(p.read_text(errors="replace") for folder in ("src", "include", "tests") for p in (root / folder).rglob("*.[ch]"))
words = set(re.findall(r"\b\w+\b", code))
files = {str(p.relative_to(root)) for folder in ("src", "include", "tests", "docs", "tools", "examples") for p in (root / folder).rglob("*")}
for page in (root / "ARCHITECTURE.md", root / "docs/threat-model.md"):
    ticked = re.findall(r"`([^`\n]+)`", page.read_text())
    test(f"what {page.name} names exists: functions", [t for t in ticked if re.fullmatch(r"[a-z]+(_[a-z]+)+", t) and t not in words])
    test(f"what {page.name} names exists: files", [t for t in ticked if re.fullmatch(r"[\w/.\-]+\.[chy]|(src|tests|docs|tools|include)/[\w/.\-]+", t)
                                                   and not any(f == t.rstrip("/") or f.endswith("/" + t) for f in files)])
sys.exit(failed)
PYTHON
