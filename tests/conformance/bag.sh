# An exported case in the hands of tools that are none of ours: sha256sum, bagit.py, unzip, and the validator of CASE/UCO.
. "$(dirname "$0")/lib.sh"
python() { "$TOOLS/venv/bin/python" -W ignore "$@"; }
make_ledger
cd "$SCRATCH/L" || exit 1
printf 'y' >"$SCRATCH/evidence/con.txt"
custody case open 'D 2' >/dev/null
custody deposit --case 'D 2' --note 'a "note", with = and ,' "$SCRATCH/evidence/con.txt" >/dev/null 2>&1
custody correct C1/1 --text 'the label is AP/1/2' >/dev/null 2>&1
said=$(custody export C1 'D 2' -o "$SCRATCH/bag" --to 'District Court' --reason trial --authority 'order 5' 2>&1 &&
    custody export C1 'D 2' -o "$SCRATCH/bag.zip" --range C1/1:5000-60000 2>&1 && custody export C1 -o "$SCRATCH/bare" --no-content 2>&1) ||
    { not_ok "the cases are exported"; printf '%s\n' "$said" | sed 's/^/#   /'; exit 1; }
ok "the cases are exported"

for manifest in manifest tagmanifest; do
    passes "sha256sum -c takes the $manifest" sh -c "cd '$SCRATCH/bag' && sha256sum --strict -c $manifest-sha256.txt"
done
if command -v unzip >/dev/null; then
    passes "unzip finds the zip whole" unzip -tq "$SCRATCH/bag.zip"
fi
passes "python's zipfile unpacks it" python3 -m zipfile -e "$SCRATCH/bag.zip" "$SCRATCH/unpacked"

if [ -x "$TOOLS/venv/bin/python" ] && python -c 'import bagit' 2>/dev/null; then
    for bag in bag unpacked/bag bare; do passes "bagit.py finds $bag valid" python -m bagit --validate "$SCRATCH/$bag"; done
    printf 'x' >>"$SCRATCH/unpacked/bag/data/C1-2/note.txt"
    refuses "and not with a byte too many" python -m bagit --validate "$SCRATCH/unpacked/bag"
else
    skip "bagit.py finds the bags valid" "python's bagit is not installed: run tools/setup check"
fi
if [ -x "$TOOLS/venv/bin/python" ] && python -c 'import case_utils' 2>/dev/null; then
    validate() { python "$TOOLS/venv/bin/case_validate" --built-version case-1.4.0 "$1"; }
    passes "case_validate takes case.jsonld, without a warning" validate "$SCRATCH/bag/case.jsonld"
    sed 's/"uco-action:performer":{"@id":"[^"]*"}/"uco-action:performer":"somebody"/' "$SCRATCH/bag/case.jsonld" >"$SCRATCH/bad.jsonld"
    refuses "and not one whose performer is no identity" validate "$SCRATCH/bad.jsonld"
else
    skip "case_validate takes case.jsonld" "python's case-utils is not installed: run tools/setup check"
fi

if [ -x "$TOOLS/bin/torchwood-verify" ]; then
    for receipt in "$SCRATCH"/bag/receipts/*.tlog-proof; do
        leaf=$(custody-verify --json --trust "$SCRATCH/bag/trust/ledger.trust" "$receipt" | sed 's/.*"leaf":"\([0-9a-f]*\)".*/\1/')
        passes "torchwood takes ${receipt##*/} under the package's policy" "$TOOLS/bin/torchwood-verify" "$SCRATCH/bag/trust/policy" "$leaf" "$receipt"
    done
else
    skip "torchwood takes the package's receipts" "torchwood-verify is not installed: run tools/setup check"
fi
done_testing
