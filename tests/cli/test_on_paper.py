#!/usr/bin/env python3
"""What goes to court on paper: QR codes, network words, the certificate. Read back by tools that are not ours."""
import hashlib
import html.parser
import os
import pathlib
import re
import shutil
import subprocess

from custody_test import CUSTODY, VERIFY, Ledger, Skip, call, fill, main, noise, test, verify


def tool(name, *args):
    if not shutil.which(name):
        raise Skip(f"{name} is not installed: run tools/setup check")
    done = subprocess.run([name, *map(os.fspath, args)], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, (name, args, done)
    return done.stdout.decode("utf-8")


def qr_text(words, row):
    return f"custody-qr/v1\nnetwork {words}\nid {row['id']}\nleaf {row['leaf']}\n"


# ---- QR codes ----
@test
def a_code_on_the_screen_or_as_a_picture_says_words_id_and_leaf(folder):
    ledger = Ledger.new(folder / "L", "C1")
    row = ledger.deposit("--case", "C1", fill(folder / "photo.jpg", noise(50_000)))[0]
    text = qr_text(ledger.run("status", "--json").row["network_words"], row)
    screen = ledger.run("show", "C1/1", "--qr").out
    assert screen.endswith(text) and "▀" in screen and "\033" not in screen, screen
    ledger.run("show", row["id"][:10], "--qr", "-o", folder / "code.png")
    assert tool("zbarimg", "-q", "--raw", folder / "code.png") == text + "\n"
    ledger.run("show", "C1/1", "--qr", "-o", folder / "code.svg")
    assert (folder / "code.svg").read_text().startswith("<svg ")
    answer = ledger.run("show", "C1/1", "--qr", "-o", folder / "code.gif", code=1)
    assert ".png" in answer.error and not (folder / "code.gif").exists(), answer


@test
def where_the_part_that_sets_pages_is_missing_it_is_named_and_everything_else_works(folder):
    for name in ("custody", "custody-verify"):
        shutil.copy(pathlib.Path(CUSTODY).parent / name, folder / name)
    call([folder / "custody", "init", folder / "L"])
    call([folder / "custody", "deposit", fill(folder / "a", b"a")], cwd=folder / "L")
    fill(folder / "L/custody-paper.so", b"what lies in the current folder is never loaded")
    answer = call([folder / "custody", "show", "unfiled/1", "--qr"], cwd=folder / "L", code=10)
    assert "custody-paper.so" in answer.error and "No such file" in answer.error and "libpangocairo" in answer.error, answer


# ---- the certificate ----
class Page(html.parser.HTMLParser):
    """What a certificate's HTML says: its headings, and below each the tables as rows of cells."""

    def __init__(self, path):
        super().__init__()
        self.sections, self.cell, self.heading = [], None, None
        self.feed(pathlib.Path(path).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        if tag in ("h1", "h2"):
            self.heading = ""
        elif tag == "table":
            self.sections[-1][1].append([])
        elif tag == "tr":
            self.sections[-1][1][-1].append([])
        elif tag in ("td", "th"):
            self.cell = ""
        elif tag == "br" and self.cell is not None:
            self.cell += "\n"

    def handle_endtag(self, tag):
        if tag in ("h1", "h2"):
            self.sections.append((self.heading, []))
            self.heading = None
        elif tag in ("td", "th"):
            self.sections[-1][1][-1][-1].append(self.cell.strip())
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        elif self.heading is not None:
            self.heading += data

    def section(self, start):
        return next(tables for heading, tables in self.sections if heading.startswith(start))


def case_with_a_history(folder):
    """Three exhibits, one with a collection record; a correction, a read, damage that was repaired, an inventory."""
    ledger = Ledger(folder / "L")
    call([CUSTODY, "init", ledger.root, "--name", "Officer Li 李警官", "--org", "Nanshan Police 南山分局", "--provider", "Harbour Cloud"])
    ledger.run("case", "open", "C1", "--number", "2026-117", "--cause", "burglary 盗窃")
    rows = ledger.deposit("--case", "C1", fill(folder / "photo.jpg", b"\xff\xd8\xff\xe0" + noise(70_000)), "--exhibit", "AP/1", "--note", "from the desk")
    rows += ledger.deposit("--case", "C1", fill(folder / "<b>&amp;.txt", b"I saw the red car at nine.\n"), "--digests", "sm3")
    fill(folder / "phone/chat.txt", b"hello")
    form = fill(folder / "form", "case-number: 117\ncause: theft\ncollected: 2026-09-21 14:05 +08:00\nplace: 科苑路2号\nmethod: copied\nprocess: imaged\n"
                "category: chats\nformat: folder\noriginal: no\nsource: the phone stays\ncollectors: Zhang San 张三; inspector; branch\ncollectors: Li Si; ; branch\n"
                "holder name: Wang Wu\nrefusal: would not sign\nwitness name: Zhao Liu\n".encode())
    rows += ledger.deposit("--case", "C1", folder / "phone", "--profile", "police-collection", "--details", form)
    ledger.run("correct", "C1/2", "--text", "the witness said ten")
    ledger.run("get", "C1/1", "-o", folder / "out", "--reason", "for the expert", "--authority", "order 5")
    pack = max((p for p in (ledger.root / "node/objects").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    ledger.run("check", "--repair")
    ledger.run("inventory", "C1", "-o", folder / "inventory.tlog-proof")
    return ledger, rows


@test
def a_certificate_says_everything_in_two_languages_and_each_code_is_read_back(folder):
    ledger, rows = case_with_a_history(folder)
    words = ledger.run("status", "--json").row["network_words"]
    for name in ("a.pdf", "b.pdf"):
        ledger.run("certificate", "C1", "-o", folder / name)
    assert (folder / "a.pdf").read_bytes() == (folder / "b.pdf").read_bytes(), "the same facts give the same bytes"
    text = tool("pdftotext", "-raw", folder / "a.pdf", "-")
    for wanted in ("Certificate of electronic evidence", "电子证据证明书", "Exhibit C1/3", "Officer Li 李警官", "AP/1", "<b>&amp;.txt",
                   "NOT PROVEN", "未经证明", "the witness said ten", "for the expert (order 5)", "restored", "902(13)", "电子数据清单", "63(4)(c)", "Zhang San 张三",
                   "would not sign", "2026-117", "image/jpeg", "Part B", "南山分局"):
        assert wanted in text, wanted
    dense = re.sub(r"\s", "", text)
    for row in rows:
        for key in ("id", "leaf", "root"):
            assert row[key] in dense, (key, row)
    assert hashlib.sha256(b"I saw the red car at nine.\n").hexdigest() in dense and hashlib.sha256((folder / "photo.jpg").read_bytes()).hexdigest() in dense
    assert words.replace(" ", "") in dense
    info = tool("pdfinfo", folder / "a.pdf")
    assert "Certificate of electronic evidence 电子证据证明书" in info and re.search(r"Tagged: +yes", info) and re.search(r"Page size:.*A4", info), info
    tool("pdftoppm", "-r", "130", "-gray", "-png", folder / "a.pdf", folder / "page")
    codes = set()
    for page in sorted(folder.glob("page-*.png")):
        done = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", page], capture_output=True, timeout=120, check=False)
        codes |= {done.stdout.decode()} if done.returncode == 0 else set()
    assert codes == {qr_text(words, row) + "\n" for row in rows}, codes


@test
def each_statement_of_a_certificate_stands_beside_a_proof_that_exists(folder):
    ledger, rows = case_with_a_history(folder)
    ledger.run("certificate", "C1", "-o", folder / "c.html")
    page = Page(folder / "c.html")
    entries = {row["entry"]: row for row in ledger.run("trail", "--json").rows}
    size = ledger.run("status", "--json").row["entries"]
    checks = {}
    for number, row in enumerate(rows, 1):
        report = verify("--json", "--trust", ledger.trust, row["receipt"], code=0).row
        judged = [t for t in page.section(f"Exhibit C1/{number} ") if t[0][1].startswith("Check")][0][1:]
        told = {(r[1], r[2].split()[0]) for r in judged}
        assert told == {(c["check"], c["verdict"].split()[0]) for c in report["checks"]}, (told, report)
        checks[number] = {c["check"] for c in report["checks"]}
    seen = 0
    for heading, tables in page.sections:
        number = re.match(r"Exhibit C1/(\d)", heading)
        known = checks[int(number[1])] if number else checks[1]
        for table in tables:
            column = [i for i, head in enumerate(table[0]) if head.startswith("Proven by")]
            for row in table[1:] if column else []:
                proof = row[column[0]]
                assert proof, (heading, row)
                entry = re.match(r"entry 记录 (\d+)(?: · ([a-z0-9, -]+))?", proof)
                if not entry:
                    assert re.match("—|the checks below|a label|compare|the signed checkpoint|the same checkpoint|the provider's word", proof), (heading, row)
                    continue
                assert int(entry[1]) < size, (heading, row)
                named = {c.strip() for c in entry[2].split(",")} if entry[2] else set()
                assert named <= known, (heading, row, named - known)
                seen += 1
    assert seen > 60, seen
    events = page.section("What happened since")[0][1:]
    assert [r[2].split()[0] for r in events] == ["correction", "access", "incident", "inventory"], events
    for row in events:
        assert entries[int(row[0].split()[-1])]["kind"] == row[2].split()[0], row


@test
def a_certificate_that_cannot_be_is_refused_with_a_reason(folder):
    ledger = Ledger.new(folder / "L", "C1", "empty")
    ledger.deposit("--case", "C1", fill(folder / "a", b"a"))
    for args, code, says in ((["C1", "-o", folder / "c.txt"], 1, ".pdf"), (["C1"], 1, ".pdf"), (["empty", "-o", folder / "c.pdf"], 10, "no exhibits"),
                             (["C1/9", "-o", folder / "c.pdf"], 10, "C1/9"), (["C1", "C1/1", "-o", folder / "c.pdf"], 1, "twice")):
        answer = ledger.run("certificate", *args, code=code)
        assert says in answer.error, answer
    ledger.deposit("--case", "C1", "--no-wait", fill(folder / "b", b"b" * 40_000), code=3)
    assert not list(folder.glob("c.*"))
    answer = ledger.run("certificate", "C1/1", "-o", folder / "one.html", "--json")
    assert answer.row == {"certificate": str(folder / "one.html"), "exhibits": 1}, answer
    none = fill(folder / "fonts", b"<fontconfig/>")
    answer = ledger.run("certificate", "C1/1", "-o", folder / "c.pdf", env={"FONTCONFIG_FILE": str(none)}, code=10)
    assert "fonts-noto-cjk" in answer.error and not (folder / "c.pdf").exists(), answer


# ---- what a stranger types ----
def readme_commands(bag):
    return re.findall(r"^    (\S.*)$", (bag / "README.txt").read_text(encoding="utf-8"), re.M)


def run_readme(bag, wanted=lambda command: not command.startswith("go ")):
    path = f"{pathlib.Path(VERIFY).parent}:{os.environ['PATH']}"
    return [(c, subprocess.run(["bash", "-c", c], cwd=bag, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PATH": path}))
            for c in readme_commands(bag) if wanted(c)]


@test
def each_command_of_a_packages_readme_runs_as_it_stands_there_and_notices_a_changed_byte(folder):
    ledger, _ = case_with_a_history(folder)
    bag = folder / "a bag's folder"
    ledger.run("export", "C1", "-o", bag, "--to", "Court", "--reason", "trial")
    ran = run_readme(bag)
    assert len(ran) == 22, [c for c, _ in ran]
    for command, done in ran:
        assert done.returncode == 0, (command, done)
        for begin, says in (("sha256sum", ": OK"), ("openssl pkeyutl", "Signature Verified Successfully"), ("openssl dgst", "Verified OK"), ("python3", "True"), ("custody-verify", "Verified:")):
            assert not command.startswith(begin) or says in done.stdout, (command, done)
    assert {"certificate.pdf", "certificate.html", "README.txt"} <= {p.name for p in bag.iterdir()}
    words = ledger.run("status", "--json").row["network_words"]
    assert words in " ".join((bag / "README.txt").read_text().split())
    page, size = Page(bag / "certificate.html"), verify("--json", "--trust", ledger.trust, bag / "receipts/C1-1.tlog-proof").row["log_size"]
    assert [r[1] for r in page.section("The ledger")[0] if r[0].startswith("As of")][0].startswith(f"{size} entries"), "the certificate speaks of the receipts beside it"
    receipt = bag / "receipts/C1-1.tlog-proof"
    lines = receipt.read_text().split("\n")
    lines[4] = lines[3] if lines[4] != lines[3] else lines[5]
    receipt.write_text("\n".join(lines))
    verdicts = {c.split()[0] + c.split()[-1]: d.returncode for c, d in run_readme(bag)}
    assert verdicts["sha256sumtagmanifest-sha256.txt"] and verdicts["python3/tmp"] and verdicts["custody-verify'receipts/C1-1.tlog-proof'"], verdicts
    assert verdicts["sha256summanifest-sha256.txt"] == 0, verdicts


@test
def a_stock_verifier_that_the_readme_names_takes_a_receipt_and_refuses_a_changed_one(folder):
    if not shutil.which("go"):
        raise Skip("go is not installed: run tools/setup check")
    ledger = Ledger.new(folder / "L", "C1")
    ledger.deposit("--case", "C1", fill(folder / "note.txt", b"I saw the red car at nine.\n"))
    bag = folder / "bag"
    ledger.run("export", "C1", "-o", bag)

    def stock():
        ran = run_readme(bag, lambda c: c.startswith(("go ", "python3 ", "sed 1,2d")))
        assert [c.split()[0] for c, _ in ran] == ["python3", "sed", "go"] * 2, ran
        return [done for c, done in ran if c.startswith("go ")]
    for done in stock():
        if done.returncode and re.search(r"dial tcp|no such host|timeout|connection refused|unreachable|module lookup disabled", done.stderr):
            raise Skip(f"Go's registry cannot be reached: {done.stderr.splitlines()[-1]}")
        assert done.returncode == 0 and "verified" in done.stderr, done
    receipt = bag / "receipts/C1-1.tlog-proof"
    good = receipt.read_bytes()
    receipt.write_bytes(good[:good.rindex(b"\n\n") - 5] + (b"AAAA=" if good[good.rindex(b"\n\n") - 5:][:5] != b"AAAA=" else b"BAAA=") + good[good.rindex(b"\n\n"):])
    for done in stock():
        assert done.returncode == 1 and "could not verify" in done.stderr, done


@test
def a_typed_id_and_network_words_are_answered_with_yes_or_no(folder):
    ledger = Ledger.new(folder / "L", "C1")
    row = ledger.deposit("--case", "C1", fill(folder / "a", b"a"))[0]
    words = ledger.run("status", "--json").row["network_words"]
    receipt, other = row["receipt"], ("0" if row["id"][0] != "0" else "1") + row["id"][1:]
    for how in (lambda *a, **k: verify("--trust", ledger.trust, *a, **k), lambda *a, **k: ledger.run("verify", *a, **k)):
        answer = how("--id", row["id"].upper(), "--network", words.title(), receipt)
        assert answer.out.count("✓ YES") == 2 and "64 of its 64" in answer.out, answer
        answer = how("--id", row["id"][:8], receipt)
        assert "8 of its 64" in answer.out and "imitated" in answer.out, answer
        answer = how("--id", other, receipt, code=2)
        assert "✗ NO, this is another receipt: its id is " + row["id"] in answer.out, answer
        answer = how("--network", "abandon " * 23 + "art", receipt, code=4)
        assert "✗ NO, it is of another ledger, whose words are: " + words in answer.out, answer
        answer = how("--network", "abandon " * 23 + "art", "--id", other, "--json", receipt, code=2)
        assert answer.row["id_typed"] is False and answer.row["network_typed"] is False and answer.row["exit_code"] == 2 and not answer.row["ok"], answer
        assert "is it \"abandon\"" in how("--network", "abandom", receipt, code=1).error
        assert "8 to 64" in how("--id", "12", receipt, code=1).error


if __name__ == "__main__":
    main()
