# pycose, which is none of ours, verifies both signatures of each entry; sha256sum finds the digest that the details hold.
. "$(dirname "$0")/lib.sh"
need_python pycose
python() { "$TOOLS/venv/bin/python" -W ignore "$@"; }
here=$SOURCE/tests/conformance

python "$here/cose_check.py" --golden "$SOURCE/tests/vectors/entry_golden.txt" || FAILED=1

make_ledger
passes "the entries are read from the log's bundles" python3 "$here/entries.py" "$SCRATCH/L/node/log" "$SCRATCH/entries"
cd "$SCRATCH/entries" || exit 1
# block entries are plain CBOR, a map; signed ones begin with tag 18
mapfile -t signed < <(for n in $(ls | sort -n); do [ "$(head -c 1 "$n" | od -An -tx1 | tr -d ' ')" = d2 ] && echo "$n"; done)
python "$here/cose_check.py" 0 "${signed[@]}" || FAILED=1

for name in large.bin note.txt; do
    n=$([ $name = large.bin ] && echo 1 || echo 2)
    digest=$(sha256sum <"$SCRATCH/evidence/$name" | cut -d' ' -f1)
    passes "the receipt of $name holds the digest that sha256sum computes" python "$here/holds_digest.py" "$SCRATCH/R/C1-$n.tlog-proof" "$digest"
    refuses "and no other" python "$here/holds_digest.py" "$SCRATCH/R/C1-$n.tlog-proof" "$(printf '%064d' 0)"
done
equals "deposit --json told the same" "$(json "$SCRATCH/large.json" sha256)" "$(sha256sum <"$SCRATCH/evidence/large.bin" | cut -d' ' -f1)"
done_testing
