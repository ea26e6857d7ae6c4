# CometBFT's own encoder, which is none of ours, makes messages of every kind at random; read and written by us they are the same.
. "$(dirname "$0")/lib.sh"
need_tool abci-fields

seed=${1:-$RANDOM}
"$TOOLS/bin/abci-fields" "$seed" 4000 >"$SCRATCH/theirs"
"$BUILD/bin/abci_echo" <"$SCRATCH/theirs" >"$SCRATCH/ours"
equals "12,000 messages were made (seed $seed)" "$(wc -l <"$SCRATCH/theirs")" 12000
passes "each is written by us as CometBFT wrote it (seed $seed)" cmp "$SCRATCH/theirs" "$SCRATCH/ours"
done_testing
