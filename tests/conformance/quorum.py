"""quorum.py FOLDER FILE: a ledger whose trust file asks for three cosigners of four, their signatures by somebody else's Ed25519, and the
receipts that the node hands out: good-* and bad-*, with policy and trust file."""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

out, evidence = sys.argv[1:3]
ledger = out + "/L"
KEYS = {f"organisation-{i}.example/cosigner": ed25519.Ed25519PrivateKey.generate() for i in range(1, 5)}
b64 = lambda data: base64.b64encode(data).decode()


def key_id(name):
    pub = KEYS[name].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(name.encode() + b"\n\4" + pub).digest()[:4], pub


def line(name, text, seconds):
    signature = KEYS[name].sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return f"— {name} {b64(key_id(name)[0] + seconds.to_bytes(8, 'big') + signature)}\n"


def custody(*args, want=0):
    done = subprocess.run(["custody", *args], cwd=ledger, capture_output=True, text=True, check=False)
    assert done.returncode == want, (args, done.returncode, done.stderr)
    return done.stdout


def ask(path, body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data=body, method="POST" if body else "GET")) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


os.makedirs(out)
subprocess.run(["custody", "init", ledger], check=True, capture_output=True)
trust = open(ledger + "/trust/ledger.trust").read().removesuffix("quorum none\n")
for i, name in enumerate(KEYS):
    kid, pub = key_id(name)
    trust += f"witness w{i} {name}+{kid.hex()}+{b64(bytes([4]) + pub)}\n"
trust += "group three 3 w0 w1 w2 w3\nquorum three\n"
policy = trust.split("epoch 0 -\n")[1]
for folder, name, text in ((ledger + "/trust", "ledger.trust", trust), (ledger + "/trust", "policy", policy), (out, "trust", trust), (out, "policy", policy)):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)
custody("case", "open", "C1")
told = json.loads(custody("deposit", "--case", "C1", "--json", evidence, want=3))
assert told["receipt"] is None
with open(out + "/said.json", "w") as file:
    json.dump(told, file)

node = subprocess.Popen(["custody", "node", "--listen", "127.0.0.1:0"], cwd=ledger, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    url = node.stdout.readline().split()[1]
    status, checkpoint = ask("/checkpoint")
    text = checkpoint.split("\n\n")[0] + "\n"
    size = text.split("\n")[1]
    lines = [line(name, text, int(time.time())) for name in KEYS]
    post = lambda *which, note=checkpoint: ask("/v1/cosignatures", (note + "".join(lines[i] for i in which)).encode())
    receipt = lambda: ask("/v1/receipt/C1/1")
    assert receipt()[0] == 202
    altered = base64.b64decode(lines[3].split()[2])
    altered = altered[:30] + bytes([altered[30] ^ 1]) + altered[31:]
    status, said = ask("/v1/cosignatures", (checkpoint + f"— {list(KEYS)[3]} {b64(altered)}\n").encode())
    assert status == 422 and json.loads(said)["code"] == "BAD_SIGNATURE", said
    status, said = ask("/v1/cosignatures", checkpoint.replace("\n" + size + "\n", f"\n{int(size) + 9}\n").encode())
    assert status == 422, said
    assert json.loads(post(0)[1]) == {"new": True, "quorum": False}
    assert json.loads(post(0)[1]) == {"new": False, "quorum": False}
    assert json.loads(post(1)[1]) == {"new": True, "quorum": False}
    assert receipt()[0] == 202
    assert json.loads(post(1, 2)[1]) == {"new": True, "quorum": True}
    three = receipt()
    assert three[0] == 200, three
    assert json.loads(post(3)[1]) == {"new": True, "quorum": True}
    four = receipt()
    assert ask(f"/v1/cosignatures/{size}")[1].count("— organisation-") == 4
    assert ask("/v1/cosignatures?from=1")[1] == ask(f"/v1/cosignatures/{size}")[1]
    assert ask("/checkpoint")[1].count("— organisation-") == 4

    # Somebody shows another log of this name, cosigned: it is kept as a proof, and said.
    other = text.replace(text.split("\n")[2], b64(hashlib.sha256(b"another").digest()))
    status, said = ask("/v1/cosignatures", (other + "\n" + line(list(KEYS)[0], other, 7)).encode())
    assert status == 422 and json.loads(said)["code"] == "BAD_PROOF", said
    forks = json.loads(ask("/v1/forks")[1])["forks"]
    assert len(forks) == 1, forks
    with urllib.request.urlopen(url + "/v1/forks/" + forks[0]) as answer, open(out + "/fork", "wb") as file:
        file.write(answer.read())
    assert re.search(r"^custody_forks 1$", ask("/metrics")[1], re.M)
    assert json.loads(ask("/v1/status")[1])["forks"] == 1
finally:
    node.terminate()
    assert node.wait(20) == 0
shown = json.loads(custody("fork-proof", "verify", "--json", "--trust", out + "/trust", out + "/fork"))
assert shown["convicted"] == [list(KEYS)[0]], shown
assert "ALARM" in custody("status")


def write(name, text):
    with open(f"{out}/{name}.tlog-proof", "w") as file:
        file.write(text)


def changed(text, at):
    """The text with one bit of its at-th cosignature's 64 bytes turned over."""
    found = [m for m in re.finditer(r"^— organisation-\S+ (\S+)$", text, re.M)][at]
    data = bytearray(base64.b64decode(found[1]))
    data[-1 - at] ^= 1 << at
    return text[:found.start(1)] + b64(bytes(data)) + text[found.end(1):]


write("good-three", three[1])
write("good-four", four[1])
write("good-four-less-one", four[1].replace(lines[2], ""))
write("bad-three-less-one", three[1].replace(lines[2], ""))
write("bad-three-less-all", re.sub(r"^— organisation.*\n", "", three[1], flags=re.M))
for i in range(3):
    write(f"bad-three-altered-{i}", changed(three[1], i))
write("bad-same-twice", three[1].replace(lines[2], lines[1]))
