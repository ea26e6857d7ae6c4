# What the conformance scripts share: a scratch folder, TAP, the foreign tools, a ledger that the product made.
set -uo pipefail
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${CUSTODY_BUILD:-$SOURCE/build/release}
BIN=${CUSTODY_BIN:-$SOURCE/build/bin}
TOOLS=$SOURCE/build/tools
SCRATCH=$(mktemp -d)
trap 'chmod -R u+w "$SCRATCH"; rm -rf "$SCRATCH"' EXIT
FAILED=0
unset CUSTODY_LEDGER
export PATH="$BIN:$PATH" NO_COLOR=1

ok() { printf 'ok - %s\n' "$1"; }
not_ok() { printf 'not ok - %s\n' "$1"; FAILED=1; }
skip() { printf 'ok - %s # SKIP %s\n' "$1" "$2"; }

# passes TEXT COMMAND… / refuses TEXT COMMAND…: one test each; what the command said is shown when it did otherwise.
passes() {
    local text=$1 said
    shift
    if said=$("$@" 2>&1 </dev/null); then ok "$text"; else not_ok "$text"; printf '%s\n' "$said" | sed 's/^/#   /'; fi
}
refuses() {
    local text=$1 said code
    shift
    said=$("$@" 2>&1 </dev/null)
    code=$?
    # 126 and above: not found, or ended by a signal; neither is a refusal
    if [ "$code" -gt 0 ] && [ "$code" -lt 126 ]; then ok "$text"; else not_ok "$text (exit $code)"; printf '%s\n' "$said" | sed 's/^/#   /'; fi
}
exits() {
    local want=$1 text=$2 said code
    shift 2
    said=$("$@" 2>&1 </dev/null)
    code=$?
    if [ "$code" = "$want" ]; then ok "$text"; else not_ok "$text (exit $code, not $want)"; printf '%s\n' "$said" | sed 's/^/#   /'; fi
}
equals() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1"; printf '#   %s\n#   %s\n' "$2" "$3"; fi; }

# Nothing more can be tested here: the script is skipped, unless something failed before.
leave() { exit $((FAILED ? 1 : 77)); }

# tool NAME: is the foreign tool there? If not, the whole script is one skipped test with the reason.
need_tool() {
    [ -x "$TOOLS/bin/$1" ] && return
    skip "$(basename "$0" .sh)" "$1 is not installed: $(tail -n 1 "$TOOLS/missing/$1" 2>/dev/null || echo "run tools/setup check")"
    leave
}
need_python() {
    [ -x "$TOOLS/venv/bin/python" ] && "$TOOLS/venv/bin/python" -c "import $1" 2>/dev/null && return
    skip "$(basename "$0" .sh)" "python's $1 is not installed: run tools/setup check"
    leave
}

# make_ledger: a ledger in $SCRATCH/L with one case and three deposits, their receipts in $SCRATCH/R, evidence in $SCRATCH/evidence.
make_ledger() {
    local evidence=$SCRATCH/evidence
    [ -x "$BIN/custody" ] || { skip "$(basename "$0" .sh)" "the program is not built"; leave; }
    mkdir -p "$evidence/folder/deeper" "$SCRATCH/R"
    head -c 100000 /dev/urandom >"$evidence/large.bin"
    printf 'a short note\n' >"$evidence/note.txt"
    seq 1 20000 >"$evidence/folder/numbers.txt"
    printf 'x' >"$evidence/folder/deeper/x"
    (set -e
        custody init "$SCRATCH/L"
        cd "$SCRATCH/L"
        custody case open C1
        for what in large.bin note.txt folder; do
            custody deposit --case C1 --receipts "$SCRATCH/R" --json "$evidence/$what" >"$SCRATCH/${what%.*}.json"
        done) >"$SCRATCH/said" 2>&1 || { not_ok "a ledger with three deposits is made"; sed 's/^/#   /' "$SCRATCH/said"; exit 1; }
    ok "a ledger with three deposits is made"
}
json() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$@"; }
done_testing() { exit "$FAILED"; }
