# Tessera's fsck, which is none of ours, re-derives every tile and the root from the entry bundles.
. "$(dirname "$0")/lib.sh"
need_tool fsck

fsck() { timeout "${PATIENCE:-120}" "$TOOLS/bin/fsck" --ui=false --storage_url="file://$1" --public_key="$2"; }

for size in 1 255 256 257 65535 65536 65537; do
    log=$SCRATCH/log-$size
    passes "a log of $size entries is written" "$BUILD/bin/make_log" "$size" "$log"
    passes "fsck accepts the log of $size entries" fsck "$log" "$log.vkey"
done

# fsck is worth asking: it does not accept what is damaged. (This version then waits for ever instead of saying so.)
PATIENCE=5
printf 'X' | dd of="$SCRATCH/log-257/tile/entries/000" bs=1 seek=20 conv=notrunc 2>/dev/null
refuses "fsck refuses the log of 257 with one byte of an entry changed" fsck "$SCRATCH/log-257" "$SCRATCH/log-257.vkey"
unset PATIENCE

make_ledger
for copy in node cloud; do
    passes "fsck accepts $copy/log of a ledger" fsck "$SCRATCH/L/$copy/log" "$SCRATCH/L/trust/log.vkey"
done
done_testing
