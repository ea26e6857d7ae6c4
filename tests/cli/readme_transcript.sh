# The README's transcript is what the program says today: its commands are run again, and what they print is compared line by line,
# after ids, digests, times and folders that differ from run to run have been replaced by a word. A line "…" stands for any lines.
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BIN=${CUSTODY_BIN:-$SOURCE/build/bin}
[ -x "$BIN/custody" ] && [ -x "$BIN/custody-verify" ] || { echo "ok - the README's transcript # SKIP the programs are not built"; exit 77; }
PATH=$BIN:$PATH SOURCE=$SOURCE exec python3 - <<'PYTHON'
import os, re, subprocess, sys, tempfile

readme = open(os.environ["SOURCE"] + "/README.md", encoding="utf-8").read()
block = re.search(r"^```console\n(.*?)^```$", readme, re.M | re.S).group(1)
steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)


def normal(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z( \([^)]*\))?", "<time>", text)
    text = re.sub(r"^(  network id  ).*", r"\1<network>", text, flags=re.M)
    text = re.sub(r"^ {14}([a-z]{3,8} ){7}[a-z]{3,8}$", "<words>", text, flags=re.M)
    text = re.sub(r"^(  id        )[0-9a-f]{8}", r"\1<id>", text, flags=re.M)
    text = re.sub(r"^(  receipt   ).*/(room/)", r"\1<folder>/\2", text, flags=re.M)
    return text.rstrip("\n")


def pattern(expected):
    parts = re.split(r"^…$\n?", expected, flags=re.M)
    return re.compile(r"(?:.*\n)*".join(re.escape(p) for p in parts) + r"\n*\Z")


failed = 0
with tempfile.TemporaryDirectory() as folder:
    shell = subprocess.Popen(["bash"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                             env={**{k: v for k, v in os.environ.items() if not k.startswith("CUSTODY_")}, "TZ": "UTC", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
    for command, expected in steps:
        shell.stdin.write(command + "\nprintf '\\n=====\\n'\n")
        shell.stdin.flush()
        lines = []
        while (line := shell.stdout.readline()) not in ("=====\n", ""):
            lines.append(line)
        said, expected = normal("".join(lines)), normal(expected)
        good = pattern(expected + "\n").match(said + "\n")
        print(("ok" if good else "not ok") + " - the README's transcript: " + command.replace("#", "\\#"))
        if not good:
            failed = 1
            for title, text in (("the README says", expected), ("the program says", said)):
                print("# " + title + "\n" + "".join("#   " + l + "\n" for l in text.splitlines()), end="")
    shell.stdin.close()
    shell.wait()
sys.exit(failed or not steps)
PYTHON
