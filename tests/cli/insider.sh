# The keeper with every key drops an exhibit and signs everything again (tests/tools/insider.c): his own check is clean, and one receipt
# that was handed out before convicts him. And what a client submits without a party's signature, the ledger refuses.
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BIN=${CUSTODY_BIN:-$SOURCE/build/bin} BUILD=${CUSTODY_BUILD:-$SOURCE/build/release}
PATH=$BIN:$BUILD/bin:$PATH
[ -x "$BUILD/bin/insider" ] && [ -x "$BIN/custody" ] || { echo "ok - the insider # SKIP the programs are not built"; exit 77; }
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
cd "$SCRATCH" || exit 1
unset CUSTODY_LEDGER
failed=0

# ends CODE TEXT COMMAND…: one test
ends() {
    local want=$1 text=$2 said code
    shift 2
    said=$("$@" 2>&1 </dev/null)
    code=$?
    if [ "$code" = "$want" ]; then echo "ok - $text"; else echo "not ok - $text (exit $code, not $want)"; sed 's/^/#   /' <<<"$said"; failed=1; fi
}
on() { custody "${@:2}" --ledger "$1"; }

mkdir -p evidence/folder/deeper
head -c 1500000 /dev/urandom >evidence/large.bin
head -c 90000 /dev/urandom >evidence/packed.bin
printf 'short\n' >evidence/small.txt
cp evidence/packed.bin evidence/folder/deeper/same.bin
head -c 1200000 /dev/urandom >evidence/folder/large.bin
: >evidence/folder/empty
{
    custody init L && on L case open C1 && on L case open C2 &&
        on L deposit --case C1 evidence/small.txt && on L deposit --case C1 evidence/large.bin evidence/packed.bin &&
        on L deposit --case C2 evidence/folder && on L correct C1/1 --text "of the second bag" && on L get C1/2 --output got --reason "a test" &&
        on L claim evidence/small.txt -o claim && on L void 5 --reason "never sent" && on L deposit --case C2 evidence/small.txt && on L inventory C1 -o inventory.tlog-proof
} >made 2>&1 || { echo "not ok - a ledger with everything in it"; sed 's/^/#   /' made; exit 1; }
cp -r L/receipts receipts
cp L/trust/ledger.trust .

n=0
for exhibit in C1/1 C1/2 C1/3 C2/1 C2/2; do
    n=$((n + 1)) name=${exhibit/\//-}
    ends 0 "the insider drops $exhibit" insider L "without-$name" "$exhibit"
    ends 0 "his own check is clean" on "without-$name" check
    ends 0 "his ledger works on: a deposit" on "without-$name" deposit evidence/small.txt
    ends 0 "the dropped exhibit's receipt and his log are a fork proof" custody fork-proof make "receipts/$name.tlog-proof" --log "without-$name/node/log" -o "$name.fork"
    ends 0 "which convicts him offline" custody fork-proof verify "$name.fork" --trust ledger.trust
    ends 0 "so are the receipt of the last exhibit and his log" custody fork-proof make receipts/C2-2.tlog-proof --log "without-$name/node/log" -o last.fork
    if cmp -s L/trust/ledger.trust "without-$name/trust/ledger.trust"; then echo "ok - his ledger has the same network id and keys"; else echo "not ok - his ledger has the same network id and keys"; failed=1; fi
done
ends 10 "a receipt from before the dropped exhibit agrees with his log" custody fork-proof make receipts/C1-1.tlog-proof --log without-C2-1/node/log -o none.fork
ends 0 "two receipts, of the two histories, are a fork proof as well" custody fork-proof make receipts/C2-2.tlog-proof without-C1-2/receipts/unfiled-1.tlog-proof -o two.fork
ends 0 "which convicts him" custody fork-proof verify two.fork --trust ledger.trust
ends 10 "a log and its own receipt are none" custody fork-proof make receipts/C2-2.tlog-proof --log L/node/log -o none.fork

ends 0 "a deposit that one party did not sign is refused, each with its own status" submit_unsigned L C1
ends 0 "and the ledger is as it was" on L check
exit $failed
