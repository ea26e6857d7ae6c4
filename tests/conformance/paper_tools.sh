# The expert's page, docs/guide/paper-tools.md, as it stands: its commands take a receipt of ours to all its signatures, and notice a changed bit.
. "$(dirname "$0")/lib.sh"
make_ledger
sed -n 's/^    //p' "$SOURCE/docs/guide/paper-tools.md" >"$SCRATCH/page.sh"

desk() { # NAME: a desk with one exhibit's files on it
    mkdir "$SCRATCH/$1"
    cp "$SCRATCH/evidence/large.bin" "$SCRATCH/$1/exhibit"
    cp "$SCRATCH/R/C1-1.tlog-proof" "$SCRATCH/$1/receipt"
    cp "$SCRATCH/L/trust/ledger.trust" "$SCRATCH/$1/"
}
at() { (cd "$SCRATCH/$1" && bash -e "$SCRATCH/page.sh" >said 2>&1); }
says() { if grep -qF "$2" "$SCRATCH/good/said"; then ok "$1"; else not_ok "$1"; sed 's/^/#   /' "$SCRATCH/good/said"; fi; }

desk good
passes "every command of the page runs" at good
says "the entry leads to the checkpoint" "the entry leads to the checkpoint: True"
says "the details are those that were signed" "the details are those that were signed: True"
says "the checkpoint's signature verifies" "Signature Verified Successfully"
equals "both statements' signatures verify" "$(grep -c '^Verified OK$' "$SCRATCH/good/said")" 2
sum=$(sha256sum <"$SCRATCH/evidence/large.bin" | cut -d' ' -f1)
says "it prints the exhibit's digest" "sha256 of the exhibit: $sum"
says "sha256sum says the same" "$sum  exhibit"
says "the network id is the trust file's" "network id: $(sed -n 's/^network //p' "$SCRATCH/L/trust/ledger.trust")"
for what in checkpoint provider depositor; do
    cp -r "$SCRATCH/good" "$SCRATCH/bad-$what"
    f=$SCRATCH/bad-$what/$what.sig
    python3 - "$f" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[-1] ^= 1; open(sys.argv[1], "wb").write(b)
PY
    refuses "a changed bit of the $what's signature is noticed" bash -c "cd '$SCRATCH/bad-$what' && $(grep -- "$what.sig" "$SCRATCH/page.sh" | grep '^openssl')"
done
done_testing
