# Witnesses, both ways, with programs that are none of ours: litewitness cosigns our log; our node cosigns a log of Tessera's; torchwood
# judges receipts by a quorum of three of four.
. "$(dirname "$0")/lib.sh"
need_tool torchwood-verify
need_tool litewitness
need_tool tessera-oneshot
need_python cryptography
HERE=$(cd "$(dirname "$0")" && pwd)

make_ledger
L=$SCRATCH/L
cd "$L" || exit 1
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { for _ in $(seq 100); do curl -s -o "$SCRATCH/void" "$1" && return; sleep 0.05; done; return 1; }
ended() { kill "$@" 2>/dev/null; wait "$@" 2>/dev/null; }

# ---- litewitness, whose key sits in an agent, and whose logs in a database ----
ssh-keygen -q -t ed25519 -N '' -f "$SCRATCH/key"
eval "$(ssh-agent -a "$SCRATCH/agent")" >/dev/null
SSH_AUTH_SOCK=$SCRATCH/agent ssh-add -q "$SCRATCH/key"
print=$(ssh-keygen -lf "$SCRATCH/key" | cut -d' ' -f2)
witness_port=$(free_port)
witness=http://127.0.0.1:$witness_port
start_witness() {
    "$TOOLS/bin/litewitness" -db "$SCRATCH/db" -ssh-agent "$SCRATCH/agent" -key "$print" -name witness.example/lite -listen "127.0.0.1:$witness_port" 2>"$SCRATCH/lite" &
    lite=$!
    wait_for "$witness/"
}
start_witness
vkey=$(sed -n 's/.*vkey=//p' "$SCRATCH/lite" | tr -d '"' | head -n 1)
ended $lite
python3 - "$SCRATCH/db" "$(cat trust/log.vkey)" <<'EOF'
import base64, hashlib, sqlite3, sys
db, vkey = sqlite3.connect(sys.argv[1]), sys.argv[2].strip()
origin = vkey.split("+")[0]
db.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (origin, base64.b64encode(hashlib.sha256().digest()).decode()))
db.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (origin, vkey))
db.commit()
EOF

before=$(json "$SCRATCH/note.json" receipt)
cp trust/ledger.trust "$SCRATCH/trust-before"
passes "the witness is listed: a new epoch of the trust file" custody witness add "$witness" "$vkey"
passes "check finds nothing amiss" custody check
passes "a receipt of before verifies by the new trust file" custody-verify --trust trust/ledger.trust "$before" "$SCRATCH/evidence/note.txt"
exits 3 "without the witness a deposit is recorded and has no receipt yet" custody deposit --case C1 "$SCRATCH/evidence/note.txt" --receipts "$SCRATCH/R"
exits 3 "nor is it given later" custody receipt C1/4 -o "$SCRATCH/none"
start_witness
passes "with it, it is" custody receipt C1/4 -o "$SCRATCH/C1-4.tlog-proof"
custody deposit --case C1 "$SCRATCH/evidence/large.bin" --receipts "$SCRATCH/R" --json >"$SCRATCH/lite.json" 2>"$SCRATCH/said"
receipt=$(json "$SCRATCH/lite.json" receipt) leaf=$(json "$SCRATCH/lite.json" leaf)
passes "a deposit gets its receipt at once" test -f "$receipt"
passes "which bears the cosignature" grep -q "^— witness.example/lite " "$receipt"
passes "our verifier asks for it" custody-verify --trust trust/ledger.trust "$receipt" "$SCRATCH/evidence/large.bin"
passes "and says from when on it existed" sh -c "custody-verify --trust trust/ledger.trust '$receipt' | grep -q 'outside cosigners attest'"
passes "by the trust file of before it verifies, too" custody-verify --trust "$SCRATCH/trust-before" "$receipt"
verify() { "$TOOLS/bin/torchwood-verify" "$1" "$2" "$3"; }
passes "torchwood accepts it by the new policy" verify trust/policy "$leaf" "$receipt"
grep -v "^— witness.example/lite " "$receipt" >"$SCRATCH/without"
refuses "torchwood refuses it without the cosignature" verify trust/policy "$leaf" "$SCRATCH/without"
exits 4 "and so do we" custody-verify --trust trust/ledger.trust "$SCRATCH/without"

# A node asks it by itself.
custody node --listen 127.0.0.1:0 >"$SCRATCH/url" 2>"$SCRATCH/requests" &
node=$!
for _ in $(seq 100); do grep -q listening "$SCRATCH/url" && break; sleep 0.05; done
url=$(sed -n 's/^listening *//p' "$SCRATCH/url")
"$BUILD/bin/sign_deposits" "$L" C1 6 1 >"$SCRATCH/record"
curl -sf -H 'content-type: application/cbor' --data-binary "@$SCRATCH/record" "$url/v1/submit" >"$SCRATCH/recorded"
entry=$(json "$SCRATCH/recorded" entry)
passes "the node's receipt waits for the witness" curl -sf -o "$SCRATCH/by-node" "$url/v1/receipt/$entry?wait=20"
passes "and bears its word" grep -q "^— witness.example/lite " "$SCRATCH/by-node"
passes "the checkpoint that the node serves has it, too" sh -c "curl -sf '$url/checkpoint' | grep -q '^— witness.example/lite '"
passes "the node asked, and was not in trouble" sh -c "curl -sf '$url/metrics' | grep -q '^custody_cosigning_troubles_total 0'"
ended $node
ended $lite
kill "$SSH_AGENT_PID"

