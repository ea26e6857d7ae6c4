# The transcripts (```console) of the README and of the pages of docs/guide are what the programs say today: their commands are run again, and what they print is compared line by line,
# after ids, digests, times and folders that differ from run to run have been replaced by a word. A line "…" stands for any lines.
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BIN=${CUSTODY_BIN:-$SOURCE/build/bin}
[ -x "$BIN/custody" ] && [ -x "$BIN/custody-verify" ] || { echo "ok - the README's transcript # SKIP the programs are not built"; exit 77; }
PATH=$BIN:$PATH SOURCE=$SOURCE exec python3 - <<'PYTHON'
import os, re, signal, socket, subprocess, sys, tempfile

PORTS = ("8714", "8715")  # as the pages have them
frees = [socket.socket() for _ in PORTS]
for free in frees:
    free.bind(("127.0.0.1", 0))
free_ports = [str(free.getsockname()[1]) for free in frees]
for free in frees:
    free.close()


def steps_of(page):
    text = open(os.environ["SOURCE"] + "/" + page, encoding="utf-8").read()
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S)
    return [step for block in blocks for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)]


def normal(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z( \([^)]*\))?", "<time>", text)
    text = re.sub(r"^(  network id  ).*", r"\1<network>", text, flags=re.M)
    text = re.sub(r"^ {14}([a-z]{3,8} ){7}[a-z]{3,8}$", "<words>", text, flags=re.M)
    text = re.sub(r"^(  id        )[0-9a-f]{8}", r"\1<id>", text, flags=re.M)
    text = re.sub(r"^(  receipt   ).*/(room/)", r"\1<folder>/\2", text, flags=re.M)
    text = re.sub(r"\b[0-9a-f]{16}\b", "<key>", text)
    text = re.sub(r"( as )[0-9a-f]{8}$", r"\1<id>", text, flags=re.M)
    text = re.sub(r"[0-9a-f]{32,}", "<hex>", text)
    text = re.sub(r"[A-Za-z0-9+/]{43,}=*", "<base64>", text)
    text = re.sub(r'("network_words":").*?"', r'\1<words>"', text)
    for port, free in zip(PORTS, free_ports):
        text = text.replace(free, port)
    return text.rstrip("\n")


def pattern(expected):
    parts = re.split(r"^…$\n?", expected, flags=re.M)
    return re.compile(r"(?:.*\n)*".join(re.escape(p) for p in parts) + r"\n*\Z")


failed = 0
guide = sorted("docs/guide/" + name for name in os.listdir(os.environ["SOURCE"] + "/docs/guide"))
for page in ["README.md", *guide]:
    steps = steps_of(page)
    if not steps and page in guide:
        continue  # it shows none
    with tempfile.TemporaryDirectory() as folder:
        shell = subprocess.Popen(["bash"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True,
                                 env={**{k: v for k, v in os.environ.items() if not k.startswith("CUSTODY_")}, "TZ": "UTC", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
        for command, expected in steps:
            for port, free in zip(PORTS, free_ports):
                command = command.replace(port, free)
            shell.stdin.write(command + "\nprintf '\\n=====\\n'\n")
            shell.stdin.flush()
            lines = []
            while (line := shell.stdout.readline()) not in ("=====\n", ""):
                lines.append(line)
            said, expected = normal("".join(lines)), normal(expected)
            good = pattern(expected + "\n").match(said + "\n")
            print(("ok" if good else "not ok") + f" - {page}: " + command.replace("#", "\\#"))
            if not good:
                failed = 1
                for title, text in ((f"{page} says", expected), ("the program says", said)):
                    print("# " + title + "\n" + "".join("#   " + l + "\n" for l in text.splitlines()), end="")
        shell.stdin.close()
        try:
            shell.wait(60)
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)  # what a page left running
            except ProcessLookupError:
                pass
    failed |= not steps
sys.exit(failed)
PYTHON
