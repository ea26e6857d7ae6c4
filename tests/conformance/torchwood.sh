# torchwood, which is none of ours, accepts a receipt under trust/policy, and refuses it after any change that could matter.
. "$(dirname "$0")/lib.sh"
need_tool torchwood-verify

make_ledger
policy=$SCRATCH/L/trust/policy
verify() { "$TOOLS/bin/torchwood-verify" "$policy" "$1" "$2"; }
for name in large note folder; do
    receipt=$(json "$SCRATCH/$name.json" receipt) leaf=$(json "$SCRATCH/$name.json" leaf)
    [ -f "$receipt" ] || receipt=$SCRATCH/R/$(basename "$receipt")
    passes "torchwood accepts the receipt of the $name" verify "$leaf" "$receipt"
done
refuses "torchwood refuses it for another leaf" verify "$(printf '%064d' 0)" "$receipt"
sed "s/^index .*/index 1/" "$receipt" >"$SCRATCH/other"
refuses "and with another index" verify "$leaf" "$SCRATCH/other"

python3 "$(dirname "$0")/torchwood_flips.py" "$TOOLS/bin/torchwood-verify" "$policy" "$leaf" "$receipt" \
    "$BIN/custody-verify" --trust "$SCRATCH/L/trust/ledger.trust" || FAILED=1
done_testing