# ---- our node as a witness of Tessera's log ----
custody init "$SCRATCH/W" >/dev/null 2>&1
cd "$SCRATCH/W" || exit 1
ours=$(custody witness key --name court.example/witness)
python3 - "$SCRATCH" <<'EOF'
import base64, hashlib, sys
from subprocess import check_output, run
name, folder = "tessera.example/log", sys.argv[1]
run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder + "/log.pem"], check=True)
seed = check_output(["openssl", "pkey", "-in", folder + "/log.pem", "-outform", "DER"])[-32:]
pub = check_output(["openssl", "pkey", "-in", folder + "/log.pem", "-pubout", "-outform", "DER"])[-32:]
kid = hashlib.sha256(name.encode() + b"\n\1" + pub).hexdigest()[:8]
seed, pub = (base64.b64encode(b"\1" + key).decode() for key in (seed, pub))
open(folder + "/log.key", "w").write(f"PRIVATE+KEY+{name}+{kid}+{seed}")
open(folder + "/log.vkey", "w").write(f"{name}+{kid}+{pub}")
EOF
start_node() {
    custody node --listen 127.0.0.1:0 >"$SCRATCH/url" 2>"$SCRATCH/requests" &
    node=$!
    for _ in $(seq 100); do grep -q listening "$SCRATCH/url" && break; sleep 0.05; done
    url=$(sed -n 's/^listening *//p' "$SCRATCH/url")
    printf 'witness w %s %s/\nquorum w\n' "$ours" "$url" >"$SCRATCH/policy"
}
tessera() {
    printf 'entry %s\n' "$1" >"$SCRATCH/entry-$1"
    "$TOOLS/bin/tessera-oneshot" -storage_dir "$SCRATCH/tessera" -entries "$SCRATCH/entry-$1" -private_key "$SCRATCH/log.key" -witness_policy_file "$SCRATCH/policy" -witness_timeout 5s
}
cosigned() { grep -q "^— court.example/witness " "$SCRATCH/tessera/checkpoint"; }
start_node
timeout 4 "$TOOLS/bin/tessera-oneshot" -storage_dir "$SCRATCH/other" -entries "$HERE/lib.sh" -private_key "$SCRATCH/log.key" -witness_policy_file "$SCRATCH/policy" >"$SCRATCH/said" 2>&1
refuses "a log that nobody named is not cosigned" test -f "$SCRATCH/other/checkpoint"
passes "and the node said that it does not know it" grep -q '"route":"/add-checkpoint","status":404' "$SCRATCH/requests"
ended $node
passes "the log is named" custody witness log "$(cat "$SCRATCH/log.vkey")"
start_node
passes "Tessera publishes what our node cosigned" tessera 1
passes "its cosignature stands there" cosigned
passes "and goes on" tessera 2
passes "and on" tessera 3
passes "its size is three" test "$(sed -n 2p "$SCRATCH/tessera/checkpoint")" = 3
passes "cosigned" cosigned
passes "fsck accepts that log" timeout 60 "$TOOLS/bin/fsck" --ui=false --storage_url="file://$SCRATCH/tessera" --public_key="$SCRATCH/log.vkey"
# The same key, another log: what Tessera starts from nothing contradicts what was cosigned.
mv "$SCRATCH/tessera" "$SCRATCH/tessera-first"
refuses "another log of the same key is not cosigned" timeout 4 sh -c "$(declare -f tessera); SCRATCH=$SCRATCH TOOLS=$TOOLS; tessera 9"
refuses "nothing of it was published" test -f "$SCRATCH/tessera/checkpoint"
ended $node
equals "the node ends in order" $? 0

# ---- three of four ----
cd "$SCRATCH" || exit 1
passes "receipts of three of four are made" "$TOOLS/venv/bin/python" "$HERE/quorum.py" "$SCRATCH/Q" "$SCRATCH/evidence/note.txt"
leaf=$(json "$SCRATCH/Q/said.json" leaf)
for name in "$SCRATCH"/Q/good-*; do passes "torchwood accepts $(basename "$name")" verify "$SCRATCH/Q/policy" "$leaf" "$name"; done
for name in "$SCRATCH"/Q/bad-*; do
    refuses "torchwood refuses $(basename "$name")" verify "$SCRATCH/Q/policy" "$leaf" "$name"
    exits 4 "and so do we" custody-verify --trust "$SCRATCH/Q/trust" "$name"
done
for name in "$SCRATCH"/Q/good-*; do passes "we accept $(basename "$name")" custody-verify --trust "$SCRATCH/Q/trust" "$name"; done
done_testing
